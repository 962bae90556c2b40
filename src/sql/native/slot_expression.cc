#include "sql/native/slot_expression.h"

#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/parser/parser.hpp>
#include <duckdb/planner/binder.hpp>
#include <duckdb/planner/expression/bound_columnref_expression.hpp>
#include <duckdb/planner/expression/bound_constant_expression.hpp>
#include <duckdb/planner/expression/bound_reference_expression.hpp>
#include <duckdb/planner/expression_binder/where_binder.hpp>
#include <duckdb/planner/expression_iterator.hpp>

namespace aichemy::sql {
namespace {

using duckdb::Expression;

// Columns become references into the chunk; what is constant is computed once.
void resolve(duckdb::ClientContext& context, duckdb::unique_ptr<Expression>& expression) {
  if (expression->GetExpressionClass() == duckdb::ExpressionClass::BOUND_COLUMN_REF) {
    auto& column = expression->Cast<duckdb::BoundColumnRefExpression>();
    expression = duckdb::make_uniq<duckdb::BoundReferenceExpression>(column.return_type,
                                                                     column.binding.column_index);
    return;
  }
  bool constant = expression->IsFoldable() &&
                  expression->GetExpressionClass() != duckdb::ExpressionClass::BOUND_CONSTANT;
  duckdb::Value value;
  if (constant && duckdb::ExpressionExecutor::TryEvaluateScalar(context, *expression, value)) {
    expression = duckdb::make_uniq<duckdb::BoundConstantExpression>(std::move(value));
    return;
  }
  duckdb::ExpressionIterator::EnumerateChildren(
      *expression, [&](duckdb::unique_ptr<Expression>& child) { resolve(context, child); });
}

}  // namespace

duckdb::unique_ptr<Expression> bind_slot_expression(
    duckdb::ClientContext& context, const std::string& text, const std::string& alias,
    const duckdb::vector<duckdb::LogicalType>& types, const duckdb::LogicalType& result) {
  auto parsed = duckdb::Parser::ParseExpressionList(text);
  if (parsed.size() != 1) throw duckdb::BinderException("one expression expected");
  auto binder = duckdb::Binder::CreateBinder(context);
  duckdb::vector<std::string> names;
  for (size_t i = 0; i < types.size(); ++i) names.push_back("c" + std::to_string(i));
  binder->bind_context.AddGenericBinding(binder->GenerateTableIndex(), alias, names, types);
  duckdb::WhereBinder where(*binder, context);
  where.target_type = result;
  auto bound = where.Bind(parsed[0]);
  resolve(context, bound);
  return bound;
}

std::string constant_text(duckdb::ClientContext& context, Expression& argument) {
  if (!argument.IsFoldable()) throw duckdb::BinderException("a constant is expected");
  return duckdb::ExpressionExecutor::EvaluateScalar(context, argument).ToString();
}

}  // namespace aichemy::sql
