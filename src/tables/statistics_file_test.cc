#include "tables/statistics_file.h"

#include <gtest/gtest.h>

#include "base/bytes.h"

namespace aichemy::tables {
namespace {

// Written by the DataSketches library (Python package datasketches 5.2): update(0) to update(4).
constexpr const char* kFive =
    "02030300001acc93050000000000000015f97dcbbd86a10540de2ee1c9db3d08c397fc1281709d1ee56b61eec88044"
    "20ba40b3c1da06695d";

std::vector<int64_t> five_hashes() {
  std::string bytes = *from_hex(kFive);
  std::vector<int64_t> hashes;
  for (size_t at = 16; at < bytes.size(); at += 8)
    hashes.push_back(load_little<int64_t>(bytes.data() + at));
  return hashes;
}

TEST(StatisticsFile, SketchesAreThoseOfDataSketches) {
  ThetaSketch sketch{1, five_hashes()};
  EXPECT_EQ(to_hex(sketch.encode()), kFive);
  EXPECT_EQ(sketch.estimate(), 5);
  EXPECT_EQ(to_hex(ThetaSketch{1, {}}.encode()), "01030300001ecc93");
}

TEST(StatisticsFile, BeyondItsEntriesASketchEstimates) {
  ThetaSketch sketch{1, {}};
  // Evenly spread: 4,097 of what would be 16,388.
  for (int64_t i = 1; i <= 4097; ++i) sketch.hashes.push_back(i * (INT64_MAX / 16388));
  EXPECT_NEAR(sketch.estimate(), 16384, 5);
  std::string bytes = sketch.encode();
  EXPECT_EQ(bytes[0], 3);
  EXPECT_EQ(bytes.size(), 24 + 4096 * 8u);
  EXPECT_EQ(load_little<int64_t>(bytes.data() + 16), sketch.hashes.back());
}

TEST(StatisticsFile, FooterSaysWhereBlobsAre) {
  StatisticsFile file = encode_statistics({{7, five_hashes()}, {9, {}}}, 42, 3);
  ASSERT_TRUE(file.bytes.starts_with("PFA1"));
  ASSERT_TRUE(file.bytes.ends_with("PFA1"));
  size_t footer = file.bytes.size() - static_cast<size_t>(file.footer_size);
  std::string text = file.bytes.substr(footer + 4, file.bytes.size() - footer - 4 - 12);
  auto json = Json::parse(text);
  ASSERT_TRUE(json) << text;
  const Json& blob = (*json)["blobs"].as_array()[0];
  EXPECT_EQ(blob["offset"].as_int(), 4);
  EXPECT_EQ(to_hex(file.bytes.substr(4, static_cast<size_t>(blob["length"].as_int()))), kFive);
  EXPECT_EQ(blob["properties"]["ndv"].as_string(), "5");
  EXPECT_EQ(file.blob_metadata.as_array()[1]["fields"].as_array()[0].as_int(), 9);
}

}  // namespace
}  // namespace aichemy::tables
