// Records of the internal topic __consumer_offsets, in Kafka's own format so that its tools can
// read them: key = version 1, group, topic, partition; value = version 3, offset, leader epoch,
// metadata, commit time. A null value forgets the offset.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "broker/groups.h"

namespace aichemy::broker {

struct OffsetKey {
  std::string group;
  TopicPartition partition;
};

std::string encode_offset_key(const OffsetKey& key);
std::optional<OffsetKey> decode_offset_key(std::string_view bytes);
std::string encode_offset_value(const CommittedOffset& value);
std::optional<CommittedOffset> decode_offset_value(std::string_view bytes);

}  // namespace aichemy::broker
