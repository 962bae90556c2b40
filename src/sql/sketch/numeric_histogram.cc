#include "sql/sketch/numeric_histogram.h"

#include <algorithm>
#include <cmath>
#include <set>
#include <utility>

namespace aichemy::sql {

void NumericHistogram::add(double value, double weight) {
  if (buckets_.size() >= most_ + kWaiting) reduce();
  buckets_.push_back({value, weight});
}

void NumericHistogram::merge(const NumericHistogram& other) {
  buckets_.insert(buckets_.end(), other.buckets_.begin(), other.buckets_.end());
  reduce();
}

const std::vector<NumericHistogram::Bucket>& NumericHistogram::buckets() {
  reduce();
  return buckets_;
}

void NumericHistogram::reduce() {
  std::ranges::sort(buckets_, [](const Bucket& a, const Bucket& b) {
    return a.mean < b.mean || (!std::isnan(a.mean) && std::isnan(b.mean));
  });
  size_t kept = 0;
  for (size_t i = 1; i < buckets_.size(); ++i) {
    if (buckets_[i].mean == buckets_[kept].mean)
      buckets_[kept].weight += buckets_[i].weight;
    else
      buckets_[++kept] = buckets_[i];
  }
  if (!buckets_.empty()) buckets_.resize(kept + 1);
  if (buckets_.size() <= most_) return;

  // Neighbours by what their union costs: the growth of the sum of squares.
  size_t count = buckets_.size(), left = count;
  std::vector<size_t> next(count), before(count);
  std::vector<double> costs(count);
  std::set<std::pair<double, size_t>> order;
  auto cost = [&](size_t i) {
    const Bucket &a = buckets_[i], &b = buckets_[next[i]];
    double all = a.weight + b.weight, apart = a.mean - b.mean;
    double made = all * (apart * apart) * ((a.weight * b.weight) / (all * all));
    return std::isnan(made) ? HUGE_VAL : made;
  };
  auto enter = [&](size_t i) {
    costs[i] = cost(i);
    order.emplace(costs[i], i);
  };
  for (size_t i = 0; i < count; ++i) {
    next[i] = i + 1;
    before[i] = i == 0 ? count : i - 1;
  }
  for (size_t i = 0; i + 1 < count; ++i) enter(i);
  std::vector<bool> gone(count);
  for (; left > most_; --left) {
    size_t i = order.begin()->second, right = next[i];
    order.erase(order.begin());
    if (next[right] < count) order.erase({costs[right], right});
    Bucket &a = buckets_[i], &b = buckets_[right];
    double all = a.weight + b.weight;
    a = {(a.mean * a.weight + b.mean * b.weight) / all, all};
    gone[right] = true;
    next[i] = next[right];
    if (next[i] < count) {
      before[next[i]] = i;
      enter(i);
    }
    if (before[i] < count) {
      order.erase({costs[before[i]], before[i]});
      enter(before[i]);
    }
  }
  size_t at = 0;
  for (size_t i = 0; i < count; ++i) {
    if (!gone[i]) buckets_[at++] = buckets_[i];
  }
  buckets_.resize(at);
}

}  // namespace aichemy::sql
