// Metrics, exposed in Prometheus' text format 0.0.4. A module keeps references to its instruments:
// updating one is one atomic operation. The registry owns them and must outlive their users.
#pragma once

#include <atomic>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

namespace aichemy {

class Counter {
 public:
  void add(uint64_t by = 1) { value_.fetch_add(by, std::memory_order_relaxed); }
  uint64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<uint64_t> value_{0};
};

class Gauge {
 public:
  void set(int64_t to) { value_.store(to, std::memory_order_relaxed); }
  void add(int64_t by) { value_.fetch_add(by, std::memory_order_relaxed); }
  int64_t value() const { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<int64_t> value_{0};
};

// Buckets of powers of two from 1 us up: enough to read a p99 within a factor of two, at one atomic
// add.
class Histogram {
 public:
  static constexpr int kBuckets = 28;  // the last one: 134 s and more
  void observe_micros(uint64_t micros);
  void expose(std::string& out, std::string_view name, std::string_view labels) const;

 private:
  std::atomic<uint64_t> counts_[kBuckets]{};
  std::atomic<uint64_t> sum_micros_{0};
};

class Metrics {
 public:
  // `labels` is the text between the braces, e.g. method="GET"; the same name and labels give the
  // same instrument. Names follow Prometheus: aichemy_<module>_<thing>_<unit>, counters end in
  // _total.
  Counter& counter(std::string_view name, std::string_view help, std::string_view labels = {});
  Gauge& gauge(std::string_view name, std::string_view help, std::string_view labels = {});
  Histogram& histogram(std::string_view name, std::string_view help, std::string_view labels = {});
  // A gauge read at exposition.
  void gauge_callback(std::string_view name, std::string_view help, std::function<int64_t()> read);

  std::string expose() const;

 private:
  template <class T>
  struct Family {
    std::string help;
    std::map<std::string, T, std::less<>> by_labels;
  };
  mutable std::mutex mutex_;
  std::map<std::string, Family<Counter>, std::less<>> counters_;
  std::map<std::string, Family<Gauge>, std::less<>> gauges_;
  std::map<std::string, Family<Histogram>, std::less<>> histograms_;
  std::map<std::string, std::pair<std::string, std::function<int64_t()>>, std::less<>> callbacks_;

  template <class T>
  T& instrument(std::map<std::string, Family<T>, std::less<>>& families, std::string_view name,
                std::string_view help, std::string_view labels);
};

}  // namespace aichemy
