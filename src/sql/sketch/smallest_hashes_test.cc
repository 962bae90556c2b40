#include "sql/sketch/smallest_hashes.h"

#include <gtest/gtest.h>

#include <random>
#include <set>

namespace aichemy::sql {
namespace {

std::vector<int64_t> smallest_of(const std::set<int64_t>& all, size_t k) {
  std::vector<int64_t> out(all.begin(), all.end());
  out.resize(std::min(out.size(), k));
  return out;
}

TEST(SmallestHashesTest, AreThoseOfTheSetWhateverTheOrder) {
  std::mt19937_64 random(7);
  for (size_t values : {0, 1, 9, 10, 11, 19, 20, 21, 1000, 5000}) {
    for (size_t k : {1, 10, 100}) {
      std::set<int64_t> all;
      SmallestHashes one(k), left(k), right(k);
      for (size_t i = 0; i < values; ++i) {
        auto hash = static_cast<int64_t>(random() % 3000);  // many come again
        all.insert(hash);
        one.add(hash);
        (i % 3 == 0 ? left : right).add(hash);
      }
      left.merge(right);
      EXPECT_EQ(one.sorted(), smallest_of(all, k)) << values << " " << k;
      EXPECT_EQ(left.sorted(), smallest_of(all, k)) << values << " " << k;
      one.add(-1);  // after the cut
      all.insert(-1);
      EXPECT_EQ(one.sorted(), smallest_of(all, k)) << values << " " << k;
    }
  }
}

}  // namespace
}  // namespace aichemy::sql
