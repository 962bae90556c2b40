// Reads messages of a topic for people: forwards from a place or backwards from the end, with a
// substring to look for. Bounded in time and in what it holds; a cursor says where to go on.
// Thread safe, blocking.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/result.h"
#include "broker/broker.h"
#include "runtime/call.h"

namespace aichemy::serve::console {

enum class Place : uint8_t { any, key, value, headers };

struct MessageFilter {
  std::string text;  // bytes to find; empty: every message
  Place place = Place::any;
};

struct MessageRequest {
  std::string topic;
  std::optional<int32_t> partition;
  std::string from = "latest";  // latest, earliest, offset, timestamp
  int64_t value = 0;            // of offset or timestamp
  size_t messages_max = 100;
  MessageFilter filter;
  std::string cursor;  // of the page before; overrides from
  std::chrono::milliseconds time{800};
};

struct MessagePage {
  std::vector<Json> messages;  // Message records
  uint64_t scanned = 0;
  std::string cursor;  // "" at the end
};

// not_found ("no_such_topic", "no_such_partition"), invalid ("cursor", "request").
Result<MessagePage> scan_messages(const Call& call, broker::Broker& broker, Clock& clock,
                                  const MessageRequest& request);

// One message, at most value_bytes of its value. not_found ("no_such_message").
Result<Json> find_message(broker::Broker& broker, const std::string& topic, int32_t partition,
                          int64_t offset, size_t value_bytes);

// Where each wanted partition ends now; and what arrived since, which moves it on.
using TopicPlaces = std::map<int32_t, int64_t>;
Result<TopicPlaces> topic_ends(broker::Broker& broker, const std::string& topic,
                               std::optional<int32_t> partition);
Result<std::vector<Json>> read_new(broker::Broker& broker, const std::string& topic,
                                   const MessageFilter& filter, size_t messages_max,
                                   TopicPlaces& places);

}  // namespace aichemy::serve::console
