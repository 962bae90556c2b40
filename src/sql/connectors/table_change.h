// Changes of tables, views and branches that exist, as ALTER and COMMENT say them. Names arrive
// lower case except new ones, which come as written; the caller has checked that what is named is
// there.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"

namespace aichemy::sql {

struct TableChange {
  enum class Kind : uint8_t {
    add_column,      // path (its last part is the new name), column, first or after
    drop_column,     // path
    rename_column,   // path, text
    set_type,        // path, column.type
    set_default,     // path, text: an SQL constant; none drops it
    drop_not_null,   // path
    set_properties,  // properties, reset
    set_owner,       // text, role
    comment,         // text; none removes it
    column_comment,  // path, text
  };
  Kind kind = Kind::comment;
  // The column, then fields of rows; "element" steps into an array, "key" and "value" into a map.
  std::vector<std::string> path;
  ColumnInfo column;
  bool first = false;
  std::optional<std::string> after;
  std::optional<std::string> text;
  bool role = false;  // the owner is a role
  Properties properties;
  std::vector<std::string> reset;  // properties that go back to their default
};

struct BranchInfo {
  std::string name;
  int64_t snapshot_id = 0;
};

// CREATE, DROP and FAST FORWARD of a branch.
struct BranchChange {
  enum class Kind : uint8_t { create, drop, fast_forward } kind = Kind::create;
  std::string name;
  std::string source;    // create: the branch it starts from; fast_forward: the target
  bool replace = false;  // create
};

// ALTER TABLE EXECUTE and CALL: what they do and with what. Values are text; none: not given.
struct ProcedureArgument {
  const char* name;
  const char* type;
  bool required;
};
struct Procedure {
  const char* schema;  // of CALL; "" for ALTER TABLE EXECUTE
  const char* name;
  std::vector<ProcedureArgument> arguments;
};
struct ProcedureCall {
  std::string name;
  std::optional<TableName> table;                  // ALTER TABLE EXECUTE
  std::vector<std::optional<std::string>> values;  // one an argument of the procedure
  std::map<std::string, std::string> session;      // the catalog's session properties
};
struct RewriteRequest {
  std::string size_threshold;       // files below it are rewritten: "100MB"
  std::vector<Conjunct> conjuncts;  // of WHERE: in files that may hold such rows only
  std::vector<size_t> columns;      // that WHERE names
  std::vector<std::string> files;   // these, whatever is above
};

// The smallest hashes of a column's distinct values: see tables/statistics_file.h.
struct DistinctHashes {
  size_t column = 0;  // index in Table::columns
  std::vector<int64_t> hashes;
};

// What is known of a table without reading it.
struct ColumnStatistics {
  std::optional<double> data_size, distinct_values, nulls_fraction;
  std::optional<std::string> low, high;  // as SHOW STATS prints them
};
struct TableStatistics {
  std::optional<double> rows;
  std::vector<ColumnStatistics> columns;  // as Table::columns, hidden ones left out
};

}  // namespace aichemy::sql
