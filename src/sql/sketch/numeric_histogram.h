// A histogram of at most n buckets (Ben-Haim and Tom-Tov, "A Streaming Parallel Decision Tree
// Algorithm", JMLR 2010): a bucket is a mean and a weight, and the two neighbours whose union moves
// the values least become one.
#pragma once

#include <cstddef>
#include <vector>

namespace aichemy::sql {

class NumericHistogram {
 public:
  struct Bucket {
    double mean = 0, weight = 0;
  };

  // most >= 2
  explicit NumericHistogram(size_t most = 2) : most_(most) {}
  void add(double value, double weight);
  void merge(const NumericHistogram& other);
  // By mean.
  const std::vector<Bucket>& buckets();

 private:
  static constexpr size_t kWaiting = 100;  // values that may wait for a reduction
  size_t most_ = 2;
  std::vector<Bucket> buckets_;

  void reduce();
};

}  // namespace aichemy::sql
