// Consumer groups of the classic protocol, and the offsets they commit.
//
// A group is Empty -> PreparingRebalance (waiting for every member to join) -> CompletingRebalance
// (waiting for the leader's assignment) -> Stable. Members prove themselves by member id and
// generation. Membership lives in memory: after a restart members are told unknown_member and join
// again. Offsets are durable before they are acknowledged: each commit is a record batch in the
// internal topic, read back at start (offsets.h has the format).
//
// Threads: any. Callbacks run on the calling thread or the broker's tick, never under the lock.
// Errors (what): "unknown_member", "illegal_generation", "rebalance_in_progress",
// "inconsistent_protocol", "member_id_required", "fenced_instance", "group_not_empty",
// "group_not_found", "session_timeout", "group_id", "group_full", "offset_metadata_too_large",
// "group_subscribed".
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"

namespace aichemy::broker {

struct GroupOptions {
  std::chrono::milliseconds session_timeout_min{6'000};
  std::chrono::milliseconds session_timeout_max{1'800'000};
  std::chrono::milliseconds initial_rebalance_delay{0};
  std::chrono::milliseconds offsets_retention{604'800'000};
  size_t members_max = 10'000;
  size_t metadata_bytes_max = 4096;
};

struct GroupProtocol {
  std::string name;
  std::string metadata;
};

struct JoinRequest {
  std::string group;
  std::string member_id;  // empty: new
  std::optional<std::string> instance_id;
  std::string client_id;
  std::string client_host;
  std::string protocol_type;
  std::vector<GroupProtocol> protocols;
  std::chrono::milliseconds session_timeout{0};
  std::chrono::milliseconds rebalance_timeout{0};
  bool member_id_required = false;  // a new member must come back with the id it is given
  bool can_skip_assignment = false;
};
struct JoinMember {
  std::string member_id;
  std::optional<std::string> instance_id;
  std::string metadata;
};
struct JoinResult {
  std::optional<Error> error;
  int32_t generation = -1;
  std::string protocol_type;
  std::string protocol;
  std::string leader;
  std::string member_id;
  bool skip_assignment = false;
  std::vector<JoinMember> members;  // for the leader
};

struct MemberRef {  // who asks
  std::string group;
  std::string member_id;
  std::optional<std::string> instance_id;
  int32_t generation = -1;
};
struct SyncRequest {
  MemberRef member;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol;
  std::map<std::string, std::string> assignments;  // by member id, from the leader
};
struct SyncResult {
  std::optional<Error> error;
  std::string protocol_type;
  std::string protocol;
  std::string assignment;
};

using TopicPartition = std::pair<std::string, int32_t>;
struct CommittedOffset {
  int64_t offset = -1;
  int32_t leader_epoch = -1;
  std::string metadata;
  int64_t commit_millis = 0;
};

struct GroupDescription {
  struct Member {
    std::string member_id;
    std::optional<std::string> instance_id;
    std::string client_id;
    std::string client_host;
    std::string metadata;
    std::string assignment;
  };
  std::string state;  // "Empty", "PreparingRebalance", "CompletingRebalance", "Stable", "Dead"
  std::string protocol_type;
  std::string protocol;
  std::vector<Member> members;
};
struct GroupListing {
  std::string group;
  std::string protocol_type;
  std::string state;
};

class Groups {
 public:
  // Makes one record batch of the internal topic durable, then calls back.
  using Store = std::function<void(std::string batch, std::function<void(Status)> done)>;
  Groups(GroupOptions options, Clock& clock, Random& random, Store store);
  ~Groups();

  void join(JoinRequest request, std::function<void(JoinResult)> done);
  void sync(SyncRequest request, std::function<void(SyncResult)> done);
  Status heartbeat(const MemberRef& member);
  Status leave(const MemberRef& member);  // by instance id alone when member_id is empty

  // Offsets. A commit from outside any generation (generation < 0, no member id) is for groups
  // without members.
  void commit(const MemberRef& member, std::map<TopicPartition, CommittedOffset> offsets,
              std::function<void(Status)> done);
  std::optional<CommittedOffset> committed(const std::string& group,
                                           const TopicPartition& partition) const;
  std::map<TopicPartition, CommittedOffset> all_committed(const std::string& group) const;
  // Forgets offsets of a group; of partitions its members do not read ("group_subscribed" for
  // those).
  Status forget(const std::string& group, const TopicPartition& partition,
                std::function<void(Status)> done);
  void forget_topic(const std::string& topic);

  std::vector<GroupListing> list() const;
  GroupDescription describe(const std::string& group) const;
  Status remove(const std::string& group, std::function<void(Status)> done);

  void tick();
  // Start: one batch of the internal topic, in order.
  void replay(std::string_view batch);
  // Everything that is known, as batches: written when the internal topic is made short again.
  std::vector<std::string> snapshot() const;

 private:
  enum class State : uint8_t { empty, preparing, completing, stable, dead };
  struct Member {
    std::string id;
    JoinRequest request;  // the latest join
    std::string assignment;
    SteadyTime session_end{};
    std::function<void(JoinResult)> joining;  // set: waits for the generation
    std::function<void(SyncResult)> syncing;  // set: waits for the assignment
  };
  struct Group {
    State state = State::empty;
    int32_t generation = 0;
    std::string protocol_type;
    std::string protocol;
    std::string leader;
    std::map<std::string, Member> members;
    std::map<std::string, std::string> instances;  // instance id -> member id
    std::map<std::string, SteadyTime> pending;     // ids given out, not yet used
    SteadyTime rebalance_end{};
    std::map<TopicPartition, CommittedOffset> offsets;
    int64_t last_used_millis = 0;
  };
  // Callbacks gathered under the lock, run after it.
  using Calls = std::vector<std::function<void()>>;

  GroupOptions options_;
  Clock& clock_;
  Random& random_;
  Store store_;
  mutable std::mutex mutex_;
  std::map<std::string, Group> groups_;

  Result<Member*> check_member(Group& group, const MemberRef& member);
  Status check_join(const JoinRequest& request) const;
  void join_known(Group& group, Member& member, JoinRequest request,
                  std::function<void(JoinResult)> done, Calls& calls);
  void join_new(Group& group, JoinRequest request, std::function<void(JoinResult)> done,
                Calls& calls);
  bool rejoin_static(Group& group, const JoinRequest& request,
                     std::function<void(JoinResult)>& done, Calls& calls);
  JoinResult join_result(const Group& group, const Member& member) const;
  static bool supports(const Group& group, const JoinRequest& request);
  void prepare_rebalance(Group& group, Calls& calls);
  void try_complete(Group& group, bool time_is_up, Calls& calls);
  void remove_member(Group& group, const std::string& member_id, Calls& calls);
  static std::string choose_protocol(const Group& group);
  void touch(Member& member);
  static bool is_subscribed(const Group& group, const std::string& topic);
  static const char* state_name(State state);
};

}  // namespace aichemy::broker
