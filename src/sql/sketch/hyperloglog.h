// HyperLogLog with the serialized forms of airlift's, which Trino writes: sparse (tag 2: sorted
// 26-bit prefixes with 6 bits of what follows) and dense (tag 3: a baseline, 4-bit deltas and
// overflows).
// Estimates use linear counting while it is exact enough and Ertl's improved estimator above.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::sql {

class HyperLogLog {
 public:
  static constexpr int kIndexBits = 12;  // of approx_set: 4096 buckets

  explicit HyperLogLog(int index_bits = kIndexBits) : index_bits_(index_bits) {}
  // invalid ("hyperloglog") for other bytes.
  static Result<HyperLogLog> read(std::string_view bytes);

  void add_hash(uint64_t hash);
  // Both must have as many buckets: invalid otherwise.
  Status merge(const HyperLogLog& other);
  int64_t cardinality() const;
  std::string serialize() const;

 private:
  static constexpr int kPrefixBits = 26;
  int index_bits_ = kIndexBits;
  std::map<uint32_t, uint8_t> sparse_;  // prefix: zeros behind it
  std::vector<uint8_t> dense_;          // per bucket; empty: sparse

  void make_dense();
  void insert(uint32_t bucket, uint8_t value);
};

}  // namespace aichemy::sql
