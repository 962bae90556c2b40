// Dates, times and timestamps of all precisions as one exact value, their texts and calendar
// arithmetic (proleptic Gregorian, ISO weeks). The engine's native functions, the analyzer's
// literals and the result encoder all use these.
//
// What the parts of a Moment are, by type: date: seconds at the day's midnight; time: seconds since
// midnight; time with time zone: local seconds since midnight and the zone (an offset); timestamp:
// local seconds since 1970; timestamp with time zone: seconds since 1970 in UTC and the zone.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/types/time_zone.h"
#include "sql/types/type.h"

namespace aichemy::sql {

constexpr int64_t kSecondsPerDay = 86400;
constexpr int64_t kPicosPerSecond = 1'000'000'000'000;

struct Moment {
  int64_t seconds = 0;
  int64_t picos = 0;  // 0 .. 10^12 - 1
  Zone zone = kUtc;
};

struct CivilDay {
  int64_t year = 1970;
  int month = 1, day = 1;
};

CivilDay civil_of(int64_t days);       // since 1970-01-01
int64_t days_of(const CivilDay& day);  // the day may exceed its month
int days_in_month(int64_t year, int month);
int64_t floor_div(int64_t value, int64_t divisor);
int64_t floor_mod(int64_t value, int64_t divisor);

// Seconds of the local clock.
int64_t local_seconds(TypeKind kind, const Moment& moment);
// `precision` digits of fraction, rounded half up; times wrap around at midnight.
Moment rounded(TypeKind kind, const Moment& moment, int precision);

// Trino's text: "2020-05-10 12:34:56.123 Europe/Vienna". The fraction is cut at `precision`.
std::string moment_text(TypeKind kind, const Moment& moment, int precision);
void append_moment(std::string& out, TypeKind kind, const Moment& moment, int precision);
// "2020-05-10", "+12001-01-01", "-0001-01-01".
void append_day(std::string& out, int64_t days);

// Exact and unambiguous, for literals inside plans: "seconds:picos:zone".
std::string moment_code(const Moment& moment);
Moment moment_of_code(std::string_view code);

// The instants Trino's timestamp with time zone can hold: milliseconds in 52 bits.
constexpr int64_t kInstantMillisMax = (int64_t{1} << 51) - 1;
bool is_instant(const Moment& moment);

struct ParsedMoment {
  Moment moment;
  int precision = 0;
  bool has_zone = false;
};
// Texts as Trino casts them, blanks around removed. A text without zone gets `zone` when the kind
// has one (time with time zone: its offset at `now_seconds`); a timestamp drops a zone it has.
// nullopt: no such text, or more than 12 digits of fraction.
std::optional<ParsedMoment> parse_moment(TypeKind kind, std::string_view text, Zone zone,
                                         int64_t now_seconds);

// Fields of the local calendar and clock: year quarter month week day day_of_week day_of_year
// year_of_week hour minute second millisecond timezone_hour timezone_minute.
enum class MomentField : uint8_t {
  year,
  quarter,
  month,
  week,
  day,
  day_of_week,
  day_of_year,
  year_of_week,
  hour,
  minute,
  second,
  millisecond,
  timezone_hour,
  timezone_minute,
};
std::optional<MomentField> find_field(std::string_view name);
int64_t field_of(TypeKind kind, const Moment& moment, MomentField field);
int64_t iso_week(int64_t days, int64_t& year);

// millisecond second minute hour day week month quarter year.
enum class MomentUnit : uint8_t {
  millisecond,
  second,
  minute,
  hour,
  day,
  week,
  month,
  quarter,
  year,
};
std::optional<MomentUnit> find_unit(std::string_view name);  // any case
// A time takes units up to hour, a date from day on; the others all.
bool has_unit(TypeKind kind, MomentUnit unit);

Moment truncated(TypeKind kind, const Moment& moment, MomentUnit unit);
// nullopt: beyond what the type can hold.
std::optional<Moment> added(TypeKind kind, const Moment& moment, MomentUnit unit, int64_t amount);
// Whole units from a to b, cut towards zero.
int64_t difference(TypeKind kind, const Moment& a, const Moment& b, MomentUnit unit);

}  // namespace aichemy::sql
