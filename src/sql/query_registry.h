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
  std::optional<WallTime> started, ended;
  std::optional<Error> error;
  uint64_t rows = 0;
};

class QueryRegistry {
 public:
  QueryRegistry(Clock& clock, Random& random, size_t finished_max = 100);

  // yyyyMMdd_HHmmss_NNNNN_xxxxx
  std::string next_id();
  void begin(QueryInfo info, std::function<void()> kill);
  void update(const std::string& id, const std::function<void(QueryInfo&)>& change);
  // Moves it to the finished ones; later updates of it are ignored.
  void end(const std::string& id, QueryState state, std::optional<Error> error);
  std::vector<QueryInfo> list() const;
  std::optional<QueryInfo> find(const std::string& id) const;
  // Calls its kill function; not_found ("NOT_FOUND") when it is not running.
  Status kill(const std::string& id);

 private:
  struct Running {
    QueryInfo info;
    std::function<void()> kill;
  };
  Clock& clock_;
  size_t finished_max_;
  std::string node_;
  mutable std::mutex mutex_;
  uint64_t counter_ = 0;
  std::map<std::string, Running> running_;
  std::deque<QueryInfo> finished_;
};

}  // namespace aichemy::sql
