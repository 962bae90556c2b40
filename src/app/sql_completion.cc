#include "app/sql_completion.h"

#include <fmt/core.h>

#include <algorithm>

namespace aichemy::app {
namespace {

// Words that begin or join clauses; those nobody types by hand are left out.
constexpr const char* kKeywords[] = {
    "ADD",       "ALL",      "ALTER",     "ANALYZE", "AND",       "ARRAY",    "AS",
    "ASC",       "BETWEEN",  "BY",        "CALL",    "CASE",      "CAST",     "CATALOGS",
    "COLUMN",    "COLUMNS",  "COMMENT",   "COMMIT",  "COUNT",     "CREATE",   "CROSS",
    "CURRENT",   "DATE",     "DELETE",    "DESC",    "DESCRIBE",  "DISTINCT", "DROP",
    "ELSE",      "END",      "EXCEPT",    "EXECUTE", "EXISTS",    "EXPLAIN",  "EXTRACT",
    "FALSE",     "FETCH",    "FILTER",    "FIRST",   "FOR",       "FROM",     "FULL",
    "FUNCTIONS", "GROUP",    "HAVING",    "IF",      "IN",        "INNER",    "INSERT",
    "INTERSECT", "INTERVAL", "INTO",      "IS",      "JOIN",      "LATERAL",  "LEFT",
    "LIKE",      "LIMIT",    "MAP",       "MATCHED", "MERGE",     "NATURAL",  "NOT",
    "NULL",      "NULLS",    "OFFSET",    "ON",      "OR",        "ORDER",    "ORDINALITY",
    "OUTER",     "OVER",     "PARTITION", "PREPARE", "RECURSIVE", "RENAME",   "REPLACE",
    "RESET",     "RIGHT",    "ROLLBACK",  "ROLLUP",  "ROW",       "ROWS",     "SCHEMA",
    "SCHEMAS",   "SELECT",   "SESSION",   "SET",     "SHOW",      "START",    "STATS",
    "TABLE",     "TABLES",   "THEN",      "TIME",    "TIMESTAMP", "TO",       "TRANSACTION",
    "TRUE",      "TRUNCATE", "TRY_CAST",  "UNION",   "UNNEST",    "UPDATE",   "USE",
    "USING",     "VALUES",   "VERSION",   "VIEW",    "WHEN",      "WHERE",    "WINDOW",
    "WITH",      "ZONE"};

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return out;
}

std::string literal(const std::string& text) {
  std::string out = "'";
  for (char c : text) out += c == '\'' ? std::string("''") : std::string(1, c);
  return out + "'";
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + "\"";
}

}  // namespace

std::vector<std::string> SqlCompletion::list(const std::string& statement) {
  std::vector<std::string> out;
  auto rows = client_.run(statement);
  if (!rows) return out;  // nothing to offer is no reason to disturb a line
  for (const Json& row : rows->rows) out.emplace_back(row.as_array().at(0).as_string());
  return out;
}

void SqlCompletion::forget(const SqlLogin& login) {
  loaded_ = false;
  login_.catalog = login.catalog;
  login_.schema = login.schema;
}

void SqlCompletion::load() {
  if (loaded_) return;
  loaded_ = true;
  if (functions_.empty()) functions_ = list("SHOW FUNCTIONS");
  catalogs_ = list("SHOW CATALOGS");
  columns_.clear();
  tables_.clear();
  if (login_.catalog.empty() || login_.schema.empty()) return;
  std::string from = fmt::format("{}.information_schema.columns WHERE table_schema = {}",
                                 quoted(login_.catalog), literal(login_.schema));
  auto rows = client_.run("SELECT table_name, column_name FROM " + from);
  if (!rows) return;
  for (const Json& row : rows->rows) {
    columns_.emplace_back(row.as_array().at(0).as_string(), row.as_array().at(1).as_string());
    tables_.push_back(columns_.back().first);
  }
}

// "iceberg." has schemas, "iceberg.sales." tables, "orders." columns.
std::vector<std::string> SqlCompletion::qualified(const std::string& qualifier) {
  std::vector<std::string> out;
  size_t dot = qualifier.find('.');
  if (dot != std::string::npos) {
    return list(
        fmt::format("SELECT table_name FROM {}.information_schema.tables WHERE "
                    "table_schema = {}",
                    quoted(qualifier.substr(0, dot)), literal(qualifier.substr(dot + 1))));
  }
  for (const auto& [table, column] : columns_) {
    if (table == qualifier) out.push_back(column);
  }
  if (!out.empty()) return out;
  if (std::ranges::find(catalogs_, qualifier) != catalogs_.end())
    return list("SHOW SCHEMAS FROM " + quoted(qualifier));
  if (login_.catalog.empty()) return out;
  return list(
      fmt::format("SELECT table_name FROM {}.information_schema.tables WHERE "
                  "table_schema = {}",
                  quoted(login_.catalog), literal(qualifier)));
}

std::vector<std::string> SqlCompletion::complete(std::string_view line, std::string_view word) {
  load();
  size_t dot = word.rfind('.');
  std::string before = dot == std::string_view::npos ? "" : lower(word.substr(0, dot));
  std::string begin = lower(dot == std::string_view::npos ? word : word.substr(dot + 1));
  std::vector<std::string> offered;
  auto offer = [&](const std::vector<std::string>& names) {
    for (const std::string& name : names) {
      if (lower(name).starts_with(begin))
        offered.push_back(before.empty() ? name : before + "." + name);
    }
  };
  if (!before.empty()) {
    offer(qualified(before));
  } else {
    bool capitals = !word.empty() && std::isupper(static_cast<unsigned char>(word.front()));
    std::string text = lower(line);
    for (const char* keyword : kKeywords) offer({capitals ? std::string(keyword) : lower(keyword)});
    offer(tables_);
    offer(catalogs_);
    // Columns of the tables that the line names.
    for (const auto& [table, column] : columns_) {
      if (text.find(table) != std::string::npos) offer({column});
    }
    if (!begin.empty()) offer(functions_);
  }
  std::ranges::sort(offered);
  offered.erase(std::unique(offered.begin(), offered.end()), offered.end());
  return offered;
}

}  // namespace aichemy::app
