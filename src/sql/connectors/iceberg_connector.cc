#include "sql/connectors/iceberg_connector.h"

#include <algorithm>
#include <cctype>

#include "sql/connectors/iceberg_mapping.h"

namespace aichemy::sql {

namespace {

constexpr const char* kTrinoColumns =
    "aichemy.trino-columns";  // a view's columns with their exact Trino types

struct IcebergTable final : Table {
  catalog::LoadedTable loaded;
};

struct HiddenColumn {
  const char* name;
  LakeColumnSource source;
};
constexpr HiddenColumn kHidden[] = {
    {"$path", LakeColumnSource::path},
    {"$partition", LakeColumnSource::partition},
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

// The catalog's words as the connector's interface has them.
struct WordRow {
  std::string_view theirs;
  const char* ours;
};
constexpr WordRow kWords[] = {
    {"no_such_namespace", "schema_not_found"},
    {"no_such_table", "table_not_found"},
    {"no_such_view", "view_not_found"},
    {"namespace_exists", "schema_exists"},
    {"table_exists", "table_exists"},
    {"view_exists", "table_exists"},
    {"namespace_not_empty", "schema_not_empty"},
};

Error in_our_words(Error error) {
  for (const WordRow& row : kWords) {
    if (error.is(row.theirs)) error.what = row.ours;
  }
  return error;
}

Status in_our_words(Status status) {
  if (status) return status;
  return std::unexpected(in_our_words(status.error()));
}

template <class T>
Result<T> in_our_words(Result<T> result) {
  if (result) return result;
  return std::unexpected(in_our_words(result.error()));
}

const IcebergTable& iceberg_table(const TableRef& table) {
  return static_cast<const IcebergTable&>(*table);
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

Status IcebergConnector::create_schema(const Call& call, const std::string& schema,
                                       const Properties& properties) {
  catalog::Properties given;
  for (const auto& [name, value] : properties) {
    if (name != "location") {
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
  for (const auto& name : tables) names.push_back(lower(name.name));
  for (const auto& name : views) names.push_back(lower(name.name));
  std::sort(names.begin(), names.end());
  return names;
}

Result<std::vector<std::string>> IcebergConnector::list_views(const Call& call,
                                                              const std::string& schema) {
  ASSIGN_OR_RETURN(auto space, find_schema(call, schema));
  ASSIGN_OR_RETURN(auto views, in_our_words(catalog_.list_views(call, space)));
  std::vector<std::string> names;
  for (const auto& name : views) names.push_back(lower(name.name));
  std::sort(names.begin(), names.end());
  return names;
}

Result<TableRef> IcebergConnector::get_table(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  auto loaded = catalog_.load_table(call, stored);
  if (!loaded && loaded.error().is("no_such_table")) return TableRef();
  if (!loaded) return std::unexpected(in_our_words(loaded.error()));
  auto table = std::make_shared<IcebergTable>();
  table->name = name;
  table->loaded = std::move(*loaded);
  for (const tables::Field& field : table->loaded.schema().fields) {
    table->columns.push_back({.name = lower(field.name),
                              .type = trino_type(field.type),
                              .nullable = !field.required,
                              .comment = field.doc});
  }
  for (const HiddenColumn& hidden : kHidden) {
    table->columns.push_back({.name = hidden.name, .type = Type::varchar(), .hidden = true});
  }
  table->comment = table->loaded.metadata->property("comment");
  table->properties = shown_properties(*table->loaded.metadata);
  return TableRef(table);
}

Result<Scan> IcebergConnector::plan_scan(const Call& call, const TableRef& table,
                                         const ScanRequest& request) {
  const IcebergTable& source = iceberg_table(table);
  const tables::Schema& schema = source.loaded.schema();
  tables::ScanRequest wanted;
  wanted.snapshot_id = request.version;
  if (request.as_of_micros) wanted.as_of_millis = *request.as_of_micros / 1000;
  wanted.predicate = predicate_of(request.conjuncts, schema);
  wanted.with_bounds = false;
  for (size_t column : request.columns) {
    if (column >= schema.fields.size() || schema.fields[column].type.is_nested()) continue;
    wanted.columns.push_back(schema.fields[column].id);
    wanted.with_bounds = true;
  }
  auto scan = std::make_shared<LakeScan>();
  ASSIGN_OR_RETURN(scan->plan, in_our_words(catalog_.plan(call, source.loaded, wanted)));
  for (size_t i = 0; i < schema.fields.size(); ++i) {
    scan->columns.push_back(
        {.type = table->columns[i].type, .field_id = field_id_of(schema.fields[i])});
  }
  for (const HiddenColumn& hidden : kHidden) {
    scan->columns.push_back({.type = Type::varchar(), .field_id = {}, .source = hidden.source});
  }
  return Scan(scans_.add(std::move(scan)));
}

Result<catalog::CreateTable> IcebergConnector::new_table(const Call& call, const NewTable& table) {
  catalog::CreateTable made;
  ASSIGN_OR_RETURN(auto space, find_schema(call, table.name.schema));
  made.name = {std::move(space), table.name.table};
  if (table.replace) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "CREATE OR REPLACE TABLE is not supported yet: drop the table first");
  }
  ASSIGN_OR_RETURN(made.schema, schema_of(table.columns));
  made.properties["write.parquet.compression-codec"] = "zstd";
  // Every commit writes a metadata file: without this a busy table would keep them all.
  made.properties["write.metadata.delete-after-commit.enabled"] = "true";
  if (!table.comment.empty()) made.properties["comment"] = table.comment;
  RETURN_IF_ERROR(apply_properties(table.properties, &made));
  return made;
}

Status IcebergConnector::create_table(const Call& call, const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, new_table(call, table));
  auto created = in_our_words(catalog_.create_table(call, made));
  if (!created) return std::unexpected(created.error());
  return {};
}

Status IcebergConnector::drop_table(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(auto stored, find_name(call, name, false));
  return in_our_words(catalog_.drop_table(call, stored, true));
}

Result<std::optional<View>> IcebergConnector::get_view(const Call& call, const TableName& name) {
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
  if (!view.run_as_invoker) made.properties["trino.run-as-owner"] = view.owner;
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

namespace {

// Whoever finishes an insert later, from files of an earlier begin_insert(), brings this entry of
// its summary along: the table may be divided by another spec by then.
constexpr const char* kSpecId = "aichemy.partition-spec-id";

struct IcebergInsert final : Insert {
  catalog::LoadedTable table;  // as it was when the insert began; staged for CREATE TABLE AS
  bool creates = false;
  int spec_id = 0;
};

std::unique_ptr<IcebergInsert> insert_into(catalog::LoadedTable table) {
  auto insert = std::make_unique<IcebergInsert>();
  const auto& metadata = *table.metadata;
  InsertTarget& target = insert->target;
  target.location = metadata.property("write.data.path", metadata.location + "/data");
  while (target.location.ends_with('/')) target.location.pop_back();
  const tables::Schema& schema = metadata.current_schema();
  for (const tables::Field& field : schema.fields) {
    target.columns.push_back({.name = field.name,
                              .type = trino_type(field.type),
                              .field_id = field_id_of(field),
                              .required = field.required});
  }
  target.compression = metadata.property("write.parquet.compression-codec", "zstd");
  target.file_bytes_max =
      static_cast<uint64_t>(metadata.int_property("write.target-file-size-bytes", 512 << 20));
  insert->spec_id = metadata.default_spec_id;
  insert->summary[kSpecId] = std::to_string(insert->spec_id);
  insert->table = std::move(table);
  return insert;
}

Status set_partition(IcebergInsert* insert) {
  const auto& metadata = *insert->table.metadata;
  const tables::Schema& schema = metadata.current_schema();
  for (const auto& field : metadata.default_spec().fields) {
    auto source =
        std::find_if(schema.fields.begin(), schema.fields.end(),
                     [&](const tables::Field& column) { return column.id == field.source_id; });
    if (source == schema.fields.end()) {
      return fail(
          Code::unsupported, "NOT_SUPPORTED",
          "Writing to a table partitioned by a nested column is not supported: " + field.name);
    }
    insert->target.partition.push_back(
        {.column = static_cast<size_t>(source - schema.fields.begin()),
         .transform = tables::transform_text(field.transform),
         .name = field.name,
         .field_id = field.field_id});
  }
  return {};
}

// Columns below lists and maps have no bounds that mean anything for rows.
void collect_leaves(const std::vector<tables::Field>& fields, std::map<int, tables::Type>* leaves) {
  for (const tables::Field& field : fields) {
    if (field.type.kind == tables::TypeKind::struct_)
      collect_leaves(field.type.fields, leaves);
    else if (!field.type.is_nested())
      (*leaves)[field.id] = field.type;
  }
}

tables::ColumnMetrics metrics_of(const WrittenColumn& column, const tables::Type& type,
                                 uint64_t rows) {
  tables::ColumnMetrics metrics;
  metrics.field_id = column.field_id;
  metrics.column_size = static_cast<int64_t>(column.bytes);
  metrics.value_count = static_cast<int64_t>(rows);
  if (column.null_count) metrics.null_count = static_cast<int64_t>(*column.null_count);
  bool floating = type.kind == tables::TypeKind::float32 || type.kind == tables::TypeKind::float64;
  if (floating && column.has_nan) return metrics;  // the engine's bounds may be NaN themselves
  if (floating) metrics.nan_count = 0;
  // The engine prints bytes in statistics as hex and elsewhere escaped: not worth the doubt.
  bool bytes = type.kind == tables::TypeKind::binary || type.kind == tables::TypeKind::fixed;
  if (bytes) return metrics;
  auto lower = column.min ? value_from_engine_text(*column.min, type) : std::nullopt;
  auto upper = column.max ? value_from_engine_text(*column.max, type) : std::nullopt;
  if (lower && tables::fits(*lower, type)) metrics.lower = std::move(*lower);
  if (upper && tables::fits(*upper, type)) metrics.upper = std::move(*upper);
  return metrics;
}

Result<tables::WrittenFile> file_of(const WrittenFile& written, const IcebergInsert& insert) {
  const auto& metadata = *insert.table.metadata;
  const tables::Schema& schema = metadata.current_schema();
  tables::WrittenFile file;
  file.path = written.path;
  file.size = written.bytes;
  file.record_count = written.rows;
  file.split_offsets = written.split_offsets;
  const auto& spec = *metadata.spec(insert.spec_id);
  for (size_t i = 0; i < spec.fields.size(); ++i) {
    tables::Value value;
    if (i < written.partition.size() && written.partition[i]) {
      const tables::Field* source = schema.find(spec.fields[i].source_id);
      ASSIGN_OR_RETURN(tables::Type type,
                       tables::transform_result_type(spec.fields[i].transform, source->type));
      // Days are dates to Iceberg; the engine counts them.
      if (spec.fields[i].transform.kind == tables::TransformKind::day)
        type = tables::primitive(tables::TypeKind::int32);
      auto parsed = value_from_engine_text(*written.partition[i], type);
      if (!parsed) {
        return fail(
            Code::internal, "partition_value",
            "cannot read the partition value \"" + *written.partition[i] + "\" of " + written.path);
      }
      value = std::move(*parsed);
    }
    file.partition.push_back(std::move(value));
  }
  std::map<int, tables::Type> leaves;
  collect_leaves(schema.fields, &leaves);
  for (const WrittenColumn& column : written.columns) {
    auto leaf = leaves.find(column.field_id);
    if (leaf != leaves.end())
      file.columns.push_back(metrics_of(column, leaf->second, written.rows));
  }
  return file;
}

}  // namespace

Result<std::unique_ptr<Insert>> IcebergConnector::begin_insert(const Call&, const TableRef& table) {
  auto insert = insert_into(iceberg_table(table).loaded);
  RETURN_IF_ERROR(set_partition(insert.get()));
  return insert;
}

Result<std::unique_ptr<Insert>> IcebergConnector::begin_create_table_as(const Call& call,
                                                                        const NewTable& table) {
  ASSIGN_OR_RETURN(auto made, new_table(call, table));
  ASSIGN_OR_RETURN(bool taken, in_our_words(catalog_.table_exists(call, made.name)));
  if (taken)
    return fail(Code::exists, "table_exists",
                "Table already exists: " + catalog::name_text(made.name));
  ASSIGN_OR_RETURN(auto staged, in_our_words(catalog_.stage_table(call, made)));
  auto insert = insert_into(std::move(staged));
  RETURN_IF_ERROR(set_partition(insert.get()));
  insert->creates = true;
  return insert;
}

Status IcebergConnector::finish_insert(const Call& call, Insert& insert,
                                       std::vector<WrittenFile> files) {
  auto& ours = static_cast<IcebergInsert&>(insert);
  if (auto given = ours.summary.extract(kSpecId); !given.empty())
    ours.spec_id = std::atoi(given.mapped().c_str());
  if (!ours.table.metadata->spec(ours.spec_id)) {
    return fail(Code::invalid, "partition_spec",
                "the table has no partition spec " + std::to_string(ours.spec_id) + " any more");
  }
  catalog::AppendFiles append;
  append.name = ours.table.name;
  append.spec_id = ours.spec_id;
  append.summary = {insert.summary.begin(), insert.summary.end()};
  append.once = insert.once;
  for (const WrittenFile& written : files) {
    ASSIGN_OR_RETURN(auto file, file_of(written, ours));
    append.files.push_back(std::move(file));
  }
  if (ours.creates) {
    auto created = in_our_words(catalog_.create_with_files(call, ours.table, append));
    if (!created) return std::unexpected(created.error());
    return {};
  }
  if (append.files.empty() && !append.once && append.summary.empty()) return {};
  auto done = in_our_words(catalog_.append(call, append));
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::sql
