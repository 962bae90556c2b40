// Protobuf messages, for writing. Private to the module.
#pragma once

#include <bit>
#include <cstdint>
#include <string>
#include <string_view>

namespace aichemy::orc {

class MessageWriter {
 public:
  void number(uint32_t field, uint64_t value) {
    key(field, 0);
    varint(value);
  }
  void zigzag(uint32_t field, int64_t value) {
    number(field, static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
  }
  void real(uint32_t field, double value) {
    key(field, 1);
    auto bits = std::bit_cast<uint64_t>(value);
    for (int shift = 0; shift < 64; shift += 8) bytes_.push_back(static_cast<char>(bits >> shift));
  }
  void text(uint32_t field, std::string_view value) {
    key(field, 2);
    varint(value.size());
    bytes_ += value;
  }
  const std::string& bytes() const { return bytes_; }

 private:
  std::string bytes_;

  void key(uint32_t field, uint32_t kind) { varint(uint64_t{field} << 3 | kind); }
  void varint(uint64_t value) {
    for (; value >= 0x80; value >>= 7) bytes_.push_back(static_cast<char>(value | 0x80));
    bytes_.push_back(static_cast<char>(value));
  }
};

}  // namespace aichemy::orc
