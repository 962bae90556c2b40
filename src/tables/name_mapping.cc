#include "tables/name_mapping.h"

#include "base/json.h"

namespace aichemy::tables {

namespace {

constexpr int kDepthMax = 64;

Result<std::vector<NameMapping>> read(const Json& json, int depth) {
  if (!json.is_array() || depth > kDepthMax) {
    return fail(Code::corrupt, "name_mapping",
                "schema.name-mapping.default is not a list of mappings");
  }
  std::vector<NameMapping> mappings;
  for (const Json& item : json.as_array()) {
    NameMapping mapping;
    for (const Json& name : item["names"].as_array()) mapping.names.emplace_back(name.as_string());
    if (item["field-id"].is_integer())
      mapping.field_id = static_cast<int>(item["field-id"].as_int());
    if (const Json* fields = item.find("fields"); fields && !fields->is_null()) {
      ASSIGN_OR_RETURN(mapping.fields, read(*fields, depth + 1));
    }
    mappings.push_back(std::move(mapping));
  }
  return mappings;
}

}  // namespace

Result<std::vector<NameMapping>> name_mapping_from_text(std::string_view text) {
  if (text.empty()) return std::vector<NameMapping>();
  auto json = Json::parse(text);
  if (!json) return fail(Code::corrupt, "name_mapping", "schema.name-mapping.default is not JSON");
  return read(*json, 0);
}

namespace {

Json to_json(const std::vector<NameMapping>& mappings) {
  Json list = Json::array();
  for (const NameMapping& mapping : mappings) {
    Json item, names = Json::array();
    for (const std::string& name : mapping.names) names.push(name);
    if (mapping.field_id) item.set("field-id", *mapping.field_id);
    item.set("names", std::move(names));
    if (!mapping.fields.empty()) item.set("fields", to_json(mapping.fields));
    list.push(std::move(item));
  }
  return list;
}

}  // namespace

std::string name_mapping_text(const std::vector<NameMapping>& mappings) {
  return to_json(mappings).dump();
}

std::vector<NameMapping> name_mapping_of(const std::vector<Field>& fields) {
  std::vector<NameMapping> mappings;
  for (const Field& field : fields)
    mappings.push_back({{field.name}, field.id, name_mapping_of(field.type.fields)});
  return mappings;
}

}  // namespace aichemy::tables
