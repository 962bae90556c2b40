#include "serve/trino/statement_query.h"

#include <fmt/format.h>

#include "base/json.h"
#include "sql/types/trino_errors.h"

namespace aichemy::serve::trino {
namespace {

std::string columns_json(const std::vector<sql::OutputColumn>& columns,
                         const sql::Session& session) {
  Json list = Json::array();
  for (const auto& column : columns) {
    sql::Type type =
        session.parametric_datetime ? column.type : column.type.without_datetime_precision();
    Json one = Json::object();
    std::string shown = type.display();
    if (!session.parametric_datetime) {
      for (const char* bare : {"(3)"}) {
        if (type.is(sql::TypeKind::time) || type.is(sql::TypeKind::timestamp) ||
            type.is(sql::TypeKind::time_tz) || type.is(sql::TypeKind::timestamp_tz)) {
          if (size_t at = shown.find(bare); at != std::string::npos) shown.erase(at, 3);
        }
      }
    }
    if (type.is(sql::TypeKind::interval_day_time)) shown = "INTERVAL DAY TO SECOND";
    if (type.is(sql::TypeKind::interval_year_month)) shown = "INTERVAL YEAR TO MONTH";
    one.set("name", column.name).set("type", shown).set("typeSignature", type.signature());
    list.push(std::move(one));
  }
  return list.dump();
}

Json error_json(const Error& error) {
  const auto* row = sql::find_trino_error(error.what);
  sql::TrinoError fallback{"GENERIC_INTERNAL_ERROR", 65536, "INTERNAL_ERROR"};
  if (!row) row = &fallback;
  std::string_view name = row->name;
  Json info = Json::object();
  info.set("code", int64_t{row->code}).set("name", row->name).set("type", row->type);
  Json failure = Json::object();
  failure.set("type", name == "SYNTAX_ERROR" ? "io.trino.sql.parser.ParsingException"
                                             : "io.trino.spi.TrinoException");
  failure.set("message", error.message)
      .set("suppressed", Json::array())
      .set("stack", Json::array())
      .set("errorInfo", std::move(info));
  Json made = Json::object();
  made.set("message", error.message)
      .set("errorCode", int64_t{row->code})
      .set("errorName", row->name)
      .set("errorType", row->type);
  if (auto at = sql::error_location(error.message)) {
    Json location = Json::object();
    location.set("lineNumber", at->line).set("columnNumber", at->column);
    made.set("errorLocation", location);
    failure.set("errorLocation", std::move(location));
  }
  made.set("failureInfo", std::move(failure));
  return made;
}

}  // namespace

StatementQuery::StatementQuery(QueryServices services, sql::Session session, std::string text,
                               std::string slug, std::string trace)
    : services_(services),
      session_(std::move(session)),
      text_(std::move(text)),
      slug_(std::move(slug)) {
  call_.principal = session_.user;
  call_.trace = std::move(trace);
  call_.cancel = stop_.get_token();
  created_ = touched_ = services_.clock.steady_now();
}

SteadyTime StatementQuery::last_access() {
  std::lock_guard lock(mutex_);
  return touched_;
}

bool StatementQuery::finished() {
  std::lock_guard lock(mutex_);
  return ended_;
}

void StatementQuery::touch() {
  std::lock_guard lock(mutex_);
  touched_ = services_.clock.steady_now();
}

void StatementQuery::start() {
  sql::QueryInfo info;
  info.id = session_.query_id;
  info.user = session_.user;
  info.source = session_.source;
  info.sql = text_;
  info.catalog = session_.catalog.value_or("");
  info.schema = session_.schema.value_or("");
  services_.registry.begin(std::move(info), [weak = weak_from_this()] {
    if (auto self = weak.lock()) self->cancel("ADMINISTRATIVELY_KILLED", "Query killed");
  });
  std::lock_guard lock(mutex_);
  schedule_locked();
}

void StatementQuery::schedule_locked() {
  if (working_ || next_ || exhausted_ || error_) return;
  working_ = true;
  auto posted = services_.pool.post([self = shared_from_this()] { self->work(); });
  if (posted) return;
  working_ = false;
  error_ = Error{Code::exhausted, "QUERY_QUEUE_FULL", "Too many queued queries"};
  end_locked();
}

void StatementQuery::work() {
  bool planned = false;
  {
    std::lock_guard lock(mutex_);
    planned = planned_;
  }
  std::optional<Error> error;
  sql::StatementResult result;
  std::optional<sql::Page> page;
  if (!planned) {
    services_.registry.update(id(), [&](sql::QueryInfo& info) {
      info.state = sql::QueryState::planning;
      info.started = services_.clock.wall_now();
    });
    auto made = services_.executor.execute(call_, session_, text_);
    if (made) {
      result = std::move(*made);
      services_.registry.update(id(), [&](sql::QueryInfo& info) {
        info.state = sql::QueryState::running;
        info.query_type = result.query_type;
        info.update_type = result.update_type.value_or("");
      });
    } else {
      error = made.error();
    }
    std::lock_guard lock(mutex_);
    if (!error) {
      result_ = std::move(result);
      columns_json_ = columns_json(result_.columns, session_);
      planned_ = true;
    }
    if (error_ && !error) error = error_;  // cancelled meanwhile
  }
  // Only this task touches the stream, besides cancel(), which takes the lock to find it.
  if (!error && result_.rows) {
    auto made = result_.rows->next_page(kPageBytes);
    if (made)
      page = std::move(*made);
    else
      error = made.error();
  }
  std::vector<std::function<void()>> waiting;
  {
    std::lock_guard lock(mutex_);
    working_ = false;
    if (error && !error_) error_ = std::move(error);
    if (error_) {
      end_locked();
    } else if (page) {
      exhausted_ = page->done;
      rows_ += page->rows;
      next_ = std::move(*page);
      if (exhausted_) result_.rows.reset();
    } else {
      exhausted_ = true;
    }
    if (exhausted_ && !error_) end_locked();
    waiting.swap(waiting_);
  }
  for (auto& callback : waiting) callback();
}

void StatementQuery::end_locked() {
  if (!working_) result_.rows.reset();
  if (registered_end_) return;
  registered_end_ = true;
  uint64_t rows = rows_;
  services_.registry.update(id(), [&](sql::QueryInfo& info) { info.rows = rows; });
  services_.registry.end(id(), error_ ? sql::QueryState::failed : sql::QueryState::finished,
                         error_);
}

void StatementQuery::cancel(const char* what, const std::string& message) {
  std::vector<std::function<void()>> waiting;
  {
    std::lock_guard lock(mutex_);
    if (ended_ || error_) return;
    stop_.request_stop();
    error_ = Error{Code::cancelled, what, message};
    next_.reset();
    if (result_.rows) result_.rows->cancel();
    end_locked();
    waiting.swap(waiting_);
  }
  for (auto& callback : waiting) callback();
}

void StatementQuery::on_ready(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    bool ready = next_ || exhausted_ || error_;
    if (!ready) {
      waiting_.push_back(std::move(callback));
      return;
    }
  }
  callback();
}

StatementQuery::Answer StatementQuery::answer(uint64_t token, const std::string& base,
                                              bool give_up_waiting) {
  std::lock_guard lock(mutex_);
  touched_ = services_.clock.steady_now();
  Answer made;
  made.headers = planned_;
  if (token == token_ && !last_body_.empty()) {
    made.kind = Answer::Kind::ready;
    made.body = last_body_;
    return made;
  }
  if (token < token_ || (token == token_ && last_body_.empty() && token_ > 0)) {
    made.kind = Answer::Kind::gone;
    return made;
  }
  if (token > token_ + 1 || ended_) {
    made.kind = Answer::Kind::unknown;
    return made;
  }
  bool ready = next_ || exhausted_ || error_;
  if (!ready && !give_up_waiting) return made;
  made.kind = Answer::Kind::ready;
  token_ = token;
  if (error_) {
    ended_ = true;
    last_body_ = body_locked(base, std::nullopt, nullptr, "FAILED");
  } else if (next_ && next_->rows > 0) {
    sql::Page page = std::move(*next_);
    next_.reset();
    ended_ = exhausted_;  // the last rows need no page after them: a round trip saved
    last_body_ = ended_ ? body_locked(base, std::nullopt, &page, "FINISHED")
                        : body_locked(base, token + 1, &page, "RUNNING");
    schedule_locked();
  } else if (exhausted_) {
    ended_ = true;
    next_.reset();
    last_body_ = body_locked(base, std::nullopt, nullptr, "FINISHED");
  } else {
    next_.reset();  // a page without rows that is not the last
    last_body_ = body_locked(base, token + 1, nullptr, planned_ ? "RUNNING" : "QUEUED");
    schedule_locked();
  }
  made.headers = planned_;
  made.body = last_body_;
  return made;
}

std::string StatementQuery::first_body(const std::string& base) {
  std::lock_guard lock(mutex_);
  return fmt::format(
      R"({{"id":"{0}","infoUri":"{1}/ui/query.html?{0}","nextUri":"{1}/v1/statement/queued/{0}/{2}/1","stats":{3},"warnings":[]}})",
      id(), base, slug_, stats_locked("QUEUED"));
}

std::string StatementQuery::stats_locked(const char* state) {
  auto elapsed =
      std::chrono::duration_cast<std::chrono::milliseconds>(services_.clock.steady_now() - created_)
          .count();
  sql::Progress progress;
  if (result_.rows && !working_) progress = result_.rows->progress();
  bool queued = !planned_ && !error_;
  double percent = exhausted_ ? 100 : progress.percentage;
  return fmt::format(
      R"({{"state":"{}","queued":{},"scheduled":{},{}"nodes":1,"totalSplits":1,"queuedSplits":0,"runningSplits":{},"completedSplits":{},)"
      R"("planningTimeMillis":0,"analysisTimeMillis":0,"cpuTimeMillis":{},"wallTimeMillis":{},"queuedTimeMillis":0,"elapsedTimeMillis":{},)"
      R"("finishingTimeMillis":0,"physicalInputTimeMillis":0,"processedRows":{},"processedBytes":{},"physicalInputBytes":{},)"
      R"("physicalWrittenBytes":0,"internalNetworkInputBytes":0,"peakMemoryBytes":{},"spilledBytes":0}})",
      state, queued, !queued,
      percent >= 0 ? fmt::format(R"("progressPercentage":{:.1f},"runningPercentage":{:.1f},)",
                                 percent, exhausted_ ? 0.0 : 100.0)
                   : "",
      exhausted_ || queued ? 0 : 1, exhausted_ ? 1 : 0, elapsed, elapsed, elapsed,
      std::max(progress.rows_read, rows_), progress.bytes_read, progress.bytes_read,
      progress.peak_memory_bytes);
}

std::string StatementQuery::body_locked(const std::string& base, std::optional<uint64_t> next_token,
                                        const sql::Page* page, const char* state) {
  std::string out = fmt::format(R"({{"id":"{0}","infoUri":"{1}/ui/query.html?{0}")", id(), base);
  if (next_token)
    out += fmt::format(R"(,"nextUri":"{}/v1/statement/executing/{}/{}/{}")", base, id(), slug_,
                       *next_token);
  if (planned_) out += ",\"columns\":" + columns_json_;
  if (page && page->rows > 0) {
    out += ",\"data\":";
    out += page->rows_json;
  }
  out += ",\"stats\":" + stats_locked(state);
  if (error_) out += ",\"error\":" + error_json(*error_).dump();
  out += ",\"warnings\":[]";
  if (result_.update_type) {
    out += ",\"updateType\":";
    append_json_string(out, *result_.update_type);
  }
  if (result_.update_count) out += fmt::format(",\"updateCount\":{}", *result_.update_count);
  return out + "}";
}

}  // namespace aichemy::serve::trino
