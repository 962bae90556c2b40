// The JSON forms of table metadata (spec, appendix C). Versions differ in a few members;
// all are read into the same structure.
#include <algorithm>

#include "tables/avro_codec.h"
#include "tables/iceberg_metadata.h"

namespace aichemy::tables::iceberg {

namespace {

constexpr uint64_t kMetadataBytesMax = 1u << 30;

// Every member we understand; anything else is kept in `extra`.
constexpr std::string_view kTableMembers[] = {
    "format-version",
    "table-uuid",
    "location",
    "last-sequence-number",
    "last-updated-ms",
    "last-column-id",
    "schema",
    "schemas",
    "current-schema-id",
    "partition-spec",
    "partition-specs",
    "default-spec-id",
    "last-partition-id",
    "properties",
    "current-snapshot-id",
    "snapshots",
    "snapshot-log",
    "metadata-log",
    "sort-orders",
    "default-sort-order-id",
    "refs",
    "statistics",
    "partition-statistics",
    "next-row-id",
};
constexpr std::string_view kSnapshotMembers[] = {
    "snapshot-id",   "parent-snapshot-id", "sequence-number", "timestamp-ms",
    "manifest-list", "manifests",          "summary",         "schema-id",
    "first-row-id",  "added-rows",
};

template <size_t N>
Json other_members(const Json& json, const std::string_view (&known)[N]) {
  Json extra;
  for (const auto& [key, value] : json.as_object()) {
    if (std::find(std::begin(known), std::end(known), key) == std::end(known))
      extra.set(key, value);
  }
  return extra;
}

void put_members(const Json& extra, Json* to) {
  for (const auto& [key, value] : extra.as_object()) to->set(key, value);
}

std::unexpected<Error> broken(const std::string& why) {
  return fail(Code::corrupt, "table_metadata", why);
}

Properties properties_from_json(const Json& json) {
  Properties properties;
  for (const auto& [key, value] : json.as_object()) {
    properties[key] = value.is_string() ? std::string(value.as_string()) : value.dump();
  }
  return properties;
}

Json properties_to_json(const Properties& properties) {
  Json json = Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return json;
}

std::optional<int64_t> optional_int(const Json& json, std::string_view key) {
  const Json* member = json.find(key);
  if (!member || !member->is_integer()) return std::nullopt;
  return member->as_int();
}

Result<std::vector<PartitionField>> partition_fields_from_json(const Json& json) {
  std::vector<PartitionField> fields;
  for (const Json& item : json.as_array()) {
    PartitionField field;
    ASSIGN_OR_RETURN(int64_t source, item.int_at("source-id"));
    field.source_id = static_cast<int>(source);
    // Version 1 files may leave ids out; they count up from 1000.
    field.field_id = static_cast<int>(
        item["field-id"].as_int(kFirstPartitionFieldId + static_cast<int64_t>(fields.size())));
    ASSIGN_OR_RETURN(field.name, item.string_at("name"));
    ASSIGN_OR_RETURN(std::string transform, item.string_at("transform"));
    ASSIGN_OR_RETURN(field.transform, transform_from_text(transform));
    fields.push_back(std::move(field));
  }
  return fields;
}

Result<Schema> read_schema(const Json& json) {
  if (json["type"].as_string() != "struct") return broken("a schema's type is not \"struct\"");
  return schema_from_json(json);
}

Status read_schemas(const Json& json, TableMetadata* to) {
  if (const Json* schemas = json.find("schemas"); schemas && schemas->is_array()) {
    for (const Json& item : schemas->as_array()) {
      ASSIGN_OR_RETURN(Schema schema, read_schema(item));
      to->schemas.push_back(std::move(schema));
    }
    ASSIGN_OR_RETURN(int64_t current, json.int_at("current-schema-id"));
    to->current_schema_id = static_cast<int>(current);
  } else if (const Json* schema = json.find("schema"); schema && to->format_version == 1) {
    ASSIGN_OR_RETURN(Schema only, read_schema(*schema));
    to->current_schema_id = only.id;
    to->schemas.push_back(std::move(only));
  }
  if (!to->schema(to->current_schema_id)) {
    return broken("the current schema " + std::to_string(to->current_schema_id) + " is missing");
  }
  return {};
}

Status read_specs(const Json& json, TableMetadata* to) {
  if (const Json* specs = json.find("partition-specs"); specs && specs->is_array()) {
    for (const Json& item : specs->as_array()) {
      ASSIGN_OR_RETURN(PartitionSpec spec, spec_from_json(item));
      to->specs.push_back(std::move(spec));
    }
    ASSIGN_OR_RETURN(int64_t current, json.int_at("default-spec-id"));
    to->default_spec_id = static_cast<int>(current);
  } else if (const Json* fields = json.find("partition-spec"); fields && to->format_version == 1) {
    PartitionSpec spec;
    ASSIGN_OR_RETURN(spec.fields, partition_fields_from_json(*fields));
    to->specs.push_back(std::move(spec));
  }
  if (!to->spec(to->default_spec_id)) {
    return broken("the default partition spec " + std::to_string(to->default_spec_id) +
                  " is missing");
  }
  int highest = kFirstPartitionFieldId - 1;
  for (const PartitionSpec& spec : to->specs) {
    for (const PartitionField& field : spec.fields) highest = std::max(highest, field.field_id);
  }
  if (to->format_version >= 2 && !json.find("last-partition-id"))
    return broken("\"last-partition-id\" is missing");
  to->last_partition_id = static_cast<int>(json["last-partition-id"].as_int(highest));
  return {};
}

Status read_sort_orders(const Json& json, TableMetadata* to) {
  if (to->format_version >= 2) {  // optional before (spec: table metadata fields)
    for (const char* name : {"sort-orders", "default-sort-order-id"}) {
      if (!json.find(name)) return broken("\"" + std::string(name) + "\" is missing");
    }
  }
  for (const Json& item : json["sort-orders"].as_array()) {
    ASSIGN_OR_RETURN(SortOrder order, sort_order_from_json(item));
    to->sort_orders.push_back(std::move(order));
  }
  if (to->sort_orders.empty()) to->sort_orders.emplace_back();
  to->default_sort_order_id = static_cast<int>(json["default-sort-order-id"].as_int(0));
  if (!to->sort_order(to->default_sort_order_id)) {
    return broken("the default sort order " + std::to_string(to->default_sort_order_id) +
                  " is missing");
  }
  return {};
}

Status read_snapshots(const Json& json, TableMetadata* to) {
  for (const Json& item : json["snapshots"].as_array()) {
    ASSIGN_OR_RETURN(Snapshot snapshot, snapshot_from_json(item));
    to->snapshots.push_back(std::move(snapshot));
  }
  // Java writes -1 for "none".
  to->current_snapshot_id = optional_int(json, "current-snapshot-id");
  if (to->current_snapshot_id == -1) to->current_snapshot_id.reset();
  for (const auto& [name, item] : json["refs"].as_object()) {
    ASSIGN_OR_RETURN(SnapshotRef ref, ref_from_json(item));
    if (!to->snapshot(ref.snapshot_id)) {
      return broken("ref " + name + " names snapshot " + std::to_string(ref.snapshot_id) +
                    ", which is missing");
    }
    to->refs[name] = ref;
  }
  if (to->current_snapshot_id) {
    if (!to->current_snapshot()) {
      return broken("the current snapshot " + std::to_string(*to->current_snapshot_id) +
                    " is missing");
    }
    to->refs.try_emplace("main", SnapshotRef{.snapshot_id = *to->current_snapshot_id});
  }
  for (const Json& item : json["snapshot-log"].as_array()) {
    to->snapshot_log.push_back({item["timestamp-ms"].as_int(), item["snapshot-id"].as_int()});
  }
  for (const Json& item : json["metadata-log"].as_array()) {
    to->metadata_log.push_back(
        {item["timestamp-ms"].as_int(), std::string(item["metadata-file"].as_string())});
  }
  return {};
}

Json partition_fields_to_json(const PartitionSpec& spec) {
  Json fields = Json::array();
  for (const PartitionField& field : spec.fields) {
    Json item = Json::object();
    item.set("source-id", field.source_id);
    item.set("field-id", field.field_id);
    item.set("name", field.name);
    item.set("transform", transform_text(field.transform));
    fields.push(std::move(item));
  }
  return fields;
}

void put_history(const TableMetadata& metadata, Json* json) {
  Json snapshots = Json::array();
  for (const Snapshot& snapshot : metadata.snapshots) {
    snapshots.push(snapshot_to_json(snapshot, metadata.format_version));
  }
  // Java wrote -1 for "none" until version 3.
  if (metadata.current_snapshot_id || metadata.format_version < 3)
    json->set("current-snapshot-id", metadata.current_snapshot_id.value_or(-1));
  json->set("snapshots", std::move(snapshots));
  Json refs = Json::object();
  for (const auto& [name, ref] : metadata.refs) refs.set(name, ref_to_json(ref));
  json->set("refs", std::move(refs));
  Json log = Json::array();
  for (const SnapshotLogEntry& entry : metadata.snapshot_log) {
    Json item = Json::object();
    item.set("timestamp-ms", entry.timestamp_millis);
    item.set("snapshot-id", entry.snapshot_id);
    log.push(std::move(item));
  }
  json->set("snapshot-log", std::move(log));
  Json files = Json::array();
  for (const MetadataLogEntry& entry : metadata.metadata_log) {
    Json item = Json::object();
    item.set("timestamp-ms", entry.timestamp_millis);
    item.set("metadata-file", entry.metadata_file);
    files.push(std::move(item));
  }
  json->set("metadata-log", std::move(files));
  json->set("statistics", Json(Json::Array(metadata.statistics)));
  json->set("partition-statistics", Json(Json::Array(metadata.partition_statistics)));
}

}  // namespace

Result<TableMetadata> metadata_from_json(const Json& json) {
  if (!json.is_object()) return broken("table metadata is not a JSON object");
  TableMetadata metadata;
  ASSIGN_OR_RETURN(int64_t version, json.int_at("format-version"));
  if (version < 1 || version > kNewestFormatVersion) {
    return fail(Code::unsupported, "format_version",
                "Iceberg format version " + std::to_string(version) + " is not supported (up to " +
                    std::to_string(kNewestFormatVersion) + ")");
  }
  metadata.format_version = static_cast<int>(version);
  metadata.uuid = json["table-uuid"].as_string();
  if (metadata.uuid.empty() && version >= 2) return broken("\"table-uuid\" is missing");
  ASSIGN_OR_RETURN(metadata.location, json.string_at("location"));
  while (metadata.location.ends_with('/')) metadata.location.pop_back();
  if (version >= 2) {
    ASSIGN_OR_RETURN(metadata.last_sequence_number, json.int_at("last-sequence-number"));
  }
  if (version >= 3) {
    ASSIGN_OR_RETURN(metadata.next_row_id, json.int_at("next-row-id"));
    if (!json["encryption-keys"].as_array().empty()) {
      return fail(Code::unsupported, "encryption", "encrypted Iceberg tables are not supported");
    }
  }
  ASSIGN_OR_RETURN(metadata.last_updated_millis, json.int_at("last-updated-ms"));
  ASSIGN_OR_RETURN(int64_t last_column_id, json.int_at("last-column-id"));
  metadata.last_column_id = static_cast<int>(last_column_id);
  RETURN_IF_ERROR(read_schemas(json, &metadata));
  RETURN_IF_ERROR(read_specs(json, &metadata));
  RETURN_IF_ERROR(read_sort_orders(json, &metadata));
  metadata.properties = properties_from_json(json["properties"]);
  RETURN_IF_ERROR(read_snapshots(json, &metadata));
  metadata.statistics = json["statistics"].as_array();
  metadata.partition_statistics = json["partition-statistics"].as_array();
  metadata.extra = other_members(json, kTableMembers);
  return metadata;
}

Result<TableMetadata> metadata_from_bytes(std::string_view bytes) {
  std::string plain;
  if (bytes.starts_with("\x1f\x8b")) {
    ASSIGN_OR_RETURN(plain, gunzip(bytes, kMetadataBytesMax));
    bytes = plain;
  }
  auto json = Json::parse(bytes);
  if (!json) return broken("table metadata is not JSON: " + json.error().message);
  return metadata_from_json(*json);
}

Json metadata_to_json(const TableMetadata& metadata) {
  Json json = Json::object();
  json.set("format-version", metadata.format_version);
  json.set("table-uuid", metadata.uuid);
  json.set("location", metadata.location);
  if (metadata.format_version >= 2) json.set("last-sequence-number", metadata.last_sequence_number);
  if (metadata.format_version >= 3) json.set("next-row-id", metadata.next_row_id);
  json.set("last-updated-ms", metadata.last_updated_millis);
  json.set("last-column-id", metadata.last_column_id);
  if (metadata.format_version == 1) {
    json.set("schema", schema_to_json(metadata.current_schema()));
    json.set("partition-spec", partition_fields_to_json(metadata.default_spec()));
  }
  json.set("current-schema-id", metadata.current_schema_id);
  Json schemas = Json::array();
  for (const Schema& schema : metadata.schemas) schemas.push(schema_to_json(schema));
  json.set("schemas", std::move(schemas));
  json.set("default-spec-id", metadata.default_spec_id);
  Json specs = Json::array();
  for (const PartitionSpec& spec : metadata.specs) specs.push(spec_to_json(spec));
  json.set("partition-specs", std::move(specs));
  json.set("last-partition-id", metadata.last_partition_id);
  json.set("default-sort-order-id", metadata.default_sort_order_id);
  Json orders = Json::array();
  for (const SortOrder& order : metadata.sort_orders) orders.push(sort_order_to_json(order));
  json.set("sort-orders", std::move(orders));
  json.set("properties", properties_to_json(metadata.properties));
  put_history(metadata, &json);
  put_members(metadata.extra, &json);
  return json;
}

Result<PartitionSpec> spec_from_json(const Json& json) {
  PartitionSpec spec;
  spec.id = static_cast<int>(json["spec-id"].as_int(0));
  ASSIGN_OR_RETURN(const Json* fields, json.array_at("fields"));
  ASSIGN_OR_RETURN(spec.fields, partition_fields_from_json(*fields));
  return spec;
}

Json spec_to_json(const PartitionSpec& spec) {
  Json json = Json::object();
  json.set("spec-id", spec.id);
  json.set("fields", partition_fields_to_json(spec));
  return json;
}

Result<SortOrder> sort_order_from_json(const Json& json) {
  SortOrder order;
  order.id = static_cast<int>(json["order-id"].as_int(0));
  for (const Json& item : json["fields"].as_array()) {
    SortField field;
    ASSIGN_OR_RETURN(int64_t source, item.int_at("source-id"));
    field.source_id = static_cast<int>(source);
    ASSIGN_OR_RETURN(std::string transform, item.string_at("transform"));
    ASSIGN_OR_RETURN(field.transform, transform_from_text(transform));
    field.ascending = item["direction"].as_string("asc") != "desc";
    field.nulls_first = item["null-order"].as_string("nulls-first") != "nulls-last";
    order.fields.push_back(std::move(field));
  }
  return order;
}

Json sort_order_to_json(const SortOrder& order) {
  Json fields = Json::array();
  for (const SortField& field : order.fields) {
    Json item = Json::object();
    item.set("transform", transform_text(field.transform));
    item.set("source-id", field.source_id);
    item.set("direction", field.ascending ? "asc" : "desc");
    item.set("null-order", field.nulls_first ? "nulls-first" : "nulls-last");
    fields.push(std::move(item));
  }
  Json json = Json::object();
  json.set("order-id", order.id);
  json.set("fields", std::move(fields));
  return json;
}

Result<Snapshot> snapshot_from_json(const Json& json) {
  Snapshot snapshot;
  ASSIGN_OR_RETURN(snapshot.id, json.int_at("snapshot-id"));
  snapshot.parent_id = optional_int(json, "parent-snapshot-id");
  snapshot.sequence_number = json["sequence-number"].as_int(0);
  ASSIGN_OR_RETURN(snapshot.timestamp_millis, json.int_at("timestamp-ms"));
  snapshot.manifest_list = json["manifest-list"].as_string();
  for (const Json& item : json["manifests"].as_array())
    snapshot.manifests.emplace_back(item.as_string());
  snapshot.summary = properties_from_json(json["summary"]);
  if (auto schema = optional_int(json, "schema-id")) snapshot.schema_id = static_cast<int>(*schema);
  snapshot.first_row_id = optional_int(json, "first-row-id");
  snapshot.added_rows = optional_int(json, "added-rows");
  snapshot.extra = other_members(json, kSnapshotMembers);
  return snapshot;
}

Json snapshot_to_json(const Snapshot& snapshot, int format_version) {
  Json json = Json::object();
  if (format_version >= 2) json.set("sequence-number", snapshot.sequence_number);
  json.set("snapshot-id", snapshot.id);
  if (snapshot.parent_id) json.set("parent-snapshot-id", *snapshot.parent_id);
  json.set("timestamp-ms", snapshot.timestamp_millis);
  json.set("summary", properties_to_json(snapshot.summary));
  if (!snapshot.manifest_list.empty()) json.set("manifest-list", snapshot.manifest_list);
  if (!snapshot.manifests.empty()) {
    Json manifests = Json::array();
    for (const std::string& path : snapshot.manifests) manifests.push(path);
    json.set("manifests", std::move(manifests));
  }
  if (snapshot.schema_id) json.set("schema-id", *snapshot.schema_id);
  if (snapshot.first_row_id) json.set("first-row-id", *snapshot.first_row_id);
  if (snapshot.added_rows) json.set("added-rows", *snapshot.added_rows);
  put_members(snapshot.extra, &json);
  return json;
}

Result<SnapshotRef> ref_from_json(const Json& json) {
  SnapshotRef ref;
  ASSIGN_OR_RETURN(ref.snapshot_id, json.int_at("snapshot-id"));
  ASSIGN_OR_RETURN(std::string type, json.string_at("type"));
  if (type != "branch" && type != "tag")
    return broken("a ref is neither branch nor tag but \"" + type + "\"");
  ref.is_branch = type == "branch";
  ref.min_snapshots_to_keep = optional_int(json, "min-snapshots-to-keep");
  ref.max_snapshot_age_millis = optional_int(json, "max-snapshot-age-ms");
  ref.max_ref_age_millis = optional_int(json, "max-ref-age-ms");
  return ref;
}

Json ref_to_json(const SnapshotRef& ref) {
  Json json = Json::object();
  json.set("snapshot-id", ref.snapshot_id);
  json.set("type", ref.is_branch ? "branch" : "tag");
  if (ref.min_snapshots_to_keep) json.set("min-snapshots-to-keep", *ref.min_snapshots_to_keep);
  if (ref.max_snapshot_age_millis) json.set("max-snapshot-age-ms", *ref.max_snapshot_age_millis);
  if (ref.max_ref_age_millis) json.set("max-ref-age-ms", *ref.max_ref_age_millis);
  return json;
}

}  // namespace aichemy::tables::iceberg
