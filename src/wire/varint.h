// Variable-length integers: 7 bits a byte, low group first (Kafka's protocol and records,
// protobuf's encoding).
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace aichemy::wire {

inline void append_varint(std::string& to, uint64_t number) {
  while (number >= 0x80) {
    to.push_back(static_cast<char>(number | 0x80));
    number >>= 7;
  }
  to.push_back(static_cast<char>(number));
}

// Returns the bytes used, 0 when the number is cut short or longer than 64 bits.
inline size_t read_varint(std::string_view from, uint64_t& number) {
  number = 0;
  for (size_t i = 0; i < from.size() && i < 10; ++i) {
    auto byte = static_cast<uint8_t>(from[i]);
    number |= static_cast<uint64_t>(byte & 0x7f) << (7 * i);
    if (byte < 0x80) return i + 1;
  }
  return 0;
}

// Signed numbers: zig-zag, so that small magnitudes stay short.
inline uint64_t zigzag(int64_t number) {
  return (static_cast<uint64_t>(number) << 1) ^ static_cast<uint64_t>(number >> 63);
}
inline int64_t unzigzag(uint64_t number) {
  return static_cast<int64_t>(number >> 1) ^ -static_cast<int64_t>(number & 1);
}
inline void append_signed_varint(std::string& to, int64_t number) {
  append_varint(to, zigzag(number));
}

}  // namespace aichemy::wire
