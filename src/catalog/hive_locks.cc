#include "catalog/hive_locks.h"

#include "catalog/hive_rows.h"

namespace aichemy::catalog {

using hive::LockComponent;
using hive::LockState;
using hive::LockType;

namespace {

constexpr size_t kLocksMax = 100'000;

bool conflict(int32_t first, int32_t second) {
  auto a = static_cast<LockType>(first), b = static_cast<LockType>(second);
  if (a == LockType::exclusive || b == LockType::exclusive) return true;
  return a != LockType::shared_read && b != LockType::shared_read;
}

// An absent table or partition stands for all of them.
bool overlap(const LockComponent& a, const LockComponent& b) {
  if (a.database_name != b.database_name) return false;
  if (!a.table_name || !b.table_name) return true;
  if (*a.table_name != *b.table_name) return false;
  return !a.partition_name || !b.partition_name || *a.partition_name == *b.partition_name;
}

}  // namespace

// Microseconds since 1970 to begin with: above every id of an earlier run.
HiveLocks::HiveLocks(Clock& clock, std::chrono::seconds timeout)
    : clock_(clock),
      timeout_millis_(std::chrono::duration_cast<std::chrono::milliseconds>(timeout).count()),
      next_id_(clock.wall_micros()) {}

void HiveLocks::expire(int64_t now) {
  std::erase_if(locks_, [&](const auto& entry) {
    return now - entry.second.heartbeat_millis >= timeout_millis_;
  });
}

int64_t HiveLocks::blocked_by(int64_t id, const Lock& lock) const {
  for (const auto& [other_id, other] : locks_) {
    if (other_id >= id) return 0;
    for (const LockComponent& ours : lock.request.components) {
      for (const LockComponent& theirs : other.request.components) {
        if (conflict(ours.type, theirs.type) && overlap(ours, theirs)) return other_id;
      }
    }
  }
  return 0;
}

hive::LockResponse HiveLocks::try_acquire(int64_t id, Lock& lock, int64_t now) {
  if (lock.acquired_millis == 0 && blocked_by(id, lock) == 0) lock.acquired_millis = now;
  LockState state = lock.acquired_millis > 0 ? LockState::acquired : LockState::waiting;
  return {id, static_cast<int32_t>(state)};
}

Result<hive::LockResponse> HiveLocks::lock(const hive::LockRequest& request) {
  if (request.components.empty())
    return fail(Code::invalid, "invalid_object", "a lock needs a component");
  Lock lock{request, 0, clock_.wall_millis(), 0};
  for (LockComponent& component : lock.request.components) {
    component.database_name = parse_database_name(component.database_name).database;
    if (component.table_name) component.table_name = lower(*component.table_name);
    if (component.type < 1 || component.type > 4)
      return fail(Code::invalid, "invalid_object", "a lock's type is from 1 to 4");
  }
  int64_t now = lock.heartbeat_millis;
  std::lock_guard guard(mutex_);
  expire(now);
  if (locks_.size() >= kLocksMax)
    return fail(Code::exhausted, "locks", "too many locks are held; retry later");
  int64_t id = next_id_++;
  auto [entry, inserted] = locks_.emplace(id, std::move(lock));
  return try_acquire(id, entry->second, now);
}

Result<std::map<int64_t, HiveLocks::Lock>::iterator> HiveLocks::find(int64_t id) {
  expire(clock_.wall_millis());
  auto found = locks_.find(id);
  if (found == locks_.end())
    return fail(Code::not_found, "no_such_lock", "No such lock lockid:" + std::to_string(id));
  return found;
}

Result<hive::LockResponse> HiveLocks::check(int64_t id) {
  std::lock_guard guard(mutex_);
  ASSIGN_OR_RETURN(auto found, find(id));
  int64_t now = clock_.wall_millis();
  found->second.heartbeat_millis = now;
  ++found->second.heartbeats;
  return try_acquire(id, found->second, now);
}

Status HiveLocks::heartbeat(int64_t id) {
  std::lock_guard guard(mutex_);
  ASSIGN_OR_RETURN(auto found, find(id));
  found->second.heartbeat_millis = clock_.wall_millis();
  ++found->second.heartbeats;
  return {};
}

Status HiveLocks::unlock(int64_t id) {
  std::lock_guard guard(mutex_);
  ASSIGN_OR_RETURN(auto found, find(id));
  locks_.erase(found);
  return {};
}

std::vector<hive::ShownLock> HiveLocks::show(const hive::ShowLocksRequest& request) {
  std::lock_guard guard(mutex_);
  expire(clock_.wall_millis());
  std::vector<hive::ShownLock> shown;
  for (const auto& [id, lock] : locks_) {
    int64_t number = 0;
    for (const LockComponent& component : lock.request.components) {
      ++number;
      auto differs = [](const std::optional<std::string>& wanted, const std::string& is) {
        return wanted && !wanted->empty() && lower(*wanted) != is;
      };
      if (request.database_name &&
          parse_database_name(*request.database_name).database != component.database_name)
        continue;
      if (differs(request.table_name, component.table_name.value_or(""))) continue;
      if (request.partition_name && request.partition_name != component.partition_name) continue;
      hive::ShownLock row;
      row.lock_id = id;
      row.database_name = component.database_name;
      row.table_name = component.table_name;
      row.partition_name = component.partition_name;
      row.state =
          static_cast<int32_t>(lock.acquired_millis > 0 ? LockState::acquired : LockState::waiting);
      row.type = component.type;
      row.transaction_id = lock.request.transaction_id.value_or(0);
      row.last_heartbeat = lock.heartbeat_millis;
      if (lock.acquired_millis > 0) row.acquired_at = lock.acquired_millis;
      row.user = lock.request.user;
      row.host = lock.request.host;
      row.heartbeats = lock.heartbeats;
      row.agent = lock.request.agent;
      if (lock.acquired_millis == 0) row.blocked_by = blocked_by(id, lock);
      row.component_number = number;
      shown.push_back(std::move(row));
    }
  }
  return shown;
}

}  // namespace aichemy::catalog
