// Routines: which one a call means, by the types of its arguments, and where unqualified names are
// looked for. One RETURN stands in the place of its call.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/expressions.h"
#include "sql/language/parser.h"

namespace aichemy::sql {
namespace {

// RETURNS NULL ON NULL INPUT
BoundPtr unless_null(const InlineFunction& function, BoundPtr value,
                     const std::vector<BoundPtr>& arguments) {
  BoundPtr some_null;
  for (const auto& argument : arguments) {
    BoundPtr null = make_call(Type(TypeKind::boolean), "({0} IS NULL)", {argument});
    some_null =
        some_null ? make_call(Type(TypeKind::boolean), "({0} OR {1})", {some_null, null}) : null;
  }
  if (!function.returns_null_on_null || !some_null) return value;
  Type type = value->type;
  return make_call(type, "CASE WHEN {0} THEN NULL ELSE {1} END", {some_null, std::move(value)});
}

std::string display_list(const std::vector<Type>& types, const char* separator) {
  std::string made;
  for (const auto& type : types) made += (made.empty() ? "" : separator) + type.display();
  return made;
}

// The parameter of each argument; none when names or numbers do not fit.
std::optional<std::vector<size_t>> places_of(const Expression& e, const InlineFunction& routine) {
  size_t count = routine.parameters.size();
  if (e.args.size() != count) return std::nullopt;
  std::vector<size_t> places;
  for (size_t i = 0; i < count; ++i) {
    size_t place = i;
    if (i < e.names.size() && !e.names[i].text.empty()) {
      place = 0;
      while (place < count && routine.parameters[place].first.lower() != e.names[i].lower())
        ++place;
    }
    if (place == count || std::ranges::find(places, place) != places.end()) return std::nullopt;
    places.push_back(place);
  }
  return places;
}

bool coerces(const std::vector<Type>& from, const std::vector<Type>& to) {
  for (size_t i = 0; i < from.size(); ++i) {
    if (!can_coerce(from[i], to[i])) return false;
  }
  return true;
}

// The names of a.b; none of what is more than that.
QualifiedName plain_names(const Expression& e) {
  if (e.kind == ExpressionKind::identifier) return {e.name};
  if (e.kind != ExpressionKind::dereference) return {};
  QualifiedName names = plain_names(*e.args[0]);
  if (!names.empty()) names.push_back(e.name);
  return names;
}

}  // namespace

Result<BoundPtr> Analyzer::analyze_call(const Expression& e, Scope& scope) {
  // a.b.f(x) reads as a method of the column a.b; when there is none, b is f's schema.
  QualifiedName prefix = e.has_operand ? plain_names(*e.args[0]) : QualifiedName();
  bool schema = prefix.size() > 1;
  if (prefix.size() == 1 && routines_ && session_.catalog) {
    schema =
        !routines_->find(*session_.catalog, prefix[0].lower(), e.qualified.back().lower()).empty();
  }
  if (schema && !resolve_chain(prefix, e.at, scope)) {
    Expression call{};
    call.kind = ExpressionKind::function;
    call.at = e.at;
    call.qualified = std::move(prefix);
    call.qualified.push_back(e.qualified.back());
    call.names.assign(e.names.begin() + (e.names.empty() ? 0 : 1), e.names.end());
    Scope arguments;
    arguments.parent = &scope;
    arguments.aggregates = scope.aggregates;
    arguments.windows = scope.windows;
    arguments.clause = scope.clause;
    for (size_t i = 1; i < e.args.size(); ++i) {
      auto argument = std::make_unique<Expression>();
      argument->kind = ExpressionKind::identifier;
      argument->at = e.args[i]->at;
      argument->name.text = fmt::format("#{}", i);
      ASSIGN_OR_RETURN(arguments.variables[argument->name.text], analyze(*e.args[i], scope));
      call.args.push_back(std::move(argument));
    }
    return analyze_call(call, arguments);
  }
  bool handled = false;
  auto inlined = inline_call(e, scope, handled);
  if (handled || !inlined) return inlined;
  auto stored = stored_call(e, scope, handled);
  if (handled || !stored) return stored;
  return builtin_call(e, scope);
}

std::string Analyzer::RoutineTypes::signature() const {
  return "(" + display_list(parameters, ",") + ")";
}

Result<Analyzer::RoutineTypes> Analyzer::routine_types(const InlineFunction& routine) {
  RoutineTypes made;
  for (const auto& [name, text] : routine.parameters) {
    ASSIGN_OR_RETURN(Type type, type_at(text, routine.at));
    made.parameters.push_back(std::move(type));
  }
  if (!routine.returns.empty()) {
    ASSIGN_OR_RETURN(made.returns, type_at(routine.returns, routine.returns_at));
  }
  return made;
}

Status Analyzer::check_routine(const InlineFunction& routine) {
  ASSIGN_OR_RETURN(RoutineTypes types, routine_types(routine));
  for (size_t i = 0; i < routine.parameters.size(); ++i) {
    for (size_t k = 0; k < i; ++k) {
      const Identifier& name = routine.parameters[i].first;
      if (routine.parameters[k].first.lower() != name.lower()) continue;
      return semantic_error("INVALID_ARGUMENTS", name.at,
                            fmt::format("Parameter name '{}' is used more than once", name.text));
    }
  }
  Session saved = session_;
  session_.catalog.reset();
  session_.schema.reset();
  Scope body;
  body.barrier = true;
  auto compiled = compile_routine(routine, types.returns, body);
  session_ = std::move(saved);
  if (!compiled) return std::unexpected(compiled.error());
  return {};
}

// An exact match, or the one whose parameters all coerce to those of the others that fit.
// FUNCTION_NOT_FOUND when none fits.
Result<Analyzer::RoutineMatch> Analyzer::match_routine(
    const std::string& name, const Expression& e, const std::vector<BoundPtr>& arguments,
    const std::vector<RoutineCandidate>& candidates) {
  std::vector<Type> given;
  for (const auto& argument : arguments) given.push_back(argument->type);
  std::vector<RoutineMatch> fitting;
  std::vector<std::string> expected;
  for (const auto& candidate : candidates) {
    RoutineMatch match{candidate, {}, {}};
    ASSIGN_OR_RETURN(match.types, routine_types(*candidate.routine));
    expected.push_back(fmt::format("{}({})", name, display_list(match.types.parameters, ", ")));
    auto places = places_of(e, *candidate.routine);
    if (!places) continue;
    std::vector<Type> wanted;
    for (size_t place : *places) wanted.push_back(match.types.parameters[place]);
    if (!coerces(given, wanted)) continue;
    match.values.resize(arguments.size());
    for (size_t i = 0; i < arguments.size(); ++i)
      match.values[(*places)[i]] = make_cast(arguments[i], wanted[i]);
    if (given == wanted) return match;
    fitting.push_back(std::move(match));
  }
  if (fitting.empty()) {
    std::ranges::sort(expected);
    std::string list;
    for (const auto& one : expected) list += (list.empty() ? "" : ", ") + one;
    return semantic_error("FUNCTION_NOT_FOUND", e.at,
                          fmt::format("Unexpected parameters ({}) for function {}. Expected: {}",
                                      display_list(given, ", "), name, list));
  }
  for (auto& match : fitting) {
    bool best = std::ranges::all_of(fitting, [&](const RoutineMatch& other) {
      return coerces(match.types.parameters, other.types.parameters);
    });
    if (best) return std::move(match);
  }
  return semantic_error("AMBIGUOUS_FUNCTION_CALL", e.at,
                        fmt::format("Could not choose a best candidate of function {}. Explicit "
                                    "type casts must be added",
                                    name));
}

Result<BoundPtr> Analyzer::call_routine(const RoutineMatch& match, Scope& body, Position at) {
  const InlineFunction& routine = *match.candidate.routine;
  const Type& returns = match.types.returns;
  // In place of its call, a body would take such an argument anew for each use.
  if (routine.statement || std::ranges::any_of(match.values, varies)) {
    auto call = std::make_shared<Bound>();
    call->kind = Bound::Kind::routine;
    call->type = returns;
    call->at = at;
    ASSIGN_OR_RETURN(call->routine, compile_routine(routine, returns, body));
    call->args = match.values;
    return unless_null(routine, std::move(call), match.values);
  }
  for (size_t i = 0; i < match.values.size(); ++i)
    body.variables[routine.parameters[i].first.lower()] = match.values[i];
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*routine.body, body));
  if (!can_coerce(value->type, returns)) {
    return semantic_error("TYPE_MISMATCH", routine.body->at,
                          fmt::format("Value of RETURN must evaluate to {} (actual: {})",
                                      returns.display(), value->type.display()));
  }
  return unless_null(routine, make_cast(value, returns), match.values);
}

Result<std::vector<Analyzer::RoutineCandidate>> Analyzer::stored_candidates(
    const std::string& catalog, const std::string& schema, const std::string& name) {
  std::vector<RoutineCandidate> made;
  if (!routines_) return made;
  for (auto& stored : routines_->find(catalog, schema, name)) {
    auto& parsed = parsed_routines_[stored.full_name() + stored.signature];
    if (!parsed) {
      ASSIGN_OR_RETURN(InlineFunction routine, parse_routine(stored.sql));
      parsed = std::make_unique<InlineFunction>(std::move(routine));
    }
    RoutineCandidate candidate;
    candidate.routine = parsed.get();
    candidate.stored = std::move(stored);
    made.push_back(std::move(candidate));
  }
  return made;
}

// A stored body sees neither what is around its call nor the session's defaults, but the path of
// the session that made it.
Result<BoundPtr> Analyzer::call_stored(const std::string& name, const Expression& e, Scope& scope,
                                       const std::vector<RoutineCandidate>& candidates) {
  if (e.distinct || e.filter || e.window || !e.order_by.empty()) {
    return semantic_error("FUNCTION_NOT_AGGREGATE", e.at,
                          fmt::format("{} is not an aggregate or window function", name));
  }
  ASSIGN_OR_RETURN(auto arguments, analyze_all(e.args, scope));
  ASSIGN_OR_RETURN(RoutineMatch match, match_routine(name, e, arguments, candidates));
  const StoredRoutine& stored = *match.candidate.stored;
  Identity caller = identity();
  if (view_owner_) caller.user = *view_owner_;
  RETURN_IF_ERROR(check_access(access_, caller, Action::execute_function,
                               {stored.catalog, stored.schema, stored.name}));
  std::string key = stored.full_name() + stored.signature;
  if (!open_routines_.insert(key).second) {
    return semantic_error("NOT_SUPPORTED", e.at,
                          "Recursive language functions are not supported: " + key);
  }
  Session saved = session_;
  session_.catalog.reset();
  session_.schema.reset();
  session_.path = stored.path;
  Scope body;
  body.barrier = true;
  auto called = call_routine(match, body, e.at);
  session_ = std::move(saved);
  open_routines_.erase(key);
  return called;
}

// A call whose name says the schema.
Result<BoundPtr> Analyzer::stored_call(const Expression& e, Scope& scope, bool& handled) {
  size_t parts = e.qualified.size();
  if (parts == 1) return path_call(e, scope, handled);
  std::string name;
  for (const auto& part : e.qualified) name += (name.empty() ? "" : ".") + part.lower();
  handled = true;
  if (parts > 3)
    return semantic_error("FUNCTION_NOT_FOUND", e.at, "Invalid function name: " + name);
  if (parts == 2 && !session_.catalog) {
    return semantic_error(
        "MISSING_CATALOG_NAME", e.at,
        "Session default catalog must be set to resolve a partial function name: " + name);
  }
  std::string catalog = parts == 3 ? e.qualified[0].lower() : *session_.catalog;
  std::string schema = e.qualified[parts - 2].lower();
  handled = catalog != "system" || schema != "builtin";
  if (!handled) return BoundPtr();
  ASSIGN_OR_RETURN(auto candidates, stored_candidates(catalog, schema, e.qualified.back().lower()));
  if (candidates.empty()) {
    return semantic_error("FUNCTION_NOT_FOUND", e.at,
                          fmt::format("Function '{}' not registered", name));
  }
  return call_stored(name, e, scope, candidates);
}

// Along the path; what is built in comes first unless the path names system.builtin elsewhere. A
// schema whose functions of that name do not fit the arguments is passed over.
Result<BoundPtr> Analyzer::path_call(const Expression& e, Scope& scope, bool& handled) {
  if (!routines_ || session_.path.empty()) return BoundPtr();
  ASSIGN_OR_RETURN(auto path, parse_path(session_.path));
  std::string name = e.qualified.back().lower();
  std::vector<std::vector<RoutineCandidate>> schemas;  // empty: what is built in
  bool names_builtin = false, found = false;
  for (const auto& element : path) {
    if (element.size() == 1 && !session_.catalog) {
      return semantic_error(
          "MISSING_CATALOG_NAME", e.at,
          "Session default catalog must be set to resolve a partial function name: " + name);
    }
    std::string catalog = element.size() == 1 ? *session_.catalog : element[0].lower();
    std::string schema = element.back().lower();
    bool builtin = catalog == "system" && schema == "builtin";
    names_builtin = names_builtin || builtin;
    ASSIGN_OR_RETURN(auto candidates, stored_candidates(catalog, schema, name));
    found = found || !candidates.empty();
    if (builtin || !candidates.empty()) schemas.push_back(std::move(candidates));
  }
  if (!found) return BoundPtr();
  if (!names_builtin) schemas.insert(schemas.begin(), std::vector<RoutineCandidate>());
  handled = true;
  Result<BoundPtr> unfit = BoundPtr();
  for (const auto& candidates : schemas) {
    auto called =
        candidates.empty() ? builtin_call(e, scope) : call_stored(name, e, scope, candidates);
    if (called || !called.error().is("FUNCTION_NOT_FOUND")) return called;
    bool known = !candidates.empty() || !functions_named(name).empty();
    if (known || unfit) unfit = std::move(called);
  }
  return unfit;
}

}  // namespace aichemy::sql
