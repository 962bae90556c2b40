// Patterns that print and read dates and times: MySQL's (%Y-%m-%d), Joda's (yyyy-MM-dd) and
// Teradata's (yyyy/mm/dd). All compile to the same elements. Names of months, days and halves of
// the day come from ICU's data for a language.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/types/moment.h"

namespace aichemy::sql {

struct PatternElement {
  enum class Kind : uint8_t {
    literal,
    era,
    century,
    year,  // of the ISO calendar, signed
    year_of_era,
    year_two_digits,
    weekyear,
    week,
    day_of_week,
    day_of_week_text,
    day_of_year,
    month,
    month_text,
    day,
    half_text,
    hour_of_half,        // 0-11
    clock_hour_of_half,  // 1-12
    hour,                // 0-23
    clock_hour,          // 1-24
    minute,
    second,
    fraction,
    zone_text,
    zone_offset,
    zone_offset_colon,
    zone_id,
  };
  Kind kind = Kind::literal;
  int digits = 0;      // least printed
  int digits_max = 0;  // most read; for a fraction also most printed
  bool brief = false;  // short text
  std::string text;    // literal

  bool is_numeric() const;
};

class MomentPattern {
 public:
  // invalid ("INVALID_FUNCTION_ARGUMENT"): not a pattern. Languages as "en-US".
  static Result<MomentPattern> mysql(std::string_view pattern, const std::string& language);
  static Result<MomentPattern> joda(std::string_view pattern, const std::string& language);
  static Result<MomentPattern> teradata(std::string_view pattern);

  // Values are rounded to milliseconds first. `zone` is shown for kinds without one.
  std::string format(TypeKind kind, const Moment& moment, Zone zone) const;
  // A local moment with the zone read (or `zone`), as a timestamp with time zone when `zoned`, else
  // as a timestamp. invalid ("INVALID_FUNCTION_ARGUMENT"): the text does not follow the pattern.
  Result<Moment> parse(std::string_view text, Zone zone, bool zoned) const;

 private:
  struct Names {
    std::vector<std::string> months, months_brief, days, days_brief, halves, eras;  // Sunday first
    std::string language;
  };
  struct Read;
  std::vector<PatternElement> elements_;
  std::shared_ptr<const Names> names_;
  bool strict_ = false;  // Teradata: digits exactly

  explicit MomentPattern(const std::string& language);
  void append(std::string& out, const PatternElement& element, const Moment& local, int32_t offset,
              Zone zone) const;
  bool read(std::string_view& rest, size_t index, Read& made) const;
  bool read_date(std::string_view& rest, size_t index, Read& made) const;
  bool read_clock(std::string_view& rest, const PatternElement& part, Read& made) const;
};

// from_iso8601_timestamp: a calendar, week or ordinal date, T, a clock, a zone; all but the year
// may be missing. invalid ("INVALID_FUNCTION_ARGUMENT").
Result<Moment> parse_iso8601(std::string_view text, Zone zone);

}  // namespace aichemy::sql
