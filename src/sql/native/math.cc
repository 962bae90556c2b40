// Numbers shown and counted: buckets, bases, sizes, check digits, the greatest of some.
#include <fmt/format.h>

#include <cmath>
#include <limits>

#include "sql/native/functions.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

[[noreturn]] void invalid(const std::string& message) {
  raise("INVALID_FUNCTION_ARGUMENT", message);
}

// (operand, first bound, second bound, buckets)
void width_bucket(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) -> int64_t {
    double value = arguments.value<double>(0, row), first = arguments.value<double>(1, row),
           second = arguments.value<double>(2, row);
    int64_t count = arguments.value<int64_t>(3, row);
    if (count <= 0) invalid("bucketCount must be greater than 0");
    if (std::isnan(value)) invalid("operand must not be NaN");
    if (!std::isfinite(first)) invalid("first bound must be finite");
    if (!std::isfinite(second)) invalid("second bound must be finite");
    if (first == second) invalid("bounds cannot equal each other");
    double low = std::min(first, second), high = std::max(first, second);
    int64_t bucket = 0;
    if (value >= high) {
      if (__builtin_add_overflow(count, 1, &bucket))
        raise("NUMERIC_VALUE_OUT_OF_RANGE",
              fmt::format("Bucket for value {} is out of range", value));
    } else if (value >= low) {
      bucket = static_cast<int64_t>(static_cast<double>(count) * (value - low) / (high - low) + 1);
    }
    return first > second ? count - bucket + 1 : bucket;
  });
}

// (operand, sorted bins)
void width_bucket_bins(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  auto& bins = duckdb::ListVector::GetEntry(chunk.data[1]);
  duckdb::UnifiedVectorFormat format;
  bins.ToUnifiedFormat(duckdb::ListVector::GetListSize(chunk.data[1]), format);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    double value = arguments.value<double>(0, row);
    auto entry = arguments.value<duckdb::list_entry_t>(1, row);
    if (entry.length == 0) invalid("Bins cannot be an empty array");
    if (std::isnan(value)) invalid("Operand cannot be NaN");
    // Halved; only the bins that are looked at are checked, as in Trino.
    auto bin = [&](idx_t i) {
      idx_t at = format.sel->get_index(entry.offset + i);
      if (!format.validity.RowIsValid(at)) invalid("Bin values cannot be NULL");
      return duckdb::UnifiedVectorFormat::GetData<double>(format)[at];
    };
    idx_t low = 0, high = entry.length;
    while (low < high) {
      if (bin(low) > bin(high - 1)) invalid("Bin values are not sorted in ascending order");
      idx_t middle = low + (high - low) / 2;
      double found = bin(middle);
      if (!std::isfinite(found)) invalid(fmt::format("Bin value must be finite, got {}", found));
      if (value < found)
        high = middle;
      else
        low = middle + 1;
    }
    return static_cast<int64_t>(low);
  });
}

void from_base(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) -> int64_t {
    std::string_view text = arguments.text(0, row);
    int64_t radix = arguments.value<int64_t>(1, row);
    if (radix < 2 || radix > 36) invalid("Radix must be between 2 and 36");
    std::string_view digits = text;
    bool negative = digits.starts_with('-');
    if (negative || digits.starts_with('+')) digits.remove_prefix(1);
    __int128 value = 0;
    bool valid = !digits.empty();
    for (char c : digits) {
      int digit = c >= '0' && c <= '9'   ? c - '0'
                  : c >= 'a' && c <= 'z' ? c - 'a' + 10
                  : c >= 'A' && c <= 'Z' ? c - 'A' + 10
                                         : 99;
      value = value * radix + digit;
      valid = valid && digit < radix && value <= static_cast<__int128>(INT64_MAX) + 1;
      if (!valid) break;
    }
    if (negative) value = -value;
    if (!valid || value > INT64_MAX)
      invalid(fmt::format("Not a valid base-{} number: {}", radix, text));
    return static_cast<int64_t>(value);
  });
}

void luhn(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<bool>(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    int sum = 0;
    for (size_t i = 0; i < text.size(); ++i) {
      char c = text[text.size() - 1 - i];
      if (c < '0' || c > '9') invalid("Input string must contain only digits");
      int digit = (c - '0') * (i % 2 == 1 ? 2 : 1);
      sum += digit > 9 ? digit - 9 : digit;
    }
    return !text.empty() && sum % 10 == 0;
  });
}

// Three digits and a unit: 1.23M.
void format_number(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) -> std::string {
    double value = arguments.value<double>(0, row);
    if (std::isnan(value)) return "NaN";
    if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
    static constexpr const char* kUnits[] = {"", "K", "M", "B", "T", "Q"};
    double size = std::abs(value);
    size_t unit = 0;
    while (size >= 1000 && unit + 1 < std::size(kUnits)) {
      size /= 1000;
      ++unit;
    }
    int digits = size < 10 ? 2 : size < 100 ? 1 : 0;
    std::string text = fmt::format("{:.{}f}", size, digits);
    if (digits > 0) {
      text.erase(text.find_last_not_of('0') + 1);
      if (text.ends_with('.')) text.pop_back();
    }
    return (std::signbit(value) && text != "0" ? "-" : "") + text + kUnits[unit];
  });
}

// "2.5kB" as a number of bytes, its text.
void parse_data_size(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    static constexpr std::string_view kUnits[] = {"B",  "kB", "MB", "GB", "TB",
                                                  "PB", "EB", "ZB", "YB"};
    size_t letters = text.find_first_not_of("0123456789.");
    auto bad = [&] { invalid(fmt::format("Invalid data size: '{}'", text)); };
    if (letters == std::string_view::npos || letters == 0) bad();
    auto value = Number::parse(text.substr(0, letters));
    if (!value || text[letters - 1] == '.') bad();
    for (std::string_view unit : kUnits) {
      if (unit == text.substr(letters)) {
        Number bytes = value->truncated(38).truncated(0);
        if (bytes.exponent > 38)
          raise("NUMERIC_VALUE_OUT_OF_RANGE",
                fmt::format("Value out of range: '{}' ('{}B')", text, bytes.plain_text()));
        return bytes.plain_text();
      }
      value = multiply(*value, Number::of_integer(1024));
    }
    bad();
    return std::string();
  });
}

// NaN counts only when there is nothing else.
template <class Real, bool kGreatest>
void extreme(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<Real>(result, [&](idx_t row) {
    Real best = arguments.value<Real>(0, row);
    for (size_t i = 1; i < chunk.ColumnCount(); ++i) {
      Real value = arguments.value<Real>(i, row);
      if (std::isnan(best) || (kGreatest ? value > best : value < best)) best = value;
    }
    return best;
  });
}

// With the dividend's sign; NaN by zero.
template <class Real>
void remainder(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<Real>(result, [&](idx_t row) {
    return std::fmod(arguments.value<Real>(0, row), arguments.value<Real>(1, row));
  });
}

// C's own: NaN outside of where they are defined, -Infinity for the logarithm of zero.
template <double (*kFunction)(double)>
void plain(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(
      result, [&](idx_t row) { return kFunction(arguments.value<double>(0, row)); });
}

}  // namespace

std::vector<NativeFunction> native_math_functions() {
  return {
      {"aichemy_width_bucket", "DOUBLE, DOUBLE, DOUBLE, BIGINT -> BIGINT", width_bucket},
      {"aichemy_width_bucket", "DOUBLE, DOUBLE[] -> BIGINT", width_bucket_bins},
      {"aichemy_from_base", "VARCHAR, BIGINT -> BIGINT", from_base},
      {"aichemy_luhn", "VARCHAR -> BOOLEAN", luhn},
      {"aichemy_format_number", "DOUBLE -> VARCHAR", format_number},
      {"aichemy_parse_data_size", "VARCHAR -> VARCHAR", parse_data_size},
      {"aichemy_greatest", "DOUBLE... -> DOUBLE", extreme<double, true>},
      {"aichemy_greatest_real", "FLOAT... -> FLOAT", extreme<float, true>},
      {"aichemy_least", "DOUBLE... -> DOUBLE", extreme<double, false>},
      {"aichemy_remainder", "DOUBLE, DOUBLE -> DOUBLE", remainder<double>},
      {"aichemy_remainder", "FLOAT, FLOAT -> FLOAT", remainder<float>},
      {"aichemy_ln", "DOUBLE -> DOUBLE", plain<std::log>},
      {"aichemy_log2", "DOUBLE -> DOUBLE", plain<std::log2>},
      {"aichemy_log10", "DOUBLE -> DOUBLE", plain<std::log10>},
      {"aichemy_sin", "DOUBLE -> DOUBLE", plain<std::sin>},
      {"aichemy_cos", "DOUBLE -> DOUBLE", plain<std::cos>},
      {"aichemy_tan", "DOUBLE -> DOUBLE", plain<std::tan>},
      {"aichemy_asin", "DOUBLE -> DOUBLE", plain<std::asin>},
      {"aichemy_acos", "DOUBLE -> DOUBLE", plain<std::acos>},
      {"aichemy_least_real", "FLOAT... -> FLOAT", extreme<float, false>},
  };
}

}  // namespace aichemy::sql
