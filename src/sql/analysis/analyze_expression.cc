// Expressions other than calls: names, literals, operators, predicates, constructors.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "sql/analysis/analyzer.h"
#include "sql/types/literals.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean);

BoundPtr chain(std::string op, std::vector<BoundPtr> args, Type type) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::chain;
  made->type = std::move(type);
  made->text = std::move(op);
  made->args = std::move(args);
  return made;
}

BoundPtr row_field(BoundPtr row, size_t index) {
  if (row->kind == Bound::Kind::row) return row->args[index];
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::field;
  made->type = row->type.fields[index].type;
  made->index = index;
  made->at = row->at;
  made->args.push_back(std::move(row));
  return made;
}

// Without a copy: this runs for every column in scope at every name.
bool is_lower_of(std::string_view lower, std::string_view name) {
  return std::ranges::equal(lower, name, [](char a, char b) {
    return a == (b >= 'A' && b <= 'Z' ? static_cast<char>(b - 'A' + 'a') : b);
  });
}

}  // namespace

Result<Type> unify(std::vector<BoundPtr*> values, const char* message, Position at) {
  Type type;
  for (auto* value : values) {
    auto common = common_type(type, (*value)->type);
    if (!common) {
      return semantic_error(
          "TYPE_MISMATCH", at,
          fmt::format("{}: {} vs {}", message, type.display(), (*value)->type.display()));
    }
    type = std::move(*common);
  }
  for (auto* value : values) *value = make_cast(*value, type);
  return type;
}

Result<BoundPtr> Analyzer::constant(const Expression& expression) {
  Scope scope;
  return analyze(expression, scope);
}

Result<std::vector<BoundPtr>> Analyzer::analyze_all(const std::vector<ExpressionPtr>& list,
                                                    Scope& scope) {
  std::vector<BoundPtr> made;
  for (const auto& item : list) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*item, scope));
    made.push_back(std::move(value));
  }
  return made;
}

Result<BoundPtr> Analyzer::analyze_condition(const Expression& expression, Scope& scope,
                                             const char* clause) {
  auto bound = analyze(expression, scope);
  if (!bound && bound.error().is("EXPRESSION_NOT_SCALAR")) {  // told of the whole condition
    const std::string& message = bound.error().message;
    size_t text = message.find(": ");
    return semantic_error("EXPRESSION_NOT_SCALAR", expression.at, message.substr(text + 2));
  }
  if (!bound) return bound;
  BoundPtr value = std::move(*bound);
  if (value->type.is(TypeKind::unknown)) return make_cast(value, kBoolean);
  if (!value->type.is(TypeKind::boolean)) {
    std::string_view what = clause;
    bool whole =
        (what.ends_with(" clause") && what != "CASE WHEN clause") || what == "The MERGE predicate";
    std::string type = value->type.display();
    return semantic_error("TYPE_MISMATCH", expression.at,
                          fmt::format("{} must evaluate to a boolean{}", clause,
                                      whole ? ": actual type " + type : " (actual: " + type + ")"));
  }
  return value;
}

Result<BoundPtr> Analyzer::analyze(const Expression& e, Scope& scope) {
  using Kind = ExpressionKind;
  switch (e.kind) {
    case Kind::null_literal:
    case Kind::boolean_literal:
    case Kind::integer_literal:
    case Kind::decimal_literal:
    case Kind::double_literal:
    case Kind::string_literal:
    case Kind::binary_literal: return analyze_literal(e);
    case Kind::typed_literal: return analyze_typed_literal(e);
    case Kind::interval_literal: return analyze_interval(e);
    case Kind::parameter: return analyze_parameter(e);
    case Kind::identifier:
    case Kind::dereference: return analyze_name(e, scope);
    case Kind::star: return semantic_error("SYNTAX_ERROR", e.at, "'*' is not allowed here");
    case Kind::unary: return analyze_unary(e, scope);
    case Kind::binary: return analyze_binary(e, scope);
    case Kind::concat: return analyze_concat(e, scope);
    case Kind::comparison: {
      ASSIGN_OR_RETURN(BoundPtr left, analyze(*e.args[0], scope));
      ASSIGN_OR_RETURN(BoundPtr right, analyze(*e.args[1], scope));
      return compare(e.op, std::move(left), std::move(right), e.at);
    }
    case Kind::logical:
    case Kind::not_:
    case Kind::is_null:
    case Kind::is_truth:
    case Kind::is_distinct:
    case Kind::between: return analyze_predicate(e, scope);
    case Kind::in_list: return analyze_in(e, scope);
    case Kind::in_query:
    case Kind::exists:
    case Kind::scalar_query:
    case Kind::quantified: return analyze_subquery(e, scope);
    case Kind::like: return analyze_like(e, scope);
    case Kind::cast:
    case Kind::try_cast: return analyze_cast(e, scope);
    case Kind::case_: return analyze_case(e, scope);
    case Kind::if_: return analyze_if(e, scope);
    case Kind::function: return analyze_call(e, scope);
    case Kind::measure: return analyze_measure(e, scope);
    case Kind::lambda:
      return semantic_error("TYPE_MISMATCH", e.at,
                            "Lambda expression should always be used inside a function");
    case Kind::subscript: return analyze_subscript(e, scope);
    case Kind::row:
    case Kind::array: return analyze_constructor(e, scope);
    case Kind::extract: return analyze_extract(e, scope);
    case Kind::at_time_zone: return analyze_at_time_zone(e, scope);
    case Kind::special: return analyze_special(e);
    case Kind::grouping: return analyze_grouping(e, scope);
    case Kind::unique: return analyze_unique(e, scope);
    case Kind::match: return analyze_match(e, scope);
    case Kind::json_function: return analyze_json_function(e, scope);
  }
  return semantic_error("NOT_SUPPORTED", e.at, "this expression is not supported");
}

Result<BoundPtr> Analyzer::analyze_unary(const Expression& e, Scope& scope) {
  if (e.op == "-" && e.args[0]->kind == ExpressionKind::integer_literal &&
      e.args[0]->text == "9223372036854775808")
    return make_literal(Type(TypeKind::bigint), "-9223372036854775808", e.at);
  if (e.op == "-" && e.args[0]->kind == ExpressionKind::integer_literal &&
      e.args[0]->text == "2147483648")
    return make_literal(Type(TypeKind::integer), "-2147483648", e.at);
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  bool interval =
      value->type.is(TypeKind::interval_day_time) || value->type.is(TypeKind::interval_year_month);
  bool encoded = value->type.is(TypeKind::number);
  if (e.op == "+" && (value->type.is_numeric() || interval)) return value;
  if (value->kind == Bound::Kind::literal && !value->null && !encoded && value->type.is_numeric() &&
      e.args[0]->kind != ExpressionKind::typed_literal) {
    std::string text = value->text.starts_with("-") ? value->text.substr(1) : "-" + value->text;
    return make_literal(value->type, text, e.at);
  }
  return negation(value, e.at);
}

Result<BoundPtr> Analyzer::analyze_predicate(const Expression& e, Scope& scope) {
  using Kind = ExpressionKind;
  switch (e.kind) {
    case Kind::logical: {
      std::vector<BoundPtr> args;
      for (const auto& argument : e.args) {
        ASSIGN_OR_RETURN(BoundPtr value,
                         analyze_condition(*argument, scope, "Logical expression term"));
        args.push_back(std::move(value));
      }
      return chain(e.op, std::move(args), kBoolean);
    }
    case Kind::not_: {
      ASSIGN_OR_RETURN(BoundPtr value,
                       analyze_condition(*e.args[0], scope, "Value of logical NOT expression"));
      return make_call(kBoolean, "(NOT {0})", {value}, e.at);
    }
    case Kind::is_null: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
      return make_call(kBoolean, e.negated ? "({0} IS NOT NULL)" : "({0} IS NULL)", {value}, e.at);
    }
    case Kind::is_truth: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze_condition(*e.args[0], scope, "Boolean test value"));
      std::string text = e.text == "UNKNOWN" ? "NULL" : e.text;
      return make_call(kBoolean,
                       fmt::format("({{0}} IS {}DISTINCT FROM {})", e.negated ? "" : "NOT ",
                                   text == "NULL" ? "CAST(NULL AS BOOLEAN)" : text),
                       {value}, e.at);
    }
    case Kind::is_distinct: {
      ASSIGN_OR_RETURN(BoundPtr left, analyze(*e.args[0], scope));
      ASSIGN_OR_RETURN(BoundPtr right, analyze(*e.args[1], scope));
      return identical(std::move(left), std::move(right), !e.negated, e.at);
    }
    case Kind::between: {
      ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
      auto type = unify({&args[0], &args[1], &args[2]}, "Cannot check between", e.at);
      if (!type || !is_orderable(*type)) {
        return semantic_error(
            "TYPE_MISMATCH", e.at,
            fmt::format("Cannot check if {} is BETWEEN {} and {}", args[0]->type.display(),
                        args[1]->type.display(), args[2]->type.display()));
      }
      bool plain = !type->is(TypeKind::double_) && !type->is(TypeKind::real) &&
                   !type->is(TypeKind::number) && !type->is(TypeKind::row);
      BoundPtr value;
      if (plain || e.op == "SYMMETRIC") {
        value = make_call(kBoolean, "({0} BETWEEN {1} AND {2})", args, e.at);
      } else {
        ASSIGN_OR_RETURN(BoundPtr above, compare(">=", args[0], args[1], e.at));
        ASSIGN_OR_RETURN(BoundPtr below, compare("<=", args[0], args[2], e.at));
        value = chain("AND", {above, below}, kBoolean);
      }
      if (e.op == "SYMMETRIC")
        value = make_call(kBoolean, "(({0} BETWEEN {1} AND {2}) OR ({0} BETWEEN {2} AND {1}))",
                          args, e.at);
      return e.negated ? make_call(kBoolean, "(NOT {0})", {value}, e.at) : value;
    }
    default: break;
  }
  return semantic_error("NOT_SUPPORTED", e.at, "this predicate is not supported");
}

Result<BoundPtr> Analyzer::analyze_at_time_zone(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  const Type& type = args[0]->type;
  if (type.is(TypeKind::timestamp))
    args[0] = make_cast(args[0], Type(TypeKind::timestamp_tz, type.precision));
  else if (type.is(TypeKind::time))
    args[0] = make_cast(args[0], Type(TypeKind::time_tz, type.precision));
  else if (!type.is(TypeKind::timestamp_tz) && !type.is(TypeKind::time_tz)) {
    return semantic_error(
        "TYPE_MISMATCH", e.at,
        fmt::format(
            "Type of value must be a time or timestamp with or without time zone (actual {})",
            type.display()));
  }
  if (args.size() == 1)  // AT LOCAL
    args.push_back(make_literal(Type::varchar(), session_.time_zone, e.at));
  return call_with("at_timezone", std::move(args), e.at);
}

Result<BoundPtr> Analyzer::analyze_literal(const Expression& e) {
  using Kind = ExpressionKind;
  switch (e.kind) {
    case Kind::null_literal: return make_null(Type(), e.at);
    case Kind::boolean_literal: return make_literal(kBoolean, e.text, e.at);
    case Kind::string_literal:
      return make_literal(Type::varchar(static_cast<int32_t>(code_points(e.text))), e.text, e.at);
    case Kind::binary_literal: return make_literal(Type(TypeKind::varbinary), e.text, e.at);
    case Kind::double_literal: return make_literal(Type(TypeKind::double_), e.text, e.at);
    case Kind::decimal_literal: {
      auto literal = decimal_literal(e.text);
      if (!literal) return semantic_error("INVALID_LITERAL", e.at, literal.error().message);
      return make_literal(literal->type, literal->text, e.at);
    }
    default: break;
  }
  std::string digits = e.text;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  bool small = digits.size() < 10 || (digits.size() == 10 && digits <= "2147483647");
  bool fits = digits.size() < 19 || (digits.size() == 19 && digits <= "9223372036854775807");
  if (!fits && digits != "9223372036854775808") {
    return semantic_error("SYNTAX_ERROR", e.at, fmt::format("Invalid numeric literal: {}", e.text));
  }
  if (!fits)
    return semantic_error("SYNTAX_ERROR", e.at, fmt::format("Invalid numeric literal: {}", e.text));
  return make_literal(Type(small ? TypeKind::integer : TypeKind::bigint), digits, e.at);
}

Result<BoundPtr> Analyzer::analyze_typed_literal(const Expression& e) {
  std::string name = lower_case(e.type_text);
  if (name == "decimal") {
    auto literal = decimal_literal(e.text);
    if (!literal)
      return semantic_error("INVALID_LITERAL", e.at,
                            fmt::format("'{}' is not a valid DECIMAL literal", e.text));
    return make_literal(literal->type, literal->text, e.at);
  }
  if (name == "char") {
    auto length = static_cast<int32_t>(code_points(e.text));
    return make_cast(make_literal(Type::varchar(length), e.text, e.at),
                     Type(TypeKind::char_, length));
  }
  auto type = parse_type(name);
  if (!type) {
    return semantic_error("TYPE_NOT_FOUND", e.at, fmt::format("Unknown type: {}", e.type_text));
  }
  if (type->is(TypeKind::varbinary)) {
    auto length = static_cast<int32_t>(code_points(e.text));
    return make_cast(make_literal(Type::varchar(length), e.text, e.at), *type);
  }
  auto literal = typed_literal(*type, e.text, session_.time_zone);
  if (!literal) {
    if (literal.error().is("NOT_SUPPORTED"))
      return semantic_error("NOT_SUPPORTED", e.at, literal.error().message);
    std::string upper = e.type_text;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return semantic_error("INVALID_LITERAL", e.at,
                          fmt::format("'{}' is not a valid {} literal", e.text, upper));
  }
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_interval(const Expression& e) {
  auto literal = interval_literal(e.text, e.from_unit, e.to_unit, e.negated);
  if (!literal)
    return semantic_error("INVALID_LITERAL", e.at,
                          fmt::format("'{}' is not a valid INTERVAL literal", e.text));
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_parameter(const Expression& e) {
  if (parameters_ && static_cast<size_t>(e.index) < parameters_->size()) {
    return constant(*(*parameters_)[static_cast<size_t>(e.index)]);
  }
  if (describe_) {
    auto made = std::make_shared<Bound>(*make_null(Type(), e.at));
    auto index = static_cast<size_t>(e.index);
    if (described_.size() <= index) described_.resize(index + 1);
    if (!described_[index]) described_[index] = std::make_shared<Type>();
    made->wanted = described_[index];
    return BoundPtr(made);
  }
  return semantic_error("INVALID_PARAMETER_USAGE", e.at,
                        fmt::format("Incorrect number of parameters: expected {} but found {}",
                                    e.index + 1, parameters_ ? parameters_->size() : 0));
}

// ---- names ----

Result<BoundPtr> Analyzer::find_column(const std::vector<std::string>& names,
                                       const std::string& shown, Position at, const Scope& scope) {
  bool below_subquery = false, in_aggregate = false;
  for (const Scope* level = &scope; level; level = level->parent) {
    below_subquery = below_subquery || level->subquery;
    in_aggregate = in_aggregate || std::string_view(level->clause) == kInAggregate;
    if (level->pattern && !below_subquery) {
      bool handled = false;
      auto found = pattern_column(*level->pattern, names, at, handled);
      if (handled) return found;
    }
    if (names.size() == 1) {
      auto variable = level->variables.find(names[0]);
      if (variable != level->variables.end()) return variable->second;
    }
    const ScopeField* found = nullptr;
    for (const auto& field : level->fields) {
      if (!field.name || !is_lower_of(names.back(), *field.name)) continue;
      size_t prefix = names.size() - 1;
      if (prefix > field.qualifier.size()) continue;
      if (!std::equal(names.begin(), names.end() - 1,
                      field.qualifier.end() - static_cast<std::ptrdiff_t>(prefix)))
        continue;
      if (found)
        return semantic_error("AMBIGUOUS_NAME", at, fmt::format("Column '{}' is ambiguous", shown));
      found = &field;
    }
    if (found && below_subquery && level->uncorrelated) {
      return semantic_error(
          "NOT_SUPPORTED", at,
          fmt::format("Reference to column '{}' from outer scope not allowed in this context",
                      shown));
    }
    if (found && in_aggregate && level->outputs) {
      return semantic_error(
          "COLUMN_NOT_FOUND", at,
          "Invalid reference to output projection attribute from ORDER BY aggregation");
    }
    if (found) {
      if (found->value->kind != Bound::Kind::column) return found->value;
      auto scan = scans_.find(found->value->relation);
      if (scan != scans_.end()) scan->second.columns.insert(found->value->index);
      mark_read(*found->value);
      auto copy = std::make_shared<Bound>(*found->value);
      copy->at = at;
      copy->text = shown;
      return copy;
    }
    if (level->barrier) break;
  }
  return semantic_error("COLUMN_NOT_FOUND", at,
                        fmt::format("Column '{}' cannot be resolved", shown));
}

Result<BoundPtr> Analyzer::field_of(BoundPtr base, const Identifier& name, Position at) {
  if (!base->type.is(TypeKind::row)) {
    return semantic_error(
        "TYPE_MISMATCH", at,
        fmt::format("Expression {} is not of type ROW", base->text.empty() ? "value" : base->text));
  }
  std::optional<size_t> found;
  for (size_t i = 0; i < base->type.fields.size(); ++i) {
    const auto& field = base->type.fields[i].name;
    if (!field || lower_case(*field) != name.lower()) continue;
    if (found)
      return semantic_error("AMBIGUOUS_NAME", at,
                            fmt::format("Ambiguous row field reference: {}", name.text));
    found = i;
  }
  if (!found) {
    std::string shown = base->text.empty() ? name.text : base->text + "." + name.text;
    return semantic_error("COLUMN_NOT_FOUND", at,
                          fmt::format("Column '{}' cannot be resolved", lower_case(shown)));
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::field;
  made->type = base->type.fields[*found].type;
  made->index = *found;
  made->at = at;
  made->args.push_back(std::move(base));
  return made;
}

Result<BoundPtr> Analyzer::analyze_name(const Expression& e, Scope& scope) {
  std::vector<Identifier> names;
  const Expression* at = &e;
  while (at->kind == ExpressionKind::dereference) {
    names.insert(names.begin(), at->name);
    at = at->args[0].get();
  }
  if (at->kind == ExpressionKind::identifier) {
    names.insert(names.begin(), at->name);
    return resolve_chain(names, e.at, scope);
  }
  ASSIGN_OR_RETURN(BoundPtr base, analyze(*e.args[0], scope));
  return field_of(std::move(base), e.name, e.at);
}

// a.b.c may be a qualified column, or a column and fields of its rows: the longest qualified name
// wins.
Result<BoundPtr> Analyzer::resolve_chain(const std::vector<Identifier>& names, Position at,
                                         Scope& scope) {
  std::optional<Error> first;
  for (size_t used = std::min<size_t>(names.size(), 4); used >= 1; --used) {
    std::vector<std::string> parts;
    std::string shown;
    for (size_t i = 0; i < used; ++i) {
      parts.push_back(names[i].lower());
      shown += (i ? "." : "") + parts.back();
    }
    auto found = find_column(parts, shown, at, scope);
    if (!found) {
      if (!first || !found.error().is("COLUMN_NOT_FOUND")) first = found.error();
      if (!found.error().is("COLUMN_NOT_FOUND")) break;
      continue;
    }
    BoundPtr value = std::move(*found);
    for (size_t i = used; i < names.size(); ++i) {
      ASSIGN_OR_RETURN(value, field_of(std::move(value), names[i], at));
    }
    return value;
  }
  return std::unexpected(*first);
}

// ---- predicates ----

Result<BoundPtr> Analyzer::analyze_in(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  std::vector<BoundPtr*> all;
  for (auto& value : args) all.push_back(&value);
  ASSIGN_OR_RETURN(Type type, unify(all, "IN value and list items must be the same type", e.at));
  if (!is_comparable(type))
    return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot compare {}", type.display()));
  BoundPtr made;
  if (!type.fields.empty()) {
    std::vector<BoundPtr> parts;
    for (size_t i = 1; i < args.size(); ++i) {
      ASSIGN_OR_RETURN(BoundPtr equal, compare("=", args[0], args[i], e.at));
      parts.push_back(std::move(equal));
    }
    made = parts.size() == 1 ? parts[0] : chain("OR", std::move(parts), kBoolean);
  } else {
    made = make_call(kBoolean, "({0} IN ({1+}))", std::move(args), e.at);
  }
  return e.negated ? make_call(kBoolean, "(NOT {0})", {made}, e.at) : made;
}

Result<BoundPtr> Analyzer::analyze_subquery(const Expression& e, Scope& scope) {
  auto made = std::make_shared<Bound>();
  made->at = e.at;
  made->type = kBoolean;
  BoundPtr value;
  if (!e.args.empty()) {
    ASSIGN_OR_RETURN(value, analyze(*e.args[0], scope));
  }
  Scope around;
  around.parent = &scope;
  around.subquery = true;
  ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*e.query, &around));
  if (e.kind == ExpressionKind::exists) {
    made->kind = Bound::Kind::exists;
    made->plan = std::move(plan);
    return BoundPtr(made);
  }
  if (plan->fields.size() > 1) {  // several columns are one row
    auto row = std::make_shared<Plan>();
    row->kind = Plan::Kind::select;
    auto inner = std::make_shared<Plan>(*plan);
    inner->relation = next_relation_++;
    auto packed = std::make_shared<Bound>();
    packed->kind = Bound::Kind::row;
    packed->type = Type(TypeKind::row);
    for (size_t i = 0; i < plan->fields.size(); ++i) {
      packed->type.fields.push_back({plan->fields[i].name, plan->fields[i].type});
      packed->args.push_back(make_column(inner->relation, i, plan->fields[i].type));
    }
    row->fields.push_back({std::nullopt, packed->type});
    row->items.push_back(std::move(packed));
    row->inputs.push_back(std::move(inner));
    plan = std::move(row);
  }
  if (e.kind == ExpressionKind::scalar_query) {
    made->kind = Bound::Kind::scalar;
    made->type = plan->fields[0].type;
    made->plan = std::move(plan);
    return BoundPtr(made);
  }
  if (value->type.is(TypeKind::row) && value->type.fields.size() == 1 &&
      !plan->fields[0].type.is(TypeKind::row)) {  // ROW(1) IN (SELECT 1)
    value = row_field(value, 0);
  }
  auto type = common_type(value->type, plan->fields[0].type);
  if (!type || !is_comparable(*type)) {
    auto shown = [](const Type& one) {
      return one.is(TypeKind::row) ? one.display() : "row(" + one.display() + ")";
    };
    return semantic_error(
        "TYPE_MISMATCH", e.at,
        fmt::format("Value expression and result of subquery must be of the same type: {} vs {}",
                    shown(value->type), shown(plan->fields[0].type)));
  }
  made->kind = e.kind == ExpressionKind::in_query ? Bound::Kind::in_plan : Bound::Kind::quantified;
  made->text = e.op;
  made->negated = e.quantifier == "ALL";
  made->args.push_back(make_cast(value, *type));
  made->plan = cast_columns(std::move(plan), {*type});
  if (e.kind == ExpressionKind::in_query && e.negated)
    return make_call(kBoolean, "(NOT {0})", {BoundPtr(made)}, e.at);
  return BoundPtr(made);
}

Result<BoundPtr> Analyzer::analyze_like(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  const char* names[] = {"Left side of LIKE expression", "Pattern for LIKE expression",
                         "Escape for LIKE expression"};
  for (size_t i = 0; i < args.size(); ++i) {
    bool fits = args[i]->type.is_text() || args[i]->type.is(TypeKind::unknown);
    if (!fits || (i > 0 && args[i]->type.is(TypeKind::char_))) {
      return semantic_error("TYPE_MISMATCH", e.args[i]->at,
                            fmt::format("{} must evaluate to a varchar (actual: {})", names[i],
                                        args[i]->type.display()));
    }
    if (args[i]->type.is(TypeKind::char_))
      args[i] = make_call(Type::varchar(), "{padded0}", {args[i]}, args[i]->at);
    args[i] = make_cast(args[i], Type::varchar());
  }
  const char* text = args.size() == 3 ? "trino_like({0}, {1}, {2})" : "({0} LIKE {1})";
  BoundPtr made = make_call(kBoolean, text, std::move(args), e.at);
  return e.negated ? make_call(kBoolean, "(NOT {0})", {made}, e.at) : made;
}

}  // namespace aichemy::sql
