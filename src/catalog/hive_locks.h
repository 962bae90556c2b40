// Locks of Metastore clients: courtesies among themselves, kept in memory. A lock that nobody asks
// after for `timeout` is gone. Ids grow, also over a restart, so an id of before names nothing.
//
// A component waits for every conflicting component of an older lock that covers the same database,
// table or partition; a lock is acquired when none of its components waits. Shared reads go with
// everything but exclusive; shared writes only with shared reads.
//
// Thread safe; nothing blocks: clients ask again with check().
#pragma once

#include <chrono>
#include <map>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "wire/hive_metastore.h"

namespace aichemy::catalog {

class HiveLocks {
 public:
  explicit HiveLocks(Clock& clock, std::chrono::seconds timeout = std::chrono::seconds(300));

  // invalid ("invalid_object") for a lock of nothing; exhausted beyond 100,000 locks.
  Result<wire::hive::LockResponse> lock(const wire::hive::LockRequest& request);
  // not_found ("no_such_lock"). Also counts as a heartbeat.
  Result<wire::hive::LockResponse> check(int64_t id);
  Status heartbeat(int64_t id);
  Status unlock(int64_t id);
  std::vector<wire::hive::ShownLock> show(const wire::hive::ShowLocksRequest& request);

 private:
  struct Lock {
    wire::hive::LockRequest request;
    int64_t acquired_millis = 0;  // 0: waits
    int64_t heartbeat_millis = 0;
    int heartbeats = 0;
  };
  Clock& clock_;
  const int64_t timeout_millis_;
  std::mutex mutex_;
  std::map<int64_t, Lock> locks_;  // by id: oldest first
  int64_t next_id_;

  void expire(int64_t now);
  int64_t blocked_by(int64_t id, const Lock& lock) const;  // 0: by none
  wire::hive::LockResponse try_acquire(int64_t id, Lock& lock, int64_t now);
  Result<std::map<int64_t, Lock>::iterator> find(int64_t id);
};

}  // namespace aichemy::catalog
