// Names, properties and pages between JSON and the catalog's types.
#include <algorithm>
#include <charconv>

#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {
constexpr char kLevelSeparator = '\x1f';
}

std::string_view RestRequest::query_value(std::string_view name) const {
  auto found = query.find(name);
  return found == query.end() ? std::string_view() : std::string_view(found->second);
}

catalog::NamespaceName RestRequest::space() const {
  auto found = path.find("namespace");
  return found == path.end() ? catalog::NamespaceName() : split_namespace(found->second);
}

catalog::EntityName RestRequest::table() const { return {space(), path.find("table")->second}; }
catalog::EntityName RestRequest::view() const { return {space(), path.find("view")->second}; }

catalog::NamespaceName split_namespace(std::string_view text) {
  catalog::NamespaceName space;
  while (!text.empty()) {
    size_t end = text.find(kLevelSeparator);
    space.emplace_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + 1);
  }
  return space;
}

Json namespace_json(const catalog::NamespaceName& space) {
  Json json = Json::array();
  for (const std::string& level : space) json.push(level);
  return json;
}

Result<catalog::NamespaceName> namespace_from_json(const Json& json) {
  catalog::NamespaceName space;
  for (const Json& level : json.as_array()) {
    if (!level.is_string())
      return fail(Code::invalid, "request", "a level of the namespace is not text");
    space.emplace_back(level.as_string());
  }
  if (space.empty())
    return fail(Code::invalid, "request", "\"namespace\" must be a list of at least one name");
  return space;
}

Result<catalog::EntityName> identifier_from_json(const Json& json) {
  catalog::EntityName name;
  ASSIGN_OR_RETURN(name.space, namespace_from_json(json["namespace"]));
  name.name = json["name"].as_string();
  if (name.name.empty()) return fail(Code::invalid, "request", "an identifier has no \"name\"");
  return name;
}

catalog::Properties properties_from_json(const Json& json) {
  catalog::Properties properties;
  for (const auto& [key, value] : json.as_object()) {
    properties[key] = value.is_string() ? std::string(value.as_string()) : value.dump();
  }
  return properties;
}

Json properties_json(const catalog::Properties& properties) {
  Json json = Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return json;
}

Json page_of(const RestRequest& request, const char* key, const std::vector<Json>& items) {
  // A token is the position after the page: listings are ordered by name.
  size_t start = 0;
  std::string_view token = request.query_value("pageToken");
  std::from_chars(token.data(), token.data() + token.size(), start);
  size_t size = items.size();
  std::string_view size_text = request.query_value("pageSize");
  std::from_chars(size_text.data(), size_text.data() + size_text.size(), size);
  start = std::min(start, items.size());
  size_t end = start + std::min(std::max<size_t>(size, 1), items.size() - start);
  Json json = Json::object();
  json.set(key, Json(Json::Array(items.begin() + static_cast<std::ptrdiff_t>(start),
                                 items.begin() + static_cast<std::ptrdiff_t>(end))));
  if (end < items.size()) json.set("next-page-token", std::to_string(end));
  return json;
}

}  // namespace aichemy::serve::iceberg
