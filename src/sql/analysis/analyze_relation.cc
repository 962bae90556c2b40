// FROM: tables, views, named queries, UNNEST, LATERAL. Joins: analyze_join.cc.
#include <fmt/format.h>

#include <charconv>

#include "base/check.h"
#include "sql/analysis/analyzer.h"
#include "sql/analysis/relations.h"
#include "sql/language/parser.h"
#include "sql/types/moment.h"

namespace aichemy::sql {

Result<ResolvedName> Analyzer::resolve_table(const QualifiedName& name, Position at) {
  ResolvedName made;
  if (name.size() > 3) return semantic_error("SYNTAX_ERROR", at, "Too many dots in table name");
  if (name.size() < 3 && !session_.catalog) {
    return semantic_error("MISSING_CATALOG_NAME", at,
                          "Catalog must be specified when session catalog is not set");
  }
  if (name.size() < 2 && !session_.schema) {
    return semantic_error("MISSING_SCHEMA_NAME", at,
                          "Schema must be specified when session schema is not set");
  }
  made.catalog = name.size() == 3 ? name[0].lower() : lower_case(*session_.catalog);
  made.schema = name.size() >= 2 ? name[name.size() - 2].lower() : lower_case(*session_.schema);
  made.table = name.back().lower();
  auto found = catalogs_.find(made.catalog);
  if (found == catalogs_.end()) {
    return semantic_error("CATALOG_NOT_FOUND", at,
                          fmt::format("Catalog '{}' not found", made.catalog));
  }
  made.connector = found->second;
  return made;
}

Result<ResolvedName> Analyzer::resolve_schema(const QualifiedName& name, Position at) {
  ResolvedName made;
  if (name.size() > 2) return semantic_error("SYNTAX_ERROR", at, "Too many parts in schema name");
  if (name.size() < 2 && !session_.catalog) {
    return semantic_error("MISSING_CATALOG_NAME", at,
                          "Catalog must be specified when session catalog is not set");
  }
  if (name.empty() && !session_.schema) {
    return semantic_error("MISSING_SCHEMA_NAME", at,
                          "Schema must be specified when session schema is not set");
  }
  made.catalog = name.size() == 2 ? name[0].lower() : lower_case(*session_.catalog);
  made.schema = name.empty() ? lower_case(*session_.schema) : name.back().lower();
  auto found = catalogs_.find(made.catalog);
  if (found == catalogs_.end()) {
    return semantic_error("CATALOG_NOT_FOUND", at,
                          fmt::format("Catalog '{}' not found", made.catalog));
  }
  made.connector = found->second;
  return made;
}

Analyzer::From Analyzer::from_plan(std::shared_ptr<Plan> plan, std::vector<std::string> qualifier) {
  From from;
  plan->relation = next_relation_++;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    from.fields.push_back({plan->fields[i].name, qualifier,
                           make_column(plan->relation, i, plan->fields[i].type), false});
  }
  from.relations.insert(plan->relation);
  from.plan = std::move(plan);
  return from;
}

namespace {

// The engine looks at all orders of relations that nothing links. Those of one row each have no
// order worth looking for: so many become a relation of their own.
constexpr size_t kSingleRowsAtOnce = 4;

}  // namespace

Result<Analyzer::From> Analyzer::analyze_from(const std::vector<RelationPtr>& relations,
                                              const Scope* outer) {
  From from;
  if (relations.empty()) {
    from.plan = std::make_shared<Plan>();
    return from;
  }
  size_t single_rows = 0;
  for (const auto& relation : relations) {
    if (!from.plan) {
      ASSIGN_OR_RETURN(from, analyze_relation(*relation, outer));
      single_rows = is_global_aggregate(*from.plan) ? 1 : 0;
      continue;
    }
    // Later items may be lateral or UNNEST: they see the earlier ones.
    Scope lateral;
    lateral.parent = outer;
    lateral.fields = std::move(from.fields);  // until they are back: there can be thousands
    lateral.neighbours = true;
    ASSIGN_OR_RETURN(From right, analyze_relation(*relation, &lateral));
    from.fields = std::move(lateral.fields);
    bool single_row = single_rows > 0 && !right.plan->lateral && is_global_aggregate(*right.plan);
    from.plan = join_plans(std::move(from.plan), std::move(right.plan), "CROSS", nullptr);
    for (auto& field : right.fields) from.fields.push_back(std::move(field));
    from.relations.insert(right.relations.begin(), right.relations.end());
    single_rows = single_row ? single_rows + 1 : 0;
    if (single_rows < kSingleRowsAtOnce) continue;
    auto made = std::make_shared<Plan>();
    made->kind = Plan::Kind::select;
    made->inputs.push_back(std::move(from.plan));
    for (const auto& field : from.fields) {
      made->fields.push_back({field.name, field.value->type});
      made->items.push_back(field.value);
    }
    From settled = from_plan(std::move(made), {});
    for (size_t i = 0; i < from.fields.size(); ++i)
      from.fields[i].value = std::move(settled.fields[i].value);
    from.plan = std::move(settled.plan);
    from.relations.merge(settled.relations);
    single_rows = 1;
  }
  return from;
}

PlanPtr Analyzer::join_plans(PlanPtr left, PlanPtr right, std::string kind, BoundPtr condition) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::join;
  made->text = std::move(kind);
  made->lateral = right->kind == Plan::Kind::unnest || right->lateral;
  made->inputs = {std::move(left), std::move(right)};
  made->condition = std::move(condition);
  return made;
}

Result<Analyzer::From> Analyzer::analyze_relation(const Relation& relation, const Scope* outer) {
  switch (relation.kind) {
    case Relation::Kind::table: {
      ASSIGN_OR_RETURN(From from, analyze_table(relation, outer));
      return aliased(std::move(from), relation);
    }
    case Relation::Kind::query: {
      while (outer && outer->neighbours) outer = outer->parent;  // not LATERAL
      ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*relation.query, outer));
      return aliased(from_plan(std::make_shared<Plan>(*plan), {}), relation);
    }
    case Relation::Kind::lateral: {
      // What is FROM inside sees the neighbours of the LATERAL as outer columns.
      Scope around;
      around.parent = outer;
      ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(*relation.query, &around));
      auto copy = std::make_shared<Plan>(*plan);
      copy->lateral = true;
      return aliased(from_plan(std::move(copy), {}), relation);
    }
    case Relation::Kind::unnest: {
      ASSIGN_OR_RETURN(From from, analyze_unnest(relation, outer));
      return aliased(std::move(from), relation);
    }
    case Relation::Kind::json_table: {
      ASSIGN_OR_RETURN(From from, analyze_json_table(relation, outer));
      return aliased(std::move(from), relation);
    }
    case Relation::Kind::join: return analyze_join(relation, outer);
    case Relation::Kind::match_recognize: {
      ASSIGN_OR_RETURN(From from, analyze_match_recognize(relation, outer));
      return aliased(std::move(from), relation);
    }
    case Relation::Kind::sample: {
      ASSIGN_OR_RETURN(From from, analyze_relation(*relation.left, outer));
      ASSIGN_OR_RETURN(BoundPtr percent, constant(*relation.args[0]));
      auto made = std::make_shared<Plan>();
      made->kind = Plan::Kind::sample;
      while (percent->kind == Bound::Kind::cast) percent = percent->args[0];
      const std::string& text = percent->text;
      if (percent->null || text.empty())
        return semantic_error("INVALID_ARGUMENTS", relation.at, "Sample percentage cannot be NULL");
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), made->percentage);
      if (error != std::errc() || made->percentage < 0 || made->percentage > 100) {
        return semantic_error("NUMERIC_VALUE_OUT_OF_RANGE", relation.at,
                              "Sample percentage must be between 0 and 100 (inclusive)");
      }
      made->inputs.push_back(from.plan);
      from.plan = std::move(made);
      return from;
    }
    case Relation::Kind::table_function: break;
  }
  ASSIGN_OR_RETURN(From from, analyze_table_function(relation, outer));
  return aliased(std::move(from), relation);
}

Result<Analyzer::From> Analyzer::aliased(From from, const Relation& relation) {
  if (!relation.alias) return from;
  std::vector<std::string> qualifier = {relation.alias->lower()};
  size_t visible = 0;
  for (const auto& field : from.fields) visible += field.hidden ? 0 : 1;
  if (!relation.column_aliases.empty() && relation.column_aliases.size() != visible) {
    return semantic_error(
        "MISMATCHED_COLUMN_ALIASES", relation.at,
        fmt::format("Column alias list has {} entries but '{}' has {} columns available",
                    relation.column_aliases.size(), relation.alias->lower(), visible));
  }
  size_t i = 0;
  for (auto& field : from.fields) {
    field.qualifier = qualifier;
    if (field.hidden || relation.column_aliases.empty()) continue;
    field.name = relation.column_aliases[i++].text;
  }
  return from;
}

Result<TableVersion> Analyzer::version_of(const Relation& relation) {
  TableVersion version;
  const Expression& expression = *(relation.version ? relation.version : relation.timestamp);
  ASSIGN_OR_RETURN(BoundPtr value, constant(expression));
  bool by_time = relation.timestamp != nullptr;
  const Type& type = value->type;
  bool time =
      type.is(TypeKind::timestamp) || type.is(TypeKind::timestamp_tz) || type.is(TypeKind::date);
  if (by_time && !time) {
    return semantic_error("TYPE_MISMATCH", expression.at,
                          fmt::format("Type {} invalid. Temporal pointers must be of type "
                                      "Timestamp, Timestamp with Time Zone, or Date.",
                                      type.display()));
  }
  if (!by_time && !type.is_integer() && !type.is_text()) {
    return semantic_error("NOT_SUPPORTED", expression.at,
                          "Unsupported type for table version: " + type.display());
  }
  if (by_time) value = make_cast(std::move(value), Type(TypeKind::timestamp_tz, 6));
  ASSIGN_OR_RETURN(Json point, evaluate_(value));
  if (point.is_null())
    return semantic_error("INVALID_ARGUMENTS", expression.at, "Pointer value cannot be NULL");
  if (!by_time && type.is_integer()) version.id = point.as_int();
  if (!by_time && type.is_text()) version.ref = point.as_string();
  if (!by_time) return version;
  auto parsed = parse_moment(TypeKind::timestamp_tz, point.as_string(), kUtc, 0);
  CHECK(parsed.has_value());
  version.at_millis = parsed->moment.seconds * 1000 + parsed->moment.picos / 1'000'000'000;
  // current_timestamp is rounded to milliseconds, up or down.
  int64_t now = (session_.start.time_since_epoch().count() + 500) / 1000;
  if (*version.at_millis > now) {
    return semantic_error("INVALID_ARGUMENTS", expression.at,
                          fmt::format("Pointer value '{}' is not in the past", point.as_string()));
  }
  return version;
}

Result<TableRef> Analyzer::find_table(const ResolvedName& name) {
  auto known = tables_.find({name.connector, name.name()});
  if (known != tables_.end()) return known->second;
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  tables_.emplace(std::pair(name.connector, name.name()), table);
  return table;
}

namespace {

std::unexpected<Error> no_version(const Relation& relation) {
  return semantic_error("NOT_SUPPORTED", relation.at, "Only tables have versions to read");
}

}  // namespace

Result<Analyzer::From> Analyzer::analyze_table(const Relation& relation, const Scope* outer) {
  if (relation.name.size() == 1) {
    std::string name = relation.name[0].lower();
    for (const Scope* scope = outer; scope && !scope->barrier; scope = scope->parent) {
      auto found = scope->named_queries.find(name);
      if (found == scope->named_queries.end()) continue;
      if (relation.version || relation.timestamp) return no_version(relation);
      auto plan = std::make_shared<Plan>();
      plan->kind = Plan::Kind::cte;
      plan->arguments = {};
      plan->fields = found->second.fields;
      plan->handle = fmt::format("cte{}", found->second.id);
      return from_plan(std::move(plan), {name});
    }
  }
  ASSIGN_OR_RETURN(ResolvedName name, resolve_table(relation.name, relation.at));
  TableRef table;
  if (relation.version || relation.timestamp) {
    ASSIGN_OR_RETURN(TableVersion version, version_of(relation));
    auto found = name.connector->get_table_at(call_, name.name(), version);
    if (!found) {
      Error error = found.error();
      if (error.is("NOT_SUPPORTED")) return std::unexpected(std::move(error));
      error.message =
          fmt::format("line {}:{}: {}", relation.at.line, relation.at.column, error.message);
      return std::unexpected(std::move(error));
    }
    table = std::move(*found);
  } else {
    ASSIGN_OR_RETURN(table, find_table(name));
  }
  if (!table) {
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (view && (relation.version || relation.timestamp)) return no_version(relation);
    if (view) return analyze_view(relation, name, *view);
    if (MaterializedViews* views = name.connector->materialized_views()) {
      ASSIGN_OR_RETURN(auto materialized, views->get(call_, name.name()));
      if (materialized && (relation.version || relation.timestamp)) return no_version(relation);
      if (materialized) return analyze_materialized(relation, name, *materialized);
    }
    ASSIGN_OR_RETURN(bool schema, name.connector->schema_exists(call_, name.schema));
    if (!schema) {
      return semantic_error("SCHEMA_NOT_FOUND", relation.at,
                            fmt::format("Schema '{}' does not exist", name.schema));
    }
    return semantic_error(
        "TABLE_NOT_FOUND", relation.at,
        fmt::format("Table '{}.{}.{}' does not exist", name.catalog, name.schema, name.table));
  }
  return with_row_rules(scan_of(name, table), name, relation.at);
}

Result<TableRef> Analyzer::find_target(const ResolvedName& name, const std::string& branch,
                                       Position at) {
  if (branch.empty()) return find_table(name);
  TableVersion version;
  version.ref = branch;
  auto table = name.connector->get_table_at(call_, name.name(), version);
  if (!table && table.error().is("INVALID_ARGUMENTS"))
    return semantic_error("BRANCH_NOT_FOUND", at,
                          fmt::format("Branch '{}' does not exist", branch));
  return table;
}

Analyzer::From Analyzer::scan_of(const ResolvedName& name, const TableRef& table) {
  auto plan = std::make_shared<Plan>();
  plan->kind = Plan::Kind::scan;
  plan->table = table;
  plan->connector = name.connector;
  for (const auto& column : table->columns) plan->fields.push_back({column.name, column.type});
  From from = from_plan(plan, {name.catalog, name.schema, name.table});
  for (size_t i = 0; i < table->columns.size(); ++i)
    from.fields[i].hidden = table->columns[i].hidden;
  scans_[plan->relation].name = {"", name.catalog, name.schema, name.table};
  note_read(name, from);
  scans_[plan->relation].plan = std::move(plan);
  return from;
}

Result<Analyzer::From> Analyzer::analyze_view(const Relation& relation, const ResolvedName& name,
                                              const View& view) {
  if (view_depth_ >= 20)
    return semantic_error("VIEW_IS_RECURSIVE", relation.at, "views are nested too deeply");
  auto broken = [&](const std::string& why) {
    return semantic_error("INVALID_VIEW", relation.at,
                          fmt::format("Failed analyzing stored view '{}.{}.{}': {}", name.catalog,
                                      name.schema, name.table, why));
  };
  auto parsed = parse_statement(view.sql);
  if (!parsed) return broken(parsed.error().message);
  if ((*parsed)->kind != StatementKind::query) return broken("not a query");
  Session saved = session_;
  session_.catalog = view.catalog;
  session_.schema = view.schema;
  auto path = view.kept.find(kViewPath);
  session_.path = path == view.kept.end() ? "" : path->second;
  std::optional<std::string> saved_owner = view_owner_;
  if (!view.run_as_invoker) view_owner_ = view.owner;
  ++view_depth_;
  auto plan = analyze_query(*(*parsed)->query, nullptr);
  --view_depth_;
  view_owner_ = std::move(saved_owner);
  session_ = std::move(saved);
  if (!plan) return broken(plan.error().message);
  if ((*plan)->fields.size() != view.columns.size())
    return broken("the view is stale: its columns have changed; it must be re-created");
  std::vector<Type> types;
  for (size_t i = 0; i < view.columns.size(); ++i) {
    if (!can_coerce((*plan)->fields[i].type, view.columns[i].type)) {
      return broken(
          fmt::format("column [{}] of type {} projected from query view at position {} cannot be "
                      "coerced to type {}",
                      view.columns[i].name, (*plan)->fields[i].type.display(), i,
                      view.columns[i].type.display()));
    }
    types.push_back(view.columns[i].type);
  }
  auto cast = std::make_shared<Plan>(*cast_columns(std::move(*plan), types));
  for (size_t i = 0; i < view.columns.size(); ++i) cast->fields[i].name = view.columns[i].name;
  From from = from_plan(std::move(cast), {name.catalog, name.schema, name.table});
  note_read(name, from);
  return with_row_rules(std::move(from), name, relation.at);
}

Result<Analyzer::From> Analyzer::analyze_unnest(const Relation& relation, const Scope* outer) {
  auto plan = std::make_shared<Plan>();
  plan->kind = Plan::Kind::unnest;
  plan->ordinality = relation.ordinality;
  Scope scope;
  scope.parent = outer;
  for (const auto& argument : relation.args) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*argument, scope));
    const Type& type = value->type;
    if (type.is(TypeKind::map)) {
      plan->fields.push_back({std::nullopt, type.key()});
      plan->fields.push_back({std::nullopt, type.value()});
    } else if (type.is(TypeKind::array) && type.element().is(TypeKind::row)) {
      for (const auto& field : type.element().fields)
        plan->fields.push_back({field.name, field.type});
    } else if (type.is(TypeKind::array)) {
      plan->fields.push_back({std::nullopt, type.element()});
    } else {
      return semantic_error("INVALID_FUNCTION_ARGUMENT", argument->at,
                            fmt::format("Cannot unnest type: {}", type.display()));
    }
    plan->arguments.push_back(std::move(value));
  }
  if (relation.ordinality) plan->fields.push_back({std::nullopt, Type(TypeKind::bigint)});
  return from_plan(std::move(plan), {});
}

Status Analyzer::table_condition(const QualifiedName& table, const Expression& condition,
                                 std::vector<size_t>* columns, std::vector<Conjunct>* conjuncts) {
  Relation relation{};
  relation.kind = Relation::Kind::table;
  relation.at = condition.at;
  relation.name = table;
  ASSIGN_OR_RETURN(From from, analyze_table(relation, nullptr));
  Scope scope;
  scope.fields = from.fields;
  ASSIGN_OR_RETURN(BoundPtr bound, analyze_condition(condition, scope, "WHERE clause"));
  RETURN_IF_ERROR(check_reads());
  note_conjuncts(*bound, from.relations);
  for (const auto& [id, node] : scans_) {
    columns->assign(node.columns.begin(), node.columns.end());
    *conjuncts = node.conjuncts;
  }
  return {};
}

Status Analyzer::plan_scans(std::vector<std::shared_ptr<void>>& keep, size_t target,
                            Change* change) {
  for (auto& [relation, node] : scans_) {
    ScanRequest request;
    request.columns.assign(node.columns.begin(), node.columns.end());
    request.conjuncts = node.conjuncts;
    if (relation == target) request.change = change;
    ASSIGN_OR_RETURN(Scan scan, node.plan->connector->plan_scan(call_, node.plan->table, request));
    if (auto* engine = std::get_if<EngineScan>(&scan)) {
      node.plan->handle = engine->handle;
      node.plan->text = engine->function;
      node.name.handle = engine->handle;
      if (engine->keep) keep.push_back(std::move(engine->keep));
    } else {
      node.plan->kind = Plan::Kind::rows;
      node.plan->cells = std::move(std::get<RowScan>(scan).rows);
    }
    planned_scans_.push_back(node.name);
  }
  scans_.clear();
  return {};
}

}  // namespace aichemy::sql
