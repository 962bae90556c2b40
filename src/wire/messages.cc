#include "wire/messages_admin.h"
#include "wire/messages_data.h"
#include "wire/messages_group.h"

namespace aichemy::wire {
namespace {

// name, key, first and last version, first flexible version
constexpr Message kMessages[] = {
    {"Produce", 0, 0, 11, 9, &ProduceRequest::kTable, &ProduceResponse::kTable},
    {"Fetch", 1, 4, 16, 12, &FetchRequest::kTable, &FetchResponse::kTable},
    {"ListOffsets", 2, 1, 8, 6, &ListOffsetsRequest::kTable, &ListOffsetsResponse::kTable},
    {"Metadata", 3, 0, 12, 9, &MetadataRequest::kTable, &MetadataResponse::kTable},
    {"OffsetCommit", 8, 2, 9, 8, &OffsetCommitRequest::kTable, &OffsetCommitResponse::kTable},
    {"OffsetFetch", 9, 1, 9, 6, &OffsetFetchRequest::kTable, &OffsetFetchResponse::kTable},
    {"FindCoordinator", 10, 0, 5, 3, &FindCoordinatorRequest::kTable,
     &FindCoordinatorResponse::kTable},
    {"JoinGroup", 11, 0, 9, 6, &JoinGroupRequest::kTable, &JoinGroupResponse::kTable},
    {"Heartbeat", 12, 0, 4, 4, &HeartbeatRequest::kTable, &HeartbeatResponse::kTable},
    {"LeaveGroup", 13, 0, 5, 4, &LeaveGroupRequest::kTable, &LeaveGroupResponse::kTable},
    {"SyncGroup", 14, 0, 5, 4, &SyncGroupRequest::kTable, &SyncGroupResponse::kTable},
    {"DescribeGroups", 15, 0, 5, 5, &DescribeGroupsRequest::kTable,
     &DescribeGroupsResponse::kTable},
    {"ListGroups", 16, 0, 5, 3, &ListGroupsRequest::kTable, &ListGroupsResponse::kTable},
    {"SaslHandshake", 17, 0, 1, kNever, &SaslHandshakeRequest::kTable,
     &SaslHandshakeResponse::kTable},
    {"ApiVersions", 18, 0, 3, 3, &ApiVersionsRequest::kTable, &ApiVersionsResponse::kTable},
    {"CreateTopics", 19, 0, 7, 5, &CreateTopicsRequest::kTable, &CreateTopicsResponse::kTable},
    {"DeleteTopics", 20, 0, 6, 4, &DeleteTopicsRequest::kTable, &DeleteTopicsResponse::kTable},
    {"DeleteRecords", 21, 0, 2, 2, &DeleteRecordsRequest::kTable, &DeleteRecordsResponse::kTable},
    {"InitProducerId", 22, 0, 5, 2, &InitProducerIdRequest::kTable,
     &InitProducerIdResponse::kTable},
    {"OffsetForLeaderEpoch", 23, 0, 4, 4, &OffsetForLeaderEpochRequest::kTable,
     &OffsetForLeaderEpochResponse::kTable},
    {"DescribeAcls", 29, 0, 3, 2, &DescribeAclsRequest::kTable, &DescribeAclsResponse::kTable},
    {"DescribeConfigs", 32, 0, 4, 4, &DescribeConfigsRequest::kTable,
     &DescribeConfigsResponse::kTable},
    {"AlterConfigs", 33, 0, 2, 2, &AlterConfigsRequest::kTable, &AlterConfigsResponse::kTable},
    {"DescribeLogDirs", 35, 0, 4, 2, &DescribeLogDirsRequest::kTable,
     &DescribeLogDirsResponse::kTable},
    {"SaslAuthenticate", 36, 0, 2, 2, &SaslAuthenticateRequest::kTable,
     &SaslAuthenticateResponse::kTable},
    {"CreatePartitions", 37, 0, 3, 2, &CreatePartitionsRequest::kTable,
     &CreatePartitionsResponse::kTable},
    {"DeleteGroups", 42, 0, 2, 2, &DeleteGroupsRequest::kTable, &DeleteGroupsResponse::kTable},
    {"IncrementalAlterConfigs", 44, 0, 1, 1, &IncrementalAlterConfigsRequest::kTable,
     &IncrementalAlterConfigsResponse::kTable},
    {"OffsetDelete", 47, 0, 0, kNever, &OffsetDeleteRequest::kTable, &OffsetDeleteResponse::kTable},
    {"DescribeCluster", 60, 0, 1, 0, &DescribeClusterRequest::kTable,
     &DescribeClusterResponse::kTable},
    {"DescribeTopicPartitions", 75, 0, 0, 0, &DescribeTopicPartitionsRequest::kTable,
     &DescribeTopicPartitionsResponse::kTable},
};

}  // namespace

std::span<const Message> messages() { return kMessages; }

}  // namespace aichemy::wire
