// Messages of consumer groups and their offsets. Field names are those of the published protocol;
// messages_group.cc says which versions carry which field. Member initialisers are the protocol's
// defaults.
#pragma once

#include "wire/schema.h"

namespace aichemy::wire {

struct OffsetCommitRequest {
  struct OffsetCommitRequestPartition {
    int32_t partition_index = 0;
    int64_t committed_offset = 0;
    int32_t committed_leader_epoch = -1;
    std::optional<std::string> committed_metadata;
    static const Struct kTable;
    bool operator==(const OffsetCommitRequestPartition&) const = default;
  };
  struct OffsetCommitRequestTopic {
    std::string name;
    Array<OffsetCommitRequestPartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetCommitRequestTopic&) const = default;
  };
  std::string group_id;
  int32_t generation_id_or_member_epoch = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  int64_t retention_time_ms = -1;
  Array<OffsetCommitRequestTopic> topics;
  static const Struct kTable;
};

struct OffsetCommitResponse {
  struct OffsetCommitResponsePartition {
    int32_t partition_index = 0;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const OffsetCommitResponsePartition&) const = default;
  };
  struct OffsetCommitResponseTopic {
    std::string name;
    Array<OffsetCommitResponsePartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetCommitResponseTopic&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<OffsetCommitResponseTopic> topics;
  static const Struct kTable;
};

struct OffsetFetchRequest {
  struct OffsetFetchRequestTopic {
    std::string name;
    Array<int32_t> partition_indexes;
    static const Struct kTable;
    bool operator==(const OffsetFetchRequestTopic&) const = default;
  };
  struct OffsetFetchRequestTopics {
    std::string name;
    Array<int32_t> partition_indexes;
    static const Struct kTable;
    bool operator==(const OffsetFetchRequestTopics&) const = default;
  };
  struct OffsetFetchRequestGroup {
    std::string group_id;
    std::optional<std::string> member_id;
    int32_t member_epoch = -1;
    Array<OffsetFetchRequestTopics> topics;
    static const Struct kTable;
    bool operator==(const OffsetFetchRequestGroup&) const = default;
  };
  std::string group_id;
  Array<OffsetFetchRequestTopic> topics;
  Array<OffsetFetchRequestGroup> groups;
  bool require_stable = false;
  static const Struct kTable;
};

struct OffsetFetchResponse {
  struct OffsetFetchResponsePartition {
    int32_t partition_index = 0;
    int64_t committed_offset = 0;
    int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const OffsetFetchResponsePartition&) const = default;
  };
  struct OffsetFetchResponseTopic {
    std::string name;
    Array<OffsetFetchResponsePartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetFetchResponseTopic&) const = default;
  };
  struct OffsetFetchResponsePartitions {
    int32_t partition_index = 0;
    int64_t committed_offset = 0;
    int32_t committed_leader_epoch = -1;
    std::optional<std::string> metadata;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const OffsetFetchResponsePartitions&) const = default;
  };
  struct OffsetFetchResponseTopics {
    std::string name;
    Array<OffsetFetchResponsePartitions> partitions;
    static const Struct kTable;
    bool operator==(const OffsetFetchResponseTopics&) const = default;
  };
  struct OffsetFetchResponseGroup {
    std::string group_id;
    Array<OffsetFetchResponseTopics> topics;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const OffsetFetchResponseGroup&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<OffsetFetchResponseTopic> topics;
  int16_t error_code = 0;
  Array<OffsetFetchResponseGroup> groups;
  static const Struct kTable;
};

struct FindCoordinatorRequest {
  std::string key;
  int8_t key_type = 0;
  Array<std::string> coordinator_keys;
  static const Struct kTable;
};

struct FindCoordinatorResponse {
  struct Coordinator {
    std::string key;
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    static const Struct kTable;
    bool operator==(const Coordinator&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  std::optional<std::string> error_message;
  int32_t node_id = 0;
  std::string host;
  int32_t port = 0;
  Array<Coordinator> coordinators;
  static const Struct kTable;
};

struct JoinGroupRequest {
  struct JoinGroupRequestProtocol {
    std::string name;
    Bytes metadata;
    static const Struct kTable;
    bool operator==(const JoinGroupRequestProtocol&) const = default;
  };
  std::string group_id;
  int32_t session_timeout_ms = 0;
  int32_t rebalance_timeout_ms = -1;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::string protocol_type;
  Array<JoinGroupRequestProtocol> protocols;
  std::optional<std::string> reason;
  static const Struct kTable;
};

struct JoinGroupResponse {
  struct JoinGroupResponseMember {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    Bytes metadata;
    static const Struct kTable;
    bool operator==(const JoinGroupResponseMember&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  int32_t generation_id = -1;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  std::string leader;
  bool skip_assignment = false;
  std::string member_id;
  Array<JoinGroupResponseMember> members;
  static const Struct kTable;
};

struct HeartbeatRequest {
  std::string group_id;
  int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  static const Struct kTable;
};

struct HeartbeatResponse {
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  static const Struct kTable;
};

struct LeaveGroupRequest {
  struct MemberIdentity {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::optional<std::string> reason;
    static const Struct kTable;
    bool operator==(const MemberIdentity&) const = default;
  };
  std::string group_id;
  std::string member_id;
  Array<MemberIdentity> members;
  static const Struct kTable;
};

struct LeaveGroupResponse {
  struct MemberResponse {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const MemberResponse&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  Array<MemberResponse> members;
  static const Struct kTable;
};

struct SyncGroupRequest {
  struct SyncGroupRequestAssignment {
    std::string member_id;
    Bytes assignment;
    static const Struct kTable;
    bool operator==(const SyncGroupRequestAssignment&) const = default;
  };
  std::string group_id;
  int32_t generation_id = 0;
  std::string member_id;
  std::optional<std::string> group_instance_id;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Array<SyncGroupRequestAssignment> assignments;
  static const Struct kTable;
};

struct SyncGroupResponse {
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  std::optional<std::string> protocol_type;
  std::optional<std::string> protocol_name;
  Bytes assignment;
  static const Struct kTable;
};

struct DescribeGroupsRequest {
  Array<std::string> groups;
  bool include_authorized_operations = false;
  static const Struct kTable;
};

struct DescribeGroupsResponse {
  struct DescribedGroupMember {
    std::string member_id;
    std::optional<std::string> group_instance_id;
    std::string client_id;
    std::string client_host;
    Bytes member_metadata;
    Bytes member_assignment;
    static const Struct kTable;
    bool operator==(const DescribedGroupMember&) const = default;
  };
  struct DescribedGroup {
    int16_t error_code = 0;
    std::string group_id;
    std::string group_state;
    std::string protocol_type;
    std::string protocol_data;
    Array<DescribedGroupMember> members;
    int32_t authorized_operations = -2147483648;
    static const Struct kTable;
    bool operator==(const DescribedGroup&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DescribedGroup> groups;
  static const Struct kTable;
};

struct ListGroupsRequest {
  Array<std::string> states_filter;
  Array<std::string> types_filter;
  static const Struct kTable;
};

struct ListGroupsResponse {
  struct ListedGroup {
    std::string group_id;
    std::string protocol_type;
    std::string group_state;
    std::string group_type;
    static const Struct kTable;
    bool operator==(const ListedGroup&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  Array<ListedGroup> groups;
  static const Struct kTable;
};

struct DeleteGroupsRequest {
  Array<std::string> groups_names;
  static const Struct kTable;
};

struct DeleteGroupsResponse {
  struct DeletableGroupResult {
    std::string group_id;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const DeletableGroupResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DeletableGroupResult> results;
  static const Struct kTable;
};

struct OffsetDeleteRequest {
  struct OffsetDeleteRequestPartition {
    int32_t partition_index = 0;
    static const Struct kTable;
    bool operator==(const OffsetDeleteRequestPartition&) const = default;
  };
  struct OffsetDeleteRequestTopic {
    std::string name;
    Array<OffsetDeleteRequestPartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetDeleteRequestTopic&) const = default;
  };
  std::string group_id;
  Array<OffsetDeleteRequestTopic> topics;
  static const Struct kTable;
};

struct OffsetDeleteResponse {
  struct OffsetDeleteResponsePartition {
    int32_t partition_index = 0;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const OffsetDeleteResponsePartition&) const = default;
  };
  struct OffsetDeleteResponseTopic {
    std::string name;
    Array<OffsetDeleteResponsePartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetDeleteResponseTopic&) const = default;
  };
  int16_t error_code = 0;
  int32_t throttle_time_ms = 0;
  Array<OffsetDeleteResponseTopic> topics;
  static const Struct kTable;
};
}  // namespace aichemy::wire
