#include "sql/hive/hive_file_format.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/json.h"
#include "sql/hive/hive_types.h"

namespace aichemy::sql {
namespace {

namespace hive = wire::hive;

std::string lower_case(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::unexpected<Error> not_supported(const std::string& message) {
  return fail(Code::unsupported, "NOT_SUPPORTED", message);
}

// ---- the schema of Avro records that Hive makes of a table's columns ----

bool is_avro_name(std::string_view name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  return std::ranges::all_of(
      name, [](unsigned char c) { return c == '_' || (c < 128 && std::isalnum(c)); });
}

Json logical(const char* type, const char* name) {
  Json out = Json::object();
  out.set("type", type);
  out.set("logicalType", name);
  return out;
}

class AvroSchemaMaker {
 public:
  Result<Json> record(const std::string& name, const std::vector<HiveFileFormat::Column>& columns) {
    Json out = Json::object(), fields = Json::array();
    out.set("type", "record");
    out.set("name", name);
    for (const auto& column : columns) {
      if (!is_avro_name(column.name))
        return not_supported(fmt::format("Column '{}' has no name that Avro takes", column.name));
      ASSIGN_OR_RETURN(Json type, nullable(column.type, column.name));
      Json field = Json::object();
      field.set("name", column.name);
      field.set("type", std::move(type));
      field.set("default", Json());
      fields.push(std::move(field));
    }
    out.set("fields", std::move(fields));
    return out;
  }

 private:
  int records_ = 0;

  Result<Json> nullable(const Type& type, const std::string& column) {
    ASSIGN_OR_RETURN(Json inner, node(type, column));
    Json out = Json::array();
    out.push("null");
    out.push(std::move(inner));
    return out;
  }

  Result<Json> node(const Type& type, const std::string& column) {
    switch (type.kind) {
      case TypeKind::boolean: return Json("boolean");
      case TypeKind::tinyint:
      case TypeKind::smallint:
      case TypeKind::integer: return Json("int");
      case TypeKind::bigint: return Json("long");
      case TypeKind::real: return Json("float");
      case TypeKind::double_: return Json("double");
      case TypeKind::varbinary: return Json("bytes");
      case TypeKind::date: return logical("int", "date");
      case TypeKind::timestamp: return logical("long", "timestamp-millis");
      case TypeKind::char_:
      case TypeKind::varchar: {
        bool bounded = type.is(TypeKind::char_) || type.precision != Type::kUnbounded;
        if (!bounded) return Json("string");
        Json out = logical("string", type.is(TypeKind::char_) ? "char" : "varchar");
        out.set("maxLength", type.precision);
        return out;
      }
      case TypeKind::decimal: {
        Json out = logical("bytes", "decimal");
        out.set("precision", type.precision);
        out.set("scale", type.scale);
        return out;
      }
      default: return nested(type, column);
    }
  }

  Result<Json> nested(const Type& type, const std::string& column) {
    Json out = Json::object();
    if (type.is(TypeKind::array)) {
      ASSIGN_OR_RETURN(Json items, nullable(type.element(), column));
      out.set("type", "array");
      out.set("items", std::move(items));
      return out;
    }
    if (type.is(TypeKind::map)) {
      if (!type.key().is_text()) {
        return not_supported(fmt::format(
            "Column '{}' with a non-varchar map type is not supported by Avro", column));
      }
      ASSIGN_OR_RETURN(Json values, nullable(type.value(), column));
      out.set("type", "map");
      out.set("values", std::move(values));
      return out;
    }
    if (!type.is(TypeKind::row))
      return not_supported(fmt::format("Unsupported Hive type: {}", type.display()));
    std::vector<HiveFileFormat::Column> fields;
    for (const Field& field : type.fields)
      fields.push_back({lower_case(field.name.value_or("")), field.type});
    return record(fmt::format("record_{}", records_++), fields);
  }
};

struct CodecRow {
  HiveFormat format;
  const char* given;  // lower case
  const char* codec;
};
constexpr CodecRow kCodecs[] = {
    {HiveFormat::orc, "", "zlib"},          {HiveFormat::orc, "zlib", "zlib"},
    {HiveFormat::orc, "snappy", "snappy"},  {HiveFormat::orc, "lz4", "lz4"},
    {HiveFormat::orc, "zstd", "zstd"},      {HiveFormat::orc, "none", "none"},
    {HiveFormat::avro, "", "deflate"},      {HiveFormat::avro, "deflate", "deflate"},
    {HiveFormat::avro, "snappy", "snappy"}, {HiveFormat::avro, "zstandard", "zstandard"},
    {HiveFormat::avro, "null", "null"},     {HiveFormat::avro, "uncompressed", "null"},
};

}  // namespace

std::string HiveFileFormat::text() const {
  Json json = Json::object(), list = Json::array();
  json.set("format", hive_format_row(format).name);
  json.set("codec", codec);
  for (const Column& column : columns) {
    Json pair = Json::array();
    pair.push(column.name);
    pair.push(hive_type(column.type, column.name).value_or(""));
    list.push(std::move(pair));
  }
  json.set("columns", std::move(list));
  json.set("schema", avro_schema);
  json.set("stripe", static_cast<int64_t>(stripe_bytes));
  return json.dump();
}

Result<HiveFileFormat> HiveFileFormat::from_text(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, Json::parse(text));
  HiveFileFormat made;
  const HiveFormatRow* row = find_hive_format(json["format"].as_string());
  if (!row) return fail(Code::internal, "serde", "not a description of a file");
  made.format = row->format;
  made.codec = json["codec"].as_string();
  made.avro_schema = json["schema"].as_string();
  made.stripe_bytes = static_cast<uint64_t>(json["stripe"].as_int());
  for (const Json& pair : json["columns"].as_array()) {
    ASSIGN_OR_RETURN(Type type, type_of_hive(pair.as_array()[1].as_string()));
    made.columns.push_back({std::string(pair.as_array()[0].as_string()), std::move(type)});
  }
  return made;
}

Result<HiveFileFormat> file_format_of(HiveFormat format, const hive::Table& table) {
  HiveFileFormat made;
  made.format = format;
  const hive::StorageDescriptor& storage = *table.storage;
  for (const auto& field : storage.columns.value_or(std::vector<hive::FieldSchema>{})) {
    ASSIGN_OR_RETURN(Type type, type_of_hive(field.type.value_or("")));
    made.columns.push_back({lower_case(field.name.value_or("")), std::move(type)});
  }
  hive::Parameters given;
  if (storage.serde && storage.serde->parameters) given = *storage.serde->parameters;
  for (const auto& [key, value] : table.parameters.value_or(hive::Parameters{}))
    given.emplace(key, value);
  const char* key = format == HiveFormat::orc ? "orc.compress" : "avro.output.codec";
  for (const CodecRow& row : kCodecs) {
    if (row.format == format && lower_case(given[key]) == row.given) made.codec = row.codec;
  }
  if (made.codec.empty())
    return not_supported(fmt::format("Writing with {} = '{}' is not supported", key, given[key]));
  if (format == HiveFormat::orc) return made;
  made.avro_schema = given["avro.schema.literal"];
  if (!made.avro_schema.empty()) return made;
  ASSIGN_OR_RETURN(Json schema, AvroSchemaMaker().record("row", made.columns));
  made.avro_schema = schema.dump();
  return made;
}

}  // namespace aichemy::sql
