#include "sql/types/ip_address.h"

#include <arpa/inet.h>
#include <fmt/format.h>

namespace aichemy::sql {
namespace {

constexpr std::string_view kMappedV4("\0\0\0\0\0\0\0\0\0\0\xff\xff", 12);

}  // namespace

std::optional<std::string> parse_ip_address(std::string_view text) {
  std::string shown(text);
  char raw[16];
  if (inet_pton(AF_INET, shown.c_str(), raw) == 1)
    return std::string(kMappedV4) + std::string(raw, 4);
  if (inet_pton(AF_INET6, shown.c_str(), raw) == 1) return std::string(raw, 16);
  return std::nullopt;
}

std::string ip_address_text(std::string_view bytes) {
  if (bytes.size() != 16) return "";
  auto byte = [&](size_t i) { return static_cast<unsigned>(static_cast<unsigned char>(bytes[i])); };
  if (bytes.starts_with(kMappedV4))
    return fmt::format("{}.{}.{}.{}", byte(12), byte(13), byte(14), byte(15));
  size_t best = 8, best_length = 1;  // the longest run of zero groups, at least two
  auto group = [&](size_t i) { return byte(2 * i) << 8 | byte(2 * i + 1); };
  for (size_t i = 0; i < 8; ++i) {
    size_t length = 0;
    while (i + length < 8 && group(i + length) == 0) ++length;
    if (length > best_length) {
      best = i;
      best_length = length;
    }
  }
  std::string shown;
  for (size_t i = 0; i < 8;) {
    if (i == best) {
      shown += "::";
      i += best_length;
      continue;
    }
    if (!shown.empty() && shown.back() != ':') shown += ':';
    shown += fmt::format("{:x}", group(i++));
  }
  return shown;
}

}  // namespace aichemy::sql
