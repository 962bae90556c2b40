#include "serve/trino/trino.h"

#include <fmt/format.h>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <charconv>
#include <map>
#include <vector>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/json.h"
#include "serve/trino/query_info.h"
#include "serve/trino/session_headers.h"
#include "serve/trino/statement_query.h"

namespace aichemy::serve::trino {
namespace {

using http::Request;
using http::Response;
using QueryPtr = std::shared_ptr<StatementQuery>;

constexpr auto kLongPoll = std::chrono::milliseconds(1000);
constexpr auto kReapEvery = std::chrono::milliseconds(100);
constexpr auto kExpireEvery = std::chrono::seconds(60);
constexpr auto kKeepFinished = std::chrono::seconds(15);  // for a client that repeats its last GET
constexpr size_t kStatementBytesMax = 16 << 20;

std::vector<std::string_view> split_path(std::string_view path) {
  std::vector<std::string_view> parts;
  while (!path.empty()) {
    if (path.front() == '/') path.remove_prefix(1);
    size_t slash = path.find('/');
    if (!path.empty()) parts.push_back(path.substr(0, slash));
    path = slash == std::string_view::npos ? std::string_view() : path.substr(slash);
  }
  return parts;
}

// "a, b" without blanks.
std::vector<std::string> list_of(std::string_view text) {
  std::vector<std::string> out;
  while (!text.empty()) {
    size_t comma = text.find(',');
    std::string_view item = text.substr(0, comma);
    text = comma == std::string_view::npos ? std::string_view() : text.substr(comma + 1);
    while (item.starts_with(' ')) item.remove_prefix(1);
    while (item.ends_with(' ')) item.remove_suffix(1);
    if (!item.empty()) out.emplace_back(item);
  }
  return out;
}

std::string base_of(const Request& request) {
  std::string_view host = request.headers.get("Host");
  return fmt::format("{}://{}", request.secure ? "https" : "http",
                     host.empty() ? "localhost" : host);
}

}  // namespace

struct TrinoService::State : std::enable_shared_from_this<State> {
  explicit State(TrinoOptions given)
      : options(std::move(given)),
        statements(options.metrics.counter("aichemy_trino_statements_total",
                                           "Statements received over the Trino protocol")),
        started(options.clock.steady_now()) {}

  TrinoOptions options;
  Counter& statements;
  SteadyTime started, expired;
  std::mutex mutex;
  std::map<std::string, QueryPtr, std::less<>> open;
  std::unique_ptr<asio::steady_timer> reaper;
  bool stopped = false;
  std::unique_ptr<http::Server> https, http_server;

  // ---- routing ----

  Async<void> handle(Request& request, Response& response) {
    auto parts = split_path(request.path);
    bool v1 = parts.size() >= 2 && parts[0] == "v1";
    if (v1 && parts[1] == "statement") co_return co_await statement(request, response, parts);
    if (v1 && parts[1] == "spooled") co_return co_await spooled(request, response, parts);
    if (v1 && parts[1] == "info") co_return co_await info(response, parts);
    if (v1 && parts[1] == "status" && parts.size() == 2) co_return co_await status(response);
    if (v1 && parts[1] == "query") co_return co_await query(request, response, parts);
    if (v1 && parts[1] == "resourceGroupState" && parts.size() == 3)
      co_return co_await group(request, response, parts[2]);
    if (parts.empty() || parts[0] == "ui") co_return co_await ui(request, response, parts);
    co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
  }

  Async<void> statement(Request& request, Response& response,
                        const std::vector<std::string_view>& parts) {
    if (parts.size() == 2) {
      if (request.method == "POST") co_return co_await submit(request, response);
      if (request.method == "HEAD") {
        std::string user;
        if (co_await authenticate(request, response, user)) co_await text(response, 200, "");
        co_return;
      }
      co_return co_await text(response, 405, "");
    }
    bool partial = parts.size() == 7 && parts[3] == "partialCancel";
    bool paging = parts.size() == 6 && (parts[2] == "queued" || parts[2] == "executing");
    if (!paging && !partial)
      co_return co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
    size_t at = partial ? 4 : 3;
    QueryPtr found = find(parts[at], parts[partial ? 6 : at + 1]);
    uint64_t token = 0;
    std::string_view number = parts.back();
    auto [end, error] = std::from_chars(number.data(), number.data() + number.size(), token);
    if (!found || (!partial && (error != std::errc() || end != number.data() + number.size()))) {
      co_return co_await text(response, 404, "Error 404 Not Found: Query not found");
    }
    if (request.method == "DELETE") {
      found->cancel("USER_CANCELED", "Query was canceled");
      co_return co_await text(response, 204, "");
    }
    if (request.method == "HEAD") {
      found->touch();
      co_return co_await text(response, 200, "");
    }
    if (request.method != "GET") co_return co_await text(response, 405, "");
    co_await next_page(request, response, found, token);
  }

  QueryPtr find(std::string_view id, std::string_view slug) {
    std::lock_guard lock(mutex);
    auto found = open.find(id);
    if (found == open.end() || !equal_constant_time(found->second->slug(), slug)) return nullptr;
    return found->second;
  }

  // ---- statements ----

  Async<void> submit(Request& request, Response& response) {
    std::string user;
    if (!co_await authenticate(request, response, user)) co_return;
    auto body = co_await request.read_all(kStatementBytesMax);
    if (!body)
      co_return co_await text(response, body.error().code == Code::exhausted ? 413 : 400,
                              "Error 400 Bad Request: " + body.error().message);
    if (body->find_first_not_of(" \t\r\n") == std::string::npos) {
      co_return co_await text(response, 400, "Error 400 Bad Request: SQL statement is empty");
    }
    auto session = session_from(request.headers);
    if (!session)
      co_return co_await text(response, 400, "Error 400 Bad Request: " + session.error().message);
    session->user = user;
    std::string acting(request.headers.get("X-Trino-Authorization-User"));
    if (!acting.empty() && acting != user) {  // SET SESSION AUTHORIZATION
      if (!options.impersonates || !options.impersonates(user, acting)) {
        co_return co_await text(
            response, 403,
            fmt::format("Access Denied: User {} cannot impersonate user {}", user, acting));
      }
      session->user = acting;
    }
    session->start = options.clock.wall_now();
    session->query_id = options.queries.next_id();
    statements.add();
    auto made = std::make_shared<StatementQuery>(
        QueryServices{options.pool, options.clock, options.executor, options.queries,
                      options.groups, options.segments, options.limits},
        StatementQuery::Submission{
            .session = std::move(*session),
            .text = std::move(*body),
            .slug = "y" + to_hex(options.random.bytes(20)),
            .trace = request.call.trace,
            .client_tags = list_of(request.headers.get("X-Trino-Client-Tags")),
            .encoding = choose_encoding(request.headers.get("X-Trino-Query-Data-Encoding"))});
    if (!enter(made)) co_return co_await refuse_later(response);
    made->start();
    write_encoding(*made, response);
    co_await json(response, made->first_body(base_of(request)));
  }

  bool enter(const QueryPtr& made) {
    std::lock_guard lock(mutex);
    // Finished ones are kept for a moment only while there is room.
    if (open.size() >= options.statements_max) {
      std::erase_if(open, [](const auto& entry) { return entry.second->finished(); });
    }
    if (stopped || open.size() >= options.statements_max) return false;
    open[made->id()] = made;
    return true;
  }

  // Clients retry 503 after a moment.
  Async<void> refuse_later(Response& response) {
    response.headers.set("Retry-After", "1");
    co_await text(response, 503, "Error 503 Service Unavailable: too many open statements");
  }

  Async<void> next_page(Request& request, Response& response, QueryPtr found, uint64_t token) {
    std::string base = base_of(request);
    auto answer = found->answer(token, base, false);
    if (answer.kind == StatementQuery::Answer::Kind::wait) {
      auto executor = co_await asio::this_coro::executor;
      auto timer = std::make_shared<asio::steady_timer>(executor, kLongPoll);
      found->on_ready([timer, executor] { asio::post(executor, [timer] { timer->cancel(); }); });
      boost::system::error_code ignored;
      co_await timer->async_wait(asio::redirect_error(asio::use_awaitable, ignored));
      answer = found->answer(token, base, true);
    }
    using Kind = StatementQuery::Answer::Kind;
    if (answer.kind == Kind::gone)
      co_return co_await text(response, 410, "Error 410 Gone: HTTP 410 Gone");
    if (answer.kind != Kind::ready)
      co_return co_await text(response, 404, "Error 404 Not Found: Query not found");
    if (answer.headers) write_changes(found->changes(), response.headers);
    write_encoding(*found, response);
    co_await json(response, std::move(answer.body));
  }

  static void write_encoding(StatementQuery& query, Response& response) {
    if (auto encoding = query.encoding())
      response.headers.set("X-Trino-Query-Data-Encoding", encoding_name(*encoding));
  }

  // ---- segments ----

  // /v1/spooled/download/NAME and /v1/spooled/ack/NAME; the name is the credential.
  Async<void> spooled(Request& request, Response& response,
                      const std::vector<std::string_view>& parts) {
    bool download = parts.size() == 4 && parts[2] == "download" && request.method == "GET";
    bool ack = parts.size() == 4 && parts[2] == "ack" &&
               (request.method == "GET" || request.method == "DELETE");
    if (!options.segments || (!download && !ack))
      co_return co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
    SegmentStore* segments = options.segments;
    std::string name(parts[3]);
    bool here = segments->in_memory(name);
    if (ack) {
      if (here) {
        segments->acknowledge(name);
      } else {
        (void)co_await on(options.auth_pool, [segments, name]() -> Status {
          segments->acknowledge(name);
          return {};
        });
      }
      co_return co_await text(response, 200, "");
    }
    Result<std::shared_ptr<const std::string>> found = std::shared_ptr<const std::string>();
    if (here)
      found = segments->fetch(name);
    else
      found = co_await on(options.auth_pool, [segments, name] { return segments->fetch(name); });
    if (!found)
      co_return co_await text(response, found.error().code == Code::not_found ? 404 : 500,
                              found.error().message);
    response.headers.set("Content-Type", "application/octet-stream");
    if (!co_await response.begin((*found)->size())) co_return;
    if (!co_await response.write(**found)) co_return;
    (void)co_await response.end();
  }

  // ---- authentication ----

  // The user, or an answer already sent and false.
  Async<bool> authenticate(Request& request, Response& response, std::string& user) {
    std::string_view header = request.headers.get("X-Trino-User");
    if (header.empty()) header = request.headers.get("X-Trino-Original-User");
    std::string_view authorization = request.headers.get("Authorization");
    std::string basic_user, password;
    if (authorization.starts_with("Basic ")) {
      auto decoded = from_base64(authorization.substr(6));
      size_t colon = decoded ? decoded->find(':') : std::string::npos;
      if (colon == std::string::npos) {
        co_await unauthorized(response, "Malformed credentials");
        co_return false;
      }
      basic_user = decoded->substr(0, colon);
      password = decoded->substr(colon + 1);
    }
    if (!request.secure)
      co_return co_await insecure(request, response, header, basic_user, password, user);
    if (basic_user.empty() || password.empty() || !options.check_password) {
      co_await unauthorized(response, "Unauthorized");
      co_return false;
    }
    Result<std::string> principal = std::string();
    if (options.is_remembered && options.is_remembered(basic_user, password)) {
      principal = options.check_password(basic_user, password);
    } else {
      principal =
          co_await on(options.auth_pool, [check = options.check_password, basic_user, password] {
            return check(basic_user, password);
          });
    }
    if (!principal) {
      co_await unauthorized(response, "Access Denied: Invalid credentials");
      co_return false;
    }
    bool other = !header.empty() && header != basic_user && header != *principal;
    bool may =
        other && options.impersonates && options.impersonates(*principal, std::string(header));
    if (may) *principal = header;
    if (other && !may) {
      co_await text(
          response, 403,
          fmt::format("Access Denied: User {} cannot impersonate user {}", *principal, header));
      co_return false;
    }
    user = std::move(*principal);
    co_return true;
  }

  // Plain HTTP: this machine, or a caller that knows the internal secret. The user name is taken as
  // it is.
  Async<bool> insecure(Request& request, Response& response, std::string_view header,
                       const std::string& basic_user, const std::string& password,
                       std::string& user) {
    if (!password.empty()) {
      co_await unauthorized(response, "Password not allowed for insecure authentication");
      co_return false;
    }
    std::string_view bearer = request.headers.get("X-Trino-Internal-Bearer");
    bool internal =
        !options.internal_secret.empty() && equal_constant_time(bearer, options.internal_secret);
    if (!request.peer_is_loopback && !internal) {
      co_await text(response, 403, "Authentication over HTTP is not enabled");
      co_return false;
    }
    user = header.empty() ? basic_user : std::string(header);
    if (user.empty()) {
      co_await unauthorized(
          response, "Basic authentication or X-Trino-Original-User or X-Trino-User must be sent");
      co_return false;
    }
    co_return true;
  }

  Async<void> unauthorized(Response& response, std::string message) {
    response.headers.set("WWW-Authenticate", "Basic realm=\"Trino\"");
    co_await text(response, 401, std::move(message));
  }

  // ---- information ----

  std::string uptime() {
    auto seconds = std::chrono::duration<double>(options.clock.steady_now() - started).count();
    if (seconds < 60) return fmt::format("{:.2f}s", seconds);
    if (seconds < 3600) return fmt::format("{:.2f}m", seconds / 60);
    return seconds < 86400 ? fmt::format("{:.2f}h", seconds / 3600)
                           : fmt::format("{:.2f}d", seconds / 86400);
  }

  Json node() {
    Json version = Json::object();
    version.set("version", options.version);
    Json made = Json::object();
    made.set("nodeId", options.node_id)
        .set("state", "ACTIVE")
        .set("nodeVersion", std::move(version));
    made.set("environment", options.environment)
        .set("coordinator", true)
        .set("coordinatorId", options.node_id);
    made.set("starting", false).set("uptime", uptime());
    return made;
  }

  Async<void> info(Response& response, const std::vector<std::string_view>& parts) {
    if (parts.size() == 3 && parts[2] == "state") co_return co_await json(response, "\"ACTIVE\"");
    if (parts.size() == 3 && parts[2] == "coordinator") co_return co_await text(response, 200, "");
    if (parts.size() != 2)
      co_return co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
    co_await json(response, node().dump());
  }

  Async<void> status(Response& response) {
    Json made = node();
    Json memory = Json::object();
    memory.set("availableProcessors", options.io.count());
    made.set("externalAddress", options.address)
        .set("internalAddress", options.address)
        .set("memoryInfo", std::move(memory));
    made.set("processors", options.io.count()).set("processCpuLoad", 0.0).set("systemCpuLoad", 0.0);
    made.set("heapUsed", 0).set("heapAvailable", 0).set("nonHeapUsed", 0);
    co_await json(response, made.dump());
  }

  Async<void> query(Request& request, Response& response,
                    const std::vector<std::string_view>& parts) {
    std::string user;
    if (!co_await authenticate(request, response, user)) co_return;
    if (parts.size() == 2) co_return co_await query_list(request, response);
    co_await one_query(request, response, parts[2],
                       parts.size() == 4 ? parts[3] : std::string_view());
  }

  Async<void> query_list(Request& request, Response& response) {
    Json list = Json::array();
    auto state = request.parameter("state");
    for (const auto& info : options.queries.list()) {
      if (state && *state != query_state_name(info.state)) continue;
      list.push(query_json(info, options.clock.wall_now()));
    }
    co_await json(response, list.dump());
  }

  // GET, DELETE /v1/query/ID; PUT ID/killed and ID/preempted with a reason as the body.
  Async<void> one_query(Request& request, Response& response, std::string_view name,
                        std::string_view action) {
    std::string id(name);
    auto found = options.queries.find(id);
    if (!found) co_return co_await text(response, 410, "Error 410 Gone: HTTP 410 Gone");
    if (request.method == "DELETE") {
      (void)options.queries.kill(id, "USER_CANCELED",
                                 "Query was canceled");  // already over is as good
      co_return co_await text(response, 204, "");
    }
    if (request.method == "PUT" && (action == "killed" || action == "preempted")) {
      auto reason = co_await request.read_all(64 << 10);
      if (!reason) co_return co_await text(response, 400, reason.error().message);
      if (found->ended) co_return co_await text(response, 409, "Query is already done");
      bool killed = action == "killed";
      std::string verb = killed ? "killed" : "preempted";
      (void)options.queries.kill(
          id, killed ? "ADMINISTRATIVELY_KILLED" : "ADMINISTRATIVELY_PREEMPTED",
          reason->empty() ? fmt::format("Query {}. No message provided.", verb)
                          : fmt::format("Query {}. Message: {}", verb, *reason));
      co_return co_await text(response, 202, "");
    }
    if (request.method != "GET" || !action.empty()) co_return co_await text(response, 405, "");
    co_await json(response, query_json(*found, options.clock.wall_now()).dump());
  }

  Async<void> group(Request& request, Response& response, std::string_view id) {
    std::string user;
    if (!co_await authenticate(request, response, user)) co_return;
    Json found = group_json(options.groups.list(), id);
    if (found.is_null())
      co_return co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
    co_await json(response, found.dump());
  }

  // What programs read of Trino's web pages; people are sent on to the console's.
  Async<void> ui(Request& request, Response& response, const std::vector<std::string_view>& parts) {
    if (parts.size() == 3 && parts[1] == "auth" && parts[2] == "info") {
      co_return co_await json(
          response, R"({"authType":"form","passwordAllowed":true,"authenticated":false})");
    }
    if (parts.size() < 2 || parts[1] != "api") {
      int port = options.console_port ? options.console_port() : 0;
      if (port == 0)
        co_return co_await text(response, 404, "Error 404 Not Found: the console is switched off");
      std::string_view id;
      if (parts.size() == 2 && parts[1] == "query.html") id = request.query;
      response.headers.set("Location", console_page(request.headers.get("Host"), port, id));
      co_return co_await text(response, 303, "");
    }
    if (parts.size() == 2)
      co_return co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
    std::string user;
    if (!co_await authenticate(request, response, user)) co_return;
    if (parts[2] == "stats" || parts[2] == "cluster") {
      uint64_t memory = options.memory_used ? options.memory_used() : 0;
      co_return co_await json(
          response, cluster_json(options.queries.list(), options.io.count(), memory).dump());
    }
    if (parts[2] == "query" && parts.size() == 3) co_return co_await query_list(request, response);
    if (parts[2] == "query")
      co_return co_await one_query(request, response, parts[3],
                                   parts.size() == 5 ? parts[4] : std::string_view());
    co_await text(response, 404, "Error 404 Not Found: HTTP 404 Not Found");
  }

  static Async<void> text(Response& response, int code, std::string body) {
    response.status = code;
    if (!body.empty()) response.headers.set("Content-Type", "text/plain;charset=utf-8");
    (void)co_await response.send(std::move(body));
  }
  static Async<void> json(Response& response, std::string body) {
    response.headers.set("Content-Type", "application/json");
    response.headers.set("X-Content-Type-Options", "nosniff");
    (void)co_await response.send(std::move(body));
  }

  // ---- abandoned and finished statements ----

  void reap() {
    SteadyTime now = options.clock.steady_now();
    std::vector<QueryPtr> alive;
    {
      std::lock_guard lock(mutex);
      for (auto it = open.begin(); it != open.end();) {
        bool finished = it->second->finished();
        bool drop =
            now - it->second->last_access() > kKeepFinished && (finished || it->second->given_up());
        if (!finished && !drop) alive.push_back(it->second);
        it = drop ? open.erase(it) : std::next(it);
      }
    }
    for (auto& one : alive) one->enforce(now);
    options.groups.poll();
    if (options.segments && now - expired > kExpireEvery) {
      expired = now;
      (void)options.auth_pool.post([segments = options.segments] { segments->expire(); });
    }
  }

  void arm() {
    std::lock_guard lock(mutex);
    if (stopped) return;
    reaper->expires_after(kReapEvery);
    reaper->async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
      auto self = weak.lock();
      if (!self || error) return;
      self->reap();
      self->arm();
    });
  }
};

TrinoService::TrinoService(TrinoOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

TrinoService::~TrinoService() { stop(std::chrono::milliseconds(0)); }

Status TrinoService::start() {
  State& state = *state_;
  http::Handler handler = [self = state_](Request& request, Response& response) {
    return self->handle(request, response);
  };
  auto serve = [&](const char* name, uint16_t port, std::optional<http::TlsFiles> tls) {
    http::ServerOptions server;
    server.name = name;
    server.address = state.options.address;
    server.port = port;
    server.tls = std::move(tls);
    return http::Server::start(state.options.io, state.options.metrics, std::move(server), handler);
  };
  if (state.options.https_port) {
    if (!state.options.tls) return fail(Code::invalid, "tls", "HTTPS for SQL needs a certificate");
    ASSIGN_OR_RETURN(state.https, serve("sql_https", *state.options.https_port, state.options.tls));
  }
  if (state.options.http_port) {
    ASSIGN_OR_RETURN(state.http_server, serve("sql_http", *state.options.http_port, std::nullopt));
  }
  state.reaper = std::make_unique<asio::steady_timer>(state.options.io.loop(0));
  state.arm();
  return {};
}

int TrinoService::https_port() const { return state_->https ? state_->https->port() : 0; }
int TrinoService::http_port() const {
  return state_->http_server ? state_->http_server->port() : 0;
}

void TrinoService::stop(std::chrono::milliseconds drain) {
  State& state = *state_;
  std::map<std::string, QueryPtr, std::less<>> open;
  {
    std::lock_guard lock(state.mutex);
    if (state.stopped) return;
    state.stopped = true;
    open = state.open;
    if (state.reaper) {
      asio::post(state.reaper->get_executor(), [self = state_] { self->reaper->cancel(); });
    }
  }
  for (auto& [id, query] : open)
    query->cancel("SERVER_SHUTTING_DOWN", "the server is shutting down");
  if (state.https) state.https->stop(drain);
  if (state.http_server) state.http_server->stop(drain);
  // The servers hold the handler, the handler holds the state: the circle ends here.
  state.https.reset();
  state.http_server.reset();
  std::lock_guard lock(state.mutex);
  state.open.clear();
}

}  // namespace aichemy::serve::trino
