// Joins: ON, USING, NATURAL, with LATERAL on the right.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/relations.h"

namespace aichemy::sql {

namespace {

bool is_true(const Bound& condition) {
  return condition.kind == Bound::Kind::literal && !condition.null && condition.text == "true";
}

bool is_beside(const Plan& plan) { return plan.lateral || plan.kind == Plan::Kind::unnest; }

// Rows that an expression makes are joined with all or, in outer joins, none of the others.
Status check_outer_condition(const Relation& join) {
  bool outer = join.join == "LEFT" || join.join == "RIGHT" || join.join == "FULL";
  bool unnest = join.right->kind == Relation::Kind::unnest;
  if (!outer || !(unnest || join.right->kind == Relation::Kind::json_table)) return {};
  bool always = join.on && join.on->kind == ExpressionKind::boolean_literal &&
                lower_case(join.on->text) == "true";
  if (always) return {};
  return semantic_error("NOT_SUPPORTED", join.on ? join.on->at : join.at,
                        fmt::format("{} JOIN involving {} is only supported with condition ON TRUE",
                                    join.join, unnest ? "UNNEST" : "JSON_TABLE"));
}

// Of NATURAL JOIN, in the order of the left side.
template <typename Fields>
std::vector<Identifier> common_names(const Fields& left, const Fields& right, Position at) {
  std::vector<Identifier> common;
  for (const auto& field : left) {
    if (!field.name || field.hidden) continue;
    for (const auto& other : right) {
      if (other.name && !other.hidden && lower_case(*other.name) == lower_case(*field.name))
        common.push_back({*field.name, false, at});
    }
  }
  return common;
}

}  // namespace

Result<Analyzer::From> Analyzer::analyze_join(const Relation& relation, const Scope* outer) {
  ASSIGN_OR_RETURN(From left, analyze_relation(*relation.left, outer));
  Scope lateral;
  lateral.parent = outer;
  lateral.fields = std::move(left.fields);
  lateral.neighbours = true;
  ASSIGN_OR_RETURN(From right, analyze_relation(*relation.right, &lateral));
  left.fields = std::move(lateral.fields);
  if (relation.join != "INNER" && relation.join != "CROSS") outer_join_ = true;
  RETURN_IF_ERROR(check_outer_condition(relation));
  if (is_beside(*right.plan) && (relation.join == "RIGHT" || relation.join == "FULL")) {
    // The engine knows no lateral right joins; LATERAL that looks at nothing is a plain query.
    std::optional<Position> reference;
    rewrite(right.plan, [&](const BoundPtr& value) -> BoundPtr {
      bool outside = value->kind == Bound::Kind::column && left.relations.contains(value->relation);
      if (outside && !reference) reference = value->at;
      return nullptr;
    });
    if (reference) {
      return semantic_error("INVALID_COLUMN_REFERENCE", *reference,
                            fmt::format("LATERAL reference not allowed in {} JOIN", relation.join));
    }
    auto plain = std::make_shared<Plan>(*right.plan);
    plain->lateral = false;
    right.plan = std::move(plain);
  }
  if (relation.natural) {
    auto common = common_names(left.fields, right.fields, relation.at);
    return join_using(relation, std::move(left), std::move(right), std::move(common));
  }
  if (relation.has_using)
    return join_using(relation, std::move(left), std::move(right), relation.using_columns);
  From from;
  from.fields = left.fields;
  for (auto& field : right.fields) from.fields.push_back(field);
  from.relations = left.relations;
  from.relations.insert(right.relations.begin(), right.relations.end());
  BoundPtr condition;
  std::string kind = relation.join;
  if (relation.on) {
    Scope scope;
    scope.parent = outer;
    scope.fields = from.fields;
    scope.uncorrelated = relation.join != "INNER";
    scope.clause = "JOIN clause";
    ASSIGN_OR_RETURN(condition, analyze_condition(*relation.on, scope, "JOIN ON clause"));
    if (relation.join == "INNER")
      note_conjuncts(*condition, from.relations);
    else
      RETURN_IF_ERROR(hoist_subqueries(left, right, condition));
    // The engine's outer lateral join takes a global aggregate over no rows for no row.
    if (kind == "LEFT" && right.plan->lateral && is_global_aggregate(*right.plan)) {
      if (!is_true(*condition)) {
        return semantic_error("NOT_SUPPORTED", relation.on->at,
                              "LEFT JOIN with LATERAL of an aggregate is supported only with "
                              "condition ON TRUE");
      }
      kind = "CROSS";
      condition = nullptr;
    }
  }
  from.plan = join_plans(std::move(left.plan), std::move(right.plan), kind, std::move(condition));
  return from;
}

// The engine takes no subqueries in the condition of an outer join: each becomes a column beside
// the side whose columns it compares.
Status Analyzer::hoist_subqueries(From& left, From& right, BoundPtr& condition) {
  Status status;
  condition = rewrite(condition, [&](const BoundPtr& value) -> BoundPtr {
    using Kind = Bound::Kind;
    bool query = value->kind == Kind::scalar || value->kind == Kind::exists ||
                 value->kind == Kind::in_plan || value->kind == Kind::quantified;
    if (!query) return nullptr;
    bool of_left = false, of_right = false;
    for (const auto& argument : value->args) {
      rewrite(argument, [&](const BoundPtr& part) -> BoundPtr {
        bool column = part->kind == Kind::column;
        of_left = of_left || (column && left.relations.contains(part->relation));
        of_right = of_right || (column && right.relations.contains(part->relation));
        return nullptr;
      });
    }
    if (of_left && of_right) {
      status = semantic_error("NOT_SUPPORTED", value->at,
                              "A subquery over columns of both sides of an outer join");
      return value;
    }
    auto beside = std::make_shared<Plan>();
    beside->kind = Plan::Kind::select;
    beside->lateral = true;
    beside->relation = next_relation_++;
    beside->fields.push_back({std::nullopt, value->type});
    beside->items.push_back(value);
    BoundPtr column = make_column(beside->relation, 0, value->type, value->at);
    From& side = of_right ? right : left;
    auto joined = std::make_shared<Plan>(
        *join_plans(std::move(side.plan), std::move(beside), "CROSS", nullptr));
    joined->lateral = false;
    side.plan = std::move(joined);
    return column;
  });
  return status;
}

Result<Analyzer::From> Analyzer::join_using(const Relation& relation, From left, From right,
                                            std::vector<Identifier> columns) {
  From from;
  std::vector<BoundPtr> conditions;
  std::set<std::string> merged;
  for (const auto& column : columns) {
    std::string name = column.lower();
    if (!merged.insert(name).second) {
      return semantic_error(
          "DUPLICATE_COLUMN_NAME", column.at,
          fmt::format("Column '{}' appears multiple times in USING clause", name));
    }
    Scope left_scope, right_scope;
    left_scope.fields = left.fields;
    right_scope.fields = right.fields;
    auto missing = [&](const char* side) {
      return semantic_error("COLUMN_NOT_FOUND", column.at,
                            fmt::format("Column '{}' is missing from {} side of join", name, side));
    };
    auto a = find_column({name}, name, column.at, left_scope);
    if (!a && !a.error().is("COLUMN_NOT_FOUND")) return std::unexpected(a.error());
    if (!a) return missing("left");
    auto b = find_column({name}, name, column.at, right_scope);
    if (!b && !b.error().is("COLUMN_NOT_FOUND")) return std::unexpected(b.error());
    if (!b) return missing("right");
    ASSIGN_OR_RETURN(BoundPtr equal, compare("=", *a, *b, column.at));
    conditions.push_back(equal);
    BoundPtr x = *a, y = *b;
    ASSIGN_OR_RETURN(Type type, unify({&x, &y}, "JOIN USING", column.at));
    BoundPtr value = relation.join == "RIGHT"  ? y
                     : relation.join == "FULL" ? make_call(type, "COALESCE({0}, {1})", {x, y})
                                               : x;
    from.fields.push_back({column.text, {}, value, false});
  }
  for (auto* side : {&left, &right}) {
    for (auto& field : side->fields) {
      if (field.name && merged.contains(lower_case(*field.name))) continue;
      from.fields.push_back(field);
    }
    from.relations.insert(side->relations.begin(), side->relations.end());
  }
  BoundPtr condition =
      conditions.empty() ? make_literal(Type(TypeKind::boolean), "true") : conditions[0];
  if (conditions.size() > 1) {
    auto all = std::make_shared<Bound>();
    all->kind = Bound::Kind::chain;
    all->type = Type(TypeKind::boolean);
    all->text = "AND";
    all->args = conditions;
    condition = all;
  }
  from.plan =
      join_plans(std::move(left.plan), std::move(right.plan), relation.join, std::move(condition));
  return from;
}

}  // namespace aichemy::sql
