// The handler functions, one per request. Grouped by file: data, groups, admin.
#pragma once

#include "serve/kafka/handlers.h"
#include "wire/messages_admin.h"
#include "wire/messages_data.h"
#include "wire/messages_group.h"

namespace aichemy::serve::kafka {

// handlers_data.cc
Async<Result<wire::FetchResponse>> fetch(Context&, wire::FetchRequest&);
Async<Result<wire::ListOffsetsResponse>> list_offsets(Context&, wire::ListOffsetsRequest&);
Async<Result<wire::MetadataResponse>> metadata(Context&, wire::MetadataRequest&);
Async<Result<wire::InitProducerIdResponse>> init_producer_id(Context&,
                                                             wire::InitProducerIdRequest&);
Result<wire::OffsetForLeaderEpochResponse> offset_for_leader_epoch(
    Context&, wire::OffsetForLeaderEpochRequest&);
Result<wire::DescribeTopicPartitionsResponse> describe_topic_partitions(
    Context&, wire::DescribeTopicPartitionsRequest&);

// handlers_group.cc
Result<wire::FindCoordinatorResponse> find_coordinator(Context&, wire::FindCoordinatorRequest&);
Async<Result<wire::JoinGroupResponse>> join_group(Context&, wire::JoinGroupRequest&);
Async<Result<wire::SyncGroupResponse>> sync_group(Context&, wire::SyncGroupRequest&);
Result<wire::HeartbeatResponse> heartbeat(Context&, wire::HeartbeatRequest&);
Result<wire::LeaveGroupResponse> leave_group(Context&, wire::LeaveGroupRequest&);
Async<Result<wire::OffsetCommitResponse>> offset_commit(Context&, wire::OffsetCommitRequest&);
Result<wire::OffsetFetchResponse> offset_fetch(Context&, wire::OffsetFetchRequest&);
Async<Result<wire::OffsetDeleteResponse>> offset_delete(Context&, wire::OffsetDeleteRequest&);
Result<wire::DescribeGroupsResponse> describe_groups(Context&, wire::DescribeGroupsRequest&);
Result<wire::ListGroupsResponse> list_groups(Context&, wire::ListGroupsRequest&);
Async<Result<wire::DeleteGroupsResponse>> delete_groups(Context&, wire::DeleteGroupsRequest&);

// handlers_admin.cc
Result<wire::ApiVersionsResponse> api_versions(Context&, wire::ApiVersionsRequest&);
Result<wire::SaslHandshakeResponse> sasl_handshake(Context&, wire::SaslHandshakeRequest&);
Async<Result<wire::CreateTopicsResponse>> create_topics(Context&, wire::CreateTopicsRequest&);
Async<Result<wire::DeleteTopicsResponse>> delete_topics(Context&, wire::DeleteTopicsRequest&);
Async<Result<wire::DeleteRecordsResponse>> delete_records(Context&, wire::DeleteRecordsRequest&);
Async<Result<wire::CreatePartitionsResponse>> create_partitions(Context&,
                                                                wire::CreatePartitionsRequest&);
Result<wire::DescribeConfigsResponse> describe_configs(Context&, wire::DescribeConfigsRequest&);
Async<Result<wire::AlterConfigsResponse>> alter_configs(Context&, wire::AlterConfigsRequest&);
Async<Result<wire::IncrementalAlterConfigsResponse>> incremental_alter_configs(
    Context&, wire::IncrementalAlterConfigsRequest&);
Result<wire::DescribeClusterResponse> describe_cluster(Context&, wire::DescribeClusterRequest&);
Result<wire::DescribeLogDirsResponse> describe_log_dirs(Context&, wire::DescribeLogDirsRequest&);
Result<wire::DescribeAclsResponse> describe_acls(Context&, wire::DescribeAclsRequest&);

}  // namespace aichemy::serve::kafka
