// Patterns of Java's DateTimeFormatter ("yyyy-MM-dd HH"), in English and UTC, as the dates of
// partition projections are written. Letters: y u M L d D H m s S, quoted text, and any other
// character that is no letter. Private to the module.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::sql {

class DatePattern {
 public:
  // invalid with a message of what the pattern has that is not supported.
  static Result<DatePattern> parse_pattern(std::string_view pattern);

  // Seconds since 1970. Fractions are written as zeros, and passed over when read.
  std::string format(int64_t seconds) const;
  std::optional<int64_t> parse(std::string_view text) const;  // none also when it names no day
  bool has(std::string_view letters) const;                   // any of them

 private:
  struct Part {
    char letter = 0;  // 0: text
    int count = 0;
    std::string text;
  };
  std::vector<Part> parts_;
};

}  // namespace aichemy::sql
