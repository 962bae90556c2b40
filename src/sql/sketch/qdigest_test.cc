#include "sql/sketch/qdigest.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <vector>

#include "sql/sketch/numeric_histogram.h"
#include "sql/sketch/set_digest.h"

namespace aichemy::sql {
namespace {

int64_t scattered(int64_t i, int64_t among) { return (i * 7919) % among; }

// Format, error, decay, landmark, least, greatest, number of nodes, then the nodes.
TEST(QuantileDigest, BytesOfTwoValues) {
  QuantileDigest digest;
  digest.add(5, 1);
  digest.add(6, 2);
  std::string bytes = digest.serialize();
  const std::string head(
      "\x00\x7b\x14\xae\x47\xe1\x7a\x84\x3f\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"
      "\x05\0\0\0\0\0\0\0\x06\0\0\0\0\0\0\0\x03\0\0\0",
      45);
  const std::string nodes(
      "\x00\0\0\0\0\0\0\xf0\x3f\x05\0\0\0\0\0\0\x80"
      "\x00\0\0\0\0\0\0\x00\x40\x06\0\0\0\0\0\0\x80"
      "\x07\0\0\0\0\0\0\0\0\x05\0\0\0\0\0\0\x80",
      51);
  EXPECT_EQ(bytes, head + nodes);  // both children, level 2 less one
  auto again = QuantileDigest::read(bytes);
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->serialize(), bytes);
  EXPECT_EQ(again->total(), 3);
}

TEST(QuantileDigest, QuantilesOfManyValuesLieWithinTheError) {
  for (double error : {0.001, 0.01, 0.1}) {
    QuantileDigest digest(error), left(error), right(error);
    constexpr int64_t kCount = 100003;
    for (int64_t i = 0; i < kCount; ++i) {
      int64_t value = scattered(i, kCount) - kCount / 2;
      digest.add(value, 1);
      (i % 3 == 0 ? left : right).add(value, 1);
    }
    left.merge(right);
    for (const auto* one : {&digest, &left}) {
      for (double quantile : {0.0, 0.01, 0.5, 0.9, 0.999, 1.0}) {
        double rank = static_cast<double>(one->value_at(quantile) + kCount / 2) / kCount;
        EXPECT_GE(rank, quantile - 0.0001) << error << " " << quantile;
        EXPECT_LE(rank, quantile + error + 0.0001) << error << " " << quantile;
      }
      EXPECT_NEAR(one->share_below(0), 0.5, error);
      EXPECT_EQ(one->total(), kCount);
    }
    auto again = QuantileDigest::read(digest.serialize());
    ASSERT_TRUE(again.has_value());
    EXPECT_NEAR(static_cast<double>(again->value_at(0.5) - digest.value_at(0.5)), 0,
                error * kCount);
    EXPECT_LT(digest.serialize().size(), size_t{64} * 3 * 17 * 1000 / 100 / std::min(error, 0.1));
  }
}

TEST(QuantileDigest, TheWholeRange) {
  QuantileDigest digest;
  EXPECT_EQ(QuantileDigest::read(digest.serialize())->total(), 0);
  for (int64_t value : {INT64_MIN, int64_t{-1}, int64_t{0}, INT64_MAX}) digest.add(value, 1);
  EXPECT_EQ(digest.value_at(0), INT64_MIN);
  EXPECT_EQ(digest.value_at(0.3), -1);
  EXPECT_EQ(digest.value_at(1), INT64_MAX);
  EXPECT_EQ(QuantileDigest::read(digest.serialize())->serialize(), digest.serialize());
}

TEST(QuantileDigest, RefusesOtherBytes) {
  QuantileDigest digest;
  for (int64_t i = 0; i < 50; ++i) digest.add(scattered(i, 1000), 1);
  std::string bytes = digest.serialize();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(QuantileDigest::read(bytes.substr(0, size)).has_value()) << size;
  for (size_t at = 0; at < bytes.size(); ++at) {  // read or refused, never worse
    std::string other = bytes;
    other[at] = static_cast<char>(other[at] ^ 0x41);
    if (auto made = QuantileDigest::read(other)) {
      made->add(7, 1);
      made->merge(digest);
      made->serialize();
    }
  }
  std::string decays = bytes;
  decays[15] = 0x3f;
  EXPECT_FALSE(QuantileDigest::read(decays).has_value());
}

TEST(SetDigest, CountsMergesAndReadsItsOwnBytes) {
  SetDigest few, many;
  auto hash = [](uint64_t n) {  // splitmix64
    n = (n + 1) * 0x9e3779b97f4a7c15;
    n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
    n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
    return n ^ (n >> 31);
  };
  for (uint64_t i = 0; i < 100; ++i) few.add_hash(hash(i));
  for (uint64_t i = 50; i < 150; ++i) many.add_hash(hash(i));
  EXPECT_EQ(few.cardinality(), 100);
  EXPECT_EQ(*few.intersection(many), 50);
  auto again = SetDigest::read(few.serialize());
  ASSERT_TRUE(again.has_value());
  EXPECT_EQ(again->serialize(), few.serialize());
  ASSERT_TRUE(again->merge(many).has_value());
  EXPECT_EQ(again->cardinality(), 150);
  for (uint64_t i = 0; i < 30000; ++i) many.add_hash(hash(i));
  EXPECT_NEAR(static_cast<double>(many.cardinality()), 30000, 3000);
  EXPECT_EQ(many.counts().size(), SetDigest::kHashes);
  EXPECT_TRUE(std::isnan(few.jaccard(SetDigest())));
  std::string bytes = few.serialize();
  for (size_t size = 0; size < bytes.size(); ++size)
    EXPECT_FALSE(SetDigest::read(bytes.substr(0, size)).has_value()) << size;
}

TEST(NumericHistogram, JoinsTheNearest) {
  NumericHistogram histogram(3), other(3);
  for (double value : {1.0, 2.0, 10.0, 1.0, 50.0}) histogram.add(value, 1);
  ASSERT_EQ(histogram.buckets().size(), 3U);
  EXPECT_DOUBLE_EQ(histogram.buckets()[0].mean, 4.0 / 3);
  EXPECT_EQ(histogram.buckets()[0].weight, 3);
  for (int i = 0; i < 1000; ++i) other.add(i % 100, 1);
  other.add(NAN, 1);
  other.merge(histogram);
  double all = 0;
  for (const auto& bucket : other.buckets()) all += bucket.weight;
  EXPECT_EQ(all, 1006);
  EXPECT_EQ(other.buckets().size(), 3U);
}

}  // namespace
}  // namespace aichemy::sql
