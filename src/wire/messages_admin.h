// Messages about topics, settings, the cluster and the connection. Field names are those of the
// published protocol; messages_admin.cc says which versions carry which field. Member initialisers
// are the protocol's defaults.
#pragma once

#include "wire/schema.h"

namespace aichemy::wire {

struct SaslHandshakeRequest {
  std::string mechanism;
  static const Struct kTable;
};

struct SaslHandshakeResponse {
  int16_t error_code = 0;
  Array<std::string> mechanisms;
  static const Struct kTable;
};

struct ApiVersionsRequest {
  std::string client_software_name;
  std::string client_software_version;
  static const Struct kTable;
};

struct ApiVersionsResponse {
  struct ApiVersion {
    int16_t api_key = 0;
    int16_t min_version = 0;
    int16_t max_version = 0;
    static const Struct kTable;
    bool operator==(const ApiVersion&) const = default;
  };
  struct SupportedFeatureKey {
    std::string name;
    int16_t min_version = 0;
    int16_t max_version = 0;
    static const Struct kTable;
    bool operator==(const SupportedFeatureKey&) const = default;
  };
  struct FinalizedFeatureKey {
    std::string name;
    int16_t max_version_level = 0;
    int16_t min_version_level = 0;
    static const Struct kTable;
    bool operator==(const FinalizedFeatureKey&) const = default;
  };
  int16_t error_code = 0;
  Array<ApiVersion> api_keys;
  int32_t throttle_time_ms = 0;
  Array<SupportedFeatureKey> supported_features;
  int64_t finalized_features_epoch = -1;
  Array<FinalizedFeatureKey> finalized_features;
  bool zk_migration_ready = false;
  static const Struct kTable;
};

struct CreateTopicsRequest {
  struct CreatableReplicaAssignment {
    int32_t partition_index = 0;
    Array<int32_t> broker_ids;
    static const Struct kTable;
    bool operator==(const CreatableReplicaAssignment&) const = default;
  };
  struct CreatableTopicConfig {
    std::string name;
    std::optional<std::string> value;
    static const Struct kTable;
    bool operator==(const CreatableTopicConfig&) const = default;
  };
  struct CreatableTopic {
    std::string name;
    int32_t num_partitions = 0;
    int16_t replication_factor = 0;
    Array<CreatableReplicaAssignment> assignments;
    Array<CreatableTopicConfig> configs;
    static const Struct kTable;
    bool operator==(const CreatableTopic&) const = default;
  };
  Array<CreatableTopic> topics;
  int32_t timeout_ms = 60000;
  bool validate_only = false;
  static const Struct kTable;
};

struct CreateTopicsResponse {
  struct CreatableTopicConfigs {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    int8_t config_source = -1;
    bool is_sensitive = false;
    static const Struct kTable;
    bool operator==(const CreatableTopicConfigs&) const = default;
  };
  struct CreatableTopicResult {
    std::string name;
    Uuid topic_id{};
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int16_t topic_config_error_code = 0;
    int32_t num_partitions = -1;
    int16_t replication_factor = -1;
    Array<CreatableTopicConfigs> configs;
    static const Struct kTable;
    bool operator==(const CreatableTopicResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<CreatableTopicResult> topics;
  static const Struct kTable;
};

struct DeleteTopicsRequest {
  struct DeleteTopicState {
    std::optional<std::string> name;
    Uuid topic_id{};
    static const Struct kTable;
    bool operator==(const DeleteTopicState&) const = default;
  };
  Array<DeleteTopicState> topics;
  Array<std::string> topic_names;
  int32_t timeout_ms = 0;
  static const Struct kTable;
};

struct DeleteTopicsResponse {
  struct DeletableTopicResult {
    std::optional<std::string> name;
    Uuid topic_id{};
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    static const Struct kTable;
    bool operator==(const DeletableTopicResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DeletableTopicResult> responses;
  static const Struct kTable;
};

struct DeleteRecordsRequest {
  struct DeleteRecordsPartition {
    int32_t partition_index = 0;
    int64_t offset = 0;
    static const Struct kTable;
    bool operator==(const DeleteRecordsPartition&) const = default;
  };
  struct DeleteRecordsTopic {
    std::string name;
    Array<DeleteRecordsPartition> partitions;
    static const Struct kTable;
    bool operator==(const DeleteRecordsTopic&) const = default;
  };
  Array<DeleteRecordsTopic> topics;
  int32_t timeout_ms = 0;
  static const Struct kTable;
};

struct DeleteRecordsResponse {
  struct DeleteRecordsPartitionResult {
    int32_t partition_index = 0;
    int64_t low_watermark = 0;
    int16_t error_code = 0;
    static const Struct kTable;
    bool operator==(const DeleteRecordsPartitionResult&) const = default;
  };
  struct DeleteRecordsTopicResult {
    std::string name;
    Array<DeleteRecordsPartitionResult> partitions;
    static const Struct kTable;
    bool operator==(const DeleteRecordsTopicResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DeleteRecordsTopicResult> topics;
  static const Struct kTable;
};

struct DescribeAclsRequest {
  int8_t resource_type_filter = 0;
  std::optional<std::string> resource_name_filter;
  int8_t pattern_type_filter = 3;
  std::optional<std::string> principal_filter;
  std::optional<std::string> host_filter;
  int8_t operation = 0;
  int8_t permission_type = 0;
  static const Struct kTable;
};

struct DescribeAclsResponse {
  struct AclDescription {
    std::string principal;
    std::string host;
    int8_t operation = 0;
    int8_t permission_type = 0;
    static const Struct kTable;
    bool operator==(const AclDescription&) const = default;
  };
  struct DescribeAclsResource {
    int8_t resource_type = 0;
    std::string resource_name;
    int8_t pattern_type = 3;
    Array<AclDescription> acls;
    static const Struct kTable;
    bool operator==(const DescribeAclsResource&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  std::optional<std::string> error_message;
  Array<DescribeAclsResource> resources;
  static const Struct kTable;
};

struct DescribeConfigsRequest {
  struct DescribeConfigsResource {
    int8_t resource_type = 0;
    std::string resource_name;
    Array<std::string> configuration_keys;
    static const Struct kTable;
    bool operator==(const DescribeConfigsResource&) const = default;
  };
  Array<DescribeConfigsResource> resources;
  bool include_synonyms = false;
  bool include_documentation = false;
  static const Struct kTable;
};

struct DescribeConfigsResponse {
  struct DescribeConfigsSynonym {
    std::string name;
    std::optional<std::string> value;
    int8_t source = 0;
    static const Struct kTable;
    bool operator==(const DescribeConfigsSynonym&) const = default;
  };
  struct DescribeConfigsResourceResult {
    std::string name;
    std::optional<std::string> value;
    bool read_only = false;
    int8_t config_source = -1;
    bool is_default = false;
    bool is_sensitive = false;
    Array<DescribeConfigsSynonym> synonyms;
    int8_t config_type = 0;
    std::optional<std::string> documentation;
    static const Struct kTable;
    bool operator==(const DescribeConfigsResourceResult&) const = default;
  };
  struct DescribeConfigsResult {
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t resource_type = 0;
    std::string resource_name;
    Array<DescribeConfigsResourceResult> configs;
    static const Struct kTable;
    bool operator==(const DescribeConfigsResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DescribeConfigsResult> results;
  static const Struct kTable;
};

struct AlterConfigsRequest {
  struct AlterableConfig {
    std::string name;
    std::optional<std::string> value;
    static const Struct kTable;
    bool operator==(const AlterableConfig&) const = default;
  };
  struct AlterConfigsResource {
    int8_t resource_type = 0;
    std::string resource_name;
    Array<AlterableConfig> configs;
    static const Struct kTable;
    bool operator==(const AlterConfigsResource&) const = default;
  };
  Array<AlterConfigsResource> resources;
  bool validate_only = false;
  static const Struct kTable;
};

struct AlterConfigsResponse {
  struct AlterConfigsResourceResponse {
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t resource_type = 0;
    std::string resource_name;
    static const Struct kTable;
    bool operator==(const AlterConfigsResourceResponse&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<AlterConfigsResourceResponse> responses;
  static const Struct kTable;
};

struct DescribeLogDirsRequest {
  struct DescribableLogDirTopic {
    std::string topic;
    Array<int32_t> partitions;
    static const Struct kTable;
    bool operator==(const DescribableLogDirTopic&) const = default;
  };
  Array<DescribableLogDirTopic> topics;
  static const Struct kTable;
};

struct DescribeLogDirsResponse {
  struct DescribeLogDirsPartition {
    int32_t partition_index = 0;
    int64_t partition_size = 0;
    int64_t offset_lag = 0;
    bool is_future_key = false;
    static const Struct kTable;
    bool operator==(const DescribeLogDirsPartition&) const = default;
  };
  struct DescribeLogDirsTopic {
    std::string name;
    Array<DescribeLogDirsPartition> partitions;
    static const Struct kTable;
    bool operator==(const DescribeLogDirsTopic&) const = default;
  };
  struct DescribeLogDirsResult {
    int16_t error_code = 0;
    std::string log_dir;
    Array<DescribeLogDirsTopic> topics;
    int64_t total_bytes = -1;
    int64_t usable_bytes = -1;
    static const Struct kTable;
    bool operator==(const DescribeLogDirsResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  Array<DescribeLogDirsResult> results;
  static const Struct kTable;
};

struct SaslAuthenticateRequest {
  Bytes auth_bytes;
  static const Struct kTable;
};

struct SaslAuthenticateResponse {
  int16_t error_code = 0;
  std::optional<std::string> error_message;
  Bytes auth_bytes;
  int64_t session_lifetime_ms = 0;
  static const Struct kTable;
};

struct CreatePartitionsRequest {
  struct CreatePartitionsAssignment {
    Array<int32_t> broker_ids;
    static const Struct kTable;
    bool operator==(const CreatePartitionsAssignment&) const = default;
  };
  struct CreatePartitionsTopic {
    std::string name;
    int32_t count = 0;
    Array<CreatePartitionsAssignment> assignments;
    static const Struct kTable;
    bool operator==(const CreatePartitionsTopic&) const = default;
  };
  Array<CreatePartitionsTopic> topics;
  int32_t timeout_ms = 0;
  bool validate_only = false;
  static const Struct kTable;
};

struct CreatePartitionsResponse {
  struct CreatePartitionsTopicResult {
    std::string name;
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    static const Struct kTable;
    bool operator==(const CreatePartitionsTopicResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<CreatePartitionsTopicResult> results;
  static const Struct kTable;
};

struct IncrementalAlterConfigsRequest {
  struct AlterableConfig {
    std::string name;
    int8_t config_operation = 0;
    std::optional<std::string> value;
    static const Struct kTable;
    bool operator==(const AlterableConfig&) const = default;
  };
  struct AlterConfigsResource {
    int8_t resource_type = 0;
    std::string resource_name;
    Array<AlterableConfig> configs;
    static const Struct kTable;
    bool operator==(const AlterConfigsResource&) const = default;
  };
  Array<AlterConfigsResource> resources;
  bool validate_only = false;
  static const Struct kTable;
};

struct IncrementalAlterConfigsResponse {
  struct AlterConfigsResourceResponse {
    int16_t error_code = 0;
    std::optional<std::string> error_message;
    int8_t resource_type = 0;
    std::string resource_name;
    static const Struct kTable;
    bool operator==(const AlterConfigsResourceResponse&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<AlterConfigsResourceResponse> responses;
  static const Struct kTable;
};

struct DescribeClusterRequest {
  bool include_cluster_authorized_operations = false;
  int8_t endpoint_type = 1;
  static const Struct kTable;
};

struct DescribeClusterResponse {
  struct DescribeClusterBroker {
    int32_t broker_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    static const Struct kTable;
    bool operator==(const DescribeClusterBroker&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  std::optional<std::string> error_message;
  int8_t endpoint_type = 1;
  std::string cluster_id;
  int32_t controller_id = -1;
  Array<DescribeClusterBroker> brokers;
  int32_t cluster_authorized_operations = -2147483648;
  static const Struct kTable;
};

struct DescribeTopicPartitionsRequest {
  struct TopicRequest {
    std::string name;
    static const Struct kTable;
    bool operator==(const TopicRequest&) const = default;
  };
  struct Cursor {
    std::string topic_name;
    int32_t partition_index;  // no initialiser: std::optional needs the type whole
    static const Struct kTable;
    bool operator==(const Cursor&) const = default;
  };
  Array<TopicRequest> topics;
  int32_t response_partition_limit = 2000;
  std::optional<Cursor> cursor;
  static const Struct kTable;
};

struct DescribeTopicPartitionsResponse {
  struct DescribeTopicPartitionsResponsePartition {
    int16_t error_code = 0;
    int32_t partition_index = 0;
    int32_t leader_id = 0;
    int32_t leader_epoch = -1;
    Array<int32_t> replica_nodes;
    Array<int32_t> isr_nodes;
    Array<int32_t> eligible_leader_replicas;
    Array<int32_t> last_known_elr;
    Array<int32_t> offline_replicas;
    static const Struct kTable;
    bool operator==(const DescribeTopicPartitionsResponsePartition&) const = default;
  };
  struct DescribeTopicPartitionsResponseTopic {
    int16_t error_code = 0;
    std::optional<std::string> name;
    Uuid topic_id{};
    bool is_internal = false;
    Array<DescribeTopicPartitionsResponsePartition> partitions;
    int32_t topic_authorized_operations = -2147483648;
    static const Struct kTable;
    bool operator==(const DescribeTopicPartitionsResponseTopic&) const = default;
  };
  struct Cursor {
    std::string topic_name;
    int32_t partition_index;  // no initialiser: std::optional needs the type whole
    static const Struct kTable;
    bool operator==(const Cursor&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<DescribeTopicPartitionsResponseTopic> topics;
  std::optional<Cursor> next_cursor;
  static const Struct kTable;
};
}  // namespace aichemy::wire
