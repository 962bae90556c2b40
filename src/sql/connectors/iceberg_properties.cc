// Table properties of Trino's Iceberg connector: one row each.
#include <algorithm>
#include <cctype>
#include <charconv>

#include "base/bytes.h"
#include "sql/connectors/iceberg_mapping.h"
#include "tables/iceberg_metadata.h"

namespace aichemy::sql {

namespace {

using catalog::CreateTable;
using tables::iceberg::TableMetadata;

std::unexpected<Error> bad_property(const std::string& message) {
  return fail(Code::invalid, "INVALID_TABLE_PROPERTY", message);
}

std::string upper(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::toupper(c); });
  return text;
}

std::string lower(std::string text) {
  std::transform(text.begin(), text.end(), text.begin(),
                 [](unsigned char c) { return std::tolower(c); });
  return text;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// "name" or name; quotes double within.
std::string unquoted(std::string_view text) {
  text = trimmed(text);
  if (text.size() < 2 || text.front() != '"' || text.back() != '"') return lower(std::string(text));
  std::string name;
  for (size_t i = 1; i + 1 < text.size(); ++i) {
    name.push_back(text[i]);
    if (text[i] == '"') ++i;
  }
  return name;
}

const tables::Field* find_column(const CreateTable& table, const std::string& name) {
  return table.schema.find(name, true);
}

struct TransformRow {
  const char* name;
  bool has_number;
  const char* suffix;  // of the partition field's name
};
constexpr TransformRow kTransforms[] = {
    {"year", false, "_year"}, {"month", false, "_month"},  {"day", false, "_day"},
    {"hour", false, "_hour"}, {"bucket", true, "_bucket"}, {"truncate", true, "_trunc"},
    {"void", false, "_null"},
};

// section, year(ts), bucket(id, 16), truncate("A b", 4)
Result<tables::iceberg::PartitionField> partition_field(const std::string& text,
                                                        const CreateTable& table) {
  tables::iceberg::PartitionField field;
  std::string column = text;
  std::string suffix;
  size_t open = text.find('(');
  if (open != std::string::npos && trimmed(text).ends_with(')') &&
      !trimmed(text).starts_with('"')) {
    std::string name = lower(std::string(trimmed(std::string_view(text).substr(0, open))));
    std::string inner = text.substr(open + 1, text.rfind(')') - open - 1);
    const auto* row =
        std::find_if(std::begin(kTransforms), std::end(kTransforms),
                     [&](const TransformRow& candidate) { return candidate.name == name; });
    if (row == std::end(kTransforms))
      return bad_property(
          "Unable to parse partitioning value: Invalid partition field declaration: " + text);
    std::string transform = name;
    if (row->has_number) {
      size_t comma = inner.rfind(',');
      if (comma == std::string::npos)
        return bad_property(
            "Unable to parse partitioning value: Invalid partition field declaration: " + text);
      transform += "[" + std::string(trimmed(std::string_view(inner).substr(comma + 1))) + "]";
      inner.resize(comma);
    }
    auto parsed = tables::transform_from_text(transform);
    if (!parsed)
      return bad_property("Unable to parse partitioning value: " + parsed.error().message);
    field.transform = *parsed;
    column = inner;
    suffix = row->suffix;
  }
  const tables::Field* source = find_column(table, unquoted(column));
  if (!source)
    return bad_property("Unable to parse partitioning value: Column not found: " +
                        unquoted(column));
  field.source_id = source->id;
  field.name = table.schema.path_of(source->id) + suffix;
  if (auto type = tables::transform_result_type(field.transform, source->type); !type) {
    return bad_property("Unable to parse partitioning value: " + type.error().message);
  }
  return field;
}

// name [ASC|DESC] [NULLS FIRST|LAST]
Result<tables::iceberg::SortField> sort_field(const std::string& text, const CreateTable& table) {
  tables::iceberg::SortField field;
  std::string rest = text;
  std::string folded = upper(text);
  std::optional<bool> nulls_first;
  auto take = [&](const char* ending) {
    std::string_view word = ending;
    while (folded.ends_with(' ')) folded.pop_back();
    if (!folded.ends_with(word)) return false;
    folded.resize(folded.size() - word.size());
    return true;
  };
  if (take(" NULLS FIRST"))
    nulls_first = true;
  else if (take(" NULLS LAST"))
    nulls_first = false;
  if (take(" DESC"))
    field.ascending = false;
  else
    take(" ASC");
  rest.resize(std::min(rest.size(), folded.size()));
  field.nulls_first = nulls_first.value_or(field.ascending);
  const tables::Field* source = find_column(table, unquoted(rest));
  if (!source) return bad_property("Unable to parse sort field: [" + text + "]");
  field.source_id = source->id;
  return field;
}

Result<std::vector<std::string>> text_list(const std::string& name, const std::string& text) {
  auto json = Json::parse(text);
  if (!json || !json->is_array())
    return bad_property("Invalid value for table property '" + name + "': " + text);
  std::vector<std::string> items;
  for (const Json& item : json->as_array()) items.emplace_back(item.as_string());
  return items;
}

Status set_format(const std::string& value, CreateTable* table) {
  std::string format = upper(value);
  if (format == "PARQUET") {
    table->properties["write.format.default"] = "PARQUET";
    return {};
  }
  if (format != "ORC" && format != "AVRO")
    return bad_property("Invalid value [" + value + "]. Valid values: [ORC, PARQUET, AVRO]");
  return fail(Code::unsupported, "NOT_SUPPORTED",
              "Writing Iceberg tables in the format " + format + " is not supported: use PARQUET");
}

Status set_format_version(const std::string& value, CreateTable* table) {
  if (value != "1" && value != "2" && value != "3") {
    return bad_property("format_version must be between 1 and 3");
  }
  table->properties["format-version"] = value;
  return {};
}

Status set_partitioning(const std::string& value, CreateTable* table) {
  ASSIGN_OR_RETURN(auto items, text_list("partitioning", value));
  for (const std::string& item : items) {
    ASSIGN_OR_RETURN(auto field, partition_field(item, *table));
    table->spec.fields.push_back(std::move(field));
  }
  return {};
}

Status set_sorted_by(const std::string& value, CreateTable* table) {
  ASSIGN_OR_RETURN(auto items, text_list("sorted_by", value));
  for (const std::string& item : items) {
    ASSIGN_OR_RETURN(auto field, sort_field(item, *table));
    table->sort_order.fields.push_back(std::move(field));
  }
  return {};
}

Status set_location(const std::string& value, CreateTable* table) {
  if (auto location = tables::parse_location(value); !location)
    return bad_property(location.error().message);
  table->location = value;
  return {};
}

Status set_compression(const std::string& value, CreateTable* table) {
  std::string codec = lower(value);
  for (const char* known : {"zstd", "snappy", "gzip", "lz4"}) {
    if (codec != known) continue;
    table->properties["write.parquet.compression-codec"] = codec;
    return {};
  }
  if (codec != "none")
    return bad_property("Invalid value [" + value +
                        "]. Valid values: [NONE, SNAPPY, LZ4, ZSTD, GZIP]");
  table->properties["write.parquet.compression-codec"] = "uncompressed";
  return {};
}

Status set_extra(const std::string& value, CreateTable* table) {
  auto json = Json::parse(value);
  if (!json || !json->is_object())
    return bad_property("Invalid value for table property 'extra_properties': " + value);
  for (const auto& [key, item] : json->as_object()) table->properties[key] = item.as_string();
  return {};
}

template <const char* Key>
Status set_plain(const std::string& value, CreateTable* table) {
  table->properties[Key] = value;
  return {};
}

constexpr char kRetries[] = "commit.retry.num-retries";
constexpr char kDeleteAfterCommit[] = "write.metadata.delete-after-commit.enabled";
constexpr char kPreviousVersions[] = "write.metadata.previous-versions-max";
constexpr char kObjectStoreLayout[] = "write.object-storage.enabled";
constexpr char kDataLocation[] = "write.data.path";

struct PropertyRow {
  const char* name;
  Status (*apply)(const std::string& value, CreateTable* table);
  const char* key;  // Iceberg's, when one holds the value
  bool changes;     // by ALTER TABLE SET PROPERTIES
  const char* type;
  const char* default_value;
  const char* description;
};
// In the order they are applied.
constexpr PropertyRow kProperties[] = {
    {"format", set_format, "write.format.default", true, "varchar", "PARQUET",
     "Format of the data files"},
    {"format_version", set_format_version, nullptr, true, "integer", "2",
     "Version of the Iceberg table format"},
    {"partitioning", set_partitioning, nullptr, true, "array(varchar)", "[]",
     "Transforms whose values part the rows"},
    {"sorted_by", set_sorted_by, nullptr, true, "array(varchar)", "[]", "Columns to sort files by"},
    {"location", set_location, nullptr, false, "varchar", "", "URI of the table's folder"},
    {"compression_codec", set_compression, "write.parquet.compression-codec", true, "varchar", "",
     "Compression of the data files"},
    {"max_commit_retry", set_plain<kRetries>, kRetries, true, "integer", "",
     "How often a commit is tried again"},
    {"delete_after_commit_enabled", set_plain<kDeleteAfterCommit>, kDeleteAfterCommit, true,
     "boolean", "", "Whether a commit deletes the oldest metadata files"},
    {"max_previous_versions", set_plain<kPreviousVersions>, kPreviousVersions, true, "integer", "",
     "How many metadata files are kept"},
    {"object_store_layout_enabled", set_plain<kObjectStoreLayout>, kObjectStoreLayout, true,
     "boolean", "", "Whether the paths of data files begin with a hash"},
    {"data_location", set_plain<kDataLocation>, kDataLocation, true, "varchar", "",
     "URI of the folder of the data files"},
    {"extra_properties", set_extra, nullptr, true, "map(varchar, varchar)", "",
     "Properties that Iceberg keeps as they are"},
};

const PropertyRow* find_property(const std::string& name) {
  const auto* row = std::find_if(std::begin(kProperties), std::end(kProperties),
                                 [&](const PropertyRow& known) { return known.name == name; });
  return row == std::end(kProperties) ? nullptr : row;
}

Status check_known(const std::string& name) {
  if (find_property(name)) return {};
  return bad_property("Catalog 'iceberg' table property '" + name + "' does not exist");
}

std::string shown_name(const std::string& name) {
  bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](unsigned char c) {
    return std::islower(c) || std::isdigit(c) || c == '_';
  });
  return plain ? name : "\"" + name + "\"";
}

std::string shown_transform(const tables::iceberg::PartitionField& field,
                            const tables::Schema& schema) {
  std::string column = shown_name(schema.path_of(field.source_id));
  const tables::Transform& transform = field.transform;
  if (transform.kind == tables::TransformKind::identity) return column;
  std::string text = tables::transform_text(transform);
  size_t bracket = text.find('[');
  if (bracket == std::string::npos) return text + "(" + column + ")";
  return text.substr(0, bracket) + "(" + column + ", " + std::to_string(transform.parameter) + ")";
}

}  // namespace

std::vector<PropertyInfo> table_properties() {
  std::vector<PropertyInfo> made;
  for (const PropertyRow& row : kProperties)
    made.push_back({row.name, row.default_value, row.type, row.description});
  return made;
}

Status apply_properties(const Properties& properties, CreateTable* table) {
  for (const auto& [name, value] : properties) RETURN_IF_ERROR(check_known(name));
  for (const PropertyRow& row : kProperties) {
    auto given = properties.find(row.name);
    if (given == properties.end()) continue;
    RETURN_IF_ERROR(row.apply(given->second, table));
  }
  return {};
}

namespace {

using tables::iceberg::PartitionSpec;
using tables::iceberg::Update;

// A version 1 table keeps the places of its partition fields: one that goes becomes void.
void keep_places(const PartitionSpec& before, PartitionSpec* spec) {
  std::vector<tables::iceberg::PartitionField> fields;
  for (tables::iceberg::PartitionField field : before.fields) {
    auto kept = std::find_if(spec->fields.begin(), spec->fields.end(), [&](const auto& wanted) {
      return wanted.source_id == field.source_id && wanted.transform == field.transform;
    });
    if (kept == spec->fields.end())
      field.transform = {.kind = tables::TransformKind::void_};
    else
      spec->fields.erase(kept);
    fields.push_back(std::move(field));
  }
  for (auto& added : spec->fields) {
    bool taken = std::any_of(fields.begin(), fields.end(),
                             [&](const auto& known) { return known.name == added.name; });
    if (taken) added.name += "_" + std::to_string(fields.size());
    fields.push_back(std::move(added));
  }
  spec->fields = std::move(fields);
}

Update numbered(Update::Kind kind, int number) {
  Update update;
  update.kind = kind;
  update.number = number;
  return update;
}

void change_layout(const TableMetadata& metadata, bool partitioning, bool sorting,
                   CreateTable* wanted, std::vector<Update>* updates) {
  if (partitioning) {
    if (metadata.format_version == 1) keep_places(metadata.default_spec(), &wanted->spec);
    Update add;
    add.kind = Update::Kind::add_spec;
    add.spec = wanted->spec;
    updates->push_back(std::move(add));
    updates->push_back(numbered(Update::Kind::set_default_spec, -1));
  }
  if (sorting) {
    Update add;
    add.kind = Update::Kind::add_sort_order;
    add.sort_order = wanted->sort_order;
    updates->push_back(std::move(add));
    updates->push_back(numbered(Update::Kind::set_default_sort_order, -1));
  }
}

}  // namespace

Result<std::vector<Update>> changed_properties(const TableMetadata& metadata,
                                               const Properties& properties,
                                               const std::vector<std::string>& reset) {
  std::string fixed;
  auto check = [&](const std::string& name) -> Status {
    RETURN_IF_ERROR(check_known(name));
    if (!find_property(name)->changes) fixed += (fixed.empty() ? "" : ", ") + name;
    return {};
  };
  for (const auto& [name, value] : properties) RETURN_IF_ERROR(check(name));
  for (const std::string& name : reset) RETURN_IF_ERROR(check(name));
  if (!fixed.empty()) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "The following properties cannot be updated: " + fixed);
  }
  CreateTable wanted;
  wanted.schema = metadata.current_schema();
  RETURN_IF_ERROR(apply_properties(properties, &wanted));
  std::vector<Update> updates;
  if (auto version = wanted.properties.extract("format-version"); !version.empty()) {
    int number = std::atoi(version.mapped().c_str());
    if (number < metadata.format_version) {
      return fail(Code::invalid, "ICEBERG_COMMIT_ERROR",
                  "Failed to set new property values: Cannot downgrade v" +
                      std::to_string(metadata.format_version) + " table to v" +
                      std::to_string(number));
    }
    updates.push_back(numbered(Update::Kind::upgrade_format_version, number));
  }
  auto names = [&](const char* name) {
    return properties.contains(name) || std::find(reset.begin(), reset.end(), name) != reset.end();
  };
  change_layout(metadata, names("partitioning"), names("sorted_by"), &wanted, &updates);
  if (!wanted.properties.empty()) updates.push_back(Update::set(std::move(wanted.properties)));
  Update remove;
  remove.kind = Update::Kind::remove_properties;
  for (const std::string& name : reset) {
    if (const char* key = find_property(name)->key) remove.removals.emplace_back(key);
  }
  if (!remove.removals.empty()) updates.push_back(std::move(remove));
  return updates;
}

Result<Json> default_json(const std::string& json, const tables::Type& type, int format_version) {
  if (format_version < 3) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Default column values are not supported for Iceberg table format version < 3");
  }
  if (type.is_nested()) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Default values of nested columns are not supported: " + tables::type_text(type));
  }
  ASSIGN_OR_RETURN(Json value, Json::parse(json));
  if (!value.is_string()) return value;
  std::string text(value.as_string());
  using K = tables::TypeKind;
  bool moment = type.kind == K::timestamp || type.kind == K::timestamptz;
  if (moment) {
    if (size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
    if (size_t zone = text.find(" UTC"); zone != std::string::npos) text.replace(zone, 4, "+00:00");
  }
  if (type.kind == K::binary || type.kind == K::fixed) {
    auto bytes = from_base64(text);
    if (!bytes) return std::unexpected(bytes.error());
    text = to_hex(*bytes);
  }
  return Json(text);
}

std::optional<std::string> shown_default(const tables::Field& field) {
  if (!field.write_default || field.write_default->is_null()) return std::nullopt;
  const Json& value = *field.write_default;
  if (!value.is_string()) return value.dump();
  std::string text(value.as_string());
  using K = tables::TypeKind;
  if (field.type.kind == K::timestamp || field.type.kind == K::timestamptz) {
    if (size_t t = text.find('T'); t != std::string::npos) text[t] = ' ';
    if (size_t zone = text.find("+00:00"); zone != std::string::npos) text.replace(zone, 6, " UTC");
  }
  if (field.type.kind == K::binary || field.type.kind == K::fixed) {
    auto bytes = from_hex(text);
    if (!bytes) return std::nullopt;
    text = to_base64(*bytes);
  }
  return Json(text).dump();
}

Properties shown_properties(const TableMetadata& metadata) {
  Properties shown;
  shown["format"] = upper(std::string(metadata.property("write.format.default", "PARQUET")));
  shown["format_version"] = std::to_string(metadata.format_version);
  shown["location"] = metadata.location;
  const tables::Schema& schema = metadata.current_schema();
  Json partitioning = Json::array();
  for (const auto& field : metadata.default_spec().fields)
    partitioning.push(shown_transform(field, schema));
  if (!partitioning.as_array().empty()) shown["partitioning"] = partitioning.dump();
  Json sorted = Json::array();
  for (const auto& field : metadata.default_sort_order().fields) {
    sorted.push(shown_name(schema.path_of(field.source_id)) + (field.ascending ? " ASC" : " DESC") +
                (field.nulls_first ? " NULLS FIRST" : " NULLS LAST"));
  }
  if (!sorted.as_array().empty()) shown["sorted_by"] = sorted.dump();
  if (auto codec = metadata.property("write.parquet.compression-codec"); !codec.empty()) {
    shown["compression_codec"] = codec == "uncompressed" ? "NONE" : upper(std::string(codec));
  }
  return shown;
}

}  // namespace aichemy::sql
