#include "tables/deletion_vector.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/json.h"

namespace aichemy::tables {
namespace {

Positions every(uint64_t from, uint64_t to, uint64_t step) {
  Positions positions;
  for (uint64_t at = from; at < to; at += step) positions.push_back(at);
  return positions;
}

std::string framed(std::string_view bitmaps) {
  std::string content = "\xd1\xd3\x39\x64" + std::string(bitmaps);
  std::string blob;
  append_big(blob, static_cast<uint32_t>(content.size()));
  blob += content;
  append_big(blob, crc32(0, content));
  return blob;
}

TEST(DeletionVectorTest, ComesBackSparseDenseAndFar) {
  Positions mixed = every(0, 200'000, 3);
  for (uint64_t far : {uint64_t{5} << 32, (uint64_t{5} << 32) + 70'000}) mixed.push_back(far);
  for (const Positions& positions :
       {Positions{}, Positions{0}, Positions{7, 65535, 65536}, every(0, 100'000, 1), mixed}) {
    auto back = decode_deletion_vector(encode_deletion_vector(positions));
    ASSERT_TRUE(back) << back.error().message;
    EXPECT_EQ(*back, positions);
  }
}

// Bytes by the specification, not by our writer: one bitmap, a container of runs 1..3 and 10.
TEST(DeletionVectorTest, ReadsRuns) {
  std::string bitmaps(
      "\x01\0\0\0\0\0\0\0"
      "\0\0\0\0"
      "\x3b\x30\0\0"
      "\x01"
      "\0\0\x03\0"
      "\x02\0"
      "\x01\0\x02\0"
      "\x0a\0\0\0",
      31);
  auto positions = decode_deletion_vector(framed(bitmaps));
  ASSERT_TRUE(positions) << positions.error().message;
  EXPECT_EQ(*positions, (Positions{1, 2, 3, 10}));
}

TEST(DeletionVectorTest, EveryDamageIsFound) {
  std::string blob = encode_deletion_vector(every(0, 300, 7));
  for (size_t at = 0; at < blob.size(); ++at) {
    std::string damaged = blob;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x10);
    EXPECT_FALSE(decode_deletion_vector(damaged)) << at;
    EXPECT_FALSE(decode_deletion_vector(blob.substr(0, at))) << at;
  }
  // With a right checksum, so that the format itself is looked at.
  std::string content = blob.substr(8, blob.size() - 12);
  for (size_t at = 0; at < content.size(); ++at) {
    std::string damaged = content;
    damaged[at] = static_cast<char>(damaged[at] ^ 0x81);
    (void)decode_deletion_vector(framed(damaged));
    (void)decode_deletion_vector(framed(content.substr(0, at)));
  }
}

TEST(DeletionVectorTest, PuffinHasItsFooter) {
  std::vector<VectorBlob> vectors = {{"s3://b/a", {1, 5}, 0, 0}, {"s3://b/b", {2}, 0, 0}};
  std::string file = encode_puffin(&vectors);
  EXPECT_TRUE(file.starts_with("PFA1"));
  EXPECT_TRUE(file.ends_with("PFA1"));
  auto size = load_little<uint32_t>(file.data() + file.size() - 12);
  auto footer = Json::parse(std::string_view(file).substr(file.size() - 12 - size, size));
  ASSERT_TRUE(footer);
  const Json& second = (*footer)["blobs"].as_array()[1];
  EXPECT_EQ(second["type"].as_string(), "deletion-vector-v1");
  EXPECT_EQ(second["properties"]["referenced-data-file"].as_string(), "s3://b/b");
  EXPECT_EQ(second["properties"]["cardinality"].as_string(), "1");
  EXPECT_EQ(static_cast<uint64_t>(second["offset"].as_int()), vectors[1].offset);
  auto positions =
      decode_deletion_vector(std::string_view(file).substr(vectors[1].offset, vectors[1].size));
  ASSERT_TRUE(positions);
  EXPECT_EQ(*positions, (Positions{2}));
}

}  // namespace
}  // namespace aichemy::tables
