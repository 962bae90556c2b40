#include "jobs/query_log.h"

#include <utility>

#include "base/json.h"
#include "base/log.h"
#include "sql/connectors/virtual_tables.h"
#include "wire/record_batch.h"

namespace aichemy::jobs {
namespace {

constexpr size_t kBatchBytes = 512 << 10;  // below max.message.bytes with the longest statement

broker::NewTopic topic_of_log() {
  return {.name = kQueryLogTopic,
          .partitions = 1,
          .config = {{"retention.ms", "2592000000"}, {"retention.bytes", "1073741824"}}};
}

int64_t millis_of(WallTime time) {
  return std::chrono::duration_cast<std::chrono::milliseconds>(time.time_since_epoch()).count();
}

Json time_of(const std::optional<WallTime>& time) {
  return time ? Json(format_iso8601(*time)) : Json();
}

Json millis_between(WallTime from, const std::optional<WallTime>& to) {
  return to ? Json(millis_of(*to) - millis_of(from)) : Json();
}

Json text_or_null(const std::string& text) { return text.empty() ? Json() : Json(text); }

// Whole characters only: a record that is cut inside of one would not be UTF-8.
std::string_view first_bytes(std::string_view text, size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  while (bytes_max > 0 && (static_cast<unsigned char>(text[bytes_max]) & 0xc0) == 0x80) --bytes_max;
  return text.substr(0, bytes_max);
}

// The columns of query_log_table(), in its order.
std::string record_of(const sql::QueryInfo& query) {
  Json groups = Json::array();
  for (const std::string& group : query.resource_group) groups.push(group);
  Json record;
  record.set("query_id", query.id)
      .set("state", sql::query_state_name(query.state))
      .set("user", query.user)
      .set("source", text_or_null(query.source))
      .set("catalog", text_or_null(query.catalog))
      .set("schema", text_or_null(query.schema))
      .set("query", first_bytes(query.sql, QueryLog::kTextBytesMax))
      .set("query_type", text_or_null(query.query_type))
      .set("update_type", text_or_null(query.update_type))
      .set("resource_group_id", std::move(groups))
      .set("created", time_of(query.created))
      .set("started", time_of(query.started))
      .set("ended", time_of(query.ended))
      .set("queued_time_ms",
           millis_between(query.created, query.started ? query.started : query.ended))
      .set("planning_time_ms",
           query.started ? millis_between(*query.started, query.executing) : Json())
      .set("elapsed_time_ms", millis_between(query.created, query.ended))
      .set("output_rows", query.rows)
      .set("read_bytes", query.bytes)
      .set("error_code", query.error ? Json(query.error->what) : Json())
      .set("error_message",
           query.error ? Json(first_bytes(query.error->message, QueryLog::kTextBytesMax)) : Json());
  return record.dump();
}

}  // namespace

TopicTable query_log_table() {
  TopicTable table{.schema = "system", .table = "queries", .topic = kQueryLogTopic};
  table.columns = sql::virtual_columns(
      "query_id varchar, state varchar, user varchar, source varchar, catalog varchar, "
      "schema varchar, query varchar, query_type varchar, update_type varchar, "
      "resource_group_id array(varchar), created timestamp(3), started timestamp(3), "
      "ended timestamp(3), queued_time_ms bigint, planning_time_ms bigint, "
      "elapsed_time_ms bigint, output_rows bigint, read_bytes bigint, error_code varchar, "
      "error_message varchar");
  for (const sql::ColumnInfo& column : table.columns)
    table.members.push_back({column.name, column.type, false, std::nullopt});
  return table;
}

QueryLog::QueryLog(broker::Broker& broker, Metrics& metrics)
    : broker_(broker),
      written_(metrics.counter("aichemy_sql_query_log_written_total", "queries in the query log")),
      dropped_(metrics.counter("aichemy_sql_query_log_dropped_total",
                               "queries that the query log could not take")) {}

Result<std::unique_ptr<QueryLog>> QueryLog::start(broker::Broker& broker, Metrics& metrics) {
  if (!broker.topic_exists(kQueryLogTopic)) {
    auto made = broker.create_topic(topic_of_log());
    if (!made && !made.error().is("topic_exists")) return std::unexpected(made.error());
  }
  std::unique_ptr<QueryLog> log(new QueryLog(broker, metrics));
  log->thread_ = std::thread([raw = log.get()] { raw->run(); });
  return log;
}

void QueryLog::add(const sql::QueryInfo& query) {
  Entry entry{millis_of(query.ended.value_or(query.created)), query.id, record_of(query)};
  std::lock_guard lock(mutex_);
  if (stopping_ || waiting_.size() >= kWaitingMax ||
      waiting_bytes_ + entry.json.size() > kWaitingBytesMax) {
    dropped_.add();
    return;
  }
  waiting_bytes_ += entry.json.size();
  waiting_.push_back(std::move(entry));
  if (waiting_.size() == 1) wakes_.notify_one();
}

void QueryLog::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  wakes_.notify_one();
  if (thread_.joinable()) thread_.join();
}

void QueryLog::run() {
  std::unique_lock lock(mutex_);
  for (;;) {
    wakes_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
    wakes_.wait_for(lock, kLinger, [this] { return stopping_; });
    if (waiting_.empty() && stopping_) return;
    std::vector<Entry> entries = std::exchange(waiting_, {});
    waiting_bytes_ = 0;
    lock.unlock();
    append(entries);
    lock.lock();
  }
}

void QueryLog::append(const std::vector<Entry>& entries) {
  wire::BatchBuilder builder;
  auto flush = [&] {
    auto count = static_cast<uint64_t>(builder.count());
    auto batch = builder.finish(wire::Codec::lz4);
    Status done = batch ? append_batch(std::move(*batch)) : std::unexpected(batch.error());
    (done ? written_ : dropped_).add(count);
    if (!done)
      log_warn("the query log misses queries",
               {{"queries", count}, {"error", done.error().message}});
  };
  for (const Entry& entry : entries) {
    if (builder.count() > 0 && builder.bytes() + entry.json.size() > kBatchBytes) flush();
    builder.add(entry.ended, entry.id, entry.json);
  }
  if (builder.count() > 0) flush();
}

// Whoever may delete topics may delete this one: the log then begins again.
Status QueryLog::append_batch(std::string batch) {
  auto done = broker_.append(kQueryLogTopic, 0, batch);
  if (!done && done.error().is("no_such_topic")) {
    auto made = broker_.create_topic(topic_of_log());
    if (!made && !made.error().is("topic_exists")) return std::unexpected(made.error());
    done = broker_.append(kQueryLogTopic, 0, std::move(batch));
  }
  if (!done) return std::unexpected(done.error());
  return {};
}

}  // namespace aichemy::jobs
