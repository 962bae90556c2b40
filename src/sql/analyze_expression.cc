// Expressions other than calls: names, literals, operators, predicates, constructors.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "sql/analyzer.h"
#include "sql/literals.h"

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

bool is_floating(const Type& type) { return type.is(TypeKind::double_) || type.is(TypeKind::real); }
bool is_literal(const BoundPtr& value) {
  const Bound* at = value.get();
  while (at->kind == Bound::Kind::cast) at = at->args[0].get();
  return at->kind == Bound::Kind::literal;
}
bool is_nonzero_literal(const BoundPtr& value) {
  const Bound* at = value.get();
  while (at->kind == Bound::Kind::cast) at = at->args[0].get();
  return at->kind == Bound::Kind::literal && !at->null && at->text.find_first_of("123456789") != std::string::npos;
}

}  // namespace

Result<Type> unify(std::vector<BoundPtr*> values, const char* message, Position at) {
  Type type;
  for (auto* value : values) {
    auto common = common_type(type, (*value)->type);
    if (!common) {
      return semantic_error("TYPE_MISMATCH", at, fmt::format("{}: {} vs {}", message, type.display(), (*value)->type.display()));
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

Result<std::vector<BoundPtr>> Analyzer::analyze_all(const std::vector<ExpressionPtr>& list, Scope& scope) {
  std::vector<BoundPtr> made;
  for (const auto& item : list) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*item, scope));
    made.push_back(std::move(value));
  }
  return made;
}

Result<BoundPtr> Analyzer::analyze_condition(const Expression& expression, Scope& scope, const char* clause) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(expression, scope));
  if (value->type.is(TypeKind::unknown)) return make_cast(value, kBoolean);
  if (!value->type.is(TypeKind::boolean)) {
    return semantic_error("TYPE_MISMATCH", expression.at,
                          fmt::format("{} must evaluate to a boolean: actual type {}", clause, value->type.display()));
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
    case Kind::unary: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
      bool interval = value->type.is(TypeKind::interval_day_time) || value->type.is(TypeKind::interval_year_month);
      if (!value->type.is_numeric() && !interval) {
        return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot negate {}", value->type.display()));
      }
      if (e.op == "+") return value;
      if (value->kind == Bound::Kind::literal && !value->null && e.args[0]->kind != Kind::typed_literal) {
        std::string text = value->text.starts_with("-") ? value->text.substr(1) : "-" + value->text;
        return make_literal(value->type, text, e.at);
      }
      return make_call(value->type, "(-{0})", {value}, e.at);
    }
    case Kind::binary: return analyze_binary(e, scope);
    case Kind::concat: return analyze_concat(e, scope);
    case Kind::comparison: {
      ASSIGN_OR_RETURN(BoundPtr left, analyze(*e.args[0], scope));
      ASSIGN_OR_RETURN(BoundPtr right, analyze(*e.args[1], scope));
      return compare(e.op, std::move(left), std::move(right), e.at);
    }
    case Kind::logical: {
      std::vector<BoundPtr> args;
      for (const auto& argument : e.args) {
        ASSIGN_OR_RETURN(BoundPtr value, analyze_condition(*argument, scope, "Logical expression term"));
        args.push_back(std::move(value));
      }
      return chain(e.op, std::move(args), kBoolean);
    }
    case Kind::not_: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze_condition(*e.args[0], scope, "Value of logical NOT expression"));
      return make_call(kBoolean, "(NOT {0})", {value}, e.at);
    }
    case Kind::is_null: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
      return make_call(kBoolean, e.negated ? "({0} IS NOT NULL)" : "({0} IS NULL)", {value}, e.at);
    }
    case Kind::is_truth: {
      ASSIGN_OR_RETURN(BoundPtr value, analyze_condition(*e.args[0], scope, "Value of IS predicate"));
      std::string text = e.text == "UNKNOWN" ? "NULL" : e.text;
      return make_call(kBoolean, fmt::format("({{0}} IS {}DISTINCT FROM {})", e.negated ? "" : "NOT ",
                                             text == "NULL" ? "CAST(NULL AS BOOLEAN)" : text), {value}, e.at);
    }
    case Kind::is_distinct: {
      ASSIGN_OR_RETURN(BoundPtr left, analyze(*e.args[0], scope));
      ASSIGN_OR_RETURN(BoundPtr right, analyze(*e.args[1], scope));
      ASSIGN_OR_RETURN(Type type, unify({&left, &right}, "Cannot compare", e.at));
      return make_call(kBoolean, e.negated ? "({0} IS NOT DISTINCT FROM {1})" : "({0} IS DISTINCT FROM {1})", {left, right}, e.at);
    }
    case Kind::between: {
      ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
      auto type = unify({&args[0], &args[1], &args[2]}, "Cannot check between", e.at);
      if (!type || !is_orderable(*type)) {
        return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot check if {} is BETWEEN {} and {}", args[0]->type.display(),
                                                                 args[1]->type.display(), args[2]->type.display()));
      }
      BoundPtr value = make_call(kBoolean, "({0} BETWEEN {1} AND {2})", args, e.at);
      if (e.op == "SYMMETRIC") value = make_call(kBoolean, "(({0} BETWEEN {1} AND {2}) OR ({0} BETWEEN {2} AND {1}))", args, e.at);
      return e.negated ? make_call(kBoolean, "(NOT {0})", {value}, e.at) : value;
    }
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
    case Kind::lambda: return semantic_error("TYPE_MISMATCH", e.at, "Lambda expression should always be used inside a function");
    case Kind::subscript: return analyze_subscript(e, scope);
    case Kind::row:
    case Kind::array: return analyze_constructor(e, scope);
    case Kind::extract: return analyze_extract(e, scope);
    case Kind::at_time_zone: {
      ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
      if (args[0]->type.is(TypeKind::timestamp)) {
        return make_cast(args[0], Type(TypeKind::timestamp_tz, args[0]->type.precision));
      }
      if (args[0]->type.is(TypeKind::timestamp_tz) || args[0]->type.is(TypeKind::time_tz)) return args[0];
      return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Type of value must be a time or timestamp with or without time zone (actual {})", args[0]->type.display()));
    }
    case Kind::special: return analyze_special(e);
    case Kind::grouping: {
      std::vector<BoundPtr> args;
      for (const auto& argument : e.args) {
        ASSIGN_OR_RETURN(BoundPtr value, analyze(*argument, scope));
        args.push_back(std::move(value));
      }
      auto made = std::make_shared<Bound>();
      made->kind = Bound::Kind::aggregate;
      made->type = Type(args.size() <= 31 ? TypeKind::integer : TypeKind::bigint);
      made->text = args.empty() ? "0" : "CAST(GROUPING({*}) AS INTEGER)";
      made->args = std::move(args);
      made->at = e.at;
      return made;
    }
  }
  return semantic_error("NOT_SUPPORTED", e.at, "this expression is not supported");
}

Result<BoundPtr> Analyzer::analyze_literal(const Expression& e) {
  using Kind = ExpressionKind;
  switch (e.kind) {
    case Kind::null_literal: return make_null(Type(), e.at);
    case Kind::boolean_literal: return make_literal(kBoolean, e.text, e.at);
    case Kind::string_literal: return make_literal(Type::varchar(static_cast<int32_t>(code_points(e.text))), e.text, e.at);
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
    return semantic_error("INVALID_LITERAL", e.at, fmt::format("Invalid numeric literal: {}", e.text));
  }
  if (!fits) return semantic_error("INVALID_LITERAL", e.at, fmt::format("Invalid numeric literal: {}", e.text));
  return make_literal(Type(small ? TypeKind::integer : TypeKind::bigint), digits, e.at);
}

Result<BoundPtr> Analyzer::analyze_typed_literal(const Expression& e) {
  std::string name = lower_case(e.type_text);
  if (name == "decimal") {
    auto literal = decimal_literal(e.text);
    if (!literal) return semantic_error("INVALID_LITERAL", e.at, fmt::format("'{}' is not a valid DECIMAL literal", e.text));
    return make_literal(literal->type, literal->text, e.at);
  }
  if (name == "char") {
    auto length = static_cast<int32_t>(code_points(e.text));
    return make_cast(make_literal(Type::varchar(length), e.text, e.at), Type(TypeKind::char_, length));
  }
  auto type = parse_type(name);
  if (!type) {
    return semantic_error("TYPE_NOT_FOUND", e.at, fmt::format("Unknown type: {}", e.type_text));
  }
  auto literal = typed_literal(*type, e.text, session_.time_zone);
  if (!literal) {
    if (literal.error().is("NOT_SUPPORTED")) return semantic_error("NOT_SUPPORTED", e.at, literal.error().message);
    std::string upper = e.type_text;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return semantic_error("INVALID_LITERAL", e.at, fmt::format("'{}' is not a valid {} literal", e.text, upper));
  }
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_interval(const Expression& e) {
  auto literal = interval_literal(e.text, e.from_unit, e.to_unit, e.negated);
  if (!literal) return semantic_error("INVALID_LITERAL", e.at, fmt::format("'{}' is not a valid INTERVAL literal", e.text));
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_parameter(const Expression& e) {
  if (parameters_ && static_cast<size_t>(e.index) < parameters_->size()) {
    return constant(*(*parameters_)[static_cast<size_t>(e.index)]);
  }
  if (describe_) return make_null(Type(), e.at);
  return semantic_error("INVALID_PARAMETER_USAGE", e.at, fmt::format("Incorrect number of parameters: expected {} but found {}",
                                                                     e.index + 1, parameters_ ? parameters_->size() : 0));
}

// ---- names ----

Result<BoundPtr> Analyzer::find_column(const std::vector<std::string>& names, const std::string& shown, Position at,
                                       const Scope& scope) {
  for (const Scope* level = &scope; level; level = level->parent) {
    if (names.size() == 1) {
      auto variable = level->variables.find(names[0]);
      if (variable != level->variables.end()) return variable->second;
    }
    const ScopeField* found = nullptr;
    for (const auto& field : level->fields) {
      if (!field.name || lower_case(*field.name) != names.back()) continue;
      size_t prefix = names.size() - 1;
      if (prefix > field.qualifier.size()) continue;
      if (!std::equal(names.begin(), names.end() - 1, field.qualifier.end() - static_cast<std::ptrdiff_t>(prefix))) continue;
      if (found) return semantic_error("AMBIGUOUS_NAME", at, fmt::format("Column '{}' is ambiguous", shown));
      found = &field;
    }
    if (found) {
      if (found->value->kind != Bound::Kind::column) return found->value;
      auto scan = scans_.find(found->value->relation);
      if (scan != scans_.end()) scan->second.columns.insert(found->value->index);
      auto copy = std::make_shared<Bound>(*found->value);
      copy->at = at;
      copy->text = shown;
      return copy;
    }
    if (level->barrier) break;
  }
  return semantic_error("COLUMN_NOT_FOUND", at, fmt::format("Column '{}' cannot be resolved", shown));
}

Result<BoundPtr> Analyzer::field_of(BoundPtr base, const Identifier& name, Position at) {
  if (!base->type.is(TypeKind::row)) {
    return semantic_error("TYPE_MISMATCH", at, fmt::format("Expression {} is not of type ROW", base->text.empty() ? "value" : base->text));
  }
  std::optional<size_t> found;
  for (size_t i = 0; i < base->type.fields.size(); ++i) {
    const auto& field = base->type.fields[i].name;
    if (!field || lower_case(*field) != name.lower()) continue;
    if (found) return semantic_error("AMBIGUOUS_NAME", at, fmt::format("Ambiguous row field reference: {}", name.text));
    found = i;
  }
  if (!found) {
    std::string shown = base->text.empty() ? name.text : base->text + "." + name.text;
    return semantic_error("COLUMN_NOT_FOUND", at, fmt::format("Column '{}' cannot be resolved", lower_case(shown)));
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

// a.b.c may be a qualified column, or a column and fields of its rows: the longest qualified name wins.
Result<BoundPtr> Analyzer::resolve_chain(const std::vector<Identifier>& names, Position at, Scope& scope) {
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

// ---- operators ----

Result<BoundPtr> Analyzer::analyze_binary(const Expression& e, Scope& scope) {
  // Chains lean left and can be long: walked with a loop, not by recursion.
  std::vector<const Expression*> spine;
  const Expression* at = &e;
  while (at->kind == ExpressionKind::binary) {
    spine.push_back(at);
    at = at->args[0].get();
  }
  ASSIGN_OR_RETURN(BoundPtr left, analyze(*at, scope));
  while (!spine.empty()) {
    const Expression* node = spine.back();
    spine.pop_back();
    ASSIGN_OR_RETURN(BoundPtr right, analyze(*node->args[1], scope));
    ASSIGN_OR_RETURN(left, arithmetic(node->op, std::move(left), std::move(right), node->at));
  }
  return left;
}

namespace {

// Trino 477's decimal result types; see docs/sql/types.md.
Type decimal_result(char op, const Type& a, const Type& b) {
  int p1 = a.precision, s1 = a.scale, p2 = b.precision, s2 = b.scale;
  int whole = std::max(p1 - s1, p2 - s2);
  if (op == '+' || op == '-') {
    int scale = std::max(s1, s2);
    int precision = std::min(scale + whole + 1, 38);
    return Type::decimal(precision, std::min(scale, std::max(0, precision - whole)));
  }
  if (op == '%') return Type::decimal(std::min(p1 - s1, p2 - s2) + std::max(s1, s2), std::max(s1, s2));
  int scale = op == '*' ? s1 + s2 : std::max(6, s1 + p2 + 1);
  int precision = op == '*' ? p1 + p2 : p1 - s1 + s2 + scale;
  int capped = std::min(precision, 38);
  int limit = precision - scale > 32 ? 6 : 38 - (precision - scale);
  return Type::decimal(capped, std::min(scale, std::max(0, limit)));
}

BoundPtr decimal_arithmetic(char op, BoundPtr a, BoundPtr b, Position at) {
  auto as_decimal = [](const BoundPtr& value) {
    if (value->type.is(TypeKind::decimal)) return value;
    static constexpr int kDigits[] = {3, 5, 10, 19};
    int digits = kDigits[static_cast<int>(value->type.kind) - static_cast<int>(TypeKind::tinyint)];
    return make_cast(value, Type::decimal(digits, 0));
  };
  a = as_decimal(a);
  b = as_decimal(b);
  Type result = decimal_result(op, a->type, b->type);
  std::string physical = physical_type(result);
  if (op == '+' || op == '-') {
    std::string wide = fmt::format("DECIMAL({},{})", result.precision, std::max(a->type.scale, b->type.scale));
    return make_call(result, fmt::format("CAST((CAST({{0}} AS {0}) {1} CAST({{1}} AS {0})) AS {2})", wide, op, physical), {a, b}, at);
  }
  if (op == '*') {
    bool narrow = a->type.precision + b->type.precision <= 18;
    std::string left = narrow ? "{0}" : fmt::format("CAST({{0}} AS DECIMAL(38,{}))", a->type.scale);
    if (a->type.scale + b->type.scale > 38) left = "CAST({0} AS DOUBLE)";
    return make_call(result, fmt::format("CAST(({} * {{1}}) AS {})", left, physical), {a, b}, at);
  }
  if (op == '%') {
    std::string wide = fmt::format("DECIMAL(38,{})", result.scale);
    return make_call(result, fmt::format("CAST(trino_modulo(CAST({{0}} AS {0}), CAST({{1}} AS {0})) AS {1})", wide, physical), {a, b}, at);
  }
  // Quotient of the unscaled integers, brought to the result's scale, rounded half up.
  int shift = result.scale - a->type.scale + b->type.scale;
  auto power = [](int n) { return "1" + std::string(static_cast<size_t>(std::max(n, 0)), '0'); };
  auto unscaled = [&](const char* value, int scale, int extra) {
    return fmt::format("(CAST(({} * CAST('{}' AS DECIMAL({},0))) AS HUGEINT) * CAST('{}' AS HUGEINT))", value, power(scale), scale + 1, power(extra));
  };
  std::string quotient = fmt::format("CAST(trino_half_up({}, {}) AS DECIMAL(38,0))", unscaled("{0}", a->type.scale, shift),
                                     unscaled("{1}", b->type.scale, -shift));
  if (result.scale > 0) {
    quotient = fmt::format("({} * CAST('0.{}1' AS DECIMAL({},{})))", quotient, std::string(static_cast<size_t>(result.scale - 1), '0'),
                           result.scale + 1 > 38 ? 38 : result.scale + 1, result.scale);
  }
  return make_call(result, fmt::format("CAST({} AS {})", quotient, physical), {a, b}, at);
}

struct DatetimeRow {
  TypeKind left;
  char op;
  TypeKind right;
  TypeKind result;  // date and timestamps keep the left (or right) type's precision
  const char* text;
};
constexpr TypeKind kDayTime = TypeKind::interval_day_time, kYearMonth = TypeKind::interval_year_month;
constexpr DatetimeRow kDatetime[] = {
    {TypeKind::date, '+', kDayTime, TypeKind::date, "trino_date_plus_millis({0}, {1})"},
    {TypeKind::date, '-', kDayTime, TypeKind::date, "trino_date_plus_millis({0}, -{1})"},
    {TypeKind::date, '+', kYearMonth, TypeKind::date, "CAST(({0} + to_months({1})) AS DATE)"},
    {TypeKind::date, '-', kYearMonth, TypeKind::date, "CAST(({0} - to_months({1})) AS DATE)"},
    {TypeKind::timestamp, '+', kDayTime, TypeKind::timestamp, "({0} + to_microseconds({1} * 1000))"},
    {TypeKind::timestamp, '-', kDayTime, TypeKind::timestamp, "({0} - to_microseconds({1} * 1000))"},
    {TypeKind::timestamp, '+', kYearMonth, TypeKind::timestamp, "({0} + to_months({1}))"},
    {TypeKind::timestamp, '-', kYearMonth, TypeKind::timestamp, "({0} - to_months({1}))"},
    {TypeKind::timestamp_tz, '+', kDayTime, TypeKind::timestamp_tz, "({0} + to_microseconds({1} * 1000))"},
    {TypeKind::timestamp_tz, '-', kDayTime, TypeKind::timestamp_tz, "({0} - to_microseconds({1} * 1000))"},
    {TypeKind::timestamp_tz, '+', kYearMonth, TypeKind::timestamp_tz, "({0} + to_months({1}))"},
    {TypeKind::timestamp_tz, '-', kYearMonth, TypeKind::timestamp_tz, "({0} - to_months({1}))"},
    {TypeKind::time, '+', kDayTime, TypeKind::time, "({0} + to_microseconds(({1} % 86400000) * 1000))"},
    {TypeKind::time, '-', kDayTime, TypeKind::time, "({0} - to_microseconds(({1} % 86400000) * 1000))"},
    {TypeKind::date, '-', TypeKind::date, kDayTime, "(CAST(({0} - {1}) AS BIGINT) * 86400000)"},
    {TypeKind::timestamp, '-', TypeKind::timestamp, kDayTime, "(epoch_ms({0}) - epoch_ms({1}))"},
    {TypeKind::timestamp_tz, '-', TypeKind::timestamp_tz, kDayTime, "(epoch_ms({0}) - epoch_ms({1}))"},
    {kDayTime, '+', kDayTime, kDayTime, "({0} + {1})"},
    {kDayTime, '-', kDayTime, kDayTime, "({0} - {1})"},
    {kYearMonth, '+', kYearMonth, kYearMonth, "({0} + {1})"},
    {kYearMonth, '-', kYearMonth, kYearMonth, "({0} - {1})"},
    {kDayTime, '*', TypeKind::bigint, kDayTime, "({0} * {1})"},
    {kDayTime, '*', TypeKind::double_, kDayTime, "CAST(trunc({0} * {1}) AS BIGINT)"},
    {kDayTime, '/', TypeKind::double_, kDayTime, "CAST(trunc({0} / {1}) AS BIGINT)"},
    {kYearMonth, '*', TypeKind::integer, kYearMonth, "({0} * {1})"},
    {kYearMonth, '*', TypeKind::double_, kYearMonth, "CAST(trunc({0} * {1}) AS INTEGER)"},
    {kYearMonth, '/', TypeKind::double_, kYearMonth, "CAST(trunc({0} / {1}) AS INTEGER)"},
};

BoundPtr datetime_arithmetic(char op, const BoundPtr& left, const BoundPtr& right, Position at) {
  for (const auto& row : kDatetime) {
    for (bool swapped : {false, true}) {
      if (swapped && op != '+' && op != '*') continue;
      const BoundPtr& a = swapped ? right : left;
      const BoundPtr& b = swapped ? left : right;
      if (a->type.kind != row.left || op != row.op) continue;
      BoundPtr other = b;
      if (b->type.kind != row.right) {
        bool factor = (row.right == TypeKind::bigint || row.right == TypeKind::double_ || row.right == TypeKind::integer) &&
                      b->type.is_numeric() && can_coerce(b->type, Type(row.right));
        bool unknown = b->type.is(TypeKind::unknown);
        if (!factor && !unknown) continue;
        other = make_cast(b, Type(row.right));
      }
      Type result(row.result, row.result == TypeKind::timestamp || row.result == TypeKind::timestamp_tz || row.result == TypeKind::time
                                  ? std::max<int>(a->type.precision, 3) : 0);
      return make_call(result, row.text, {a, other}, at);
    }
  }
  return nullptr;
}

}  // namespace

Result<BoundPtr> Analyzer::arithmetic(const std::string& op, BoundPtr left, BoundPtr right, Position at) {
  auto mismatch = [&] {
    return semantic_error("TYPE_MISMATCH", at, fmt::format("Cannot apply operator: {} {} {}", left->type.display(), op, right->type.display()));
  };
  if (BoundPtr made = datetime_arithmetic(op[0], left, right, at)) return made;
  // A date and a timestamp meet as timestamps.
  if (op == "-" && !left->type.is_numeric() && !right->type.is_numeric()) {
    auto common = common_type(left->type, right->type);
    if (common && !(left->type == *common && right->type == *common)) {
      BoundPtr a = make_cast(left, *common), b = make_cast(right, *common);
      if (BoundPtr made = datetime_arithmetic('-', a, b, at)) return made;
    }
  }
  auto common = common_type(left->type, right->type);
  if (!common) return mismatch();
  if (common->is(TypeKind::unknown)) return make_null(Type(TypeKind::bigint), at);
  if (!common->is_numeric() || common->is(TypeKind::number)) return mismatch();
  if (common->is(TypeKind::decimal)) {
    if (left->type.is(TypeKind::unknown)) left = make_cast(left, right->type);
    if (right->type.is(TypeKind::unknown)) right = make_cast(right, left->type);
    return decimal_arithmetic(op[0], std::move(left), std::move(right), at);
  }
  left = make_cast(left, *common);
  right = make_cast(right, *common);
  std::string text = fmt::format("({{0}} {} {{1}})", op);
  if (common->is_integer() && (op == "/" || op == "%")) {
    bool safe = is_nonzero_literal(right) && op == "%";
    bool safe_division = is_nonzero_literal(right) && op == "/" && right->kind == Bound::Kind::literal && right->text[0] != '-';
    if (safe_division) text = "({0} // {1})";
    else if (!safe) text = op == "/" ? "trino_divide({0}, {1})" : "trino_modulo({0}, {1})";
  } else if (op == "%") {
    text = "fmod({0}, {1})";
    if (common->is(TypeKind::real)) text = "CAST(fmod({0}, {1}) AS FLOAT)";
  }
  return make_call(*common, text, {std::move(left), std::move(right)}, at);
}

Result<BoundPtr> Analyzer::compare(const std::string& op, BoundPtr left, BoundPtr right, Position at) {
  auto common = common_type(left->type, right->type);
  bool ordering = op != "=" && op != "<>";
  if (!common || !(ordering ? is_orderable(*common) : is_comparable(*common))) {
    bool swapped = op == ">" || op == ">=";  // Trino asks for the mirrored operator
    std::string shown = op == ">" ? "<" : op == ">=" ? "<=" : op == "<>" ? "=" : op;
    return semantic_error("TYPE_MISMATCH", at,
                          fmt::format("Cannot apply operator: {} {} {}", (swapped ? right : left)->type.display(), shown,
                                      (swapped ? left : right)->type.display()));
  }
  left = make_cast(left, *common);
  right = make_cast(right, *common);
  BoundPtr made = make_call(kBoolean, fmt::format("({{0}} {} {{1}})", op), {left, right}, at);
  if (!is_floating(*common)) return made;
  // DuckDB holds NaN equal to itself and above all numbers; in Trino every comparison with it is false.
  bool left_plain = is_literal(left), right_plain = is_literal(right);
  auto guard = [&](const BoundPtr& value) { return make_call(kBoolean, "(NOT isnan({0}))", {value}); };
  if (op == "<>") {
    if (left_plain || right_plain) return made;
    return make_call(kBoolean, "({0} <> {1} OR isnan({0}))", {left, right}, at);
  }
  std::vector<BoundPtr> parts{made};
  if (op == "=" && !left_plain && !right_plain) parts.push_back(guard(left));
  if ((op == ">" || op == ">=") && !left_plain) parts.push_back(guard(left));
  if ((op == "<" || op == "<=") && !right_plain) parts.push_back(guard(right));
  return parts.size() == 1 ? made : chain("AND", std::move(parts), kBoolean);
}

Result<BoundPtr> Analyzer::analyze_concat(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  BoundPtr made = args[0];
  for (size_t i = 1; i < args.size(); ++i) {
    ASSIGN_OR_RETURN(made, call_with("concat", {made, args[i]}, e.at));
  }
  return made;
}

// ---- predicates ----

Result<BoundPtr> Analyzer::analyze_in(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  std::vector<BoundPtr*> all;
  for (auto& value : args) all.push_back(&value);
  ASSIGN_OR_RETURN(Type type, unify(all, "IN value and list items must be the same type", e.at));
  if (!is_comparable(type)) return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot compare {}", type.display()));
  BoundPtr made = make_call(kBoolean, "({0} IN ({1+}))", std::move(args), e.at);
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
  ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*e.query, &scope));
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
  auto type = common_type(value->type, plan->fields[0].type);
  if (!type || !is_comparable(*type)) {
    return semantic_error("TYPE_MISMATCH", e.at,
                          fmt::format("Value expression and result of subquery must be of the same type: {} vs {}",
                                      value->type.display(), plan->fields[0].type.display()));
  }
  made->kind = e.kind == ExpressionKind::in_query ? Bound::Kind::in_plan : Bound::Kind::quantified;
  made->text = e.op;
  made->negated = e.quantifier == "ALL";
  made->args.push_back(make_cast(value, *type));
  made->plan = cast_columns(std::move(plan), {*type});
  if (e.kind == ExpressionKind::in_query && e.negated) return make_call(kBoolean, "(NOT {0})", {BoundPtr(made)}, e.at);
  return BoundPtr(made);
}

Result<BoundPtr> Analyzer::analyze_like(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  const char* names[] = {"Left side of LIKE expression", "Pattern for LIKE expression", "Escape for LIKE expression"};
  for (size_t i = 0; i < args.size(); ++i) {
    bool fits = args[i]->type.is_text() || args[i]->type.is(TypeKind::unknown);
    if (!fits || (i > 0 && args[i]->type.is(TypeKind::char_))) {
      return semantic_error("TYPE_MISMATCH", e.args[i]->at, fmt::format("{} must evaluate to a varchar (actual: {})", names[i], args[i]->type.display()));
    }
    args[i] = make_cast(args[i], Type::varchar());
  }
  const char* text = args.size() == 3 ? "trino_like({0}, {1}, {2})" : "({0} LIKE {1})";
  BoundPtr made = make_call(kBoolean, text, std::move(args), e.at);
  return e.negated ? make_call(kBoolean, "(NOT {0})", {made}, e.at) : made;
}

// ---- conditional forms ----

Result<BoundPtr> Analyzer::analyze_case(const Expression& e, Scope& scope) {
  size_t first = e.has_operand ? 1 : 0;
  BoundPtr operand;
  if (e.has_operand) {
    ASSIGN_OR_RETURN(operand, analyze(*e.args[0], scope));
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::case_;
  made->at = e.at;
  std::vector<BoundPtr*> results;
  size_t pairs = (e.args.size() - first) / 2;
  for (size_t i = 0; i < pairs; ++i) {
    const Expression& when = *e.args[first + 2 * i];
    BoundPtr condition;
    if (operand) {
      ASSIGN_OR_RETURN(BoundPtr value, analyze(when, scope));
      auto equal = compare("=", operand, std::move(value), when.at);
      if (!equal) return semantic_error("TYPE_MISMATCH", when.at, "CASE operand type does not match WHEN clause operand type: " + equal.error().message);
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
  ASSIGN_OR_RETURN(made->type, unify(results, "All CASE results must be the same type or coercible to a common type. Cannot find common type between types", e.at));
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
  return semantic_error(type.error().what, at, type.error().message);
}

Result<BoundPtr> Analyzer::analyze_cast(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  ASSIGN_OR_RETURN(Type type, type_at(e.type_text, e.type_at));
  if (!can_cast(value->type, type)) {
    return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot cast {} to {}", value->type.display(), type.display()));
  }
  return make_cast(std::move(value), std::move(type), e.kind == ExpressionKind::try_cast);
}

// ---- constructors and access ----

Result<BoundPtr> Analyzer::analyze_subscript(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr base, analyze(*e.args[0], scope));
  if (base->type.is(TypeKind::row)) {
    const Expression& index = *e.args[1];
    size_t n = index.kind == ExpressionKind::integer_literal ? std::strtoull(index.text.c_str(), nullptr, 10) : 0;
    if (index.kind != ExpressionKind::integer_literal) {
      return semantic_error("EXPRESSION_NOT_CONSTANT", index.at, "Subscript expression on ROW requires a constant index");
    }
    if (n < 1 || n > base->type.fields.size()) {
      return semantic_error("INVALID_FUNCTION_ARGUMENT", index.at,
                            n < 1 ? "Invalid subscript index: " + index.text + ". ROW indices start at 1"
                                  : fmt::format("Subscript index out of bounds: {}. Max value is {}", n, base->type.fields.size()));
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
    return make_call(element, "trino_subscript({0}, {1})", {base, make_cast(index, Type(TypeKind::bigint))}, e.at);
  }
  if (base->type.is(TypeKind::map) && can_coerce(index->type, base->type.key())) {
    Type value = base->type.value();
    return make_call(value, "trino_map_subscript({0}, {1})", {base, make_cast(index, base->type.key())}, e.at);
  }
  return semantic_error("TYPE_MISMATCH", e.at, fmt::format("Cannot use {} for subscript of {}", index->type.display(), base->type.display()));
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
    if (i < e.field_names.size() && e.field_names[i]) field.name = e.field_names[i]->quoted ? e.field_names[i]->text : e.field_names[i]->lower();
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
  if (name == "CURRENT_PATH" || name == "CURRENT_ROLE") return text(std::string());
  int precision = e.index < 0 ? 3 : e.index;
  if (precision > 12) return semantic_error("TYPE_NOT_FOUND", e.at, fmt::format("Unknown type: timestamp({})", precision));
  int64_t micros = session_.start.time_since_epoch().count();
  auto literal = now_literal(name, precision, micros, session_.time_zone);
  if (!literal) return semantic_error(literal.error().what, e.at, literal.error().message);
  return make_literal(literal->type, literal->text, e.at);
}

Result<BoundPtr> Analyzer::analyze_extract(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  static const std::map<std::string, std::string> kFields = {
      {"YEAR", "year"}, {"QUARTER", "quarter"}, {"MONTH", "month"}, {"WEEK", "week"}, {"DAY", "day"},
      {"DAY_OF_MONTH", "day"}, {"DAY_OF_WEEK", "day_of_week"}, {"DOW", "day_of_week"}, {"DAY_OF_YEAR", "day_of_year"},
      {"DOY", "day_of_year"}, {"YEAR_OF_WEEK", "year_of_week"}, {"YOW", "year_of_week"}, {"HOUR", "hour"},
      {"MINUTE", "minute"}, {"SECOND", "second"}, {"TIMEZONE_HOUR", "timezone_hour"}, {"TIMEZONE_MINUTE", "timezone_minute"}};
  auto field = kFields.find(e.text);
  if (field == kFields.end()) return semantic_error("SYNTAX_ERROR", e.at, fmt::format("Invalid EXTRACT field: {}", e.text));
  auto made = call_with(field->second, {value}, e.at);
  if (!made && made.error().is("FUNCTION_NOT_FOUND")) {
    return semantic_error("TYPE_MISMATCH", e.args[0]->at, fmt::format("Cannot extract {} from {}", e.text, value->type.display()));
  }
  return made;
}

}  // namespace aichemy::sql
