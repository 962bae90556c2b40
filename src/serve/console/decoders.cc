#include "serve/console/decoders.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/json.h"

namespace aichemy::serve::console {
namespace {

using metadb::Transaction;

constexpr int64_t kNoFrame = -1;

bool is_name_byte(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.';
}

Status check(const Decoder& decoder) {
  const std::string& definition = decoder.definition;
  if (decoder.format != "avro" && decoder.format != "protobuf")
    return fail(Code::invalid, "format", "a decoder's format is avro or protobuf");
  if (decoder.schema_id && *decoder.schema_id < 0)
    return fail(Code::invalid, "schema_id", "the number of a schema is 0 to 2147483647");
  if (definition.empty() || definition.size() > Decoders::kDefinitionBytesMax ||
      definition.contains('\0')) {
    return fail(
        Code::invalid, "definition",
        "a schema has 1 to " + std::to_string(Decoders::kDefinitionBytesMax) + " bytes and no NUL");
  }
  if (decoder.format == "avro") {
    if (!decoder.message_type.empty())
      return fail(Code::invalid, "message_type", "an Avro schema is of one type: leave it out");
    if (auto json = Json::parse(definition); !json) {
      return fail(Code::invalid, "definition",
                  "an Avro schema is JSON, and this is not: " + json.error().message);
    }
    return {};
  }
  if (decoder.message_type.size() > Decoders::kMessageTypeBytesMax ||
      !std::ranges::all_of(decoder.message_type, is_name_byte))
    return fail(Code::invalid, "message_type", "that is no name of a message type");
  if (decoder.message_type.empty() && !decoder.schema_id) {
    return fail(Code::invalid, "message_type",
                "name the message type: messages without a frame do not say it");
  }
  if (!from_base64(definition))
    return fail(Code::invalid, "definition", "a FileDescriptorSet is given in base64");
  return {};
}

Status has_room(Transaction& transaction, const Decoder& decoder) {
  // length() of a text counts characters, and in bytes the databases differ.
  ASSIGN_OR_RETURN(
      auto here,
      transaction.query("SELECT definition FROM console_decoders WHERE topic = $1", {decoder.topic}));
  size_t bytes = decoder.definition.size();
  for (const auto& row : here) bytes += row[0].as_text().size();
  if (here.size() >= Decoders::kTopicDecodersMax || bytes > Decoders::kTopicBytesMax) {
    return fail(Code::exhausted, "too_many_decoders",
                "a topic has up to " + std::to_string(Decoders::kTopicDecodersMax) +
                    " decoders, of " + std::to_string(Decoders::kTopicBytesMax) +
                    " bytes together: remove one");
  }
  ASSIGN_OR_RETURN(auto all, transaction.query("SELECT count(*) FROM console_decoders"));
  if (all[0][0].as_int() < Decoders::kDecodersMax) return {};
  return fail(Code::exhausted, "too_many_decoders",
              "all topics together have up to " + std::to_string(Decoders::kDecodersMax) +
                  " decoders: remove some");
}

}  // namespace

Result<std::vector<Decoder>> Decoders::list(const std::string& topic) {
  return database_.read([&](Transaction& transaction) -> Result<std::vector<Decoder>> {
    ASSIGN_OR_RETURN(auto rows,
                     transaction.query("SELECT id, format, schema_id, message_type, definition, "
                                       "changed_millis, changed_by FROM console_decoders WHERE "
                                       "topic = $1 ORDER BY schema_id, changed_millis, id",
                                       {topic}));
    std::vector<Decoder> out;
    for (const auto& row : rows) {
      Decoder one;
      one.id = row[0].as_text();
      one.topic = topic;
      one.format = row[1].as_text();
      if (row[2].as_int() != kNoFrame) one.schema_id = static_cast<int32_t>(row[2].as_int());
      one.message_type = row[3].as_text();
      one.definition = row[4].as_text();
      one.changed_millis = row[5].as_int();
      one.changed_by = row[6].as_text();
      out.push_back(std::move(one));
    }
    return out;
  });
}

Result<Decoder> Decoders::add(const std::string& user, Decoder decoder) {
  RETURN_IF_ERROR(check(decoder));
  decoder.id = to_hex(random_.bytes(12));
  decoder.changed_by = user;
  decoder.changed_millis = clock_.wall_millis();
  return database_.transaction([&](Transaction& transaction) -> Result<Decoder> {
    if (decoder.schema_id) {  // D1
      ASSIGN_OR_RETURN(auto taken, transaction.query("SELECT id FROM console_decoders WHERE topic "
                                                     "= $1 AND schema_id = $2",
                                                     {decoder.topic, *decoder.schema_id}));
      if (!taken.empty()) {
        return fail(Code::exists, "schema_id_taken",
                    decoder.topic + " has a decoder for schema " +
                        std::to_string(*decoder.schema_id) + ": remove that first");
      }
    }
    RETURN_IF_ERROR(has_room(transaction, decoder));
    RETURN_IF_ERROR(transaction.run(
        "INSERT INTO console_decoders (id, topic, format, schema_id, message_type, definition, "
        "changed_millis, changed_by) VALUES ($1, $2, $3, $4, $5, $6, $7, $8)",
        {decoder.id, decoder.topic, decoder.format,
         decoder.schema_id ? int64_t{*decoder.schema_id} : kNoFrame, decoder.message_type,
         decoder.definition, decoder.changed_millis, decoder.changed_by}));
    return decoder;
  });
}

Status Decoders::remove(const std::string& topic, const std::string& id) {
  return database_.transaction([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT id FROM console_decoders WHERE id = $1 "
                                                  "AND topic = $2",
                                                  {id, topic}));
    if (rows.empty())
      return fail(Code::not_found, "no_such_decoder", topic + " has no such decoder");
    RETURN_IF_ERROR(transaction.run("DELETE FROM console_decoders WHERE id = $1", {id}));
    return {};
  });
}

Status Decoders::forget_topic(const std::string& topic) {
  return database_.transaction([&](Transaction& transaction) -> Status {
    RETURN_IF_ERROR(transaction.run("DELETE FROM console_decoders WHERE topic = $1", {topic}));
    return {};
  });
}

}  // namespace aichemy::serve::console
