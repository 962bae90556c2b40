// One open statement of the protocol: its pages, tokens and waiting clients. Thread safe.
//
// Rows leave as pages of a JSON array, one made ahead of the client, or (a client that offers an
// encoding) as segments: a small result inline, others through the SegmentStore, some of them
// ahead, so that the statement ends and frees the engine before a slow client has read it all.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "runtime/pool.h"
#include "serve/trino/resource_groups.h"
#include "serve/trino/spooling.h"
#include "sql/analysis/session.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::serve::trino {

// What a session may set otherwise (query_max_run_time, ...).
struct QueryLimits {
  std::chrono::milliseconds run_max = std::chrono::hours(100 * 24);  // waiting included
  std::chrono::milliseconds execution_max = std::chrono::hours(100 * 24);
  std::chrono::milliseconds planning_max = std::chrono::minutes(10);
  std::chrono::milliseconds client_timeout = std::chrono::minutes(5);
};

struct QueryServices {
  Pool& pool;
  Clock& clock;
  sql::Executor& executor;
  sql::QueryRegistry& registry;
  ResourceGroups& groups;
  SegmentStore* segments = nullptr;  // none: every row inline
  QueryLimits limits = {};
};

inline constexpr size_t kPageBytes = 1 << 20;
// Of a segment's rows as JSON; a whole result below the second is sent inline.
inline constexpr size_t kSegmentBytes = 8 << 20;
inline constexpr size_t kInlineBytes = 128 << 10;
// Made and not yet told to the client.
inline constexpr size_t kSegmentsAhead = 8;

class StatementQuery : public std::enable_shared_from_this<StatementQuery> {
 public:
  // What came with the POST.
  struct Submission {
    sql::Session session;
    std::string text;
    std::string slug;
    std::string trace;
    std::vector<std::string> client_tags;
    std::optional<DataEncoding> encoding;
  };
  StatementQuery(QueryServices services, Submission submission);

  const std::string& id() const { return session_.query_id; }
  const std::string& slug() const { return slug_; }
  const sql::SessionChanges& changes() const {
    return result_.changes;
  }  // once something was answered
  std::optional<DataEncoding> encoding();
  SteadyTime last_access();
  bool finished();  // its last answer was given
  bool given_up();  // failed, and nobody has asked for the error yet

  // Enters its resource group; once it may run, runs the statement and makes the first page, on the
  // pool.
  void start();
  void cancel(const char* what, const std::string& message);
  // Cancels it when it is over one of its limits, or its client is silent.
  void enforce(SteadyTime now);
  void touch();

  struct Answer {
    enum class Kind : uint8_t { ready, wait, gone, unknown } kind = Kind::wait;
    std::string body;
    bool headers = false;  // the statement's session changes are known
  };
  // The body for a token; `wait` when the next page is not there yet. `base` is
  // "https://host:port".
  Answer answer(uint64_t token, const std::string& base, bool give_up_waiting);
  // Body of the POST.
  std::string first_body(const std::string& base);
  // Calls back once when the next page or the end is there; at once if it is.
  void on_ready(std::function<void()> callback);

 private:
  // Rows made and not told to the client yet: of a page, or of a segment.
  struct Ready {
    std::string data;  // JSON rows; base64 of an inline segment; the name of a spooled one
    uint64_t rows = 0, row_offset = 0;
    size_t bytes = 0, raw_bytes = 0;  // of a segment as it is sent; 0: not compressed
    bool spooled = false;
    WallTime expires{};
  };

  QueryServices services_;
  sql::Session session_;
  const std::string text_;
  const std::string slug_;
  const std::vector<std::string> client_tags_;
  std::optional<DataEncoding> encoding_;  // none once it is known to be no query
  std::stop_source stop_;
  Call call_;
  SteadyTime created_;

  std::mutex mutex_;
  SteadyTime touched_;
  std::optional<uint64_t> ticket_;      // its place in the resource groups
  std::optional<SteadyTime> admitted_;  // when it left the queue
  std::optional<SteadyTime> finished_at_;
  bool planned_ = false;  // result_ is set
  bool working_ = false;  // a task is on the pool
  sql::StatementResult result_;
  sql::Progress progress_;  // the last seen of result_.rows
  std::string columns_json_;
  std::vector<Ready> ready_;
  bool exhausted_ = false;  // nothing comes after ready_
  std::optional<Error> error_;
  bool ended_ = false;  // the last body was answered
  bool registered_end_ = false;
  uint64_t token_ = 0;  // of last_body_
  std::string last_body_;
  uint64_t rows_ = 0;
  std::vector<std::function<void()>> waiting_;

  void read_limits();
  void admitted();
  void work();  // on the pool
  std::optional<Error> run_statement();
  Status make_rows(Ready& made, bool& done);
  Status make_segment(Ready& made, bool& done);
  void schedule_locked();
  // What the end of a query gives back, once the lock is released.
  struct Ended {
    std::optional<uint64_t> ticket;  // of its resource group
    std::shared_ptr<sql::RowStream> rows;
  };
  Ended end_locked();  // tells the registry
  void leave(Ended ended);
  bool has_enough_locked() const;
  const char* state_locked();
  std::string body_locked(const std::string& base, std::optional<uint64_t> next_token,
                          const std::vector<Ready>& rows, const char* state);
  std::string data_locked(const std::string& base, const std::vector<Ready>& rows) const;
  std::string stats_locked(const char* state);
};

}  // namespace aichemy::serve::trino
