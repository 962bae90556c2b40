#include "serve/jobs/jobs_service.h"

#include <array>
#include <vector>

#include "base/bytes.h"
#include "base/check.h"
#include "serve/http/local_program.h"

namespace aichemy::serve::jobs {
namespace {

using aichemy::jobs::Jobs;

constexpr size_t kScriptBytesMax = 1 << 20;

struct Exchange {
  Jobs& jobs;
  const Call& call;
  std::string id;  // the {id} of the route
  const std::string& body;
};

// A name stops meaning a job once it is stopped: its id is looked up first.
Result<Json> change(Exchange& exchange, Status (Jobs::*action)(const std::string& job)) {
  ASSIGN_OR_RETURN(auto before, exchange.jobs.find(exchange.id));
  if (action) RETURN_IF_ERROR((exchange.jobs.*action)(before.id));
  ASSIGN_OR_RETURN(auto job, exchange.jobs.find(before.id));
  return aichemy::jobs::job_json(job);
}

struct Route {
  std::string_view method, pattern;  // {} stands for one segment
  Result<Json> (*run)(Exchange& exchange);
};

constexpr Route kRoutes[] = {
    {"POST", "/v1/scripts", [](Exchange& e) { return e.jobs.run_script(e.call, e.body); }},
    {"GET", "/v1/jobs",
     [](Exchange& e) -> Result<Json> { return Json().set("jobs", e.jobs.list_json()); }},
    {"GET", "/v1/jobs/{}", [](Exchange& e) { return change(e, nullptr); }},
    {"POST", "/v1/jobs/{}/pause", [](Exchange& e) { return change(e, &Jobs::pause); }},
    {"POST", "/v1/jobs/{}/resume", [](Exchange& e) { return change(e, &Jobs::resume); }},
    {"POST", "/v1/jobs/{}/stop", [](Exchange& e) { return change(e, &Jobs::stop_job); }},
};

bool matches(std::string_view pattern, std::string_view path, std::string& id) {
  size_t hole = pattern.find("{}");
  if (hole == std::string_view::npos) return pattern == path;
  std::string_view tail = pattern.substr(hole + 2);
  if (!path.starts_with(pattern.substr(0, hole)) || path.size() < hole + tail.size() ||
      !path.ends_with(tail))
    return false;
  id = path.substr(hole, path.size() - hole - tail.size());
  return !id.empty() && id.find('/') == std::string::npos;
}

Result<std::pair<std::string, std::string>> basic_credentials(const std::string& header) {
  auto refused = [] {
    return fail(Code::unauthenticated, "credentials",
                "sign in with HTTP Basic: the user and password of SQL");
  };
  if (!header.starts_with("Basic ")) return refused();
  auto text = from_base64(std::string_view(header).substr(6));
  if (!text || text->find(':') == std::string::npos) return refused();
  size_t colon = text->find(':');
  return std::pair(text->substr(0, colon), text->substr(colon + 1));
}

}  // namespace

int http_status(Code code) {
  static constexpr std::array<int, kCodeCount> kStatus = {400, 401, 403, 404, 409, 409, 429,
                                                          501, 503, 504, 499, 500, 500};
  auto index = static_cast<size_t>(code);
  CHECK(index < kStatus.size());
  return kStatus[index];
}

Status JobsService::start() {
  auto handler = [this](http::Request& request, http::Response& response) {
    return handle(request, response);
  };
  http::ServerOptions options{
      .name = "jobs", .address = options_.address, .port = options_.port, .tls = std::nullopt};
  ASSIGN_OR_RETURN(server_,
                   http::Server::start(options_.io, options_.metrics, std::move(options), handler));
  return {};
}

void JobsService::stop(std::chrono::milliseconds drain) {
  if (server_) server_->stop(drain);
}

Result<Json> JobsService::answer(const std::string& method, const std::string& path,
                                 const std::string& body, const std::string& credentials,
                                 bool is_local, const Call& call) {
  if (!is_local) {
    ASSIGN_OR_RETURN(auto pair, basic_credentials(credentials));
    RETURN_IF_ERROR(options_.authenticate(pair.first, pair.second));
  }
  Exchange exchange{options_.jobs, call, {}, body};
  bool known_path = false;
  for (const Route& route : kRoutes) {
    if (!matches(route.pattern, path, exchange.id)) continue;
    known_path = true;
    if (route.method == method) return route.run(exchange);
  }
  if (known_path) return fail(Code::unsupported, "method", method + " is not offered for " + path);
  return fail(Code::not_found, "path", "there is nothing at " + path);
}

Async<void> JobsService::handle(http::Request& request, http::Response& response) {
  auto body = co_await request.read_all(kScriptBytesMax);
  auto path = percent_decode(request.path);
  Result<Json> result = !body   ? Result<Json>(std::unexpected(body.error()))
                        : !path ? Result<Json>(std::unexpected(path.error()))
                                : co_await on(options_.pool, [&]() -> Result<Json> {
                                    return answer(request.method, *path, *body,
                                                  std::string(request.headers.get("Authorization")),
                                                  http::is_local_program(request), request.call);
                                  });
  response.headers.set("Content-Type", "application/json");
  response.headers.set("X-Request-Id", request.call.trace);
  if (!result) {
    const Error& error = result.error();
    response.status = http_status(error.code);
    if (error.code == Code::unauthenticated)
      response.headers.set("WWW-Authenticate", "Basic realm=\"aichemy\"");
    Json inner;
    inner.set("code", code_name(error.code)).set("what", error.what).set("message", error.message);
    result = Json().set("error", std::move(inner));
  }
  co_await response.send(result->dump_pretty() + "\n");
}

}  // namespace aichemy::serve::jobs
