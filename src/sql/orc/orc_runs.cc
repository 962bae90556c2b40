#include "sql/orc/orc_runs.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"

namespace aichemy::orc {
namespace {

constexpr size_t kRepeatMin = 3;  // runs are at least so long
constexpr uint8_t kWidths[32] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12, 13, 14, 15, 16,
                                 17, 18, 19, 20, 21, 22, 23, 24, 26, 28, 30, 32, 40, 48, 56, 64};

int width_of(uint8_t first) { return kWidths[(first >> 1) & 31]; }

// The smallest width that exists and holds so many bits; 0 when none does.
int closest_width(int bits) {
  for (int width : kWidths) {
    if (width >= bits) return width;
  }
  return 0;
}

int64_t zigzag(uint64_t bits) {
  return static_cast<int64_t>(bits >> 1) ^ -static_cast<int64_t>(bits & 1);
}

int64_t plus(int64_t a, int64_t b) {
  return static_cast<int64_t>(static_cast<uint64_t>(a) + static_cast<uint64_t>(b));
}

}  // namespace

uint8_t ByteRuns::next() {
  if (left_ == 0) {
    uint8_t control = stream_->byte();
    repeated_ = control < 128;
    left_ = repeated_ ? control + kRepeatMin : 256u - control;
    if (repeated_) value_ = stream_->byte();
  }
  --left_;
  return repeated_ ? value_ : stream_->byte();
}

void IntRuns::read(int64_t* out, size_t count) {
  while (count > 0) {
    if (at_ == filled_) fill();
    size_t take = std::min(count, filled_ - at_);
    std::memcpy(out, values_ + at_, take * sizeof(int64_t));
    at_ += take;
    out += take;
    count -= take;
  }
}

// At least one value; zeros after an error.
void IntRuns::fill() {
  at_ = filled_ = 0;
  if (!failed()) version_2_ ? fill_2() : fill_1();
  if (failed()) {
    std::fill(std::begin(values_), std::end(values_), 0);
    filled_ = kRunMax;
  }
}

int64_t IntRuns::of_bits(uint64_t bits) const {
  return signed_ ? zigzag(bits) : static_cast<int64_t>(bits);
}

int64_t IntRuns::number() { return of_bits(stream_->varint()); }

void IntRuns::fill_1() {
  uint8_t control = stream_->byte();
  if (control >= 128) {
    filled_ = 256u - control;
    for (size_t i = 0; i < filled_; ++i) values_[i] = number();
    return;
  }
  filled_ = control + kRepeatMin;
  auto step = static_cast<int8_t>(stream_->byte());
  int64_t value = number();
  for (size_t i = 0; i < filled_; ++i, value = plus(value, step)) values_[i] = value;
}

void IntRuns::fill_2() {
  uint8_t first = stream_->byte();
  switch (first >> 6) {
    case 0: return short_repeat(first);
    case 1: return direct(first);
    case 2: return patched_base(first);
    default: return delta(first);
  }
}

uint64_t IntRuns::big_endian(int bytes) {
  uint64_t value = 0;
  for (int i = 0; i < bytes; ++i) value = value << 8 | stream_->byte();
  return value;
}

void IntRuns::unpack(int64_t* to, size_t count, int width) {
  char raw[kRunMax * 8 + 16];
  size_t bytes = (count * static_cast<size_t>(width) + 7) / 8;
  stream_->read(raw, bytes);
  std::memset(raw + bytes, 0, 16);
  size_t bit = 0;
  for (size_t i = 0; i < count; ++i, bit += static_cast<size_t>(width)) {
    const char* at = raw + bit / 8;
    auto shift = static_cast<int>(bit % 8);
    uint64_t word = load_big<uint64_t>(at) << shift;
    if (shift + width > 64) word |= static_cast<uint8_t>(at[8]) >> (8 - shift);
    to[i] = static_cast<int64_t>(word >> (64 - width));
  }
}

void IntRuns::short_repeat(uint8_t first) {
  filled_ = (first & 7) + kRepeatMin;
  int64_t value = of_bits(big_endian(((first >> 3) & 7) + 1));
  std::fill_n(values_, filled_, value);
}

void IntRuns::direct(uint8_t first) {
  filled_ = (size_t{first & 1u} << 8 | stream_->byte()) + 1;
  unpack(values_, filled_, width_of(first));
  if (!signed_) return;
  for (size_t i = 0; i < filled_; ++i) values_[i] = zigzag(static_cast<uint64_t>(values_[i]));
}

void IntRuns::patched_base(uint8_t first) {
  filled_ = (size_t{first & 1u} << 8 | stream_->byte()) + 1;
  uint8_t third = stream_->byte(), fourth = stream_->byte();
  int base_bytes = (third >> 5) + 1, patch_width = kWidths[third & 31];
  int gap_width = (fourth >> 5) + 1;
  size_t entries = fourth & 31;
  uint64_t bits = big_endian(base_bytes);
  uint64_t sign = uint64_t{1} << (base_bytes * 8 - 1);
  auto base = static_cast<int64_t>(bits & (sign - 1));
  if (bits & sign) base = -base;
  int width = width_of(first), entry_width = closest_width(gap_width + patch_width);
  if (entry_width == 0 || (entries > 0 && width + patch_width > 64))
    return stream_->fail("a patch is too wide");
  unpack(values_, filled_, width);
  patch(entries, entry_width, patch_width, width);
  for (size_t i = 0; i < filled_; ++i) values_[i] = plus(base, values_[i]);
}

// Entries of the patch list: how far from the one before, and the bits above `width`.
void IntRuns::patch(size_t entries, int entry_width, int patch_width, int width) {
  int64_t list[32];
  unpack(list, entries, entry_width);
  size_t at = 0;
  for (size_t i = 0; i < entries; ++i) {
    auto entry = static_cast<uint64_t>(list[i]);
    uint64_t mask = patch_width == 64 ? UINT64_MAX : (uint64_t{1} << patch_width) - 1;
    at += patch_width == 64 ? 0 : entry >> patch_width;
    uint64_t bits = entry & mask;
    if (at >= filled_) return stream_->fail("a patch lies outside its run");
    // Nothing to add: a gap that is too long for its width.
    if (bits == 0) continue;
    values_[at] = static_cast<int64_t>(static_cast<uint64_t>(values_[at]) | bits << width);
  }
}

void IntRuns::delta(uint8_t first) {
  filled_ = (size_t{first & 1u} << 8 | stream_->byte()) + 1;
  bool fixed = ((first >> 1) & 31) == 0;
  int64_t value = number();
  int64_t step = zigzag(stream_->varint());
  values_[0] = value;
  if (filled_ == 1) return;
  if (fixed) {
    for (size_t i = 1; i < filled_; ++i) values_[i] = value = plus(value, step);
    return;
  }
  values_[1] = value = plus(value, step);
  if (filled_ == 2) return;
  unpack(values_ + 2, filled_ - 2, width_of(first));
  for (size_t i = 2; i < filled_; ++i) {
    int64_t by = step < 0 ? static_cast<int64_t>(-static_cast<uint64_t>(values_[i])) : values_[i];
    values_[i] = value = plus(value, by);
  }
}

}  // namespace aichemy::orc
