#include "sql/sketch/tdigest.h"

#include <algorithm>
#include <cmath>

#include "sql/sketch/numbers.h"

namespace aichemy::sql {
namespace {

double between(double x, double x0, double y0, double x1, double y1) {
  return y0 + (x - x0) / (x1 - x0) * (y1 - y0);
}

}  // namespace

void TDigest::add(double value, double weight) {
  if (centroids_.size() >= capacity()) compress(2 * compression_);
  centroids_.push_back({value, weight});
  total_ += weight;
  min_ = std::min(min_, value);
  max_ = std::max(max_, value);
}

void TDigest::merge(const TDigest& other) {
  centroids_.insert(centroids_.end(), other.centroids_.begin(), other.centroids_.end());
  total_ += other.total_;
  min_ = std::min(min_, other.min_);
  max_ = std::max(max_, other.max_);
  sorted_ = 0;
  if (centroids_.size() > capacity()) compress(2 * compression_);
}

// Neighbours join while the cluster stays below its share of q (1 - q); passes go in turns from
// both ends so that neither is favoured.
void TDigest::compress(double compression) {
  if (centroids_.empty()) return;
  std::ranges::sort(centroids_, {}, &Centroid::mean);
  if (backwards_) std::ranges::reverse(centroids_);
  double normalizer = compression / (4 * std::log(total_ / compression) + 24);
  auto share = [&](double q) { return q * (1 - q) / normalizer; };
  std::vector<Centroid> made;
  Centroid current = centroids_[0];
  double before = 0, share_before = share(0);
  for (size_t i = 1; i < centroids_.size(); ++i) {
    const Centroid& next = centroids_[i];
    double weight = current.weight + next.weight;
    double q = std::min((before + weight) / total_, 1.0);
    if (weight <= total_ * std::min(share_before, share(q))) {
      current.mean += (next.mean - current.mean) * next.weight / weight;
      current.weight = weight;
      continue;
    }
    made.push_back(current);
    before += current.weight;
    share_before = share(before / total_);
    current = next;
  }
  made.push_back(current);
  if (backwards_) std::ranges::reverse(made);
  backwards_ = !backwards_;
  centroids_ = std::move(made);
  sorted_ = centroids_.size();
}

double TDigest::value_at(double quantile) {
  if (centroids_.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (sorted_ != centroids_.size()) compress(2 * compression_);
  const auto& c = centroids_;
  if (c.size() == 1) return c[0].mean;
  double at = quantile * total_, first = c.front().weight / 2, last = c.back().weight / 2;
  if (at < 1) return min_;
  if (at < first) return between(at, 1, min_, first, c.front().mean);
  if (at >= total_ - 1) return max_;
  if (total_ - at <= last && last > 1) return between(total_ - at, 1, max_, last, c.back().mean);
  double before = first;
  for (size_t i = 0; i + 1 < c.size(); ++i) {
    double span = (c[i].weight + c[i + 1].weight) / 2;
    if (before + span <= at) {
      before += span;
      continue;
    }
    // A cluster of one value is that value, not a slope.
    if (c[i].weight == 1 && at - before < 0.5) return c[i].mean;
    if (c[i + 1].weight == 1 && at - before >= c[i].weight / 2) return c[i + 1].mean;
    double offset = at - before, length = span;
    if (c[i].weight == 1) {
      offset -= 0.5;
      length = c[i + 1].weight / 2;
    } else if (c[i + 1].weight == 1) {
      length = c[i].weight / 2;
    }
    return between(offset, 0, c[i].mean, length, c[i + 1].mean);
  }
  return last > 1 ? between(total_ - at, 1, max_, last, c.back().mean) : max_;
}

double TDigest::quantile_at(double value) {
  if (centroids_.empty()) return std::numeric_limits<double>::quiet_NaN();
  if (value < min_) return 0;
  if (value >= max_) return 1;
  double low = 0, high = 1;
  for (int i = 0; i < 64; ++i) {
    double middle = (low + high) / 2;
    (value_at(middle) <= value ? low : high) = middle;
  }
  return low;
}

std::string TDigest::serialize() {
  compress(compression_);
  std::string out;
  append<int8_t>(out, 0);
  append(out, min_);
  append(out, max_);
  append(out, compression_);
  append(out, total_);
  append(out, static_cast<int32_t>(centroids_.size()));
  for (const auto& one : centroids_) append(out, one.mean);
  for (const auto& one : centroids_) append(out, one.weight);
  return out;
}

Result<TDigest> TDigest::read(std::string_view bytes) {
  auto broken = [] { return fail(Code::invalid, "tdigest", "Cannot deserialize t-digest"); };
  TDigest made;
  int8_t tag = 0;
  int32_t count = 0;
  bool good = take(bytes, tag) && tag == 0 && take(bytes, made.min_) && take(bytes, made.max_) &&
              take(bytes, made.compression_) && take(bytes, made.total_) && take(bytes, count);
  if (!good || count < 0 || bytes.size() != static_cast<size_t>(count) * 16 ||
      !(made.compression_ >= 10))
    return broken();
  made.centroids_.resize(static_cast<size_t>(count));
  for (auto& one : made.centroids_) take(bytes, one.mean);
  for (auto& one : made.centroids_) take(bytes, one.weight);
  made.sorted_ = made.centroids_.size();
  return made;
}

}  // namespace aichemy::sql
