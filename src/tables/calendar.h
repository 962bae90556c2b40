// Days, months and clock text of the proleptic Gregorian calendar, and decimals: shared by values
// and transforms.
#pragma once

#include <chrono>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace aichemy::tables {

inline constexpr int64_t kMicrosPerHour = 3'600'000'000;
inline constexpr int64_t kMicrosPerDay = 24 * kMicrosPerHour;

inline int64_t floor_div(int64_t a, int64_t b) {
  int64_t quotient = a / b;
  return (a % b != 0 && (a < 0) != (b < 0)) ? quotient - 1 : quotient;
}

// std::chrono's calendar ends at +-32767; beyond it nothing is known.
inline constexpr int64_t kDaysMax = 11'000'000;

inline std::optional<std::chrono::year_month_day> civil(int64_t days) {
  if (days < -kDaysMax || days > kDaysMax) return std::nullopt;
  return std::chrono::year_month_day(std::chrono::sys_days(std::chrono::days(days)));
}

std::string date_text(int64_t days);    // 2017-11-16
std::string time_text(int64_t micros);  // 22:31:08.000000, fraction only when needed
std::string timestamp_text(int64_t micros, bool zoned);  // 2017-11-16T22:31:08+00:00
std::optional<int64_t> date_from_text(std::string_view text);
std::optional<int64_t> time_from_text(std::string_view text);
std::optional<int64_t> timestamp_from_text(std::string_view text, bool zoned);

}  // namespace aichemy::tables
