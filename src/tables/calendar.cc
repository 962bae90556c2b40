#include "tables/calendar.h"

#include <cstdio>

namespace aichemy::tables {

namespace {

// Digits exactly `count` long, taken off the front.
std::optional<int64_t> digits(std::string_view* text, size_t count) {
  if (text->size() < count) return std::nullopt;
  int64_t value = 0;
  for (size_t i = 0; i < count; ++i) {
    char c = (*text)[i];
    if (c < '0' || c > '9') return std::nullopt;
    value = value * 10 + (c - '0');
  }
  text->remove_prefix(count);
  return value;
}

bool literal(std::string_view* text, char expected) {
  if (text->empty() || text->front() != expected) return false;
  text->remove_prefix(1);
  return true;
}

std::optional<int64_t> take_date(std::string_view* text) {
  bool negative = literal(text, '-');
  auto year = digits(text, 4);
  if (!year || !literal(text, '-')) return std::nullopt;
  auto month = digits(text, 2);
  if (!month || !literal(text, '-')) return std::nullopt;
  auto day = digits(text, 2);
  if (!day) return std::nullopt;
  std::chrono::year_month_day date{std::chrono::year(static_cast<int>(negative ? -*year : *year)),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return std::chrono::sys_days(date).time_since_epoch().count();
}

std::optional<int64_t> take_time(std::string_view* text) {
  auto hour = digits(text, 2);
  if (!hour || *hour > 23 || !literal(text, ':')) return std::nullopt;
  auto minute = digits(text, 2);
  if (!minute || *minute > 59) return std::nullopt;
  int64_t seconds = 0;
  int64_t micros = 0;
  if (literal(text, ':')) {
    auto second = digits(text, 2);
    if (!second || *second > 59) return std::nullopt;
    seconds = *second;
    if (literal(text, '.')) {
      int64_t unit = 100'000;
      while (!text->empty() && text->front() >= '0' && text->front() <= '9') {
        micros += (text->front() - '0') * unit;
        unit /= 10;
        text->remove_prefix(1);
      }
    }
  }
  return *hour * kMicrosPerHour + *minute * 60'000'000 + seconds * 1'000'000 + micros;
}

}  // namespace

std::string date_text(int64_t days) {
  auto date = civil(days);
  if (!date) return std::to_string(days);
  char text[40];
  std::snprintf(text, sizeof(text), "%04d-%02u-%02u", static_cast<int>(date->year()),
                static_cast<unsigned>(date->month()), static_cast<unsigned>(date->day()));
  return text;
}

std::string time_text(int64_t micros) {
  char text[64];
  int64_t seconds = floor_div(micros, 1'000'000);
  int64_t fraction = micros - seconds * 1'000'000;
  std::snprintf(text, sizeof(text), "%02d:%02d:%02d", static_cast<int>(seconds / 3600),
                static_cast<int>(seconds / 60 % 60), static_cast<int>(seconds % 60));
  std::string result = text;
  if (fraction != 0) {
    std::snprintf(text, sizeof(text), ".%06d", static_cast<int>(fraction));
    result += text;
  }
  return result;
}

std::string timestamp_text(int64_t micros, bool zoned) {
  int64_t days = floor_div(micros, kMicrosPerDay);
  return date_text(days) + "T" + time_text(micros - days * kMicrosPerDay) + (zoned ? "+00:00" : "");
}

std::optional<int64_t> date_from_text(std::string_view text) {
  auto days = take_date(&text);
  return text.empty() ? days : std::nullopt;
}

std::optional<int64_t> time_from_text(std::string_view text) {
  auto micros = take_time(&text);
  return text.empty() ? micros : std::nullopt;
}

std::optional<int64_t> timestamp_from_text(std::string_view text, bool zoned) {
  auto days = take_date(&text);
  if (!days || !literal(&text, 'T')) return std::nullopt;
  auto micros = take_time(&text);
  if (!micros) return std::nullopt;
  int64_t offset = 0;
  if (zoned && !literal(&text, 'Z')) {
    bool negative = !text.empty() && text.front() == '-';
    if (!negative && (text.empty() || text.front() != '+')) return std::nullopt;
    text.remove_prefix(1);
    auto shift = take_time(&text);
    if (!shift) return std::nullopt;
    offset = negative ? -*shift : *shift;
  }
  if (!text.empty()) return std::nullopt;
  return *days * kMicrosPerDay + *micros - offset;
}

}  // namespace aichemy::tables
