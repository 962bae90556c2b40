// Inline routines, UNIQUE and MATCH over queries, set operations by column names.
#include <fmt/format.h>

#include <set>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean);

BoundPtr exists(PlanPtr plan, Position at) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::exists;
  made->type = kBoolean;
  made->plan = std::move(plan);
  made->at = at;
  return made;
}

BoundPtr chain(const char* op, std::vector<BoundPtr> conditions) {
  if (conditions.empty()) return make_literal(kBoolean, "true");
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::chain;
  made->type = kBoolean;
  made->text = op;
  made->args = std::move(conditions);
  return made;
}

// SELECT TRUE FROM plan WHERE condition
PlanPtr rows_where(PlanPtr plan, BoundPtr condition) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  made->inputs.push_back(std::move(plan));
  made->where = std::move(condition);
  made->fields.push_back({std::nullopt, kBoolean});
  made->items.push_back(make_literal(kBoolean, "true"));
  return made;
}

}  // namespace

// A call of WITH FUNCTION: one sees those before it.
Result<BoundPtr> Analyzer::inline_call(const Expression& e, Scope& scope, bool& handled) {
  handled = false;
  if (e.qualified.size() > 1) return BoundPtr();
  std::string name = e.qualified.back().lower();
  std::vector<RoutineCandidate> candidates;
  for (const Scope* level = &scope; level && candidates.empty(); level = level->parent) {
    for (size_t i = 0; i < level->functions_count; ++i) {
      const InlineFunction& one = (*level->functions)[i];
      if (one.name.lower() == name) candidates.push_back({&one, {}, level->functions, i});
    }
    if (level->barrier) break;
  }
  if (candidates.empty()) return BoundPtr();
  handled = true;
  ASSIGN_OR_RETURN(auto arguments, analyze_all(e.args, scope));
  ASSIGN_OR_RETURN(RoutineMatch match, match_routine(name, e, arguments, candidates));
  Scope body;
  body.barrier = true;
  body.functions = match.candidate.functions;
  body.functions_count = match.candidate.functions_count;
  return call_routine(match, body, e.at);
}

// SELECT count(*) FROM plan WHERE ... GROUP BY keys
PlanPtr Analyzer::grouped_count(PlanPtr plan, std::vector<BoundPtr> keys, BoundPtr where) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  made->grouped = true;
  made->inputs.push_back(std::move(plan));
  made->where = std::move(where);
  std::vector<size_t> set;
  for (auto& key : keys) {
    set.push_back(made->group_keys.size());
    made->group_keys.push_back(std::move(key));
  }
  made->group_sets.push_back(std::move(set));
  auto count = std::make_shared<Bound>();
  count->kind = Bound::Kind::aggregate;
  count->type = Type(TypeKind::bigint);
  count->text = "count@(*)@";
  made->fields.push_back({std::nullopt, count->type});
  made->items.push_back(std::move(count));
  return made;
}

// UNIQUE (query): no two rows are equal; a row with a NULL equals none.
Result<BoundPtr> Analyzer::analyze_unique(const Expression& e, Scope& scope) {
  Scope around;
  around.parent = &scope;
  around.subquery = true;
  ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*e.query, &around));
  auto inner = std::make_shared<Plan>(*plan);
  inner->relation = next_relation_++;
  std::vector<BoundPtr> keys, known;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    keys.push_back(make_column(inner->relation, i, plan->fields[i].type));
    known.push_back(make_call(kBoolean, "({0} IS NOT NULL)", {keys.back()}));
  }
  auto counted =
      std::make_shared<Plan>(*grouped_count(inner, keys, chain("AND", std::move(known))));
  counted->relation = next_relation_++;
  BoundPtr count = make_column(counted->relation, 0, Type(TypeKind::bigint));
  PlanPtr twice = rows_where(std::move(counted), make_call(kBoolean, "({0} > 1)", {count}));
  return make_call(kBoolean, "(NOT {0})", {exists(std::move(twice), e.at)}, e.at);
}

// row MATCH [UNIQUE] SIMPLE|PARTIAL|FULL (query)
Result<BoundPtr> Analyzer::analyze_match(const Expression& e, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*e.args[0], scope));
  Scope around;
  around.parent = &scope;
  around.subquery = true;
  ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*e.query, &around));
  std::vector<BoundPtr> parts;
  for (size_t i = 0; i < value->type.fields.size() && value->type.is(TypeKind::row); ++i) {
    auto field = std::make_shared<Bound>();
    field->kind = Bound::Kind::field;
    field->type = value->type.fields[i].type;
    field->index = i;
    field->args.push_back(value);
    parts.push_back(value->kind == Bound::Kind::row ? value->args[i] : BoundPtr(field));
  }
  if (!value->type.is(TypeKind::row)) parts.push_back(value);
  if (parts.size() != plan->fields.size()) {
    return semantic_error("TYPE_MISMATCH", e.at,
                          fmt::format("Row value has {} fields but the subquery has {} columns",
                                      parts.size(), plan->fields.size()));
  }
  auto inner = std::make_shared<Plan>(*plan);
  inner->relation = next_relation_++;
  std::vector<BoundPtr> equal, nulls;
  for (size_t i = 0; i < parts.size(); ++i) {
    ASSIGN_OR_RETURN(
        BoundPtr same,
        compare("=", parts[i], make_column(inner->relation, i, plan->fields[i].type), e.at));
    BoundPtr null = make_call(kBoolean, "({0} IS NULL)", {parts[i]});
    equal.push_back(e.op == "PARTIAL" ? make_call(kBoolean, "({0} OR {1})", {null, same}) : same);
    nulls.push_back(std::move(null));
  }
  BoundPtr found;
  if (e.distinct) {
    auto count = std::make_shared<Bound>();
    count->kind = Bound::Kind::scalar;
    count->type = Type(TypeKind::bigint);
    count->plan = grouped_count(inner, {}, chain("AND", std::move(equal)));
    found = make_call(kBoolean, "({0} = 1)", {BoundPtr(count)});
  } else {
    found = exists(rows_where(inner, chain("AND", std::move(equal))), e.at);
  }
  BoundPtr all = chain("AND", nulls), some = chain("OR", nulls);
  if (e.op == "SIMPLE") return make_call(kBoolean, "({0} OR {1})", {some, found}, e.at);
  if (e.op == "PARTIAL") return make_call(kBoolean, "({0} OR {1})", {all, found}, e.at);
  return make_call(kBoolean, "({0} OR (NOT {1} AND {2}))", {all, some, found}, e.at);
}

// Both sides cut down to the columns whose names they share, in the order of the left.
Result<PlanPtr> Analyzer::corresponding(const QueryTerm& term, PlanPtr left, PlanPtr right) {
  if (!term.corresponding_columns.empty())
    return semantic_error("NOT_SUPPORTED", term.at, "CORRESPONDING with columns is unsupported");
  for (const auto& side : {left, right}) {
    std::set<std::string> seen;
    for (const auto& field : side->fields) {
      if (!field.name) {
        return semantic_error(
            "MISSING_COLUMN_NAME", term.at,
            "Anonymous columns are not allowed in set operations with CORRESPONDING");
      }
      if (!seen.insert(lower_case(*field.name)).second) {
        return semantic_error(
            "AMBIGUOUS_NAME", term.at,
            fmt::format("Duplicate columns found when using CORRESPONDING in set operations: {}",
                        lower_case(*field.name)));
      }
    }
  }
  std::vector<std::optional<size_t>> from_left, from_right;
  for (size_t i = 0; i < left->fields.size(); ++i) {
    for (size_t k = 0; k < right->fields.size(); ++k) {
      if (lower_case(*left->fields[i].name) != lower_case(*right->fields[k].name)) continue;
      from_left.emplace_back(i);
      from_right.emplace_back(k);
    }
  }
  if (from_left.empty())
    return semantic_error("MISMATCHED_COLUMN_ALIASES", term.at, "No corresponding columns");
  auto named = [&](const PlanPtr& plan, const std::vector<std::optional<size_t>>& sources) {
    auto made =
        std::make_shared<Plan>(*arrange_columns(plan, sources, [](size_t) { return BoundPtr(); }));
    for (size_t i = 0; i < sources.size(); ++i)
      made->fields[i].name = plan->fields[*sources[i]].name;
    return PlanPtr(made);
  };
  return unify_sets(term, named(left, from_left), named(right, from_right));
}

}  // namespace aichemy::sql
