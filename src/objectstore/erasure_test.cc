#include "objectstore/erasure.h"

#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/random.h"
#include "objectstore/checksum_set.h"
#include "objectstore/record.h"

namespace aichemy::objectstore {
namespace {

TEST(Erasure, AnyTwoShardsGiveBackTheOthers) {
  SeededRandom random(1);
  for (size_t bytes : {1u, 31u, 64u, 1000u, 65'536u}) {
    std::array<std::string, kShards> original;
    std::array<char*, kShards> places;
    for (size_t i = 0; i < kShards; ++i) {
      original[i] = random.bytes(bytes);
      places[i] = original[i].data();
    }
    encode_parity(places, bytes);
    for (uint8_t present = 0; present < 16; ++present) {
      auto wanted = static_cast<uint8_t>(~present & 0x0f);
      std::array<std::string, kShards> damaged = original;
      for (size_t i = 0; i < kShards; ++i) {
        if (wanted & 1 << i) damaged[i].assign(bytes, 'x');
        places[i] = damaged[i].data();
      }
      auto rebuilt = rebuild_shards(places, bytes, present, wanted);
      EXPECT_EQ(rebuilt.has_value(), std::popcount(present) >= kDataShards);
      if (rebuilt) EXPECT_TRUE(damaged == original) << bytes << " from " << int{present};
    }
  }
}

TEST(Records, ComeBackAsTheyWere) {
  Record record;
  record.kind = RecordKind::object;
  record.time_micros = 1'700'000'000'000'000;
  record.size = uint64_t{5} << 30;
  record.etag = "abc-2";
  record.content_type = "text/plain";
  record.metadata = {{"x-amz-meta-a", "b"}, {"cache-control", ""}};
  record.checksums = {{"crc32", "AAAA"}};
  record.checksum_type = "COMPOSITE";
  record.parts = {{1, {Layout::files, 7, 100}, "e1", {}},
                  {2, {Layout::coded, 9, 50}, "e2", {{"crc32", "x"}}}};
  std::string bytes = encode_record(record);
  auto back = decode_record(bytes);
  ASSERT_TRUE(back);
  EXPECT_EQ(encode_record(*back), bytes);
  EXPECT_EQ(back->parts[1].extent.id, 9u);
  for (size_t i = 0; i < bytes.size(); ++i) {
    std::string bad = bytes;
    bad[i] = static_cast<char>(bad[i] ^ 4);
    EXPECT_FALSE(decode_record(bad)) << i;
    EXPECT_FALSE(decode_record(bytes.substr(0, i))) << i;
  }
}

TEST(Records, SlotKeysSortAsObjectKeys) {
  EXPECT_LT(entry_key(object_slot("b", "a"), 1), entry_key(object_slot("b", "a\x01"), 1));
  EXPECT_LT(entry_key(object_slot("b", "a"), 9),
            entry_key(object_slot("b", "a"), 8));  // newest first
  auto key = parse_entry_key(entry_key(object_slot("b", "a"), 77));
  EXPECT_EQ(parse_entry_key("oshort").error().code, Code::corrupt);
  EXPECT_EQ(lock_name(object_slot("b", "k")), "b/k");
  std::string upload(kUploadIdBytes, 'f');
  EXPECT_EQ(lock_name(upload_slot("b", "k", upload)), "b/k");
  EXPECT_EQ(lock_name(part_slot("b", "k", upload, 10'000)), "b/k");
}

TEST(Checksums, CombineLikeTheWhole) {
  SeededRandom random(3);
  for (const char* algorithm : {"crc32", "crc32c", "crc64nvme"}) {
    for (size_t split : {0u, 1u, 100u, 5'000u}) {
      std::string bytes = random.bytes(5'000);
      auto first = from_base64(checksum_of(algorithm, bytes.substr(0, split)));
      auto second = from_base64(checksum_of(algorithm, bytes.substr(split)));
      auto both = combine_checksums(algorithm, *first, *second, bytes.size() - split);
      EXPECT_EQ(to_base64(*both), checksum_of(algorithm, bytes)) << algorithm << split;
    }
  }
  EXPECT_FALSE(combine_checksums("sha1", "x", "y", 1));
}

}  // namespace
}  // namespace aichemy::objectstore
