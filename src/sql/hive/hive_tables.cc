#include "sql/hive/hive_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "sql/hive/hive_buckets.h"
#include "sql/hive/hive_file_format.h"
#include "sql/hive/hive_projection.h"
#include "sql/hive/hive_types.h"

namespace aichemy::sql {
namespace {

const std::vector<PropertyInfo> kProperties = {
    {"format", "PARQUET", "varchar", "Hive storage format for the table"},
    {"external_location", "", "varchar", "File system location URI for external table"},
    {"partitioned_by", "[]", "array(varchar)", "Partition columns"},
    {"bucketed_by", "[]", "array(varchar)", "Bucketing columns"},
    {"sorted_by", "[]", "array(varchar)", "Bucket sorting columns"},
    {"bucket_count", "0", "integer", "Number of buckets"},
    {"bucketing_version", "1", "integer", "Bucketing version"},
    {"partition_projection_enabled", "", "boolean", "Enable AWS Athena partition projection"},
    {"partition_projection_ignore", "", "boolean",
     "Disable AWS Athena partition projection in Trino only"},
    {"partition_projection_location_template", "", "varchar",
     "Partition projection location template"},
    {"csv_separator", "", "varchar", "CSV separator character"},
    {"csv_quote", "", "varchar", "CSV quote character"},
    {"csv_escape", "", "varchar", "CSV escape character"},
    {"skip_header_line_count", "", "integer", "Number of header lines"},
    {"skip_footer_line_count", "", "integer", "Number of footer lines"},
    {"textfile_field_separator", "", "varchar", "TEXTFILE field separator character"},
    {"textfile_field_separator_escape", "", "varchar", "TEXTFILE field separator escape character"},
    {"null_format", "", "varchar", "Serialization format for NULL value"},
    {"auto_purge", "false", "boolean", "Skip trash when table or partition is deleted"},
    {"extra_properties", "", "map(varchar, varchar)", "Extra table properties"},
};

// A property that stands for a parameter of the SerDe or of the table, for some formats only.
struct ParameterRow {
  const char* property;
  const char* parameter;
  bool of_serde;
  HiveFormat formats[2];
  bool one_character;
};
constexpr ParameterRow kParameters[] = {
    {"csv_separator", "separatorChar", true, {HiveFormat::csv, HiveFormat::csv}, true},
    {"csv_quote", "quoteChar", true, {HiveFormat::csv, HiveFormat::csv}, true},
    {"csv_escape", "escapeChar", true, {HiveFormat::csv, HiveFormat::csv}, true},
    {"skip_header_line_count",
     "skip.header.line.count",
     false,
     {HiveFormat::csv, HiveFormat::textfile},
     false},
    {"skip_footer_line_count",
     "skip.footer.line.count",
     false,
     {HiveFormat::csv, HiveFormat::textfile},
     false},
    {"textfile_field_separator",
     "field.delim",
     true,
     {HiveFormat::textfile, HiveFormat::textfile},
     true},
    {"textfile_field_separator_escape",
     "escape.delim",
     true,
     {HiveFormat::textfile, HiveFormat::textfile},
     true},
    {"null_format",
     "serialization.null.format",
     true,
     {HiveFormat::textfile, HiveFormat::textfile},
     false},
};

// Of the table, not of a column; see hive_projection.h.
constexpr std::pair<const char*, const char*> kProjectionParameters[] = {
    {"partition_projection_enabled", "projection.enabled"},
    {"partition_projection_ignore", "trino.partition_projection.ignore"},
    {"partition_projection_location_template", "storage.location.template"},
};

std::unexpected<Error> other_format(const char* format, const TableName& name) {
  return fail(Code::unsupported, "UNSUPPORTED_TABLE_TYPE",
              fmt::format("Cannot query {} table '{}.{}'", format, name.schema, name.table));
}

Status check_kind(const TableName& name, const hive::Table& source) {
  std::string type = lower(parameter_of(*source.parameters, "table_type"));
  std::string provider = lower(parameter_of(*source.parameters, "spark.sql.sources.provider"));
  std::string input = source.storage->input_format.value_or("");
  if (type == "iceberg") return other_format("Iceberg", name);
  if (provider == "delta") return other_format("Delta Lake", name);
  if (provider == "hudi" || input.starts_with("org.apache.hudi."))
    return other_format("Hudi", name);
  return {};
}

Result<ColumnInfo> sql_column(const hive::FieldSchema& field) {
  ColumnInfo column;
  column.name = lower(field.name.value_or(""));
  ASSIGN_OR_RETURN(column.type, type_of_hive(field.type.value_or("")));
  column.comment = field.comment.value_or("");
  return column;
}

Properties shown_properties(const HiveTable& table) {
  Properties shown;
  auto format = format_of(table.storage());
  if (format) shown["format"] = hive_format_row(*format).name;
  if (!table.is_managed()) shown["external_location"] = table.storage().location.value_or("");
  if (table.keys > 0) {
    Json keys = Json::array();
    for (size_t i = 0; i < table.keys; ++i) keys.push(table.key(i).name);
    shown["partitioned_by"] = keys.dump();
  }
  show_buckets(table, shown);
  for (const auto& [property, parameter] : kProjectionParameters) {
    if (auto found = table.parameters().find(parameter); found != table.parameters().end())
      shown[property] = found->second;
  }
  hive::Parameters serde;
  if (table.storage().serde && table.storage().serde->parameters)
    serde = *table.storage().serde->parameters;
  for (const ParameterRow& row : kParameters) {
    bool fits = format && std::ranges::find(row.formats, *format) != std::end(row.formats);
    std::string value = parameter_of(row.of_serde ? serde : table.parameters(), row.parameter);
    if (fits && !value.empty()) shown[row.property] = value;
  }
  if (lower(parameter_of(table.parameters(), "auto.purge")) == "true") shown["auto_purge"] = "true";
  return shown;
}

void add_hidden(HiveTable& table) {
  auto add = [&](const char* name, Type type) {
    table.columns.push_back({.name = name, .type = std::move(type), .hidden = true});
  };
  add("$path", Type::varchar());
  add("$file_size", Type(TypeKind::bigint));
  add("$file_modified_time", Type(TypeKind::timestamp_tz, 3));
  if (table.keys > 0) add("$partition", Type::varchar());
  if (auto buckets = buckets_of(table); buckets && *buckets)
    add(kBucketColumn, Type(TypeKind::integer));
}

std::unexpected<Error> bad_property(const std::string& message) {
  return fail(Code::invalid, "INVALID_TABLE_PROPERTY", message);
}

Result<std::vector<std::string>> names_of(const std::string& text, const char* property) {
  auto json = Json::parse(text);
  if (!json || !json->is_array())
    return bad_property(
        fmt::format("Invalid value for catalog 'hive' table property '{}'", property));
  std::vector<std::string> names;
  for (const Json& item : json->as_array()) names.push_back(lower(std::string(item.as_string())));
  return names;
}

std::string joined(const std::vector<std::string>& names) {
  std::string text;
  for (const std::string& name : names) text += (text.empty() ? "" : ", ") + name;
  return text;
}

bool is_key_type(const Type& type) {
  static constexpr TypeKind kKinds[] = {TypeKind::boolean, TypeKind::tinyint, TypeKind::smallint,
                                        TypeKind::integer, TypeKind::bigint,  TypeKind::real,
                                        TypeKind::double_, TypeKind::decimal, TypeKind::varchar,
                                        TypeKind::char_,   TypeKind::date,    TypeKind::timestamp};
  return std::ranges::find(kKinds, type.kind) != std::end(kKinds);
}

// The last columns, in the order of the property.
Status check_keys(const NewTable& table, const std::vector<std::string>& keys) {
  std::vector<std::string> absent;
  for (const std::string& key : keys) {
    if (std::ranges::find(table.columns, key, &ColumnInfo::name) == table.columns.end())
      absent.push_back(key);
  }
  if (!absent.empty()) {
    return bad_property(
        fmt::format("Partition columns [{}] not present in schema", joined(absent)));
  }
  if (keys.size() == table.columns.size())
    return bad_property("Table contains only partition columns");
  for (size_t i = 0; i < keys.size(); ++i) {
    const ColumnInfo& column = table.columns[table.columns.size() - keys.size() + i];
    if (column.name != keys[i]) {
      return fail(
          Code::invalid, "HIVE_COLUMN_ORDER_MISMATCH",
          fmt::format("Partition keys must be the last columns in the table and in the same "
                      "order as the table properties: [{}]",
                      joined(keys)));
    }
    if (!is_key_type(column.type)) {
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("Unsupported type [{}] for partition: {}", column.type.display(),
                              column.name));
    }
  }
  return {};
}

Status check_csv(const std::vector<ColumnInfo>& columns, size_t count) {
  std::string others;
  for (size_t i = 0; i < count; ++i) {
    if (columns[i].type == Type::varchar()) continue;
    others += fmt::format("{}{} {}", others.empty() ? "" : ", ", columns[i].name,
                          columns[i].type.display());
  }
  if (others.empty()) return {};
  return fail(Code::unsupported, "NOT_SUPPORTED",
              fmt::format("Hive CSV storage format only supports VARCHAR (unbounded). Unsupported "
                          "columns: {}",
                          others));
}

Status set_parameters(const NewTable& table, HiveFormat format, hive::Table* made) {
  for (const ParameterRow& row : kParameters) {
    auto given = table.properties.find(row.property);
    if (given == table.properties.end()) continue;
    if (std::ranges::find(row.formats, format) == std::end(row.formats)) {
      return bad_property(fmt::format("Cannot specify {} table property for storage format: {}",
                                      row.property, hive_format_row(format).name));
    }
    if (row.one_character && given->second.size() != 1)
      return bad_property(fmt::format("{} must be a single character string, but was: '{}'",
                                      row.property, given->second));
    auto& to = row.of_serde ? *made->storage->serde->parameters : *made->parameters;
    to[row.parameter] = given->second;
    // What LazySimpleSerDe writes beside it.
    if (row.parameter == std::string_view("field.delim"))
      to["serialization.format"] = given->second;
  }
  auto extra = table.properties.find("extra_properties");
  if (extra == table.properties.end()) return {};
  ASSIGN_OR_RETURN(Json json, Json::parse(extra->second));
  for (const auto& [key, value] : json.as_object())
    (*made->parameters)[key] = std::string(value.as_string());
  return {};
}

Status set_projection(const NewTable& table, size_t data_columns, int64_t now,
                      hive::Parameters& parameters) {
  for (const auto& [property, parameter] : kProjectionParameters) {
    auto given = table.properties.find(property);
    if (given == table.properties.end()) continue;
    bool text = parameter == std::string_view("storage.location.template");
    parameters[parameter] = text ? given->second : lower(given->second);
    if (!text && parameters[parameter] != "true" && parameters[parameter] != "false") {
      return bad_property(
          fmt::format("Invalid value for catalog 'hive' table property '{}': "
                      "Cannot convert ['{}'] to boolean",
                      property, given->second));
    }
  }
  for (const ColumnInfo& column : table.columns)
    RETURN_IF_ERROR(set_projection_parameters(column, parameters));
  RETURN_IF_ERROR(HiveProjection::of(table.columns, data_columns, parameters, now));
  return {};
}

Result<HiveFormat> wanted_format(const Properties& properties) {
  for (const auto& [name, value] : properties) {
    if (std::ranges::find(kProperties, name, &PropertyInfo::name) != kProperties.end()) continue;
    return bad_property(fmt::format("Catalog 'hive' table property '{}' does not exist", name));
  }
  auto given = properties.find("format");
  if (given == properties.end()) return HiveFormat::parquet;
  const HiveFormatRow* row = find_hive_format(given->second);
  if (!row) {
    return bad_property(
        fmt::format("Unable to set catalog 'hive' table property 'format' to "
                    "[{}]: Invalid value [{}]",
                    given->second, given->second));
  }
  if (!row->written) {
    return fail(
        Code::unsupported, "NOT_SUPPORTED",
        fmt::format("Writing tables of the Hive storage format {} is not supported", row->name));
  }
  return row->format;
}

}  // namespace

std::string without_slash(std::string location) {
  while (location.ends_with('/')) location.pop_back();
  return location;
}

std::string lower(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string parameter_of(const hive::Parameters& parameters, std::string_view key) {
  auto found = parameters.find(std::string(key));
  return found == parameters.end() ? std::string() : found->second;
}

std::string HiveTable::location() const { return without_slash(storage().location.value_or("")); }

hive::Partition HiveTable::partition(std::vector<std::string> values, std::string at) const {
  hive::Partition made;
  made.values = std::move(values);
  made.storage = source.storage;
  made.storage->location = std::move(at);
  made.parameters.emplace();
  return made;
}

bool is_spark_bucketed(const HiveTable& table) {
  return table.parameters().contains("spark.sql.sources.provider") &&
         table.parameters().contains("spark.sql.sources.schema.numBuckets");
}

const std::vector<PropertyInfo>& hive_table_properties() { return kProperties; }

Result<std::shared_ptr<HiveTable>> sql_table(const TableName& name, hive::Table source) {
  if (!source.storage) source.storage.emplace();
  if (!source.storage->columns) source.storage->columns.emplace();
  if (!source.parameters) source.parameters.emplace();
  if (!source.partition_keys) source.partition_keys.emplace();
  RETURN_IF_ERROR(check_kind(name, source));
  auto table = std::make_shared<HiveTable>();
  table->name = name;
  table->comment = parameter_of(*source.parameters, "comment");
  table->owner = source.owner.value_or("");
  for (const auto& field : *source.storage->columns) {
    ASSIGN_OR_RETURN(ColumnInfo column, sql_column(field));
    table->columns.push_back(std::move(column));
  }
  table->data_columns = table->columns.size();
  for (const auto& field : *source.partition_keys) {
    ASSIGN_OR_RETURN(ColumnInfo column, sql_column(field));
    table->columns.push_back(std::move(column));
  }
  table->keys = table->columns.size() - table->data_columns;
  table->source = std::move(source);
  table->properties = shown_properties(*table);
  for (ColumnInfo& column : table->columns)
    column.properties = projection_properties(column.name, table->parameters());
  if (auto format = format_of(table->storage()); format && *format == HiveFormat::csv)
    RETURN_IF_ERROR(check_csv(table->columns, table->data_columns));
  add_hidden(*table);
  return table;
}

Result<hive::FieldSchema> metastore_column(const ColumnInfo& column) {
  if (!column.nullable) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Catalog 'hive' does not support non-null column for column name '{}'",
                            column.name));
  }
  if (column.default_value) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Catalog 'hive' does not support default value for column name '{}'",
                            column.name));
  }
  hive::FieldSchema field{column.name, {}, {}};
  ASSIGN_OR_RETURN(field.type, hive_type(column.type, column.name));
  if (!column.comment.empty()) field.comment = column.comment;
  return field;
}

Result<hive::Table> metastore_table(const NewTable& table, int64_t now) {
  ASSIGN_OR_RETURN(HiveFormat format, wanted_format(table.properties));
  std::vector<std::string> keys;
  if (auto given = table.properties.find("partitioned_by"); given != table.properties.end()) {
    ASSIGN_OR_RETURN(keys, names_of(given->second, "partitioned_by"));
  }
  RETURN_IF_ERROR(check_keys(table, keys));
  size_t data_columns = table.columns.size() - keys.size();
  if (format == HiveFormat::csv) RETURN_IF_ERROR(check_csv(table.columns, data_columns));
  const HiveFormatRow& row = hive_format_row(format);
  hive::Table made;
  made.name = table.name.table;
  made.database_name = table.name.schema;
  made.owner = table.owner;
  made.parameters.emplace();
  made.partition_keys.emplace();
  hive::StorageDescriptor& storage = made.storage.emplace();
  storage.columns.emplace();
  storage.input_format = row.input;
  storage.output_format = row.output;
  storage.serde = hive::SerDeInfo{.name = table.name.table,
                                  .serialization_library = row.serde,
                                  .parameters = hive::Parameters{}};
  for (size_t i = 0; i < table.columns.size(); ++i) {
    ASSIGN_OR_RETURN(hive::FieldSchema field, metastore_column(table.columns[i]));
    (i < data_columns ? *storage.columns : *made.partition_keys).push_back(std::move(field));
  }
  RETURN_IF_ERROR(set_parameters(table, format, &made));
  RETURN_IF_ERROR(set_buckets(table, keys, &made));
  bool described = format == HiveFormat::orc || format == HiveFormat::avro;
  if (described) RETURN_IF_ERROR(file_format_of(format, made));
  RETURN_IF_ERROR(set_projection(table, data_columns, now, *made.parameters));
  if (!table.comment.empty()) (*made.parameters)["comment"] = table.comment;
  auto purge = table.properties.find("auto_purge");
  if (purge != table.properties.end()) (*made.parameters)["auto.purge"] = purge->second;
  auto external = table.properties.find("external_location");
  made.table_type = external == table.properties.end() ? "MANAGED_TABLE" : "EXTERNAL_TABLE";
  if (external != table.properties.end()) {
    storage.location = external->second;
    (*made.parameters)["EXTERNAL"] = "TRUE";
  }
  return made;
}

}  // namespace aichemy::sql
