// SQL expressions that a function of ours evaluates itself: over columns c0, c1, ... of a chunk it
// fills. Bound in the function's own bind, inside the statement's planning; executed with
// duckdb::ExpressionExecutor over a chunk whose columns have the types given here.
#pragma once

#include <duckdb/common/types.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/planner/expression.hpp>
#include <string>

namespace aichemy::sql {

// `text` may name the columns <alias>.c<n>. Cast to `result` unless that is INVALID. Throws
// DuckDB's binder exception.
duckdb::unique_ptr<duckdb::Expression> bind_slot_expression(
    duckdb::ClientContext& context, const std::string& text, const std::string& alias,
    const duckdb::vector<duckdb::LogicalType>& types, const duckdb::LogicalType& result);

// The constant text argument of a function; throws when it is none.
std::string constant_text(duckdb::ClientContext& context, duckdb::Expression& argument);

}  // namespace aichemy::sql
