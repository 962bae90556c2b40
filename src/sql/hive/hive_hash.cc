#include "sql/hive/hive_hash.h"

#include <array>
#include <bit>
#include <cmath>
#include <cstring>
#include <limits>

namespace aichemy::sql {
namespace {

constexpr uint32_t kSeed = 104'729;

uint32_t mixed(uint32_t word) { return std::rotl(word * 0xcc9e2d51U, 15) * 0x1b873593U; }

int32_t murmur3(std::string_view bytes) {
  uint32_t hash = kSeed;
  size_t words = bytes.size() / 4;
  for (size_t i = 0; i < words; ++i) {
    uint32_t word = 0;
    for (size_t j = 4; j-- > 0;) word = word << 8 | static_cast<uint8_t>(bytes[4 * i + j]);
    hash = std::rotl(hash ^ mixed(word), 13) * 5 + 0xe6546b64U;
  }
  std::string_view tail = bytes.substr(4 * words);
  if (!tail.empty()) {
    uint32_t word = 0;
    for (size_t j = 0; j < tail.size(); ++j) {
      auto byte = static_cast<int32_t>(static_cast<int8_t>(tail[j]));
      word ^= static_cast<uint32_t>(byte) << (8 * j);
    }
    hash ^= mixed(word);
  }
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ hash >> 16) * 0x85ebca6bU;
  hash = (hash ^ hash >> 13) * 0xc2b2ae35U;
  return static_cast<int32_t>(hash ^ hash >> 16);
}

// Of the value's big-endian bytes.
int32_t murmur3(uint64_t value, size_t bytes) {
  std::array<char, 8> raw;
  for (size_t i = 0; i < bytes; ++i) raw[i] = static_cast<char>(value >> (8 * (bytes - 1 - i)));
  return murmur3(std::string_view(raw.data(), bytes));
}

int32_t folded(uint64_t value) { return static_cast<int32_t>(value ^ value >> 32); }

}  // namespace

int32_t hive_hash_integer(int version, int64_t value, int bytes) {
  auto bits = static_cast<uint64_t>(value);
  if (version == 2 && bytes > 1) return murmur3(bits, static_cast<size_t>(bytes));
  return bytes == 8 ? folded(bits) : static_cast<int32_t>(value);
}

int32_t hive_hash_float(int version, float value) {
  if (std::isnan(value)) value = std::numeric_limits<float>::quiet_NaN();
  auto bits = std::bit_cast<int32_t>(value);
  if (version == 1) return bits;
  // Hive's second version takes the number of the bits for a float again, and hashes its bits.
  return murmur3(std::bit_cast<uint32_t>(static_cast<float>(bits)), sizeof(bits));
}

int32_t hive_hash_double(int version, double value) {
  if (std::isnan(value)) value = std::numeric_limits<double>::quiet_NaN();
  auto bits = std::bit_cast<int64_t>(value);
  if (version == 1) return folded(static_cast<uint64_t>(bits));
  return murmur3(std::bit_cast<uint64_t>(static_cast<double>(bits)), sizeof(bits));
}

int32_t hive_hash_text(int version, std::string_view text, bool bounded) {
  if (version == 2) return murmur3(text);
  int32_t hash = bounded ? 1 : 0;
  for (char c : text) hash = hive_hash_next(hash, static_cast<int8_t>(c));
  return hash;
}

bool is_hive_hashed(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::real:
    case TypeKind::double_:
    case TypeKind::varchar:
    case TypeKind::date: return true;
    case TypeKind::array: return is_hive_hashed(type.element());
    case TypeKind::map: return is_hive_hashed(type.key()) && is_hive_hashed(type.value());
    default: return false;
  }
}

}  // namespace aichemy::sql
