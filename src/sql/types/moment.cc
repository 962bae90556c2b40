#include "sql/types/moment.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdlib>
#include <iterator>

namespace aichemy::sql {
namespace {

bool is_time(TypeKind kind) { return kind == TypeKind::time || kind == TypeKind::time_tz; }

int64_t power_of_ten(int exponent) {
  int64_t made = 1;
  for (int i = 0; i < exponent; ++i) made *= 10;
  return made;
}

// From the local clock back to what a Moment of the kind holds.
Moment from_local(TypeKind kind, int64_t seconds, int64_t picos, Zone zone) {
  if (kind == TypeKind::timestamp_tz) return {to_utc(zone, seconds), picos, zone};
  if (is_time(kind)) seconds = floor_mod(seconds, kSecondsPerDay);
  return {seconds, picos, zone};
}

void append_clock(std::string& out, int64_t second_of_day, int64_t picos, int precision) {
  char raw[8] = {static_cast<char>('0' + second_of_day / 36000),
                 static_cast<char>('0' + second_of_day / 3600 % 10),
                 ':',
                 static_cast<char>('0' + second_of_day / 600 % 6),
                 static_cast<char>('0' + second_of_day / 60 % 10),
                 ':',
                 static_cast<char>('0' + second_of_day % 60 / 10),
                 static_cast<char>('0' + second_of_day % 10)};
  out.append(raw, 8);
  if (precision == 0) return;
  out += '.';
  int64_t fraction = picos / power_of_ten(12 - precision);
  char digits[12];
  for (int i = precision - 1; i >= 0; --i) {
    digits[i] = static_cast<char>('0' + fraction % 10);
    fraction /= 10;
  }
  out.append(digits, static_cast<size_t>(precision));
}

// A cursor over "2020-05-01 12:34:56.789 Europe/Vienna".
struct Scanner {
  std::string_view rest;

  bool take(char c) {
    if (rest.empty() || rest.front() != c) return false;
    rest.remove_prefix(1);
    return true;
  }
  void blanks() {
    while (!rest.empty() && (rest.front() == ' ' || (rest.front() >= '\t' && rest.front() <= '\r')))
      rest.remove_prefix(1);
  }
  bool at_digit() const { return !rest.empty() && rest.front() >= '0' && rest.front() <= '9'; }
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

std::optional<int64_t> scan_day(Scanner& in) {
  bool negative = in.take('-');
  if (!negative) in.take('+');
  auto year = in.digits(4, 9);
  if (!year || !in.take('-')) return std::nullopt;
  auto month = in.digits(1, 2);
  if (!month || *month < 1 || *month > 12 || !in.take('-')) return std::nullopt;
  auto day = in.digits(1, 2);
  int64_t shown = negative ? -*year : *year;
  if (!day || *day < 1 || *day > days_in_month(shown, static_cast<int>(*month)))
    return std::nullopt;
  return days_of({shown, static_cast<int>(*month), static_cast<int>(*day)});
}

// hh:mm[:ss[.fraction]]
bool scan_clock(Scanner& in, ParsedMoment& made) {
  auto hour = in.digits(1, 2);
  if (!hour || *hour > 23 || !in.take(':')) return false;
  auto minute = in.digits(1, 2);
  if (!minute || *minute > 59) return false;
  made.moment.seconds += *hour * 3600 + *minute * 60;
  if (!in.take(':')) return true;
  auto second = in.digits(1, 2);
  if (!second || *second > 59) return false;
  made.moment.seconds += *second;
  if (!in.take('.')) return true;
  int digits = 0;
  for (; in.at_digit() && digits < 13; ++digits) {
    made.moment.picos = made.moment.picos * 10 + (in.rest.front() - '0');
    in.rest.remove_prefix(1);
  }
  if (digits == 0 || digits > 12) return false;
  made.moment.picos *= power_of_ten(12 - digits);
  made.precision = digits;
  return true;
}

std::optional<ParsedMoment> parse_time(TypeKind kind, Scanner in, Zone zone, int64_t now_seconds) {
  ParsedMoment made;
  if (!scan_clock(in, made)) return std::nullopt;
  in.blanks();
  made.has_zone = !in.rest.empty();
  if (made.has_zone) {
    // Only an offset: a name has no offset without a date.
    bool shape = in.rest.size() == 6 && (in.rest[0] == '+' || in.rest[0] == '-');
    auto found = shape ? find_zone(in.rest) : std::nullopt;
    if (!found) return std::nullopt;
    made.moment.zone = *found;
  } else if (kind == TypeKind::time_tz) {
    made.moment.zone = zone_of_offset(offset_at(zone, now_seconds) / 60);
  }
  if (kind == TypeKind::time) made.moment.zone = kUtc;
  return made;
}

}  // namespace

int64_t floor_div(int64_t value, int64_t divisor) {
  int64_t quotient = value / divisor;
  return value % divisor < 0 ? quotient - 1 : quotient;
}

int64_t floor_mod(int64_t value, int64_t divisor) {
  int64_t rest = value % divisor;
  return rest < 0 ? rest + divisor : rest;
}

// Howard Hinnant's "chrono-compatible low-level date algorithms", in 64 bits: years that begin in
// March, eras of 400 years.
CivilDay civil_of(int64_t days) {
  days += 719468;
  int64_t era = floor_div(days, 146097), of_era = floor_mod(days, 146097);
  int64_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / 146096) / 365;
  int64_t of_year = of_era - (365 * year + year / 4 - year / 100);
  int64_t month = (5 * of_year + 2) / 153;
  CivilDay made;
  made.day = static_cast<int>(of_year - (153 * month + 2) / 5 + 1);
  made.month = static_cast<int>(month < 10 ? month + 3 : month - 9);
  made.year = year + era * 400 + (made.month <= 2 ? 1 : 0);
  return made;
}

int64_t days_of(const CivilDay& day) {
  int64_t year = day.year - (day.month <= 2 ? 1 : 0);
  int64_t era = floor_div(year, 400), of_era = floor_mod(year, 400);
  int64_t of_year = (153 * (day.month > 2 ? day.month - 3 : day.month + 9) + 2) / 5 + day.day - 1;
  return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

int days_in_month(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  bool leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
  return month == 2 && leap ? 29 : kDays[month - 1];
}

int64_t local_seconds(TypeKind kind, const Moment& moment) {
  if (kind != TypeKind::timestamp_tz) return moment.seconds;
  return moment.seconds + offset_at(moment.zone, moment.seconds);
}

Moment rounded(TypeKind kind, const Moment& moment, int precision) {
  if (precision >= 12) return moment;
  int64_t unit = power_of_ten(12 - precision);
  Moment made = moment;
  made.picos = (moment.picos + unit / 2) / unit * unit;
  if (made.picos >= kPicosPerSecond) {
    made.picos -= kPicosPerSecond;
    ++made.seconds;
    if (is_time(kind)) made.seconds %= kSecondsPerDay;
  }
  return made;
}

void append_day(std::string& out, int64_t days) {
  CivilDay day = civil_of(days);
  auto into = std::back_inserter(out);
  if (day.year > 9999) {
    fmt::format_to(into, "+{}", day.year);
  } else if (day.year < 0) {
    fmt::format_to(into, "-{:04}", -day.year);
  } else {
    char raw[4] = {
        static_cast<char>('0' + day.year / 1000), static_cast<char>('0' + day.year / 100 % 10),
        static_cast<char>('0' + day.year / 10 % 10), static_cast<char>('0' + day.year % 10)};
    out.append(raw, 4);
  }
  char rest[6] = {
      '-', static_cast<char>('0' + day.month / 10), static_cast<char>('0' + day.month % 10),
      '-', static_cast<char>('0' + day.day / 10),   static_cast<char>('0' + day.day % 10)};
  out.append(rest, 6);
}

void append_moment(std::string& out, TypeKind kind, const Moment& moment, int precision) {
  int64_t local = local_seconds(kind, moment);
  if (!is_time(kind)) append_day(out, floor_div(local, kSecondsPerDay));
  if (kind == TypeKind::date) return;
  if (!is_time(kind)) out += ' ';
  append_clock(out, floor_mod(local, kSecondsPerDay), moment.picos, precision);
  if (kind == TypeKind::timestamp_tz) {
    out += ' ';
    out += zone_name(moment.zone);
  } else if (kind == TypeKind::time_tz) {
    out += moment.zone == kUtc ? std::string("+00:00") : zone_name(moment.zone);
  }
}

std::string moment_text(TypeKind kind, const Moment& moment, int precision) {
  std::string out;
  append_moment(out, kind, moment, precision);
  return out;
}

std::string moment_code(const Moment& moment) {
  return fmt::format("{}:{}:{}", moment.seconds, moment.picos, moment.zone);
}

Moment moment_of_code(std::string_view code) {
  Moment made;
  char* end = nullptr;
  std::string text(code);
  made.seconds = std::strtoll(text.c_str(), &end, 10);
  if (*end == ':') made.picos = std::strtoll(end + 1, &end, 10);
  if (*end == ':') made.zone = static_cast<Zone>(std::strtol(end + 1, &end, 10));
  return made;
}

bool is_instant(const Moment& moment) {
  constexpr int64_t kSecondsMax = kInstantMillisMax / 1000;
  return moment.seconds <= kSecondsMax && moment.seconds >= -kSecondsMax - 1;
}

std::optional<ParsedMoment> parse_moment(TypeKind kind, std::string_view text, Zone zone,
                                         int64_t now_seconds) {
  Scanner in{text};
  in.blanks();
  while (!in.rest.empty() &&
         (in.rest.back() == ' ' || (in.rest.back() >= '\t' && in.rest.back() <= '\r')))
    in.rest.remove_suffix(1);
  if (is_time(kind)) return parse_time(kind, in, zone, now_seconds);
  ParsedMoment made;
  auto day = scan_day(in);
  if (!day) return std::nullopt;
  made.moment.seconds = *day * kSecondsPerDay;
  if (kind == TypeKind::date) return in.rest.empty() ? std::optional(made) : std::nullopt;
  if (!in.rest.empty() && !in.take(' ')) return std::nullopt;
  in.blanks();
  if (in.at_digit() && !scan_clock(in, made)) return std::nullopt;
  in.blanks();
  made.has_zone = !in.rest.empty();
  if (made.has_zone) {
    auto found = find_zone(in.rest);
    if (!found) return std::nullopt;
    zone = *found;
  }
  if (kind == TypeKind::timestamp_tz) {
    made.moment.seconds = to_utc(zone, made.moment.seconds);
    made.moment.zone = zone;
  }
  return made;
}

// ---- fields ----

int64_t iso_week(int64_t days, int64_t& year) {
  int64_t weekday = floor_mod(days + 3, 7);  // Monday is 0
  int64_t thursday = days - weekday + 3;
  year = civil_of(thursday).year;
  return (thursday - days_of({year, 1, 1})) / 7 + 1;
}

std::optional<MomentField> find_field(std::string_view name) {
  static constexpr std::string_view kNames[] = {
      "year",        "quarter",     "month",         "week",           "day",
      "day_of_week", "day_of_year", "year_of_week",  "hour",           "minute",
      "second",      "millisecond", "timezone_hour", "timezone_minute"};
  const auto* found = std::ranges::find(kNames, name);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<MomentField>(found - std::begin(kNames));
}

int64_t field_of(TypeKind kind, const Moment& moment, MomentField field) {
  int64_t local = local_seconds(kind, moment);
  int64_t days = floor_div(local, kSecondsPerDay), clock = floor_mod(local, kSecondsPerDay);
  int64_t year = 0;
  switch (field) {
    case MomentField::year: return civil_of(days).year;
    case MomentField::quarter: return (civil_of(days).month + 2) / 3;
    case MomentField::month: return civil_of(days).month;
    case MomentField::week: return iso_week(days, year);
    case MomentField::day: return civil_of(days).day;
    case MomentField::day_of_week: return floor_mod(days + 3, 7) + 1;
    case MomentField::day_of_year: return days - days_of({civil_of(days).year, 1, 1}) + 1;
    case MomentField::year_of_week: iso_week(days, year); return year;
    case MomentField::hour: return clock / 3600;
    case MomentField::minute: return clock / 60 % 60;
    case MomentField::second: return clock % 60;
    case MomentField::millisecond: return moment.picos / 1'000'000'000;
    case MomentField::timezone_hour: return offset_at(moment.zone, moment.seconds) / 3600;
    case MomentField::timezone_minute: return offset_at(moment.zone, moment.seconds) / 60 % 60;
  }
  return 0;
}

// ---- units ----

std::optional<MomentUnit> find_unit(std::string_view name) {
  static constexpr std::string_view kNames[] = {"millisecond", "second", "minute",  "hour", "day",
                                                "week",        "month",  "quarter", "year"};
  std::string lower(name);
  for (char& c : lower) {
    if (c >= 'A' && c <= 'Z') c = static_cast<char>(c - 'A' + 'a');
  }
  const auto* found = std::ranges::find(kNames, lower);
  if (found == std::end(kNames)) return std::nullopt;
  return static_cast<MomentUnit>(found - std::begin(kNames));
}

bool has_unit(TypeKind kind, MomentUnit unit) {
  if (kind == TypeKind::date) return unit >= MomentUnit::day;
  return !is_time(kind) || unit <= MomentUnit::hour;
}

namespace {

constexpr int64_t kUnitSeconds[] = {0, 1, 60, 3600, kSecondsPerDay, 7 * kSecondsPerDay};

int64_t months_of(MomentUnit unit) {
  return unit == MomentUnit::year ? 12 : unit == MomentUnit::quarter ? 3 : 1;
}

// The same day and clock `months` later, the day cut to its month.
int64_t plus_months(int64_t local, int64_t months) {
  CivilDay day = civil_of(floor_div(local, kSecondsPerDay));
  int64_t all = day.year * 12 + day.month - 1 + months;
  CivilDay made{floor_div(all, 12), static_cast<int>(floor_mod(all, 12)) + 1, day.day};
  made.day = std::min(made.day, days_in_month(made.year, made.month));
  return days_of(made) * kSecondsPerDay + floor_mod(local, kSecondsPerDay);
}

}  // namespace

Moment truncated(TypeKind kind, const Moment& moment, MomentUnit unit) {
  if (unit == MomentUnit::millisecond) {
    return {moment.seconds, moment.picos / 1'000'000'000 * 1'000'000'000, moment.zone};
  }
  int64_t local = local_seconds(kind, moment);
  if (unit <= MomentUnit::hour) {
    // On the local clock, without leaving the offset that holds now.
    int64_t cut = floor_mod(local, kUnitSeconds[static_cast<size_t>(unit)]);
    return {moment.seconds - cut, 0, moment.zone};
  }
  int64_t days = floor_div(local, kSecondsPerDay);
  CivilDay day = civil_of(days);
  if (unit == MomentUnit::week) days -= floor_mod(days + 3, 7);
  if (unit == MomentUnit::month) days = days_of({day.year, day.month, 1});
  if (unit == MomentUnit::quarter) days = days_of({day.year, (day.month - 1) / 3 * 3 + 1, 1});
  if (unit == MomentUnit::year) days = days_of({day.year, 1, 1});
  return from_local(kind, days * kSecondsPerDay, 0, moment.zone);
}

std::optional<Moment> added(TypeKind kind, const Moment& moment, MomentUnit unit, int64_t amount) {
  constexpr int64_t kMonthsMax = 12'000'000'000, kSecondsMax = int64_t{1} << 58;
  if (unit == MomentUnit::millisecond) {
    int64_t picos = moment.picos + floor_mod(amount, 1000) * 1'000'000'000;
    int64_t seconds = moment.seconds + floor_div(amount, 1000) + picos / kPicosPerSecond;
    picos %= kPicosPerSecond;
    if (is_time(kind)) seconds = floor_mod(seconds, kSecondsPerDay);
    return Moment{seconds, picos, moment.zone};
  }
  if (unit <= MomentUnit::week) {
    int64_t seconds = 0, scale = kUnitSeconds[static_cast<size_t>(unit)];
    if (is_time(kind)) amount %= kSecondsPerDay;
    if (__builtin_mul_overflow(amount, scale, &seconds) || std::abs(seconds) > kSecondsMax)
      return std::nullopt;
    // Hours pass on the time line, days on the calendar.
    if (unit <= MomentUnit::hour) {
      seconds += moment.seconds;
      if (is_time(kind)) seconds = floor_mod(seconds, kSecondsPerDay);
      return Moment{seconds, moment.picos, moment.zone};
    }
    return from_local(kind, local_seconds(kind, moment) + seconds, moment.picos, moment.zone);
  }
  int64_t months = 0;
  if (__builtin_mul_overflow(amount, months_of(unit), &months) || std::abs(months) > kMonthsMax)
    return std::nullopt;
  return from_local(kind, plus_months(local_seconds(kind, moment), months), moment.picos,
                    moment.zone);
}

int64_t difference(TypeKind kind, const Moment& a, const Moment& b, MomentUnit unit) {
  // Days and longer count on a's calendar, shorter units on the time line.
  bool calendar = unit >= MomentUnit::day;
  int64_t from = a.seconds, to = b.seconds;
  if (calendar && kind == TypeKind::timestamp_tz) {
    from += offset_at(a.zone, a.seconds);
    to += offset_at(a.zone, b.seconds);
  }
  if (kind == TypeKind::time_tz) {
    from = floor_mod(from - offset_at(a.zone, 0), kSecondsPerDay);
    to = floor_mod(to - offset_at(b.zone, 0), kSecondsPerDay);
  }
  if (unit <= MomentUnit::week) {
    __int128 picos = (static_cast<__int128>(to) - from) * kPicosPerSecond + (b.picos - a.picos);
    __int128 size =
        unit == MomentUnit::millisecond
            ? kPicosPerSecond / 1000
            : static_cast<__int128>(kUnitSeconds[static_cast<size_t>(unit)]) * kPicosPerSecond;
    return static_cast<int64_t>(picos / size);
  }
  CivilDay first = civil_of(floor_div(from, kSecondsPerDay)),
           last = civil_of(floor_div(to, kSecondsPerDay));
  int64_t months = (last.year - first.year) * 12 + last.month - first.month;
  auto is_after = [&](int64_t reached) {
    return reached > to || (reached == to && a.picos > b.picos);
  };
  auto is_before = [&](int64_t reached) {
    return reached < to || (reached == to && a.picos < b.picos);
  };
  if (months > 0 && is_after(plus_months(from, months))) --months;
  if (months < 0 && is_before(plus_months(from, months))) ++months;
  return months / months_of(unit);
}

}  // namespace aichemy::sql
