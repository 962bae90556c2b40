#include "sql/hive/date_pattern.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <chrono>

#include "tables/calendar.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kLetters = "yuMLdDHmsS";
constexpr int kCountMax = 9;
constexpr int64_t kDaySeconds = 86'400;
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) != 0; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

// What a text says so far.
struct Fields {
  int64_t year = 0, month = 0, day = 0, day_of_year = 0, hour = 0, minute = 0, second = 0;
  bool has_year = false;
};

int64_t* field_of(Fields& fields, char letter) {
  switch (letter) {
    case 'y':
    case 'u': return &fields.year;
    case 'M':
    case 'L': return &fields.month;
    case 'd': return &fields.day;
    case 'D': return &fields.day_of_year;
    case 'H': return &fields.hour;
    case 'm': return &fields.minute;
    case 's': return &fields.second;
    default: return nullptr;
  }
}

std::optional<int64_t> seconds_of(const Fields& fields) {
  using std::chrono::day, std::chrono::month, std::chrono::sys_days, std::chrono::year;
  constexpr int64_t kYearMax = 9999;
  if (!fields.has_year || fields.year < 0 || fields.year > kYearMax) return std::nullopt;
  if (fields.hour > 23 || fields.minute > 59 || fields.second > 59) return std::nullopt;
  year in{static_cast<int>(fields.year)};
  int64_t days = 0;
  if (fields.month > 0 && fields.day > 0) {
    std::chrono::year_month_day date{in, month{static_cast<unsigned>(fields.month)},
                                     day{static_cast<unsigned>(fields.day)}};
    if (!date.ok()) return std::nullopt;
    days = sys_days(date).time_since_epoch().count();
  } else if (fields.day_of_year > 0 && fields.month == 0 && fields.day == 0) {
    if (fields.day_of_year > (in.is_leap() ? 366 : 365)) return std::nullopt;
    days = sys_days(in / 1 / 1).time_since_epoch().count() + fields.day_of_year - 1;
  } else {
    return std::nullopt;
  }
  return days * kDaySeconds + fields.hour * 3600 + fields.minute * 60 + fields.second;
}

// A month by its name; the text without it.
std::optional<int64_t> take_month(std::string_view& rest, bool whole) {
  for (size_t i = 0; i < kMonths.size(); ++i) {
    std::string_view name = whole ? kMonths[i] : kMonths[i].substr(0, 3);
    if (!rest.starts_with(name)) continue;
    rest.remove_prefix(name.size());
    return static_cast<int64_t>(i) + 1;
  }
  return std::nullopt;
}

std::optional<int64_t> take_number(std::string_view& rest, size_t least, size_t most) {
  size_t count = 0;
  int64_t value = 0;
  for (; count < most && count < rest.size() && is_digit(rest[count]); ++count)
    value = value * 10 + (rest[count] - '0');
  if (count < least) return std::nullopt;
  rest.remove_prefix(count);
  return value;
}

}  // namespace

Result<DatePattern> DatePattern::parse_pattern(std::string_view pattern) {
  DatePattern made;
  auto text = [&](char c) {
    if (made.parts_.empty() || made.parts_.back().letter != 0) made.parts_.emplace_back();
    made.parts_.back().text.push_back(c);
  };
  for (size_t i = 0; i < pattern.size();) {
    char c = pattern[i];
    if (c == '\'') {
      size_t end = pattern.find('\'', i + 1);
      if (end == std::string_view::npos)
        return fail(Code::invalid, "pattern", "Pattern ends with an incomplete string literal");
      if (end == i + 1) text('\'');
      for (size_t at = i + 1; at < end; ++at) text(pattern[at]);
      i = end + 1;
      continue;
    }
    if (!is_letter(c)) {
      if (std::string_view("[]{}#").find(c) != std::string_view::npos)
        return fail(Code::invalid, "pattern", fmt::format("'{}' is not supported", c));
      text(c);
      ++i;
      continue;
    }
    size_t end = i;
    while (end < pattern.size() && pattern[end] == c) ++end;
    int count = static_cast<int>(end - i);
    bool month = c == 'M' || c == 'L';
    int most = c == 'S' ? kCountMax : month || c == 'y' || c == 'u' ? 4 : c == 'D' ? 3 : 2;
    bool bare_year = (c == 'y' || c == 'u') && count == 3;
    if (kLetters.find(c) == std::string_view::npos || count > most || bare_year) {
      return fail(Code::invalid, "pattern",
                  fmt::format("'{}' is not supported", pattern.substr(i, end - i)));
    }
    made.parts_.push_back({c, count, {}});
    i = end;
  }
  if (made.parts_.empty()) return fail(Code::invalid, "pattern", "it is empty");
  return made;
}

bool DatePattern::has(std::string_view letters) const {
  return std::ranges::any_of(parts_, [&](const Part& part) {
    return part.letter != 0 && letters.find(part.letter) != std::string_view::npos;
  });
}

std::string DatePattern::format(int64_t seconds) const {
  int64_t days = tables::floor_div(seconds, kDaySeconds);
  int64_t of_day = seconds - days * kDaySeconds;
  auto civil = tables::civil(days);
  if (!civil) return "";  // beyond all calendars: no text says it
  auto date = *civil;
  int64_t in_year =
      days - std::chrono::sys_days(date.year() / 1 / 1).time_since_epoch().count() + 1;
  Fields fields{int{date.year()}, unsigned{date.month()}, unsigned{date.day()}, in_year,
                of_day / 3600,    of_day / 60 % 60,       of_day % 60};
  std::string out;
  for (const Part& part : parts_) {
    bool month = part.letter == 'M' || part.letter == 'L';
    bool year = part.letter == 'y' || part.letter == 'u';
    if (part.letter == 0) {
      out += part.text;
    } else if (part.letter == 'S') {
      out.append(static_cast<size_t>(part.count), '0');
    } else if (month && part.count > 2) {
      std::string_view name = kMonths[static_cast<size_t>(fields.month - 1)];
      out += part.count == 3 ? name.substr(0, 3) : name;
    } else {
      int64_t value = *field_of(fields, part.letter);
      out += fmt::format("{:0{}}", year && part.count == 2 ? value % 100 : value, part.count);
    }
  }
  return out;
}

std::optional<int64_t> DatePattern::parse(std::string_view text) const {
  Fields fields;
  for (size_t i = 0; i < parts_.size(); ++i) {
    const Part& part = parts_[i];
    if (part.letter == 0) {
      if (!text.starts_with(part.text)) return std::nullopt;
      text.remove_prefix(part.text.size());
      continue;
    }
    bool year = part.letter == 'y' || part.letter == 'u';
    bool name = (part.letter == 'M' || part.letter == 'L') && part.count > 2;
    size_t most = part.count > 1       ? static_cast<size_t>(part.count)
                  : year               ? 4
                  : part.letter == 'D' ? 3
                                       : 2;
    if (part.letter == 'S') most = static_cast<size_t>(part.count);
    size_t least = part.count > 1 || part.letter == 'S' ? static_cast<size_t>(part.count) : 1;
    auto value = name ? take_month(text, part.count == 4) : take_number(text, least, most);
    if (!value) return std::nullopt;
    if (year) fields.has_year = true;
    if (year && part.count == 2) *value += 2000;
    if (int64_t* field = field_of(fields, part.letter)) *field = *value;
  }
  return text.empty() ? seconds_of(fields) : std::nullopt;
}

}  // namespace aichemy::sql
