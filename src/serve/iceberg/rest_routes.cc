#include "base/bytes.h"
#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

constexpr Route kRoutes[] = {
    {"GET", "/v1/config", get_config, false},
    {"POST", "/v1/oauth/tokens", post_token, false},
    {"GET", "/v1/namespaces", list_namespaces},
    {"POST", "/v1/namespaces", create_namespace},
    {"GET", "/v1/namespaces/{namespace}", load_namespace},
    {"HEAD", "/v1/namespaces/{namespace}", head_namespace},
    {"DELETE", "/v1/namespaces/{namespace}", drop_namespace},
    {"POST", "/v1/namespaces/{namespace}/properties", update_namespace},
    {"GET", "/v1/namespaces/{namespace}/tables", list_tables},
    {"POST", "/v1/namespaces/{namespace}/tables", create_table},
    {"POST", "/v1/namespaces/{namespace}/register", register_table},
    {"GET", "/v1/namespaces/{namespace}/tables/{table}", load_table},
    {"HEAD", "/v1/namespaces/{namespace}/tables/{table}", head_table},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}", commit_table},
    {"DELETE", "/v1/namespaces/{namespace}/tables/{table}", drop_table},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}/unregister", unregister_table},
    {"GET", "/v1/namespaces/{namespace}/tables/{table}/credentials", load_credentials},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}/sign", sign_request},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}/metrics", report_metrics},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}/plan", plan_scan},
    {"GET", "/v1/namespaces/{namespace}/tables/{table}/plan/{plan-id}", get_plan},
    {"DELETE", "/v1/namespaces/{namespace}/tables/{table}/plan/{plan-id}", cancel_plan},
    {"POST", "/v1/namespaces/{namespace}/tables/{table}/tasks", fetch_tasks},
    {"POST", "/v1/tables/rename", rename_table},
    {"POST", "/v1/transactions/commit", commit_transaction},
    {"GET", "/v1/namespaces/{namespace}/views", list_views},
    {"POST", "/v1/namespaces/{namespace}/views", create_view},
    {"POST", "/v1/namespaces/{namespace}/register-view", register_view},
    {"GET", "/v1/namespaces/{namespace}/views/{view}", load_view},
    {"HEAD", "/v1/namespaces/{namespace}/views/{view}", head_view},
    {"POST", "/v1/namespaces/{namespace}/views/{view}", commit_view},
    {"DELETE", "/v1/namespaces/{namespace}/views/{view}", drop_view},
    {"POST", "/v1/views/rename", rename_view},
};

std::string_view next_segment(std::string_view* path) {
  path->remove_prefix(std::min<size_t>(1, path->size()));
  std::string_view segment = path->substr(0, path->find('/'));
  path->remove_prefix(segment.size());
  return segment;
}

// False when the path does not have the template's shape.
Result<bool> match_path(std::string_view pattern, std::string_view path,
                        std::map<std::string, std::string, std::less<>>* parameters) {
  while (!pattern.empty() && !path.empty()) {
    std::string_view expected = next_segment(&pattern);
    std::string_view segment = next_segment(&path);
    if (!expected.starts_with('{')) {
      if (expected != segment) return false;
      continue;
    }
    auto decoded = percent_decode(segment);
    if (!decoded)
      return fail(Code::invalid, "request",
                  "the path has a broken escape: " + std::string(segment));
    (*parameters)[std::string(expected.substr(1, expected.size() - 2))] = std::move(*decoded);
  }
  return pattern.empty() && path.empty();
}

}  // namespace

std::span<const Route> routes() { return kRoutes; }

Result<RouteMatch> match_route(std::string_view method, std::string_view path) {
  RouteMatch match;
  if (path.size() > 1 && path.ends_with('/')) path.remove_suffix(1);
  for (const Route& route : kRoutes) {
    std::map<std::string, std::string, std::less<>> parameters;
    ASSIGN_OR_RETURN(bool fits, match_path(route.path, path, &parameters));
    if (!fits) continue;
    match.path_known = true;
    if (route.method != method) continue;
    match.route = &route;
    match.parameters = std::move(parameters);
    break;
  }
  return match;
}

}  // namespace aichemy::serve::iceberg
