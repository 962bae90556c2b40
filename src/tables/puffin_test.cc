#include "tables/puffin.h"

#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <sstream>

#include "base/bytes.h"
#include "tables/deletion_vector.h"
#include "tables/statistics_file.h"

namespace aichemy::tables {
namespace {

using std::string_view_literals::operator""sv;

// apache/iceberg's own fixtures (tests/golden/apache_iceberg), with what its tests expect.
std::string fixture(const std::string& name) {
  auto path = std::filesystem::path(AICHEMY_GOLDEN_DIR) / "apache_iceberg" / "puffin" / name;
  std::ifstream file(path, std::ios::binary);
  std::stringstream text;
  text << file.rdbuf();
  EXPECT_FALSE(text.str().empty()) << path;
  return text.str();
}

TEST(PuffinTest, EmptyFile) {
  auto puffin = decode_puffin(fixture("empty-puffin-uncompressed.bin"));
  ASSERT_TRUE(puffin) << puffin.error().message;
  EXPECT_TRUE(puffin->blobs.empty());
  EXPECT_TRUE(puffin->properties.empty());
}

TEST(PuffinTest, BlobsPlainAndCompressed) {
  for (const auto& [name, codec] : {std::pair("sample-metric-data-uncompressed.bin", ""),
                                    std::pair("sample-metric-data-compressed-zstd.bin", "zstd")}) {
    std::string file = fixture(name);
    auto puffin = decode_puffin(file);
    ASSERT_TRUE(puffin) << puffin.error().message;
    EXPECT_EQ(puffin->properties.at("created-by"), "Test 1234");
    ASSERT_EQ(puffin->blobs.size(), 2u);
    const PuffinBlob &first = puffin->blobs[0], &second = puffin->blobs[1];
    EXPECT_EQ(first.type, "some-blob");
    EXPECT_EQ(first.fields, std::vector<int>{1});
    EXPECT_EQ(first.offset, 4u);
    EXPECT_EQ(first.compression, codec);
    EXPECT_EQ(second.type, "some-other-blob");
    EXPECT_EQ(second.fields, std::vector<int>{2});
    EXPECT_EQ(second.offset, first.offset + first.length);
    EXPECT_EQ(puffin_blob(file, first).value(), "abcdefghi");
    std::string_view other =
        "some blob \0 binary data \U0001F92F that is not very very very very "
        "very very long, is it?"sv;
    EXPECT_EQ(puffin_blob(file, second).value(), other);
  }
}

TEST(PuffinTest, ReadsWhatIsWrittenHere) {
  StatisticsFile made = encode_statistics({{1, {5, 6, 7}}, {2, {}}}, 10, 3);
  auto puffin = decode_puffin(made.bytes);
  ASSERT_TRUE(puffin) << puffin.error().message;
  ASSERT_EQ(puffin->blobs.size(), 2u);
  EXPECT_EQ(puffin->blobs[0].snapshot_id, 10);
  EXPECT_EQ(theta_estimate(puffin_blob(made.bytes, puffin->blobs[0]).value()).value(), 3);
  EXPECT_EQ(theta_estimate(puffin_blob(made.bytes, puffin->blobs[1]).value()).value(), 0);
  std::vector<VectorBlob> vectors = {{"s3://b/a", {1, 5}, 0, 0}};
  std::string file = encode_puffin(&vectors);
  puffin = decode_puffin(file);
  ASSERT_TRUE(puffin) << puffin.error().message;
  EXPECT_EQ(puffin->blobs[0].offset, vectors[0].offset);
  EXPECT_EQ(puffin->blobs[0].properties.at("referenced-data-file"), "s3://b/a");
}

TEST(PuffinTest, WhatIsBrokenIsRefused) {
  std::string file = fixture("sample-metric-data-compressed-zstd.bin");
  for (size_t size = 0; size < file.size(); ++size)
    EXPECT_FALSE(decode_puffin(file.substr(0, size))) << size;
  for (int wrong : {-10000, -10, -1, 1, 10, 10000}) {
    std::string damaged = file;
    char* at = damaged.data() + damaged.size() - 12;
    store_little(at, static_cast<uint32_t>(static_cast<int>(load_little<uint32_t>(at)) + wrong));
    auto puffin = decode_puffin(damaged);
    ASSERT_FALSE(puffin) << wrong;
    EXPECT_EQ(puffin.error().code, Code::corrupt);
  }
  for (int flag : {1, 2}) {
    std::string flagged = file;
    flagged[flagged.size() - 8] = static_cast<char>(flag);
    EXPECT_EQ(decode_puffin(flagged).error().code, Code::unsupported);
  }
  PuffinBlob blob = decode_puffin(file)->blobs[1];
  std::string damaged = file;
  damaged[blob.offset + 1] = static_cast<char>(damaged[blob.offset + 1] ^ 0x55);
  EXPECT_EQ(puffin_blob(damaged, blob).error().code, Code::corrupt);
  blob.compression = "lz4";
  EXPECT_EQ(puffin_blob(file, blob).error().code, Code::unsupported);
}

}  // namespace
}  // namespace aichemy::tables
