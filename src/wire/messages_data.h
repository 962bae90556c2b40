// Messages that carry records and where to find them. Field names are those of the published
// protocol; messages_data.cc says which versions carry which field. Member initialisers are the
// protocol's defaults.
#pragma once

#include "wire/schema.h"

namespace aichemy::wire {

struct ProduceRequest {
  struct PartitionProduceData {
    int32_t index = 0;
    Records records;
    static const Struct kTable;
    bool operator==(const PartitionProduceData&) const = default;
  };
  struct TopicProduceData {
    std::string name;
    Array<PartitionProduceData> partition_data;
    static const Struct kTable;
    bool operator==(const TopicProduceData&) const = default;
  };
  std::optional<std::string> transactional_id;
  int16_t acks = 0;
  int32_t timeout_ms = 0;
  Array<TopicProduceData> topic_data;
  static const Struct kTable;
};

struct ProduceResponse {
  struct BatchIndexAndErrorMessage {
    int32_t batch_index = 0;
    std::optional<std::string> batch_index_error_message;
    static const Struct kTable;
    bool operator==(const BatchIndexAndErrorMessage&) const = default;
  };
  struct LeaderIdAndEpoch {
    int32_t leader_id = -1;
    int32_t leader_epoch = -1;
    static const Struct kTable;
    bool operator==(const LeaderIdAndEpoch&) const = default;
  };
  struct PartitionProduceResponse {
    int32_t index = 0;
    int16_t error_code = 0;
    int64_t base_offset = 0;
    int64_t log_append_time_ms = -1;
    int64_t log_start_offset = -1;
    Array<BatchIndexAndErrorMessage> record_errors;
    std::optional<std::string> error_message;
    LeaderIdAndEpoch current_leader;
    static const Struct kTable;
    bool operator==(const PartitionProduceResponse&) const = default;
  };
  struct TopicProduceResponse {
    std::string name;
    Array<PartitionProduceResponse> partition_responses;
    static const Struct kTable;
    bool operator==(const TopicProduceResponse&) const = default;
  };
  struct NodeEndpoint {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    static const Struct kTable;
    bool operator==(const NodeEndpoint&) const = default;
  };
  Array<TopicProduceResponse> responses;
  int32_t throttle_time_ms = 0;
  Array<NodeEndpoint> node_endpoints;
  static const Struct kTable;
};

struct FetchRequest {
  struct ReplicaState {
    int32_t replica_id = -1;
    int64_t replica_epoch = -1;
    static const Struct kTable;
    bool operator==(const ReplicaState&) const = default;
  };
  struct FetchPartition {
    int32_t partition = 0;
    int32_t current_leader_epoch = -1;
    int64_t fetch_offset = 0;
    int32_t last_fetched_epoch = -1;
    int64_t log_start_offset = -1;
    int32_t partition_max_bytes = 0;
    static const Struct kTable;
    bool operator==(const FetchPartition&) const = default;
  };
  struct FetchTopic {
    std::string topic;
    Uuid topic_id{};
    Array<FetchPartition> partitions;
    static const Struct kTable;
    bool operator==(const FetchTopic&) const = default;
  };
  struct ForgottenTopic {
    std::string topic;
    Uuid topic_id{};
    Array<int32_t> partitions;
    static const Struct kTable;
    bool operator==(const ForgottenTopic&) const = default;
  };
  std::optional<std::string> cluster_id;
  int32_t replica_id = -1;
  ReplicaState replica_state;
  int32_t max_wait_ms = 0;
  int32_t min_bytes = 0;
  int32_t max_bytes = 2147483647;
  int8_t isolation_level = 0;
  int32_t session_id = 0;
  int32_t session_epoch = -1;
  Array<FetchTopic> topics;
  Array<ForgottenTopic> forgotten_topics_data;
  std::string rack_id;
  static const Struct kTable;
};

struct FetchResponse {
  struct EpochEndOffset {
    int32_t epoch = -1;
    int64_t end_offset = -1;
    static const Struct kTable;
    bool operator==(const EpochEndOffset&) const = default;
  };
  struct LeaderIdAndEpoch {
    int32_t leader_id = -1;
    int32_t leader_epoch = -1;
    static const Struct kTable;
    bool operator==(const LeaderIdAndEpoch&) const = default;
  };
  struct SnapshotId {
    int64_t end_offset = -1;
    int32_t epoch = -1;
    static const Struct kTable;
    bool operator==(const SnapshotId&) const = default;
  };
  struct AbortedTransaction {
    int64_t producer_id = 0;
    int64_t first_offset = 0;
    static const Struct kTable;
    bool operator==(const AbortedTransaction&) const = default;
  };
  struct PartitionData {
    int32_t partition_index = 0;
    int16_t error_code = 0;
    int64_t high_watermark = 0;
    int64_t last_stable_offset = -1;
    int64_t log_start_offset = -1;
    EpochEndOffset diverging_epoch;
    LeaderIdAndEpoch current_leader;
    SnapshotId snapshot_id;
    Array<AbortedTransaction> aborted_transactions;
    int32_t preferred_read_replica = -1;
    Records records;
    static const Struct kTable;
    bool operator==(const PartitionData&) const = default;
  };
  struct FetchableTopicResponse {
    std::string topic;
    Uuid topic_id{};
    Array<PartitionData> partitions;
    static const Struct kTable;
    bool operator==(const FetchableTopicResponse&) const = default;
  };
  struct NodeEndpoint {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    static const Struct kTable;
    bool operator==(const NodeEndpoint&) const = default;
  };
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  int32_t session_id = 0;
  Array<FetchableTopicResponse> responses;
  Array<NodeEndpoint> node_endpoints;
  static const Struct kTable;
};

struct ListOffsetsRequest {
  struct ListOffsetsPartition {
    int32_t partition_index = 0;
    int32_t current_leader_epoch = -1;
    int64_t timestamp = 0;
    static const Struct kTable;
    bool operator==(const ListOffsetsPartition&) const = default;
  };
  struct ListOffsetsTopic {
    std::string name;
    Array<ListOffsetsPartition> partitions;
    static const Struct kTable;
    bool operator==(const ListOffsetsTopic&) const = default;
  };
  int32_t replica_id = 0;
  int8_t isolation_level = 0;
  Array<ListOffsetsTopic> topics;
  static const Struct kTable;
};

struct ListOffsetsResponse {
  struct ListOffsetsPartitionResponse {
    int32_t partition_index = 0;
    int16_t error_code = 0;
    int64_t timestamp = -1;
    int64_t offset = -1;
    int32_t leader_epoch = -1;
    static const Struct kTable;
    bool operator==(const ListOffsetsPartitionResponse&) const = default;
  };
  struct ListOffsetsTopicResponse {
    std::string name;
    Array<ListOffsetsPartitionResponse> partitions;
    static const Struct kTable;
    bool operator==(const ListOffsetsTopicResponse&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<ListOffsetsTopicResponse> topics;
  static const Struct kTable;
};

struct MetadataRequest {
  struct MetadataRequestTopic {
    Uuid topic_id{};
    std::optional<std::string> name;
    static const Struct kTable;
    bool operator==(const MetadataRequestTopic&) const = default;
  };
  Array<MetadataRequestTopic> topics;
  bool allow_auto_topic_creation = true;
  bool include_cluster_authorized_operations = false;
  bool include_topic_authorized_operations = false;
  static const Struct kTable;
};

struct MetadataResponse {
  struct MetadataResponseBroker {
    int32_t node_id = 0;
    std::string host;
    int32_t port = 0;
    std::optional<std::string> rack;
    static const Struct kTable;
    bool operator==(const MetadataResponseBroker&) const = default;
  };
  struct MetadataResponsePartition {
    int16_t error_code = 0;
    int32_t partition_index = 0;
    int32_t leader_id = 0;
    int32_t leader_epoch = -1;
    Array<int32_t> replica_nodes;
    Array<int32_t> isr_nodes;
    Array<int32_t> offline_replicas;
    static const Struct kTable;
    bool operator==(const MetadataResponsePartition&) const = default;
  };
  struct MetadataResponseTopic {
    int16_t error_code = 0;
    std::optional<std::string> name;
    Uuid topic_id{};
    bool is_internal = false;
    Array<MetadataResponsePartition> partitions;
    int32_t topic_authorized_operations = -2147483648;
    static const Struct kTable;
    bool operator==(const MetadataResponseTopic&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<MetadataResponseBroker> brokers;
  std::optional<std::string> cluster_id;
  int32_t controller_id = -1;
  Array<MetadataResponseTopic> topics;
  int32_t cluster_authorized_operations = -2147483648;
  static const Struct kTable;
};

struct InitProducerIdRequest {
  std::optional<std::string> transactional_id;
  int32_t transaction_timeout_ms = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  static const Struct kTable;
};

struct InitProducerIdResponse {
  int32_t throttle_time_ms = 0;
  int16_t error_code = 0;
  int64_t producer_id = -1;
  int16_t producer_epoch = 0;
  static const Struct kTable;
};

struct OffsetForLeaderEpochRequest {
  struct OffsetForLeaderPartition {
    int32_t partition = 0;
    int32_t current_leader_epoch = -1;
    int32_t leader_epoch = 0;
    static const Struct kTable;
    bool operator==(const OffsetForLeaderPartition&) const = default;
  };
  struct OffsetForLeaderTopic {
    std::string topic;
    Array<OffsetForLeaderPartition> partitions;
    static const Struct kTable;
    bool operator==(const OffsetForLeaderTopic&) const = default;
  };
  int32_t replica_id = -2;
  Array<OffsetForLeaderTopic> topics;
  static const Struct kTable;
};

struct OffsetForLeaderEpochResponse {
  struct EpochEndOffset {
    int16_t error_code = 0;
    int32_t partition = 0;
    int32_t leader_epoch = -1;
    int64_t end_offset = -1;
    static const Struct kTable;
    bool operator==(const EpochEndOffset&) const = default;
  };
  struct OffsetForLeaderTopicResult {
    std::string topic;
    Array<EpochEndOffset> partitions;
    static const Struct kTable;
    bool operator==(const OffsetForLeaderTopicResult&) const = default;
  };
  int32_t throttle_time_ms = 0;
  Array<OffsetForLeaderTopicResult> topics;
  static const Struct kTable;
};
}  // namespace aichemy::wire
