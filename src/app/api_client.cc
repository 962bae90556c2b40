#include "app/api_client.h"

#include <fmt/core.h>

#include "app/client_session.h"

namespace aichemy::app {
namespace {

Code code_of(int status) {
  switch (status) {
    case 401: return Code::unauthenticated;
    case 403: return Code::denied;
    case 404: return Code::not_found;
    case 409: return Code::conflict;
    case 429: return Code::exhausted;
    case 501: return Code::unsupported;
    case 503: return Code::unavailable;
    default: return status < 500 ? Code::invalid : Code::internal;
  }
}

}  // namespace

ApiClient::ApiClient(std::string base)
    : http_(std::make_unique<HttpClient>()), base_(std::move(base)) {}

ApiClient::~ApiClient() {
  if (http_ && !csrf_.empty()) (void)request("DELETE", "/session");
}

Result<ApiClient> ApiClient::open(const std::string& data, const ApiLogin& login) {
  ASSIGN_OR_RETURN(Json ready, find_platform(data));
  std::string base(ready["console"]["url"].as_string());
  if (base.empty()) {
    return fail(Code::unavailable, "console",
                "this needs the console's API, and that is switched off (console.enabled)");
  }
  ApiLogin who = login;
  if (who.user.empty()) who.user = ready["sql"]["user"].as_string();
  if (who.password.empty()) who.password = ready["sql"]["password"].as_string();
  ApiClient client(base + "/api/v1");
  RETURN_IF_ERROR(client.sign_in(who));
  return client;
}

Status ApiClient::sign_in(const ApiLogin& login) {
  if (login.user.empty() || login.password.empty()) {
    return fail(Code::unauthenticated, "login",
                "who asks? Give --user and --password of a user of the platform");
  }
  Json body;
  body.set("user", login.user).set("password", login.password);
  ASSIGN_OR_RETURN(HttpAnswer answer,
                   http_->request("POST", base_ + "/session", {{"Content-Type", "application/json"}},
                                  body.dump()));
  if (answer.status >= 400) {
    return fail(code_of(answer.status), "login",
                fmt::format("{} could not sign in (--user, --password): {}", login.user,
                            Json::parse(answer.body).value_or(Json())["detail"].as_string()));
  }
  std::string cookie = answer.header("set-cookie");
  cookie_ = cookie.substr(0, cookie.find(';'));
  ASSIGN_OR_RETURN(Json session, request("GET", "/session"));
  csrf_ = session["csrf"].as_string();
  return {};
}

Result<Json> ApiClient::request(const std::string& method, const std::string& path,
                                const Json& body) {
  HttpClient::Headers headers{{"Cookie", cookie_}, {"X-CSRF-Token", csrf_}};
  if (!body.is_null()) headers.emplace_back("Content-Type", "application/json");
  ASSIGN_OR_RETURN(HttpAnswer answer, http_->request(method, base_ + path, headers,
                                                     body.is_null() ? "" : body.dump()));
  if (answer.status == 204) return Json();
  ASSIGN_OR_RETURN(Json json, Json::parse(answer.body));
  if (answer.status < 400) return json;
  return fail(code_of(answer.status), "server", std::string(json["detail"].as_string()));
}

}  // namespace aichemy::app
