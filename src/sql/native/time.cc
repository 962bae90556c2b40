// Dates, times and timestamps: casts, texts, fields, units and arithmetic for every physical form.
// A function's name ends with the form (or forms) it takes: aichemy_cast_ts6_tz12.
#include <fmt/format.h>

#include <cmath>
#include <duckdb/common/types/time.hpp>
#include <duckdb/common/types/timestamp.hpp>

#include "sql/native/functions.h"
#include "sql/native/moment.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

Zone checked_zone(int64_t number) {
  if (!is_zone(number)) raise("GENERIC_INTERNAL_ERROR", "unknown zone number");
  return static_cast<Zone>(number);
}

Zone named_zone(std::string_view name) {
  auto found = find_zone(name);
  if (!found)
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("'{}' is not a valid time zone", name));
  return *found;
}

Zone offset_zone(int64_t millis) {
  int64_t minutes = millis / 60000;
  if (millis % 60000 != 0)
    raise("INVALID_FUNCTION_ARGUMENT",
          "Invalid time zone offset interval: interval contains seconds");
  if (minutes < -kOffsetMinutesMax || minutes > kOffsetMinutesMax)
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Invalid offset minutes {}", minutes));
  return zone_of_offset(static_cast<int>(minutes));
}

// Runs fn(row, moment) -> Moment over argument `which`.
template <class Fn>
void map_moments(DataChunk& chunk, Vector& result, Form from, size_t which, Form to, Fn fn) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[which], chunk.size(), from);
  MomentWriter writer(result, to);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
    } else {
      writer.set(row, fn(arguments, row, reader.at(row)));
    }
  }
}

// ---- casts ----

// (value, precision, zone of the session, seconds at its start)
Moment cast_moment(TypeKind from, TypeKind to, Moment value, int precision, Zone zone,
                   int64_t now) {
  bool from_time = from == TypeKind::time || from == TypeKind::time_tz;
  bool to_time = to == TypeKind::time || to == TypeKind::time_tz;
  int64_t local = local_seconds(from, value);
  bool from_zoned = from == TypeKind::timestamp_tz || from == TypeKind::time_tz;
  if (to == TypeKind::date) return {floor_div(local, kSecondsPerDay) * kSecondsPerDay, 0, kUtc};
  if (from_time && !to_time) {
    int64_t today = floor_div(now + offset_at(zone, now), kSecondsPerDay);
    local += today * kSecondsPerDay;
  }
  Moment made{local, value.picos, kUtc};
  if (to_time) made.seconds = floor_mod(local, kSecondsPerDay);
  if (to == TypeKind::time_tz) {
    // Trino takes the offset as if the local time were UTC: it shows on the days of a change.
    int32_t offset = !from_zoned ? offset_at(zone, now) : offset_at(value.zone, local);
    made.zone = zone_of_offset(offset / 60);
  } else if (to == TypeKind::timestamp_tz) {
    made.zone = from_zoned ? value.zone : zone;
    // The same instant, not through a local time that may be there twice.
    made.seconds = from == to ? value.seconds : to_utc(made.zone, local);
  }
  return rounded(to, made, precision);
}

template <Form kFrom, Form kTo>
void cast_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  constexpr TypeKind kFromKind = row_of(kFrom).kind, kToKind = row_of(kTo).kind;
  map_moments(chunk, result, kFrom, 0, kTo, [](auto& arguments, idx_t row, Moment value) {
    if (kFromKind == TypeKind::date && kToKind == TypeKind::timestamp &&
        std::abs(value.seconds) > INT64_MAX / 1'000'000) {
      raise("NUMERIC_VALUE_OUT_OF_RANGE", fmt::format("Date cannot be represented as timestamp: {}",
                                                      value.seconds / kSecondsPerDay));
    }
    return cast_moment(kFromKind, kToKind, value, arguments.template value<int32_t>(1, row),
                       checked_zone(arguments.template value<int32_t>(2, row)),
                       arguments.template value<int64_t>(3, row));
  });
}

// (text, precision, zone, now)
template <Form kTo>
void parse_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  constexpr TypeKind kKind = row_of(kTo).kind;
  NativeArguments arguments(chunk);
  MomentWriter writer(result, kTo);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
      continue;
    }
    std::string_view text = arguments.text(0, row);
    auto parsed = parse_moment(kKind, text, checked_zone(arguments.value<int32_t>(2, row)),
                               arguments.value<int64_t>(3, row));
    bool fits =
        parsed && (kKind != TypeKind::timestamp_tz || is_instant(parsed->moment)) &&
        (kKind != TypeKind::timestamp ||
         std::abs(parsed->moment.seconds) < INT64_MAX / 1'000'000) &&
        (kKind != TypeKind::date || std::abs(parsed->moment.seconds / kSecondsPerDay) <= INT32_MAX);
    if (!fits) {
      const char* type = kKind == TypeKind::date                                 ? "date"
                         : kKind == TypeKind::time || kKind == TypeKind::time_tz ? "time"
                                                                                 : "timestamp";
      raise("INVALID_CAST_ARGUMENT", fmt::format("Value cannot be cast to {}: {}", type, text));
    }
    writer.set(row, rounded(kKind, parsed->moment, arguments.value<int32_t>(1, row)));
  }
}

// (value, precision)
template <Form kFrom>
void text_of_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kFrom);
  std::string text;
  arguments.each_text(result, [&](idx_t row) -> const std::string& {
    text.clear();
    append_moment(text, row_of(kFrom).kind, reader.at(row), arguments.value<int32_t>(1, row));
    return text;
  });
}

// ISO 8601: a T between day and clock, the offset as Z or +HH:MM. (value, precision)
template <Form kFrom>
void iso_of_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  constexpr TypeKind kKind = row_of(kFrom).kind;
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kFrom);
  arguments.each_text(result, [&](idx_t row) -> std::string {
    Moment value = reader.at(row);
    Moment local{local_seconds(kKind, value), value.picos, kUtc};
    TypeKind plain = kKind == TypeKind::timestamp_tz ? TypeKind::timestamp : kKind;
    std::string text = moment_text(plain, local, arguments.value<int32_t>(1, row));
    size_t blank = text.find(' ');
    if (blank != std::string::npos) text[blank] = 'T';
    if (kKind != TypeKind::timestamp_tz) return text;
    int32_t offset = offset_at(value.zone, value.seconds);
    if (offset == 0) return text + "Z";
    int32_t size = std::abs(offset);
    text += fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60 != 0) text += fmt::format(":{:02}", size % 60);
    return text;
  });
}

// ---- fields and units ----

template <Form kFrom>
void field_of_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[1], chunk.size(), kFrom);
  std::string_view last;
  std::optional<MomentField> field;
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    std::string_view name = arguments.text(0, row);
    if (!field || name != last) {
      field = find_field(name);
      last = name;
    }
    if (!field) raise("GENERIC_INTERNAL_ERROR", "unknown field");
    return field_of(row_of(kFrom).kind, reader.at(row), *field);
  });
}

MomentUnit unit_of(TypeKind kind, std::string_view name) {
  auto unit = find_unit(name);
  if (!unit || !has_unit(kind, *unit)) {
    const char* type = kind == TypeKind::date                                ? "DATE"
                       : kind == TypeKind::time || kind == TypeKind::time_tz ? "TIME"
                                                                             : "TIMESTAMP";
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("'{}' is not a valid {} field", name, type));
  }
  return *unit;
}

template <Form kForm>
void truncate_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 1, kForm, [](auto& arguments, idx_t row, Moment value) {
    constexpr TypeKind kKind = row_of(kForm).kind;
    return truncated(kKind, value, unit_of(kKind, arguments.text(0, row)));
  });
}

[[noreturn]] void out_of_range() { raise("INVALID_FUNCTION_ARGUMENT", "date_add overflow"); }

// (unit, amount, value, precision)
template <Form kForm>
void add_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 2, kForm, [](auto& arguments, idx_t row, Moment value) {
    constexpr TypeKind kKind = row_of(kForm).kind;
    auto made = added(kKind, value, unit_of(kKind, arguments.text(0, row)),
                      arguments.template value<int64_t>(1, row));
    if (!made) out_of_range();
    return rounded(kKind, *made, arguments.template value<int32_t>(3, row));
  });
}

template <Form kForm>
void difference_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader a(chunk.data[1], chunk.size(), kForm), b(chunk.data[2], chunk.size(), kForm);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    constexpr TypeKind kKind = row_of(kForm).kind;
    return difference(kKind, a.at(row), b.at(row), unit_of(kKind, arguments.text(0, row)));
  });
}

// ---- interval arithmetic ----

// (value, milliseconds): an interval passes on the time line.
template <Form kForm>
void plus_millis_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 0, kForm, [](auto& arguments, idx_t row, Moment value) {
    auto made = added(row_of(kForm).kind, value, MomentUnit::millisecond,
                      arguments.template value<int64_t>(1, row));
    if (!made) out_of_range();
    return *made;
  });
}

// Not plus the negative: the least number of milliseconds has none.
template <Form kForm>
void minus_millis_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 0, kForm, [](auto& arguments, idx_t row, Moment value) {
    int64_t millis = arguments.template value<int64_t>(1, row);
    auto made = added(row_of(kForm).kind, value, MomentUnit::millisecond, -(millis % 1000));
    if (made) made = added(row_of(kForm).kind, *made, MomentUnit::second, -(millis / 1000));
    if (!made) out_of_range();
    return *made;
  });
}

template <Form kForm>
void plus_months_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 0, kForm, [](auto& arguments, idx_t row, Moment value) {
    auto made = added(row_of(kForm).kind, value, MomentUnit::month,
                      arguments.template value<int64_t>(1, row));
    if (!made) out_of_range();
    return *made;
  });
}

template <Form kForm>
void minus_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader a(chunk.data[0], chunk.size(), kForm), b(chunk.data[1], chunk.size(), kForm);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    Moment first = a.at(row), second = b.at(row);
    if (kForm == Form::timetz) {
      for (Moment* one : {&first, &second})
        one->seconds = floor_mod(one->seconds - offset_at(one->zone, 0), kSecondsPerDay);
    }
    // Milliseconds, rounded half up.
    int64_t millis = (first.seconds - second.seconds) * 1000;
    return millis + floor_div(first.picos - second.picos + 500'000'000, 1'000'000'000);
  });
}

// ---- zones ----

template <Form kForm>
void zone_of_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kForm);
  static const std::string kNoOffset = "+00:00";
  arguments.each_text(result, [&](idx_t row) -> const std::string& {
    Zone zone = reader.at(row).zone;
    return kForm == Form::timetz && zone == kUtc ? kNoOffset : zone_name(zone);
  });
}

Moment moved(TypeKind kind, Moment value, Zone zone, int64_t now) {
  if (kind == TypeKind::timestamp_tz) return {value.seconds, value.picos, zone};
  // A time moves with the offset the zone has now.
  int32_t offset = offset_at(zone, now);
  int64_t utc = value.seconds - offset_at(value.zone, 0);
  return {floor_mod(utc + offset, kSecondsPerDay), value.picos, zone_of_offset(offset / 60)};
}

// (value, zone name, now)
template <Form kForm>
void at_zone_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 0, kForm, [](auto& arguments, idx_t row, Moment value) {
    return moved(row_of(kForm).kind, value, named_zone(arguments.text(1, row)),
                 arguments.template value<int64_t>(2, row));
  });
}

// (value, milliseconds of offset, now)
template <Form kForm>
void at_offset_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kForm, 0, kForm, [](auto& arguments, idx_t row, Moment value) {
    return moved(row_of(kForm).kind, value, offset_zone(arguments.template value<int64_t>(1, row)),
                 arguments.template value<int64_t>(2, row));
  });
}

// (local timestamp, zone name)
template <Form kFrom, Form kTo>
void with_zone_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, kFrom, 0, kTo, [](auto& arguments, idx_t row, Moment value) {
    Zone zone = named_zone(arguments.text(1, row));
    return Moment{to_utc(zone, value.seconds), value.picos, zone};
  });
}

// ---- seconds since 1970 ----

// (value, zone of the session)
template <Form kForm>
void to_unix_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kForm);
  arguments.each_value<double>(result, [&](idx_t row) {
    Moment value = reader.at(row);
    if (row_of(kForm).kind == TypeKind::timestamp)
      value.seconds = to_utc(checked_zone(arguments.value<int32_t>(1, row)), value.seconds);
    // Milliseconds first: the sum is rounded once, as Trino does it.
    double millis = static_cast<double>(value.seconds * 1000 + value.picos / 1'000'000'000);
    if (row_of(kForm).precision_max <= 6 && value.picos % 1'000'000'000 == 0) return millis / 1000;
    return static_cast<double>(value.seconds * 1'000'000 + value.picos / 1'000'000) / 1e6 +
           static_cast<double>(value.picos % 1'000'000) / 1e12;
  });
}

Moment instant_of_millis(double millis, Zone zone) {
  constexpr double kMax = 9223372036854775807.0;
  int64_t whole = std::isnan(millis) ? 0
                  : millis >= kMax   ? INT64_MAX
                  : millis <= -kMax  ? INT64_MIN
                                     : static_cast<int64_t>(millis);
  if (whole > kInstantMillisMax || whole < -kInstantMillisMax - 1)
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Millis overflow: {}", whole));
  return {floor_div(whole, 1000), floor_mod(whole, 1000) * 1'000'000'000, zone};
}

// (seconds, zone number) or (seconds, zone name) or (seconds, hours, minutes)
void from_unix(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentWriter writer(result, Form::tz6);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
      continue;
    }
    Zone zone = kUtc;
    if (chunk.ColumnCount() == 3) {
      int64_t hours = arguments.value<int64_t>(1, row), minutes = arguments.value<int64_t>(2, row);
      int64_t total = 0;
      if (__builtin_mul_overflow(hours, 60, &total) ||
          __builtin_add_overflow(total, minutes, &total) || std::abs(total) > kOffsetMinutesMax)
        raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Invalid offset minutes {}", total));
      zone = zone_of_offset(static_cast<int>(total));
    } else if (chunk.data[1].GetType().id() == duckdb::LogicalTypeId::VARCHAR) {
      zone = named_zone(arguments.text(1, row));
    } else {
      zone = checked_zone(arguments.value<int32_t>(1, row));
    }
    // Half up, as Math.round.
    writer.set(row,
               instant_of_millis(std::floor(arguments.value<double>(0, row) * 1000 + 0.5), zone));
  }
}

// (nanoseconds HUGEINT, zone number)
void from_unix_nanos(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentWriter writer(result, Form::tz12);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
      continue;
    }
    auto raw = arguments.value<duckdb::hugeint_t>(0, row);
    __int128 nanos = static_cast<__int128>(raw.upper) << 64 | raw.lower;
    __int128 seconds = nanos / 1'000'000'000, rest = nanos % 1'000'000'000;
    if (rest < 0) {
      rest += 1'000'000'000;
      --seconds;
    }
    if (seconds > kInstantMillisMax / 1000 || seconds < -kInstantMillisMax / 1000)
      raise("INVALID_FUNCTION_ARGUMENT", "long overflow");
    writer.set(row, {static_cast<int64_t>(seconds), static_cast<int64_t>(rest) * 1000,
                     checked_zone(arguments.value<int32_t>(1, row))});
  }
}

// ---- literals and stored forms ----

void date_of_days(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int32_t>(result,
                                [&](idx_t row) { return arguments.value<int32_t>(0, row); });
}

// (microseconds or, for a time, picoseconds in UTC; zone number)
template <Form kForm>
void make_zoned(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<duckdb::interval_t>(result, [&](idx_t row) {
    Zone zone = checked_zone(arguments.value<int32_t>(1, row));
    int64_t units = arguments.value<int64_t>(0, row);
    return kForm == Form::timetz ? zoned_time(units, zone) : zoned_instant(units, zone);
  });
}

void instant_of_micros(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result,
                                [&](idx_t row) { return arguments.value<int64_t>(0, row); });
}

// What files hold: TIMESTAMPTZ (microseconds in UTC), TIMESTAMP_NS.
void store_tz6(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), Form::tz6);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    Moment value = reader.at(row);
    return value.seconds * 1'000'000 + value.picos / 1'000'000;
  });
}

void stored_tz6(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<duckdb::interval_t>(
      result, [&](idx_t row) { return zoned_instant(arguments.value<int64_t>(0, row), kUtc); });
}

void store_tz12(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), Form::tz12);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    Moment value = rounded(TypeKind::timestamp, reader.at(row), 6);
    return value.seconds * 1'000'000 + value.picos / 1'000'000;
  });
}

// What a long timestamp with zone sorts by: the engine's sort keys of nested values keep an
// INTERVAL's parts apart.
void key_tz12(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), Form::tz12);
  arguments.each_value<duckdb::hugeint_t>(result, [&](idx_t row) {
    Moment value = reader.at(row);
    __int128 picos = static_cast<__int128>(value.seconds) * kPicosPerSecond + value.picos;
    duckdb::hugeint_t raw;
    raw.lower = static_cast<uint64_t>(picos);
    raw.upper = static_cast<int64_t>(picos >> 64);
    return raw;
  });
}

void stored_tz12(DataChunk& chunk, ExpressionState&, Vector& result) {
  map_moments(chunk, result, Form::ts6, 0, Form::tz12,
              [](auto&, idx_t, Moment value) { return value; });
}

void store_ts12(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), Form::ts12);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    Moment value = rounded(TypeKind::timestamp, reader.at(row), 9);
    int64_t nanos = 0;
    if (__builtin_mul_overflow(value.seconds, 1'000'000'000, &nanos) ||
        __builtin_add_overflow(nanos, value.picos / 1000, &nanos))
      raise("NUMERIC_VALUE_OUT_OF_RANGE", "Timestamp cannot be stored with nanosecond precision");
    return nanos;
  });
}

void stored_ts12(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<duckdb::hugeint_t>(result, [&](idx_t row) {
    __int128 picos = static_cast<__int128>(arguments.value<int64_t>(0, row)) * 1000;
    duckdb::hugeint_t raw;
    raw.lower = static_cast<uint64_t>(picos);
    raw.upper = static_cast<int64_t>(picos >> 64);
    return raw;
  });
}

// ---- the rows ----

template <Form kForm>
void add_form_rows(std::vector<NativeFunction>& rows) {
  std::string name = row_of(kForm).name, type = row_of(kForm).physical;
  auto add = [&](const char* operation, const std::string& parameters, const std::string& gives,
                 auto* function) {
    rows.push_back({fmt::format("aichemy_{}_{}", operation, name),
                    fmt::format("{} -> {}", parameters, gives), function});
  };
  add("parse", "VARCHAR, INTEGER, INTEGER, BIGINT", type, parse_form<kForm>);
  add("text", type + ", INTEGER", "VARCHAR", text_of_form<kForm>);
  add("iso", type + ", INTEGER", "VARCHAR", iso_of_form<kForm>);
  add("field", "VARCHAR, " + type, "BIGINT", field_of_form<kForm>);
  add("trunc", "VARCHAR, " + type, type, truncate_form<kForm>);
  add("add", "VARCHAR, BIGINT, " + type + ", INTEGER", type, add_form<kForm>);
  add("diff", "VARCHAR, " + type + ", " + type, "BIGINT", difference_form<kForm>);
  add("plus_millis", type + ", BIGINT", type, plus_millis_form<kForm>);
  add("minus_millis", type + ", BIGINT", type, minus_millis_form<kForm>);
  add("plus_months", type + ", BIGINT", type, plus_months_form<kForm>);
  add("minus", type + ", " + type, "BIGINT", minus_form<kForm>);
  if constexpr (kForm == Form::tz6 || kForm == Form::tz12 || kForm == Form::timetz) {
    add("zone", type, "VARCHAR", zone_of_form<kForm>);
    add("at_zone", type + ", VARCHAR, BIGINT", type, at_zone_form<kForm>);
    add("at_offset", type + ", BIGINT, BIGINT", type, at_offset_form<kForm>);
  }
  if constexpr (kForm >= Form::ts6)
    add("to_unix", type + ", INTEGER", "DOUBLE", to_unix_form<kForm>);
}

template <Form kFrom, Form kTo>
void add_cast_row(std::vector<NativeFunction>& rows) {
  constexpr TypeKind kFromKind = row_of(kFrom).kind, kToKind = row_of(kTo).kind;
  constexpr bool kFromTime = kFromKind == TypeKind::time || kFromKind == TypeKind::time_tz;
  constexpr bool kToTime = kToKind == TypeKind::time || kToKind == TypeKind::time_tz;
  constexpr bool kDateAndTime =
      (kFromKind == TypeKind::date && kToTime) || (kToKind == TypeKind::date && kFromTime);
  if constexpr (!kDateAndTime) {
    rows.push_back({fmt::format("aichemy_cast_{}_{}", row_of(kFrom).name, row_of(kTo).name),
                    fmt::format("{}, INTEGER, INTEGER, BIGINT -> {}", row_of(kFrom).physical,
                                row_of(kTo).physical),
                    cast_form<kFrom, kTo>});
  }
}

template <Form kFrom>
void add_cast_rows(std::vector<NativeFunction>& rows) {
  add_cast_row<kFrom, Form::date>(rows);
  add_cast_row<kFrom, Form::time6>(rows);
  add_cast_row<kFrom, Form::time12>(rows);
  add_cast_row<kFrom, Form::timetz>(rows);
  add_cast_row<kFrom, Form::ts6>(rows);
  add_cast_row<kFrom, Form::ts12>(rows);
  add_cast_row<kFrom, Form::tz6>(rows);
  add_cast_row<kFrom, Form::tz12>(rows);
  add_form_rows<kFrom>(rows);
}

}  // namespace

// lint: table
std::vector<NativeFunction> native_time_functions() {
  const std::string tz12 = row_of(Form::tz12).physical;
  std::vector<NativeFunction> rows = {
      {"aichemy_date", "INTEGER -> DATE", date_of_days},
      {"aichemy_make_tz6", "BIGINT, INTEGER -> INTERVAL", make_zoned<Form::tz6>},
      {"aichemy_make_timetz", "BIGINT, INTEGER -> INTERVAL", make_zoned<Form::timetz>},
      {"aichemy_instant", "BIGINT -> TIMESTAMPTZ", instant_of_micros},
      {"aichemy_store_tz6", "INTERVAL -> TIMESTAMPTZ", store_tz6},
      {"aichemy_stored_tz6", "TIMESTAMPTZ -> INTERVAL", stored_tz6},
      {"aichemy_store_tz12", tz12 + " -> TIMESTAMPTZ", store_tz12},
      {"aichemy_key_tz12", tz12 + " -> HUGEINT", key_tz12},
      {"aichemy_stored_tz12", "TIMESTAMPTZ -> " + tz12, stored_tz12},
      {"aichemy_store_ts12", "HUGEINT -> TIMESTAMP_NS", store_ts12},
      {"aichemy_stored_ts12", "TIMESTAMP_NS -> HUGEINT", stored_ts12},
      {"aichemy_with_zone_ts6", "TIMESTAMP, VARCHAR -> INTERVAL",
       with_zone_form<Form::ts6, Form::tz6>},
      {"aichemy_with_zone_ts12", "HUGEINT, VARCHAR -> " + tz12,
       with_zone_form<Form::ts12, Form::tz12>},
      {"aichemy_from_unix", "DOUBLE, INTEGER -> INTERVAL", from_unix},
      {"aichemy_from_unix", "DOUBLE, VARCHAR -> INTERVAL", from_unix},
      {"aichemy_from_unix", "DOUBLE, BIGINT, BIGINT -> INTERVAL", from_unix},
      {"aichemy_from_unix_nanos", "HUGEINT, INTEGER -> " + tz12, from_unix_nanos},
  };
  add_cast_rows<Form::date>(rows);
  add_cast_rows<Form::time6>(rows);
  add_cast_rows<Form::time12>(rows);
  add_cast_rows<Form::timetz>(rows);
  add_cast_rows<Form::ts6>(rows);
  add_cast_rows<Form::ts12>(rows);
  add_cast_rows<Form::tz6>(rows);
  add_cast_rows<Form::tz12>(rows);
  return rows;
}

}  // namespace aichemy::sql
