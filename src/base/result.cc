#include "base/result.h"

#include <array>

#include "base/check.h"

namespace aichemy {

std::string_view code_name(Code code) {
  static constexpr std::array<std::string_view, kCodeCount> kNames = {
      "invalid",     "unauthenticated", "denied",  "not_found", "exists",  "conflict", "exhausted",
      "unsupported", "unavailable",     "timeout", "cancelled", "corrupt", "internal"};
  auto index = static_cast<size_t>(code);
  CHECK(index < kNames.size());
  return kNames[index];
}

}  // namespace aichemy
