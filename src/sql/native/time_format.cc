// Dates and times printed and read by patterns, ISO 8601, durations.
#include <fmt/format.h>

#include <charconv>
#include <cmath>
#include <limits>

#include "sql/native/functions.h"
#include "sql/native/moment.h"
#include "sql/types/moment_format.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

[[noreturn]] void raise_error(const Error& error) { raise(error.what, error.message); }

// A pattern is compiled when it changes; mostly there is one for all rows.
class PatternCache {
 public:
  template <class Fn>
  const MomentPattern& get(std::string_view pattern, Fn compile) {
    if (!made_ || pattern != text_) {
      text_ = pattern;
      made_.emplace(compile(pattern));
      if (!*made_) raise_error(made_->error());
    }
    return **made_;
  }

 private:
  std::string text_;
  std::optional<Result<MomentPattern>> made_;
};

enum class Dialect : uint8_t { mysql, joda, teradata };

template <Dialect kDialect>
Result<MomentPattern> compiled(std::string_view pattern, const std::string& language) {
  if constexpr (kDialect == Dialect::mysql) return MomentPattern::mysql(pattern, language);
  if constexpr (kDialect == Dialect::joda) return MomentPattern::joda(pattern, language);
  return MomentPattern::teradata(pattern);
}

// (value, pattern, [language, [zone]])
template <Form kForm, Dialect kDialect>
void format_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kForm);
  PatternCache cache;
  arguments.each_text(result, [&](idx_t row) -> std::string {
    const auto& pattern = cache.get(arguments.text(1, row), [&](std::string_view text) {
      std::string language(kDialect == Dialect::teradata ? "en-US" : arguments.text(2, row));
      return compiled<kDialect>(text, language);
    });
    Zone zone = kDialect == Dialect::joda ? arguments.value<int32_t>(3, row) : kUtc;
    return pattern.format(row_of(kForm).kind, reader.at(row), zone);
  });
}

// (text, pattern, [language, [zone]])
template <Form kTo, Dialect kDialect>
void parse_by(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentWriter writer(result, kTo);
  PatternCache cache;
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
      continue;
    }
    const auto& pattern = cache.get(arguments.text(1, row), [&](std::string_view text) {
      std::string language(kDialect == Dialect::teradata ? "en-US" : arguments.text(2, row));
      return compiled<kDialect>(text, language);
    });
    Zone zone = kDialect == Dialect::joda ? arguments.value<int32_t>(3, row) : kUtc;
    auto made = pattern.parse(arguments.text(0, row), zone, kTo == Form::tz6);
    if (!made) raise_error(made.error());
    if (kTo == Form::date) made->seconds -= floor_mod(made->seconds, kSecondsPerDay);
    writer.set(row, *made);
  }
}

// (text, precision, zone)
template <Form kTo>
void from_iso(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentWriter writer(result, kTo);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.any_null(row)) {
      writer.set_null(row);
      continue;
    }
    constexpr bool kDate = kTo == Form::date;
    Zone zone = kDate ? kUtc : arguments.value<int32_t>(2, row);
    std::string_view text = arguments.text(0, row);
    auto made = parse_iso8601(text, zone);
    if (!made) raise_error(made.error());
    if (kDate && text.find('T') != std::string_view::npos)
      raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Invalid format: \"{}\"", text));
    if (!kDate) {  // cut, not rounded
      int64_t unit = arguments.value<int32_t>(1, row) == 3 ? 1'000'000'000 : 1000;
      made->picos = made->picos / unit * unit;
    }
    writer.set(row, *made);
  }
}

// "1.5m" as milliseconds.
void parse_duration(DataChunk& chunk, ExpressionState&, Vector& result) {
  struct Unit {
    std::string_view name;
    double millis;
  };
  static constexpr Unit kUnits[] = {{"ns", 1e-6}, {"us", 1e-3}, {"ms", 1},        {"s", 1e3},
                                    {"m", 6e4},   {"h", 3.6e6}, {"d", 86'400'000}};
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    size_t begin = text.find_first_not_of(" \t");
    size_t digits = begin;
    auto is_digit = [&](size_t i) { return i < text.size() && text[i] >= '0' && text[i] <= '9'; };
    while (digits != std::string_view::npos && is_digit(digits)) ++digits;
    if (digits != begin && digits < text.size() && text[digits] == '.' && is_digit(digits + 1)) {
      ++digits;
      while (is_digit(digits)) ++digits;
    }
    std::string_view unit = digits == std::string_view::npos ? "" : text.substr(digits);
    while (!unit.empty() && (unit.front() == ' ' || unit.front() == '\t')) unit.remove_prefix(1);
    while (!unit.empty() && (unit.back() == ' ' || unit.back() == '\t')) unit.remove_suffix(1);
    bool letters = !unit.empty() && std::ranges::all_of(unit, [](char c) {
      return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z');
    });
    if (begin == std::string_view::npos || digits == begin || !letters) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("duration is not a valid data duration string: {}", text));
    }
    double value = 0;
    std::from_chars(text.data() + begin, text.data() + digits, value);
    for (const auto& known : kUnits) {
      if (known.name == unit) return static_cast<int64_t>(std::floor(value * known.millis + 0.5));
    }
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Unknown time unit: {}", unit));
  });
}

void human_readable_seconds(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) -> std::string {
    double value = arguments.value<double>(0, row);
    if (!std::isfinite(value)) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("Invalid argument found: {}", std::isnan(value) ? "NaN"
                                                      : value > 0       ? "Infinity"
                                                                        : "-Infinity"));
    }
    value = std::floor(std::abs(value) + 0.5);
    int64_t rest = value < 9.2e18 ? static_cast<int64_t>(value) : INT64_MAX;
    struct Unit {
      const char* name;
      int64_t seconds;
    };
    static constexpr Unit kUnits[] = {
        {"week", 604800}, {"day", 86400}, {"hour", 3600}, {"minute", 60}, {"second", 1}};
    std::string out;
    for (const auto& unit : kUnits) {
      int64_t count = rest / unit.seconds;
      rest %= unit.seconds;
      if (count == 0) continue;
      out += fmt::format("{}{} {}{}", out.empty() ? "" : ", ", count, unit.name,
                         count == 1 ? "" : "s");
    }
    return out.empty() ? "0 seconds" : out;
  });
}

// ---- intervals ----

template <class T>
constexpr const char* kIntervalName =
    sizeof(T) == 8 ? "interval day to second" : "interval year to month";

enum class Operation : uint8_t { add, subtract, multiply };

template <class T, Operation kOperation>
void interval_operation(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<T>(result, [&](idx_t row) {
    T a = arguments.value<T>(0, row), b = arguments.value<T>(1, row), made = 0;
    bool overflow = kOperation == Operation::add        ? __builtin_add_overflow(a, b, &made)
                    : kOperation == Operation::subtract ? __builtin_sub_overflow(a, b, &made)
                                                        : __builtin_mul_overflow(a, b, &made);
    if (overflow) {
      constexpr const char* kNames[] = {"addition", "subtraction", "multiplication"};
      constexpr const char* kSigns = "+-*";
      raise("NUMERIC_VALUE_OUT_OF_RANGE", fmt::format("{} {} overflow: {} {} {}", kIntervalName<T>,
                                                      kNames[static_cast<size_t>(kOperation)], a,
                                                      kSigns[static_cast<size_t>(kOperation)], b));
    }
    return made;
  });
}

// (interval, factor or divisor)
template <class T, bool kDivide>
void interval_scale(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<T>(result, [&](idx_t row) {
    auto a = static_cast<double>(arguments.value<T>(0, row));
    double b = arguments.value<double>(1, row);
    if (std::isnan(b))
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("Cannot {} by double NaN", kDivide ? "divide" : "multiply"));
    if (kDivide && b == 0) raise("INVALID_FUNCTION_ARGUMENT", "Cannot divide by double 0");
    double made = kDivide ? a / b : a * b;
    // As Java turns a double into a whole number: towards zero, at most the type's ends.
    constexpr double kMax = static_cast<double>(std::numeric_limits<T>::max());
    if (made >= kMax) return std::numeric_limits<T>::max();
    if (made <= -kMax) return std::numeric_limits<T>::min();
    return static_cast<T>(made);
  });
}

template <class T>
void add_intervals(std::vector<NativeFunction>& rows, const std::string& type) {
  std::string same = type + ", " + type + " -> " + type, by = type + ", DOUBLE -> " + type;
  rows.push_back({"aichemy_interval_add", same, interval_operation<T, Operation::add>});
  rows.push_back({"aichemy_interval_subtract", same, interval_operation<T, Operation::subtract>});
  rows.push_back({"aichemy_interval_multiply", same, interval_operation<T, Operation::multiply>});
  rows.push_back({"aichemy_interval_multiply", by, interval_scale<T, false>});
  rows.push_back({"aichemy_interval_divide", by, interval_scale<T, true>});
}

template <Form kForm>
void add_formats(std::vector<NativeFunction>& rows) {
  std::string name = row_of(kForm).name, type = row_of(kForm).physical;
  rows.push_back({"aichemy_mysql_format_" + name, type + ", VARCHAR, VARCHAR -> VARCHAR",
                  format_form<kForm, Dialect::mysql>});
  rows.push_back({"aichemy_joda_format_" + name, type + ", VARCHAR, VARCHAR, INTEGER -> VARCHAR",
                  format_form<kForm, Dialect::joda>});
  rows.push_back({"aichemy_teradata_format_" + name, type + ", VARCHAR -> VARCHAR",
                  format_form<kForm, Dialect::teradata>});
}

}  // namespace

std::vector<NativeFunction> native_time_format_functions() {
  std::vector<NativeFunction> rows = {
      {"aichemy_mysql_parse", "VARCHAR, VARCHAR, VARCHAR -> TIMESTAMP",
       parse_by<Form::ts6, Dialect::mysql>},
      {"aichemy_joda_parse", "VARCHAR, VARCHAR, VARCHAR, INTEGER -> INTERVAL",
       parse_by<Form::tz6, Dialect::joda>},
      {"aichemy_teradata_date", "VARCHAR, VARCHAR -> DATE",
       parse_by<Form::date, Dialect::teradata>},
      {"aichemy_teradata_timestamp", "VARCHAR, VARCHAR -> TIMESTAMP",
       parse_by<Form::ts6, Dialect::teradata>},
      {"aichemy_from_iso_tz6", "VARCHAR, INTEGER, INTEGER -> INTERVAL", from_iso<Form::tz6>},
      {"aichemy_from_iso_tz12",
       std::string("VARCHAR, INTEGER, INTEGER -> ") + row_of(Form::tz12).physical,
       from_iso<Form::tz12>},
      {"aichemy_from_iso_date", "VARCHAR -> DATE", from_iso<Form::date>},
      {"aichemy_parse_duration", "VARCHAR -> BIGINT", parse_duration},
      {"aichemy_human_readable_seconds", "DOUBLE -> VARCHAR", human_readable_seconds},
  };
  add_intervals<int32_t>(rows, "INTEGER");
  add_intervals<int64_t>(rows, "BIGINT");
  add_formats<Form::date>(rows);
  add_formats<Form::ts6>(rows);
  add_formats<Form::ts12>(rows);
  add_formats<Form::tz6>(rows);
  add_formats<Form::tz12>(rows);
  return rows;
}

}  // namespace aichemy::sql
