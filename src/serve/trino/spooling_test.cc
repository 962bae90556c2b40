#include "serve/trino/spooling.h"

#include <gtest/gtest.h>
#include <lz4.h>
#include <zstd.h>

#include "objectstore/memory_store.h"

namespace aichemy::serve::trino {
namespace {

TEST(Spooling, TheFirstKnownEncodingIsTaken) {
  EXPECT_EQ(choose_encoding("arrow, json+lz4,json"), DataEncoding::json_lz4);
  EXPECT_EQ(choose_encoding("json"), DataEncoding::json);
  EXPECT_FALSE(choose_encoding(""));
  EXPECT_FALSE(choose_encoding("arrow"));
}

TEST(Spooling, RowsComeBack) {
  std::string rows = "[";
  for (int i = 0; i < 10'000; ++i) rows += "[1,\"some text\"],";
  rows.back() = ']';
  auto zstd = encode_rows(DataEncoding::json_zstd, rows);
  ASSERT_TRUE(zstd);
  EXPECT_LT(zstd->bytes.size(), rows.size() / 10);
  std::string back(zstd->raw_bytes, ' ');
  EXPECT_EQ(ZSTD_getFrameContentSize(zstd->bytes.data(), zstd->bytes.size()), rows.size());
  ZSTD_decompress(back.data(), back.size(), zstd->bytes.data(), zstd->bytes.size());
  EXPECT_EQ(back, rows);
  auto lz4 = encode_rows(DataEncoding::json_lz4, rows);
  ASSERT_TRUE(lz4);
  back.assign(lz4->raw_bytes, ' ');
  LZ4_decompress_safe(lz4->bytes.data(), back.data(), static_cast<int>(lz4->bytes.size()),
                      static_cast<int>(back.size()));
  EXPECT_EQ(back, rows);
  auto small = encode_rows(DataEncoding::json_zstd, "[[1]]");
  EXPECT_EQ(small->bytes, "[[1]]");
  EXPECT_EQ(small->raw_bytes, 0u);
}

class SegmentStoreTest : public testing::Test {
 protected:
  SystemRandom random_;
  FakeClock clock_;
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  SegmentStore segments_{SegmentStoreOptions{.store = store_,
                                             .clock = clock_,
                                             .random = random_,
                                             .metrics = metrics_,
                                             .memory_bytes_max = 10,
                                             .bytes_max = 30,
                                             .time_to_live = std::chrono::seconds(60)}};
};

TEST_F(SegmentStoreTest, MemoryThenObjectsThenNoMore) {
  auto first = segments_.put("q1", "0123456789");
  auto second = segments_.put("q1", "abcdefghij");
  ASSERT_TRUE(first && second);
  EXPECT_TRUE(segments_.in_memory(first->name));
  EXPECT_FALSE(segments_.in_memory(second->name));
  EXPECT_EQ(*segments_.fetch(second->name).value(), "abcdefghij");
  EXPECT_EQ(store_.list(Call{}, "aichemy-spooling", {})->objects.size(), 1u);
  auto refused = segments_.put("q2", "more than is left");
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is("GENERIC_INSUFFICIENT_RESOURCES"));
  segments_.acknowledge(second->name);
  segments_.acknowledge(second->name);
  EXPECT_FALSE(segments_.fetch(second->name));
  EXPECT_EQ(store_.list(Call{}, "aichemy-spooling", {})->objects.size(), 0u);
  EXPECT_EQ(segments_.bytes(), 10u);
}

TEST_F(SegmentStoreTest, TheyExpireAndAreForgotten) {
  auto first = segments_.put("q1", "0123456789");
  auto second = segments_.put("q1", "abcdefghij");
  auto other = segments_.put("q2", "x");
  segments_.forget("q1");
  EXPECT_FALSE(segments_.fetch(first->name));
  EXPECT_TRUE(segments_.fetch(other->name));
  clock_.advance(std::chrono::seconds(61));
  segments_.expire();
  EXPECT_EQ(segments_.bytes(), 0u);
  EXPECT_EQ(store_.list(Call{}, "aichemy-spooling", {})->objects.size(), 0u);
}

TEST_F(SegmentStoreTest, AStartEmptiesTheBucket) {
  ASSERT_TRUE(store_.create_bucket(Call{}, "aichemy-spooling"));
  ASSERT_TRUE(store_.put(Call{}, "aichemy-spooling", "old", "bytes"));
  ASSERT_TRUE(segments_.start());
  EXPECT_EQ(store_.list(Call{}, "aichemy-spooling", {})->objects.size(), 0u);
}

}  // namespace
}  // namespace aichemy::serve::trino
