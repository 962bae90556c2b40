// FROM: tables, views, named queries, joins, UNNEST, LATERAL.
#include <fmt/format.h>

#include <charconv>

#include "sql/analysis/analyzer.h"
#include "sql/language/parser.h"

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
  if (name.size() > 2)
    return semantic_error("INVALID_SCHEMA_NAME", at, "Too many parts in schema name");
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

Result<Analyzer::From> Analyzer::analyze_from(const std::vector<RelationPtr>& relations,
                                              const Scope* outer) {
  From from;
  if (relations.empty()) {
    from.plan = std::make_shared<Plan>();
    return from;
  }
  for (const auto& relation : relations) {
    if (!from.plan) {
      ASSIGN_OR_RETURN(from, analyze_relation(*relation, outer));
      continue;
    }
    // Later items may be lateral or UNNEST: they see the earlier ones.
    Scope lateral;
    lateral.parent = outer;
    lateral.fields = from.fields;
    lateral.neighbours = true;
    ASSIGN_OR_RETURN(From right, analyze_relation(*relation, &lateral));
    from.plan = join_plans(std::move(from.plan), std::move(right.plan), "CROSS", nullptr);
    for (auto& field : right.fields) from.fields.push_back(std::move(field));
    from.relations.insert(right.relations.begin(), right.relations.end());
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
  return semantic_error("FUNCTION_NOT_FOUND", relation.at,
                        fmt::format("Table function '{}' not registered",
                                    relation.name.empty() ? "" : relation.name.back().lower()));
}

Result<Analyzer::From> Analyzer::aliased(From from, const Relation& relation) {
  if (!relation.alias) return from;
  std::vector<std::string> qualifier = {relation.alias->lower()};
  size_t visible = 0;
  for (const auto& field : from.fields) visible += field.hidden ? 0 : 1;
  if (!relation.column_aliases.empty() && relation.column_aliases.size() != visible) {
    return semantic_error(
        "MISMATCHED_COLUMN_ALIASES", relation.alias->at,
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

Result<Analyzer::From> Analyzer::analyze_table(const Relation& relation, const Scope* outer) {
  if (relation.name.size() == 1) {
    std::string name = relation.name[0].lower();
    for (const Scope* scope = outer; scope && !scope->barrier; scope = scope->parent) {
      auto found = scope->named_queries.find(name);
      if (found == scope->named_queries.end()) continue;
      auto plan = std::make_shared<Plan>();
      plan->kind = Plan::Kind::cte;
      plan->arguments = {};
      plan->fields = found->second.fields;
      plan->handle = fmt::format("cte{}", found->second.id);
      return from_plan(std::move(plan), {name});
    }
  }
  ASSIGN_OR_RETURN(ResolvedName name, resolve_table(relation.name, relation.at));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) {
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (view) return analyze_view(relation, name, *view);
    ASSIGN_OR_RETURN(bool schema, name.connector->schema_exists(call_, name.schema));
    if (!schema) {
      return semantic_error("SCHEMA_NOT_FOUND", relation.at,
                            fmt::format("Schema '{}' does not exist", name.schema));
    }
    return semantic_error(
        "TABLE_NOT_FOUND", relation.at,
        fmt::format("Table '{}.{}.{}' does not exist", name.catalog, name.schema, name.table));
  }
  auto plan = std::make_shared<Plan>();
  plan->kind = Plan::Kind::scan;
  plan->table = table;
  plan->connector = name.connector;
  for (const auto& column : table->columns) plan->fields.push_back({column.name, column.type});
  From from = from_plan(plan, {name.catalog, name.schema, name.table});
  for (size_t i = 0; i < table->columns.size(); ++i)
    from.fields[i].hidden = table->columns[i].hidden;
  ScanNode& scan = scans_[plan->relation];
  scan.plan = plan;
  scan.name = {"", name.catalog, name.schema, name.table};
  auto point = [&](const ExpressionPtr& expression) -> Result<BoundPtr> {
    ASSIGN_OR_RETURN(BoundPtr value, constant(*expression));
    while (value->kind == Bound::Kind::cast) value = value->args[0];
    return value;
  };
  if (relation.version) {
    ASSIGN_OR_RETURN(BoundPtr value, point(relation.version));
    if (!value->type.is_integer()) {
      return semantic_error("NOT_SUPPORTED", relation.version->at,
                            "FOR VERSION AS OF takes a snapshot id");
    }
    scan.version = std::strtoll(value->text.c_str(), nullptr, 10);
  }
  if (relation.timestamp) {
    return semantic_error("NOT_SUPPORTED", relation.timestamp->at,
                          "FOR TIMESTAMP AS OF is not supported; use FOR VERSION AS OF");
  }
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
  ++view_depth_;
  auto plan = analyze_query(*(*parsed)->query, nullptr);
  --view_depth_;
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
  return from_plan(std::move(cast), {name.catalog, name.schema, name.table});
}

Result<Analyzer::From> Analyzer::analyze_join(const Relation& relation, const Scope* outer) {
  ASSIGN_OR_RETURN(From left, analyze_relation(*relation.left, outer));
  Scope lateral;
  lateral.parent = outer;
  lateral.fields = left.fields;
  lateral.neighbours = true;
  ASSIGN_OR_RETURN(From right, analyze_relation(*relation.right, &lateral));
  if (relation.join != "INNER" && relation.join != "CROSS") outer_join_ = true;
  if (right.plan->lateral && (relation.join == "RIGHT" || relation.join == "FULL")) {
    // The engine knows no lateral right joins; LATERAL that looks at nothing is a plain query.
    bool refers = false;
    rewrite(right.plan, [&](const BoundPtr& value) -> BoundPtr {
      refers = refers ||
               (value->kind == Bound::Kind::column && left.relations.contains(value->relation));
      return nullptr;
    });
    if (refers) {
      return semantic_error("INVALID_COLUMN_REFERENCE", relation.at,
                            fmt::format("LATERAL reference not allowed in {} JOIN", relation.join));
    }
    auto plain = std::make_shared<Plan>(*right.plan);
    plain->lateral = false;
    right.plan = std::move(plain);
  }
  if (relation.natural) {
    std::vector<Identifier> common;
    for (const auto& field : left.fields) {
      if (!field.name || field.hidden) continue;
      for (const auto& other : right.fields) {
        if (other.name && !other.hidden && lower_case(*other.name) == lower_case(*field.name)) {
          common.push_back({*field.name, false, relation.at});
        }
      }
    }
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
  if (relation.on) {
    Scope scope;
    scope.parent = outer;
    scope.fields = from.fields;
    ASSIGN_OR_RETURN(condition, analyze_condition(*relation.on, scope, "JOIN ON clause"));
    if (relation.join == "INNER") note_conjuncts(*condition);
  }
  from.plan =
      join_plans(std::move(left.plan), std::move(right.plan), relation.join, std::move(condition));
  return from;
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

Status Analyzer::plan_scans(std::vector<std::shared_ptr<void>>& keep) {
  for (auto& [relation, node] : scans_) {
    ScanRequest request;
    request.columns.assign(node.columns.begin(), node.columns.end());
    request.conjuncts = node.conjuncts;
    request.version = node.version;
    request.as_of_micros = node.as_of;
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
