// Bytes are std::string and std::string_view throughout: one owner type, one view type. This header
// adds what codecs need: fixed-width integers in both byte orders, hex, base64, percent encoding,
// and SharedBytes, an immutable slice that keeps its buffer alive.
#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <memory>
#include <string>
#include <string_view>
#include <type_traits>

#include "base/result.h"

namespace aichemy {

// Loads do not check bounds: callers have.
template <class T>
T load_little(const char* from) {
  static_assert(std::is_trivially_copyable_v<T> && std::endian::native == std::endian::little);
  T value;
  std::memcpy(&value, from, sizeof(T));
  return value;
}

template <class T>
T load_big(const char* from) {
  static_assert(std::is_integral_v<T>);
  auto raw = load_little<std::make_unsigned_t<T>>(from);
  if constexpr (sizeof(T) == 8) raw = __builtin_bswap64(raw);
  if constexpr (sizeof(T) == 4) raw = __builtin_bswap32(raw);
  if constexpr (sizeof(T) == 2) raw = __builtin_bswap16(raw);
  return static_cast<T>(raw);
}

template <class T>
void store_little(char* to, T value) {
  std::memcpy(to, &value, sizeof(T));
}

template <class T>
void store_big(char* to, T value) {
  T swapped = load_big<T>(reinterpret_cast<const char*>(&value));
  std::memcpy(to, &swapped, sizeof(T));
}

template <class T>
void append_little(std::string& to, T value) {
  to.append(reinterpret_cast<const char*>(&value), sizeof(T));
}

template <class T>
void append_big(std::string& to, T value) {
  char raw[sizeof(T)];
  store_big(raw, value);
  to.append(raw, sizeof(T));
}

std::string to_hex(std::string_view bytes);  // lower case
Result<std::string> from_hex(std::string_view text);

std::string to_base64(std::string_view bytes);  // RFC 4648 section 4, padded
Result<std::string> from_base64(std::string_view text);
std::string to_base64url(std::string_view bytes);  // RFC 4648 section 5, unpadded

// RFC 3986: everything but unreserved characters becomes %XX (upper case); `keep` lists further
// characters to leave alone, such as "/".
std::string percent_encode(std::string_view text, std::string_view keep = {});
// `plus_is_space` is for form-encoded queries. A broken escape is invalid.
Result<std::string> percent_decode(std::string_view text, bool plus_is_space = false);

bool is_valid_utf8(std::string_view text);

// An immutable slice of a buffer that it keeps alive. Copies share the buffer.
class SharedBytes {
 public:
  SharedBytes() = default;
  explicit SharedBytes(std::string bytes)
      : owner_(std::make_shared<const std::string>(std::move(bytes))), view_(*owner_) {}
  SharedBytes(std::shared_ptr<const std::string> owner, std::string_view view)
      : owner_(std::move(owner)), view_(view) {}

  std::string_view view() const { return view_; }
  size_t size() const { return view_.size(); }
  bool empty() const { return view_.empty(); }
  SharedBytes slice(size_t offset, size_t count) const {
    return SharedBytes(owner_, view_.substr(offset, count));
  }

 private:
  std::shared_ptr<const std::string> owner_;
  std::string_view view_;
};

}  // namespace aichemy
