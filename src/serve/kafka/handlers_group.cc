// Requests of consumer groups.
#include <algorithm>

#include "serve/kafka/adapter.h"
#include "serve/kafka/all_handlers.h"
#include "serve/kafka/errors.h"

namespace aichemy::serve::kafka {
namespace {

constexpr int32_t kGroupOperations = 0x0148;  // read, delete, describe

int16_t number(const Status& status) {
  return status ? int16_t{kNone} : error_number(status.error());
}

// Runs a call that answers through a callback and may refuse at once; waits for the answer.
template <class Start>
Async<Status> wait_for_status(Start start) {
  co_return co_await from_callback<Status>([start = std::move(start)](auto done) {
    auto shared = std::make_shared<decltype(done)>(std::move(done));
    Status refused = start([shared](Status status) { (*shared)(std::move(status)); });
    if (!refused) (*shared)(std::move(refused));
  });
}

}  // namespace

Result<wire::FindCoordinatorResponse> find_coordinator(Context& context,
                                                       wire::FindCoordinatorRequest& request) {
  const ClusterView& cluster = context.client.cluster;
  wire::FindCoordinatorResponse response;
  bool several = context.header.version >= 4;
  if (!several) request.coordinator_keys.assign(1, request.key);
  for (const std::string& key : request.coordinator_keys) {
    wire::FindCoordinatorResponse::Coordinator found;
    found.key = key;
    if (request.key_type != 0) {  // transactions and share groups have no coordinator here
      found.error_code =
          request.key_type == 1 ? kTransactionalIdAuthorizationFailed : kInvalidRequest;
      found.error_message = "only consumer groups are coordinated here";
      found.node_id = -1;
      found.port = -1;
    } else {
      const Node& node = cluster.node(cluster.coordinator(key));
      found.node_id = node.id;
      found.host = node.host;
      found.port = node.port;
    }
    if (several) {
      response.coordinators.push_back(std::move(found));
      continue;
    }
    response.error_code = found.error_code;
    response.error_message = found.error_message;
    response.node_id = found.node_id;
    response.host = found.host;
    response.port = found.port;
  }
  return response;
}

Async<Result<wire::JoinGroupResponse>> join_group(Context& context,
                                                  wire::JoinGroupRequest& request) {
  broker::JoinRequest join;
  join.group = request.group_id;
  join.member_id = request.member_id;
  join.instance_id = request.group_instance_id;
  join.client_id = context.header.client_id.value_or("");
  join.client_host = context.client.peer;
  join.protocol_type = request.protocol_type;
  for (auto& protocol : request.protocols)
    join.protocols.push_back({protocol.name, std::move(protocol.metadata.data)});
  join.session_timeout = std::chrono::milliseconds(request.session_timeout_ms);
  int32_t rebalance =
      request.rebalance_timeout_ms > 0 ? request.rebalance_timeout_ms : request.session_timeout_ms;
  join.rebalance_timeout = std::chrono::milliseconds(rebalance);
  join.member_id_required = context.header.version >= 4;
  join.can_skip_assignment = context.header.version >= 9;
  broker::Groups& groups = context.services.broker.groups();
  auto joined = co_await from_callback<broker::JoinResult>(
      [&groups, join = std::move(join)](auto done) mutable {
        groups.join(std::move(join), std::move(done));
      });
  wire::JoinGroupResponse response;
  response.error_code = joined.error ? error_number(*joined.error) : int16_t{kNone};
  response.generation_id = joined.generation;
  if (!joined.error) response.protocol_type = joined.protocol_type;
  if (!joined.error || context.header.version < 7) response.protocol_name = joined.protocol;
  response.leader = joined.leader;
  response.skip_assignment = joined.skip_assignment;
  response.member_id = joined.member_id;
  for (auto& member : joined.members) {
    response.members.push_back(
        {member.member_id, member.instance_id, {std::move(member.metadata)}});
  }
  co_return response;
}

Async<Result<wire::SyncGroupResponse>> sync_group(Context& context,
                                                  wire::SyncGroupRequest& request) {
  broker::SyncRequest sync;
  sync.member = {request.group_id, request.member_id, request.group_instance_id,
                 request.generation_id};
  sync.protocol_type = request.protocol_type;
  sync.protocol = request.protocol_name;
  for (auto& item : request.assignments)
    sync.assignments[item.member_id] = std::move(item.assignment.data);
  broker::Groups& groups = context.services.broker.groups();
  auto synced = co_await from_callback<broker::SyncResult>(
      [&groups, sync = std::move(sync)](auto done) mutable {
        groups.sync(std::move(sync), std::move(done));
      });
  wire::SyncGroupResponse response;
  response.error_code = synced.error ? error_number(*synced.error) : int16_t{kNone};
  if (!synced.error) {
    response.protocol_type = synced.protocol_type;
    response.protocol_name = synced.protocol;
  }
  response.assignment.data = std::move(synced.assignment);
  co_return response;
}

Result<wire::HeartbeatResponse> heartbeat(Context& context, wire::HeartbeatRequest& request) {
  wire::HeartbeatResponse response;
  response.error_code = number(context.services.broker.groups().heartbeat(
      {request.group_id, request.member_id, request.group_instance_id, request.generation_id}));
  return response;
}

Result<wire::LeaveGroupResponse> leave_group(Context& context, wire::LeaveGroupRequest& request) {
  broker::Groups& groups = context.services.broker.groups();
  wire::LeaveGroupResponse response;
  if (context.header.version < 3) {
    response.error_code =
        number(groups.leave({request.group_id, request.member_id, std::nullopt, -1}));
    return response;
  }
  for (const auto& member : request.members) {
    auto left = groups.leave({request.group_id, member.member_id, member.group_instance_id, -1});
    response.members.push_back({member.member_id, member.group_instance_id, number(left)});
  }
  return response;
}

Async<Result<wire::OffsetCommitResponse>> offset_commit(Context& context,
                                                        wire::OffsetCommitRequest& request) {
  broker::Broker& broker = context.services.broker;
  wire::OffsetCommitResponse response;
  std::map<broker::TopicPartition, broker::CommittedOffset> offsets;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    auto known = broker.partition_count(topic.name);
    for (const auto& item : topic.partitions) {
      auto& answer = answers.partitions.emplace_back();
      answer.partition_index = item.partition_index;
      if (!known || item.partition_index < 0 || item.partition_index >= *known) {
        answer.error_code = kUnknownTopicOrPartition;
      } else if (item.committed_metadata &&
                 item.committed_metadata->size() > broker.options().groups.metadata_bytes_max) {
        answer.error_code = kOffsetMetadataTooLarge;
      } else {
        offsets[{topic.name, item.partition_index}] = {item.committed_offset,
                                                       item.committed_leader_epoch,
                                                       item.committed_metadata.value_or(""), 0};
      }
    }
  }
  broker::MemberRef member{request.group_id, request.member_id, request.group_instance_id,
                           request.generation_id_or_member_epoch};
  Status committed = co_await from_callback<Status>(
      [&broker, member = std::move(member), offsets = std::move(offsets)](auto done) mutable {
        broker.groups().commit(member, std::move(offsets), std::move(done));
      });
  if (committed) co_return response;
  for (auto& topic : response.topics) {
    for (auto& partition : topic.partitions) {
      if (partition.error_code == kNone) partition.error_code = error_number(committed.error());
    }
  }
  co_return response;
}

namespace {

// The two shapes of the answer (before version 8 and since) have the same fields.
template <class Topics, class Wanted>
void fill_committed(const broker::Groups& groups, const std::string& group, bool all,
                    const Wanted& wanted, Topics& topics) {
  auto put = [](auto& answers, int32_t index, const std::optional<broker::CommittedOffset>& found) {
    auto& answer = answers.partitions.emplace_back();
    answer.partition_index = index;
    answer.committed_offset = found ? found->offset : -1;
    answer.committed_leader_epoch = found ? found->leader_epoch : -1;
    answer.metadata = found ? found->metadata : "";
  };
  if (all) {
    for (const auto& [partition, offset] : groups.all_committed(group)) {
      if (topics.empty() || topics.back().name != partition.first)
        topics.emplace_back().name = partition.first;
      put(topics.back(), partition.second, offset);
    }
    return;
  }
  for (const auto& topic : wanted) {
    auto& answers = topics.emplace_back();
    answers.name = topic.name;
    for (int32_t index : topic.partition_indexes)
      put(answers, index, groups.committed(group, {topic.name, index}));
  }
}

}  // namespace

Result<wire::OffsetFetchResponse> offset_fetch(Context& context,
                                               wire::OffsetFetchRequest& request) {
  const broker::Groups& groups = context.services.broker.groups();
  wire::OffsetFetchResponse response;
  if (context.header.version < 8) {
    bool all = request.topics.null && context.header.version >= 2;
    fill_committed(groups, request.group_id, all, request.topics, response.topics);
    return response;
  }
  for (const auto& group : request.groups) {
    auto& answer = response.groups.emplace_back();
    answer.group_id = group.group_id;
    fill_committed(groups, group.group_id, group.topics.null, group.topics, answer.topics);
  }
  return response;
}

Async<Result<wire::OffsetDeleteResponse>> offset_delete(Context& context,
                                                        wire::OffsetDeleteRequest& request) {
  broker::Groups& groups = context.services.broker.groups();
  wire::OffsetDeleteResponse response;
  for (const auto& topic : request.topics) {
    auto& answers = response.topics.emplace_back();
    answers.name = topic.name;
    for (const auto& item : topic.partitions) {
      broker::TopicPartition partition{topic.name, item.partition_index};
      Status done =
          co_await wait_for_status([&groups, group = request.group_id, partition](auto finished) {
            return groups.forget(group, partition, std::move(finished));
          });
      if (!done && done.error().is("group_not_found")) {
        response.topics.clear();
        response.error_code = kGroupIdNotFound;
        co_return response;
      }
      answers.partitions.push_back({item.partition_index, number(done)});
    }
  }
  co_return response;
}

Result<wire::DescribeGroupsResponse> describe_groups(Context& context,
                                                     wire::DescribeGroupsRequest& request) {
  wire::DescribeGroupsResponse response;
  for (const std::string& name : request.groups) {
    auto found = context.services.broker.groups().describe(name);
    auto& answer = response.groups.emplace_back();
    answer.group_id = name;
    answer.group_state = found.state;
    answer.protocol_type = found.protocol_type;
    answer.protocol_data = found.protocol;
    if (request.include_authorized_operations) answer.authorized_operations = kGroupOperations;
    for (auto& member : found.members) {
      answer.members.push_back({member.member_id,
                                member.instance_id,
                                member.client_id,
                                member.client_host,
                                {std::move(member.metadata)},
                                {std::move(member.assignment)}});
    }
  }
  return response;
}

Result<wire::ListGroupsResponse> list_groups(Context& context, wire::ListGroupsRequest& request) {
  const ClusterView& cluster = context.client.cluster;
  wire::ListGroupsResponse response;
  auto wanted = [](const auto& filter, const std::string& word) {
    return filter.empty() ||
           std::any_of(filter.begin(), filter.end(), [&](const std::string& item) {
             return std::equal(item.begin(), item.end(), word.begin(), word.end(),
                               [](char a, char b) { return std::tolower(a) == std::tolower(b); });
           });
  };
  for (const auto& listing : context.services.broker.groups().list()) {
    if (cluster.coordinator(listing.group) != cluster.own_id)
      continue;  // the other broker lists it
    if (!wanted(request.states_filter, listing.state) || !wanted(request.types_filter, "classic"))
      continue;
    response.groups.push_back({listing.group, listing.protocol_type, listing.state, "classic"});
  }
  return response;
}

Async<Result<wire::DeleteGroupsResponse>> delete_groups(Context& context,
                                                        wire::DeleteGroupsRequest& request) {
  broker::Groups& groups = context.services.broker.groups();
  wire::DeleteGroupsResponse response;
  for (const std::string& name : request.groups_names) {
    Status done = co_await wait_for_status(
        [&groups, name](auto finished) { return groups.remove(name, std::move(finished)); });
    response.results.push_back({name, number(done)});
  }
  co_return response;
}

}  // namespace aichemy::serve::kafka
