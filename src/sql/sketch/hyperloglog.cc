#include "sql/sketch/hyperloglog.h"

#include <algorithm>
#include <bit>
#include <cmath>

namespace aichemy::sql {
namespace {

constexpr uint8_t kSparse = 2, kDense = 3, kDeltaMax = 15;

void append(std::string& out, uint64_t value, int bytes) {
  for (int i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

// A cursor over little-endian numbers.
struct Input {
  std::string_view left;
  bool take(uint64_t& value, size_t bytes) {
    if (left.size() < bytes) return false;
    value = 0;
    for (size_t i = 0; i < bytes; ++i)
      value |= static_cast<uint64_t>(static_cast<unsigned char>(left[i])) << (8 * i);
    left.remove_prefix(bytes);
    return true;
  }
};

std::unexpected<Error> broken() {
  return fail(Code::invalid, "hyperloglog", "Cannot deserialize HyperLogLog");
}

uint8_t zeros_after(uint64_t hash, int prefix) {
  return static_cast<uint8_t>(std::countl_zero((hash << prefix) | (uint64_t{1} << (prefix - 1))));
}

double linear_counting(double empty, double all) { return all * std::log(all / empty); }

}  // namespace

void HyperLogLog::add_hash(uint64_t hash) {
  if (!dense_.empty()) {
    insert(static_cast<uint32_t>(hash >> (64 - index_bits_)),
           static_cast<uint8_t>(zeros_after(hash, index_bits_) + 1));
    return;
  }
  auto& zeros = sparse_[static_cast<uint32_t>(hash >> (64 - kPrefixBits))];
  zeros = std::max(zeros, zeros_after(hash, kPrefixBits));
  size_t buckets = size_t{1} << index_bits_;
  if (sparse_.size() * 4 > buckets / 2) make_dense();
}

void HyperLogLog::make_dense() {
  dense_.assign(size_t{1} << index_bits_, 0);
  for (auto [prefix, behind] : sparse_) {
    int between = kPrefixBits - index_bits_;
    uint32_t low = prefix & ((uint32_t{1} << between) - 1);
    int zeros = low == 0 ? between + behind : std::countl_zero(low) - (32 - between);
    insert(prefix >> between, static_cast<uint8_t>(zeros + 1));
  }
  sparse_.clear();
}

void HyperLogLog::insert(uint32_t bucket, uint8_t value) {
  dense_[bucket] = std::max(dense_[bucket], value);
}

Status HyperLogLog::merge(const HyperLogLog& other) {
  if (index_bits_ != other.index_bits_) {
    return fail(Code::invalid, "hyperloglog", "Cannot merge HLLs with different number of buckets");
  }
  if (dense_.empty() && other.dense_.empty()) {
    for (auto [prefix, zeros] : other.sparse_) {
      auto& here = sparse_[prefix];
      here = std::max(here, zeros);
    }
    if (sparse_.size() * 4 > (size_t{1} << index_bits_) / 2) make_dense();
    return {};
  }
  if (dense_.empty()) make_dense();
  HyperLogLog copy = other;
  if (copy.dense_.empty()) copy.make_dense();
  for (size_t i = 0; i < dense_.size(); ++i) dense_[i] = std::max(dense_[i], copy.dense_[i]);
  return {};
}

int64_t HyperLogLog::cardinality() const {
  if (dense_.empty()) {
    double all = std::exp2(kPrefixBits);
    return std::llround(linear_counting(all - static_cast<double>(sparse_.size()), all));
  }
  auto m = static_cast<double>(dense_.size());
  constexpr double kEmptyEnough = 0.4;
  std::vector<double> counts(66);
  for (uint8_t value : dense_) counts[std::min<size_t>(value, 65)] += 1;
  if (counts[0] > kEmptyEnough * m) return std::llround(linear_counting(counts[0], m));
  // Ertl, "New cardinality estimation algorithms for HyperLogLog sketches", algorithm 6.
  auto sigma = [](double x) {
    if (x == 1) return HUGE_VAL;
    double y = 1, z = x, before = 0;
    while (z != before) {
      x *= x;
      before = z;
      z += x * y;
      y += y;
    }
    return z;
  };
  auto tau = [](double x) {
    if (x == 0 || x == 1) return 0.0;
    double y = 1, z = 1 - x, before = 0;
    while (z != before) {
      x = std::sqrt(x);
      before = z;
      y /= 2;
      z -= (1 - x) * (1 - x) * y;
    }
    return z / 3;
  };
  int q = 64 - index_bits_;
  double z = m * tau(1 - counts[static_cast<size_t>(q) + 1] / m);
  for (int k = q; k >= 1; --k) z = (z + counts[static_cast<size_t>(k)]) / 2;
  z += m * sigma(counts[0] / m);
  return std::llround(m * m / (2 * std::log(2.0) * z));
}

std::string HyperLogLog::serialize() const {
  std::string out;
  if (dense_.empty()) {
    append(out, kSparse, 1);
    append(out, static_cast<uint64_t>(index_bits_), 1);
    append(out, sparse_.size(), 2);
    for (auto [prefix, zeros] : sparse_) append(out, (uint64_t{prefix} << 6) | zeros, 4);
    return out;
  }
  uint8_t baseline = *std::ranges::min_element(dense_);
  append(out, kDense, 1);
  append(out, static_cast<uint64_t>(index_bits_), 1);
  append(out, baseline, 1);
  std::vector<std::pair<size_t, uint8_t>> overflows;
  for (size_t i = 0; i < dense_.size(); i += 2) {
    uint8_t nibbles = 0;
    for (size_t k = i; k < i + 2; ++k) {
      auto delta = static_cast<uint8_t>(dense_[k] - baseline);
      if (delta > kDeltaMax) overflows.emplace_back(k, static_cast<uint8_t>(delta - kDeltaMax));
      nibbles = static_cast<uint8_t>(nibbles << 4 | std::min(delta, kDeltaMax));
    }
    append(out, nibbles, 1);
  }
  append(out, overflows.size(), 2);
  for (auto [bucket, value] : overflows) append(out, bucket, 2);
  for (auto [bucket, value] : overflows) append(out, value, 1);
  return out;
}

Result<HyperLogLog> HyperLogLog::read(std::string_view bytes) {
  Input input{bytes};
  uint64_t tag = 0, bits = 0;
  if (!input.take(tag, 1) || !input.take(bits, 1) || bits < 1 || bits > 16) return broken();
  HyperLogLog made(static_cast<int>(bits));
  uint64_t count = 0, value = 0;
  if (tag == kSparse) {
    if (!input.take(count, 2)) return broken();
    for (uint64_t i = 0; i < count; ++i) {
      if (!input.take(value, 4)) return broken();
      made.sparse_[static_cast<uint32_t>(value >> 6)] = static_cast<uint8_t>(value & 63);
    }
    return input.left.empty() ? Result<HyperLogLog>(std::move(made)) : broken();
  }
  uint64_t baseline = 0;
  if (tag != kDense || !input.take(baseline, 1)) return broken();
  made.dense_.resize(size_t{1} << bits);
  for (size_t i = 0; i < made.dense_.size(); i += 2) {
    if (!input.take(value, 1)) return broken();
    made.dense_[i] = static_cast<uint8_t>(baseline + (value >> 4));
    if (i + 1 < made.dense_.size())
      made.dense_[i + 1] = static_cast<uint8_t>(baseline + (value & 15));
  }
  if (!input.take(count, 2)) return broken();
  std::vector<size_t> buckets;
  for (uint64_t i = 0; i < count; ++i) {
    if (!input.take(value, 2) || value >= made.dense_.size()) return broken();
    buckets.push_back(value);
  }
  for (size_t bucket : buckets) {
    if (!input.take(value, 1)) return broken();
    made.dense_[bucket] = static_cast<uint8_t>(made.dense_[bucket] + value);
  }
  return input.left.empty() ? Result<HyperLogLog>(std::move(made)) : broken();
}

}  // namespace aichemy::sql
