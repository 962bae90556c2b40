// A merging t-digest (Dunning, Ertl) with the serialized form of airlift's, which Trino writes: tag
// 0, min, max, compression, total weight, the number of centroids, their means, their weights.
#pragma once

#include <limits>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::sql {

class TDigest {
 public:
  static constexpr double kCompression = 100;

  explicit TDigest(double compression = kCompression) : compression_(compression) {}
  // invalid ("tdigest") for other bytes.
  static Result<TDigest> read(std::string_view bytes);

  // value and weight finite, weight above 0.
  void add(double value, double weight);
  void merge(const TDigest& other);
  // quantiles in [0, 1]; NaN when nothing was added.
  double value_at(double quantile);
  double quantile_at(double value);
  std::string serialize();

 private:
  struct Centroid {
    double mean = 0, weight = 0;
  };
  double compression_ = kCompression, total_ = 0;
  double min_ = std::numeric_limits<double>::infinity();
  double max_ = -std::numeric_limits<double>::infinity();
  std::vector<Centroid> centroids_;
  size_t sorted_ = 0;  // as many are merged already
  bool backwards_ = false;

  void compress(double compression);
  size_t capacity() const { return static_cast<size_t>(6 * (2 * compression_ + 10)); }
};

}  // namespace aichemy::sql
