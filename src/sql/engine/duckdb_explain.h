// DuckDB's physical plan of a statement, and what its profiler measured, as PlanNode.
#pragma once

#include <duckdb/main/connection.hpp>
#include <optional>
#include <string>

#include "sql/engine/engine.h"

namespace aichemy::sql {

// Runs the statement when `analyze` is set; its rows are thrown away. Errors are DuckDB's.
Result<PlanNode> explain_statement(duckdb::Connection& connection, const std::string& sql,
                                   bool analyze);

// From the text of EXPLAIN (ANALYZE, FORMAT JSON). nullopt: no operator.
Result<std::optional<PlanNode>> plan_from_json(std::string_view text);

}  // namespace aichemy::sql
