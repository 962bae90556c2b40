#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

RestAnswer view_answer(const catalog::LoadedView& view) {
  Json body = Json::object();
  body.set("metadata-location", view.metadata_location);
  body.set("metadata", catalog::view_to_json(*view.metadata));
  body.set("config", Json::object());
  return RestAnswer{.body = std::move(body)};
}

}  // namespace

Result<RestAnswer> list_views(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto names, context.catalog().list_views(request.call, request.space()));
  std::vector<Json> items;
  for (const auto& name : names) {
    Json item = Json::object();
    item.set("namespace", namespace_json(name.space));
    item.set("name", name.name);
    items.push_back(std::move(item));
  }
  return RestAnswer{.body = page_of(request, "identifiers", items)};
}

Result<RestAnswer> create_view(RestContext& context, const RestRequest& request) {
  catalog::EntityName name{request.space(), std::string(request.body["name"].as_string())};
  catalog::NewView view;
  view.location = request.body["location"].as_string();
  auto schema = tables::schema_from_json(request.body["schema"]);
  auto version = catalog::view_version_from_json(request.body["view-version"]);
  if (!schema) return fail(Code::invalid, "request", schema.error().message);
  if (!version) return fail(Code::invalid, "request", version.error().message);
  view.schema = std::move(*schema);
  view.version = std::move(*version);
  view.properties = properties_from_json(request.body["properties"]);
  ASSIGN_OR_RETURN(auto created, context.catalog().create_view(request.call, name, view));
  return view_answer(created);
}

Result<RestAnswer> register_view(RestContext& context, const RestRequest& request) {
  catalog::EntityName name{request.space(), std::string(request.body["name"].as_string())};
  std::string location(request.body["metadata-location"].as_string());
  if (name.name.empty() || location.empty())
    return fail(Code::invalid, "request", "\"name\" or \"metadata-location\" is missing");
  ASSIGN_OR_RETURN(auto view, context.catalog().register_view(request.call, name, location));
  return view_answer(view);
}

Result<RestAnswer> load_view(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto view, context.catalog().load_view(request.call, request.view()));
  return view_answer(view);
}

Result<RestAnswer> head_view(RestContext& context, const RestRequest& request) {
  RETURN_IF_ERROR(context.catalog().load_view(request.call, request.view()));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> commit_view(RestContext& context, const RestRequest& request) {
  std::vector<catalog::ViewRequirement> requirements;
  std::vector<catalog::ViewUpdate> updates;
  for (const Json& item : request.body["requirements"].as_array()) {
    ASSIGN_OR_RETURN(auto requirement, catalog::view_requirement_from_json(item));
    requirements.push_back(std::move(requirement));
  }
  for (const Json& item : request.body["updates"].as_array()) {
    ASSIGN_OR_RETURN(auto update, catalog::view_update_from_json(item));
    updates.push_back(std::move(update));
  }
  ASSIGN_OR_RETURN(auto view, context.catalog().commit_view(request.call, request.view(),
                                                            requirements, updates));
  return view_answer(view);
}

Result<RestAnswer> drop_view(RestContext& context, const RestRequest& request) {
  RETURN_IF_ERROR(context.catalog().drop_view(request.call, request.view()));
  return RestAnswer{.status = 204};
}

Result<RestAnswer> rename_view(RestContext& context, const RestRequest& request) {
  ASSIGN_OR_RETURN(auto from, identifier_from_json(request.body["source"]));
  ASSIGN_OR_RETURN(auto to, identifier_from_json(request.body["destination"]));
  RETURN_IF_ERROR(context.catalog().rename_view(request.call, from, to));
  return RestAnswer{.status = 204};
}

}  // namespace aichemy::serve::iceberg
