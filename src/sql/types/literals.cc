#include "sql/types/literals.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "base/bytes.h"
#include "sql/types/ip_address.h"
#include "sql/types/json_node.h"
#include "sql/types/moment.h"
#include "sql/types/number.h"

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

Result<Literal> moment_literal(TypeKind kind, TypeKind zoned, std::string_view text,
                               const std::string& time_zone) {
  Zone zone = find_zone(time_zone).value_or(kUtc);
  auto parsed = parse_moment(zoned, text, zone, 0);
  if (parsed && !parsed->has_zone) {
    zoned = kind;
    parsed = parse_moment(kind, text, zone, 0);
  }
  if (!parsed) return bad();
  if (zoned == TypeKind::timestamp_tz && !is_instant(parsed->moment)) return bad();
  return Literal{Type(zoned, parsed->precision), moment_code(parsed->moment)};
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
  for (const char* name : {"NaN", "Infinity"}) {
    bool sign = value.starts_with("-") || value.starts_with("+");
    if (value.substr(sign ? 1 : 0) == name)
      return Literal{type, value[0] == '+' || name[0] == 'N' ? std::string(name) : value};
  }
  // Java's suffixes of a floating-point number.
  if (value.size() > 1 && std::string_view("fFdD").find(value.back()) != std::string_view::npos)
    value.pop_back();
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
      auto parsed = parse_moment(TypeKind::date, text, kUtc, 0);
      if (!parsed || std::abs(parsed->moment.seconds / kSecondsPerDay) > int64_t{1} << 31)
        return bad();
      return Literal{type, moment_code(parsed->moment)};
    }
    case TypeKind::timestamp:
    case TypeKind::timestamp_tz:
      return moment_literal(TypeKind::timestamp, TypeKind::timestamp_tz, text, time_zone);
    case TypeKind::time:
    case TypeKind::time_tz:
      return moment_literal(TypeKind::time, TypeKind::time_tz, text, time_zone);
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::real:
    case TypeKind::double_: return number_literal(type, text);
    case TypeKind::number: {
      auto parsed = Number::parse(trimmed(text));
      if (!parsed) return bad();
      return Literal{type, parsed->encode()};
    }
    case TypeKind::ipaddress: {
      auto parsed = parse_ip_address(text);
      if (!parsed) return bad();
      return Literal{type, *parsed};
    }
    case TypeKind::json: {
      auto parsed = parse_json(text, true);
      if (!parsed) return bad();
      std::string normal;
      write_json(*parsed, normal);
      return Literal{type, normal};
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
      if (millis.empty()) return bad();
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
  auto zone = find_zone(time_zone);
  if (!zone)
    return fail(Code::invalid, "INVALID_LITERAL",
                fmt::format("Time zone not supported: {}", time_zone));
  Moment now{floor_div(utc_micros, 1'000'000), floor_mod(utc_micros, 1'000'000) * 1'000'000, *zone};
  now = rounded(TypeKind::timestamp, now, precision);
  int32_t offset = offset_at(*zone, now.seconds);
  Moment local{now.seconds + offset, now.picos, kUtc};
  Moment time{floor_mod(local.seconds, kSecondsPerDay), now.picos, kUtc};
  TypeKind kind = TypeKind::timestamp_tz;
  if (name == "LOCALTIMESTAMP") {
    kind = TypeKind::timestamp;
    now = local;
  } else if (name == "CURRENT_DATE") {
    int64_t days = floor_div(local.seconds, kSecondsPerDay);
    return Literal{Type(TypeKind::date), moment_code({days * kSecondsPerDay, 0, kUtc})};
  } else if (name != "CURRENT_TIMESTAMP") {
    kind = name == "LOCALTIME" ? TypeKind::time : TypeKind::time_tz;
    now = time;
    if (kind == TypeKind::time_tz) now.zone = zone_of_offset(offset / 60);
  }
  return Literal{Type(kind, precision), moment_code(now)};
}

}  // namespace aichemy::sql
