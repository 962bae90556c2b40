#include "sql/sketch/set_digest.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "sql/sketch/numbers.h"

namespace aichemy::sql {
namespace {

constexpr int8_t kFormat = 1;

std::unexpected<Error> broken() {
  return fail(Code::invalid, "setdigest", "Cannot deserialize set digest");
}

}  // namespace

// Counts stop at the greatest value; the greatest hashes leave.
void SetDigest::add(int64_t hash, int16_t count) {
  auto& here = counts_[hash];
  here = static_cast<int16_t>(std::min<int>(here + count, std::numeric_limits<int16_t>::max()));
  while (counts_.size() > most_) counts_.erase(std::prev(counts_.end()));
}

void SetDigest::add_hash(uint64_t hash) {
  sketch_.add_hash(hash);
  add(static_cast<int64_t>(hash), 1);
}

Status SetDigest::merge(const SetDigest& other) {
  RETURN_IF_ERROR(sketch_.merge(other.sketch_));
  for (auto [hash, count] : other.counts_) add(hash, count);
  return {};
}

int64_t SetDigest::cardinality() const {
  return exact() ? static_cast<int64_t>(counts_.size()) : sketch_.cardinality();
}

double SetDigest::jaccard(const SetDigest& other) const {
  size_t looked_at = std::min(counts_.size(), other.counts_.size());
  if (looked_at == 0) return std::numeric_limits<double>::quiet_NaN();
  std::set<int64_t> all;
  for (const auto* one : {&counts_, &other.counts_}) {
    for (auto [hash, count] : *one) all.insert(hash);
  }
  size_t seen = 0, both = 0;
  for (int64_t hash : all) {
    if (seen++ >= looked_at) break;
    if (counts_.contains(hash) && other.counts_.contains(hash)) ++both;
  }
  return static_cast<double>(both) / static_cast<double>(looked_at);
}

Result<int64_t> SetDigest::intersection(const SetDigest& other) const {
  if (exact() && other.exact()) {
    return std::ranges::count_if(
        counts_, [&](const auto& one) { return other.counts_.contains(one.first); });
  }
  SetDigest all = *this;
  RETURN_IF_ERROR(all.merge(other));
  auto shared = static_cast<int64_t>(
      std::floor(jaccard(other) * static_cast<double>(all.cardinality()) + 0.5));
  // A set within a much greater one: the estimate may exceed the smaller set, which bounds it.
  return std::min({shared, cardinality(), other.cardinality()});
}

std::string SetDigest::serialize() const {
  std::string sketch = sketch_.serialize(), out;
  append(out, kFormat);
  append(out, static_cast<int32_t>(sketch.size()));
  out += sketch;
  append(out, static_cast<int32_t>(most_));
  append(out, static_cast<int32_t>(counts_.size()));
  for (auto [hash, count] : counts_) append(out, hash);
  for (auto [hash, count] : counts_) append(out, count);
  return out;
}

Result<SetDigest> SetDigest::read(std::string_view bytes) {
  SetDigest made;
  int8_t format = 0;
  int32_t length = 0, most = 0, count = 0;
  if (!take(bytes, format) || format != kFormat || !take(bytes, length) || length < 0 ||
      static_cast<size_t>(length) > bytes.size())
    return broken();
  ASSIGN_OR_RETURN(made.sketch_, HyperLogLog::read(bytes.substr(0, static_cast<size_t>(length))));
  bytes.remove_prefix(static_cast<size_t>(length));
  constexpr size_t kEntryBytes = sizeof(int64_t) + sizeof(int16_t);
  if (!take(bytes, most) || !take(bytes, count) || most <= 0 || count < 0 || count > most ||
      bytes.size() != static_cast<size_t>(count) * kEntryBytes)
    return broken();
  made.most_ = static_cast<size_t>(most);
  std::string_view counts = bytes.substr(static_cast<size_t>(count) * sizeof(int64_t));
  for (int32_t i = 0; i < count; ++i) {
    int64_t hash = 0;
    int16_t times = 0;
    if (!take(bytes, hash) || !take(counts, times)) return broken();
    made.counts_[hash] = times;
  }
  return made;
}

}  // namespace aichemy::sql
