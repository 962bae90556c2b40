#include "sql/connectors/iceberg_materialized.h"

#include <algorithm>
#include <charconv>

#include "sql/connectors/iceberg_connector.h"
#include "sql/connectors/iceberg_tables.h"

namespace aichemy::sql {

namespace {

constexpr const char* kStorageTable = "trino.storage-table";
constexpr const char* kGrace = "trino.grace-period-seconds";
constexpr const char* kWhenStale = "trino.when-stale";
// Of the storage table's snapshots, as Trino names them.
constexpr const char* kDependsOn = "dependsOnTables";
constexpr const char* kBegan = "trino-query-start-time";
constexpr const char* kUnknown = "UNKNOWN";

std::string storage_name(const std::string& view) { return view + kStorageSuffix; }

// "schema.table=5,other.table=UNKNOWN"
std::map<std::string, std::string> sources_of(std::string_view text) {
  std::map<std::string, std::string> sources;
  while (!text.empty()) {
    std::string_view part = text.substr(0, text.find(','));
    text.remove_prefix(std::min(text.size(), part.size() + 1));
    size_t equal = part.rfind('=');
    if (equal == std::string_view::npos) continue;
    std::string_view version = part.substr(equal + 1);
    sources[std::string(part.substr(0, equal))] = version == kUnknown ? "" : version;
  }
  return sources;
}

std::string sources_text(const std::map<std::string, std::string>& sources) {
  std::string text;
  for (const auto& [table, version] : sources) {
    text += (text.empty() ? "" : ",") + table + "=";
    text += version.empty() ? kUnknown : version;
  }
  return text;
}

std::optional<int64_t> whole_number(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::unexpected<Error> no_such_view(const TableName& name) {
  return fail(Code::not_found, "view_not_found",
              "Materialized view does not exist: " + name.schema + "." + name.table);
}

struct Refresh final : Insert {
  TableRef storage;
  catalog::ChangeRows rows;
};

}  // namespace

Result<std::vector<std::string>> IcebergMaterializedViews::list(const Call& call,
                                                                const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, tables_.find_schema(call, schema));
  ASSIGN_OR_RETURN(auto tables, in_our_words(catalog_.list_tables(call, space)));
  std::vector<std::string> names;
  for (const auto& table : tables) {
    if (table.name.ends_with(kStorageSuffix))
      names.push_back(
          table.name.substr(0, table.name.size() - std::string_view(kStorageSuffix).size()));
  }
  std::ranges::sort(names);
  return names;
}

Result<std::optional<MaterializedView>> IcebergMaterializedViews::get(const Call& call,
                                                                      const TableName& name) {
  ASSIGN_OR_RETURN(auto view, tables_.load_view(call, name));
  if (!view || !view->kept.contains(kStorageTable)) return std::optional<MaterializedView>();
  MaterializedView made;
  made.storage = view->kept.at(kStorageTable);
  if (auto grace = view->kept.find(kGrace); grace != view->kept.end())
    made.grace_seconds = whole_number(grace->second);
  auto stale = view->kept.find(kWhenStale);
  made.fails_when_stale = stale != view->kept.end() && stale->second == "FAIL";
  made.view = std::move(*view);
  ASSIGN_OR_RETURN(TableRef table, storage(call, name, made));
  if (!table) return std::optional(std::move(made));
  made.properties = table->properties;
  const auto* snapshot = iceberg_table(table).loaded.metadata->current_snapshot();
  if (!snapshot) return std::optional(std::move(made));
  auto sources = snapshot->summary.find(kDependsOn);
  if (sources == snapshot->summary.end()) return std::optional(std::move(made));
  made.sources = sources_of(sources->second);
  made.refreshed_millis =
      whole_number(snapshot->summary_value(kBegan)).value_or(snapshot->timestamp_millis);
  return std::optional(std::move(made));
}

Result<TableRef> IcebergMaterializedViews::storage(const Call& call, const TableName& name,
                                                   const MaterializedView& view) {
  return tables_.get_table(call, {name.schema, view.storage});
}

// Whether a table is another than it was at a version, and since when.
Result<bool> IcebergMaterializedViews::changed_since(const Call& call, const std::string& table,
                                                     const std::string& version,
                                                     std::optional<int64_t>* changed_millis) {
  size_t dot = table.rfind('.');
  if (dot == std::string::npos) return true;
  ASSIGN_OR_RETURN(TableRef now,
                   tables_.get_table(call, {table.substr(0, dot), table.substr(dot + 1)}));
  const auto* iceberg = dynamic_cast<const IcebergTable*>(now.get());
  if (!iceberg) return true;
  if (now->version == version) return false;
  for (const auto& snapshot : iceberg->loaded.metadata->snapshots) {
    bool next = snapshot.parent_id ? std::to_string(*snapshot.parent_id) == version
                                   : version == kNoSnapshot;
    if (next) *changed_millis = snapshot.timestamp_millis;
  }
  return true;
}

Result<ViewFreshness> IcebergMaterializedViews::freshness(const Call& call,
                                                          const MaterializedView& view) {
  using Kind = ViewFreshness::Kind;
  if (!view.sources) return ViewFreshness{};
  ViewFreshness made{Kind::fresh, std::nullopt};
  for (const auto& [table, version] : *view.sources) {
    if (version.empty()) {
      if (made.kind == Kind::fresh) made = {Kind::unknown, view.refreshed_millis};
      continue;
    }
    std::optional<int64_t> changed;
    ASSIGN_OR_RETURN(bool stale, changed_since(call, table, version, &changed));
    if (!stale) continue;
    int64_t since = changed.value_or(view.refreshed_millis);
    bool known = made.kind == Kind::stale && made.last_fresh_millis;
    made = {Kind::stale, known ? std::min(*made.last_fresh_millis, since) : since};
  }
  return made;
}

Status IcebergMaterializedViews::create(const Call& call, const TableName& name,
                                        const MaterializedView& view, bool replace) {
  if (replace) {
    ASSIGN_OR_RETURN(auto before, get(call, name));
    if (before) RETURN_IF_ERROR(drop(call, name));
  }
  NewTable storage;
  storage.name = {name.schema, storage_name(name.table)};
  storage.columns = view.view.columns;
  storage.properties = view.properties;
  RETURN_IF_ERROR(tables_.create_table(call, storage));
  View stored = view.view;
  stored.kept[kStorageTable] = storage.name.table;
  if (view.grace_seconds) stored.kept[kGrace] = std::to_string(*view.grace_seconds);
  if (view.fails_when_stale) stored.kept[kWhenStale] = "FAIL";
  Status made = tables_.create_view(call, name, stored, false);
  if (!made) {
    // Without its view the table has no rows and no name that anybody knows.
    (void)tables_.drop_table(call, storage.name);
  }
  return made;
}

Status IcebergMaterializedViews::drop(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto view, get(call, name));
  if (!view) return no_such_view(name);
  RETURN_IF_ERROR(tables_.drop_view(call, name));
  Status dropped = tables_.drop_table(call, {name.schema, view->storage});
  if (!dropped && dropped.error().is("table_not_found")) return {};
  return dropped;
}

Status IcebergMaterializedViews::rename(const Call& call, const TableName& from,
                                        const TableName& to) {
  ASSIGN_OR_RETURN(auto view, get(call, from));
  if (!view) return no_such_view(from);
  ASSIGN_OR_RETURN(auto stored, tables_.find_name(call, {from.schema, view->storage}, false));
  ASSIGN_OR_RETURN(auto space, tables_.find_schema(call, to.schema));
  TableName storage{to.schema, storage_name(to.table)};
  RETURN_IF_ERROR(in_our_words(catalog_.rename_table(call, stored, {space, storage.table})));
  View renamed = view->view;
  renamed.kept[kStorageTable] = storage.table;
  RETURN_IF_ERROR(tables_.create_view(call, to, renamed, false));
  return tables_.drop_view(call, from);
}

Status IcebergMaterializedViews::set_properties(const Call&, const TableName&, const Properties&) {
  return fail(Code::unsupported, "NOT_SUPPORTED",
              "This connector does not support setting materialized view properties");
}

Result<std::unique_ptr<Insert>> IcebergMaterializedViews::begin_refresh(
    const Call& call, const TableName& name, const MaterializedView& view,
    const std::map<std::string, std::string>& sources, int64_t began_millis) {
  auto refresh = std::make_unique<Refresh>();
  ASSIGN_OR_RETURN(refresh->storage, storage(call, name, view));
  if (!refresh->storage) {
    return fail(Code::not_found, "table_not_found",
                "Storage table of materialized view does not exist: " + view.storage);
  }
  const catalog::LoadedTable& table = iceberg_table(refresh->storage).loaded;
  ASSIGN_OR_RETURN(refresh->target, insert_target(table));
  refresh->rows.name = table.name;
  refresh->rows.summary = {{kDependsOn, sources_text(sources)},
                           {kBegan, std::to_string(began_millis)}};
  tables::iceberg::RowChange& change = refresh->rows.change;
  change.spec_id = table.metadata->default_spec_id;
  if (!table.metadata->current_snapshot()) return refresh;
  ASSIGN_OR_RETURN(auto plan, in_our_words(catalog_.plan(call, table, {})));
  change.read_snapshot_id = plan.snapshot_id;
  for (const auto& file : plan.files) change.replaced.push_back(file.path);
  return refresh;
}

Status IcebergMaterializedViews::finish_refresh(const Call& call, Insert& insert,
                                                std::vector<WrittenFile> files) {
  auto& refresh = static_cast<Refresh&>(insert);
  const catalog::LoadedTable& table = iceberg_table(refresh.storage).loaded;
  for (const WrittenFile& written : files) {
    ASSIGN_OR_RETURN(auto file, committed_file(written, table, refresh.rows.change.spec_id));
    refresh.rows.change.added.push_back(std::move(file));
  }
  auto done = in_our_words(catalog_.change_rows(call, refresh.rows));
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::sql
