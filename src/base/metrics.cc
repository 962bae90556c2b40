#include "base/metrics.h"

#include <algorithm>
#include <bit>

#include <fmt/core.h>

namespace aichemy {
namespace {

void head(std::string& out, std::string_view name, std::string_view help, std::string_view type) {
  out += fmt::format("# HELP {} {}\n# TYPE {} {}\n", name, help, name, type);
}

std::string sample(std::string_view name, std::string_view labels) {
  return labels.empty() ? std::string(name) : fmt::format("{}{{{}}}", name, labels);
}

}  // namespace

void Histogram::observe_micros(uint64_t micros) {
  int bucket = std::min<int>(std::bit_width(micros), kBuckets - 1);
  counts_[bucket].fetch_add(1, std::memory_order_relaxed);
  sum_micros_.fetch_add(micros, std::memory_order_relaxed);
}

void Histogram::expose(std::string& out, std::string_view name, std::string_view labels) const {
  uint64_t total = 0;
  std::string_view comma = labels.empty() ? "" : ",";
  for (int i = 0; i < kBuckets; ++i) {
    total += counts_[i].load(std::memory_order_relaxed);
    std::string limit =
        i == kBuckets - 1 ? "+Inf" : fmt::format("{}", static_cast<double>((1ull << i) - 1) / 1e6);
    out += fmt::format("{}_bucket{{{}{}le=\"{}\"}} {}\n", name, labels, comma, limit, total);
  }
  double sum = static_cast<double>(sum_micros_.load(std::memory_order_relaxed)) / 1e6;
  out += fmt::format("{} {}\n", sample(fmt::format("{}_sum", name), labels), sum);
  out += fmt::format("{} {}\n", sample(fmt::format("{}_count", name), labels), total);
}

template <class T>
T& Metrics::instrument(std::map<std::string, Family<T>, std::less<>>& families,
                       std::string_view name, std::string_view help, std::string_view labels) {
  std::lock_guard lock(mutex_);
  auto& family = families[std::string(name)];
  if (family.help.empty()) family.help = help;
  return family.by_labels[std::string(labels)];
}

Counter& Metrics::counter(std::string_view name, std::string_view help, std::string_view labels) {
  return instrument(counters_, name, help, labels);
}

Gauge& Metrics::gauge(std::string_view name, std::string_view help, std::string_view labels) {
  return instrument(gauges_, name, help, labels);
}

Histogram& Metrics::histogram(std::string_view name, std::string_view help,
                              std::string_view labels) {
  return instrument(histograms_, name, help, labels);
}

void Metrics::gauge_callback(std::string_view name, std::string_view help,
                             std::function<int64_t()> read) {
  std::lock_guard lock(mutex_);
  callbacks_[std::string(name)] = {std::string(help), std::move(read)};
}

std::string Metrics::expose() const {
  std::lock_guard lock(mutex_);
  std::string out;
  for (const auto& [name, family] : counters_) {
    head(out, name, family.help, "counter");
    for (const auto& [labels, value] : family.by_labels) {
      out += fmt::format("{} {}\n", sample(name, labels), value.value());
    }
  }
  for (const auto& [name, family] : gauges_) {
    head(out, name, family.help, "gauge");
    for (const auto& [labels, value] : family.by_labels) {
      out += fmt::format("{} {}\n", sample(name, labels), value.value());
    }
  }
  for (const auto& [name, entry] : callbacks_) {
    head(out, name, entry.first, "gauge");
    out += fmt::format("{} {}\n", name, entry.second());
  }
  for (const auto& [name, family] : histograms_) {
    head(out, name, family.help, "histogram");
    for (const auto& [labels, value] : family.by_labels) value.expose(out, name, labels);
  }
  return out;
}

}  // namespace aichemy
