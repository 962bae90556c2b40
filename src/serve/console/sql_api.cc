// The SQL page: statements, their pages, what completion knows.
#include <algorithm>
#include <charconv>

#include "serve/console/handlers.h"
#include "serve/console/query_desk.h"

namespace aichemy::serve::console {
namespace {

constexpr size_t kSqlShownMax = 4000;
constexpr size_t kFileStreamBytes = 256 << 10;

int64_t millis(WallTime time) {
  return std::chrono::floor<std::chrono::milliseconds>(time).time_since_epoch().count();
}

std::optional<std::string> optional_text(const Json& body, const char* name) {
  std::string_view text = body[name].as_string();
  return text.empty() ? std::nullopt : std::optional<std::string>(text);
}

Json query_json(const sql::QueryInfo& info) {
  Json out;
  out.set("id", info.id).set("user", info.user).set("source", info.source);
  out.set("sql", info.sql.substr(0, kSqlShownMax)).set("state", query_state_name(info.state));
  out.set("query_type", info.query_type).set("created_millis", millis(info.created));
  if (info.ended) out.set("ended_millis", millis(*info.ended));
  out.set("rows", info.rows);
  if (info.error) out.set("error", info.error->message);
  return out;
}

}  // namespace

Result<Answer> list_queries(Exchange& exchange) {
  Json list = Json::array();
  for (const auto& info : exchange.services().queries.list()) {
    // Others' statements may show what their authors alone may see.
    if (exchange.role == Role::admin || info.user == exchange.call.principal)
      list.push(query_json(info));
  }
  return Answer(Json().set("queries", std::move(list)));
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
  exchange.parts.queries.cancel(exchange.path[0], exchange.call.principal);
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
