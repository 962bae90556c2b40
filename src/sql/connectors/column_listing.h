// What a connector implements beside Connector when one look at its catalog tells the columns of
// all tables of a schema: listings of ten thousand tables must not load each by itself.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"

namespace aichemy::sql {

using ColumnsByTable = std::map<std::string, std::vector<ColumnInfo>>;

class ColumnListing {
 public:
  virtual ~ColumnListing() = default;
  // Tables only, columns as get_table() gives them; views and tables that cannot be read are not in
  // it. An unknown schema has none.
  virtual Result<ColumnsByTable> list_columns(const Call& call, const std::string& schema) = 0;
};

// The columns of one table or view of a listing that wants `schema` as a whole or a few of it.
class ColumnReader {
 public:
  // `whole`: every table of a schema will be asked for.
  ColumnReader(Connector& connector, bool whole)
      : connector_(connector),
        listing_(whole ? dynamic_cast<ColumnListing*>(&connector) : nullptr) {}

  // Empty for what cannot be read. Names of one schema come one after the other.
  std::vector<ColumnInfo> columns(const Call& call, const TableName& name, bool view);

 private:
  Connector& connector_;
  ColumnListing* listing_;
  std::string schema_;
  ColumnsByTable listed_;
};

}  // namespace aichemy::sql
