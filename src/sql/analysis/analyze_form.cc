// CASE, IF, casts, subscripts, constructors, EXTRACT and the words without parentheses.
#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <map>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/expressions.h"
#include "sql/types/literals.h"

namespace aichemy::sql {

namespace {

// The value of `body` for the one value that `operand` has, under the variable's number.
BoundPtr let(BoundPtr operand, size_t variable, BoundPtr body) {
  auto lambda = std::make_shared<Bound>();
  lambda->kind = Bound::Kind::lambda;
  lambda->type = Type(TypeKind::function);
  lambda->type.fields = {{std::nullopt, operand->type}, {std::nullopt, body->type}};
  lambda->variables = {variable};
  Type type = body->type;
  Position at = body->at;
  lambda->args.push_back(std::move(body));
  return make_call(std::move(type), "list_extract(list_transform([{0}], {1}), 1)",
                   {std::move(operand), BoundPtr(lambda)}, at);
}

}  // namespace

Result<BoundPtr> Analyzer::analyze_case(const Expression& e, Scope& scope) {
  size_t first = e.has_operand ? 1 : 0;
  BoundPtr operand;
  if (e.has_operand) {
    ASSIGN_OR_RETURN(operand, analyze(*e.args[0], scope));
  }
  BoundPtr varying;  // asked for once, compared many times
  if (operand && varies(operand)) {
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = operand->type;
    variable->index = next_variable_++;
    varying = std::exchange(operand, BoundPtr(variable));
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::case_;
  made->at = e.at;
  std::vector<BoundPtr*> results;
  size_t pairs = (e.args.size() - first) / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const Expression& when = *e.args[first + 2 * i];
    BoundPtr condition;
    if (when.bare) {
      Scope inner;
      inner.parent = &scope;
      inner.aggregates = scope.aggregates;
      inner.windows = scope.windows;
      inner.clause = scope.clause;
      inner.variables["#case"] = operand;
      ASSIGN_OR_RETURN(condition, analyze_condition(when, inner, "CASE WHEN clause"));
    } else if (operand) {
      ASSIGN_OR_RETURN(BoundPtr value, analyze(when, scope));
      auto equal = compare("=", operand, std::move(value), when.at);
      if (!equal)
        return semantic_error(
            "TYPE_MISMATCH", when.at,
            "CASE operand type does not match WHEN clause operand type: " + equal.error().message);
      condition = std::move(*equal);
    } else {
      ASSIGN_OR_RETURN(condition, analyze_condition(when, scope, "CASE WHEN clause"));
    }
    ASSIGN_OR_RETURN(BoundPtr then, analyze(*e.args[first + 2 * i + 1], scope));
    made->args.push_back(std::move(condition));
    made->args.push_back(std::move(then));
  }
  if (e.has_else) {
    ASSIGN_OR_RETURN(BoundPtr otherwise, analyze(*e.args.back(), scope));
    made->args.push_back(std::move(otherwise));
  }
  for (size_t i = 1; i < 2 * pairs; i += 2) results.push_back(&made->args[i]);
  if (e.has_else) results.push_back(&made->args.back());
  ASSIGN_OR_RETURN(made->type, unify(results,
                                     "All CASE results must be the same type or coercible to a "
                                     "common type. Cannot find common type between types",
                                     e.at));
  if (varying) return let(std::move(varying), operand->index, BoundPtr(made));
  return BoundPtr(made);
}

Result<BoundPtr> Analyzer::analyze_if(const Expression& e, Scope& scope) {
  if (e.args.size() < 2 || e.args.size() > 3) {
    return semantic_error("SYNTAX_ERROR", e.at, "Invalid number of arguments for 'if' function");
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::case_;
  made->at = e.at;
  ASSIGN_OR_RETURN(BoundPtr condition, analyze_condition(*e.args[0], scope, "IF condition"));
  made->args.push_back(std::move(condition));
  for (size_t i = 1; i < e.args.size(); ++i) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[i], scope));
    made->args.push_back(std::move(value));
  }
  std::vector<BoundPtr*> results;
  for (size_t i = 1; i < made->args.size(); ++i) results.push_back(&made->args[i]);
  ASSIGN_OR_RETURN(made->type, unify(results, "Result types for IF must be the same", e.at));
  return BoundPtr(made);
}

Result<Type> Analyzer::type_at(const std::string& text, Position at) {
  auto type = parse_type(text);
  if (type) return type;
  if (type.error().is("INVALID_FUNCTION_ARGUMENT")) return type;  // Trino gives it no place
  return semantic_error(type.error().what, at, type.error().message);
}

Result<BoundPtr> Analyzer::analyze_cast(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  ASSIGN_OR_RETURN(Type type, type_at(e.type_text, e.type_at));
  if (value->wanted) return make_null(std::move(type), value->at);  // a cast is no coercion
  if (!can_cast(value->type, type)) {
    return semantic_error(
        "TYPE_MISMATCH", e.at,
        fmt::format("Cannot cast {} to {}", value->type.display(), type.display()));
  }
  return make_cast(std::move(value), std::move(type), e.kind == ExpressionKind::try_cast);
}

// ---- constructors and access ----

Result<BoundPtr> Analyzer::analyze_subscript(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr base, analyze(*e.args[0], scope));
  if (base->type.is(TypeKind::row)) {
    const Expression& index = *e.args[1];
    size_t n = index.kind == ExpressionKind::integer_literal
                   ? std::strtoull(index.text.c_str(), nullptr, 10)
                   : 0;
    if (index.kind != ExpressionKind::integer_literal) {
      return semantic_error("EXPRESSION_NOT_CONSTANT", index.at,
                            "Subscript expression on ROW requires a constant index");
    }
    if (n < 1 || n > base->type.fields.size()) {
      return semantic_error(
          "INVALID_FUNCTION_ARGUMENT", index.at,
          n < 1 ? "Invalid subscript index: " + index.text + ". ROW indices start at 1"
                : fmt::format("Subscript index out of bounds: {}. Max value is {}", n,
                              base->type.fields.size()));
    }
    auto made = std::make_shared<Bound>();
    made->kind = Bound::Kind::field;
    made->type = base->type.fields[n - 1].type;
    made->index = n - 1;
    made->at = e.at;
    made->args.push_back(std::move(base));
    return BoundPtr(made);
  }
  ASSIGN_OR_RETURN(BoundPtr index, analyze(*e.args[1], scope));
  if (base->type.is(TypeKind::array) && can_coerce(index->type, Type(TypeKind::bigint))) {
    Type element = base->type.element();
    return make_call(element, "trino_subscript({0}, {1})",
                     {base, make_cast(index, Type(TypeKind::bigint))}, e.at);
  }
  if (base->type.is(TypeKind::variant) && can_coerce(index->type, Type(TypeKind::bigint))) {
    return make_call(base->type, "aichemy_variant_item({0}, {1})",
                     {base, make_cast(index, Type(TypeKind::bigint))}, e.at);
  }
  if (base->type.is(TypeKind::variant) && can_coerce(index->type, Type::varchar())) {
    return make_call(base->type, "aichemy_variant_member({0}, {1})",
                     {base, make_cast(index, Type::varchar())}, e.at);
  }
  // Text keys of any length: the longer is simply not there.
  bool text = base->type.is(TypeKind::map) && base->type.key().is(TypeKind::varchar) &&
              index->type.is(TypeKind::varchar);
  if (text) {
    return make_call(base->type.value(), "trino_map_subscript({0}, {1})", {base, index}, e.at);
  }
  if (base->type.is(TypeKind::map) && can_coerce(index->type, base->type.key())) {
    Type value = base->type.value();
    return make_call(value, "trino_map_subscript({0}, {1})",
                     {base, make_cast(index, base->type.key())}, e.at);
  }
  return semantic_error("TYPE_MISMATCH", e.at,
                        fmt::format("Cannot use {} for subscript of {}", index->type.display(),
                                    base->type.display()));
}

Result<BoundPtr> Analyzer::analyze_constructor(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  if (e.kind == ExpressionKind::array) {
    std::vector<BoundPtr*> all;
    for (auto& value : args) all.push_back(&value);
    ASSIGN_OR_RETURN(Type element, unify(all, "All ARRAY elements must be the same type", e.at));
    std::string text = fmt::format("CAST([{{*}}] AS {}[])", physical_type(element));
    return make_call(Type::array(element), text, std::move(args), e.at);
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::row;
  made->type = Type(TypeKind::row);
  for (size_t i = 0; i < args.size(); ++i) {
    Field field{std::nullopt, args[i]->type};
    if (i < e.field_names.size() && e.field_names[i]) {
      field.name = e.field_names[i]->text;  // as SQL says, in upper case unless quoted
      if (!e.field_names[i]->quoted) {
        std::ranges::transform(*field.name, field.name->begin(),
                               [](unsigned char c) { return std::toupper(c); });
      }
    }
    made->type.fields.push_back(std::move(field));
  }
  made->args = std::move(args);
  made->at = e.at;
  return BoundPtr(made);
}

Result<BoundPtr> Analyzer::analyze_special(const Expression& e) {
  const std::string& name = e.text;
  auto text = [&](const std::optional<std::string>& value) -> BoundPtr {
    return value ? make_literal(Type::varchar(), *value, e.at) : make_null(Type::varchar(), e.at);
  };
  if (name == "CURRENT_USER") return text(session_.user);
  if (name == "CURRENT_CATALOG") return text(session_.catalog);
  if (name == "CURRENT_SCHEMA") return text(session_.schema);
  if (name == "CURRENT_PATH") return text(session_.path);
  if (name == "CURRENT_ROLE") return text(std::string());
  int precision = e.index < 0 ? 3 : e.index;
  if (precision > 12)
    return semantic_error("TYPE_NOT_FOUND", e.at,
                          fmt::format("Unknown type: timestamp({})", precision));
  int64_t micros = session_.start.time_since_epoch().count();
  auto literal = now_literal(name, precision, micros, session_.time_zone);
  if (!literal) return semantic_error(literal.error().what, e.at, literal.error().message);
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_extract(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  static const std::map<std::string, std::string> kFields = {
      {"YEAR", "year"},
      {"QUARTER", "quarter"},
      {"MONTH", "month"},
      {"WEEK", "week"},
      {"DAY", "day"},
      {"DAY_OF_MONTH", "day"},
      {"DAY_OF_WEEK", "day_of_week"},
      {"DOW", "day_of_week"},
      {"DAY_OF_YEAR", "day_of_year"},
      {"DOY", "day_of_year"},
      {"YEAR_OF_WEEK", "year_of_week"},
      {"YOW", "year_of_week"},
      {"HOUR", "hour"},
      {"MINUTE", "minute"},
      {"SECOND", "second"},
      {"TIMEZONE_HOUR", "timezone_hour"},
      {"TIMEZONE_MINUTE", "timezone_minute"}};
  auto field = kFields.find(e.text);
  if (field == kFields.end())
    return semantic_error("SYNTAX_ERROR", e.at, fmt::format("Invalid EXTRACT field: {}", e.text));
  const Type& type = value->type;
  bool zone = e.text.starts_with("TIMEZONE");
  bool clock = e.text == "HOUR" || e.text == "MINUTE" || e.text == "SECOND";
  bool zoned = type.is(TypeKind::timestamp_tz) || type.is(TypeKind::time_tz);
  if ((zone && !zoned) || (clock && type.is(TypeKind::date))) {
    return semantic_error("TYPE_MISMATCH", e.args[0]->at,
                          fmt::format("Cannot extract {} from {}", e.text, type.display()));
  }
  auto made = call_with(field->second, {value}, e.at);
  if (!made && made.error().is("FUNCTION_NOT_FOUND")) {
    return semantic_error("TYPE_MISMATCH", e.args[0]->at,
                          fmt::format("Cannot extract {} from {}", e.text, value->type.display()));
  }
  return made;
}

// format(): each argument as text with a letter for its kind in front (sql/native/format.cc).
Result<BoundPtr> Analyzer::analyze_format(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  if (!args[0]->type.is_text() && !args[0]->type.is(TypeKind::unknown))
    return semantic_error(
        "FUNCTION_NOT_FOUND", e.at,
        fmt::format("Unexpected parameters ({}) for function format", args[0]->type.display()));
  args[0] = make_cast(args[0], Type::varchar());
  for (size_t i = 1; i < args.size(); ++i) {
    const Type& type = args[i]->type;
    const char* text = "('s' || {0})";
    BoundPtr value = args[i];
    bool moment = type.is(TypeKind::date) ||
                  (type.kind >= TypeKind::time && type.kind <= TypeKind::timestamp_tz);
    if (moment) {
      text = "('s' || aichemy_java_{f0}({0}, {p0}))";
    } else if (type.is_integer()) {
      text = "('i' || CAST({0} AS VARCHAR))";
    } else if (type.is(TypeKind::double_) || type.is(TypeKind::real)) {
      text = "('f' || CAST({0} AS VARCHAR))";
    } else if (type.is(TypeKind::boolean)) {
      text = "('b' || CAST({0} AS VARCHAR))";
    } else {
      if (type.is(TypeKind::decimal) || type.is(TypeKind::number)) text = "('d' || {0})";
      if (!can_cast(type, Type::varchar()))
        return semantic_error("NOT_SUPPORTED", e.args[i]->at,
                              fmt::format("format argument of type {}", type.display()));
      value = make_cast(value, Type::varchar());
    }
    args[i] = make_call(Type::varchar(), text, {value}, e.at);
  }
  return make_call(Type::varchar(), "aichemy_format({*})", std::move(args), e.at);
}

}  // namespace aichemy::sql
