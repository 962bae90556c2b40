#include "wire/messages_admin.h"

#include "wire/field_rows.h"

namespace aichemy::wire {

TABLE(SaslHandshakeRequest, F(mechanism))
TABLE(SaslHandshakeResponse, F(error_code), F(mechanisms))
TABLE(ApiVersionsRequest, F(client_software_name).from(3), F(client_software_version).from(3))
TABLE(ApiVersionsResponse::ApiVersion, F(api_key), F(min_version), F(max_version))
TABLE(ApiVersionsResponse::SupportedFeatureKey, F(name).from(3), F(min_version).from(3),
      F(max_version).from(3))
TABLE(ApiVersionsResponse::FinalizedFeatureKey, F(name).from(3), F(max_version_level).from(3),
      F(min_version_level).from(3))
TABLE(ApiVersionsResponse, F(error_code), F(api_keys), F(throttle_time_ms).from(1),
      F(supported_features).from(3).tagged(0), F(finalized_features_epoch).from(3).tagged(1, -1),
      F(finalized_features).from(3).tagged(2), F(zk_migration_ready).from(3).tagged(3))
TABLE(CreateTopicsRequest::CreatableReplicaAssignment, F(partition_index), F(broker_ids))
TABLE(CreateTopicsRequest::CreatableTopicConfig, F(name), F(value).nullable(0))
TABLE(CreateTopicsRequest::CreatableTopic, F(name), F(num_partitions), F(replication_factor),
      F(assignments), F(configs))
TABLE(CreateTopicsRequest, F(topics), F(timeout_ms), F(validate_only).from(1))
TABLE(CreateTopicsResponse::CreatableTopicConfigs, F(name).from(5), F(value).from(5).nullable(5),
      F(read_only).from(5), F(config_source).from(5), F(is_sensitive).from(5))
TABLE(CreateTopicsResponse::CreatableTopicResult, F(name), F(topic_id).from(7), F(error_code),
      F(error_message).from(1).nullable(0), F(topic_config_error_code).from(5).tagged(0),
      F(num_partitions).from(5), F(replication_factor).from(5), F(configs).from(5).nullable(5))
TABLE(CreateTopicsResponse, F(throttle_time_ms).from(2), F(topics))
TABLE(DeleteTopicsRequest::DeleteTopicState, F(name).from(6).nullable(6), F(topic_id).from(6))
TABLE(DeleteTopicsRequest, F(topics).from(6), F(topic_names).until(5), F(timeout_ms))
TABLE(DeleteTopicsResponse::DeletableTopicResult, F(name).nullable(6), F(topic_id).from(6),
      F(error_code), F(error_message).from(5).nullable(5))
TABLE(DeleteTopicsResponse, F(throttle_time_ms).from(1), F(responses))
TABLE(DeleteRecordsRequest::DeleteRecordsPartition, F(partition_index), F(offset))
TABLE(DeleteRecordsRequest::DeleteRecordsTopic, F(name), F(partitions))
TABLE(DeleteRecordsRequest, F(topics), F(timeout_ms))
TABLE(DeleteRecordsResponse::DeleteRecordsPartitionResult, F(partition_index), F(low_watermark),
      F(error_code))
TABLE(DeleteRecordsResponse::DeleteRecordsTopicResult, F(name), F(partitions))
TABLE(DeleteRecordsResponse, F(throttle_time_ms), F(topics))
TABLE(DescribeAclsRequest, F(resource_type_filter), F(resource_name_filter).nullable(0),
      F(pattern_type_filter).from(1), F(principal_filter).nullable(0), F(host_filter).nullable(0),
      F(operation), F(permission_type))
TABLE(DescribeAclsResponse::AclDescription, F(principal), F(host), F(operation), F(permission_type))
TABLE(DescribeAclsResponse::DescribeAclsResource, F(resource_type), F(resource_name),
      F(pattern_type).from(1), F(acls))
TABLE(DescribeAclsResponse, F(throttle_time_ms), F(error_code), F(error_message).nullable(0),
      F(resources))
TABLE(DescribeConfigsRequest::DescribeConfigsResource, F(resource_type), F(resource_name),
      F(configuration_keys).nullable(0))
TABLE(DescribeConfigsRequest, F(resources), F(include_synonyms).from(1),
      F(include_documentation).from(3))
TABLE(DescribeConfigsResponse::DescribeConfigsSynonym, F(name).from(1),
      F(value).from(1).nullable(0), F(source).from(1))
TABLE(DescribeConfigsResponse::DescribeConfigsResourceResult, F(name), F(value).nullable(0),
      F(read_only), F(config_source).from(1), F(is_default).until(0), F(is_sensitive),
      F(synonyms).from(1), F(config_type).from(3), F(documentation).from(3).nullable(0))
TABLE(DescribeConfigsResponse::DescribeConfigsResult, F(error_code), F(error_message).nullable(0),
      F(resource_type), F(resource_name), F(configs))
TABLE(DescribeConfigsResponse, F(throttle_time_ms), F(results))
TABLE(AlterConfigsRequest::AlterableConfig, F(name), F(value).nullable(0))
TABLE(AlterConfigsRequest::AlterConfigsResource, F(resource_type), F(resource_name), F(configs))
TABLE(AlterConfigsRequest, F(resources), F(validate_only))
TABLE(AlterConfigsResponse::AlterConfigsResourceResponse, F(error_code),
      F(error_message).nullable(0), F(resource_type), F(resource_name))
TABLE(AlterConfigsResponse, F(throttle_time_ms), F(responses))
TABLE(DescribeLogDirsRequest::DescribableLogDirTopic, F(topic), F(partitions))
TABLE(DescribeLogDirsRequest, F(topics).nullable(0))
TABLE(DescribeLogDirsResponse::DescribeLogDirsPartition, F(partition_index), F(partition_size),
      F(offset_lag), F(is_future_key))
TABLE(DescribeLogDirsResponse::DescribeLogDirsTopic, F(name), F(partitions))
TABLE(DescribeLogDirsResponse::DescribeLogDirsResult, F(error_code), F(log_dir), F(topics),
      F(total_bytes).from(4), F(usable_bytes).from(4))
TABLE(DescribeLogDirsResponse, F(throttle_time_ms), F(error_code).from(3), F(results))
TABLE(SaslAuthenticateRequest, F(auth_bytes))
TABLE(SaslAuthenticateResponse, F(error_code), F(error_message).nullable(0), F(auth_bytes),
      F(session_lifetime_ms).from(1))
TABLE(CreatePartitionsRequest::CreatePartitionsAssignment, F(broker_ids))
TABLE(CreatePartitionsRequest::CreatePartitionsTopic, F(name), F(count), F(assignments).nullable(0))
TABLE(CreatePartitionsRequest, F(topics), F(timeout_ms), F(validate_only))
TABLE(CreatePartitionsResponse::CreatePartitionsTopicResult, F(name), F(error_code),
      F(error_message).nullable(0))
TABLE(CreatePartitionsResponse, F(throttle_time_ms), F(results))
TABLE(IncrementalAlterConfigsRequest::AlterableConfig, F(name), F(config_operation),
      F(value).nullable(0))
TABLE(IncrementalAlterConfigsRequest::AlterConfigsResource, F(resource_type), F(resource_name),
      F(configs))
TABLE(IncrementalAlterConfigsRequest, F(resources), F(validate_only))
TABLE(IncrementalAlterConfigsResponse::AlterConfigsResourceResponse, F(error_code),
      F(error_message).nullable(0), F(resource_type), F(resource_name))
TABLE(IncrementalAlterConfigsResponse, F(throttle_time_ms), F(responses))
TABLE(DescribeClusterRequest, F(include_cluster_authorized_operations), F(endpoint_type).from(1))
TABLE(DescribeClusterResponse::DescribeClusterBroker, F(broker_id), F(host), F(port),
      F(rack).nullable(0))
TABLE(DescribeClusterResponse, F(throttle_time_ms), F(error_code), F(error_message).nullable(0),
      F(endpoint_type).from(1), F(cluster_id), F(controller_id), F(brokers),
      F(cluster_authorized_operations))
TABLE(DescribeTopicPartitionsRequest::TopicRequest, F(name))
TABLE(DescribeTopicPartitionsRequest::Cursor, F(topic_name), F(partition_index))
TABLE(DescribeTopicPartitionsRequest, F(topics), F(response_partition_limit), F(cursor).nullable(0))
TABLE(DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponsePartition, F(error_code),
      F(partition_index), F(leader_id), F(leader_epoch), F(replica_nodes), F(isr_nodes),
      F(eligible_leader_replicas).nullable(0), F(last_known_elr).nullable(0), F(offline_replicas))
TABLE(DescribeTopicPartitionsResponse::DescribeTopicPartitionsResponseTopic, F(error_code),
      F(name).nullable(0), F(topic_id), F(is_internal), F(partitions),
      F(topic_authorized_operations))
TABLE(DescribeTopicPartitionsResponse::Cursor, F(topic_name), F(partition_index))
TABLE(DescribeTopicPartitionsResponse, F(throttle_time_ms), F(topics), F(next_cursor).nullable(0))

}  // namespace aichemy::wire
