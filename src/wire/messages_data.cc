#include "wire/messages_data.h"

#include "wire/field_rows.h"

namespace aichemy::wire {

TABLE(ProduceRequest::PartitionProduceData, F(index), F(records).nullable(0))
TABLE(ProduceRequest::TopicProduceData, F(name), F(partition_data))
TABLE(ProduceRequest, F(transactional_id).from(3).nullable(3), F(acks), F(timeout_ms),
      F(topic_data))
TABLE(ProduceResponse::BatchIndexAndErrorMessage, F(batch_index).from(8),
      F(batch_index_error_message).from(8).nullable(8))
TABLE(ProduceResponse::LeaderIdAndEpoch, F(leader_id).from(10), F(leader_epoch).from(10))
TABLE(ProduceResponse::PartitionProduceResponse, F(index), F(error_code), F(base_offset),
      F(log_append_time_ms).from(2), F(log_start_offset).from(5), F(record_errors).from(8),
      F(error_message).from(8).nullable(8), F(current_leader).from(10).tagged(0))
TABLE(ProduceResponse::TopicProduceResponse, F(name), F(partition_responses))
TABLE(ProduceResponse::NodeEndpoint, F(node_id).from(10), F(host).from(10), F(port).from(10),
      F(rack).from(10).nullable(10))
TABLE(ProduceResponse, F(responses), F(throttle_time_ms).from(1),
      F(node_endpoints).from(10).tagged(0))
TABLE(FetchRequest::ReplicaState, F(replica_id).from(15), F(replica_epoch).from(15))
TABLE(FetchRequest::FetchPartition, F(partition), F(current_leader_epoch).from(9), F(fetch_offset),
      F(last_fetched_epoch).from(12), F(log_start_offset).from(5), F(partition_max_bytes))
TABLE(FetchRequest::FetchTopic, F(topic).until(12), F(topic_id).from(13), F(partitions))
TABLE(FetchRequest::ForgottenTopic, F(topic).from(7).until(12), F(topic_id).from(13),
      F(partitions).from(7))
TABLE(FetchRequest, F(cluster_id).from(12).nullable(12).tagged(0), F(replica_id).until(14),
      F(replica_state).from(15).tagged(1), F(max_wait_ms), F(min_bytes), F(max_bytes),
      F(isolation_level), F(session_id).from(7), F(session_epoch).from(7), F(topics),
      F(forgotten_topics_data).from(7), F(rack_id).from(11))
TABLE(FetchResponse::EpochEndOffset, F(epoch).from(12), F(end_offset).from(12))
TABLE(FetchResponse::LeaderIdAndEpoch, F(leader_id).from(12), F(leader_epoch).from(12))
TABLE(FetchResponse::SnapshotId, F(end_offset), F(epoch))
TABLE(FetchResponse::AbortedTransaction, F(producer_id), F(first_offset))
TABLE(FetchResponse::PartitionData, F(partition_index), F(error_code), F(high_watermark),
      F(last_stable_offset), F(log_start_offset).from(5), F(diverging_epoch).from(12).tagged(0),
      F(current_leader).from(12).tagged(1), F(snapshot_id).from(12).tagged(2),
      F(aborted_transactions).nullable(4), F(preferred_read_replica).from(11),
      F(records).nullable(0))
TABLE(FetchResponse::FetchableTopicResponse, F(topic).until(12), F(topic_id).from(13),
      F(partitions))
TABLE(FetchResponse::NodeEndpoint, F(node_id).from(16), F(host).from(16), F(port).from(16),
      F(rack).from(16).nullable(16))
TABLE(FetchResponse, F(throttle_time_ms), F(error_code).from(7), F(session_id).from(7),
      F(responses), F(node_endpoints).from(16).tagged(0))
TABLE(ListOffsetsRequest::ListOffsetsPartition, F(partition_index), F(current_leader_epoch).from(4),
      F(timestamp))
TABLE(ListOffsetsRequest::ListOffsetsTopic, F(name), F(partitions))
TABLE(ListOffsetsRequest, F(replica_id), F(isolation_level).from(2), F(topics))
TABLE(ListOffsetsResponse::ListOffsetsPartitionResponse, F(partition_index), F(error_code),
      F(timestamp), F(offset), F(leader_epoch).from(4))
TABLE(ListOffsetsResponse::ListOffsetsTopicResponse, F(name), F(partitions))
TABLE(ListOffsetsResponse, F(throttle_time_ms).from(2), F(topics))
TABLE(MetadataRequest::MetadataRequestTopic, F(topic_id).from(10), F(name).nullable(10))
TABLE(MetadataRequest, F(topics).nullable(1), F(allow_auto_topic_creation).from(4),
      F(include_cluster_authorized_operations).from(8).until(10),
      F(include_topic_authorized_operations).from(8))
TABLE(MetadataResponse::MetadataResponseBroker, F(node_id), F(host), F(port),
      F(rack).from(1).nullable(1))
TABLE(MetadataResponse::MetadataResponsePartition, F(error_code), F(partition_index), F(leader_id),
      F(leader_epoch).from(7), F(replica_nodes), F(isr_nodes), F(offline_replicas).from(5))
TABLE(MetadataResponse::MetadataResponseTopic, F(error_code), F(name).nullable(12),
      F(topic_id).from(10), F(is_internal).from(1), F(partitions),
      F(topic_authorized_operations).from(8))
TABLE(MetadataResponse, F(throttle_time_ms).from(3), F(brokers), F(cluster_id).from(2).nullable(2),
      F(controller_id).from(1), F(topics), F(cluster_authorized_operations).from(8).until(10))
TABLE(InitProducerIdRequest, F(transactional_id).nullable(0), F(transaction_timeout_ms),
      F(producer_id).from(3), F(producer_epoch).from(3))
TABLE(InitProducerIdResponse, F(throttle_time_ms), F(error_code), F(producer_id), F(producer_epoch))
TABLE(OffsetForLeaderEpochRequest::OffsetForLeaderPartition, F(partition),
      F(current_leader_epoch).from(2), F(leader_epoch))
TABLE(OffsetForLeaderEpochRequest::OffsetForLeaderTopic, F(topic), F(partitions))
TABLE(OffsetForLeaderEpochRequest, F(replica_id).from(3), F(topics))
TABLE(OffsetForLeaderEpochResponse::EpochEndOffset, F(error_code), F(partition),
      F(leader_epoch).from(1), F(end_offset))
TABLE(OffsetForLeaderEpochResponse::OffsetForLeaderTopicResult, F(topic), F(partitions))
TABLE(OffsetForLeaderEpochResponse, F(throttle_time_ms).from(2), F(topics))

}  // namespace aichemy::wire
