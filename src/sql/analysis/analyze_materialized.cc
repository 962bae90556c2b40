// Materialized views in FROM: their rows as they were kept while that is new enough, their query
// otherwise.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {

Result<Analyzer::From> Analyzer::analyze_materialized(const Relation& relation,
                                                      const ResolvedName& name,
                                                      const MaterializedView& view) {
  MaterializedViews& views = *name.connector->materialized_views();
  ASSIGN_OR_RETURN(ViewFreshness freshness, views.freshness(call_, view));
  int64_t now =
      std::chrono::duration_cast<std::chrono::milliseconds>(session_.start.time_since_epoch())
          .count();
  bool refreshed = freshness.last_fresh_millis || freshness.kind == ViewFreshness::Kind::fresh;
  bool within_grace =
      refreshed && (!view.grace_seconds ||
                    (*view.grace_seconds > 0 && now - freshness.last_fresh_millis.value_or(now) <=
                                                    *view.grace_seconds * 1000));
  bool kept = freshness.kind == ViewFreshness::Kind::fresh || within_grace;
  TableRef storage;
  if (kept) {
    ASSIGN_OR_RETURN(storage, views.storage(call_, name.name(), view));
  }
  if (!storage && view.fails_when_stale) {
    return semantic_error("VIEW_IS_STALE", relation.at,
                          fmt::format("Materialized view '{}.{}.{}' is stale", name.catalog,
                                      name.schema, name.table));
  }
  if (!storage) return analyze_view(relation, name, view.view);
  From from = scan_of(name, storage);
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  bool same = true;
  for (const auto& field : from.fields) {
    if (field.hidden) continue;
    size_t at = made->items.size();
    if (at >= view.view.columns.size()) break;
    const ColumnInfo& column = view.view.columns[at];
    same = same && field.value->type == column.type;
    made->items.push_back(make_cast(field.value, column.type));
    made->fields.push_back({column.name, column.type});
  }
  if (made->items.size() != view.view.columns.size())
    return semantic_error("INVALID_VIEW", relation.at,
                          "the storage table of the materialized view has other columns");
  if (same) return with_row_rules(std::move(from), name, relation.at);
  made->inputs.push_back(from.plan);
  From cast = from_plan(std::move(made), {name.catalog, name.schema, name.table});
  note_read(name, cast);
  return with_row_rules(std::move(cast), name, relation.at);
}

Result<PlanPtr> Analyzer::view_query(const Relation& relation, const ResolvedName& name,
                                     const View& view) {
  ASSIGN_OR_RETURN(From from, analyze_view(relation, name, view));
  return from.plan;
}

std::vector<std::pair<std::string, TableRef>> Analyzer::tables_read() const {
  std::vector<std::pair<std::string, TableRef>> tables;
  for (const auto& [relation, node] : scans_) {
    for (const auto& [catalog, connector] : catalogs_) {
      if (connector == node.plan->connector) tables.emplace_back(catalog, node.plan->table);
    }
  }
  return tables;
}

}  // namespace aichemy::sql
