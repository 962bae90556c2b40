// SQL routines of more than one RETURN: their statements as steps with jumps, over variables that
// are columns of a relation of their own. The engine runs them (sql/native/routine.cc).
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean);

std::string shown_type(const BoundPtr& value) { return value->type.display(); }

}  // namespace

class Analyzer::RoutineCompiler {
 public:
  RoutineCompiler(Analyzer& analyzer, const Type& returns, Scope& functions)
      : analyzer_(analyzer), returns_(returns), made_(std::make_shared<BoundRoutine>()) {
    made_->relation = analyzer.next_relation_++;
    scope_.parent = &functions;
    scope_.clause = "SQL routine";
  }

  void declare_parameter(const Identifier& name, const Type& type) {
    declare(name, type);
    ++made_->parameters;
  }

  Result<std::shared_ptr<const BoundRoutine>> run(const RoutineStatement& statement) {
    RETURN_IF_ERROR(add(statement));
    if (!returns_always(statement)) {
      return semantic_error("MISSING_RETURN", statement.at,
                            "Function must end in a RETURN statement");
    }
    return std::shared_ptr<const BoundRoutine>(made_);
  }
  Result<std::shared_ptr<const BoundRoutine>> run(const Expression& value) {
    RETURN_IF_ERROR(add_return(value));
    return std::shared_ptr<const BoundRoutine>(made_);
  }

 private:
  using Kind = RoutineStatement::Kind;
  using Step = BoundRoutine::Step;
  struct Label {
    std::string name;
    std::optional<size_t> again;  // where ITERATE goes
    std::vector<size_t> leaves;   // jumps behind the statement
  };

  Analyzer& analyzer_;
  const Type& returns_;
  std::shared_ptr<BoundRoutine> made_;
  Scope scope_;
  std::vector<std::unique_ptr<Label>> labels_;

  size_t here() const { return made_->steps.size(); }

  size_t declare(const Identifier& name, const Type& type) {
    size_t slot = made_->variables.size();
    made_->variables.push_back(type);
    scope_.variables[name.lower()] = make_column(made_->relation, slot, type, name.at);
    return slot;
  }

  // The expression, refused where it needs more than the variables.
  Result<BoundPtr> value_of(const Expression& expression) {
    ASSIGN_OR_RETURN(BoundPtr value, analyzer_.analyze(expression, scope_));
    bool query = false;
    rewrite(value, [&](const BoundPtr& part) -> BoundPtr {
      query = query || part->plan != nullptr;
      return query ? part : nullptr;
    });
    if (query) {
      return semantic_error("NOT_SUPPORTED", expression.at,
                            "Queries are not allowed in SQL routines");
    }
    return value;
  }

  Result<BoundPtr> typed(const Expression& expression, const Type& type, const std::string& what) {
    ASSIGN_OR_RETURN(BoundPtr value, value_of(expression));
    if (!can_coerce(value->type, type)) {
      return semantic_error("TYPE_MISMATCH", expression.at,
                            fmt::format("{} must evaluate to {} (actual: {})", what, type.display(),
                                        shown_type(value)));
    }
    return make_cast(value, type);
  }

  void emit(Step step) { made_->steps.push_back(std::move(step)); }
  size_t emit_jump(size_t target = 0) {
    emit({Step::Kind::jump, 0, target, nullptr});
    return here() - 1;
  }
  size_t emit_branch(BoundPtr condition) {
    emit({Step::Kind::branch, 0, 0, std::move(condition)});
    return here() - 1;
  }
  void patch(size_t step) { made_->steps[step].target = here(); }

  Status add_all(const std::vector<RoutineStatement>& statements) {
    for (const auto& one : statements) RETURN_IF_ERROR(add(one));
    return {};
  }

  Status add(const RoutineStatement& statement) {
    bool jump = statement.kind == Kind::iterate || statement.kind == Kind::leave;
    if (!statement.label || jump) return add_plain(statement, nullptr);
    std::string name = statement.label->lower();
    if (find(name)) {
      return semantic_error(
          "ALREADY_EXISTS", statement.label->at,
          fmt::format("Label already declared in this scope: {}", statement.label->text));
    }
    labels_.push_back(std::make_unique<Label>(Label{name, std::nullopt, {}}));
    RETURN_IF_ERROR(add_plain(statement, labels_.back().get()));
    for (size_t leave : labels_.back()->leaves) patch(leave);
    labels_.pop_back();
    return {};
  }

  Label* find(const std::string& name) const {
    for (const auto& label : labels_) {
      if (label->name == name) return label.get();
    }
    return nullptr;
  }

  Status add_plain(const RoutineStatement& statement, Label* label) {
    switch (statement.kind) {
      case Kind::compound: return add_compound(statement);
      case Kind::set: return add_set(statement);
      case Kind::return_: return add_return(*statement.value);
      case Kind::if_:
      case Kind::case_: return add_branches(statement);
      case Kind::loop: {
        size_t begin = here();
        if (label) label->again = begin;
        RETURN_IF_ERROR(add_all(statement.body));
        emit_jump(begin);
        return {};
      }
      case Kind::while_: {
        size_t begin = here();
        if (label) label->again = begin;
        ASSIGN_OR_RETURN(BoundPtr condition,
                         typed(*statement.value, kBoolean, "Condition of WHILE statement"));
        size_t out = emit_branch(std::move(condition));
        RETURN_IF_ERROR(add_all(statement.body));
        emit_jump(begin);
        patch(out);
        return {};
      }
      case Kind::repeat: {
        size_t begin = here();
        if (label) label->again = begin;
        RETURN_IF_ERROR(add_all(statement.body));
        ASSIGN_OR_RETURN(BoundPtr condition,
                         typed(*statement.value, kBoolean, "Condition of REPEAT statement"));
        emit({Step::Kind::branch, 0, begin, std::move(condition)});
        return {};
      }
      case Kind::iterate:
      case Kind::leave: return add_jump(statement);
    }
    return {};
  }

  Status add_return(const Expression& expression) {
    ASSIGN_OR_RETURN(BoundPtr value, typed(expression, returns_, "Value of RETURN"));
    emit({Step::Kind::return_, 0, 0, std::move(value)});
    return {};
  }

  Status add_jump(const RoutineStatement& statement) {
    Label* label = find(statement.label->lower());
    if (!label) {
      return semantic_error("NOT_FOUND", statement.label->at,
                            fmt::format("Label not defined: {}", statement.label->text));
    }
    if (statement.kind == Kind::leave) {
      label->leaves.push_back(emit_jump());
      return {};
    }
    if (!label->again) {
      return semantic_error("SYNTAX_ERROR", statement.at,
                            "ITERATE needs the label of a LOOP, WHILE or REPEAT");
    }
    emit_jump(*label->again);
    return {};
  }

  Status add_compound(const RoutineStatement& statement) {
    auto outside = scope_.variables;
    std::vector<std::string> here_declared;
    for (const auto& declaration : statement.declarations) {
      ASSIGN_OR_RETURN(Type type, analyzer_.type_at(declaration.type_text, declaration.type_at));
      BoundPtr value = make_null(type, declaration.type_at);
      if (declaration.value) {
        ASSIGN_OR_RETURN(value, typed(*declaration.value, type, "Value of DEFAULT"));
      }
      for (const auto& name : declaration.names) {
        if (scope_.variables.contains(name.lower())) {
          return semantic_error(
              "ALREADY_EXISTS", name.at,
              fmt::format("Variable already declared in this scope: {}", name.text));
        }
        emit({Step::Kind::set, declare(name, type), 0, value});
      }
    }
    RETURN_IF_ERROR(add_all(statement.body));
    scope_.variables = std::move(outside);
    return {};
  }

  Status add_set(const RoutineStatement& statement) {
    auto found = scope_.variables.find(statement.target.lower());
    if (found == scope_.variables.end()) {
      return semantic_error("COLUMN_NOT_FOUND", statement.target.at,
                            fmt::format("Variable cannot be resolved: {}", statement.target.text));
    }
    BoundPtr variable = found->second;
    ASSIGN_OR_RETURN(BoundPtr value,
                     typed(*statement.value, variable->type,
                           fmt::format("Value of SET '{}'", statement.target.text)));
    emit({Step::Kind::set, variable->index, 0, std::move(value)});
    return {};
  }

  Status add_branches(const RoutineStatement& statement) {
    const char* what =
        statement.kind == Kind::if_ ? "Condition of IF statement" : "Condition of CASE statement";
    BoundPtr operand;
    if (statement.value) {
      ASSIGN_OR_RETURN(operand, value_of(*statement.value));
    }
    std::vector<size_t> ends;
    for (const auto& branch : statement.branches) {
      BoundPtr condition;
      if (operand) {
        ASSIGN_OR_RETURN(BoundPtr value, value_of(*branch.condition));
        ASSIGN_OR_RETURN(condition, analyzer_.compare("=", operand, value, branch.condition->at));
      } else {
        ASSIGN_OR_RETURN(condition, typed(*branch.condition, kBoolean, what));
      }
      size_t otherwise = emit_branch(std::move(condition));
      RETURN_IF_ERROR(add_all(branch.body));
      ends.push_back(emit_jump());
      patch(otherwise);
    }
    RETURN_IF_ERROR(add_all(statement.otherwise));
    for (size_t end : ends) patch(end);
    return {};
  }

  static bool returns_always(const std::vector<RoutineStatement>& statements) {
    return std::ranges::any_of(statements, [](const auto& one) { return returns_always(one); });
  }
  static bool returns_always(const RoutineStatement& statement) {
    switch (statement.kind) {
      case Kind::return_: return true;
      case Kind::compound: return !statement.body.empty() && returns_always(statement.body.back());
      case Kind::if_:
      case Kind::case_:
        for (const auto& branch : statement.branches) {
          if (!returns_always(branch.body)) return false;
        }
        return returns_always(statement.otherwise);
      default: return false;
    }
  }
};

Result<std::shared_ptr<const BoundRoutine>> Analyzer::compile_routine(
    const InlineFunction& function, const Type& returns, Scope& scope) {
  RoutineCompiler compiler(*this, returns, scope);
  for (const auto& [name, type_text] : function.parameters) {
    ASSIGN_OR_RETURN(Type type, type_at(type_text, function.at));
    compiler.declare_parameter(name, type);
  }
  return function.statement ? compiler.run(*function.statement) : compiler.run(*function.body);
}

}  // namespace aichemy::sql
