// Writing manifests and manifest lists of format versions 2 and 3.
#include <algorithm>

#include "tables/avro_file.h"
#include "tables/iceberg_manifest.h"

namespace aichemy::tables::iceberg {

namespace {

// A writer's field: name, id, Avro type; optional ones are unions with null first.
struct FieldRow {
  const char* name;
  int id;
  const char* type;
  bool required;
};

Json avro_field(std::string_view name, int id, Json type, bool required) {
  Json field = Json::object();
  field.set("name", name);
  if (required) {
    field.set("type", std::move(type));
  } else {
    Json either = Json::array();
    either.push("null");
    either.push(std::move(type));
    field.set("type", std::move(either));
    field.set("default", nullptr);
  }
  field.set("field-id", id);
  return field;
}

Json avro_record(std::string_view name, Json fields) {
  Json record = Json::object();
  record.set("type", "record");
  record.set("name", name);
  record.set("fields", std::move(fields));
  return record;
}

// Int-keyed maps are arrays of records, which readers know by their logical type.
Json avro_id_map(int key_id, int value_id, const char* value_type) {
  Json fields = Json::array();
  fields.push(avro_field("key", key_id, "int", true));
  fields.push(avro_field("value", value_id, value_type, true));
  Json map = Json::object();
  map.set("type", "array");
  map.set("items", avro_record("k" + std::to_string(key_id) + "_v" + std::to_string(value_id),
                               std::move(fields)));
  map.set("logicalType", "map");
  return map;
}

Json avro_list(int element_id, const char* type) {
  Json list = Json::object();
  list.set("type", "array");
  list.set("items", type);
  list.set("element-id", element_id);
  return list;
}

Json logical(const char* type, const char* name) {
  Json json = Json::object();
  json.set("type", type);
  json.set("logicalType", name);
  return json;
}

Json avro_fixed(const std::string& name, int size, const char* logical_type) {
  Json json = Json::object();
  json.set("type", "fixed");
  json.set("name", name);
  json.set("size", size);
  if (logical_type) json.set("logicalType", logical_type);
  return json;
}

// Smallest size that holds every unscaled value of the precision.
int decimal_bytes(int precision) {
  Int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  int bytes = 1;
  while (bytes < 16 && (Int128{1} << (8 * bytes - 1)) < limit) ++bytes;
  return bytes;
}

Json avro_partition_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean: return "boolean";
    case TypeKind::int32: return "int";
    case TypeKind::int64: return "long";
    case TypeKind::float32: return "float";
    case TypeKind::float64: return "double";
    case TypeKind::date: return logical("int", "date");
    case TypeKind::time: return logical("long", "time-micros");
    case TypeKind::timestamp:
    case TypeKind::timestamptz: {
      Json json = logical("long", "timestamp-micros");
      json.set("adjust-to-utc", type.kind == TypeKind::timestamptz);
      return json;
    }
    case TypeKind::timestamp_ns:
    case TypeKind::timestamptz_ns: {
      Json json = logical("long", "timestamp-nanos");
      json.set("adjust-to-utc", type.kind == TypeKind::timestamptz_ns);
      return json;
    }
    case TypeKind::string: return "string";
    case TypeKind::uuid: return avro_fixed("uuid_fixed", 16, "uuid");
    case TypeKind::fixed:
      return avro_fixed("fixed_" + std::to_string(type.length), type.length, nullptr);
    case TypeKind::decimal: {
      std::string name =
          "decimal_" + std::to_string(type.precision) + "_" + std::to_string(type.scale);
      Json json = avro_fixed(name, decimal_bytes(type.precision), "decimal");
      json.set("precision", type.precision);
      json.set("scale", type.scale);
      return json;
    }
    default: return "bytes";
  }
}

// Avro names are [A-Za-z_][A-Za-z0-9_]*; other characters become _xHEX, as Iceberg's writers do.
std::string avro_name(std::string_view name) {
  static constexpr char kHex[] = "0123456789ABCDEF";
  std::string out;
  for (char c : name) {
    bool digit = c >= '0' && c <= '9';
    if ((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || (digit && !out.empty())) {
      out.push_back(c);
    } else if (digit) {
      out += std::string("_") + c;
    } else {
      auto byte = static_cast<uint8_t>(c);
      out += std::string("_x") + kHex[byte >> 4] + kHex[byte & 15];
    }
  }
  return out;
}

struct PartitionWriter {
  std::vector<Type> types;  // result types, in the spec's order
  Json schema;

  static Result<PartitionWriter> of(const Schema& schema, const PartitionSpec& spec) {
    PartitionWriter writer;
    Json fields = Json::array();
    std::vector<std::string> named;
    for (const PartitionField& field : spec.fields) {
      const Field* source = schema.find(field.source_id);
      Type source_type = source ? source->type : primitive(TypeKind::int32);
      ASSIGN_OR_RETURN(Type type, transform_result_type(field.transform, source_type));
      Json avro = avro_partition_type(type);
      // A second definition of one name would be an error: refer to the first.
      std::string name(avro["name"].as_string());
      if (!name.empty()) {
        if (std::find(named.begin(), named.end(), name) != named.end())
          avro = Json(name);
        else
          named.push_back(name);
      }
      fields.push(avro_field(avro_name(field.name), field.field_id, std::move(avro), false));
      writer.types.push_back(std::move(type));
    }
    writer.schema = avro_record("r102", std::move(fields));
    return writer;
  }

  Status put(const std::vector<Value>& values, AvroBuffer* to) const {
    if (values.size() != types.size()) {
      return fail(Code::invalid, "written_file",
                  "a file has " + std::to_string(values.size()) +
                      " partition values, its spec has " + std::to_string(types.size()) +
                      " fields");
    }
    for (size_t i = 0; i < types.size(); ++i) {
      if (!fits(values[i], types[i])) {
        return fail(Code::invalid, "written_file",
                    "a partition value is not of type " + type_text(types[i]));
      }
      to->put_long(values[i].is_null() ? 0 : 1);
      if (!values[i].is_null()) put_value(values[i], types[i], to);
    }
    return {};
  }

  static void put_value(const Value& value, const Type& type, AvroBuffer* to) {
    if (value.holds_bool()) return to->put_bool(value.as_bool());
    if (value.holds_int()) return to->put_long(value.as_int());
    std::string binary = value_to_binary(value, type);
    if (type.kind == TypeKind::decimal) {
      char fill = value.as_decimal() < 0 ? '\xff' : '\0';
      auto size = static_cast<size_t>(decimal_bytes(type.precision));
      if (binary.size() < size) binary.insert(0, size - binary.size(), fill);
    }
    bool framed = type.kind == TypeKind::string || type.kind == TypeKind::binary;
    framed ? to->put_bytes(binary) : to->put_raw(binary);
  }
};

Json data_file_schema(Json partition, int version) {
  Json fields = Json::array();
  fields.push(avro_field("content", 134, "int", true));
  fields.push(avro_field("file_path", 100, "string", true));
  fields.push(avro_field("file_format", 101, "string", true));
  fields.push(avro_field("partition", 102, std::move(partition), true));
  fields.push(avro_field("record_count", 103, "long", true));
  fields.push(avro_field("file_size_in_bytes", 104, "long", true));
  fields.push(avro_field("column_sizes", 108, avro_id_map(117, 118, "long"), false));
  fields.push(avro_field("value_counts", 109, avro_id_map(119, 120, "long"), false));
  fields.push(avro_field("null_value_counts", 110, avro_id_map(121, 122, "long"), false));
  fields.push(avro_field("nan_value_counts", 137, avro_id_map(138, 139, "long"), false));
  fields.push(avro_field("lower_bounds", 125, avro_id_map(126, 127, "bytes"), false));
  fields.push(avro_field("upper_bounds", 128, avro_id_map(129, 130, "bytes"), false));
  fields.push(avro_field("split_offsets", 132, avro_list(133, "long"), false));
  fields.push(avro_field("equality_ids", 135, avro_list(136, "int"), false));
  fields.push(avro_field("sort_order_id", 140, "int", false));
  fields.push(avro_field("referenced_data_file", 143, "string", false));
  if (version >= 3) {
    fields.push(avro_field("first_row_id", 142, "long", false));
    fields.push(avro_field("content_offset", 144, "long", false));
    fields.push(avro_field("content_size_in_bytes", 145, "long", false));
  }
  return avro_record("r2", std::move(fields));
}

Json manifest_entry_schema(Json partition, int version) {
  Json fields = Json::array();
  fields.push(avro_field("status", 0, "int", true));
  fields.push(avro_field("snapshot_id", 1, "long", false));
  fields.push(avro_field("sequence_number", 3, "long", false));
  fields.push(avro_field("file_sequence_number", 4, "long", false));
  fields.push(avro_field("data_file", 2, data_file_schema(std::move(partition), version), true));
  return avro_record("manifest_entry", std::move(fields));
}

void put_optional(std::optional<int64_t> value, AvroBuffer* to) {
  to->put_long(value ? 1 : 0);
  if (value) to->put_long(*value);
}

template <class T>
void put_list(const std::vector<T>& values, AvroBuffer* to) {
  to->put_long(values.empty() ? 0 : 1);
  if (values.empty()) return;
  to->put_long(static_cast<int64_t>(values.size()));
  for (T value : values) to->put_long(value);
  to->put_long(0);
}

void put_counts(const std::vector<ColumnStats>& columns, int64_t ColumnStats::* member,
                AvroBuffer* to) {
  int64_t count =
      std::count_if(columns.begin(), columns.end(), [&](auto& c) { return c.*member >= 0; });
  to->put_long(count == 0 ? 0 : 1);
  if (count == 0) return;
  to->put_long(count);
  for (const ColumnStats& column : columns) {
    if (column.*member < 0) continue;
    to->put_long(column.field_id);
    to->put_long(column.*member);
  }
  to->put_long(0);
}

void put_bounds(const std::vector<ColumnStats>& columns,
                std::optional<std::string> ColumnStats::* member, AvroBuffer* to) {
  int64_t count = std::count_if(columns.begin(), columns.end(),
                                [&](auto& c) { return (c.*member).has_value(); });
  to->put_long(count == 0 ? 0 : 1);
  if (count == 0) return;
  to->put_long(count);
  for (const ColumnStats& column : columns) {
    if (!(column.*member)) continue;
    to->put_long(column.field_id);
    to->put_bytes(*(column.*member));
  }
  to->put_long(0);
}

constexpr std::string_view kFormatNames[] = {"PARQUET", "ORC", "AVRO", "PUFFIN"};

Status put_entry(const ManifestEntry& entry, const PartitionWriter& partition, int version,
                 AvroBuffer* to) {
  to->put_long(static_cast<int64_t>(entry.status));
  put_optional(entry.snapshot_id, to);
  put_optional(entry.sequence_number, to);
  put_optional(entry.file_sequence_number, to);
  to->put_long(static_cast<int64_t>(entry.content));
  to->put_bytes(entry.path);
  to->put_bytes(kFormatNames[static_cast<size_t>(entry.format)]);
  RETURN_IF_ERROR(partition.put(entry.partition, to));
  to->put_long(entry.record_count);
  to->put_long(entry.size);
  put_counts(entry.columns, &ColumnStats::column_size, to);
  put_counts(entry.columns, &ColumnStats::value_count, to);
  put_counts(entry.columns, &ColumnStats::null_count, to);
  put_counts(entry.columns, &ColumnStats::nan_count, to);
  put_bounds(entry.columns, &ColumnStats::lower, to);
  put_bounds(entry.columns, &ColumnStats::upper, to);
  put_list(entry.split_offsets, to);
  put_list(entry.equality_ids, to);
  put_optional(entry.sort_order_id, to);
  to->put_long(entry.referenced_data_file.empty() ? 0 : 1);
  if (!entry.referenced_data_file.empty()) to->put_bytes(entry.referenced_data_file);
  if (version < 3) return {};
  put_optional(entry.first_row_id, to);
  put_optional(entry.content_offset, to);
  put_optional(entry.content_size, to);
  return {};
}

// The sync marker only has to be unlikely in the data; a digest of the content keeps files
// reproducible.
std::string sync_marker(std::string_view seed) {
  std::string marker;
  for (uint32_t i = 0; i < 4; ++i)
    append_little(marker, murmur3(std::string(seed) + std::to_string(i)));
  return marker;
}

constexpr FieldRow kListFields[] = {
    {"manifest_path", 500, "string", true},     {"manifest_length", 501, "long", true},
    {"partition_spec_id", 502, "int", true},    {"content", 517, "int", true},
    {"sequence_number", 515, "long", true},     {"min_sequence_number", 516, "long", true},
    {"added_snapshot_id", 503, "long", true},   {"added_files_count", 504, "int", true},
    {"existing_files_count", 505, "int", true}, {"deleted_files_count", 506, "int", true},
    {"added_rows_count", 512, "long", true},    {"existing_rows_count", 513, "long", true},
    {"deleted_rows_count", 514, "long", true},
};

Json manifest_list_schema(int version) {
  Json fields = Json::array();
  for (const FieldRow& row : kListFields)
    fields.push(avro_field(row.name, row.id, row.type, row.required));
  Json summary = Json::array();
  summary.push(avro_field("contains_null", 509, "boolean", true));
  summary.push(avro_field("contains_nan", 518, "boolean", false));
  summary.push(avro_field("lower_bound", 510, "bytes", false));
  summary.push(avro_field("upper_bound", 511, "bytes", false));
  Json list = Json::object();
  list.set("type", "array");
  list.set("items", avro_record("r508", std::move(summary)));
  list.set("element-id", 508);
  fields.push(avro_field("partitions", 507, std::move(list), false));
  fields.push(avro_field("key_metadata", 519, "bytes", false));
  if (version >= 3) fields.push(avro_field("first_row_id", 520, "long", false));
  return avro_record("manifest_file", std::move(fields));
}

void put_summary(const PartitionSummary& summary, AvroBuffer* to) {
  to->put_bool(summary.contains_null);
  to->put_long(summary.contains_nan ? 1 : 0);
  if (summary.contains_nan) to->put_bool(*summary.contains_nan);
  for (const auto* bound : {&summary.lower, &summary.upper}) {
    to->put_long(*bound ? 1 : 0);
    if (*bound) to->put_bytes(**bound);
  }
}

void put_manifest_file(const ManifestFile& row, int version, AvroBuffer* to) {
  to->put_bytes(row.path);
  to->put_long(row.length);
  to->put_long(row.spec_id);
  to->put_long(row.holds_deletes ? 1 : 0);
  to->put_long(row.sequence_number);
  to->put_long(row.min_sequence_number);
  to->put_long(row.added_snapshot_id);
  for (int64_t count : {row.added_files, row.existing_files, row.deleted_files, row.added_rows,
                        row.existing_rows, row.deleted_rows}) {
    to->put_long(std::max<int64_t>(count, 0));
  }
  to->put_long(1);
  if (!row.partitions.empty()) {
    to->put_long(static_cast<int64_t>(row.partitions.size()));
    for (const PartitionSummary& summary : row.partitions) put_summary(summary, to);
  }
  to->put_long(0);
  to->put_long(row.key_metadata.empty() ? 0 : 1);
  if (!row.key_metadata.empty()) to->put_bytes(row.key_metadata);
  if (version >= 3) put_optional(row.first_row_id, to);
}

}  // namespace

Result<std::string> encode_manifest(const Schema& schema, const PartitionSpec& spec,
                                    bool holds_deletes, std::span<const ManifestEntry> entries,
                                    const ManifestWriteOptions& options) {
  ASSIGN_OR_RETURN(PartitionWriter partition, PartitionWriter::of(schema, spec));
  std::map<std::string, std::string> metadata = {
      {"schema", schema_to_json(schema).dump()},
      {"schema-id", std::to_string(schema.id)},
      {"partition-spec", spec_to_json(spec)["fields"].dump()},
      {"partition-spec-id", std::to_string(spec.id)},
      {"format-version", std::to_string(options.format_version)},
      {"content", holds_deletes ? "deletes" : "data"},
  };
  AvroWriter writer(
      metadata, manifest_entry_schema(partition.schema, options.format_version), options.codec,
      sync_marker(entries.empty() ? std::string_view("empty") : entries.front().path));
  for (const ManifestEntry& entry : entries) {
    RETURN_IF_ERROR(put_entry(entry, partition, options.format_version, &writer.record()));
    RETURN_IF_ERROR(writer.end_record());
  }
  return writer.finish();
}

Result<std::string> encode_manifest_list(std::span<const ManifestFile> manifests,
                                         const ManifestListWriteOptions& options) {
  std::map<std::string, std::string> metadata = {
      {"snapshot-id", std::to_string(options.snapshot_id)},
      {"parent-snapshot-id", options.parent_snapshot_id
                                 ? std::to_string(*options.parent_snapshot_id)
                                 : std::string("null")},
      {"sequence-number", std::to_string(options.sequence_number)},
      {"format-version", std::to_string(options.format_version)},
  };
  AvroWriter writer(metadata, manifest_list_schema(options.format_version), options.codec,
                    sync_marker(metadata["snapshot-id"]));
  for (const ManifestFile& row : manifests) {
    put_manifest_file(row, options.format_version, &writer.record());
    RETURN_IF_ERROR(writer.end_record());
  }
  return writer.finish();
}

}  // namespace aichemy::tables::iceberg
