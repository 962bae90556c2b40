// The queries of this process: running ones and the last finished ones. Written by the front that
// runs them, read by system.runtime.queries and /v1/query. Thread safe.
#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace aichemy::sql {

enum class QueryState : uint8_t { queued, planning, running, finishing, finished, failed };
std::string_view query_state_name(QueryState state);  // "QUEUED"

struct QueryInfo {
  std::string id;
  std::string user, source, sql, catalog, schema;
  std::string query_type, update_type;
  QueryState state = QueryState::queued;
  WallTime created{};
  std::vector<std::string> resource_group = {"global"};
  std::optional<WallTime> started, executing, ended;  // planning began; rows began; over
  std::optional<Error> error;
  uint64_t rows = 0;   // given to the client
  uint64_t bytes = 0;  // read from files
};

class QueryRegistry {
 public:
  QueryRegistry(Clock& clock, Random& random, size_t finished_max = 1000);

  // yyyyMMdd_HHmmss_NNNNN_xxxxx
  std::string next_id();
  // `kill` takes a Trino error's name and a message.
  using Kill = std::function<void(const char* what, const std::string& message)>;
  void begin(QueryInfo info, Kill kill);
  void update(const std::string& id, const std::function<void(QueryInfo&)>& change);
  // Planning is over: the engine begins. The first call counts.
  void executing(const std::string& id);
  std::optional<SteadyTime> executing_since(const std::string& id) const;
  // Moves it to the finished ones; later updates of it are ignored.
  void end(const std::string& id, QueryState state, std::optional<Error> error);
  std::vector<QueryInfo> list() const;
  std::optional<QueryInfo> find(const std::string& id) const;
  // Calls its kill function; not_found ("NOT_FOUND") when it is not running.
  Status kill(const std::string& id, const char* what = "ADMINISTRATIVELY_KILLED",
              const std::string& message = "Query killed. No message provided.");
  // Called with each query that ended; must not block. Set before the first one begins.
  void on_end(std::function<void(const QueryInfo&)> callback) { on_end_ = std::move(callback); }
  // Where clients of this process send their statements; empty until that is known.
  void serve_at(std::string uri);
  std::string uri() const;

 private:
  struct Running {
    QueryInfo info;
    Kill kill;
    std::optional<SteadyTime> executing;
  };
  Clock& clock_;
  std::function<void(const QueryInfo&)> on_end_;
  size_t finished_max_;
  std::string node_, uri_;
  mutable std::mutex mutex_;
  uint64_t counter_ = 0;
  std::map<std::string, Running> running_;
  std::deque<QueryInfo> finished_;
};

}  // namespace aichemy::sql
