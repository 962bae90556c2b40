// What the parts of the Iceberg connector share: its tables, inserts and words. Private to it.
#pragma once

#include <memory>
#include <optional>
#include <string>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

struct IcebergTable final : Table {
  catalog::LoadedTable loaded;
  // Time travel: what to read, with the schema it has then.
  std::optional<int64_t> snapshot_id;
  std::string ref;
  const tables::Schema* schema_then = nullptr;  // of loaded.metadata

  const tables::Schema& schema() const { return schema_then ? *schema_then : loaded.schema(); }
};

// not_found ("BRANCH_NOT_FOUND") when the table was found by a tag: only branches are written to.
Status check_branch(const IcebergTable& table);

inline const IcebergTable& iceberg_table(const TableRef& table) {
  return static_cast<const IcebergTable&>(*table);
}

// Names of the tables with the rows of materialized views end so; no statement lists them.
inline constexpr const char* kStorageSuffix = "$materialized_view_storage";
// Table::version of a table without a snapshot.
inline constexpr const char* kNoSnapshot = "0";

// The columns of a scan of the table, hidden ones included.
std::vector<LakeColumn> lake_columns(const Table& table);

// For writes of rows that are there already (format version 3): the columns of lineage.h, behind
// the table's.
void add_lineage(InsertTarget* target);
void add_lineage(LakeScan* scan);

// The catalog's words as the connector's interface has them.
Error in_our_words(Error error);
Status in_our_words(Status status);
template <class T>
Result<T> in_our_words(Result<T> result) {
  if (result) return result;
  return std::unexpected(in_our_words(result.error()));
}

// Where and how new data files of a table are written. unsupported ("NOT_SUPPORTED") when its
// partition spec cannot be.
Result<InsertTarget> insert_target(const catalog::LoadedTable& table);
// What a commit says of a file that was written for one of the table's partition specs.
Result<tables::WrittenFile> committed_file(const WrittenFile& written,
                                           const catalog::LoadedTable& table, int spec_id);

}  // namespace aichemy::sql
