// Whole numbers in properties and names. Private to the module.
#pragma once

#include <charconv>
#include <optional>
#include <string_view>

namespace aichemy::sql {

// The whole text is one, of T's range.
template <class T>
std::optional<T> parse_number(std::string_view text) {
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

}  // namespace aichemy::sql
