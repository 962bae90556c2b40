// One open statement of the protocol: its pages, tokens and waiting clients. Thread safe.
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
#include "sql/executor.h"
#include "sql/query_registry.h"
#include "sql/analysis/session.h"

namespace aichemy::serve::trino {

struct QueryServices {
  Pool& pool;
  Clock& clock;
  sql::Executor& executor;
  sql::QueryRegistry& registry;
};

inline constexpr size_t kPageBytes = 1 << 20;

class StatementQuery : public std::enable_shared_from_this<StatementQuery> {
 public:
  StatementQuery(QueryServices services, sql::Session session, std::string text, std::string slug,
                 std::string trace);

  const std::string& id() const { return session_.query_id; }
  const std::string& slug() const { return slug_; }
  const sql::SessionChanges& changes() const {
    return result_.changes;
  }  // once something was answered
  SteadyTime last_access();
  bool finished();

  // Runs the statement and makes the first page, on the pool.
  void start();
  void cancel(const char* what, const std::string& message);
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
  QueryServices services_;
  sql::Session session_;
  const std::string text_;
  const std::string slug_;
  std::stop_source stop_;
  Call call_;
  SteadyTime created_;

  std::mutex mutex_;
  SteadyTime touched_;
  bool planned_ = false;  // result_ is set
  bool working_ = false;  // a task is on the pool
  sql::StatementResult result_;
  std::string columns_json_;
  std::optional<sql::Page> next_;  // made, not answered yet
  bool exhausted_ = false;         // no page after next_
  std::optional<Error> error_;
  bool ended_ = false;  // the last body was answered
  bool registered_end_ = false;
  uint64_t token_ = 0;  // of last_body_
  std::string last_body_;
  uint64_t rows_ = 0;
  std::vector<std::function<void()>> waiting_;

  void work();  // on the pool
  void schedule_locked();
  void end_locked();  // tells the registry, frees the stream
  std::string body_locked(const std::string& base, std::optional<uint64_t> next_token,
                          const sql::Page* page, const char* state);
  std::string stats_locked(const char* state);
};

}  // namespace aichemy::serve::trino
