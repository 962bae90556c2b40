#include "tables/deletion_vector.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <map>
#include <sstream>

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

std::string fixture(const std::string& name) {
  auto path = std::filesystem::path(AICHEMY_GOLDEN_DIR) / "apache_iceberg" / "deletes" / name;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

// Whole blobs of apache/iceberg's fixtures, with what its tests put into them.
TEST(DeletionVectorTest, ReadsIcebergsOwn) {
  Positions all = {5, 7};  // two bitmaps of an array, a short run and a long one each
  auto add = [&](uint64_t bitmap, uint64_t container, uint64_t from, uint64_t to) {
    for (uint64_t at = from; at < to; ++at) all.push_back((bitmap << 32) + (container << 16) + at);
  };
  add(0, 1, 1, 1000);
  add(0, 2, 1, 65535);
  for (uint64_t at : {10, 20}) add(1, 0, at, at + 1);
  add(1, 1, 10, 500);
  add(1, 2, 1, 65535);
  uint64_t large = 0x7fffffff;
  for (const auto& [name, expected] : std::map<std::string, Positions>{
           {"empty-position-index.bin", {}},
           {"small-alternating-values-position-index.bin", {1, 3, 5, 7, 9}},
           {"small-and-large-values-position-index.bin", {100, 101, large + 100, large + 101}},
           {"all-container-types-position-index.bin", all}}) {
    auto positions = decode_deletion_vector(fixture(name));
    ASSERT_TRUE(positions) << name << ": " << positions.error().message;
    EXPECT_EQ(*positions, expected) << name;
  }
}

// Bitmaps without a frame, of the Roaring specification's own examples.
TEST(DeletionVectorTest, ReadsRoaringsExamples) {
  EXPECT_EQ(decode_deletion_vector(framed(fixture("64mapempty.bin"))).value(), Positions());
  EXPECT_EQ(decode_deletion_vector(framed(fixture("64map32bitvals.bin"))).value(), every(0, 10, 1));
  Positions spread;
  for (uint64_t bitmap = 0; bitmap < 10; ++bitmap) {
    for (uint64_t low = 0; low < 10; ++low) spread.push_back((bitmap << 32) + low);
  }
  EXPECT_EQ(decode_deletion_vector(framed(fixture("64mapspreadvals.bin"))).value(), spread);
  auto refused = decode_deletion_vector(framed(fixture("64maphighvals.bin")));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, Code::corrupt);
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
