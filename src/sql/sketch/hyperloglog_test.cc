#include "sql/sketch/hyperloglog.h"

#include <gtest/gtest.h>

#include <cmath>

#include "sql/sketch/tdigest.h"

namespace aichemy::sql {
namespace {

// splitmix64: hashes for a test.
uint64_t hash_of(uint64_t n) {
  n = (n + 1) * 0x9e3779b97f4a7c15;
  n = (n ^ (n >> 30)) * 0xbf58476d1ce4e5b9;
  n = (n ^ (n >> 27)) * 0x94d049bb133111eb;
  return n ^ (n >> 31);
}

TEST(HyperLogLog, EstimatesAndReadsItsOwnBytes) {
  for (uint64_t count : {0, 1, 100, 500, 3000, 20000, 1000000}) {
    HyperLogLog sketch;
    for (uint64_t i = 0; i < count; ++i) sketch.add_hash(hash_of(i));
    auto estimate = static_cast<double>(sketch.cardinality());
    EXPECT_LE(std::abs(estimate - static_cast<double>(count)), 0.05 * static_cast<double>(count));
    auto again = HyperLogLog::read(sketch.serialize());
    ASSERT_TRUE(again.has_value());
    EXPECT_EQ(again->cardinality(), sketch.cardinality());
    EXPECT_EQ(again->serialize(), sketch.serialize());
  }
  EXPECT_FALSE(HyperLogLog::read("").has_value());
  EXPECT_FALSE(HyperLogLog::read(std::string("\x02\x0c\x05\x00", 4)).has_value());
}

TEST(HyperLogLog, MergesSparseAndDense) {
  HyperLogLog few, many;
  for (uint64_t i = 0; i < 100; ++i) few.add_hash(hash_of(i));
  for (uint64_t i = 50; i < 5000; ++i) many.add_hash(hash_of(i));
  ASSERT_TRUE(few.merge(many).has_value());
  EXPECT_NEAR(static_cast<double>(few.cardinality()), 5000, 250);
}

TEST(TDigest, QuantilesOfManyValues) {
  TDigest digest;
  for (int i = 1; i <= 100000; ++i) digest.add((i * 7919LL) % 100003, 1);
  EXPECT_NEAR(digest.value_at(0.5), 50000, 1000);
  EXPECT_NEAR(digest.value_at(0.99), 99000, 300);
  auto again = TDigest::read(digest.serialize());
  ASSERT_TRUE(again.has_value());
  EXPECT_NEAR(again->value_at(0.5), 50000, 2000);
  EXPECT_FALSE(TDigest::read("x").has_value());
}

}  // namespace
}  // namespace aichemy::sql
