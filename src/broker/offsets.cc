#include "broker/offsets.h"

#include <algorithm>

#include "base/bytes.h"
#include "wire/messages_group.h"
#include "wire/record_batch.h"

namespace aichemy::broker {
namespace {

void put_text(std::string& to, std::string_view text) {
  append_big(to, static_cast<int16_t>(text.size()));
  to.append(text);
}

bool take_text(std::string_view& from, std::string& text) {
  if (from.size() < 2) return false;
  int16_t size = load_big<int16_t>(from.data());
  if (size < 0 || static_cast<size_t>(size) > from.size() - 2) return false;
  text = from.substr(2, static_cast<size_t>(size));
  from.remove_prefix(2 + static_cast<size_t>(size));
  return true;
}

template <class T>
bool take(std::string_view& from, T& number) {
  if (from.size() < sizeof(T)) return false;
  number = load_big<T>(from.data());
  from.remove_prefix(sizeof(T));
  return true;
}

constexpr size_t kSnapshotBatchBytes = 512 << 10;

}  // namespace

std::string encode_offset_key(const OffsetKey& key) {
  std::string bytes;
  append_big<int16_t>(bytes, 1);
  put_text(bytes, key.group);
  put_text(bytes, key.partition.first);
  append_big(bytes, key.partition.second);
  return bytes;
}

std::optional<OffsetKey> decode_offset_key(std::string_view bytes) {
  OffsetKey key;
  int16_t version = 0;
  if (!take(bytes, version) || version > 1 || !take_text(bytes, key.group) ||
      !take_text(bytes, key.partition.first) || !take(bytes, key.partition.second)) {
    return std::nullopt;
  }
  return key;
}

std::string encode_offset_value(const CommittedOffset& value) {
  std::string bytes;
  append_big<int16_t>(bytes, 3);
  append_big(bytes, value.offset);
  append_big(bytes, value.leader_epoch);
  put_text(bytes, value.metadata);
  append_big(bytes, value.commit_millis);
  return bytes;
}

std::optional<CommittedOffset> decode_offset_value(std::string_view bytes) {
  CommittedOffset value;
  int16_t version = 0;
  if (!take(bytes, version) || version != 3 || !take(bytes, value.offset) ||
      !take(bytes, value.leader_epoch) || !take_text(bytes, value.metadata) ||
      !take(bytes, value.commit_millis)) {
    return std::nullopt;
  }
  return value;
}

void Groups::replay(std::string_view batch) {
  std::string storage;
  auto records = wire::read_records(batch, storage);
  if (!records) return;
  std::lock_guard lock(mutex_);
  for (const wire::Record& record : *records) {
    auto key = record.key ? decode_offset_key(*record.key) : std::nullopt;
    if (!key) continue;
    Group& group = groups_[key->group];
    auto value = record.value ? decode_offset_value(*record.value) : std::nullopt;
    if (value) {
      group.last_used_millis = std::max(group.last_used_millis, value->commit_millis);
      group.offsets[key->partition] = std::move(*value);
    } else {
      group.offsets.erase(key->partition);
    }
  }
}

std::vector<std::string> Groups::snapshot() const {
  std::lock_guard lock(mutex_);
  std::vector<std::string> batches;
  wire::BatchBuilder builder;
  auto flush = [&] {
    if (auto batch = builder.finish()) batches.push_back(std::move(*batch));
  };
  for (const auto& [name, group] : groups_) {
    for (const auto& [partition, offset] : group.offsets) {
      builder.add(offset.commit_millis, encode_offset_key({name, partition}),
                  encode_offset_value(offset));
      if (builder.bytes() > kSnapshotBatchBytes) flush();
    }
  }
  if (builder.count() > 0) flush();
  return batches;
}

void Groups::commit(const MemberRef& ref, std::map<TopicPartition, CommittedOffset> offsets,
                    std::function<void(Status)> done) {
  Status allowed;
  int64_t now = clock_.wall_millis();
  {
    std::lock_guard lock(mutex_);
    Group& group = groups_[ref.group];
    bool alone = ref.generation < 0 && ref.member_id.empty();
    if (alone && group.members.empty()) {
      group.last_used_millis = now;
    } else if (alone || group.members.empty()) {
      allowed = std::unexpected(
          Error{Code::not_found, "unknown_member", "the group has members, and you are none"});
      if (!alone && ref.generation >= 0 && ref.member_id.empty()) {
        allowed = fail(Code::conflict, "illegal_generation", "the group has no such generation");
      }
    } else if (auto member = check_member(group, ref); !member) {
      allowed = std::unexpected(member.error());
    } else {
      touch(**member);
      if (group.state == State::completing) {
        allowed =
            fail(Code::conflict, "rebalance_in_progress", "the group is rebalancing: join again");
      }
    }
  }
  if (!allowed || offsets.empty()) return done(allowed);
  wire::BatchBuilder builder;
  for (auto& [partition, offset] : offsets) {
    offset.commit_millis = now;
    builder.add(now, encode_offset_key({ref.group, partition}), encode_offset_value(offset));
  }
  auto batch = builder.finish();
  if (!batch) return done(std::unexpected(batch.error()));
  store_(std::move(*batch),
         [this, name = ref.group, offsets = std::move(offsets), done](Status stored) {
           if (stored) {
             std::lock_guard lock(mutex_);
             Group& group = groups_[name];
             for (const auto& [partition, offset] : offsets) group.offsets[partition] = offset;
           }
           done(stored);
         });
}

std::optional<CommittedOffset> Groups::committed(const std::string& group,
                                                 const TopicPartition& partition) const {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(group);
  if (found == groups_.end()) return std::nullopt;
  auto offset = found->second.offsets.find(partition);
  if (offset == found->second.offsets.end()) return std::nullopt;
  return offset->second;
}

std::map<TopicPartition, CommittedOffset> Groups::all_committed(const std::string& group) const {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(group);
  if (found == groups_.end()) return {};
  return found->second.offsets;
}

// Whether a member's subscription (the consumer protocol's metadata) names the topic.
bool Groups::is_subscribed(const Group& group, const std::string& topic) {
  for (const auto& [id, member] : group.members) {
    for (const GroupProtocol& protocol : member.request.protocols) {
      std::string_view bytes = protocol.metadata;
      int16_t version = 0;
      int32_t count = 0;
      if (!take(bytes, version) || !take(bytes, count)) continue;
      std::string name;
      for (int32_t i = 0; i < count && take_text(bytes, name); ++i) {
        if (name == topic) return true;
      }
    }
  }
  return false;
}

Status Groups::forget(const std::string& name, const TopicPartition& partition,
                      std::function<void(Status)> done) {
  {
    std::lock_guard lock(mutex_);
    auto found = groups_.find(name);
    if (found == groups_.end())
      return fail(Code::not_found, "group_not_found", "there is no group " + name);
    if (!found->second.members.empty() && is_subscribed(found->second, partition.first)) {
      return fail(Code::conflict, "group_subscribed",
                  "members of the group read " + partition.first);
    }
  }
  wire::BatchBuilder builder;
  builder.add(clock_.wall_millis(), encode_offset_key({name, partition}), std::nullopt);
  ASSIGN_OR_RETURN(std::string batch, builder.finish());
  store_(std::move(batch), [this, name, partition, done](Status stored) {
    if (stored) {
      std::lock_guard lock(mutex_);
      if (auto found = groups_.find(name); found != groups_.end())
        found->second.offsets.erase(partition);
    }
    done(stored);
  });
  return {};
}

void Groups::forget_topic(const std::string& topic) {
  std::lock_guard lock(mutex_);
  for (auto& [name, group] : groups_) {
    std::erase_if(group.offsets, [&](const auto& item) { return item.first.first == topic; });
  }
}

Status Groups::remove(const std::string& name, std::function<void(Status)> done) {
  wire::BatchBuilder builder;
  {
    std::lock_guard lock(mutex_);
    auto found = groups_.find(name);
    if (found == groups_.end())
      return fail(Code::not_found, "group_not_found", "there is no group " + name);
    if (!found->second.members.empty()) {
      return fail(Code::conflict, "group_not_empty", "the group " + name + " has members");
    }
    for (const auto& [partition, offset] : found->second.offsets) {
      builder.add(clock_.wall_millis(), encode_offset_key({name, partition}), std::nullopt);
    }
    if (builder.count() == 0) groups_.erase(found);
  }
  if (builder.count() == 0) {
    done({});
    return {};
  }
  ASSIGN_OR_RETURN(std::string batch, builder.finish());
  store_(std::move(batch), [this, name, done](Status stored) {
    if (stored) {
      std::lock_guard lock(mutex_);
      groups_.erase(name);
    }
    done(stored);
  });
  return {};
}

std::vector<GroupListing> Groups::list() const {
  std::lock_guard lock(mutex_);
  std::vector<GroupListing> found;
  for (const auto& [name, group] : groups_)
    found.push_back({name, group.protocol_type, state_name(group.state)});
  return found;
}

GroupDescription Groups::describe(const std::string& name) const {
  std::lock_guard lock(mutex_);
  GroupDescription description;
  auto found = groups_.find(name);
  if (found == groups_.end()) {
    description.state = state_name(State::dead);
    return description;
  }
  const Group& group = found->second;
  description.state = state_name(group.state);
  description.protocol_type = group.protocol_type;
  bool assigned = group.state == State::stable;
  if (assigned) description.protocol = group.protocol;
  for (const auto& [id, member] : group.members) {
    GroupDescription::Member shown{
        id, member.request.instance_id, member.request.client_id, member.request.client_host, {},
        {}};
    if (assigned) {
      for (const GroupProtocol& protocol : member.request.protocols) {
        if (protocol.name == group.protocol) shown.metadata = protocol.metadata;
      }
      shown.assignment = member.assignment;
    }
    description.members.push_back(std::move(shown));
  }
  return description;
}

}  // namespace aichemy::broker
