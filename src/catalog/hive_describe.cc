// Iceberg tables and views as the Metastore describes them.
#include "base/log.h"
#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

using tables::Field;
using tables::Type;
using tables::TypeKind;

constexpr const char* kInputFormat = "org.apache.hadoop.mapred.FileInputFormat";
constexpr const char* kOutputFormat = "org.apache.hadoop.mapred.FileOutputFormat";
constexpr const char* kSerde = "org.apache.hadoop.hive.serde2.lazy.LazySimpleSerDe";

struct TypeRow {
  TypeKind kind;
  const char* hive;
};
constexpr TypeRow kTypes[] = {
    {TypeKind::boolean, "boolean"},
    {TypeKind::int32, "int"},
    {TypeKind::int64, "bigint"},
    {TypeKind::float32, "float"},
    {TypeKind::float64, "double"},
    {TypeKind::date, "date"},
    {TypeKind::time, "string"},
    {TypeKind::timestamp, "timestamp"},
    {TypeKind::timestamptz, "timestamp with local time zone"},
    {TypeKind::timestamp_ns, "timestamp"},
    {TypeKind::timestamptz_ns, "timestamp with local time zone"},
    {TypeKind::string, "string"},
    {TypeKind::uuid, "string"},
    {TypeKind::fixed, "binary"},
    {TypeKind::binary, "binary"},
    {TypeKind::unknown, "void"},
    {TypeKind::variant, "unknown"},
};

std::string hive_type(const Type& type) {
  if (type.kind == TypeKind::decimal) {
    return "decimal(" + std::to_string(type.precision) + "," + std::to_string(type.scale) + ")";
  }
  if (type.kind == TypeKind::list) return "array<" + hive_type(type.fields[0].type) + ">";
  if (type.kind == TypeKind::map) {
    return "map<" + hive_type(type.fields[0].type) + "," + hive_type(type.fields[1].type) + ">";
  }
  if (type.kind == TypeKind::struct_) {
    std::string text = "struct<";
    for (const Field& field : type.fields) {
      if (text.back() != '<') text += ",";
      text += field.name + ":" + hive_type(field.type);
    }
    return text + ">";
  }
  for (const TypeRow& row : kTypes) {
    if (row.kind == type.kind) return row.hive;
  }
  return "unknown";
}

std::vector<hive::FieldSchema> columns_of(const tables::Schema& schema) {
  std::vector<hive::FieldSchema> columns;
  for (const Field& field : schema.fields) {
    hive::FieldSchema column{lower(field.name), hive_type(field.type), {}};
    if (!field.doc.empty()) column.comment = field.doc;
    columns.push_back(std::move(column));
  }
  return columns;
}

hive::StorageDescriptor plain_storage(const std::string& location) {
  hive::StorageDescriptor storage;
  storage.location = location;
  storage.input_format = kInputFormat;
  storage.output_format = kOutputFormat;
  storage.serde =
      hive::SerDeInfo{.serialization_library = kSerde, .parameters = hive::Parameters{}};
  storage.compressed = false;
  storage.buckets = 0;
  storage.bucket_columns.emplace();
  storage.sort_columns.emplace();
  storage.parameters.emplace();
  storage.skewed.emplace();
  storage.stored_as_sub_directories = false;
  return storage;
}

}  // namespace

// The client's own description, when it wrote the version that is current; otherwise it is brought
// up to date from the metadata.
Result<hive::Table> HiveCatalog::describe(const Call& call, const HiveRelation& row) {
  hive::Table table;
  if (!row.definition.empty()) {
    ASSIGN_OR_RETURN(table, table_of(row.definition, row));
    if (!row.is_iceberg || row.is_current()) return table;
  } else {
    table.owner = "";
    table.owner_type = static_cast<int32_t>(hive::PrincipalType::user);
    table.create_time = static_cast<int32_t>(row.created_millis / 1000);
    table.last_access_time = 0;
    table.retention = 0;
    table.partition_keys.emplace();
    table.rewrite_enabled = false;
  }
  table.name = row.table_name();
  table.database_name = row.database();
  table.catalog_name = std::string(kHiveCatalogName);
  if (!table.parameters) table.parameters.emplace();
  auto& parameters = *table.parameters;
  for (const char* stale :
       {"numFiles", "numRows", "totalSize", "current-schema", "current-snapshot-summary",
        "current-snapshot-id", "snapshot-count", "current-snapshot-timestamp-ms",
        "default-partition-spec", "default-sort-order"}) {
    parameters.erase(stale);
  }
  Status described = row.kind == RelationKind::view ? describe_view(call, row, &table)
                                                    : describe_iceberg(call, row, &table);
  if (!described) return std::unexpected(described.error());
  parameters["metadata_location"] = row.metadata_location;
  if (!row.previous_metadata_location.empty())
    parameters["previous_metadata_location"] = row.previous_metadata_location;
  return table;
}

Status HiveCatalog::describe_iceberg(const Call& call, const HiveRelation& row,
                                     hive::Table* table) {
  ASSIGN_OR_RETURN(auto metadata, catalog_.read_metadata(call, row.metadata_location));
  auto& parameters = *table->parameters;
  for (const auto& [key, value] : metadata->properties) parameters[key] = value;
  parameters["EXTERNAL"] = "TRUE";
  parameters["table_type"] = "ICEBERG";
  parameters["uuid"] = metadata->uuid;
  parameters["transient_lastDdlTime"] = std::to_string(metadata->last_updated_millis / 1000);
  if (auto owner = metadata->properties.find("owner"); owner != metadata->properties.end())
    table->owner = owner->second;
  table->table_type = "EXTERNAL_TABLE";
  if (!table->storage) table->storage = plain_storage(metadata->location);
  table->storage->location = metadata->location;
  table->storage->columns = columns_of(metadata->current_schema());
  return {};
}

Status HiveCatalog::describe_view(const Call& call, const HiveRelation& row, hive::Table* table) {
  ASSIGN_OR_RETURN(LoadedView view, catalog_.load_view(call, row.name));
  auto& parameters = *table->parameters;
  for (const auto& [key, value] : view.metadata->properties) parameters[key] = value;
  parameters["table_type"] = "ICEBERG-VIEW";
  parameters["uuid"] = view.metadata->uuid;
  parameters["transient_lastDdlTime"] =
      std::to_string(view.metadata->current_version().timestamp_millis / 1000);
  table->table_type = "VIRTUAL_VIEW";
  std::string text;
  for (const char* dialect : {"hive", "spark", "trino"}) {
    if (text.empty()) text = view.metadata->sql(dialect);
  }
  table->view_original_text = text;
  table->view_expanded_text = text;
  table->storage = plain_storage(view.metadata->location);
  table->storage->columns = columns_of(view.metadata->current_schema());
  return {};
}

}  // namespace aichemy::catalog
