#include "sql/types/literals.h"

#include <fmt/format.h>
#include <unicode/timezone.h>

#include <algorithm>
#include <chrono>
#include <memory>
#include <optional>

#include "base/bytes.h"

namespace aichemy::sql {
namespace {

std::unexpected<Error> bad() {
  return fail(Code::invalid, "INVALID_LITERAL", "not a valid literal");
}

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  return text;
}

// A cursor over "2020-05-01 12:34:56.789 Europe/Vienna".
struct Scanner {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  std::optional<int64_t> digits(size_t least, size_t most) {
    size_t n = 0;
    int64_t value = 0;
    while (n < rest.size() && n < most && rest[n] >= '0' && rest[n] <= '9')
      value = value * 10 + (rest[n++] - '0');
    if (n < least || (n < rest.size() && n == most && rest[n] >= '0' && rest[n] <= '9'))
      return std::nullopt;
    rest.remove_prefix(n);
    return value;
  }
};

struct Day {
  int64_t year = 1970;
  unsigned month = 1, day = 1;
};
struct Clock24 {
  int64_t hour = 0, minute = 0, second = 0;
  std::string fraction;  // 0..12 digits
};

std::optional<Day> scan_day(Scanner& in) {
  bool negative = in.take('-');
  if (!negative) in.take('+');
  auto year = in.digits(4, 9);
  if (!year || !in.take('-')) return std::nullopt;
  auto month = in.digits(1, 2);
  if (!month || !in.take('-')) return std::nullopt;
  auto day = in.digits(1, 2);
  if (!day) return std::nullopt;
  int64_t shown = negative ? -*year : *year;
  // Days of the month: any year congruent modulo 400 has the same calendar.
  int32_t same = static_cast<int32_t>(((shown % 400) + 400) % 400 + 2000);
  std::chrono::year_month_day date{std::chrono::year(same),
                                   std::chrono::month(static_cast<unsigned>(*month)),
                                   std::chrono::day(static_cast<unsigned>(*day))};
  if (!date.ok()) return std::nullopt;
  return Day{shown, static_cast<unsigned>(*month), static_cast<unsigned>(*day)};
}

std::optional<Clock24> scan_clock(Scanner& in) {
  Clock24 time;
  auto hour = in.digits(1, 2);
  if (!hour || *hour > 23 || !in.take(':')) return std::nullopt;
  auto minute = in.digits(1, 2);
  if (!minute || *minute > 59) return std::nullopt;
  time.hour = *hour;
  time.minute = *minute;
  if (!in.take(':')) return time;
  auto second = in.digits(1, 2);
  if (!second || *second > 59) return std::nullopt;
  time.second = *second;
  if (!in.take('.')) return time;
  while (!in.rest.empty() && in.rest.front() >= '0' && in.rest.front() <= '9') {
    time.fraction += in.rest.front();
    in.rest.remove_prefix(1);
  }
  if (time.fraction.empty() || time.fraction.size() > 12) return std::nullopt;
  return time;
}

int64_t days_of(const Day& day) {
  using namespace std::chrono;
  int64_t cycles = 0, shown = day.year;
  while (shown > 9999) shown -= 400, ++cycles;
  while (shown < -9999) shown += 400, --cycles;
  sys_days at = year(static_cast<int>(shown)) / month(day.month) / std::chrono::day(day.day);
  return at.time_since_epoch().count() + cycles * 146097;
}

std::string day_text(const Day& day) {
  if (day.year <= 0) return fmt::format("{:04}-{:02}-{:02} (BC)", 1 - day.year, day.month, day.day);
  return fmt::format("{:04}-{:02}-{:02}", day.year, day.month, day.day);
}

Day day_of(int64_t days) {
  using namespace std::chrono;
  int64_t cycles = days / 146097;
  days -= cycles * 146097;
  year_month_day date{sys_days(std::chrono::days(days))};
  return Day{static_cast<int>(date.year()) + cycles * 400, static_cast<unsigned>(date.month()),
             static_cast<unsigned>(date.day())};
}

std::string clock_text(const Clock24& time, size_t digits_max) {
  std::string text = fmt::format("{:02}:{:02}:{:02}", time.hour, time.minute, time.second);
  std::string fraction = time.fraction.substr(0, digits_max);
  return fraction.empty() ? text : text + "." + fraction;
}

std::string instant_text(int64_t utc_seconds, const std::string& fraction) {
  int64_t days = utc_seconds >= 0 ? utc_seconds / 86400 : -((-utc_seconds + 86399) / 86400);
  int64_t rest = utc_seconds - days * 86400;
  Day day = day_of(days);
  std::string text =
      fmt::format("{} {:02}:{:02}:{:02}", day_text(day), rest / 3600, rest / 60 % 60, rest % 60);
  if (day.year <= 0) {  // DuckDB wants the era at the end
    text = fmt::format("{:04}-{:02}-{:02} {:02}:{:02}:{:02}", 1 - day.year, day.month, day.day,
                       rest / 3600, rest / 60 % 60, rest % 60);
  }
  std::string micros = fraction.substr(0, 6);
  if (!micros.empty()) text += "." + micros;
  return text + "+00" + (day.year <= 0 ? " (BC)" : "");
}

Result<Literal> timestamp_literal(std::string_view text, const std::string& session_zone,
                                  bool must_zone) {
  Scanner in{trimmed(text)};
  auto day = scan_day(in);
  if (!day) return bad();
  Clock24 time;
  if (in.take(' ') || in.take('T')) {
    Scanner ahead = in;
    if (auto clock = scan_clock(ahead)) {
      time = *clock;
      in = ahead;
    }
  }
  auto precision = static_cast<int32_t>(time.fraction.size());
  std::string zone(trimmed(in.rest));
  if (zone.empty() && !must_zone) {
    std::string shown = day->year <= 0 ? fmt::format("{:04}-{:02}-{:02} {} (BC)", 1 - day->year,
                                                     day->month, day->day, clock_text(time, 9))
                                       : day_text(*day) + " " + clock_text(time, 9);
    return Literal{Type(TypeKind::timestamp, precision), shown};
  }
  int64_t local = days_of(*day) * 86400 + time.hour * 3600 + time.minute * 60 + time.second;
  const std::string& used = zone.empty() ? session_zone : zone;
  auto offset = zone_offset_seconds(used, local);
  if (!offset) return bad();
  // The offset at the local time read as UTC may be the wrong side of a change: once more at the
  // instant found.
  auto exact = zone_offset_seconds(used, local - *offset);
  return Literal{Type(TypeKind::timestamp_tz, precision),
                 instant_text(local - exact.value_or(*offset), time.fraction)};
}

Result<Literal> time_literal(std::string_view text) {
  Scanner in{trimmed(text)};
  auto time = scan_clock(in);
  if (!time) return bad();
  auto precision = static_cast<int32_t>(time->fraction.size());
  std::string zone(trimmed(in.rest));
  if (zone.empty()) return Literal{Type(TypeKind::time, precision), clock_text(*time, 6)};
  if (zone[0] != '+' && zone[0] != '-') return bad();
  if (!zone_offset_seconds(zone, 0)) return bad();
  return Literal{Type(TypeKind::time_tz, precision), clock_text(*time, 6) + zone};
}

Result<Literal> number_literal(const Type& type, std::string_view text) {
  std::string value(trimmed(text));
  bool integer = type.is_integer();
  std::string_view digits = value;
  if (!digits.empty() && (digits[0] == '-' || digits[0] == '+')) digits.remove_prefix(1);
  bool all_digits =
      !digits.empty() && std::ranges::all_of(digits, [](char c) { return c >= '0' && c <= '9'; });
  if (integer) {
    if (!all_digits || digits.size() > 25) return bad();
    __int128 number = 0;
    for (char c : digits) number = number * 10 + (c - '0');
    if (value[0] == '-') number = -number;
    int bits = type.is(TypeKind::tinyint)    ? 8
               : type.is(TypeKind::smallint) ? 16
               : type.is(TypeKind::integer)  ? 32
                                             : 64;
    __int128 limit = static_cast<__int128>(1) << (bits - 1);
    if (number >= limit || number < -limit) return bad();
    if (value[0] == '+') value.erase(0, 1);
    return Literal{type, value};
  }
  static constexpr std::string_view kSpecial[] = {"NaN", "Infinity", "-Infinity", "+Infinity"};
  for (auto name : kSpecial) {
    if (value == name) return Literal{type, value};
  }
  char* end = nullptr;
  std::strtod(value.c_str(), &end);
  bool plain = value.find_first_not_of("+-.0123456789eE") == std::string::npos;
  if (value.empty() || end != value.c_str() + value.size() || !plain) return bad();
  return Literal{type, value};
}

}  // namespace

size_t code_points(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

Result<int64_t> zone_offset_seconds(const std::string& zone, int64_t utc_seconds) {
  if (zone == "UTC" || zone == "Z" || zone == "GMT") return 0;
  std::string_view text = zone;
  for (std::string_view prefix : {"UTC", "GMT", "UT"}) {
    if (text.starts_with(prefix) && text.size() > prefix.size() &&
        (text[prefix.size()] == '+' || text[prefix.size()] == '-')) {
      text.remove_prefix(prefix.size());
      break;
    }
  }
  if (!text.empty() && (text[0] == '+' || text[0] == '-')) {
    Scanner in{text.substr(1)};
    auto hours = in.digits(1, 2);
    std::optional<int64_t> minutes = 0;
    if (in.take(':')) minutes = in.digits(2, 2);
    if (!hours || !minutes || !in.rest.empty() || *hours > 14 || *minutes > 59) {
      return fail(Code::invalid, "INVALID_LITERAL",
                  fmt::format("Invalid time zone offset: {}", zone));
    }
    int64_t offset = *hours * 3600 + *minutes * 60;
    return text[0] == '-' ? -offset : offset;
  }
  std::unique_ptr<icu::TimeZone> found(
      icu::TimeZone::createTimeZone(icu::UnicodeString::fromUTF8(zone)));
  icu::UnicodeString id;
  if (!found || found->getID(id) == UCAL_UNKNOWN_ZONE_ID) {
    return fail(Code::invalid, "INVALID_LITERAL", fmt::format("Time zone not supported: {}", zone));
  }
  int32_t raw = 0, daylight = 0;
  UErrorCode status = U_ZERO_ERROR;
  found->getOffset(static_cast<UDate>(utc_seconds) * 1000.0, false, raw, daylight, status);
  if (U_FAILURE(status))
    return fail(Code::invalid, "INVALID_LITERAL", fmt::format("Time zone not supported: {}", zone));
  return (raw + daylight) / 1000;
}

Result<Literal> decimal_literal(std::string_view text) {
  std::string value(trimmed(text));
  bool negative = value.starts_with("-");
  if (negative || value.starts_with("+")) value.erase(0, 1);
  size_t point = value.find('.');
  std::string whole = value.substr(0, point),
              fraction = point == std::string::npos ? "" : value.substr(point + 1);
  auto digits = [](const std::string& part) {
    return part.find_first_not_of("0123456789") == std::string::npos;
  };
  if ((whole.empty() && fraction.empty()) || !digits(whole) || !digits(fraction)) return bad();
  whole.erase(0, std::min(whole.find_first_not_of('0'), whole.size()));
  auto precision = static_cast<int32_t>(whole.size() + fraction.size());
  if (precision == 0) precision = 1;
  if (precision > 38) return bad();
  std::string shown = (negative ? "-" : "") + (whole.empty() ? std::string("0") : whole);
  if (!fraction.empty()) shown += "." + fraction;
  return Literal{Type::decimal(precision, static_cast<int32_t>(fraction.size())), shown};
}

Result<Literal> typed_literal(const Type& type, std::string_view text,
                              const std::string& time_zone) {
  switch (type.kind) {
    case TypeKind::boolean: {
      std::string lower(text);
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      if (lower == "true" || lower == "t" || lower == "1") return Literal{type, "true"};
      if (lower == "false" || lower == "f" || lower == "0") return Literal{type, "false"};
      return bad();
    }
    case TypeKind::varchar: return Literal{type, std::string(text)};
    case TypeKind::varbinary: return bad();
    case TypeKind::date: {
      Scanner in{trimmed(text)};
      auto day = scan_day(in);
      if (!day || !in.rest.empty()) return bad();
      return Literal{type, day_text(*day)};
    }
    case TypeKind::timestamp: return timestamp_literal(text, time_zone, false);
    case TypeKind::timestamp_tz: return timestamp_literal(text, time_zone, true);
    case TypeKind::time: return time_literal(text);
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::real:
    case TypeKind::double_: return number_literal(type, text);
    case TypeKind::json: {
      auto parsed = Json::parse(text);
      if (!parsed) return bad();
      return Literal{type, std::string(text)};
    }
    case TypeKind::uuid: {
      std::string lower(text);
      for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
      bool shape = lower.size() == 36;
      for (size_t i = 0; shape && i < 36; ++i) {
        bool dash = i == 8 || i == 13 || i == 18 || i == 23;
        shape = dash ? lower[i] == '-' : std::isxdigit(static_cast<unsigned char>(lower[i])) != 0;
      }
      if (!shape) return bad();
      return Literal{type, lower};
    }
    default:
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("{} literals are not supported", type.display()));
  }
}

Result<Literal> interval_literal(std::string_view text, const std::string& from,
                                 const std::string& to, bool negative) {
  Scanner in{trimmed(text)};
  if (in.take('-'))
    negative = !negative;
  else
    in.take('+');
  static constexpr std::string_view kUnits[] = {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"};
  static constexpr int64_t kScale[] = {12, 1, 86'400'000, 3'600'000, 60'000, 1000};
  static constexpr char kBefore[] = {0, '-', 0, ' ', ':', ':'};
  size_t first = 0, last = 0;
  for (size_t i = 0; i < 6; ++i) {
    if (kUnits[i] == from) first = i;
    if (kUnits[i] == (to.empty() ? from : to)) last = i;
  }
  if (last < first || (first < 2) != (last < 2)) return bad();
  int64_t total = 0;
  for (size_t i = first; i <= last; ++i) {
    if (i > first && !in.take(kBefore[i])) {
      if (in.rest.empty()) break;
      return bad();
    }
    auto value = in.digits(1, 18);
    if (!value) return bad();
    int64_t scaled = 0;
    if (__builtin_mul_overflow(*value, kScale[i], &scaled) ||
        __builtin_add_overflow(total, scaled, &total))
      return bad();
    if (i == 5 && in.take('.')) {
      std::string millis;
      while (!in.rest.empty() && in.rest[0] >= '0' && in.rest[0] <= '9') {
        millis += in.rest[0];
        in.rest.remove_prefix(1);
      }
      if (millis.empty() || millis.size() > 3) return bad();
      millis.resize(3, '0');
      total += std::stoll(millis);
    }
  }
  if (!in.rest.empty()) return bad();
  if (first < 2 && total > 2147483647) return bad();
  Type type(first < 2 ? TypeKind::interval_year_month : TypeKind::interval_day_time);
  return Literal{type, std::to_string(negative ? -total : total)};
}

Result<Literal> now_literal(std::string_view name, int precision, int64_t utc_micros,
                            const std::string& time_zone) {
  int64_t seconds = utc_micros / 1'000'000;
  std::string fraction = fmt::format("{:06}", utc_micros % 1'000'000);
  fraction.resize(static_cast<size_t>(std::min(precision, 6)));
  if (name == "CURRENT_TIMESTAMP")
    return Literal{Type(TypeKind::timestamp_tz, precision), instant_text(seconds, fraction)};
  ASSIGN_OR_RETURN(int64_t offset, zone_offset_seconds(time_zone, seconds));
  std::string local = instant_text(seconds + offset, fraction);
  local.resize(local.size() - 3);  // without +00
  if (name == "CURRENT_DATE") return Literal{Type(TypeKind::date), local.substr(0, 10)};
  if (name == "LOCALTIMESTAMP") return Literal{Type(TypeKind::timestamp, precision), local};
  if (name == "LOCALTIME") return Literal{Type(TypeKind::time, precision), local.substr(11)};
  std::string zone = fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', std::abs(offset) / 3600,
                                 std::abs(offset) / 60 % 60);
  return Literal{Type(TypeKind::time_tz, precision), local.substr(11) + zone};
}

}  // namespace aichemy::sql
