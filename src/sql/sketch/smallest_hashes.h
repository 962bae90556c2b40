// The k smallest distinct hashes of a set: what a theta sketch in its compact form is made of
// (Apache DataSketches), exactly, whatever the order in which values come and sets are merged. At
// most 2 k numbers in memory. Not thread safe.
#pragma once

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

namespace aichemy::sql {

class SmallestHashes {
 public:
  explicit SmallestHashes(size_t k) : k_(k) {}

  void add(int64_t hash) {
    if (hash >= bound_) return;  // the bound itself is among them
    hashes_.push_back(hash);
    if (hashes_.size() >= 2 * k_) cut();
  }
  void merge(const SmallestHashes& other) {
    for (int64_t hash : other.hashes_) add(hash);
  }
  // Ascending, at most k.
  const std::vector<int64_t>& sorted() {
    cut();
    return hashes_;
  }

 private:
  size_t k_;
  std::vector<int64_t> hashes_;  // some twice until they are cut
  int64_t bound_ = std::numeric_limits<int64_t>::max();

  void cut() {
    std::ranges::sort(hashes_);
    auto twice = std::ranges::unique(hashes_);
    hashes_.erase(twice.begin(), twice.end());
    if (hashes_.size() < k_) return;
    hashes_.resize(k_);
    bound_ = hashes_.back();
  }
};

}  // namespace aichemy::sql
