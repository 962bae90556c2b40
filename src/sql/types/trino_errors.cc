#include "sql/types/trino_errors.h"

#include <charconv>

namespace aichemy::sql {
namespace {

constexpr const char* kUser = "USER_ERROR";
constexpr const char* kInternal = "INTERNAL_ERROR";
constexpr const char* kResources = "INSUFFICIENT_RESOURCES";
constexpr const char* kExternal = "EXTERNAL";

// User errors count from 0, internal ones from 0x10000, resources from 0x20000, external ones from
// 0x20801.
constexpr TrinoError kErrors[] = {
    {"GENERIC_USER_ERROR", 0, kUser},
    {"SYNTAX_ERROR", 1, kUser},
    {"ABANDONED_QUERY", 2, kUser},
    {"USER_CANCELED", 3, kUser},
    {"PERMISSION_DENIED", 4, kUser},
    {"NOT_FOUND", 5, kUser},
    {"FUNCTION_NOT_FOUND", 6, kUser},
    {"INVALID_FUNCTION_ARGUMENT", 7, kUser},
    {"DIVISION_BY_ZERO", 8, kUser},
    {"INVALID_CAST_ARGUMENT", 9, kUser},
    {"OPERATOR_NOT_FOUND", 10, kUser},
    {"INVALID_VIEW", 11, kUser},
    {"ALREADY_EXISTS", 12, kUser},
    {"NOT_SUPPORTED", 13, kUser},
    {"INVALID_SESSION_PROPERTY", 14, kUser},
    {"INVALID_WINDOW_FRAME", 15, kUser},
    {"CONSTRAINT_VIOLATION", 16, kUser},
    {"TRANSACTION_CONFLICT", 17, kUser},
    {"INVALID_TABLE_PROPERTY", 18, kUser},
    {"NUMERIC_VALUE_OUT_OF_RANGE", 19, kUser},
    {"UNKNOWN_TRANSACTION", 20, kUser},
    {"NOT_IN_TRANSACTION", 21, kUser},
    {"TRANSACTION_ALREADY_ABORTED", 22, kUser},
    {"READ_ONLY_VIOLATION", 23, kUser},
    {"MULTI_CATALOG_WRITE_CONFLICT", 24, kUser},
    {"AUTOCOMMIT_WRITE_CONFLICT", 25, kUser},
    {"UNSUPPORTED_ISOLATION_LEVEL", 26, kUser},
    {"INCOMPATIBLE_CLIENT", 27, kUser},
    {"SUBQUERY_MULTIPLE_ROWS", 28, kUser},
    {"PROCEDURE_NOT_FOUND", 29, kUser},
    {"INVALID_PROCEDURE_ARGUMENT", 30, kUser},
    {"QUERY_REJECTED", 31, kUser},
    {"AMBIGUOUS_FUNCTION_CALL", 32, kUser},
    {"INVALID_SCHEMA_PROPERTY", 33, kUser},
    {"SCHEMA_NOT_EMPTY", 34, kUser},
    {"QUERY_TEXT_TOO_LARGE", 35, kUser},
    {"UNSUPPORTED_SUBQUERY", 36, kUser},
    {"EXCEEDED_FUNCTION_MEMORY_LIMIT", 37, kUser},
    {"ADMINISTRATIVELY_KILLED", 38, kUser},
    {"INVALID_COLUMN_PROPERTY", 39, kUser},
    {"QUERY_HAS_TOO_MANY_STAGES", 40, kUser},
    {"INVALID_SPATIAL_PARTITIONING", 41, kUser},
    {"INVALID_ANALYZE_PROPERTY", 42, kUser},
    {"TYPE_NOT_FOUND", 43, kUser},
    {"CATALOG_NOT_FOUND", 44, kUser},
    {"SCHEMA_NOT_FOUND", 45, kUser},
    {"TABLE_NOT_FOUND", 46, kUser},
    {"COLUMN_NOT_FOUND", 47, kUser},
    {"ROLE_NOT_FOUND", 48, kUser},
    {"SCHEMA_ALREADY_EXISTS", 49, kUser},
    {"TABLE_ALREADY_EXISTS", 50, kUser},
    {"COLUMN_ALREADY_EXISTS", 51, kUser},
    {"ROLE_ALREADY_EXISTS", 52, kUser},
    {"DUPLICATE_NAMED_QUERY", 53, kUser},
    {"DUPLICATE_COLUMN_NAME", 54, kUser},
    {"MISSING_COLUMN_NAME", 55, kUser},
    {"MISSING_CATALOG_NAME", 56, kUser},
    {"MISSING_SCHEMA_NAME", 57, kUser},
    {"TYPE_MISMATCH", 58, kUser},
    {"INVALID_LITERAL", 59, kUser},
    {"COLUMN_TYPE_UNKNOWN", 60, kUser},
    {"MISMATCHED_COLUMN_ALIASES", 61, kUser},
    {"AMBIGUOUS_NAME", 62, kUser},
    {"INVALID_COLUMN_REFERENCE", 63, kUser},
    {"MISSING_GROUP_BY", 64, kUser},
    {"MISSING_ORDER_BY", 65, kUser},
    {"MISSING_OVER", 66, kUser},
    {"NESTED_AGGREGATION", 67, kUser},
    {"NESTED_WINDOW", 68, kUser},
    {"EXPRESSION_NOT_IN_DISTINCT", 69, kUser},
    {"TOO_MANY_GROUPING_SETS", 70, kUser},
    {"FUNCTION_NOT_WINDOW", 71, kUser},
    {"FUNCTION_NOT_AGGREGATE", 72, kUser},
    {"EXPRESSION_NOT_AGGREGATE", 73, kUser},
    {"EXPRESSION_NOT_SCALAR", 74, kUser},
    {"EXPRESSION_NOT_CONSTANT", 75, kUser},
    {"INVALID_ARGUMENTS", 76, kUser},
    {"TOO_MANY_ARGUMENTS", 77, kUser},
    {"INVALID_PRIVILEGE", 78, kUser},
    {"DUPLICATE_PROPERTY", 79, kUser},
    {"INVALID_PARAMETER_USAGE", 80, kUser},
    {"VIEW_IS_STALE", 81, kUser},
    {"VIEW_IS_RECURSIVE", 82, kUser},
    {"NULL_TREATMENT_NOT_ALLOWED", 83, kUser},
    {"INVALID_ROW_FILTER", 84, kUser},
    {"INVALID_COLUMN_MASK", 85, kUser},
    {"MISSING_TABLE", 86, kUser},
    {"INVALID_RECURSIVE_REFERENCE", 87, kUser},
    {"MISSING_COLUMN_ALIASES", 88, kUser},
    {"NESTED_RECURSIVE", 89, kUser},
    {"INVALID_LIMIT_CLAUSE", 90, kUser},
    {"INVALID_ORDER_BY", 91, kUser},
    {"DUPLICATE_WINDOW_NAME", 92, kUser},
    {"INVALID_WINDOW_REFERENCE", 93, kUser},
    {"INVALID_PARTITION_BY", 94, kUser},
    {"INVALID_MATERIALIZED_VIEW_PROPERTY", 95, kUser},
    {"INVALID_LABEL", 96, kUser},
    {"INVALID_PROCESSING_MODE", 97, kUser},
    {"INVALID_PATH", 113, kUser},
    {"JSON_INPUT_CONVERSION_ERROR", 114, kUser},
    {"JSON_OUTPUT_CONVERSION_ERROR", 115, kUser},
    {"PATH_EVALUATION_ERROR", 116, kUser},
    {"INVALID_JSON_LITERAL", 117, kUser},
    {"JSON_VALUE_RESULT_ERROR", 118, kUser},
    {"INVALID_SCHEMA_NAME", 127, kUser},
    {"MERGE_TARGET_ROW_MULTIPLE_MATCHES", 119, kUser},
    {"BRANCH_NOT_FOUND", 134, kUser},
    {"GENERIC_INTERNAL_ERROR", 65536, kInternal},
    {"TOO_MANY_REQUESTS_FAILED", 65537, kInternal},
    {"SERVER_SHUTTING_DOWN", 65541, kInternal},
    {"SERVER_STARTING_UP", 65544, kInternal},
    {"GENERIC_INSUFFICIENT_RESOURCES", 131072, kResources},
    {"EXCEEDED_GLOBAL_MEMORY_LIMIT", 131073, kResources},
    {"QUERY_QUEUE_FULL", 131074, kResources},
    {"EXCEEDED_TIME_LIMIT", 131075, kResources},
    {"EXCEEDED_LOCAL_MEMORY_LIMIT", 131079, kResources},
    {"ADMINISTRATIVELY_PREEMPTED", 131080, kResources},
    {"GENERIC_EXTERNAL", 133001, kExternal},
};

}  // namespace

const TrinoError* find_trino_error(std::string_view name) {
  for (const auto& row : kErrors) {
    if (name == row.name) return &row;
  }
  return nullptr;
}

std::optional<ErrorLocation> error_location(std::string_view message) {
  if (!message.starts_with("line ")) return std::nullopt;
  ErrorLocation at{};
  const char* end = message.data() + message.size();
  auto [line_end, line_error] = std::from_chars(message.data() + 5, end, at.line);
  if (line_error != std::errc() || line_end == end || *line_end != ':') return std::nullopt;
  auto [column_end, column_error] = std::from_chars(line_end + 1, end, at.column);
  if (column_error != std::errc() || column_end == end || *column_end != ':') return std::nullopt;
  return at;
}

}  // namespace aichemy::sql
