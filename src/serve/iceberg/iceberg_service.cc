#include "serve/iceberg/iceberg_service.h"

#include "base/checksum.h"
#include "serve/http/local_program.h"
#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

constexpr size_t kBodyBytesMax = 64 << 20;

Async<Result<RestRequest>> read_request(RestContext& context, http::Request& from,
                                        const RouteMatch& match) {
  RestRequest request;
  request.path = match.parameters;
  request.call = from.call;
  CO_ASSIGN_OR_RETURN(auto query, from.parameters());
  for (auto& [key, value] : query) request.query.try_emplace(std::move(key), std::move(value));
  request.if_none_match = from.headers.get("If-None-Match");
  request.wants_credentials =
      from.headers.get("X-Iceberg-Access-Delegation").find("vended-credentials") !=
      std::string_view::npos;
  request.wants_signing = !request.wants_credentials &&
                          from.headers.get("X-Iceberg-Access-Delegation").find("remote-signing") !=
                              std::string_view::npos;
  request.idempotency_key = from.headers.get("Idempotency-Key");
  bool gives_token = match.route->handler == post_token;
  if (!gives_token) {
    CO_ASSIGN_OR_RETURN(request.call.principal,
                        context.principal_of(from.headers.get("Authorization")));
  }
  if (from.method != "POST" && from.method != "DELETE") request.idempotency_key.clear();
  if (request.idempotency_key.size() > 128)
    co_return fail(Code::invalid, "request", "an Idempotency-Key has 128 bytes at most");
  if (from.method != "POST") co_return request;
  CO_ASSIGN_OR_RETURN(request.raw_body, co_await from.read_all(kBodyBytesMax));
  if (gives_token) co_return request;
  auto body = Json::parse(request.raw_body);
  if (!body || !body->is_object()) {
    co_return fail(Code::invalid, "request", "the body is not a JSON object");
  }
  request.body = std::move(*body);
  request.raw_body.clear();
  co_return request;
}

// A change that the client numbered is made once: a repetition is given the first one's answer.
Result<RestAnswer> answer_once(RestContext& context, RestHandler handler,
                               const RestRequest& request) {
  const std::string& key = request.idempotency_key;
  if (key.empty()) return handler(context, request);
  std::string text = request.body.dump();
  for (const auto& [name, value] : request.path) text += "\n" + name + "=" + value;
  uint64_t fingerprint = xxh3(text, reinterpret_cast<uintptr_t>(handler));
  std::string owned = request.call.principal + "\n" + key;
  ASSIGN_OR_RETURN(auto before, context.replies().begin(owned, fingerprint, context.now()));
  if (before) return std::move(*before);
  auto answer = handler(context, request);
  std::optional<RestAnswer> kept;
  if (answer) {
    kept = *answer;
  } else if (const ErrorRow& row = error_row(answer.error()); row.status < 500) {
    kept = RestAnswer{.status = row.status, .body = error_json(answer.error())};
  }
  context.replies().finish(owned, kept);
  return answer;
}

Async<Result<RestAnswer>> answer_of(RestContext& context, Pool& pool, http::Request& from) {
  CO_ASSIGN_OR_RETURN(RouteMatch match, match_route(from.method, from.path));
  if (!context.authenticates() && !http::is_local_program(from)) {
    co_return fail(Code::denied, "web_page",
                   "this catalog asks programs on this machine for no password, and web pages or "
                   "other hosts for nothing at all: it refuses them");
  }
  if (!match.route && match.path_known) {
    co_return fail(Code::invalid, "method",
                   "method " + from.method + " is not offered for " + from.path);
  }
  if (!match.route)
    co_return fail(Code::not_found, "no_such_route", "No route for request: " + from.path);
  CO_ASSIGN_OR_RETURN(RestRequest request, co_await read_request(context, from, match));
  RestHandler handler = match.route->handler;
  co_return co_await on(pool, [&] { return answer_once(context, handler, request); });
}

}  // namespace

IcebergService::IcebergService(IcebergServiceOptions options)
    : options_(std::move(options)), context_(std::make_unique<RestContext>(options_)) {}

IcebergService::~IcebergService() = default;

Status IcebergService::start() {
  http::ServerOptions server;
  server.name = "iceberg_rest";
  server.address = options_.address;
  server.port = options_.port;
  ASSIGN_OR_RETURN(server_,
                   http::Server::start(options_.io, options_.metrics, std::move(server),
                                       [this](http::Request& request, http::Response& response) {
                                         return handle(request, response);
                                       }));
  return {};
}

void IcebergService::stop(std::chrono::milliseconds drain) {
  if (server_) server_->stop(drain);
}

Async<void> IcebergService::handle(http::Request& request, http::Response& response) {
  auto answer = co_await answer_of(*context_, options_.pool, request);
  std::string body;
  if (answer) {
    response.status = answer->status;
    for (const auto& [name, value] : answer->headers) response.headers.set(name, value);
    if (answer->body) body = answer->body->dump();
  } else {
    response.status = error_row(answer.error()).status;
    body = error_json(answer.error()).dump();
  }
  if (!body.empty()) response.headers.set("Content-Type", "application/json");
  (void)co_await response.send(std::move(body));
}

}  // namespace aichemy::serve::iceberg
