#include "tables/types.h"

#include <algorithm>
#include <charconv>
#include <functional>

namespace aichemy::tables {

namespace {

constexpr int kDepthMax = 64;
constexpr size_t kFieldsMax = 100'000;
constexpr int kDecimalPrecisionMax = 38;

struct TypeName {
  std::string_view name;
  TypeKind kind;
};
constexpr TypeName kTypeNames[] = {
    {"boolean", TypeKind::boolean},
    {"int", TypeKind::int32},
    {"long", TypeKind::int64},
    {"float", TypeKind::float32},
    {"double", TypeKind::float64},
    {"date", TypeKind::date},
    {"time", TypeKind::time},
    {"timestamp", TypeKind::timestamp},
    {"timestamptz", TypeKind::timestamptz},
    {"timestamp_ns", TypeKind::timestamp_ns},
    {"timestamptz_ns", TypeKind::timestamptz_ns},
    {"string", TypeKind::string},
    {"uuid", TypeKind::uuid},
    {"binary", TypeKind::binary},
    {"unknown", TypeKind::unknown},
    {"variant", TypeKind::variant},
};

std::string_view without_blanks(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

std::optional<int> number(std::string_view text) {
  text = without_blanks(text);
  int value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

std::optional<std::string_view> between(std::string_view text, std::string_view open, char close) {
  if (!text.starts_with(open) || text.size() <= open.size() || text.back() != close)
    return std::nullopt;
  return text.substr(open.size(), text.size() - open.size() - 1);
}

Result<Type> primitive_from_text(std::string_view text) {
  for (const TypeName& row : kTypeNames) {
    if (row.name == text) return primitive(row.kind);
  }
  if (auto inner = between(text, "fixed[", ']')) {
    auto length = number(*inner);
    if (length && *length >= 0) return fixed_type(*length);
  }
  if (auto inner = between(text, "decimal(", ')')) {
    size_t comma = inner->find(',');
    auto precision = number(inner->substr(0, comma));
    auto scale =
        comma == std::string_view::npos ? std::optional<int>() : number(inner->substr(comma + 1));
    if (precision && scale && *precision >= 1 && *precision <= kDecimalPrecisionMax &&
        *scale >= 0 && *scale <= *precision) {
      return decimal_type(*precision, *scale);
    }
  }
  return fail(Code::unsupported, "type", "type \"" + std::string(text) + "\" is not known");
}

class TypeReader {
 public:
  Result<Type> read(const Json& json, int depth) {
    if (depth > kDepthMax) return fail(Code::corrupt, "schema", "the schema is nested too deeply");
    if (json.is_string()) return primitive_from_text(json.as_string());
    if (!json.is_object())
      return fail(Code::corrupt, "schema", "a type is neither text nor an object");
    std::string_view kind = json["type"].as_string();
    if (kind == "struct") return read_struct(json, depth);
    if (kind == "list") {
      ASSIGN_OR_RETURN(Field element, read_child(json, "element", depth));
      Type type = primitive(TypeKind::list);
      type.fields.push_back(std::move(element));
      return type;
    }
    if (kind == "map") {
      ASSIGN_OR_RETURN(Field key, read_child(json, "key", depth));
      ASSIGN_OR_RETURN(Field value, read_child(json, "value", depth));
      key.required = true;
      Type type = primitive(TypeKind::map);
      type.fields.push_back(std::move(key));
      type.fields.push_back(std::move(value));
      return type;
    }
    return fail(Code::unsupported, "type", "type \"" + std::string(kind) + "\" is not known");
  }

  Result<Type> read_struct(const Json& json, int depth) {
    ASSIGN_OR_RETURN(const Json* fields, json.array_at("fields"));
    Type type = primitive(TypeKind::struct_);
    for (const Json& item : fields->as_array()) {
      Field field;
      ASSIGN_OR_RETURN(int64_t id, item.int_at("id"));
      RETURN_IF_ERROR(take_id(id, &field));
      ASSIGN_OR_RETURN(field.name, item.string_at("name"));
      field.required = item["required"].as_bool();
      const Json* of = item.find("type");
      if (!of) return fail(Code::corrupt, "schema", "field " + field.name + " has no type");
      ASSIGN_OR_RETURN(field.type, read(*of, depth + 1));
      field.doc = item["doc"].as_string();
      if (const Json* value = item.find("initial-default")) field.initial_default = *value;
      if (const Json* value = item.find("write-default")) field.write_default = *value;
      type.fields.push_back(std::move(field));
    }
    return type;
  }

 private:
  size_t count_ = 0;

  Status take_id(int64_t id, Field* field) {
    if (++count_ > kFieldsMax)
      return fail(Code::corrupt, "schema", "the schema has too many fields");
    if (id < 0 || id > INT32_MAX) {
      return fail(Code::corrupt, "schema", "field id " + std::to_string(id) + " is out of range");
    }
    field->id = static_cast<int>(id);
    return {};
  }

  // The parts of lists and maps: "element-id", "element-required", "element".
  Result<Field> read_child(const Json& json, const std::string& name, int depth) {
    Field field;
    field.name = name;
    ASSIGN_OR_RETURN(int64_t id, json.int_at(name + "-id"));
    RETURN_IF_ERROR(take_id(id, &field));
    field.required = json[name + "-required"].as_bool();
    const Json* of = json.find(name);
    if (!of) return fail(Code::corrupt, "schema", "a list or map has no \"" + name + "\"");
    ASSIGN_OR_RETURN(field.type, read(*of, depth + 1));
    return field;
  }
};

Json field_to_json(const Field& field) {
  Json json = Json::object();
  json.set("id", field.id);
  json.set("name", field.name);
  json.set("required", field.required);
  json.set("type", type_to_json(field.type));
  if (!field.doc.empty()) json.set("doc", field.doc);
  if (field.initial_default) json.set("initial-default", *field.initial_default);
  if (field.write_default) json.set("write-default", *field.write_default);
  return json;
}

Json fields_to_json(const std::vector<Field>& fields) {
  Json json = Json::array();
  for (const Field& field : fields) json.push(field_to_json(field));
  return json;
}

const Field* find_id(const std::vector<Field>& fields, int id, std::string* path) {
  for (const Field& field : fields) {
    size_t length = path ? path->size() : 0;
    if (path) *path += (path->empty() ? "" : ".") + field.name;
    if (field.id == id) return &field;
    if (const Field* found = find_id(field.type.fields, id, path)) return found;
    if (path) path->resize(length);
  }
  return nullptr;
}

bool same_name(std::string_view a, std::string_view b, bool ignore_case) {
  if (!ignore_case) return a == b;
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](char x, char y) {
    auto lower = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c; };
    return lower(x) == lower(y);
  });
}

// Names may contain dots themselves: every prefix that is a field's name is tried.
const Field* find_path(const std::vector<Field>& fields, std::string_view path, bool ignore_case) {
  for (const Field& field : fields) {
    if (same_name(field.name, path, ignore_case)) return &field;
  }
  for (const Field& field : fields) {
    size_t length = field.name.size();
    if (path.size() > length && path[length] == '.' &&
        same_name(field.name, path.substr(0, length), ignore_case)) {
      if (const Field* found = find_path(field.type.fields, path.substr(length + 1), ignore_case))
        return found;
    }
  }
  return nullptr;
}

int highest(const std::vector<Field>& fields) {
  int id = 0;
  for (const Field& field : fields) id = std::max({id, field.id, highest(field.type.fields)});
  return id;
}

}  // namespace

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         length == other.length && fields == other.fields;
}

Type primitive(TypeKind kind) {
  Type type;
  type.kind = kind;
  return type;
}

Type decimal_type(int precision, int scale) {
  Type type = primitive(TypeKind::decimal);
  type.precision = precision;
  type.scale = scale;
  return type;
}

Type fixed_type(int length) {
  Type type = primitive(TypeKind::fixed);
  type.length = length;
  return type;
}

Type list_type(int element_id, Type element, bool element_required) {
  Type type = primitive(TypeKind::list);
  type.fields.push_back({.id = element_id,
                         .name = "element",
                         .required = element_required,
                         .type = std::move(element)});
  return type;
}

Type map_type(int key_id, Type key, int value_id, Type value, bool value_required) {
  Type type = primitive(TypeKind::map);
  type.fields.push_back({.id = key_id, .name = "key", .required = true, .type = std::move(key)});
  type.fields.push_back(
      {.id = value_id, .name = "value", .required = value_required, .type = std::move(value)});
  return type;
}

Type struct_type(std::vector<Field> fields) {
  Type type = primitive(TypeKind::struct_);
  type.fields = std::move(fields);
  return type;
}

const Field* Schema::find(int field_id) const { return find_id(fields, field_id, nullptr); }

const Field* Schema::find(std::string_view path, bool ignore_case) const {
  const Field* exact = find_path(fields, path, false);
  if (exact || !ignore_case) return exact;
  return find_path(fields, path, true);
}

std::string Schema::path_of(int field_id) const {
  std::string path;
  return find_id(fields, field_id, &path) ? path : std::string();
}

int Schema::highest_field_id() const { return highest(fields); }

std::string type_text(const Type& type) {
  switch (type.kind) {
    case TypeKind::decimal:
      return "decimal(" + std::to_string(type.precision) + ", " + std::to_string(type.scale) + ")";
    case TypeKind::fixed: return "fixed[" + std::to_string(type.length) + "]";
    case TypeKind::list: return "list<" + type_text(type.fields[0].type) + ">";
    case TypeKind::map:
      return "map<" + type_text(type.fields[0].type) + ", " + type_text(type.fields[1].type) + ">";
    case TypeKind::struct_: {
      std::string text = "struct<";
      for (const Field& field : type.fields) {
        if (text.back() != '<') text += ", ";
        text += field.name + ": " + type_text(field.type);
      }
      return text + ">";
    }
    default:
      for (const TypeName& row : kTypeNames) {
        if (row.kind == type.kind) return std::string(row.name);
      }
      return "unknown";
  }
}

Result<Type> type_from_json(const Json& json) { return TypeReader().read(json, 0); }

Json type_to_json(const Type& type) {
  if (!type.is_nested()) return Json(type_text(type));
  Json json = Json::object();
  if (type.kind == TypeKind::struct_) {
    json.set("type", "struct");
    json.set("fields", fields_to_json(type.fields));
    return json;
  }
  json.set("type", type.kind == TypeKind::list ? "list" : "map");
  for (const Field& part : type.fields) {
    json.set(part.name + "-id", part.id);
    json.set(part.name, type_to_json(part.type));
    if (part.name != "key") json.set(part.name + "-required", part.required);
  }
  return json;
}

Result<Schema> schema_from_json(const Json& json) {
  Schema schema;
  schema.id = static_cast<int>(json["schema-id"].as_int(0));
  ASSIGN_OR_RETURN(Type type, TypeReader().read_struct(json, 0));
  schema.fields = std::move(type.fields);
  for (const Json& id : json["identifier-field-ids"].as_array()) {
    schema.identifier_field_ids.push_back(static_cast<int>(id.as_int()));
  }
  // Ids must be unique: everything else finds columns by them.
  std::vector<int> ids;
  std::function<void(const std::vector<Field>&)> collect = [&](const std::vector<Field>& fields) {
    for (const Field& field : fields) {
      ids.push_back(field.id);
      collect(field.type.fields);
    }
  };
  collect(schema.fields);
  std::sort(ids.begin(), ids.end());
  auto twice = std::adjacent_find(ids.begin(), ids.end());
  if (twice != ids.end()) {
    return fail(Code::corrupt, "schema", "field id " + std::to_string(*twice) + " is used twice");
  }
  return schema;
}

Json schema_to_json(const Schema& schema) {
  Json json = Json::object();
  json.set("type", "struct");
  json.set("schema-id", schema.id);
  json.set("fields", fields_to_json(schema.fields));
  if (!schema.identifier_field_ids.empty()) {
    Json ids = Json::array();
    for (int id : schema.identifier_field_ids) ids.push(id);
    json.set("identifier-field-ids", std::move(ids));
  }
  return json;
}

namespace {

void renumber(std::vector<Field>& fields, int* last_id, std::vector<std::pair<int, int>>* renamed) {
  for (Field& field : fields) {
    renamed->emplace_back(field.id, ++*last_id);
    field.id = *last_id;
  }
  for (Field& field : fields) renumber(field.type.fields, last_id, renamed);
}

}  // namespace

Schema with_fresh_ids(const Schema& schema, int* last_id) {
  Schema fresh = schema;
  std::vector<std::pair<int, int>> renamed;
  renumber(fresh.fields, last_id, &renamed);
  for (int& id : fresh.identifier_field_ids) {
    auto found =
        std::find_if(renamed.begin(), renamed.end(), [&](auto& pair) { return pair.first == id; });
    if (found != renamed.end()) id = found->second;
  }
  return fresh;
}

bool can_promote(const Type& from, const Type& to) {
  if (from == to) return true;
  if (from.kind == TypeKind::int32) return to.kind == TypeKind::int64;
  if (from.kind == TypeKind::float32) return to.kind == TypeKind::float64;
  if (from.kind == TypeKind::decimal && to.kind == TypeKind::decimal) {
    return from.scale == to.scale && from.precision <= to.precision;
  }
  return false;
}

}  // namespace aichemy::tables
