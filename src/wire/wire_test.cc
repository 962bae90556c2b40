#include <gtest/gtest.h>
#include <zlib.h>

#include <cstdlib>
#include <map>
#include <set>

#include "base/bytes.h"
#include "base/json.h"
#include "base/random.h"
#include "wire/messages_admin.h"
#include "wire/messages_data.h"
#include "wire/messages_group.h"
#include "wire/record_batch.h"
#include "wire/schema.h"

namespace aichemy::wire {
namespace {

// One line a recorded exchange between a real client and a real Kafka 3.8.1.
std::vector<Json> golden_exchanges() {
  std::string path = std::string(AICHEMY_GOLDEN_DIR) + "/kafka/kafka_wire_3.8.1.jsonl.gz";
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  std::string text;
  std::string chunk(1 << 16, '\0');
  for (int got; (got = gzread(file, chunk.data(), static_cast<unsigned>(chunk.size()))) > 0;) {
    text.append(chunk, 0, static_cast<size_t>(got));
  }
  gzclose(file);
  std::vector<Json> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    auto line = Json::parse(std::string_view(text).substr(at, end - at));
    if (line) lines.push_back(std::move(*line));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

// A default-constructed struct of each message, as the handlers make them.
struct Holder {
  std::shared_ptr<void> value;
};
template <class T>
std::shared_ptr<void> make() {
  return std::make_shared<T>();
}
#define PAIR(NAME)                                     \
  {NAME##Request::kTable.name, make<NAME##Request>}, { \
    NAME##Response::kTable.name, make<NAME##Response>  \
  }
std::shared_ptr<void> make_struct(const Struct& table) {
  static const std::map<std::string, std::shared_ptr<void> (*)()> kMakers = {
      PAIR(Produce),
      PAIR(Fetch),
      PAIR(ListOffsets),
      PAIR(Metadata),
      PAIR(InitProducerId),
      PAIR(OffsetForLeaderEpoch),
      PAIR(OffsetCommit),
      PAIR(OffsetFetch),
      PAIR(FindCoordinator),
      PAIR(JoinGroup),
      PAIR(Heartbeat),
      PAIR(LeaveGroup),
      PAIR(SyncGroup),
      PAIR(DescribeGroups),
      PAIR(ListGroups),
      PAIR(DeleteGroups),
      PAIR(OffsetDelete),
      PAIR(SaslHandshake),
      PAIR(ApiVersions),
      PAIR(CreateTopics),
      PAIR(DeleteTopics),
      PAIR(DeleteRecords),
      PAIR(DescribeAcls),
      PAIR(DescribeConfigs),
      PAIR(AlterConfigs),
      PAIR(DescribeLogDirs),
      PAIR(SaslAuthenticate),
      PAIR(CreatePartitions),
      PAIR(IncrementalAlterConfigs),
      PAIR(DescribeCluster),
      PAIR(DescribeTopicPartitions)};
  return kMakers.at(table.name)();
}

void expect_same_bytes(const Struct& table, int16_t version, bool flexible, std::string_view body,
                       const std::string& what) {
  auto value = make_struct(table);
  auto used = decode(table, version, flexible, body, value.get());
  ASSERT_TRUE(used) << what << ": " << used.error().message;
  // librdkafka sends three bytes too many in some Metadata requests; brokers ignore what follows a
  // request.
  std::string_view extra = body.substr(*used);
  if (extra == std::string_view("\1\0\0", 3) && &table == &MetadataRequest::kTable)
    body = body.substr(0, *used);
  EXPECT_EQ(*used, body.size()) << what;
  Encoded encoded;
  encode(table, version, flexible, value.get(), encoded);
  EXPECT_EQ(to_hex(encoded.bytes), to_hex(body)) << what;
}

TEST(Golden, EveryRecordedFrameDecodesAndEncodesToTheSameBytes) {
  auto exchanges = golden_exchanges();
  ASSERT_GT(exchanges.size(), 1000u);
  std::set<std::pair<int64_t, int64_t>> seen;
  for (const Json& exchange : exchanges) {
    auto key = static_cast<int16_t>(exchange["api_key"].as_int());
    auto version = static_cast<int16_t>(exchange["api_version"].as_int());
    const Message* message = find_message(key);
    if (message == nullptr || version < message->first || version > message->last) continue;
    std::string what = std::string(message->name) + " v" + std::to_string(version) + " of " +
                       std::string(exchange["client"].as_string()) + ": " +
                       std::string(exchange["note"].as_string());
    bool flexible = message->is_flexible(version);
    std::string request = *from_hex(exchange["request"].as_string());
    RequestHeader header;
    auto used = decode_header(request, flexible, header);
    ASSERT_TRUE(used) << what;
    EXPECT_EQ(header.correlation_id, exchange["correlation_id"].as_int()) << what;
    bool refused =
        key == 0 && version < 3;  // message sets of magic 0 and 1: bytes to us, as all record sets
    std::string_view body = std::string_view(request).substr(*used);
    expect_same_bytes(*message->request, version, flexible, body, what);
    if (!exchange["response"].is_string() || refused) continue;
    std::string response = *from_hex(exchange["response"].as_string());
    size_t header_bytes = flexible && key != 18 ? 5 : 4;
    expect_same_bytes(*message->response, version, flexible,
                      std::string_view(response).substr(header_bytes), what + " (response)");
    seen.emplace(key, version);
  }
  EXPECT_GT(seen.size(), 130u);
}

TEST(Golden, EveryRecordedBatchIsReadable) {
  int batches = 0;
  std::set<int> codecs;
  for (const Json& exchange : golden_exchanges()) {
    auto version = static_cast<int16_t>(exchange["api_version"].as_int());
    if (exchange["api_key"].as_int() != 0 || version < 3) continue;
    if (!exchange["errors"].as_array().empty()) continue;
    std::string frame = *from_hex(exchange["request"].as_string());
    RequestHeader header;
    auto used = decode_header(frame, version >= 9, header);
    ProduceRequest request;
    ASSERT_TRUE(decode(ProduceRequest::kTable, version, version >= 9,
                       std::string_view(frame).substr(*used), &request));
    for (const auto& topic : request.topic_data) {
      for (const auto& partition : topic.partition_data) {
        auto batch = check_batch(partition.records.bytes);
        ASSERT_TRUE(batch) << batch.error().message;
        std::string storage;
        auto records = read_records(partition.records.bytes, storage);
        ASSERT_TRUE(records) << records.error().message;
        for (const Record& record : *records) ASSERT_TRUE(read_record_headers(record.headers));
        codecs.insert(batch->codec_bits());
        ++batches;
      }
    }
  }
  EXPECT_GT(batches, 50);
  EXPECT_EQ(codecs, (std::set<int>{0, 1, 2, 3, 4}));
}

TEST(Schema, EveryMessageEncodesItsDefaultsInEveryVersion) {
  for (const Message& message : messages()) {
    for (int16_t version = message.first; version <= message.last; ++version) {
      for (const Struct* table : {message.request, message.response}) {
        auto value = make_struct(*table);
        Encoded encoded;
        encode(*table, version, message.is_flexible(version), value.get(), encoded);
        expect_same_bytes(*table, version, message.is_flexible(version), encoded.bytes,
                          table->name);
      }
    }
  }
}

TEST(Schema, EveryCutOfAFrameIsAnErrorNotACrash) {
  MetadataResponse response;
  response.brokers.resize(2);
  response.brokers[0].host = "localhost";
  response.topics.resize(1);
  response.topics[0].name = "orders";
  response.topics[0].partitions.resize(3);
  for (int16_t version : {0, 8, 9, 12}) {
    Encoded encoded;
    encode(MetadataResponse::kTable, version, version >= 9, &response, encoded);
    for (size_t size = 0; size < encoded.bytes.size(); ++size) {
      MetadataResponse back;
      auto used = decode(MetadataResponse::kTable, version, version >= 9,
                         std::string_view(encoded.bytes).substr(0, size), &back);
      ASSERT_FALSE(used) << version << " at " << size;
      EXPECT_EQ(used.error().code, Code::invalid);
    }
  }
}

TEST(Schema, HostileLengthsAreRefused) {
  struct Row {
    const char* hex;
    const char* why;
  };
  for (const Row& row :
       {Row{"7fffffff", "two thousand million topics"}, Row{"fffffffe", "a count of -2"},
        Row{"000000017fff61", "a name beyond the frame"}}) {
    MetadataRequest request;
    auto used = decode(MetadataRequest::kTable, 1, false, *from_hex(row.hex), &request);
    ASSERT_FALSE(used) << row.why;
    EXPECT_EQ(used.error().code, Code::invalid) << row.why;
  }
}

TEST(Records, RoundTripInEveryCodec) {
  for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    BatchBuilder builder;
    std::string large(100'000, 'x');
    builder.add(1000, "key", "value", {{"trace", "1"}, {"empty", std::nullopt}});
    builder.add(999, std::nullopt, large);
    builder.add(2000, "tombstone", std::nullopt);
    auto batch = builder.finish(codec);
    ASSERT_TRUE(batch);
    set_batch_offset(batch->data(), 41, 7);
    auto header = check_batch(*batch);
    ASSERT_TRUE(header);
    EXPECT_EQ(header->next_offset(), 44);
    EXPECT_EQ(header->leader_epoch, 7);
    EXPECT_EQ(header->max_timestamp, 2000);
    std::string storage;
    auto records = read_records(*batch, storage);
    ASSERT_TRUE(records) << records.error().message;
    ASSERT_EQ(records->size(), 3u);
    EXPECT_EQ((*records)[0].key, "key");
    EXPECT_EQ((*records)[1].value, large);
    EXPECT_EQ((*records)[1].timestamp, 999);
    EXPECT_EQ((*records)[2].offset, 43);
    EXPECT_EQ((*records)[2].value, std::nullopt);
    auto headers = read_record_headers((*records)[0].headers);
    ASSERT_TRUE(headers);
    EXPECT_EQ((*headers)[0].first, "trace");
    EXPECT_EQ((*headers)[1].second, std::nullopt);
  }
}

TEST(Records, EveryFlippedBitUnderTheChecksumIsSeen) {
  BatchBuilder builder;
  builder.add(1, "k", "some value");
  std::string batch = *builder.finish();
  for (size_t bit = 16 * 8; bit < batch.size() * 8; ++bit) {
    std::string broken = batch;
    broken[bit / 8] = static_cast<char>(broken[bit / 8] ^ (1 << (bit % 8)));
    EXPECT_FALSE(check_batch(broken)) << bit;
  }
}

TEST(Compression, OutputIsBounded) {
  std::string zeros(4 << 20, '\0');
  for (Codec codec : {Codec::none, Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    std::string packed = *compress(codec, zeros);
    EXPECT_EQ(*decompress(codec, packed, zeros.size()), zeros);
    auto refused = decompress(codec, packed, zeros.size() - 1);
    ASSERT_FALSE(refused);
    EXPECT_TRUE(refused.error().is("decompressed_size"));
  }
}

TEST(Compression, CutAndGarbledInputIsCorrupt) {
  SeededRandom random(7);
  std::string text = random.bytes(5000) + std::string(5000, 'a');
  for (Codec codec : {Codec::gzip, Codec::snappy, Codec::lz4, Codec::zstd}) {
    std::string packed = *compress(codec, text);
    for (size_t size : {size_t{0}, size_t{3}, size_t{17}, packed.size() / 2, packed.size() - 1}) {
      auto result = decompress(codec, packed.substr(0, size), 1 << 20);
      if (result) EXPECT_NE(*result, text) << static_cast<int>(codec) << " at " << size;
    }
    EXPECT_FALSE(decompress(codec, random.bytes(64), 1 << 20));
  }
}

}  // namespace
}  // namespace aichemy::wire
