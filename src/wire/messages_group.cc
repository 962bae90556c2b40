#include "wire/messages_group.h"

#include "wire/field_rows.h"

namespace aichemy::wire {

TABLE(OffsetCommitRequest::OffsetCommitRequestPartition, F(partition_index), F(committed_offset),
      F(committed_leader_epoch).from(6), F(committed_metadata).nullable(0))
TABLE(OffsetCommitRequest::OffsetCommitRequestTopic, F(name), F(partitions))
TABLE(OffsetCommitRequest, F(group_id), F(generation_id_or_member_epoch), F(member_id),
      F(group_instance_id).from(7).nullable(7), F(retention_time_ms).until(4), F(topics))
TABLE(OffsetCommitResponse::OffsetCommitResponsePartition, F(partition_index), F(error_code))
TABLE(OffsetCommitResponse::OffsetCommitResponseTopic, F(name), F(partitions))
TABLE(OffsetCommitResponse, F(throttle_time_ms).from(3), F(topics))
TABLE(OffsetFetchRequest::OffsetFetchRequestTopic, F(name).until(7), F(partition_indexes).until(7))
TABLE(OffsetFetchRequest::OffsetFetchRequestTopics, F(name).from(8), F(partition_indexes).from(8))
TABLE(OffsetFetchRequest::OffsetFetchRequestGroup, F(group_id).from(8),
      F(member_id).from(9).nullable(9), F(member_epoch).from(9), F(topics).from(8).nullable(8))
TABLE(OffsetFetchRequest, F(group_id).until(7), F(topics).until(7).nullable(2), F(groups).from(8),
      F(require_stable).from(7))
TABLE(OffsetFetchResponse::OffsetFetchResponsePartition, F(partition_index).until(7),
      F(committed_offset).until(7), F(committed_leader_epoch).from(5).until(7),
      F(metadata).until(7).nullable(0), F(error_code).until(7))
TABLE(OffsetFetchResponse::OffsetFetchResponseTopic, F(name).until(7), F(partitions).until(7))
TABLE(OffsetFetchResponse::OffsetFetchResponsePartitions, F(partition_index).from(8),
      F(committed_offset).from(8), F(committed_leader_epoch).from(8),
      F(metadata).from(8).nullable(8), F(error_code).from(8))
TABLE(OffsetFetchResponse::OffsetFetchResponseTopics, F(name).from(8), F(partitions).from(8))
TABLE(OffsetFetchResponse::OffsetFetchResponseGroup, F(group_id).from(8), F(topics).from(8),
      F(error_code).from(8))
TABLE(OffsetFetchResponse, F(throttle_time_ms).from(3), F(topics).until(7),
      F(error_code).from(2).until(7), F(groups).from(8))
TABLE(FindCoordinatorRequest, F(key).until(3), F(key_type).from(1), F(coordinator_keys).from(4))
TABLE(FindCoordinatorResponse::Coordinator, F(key).from(4), F(node_id).from(4), F(host).from(4),
      F(port).from(4), F(error_code).from(4), F(error_message).from(4).nullable(4))
TABLE(FindCoordinatorResponse, F(throttle_time_ms).from(1), F(error_code).until(3),
      F(error_message).from(1).until(3).nullable(1), F(node_id).until(3), F(host).until(3),
      F(port).until(3), F(coordinators).from(4))
TABLE(JoinGroupRequest::JoinGroupRequestProtocol, F(name), F(metadata))
TABLE(JoinGroupRequest, F(group_id), F(session_timeout_ms), F(rebalance_timeout_ms).from(1),
      F(member_id), F(group_instance_id).from(5).nullable(5), F(protocol_type), F(protocols),
      F(reason).from(8).nullable(8))
TABLE(JoinGroupResponse::JoinGroupResponseMember, F(member_id),
      F(group_instance_id).from(5).nullable(5), F(metadata))
TABLE(JoinGroupResponse, F(throttle_time_ms).from(2), F(error_code), F(generation_id),
      F(protocol_type).from(7).nullable(7), F(protocol_name).nullable(7), F(leader),
      F(skip_assignment).from(9), F(member_id), F(members))
TABLE(HeartbeatRequest, F(group_id), F(generation_id), F(member_id),
      F(group_instance_id).from(3).nullable(3))
TABLE(HeartbeatResponse, F(throttle_time_ms).from(1), F(error_code))
TABLE(LeaveGroupRequest::MemberIdentity, F(member_id).from(3),
      F(group_instance_id).from(3).nullable(3), F(reason).from(5).nullable(5))
TABLE(LeaveGroupRequest, F(group_id), F(member_id).until(2), F(members).from(3))
TABLE(LeaveGroupResponse::MemberResponse, F(member_id).from(3),
      F(group_instance_id).from(3).nullable(3), F(error_code).from(3))
TABLE(LeaveGroupResponse, F(throttle_time_ms).from(1), F(error_code), F(members).from(3))
TABLE(SyncGroupRequest::SyncGroupRequestAssignment, F(member_id), F(assignment))
TABLE(SyncGroupRequest, F(group_id), F(generation_id), F(member_id),
      F(group_instance_id).from(3).nullable(3), F(protocol_type).from(5).nullable(5),
      F(protocol_name).from(5).nullable(5), F(assignments))
TABLE(SyncGroupResponse, F(throttle_time_ms).from(1), F(error_code),
      F(protocol_type).from(5).nullable(5), F(protocol_name).from(5).nullable(5), F(assignment))
TABLE(DescribeGroupsRequest, F(groups), F(include_authorized_operations).from(3))
TABLE(DescribeGroupsResponse::DescribedGroupMember, F(member_id),
      F(group_instance_id).from(4).nullable(4), F(client_id), F(client_host), F(member_metadata),
      F(member_assignment))
TABLE(DescribeGroupsResponse::DescribedGroup, F(error_code), F(group_id), F(group_state),
      F(protocol_type), F(protocol_data), F(members), F(authorized_operations).from(3))
TABLE(DescribeGroupsResponse, F(throttle_time_ms).from(1), F(groups))
TABLE(ListGroupsRequest, F(states_filter).from(4), F(types_filter).from(5))
TABLE(ListGroupsResponse::ListedGroup, F(group_id), F(protocol_type), F(group_state).from(4),
      F(group_type).from(5))
TABLE(ListGroupsResponse, F(throttle_time_ms).from(1), F(error_code), F(groups))
TABLE(DeleteGroupsRequest, F(groups_names))
TABLE(DeleteGroupsResponse::DeletableGroupResult, F(group_id), F(error_code))
TABLE(DeleteGroupsResponse, F(throttle_time_ms), F(results))
TABLE(OffsetDeleteRequest::OffsetDeleteRequestPartition, F(partition_index))
TABLE(OffsetDeleteRequest::OffsetDeleteRequestTopic, F(name), F(partitions))
TABLE(OffsetDeleteRequest, F(group_id), F(topics))
TABLE(OffsetDeleteResponse::OffsetDeleteResponsePartition, F(partition_index), F(error_code))
TABLE(OffsetDeleteResponse::OffsetDeleteResponseTopic, F(name), F(partitions))
TABLE(OffsetDeleteResponse, F(error_code), F(throttle_time_ms), F(topics))

}  // namespace aichemy::wire
