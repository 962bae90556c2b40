#include "sql/connectors/iceberg_connector.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "sql/connectors/iceberg_mapping.h"
#include "sql/connectors/iceberg_metadata_tables.h"
#include "sql/connectors/iceberg_tables.h"
#include "tables/calendar.h"

namespace aichemy::sql {

namespace {

constexpr const char* kTrinoColumns =
    "aichemy.trino-columns";  // a view's columns with their exact Trino types

struct HiddenColumn {
  const char* name;
  LakeColumnSource source;
  Type type;
};
const HiddenColumn kHidden[] = {
    {"$partition", LakeColumnSource::partition, Type::varchar()},
    {"$path", LakeColumnSource::path, Type::varchar()},
    {"$file_modified_time", LakeColumnSource::modified, Type(TypeKind::timestamp_tz, 3)},
};

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

catalog::NamespaceName split_schema(const std::string& schema) {
  catalog::NamespaceName space;
  size_t start = 0;
  while (true) {
    size_t dot = schema.find('.', start);
    space.push_back(schema.substr(start, dot - start));
    if (dot == std::string::npos) return space;
    start = dot + 1;
  }
}

Result<tables::Schema> schema_of(const std::vector<ColumnInfo>& columns) {
  tables::Schema schema;
  int last_id = static_cast<int>(columns.size());
  for (const ColumnInfo& column : columns) {
    tables::Field field;
    field.id = static_cast<int>(schema.fields.size()) + 1;
    field.name = column.name;
    field.required = !column.nullable;
    field.doc = column.comment;
    ASSIGN_OR_RETURN(field.type, iceberg_type(column.type, &last_id));
    schema.fields.push_back(std::move(field));
  }
  return schema;
}

}  // namespace

Result<catalog::NamespaceName> IcebergConnector::find_schema(const Call& call,
                                                             const std::string& schema) {
  catalog::NamespaceName exact = split_schema(schema);
  ASSIGN_OR_RETURN(bool exists, catalog_.namespace_exists(call, exact));
  if (exists) return exact;
  catalog::NamespaceName found;
  for (const std::string& level : exact) {
    ASSIGN_OR_RETURN(auto children, catalog_.list_namespaces(call, found));
    auto match = std::find_if(children.begin(), children.end(),
                              [&](const auto& child) { return lower(child.back()) == level; });
    if (match == children.end()) return exact;
    found = *match;
  }
  return found;
}

Result<catalog::EntityName> IcebergConnector::find_name(const Call& call, const TableName& name,
                                                        bool view) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, name.schema));
  catalog::EntityName exact{space, name.table};
  ASSIGN_OR_RETURN(bool exists,
                   view ? catalog_.view_exists(call, exact) : catalog_.table_exists(call, exact));
  if (exists) return exact;
  auto names = view ? catalog_.list_views(call, space) : catalog_.list_tables(call, space);
  if (!names && names.error().is("no_such_namespace")) return exact;
  if (!names) return std::unexpected(names.error());
  for (const auto& candidate : *names) {
    if (lower(candidate.name) == name.table) return candidate;
  }
  return exact;
}

Result<std::vector<std::string>> IcebergConnector::list_schemas(const Call& call) {
  std::vector<std::string> names;
  std::vector<catalog::NamespaceName> open{{}};
  while (!open.empty()) {
    catalog::NamespaceName parent = std::move(open.back());
    open.pop_back();
    ASSIGN_OR_RETURN(auto children, catalog_.list_namespaces(call, parent));
    for (auto& child : children) {
      names.push_back(lower(catalog::name_text(child)));
      open.push_back(std::move(child));
    }
  }
  std::sort(names.begin(), names.end());
  return names;
}

Result<bool> IcebergConnector::schema_exists(const Call& call, const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  return catalog_.namespace_exists(call, space);
}

namespace {

const PropertyInfo kSchemaLocation{"location", "", "varchar", "URI of the schema's folder"};

}  // namespace

std::vector<PropertyInfo> IcebergConnector::list_properties(PropertyOf of) const {
  switch (of) {
    case PropertyOf::table:
    case PropertyOf::materialized_view: return table_properties();
    case PropertyOf::schema: return {kSchemaLocation};
    case PropertyOf::analyze:
      return {{"columns", "", "array(varchar)", "Columns whose values are counted"}};
    case PropertyOf::column: return {};
  }
  return {};
}

Status IcebergConnector::create_schema(const Call& call, const std::string& schema,
                                       const Properties& properties) {
  catalog::Properties given;
  for (const auto& [name, value] : properties) {
    if (name != kSchemaLocation.name) {
      return fail(Code::invalid, "INVALID_SCHEMA_PROPERTY",
                  "Catalog 'iceberg' schema property '" + name + "' does not exist");
    }
    given[name] = value;
  }
  return in_our_words(catalog_.create_namespace(call, split_schema(schema), given));
}

Status IcebergConnector::drop_schema(const Call& call, const std::string& schema, bool cascade) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  if (cascade) {
    ASSIGN_OR_RETURN(auto tables, in_our_words(catalog_.list_tables(call, space)));
    for (const auto& name : tables)
      RETURN_IF_ERROR(in_our_words(catalog_.drop_table(call, name, true)));
    ASSIGN_OR_RETURN(auto views, in_our_words(catalog_.list_views(call, space)));
    for (const auto& name : views) RETURN_IF_ERROR(in_our_words(catalog_.drop_view(call, name)));
  }
  return in_our_words(catalog_.drop_namespace(call, space));
}

Result<std::vector<std::string>> IcebergConnector::list_tables(const Call& call,
                                                               const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  ASSIGN_OR_RETURN(auto tables, in_our_words(catalog_.list_tables(call, space)));
  ASSIGN_OR_RETURN(auto views, in_our_words(catalog_.list_views(call, space)));
  std::vector<std::string> names;
  for (const auto& name : tables) {
    if (!name.name.ends_with(kStorageSuffix)) names.push_back(lower(name.name));
  }
  for (const auto& name : views) names.push_back(lower(name.name));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> IcebergConnector::list_views(const Call& call,
                                                              const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  ASSIGN_OR_RETURN(auto views, in_our_words(catalog_.list_views(call, space)));
  ASSIGN_OR_RETURN(auto materialized, views_.list(call, schema));
  std::vector<std::string> names;
  for (const auto& name : views) {
    if (!std::ranges::binary_search(materialized, name.name)) names.push_back(lower(name.name));
  }
  std::sort(names.begin(), names.end());
  return names;
}

namespace {

std::vector<ColumnInfo> columns_of(const tables::Schema& schema) {
  std::vector<ColumnInfo> columns;
  for (const tables::Field& field : schema.fields) {
    columns.push_back({.name = lower(field.name),
                       .type = trino_type(field.type),
                       .nullable = !field.required,
                       .comment = field.doc,
                       .default_value = shown_default(field)});
  }
  for (const HiddenColumn& hidden : kHidden) {
    columns.push_back({.name = hidden.name, .type = hidden.type, .hidden = true});
  }
  return columns;
}

void fill_columns(IcebergTable& table) {
  // Files that were rewritten by upkeep hold the rows they held before.
  const auto& metadata = *table.loaded.metadata;
  const auto* at = metadata.current_snapshot();
  // Metadata of others may go in a circle.
  for (size_t left = metadata.snapshots.size(); left > 0 && at && at->parent_id; --left) {
    const auto* parent = metadata.snapshot(*at->parent_id);
    if (!parent || at->summary_value("operation") != "replace") break;
    at = parent;
  }
  table.version = at ? std::to_string(at->id) : kNoSnapshot;
  table.columns = columns_of(table.schema());
}

std::unexpected<Error> no_version(const std::string& message) {
  return fail(Code::invalid, "INVALID_ARGUMENTS", message);
}

}  // namespace

Result<TableRef> IcebergConnector::get_table_at(const Call& call, const TableName& name,
                                                const TableVersion& version) {
  ASSIGN_OR_RETURN(TableRef now, get_table(call, name));
  const auto* current = dynamic_cast<const IcebergTable*>(now.get());
  if (!now) return now;
  if (!current) return Connector::get_table_at(call, name, version);
  auto table = std::make_shared<IcebergTable>(*current);
  const auto& metadata = *table->loaded.metadata;
  tables::ScanRequest request;
  request.snapshot_id = version.id;
  request.ref = version.ref;
  request.as_of_millis = version.at_millis;
  auto snapshot = tables::iceberg::choose_snapshot(metadata, request);
  if (!snapshot && version.id)
    return no_version("Iceberg snapshot ID does not exists: " + std::to_string(*version.id));
  if (!snapshot && !version.ref.empty())
    return no_version("Cannot find snapshot with reference name: " + version.ref);
  if (!snapshot) {
    return no_version("No version history table \"" + name.schema + "\".\"" + name.table +
                      "\" at or before " +
                      tables::timestamp_text(*version.at_millis * 1000, false) + "Z");
  }
  table->ref = version.ref;
  auto ref = metadata.refs.find(version.ref);
  bool branch = !version.ref.empty() && (ref == metadata.refs.end() || ref->second.is_branch);
  if (version.ref.empty() && *snapshot) table->snapshot_id = (*snapshot)->id;
  if (!branch && *snapshot && (*snapshot)->schema_id)
    table->schema_then = metadata.schema(*(*snapshot)->schema_id);
  fill_columns(*table);
  return TableRef(std::move(table));
}

Result<ColumnsByTable> IcebergConnector::list_columns(const Call& call, const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  ASSIGN_OR_RETURN(auto pointers, in_our_words(catalog_.list_pointers(call, space)));
  ColumnsByTable listed;
  for (const auto& pointer : pointers) {
    auto metadata = catalog_.read_metadata(call, pointer.metadata_location);
    if (!metadata) continue;  // dropped meanwhile, or damaged: who asks for it by name is told
    std::string name = lower(pointer.name.name);
    // Of names that differ only in case the exact one wins.
    if (name == pointer.name.name || !listed.contains(name))
      listed[name] = columns_of((*metadata)->current_schema());
  }
  return listed;
}

Result<TableRef> IcebergConnector::get_table(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  auto loaded = catalog_.load_table(call, stored);
  if (!loaded && loaded.error().is("no_such_table")) {
    auto metadata = metadata_table_name(name.table);
    if (!metadata) return TableRef();
    ASSIGN_OR_RETURN(stored, find_name(call, {name.schema, metadata->first}, false));
    loaded = catalog_.load_table(call, stored);
    if (!loaded && loaded.error().is("no_such_table")) return TableRef();
    if (loaded) return metadata_table(name, metadata->second, std::move(*loaded));
  }
  if (!loaded) return std::unexpected(in_our_words(loaded.error()));
  auto table = std::make_shared<IcebergTable>();
  table->name = name;
  table->loaded = std::move(*loaded);
  fill_columns(*table);
  table->comment = table->loaded.metadata->property("comment");
  table->owner = table->loaded.metadata->property("owner");
  table->properties = shown_properties(*table->loaded.metadata);
  return TableRef(table);
}

std::vector<LakeColumn> lake_columns(const Table& table) {
  const tables::Schema& schema = static_cast<const IcebergTable&>(table).schema();
  std::vector<LakeColumn> columns;
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    columns.push_back({.type = table.columns[i].type, .field_id = field_id_of(schema.fields[i])});
  }
  for (const HiddenColumn& hidden : kHidden) {
    columns.push_back({.type = hidden.type, .field_id = {}, .source = hidden.source});
  }
  return columns;
}

// A metadata file never changes: with it and the snapshot all is said. The table's uuid would not
// do, as one file may be registered under several names, which then go their own ways.
std::optional<LakeScan::State> state_of(catalog::Catalog& catalog, const TableRef& table,
                                        const tables::ScanPlan& plan) {
  const IcebergTable& source = iceberg_table(table);
  bool current = !source.snapshot_id && source.ref.empty();
  if (!current || !plan.snapshot_id || source.loaded.metadata_location.empty()) return std::nullopt;
  LakeScan::State state;
  state.table = catalog::name_text(source.loaded.name);
  state.name = fmt::format("{}#{}", source.loaded.metadata_location, *plan.snapshot_id);
  state.whole = plan.files.size() == plan.files_total;
  state.all = [&catalog, table]() -> Result<std::shared_ptr<const LakeScan>> {
    tables::ScanRequest everything;
    everything.with_bounds = false;
    auto all = std::make_shared<LakeScan>();
    ASSIGN_OR_RETURN(all->plan, catalog.plan(Call{}, iceberg_table(table).loaded, everything));
    all->columns = lake_columns(*table);
    return all;
  };
  return state;
}

Result<Scan> IcebergConnector::plan_scan(const Call& call, const TableRef& table,
                                         const ScanRequest& request) {
  if (metadata_table_row(*table)) return scan_metadata_table(call, catalog_, *table, texts_);
  const IcebergTable& source = iceberg_table(table);
  const tables::Schema& schema = source.schema();
  tables::ScanRequest wanted;
  wanted.snapshot_id = source.snapshot_id;
  wanted.ref = source.ref;
  wanted.predicate = predicate_of(request.conjuncts, schema);
  wanted.with_bounds = false;
  for (size_t column : request.columns) {
    if (column >= schema.fields.size() || schema.fields[column].type.is_nested()) continue;
    wanted.columns.push_back(schema.fields[column].id);
    wanted.with_bounds = true;
  }
  wanted.certain = request.change && request.change->exact;
  auto scan = std::make_shared<LakeScan>();
  ASSIGN_OR_RETURN(scan->plan, in_our_words(catalog_.plan(call, source.loaded, wanted)));
  if (request.change) IcebergChanges::note_plan(*request.change, request, scan->plan);
  scan->columns = lake_columns(*table);
  if (!request.change) scan->state = state_of(catalog_, table, scan->plan);
  return Scan(scans_.add(std::move(scan)));
}

Result<catalog::CreateTable> IcebergConnector::new_table(const Call& call, const NewTable& table) {
  catalog::CreateTable made;
  ASSIGN_OR_RETURN(auto space, find_schema(call, table.name.schema));
  made.name = {std::move(space), table.name.table};
  ASSIGN_OR_RETURN(made.schema, schema_of(table.columns));
  made.properties["write.parquet.compression-codec"] = "zstd";
  // Every commit writes a metadata file: without this a busy table would keep them all.
  made.properties["write.metadata.delete-after-commit.enabled"] = "true";
  if (!table.comment.empty()) made.properties["comment"] = table.comment;
  if (!table.owner.empty()) made.properties["owner"] = table.owner;
  RETURN_IF_ERROR(apply_properties(table.properties, &made));
  auto version = made.properties.find("format-version");
  int format_version = version == made.properties.end() ? 2 : std::atoi(version->second.c_str());
  for (size_t i = 0; i < table.columns.size(); ++i) {
    const auto& value = table.columns[i].default_value;
    if (!value) continue;
    tables::Field& field = made.schema.fields[i];
    ASSIGN_OR_RETURN(field.write_default, default_json(*value, field.type, format_version));
    field.initial_default = field.write_default;
  }
  return made;
}

Status IcebergConnector::create_table(const Call& call, const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, new_table(call, table));
  if (table.replace) {
    ASSIGN_OR_RETURN(auto replacement, replacement_of(call, made));
    if (replacement) {
      auto replaced = in_our_words(catalog_.replace_with_files(call, *replacement, {}));
      if (!replaced) return std::unexpected(replaced.error());
      return {};
    }
  }
  auto created = in_our_words(catalog_.create_table(call, made));
  if (!created) return std::unexpected(created.error());
  return {};
}

Result<std::optional<catalog::Replacement>> IcebergConnector::replacement_of(
    const Call& call, catalog::CreateTable& table) {
  ASSIGN_OR_RETURN(table.name,
                   find_name(call, {catalog::name_text(table.name.space), table.name.name}, false));
  ASSIGN_OR_RETURN(bool exists, catalog_.table_exists(call, table.name));
  if (!exists) return std::optional<catalog::Replacement>();
  ASSIGN_OR_RETURN(auto made, in_our_words(catalog_.stage_replacement(call, table)));
  const std::string& location = made.staged.metadata->location;
  if (!table.location.empty() && table.location != location && table.location != location + "/") {
    return fail(Code::invalid, "INVALID_TABLE_PROPERTY",
                "The provided location '" + table.location +
                    "' does not match the existing table location '" + location + "'");
  }
  return std::optional(std::move(made));
}

Status IcebergConnector::drop_table(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  return in_our_words(catalog_.drop_table(call, stored, true));
}

Result<std::optional<View>> IcebergConnector::get_view(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto view, load_view(call, name));
  if (view && view->kept.contains("trino.storage-table")) return std::optional<View>();
  return view;
}

Result<std::optional<View>> IcebergConnector::load_view(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, true));
  auto loaded = catalog_.load_view(call, stored);
  if (!loaded && loaded.error().code == Code::not_found) return std::optional<View>();
  if (!loaded) return std::unexpected(loaded.error());
  const catalog::ViewMetadata& metadata = *loaded->metadata;
  View view;
  view.sql = metadata.sql("trino");
  if (view.sql.empty()) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "View " + catalog::name_text(stored) + " has no text in the trino dialect");
  }
  view.catalog = metadata.current_version().default_catalog;
  view.schema = catalog::name_text(metadata.current_version().default_namespace);
  auto property = [&](const char* key) {
    auto found = metadata.properties.find(key);
    return found == metadata.properties.end() ? std::string() : found->second;
  };
  view.comment = property("comment");
  view.owner = property("trino.run-as-owner");
  view.run_as_invoker = view.owner.empty();
  if (view.run_as_invoker) view.owner = property("owner");
  for (const auto& [key, value] : metadata.properties) {
    if (key.starts_with("trino.") && key != "trino.run-as-owner") view.kept[key] = value;
  }
  std::map<std::string, std::string> exact;
  if (auto columns = Json::parse(property(kTrinoColumns))) {
    for (const auto& [column, type] : columns->as_object()) exact[column] = type.as_string();
  }
  for (const tables::Field& field : metadata.current_schema().fields) {
    ColumnInfo column{.name = field.name, .type = trino_type(field.type), .comment = field.doc};
    if (auto type = parse_type(exact[field.name])) column.type = std::move(*type);
    view.columns.push_back(std::move(column));
  }
  return std::optional(std::move(view));
}

Status IcebergConnector::create_view(const Call& call, const TableName& name, const View& view,
                                     bool replace) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, true));
  catalog::NewView made;
  Json exact = Json::object();
  std::vector<ColumnInfo> columns = view.columns;
  for (ColumnInfo& column : columns) {
    exact.set(column.name, column.type.display());
    int ids = 0;
    // Iceberg's schema of a view is for other engines; ours is in the property.
    if (!iceberg_type(column.type, &ids)) column.type = Type::varchar();
  }
  ASSIGN_OR_RETURN(made.schema, schema_of(columns));
  made.version.representations.push_back({view.sql, "trino"});
  made.version.default_catalog = view.catalog;
  made.version.default_namespace = split_schema(view.schema);
  made.version.summary = {{"engine-name", "aichemy"}};
  made.properties[kTrinoColumns] = exact.dump();
  if (!view.comment.empty()) made.properties["comment"] = view.comment;
  const char* owner = view.run_as_invoker ? "owner" : "trino.run-as-owner";
  if (!view.owner.empty()) made.properties[owner] = view.owner;
  for (const auto& [key, value] : view.kept) made.properties[key] = value;
  ASSIGN_OR_RETURN(bool exists, catalog_.view_exists(call, stored));
  if (!exists || !replace) {
    auto created = in_our_words(catalog_.create_view(call, stored, made));
    if (!created) return std::unexpected(created.error());
    return {};
  }
  std::vector<catalog::ViewUpdate> updates(4);
  updates[0].kind = catalog::ViewUpdate::Kind::add_schema;
  updates[0].schema = made.schema;
  updates[1].kind = catalog::ViewUpdate::Kind::add_version;
  updates[1].version = made.version;
  updates[1].version.schema_id = -1;
  updates[2].kind = catalog::ViewUpdate::Kind::set_current_version;
  updates[2].number = -1;
  updates[3].kind = catalog::ViewUpdate::Kind::set_properties;
  updates[3].properties = made.properties;
  auto changed = in_our_words(catalog_.commit_view(call, stored, {}, updates));
  if (!changed) return std::unexpected(changed.error());
  return {};
}

Status IcebergConnector::drop_view(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, true));
  return in_our_words(catalog_.drop_view(call, stored));
}

}  // namespace aichemy::sql
