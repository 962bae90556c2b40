// Reading by the patterns of moment_format.h, and ISO 8601.
#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "sql/types/moment_format.h"

namespace aichemy::sql {

using Kind = PatternElement::Kind;

struct MomentPattern::Read {
  std::optional<int64_t> year, weekyear, century, month, day, day_of_year, week, day_of_week;
  std::optional<int64_t> hour, hour_of_half, half, minute, second, picos;
  bool before_era = false;
  std::optional<int32_t> offset;
  std::optional<Zone> zone;
};

namespace {

std::unexpected<Error> bad(std::string message) {
  return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT", std::move(message));
}

// An error where reading stopped, in the words of the library Trino uses.
std::string malformed(std::string_view text, size_t at) {
  std::string shown(text.size() <= at + 35 ? text : text.substr(0, at + 32));
  if (text.size() > at + 35) shown += "...";
  if (at == 0) return fmt::format("Invalid format: \"{}\"", shown);
  if (at >= text.size()) return fmt::format("Invalid format: \"{}\" is too short", shown);
  return fmt::format("Invalid format: \"{}\" is malformed at \"{}\"", shown, shown.substr(at));
}

bool read_number(std::string_view& rest, int digits_max, bool sign, int64_t& value, int& digits) {
  bool negative = sign && rest.starts_with('-');
  if (sign && (negative || rest.starts_with('+'))) rest.remove_prefix(1);
  value = 0;
  digits = 0;
  while (digits < digits_max && !rest.empty() && rest[0] >= '0' && rest[0] <= '9') {
    value = value * 10 + (rest[0] - '0');
    rest.remove_prefix(1);
    ++digits;
  }
  if (negative) value = -value;
  return digits > 0;
}

bool starts_with_any_case(std::string_view text, std::string_view start) {
  if (text.size() < start.size()) return false;
  return std::ranges::equal(text.substr(0, start.size()), start, [](char a, char b) {
    auto low = [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; };
    return low(a) == low(b);
  });
}

// The longest of the names that the text starts with.
bool read_name(std::string_view& rest, const std::vector<std::string>& full,
               const std::vector<std::string>& brief, int64_t& index) {
  size_t length = 0;
  for (const auto* list : {&full, &brief}) {
    for (size_t i = 0; i < list->size(); ++i) {
      if ((*list)[i].size() > length && starts_with_any_case(rest, (*list)[i])) {
        length = (*list)[i].size();
        index = static_cast<int64_t>(i);
      }
    }
  }
  rest.remove_prefix(length);
  return length > 0;
}

bool read_offset(std::string_view& rest, int32_t& offset) {
  if (rest.starts_with('Z')) {
    rest.remove_prefix(1);
    offset = 0;
    return true;
  }
  if (rest.empty() || (rest[0] != '+' && rest[0] != '-')) return false;
  bool negative = rest[0] == '-';
  rest.remove_prefix(1);
  int64_t hours = 0, minutes = 0;
  int digits = 0;
  if (!read_number(rest, 2, false, hours, digits) || digits != 2) return false;
  std::string_view ahead = rest;
  if (ahead.starts_with(':')) ahead.remove_prefix(1);
  if (read_number(ahead, 2, false, minutes, digits)) {
    if (digits != 2 || minutes > 59) return false;
    rest = ahead;
  }
  offset = static_cast<int32_t>(hours * 3600 + minutes * 60);
  if (negative) offset = -offset;
  return offset >= -kOffsetMinutesMax * 60 && offset <= kOffsetMinutesMax * 60;
}

int64_t read_fraction(std::string_view& rest, int digits_max) {
  int64_t picos = 0, unit = kPicosPerSecond / 10;
  for (int i = 0; i < digits_max && !rest.empty() && rest[0] >= '0' && rest[0] <= '9'; ++i) {
    picos += unit * (rest[0] - '0');
    unit /= 10;
    rest.remove_prefix(1);
  }
  return picos;
}

}  // namespace

namespace {

// Digits of a field within its bounds.
bool read_field(std::string_view& rest, const PatternElement& part, bool strict,
                std::optional<int64_t>& field, int64_t least, int64_t most) {
  bool year = part.kind == Kind::year || part.kind == Kind::weekyear;
  int64_t value = 0;
  int digits = 0;
  if (!read_number(rest, part.digits_max, year && !strict, value, digits)) return false;
  if (strict && digits != part.digits) return false;
  if (value < least || value > most) return false;
  field = value;
  return true;
}

}  // namespace

bool MomentPattern::read_date(std::string_view& rest, size_t index, Read& made) const {
  const PatternElement& part = elements_[index];
  auto number = [&](std::optional<int64_t>& field, int64_t least, int64_t most) {
    return read_field(rest, part, strict_, field, least, most);
  };
  constexpr int64_t kAny = INT64_MAX;
  int64_t value = 0;
  int digits = 0;
  switch (part.kind) {
    case Kind::era:
      if (!read_name(rest, names_->eras, {"BC", "AD"}, value)) return false;
      made.before_era = value == 0;
      return true;
    case Kind::century: return number(made.century, 0, kAny);
    case Kind::year:
    case Kind::year_of_era: return number(made.year, -kAny, kAny);
    case Kind::year_two_digits:
      if (!read_number(rest,
                       index + 1 < elements_.size() && elements_[index + 1].is_numeric() ? 2 : 9,
                       false, value, digits))
        return false;
      // Two digits are a year from 1970 to 2069.
      made.year = digits > 2 ? value : value + (value < 70 ? 2000 : 1900);
      return true;
    case Kind::weekyear: return number(made.weekyear, -kAny, kAny);
    case Kind::week: return number(made.week, 1, 53);
    case Kind::day_of_week: return number(made.day_of_week, 1, 7);
    case Kind::day_of_week_text:
      if (!read_name(rest, names_->days, names_->days_brief, value)) return false;
      made.day_of_week = value == 0 ? 7 : value;
      return true;
    case Kind::day_of_year: return number(made.day_of_year, 1, 366);
    case Kind::month: return number(made.month, 1, 12);
    case Kind::month_text:
      if (!read_name(rest, names_->months, names_->months_brief, value)) return false;
      made.month = value + 1;
      return true;
    case Kind::day: return number(made.day, 1, 31);
    default: return false;
  }
}

bool MomentPattern::read_clock(std::string_view& rest, const PatternElement& part,
                               Read& made) const {
  auto number = [&](std::optional<int64_t>& field, int64_t least, int64_t most) {
    return read_field(rest, part, strict_, field, least, most);
  };
  int64_t value = 0;
  switch (part.kind) {
    case Kind::half_text:
      if (!read_name(rest, names_->halves, {"AM", "PM"}, value)) return false;
      made.half = value;
      return true;
    case Kind::hour_of_half: return number(made.hour_of_half, 0, 11);
    case Kind::clock_hour_of_half:
      if (!number(made.hour_of_half, 1, 12)) return false;
      *made.hour_of_half %= 12;
      return true;
    case Kind::hour: return number(made.hour, 0, 23);
    case Kind::clock_hour:
      if (!number(made.hour, 1, 24)) return false;
      *made.hour %= 24;
      return true;
    case Kind::minute: return number(made.minute, 0, 59);
    case Kind::second: return number(made.second, 0, 59);
    case Kind::fraction:
      if (rest.empty() || rest[0] < '0' || rest[0] > '9') return false;
      made.picos = read_fraction(rest, std::max(part.digits_max, 1));
      return true;
    case Kind::zone_text:
    case Kind::zone_id: {
      size_t length = 0;
      while (length < rest.size() && rest[length] != ' ' && rest[length] != ',') ++length;
      made.zone = find_zone(rest.substr(0, length));
      if (!made.zone) return false;
      rest.remove_prefix(length);
      return true;
    }
    case Kind::zone_offset:
    case Kind::zone_offset_colon: {
      int32_t offset = 0;
      if (!read_offset(rest, offset)) return false;
      made.offset = offset;
      return true;
    }
    default: return false;
  }
}

bool MomentPattern::read(std::string_view& rest, size_t index, Read& made) const {
  const PatternElement& part = elements_[index];
  if (part.kind == Kind::literal) {
    if (!starts_with_any_case(rest, part.text)) return false;
    rest.remove_prefix(part.text.size());
    return true;
  }
  if (part.kind <= Kind::day) return read_date(rest, index, made);
  return read_clock(rest, part, made);
}

Result<Moment> MomentPattern::parse(std::string_view text, Zone zone, bool zoned) const {
  Read made;
  std::string_view rest = text;
  for (size_t i = 0; i < elements_.size(); ++i) {
    std::string_view before = rest;
    if (!read(rest, i, made)) return bad(malformed(text, text.size() - before.size()));
  }
  if (!rest.empty()) return bad(malformed(text, text.size() - rest.size()));
  bool no_year = !made.year && !made.weekyear && !made.century;
  bool some_day = made.month || made.day || made.day_of_year || made.week;
  int64_t year = made.year.value_or(no_year && some_day ? 2000 : 1970);
  if (made.century) year = *made.century * 100 + floor_mod(year, 100);
  if (made.before_era) year = 1 - year;
  int64_t days = 0;
  if (made.week || made.weekyear) {
    int64_t week_year = made.weekyear.value_or(year);
    int64_t fourth = days_of({week_year, 1, 4});  // is always in week 1
    days = fourth - floor_mod(fourth + 3, 7) + (made.week.value_or(1) - 1) * 7 +
           made.day_of_week.value_or(1) - 1;
  } else if (made.day_of_year) {
    days = days_of({year, 1, 1}) + *made.day_of_year - 1;
  } else {
    auto month = static_cast<int>(made.month.value_or(1));
    int64_t day = made.day.value_or(1);
    if (day > days_in_month(year, month)) {
      return bad(
          fmt::format("Cannot parse \"{}\": Value {} for dayOfMonth must be in the range [1,{}]",
                      text, day, days_in_month(year, month)));
    }
    days = days_of({year, month, static_cast<int>(day)});
    if (made.day_of_week && !made.day) days += *made.day_of_week - 1 - floor_mod(days + 3, 7);
  }
  int64_t hour = made.hour.value_or(made.hour_of_half.value_or(0) + made.half.value_or(0) * 12);
  int64_t local =
      days * kSecondsPerDay + hour * 3600 + made.minute.value_or(0) * 60 + made.second.value_or(0);
  Moment result{local, made.picos.value_or(0), kUtc};
  result.picos = result.picos / 1'000'000'000 * 1'000'000'000;
  if (!zoned) return result;
  if (made.offset) zone = zone_of_offset(*made.offset / 60);
  result.zone = made.zone.value_or(zone);
  result.seconds = to_utc(result.zone, local);
  return result;
}

namespace {

struct IsoReader {
  std::string_view rest;
  int64_t value = 0;
  int digits = 0;

  bool take(char c) {
    if (!rest.starts_with(c)) return false;
    rest.remove_prefix(1);
    return true;
  }
  bool number(int most, bool sign = false) {
    return read_number(rest, most, sign, value, digits);
  }

  // -MM[-DD], -DDD or -Www[-D] after a year: the day.
  bool day_of(int64_t year, int64_t& days) {
    if (take('W')) {
      if (!number(2) || value < 1 || value > 53) return false;
      int64_t fourth = days_of({year, 1, 4});
      days = fourth - floor_mod(fourth + 3, 7) + (value - 1) * 7;
      if (!take('-')) return true;
      if (!number(1) || value < 1 || value > 7) return false;
      days += value - 1;
      return true;
    }
    std::string_view before = rest;
    if (number(3) && digits == 3) {
      days += value - 1;
      return value >= 1 && value <= 366;
    }
    rest = before;
    if (!number(2) || value < 1 || value > 12) return false;
    auto month = static_cast<int>(value);
    days = days_of({year, month, 1});
    if (!take('-')) return true;
    if (!number(2) || value < 1 || value > days_in_month(year, month)) return false;
    days += value - 1;
    return true;
  }

  // HH[:mm[:ss[.fraction]]][zone]
  bool clock(Moment& made) {
    static constexpr int64_t kMost[] = {24, 59, 59};
    int64_t scale = 3600;
    for (int i = 0; i < 3; ++i, scale /= 60) {
      if (i > 0 && !take(':')) break;
      if (!number(2)) {
        if (i > 0) return false;
        break;
      }
      if (value > kMost[i]) return false;
      made.seconds += value * scale;
      if (i == 2 && (take('.') || take(','))) {
        made.picos = read_fraction(rest, 12);
        while (!rest.empty() && rest[0] >= '0' && rest[0] <= '9') rest.remove_prefix(1);
      }
    }
    if (rest.empty()) return true;
    int32_t offset = 0;
    if (!read_offset(rest, offset)) return false;
    made.zone = zone_of_offset(offset / 60);
    return true;
  }
};

}  // namespace

Result<Moment> parse_iso8601(std::string_view text, Zone zone) {
  IsoReader in{text};
  auto broken = [&] { return bad(malformed(text, text.size() - in.rest.size())); };
  if (!in.number(9, true)) return broken();
  int64_t year = in.value, days = days_of({year, 1, 1});
  if (in.take('-') && !in.day_of(year, days)) return broken();
  Moment made{days * kSecondsPerDay, 0, zone};
  if (in.take('T') && !in.clock(made)) return broken();
  if (!in.rest.empty()) return broken();
  made.seconds = to_utc(made.zone, made.seconds);
  return made;
}

}  // namespace aichemy::sql
