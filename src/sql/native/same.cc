// aichemy_same(value, number): the value itself. Written around the keys of many joins, so that the
// engine does not take them for one (sql/analysis/joins.h).
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "sql/native/same.h"

namespace aichemy::sql {
namespace {

void same(duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
  result.Reference(chunk.data[0]);
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  function.arguments[0] = arguments[0]->return_type;
  function.return_type = arguments[0]->return_type;
  return nullptr;
}

duckdb::unique_ptr<duckdb::BaseStatistics> propagate(duckdb::ClientContext&,
                                                     duckdb::FunctionStatisticsInput& input) {
  return input.child_stats[0].ToUnique();
}

}  // namespace

void register_same(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction function("aichemy_same",
                                  {duckdb::LogicalType::ANY, duckdb::LogicalType::INTEGER},
                                  duckdb::LogicalType::ANY, same, bind, nullptr, propagate);
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader(database, "aichemy").RegisterFunction(function);
}

}  // namespace aichemy::sql
