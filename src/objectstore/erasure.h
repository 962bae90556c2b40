// Reed-Solomon 2+2 over GF(2^8): any two of the four shards give back the data. Byte-wise, so it
// works on any equal ranges of the shards. Pure functions, thread safe.
#pragma once

#include <array>
#include <cstddef>
#include <cstdint>

#include "base/result.h"

namespace aichemy::objectstore {

inline constexpr int kDataShards = 2;
inline constexpr int kParityShards = 2;
inline constexpr int kShards = kDataShards + kParityShards;

// shards[0..1] are read, shards[2..3] are written; `bytes` each.
void encode_parity(const std::array<char*, kShards>& shards, size_t bytes);

// Fills the shards whose bit in `wanted` is set from two present ones (bits in `present`). wanted
// and present are disjoint. corrupt ("too_few_shards") when fewer than two are present.
Status rebuild_shards(const std::array<char*, kShards>& shards, size_t bytes, uint8_t present,
                      uint8_t wanted);

}  // namespace aichemy::objectstore
