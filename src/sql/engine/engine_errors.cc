#include "sql/engine/engine_errors.h"

#include <fmt/format.h>

#include <array>
#include <optional>
#include <string_view>

#include "sql/types/trino_errors.h"

namespace aichemy::sql {
namespace {

struct EngineRow {
  std::string_view contains;
  const char* name;
  const char* message;  // nullptr: DuckDB's own, without its kind
};

// DuckDB's texts, first match wins.
constexpr EngineRow kEngineErrors[] = {
    {"More than one row returned by a subquery", "SUBQUERY_MULTIPLE_ROWS",
     "Scalar sub-query has returned multiple rows"},
    {"Map keys must be unique", "INVALID_FUNCTION_ARGUMENT", "Duplicate map keys are not allowed"},
    {"Map keys can not be NULL", "INVALID_FUNCTION_ARGUMENT", "map key cannot be null"},
    {" PRECEDING value", "INVALID_WINDOW_FRAME",
     "Window frame offset value must not be negative or null"},
    {" FOLLOWING value", "INVALID_WINDOW_FRAME",
     "Window frame offset value must not be negative or null"},
    {"Division by zero", "DIVISION_BY_ZERO", "Division by zero"},
    {"TRY can not be used in combination with a scalar subquery", "NOT_SUPPORTED",
     "A scalar subquery inside TRY is not supported"},
    {"subqueries in lambda expressions are not supported", "NOT_SUPPORTED",
     "A subquery inside a lambda expression is not supported"},
    {"Cannot perform non-inner join on subquery", "NOT_SUPPORTED",
     "A subquery in the ON of an outer join is not supported"},
    {"Non-inner join on correlated columns not supported", "NOT_SUPPORTED",
     "A correlated query inside an outer join is not supported"},
    {"Join condition for non-inner LATERAL JOIN", "NOT_SUPPORTED",
     "The condition of an outer join with LATERAL must compare its two sides"},
    {"out of range for the destination type", "NUMERIC_VALUE_OUT_OF_RANGE", nullptr},
    {"Out of Range Error", "NUMERIC_VALUE_OUT_OF_RANGE", nullptr},
    {"Could not cast value", "NUMERIC_VALUE_OUT_OF_RANGE", nullptr},
    {"failed: value is out of range", "NUMERIC_VALUE_OUT_OF_RANGE", nullptr},
    {"Failed to cast decimal value", "NUMERIC_VALUE_OUT_OF_RANGE", nullptr},
    {"Max expression depth limit", "STACK_OVERFLOW",
     "statement is too large (nested too deeply)"},
    {"'max_temp_directory_size'", "EXCEEDED_SPILL_LIMIT",
     "Query exceeded the limit of what running queries may spill to disk (sql.spill)"},
    {"No space left on device", "OUT_OF_SPILL_SPACE",
     "No space left for what running queries spill to disk"},
    {"Out of Memory Error", "EXCEEDED_LOCAL_MEMORY_LIMIT",
     "Query exceeded the memory that running queries share (sql.memory)"},
    {"Conversion Error", "INVALID_CAST_ARGUMENT", nullptr},
    {"Invalid Input Error", "INVALID_FUNCTION_ARGUMENT", nullptr},
    {"INTERRUPT Error", "USER_CANCELED", "Query was canceled"},
};

struct TypeNameRow {
  std::string_view duckdb;
  std::string_view trino, word;
};
constexpr TypeNameRow kTypeNames[] = {{"INT8", "TINYINT", "tinyint"},
                                      {"INT16", "SMALLINT", "smallint"},
                                      {"INT32", "INT", "integer"},
                                      {"INT64", "BIGINT", "bigint"},
                                      {"INT128", "DECIMAL", "decimal"}};

std::string after_kind(std::string_view message) {
  size_t colon = message.find("Error: ");
  if (colon != std::string_view::npos && colon < 40) message.remove_prefix(colon + 7);
  return std::string(message.substr(0, message.find("\n\nLINE ")));
}

std::optional<Error> marked(std::string_view message) {
  size_t at = message.find("TRINO[");
  if (at == std::string_view::npos) return std::nullopt;
  size_t close = message.find(']', at);
  if (close == std::string_view::npos) return std::nullopt;
  const auto* row = find_trino_error(message.substr(at + 6, close - at - 6));
  if (!row) return std::nullopt;
  std::string_view text = message.substr(std::min(close + 2, message.size()));
  return Error{Code::invalid, row->name, std::string(text.substr(0, text.find("\n\nLINE ")))};
}

// "Overflow in addition of INT32 (1 + 2)!" as "integer addition overflow: 1 + 2"
std::optional<std::string> overflow(std::string_view text) {
  constexpr std::string_view kStart = "Overflow in ";
  if (!text.starts_with(kStart)) return std::nullopt;
  size_t of = text.find(" of "), open = text.find(" ("), close = text.rfind(")!");
  if (of == std::string_view::npos || open == std::string_view::npos ||
      close == std::string_view::npos)
    return std::nullopt;
  std::string_view operation = text.substr(kStart.size(), of - kStart.size()),
                   type = text.substr(of + 4, open - of - 4);
  for (const auto& row : kTypeNames) {
    if (row.duckdb == type)
      return fmt::format("{} {} overflow: {}", row.word, operation,
                         text.substr(open + 2, close - open - 2));
  }
  return std::nullopt;
}

std::optional<std::string> bad_cast(std::string_view text) {
  constexpr std::string_view kStart = "Could not convert string ";
  size_t to = text.rfind(" to ");
  if (!text.starts_with(kStart) || to == std::string_view::npos) return std::nullopt;
  std::string_view value = text.substr(kStart.size(), to - kStart.size()),
                   type = text.substr(to + 4);
  for (const auto& row : kTypeNames) {
    if (row.duckdb == type) type = row.trino;
  }
  return fmt::format("Cannot cast {} to {}", value, type);
}

}  // namespace

Error engine_error_to_trino(const Error& error) {
  if (find_trino_error(error.what)) return error;
  if (error.code == Code::cancelled)
    return Error{Code::cancelled, "USER_CANCELED", "Query was canceled"};
  if (!error.is("engine")) return to_trino_error(error);
  if (auto named = marked(error.message)) return *named;
  std::string text = after_kind(error.message);
  for (const auto& row : kEngineErrors) {
    if (error.message.find(row.contains) == std::string::npos) continue;
    if (row.message) return Error{Code::invalid, row.name, row.message};
    if (auto shown = overflow(text)) return Error{Code::invalid, row.name, *shown};
    if (auto shown = bad_cast(text)) return Error{Code::invalid, row.name, *shown};
    return Error{Code::invalid, row.name, text};
  }
  return Error{Code::internal, "GENERIC_INTERNAL_ERROR", text};
}

Error to_trino_error(const Error& error) {
  if (find_trino_error(error.what)) return error;
  struct Row {
    std::string_view what;
    const char* name;
  };
  static constexpr Row kWhats[] = {
      {"schema_exists", "SCHEMA_ALREADY_EXISTS"},     {"schema_not_found", "SCHEMA_NOT_FOUND"},
      {"schema_not_empty", "SCHEMA_NOT_EMPTY"},       {"table_exists", "TABLE_ALREADY_EXISTS"},
      {"table_not_found", "TABLE_NOT_FOUND"},         {"view_not_found", "TABLE_NOT_FOUND"},
      {"no_such_namespace", "SCHEMA_NOT_FOUND"},      {"no_such_table", "TABLE_NOT_FOUND"},
      {"memory", "EXCEEDED_LOCAL_MEMORY_LIMIT"},      {"queue_full", "QUERY_QUEUE_FULL"},
      {"memory_full", "EXCEEDED_LOCAL_MEMORY_LIMIT"}, {"cluster_memory", "CLUSTER_OUT_OF_MEMORY"},
  };
  for (const auto& row : kWhats) {
    if (error.is(row.what)) return Error{error.code, row.name, error.message};
  }
  static constexpr std::array<const char*, kCodeCount> kCodes = {"GENERIC_USER_ERROR",
                                                                 "PERMISSION_DENIED",
                                                                 "PERMISSION_DENIED",
                                                                 "NOT_FOUND",
                                                                 "ALREADY_EXISTS",
                                                                 "TRANSACTION_CONFLICT",
                                                                 "GENERIC_INSUFFICIENT_RESOURCES",
                                                                 "NOT_SUPPORTED",
                                                                 "GENERIC_EXTERNAL",
                                                                 "EXCEEDED_TIME_LIMIT",
                                                                 "USER_CANCELED",
                                                                 "GENERIC_EXTERNAL",
                                                                 "GENERIC_INTERNAL_ERROR"};
  return Error{error.code, kCodes[static_cast<size_t>(error.code)], error.message};
}

}  // namespace aichemy::sql
