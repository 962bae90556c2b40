// Who may run, who waits, who is turned away: Trino's resource groups, from the same JSON file
// (rootGroups, selectors). Without a file there is one group, "global".
//
// A statement enters at POST (submit), runs when its group and every group above it are below their
// hardConcurrencyLimit, and leaves once (leave). Beyond maxQueued it is refused: QUERY_QUEUE_FULL.
// When one leaves, the next is chosen from the top: schedulingPolicy picks the child, a leaf gives
// its oldest (query_priority: its most urgent). softMemoryLimit holds a group's queue back while
// the engine's memory (all statements together: it is not known by group) is above it.
//
// CPU quotas are refused when the file is read: the engine does not account processor time by
// statement. Thread safe; `run` is called without the lock, at most once, from submit(), leave() or
// poll().
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <regex>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::serve::trino {

enum class SchedulingPolicy : uint8_t { fair, weighted, weighted_fair, query_priority };

struct GroupSpec {
  std::string name;  // may hold ${USER}, ${SOURCE} and a selector's named captures
  int64_t running_max = 1000;
  int64_t queued_max = 1000;
  int64_t weight = 1;
  uint64_t memory_bytes = 0;  // softMemoryLimit as bytes; 0: as a share
  double memory_share = 1.0;  // of the engine's limit
  SchedulingPolicy policy = SchedulingPolicy::fair;
  std::vector<GroupSpec> children;
};

// What selectors look at.
struct GroupRequest {
  std::string user, source;
  std::string query_type;  // SELECT, INSERT, DATA_DEFINITION, ... ; from the first words
  std::vector<std::string> client_tags;
  int64_t priority = 1;  // session property query_priority
};

// The type by which selectors know a statement, from its first words; "" when it has none.
std::string query_type_of(std::string_view sql);

struct GroupMemory {
  uint64_t used = 0, limit = 0;  // of the engine
};

class ResourceGroups {
 public:
  using Memory = std::function<GroupMemory()>;

  // One group "global".
  ResourceGroups(int64_t running_max, int64_t queued_max);
  // invalid ("config") names what is wrong, with its place in the file.
  static Result<std::unique_ptr<ResourceGroups>> parse(std::string_view text);
  ~ResourceGroups();

  void set_memory(Memory memory) { memory_ = std::move(memory); }

  // "global.adhoc.alice" and a ticket. exhausted ("QUERY_QUEUE_FULL"), denied ("QUERY_REJECTED")
  // when no selector takes it.
  struct Entered {
    uint64_t ticket = 0;
    std::vector<std::string> path;
  };
  Result<Entered> submit(const GroupRequest& request, std::function<void()> run);
  // Ran to its end, or will not run any more.
  void leave(uint64_t ticket);
  // Starts what memory held back. Called about every 100 ms.
  void poll();

  struct Row {
    std::string id;
    int64_t running = 0, queued = 0, running_max = 0, queued_max = 0;
  };
  std::vector<Row> list() const;

 private:
  struct Group;
  struct Selector;
  struct Waiting {
    uint64_t ticket = 0;
    int64_t priority = 1;
    std::function<void()> run;
  };

  ResourceGroups() = default;
  Status read_selectors(const Json& file);
  Status check_paths() const;
  const Selector* select(const GroupRequest& request,
                         std::map<std::string, std::string>& values) const;
  Result<Group*> group_for(const std::vector<std::string>& path,
                           const std::vector<std::string>& names);
  bool memory_allows(const Group& group, const GroupMemory& memory) const;
  std::optional<Waiting> take_next(Group& group, const GroupMemory& memory);
  void start_waiting(std::unique_lock<std::mutex>& lock);

  mutable std::mutex mutex_;
  Memory memory_;
  std::vector<GroupSpec> specs_;
  std::vector<std::unique_ptr<Selector>> selectors_;
  std::vector<std::unique_ptr<Group>> roots_;
  std::map<uint64_t, Group*> tickets_;  // where each statement is
  uint64_t next_ticket_ = 1;
  uint64_t clock_ = 0;  // counts starts: who started longest ago
};

}  // namespace aichemy::serve::trino
