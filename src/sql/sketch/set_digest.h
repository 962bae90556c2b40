// A set digest with Trino's serialized form: the least hashes of the values with how often each
// was added (Broder's MinHash with one hash function), and a HyperLogLog for when there are more.
// Bytes: format 1, the HyperLogLog's length and bytes, the greatest number of hashes, their number,
// the hashes in order, their counts.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/sketch/hyperloglog.h"

namespace aichemy::sql {

class SetDigest {
 public:
  static constexpr size_t kHashes = 8192;

  // invalid ("setdigest") for other bytes.
  static Result<SetDigest> read(std::string_view bytes);

  void add_hash(uint64_t hash);
  // invalid ("hyperloglog") when their HyperLogLogs have different numbers of buckets.
  Status merge(const SetDigest& other);
  int64_t cardinality() const;
  // invalid as merge().
  Result<int64_t> intersection(const SetDigest& other) const;
  // NaN when either is empty.
  double jaccard(const SetDigest& other) const;
  const std::map<int64_t, int16_t>& counts() const { return counts_; }
  std::string serialize() const;

 private:
  static constexpr int kIndexBits = 11;
  size_t most_ = kHashes;
  HyperLogLog sketch_{kIndexBits};
  std::map<int64_t, int16_t> counts_;

  bool exact() const { return counts_.size() < most_; }
  void add(int64_t hash, int16_t count);
};

}  // namespace aichemy::sql
