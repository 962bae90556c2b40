// The SQL page: statements, their pages, what completion knows.
#include <algorithm>
#include <charconv>

#include "serve/console/handlers.h"
#include "serve/console/query_desk.h"
#include "sql/types/trino_errors.h"

namespace aichemy::serve::console {
namespace {

constexpr size_t kSqlShownMax = 4000;
constexpr size_t kSqlWholeMax = 1 << 20;
constexpr size_t kFileStreamBytes = 256 << 10;

int64_t millis(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

std::optional<std::string> optional_text(const Json& body, const char* name) {
  std::string_view text = body[name].as_string();
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

// At most that many bytes, no character cut.
std::string_view beginning(std::string_view text, size_t bytes_max) {
  size_t end = std::min(text.size(), bytes_max);
  while (end > 0 && end < text.size() && (static_cast<unsigned char>(text[end]) & 0xC0) == 0x80)
    --end;
  return text.substr(0, end);
}

std::string dotted(const std::vector<std::string>& group) {
  std::string out;
  for (const std::string& name : group) out += (out.empty() ? "" : ".") + name;
  return out;
}

Json query_json(const sql::QueryInfo& info, size_t sql_max) {
  Json out;
  out.set("id", info.id).set("user", info.user).set("source", info.source);
  out.set("sql", beginning(info.sql, sql_max)).set("state", query_state_name(info.state));
  out.set("query_type", info.query_type).set("catalog", info.catalog).set("schema", info.schema);
  out.set("resource_group", dotted(info.resource_group));
  out.set("created_millis", millis(info.created));
  if (info.started) out.set("started_millis", millis(*info.started));
  if (info.executing) out.set("executing_millis", millis(*info.executing));
  if (info.ended) out.set("ended_millis", millis(*info.ended));
  out.set("rows", info.rows).set("bytes", info.bytes);
  if (!info.error) return out;
  const auto* row = sql::find_trino_error(info.error->what);
  out.set("error_name", row ? row->name : "GENERIC_INTERNAL_ERROR");
  out.set("error", info.error->message);
  return out;
}

// Others' statements may show what their authors alone may see.
bool may_see(const Exchange& exchange, const sql::QueryInfo& info) {
  return exchange.role == Role::admin || info.user == exchange.call.principal;
}

}  // namespace

Result<Answer> list_queries(Exchange& exchange) {
  Json list = Json::array();
  for (const auto& info : exchange.services().queries.list()) {
    if (may_see(exchange, info)) list.push(query_json(info, kSqlShownMax));
  }
  return Answer(Json().set("queries", std::move(list)));
}

Result<Answer> get_query(Exchange& exchange) {
  auto info = exchange.services().queries.find(exchange.path[0]);
  if (!info || !may_see(exchange, *info))
    return fail(Code::not_found, "no_such_query", "the statement is not there any more");
  return Answer(query_json(*info, kSqlWholeMax));
}

Result<Answer> start_query(Exchange& exchange) {
  QueryRequest request;
  request.user = exchange.call.principal;
  request.sql = exchange.body["sql"].as_string();
  request.catalog = optional_text(exchange.body, "catalog");
  request.schema = optional_text(exchange.body, "schema");
  request.read_only = exchange.role == Role::viewer;
  std::string_view format = exchange.body["format"].as_string();
  if (!format.empty() && format != "parquet")
    return fail(Code::invalid, "request", "format is parquet, or left out");
  request.to_file = format == "parquet";
  ASSIGN_OR_RETURN(std::string id, exchange.parts.queries.start(request));
  return Answer(Json().set("id", id));
}

Result<Answer> get_page(Exchange& exchange) {
  const std::string& text = exchange.path[1];
  uint64_t page = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), page);
  if (error != std::errc() || end != text.data() + text.size())
    return fail(Code::invalid, "request", "a page is a whole number");
  ASSIGN_OR_RETURN(std::string body,
                   exchange.parts.queries.next(exchange.path[0], exchange.call.principal, page));
  return Answer::text(std::move(body));
}

Result<Answer> get_progress(Exchange& exchange) {
  ASSIGN_OR_RETURN(sql::Progress progress,
                   exchange.parts.queries.progress(exchange.path[0], exchange.call.principal));
  Json out;
  out.set("percentage", progress.percentage).set("rows_read", progress.rows_read);
  out.set("peak_memory_bytes", progress.peak_memory_bytes);
  return Answer(std::move(out));
}

Result<Answer> cancel_query(Exchange& exchange) {
  const std::string& id = exchange.path[0];
  exchange.parts.queries.cancel(id, exchange.call.principal);
  auto& all = exchange.services().queries;
  auto info = all.find(id);
  if (info && !info->ended && info->user == exchange.call.principal)
    (void)all.kill(id, "USER_CANCELED", "Query was canceled");
  return Answer(Json());
}

Async<Status> download_result(Exchange& exchange, http::Request& request, http::Response& response,
                              const std::function<bool()>& stopping) {
  Pool& pool = exchange.services().pool;
  const std::string& id = exchange.path[0];
  const std::string& user = exchange.call.principal;
  auto file = exchange.parts.queries.file(id, user);
  if (!file) co_return std::unexpected(file.error());
  auto reader = co_await on(pool, [&] { return (*file)->open(exchange.call); });
  if (!reader) co_return std::unexpected(reader.error());
  uint64_t size = (*reader)->info().size, at = 0;
  response.headers.set("Content-Type", "application/vnd.apache.parquet");
  response.headers.set("Content-Disposition", "attachment; filename=\"result.parquet\"");
  if (request.method == "HEAD") co_return co_await response.send();
  CO_RETURN_IF_ERROR(co_await response.begin(size));
  std::string buffer(static_cast<size_t>(std::min<uint64_t>(size, kFileStreamBytes)), '\0');
  while (at < size && !stopping()) {
    auto want = static_cast<size_t>(std::min<uint64_t>(size - at, buffer.size()));
    auto got = co_await on(pool, [&] { return (*reader)->read_at(at, buffer.data(), want); });
    if (!got || *got == 0 || !co_await response.write({buffer.data(), *got})) break;
    at += *got;
  }
  // What was cut short may be asked for again.
  co_await on(pool, [&] {
    reader->reset();
    file->reset();
    if (at == size) exchange.parts.queries.cancel(id, user);
    return Status();
  });
  if (at < size) co_return Status();  // the connection closes short: the client sees it
  co_return co_await response.end();
}

// SHOW FUNCTIONS: name, result, arguments, kind, ...
Result<Answer> get_words(Exchange& exchange) {
  sql::Session session;
  session.user = exchange.call.principal;
  session.source = "console";
  session.start = exchange.services().clock.wall_now();
  ASSIGN_OR_RETURN(auto result,
                   exchange.services().executor.execute(exchange.call, session, "SHOW FUNCTIONS"));
  Json list = Json::array();
  bool done = !result.rows;
  while (!done) {
    ASSIGN_OR_RETURN(sql::Page page, result.rows->next_page(4 << 20));
    ASSIGN_OR_RETURN(Json rows, Json::parse(page.rows_json));
    for (const Json& row : rows.as_array()) {
      const auto& cells = row.as_array();
      if (cells.size() < 4) continue;
      Json one;
      one.set("name", cells[0].as_string()).set("result", cells[1].as_string());
      one.set("arguments", cells[2].as_string()).set("kind", cells[3].as_string());
      list.push(std::move(one));
    }
    done = page.done;
  }
  return Answer(Json().set("functions", std::move(list)));
}

}  // namespace aichemy::serve::console
