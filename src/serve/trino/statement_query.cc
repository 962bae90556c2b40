#include "serve/trino/statement_query.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <chrono>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/session_properties.h"
#include "sql/types/trino_errors.h"

namespace aichemy::serve::trino {
namespace {

// A type as the list of columns shows it: intervals in upper case, also within others, and names of
// fields without quotes when they are plain but for their upper case.
std::string client_type(const sql::Type& type) {
  if (type.is(sql::TypeKind::interval_day_time)) return "INTERVAL DAY TO SECOND";
  if (type.is(sql::TypeKind::interval_year_month)) return "INTERVAL YEAR TO MONTH";
  bool nested =
      type.is(sql::TypeKind::array) || type.is(sql::TypeKind::map) || type.is(sql::TypeKind::row);
  if (!nested) return type.display();
  std::string out = type.display();
  out.resize(out.find('(') + 1);
  for (size_t i = 0; i < type.fields.size(); ++i) {
    if (i > 0) out += ", ";
    if (const auto& name = type.fields[i].name) {
      std::string lower = *name;
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      auto one = [](const std::string& field) {
        return sql::Type::row({{field, sql::Type(sql::TypeKind::integer)}}).display();
      };
      bool plain = one(lower) == fmt::format("row({} integer)", lower);
      std::string quoted = one(*name);  // row("..." integer)
      out += (plain ? *name : quoted.substr(4, quoted.size() - 13)) + " ";
    }
    out += client_type(type.fields[i].type);
  }
  return out + ")";
}

std::string columns_json(const std::vector<sql::OutputColumn>& columns,
                         const sql::Session& session) {
  Json list = Json::array();
  for (const auto& column : columns) {
    sql::Type type =
        session.parametric_datetime ? column.type : column.type.without_datetime_precision();
    Json one = Json::object();
    std::string shown = client_type(type);
    if (!session.parametric_datetime) {
      for (const char* bare : {"(3)"}) {
        if (type.is(sql::TypeKind::time) || type.is(sql::TypeKind::timestamp) ||
            type.is(sql::TypeKind::time_tz) || type.is(sql::TypeKind::timestamp_tz)) {
          if (size_t at = shown.find(bare); at != std::string::npos) shown.erase(at, 3);
        }
      }
    }
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

StatementQuery::StatementQuery(QueryServices services, Submission submission)
    : services_(services),
      session_(std::move(submission.session)),
      text_(std::move(submission.text)),
      slug_(std::move(submission.slug)),
      client_tags_(std::move(submission.client_tags)),
      encoding_(services.segments ? submission.encoding : std::nullopt) {
  call_.principal = session_.user;
  call_.trace = std::move(submission.trace);
  call_.cancel = stop_.get_token();
  created_ = touched_ = services_.clock.steady_now();
  read_limits();
}

// A session's own limits; text that is no duration is refused by the executor before it runs.
void StatementQuery::read_limits() {
  QueryLimits& limits = services_.limits;
  for (auto [name, limit] : {std::pair("query_max_run_time", &limits.run_max),
                             std::pair("query_max_execution_time", &limits.execution_max),
                             std::pair("query_max_planning_time", &limits.planning_max),
                             std::pair("client_heartbeat_timeout", &limits.client_timeout)}) {
    auto given = session_.properties.find(name);
    if (given == session_.properties.end()) continue;
    if (auto parsed = sql::parse_duration(given->second)) *limit = *parsed;
  }
}

SteadyTime StatementQuery::last_access() {
  std::lock_guard lock(mutex_);
  return touched_;
}

std::optional<DataEncoding> StatementQuery::encoding() {
  std::lock_guard lock(mutex_);
  return encoding_;
}

bool StatementQuery::finished() {
  std::lock_guard lock(mutex_);
  return ended_;
}

bool StatementQuery::given_up() {
  std::lock_guard lock(mutex_);
  if (!error_ || ended_) return false;
  // Who cancelled it does not come back for the error.
  return error_->is("USER_CANCELED") ||
         services_.clock.steady_now() - touched_ > services_.limits.client_timeout;
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
  services_.registry.begin(std::move(info),
                           [weak = weak_from_this()](const char* what, const std::string& message) {
                             if (auto self = weak.lock()) self->cancel(what, message);
                           });
  GroupRequest request{session_.user, session_.source, query_type_of(text_), client_tags_, 1};
  if (auto given = session_.properties.find("query_priority"); given != session_.properties.end())
    request.priority = std::strtoll(given->second.c_str(), nullptr, 10);
  auto entered =
      services_.groups.submit(request, [self = shared_from_this()] { self->admitted(); });
  if (entered) {
    services_.registry.update(
        id(), [&](sql::QueryInfo& one) { one.resource_group = std::move(entered->path); });
  }
  Ended leaving;
  {
    std::lock_guard lock(mutex_);
    if (!entered) {
      if (!error_) error_ = entered.error();
      (void)end_locked();
    } else if (registered_end_) {
      leaving.ticket = entered->ticket;  // it was over before we came back
    } else {
      ticket_ = entered->ticket;
    }
  }
  leave(std::move(leaving));
}

void StatementQuery::leave(Ended ended) {
  if (ended.ticket) services_.groups.leave(*ended.ticket);
  // Taking a large query apart takes seconds: neither under the lock nor on an io loop.
  if (ended.rows) (void)services_.pool.post([rows = std::move(ended.rows)] {});
}

// It may run now. On whichever thread made room for it.
void StatementQuery::admitted() {
  Ended leaving;
  {
    std::lock_guard lock(mutex_);
    admitted_ = services_.clock.steady_now();
    schedule_locked();
    if (error_) leaving = end_locked();
  }
  leave(std::move(leaving));
}

bool StatementQuery::has_enough_locked() const {
  return ready_.size() >= (encoding_ ? kSegmentsAhead : 1);
}

void StatementQuery::schedule_locked() {
  if (working_ || exhausted_ || error_ || has_enough_locked()) return;
  working_ = true;
  auto posted = services_.pool.post([self = shared_from_this()] { self->work(); });
  if (posted) return;
  working_ = false;
  error_ = Error{Code::exhausted, "QUERY_QUEUE_FULL", "Too many queued queries"};
}

// Parses, plans and begins it; result_ is set when all is well.
std::optional<Error> StatementQuery::run_statement() {
  services_.registry.update(id(), [&](sql::QueryInfo& info) {
    info.state = sql::QueryState::planning;
    info.started = services_.clock.wall_now();
  });
  auto made = services_.executor.execute(call_, session_, text_);
  std::optional<Error> error;
  if (made) {
    services_.registry.executing(id());
    services_.registry.update(id(), [&](sql::QueryInfo& info) {
      info.query_type = made->query_type;
      info.update_type = made->update_type.value_or("");
    });
  } else {
    error = made.error();
  }
  std::lock_guard lock(mutex_);
  if (!error) {
    result_ = std::move(*made);
    columns_json_ = columns_json(result_.columns, session_);
    planned_ = true;
    // Counts go as plain rows: clients look for them there.
    if (result_.update_type) encoding_.reset();
  }
  if (error_) error = error_;  // cancelled meanwhile
  return error;
}

Status StatementQuery::make_rows(Ready& made, bool& done) {
  ASSIGN_OR_RETURN(sql::Page page, result_.rows->next_page(kPageBytes));
  made.data = std::move(page.rows_json);
  made.rows = page.rows;
  done = page.done;
  return {};
}

Status StatementQuery::make_segment(Ready& made, bool& done) {
  made.row_offset = rows_;
  bool first = rows_ == 0;
  ASSIGN_OR_RETURN(sql::Page page, result_.rows->next_page(first ? kInlineBytes : kSegmentBytes));
  if (first && !page.done && page.rows > 0) {
    ASSIGN_OR_RETURN(sql::Page rest, result_.rows->next_page(kSegmentBytes));
    if (rest.rows > 0) {
      page.rows_json.back() = ',';
      page.rows_json.append(rest.rows_json, 1);
      page.rows += rest.rows;
    }
    page.done = rest.done;
  }
  made.rows = page.rows;
  done = page.done;
  if (page.rows == 0) return {};
  bool spooled = !first || !done || page.rows_json.size() > kInlineBytes;
  ASSIGN_OR_RETURN(EncodedRows encoded, encode_rows(*encoding_, std::move(page.rows_json)));
  made.bytes = encoded.bytes.size();
  made.raw_bytes = encoded.raw_bytes;
  made.spooled = spooled;
  if (!spooled) {
    made.data = to_base64(encoded.bytes);
    return {};
  }
  ASSIGN_OR_RETURN(auto kept, services_.segments->put(id(), std::move(encoded.bytes)));
  made.data = std::move(kept.name);
  made.expires = kept.expires;
  return {};
}

void StatementQuery::work() {
  bool planned = false, cancelled = false;
  {
    std::lock_guard lock(mutex_);
    planned = planned_;
    cancelled = error_.has_value();
  }
  std::optional<Error> error;
  if (!planned && !cancelled) error = run_statement();
  // Only this task touches the stream and rows_, besides cancel(), which takes the lock.
  Ready made;
  bool done = true;
  if (!error && !cancelled && result_.rows) {
    Status status = encoding_ ? make_segment(made, done) : make_rows(made, done);
    if (!status) error = status.error();
  }
  std::vector<std::function<void()>> waiting;
  Ended leaving;
  {
    std::lock_guard lock(mutex_);
    working_ = false;
    if (error && !error_) error_ = std::move(error);
    if (!error_) {
      exhausted_ = done;
      rows_ += made.rows;
      if (made.rows > 0) ready_.push_back(std::move(made));
      if (encoding_) schedule_locked();
    }
    if (exhausted_ || error_) leaving = end_locked();
    waiting.swap(waiting_);
  }
  leave(std::move(leaving));
  for (auto& callback : waiting) callback();
}

StatementQuery::Ended StatementQuery::end_locked() {
  Ended ended;
  if (!working_ && result_.rows) {
    progress_ = result_.rows->progress();
    ended.rows = std::move(result_.rows);
  }
  if (registered_end_) return ended;
  registered_end_ = true;
  finished_at_ = services_.clock.steady_now();
  services_.registry.update(id(), [&](sql::QueryInfo& info) {
    info.rows = rows_;
    info.bytes = progress_.bytes_read;
  });
  services_.registry.end(id(), error_ ? sql::QueryState::failed : sql::QueryState::finished,
                         error_);
  // Removing segments may wait for the object store: not under the lock, not on an io loop.
  if (error_ && encoding_ && rows_ > 0) {
    (void)services_.pool.post(
        [segments = services_.segments, query = id()] { segments->forget(query); });
  }
  ended.ticket = std::exchange(ticket_, std::nullopt);
  return ended;
}

void StatementQuery::cancel(const char* what, const std::string& message) {
  std::vector<std::function<void()>> waiting;
  Ended leaving;
  {
    std::lock_guard lock(mutex_);
    if (ended_ || error_) return;
    stop_.request_stop();
    error_ = Error{Code::cancelled, what, message};
    ready_.clear();
    if (result_.rows) result_.rows->cancel();
    leaving = end_locked();
    waiting.swap(waiting_);
  }
  leave(std::move(leaving));
  for (auto& callback : waiting) callback();
}

void StatementQuery::enforce(SteadyTime now) {
  const QueryLimits& limits = services_.limits;
  const char* what = nullptr;
  std::string message;
  {
    std::lock_guard lock(mutex_);
    if (ended_ || error_) return;
    auto executing = services_.registry.executing_since(id());
    auto over = [&](std::optional<SteadyTime> since, std::chrono::milliseconds most,
                    const char* kind) {
      if (what || registered_end_ || !since || now - *since <= most) return;
      what = "EXCEEDED_TIME_LIMIT";
      message = fmt::format("Query exceeded the maximum {} time limit of {}", kind,
                            sql::format_duration(most));
    };
    over(created_, limits.run_max, "run");
    over(executing, limits.execution_max, "execution");
    if (!executing) over(admitted_, limits.planning_max, "planning");
    if (!what && now - touched_ > limits.client_timeout) {
      what = "ABANDONED_QUERY";
      message = fmt::format(
          "Query {} was abandoned by the client, as it may have exited or stopped checking for "
          "query results",
          id());
    }
  }
  if (what) cancel(what, message);
}

void StatementQuery::on_ready(std::function<void()> callback) {
  {
    std::lock_guard lock(mutex_);
    bool ready = !ready_.empty() || exhausted_ || error_;
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
  bool ready = !ready_.empty() || exhausted_ || error_;
  if (!ready && !give_up_waiting) return made;
  made.kind = Answer::Kind::ready;
  token_ = token;
  std::vector<Ready> rows;
  if (error_) {
    ended_ = true;
    last_body_ = body_locked(base, std::nullopt, rows, "FAILED");
  } else {
    rows.swap(ready_);
    ended_ = exhausted_;  // the last rows need no page after them: a round trip saved
    last_body_ = ended_ ? body_locked(base, std::nullopt, rows, "FINISHED")
                        : body_locked(base, token + 1, rows, state_locked());
    if (!ended_ && admitted_) schedule_locked();
  }
  made.headers = planned_;
  made.body = last_body_;
  return made;
}

const char* StatementQuery::state_locked() {
  if (!admitted_) return "QUEUED";
  if (planned_ || services_.registry.executing_since(id())) return "RUNNING";
  return "PLANNING";
}

std::string StatementQuery::first_body(const std::string& base) {
  std::lock_guard lock(mutex_);
  return fmt::format(
      R"({{"id":"{0}","infoUri":"{1}/ui/query.html?{0}","nextUri":"{1}/v1/statement/queued/{0}/{2}/1","stats":{3},"warnings":[]}})",
      id(), base, slug_, stats_locked("QUEUED"));
}

// A split is what the engine hands to a thread at once: a row group of 122,880 rows.
std::string StatementQuery::stats_locked(const char* state) {
  using std::chrono::duration_cast;
  using std::chrono::milliseconds;
  constexpr uint64_t kRowsOfSplit = 122'880;
  if (result_.rows) progress_ = result_.rows->progress();
  SteadyTime now = finished_at_.value_or(services_.clock.steady_now());
  int64_t elapsed = duration_cast<milliseconds>(now - created_).count();
  int64_t waited = duration_cast<milliseconds>(admitted_.value_or(now) - created_).count();
  auto executing = services_.registry.executing_since(id());
  int64_t planning =
      admitted_ && executing ? duration_cast<milliseconds>(*executing - *admitted_).count() : 0;
  uint64_t read = std::max(progress_.rows_read, rows_);
  uint64_t total = std::max<uint64_t>(1, progress_.rows_total / kRowsOfSplit);
  uint64_t completed = exhausted_ ? total : std::min(total, progress_.rows_read / kRowsOfSplit);
  bool queued = !admitted_ && !error_;
  uint64_t running = exhausted_ || queued || completed == total ? 0 : 1;
  double percent = exhausted_ ? 100 : progress_.percentage;
  std::string work = fmt::format(
      R"("nodes":1,"totalSplits":{},"queuedSplits":{},"runningSplits":{},"completedSplits":{},)"
      R"("cpuTimeMillis":{},"wallTimeMillis":{},"processedRows":{},"processedBytes":{},"physicalInputBytes":{})",
      total, total - completed - running, running, completed, elapsed - waited, elapsed - waited,
      read, progress_.bytes_read, progress_.bytes_read);
  std::string shown;
  if (percent >= 0) {
    shown = fmt::format(R"("progressPercentage":{:.1f},"runningPercentage":{:.1f},)", percent,
                        exhausted_ ? 0.0 : 100.0);
  }
  std::string stage;
  if (planned_) {
    stage = fmt::format(
        R"(,"rootStage":{{"stageId":"0","state":"{}","done":{},{},"failedTasks":0,"coordinatorOnly":false,"subStages":[]}})",
        state, exhausted_ || error_, work);
  }
  return fmt::format(
      R"({{"state":"{}","queued":{},"scheduled":{},{}{},"planningTimeMillis":{},"analysisTimeMillis":{},)"
      R"("queuedTimeMillis":{},"elapsedTimeMillis":{},"finishingTimeMillis":0,"physicalInputTimeMillis":0,)"
      R"("physicalWrittenBytes":0,"internalNetworkInputBytes":0,"peakMemoryBytes":{},"spilledBytes":0{}}})",
      state, queued, !queued, shown, work, planning, planning, waited, elapsed,
      progress_.peak_memory_bytes, stage);
}

std::string StatementQuery::data_locked(const std::string& base,
                                        const std::vector<Ready>& rows) const {
  if (!encoding_) return rows.front().data;
  std::string out = fmt::format(R"({{"encoding":"{}","segments":[)", encoding_name(*encoding_));
  for (const Ready& one : rows) {
    std::string metadata =
        fmt::format(R"("metadata":{{"rowOffset":{},"rowsCount":{},"segmentSize":{})",
                    one.row_offset, one.rows, one.bytes);
    if (one.raw_bytes > 0) metadata += fmt::format(",\"uncompressedSize\":{}", one.raw_bytes);
    if (one.spooled) metadata += fmt::format(",\"expiresAt\":\"{}\"", format_iso8601(one.expires));
    metadata += '}';
    if (&one != &rows.front()) out += ',';
    if (one.spooled) {
      out += fmt::format(
          R"({{"type":"spooled","uri":"{0}/v1/spooled/download/{1}","ackUri":"{0}/v1/spooled/ack/{1}","headers":{{}},{2}}})",
          base, one.data, metadata);
    } else {
      out += fmt::format(R"({{"type":"inline","data":"{}",{}}})", one.data, metadata);
    }
  }
  return out + "]}";
}

std::string StatementQuery::body_locked(const std::string& base, std::optional<uint64_t> next_token,
                                        const std::vector<Ready>& rows, const char* state) {
  std::string out = fmt::format(R"({{"id":"{0}","infoUri":"{1}/ui/query.html?{0}")", id(), base);
  if (next_token)
    out += fmt::format(R"(,"nextUri":"{}/v1/statement/executing/{}/{}/{}")", base, id(), slug_,
                       *next_token);
  if (planned_) out += ",\"columns\":" + columns_json_;
  if (!rows.empty()) out += ",\"data\":" + data_locked(base, rows);
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
