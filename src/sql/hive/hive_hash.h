// The hash by which Hive puts rows into buckets, of both versions: 1 is Java's hashCode() of the
// values, 2 (Hive 3) Murmur3 of their bytes, with Hive's own tail: bytes of the last, incomplete
// word are signed. Null is 0.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "sql/types/type.h"

namespace aichemy::sql {

int32_t hive_hash_integer(int version, int64_t value, int bytes);  // 1, 2, 4 (days too) or 8
int32_t hive_hash_float(int version, float value);
int32_t hive_hash_double(int version, double value);
// `bounded`: of varchar(n), which version 1 tells from string.
int32_t hive_hash_text(int version, std::string_view text, bool bounded);
// Columns of a row, and items of an array.
inline int32_t hive_hash_next(int32_t hash, int32_t more) {
  return static_cast<int32_t>(31U * static_cast<uint32_t>(hash) + static_cast<uint32_t>(more));
}
// Entries of a map, in any order. In both versions the values are hashed by version 1: so does
// Hive.
inline int32_t hive_hash_entry(int32_t hash, int32_t key, int32_t value) {
  return static_cast<int32_t>(static_cast<uint32_t>(hash) + static_cast<uint32_t>(key ^ value));
}
inline int hive_bucket(int32_t hash, int count) { return (hash & INT32_MAX) % count; }

// Whether rows can be put into buckets by columns of the type.
bool is_hive_hashed(const Type& type);

}  // namespace aichemy::sql
