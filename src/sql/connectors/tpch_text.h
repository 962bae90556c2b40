// Word lists, random streams and the text pool of TPC-H. Internal to the generator.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace aichemy::sql {

// dbgen's random numbers: one multiplicative congruential sequence a column, with a fixed number of
// draws a unit, so that unit n starts at a known place.
class TpchStream {
 public:
  TpchStream(uint64_t seed, uint32_t draws_per_unit) : seed_(seed), per_unit_(draws_per_unit) {}
  void start(uint64_t unit) {
    skip(unit * per_unit_);
    used_ = 0;
  }
  int64_t next(int64_t low, int64_t high) {
    seed_ = seed_ * kMultiplier % kModulus;
    ++used_;
    // dbgen computes the range in 32 bits: a full range overflows to a negative one, and the
    // texts made from it depend on that.
    auto range = static_cast<int32_t>(static_cast<uint32_t>(high - low + 1));
    return low + static_cast<int32_t>(static_cast<double>(seed_) / kModulus * range);
  }
  void finish_unit() {
    skip(per_unit_ - used_);
    used_ = 0;
  }

 private:
  static constexpr uint64_t kMultiplier = 16807, kModulus = 2147483647;
  uint64_t seed_;
  uint32_t per_unit_, used_ = 0;

  void skip(uint64_t count) {
    for (uint64_t power = kMultiplier; count > 0; count /= 2) {
      if (count % 2 != 0) seed_ = seed_ * power % kModulus;
      power = power * power % kModulus;
    }
  }
};

struct TpchWords {
  std::vector<std::string_view> words;
  std::vector<uint8_t> by_weight;  // word number, as often as its weight
};
// "word|weight;word|weight", weight 1 when left out.
TpchWords parse_tpch_words(std::string_view text);

const std::vector<std::string_view>& tpch_colors();
const std::vector<std::string>& tpch_types();
const std::vector<std::string>& tpch_containers();

// The text all comments are cut from.
class TpchText {
 public:
  static const TpchText& shared();  // built at the first call
  static constexpr uint64_t kBytes = uint64_t{300} << 20;
  void append(uint64_t offset, size_t length, std::string& out) const;

 private:
  TpchText();
  friend class TpchTextBuilder;
  static constexpr uint64_t kStep = 256;
  std::vector<std::string> words_;  // with the blank before
  std::vector<uint8_t> tokens_;
  std::vector<uint32_t> token_at_;  // the token in which byte n * kStep lies
  std::vector<uint8_t> inside_at_;  // and the byte's place in it
};

}  // namespace aichemy::sql
