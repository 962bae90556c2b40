#include "serve/console/api_schema.h"

#include <algorithm>
#include <cctype>
#include <charconv>

#include "serve/console/exchange.h"

namespace aichemy::serve::console {
namespace {

struct Kind {
  std::string base;
  bool list = false;
  bool optional = false;
};

Kind parse_kind(std::string_view text) {
  Kind kind;
  if (text.ends_with('?')) {
    kind.optional = true;
    text.remove_suffix(1);
  }
  if (text.ends_with("[]")) {
    kind.list = true;
    text.remove_suffix(2);
  }
  kind.base = text;
  return kind;
}

bool is_of(const Json& value, const std::string& base) {
  if (base == "string") return value.is_string();
  if (base == "integer") return value.is_integer();
  if (base == "number") return value.is_number();
  if (base == "boolean") return value.is_bool();
  if (base == "map") {
    return value.is_object() && std::ranges::all_of(value.as_object(), [](const auto& member) {
             return member.second.is_string() || member.second.is_null();
           });
  }
  return true;
}

Status check_value(const Json& value, const std::string& base, const std::string& where) {
  if (find_record_type(base)) return check_record(value, base, where);
  if (is_of(value, base)) return {};
  return fail(Code::invalid, "request", where + " must be of kind " + base);
}

bool is_whole(std::string_view text) {
  int64_t value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc() && end == text.data() + text.size() && !text.empty();
}

Json schema_of(std::string_view text) {
  Kind kind = parse_kind(text);
  Json one;
  if (find_record_type(kind.base)) {
    one.set("$ref", "#/components/schemas/" + kind.base);
  } else if (kind.base == "map") {
    one.set("type", "object");
    one.set("additionalProperties", Json().set("type", "string"));
  } else if (kind.base == "any") {
    one = Json::object();
  } else {
    one.set("type", kind.base);
  }
  if (!kind.list) return one;
  return Json().set("type", "array").set("items", std::move(one));
}

Json parameter(const std::string& name, const char* place, std::string_view kind) {
  Json out;
  out.set("name", name).set("in", place);
  out.set("required", !parse_kind(kind).optional).set("schema", schema_of(kind));
  return out;
}

Json operation(const Route& route) {
  Json out;
  out.set("operationId", route.name).set("summary", route.about);
  out.set("x-role", role_name(route.role));
  Json parameters = Json::array();
  std::string_view path = route.path;
  for (size_t at = path.find('{'); at != path.npos; at = path.find('{', at + 1)) {
    size_t end = path.find('}', at);
    parameters.push(parameter(std::string(path.substr(at + 1, end - at - 1)), "path", "string"));
  }
  for (const auto& [name, kind] : parse_parameters(route.parameters)) {
    parameters.push(parameter(name, "query", kind));
  }
  if (!parameters.as_array().empty()) out.set("parameters", std::move(parameters));
  auto json_content = [](const char* kind) {
    return Json().set("application/json", Json().set("schema", schema_of(kind)));
  };
  if (*route.request) {
    out.set("requestBody",
            Json().set("required", true).set("content", json_content(route.request)));
  }
  Json good;
  good.set("description", route.stream ? "a stream" : "done");
  if (*route.response) good.set("content", json_content(route.response));
  Json problem;
  problem.set("description", "a problem document (RFC 9457)");
  problem.set("content",
              Json().set("application/problem+json", Json().set("schema", schema_of("Problem"))));
  Json responses;
  responses.set("200", std::move(good)).set("default", std::move(problem));
  out.set("responses", std::move(responses));
  return out;
}

}  // namespace

std::string_view role_name(Role role) {
  switch (role) {
    case Role::nobody: return "nobody";
    case Role::viewer: return "viewer";
    case Role::operator_: return "operator";
    case Role::admin: return "admin";
  }
  return "nobody";
}

Role role_from(std::string_view name) {
  for (Role role : {Role::viewer, Role::operator_, Role::admin}) {
    if (role_name(role) == name) return role;
  }
  return Role::nobody;
}

const RecordType* find_record_type(std::string_view name) {
  const auto& all = record_types();
  auto found = std::ranges::find_if(all, [&](const RecordType& row) { return row.name == name; });
  return found == all.end() ? nullptr : &*found;
}

std::vector<std::pair<std::string, std::string>> parse_parameters(std::string_view text) {
  std::vector<std::pair<std::string, std::string>> out;
  while (!text.empty()) {
    size_t end = std::min(text.find(' '), text.size());
    std::string_view word = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    size_t colon = word.find(':');
    if (colon != word.npos) out.emplace_back(word.substr(0, colon), word.substr(colon + 1));
  }
  return out;
}

Status check_record(const Json& value, std::string_view type, const std::string& where) {
  const RecordType* row = find_record_type(type);
  std::string prefix = where.empty() ? "" : where + ".";
  if (!row || !value.is_object()) {
    return fail(Code::invalid, "request",
                (where.empty() ? "the body" : where) + " must be a JSON object");
  }
  for (const auto& [name, member] : value.as_object()) {
    bool known = std::ranges::any_of(row->fields, [&](const Field& f) { return f.name == name; });
    if (!known) return fail(Code::invalid, "request", "there is no member " + prefix + name);
  }
  for (const Field& field : row->fields) {
    Kind kind = parse_kind(field.kind);
    const Json* member = value.find(field.name);
    std::string name = prefix + field.name;
    if (!member || member->is_null()) {
      if (kind.optional) continue;
      return fail(Code::invalid, "request", "the member " + name + " is missing");
    }
    if (!kind.list) {
      RETURN_IF_ERROR(check_value(*member, kind.base, name));
      continue;
    }
    if (!member->is_array()) return fail(Code::invalid, "request", name + " must be a list");
    for (const Json& item : member->as_array()) RETURN_IF_ERROR(check_value(item, kind.base, name));
  }
  return {};
}

Status check_parameters(const std::map<std::string, std::string>& given, std::string_view known) {
  auto rows = parse_parameters(known);
  for (const auto& [name, value] : given) {
    auto row = std::ranges::find(rows, name, &std::pair<std::string, std::string>::first);
    if (row == rows.end())
      return fail(Code::invalid, "request", "there is no query parameter " + name);
    std::string base = parse_kind(row->second).base;
    if (base == "integer" && !is_whole(value))
      return fail(Code::invalid, "request", name + " must be a whole number");
    if (base == "boolean" && value != "true" && value != "false")
      return fail(Code::invalid, "request", name + " must be true or false");
  }
  for (const auto& [name, kind] : rows) {
    if (!parse_kind(kind).optional && !given.contains(name))
      return fail(Code::invalid, "request", "the query parameter " + name + " is missing");
  }
  return {};
}

Json openapi_document(std::string_view version) {
  Json schemas = Json::object();
  for (const RecordType& row : record_types()) {
    Json properties = Json::object();
    Json required = Json::array();
    for (const Field& field : row.fields) {
      Json schema = schema_of(field.kind);
      if (*field.about) schema.set("description", field.about);
      properties.set(field.name, std::move(schema));
      if (!parse_kind(field.kind).optional) required.push(field.name);
    }
    Json record;
    record.set("type", "object").set("properties", std::move(properties));
    record.set("required", std::move(required)).set("additionalProperties", false);
    schemas.set(row.name, std::move(record));
  }
  Json paths = Json::object();
  for (const Route& route : routes()) {
    std::string path = std::string("/api/v1") + route.path;
    std::string method = route.method;
    std::ranges::transform(method, method.begin(), [](unsigned char c) { return std::tolower(c); });
    Json* entry = paths.find(path);
    if (!entry) {
      paths.set(path, Json::object());
      entry = paths.find(path);
    }
    entry->set(method, operation(route));
  }
  Json out;
  out.set("openapi", "3.1.0");
  out.set("info", Json().set("title", "AIchemy console").set("version", version));
  out.set("paths", std::move(paths));
  out.set("components", Json().set("schemas", std::move(schemas)));
  return out;
}

}  // namespace aichemy::serve::console
