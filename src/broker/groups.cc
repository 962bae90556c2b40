#include "broker/groups.h"

#include <algorithm>

#include "broker/offsets.h"

namespace aichemy::broker {
namespace {

Error unknown_member(const std::string& id) {
  return Error{Code::not_found, "unknown_member", "the group has no member " + id};
}

void run_all(std::vector<std::function<void()>>& calls) {
  for (auto& call : calls) call();
}

JoinResult join_error(Error error, std::string member_id = {}) {
  JoinResult result;
  result.error = std::move(error);
  result.member_id = std::move(member_id);
  return result;
}

bool same_protocols(const std::vector<GroupProtocol>& a, const std::vector<GroupProtocol>& b) {
  return std::equal(a.begin(), a.end(), b.begin(), b.end(), [](const auto& x, const auto& y) {
    return x.name == y.name && x.metadata == y.metadata;
  });
}

}  // namespace

Groups::Groups(GroupOptions options, Clock& clock, Random& random, Store store)
    : options_(options), clock_(clock), random_(random), store_(std::move(store)) {}

Groups::~Groups() = default;

const char* Groups::state_name(State state) {
  static constexpr const char* kNames[] = {"Empty", "PreparingRebalance", "CompletingRebalance",
                                           "Stable", "Dead"};
  return kNames[static_cast<size_t>(state)];
}

void Groups::touch(Member& member) {
  member.session_end = clock_.steady_now() + member.request.session_timeout;
}

Status Groups::check_join(const JoinRequest& request) const {
  if (request.group.empty()) return fail(Code::invalid, "group_id", "a group needs a name");
  if (request.session_timeout < options_.session_timeout_min ||
      request.session_timeout > options_.session_timeout_max) {
    return fail(Code::invalid, "session_timeout",
                "the session timeout must be between " +
                    std::to_string(options_.session_timeout_min.count()) + " and " +
                    std::to_string(options_.session_timeout_max.count()) + " ms");
  }
  if (request.protocols.empty() || request.protocol_type.empty()) {
    return fail(Code::invalid, "inconsistent_protocol",
                "a member must name the protocols it speaks");
  }
  return {};
}

// Whether the group would still have a protocol that all its members speak.
bool Groups::supports(const Group& group, const JoinRequest& request) {
  if (group.members.empty()) return true;
  if (group.protocol_type != request.protocol_type) return false;
  return std::any_of(
      request.protocols.begin(), request.protocols.end(), [&](const GroupProtocol& offered) {
        return std::all_of(group.members.begin(), group.members.end(), [&](const auto& item) {
          const Member& member = item.second;
          if (member.id == request.member_id) return true;
          return std::any_of(
              member.request.protocols.begin(), member.request.protocols.end(),
              [&](const GroupProtocol& known) { return known.name == offered.name; });
        });
      });
}

void Groups::join(JoinRequest request, std::function<void(JoinResult)> done) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    Status valid = check_join(request);
    if (!valid) {
      calls.push_back(
          [done, result = join_error(valid.error(), request.member_id)] { done(result); });
    } else if (!request.member_id.empty() && !groups_.contains(request.group)) {
      calls.push_back([done, id = request.member_id] { done(join_error(unknown_member(id), id)); });
    } else {
      Group& group = groups_[request.group];
      group.last_used_millis = clock_.wall_millis();
      auto member = group.members.find(request.member_id);
      auto instance =
          request.instance_id ? group.instances.find(*request.instance_id) : group.instances.end();
      if (!supports(group, request)) {
        calls.push_back([done, id = request.member_id] {
          done(join_error(
              {Code::invalid, "inconsistent_protocol", "no protocol that all members speak"}, id));
        });
      } else if (!request.member_id.empty() && instance != group.instances.end() &&
                 instance->second != request.member_id) {
        calls.push_back([done, id = request.member_id] {
          done(join_error(
              {Code::conflict, "fenced_instance", "another member took over this instance id"},
              id));
        });
      } else if (member != group.members.end()) {
        join_known(group, member->second, std::move(request), std::move(done), calls);
      } else if (!request.member_id.empty() && !group.pending.contains(request.member_id)) {
        calls.push_back(
            [done, id = request.member_id] { done(join_error(unknown_member(id), id)); });
      } else if (!rejoin_static(group, request, done, calls)) {
        join_new(group, std::move(request), std::move(done), calls);
      }
    }
  }
  run_all(calls);
}

void Groups::join_new(Group& group, JoinRequest request, std::function<void(JoinResult)> done,
                      Calls& calls) {
  if (group.members.size() + group.pending.size() >= options_.members_max) {
    calls.push_back([done] {
      done(join_error({Code::exhausted, "group_full", "the group has too many members"}));
    });
    return;
  }
  std::string id = request.member_id;
  if (id.empty()) {
    id = (request.instance_id ? *request.instance_id : request.client_id) + "-" + random_.uuid();
    if (request.member_id_required && !request.instance_id) {
      group.pending[id] = clock_.steady_now() + request.session_timeout;
      calls.push_back([done, id] {
        done(join_error({Code::conflict, "member_id_required", "join again with this member id"},
                        id));
      });
      return;
    }
  }
  group.pending.erase(id);
  if (group.members.empty()) group.protocol_type = request.protocol_type;
  if (request.instance_id) group.instances[*request.instance_id] = id;
  Member& member = group.members[id];
  member.id = id;
  member.request = std::move(request);
  member.request.member_id = id;
  member.joining = std::move(done);
  touch(member);
  if (group.leader.empty()) group.leader = id;
  if (group.state == State::preparing) {
    try_complete(group, false, calls);
  } else {
    prepare_rebalance(group, calls);
  }
}

// A member with an instance id came back without its member id (a restarted client): it takes its
// place over, and when the group is stable and nothing changed nobody else notices.
bool Groups::rejoin_static(Group& group, const JoinRequest& request,
                           std::function<void(JoinResult)>& done, Calls& calls) {
  if (!request.instance_id || !request.member_id.empty()) return false;
  auto instance = group.instances.find(*request.instance_id);
  if (instance == group.instances.end()) return false;
  auto node = group.members.extract(instance->second);
  if (node.empty()) return false;
  std::string old_id = node.key();
  std::string id = *request.instance_id + "-" + random_.uuid();
  node.key() = id;
  Member& member = group.members.insert(std::move(node)).position->second;
  bool same = same_protocols(member.request.protocols, request.protocols);
  Error fenced{Code::conflict, "fenced_instance", "another member took over this instance id"};
  if (member.joining)
    calls.push_back(
        [old = std::move(member.joining), fenced, old_id] { old(join_error(fenced, old_id)); });
  if (member.syncing)
    calls.push_back([old = std::move(member.syncing), fenced] { old({fenced, {}, {}, {}}); });
  member.joining = nullptr;
  member.syncing = nullptr;
  member.id = id;
  member.request = request;
  member.request.member_id = id;
  instance->second = id;
  bool was_leader = group.leader == old_id;
  if (was_leader) group.leader = id;
  touch(member);
  if (group.state == State::stable && same) {
    JoinResult result = join_result(group, member);
    if (was_leader) {
      // It must not assign anew: newer clients are told so, older ones are not told that they lead.
      result.skip_assignment = request.can_skip_assignment;
      if (!request.can_skip_assignment) {
        result.leader = old_id;
        result.members.clear();
      }
    }
    calls.push_back([done, result] { done(result); });
    return true;
  }
  member.joining = std::move(done);
  if (group.state == State::preparing) {
    try_complete(group, false, calls);
  } else {
    prepare_rebalance(group, calls);
  }
  return true;
}

void Groups::join_known(Group& group, Member& member, JoinRequest request,
                        std::function<void(JoinResult)> done, Calls& calls) {
  bool same = same_protocols(member.request.protocols, request.protocols);
  std::string id = member.id;
  member.request = std::move(request);
  touch(member);
  bool answer_now = same && (group.state == State::completing ||
                             (group.state == State::stable && id != group.leader));
  if (answer_now) {
    calls.push_back([done, result = join_result(group, member)] { done(result); });
    return;
  }
  if (member.joining) {  // the client gave up on its earlier attempt
    calls.push_back(
        [old = std::move(member.joining), id] { old(join_error(unknown_member(id), id)); });
  }
  member.joining = std::move(done);
  if (group.state == State::preparing) {
    try_complete(group, false, calls);
  } else {
    prepare_rebalance(group, calls);
  }
}

JoinResult Groups::join_result(const Group& group, const Member& member) const {
  JoinResult result;
  result.generation = group.generation;
  result.protocol_type = group.protocol_type;
  result.protocol = group.protocol;
  result.leader = group.leader;
  result.member_id = member.id;
  if (member.id != group.leader) return result;
  for (const auto& [id, other] : group.members) {
    auto chosen =
        std::find_if(other.request.protocols.begin(), other.request.protocols.end(),
                     [&](const GroupProtocol& known) { return known.name == group.protocol; });
    result.members.push_back(
        {id, other.request.instance_id,
         chosen == other.request.protocols.end() ? std::string() : chosen->metadata});
  }
  return result;
}

void Groups::prepare_rebalance(Group& group, Calls& calls) {
  for (auto& [id, member] : group.members) {
    member.assignment.clear();
    if (!member.syncing) continue;
    calls.push_back([waiting = std::move(member.syncing)] {
      waiting(
          {Error{Code::conflict, "rebalance_in_progress", "the group is rebalancing: join again"},
           {},
           {},
           {}});
    });
    member.syncing = nullptr;
    touch(member);
  }
  bool fresh = group.state == State::empty;
  group.state = State::preparing;
  std::chrono::milliseconds longest{0};
  for (auto& [id, member] : group.members)
    longest = std::max(longest, member.request.rebalance_timeout);
  if (fresh && options_.initial_rebalance_delay.count() > 0)
    longest = options_.initial_rebalance_delay;
  group.rebalance_end = clock_.steady_now() + longest;
  if (!fresh || options_.initial_rebalance_delay.count() == 0) try_complete(group, false, calls);
}

// The protocol most members put first among those that all of them speak.
std::string Groups::choose_protocol(const Group& group) {
  std::map<std::string, size_t> speakers;
  for (const auto& [id, member] : group.members) {
    for (const GroupProtocol& protocol : member.request.protocols) ++speakers[protocol.name];
  }
  std::map<std::string, size_t> votes;
  for (const auto& [id, member] : group.members) {
    for (const GroupProtocol& protocol : member.request.protocols) {
      if (speakers[protocol.name] != group.members.size()) continue;
      ++votes[protocol.name];
      break;
    }
  }
  auto best = std::max_element(votes.begin(), votes.end(),
                               [](const auto& a, const auto& b) { return a.second < b.second; });
  return best == votes.end() ? std::string() : best->first;
}

void Groups::try_complete(Group& group, bool time_is_up, Calls& calls) {
  if (group.state != State::preparing) return;
  bool all = group.pending.empty() &&
             std::all_of(group.members.begin(), group.members.end(),
                         [](const auto& item) { return item.second.joining != nullptr; });
  if (!all && !time_is_up) return;
  group.pending.clear();
  for (auto item = group.members.begin(); item != group.members.end();) {
    const Member& member = item->second;
    if (member.joining) {
      ++item;
      continue;
    }
    if (member.request.instance_id) group.instances.erase(*member.request.instance_id);
    item = group.members.erase(item);
  }
  ++group.generation;
  if (group.members.empty()) {
    group.state = State::empty;
    group.leader.clear();
    group.protocol.clear();
    return;
  }
  if (!group.members.contains(group.leader)) group.leader = group.members.begin()->first;
  group.protocol = choose_protocol(group);
  group.state = State::completing;
  for (auto& [id, member] : group.members) {
    touch(member);
    calls.push_back([joining = std::move(member.joining), result = join_result(group, member)] {
      joining(result);
    });
    member.joining = nullptr;
  }
}

Result<Groups::Member*> Groups::check_member(Group& group, const MemberRef& ref) {
  if (ref.instance_id) {
    auto instance = group.instances.find(*ref.instance_id);
    if (instance == group.instances.end()) return std::unexpected(unknown_member(ref.member_id));
    if (!ref.member_id.empty() && instance->second != ref.member_id) {
      return fail(Code::conflict, "fenced_instance", "another member took over this instance id");
    }
  }
  auto found = group.members.find(ref.member_id);
  if (found == group.members.end()) return std::unexpected(unknown_member(ref.member_id));
  if (ref.generation != group.generation) {
    return fail(Code::conflict, "illegal_generation",
                "the group is at generation " + std::to_string(group.generation));
  }
  return &found->second;
}

void Groups::sync(SyncRequest request, std::function<void(SyncResult)> done) {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    auto found = groups_.find(request.member.group);
    auto refuse = [&](Error error) {
      calls.push_back([done, error] { done({error, {}, {}, {}}); });
    };
    Result<Member*> member = found == groups_.end()
                                 ? std::unexpected(unknown_member(request.member.member_id))
                                 : check_member(found->second, request.member);
    if (!member) {
      refuse(member.error());
    } else if (Group& group = found->second;
               (request.protocol_type && *request.protocol_type != group.protocol_type) ||
               (request.protocol && *request.protocol != group.protocol)) {
      refuse({Code::invalid, "inconsistent_protocol", "the group uses " + group.protocol});
    } else if (group.state == State::preparing) {
      refuse({Code::conflict, "rebalance_in_progress", "the group is rebalancing: join again"});
    } else {
      touch(**member);
      if (group.state == State::completing) {
        (*member)->syncing = done;
        if ((*member)->id == group.leader) {
          group.state = State::stable;
          for (auto& [id, assignment] : request.assignments) {
            auto to = group.members.find(id);
            if (to != group.members.end()) to->second.assignment = std::move(assignment);
          }
          for (auto& [id, other] : group.members) {
            if (!other.syncing) continue;
            touch(other);
            calls.push_back([waiting = std::move(other.syncing),
                             result = SyncResult{std::nullopt, group.protocol_type, group.protocol,
                                                 other.assignment}] { waiting(result); });
            other.syncing = nullptr;
          }
        }
      } else {
        SyncResult result{std::nullopt, group.protocol_type, group.protocol, (*member)->assignment};
        calls.push_back([done, result] { done(result); });
      }
    }
  }
  run_all(calls);
}

Status Groups::heartbeat(const MemberRef& ref) {
  std::lock_guard lock(mutex_);
  auto found = groups_.find(ref.group);
  if (found == groups_.end()) return std::unexpected(unknown_member(ref.member_id));
  ASSIGN_OR_RETURN(Member * member, check_member(found->second, ref));
  touch(*member);
  if (found->second.state == State::preparing) {
    return fail(Code::conflict, "rebalance_in_progress", "the group is rebalancing: join again");
  }
  return {};
}

Status Groups::leave(const MemberRef& ref) {
  Calls calls;
  Status result;
  {
    std::lock_guard lock(mutex_);
    auto found = groups_.find(ref.group);
    if (found == groups_.end()) return std::unexpected(unknown_member(ref.member_id));
    Group& group = found->second;
    MemberRef known = ref;
    known.generation = group.generation;
    if (ref.instance_id && ref.member_id.empty()) {
      auto instance = group.instances.find(*ref.instance_id);
      if (instance != group.instances.end()) known.member_id = instance->second;
    }
    if (group.pending.erase(known.member_id) > 0) {
      try_complete(group, false, calls);
    } else if (auto member = check_member(group, known); !member) {
      result = std::unexpected(member.error());
    } else {
      remove_member(group, known.member_id, calls);
    }
  }
  run_all(calls);
  return result;
}

void Groups::remove_member(Group& group, const std::string& member_id, Calls& calls) {
  auto node = group.members.extract(member_id);
  if (node.empty()) return;
  Member& member = node.mapped();
  if (member.request.instance_id) group.instances.erase(*member.request.instance_id);
  if (member.joining) {
    calls.push_back([waiting = std::move(member.joining), member_id] {
      waiting(join_error(unknown_member(member_id), member_id));
    });
  }
  if (member.syncing) {
    calls.push_back([waiting = std::move(member.syncing), member_id] {
      waiting({unknown_member(member_id), {}, {}, {}});
    });
  }
  if (group.leader == member_id)
    group.leader = group.members.empty() ? "" : group.members.begin()->first;
  if (group.state == State::preparing) {
    try_complete(group, false, calls);
  } else {
    prepare_rebalance(group, calls);
  }
}

void Groups::tick() {
  Calls calls;
  {
    std::lock_guard lock(mutex_);
    SteadyTime now = clock_.steady_now();
    int64_t wall = clock_.wall_millis();
    for (auto item = groups_.begin(); item != groups_.end();) {
      Group& group = item->second;
      std::erase_if(group.pending, [&](const auto& pending) { return pending.second <= now; });
      std::vector<std::string> expired;
      for (auto& [id, member] : group.members) {
        bool waits = member.joining || member.syncing;  // alive: its request is with us
        if (!waits && member.session_end <= now) expired.push_back(id);
      }
      for (const std::string& id : expired) remove_member(group, id, calls);
      if (group.state == State::preparing) try_complete(group, group.rebalance_end <= now, calls);
      bool idle = group.state == State::empty && group.members.empty() && group.pending.empty();
      bool old = wall - group.last_used_millis > options_.offsets_retention.count();
      item = idle && (old || (group.offsets.empty() && group.generation == 0)) ? groups_.erase(item)
                                                                               : std::next(item);
    }
  }
  run_all(calls);
}

}  // namespace aichemy::broker
