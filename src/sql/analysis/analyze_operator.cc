// Arithmetic, comparison and concatenation: Trino's result types and what DuckDB must be told to
// get them.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/analyzer.h"
#include "sql/language/lexer.h"
#include "sql/language/parser.h"

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

bool has_nan(const Type& type) {
  return type.is(TypeKind::double_) || type.is(TypeKind::real) || type.is(TypeKind::number);
}
// A literal that is a number.
bool is_number_literal(const BoundPtr& value) {
  const Bound* at = value.get();
  while (at->kind == Bound::Kind::cast) at = at->args[0].get();
  return at->kind == Bound::Kind::literal && at->text != "NaN" && at->text != "\5";
}
bool is_nonzero_literal(const BoundPtr& value) {
  const Bound* at = value.get();
  while (at->kind == Bound::Kind::cast) at = at->args[0].get();
  return at->kind == Bound::Kind::literal && !at->null &&
         at->text.find_first_of("123456789") != std::string::npos;
}

}  // namespace

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
  if (op == '%')
    return Type::decimal(std::min(p1 - s1, p2 - s2) + std::max(s1, s2), std::max(s1, s2));
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
  // The engine's function is told its result type by a constant of it; DuckDB stores fewer than 10
  // digits in less than 64 bits, which the function does not write.
  static constexpr std::pair<char, const char*> kFunctions[] = {
      {'+', "add"}, {'-', "subtract"}, {'*', "multiply"}, {'/', "divide"}, {'%', "modulo"}};
  const auto* function = std::find_if(std::begin(kFunctions), std::end(kFunctions),
                                      [op](auto& f) { return f.first == op; });
  constexpr int kDigitsMin = 10;
  std::string call = fmt::format(
      "aichemy_decimal_{}({{0}}, {{1}}, CAST(0 AS {}))", function->second,
      physical_type(Type::decimal(std::max(result.precision, kDigitsMin), result.scale)));
  if (result.precision < kDigitsMin)
    call = fmt::format("CAST({} AS {})", call, physical_type(result));
  return make_call(result, call, {a, b}, at);
}

struct DatetimeRow {
  TypeKind left;
  char op;
  TypeKind right;
  TypeKind result;  // date and timestamps keep the left (or right) type's precision
  const char* text;
};
constexpr TypeKind kDayTime = TypeKind::interval_day_time,
                   kYearMonth = TypeKind::interval_year_month;
// Of short timestamps without zone, the commonest: the engine's own functions.
constexpr DatetimeRow kShortTimestamp[] = {
    {TypeKind::timestamp, '+', kDayTime, TypeKind::timestamp,
     "({0} + to_microseconds({1} * 1000))"},
    {TypeKind::timestamp, '-', kDayTime, TypeKind::timestamp,
     "({0} - to_microseconds({1} * 1000))"},
    {TypeKind::timestamp, '+', kYearMonth, TypeKind::timestamp, "({0} + to_months({1}))"},
    {TypeKind::timestamp, '-', kYearMonth, TypeKind::timestamp, "({0} - to_months({1}))"},
};
constexpr DatetimeRow kDatetime[] = {
    {TypeKind::date, '+', kDayTime, TypeKind::date, "trino_date_plus_millis({0}, {1})"},
    {TypeKind::date, '-', kDayTime, TypeKind::date, "trino_date_plus_millis({0}, -{1})"},
    {TypeKind::date, '+', kYearMonth, TypeKind::date, "CAST(({0} + to_months({1})) AS DATE)"},
    {TypeKind::date, '-', kYearMonth, TypeKind::date, "CAST(({0} - to_months({1})) AS DATE)"},
    {TypeKind::timestamp, '+', kDayTime, TypeKind::timestamp, "aichemy_plus_millis_{f0}({0}, {1})"},
    {TypeKind::timestamp, '+', kYearMonth, TypeKind::timestamp,
     "aichemy_plus_months_{f0}({0}, {1})"},
    {TypeKind::timestamp, '-', kDayTime, TypeKind::timestamp,
     "aichemy_minus_millis_{f0}({0}, {1})"},
    {TypeKind::timestamp, '-', kYearMonth, TypeKind::timestamp,
     "aichemy_plus_months_{f0}({0}, -{1})"},
    {TypeKind::timestamp_tz, '+', kDayTime, TypeKind::timestamp_tz,
     "aichemy_plus_millis_{f0}({0}, {1})"},
    {TypeKind::timestamp_tz, '+', kYearMonth, TypeKind::timestamp_tz,
     "aichemy_plus_months_{f0}({0}, {1})"},
    {TypeKind::timestamp_tz, '-', kDayTime, TypeKind::timestamp_tz,
     "aichemy_minus_millis_{f0}({0}, {1})"},
    {TypeKind::timestamp_tz, '-', kYearMonth, TypeKind::timestamp_tz,
     "aichemy_plus_months_{f0}({0}, -{1})"},
    {TypeKind::time, '+', kDayTime, TypeKind::time, "aichemy_plus_millis_{f0}({0}, {1})"},
    {TypeKind::time, '-', kDayTime, TypeKind::time, "aichemy_minus_millis_{f0}({0}, {1})"},
    {TypeKind::time_tz, '+', kDayTime, TypeKind::time_tz, "aichemy_plus_millis_{f0}({0}, {1})"},
    {TypeKind::time_tz, '-', kDayTime, TypeKind::time_tz, "aichemy_minus_millis_{f0}({0}, {1})"},
    {TypeKind::date, '-', TypeKind::date, kDayTime, "(CAST(({0} - {1}) AS BIGINT) * 86400000)"},
    {TypeKind::timestamp, '-', TypeKind::timestamp, kDayTime, "aichemy_minus_{f0}({0}, {1})"},
    {TypeKind::timestamp_tz, '-', TypeKind::timestamp_tz, kDayTime, "aichemy_minus_{f0}({0}, {1})"},
    {TypeKind::time, '-', TypeKind::time, kDayTime, "aichemy_minus_{f0}({0}, {1})"},
    {TypeKind::time_tz, '-', TypeKind::time_tz, kDayTime, "aichemy_minus_{f0}({0}, {1})"},
    {kDayTime, '+', kDayTime, kDayTime, "aichemy_interval_add({0}, {1})"},
    {kDayTime, '-', kDayTime, kDayTime, "aichemy_interval_subtract({0}, {1})"},
    {kYearMonth, '+', kYearMonth, kYearMonth, "aichemy_interval_add({0}, {1})"},
    {kYearMonth, '-', kYearMonth, kYearMonth, "aichemy_interval_subtract({0}, {1})"},
    {kDayTime, '*', TypeKind::bigint, kDayTime, "aichemy_interval_multiply({0}, {1})"},
    {kDayTime, '*', TypeKind::double_, kDayTime, "aichemy_interval_multiply({0}, {1})"},
    {kDayTime, '/', TypeKind::double_, kDayTime, "aichemy_interval_divide({0}, {1})"},
    {kYearMonth, '*', TypeKind::integer, kYearMonth, "aichemy_interval_multiply({0}, {1})"},
    {kYearMonth, '*', TypeKind::double_, kYearMonth, "aichemy_interval_multiply({0}, {1})"},
    {kYearMonth, '/', TypeKind::double_, kYearMonth, "aichemy_interval_divide({0}, {1})"},
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
        bool factor = (row.right == TypeKind::bigint || row.right == TypeKind::double_ ||
                       row.right == TypeKind::integer) &&
                      b->type.is_numeric() && can_coerce(b->type, Type(row.right));
        bool unknown = b->type.is(TypeKind::unknown);
        if (!factor && !unknown) continue;
        other = make_cast(b, Type(row.right));
      }
      BoundPtr first = a;
      if (row.left == row.right && !(a->type == other->type)) {
        Type common(row.left, std::max(a->type.precision, other->type.precision));
        first = make_cast(a, common);
        other = make_cast(other, common);
      }
      Type result(row.result);
      if (row.result == row.left) result.precision = a->type.precision;
      if (row.right == kDayTime && row.result != TypeKind::date && row.result != kDayTime)
        result.precision = std::max(result.precision, 3);
      const char* text = row.text;
      for (const auto& brief : kShortTimestamp) {
        if (brief.left == row.left && brief.op == row.op && brief.right == row.right &&
            a->type.precision <= 6)
          text = brief.text;
      }
      return make_call(result, text, {first, other}, at);
    }
  }
  return nullptr;
}

}  // namespace

Result<BoundPtr> Analyzer::arithmetic(const std::string& op, BoundPtr left, BoundPtr right,
                                      Position at) {
  auto mismatch = [&] {
    return semantic_error("TYPE_MISMATCH", at,
                          fmt::format("Cannot apply operator: {} {} {}", left->type.display(), op,
                                      right->type.display()));
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
  if (!common->is_numeric()) return mismatch();
  if (common->is(TypeKind::number)) {
    const char* name = op == "+"   ? "add"
                       : op == "-" ? "subtract"
                       : op == "*" ? "multiply"
                       : op == "/" ? "divide"
                                   : "modulo";
    return make_call(*common, fmt::format("aichemy_number_{}({{0}}, {{1}})", name),
                     {make_cast(left, *common), make_cast(right, *common)}, at);
  }
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
    bool safe_division = is_nonzero_literal(right) && op == "/" &&
                         right->kind == Bound::Kind::literal && right->text[0] != '-';
    if (safe_division)
      text = "({0} // {1})";
    else if (!safe)
      text = op == "/" ? "trino_divide({0}, {1})" : "trino_modulo({0}, {1})";
  } else if (op == "%") {
    text = "aichemy_remainder({0}, {1})";
  }
  return make_call(*common, text, {std::move(left), std::move(right)}, at);
}

Result<BoundPtr> Analyzer::compare(const std::string& op, BoundPtr left, BoundPtr right,
                                   Position at) {
  auto common = common_type(left->type, right->type);
  bool ordering = op != "=" && op != "<>";
  if (common && common->is(TypeKind::variant) && !ordering) {  // by value, whatever the bytes
    const char* text =
        op == "=" ? "aichemy_variant_equal({0}, {1})" : "(NOT aichemy_variant_equal({0}, {1}))";
    return make_call(kBoolean, text, {make_cast(left, *common), make_cast(right, *common)}, at);
  }
  if (!common || !(ordering ? is_orderable(*common) : is_comparable(*common))) {
    bool swapped = op == ">" || op == ">=";  // Trino asks for the mirrored operator
    std::string shown = op == ">" ? "<" : op == ">=" ? "<=" : op == "<>" ? "=" : op;
    return semantic_error(
        "TYPE_MISMATCH", at,
        fmt::format("Cannot apply operator: {} {} {}", (swapped ? right : left)->type.display(),
                    shown, (swapped ? left : right)->type.display()));
  }
  left = make_cast(left, *common);
  right = make_cast(right, *common);
  if (common->is(TypeKind::map) || (common->is(TypeKind::array) && !ordering)) {
    ASSIGN_OR_RETURN(BoundPtr equal, equal_items(left, right, at));
    return op == "=" ? equal : make_call(kBoolean, "(NOT {0})", {equal}, at);
  }
  if (common->is(TypeKind::row)) return compare_rows(op, left, right, at);
  // char(n) is kept without its trailing blanks, but compares as if it had them.
  bool padded = ordering && common->is(TypeKind::char_);
  std::string text = padded ? fmt::format("({{padded0}} {} {{padded1}})", op)
                            : fmt::format("({{0}} {} {{1}})", op);
  BoundPtr made = make_call(kBoolean, std::move(text), {left, right}, at);
  if (!has_nan(*common)) return made;
  // DuckDB holds NaN equal to itself and above all numbers; in Trino every comparison with it is
  // false.
  bool left_plain = is_number_literal(left), right_plain = is_number_literal(right);
  auto guard = [&](const BoundPtr& value) {
    bool number = value->type.is(TypeKind::number);
    return make_call(kBoolean, number ? "(NOT aichemy_number_is_nan({0}))" : "(NOT isnan({0}))",
                     {value});
  };
  if (op == "<>") {
    if (left_plain || right_plain) return made;
    const char* nan = common->is(TypeKind::number) ? "aichemy_number_is_nan" : "isnan";
    return make_call(kBoolean, fmt::format("({{0}} <> {{1}} OR {}({{0}}))", nan), {left, right},
                     at);
  }
  std::vector<BoundPtr> parts{made};
  if (op == "=" && !left_plain && !right_plain) parts.push_back(guard(left));
  if ((op == ">" || op == ">=") && !left_plain) parts.push_back(guard(left));
  if ((op == "<" || op == "<=") && !right_plain) parts.push_back(guard(right));
  return parts.size() == 1 ? made : chain("AND", std::move(parts), kBoolean);
}

// Of two arrays or maps, item by item: NULL when a NULL inside leaves it undecided. Arrays of plain
// items without NULL are compared by the engine.
Result<BoundPtr> Analyzer::equal_items(const BoundPtr& left, const BoundPtr& right, Position at) {
  const Type& item = left->type.fields.back().type;
  auto lambda = std::make_shared<Bound>();
  lambda->kind = Bound::Kind::lambda;
  lambda->type = Type(TypeKind::function);
  std::vector<BoundPtr> items;
  for (int i = 0; i < 2; ++i) {
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = item;
    variable->index = next_variable_++;
    lambda->variables.push_back(variable->index);
    items.push_back(std::move(variable));
  }
  ASSIGN_OR_RETURN(BoundPtr equal, compare("=", items[0], items[1], at));
  lambda->args.push_back(std::move(equal));
  bool map = left->type.is(TypeKind::map);
  return make_call(kBoolean, map ? "{map_equal}" : "{array_equal}", {left, right, lambda}, at);
}

// Field by field, so that a NULL inside makes an undecided comparison NULL: = is the AND of the
// fields', < is decided by the first fields that differ.
Result<BoundPtr> Analyzer::compare_rows(const std::string& op, const BoundPtr& left,
                                        const BoundPtr& right, Position at) {
  if (op == "<>") {
    ASSIGN_OR_RETURN(BoundPtr equal, compare_rows("=", left, right, at));
    return make_call(kBoolean, "(NOT {0})", {equal}, at);
  }
  auto field = [&](const BoundPtr& row, size_t i) {
    auto made = std::make_shared<Bound>();
    made->kind = Bound::Kind::field;
    made->type = row->type.fields[i].type;
    made->index = i;
    made->args.push_back(row);
    return BoundPtr(made);
  };
  size_t count = left->type.fields.size();
  if (op == "=") {
    std::vector<BoundPtr> parts;
    for (size_t i = 0; i < count; ++i) {
      ASSIGN_OR_RETURN(BoundPtr part, compare("=", field(left, i), field(right, i), at));
      parts.push_back(std::move(part));
    }
    return parts.size() == 1 ? parts[0] : chain("AND", std::move(parts), kBoolean);
  }
  BoundPtr made;
  for (size_t i = count; i-- > 0;) {
    std::string strict = op.substr(0, 1);
    ASSIGN_OR_RETURN(BoundPtr before,
                     compare(made ? strict : op, field(left, i), field(right, i), at));
    if (made) {
      ASSIGN_OR_RETURN(BoundPtr equal, compare("=", field(left, i), field(right, i), at));
      before = chain("OR", {before, chain("AND", {equal, made}, kBoolean)}, kBoolean);
    }
    made = before;
  }
  return made;
}

// The functions that Trino's operators are under their own names: "$operator$add"(1, 2).
Result<BoundPtr> Analyzer::operator_call(const std::string& name, const Expression& e, Scope& scope,
                                         bool& handled) {
  static constexpr struct {
    std::string_view name;
    const char* op;
    size_t arguments;
  } kRows[] = {
      {"add", "+", 2},       {"subtract", "-", 2}, {"multiply", "*", 2},
      {"divide", "/", 2},    {"modulo", "%", 2},   {"equal", "=", 2},
      {"less_than", "<", 2}, {"identical", "", 2}, {"less_than_or_equal", "<=", 2},
      {"negation", "-", 1},  {"subscript", "", 2},
  };
  std::string_view which = std::string_view(name).substr(kOperatorPrefix.size());
  const auto* row = std::ranges::find(kRows, which, [](const auto& one) { return one.name; });
  handled = row != std::end(kRows) && row->arguments == e.args.size();
  if (!handled) return nullptr;
  if (which == "subscript") return analyze_subscript(e, scope);
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  if (which == "negation") return negation(args[0], e.at);
  if (which == "identical") return identical(args[0], args[1], false, e.at);
  if (std::string_view("+-*/%").find(row->op[0]) != std::string_view::npos)
    return arithmetic(row->op, args[0], args[1], e.at);
  return compare(row->op, args[0], args[1], e.at);
}

Result<BoundPtr> Analyzer::negation(const BoundPtr& value, Position at) {
  const char* text = value->type.is(TypeKind::number) ? "aichemy_number_negate({0})" : "(-{0})";
  bool interval =
      value->type.is(TypeKind::interval_day_time) || value->type.is(TypeKind::interval_year_month);
  if (!value->type.is_numeric() && !interval)
    return semantic_error("TYPE_MISMATCH", at,
                          fmt::format("Cannot negate {}", value->type.display()));
  return make_call(value->type, text, {value}, at);
}

Result<BoundPtr> Analyzer::identical(BoundPtr left, BoundPtr right, bool distinct, Position at) {
  ASSIGN_OR_RETURN(Type type, unify({&left, &right}, "Cannot compare", at));
  if (!type.is(TypeKind::variant)) {
    return make_call(kBoolean,
                     distinct ? "({0} IS DISTINCT FROM {1})" : "({0} IS NOT DISTINCT FROM {1})",
                     {left, right}, at);
  }
  return make_call(kBoolean,
                   fmt::format("({}COALESCE(aichemy_variant_equal({{0}}, {{1}}), {{0}} IS NULL AND "
                               "{{1}} IS NULL))",
                               distinct ? "NOT " : ""),
                   {left, right}, at);
}

Result<BoundPtr> Analyzer::analyze_concat(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
  bool texts = std::ranges::all_of(
      args, [](const BoundPtr& part) { return part->type.is(TypeKind::varchar); });
  if (texts) return call_with("concat", std::move(args), e.at);
  // A call for each: as deep as the chain is long.
  if (args.size() > static_cast<size_t>(kHeightMax)) return too_deep(e.at);
  BoundPtr made = args[0];
  for (size_t i = 1; i < args.size(); ++i) {
    ASSIGN_OR_RETURN(made, call_with("concat", {made, args[i]}, e.at));
  }
  return made;
}

}  // namespace aichemy::sql
