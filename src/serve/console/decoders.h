// Schemas that people gave the console to read a topic's messages with: the platform has no schema
// registry. Messages are taken apart in the browser; here the schemas are only kept. In metadb;
// thread safe, blocking.
//
//  D1  Of one topic, each number of a frame belongs to one decoder at most.
//  D2  A topic's decoders are bounded in number and in bytes together: a list is always one answer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "metadb/metadb.h"

namespace aichemy::serve::console {

struct Decoder {
  std::string id, topic;
  std::string format;                // "avro" or "protobuf"
  std::optional<int32_t> schema_id;  // in the messages' frame; none: messages without a frame
  std::string message_type;          // of Protobuf; "" when the frame says it
  std::string definition;            // Avro: the schema; Protobuf: FileDescriptorSet, base64
  int64_t changed_millis = 0;
  std::string changed_by;
};

class Decoders {
 public:
  static constexpr size_t kDefinitionBytesMax = 256 << 10;
  static constexpr size_t kTopicBytesMax = 1 << 20;
  static constexpr size_t kTopicDecodersMax = 50;
  static constexpr int64_t kDecodersMax = 5'000;
  static constexpr size_t kMessageTypeBytesMax = 500;

  Decoders(metadb::Database& database, Clock& clock, Random& random)
      : database_(database), clock_(clock), random_(random) {}

  // By number of the frame, those without one first.
  Result<std::vector<Decoder>> list(const std::string& topic);
  // invalid ("format", "schema_id", "message_type", "definition"), exists ("schema_id_taken"),
  // exhausted ("too_many_decoders").
  Result<Decoder> add(const std::string& user, Decoder decoder);
  // not_found ("no_such_decoder").
  Status remove(const std::string& topic, const std::string& id);
  Status forget_topic(const std::string& topic);

 private:
  metadb::Database& database_;
  Clock& clock_;
  Random& random_;
};

}  // namespace aichemy::serve::console
