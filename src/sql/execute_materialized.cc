// CREATE, REFRESH, ALTER, DROP and SHOW CREATE MATERIALIZED VIEW.
#include <fmt/format.h>

#include "sql/statement.h"

namespace aichemy::sql {
namespace {

std::unexpected<Error> no_such_view(const Statement& s, const ResolvedName& name) {
  return semantic_error("TABLE_NOT_FOUND", s.at,
                        fmt::format("Materialized view '{}.{}.{}' does not exist", name.catalog,
                                    name.schema, name.table));
}

}  // namespace

Result<StatementResult> StatementRun::materialized_view(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  MaterializedViews* views = name.connector->materialized_views();
  if (!views && s.kind == StatementKind::create_materialized_view) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "This connector does not support creating materialized views");
  }
  if (!views) return no_such_view(s, name);
  Action action = s.kind == StatementKind::create_materialized_view    ? Action::create_view
                  : s.kind == StatementKind::refresh_materialized_view ? Action::update
                  : s.kind == StatementKind::alter_materialized_view   ? Action::set_properties
                                                                       : Action::drop_view;
  RETURN_IF_ERROR(allowed(action, name));
  if (s.kind == StatementKind::create_materialized_view)
    return create_materialized(s, name, *views);
  if (s.kind == StatementKind::refresh_materialized_view)
    return refresh_materialized(s, name, *views);
  if (s.kind == StatementKind::alter_materialized_view) return alter_materialized(s, name, *views);
  ASSIGN_OR_RETURN(auto view, views->get(call_, name.name()));
  if (!view && s.if_exists) return update_result("DROP MATERIALIZED VIEW");
  if (!view) return no_such_view(s, name);
  auto dropped = views->drop(call_, name.name());
  if (!dropped) return std::unexpected(positioned(dropped.error(), s.at));
  return update_result("DROP MATERIALIZED VIEW");
}

Result<StatementResult> StatementRun::create_materialized(const Statement& s,
                                                          const ResolvedName& name,
                                                          MaterializedViews& views) {
  ASSIGN_OR_RETURN(auto existing, views.get(call_, name.name()));
  if (existing && !s.replace && s.if_exists) return update_result("CREATE MATERIALIZED VIEW");
  std::string plain = fmt::format("{}.{}.{}", name.catalog, name.schema, name.table);
  if (existing && !s.replace) {
    return semantic_error("ALREADY_EXISTS", s.at,
                          fmt::format("Materialized view already exists: '{}'", plain));
  }
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  ASSIGN_OR_RETURN(auto other, name.connector->get_view(call_, name.name()));
  if (table || other) {
    return semantic_error("TABLE_ALREADY_EXISTS", s.at,
                          fmt::format("{} already exists: '{}'", table ? "Table" : "View", plain));
  }
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*s.query));
  MaterializedView made;
  made.view.sql = std::string(sql_.substr(s.query_begin, s.query_end - s.query_begin));
  made.view.catalog = session_.catalog.value_or(name.catalog);
  made.view.schema = session_.schema.value_or(name.schema);
  made.view.comment = s.comment;
  made.view.owner = session_.user;
  if (!session_.path.empty()) made.view.kept[kViewPath] = session_.path;
  ASSIGN_OR_RETURN(made.properties, properties(s.properties));
  made.fails_when_stale = s.mode == "FAIL";
  if (s.value) {
    ASSIGN_OR_RETURN(BoundPtr grace, analyzer_.constant(*s.value));
    if (!grace->type.is(TypeKind::interval_day_time)) {
      return semantic_error("NOT_SUPPORTED", s.value->at,
                            "GRACE PERIOD is not supported in months and years");
    }
    made.grace_seconds = std::strtoll(grace->text.c_str(), nullptr, 10) / 1000;
  }
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    const auto& field = plan->fields[i];
    if (!field.name)
      return semantic_error("MISSING_COLUMN_NAME", s.query->at,
                            fmt::format("Column name not specified at position {}", i + 1));
    if (field.type.is(TypeKind::unknown))
      return semantic_error("COLUMN_TYPE_UNKNOWN", s.query->at,
                            fmt::format("Column type is unknown at position {}", i + 1));
    for (const auto& column : made.view.columns) {
      if (column.name != lower_case(*field.name)) continue;
      return semantic_error("DUPLICATE_COLUMN_NAME", s.query->at,
                            fmt::format("Column name '{}' specified more than once", column.name));
    }
    made.view.columns.push_back({.name = lower_case(*field.name), .type = field.type});
  }
  auto status = views.create(call_, name.name(), made, s.replace);
  if (!status) return std::unexpected(positioned(status.error(), s.at));
  return update_result("CREATE MATERIALIZED VIEW");
}

Result<StatementResult> StatementRun::refresh_materialized(const Statement& s,
                                                           const ResolvedName& name,
                                                           MaterializedViews& views) {
  constexpr const char* kUpdate = "REFRESH MATERIALIZED VIEW";
  ASSIGN_OR_RETURN(auto view, views.get(call_, name.name()));
  if (!view) return no_such_view(s, name);
  ASSIGN_OR_RETURN(ViewFreshness freshness, views.freshness(call_, *view));
  if (freshness.kind == ViewFreshness::Kind::fresh) return count_result(kUpdate, 0);
  Relation relation{};
  relation.at = s.at;
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.view_query(relation, name, view->view));
  std::map<std::string, std::string> sources;
  for (const auto& [catalog, table] : analyzer_.tables_read()) {
    std::string of = table->name.schema + "." + table->name.table;
    bool told = catalog == name.catalog && !table->version.empty();
    sources[told ? of : catalog + "." + of] = told ? table->version : "";
  }
  int64_t began =
      std::chrono::duration_cast<std::chrono::milliseconds>(session_.start.time_since_epoch())
          .count();
  auto refresh = views.begin_refresh(call_, name.name(), *view, sources, began);
  if (!refresh) return std::unexpected(positioned(refresh.error(), s.at));
  Insert& insert = **refresh;
  std::vector<Type> types;
  for (const auto& column : insert.target.columns) types.push_back(column.type);
  plan = analyzer_.cast_columns(std::move(plan), types);
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans));
  std::string select = render_for_write(*plan, insert.target.columns, render_options());
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(auto files, by->write(call_, select, insert.target, std::move(scans)));
  uint64_t rows = 0;
  for (const auto& file : files) rows += file.rows;
  RETURN_IF_ERROR(views.finish_refresh(call_, insert, std::move(files)));
  return count_result(kUpdate, rows);
}

Result<StatementResult> StatementRun::alter_materialized(const Statement& s,
                                                         const ResolvedName& name,
                                                         MaterializedViews& views) {
  bool renames = !s.target.empty();
  const char* update = renames ? "RENAME MATERIALIZED VIEW" : "SET MATERIALIZED VIEW PROPERTIES";
  ASSIGN_OR_RETURN(auto view, views.get(call_, name.name()));
  if (!view && s.if_exists) return update_result(update);
  if (!view) return no_such_view(s, name);
  if (!renames) {
    ASSIGN_OR_RETURN(Properties given, properties(s.properties));
    auto changed = views.set_properties(call_, name.name(), given);
    if (!changed) return std::unexpected(positioned(changed.error(), s.at));
    return update_result(update);
  }
  QualifiedName target = s.target;
  for (size_t missing = 3 - std::min<size_t>(3, target.size()); missing > 0; --missing) {
    Identifier part;
    part.text = missing == 2 && target.size() == 1 ? name.schema : name.catalog;
    target.insert(target.begin(), part);
  }
  ASSIGN_OR_RETURN(ResolvedName to, analyzer_.resolve_table(target, s.at));
  if (to.catalog != name.catalog) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "Materialized View rename across catalogs is not supported");
  }
  ASSIGN_OR_RETURN(bool schema, to.connector->schema_exists(call_, to.schema));
  if (!schema) {
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Target schema '{}' does not exist", to.schema));
  }
  ASSIGN_OR_RETURN(auto other, views.get(call_, to.name()));
  ASSIGN_OR_RETURN(TableRef table, to.connector->get_table(call_, to.name()));
  ASSIGN_OR_RETURN(auto plain, to.connector->get_view(call_, to.name()));
  if (other || table || plain) {
    return semantic_error("TABLE_ALREADY_EXISTS", s.at,
                          fmt::format("Target materialized view '{}.{}.{}' already exists",
                                      to.catalog, to.schema, to.table));
  }
  auto renamed = views.rename(call_, name.name(), to.name());
  if (!renamed) return std::unexpected(positioned(renamed.error(), s.at));
  return update_result(update);
}

Result<std::string> StatementRun::show_materialized(const Statement& s, const ResolvedName& name) {
  MaterializedViews* views = name.connector->materialized_views();
  if (!views) return no_such_view(s, name);
  ASSIGN_OR_RETURN(auto view, views->get(call_, name.name()));
  if (!view) return no_such_view(s, name);
  std::string text =
      fmt::format("CREATE MATERIALIZED VIEW {}.{}.{}", quoted_if_needed(name.catalog),
                  quoted_if_needed(name.schema), quoted_if_needed(name.table));
  if (view->grace_seconds)
    text += fmt::format("\nGRACE PERIOD INTERVAL '{}' SECOND", *view->grace_seconds);
  if (view->fails_when_stale) text += "\nWHEN STALE FAIL";
  if (!view->view.comment.empty()) text += "\nCOMMENT " + quote_text(view->view.comment);
  std::string with;
  for (const auto& [key, value] : view->properties)
    with += fmt::format("{}   {} = {}", with.empty() ? "" : ",\n", quoted_if_needed(key),
                        property_sql(value));
  if (!with.empty()) text += "\nWITH (\n" + with + "\n)";
  return text + " AS\n" + view->view.sql;
}

}  // namespace aichemy::sql
