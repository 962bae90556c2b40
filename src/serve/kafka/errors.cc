#include "serve/kafka/errors.h"

#include <string_view>

namespace aichemy::serve::kafka {
namespace {

// The first row that fits wins: special rows before the general one of their Code.
constexpr ErrorRow kRows[] = {
    {Code::invalid, "offset_out_of_range", kOffsetOutOfRange},
    {Code::invalid, "message_too_large", kMessageTooLarge},
    {Code::invalid, "out_of_order_sequence", kOutOfOrderSequence},
    {Code::invalid, "producer_fenced", kInvalidProducerEpoch},
    {Code::invalid, "topic_name", kInvalidTopic},
    {Code::invalid, "partitions", kInvalidPartitions},
    {Code::invalid, "replication_factor", kInvalidReplicationFactor},
    {Code::invalid, "assignment", kInvalidReplicaAssignment},
    {Code::invalid, "config", kInvalidConfig},
    {Code::invalid, "inconsistent_protocol", kInconsistentGroupProtocol},
    {Code::invalid, "session_timeout", kInvalidSessionTimeout},
    {Code::invalid, "group_id", kInvalidGroupId},
    {Code::invalid, "offset_metadata_too_large", kOffsetMetadataTooLarge},
    {Code::invalid, "", kInvalidRequest},
    {Code::unauthenticated, "", kSaslAuthenticationFailed},
    {Code::denied, "internal_topic", kTopicAuthorizationFailed},
    {Code::denied, "", kClusterAuthorizationFailed},
    {Code::not_found, "unknown_member", kUnknownMemberId},
    {Code::not_found, "group_not_found", kGroupIdNotFound},
    {Code::not_found, "", kUnknownTopicOrPartition},
    {Code::exists, "", kTopicAlreadyExists},
    {Code::conflict, "illegal_generation", kIllegalGeneration},
    {Code::conflict, "rebalance_in_progress", kRebalanceInProgress},
    {Code::conflict, "member_id_required", kMemberIdRequired},
    {Code::conflict, "fenced_instance", kFencedInstanceId},
    {Code::conflict, "group_not_empty", kNonEmptyGroup},
    {Code::conflict, "group_subscribed", kGroupSubscribedToTopic},
    {Code::conflict, "", kInvalidRequest},
    {Code::exhausted, "group_full", kGroupMaxSizeReached},
    {Code::exhausted, "disk_full", kStorageError},
    {Code::exhausted, "queue_full", kRequestTimedOut},  // all of these clients retry on
    {Code::exhausted, "append_queue", kRequestTimedOut},
    {Code::exhausted, "", kStorageError},
    {Code::unsupported, "", kUnsupportedVersion},
    {Code::unavailable, "not_enough_copies", kNotEnoughReplicas},
    {Code::unavailable, "", kStorageError},
    {Code::timeout, "", kRequestTimedOut},
    {Code::cancelled, "", kRequestTimedOut},
    {Code::corrupt, "batch", kCorruptMessage},
    {Code::corrupt, "records", kInvalidRecord},
    {Code::corrupt, "", kCorruptMessage},
    {Code::internal, "", kUnknownServerError},
};

}  // namespace

const ErrorRow* error_rows(int& count) {
  count = static_cast<int>(sizeof(kRows) / sizeof(kRows[0]));
  return kRows;
}

int16_t error_number(const Error& error) {
  for (const ErrorRow& row : kRows) {
    if (row.code == error.code && (*row.what == '\0' || error.is(row.what))) return row.number;
  }
  return kUnknownServerError;
}

}  // namespace aichemy::serve::kafka
