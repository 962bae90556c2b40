// Every SQL query that ended, as a JSON record of the topic __query_log: the log of a cluster's
// event listener, in the platform's own broker. Any Kafka client reads it, SQL reads it as
// kafka.system.queries, and how long it is kept is the topic's retention.
//
// A query's client does not wait for its record: records are gathered for kLinger and appended as
// one batch, so kill -9 loses those of the last moment; stop() loses none. Limits: kWaitingMax
// records and kWaitingBytesMax of text wait for the broker, what comes beyond is counted and
// dropped; a statement's text is cut after kTextBytesMax.
#pragma once

#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "broker/broker.h"
#include "jobs/topic_catalog.h"
#include "sql/query_registry.h"

namespace aichemy::jobs {

inline constexpr const char* kQueryLogTopic = "__query_log";

// kafka.system.queries.
TopicTable query_log_table();

class QueryLog {
 public:
  static constexpr std::chrono::milliseconds kLinger{200};
  static constexpr size_t kWaitingMax = 20'000;
  static constexpr size_t kWaitingBytesMax = 16 << 20;
  static constexpr size_t kTextBytesMax = 64 << 10;

  // Makes the topic if it is not there (30 days, 1 GiB). The broker outlives the log.
  static Result<std::unique_ptr<QueryLog>> start(broker::Broker& broker, Metrics& metrics);
  ~QueryLog() { stop(); }
  QueryLog(const QueryLog&) = delete;
  QueryLog& operator=(const QueryLog&) = delete;

  // Any thread; does not block.
  void add(const sql::QueryInfo& query);
  // What waits is appended; later ones are dropped.
  void stop();

 private:
  struct Entry {
    int64_t ended = 0;  // milliseconds
    std::string id, json;
  };

  QueryLog(broker::Broker& broker, Metrics& metrics);
  void run();
  void append(const std::vector<Entry>& entries);
  Status append_batch(std::string batch);

  broker::Broker& broker_;
  Counter& written_;
  Counter& dropped_;
  std::mutex mutex_;
  std::condition_variable wakes_;
  std::vector<Entry> waiting_;
  size_t waiting_bytes_ = 0;
  bool stopping_ = false;
  std::thread thread_;
};

}  // namespace aichemy::jobs
