#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

RestAnswer namespace_answer(const catalog::NamespaceName& space,
                            const catalog::Properties& properties) {
  Json body = Json::object();
  body.set("namespace", namespace_json(space));
  body.set("properties", properties_json(properties));
  return RestAnswer{.body = std::move(body)};
}

}  // namespace

Result<RestAnswer> list_namespaces(RestContext& context, const RestRequest& request) {
  auto parent = split_namespace(request.query_value("parent"));
  ASSIGN_OR_RETURN(auto spaces, context.catalog().list_namespaces(request.call, parent));
  std::vector<Json> items;
  for (const auto& space : spaces) items.push_back(namespace_json(space));
  return RestAnswer{.body = page_of(request, "namespaces", items)};
}

Result<RestAnswer> create_namespace(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto space, namespace_from_json(request.body["namespace"]));
  auto properties = properties_from_json(request.body["properties"]);
  RETURN_IF_ERROR(context.catalog().create_namespace(request.call, space, properties));
  return namespace_answer(space, properties);
}

Result<RestAnswer> load_namespace(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto properties,
                   context.catalog().load_namespace(request.call, request.space()));
  // Said even when nobody set it: Trino names the location of a new table itself, and without
  // this makes the table at once and then minds that its folder is not empty.
  properties.emplace("location", context.catalog().namespace_location(request.space(), properties));
  return namespace_answer(request.space(), properties);
}

Result<RestAnswer> head_namespace(RestContext& context, const RestRequest& request) {
  RETURN_IF_ERROR(context.catalog().load_namespace(request.call, request.space()));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> drop_namespace(RestContext& context, const RestRequest& request) {
  RETURN_IF_ERROR(context.catalog().drop_namespace(request.call, request.space()));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> update_namespace(RestContext& context, const RestRequest& request) {
  auto updates = properties_from_json(request.body["updates"]);
  std::vector<std::string> removals;
  for (const Json& key : request.body["removals"].as_array())
    removals.emplace_back(key.as_string());
  for (const std::string& key : removals) {
    if (!updates.contains(key)) continue;
    return fail(Code::invalid, "properties_overlap",
                "property " + key + " is both updated and removed");
  }
  ASSIGN_OR_RETURN(auto change, context.catalog().update_namespace(request.call, request.space(),
                                                                   updates, removals));
  Json body = Json::object();
  body.set("updated", namespace_json(change.updated));
  body.set("removed", namespace_json(change.removed));
  body.set("missing", namespace_json(change.missing));
  return RestAnswer{.body = std::move(body)};
}

}  // namespace aichemy::serve::iceberg
