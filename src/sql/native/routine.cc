// aichemy_routine(arguments..., 'spec'): an SQL routine over whole vectors. `spec` is what
// analysis/render_pattern.cc writes: variables, and steps that set one, branch, jump or return.
//
// R1  All rows of a vector run together. Rows may stand at different steps: the ones at the least
//     step go next, so that those which took a shorter way wait where the ways meet.
// R2  A routine that never returns ends with its statement: every step looks for cancellation.
#include "sql/native/routine.h"

#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "base/json.h"
#include "sql/native/functions.h"
#include "sql/native/slot_expression.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;

struct RoutineStep {
  enum class Kind : uint8_t { set, branch, jump, return_ };
  Kind kind = Kind::jump;
  size_t slot = 0, target = 0;
  duckdb::unique_ptr<duckdb::Expression> expression;
};

struct RoutineBind : duckdb::FunctionData {
  duckdb::vector<LogicalType> variables;
  size_t parameters = 0;
  std::string text;
  std::vector<RoutineStep> steps;

  duckdb::unique_ptr<FunctionData> Copy() const override {
    auto copy = duckdb::make_uniq<RoutineBind>();
    copy->variables = variables;
    copy->parameters = parameters;
    copy->text = text;
    for (const auto& step : steps) {
      copy->steps.push_back(
          {step.kind, step.slot, step.target, step.expression ? step.expression->Copy() : nullptr});
    }
    return copy;
  }
  bool Equals(const FunctionData& other) const override {
    return text == other.Cast<RoutineBind>().text;
  }
};

class Run {
 public:
  Run(duckdb::ExpressionState& state, const RoutineBind& bound, duckdb::DataChunk& arguments,
      Vector& result)
      : context_(state.GetContext()),
        bound_(bound),
        result_(result),
        count_(arguments.size()),
        at_(count_, 0) {
    if (!bound.variables.empty())
      variables_.Initialize(duckdb::Allocator::DefaultAllocator(), bound.variables,
                            std::max<idx_t>(count_, STANDARD_VECTOR_SIZE));
    for (size_t i = 0; i < bound.parameters; ++i) {
      if (count_ > 0)
        duckdb::VectorOperations::Copy(arguments.data[i], variables_.data[i], count_, 0, 0);
    }
    variables_.SetCardinality(count_);
    for (const auto& step : bound.steps) {
      executors_.push_back(step.expression ? duckdb::make_uniq<duckdb::ExpressionExecutor>(
                                                 context_, *step.expression)
                                           : nullptr);
    }
  }

  void run() {
    result_.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
    duckdb::SelectionVector rows(std::max<idx_t>(count_, 1));
    while (true) {
      if (context_.interrupted) throw duckdb::InterruptException();  // R2
      size_t step = kReturned;
      for (size_t at : at_) step = std::min(step, at);  // R1
      if (step == kReturned) return;
      idx_t here = 0;
      for (idx_t row = 0; row < count_; ++row) {
        if (at_[row] == step) rows.set_index(here++, row);
      }
      take(step, rows, here);
    }
  }

 private:
  static constexpr size_t kReturned = SIZE_MAX;
  duckdb::ClientContext& context_;
  const RoutineBind& bound_;
  Vector& result_;
  idx_t count_ = 0;
  std::vector<size_t> at_;  // the step a row stands at
  duckdb::DataChunk variables_;
  std::vector<duckdb::unique_ptr<duckdb::ExpressionExecutor>> executors_;

  void take(size_t number, const duckdb::SelectionVector& rows, idx_t here) {
    const RoutineStep& step = bound_.steps[number];
    size_t next = number + 1 < bound_.steps.size() ? number + 1 : kReturned;
    if (step.kind == RoutineStep::Kind::jump) {
      for (idx_t i = 0; i < here; ++i) at_[rows.get_index(i)] = step.target;
      return;
    }
    duckdb::DataChunk slice;
    if (!bound_.variables.empty()) {
      slice.InitializeEmpty(bound_.variables);
      slice.Reference(variables_);
      if (here < count_) slice.Slice(rows, here);
    }
    slice.SetCardinality(here);
    Vector value(step.expression->return_type, std::max<idx_t>(here, STANDARD_VECTOR_SIZE));
    executors_[number]->ExecuteExpression(slice, value);
    if (step.kind == RoutineStep::Kind::branch) {
      duckdb::UnifiedVectorFormat format;
      value.ToUnifiedFormat(here, format);
      const auto* truths = duckdb::UnifiedVectorFormat::GetData<bool>(format);
      for (idx_t i = 0; i < here; ++i) {
        idx_t index = format.sel->get_index(i);
        bool holds = format.validity.RowIsValid(index) && truths[index];
        at_[rows.get_index(i)] = holds ? next : step.target;
      }
      return;
    }
    value.Flatten(here);
    if (step.kind == RoutineStep::Kind::return_) {
      scatter(value, rows, here, result_);
      for (idx_t i = 0; i < here; ++i) at_[rows.get_index(i)] = kReturned;
      return;
    }
    assign(value, step.slot, rows, here);
    for (idx_t i = 0; i < here; ++i) at_[rows.get_index(i)] = next;
  }

  static void scatter(Vector& value, const duckdb::SelectionVector& rows, idx_t here,
                      Vector& target) {
    for (idx_t i = 0; i < here; ++i)
      duckdb::VectorOperations::Copy(value, target, i + 1, i, rows.get_index(i));
  }

  // Values of variable size go to a fresh vector, as a loop would fill the old one's heap.
  void assign(Vector& value, size_t slot, const duckdb::SelectionVector& rows, idx_t here) {
    Vector& variable = variables_.data[slot];
    bool fixed = duckdb::TypeIsConstantSize(variable.GetType().InternalType());
    if (fixed) {
      scatter(value, rows, here, variable);
      return;
    }
    Vector fresh(variable.GetType(), std::max<idx_t>(count_, STANDARD_VECTOR_SIZE));
    if (here < count_) duckdb::VectorOperations::Copy(variable, fresh, count_, 0, 0);
    scatter(value, rows, here, fresh);
    variable.Reference(fresh);
  }
};

void routine(duckdb::DataChunk& arguments, duckdb::ExpressionState& state, Vector& result) {
  const auto& bound =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<RoutineBind>();
  Run(state, bound, arguments, result).run();
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  auto bound = duckdb::make_uniq<RoutineBind>();
  bound->text = constant_text(context, *arguments.back());
  auto spec = Json::parse(bound->text);
  if (!spec) throw duckdb::BinderException("routine: %s", spec.error().message);
  auto type_of = [&](std::string_view name) {
    return duckdb::TransformStringToLogicalType(std::string(name), context);
  };
  for (const auto& type : (*spec)["variables"].as_array())
    bound->variables.push_back(type_of(type.as_string()));
  bound->parameters = static_cast<size_t>((*spec)["parameters"].as_int());
  LogicalType returns = type_of((*spec)["returns"].as_string());
  std::string alias((*spec)["alias"].as_string());
  for (const auto& step : (*spec)["steps"].as_array()) {
    RoutineStep made;
    made.kind = static_cast<RoutineStep::Kind>(step["kind"].as_int());
    made.slot = static_cast<size_t>(step["slot"].as_int());
    made.target = static_cast<size_t>(step["target"].as_int());
    LogicalType wanted = made.kind == RoutineStep::Kind::branch ? LogicalType(LogicalType::BOOLEAN)
                         : made.kind == RoutineStep::Kind::return_ ? returns
                                                                   : bound->variables.at(made.slot);
    if (made.kind != RoutineStep::Kind::jump) {
      made.expression = bind_slot_expression(context, std::string(step["text"].as_string()), alias,
                                             bound->variables, wanted);
      if (made.expression->IsVolatile()) function.stability = duckdb::FunctionStability::VOLATILE;
    }
    bound->steps.push_back(std::move(made));
  }
  function.varargs = LogicalType::INVALID;
  function.arguments.assign(bound->variables.begin(),
                            bound->variables.begin() + static_cast<long>(bound->parameters));
  function.arguments.push_back(LogicalType::VARCHAR);
  function.return_type = returns;
  return bound;
}

}  // namespace

void register_routines(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction function("aichemy_routine", {}, LogicalType::ANY, routine, bind);
  function.varargs = LogicalType::ANY;
  function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
