#include "serve/s3/s3.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "serve/s3/error_table.h"
#include "serve/s3/exchange.h"
#include "serve/s3/routes.h"

namespace aichemy::serve::s3 {
namespace {

constexpr std::string_view kHealthPrefix = "/minio/health/";

// Bucket and key from the path, and from the host name in virtual-host style.
Status find_names(Exchange& exchange) {
  ASSIGN_OR_RETURN(std::string path, percent_decode(exchange.request.path));
  if (!path.starts_with('/') || !is_valid_utf8(path)) {
    return fail(Code::invalid, "argument", "The request path is not valid");
  }
  path.erase(0, 1);
  const std::string& domain = exchange.services.options.domain;
  std::string_view host = exchange.header("host");
  host = host.substr(0, host.rfind(':'));
  if (!domain.empty() && host.size() > domain.size() + 1 && host.ends_with(domain) &&
      host[host.size() - domain.size() - 1] == '.') {
    exchange.bucket = std::string(host.substr(0, host.size() - domain.size() - 1));
    exchange.key = std::move(path);
    return {};
  }
  size_t slash = path.find('/');
  exchange.bucket = path.substr(0, slash);
  if (slash != std::string::npos) exchange.key = path.substr(slash + 1);
  return {};
}

Status authenticate(Exchange& exchange) {
  auth::SignedRequest request;
  request.method = exchange.request.method;
  request.path = exchange.request.path;
  request.query = exchange.request.query;
  for (const auto& [name, value] : exchange.request.headers.all())
    request.headers.emplace_back(name, value);
  std::string token(exchange.header("x-amz-security-token"));
  if (token.empty()) token = exchange.parameter("X-Amz-Security-Token");
  std::string user;
  auto secret = [&](std::string_view id) -> std::optional<std::string> {
    auto key = exchange.services.keys.find(id);
    if (!key) return std::nullopt;
    user = key->user;
    return key->secret;
  };
  std::optional<auth::SessionKey> session;
  const auth::SessionKeys* sessions = exchange.services.options.sessions;
  if (!token.empty()) {
    if (!sessions) return fail(Code::unauthenticated, "invalid_token", "");
    ASSIGN_OR_RETURN(session, sessions->open(token, exchange.services.clock.wall_now()));
  }
  auth::SecretLookup lookup = secret;
  if (session) {
    lookup = [&](std::string_view id) {
      return id == session->id ? std::optional(session->secret) : std::nullopt;
    };
  }
  ASSIGN_OR_RETURN(exchange.verified,
                   auth::verify_signature(request, lookup, exchange.services.clock.wall_now(),
                                          exchange.services.options.region));
  exchange.request.call.principal = session ? session->grant.user : user;
  if (session) exchange.session = std::move(session->grant);
  return {};
}

// What a key for part of the store may ask: objects there, listings of them, and where the bucket
// is. Keys inside a document, and those copied from, are checked where they are read.
Status check_session(const Exchange& exchange, Handler handler) {
  if (!exchange.session) return {};
  if (!exchange.key.empty()) return exchange.may_use(exchange.bucket, exchange.key);
  if (handler == delete_objects) return {};
  bool lists = handler == list_objects || handler == list_objects_v2 || handler == list_versions ||
               handler == list_uploads;
  if (lists) return exchange.may_use(exchange.bucket, exchange.parameter("prefix"));
  bool is_theirs = std::ranges::any_of(exchange.session->places, [&](const std::string& place) {
    return place.starts_with(exchange.bucket + "/");
  });
  if (is_theirs && (handler == head_bucket || handler == get_location)) return {};
  return fail(Code::denied, "session_scope", "");
}

Result<Handler> prepare(Exchange& exchange) {
  RETURN_IF_ERROR(find_names(exchange));
  ASSIGN_OR_RETURN(auto parameters, exchange.request.parameters());
  for (auto& [name, value] : parameters)
    exchange.parameters.emplace(std::move(name), std::move(value));
  RETURN_IF_ERROR(authenticate(exchange));
  ASSIGN_OR_RETURN(Handler handler, find_route(exchange));
  RETURN_IF_ERROR(check_session(exchange, handler));
  return handler;
}

Async<void> answer_error(Exchange& exchange, const Error& error) {
  const ErrorRow& row = error_row(error);
  if (exchange.response.begun()) co_return;  // the connection breaks off: all that can be said
  if (row.status == 500) {
    log_warn("s3 request failed", {{"request", exchange.call().trace},
                                   {"method", exchange.request.method},
                                   {"path", exchange.request.path},
                                   {"code", row.s3_code},
                                   {"error", error.message}});
  }
  exchange.response.status = row.status;
  if (row.status == 304) {
    co_await exchange.response.send();
    co_return;
  }
  exchange.response.headers.set("Content-Type", "application/xml");
  if (row.status == 503) exchange.response.headers.set("Retry-After", "1");
  co_await exchange.response.send(error_xml(exchange, error));
}

// Load balancers and probes: unsigned.
Async<void> answer_health(Services& services, http::Request& request, http::Response& response) {
  std::string_view probe = std::string_view(request.path).substr(kHealthPrefix.size());
  bool known = probe == "live" || probe == "ready" || probe == "cluster" || probe == "cluster/read";
  response.status = known ? 200 : 404;
  if (known && probe.starts_with("cluster")) {
    auto status = co_await on(services.pool, [&]() -> Result<objectstore::StoreStatus> {
      return services.store.status();
    });
    int online = 0;
    int needed = 0;
    if (status) {
      needed = status->data_drives;
      for (const auto& drive : status->drives) online += drive.online;
    }
    response.headers.set("X-Minio-Write-Quorum", std::to_string(needed));
    if (online < needed) response.status = 503;
  }
  co_await response.send();
}

Async<void> answer(Services& services, http::Request& request, http::Response& response) {
  response.headers.set("Server", "AIchemy");
  if (request.path.starts_with(kHealthPrefix)) {
    co_await answer_health(services, request, response);
    co_return;
  }
  Exchange exchange(services, request, response);
  response.headers.set("x-amz-request-id", request.call.trace);
  response.headers.set("x-amz-id-2", exchange.owner_id());
  response.headers.set("Accept-Ranges", "bytes");
  response.headers.set("x-amz-bucket-region", services.options.region);
  auto handler = prepare(exchange);
  Status status;
  if (handler) {
    status = co_await (*handler)(exchange);
  } else {
    status = std::unexpected(handler.error());
  }
  if (!status) co_await answer_error(exchange, status.error());
}

}  // namespace

struct S3Server::State {
  Services services;
  std::unique_ptr<http::Server> server;
};

S3Server::S3Server(std::unique_ptr<State> state) : state_(std::move(state)) {}
S3Server::~S3Server() = default;
uint16_t S3Server::port() const { return state_->server->port(); }
void S3Server::stop(std::chrono::milliseconds drain) { state_->server->stop(drain); }

Result<std::unique_ptr<S3Server>> S3Server::start(IoThreads& io, Pool& pool, Metrics& metrics,
                                                  Clock& clock, Random& random,
                                                  objectstore::ObjectStore& store,
                                                  auth::AccessKeys& keys, S3Options options) {
  http::ServerOptions server_options;
  server_options.name = "s3";
  server_options.address = options.address;
  server_options.port = options.port;
  server_options.tls = options.tls;
  auto state = std::make_unique<State>(
      State{Services{pool, clock, random, store, keys, std::move(options)}, nullptr});
  Services& services = state->services;
  ASSIGN_OR_RETURN(state->server,
                   http::Server::start(io, metrics, std::move(server_options),
                                       [&services](http::Request& request,
                                                   http::Response& response) -> Async<void> {
                                         return answer(services, request, response);
                                       }));
  return std::unique_ptr<S3Server>(new S3Server(std::move(state)));
}

}  // namespace aichemy::serve::s3
