// Function calls: resolution against the function rows, lambdas, aggregates.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/render_aggregate.h"

namespace aichemy::sql {
namespace {

const Type kBigint(TypeKind::bigint);

// One try to fit arguments to a signature.
class Binder {
 public:
  explicit Binder(const Signature& signature) : signature_(signature) {}

  bool accepts(size_t count) const {
    size_t fixed = signature_.parameters.size();
    return signature_.variadic ? count + 1 >= fixed : count == fixed;
  }
  const Pattern& parameter(size_t i) const {
    return signature_.parameters[std::min(i, signature_.parameters.size() - 1)];
  }

  // Binds variables so that `type` fits; false when it cannot. Adds to the cost what it must be
  // coerced.
  bool match(const Pattern& pattern, const Type& type) {
    switch (pattern.kind) {
      case Pattern::Kind::type:
        if (!can_coerce(type, pattern.type)) return false;
        cost_ += type == pattern.type ? 0
                 : type.is(TypeKind::unknown)
                     ? 1
                     : 2 + std::abs(int(pattern.type.kind) - int(type.kind));
        return true;
      case Pattern::Kind::any_length: {
        if (type.kind == pattern.type.kind || type.is(TypeKind::unknown))
          return type.precision <= pattern.precision_max;
        bool integer = pattern.type.is(TypeKind::decimal) && type.is_integer();
        bool text = pattern.type.is(TypeKind::varchar) && type.is(TypeKind::char_);
        bool date =
            (pattern.type.is(TypeKind::timestamp) || pattern.type.is(TypeKind::timestamp_tz)) &&
            can_coerce(type, Type(pattern.type.kind, 12));
        cost_ += 2 + std::abs(int(pattern.type.kind) - int(type.kind));
        return integer || text || date;
      }
      case Pattern::Kind::variable: {
        auto found = variables_.find(pattern.variable);
        if (found == variables_.end()) {
          variables_[pattern.variable] = type;
          return true;
        }
        auto common = common_type(found->second, type);
        if (!common) return false;
        cost_ += *common == type && *common == found->second ? 0 : 1;
        found->second = *common;
        return true;
      }
      case Pattern::Kind::nested:
        if (type.is(TypeKind::unknown)) {
          for (const auto& child : pattern.children) match(child, Type());
          return true;
        }
        if (type.kind != pattern.nested || type.fields.size() != pattern.children.size())
          return false;
        for (size_t i = 0; i < type.fields.size(); ++i) {
          if (!match(pattern.children[i], type.fields[i].type)) return false;
        }
        return true;
      case Pattern::Kind::same_as: return true;
    }
    return false;
  }

  // The type of a pattern under the bindings; `actual` fills in lengths and precisions.
  Type type_of(const Pattern& pattern, const Type& actual,
               const std::vector<Type>& arguments) const {
    switch (pattern.kind) {
      case Pattern::Kind::type: return pattern.type;
      case Pattern::Kind::any_length: {
        if (actual.kind == pattern.type.kind) return actual;
        if (pattern.type.is(TypeKind::varchar))
          return Type::varchar(actual.is(TypeKind::char_) ? actual.precision : Type::kUnbounded);
        if (pattern.type.is(TypeKind::timestamp) || pattern.type.is(TypeKind::timestamp_tz)) {
          return Type(pattern.type.kind, actual.is(TypeKind::date) ? 0 : actual.precision);
        }
        static constexpr int kDigits[] = {3, 5, 10, 19};
        if (actual.is_integer())
          return Type::decimal(kDigits[int(actual.kind) - int(TypeKind::tinyint)], 0);
        return pattern.type;
      }
      case Pattern::Kind::variable: {
        auto found = variables_.find(pattern.variable);
        return found == variables_.end() ? Type() : found->second;
      }
      case Pattern::Kind::same_as:
        return pattern.argument < arguments.size() ? arguments[pattern.argument] : Type();
      case Pattern::Kind::nested: {
        Type made(pattern.nested);
        for (size_t i = 0; i < pattern.children.size(); ++i) {
          Type inner = i < actual.fields.size() ? actual.fields[i].type : Type();
          made.fields.push_back({std::nullopt, type_of(pattern.children[i], inner, arguments)});
        }
        return made;
      }
    }
    return Type();
  }

  int cost() const { return cost_; }
  bool knows(char variable) const { return variables_.contains(variable); }

 private:
  const Signature& signature_;
  std::map<char, Type> variables_;
  int cost_ = 0;
};

bool is_lambda(const Pattern& pattern) {
  return pattern.kind == Pattern::Kind::nested && pattern.nested == TypeKind::function;
}

const Signature& signature_of(const FunctionRow& row) {
  static const auto* parsed = [] {
    auto* made = new std::map<const FunctionRow*, Signature>();
    for (const auto* one : all_functions()) {
      auto signature = parse_signature(one->signature);
      if (signature) made->emplace(one, std::move(*signature));
    }
    return made;
  }();
  static const Signature kNone;
  auto found = parsed->find(&row);
  return found == parsed->end() ? kNone : found->second;
}

std::string type_list(const std::vector<std::optional<Type>>& types) {
  std::string out;
  for (const auto& type : types)
    out += (out.empty() ? "" : ", ") + (type ? type->display() : "<function>");
  return out;
}

std::unexpected<Error> no_such_function(const std::string& name,
                                        const std::vector<std::optional<Type>>& types,
                                        Position at) {
  auto rows = functions_named(name);
  if (rows.empty()) {
    return semantic_error("FUNCTION_NOT_FOUND", at,
                          fmt::format("Function '{}' not registered", name));
  }
  std::vector<std::string> expected;
  for (const auto* row : rows) {
    std::string_view signature = row->signature;
    if (signature.find("timestamp6") != std::string_view::npos) continue;  // a faster form
    expected.push_back(fmt::format("{}({})", name, signature.substr(0, signature.find(" ->"))));
  }
  std::ranges::sort(expected);
  std::string list;
  for (const auto& one : expected) list += (list.empty() ? "" : ", ") + one;
  return semantic_error("FUNCTION_NOT_FOUND", at,
                        fmt::format("Unexpected parameters ({}) for function {}. Expected: {}",
                                    type_list(types), name, list));
}

// Lengths of varchar results that are computed from those of the arguments.
struct LengthRow {
  std::string_view name;
  size_t arguments;
  int64_t (*length)(const std::vector<int64_t>& of);
};
constexpr LengthRow kLengths[] = {
    {"replace", 3, [](const std::vector<int64_t>& n) { return n[0] + n[2] * (n[0] + 1); }},
    {"regexp_replace", 3,
     [](const std::vector<int64_t>& n) {
       return n[0] + std::max(n[0] * n[2] / 2, n[2]) * (n[0] + 1);
     }},
    {"substr", 2, [](const std::vector<int64_t>& n) { return n[0]; }},
    {"substr", 3, [](const std::vector<int64_t>& n) { return n[0]; }},
    {"substring", 2, [](const std::vector<int64_t>& n) { return n[0]; }},
    {"substring", 3, [](const std::vector<int64_t>& n) { return n[0]; }},
    {"render", 2, [](const std::vector<int64_t>& n) { return n[0] + 15; }},  // of the escapes
    {"url_encode", 1, [](const std::vector<int64_t>& n) { return n[0] * 12; }},
    {"overlay", 3, [](const std::vector<int64_t>& n) { return n[0] + n[1]; }},
    {"overlay", 4, [](const std::vector<int64_t>& n) { return n[0] + n[1]; }},
};

std::optional<int32_t> result_length(std::string_view name, const std::vector<Type>& types) {
  for (const auto& row : kLengths) {
    if (row.name != name || row.arguments != types.size() || !types[0].is_text()) continue;
    std::vector<int64_t> lengths;
    for (const auto& type : types) {
      lengths.push_back(type.is_text() ? type.precision : 0);
      bool known = type.is_text() ? type.precision != Type::kUnbounded
                                  : type.is_integer() || type.is(TypeKind::color);
      if (!known) return std::nullopt;
    }
    double estimate = static_cast<double>(lengths[0]) * static_cast<double>(lengths[0]);
    if (estimate > 1e12) return Type::kUnbounded;
    return static_cast<int32_t>(std::min<int64_t>(row.length(lengths), Type::kUnbounded));
  }
  return std::nullopt;
}

// reduce_agg(value, state, step, combine): reduce over the list of the rows' values; what combines
// two states is not asked for.
const FunctionRow kReduced{"reduce_agg", FunctionKind::aggregate, "T -> array(T)",
                           "list_filter(list@({0})@, lambda x: x IS NOT NULL)"};

BoundPtr reduce_of(const Bound& call, BoundPtr values, size_t variable_index) {
  auto same = std::make_shared<Bound>(*call.args[3]);
  auto variable = std::make_shared<Bound>();
  variable->kind = Bound::Kind::variable;
  variable->type = call.type;
  variable->index = variable_index;
  same->variables = {variable_index};
  same->type = Type(TypeKind::function);
  same->type.fields = {{std::nullopt, call.type}, {std::nullopt, call.type}};
  same->args = {BoundPtr(variable)};
  return make_call(call.type, "{reduce}",
                   {std::move(values), call.args[1], call.args[2], BoundPtr(same)}, call.at);
}

// Functions that exist only with OVER.
constexpr std::string_view kWindowOnly[] = {
    "row_number", "rank", "dense_rank",  "percent_rank", "cume_dist", "ntile",
    "lag",        "lead", "first_value", "last_value",   "nth_value"};

// Results whose precision or length follows from the argument's precision.
void set_result_precision(const std::string& name, const std::vector<Type>& arguments,
                          Type& result) {
  int precision = arguments.empty() ? 0 : arguments[0].precision;
  if (result.is(TypeKind::decimal) && !arguments.empty() && arguments[0].is(TypeKind::decimal)) {
    int scale = arguments[0].scale, one = arguments.size() == 1;
    bool whole = name.starts_with("ceil") || name == "floor" || name == "round";
    if (whole && one) result = Type::decimal(std::min(38, precision - scale + (scale > 0)), 0);
    if (name == "truncate" && one) result = Type::decimal(std::max(1, precision - scale), 0);
    if (name == "round" && !one) result = Type::decimal(std::min(38, precision + 1), scale);
  }
  if (name == "with_timezone") result.precision = precision;
  if (name == "to_iso8601" && result.precision == Type::kUnbounded) {
    int fixed = arguments[0].is(TypeKind::timestamp) ? 22 : 28;
    result.precision = fixed + (precision > 0 ? precision + 1 : 0);
  }
}

}  // namespace

Result<BoundPtr> Analyzer::builtin_call(const Expression& e, Scope& scope) {
  std::string name = e.qualified.back().lower();
  bool handled = false;
  auto navigated = pattern_call(name, e, scope, handled);
  if (handled || !navigated) return navigated;
  handled = true;
  auto made = special_call(name, e, scope, handled);
  if (handled) return made;
  return call_function(name, e, scope);
}

// Forms that are no plain functions: they see more than their arguments' types.
Result<BoundPtr> Analyzer::special_call(const std::string& name, const Expression& e, Scope& scope,
                                        bool& handled) {
  if (name == "try" && e.args.size() == 1) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
    auto made = std::make_shared<Bound>();
    made->kind = Bound::Kind::try_;
    made->type = value->type;
    made->at = e.at;
    made->args.push_back(std::move(value));
    return BoundPtr(made);
  }
  if (name == "coalesce") {
    if (e.args.size() < 2)
      return semantic_error("SYNTAX_ERROR", e.at,
                            "The 'coalesce' function must have at least two arguments");
    ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
    std::vector<BoundPtr*> all;
    for (auto& value : args) all.push_back(&value);
    ASSIGN_OR_RETURN(Type type, unify(all,
                                      "All COALESCE operands must be the same type or coercible to "
                                      "a common type. Cannot find common type between types",
                                      e.at));
    return make_call(type, "COALESCE({*})", std::move(args), e.at);
  }
  if (name == "nullif" && e.args.size() == 2) {
    ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
    auto made = std::make_shared<Bound>();
    ASSIGN_OR_RETURN(BoundPtr equal, compare("=", args[0], args[1], e.at));
    made->kind = Bound::Kind::case_;
    made->type = args[0]->type;
    made->at = e.at;
    made->args = {equal, make_null(args[0]->type), args[0]};
    return BoundPtr(made);
  }
  if (name == "typeof" && e.args.size() == 1 && e.args[0]->kind != ExpressionKind::lambda) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
    std::string shown = value->type.display();  // decimal(5,1) here, without the blank
    for (size_t i = 0; (i = shown.find("decimal(", i)) != std::string::npos; ++i)
      shown.erase(shown.find(' ', i), 1);
    return make_literal(Type::varchar(), shown, e.at);
  }
  if (name == "typeof" && e.args.size() == 1)
    return semantic_error("FUNCTION_NOT_FOUND", e.at,
                          "Unexpected parameters (<function>) for function typeof. Expected: "
                          "typeof(T) T");
  if (name == "format" && e.args.size() > 1) return analyze_format(e, scope);
  if (name == "mod" && e.args.size() == 2) {
    ASSIGN_OR_RETURN(auto args, analyze_all(e.args, scope));
    if (auto common = common_type(args[0]->type, args[1]->type);
        common && common->is(TypeKind::decimal))
      return arithmetic("%", args[0], args[1], e.at);
  }
  if (name == "count" && e.args.size() == 1 && e.args[0]->kind == ExpressionKind::star &&
      (e.args[0]->name.text.empty() || pattern_of(scope))) {
    static const FunctionRow kCountAll{"count", FunctionKind::aggregate, "-> bigint", "count@(*)@"};
    return finish_call(kCountAll, {}, kBigint, e, scope);
  }
  if (name == "current_timezone" && e.args.empty())
    return make_literal(Type::varchar(), session_.time_zone, e.at);
  if (name == "now" && e.args.empty()) {
    Expression now{};
    now.kind = ExpressionKind::special;
    now.text = "CURRENT_TIMESTAMP";
    now.at = e.at;
    return analyze_special(now);
  }
  if (name == "current_groups" && e.args.empty()) {
    std::vector<BoundPtr> groups;
    if (access_) {
      for (const auto& group : access_->groups(identity()))
        groups.push_back(make_literal(Type::varchar(), group));
    }
    return make_call(Type::array(Type::varchar()), "CAST([{*}] AS VARCHAR[])", std::move(groups),
                     e.at);
  }
  if (name == "version" && e.args.empty()) return make_literal(Type::varchar(), "483", e.at);
  if (name == "grouping") return semantic_error("SYNTAX_ERROR", e.at, "GROUPING needs arguments");
  handled = false;
  return name.starts_with(kOperatorPrefix) ? operator_call(name, e, scope, handled) : nullptr;
}

Result<BoundPtr> Analyzer::call_function(const std::string& name, const Expression& e,
                                         Scope& scope) {
  std::vector<BoundPtr> args(e.args.size());
  std::vector<std::optional<Type>> types(e.args.size());
  auto rows = functions_named(name);
  bool aggregate = !rows.empty() && rows[0]->kind != FunctionKind::scalar && !e.window;
  Scope inner;
  inner.parent = &scope;
  inner.clause = aggregate ? kInAggregate : e.window ? kInWindowCall : scope.clause;
  inner.aggregates = scope.aggregates && !aggregate;  // no aggregate inside an aggregate
  inner.windows = scope.windows && !aggregate && !e.window;
  if (PatternScope* pattern = aggregate ? pattern_of(scope) : nullptr) begin_listing(*pattern);
  for (size_t i = 0; i < e.args.size(); ++i) {
    if (e.args[i]->kind == ExpressionKind::lambda) continue;
    if (e.args[i]->kind == ExpressionKind::star)
      return semantic_error("SYNTAX_ERROR", e.args[i]->at, "'*' is only allowed in count(*)");
    ASSIGN_OR_RETURN(args[i], analyze(*e.args[i], inner));
    types[i] = args[i]->type;
  }
  // The cheapest row that fits wins; lambdas are looked at afterwards.
  const FunctionRow* best = nullptr;
  int best_cost = 0;
  for (const auto* row : rows) {
    const Signature& signature = signature_of(*row);
    Binder binder(signature);
    if (!binder.accepts(args.size())) continue;
    bool fits = true;
    for (size_t i = 0; i < args.size() && fits; ++i) {
      const Pattern& parameter = binder.parameter(i);
      if (is_lambda(parameter) != !types[i].has_value())
        fits = false;
      else if (types[i])
        fits = binder.match(parameter, *types[i]);
      else
        fits = e.args[i]->names.size() + 1 == parameter.children.size();
    }
    if (!fits || (best && binder.cost() >= best_cost)) continue;
    best = row;
    best_cost = binder.cost();
  }
  if (!best && name == "listagg" && types[0]) {
    return semantic_error("TYPE_MISMATCH", e.at,
                          fmt::format("Expected expression of varchar, but '{}' has {} type",
                                      args[0]->text, types[0]->display()));
  }
  if (!best) return no_such_function(name, types, e.at);

  const Signature& signature = signature_of(*best);
  // A lambda's result may widen a variable that was bound before (reduce's state): then once more.
  std::map<char, Type> widened;
  for (int round = 0; round < 4; ++round) {
    Binder binder(signature);
    for (auto& [variable, type] : widened) {
      Pattern pattern;
      pattern.kind = Pattern::Kind::variable;
      pattern.variable = variable;
      binder.match(pattern, type);
    }
    for (size_t i = 0; i < args.size(); ++i) {
      if (types[i]) binder.match(binder.parameter(i), *types[i]);
    }
    bool again = false;
    std::vector<Type> argument_types;
    for (const auto& type : types) argument_types.push_back(type.value_or(Type()));
    for (size_t i = 0; i < args.size() && !again; ++i) {
      if (types[i]) continue;
      const Pattern& parameter = binder.parameter(i);
      std::vector<Type> parameters;
      for (size_t k = 0; k + 1 < parameter.children.size(); ++k) {
        parameters.push_back(binder.type_of(parameter.children[k], Type(), argument_types));
      }
      ASSIGN_OR_RETURN(args[i], lambda(*e.args[i], parameters, inner));
      const Pattern& result = parameter.children.back();
      const Type& got = args[i]->type.fields.back().type;
      Type before = binder.type_of(result, Type(), argument_types);
      bool known = result.kind != Pattern::Kind::variable || binder.knows(result.variable);
      if (!binder.match(result, got)) return no_such_function(name, types, e.at);
      Type after = binder.type_of(result, Type(), argument_types);
      if (known && result.kind == Pattern::Kind::variable && !(before == after)) {
        widened[result.variable] = after;
        again = true;
      }
      if (known && !again && !(got == after)) {  // the body is coerced to the state's type
        auto copy = std::make_shared<Bound>(*args[i]);
        copy->args[0] = make_cast(copy->args[0], after);
        copy->type.fields.back().type = after;
        args[i] = copy;
      }
    }
    if (again) continue;
    // Several times or timestamps of one kind share the greatest precision.
    std::map<TypeKind, int32_t> precisions;
    auto moment_kind = [&](size_t i) {
      const Pattern& parameter = binder.parameter(i);
      TypeKind kind = parameter.type.kind;
      bool any = parameter.kind == Pattern::Kind::any_length && kind >= TypeKind::time;
      return any && kind <= TypeKind::timestamp_tz ? std::optional(kind) : std::nullopt;
    };
    for (size_t i = 0; i < args.size(); ++i) {
      auto kind = types[i] ? moment_kind(i) : std::nullopt;
      if (!kind) continue;
      Type wanted = binder.type_of(binder.parameter(i), *types[i], argument_types);
      precisions[*kind] = std::max(precisions[*kind], wanted.precision);
    }
    for (size_t i = 0; i < args.size(); ++i) {
      if (!types[i]) continue;
      Type wanted = binder.type_of(binder.parameter(i), *types[i], argument_types);
      if (auto kind = moment_kind(i)) wanted.precision = precisions[*kind];
      if (!can_coerce(*types[i], wanted)) wanted = *types[i];
      args[i] = make_cast(args[i], wanted);
      argument_types[i] = args[i]->type;
    }
    Type result = binder.type_of(signature.result, Type(), argument_types);
    if (name == "array_join") {  // the elements as text, by their own cast
      const Type& element = args[0]->type.element();
      if (!element.is(TypeKind::unknown) &&
          (!can_cast(element, Type::varchar()) || !element.fields.empty())) {
        return semantic_error("OPERATOR_NOT_FOUND", e.at,
                              fmt::format("Input type {} not supported", element.display()));
      }
      args[0] = make_cast(args[0], Type::array(Type::varchar()));
    }
    if (auto length = result_length(name, argument_types)) result = Type::varchar(*length);
    set_result_precision(name, argument_types, result);
    if (name == "sum" && result.is(TypeKind::decimal)) result.scale = argument_types[0].scale;
    return finish_call(*best, std::move(args), std::move(result), e, scope);
  }
  return no_such_function(name, types, e.at);
}

Result<BoundPtr> Analyzer::call_with(const std::string& name, std::vector<BoundPtr> args,
                                     Position at) {
  // A call made by the analyzer itself: arguments are bound already, so they ride on parameters of
  // a scope.
  Expression call{};
  call.kind = ExpressionKind::function;
  call.at = at;
  call.qualified.push_back({name, false, at});
  Scope scope;
  for (size_t i = 0; i < args.size(); ++i) {
    auto argument = std::make_unique<Expression>();
    argument->kind = ExpressionKind::identifier;
    argument->at = args[i]->at;
    argument->name.text = fmt::format("#{}", i);
    scope.variables[argument->name.text] = std::move(args[i]);
    call.args.push_back(std::move(argument));
  }
  return call_function(name, call, scope);
}

Result<BoundPtr> Analyzer::finish_call(const FunctionRow& row, std::vector<BoundPtr> args,
                                       Type result, const Expression& e, Scope& scope) {
  std::string_view text = row.text;
  if (text == "!") {
    return semantic_error("NOT_SUPPORTED", e.at,
                          fmt::format("function {} is not supported", row.name));
  }
  bool long_zoned =
      args.size() == 1 && args[0]->type.is(TypeKind::timestamp_tz) && args[0]->type.precision > 6;
  if (long_zoned && text == "min@({0})@") text = "arg_min@({0}, aichemy_key_tz12({0}))@";
  if (long_zoned && text == "max@({0})@") text = "arg_max@({0}, aichemy_key_tz12({0}))@";
  text = without_nan(text, args);
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::call;
  made->type = std::move(result);
  made->text = text;
  made->at = e.at;
  made->args = std::move(args);
  if (row.kind == FunctionKind::scalar) {
    if (e.window || e.filter || e.distinct || !e.order_by.empty()) {
      const char* what = e.window ? "FUNCTION_NOT_WINDOW" : "FUNCTION_NOT_AGGREGATE";
      std::string shown = e.window ? fmt::format("Not a window function: {}", row.name)
                                   : fmt::format("{} is not an aggregate function", row.name);
      return semantic_error(what, e.at, shown);
    }
    return BoundPtr(made);
  }
  if (row.text == std::string_view("{reduce_agg}")) {
    Type list = Type::array(made->args[0]->type);
    ASSIGN_OR_RETURN(BoundPtr values, finish_call(kReduced, {made->args[0]}, list, e, scope));
    return reduce_of(*made, std::move(values), next_variable_++);
  }
  bool window_only =
      std::ranges::find(kWindowOnly, std::string_view(row.name)) != std::end(kWindowOnly);
  if (window_only && !e.window) {
    return semantic_error("MISSING_OVER", e.at,
                          fmt::format("Window function {} requires an OVER clause", row.name));
  }
  RETURN_IF_ERROR(check_place(row, e, scope));
  if (PatternScope* pattern = e.window ? nullptr : pattern_of(scope))
    return pattern_aggregate(row, e, std::move(made), *pattern);
  if (e.window) {
    bool handled = false;
    auto matched = window_pattern_call(row, e, made, scope, handled);
    if (handled || !matched) return matched;
  }
  made->distinct = e.distinct;
  made->ignore_nulls = e.null_treatment == "IGNORE";
  Scope inner;
  inner.parent = &scope;
  inner.aggregates = scope.aggregates && e.window;
  inner.windows = scope.windows && e.window;
  if (e.filter) {
    ASSIGN_OR_RETURN(made->filter, analyze_condition(*e.filter, inner, "Filter expression"));
  }
  auto sorts = sort_items(e.order_by, inner);
  if (!sorts) {  // what cannot be ordered is told of the call
    size_t why = sorts.error().message.find("ORDER BY can only be applied");
    if (why == std::string::npos) return std::unexpected(sorts.error());
    return semantic_error("TYPE_MISMATCH", e.at, sorts.error().message.substr(why));
  }
  made->order_by = std::move(*sorts);
  made->kind = e.window ? Bound::Kind::window : Bound::Kind::aggregate;
  if (e.window) {
    inner.windows = false;
    inner.clause = kInWindow;
    ASSIGN_OR_RETURN(made->over, window(*e.window, inner));
    RETURN_IF_ERROR(check_window_call(row, e, *made));
  } else if (e.distinct) {
    RETURN_IF_ERROR(check_distinct(e, *made));
  }
  return BoundPtr(made);
}

Result<BoundPtr> Analyzer::lambda(const Expression& e, const std::vector<Type>& parameters,
                                  Scope& scope) {
  Scope inner;
  inner.parent = &scope;
  inner.aggregates = scope.aggregates;
  inner.windows = scope.windows;
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::lambda;
  made->type = Type(TypeKind::function);
  made->at = e.at;
  for (size_t i = 0; i < e.names.size(); ++i) {
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = parameters[i];
    variable->index = next_variable_++;
    made->variables.push_back(variable->index);
    made->type.fields.push_back({std::nullopt, parameters[i]});
    inner.variables[e.names[i].lower()] = std::move(variable);
  }
  ASSIGN_OR_RETURN(BoundPtr body, analyze(*e.args[0], inner));
  made->type.fields.push_back({std::nullopt, body->type});
  made->args.push_back(std::move(body));
  return BoundPtr(made);
}

}  // namespace aichemy::sql
