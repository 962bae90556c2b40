// Hash functions that Trino's functions and sketches are made of. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "sql/native/functions.h"

namespace aichemy::sql {

uint64_t xxhash64(std::string_view bytes, uint64_t seed = 0);
// MurmurHash3 x64 128 with seed 0: its two halves.
std::pair<uint64_t, uint64_t> murmur3(std::string_view bytes);
// SpookyHash V2 128 with seeds 0: its two halves.
std::pair<uint64_t, uint64_t> spooky_hash(std::string_view bytes);

std::vector<NativeFunction> native_hash_functions();

}  // namespace aichemy::sql
