// The platform at a glance, made once for everybody who looks: rates come from two looks at the
// same counters, at least a second apart. Thread safe; make() blocks.
#pragma once

#include <map>
#include <mutex>
#include <string>

#include "base/json.h"
#include "serve/console/console_service.h"

namespace aichemy::serve::console {

// The platform's own topics, which lists show only when asked for: Kafka's internal ones, and those
// whose names begin with two underscores, such as the query log.
inline bool kept_aside(const broker::Topic& topic) {
  return topic.internal || topic.name.starts_with("__");
}

class OverviewKeeper {
 public:
  explicit OverviewKeeper(ConsoleOptions& options)
      : options_(options), began_(options.clock.steady_now()) {}
  // An Overview record as JSON text, at most about a second old.
  std::string text();

 private:
  struct Look {
    SteadyTime at{};
    std::map<std::string, int64_t> ends;     // sum of end offsets by topic
    std::map<std::string, int64_t> records;  // by job
  };
  ConsoleOptions& options_;
  const SteadyTime began_;
  std::mutex mutex_;
  Look last_;
  std::string text_;

  Json make(Look& now);
  Json topics_json(const Look& now, const std::vector<jobs::JobInfo>& jobs, Json& out);
  Json jobs_json(const Look& now, const std::vector<jobs::JobInfo>& jobs);
  Json tables_json(const std::vector<jobs::JobInfo>& jobs);
  Json troubles_json(const std::vector<jobs::JobInfo>& jobs);
  double rate(const std::map<std::string, int64_t>& before,
              const std::map<std::string, int64_t>& now, const std::string& name,
              SteadyTime at) const;
};

}  // namespace aichemy::serve::console
