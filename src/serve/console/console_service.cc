#include "serve/console/console_service.h"

#include <algorithm>
#include <atomic>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/log.h"
#include "serve/console/audit_trail.h"
#include "serve/console/bundle.h"
#include "serve/console/decoders.h"
#include "serve/console/exchange.h"
#include "serve/console/overview.h"
#include "serve/console/problem.h"
#include "serve/console/query_desk.h"
#include "serve/console/saved_queries.h"
#include "serve/console/sessions.h"

namespace aichemy::serve::console {
namespace {

using http::Request;
using http::Response;

constexpr std::string_view kApi = "/api/v1";
constexpr size_t kBodyBytesMax = 24 << 20;
constexpr const char* kNoConsole =
    "This build has no console: Node.js was not there when it was made.\n"
    "Install npm, then run ./dev build.\n";

// Segments of a path, decoded; the pattern's {} take them.
bool match(std::string_view pattern, const std::vector<std::string>& segments,
           std::vector<std::string>& holes) {
  holes.clear();
  for (const std::string& segment : segments) {
    if (!pattern.starts_with('/')) return false;
    pattern.remove_prefix(1);
    size_t end = std::min(pattern.find('/'), pattern.size());
    std::string_view word = pattern.substr(0, end);
    pattern.remove_prefix(end);
    if (word.starts_with('{')) {
      holes.push_back(segment);
    } else if (word != segment) {
      return false;
    }
  }
  return pattern.empty();
}

Result<std::vector<std::string>> split(std::string_view path) {
  std::vector<std::string> out;
  while (!path.empty()) {
    path.remove_prefix(1);  // the slash
    size_t end = std::min(path.find('/'), path.size());
    ASSIGN_OR_RETURN(std::string segment, percent_decode(path.substr(0, end)));
    out.push_back(std::move(segment));
    path.remove_prefix(end);
  }
  return out;
}

std::string cookie_value(std::string_view header, std::string_view name) {
  while (!header.empty()) {
    size_t end = std::min(header.find(';'), header.size());
    std::string_view pair = header.substr(0, end);
    header.remove_prefix(std::min(end + 1, header.size()));
    while (pair.starts_with(' ')) pair.remove_prefix(1);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('='))
      return std::string(pair.substr(name.size() + 1));
  }
  return {};
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != text.npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
}

bool accepts(const Request& request, std::string_view encoding) {
  return request.headers.get("Accept-Encoding").find(encoding) != std::string_view::npos;
}

bool is_sign_in(const Route& route) { return std::string_view(route.name) == "signIn"; }

bool changes(const Request& request) { return request.method != "GET" && request.method != "HEAD"; }

}  // namespace

std::string Exchange::text(const char* name, std::string fallback) const {
  auto found = query.find(name);
  return found == query.end() ? std::move(fallback) : found->second;
}

int64_t Exchange::number(const char* name, int64_t fallback) const {
  auto found = query.find(name);
  return found == query.end() ? fallback : std::strtoll(found->second.c_str(), nullptr, 10);
}

struct ConsoleService::State {
  explicit State(ConsoleOptions given)
      : options(std::move(given)),
        queries(options.executor, options.queries, options.clock, options.store),
        overview(options),
        saved(options.database, options.clock, options.random),
        decoders(options.database, options.clock, options.random),
        audit(options.database, options.clock) {}

  ConsoleOptions options;
  QueryDesk queries;
  OverviewKeeper overview;
  SavedQueries saved;
  Decoders decoders;
  AuditTrail audit;
  Bundle bundle;
  std::unique_ptr<Sessions> sessions;
  std::string cookie;
  std::atomic<bool> stopping{false};
  std::vector<std::unique_ptr<http::Server>> servers;

  struct Signed {
    Role role = Role::nobody;
    std::string user, token, csrf;
  };

  Signed who(const Request& request);
  Async<void> handle(Request& request, Response& response, const std::string& home);
  Async<void> serve_file(Request& request, Response& response, const std::string& home);
  Async<Status> api(Request& request, Response& response, const std::string& home);
  Async<Status> dispatch(const Route& route, Exchange& exchange, Request& request,
                         Response& response, const Signed& me, const std::string& home);
  static Status allowed(const Route& route, const Exchange& exchange, const Request& request,
                        const Signed& me);
  Async<Result<Answer>> run(const Route& route, Exchange& exchange, Request& request,
                            Response& response, const Signed& me);
  Async<void> keep_line(const Route& route, const Exchange& exchange, const Request& request,
                        const Signed& me, std::string outcome);
  Async<Status> sign_in(Exchange& exchange, const Request& request, Response& response);
  Async<Status> sign_out(const Signed& me, Response& response);
  void set_cookie(Response& response, const Request* request, const std::string& token) const;
};

ConsoleService::State::Signed ConsoleService::State::who(const Request& request) {
  Signed out;
  out.token = cookie_value(request.headers.get("Cookie"), cookie);
  auto session = out.token.empty() ? std::nullopt : sessions->find(out.token);
  if (!session || !options.users.has(session->user)) return out;
  out.user = session->user;
  out.csrf = session->csrf;
  out.role = role_from(options.roles.of(session->user));
  return out;
}

Async<void> ConsoleService::State::handle(Request& request, Response& response,
                                          const std::string& home) {
  response.headers.set("X-Content-Type-Options", "nosniff");
  response.headers.set("X-Frame-Options", "DENY");
  response.headers.set("Referrer-Policy", "no-referrer");
  response.headers.set("X-Request-Id", request.call.trace);
  if (request.path == "/health") {
    response.headers.set("Content-Type", "text/plain");
    co_await response.send("ok\n");
    co_return;
  }
  if (request.path != kApi && !request.path.starts_with(std::string(kApi) + "/"))
    co_return co_await serve_file(request, response, home);
  response.headers.set("Cache-Control", "no-store");
  Status done = co_await api(request, response, home);
  if (done || response.begun()) co_return;
  const Error& error = done.error();
  response.status = error.is("method") ? 405 : problem_row(error.code).status;
  if (error.code == Code::internal || error.code == Code::corrupt) {
    log_error("console request failed", {{"path", request.path},
                                         {"what", error.what},
                                         {"message", error.message},
                                         {"request", request.call.trace}});
  }
  response.headers.set("Content-Type", "application/problem+json");
  co_await response.send(problem_document(error, request.call.trace).dump());
}

Async<void> ConsoleService::State::serve_file(Request& request, Response& response,
                                              const std::string& home) {
  response.headers.set("Content-Type", "text/plain; charset=utf-8");
  if (changes(request)) {
    response.status = 405;
    co_await response.send("only GET\n");
    co_return;
  }
  if (bundle.empty()) {
    response.status = 503;
    co_await response.send(kNoConsole);
    co_return;
  }
  const BundleFile* file = bundle.find(request.path);
  bool is_asset = request.path.starts_with("/assets/");
  if (!file && !is_asset) {  // a page's address
    std::string_view place = request.path == "/" ? home : std::string_view(request.path);
    std::string_view name = place.substr(1, place.find('/', 1) - 1);
    // Whoever is not signed in sees the sign-in first: nothing of the page is fetched ahead.
    if (who(request).role != Role::nobody)
      file = bundle.find("/pages/" + std::string(name) + ".html");
    if (!file) file = bundle.find("/index.html");
  }
  if (!file) {
    response.status = 404;
    co_await response.send("there is no such file\n");
    co_return;
  }
  response.headers.set("Content-Type", file->content_type);
  if (!file->plain.empty()) {
    std::string nonce = to_base64url(options.random.bytes(16));
    std::string page(file->plain);
    replace_all(page, "__NONCE__", nonce);
    replace_all(page, "__HOME__", home);
    response.headers.set("Cache-Control", "no-store");
    response.headers.set("Content-Security-Policy",
                         "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce +
                             "'; img-src 'self' data: blob:; font-src 'self'; connect-src 'self'; "
                             "form-action 'self'; base-uri 'none'; frame-ancestors 'none'");
    co_await response.send(std::move(page));
    co_return;
  }
  response.headers.set("Cache-Control",
                       is_asset ? "public, max-age=31536000, immutable" : "no-cache");
  response.headers.set("ETag", "\"" + file->etag + "\"");
  response.headers.set("Vary", "Accept-Encoding");
  bool brotli = !file->brotli.empty() && accepts(request, "br");
  if (request.headers.get("If-None-Match") == "\"" + file->etag + "\"") {
    response.status = 304;
    co_await response.send();
  } else if (brotli || accepts(request, "gzip")) {
    response.headers.set("Content-Encoding", brotli ? "br" : "gzip");
    co_await response.send(std::string(brotli ? file->brotli : file->gzip));
  } else {
    response.status = 406;
    response.headers.set("Content-Type", "text/plain");
    co_await response.send("this file is kept compressed: accept gzip or br\n");
  }
}

Async<Status> ConsoleService::State::api(Request& request, Response& response,
                                         const std::string& home) {
  Signed me = who(request);
  Call call = request.call;
  call.principal = me.user;
  Parts parts{options, queries, *sessions, overview, saved, decoders, audit};
  Exchange exchange{parts, call, me.role, {}, {}, {}};
  CO_ASSIGN_OR_RETURN(auto segments, split(std::string_view(request.path).substr(kApi.size())));
  CO_ASSIGN_OR_RETURN(auto parameters, request.parameters());
  for (auto& [name, value] : parameters) exchange.query[name] = std::move(value);
  bool known = false;
  for (const Route& route : routes()) {
    if (!match(route.path, segments, exchange.path)) continue;
    known = true;
    bool head = request.method == "HEAD" && std::string_view(route.method) == "GET";
    if (request.method != route.method && !head) continue;
    co_return co_await dispatch(route, exchange, request, response, me, home);
  }
  if (me.role == Role::nobody) co_return fail(Code::unauthenticated, "session", "sign in first");
  if (known) co_return fail(Code::unsupported, "method", request.method + " is not offered there");
  co_return fail(Code::not_found, "path", "there is nothing at " + request.path);
}

Async<Status> ConsoleService::State::dispatch(const Route& route, Exchange& exchange,
                                              Request& request, Response& response,
                                              const Signed& me, const std::string& home) {
  bool sends_itself = route.stream != nullptr;
  Result<Answer> answer = Answer(Json());
  if (Status may = allowed(route, exchange, request, me); !may) {
    answer = std::unexpected(may.error());
  } else if (sends_itself) {
    auto ending = [this] { return stopping.load(); };
    Status done = co_await route.stream(exchange, request, response, ending);
    if (!done) answer = std::unexpected(done.error());
  } else {
    answer = co_await run(route, exchange, request, response, me);
  }
  co_await keep_line(route, exchange, request, me, answer ? "" : answer.error().what);
  if (!answer) co_return std::unexpected(answer.error());
  if (sends_itself) co_return Status{};
  if (std::string_view(route.name) == "getSession")
    answer->json.set("csrf", me.csrf).set("home", home);
  if (answer->raw.empty() && answer->json.is_null()) {
    response.status = 204;
    co_return co_await response.send();
  }
  response.headers.set("Content-Type", "application/json");
  co_return co_await response.send(answer->raw.empty() ? answer->json.dump()
                                                       : std::move(answer->raw));
}

Status ConsoleService::State::allowed(const Route& route, const Exchange& exchange,
                                      const Request& request, const Signed& me) {
  if (me.role < route.role) {
    if (me.role == Role::nobody) return fail(Code::unauthenticated, "session", "sign in first");
    return fail(Code::denied, "role",
                "this needs the role " + std::string(role_name(route.role)) + ", and " + me.user +
                    " is " + std::string(role_name(me.role)));
  }
  if (changes(request) && !is_sign_in(route) &&
      !equal_constant_time(request.headers.get("X-CSRF-Token"), me.csrf)) {
    return fail(Code::denied, "csrf", "the request lacks the session's token: reload the page");
  }
  return check_parameters(exchange.query, route.parameters);
}

Async<Result<Answer>> ConsoleService::State::run(const Route& route, Exchange& exchange,
                                                 Request& request, Response& response,
                                                 const Signed& me) {
  if (*route.request) {
    if (!request.headers.get("Content-Type").starts_with("application/json"))
      co_return fail(Code::invalid, "request", "the body must be application/json");
    CO_ASSIGN_OR_RETURN(std::string body, co_await request.read_all(kBodyBytesMax));
    CO_ASSIGN_OR_RETURN(exchange.body, Json::parse(body));
    CO_RETURN_IF_ERROR(check_record(exchange.body, route.request));
  }
  if (is_sign_in(route)) {
    CO_RETURN_IF_ERROR(co_await sign_in(exchange, request, response));
    co_return Answer(Json());
  }
  if (std::string_view(route.name) == "signOut") {
    CO_RETURN_IF_ERROR(co_await sign_out(me, response));
    co_return Answer(Json());
  }
  Pool& pool = route.uses_sql ? options.sql_pool : options.pool;
  co_return co_await on(pool, [&]() -> Result<Answer> { return route.run(exchange); });
}

// A1: before the answer, but for what sends it by itself.
Async<void> ConsoleService::State::keep_line(const Route& route, const Exchange& exchange,
                                             const Request& request, const Signed& me,
                                             std::string outcome) {
  if (!changes(request) || route.audited == Audited::none) co_return;
  // Whoever is not signed in writes no lines, but for wrong passwords of users that there are; of
  // those there are no more than attempts are let through. Others would push out what was done.
  std::string user = is_sign_in(route) ? std::string(exchange.body["user"].as_string()) : me.user;
  bool entered = is_sign_in(route) ? outcome.empty() : me.role != Role::nobody;
  bool wrong_password =
      is_sign_in(route) && outcome == "bad_credentials" && options.users.has(user);
  if (!entered && !wrong_password) co_return;
  AuditLine line;
  line.user = std::move(user);
  line.operation = route.name;
  line.target = request.path.substr(kApi.size());
  if (std::string key = exchange.text("key"); !key.empty()) line.target += " " + key;
  line.outcome = std::move(outcome);
  line.request = request.call.trace;
  auto write = [&]() -> Status {
    if (route.audited == Audited::statements_that_change &&
        statement_only_reads(exchange.body["sql"].as_string()).value_or(true))
      return {};
    line.detail = audited_body(exchange.body, route.request);
    return audit.append(line);
  };
  Status kept = co_await on(options.pool, write);
  if (kept) co_return;
  log_error("audit line lost", {{"user", line.user},
                                {"operation", line.operation},
                                {"target", line.target},
                                {"outcome", line.outcome},
                                {"problem", kept.error().message}});
}

void ConsoleService::State::set_cookie(Response& response, const Request* request,
                                       const std::string& token) const {
  auto seconds = std::chrono::duration_cast<std::chrono::seconds>(Sessions::kLife).count();
  std::string value = cookie + "=" + token + "; Path=/; HttpOnly; SameSite=Strict; Max-Age=" +
                      std::to_string(token.empty() ? 0 : seconds);
  if (request && request->secure) value += "; Secure";
  response.headers.set("Set-Cookie", value);
}

Async<Status> ConsoleService::State::sign_in(Exchange& exchange, const Request& request,
                                             Response& response) {
  std::string_view site = request.headers.get("Sec-Fetch-Site");
  if (!site.empty() && site != "same-origin" && site != "none")
    co_return fail(Code::denied, "csrf", "another site's page cannot sign in here");
  std::string user(exchange.body["user"].as_string());
  std::string password(exchange.body["password"].as_string());
  CO_ASSIGN_OR_RETURN(std::string token, co_await on(options.pool, [&]() -> Result<std::string> {
                        RETURN_IF_ERROR(sessions->check_attempts(user));
                        Status good = options.users.check_password(user, password);
                        if (!good) {
                          sessions->count_failure(user);
                          return std::unexpected(good.error());
                        }
                        return sessions->begin(user);
                      }));
  set_cookie(response, &request, token);
  co_return Status{};
}

Async<Status> ConsoleService::State::sign_out(const Signed& me, Response& response) {
  CO_RETURN_IF_ERROR(co_await on(options.pool, [&] { return sessions->end(me.token); }));
  set_cookie(response, nullptr, "");
  co_return Status{};
}

ConsoleService::ConsoleService(ConsoleOptions options)
    : state_(std::make_unique<State>(std::move(options))) {}
ConsoleService::~ConsoleService() = default;

Status ConsoleService::start(std::string* failed_port) {
  State& state = *state_;
  ConsoleOptions& options = state.options;
  if (auto removed = state.queries.remove_left_files(); !removed)
    log_warn("saved results not removed", {{"message", removed.error().message}});
  ASSIGN_OR_RETURN(state.bundle, Bundle::parse(embedded_bundle()));
  ASSIGN_OR_RETURN(state.sessions, Sessions::open(options.disk, options.clock, options.random,
                                                  options.sessions_file));
  // Cookies know hosts, not ports: two platforms on one host must not share a name.
  state.cookie =
      "aichemy_" + to_hex(digest(DigestKind::sha256, options.broker.cluster_id())).substr(0, 8);
  for (const auto& port : options.ports) {
    http::ServerOptions server{
        .name = "console", .address = options.address, .port = port.port, .tls = std::nullopt};
    auto started = http::Server::start(
        options.io, options.metrics, std::move(server),
        [state = state_.get(), home = port.home](Request& request, Response& response) {
          return state->handle(request, response, home);
        });
    if (!started) {
      if (failed_port) *failed_port = port.name;
      return std::unexpected(started.error());
    }
    state.servers.push_back(std::move(*started));
  }
  return {};
}

uint16_t ConsoleService::port(size_t index) const {
  return index < state_->servers.size() ? state_->servers[index]->port() : uint16_t{0};
}

void ConsoleService::stop(std::chrono::milliseconds drain) {
  state_->stopping = true;
  state_->queries.cancel_all();
  for (auto& server : state_->servers) server->stop(drain);
}

Json api_document(std::string_view version) { return openapi_document(version); }

}  // namespace aichemy::serve::console
