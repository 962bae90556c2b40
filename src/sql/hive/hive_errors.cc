#include "sql/hive/hive_errors.h"

#include <string_view>

namespace aichemy::sql {

Error hive_words(Error error) {
  struct Row {
    std::string_view theirs;
    const char* ours;
  };
  static constexpr Row kWords[] = {
      {"no_such_namespace", "schema_not_found"},
      {"namespace_exists", "schema_exists"},
      {"namespace_not_empty", "schema_not_empty"},
      {"no_such_table", "table_not_found"},
      {"table_exists", "table_exists"},
      {"partition_exists", "ALREADY_EXISTS"},
      {"no_such_partition", "NOT_FOUND"},
      {"invalid_object", "HIVE_METASTORE_ERROR"},
      {"default_database", "NOT_SUPPORTED"},
  };
  for (const Row& row : kWords) {
    if (error.is(row.theirs)) {
      error.what = row.ours;
      break;
    }
  }
  return error;
}

Status hive_words(Status status) {
  if (status) return status;
  return std::unexpected(hive_words(status.error()));
}

}  // namespace aichemy::sql
