#include "sql/native/variant_read.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <duckdb/common/types/uuid.hpp>
#include <set>

#include "sql/native/functions.h"
#include "sql/native/moment.h"
#include "sql/native/put.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::StringVector;
using duckdb::StructVector;
using duckdb::Vector;
using Kind = VariantNode::Kind;

[[noreturn]] void misfit(const std::string& message) { raise("INVALID_CAST_ARGUMENT", message); }

// The type as Trino's messages about variants write it.
std::string upper_name(const Type& type) {
  switch (type.kind) {
    case TypeKind::decimal: return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::timestamp: return fmt::format("TIMESTAMP({})", type.precision);
    case TypeKind::timestamp_tz: return fmt::format("TIMESTAMP({}) WITH TIME ZONE", type.precision);
    case TypeKind::time: return fmt::format("TIME({})", type.precision);
    default: break;
  }
  std::string name = type.display();
  std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::toupper(c); });
  return name;
}

[[noreturn]] void unsupported(const VariantNode& value, const Type& type) {
  std::string_view basic = variant_basic_name(value);
  if (basic != "PRIMITIVE")
    misfit(fmt::format("Unsupported VARIANT type for cast to {}: {}", upper_name(type), basic));
  misfit(fmt::format("Unsupported VARIANT primitive type for cast to {}: {}", upper_name(type),
                     variant_primitive_name(value)));
}

[[noreturn]] void bad_text(const VariantNode& value, const Type& type) {
  std::string name = type.is(TypeKind::integer) ? "INT" : upper_name(type);
  misfit(fmt::format("Cannot cast '{}' to {}", value.text, name));
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

bool boolean_of(const VariantNode& value, const Type& type) {
  if (value.is(Kind::boolean)) return value.truth;
  if (value.is_integer() || value.is_decimal()) return value.whole != 0;
  if (value.is_real()) return value.real != 0;
  if (!value.is(Kind::string)) unsupported(value, type);
  std::string lower = value.text;
  std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
  if (lower == "t" || lower == "true" || lower == "1") return true;
  if (lower == "f" || lower == "false" || lower == "0") return false;
  bad_text(value, type);
}

// ---- numbers ----

struct Bounds {
  int64_t low, high;
};

[[noreturn]] void out_of_range(const std::string& shown, const Type& type) {
  raise("NUMERIC_VALUE_OUT_OF_RANGE",
        fmt::format("Out of range for {}: {}", type.display(), shown));
}

int64_t whole_of_real(double value, const Type& type, Bounds bounds) {
  if (std::isnan(value)) misfit(fmt::format("Cannot cast NaN to {}", type.display()));
  if (std::isinf(value)) {
    raise("NUMERIC_VALUE_OUT_OF_RANGE",
          fmt::format("Cannot cast {}Infinity to {}", value < 0 ? "-" : "", type.display()));
  }
  double rounded = std::round(value);
  // 2^63 is a double, the largest bigint is none.
  bool fits = rounded >= static_cast<double>(bounds.low) && rounded < 9223372036854775808.0 &&
              static_cast<int64_t>(rounded) <= bounds.high;
  if (!fits) out_of_range(java_double(value), type);
  return static_cast<int64_t>(rounded);
}

int64_t whole_of_text(const VariantNode& value, const Type& type, Bounds bounds) {
  std::string_view digits = trimmed(value.text);
  if (digits.starts_with('+') && !digits.starts_with("+-")) digits.remove_prefix(1);
  int64_t whole = 0;
  auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), whole);
  bool complete = end == digits.data() + digits.size() && error == std::errc();
  if (!complete || whole < bounds.low || whole > bounds.high) bad_text(value, type);
  return whole;
}

// Decimals with a fraction are no integers.
int64_t whole_of(const VariantNode& value, const Type& type, Bounds bounds) {
  if (value.is(Kind::boolean)) return value.truth;
  if (value.is(Kind::string)) return whole_of_text(value, type, bounds);
  if (value.is_real()) return whole_of_real(value.real, type, bounds);
  if (!value.is_integer() && !value.is_decimal()) unsupported(value, type);
  __int128 whole = value.whole;
  int scale = value.scale;
  for (; scale > 0 && whole % 10 == 0; --scale) whole /= 10;
  if (scale > 0 || whole < bounds.low || whole > bounds.high)
    out_of_range(variant_decimal_text(value), type);
  return static_cast<int64_t>(whole);
}

// Java's texts of doubles: an F or D may end them.
double real_of_text(const VariantNode& value, const Type& type) {
  std::string text(trimmed(value.text));
  if (text == "NaN") return std::nan("");
  if (text == "Infinity" || text == "+Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  if (!text.empty() && std::string_view("fFdD").find(text.back()) != std::string_view::npos)
    text.pop_back();
  bool plain = text.find_first_of("0123456789") != std::string::npos &&
               text.find_first_not_of("0123456789+-.eE") == std::string::npos;
  char* end = nullptr;
  double real = std::strtod(text.c_str(), &end);
  if (!plain || *end) bad_text(value, type);
  return real;
}

double real_of(const VariantNode& value, const Type& type) {
  if (value.is(Kind::boolean)) return value.truth ? 1 : 0;
  if (value.is(Kind::string)) return real_of_text(value, type);
  if (value.is_real()) return value.real;
  if (!value.is_integer() && !value.is_decimal()) unsupported(value, type);
  return std::strtod(variant_decimal_text(value).c_str(), nullptr);
}

std::optional<Number> number_of(const VariantNode& value, const Type& type) {
  if (value.is(Kind::boolean)) return Number::of_integer(value.truth ? 1 : 0);
  if (value.is(Kind::string)) {
    auto parsed = Number::parse(value.text);
    if (!parsed || parsed->kind != Number::Kind::finite) bad_text(value, type);
    return parsed;
  }
  if (value.is_integer() || value.is_decimal()) return Number::parse(variant_decimal_text(value));
  if (!value.is_real()) unsupported(value, type);
  return Number::parse(java_double(value.real));
}

// Without its point, rounded half up.
duckdb::hugeint_t decimal_of(const VariantNode& value, const Type& type) {
  auto number = number_of(value, type);
  auto too_large = [&] {
    misfit(fmt::format("Cannot cast input variant to {}", upper_name(type)));
  };
  if (!number || number->kind != Number::Kind::finite) too_large();
  Number rounded = number->rounded(type.scale);
  int64_t digits = rounded.is_zero() ? 0 : rounded.exponent + type.scale;
  if (digits > type.precision) too_large();
  duckdb::hugeint_t whole(0);
  for (int64_t i = 0; i < digits; ++i) {
    auto at = static_cast<size_t>(i);
    int digit = at < rounded.digits.size() ? rounded.digits[at] - '0' : 0;
    whole = whole * duckdb::hugeint_t(10) + duckdb::hugeint_t(digit);
  }
  return rounded.negative ? -whole : whole;
}

template <class T>
void put_whole(const VariantNode& value, const Type& type, Vector& out, idx_t row) {
  Bounds bounds{std::numeric_limits<T>::min(), std::numeric_limits<T>::max()};
  FlatVector::GetData<T>(out)[row] = static_cast<T>(whole_of(value, type, bounds));
}

// ---- text and the like ----

std::string text_of(const VariantNode& value, const Type& type) {
  switch (value.kind) {
    case Kind::string: return value.text;
    case Kind::boolean: return value.truth ? "true" : "false";
    case Kind::float_:
    case Kind::double_: return trino_double(value.real);
    case Kind::uuid: return variant_uuid_text(value.text);
    case Kind::date:
    case Kind::timestamp:
    case Kind::timestamp_tz:
    case Kind::timestamp_nanos:
    case Kind::timestamp_tz_nanos: return variant_moment_text(value);
    default:
      if (value.is_integer() || value.is_decimal()) return variant_decimal_text(value);
      unsupported(value, type);
  }
}

bool holds_time(const VariantNode& value) {
  return value.is(Kind::time) || std::ranges::any_of(value.items, holds_time);
}

std::string json_of(const VariantNode& value) {
  if (holds_time(value)) misfit("Cannot cast VARIANT type TIME_NTZ_MICROS to JSON");
  std::string out;
  write_json(variant_to_json(value), out);
  return out;
}

duckdb::hugeint_t uuid_of(const VariantNode& value, const Type& type) {
  std::string text = value.text;
  if (value.is(Kind::uuid))
    text = variant_uuid_text(value.text);
  else if (!value.is(Kind::string))
    unsupported(value, type);
  duckdb::hugeint_t out;
  bool whole = text.size() == 36 && text[8] == '-' && text[13] == '-' && text[18] == '-' &&
               text[23] == '-' && duckdb::UUID::FromString(text, out);
  if (text.size() != 36) misfit(fmt::format("Invalid UUID string length: {}", text.size()));
  if (!whole) misfit(fmt::format("Cannot cast value to UUID: {}", text));
  return out;
}

std::string bytes_of(const VariantNode& value) {
  if (value.is(Kind::binary)) return value.text;
  misfit(fmt::format("Unsupported VARIANT type for cast to VARBINARY: {}/{}",
                     variant_basic_name(value), variant_primitive_name(value)));
}

// ---- dates and times ----

Moment moment_of_text(const VariantNode& value, const Type& type) {
  auto parsed = parse_moment(type.kind, value.text, kUtc, 0);
  bool fits = parsed && (!type.is(TypeKind::timestamp_tz) || is_instant(parsed->moment));
  if (!fits) misfit(fmt::format("Value cannot be cast to {}: {}", type.display(), value.text));
  return parsed->moment;
}

Moment moment_of(const VariantNode& value, const Type& type) {
  if (value.is(Kind::string)) return moment_of_text(value, type);
  auto whole = static_cast<int64_t>(value.whole);
  bool time = type.is(TypeKind::time), timestamp = value.is_timestamp();
  bool fits = timestamp || (time ? value.is(Kind::time) : value.is(Kind::date));
  if (!fits) unsupported(value, type);
  if (value.is(Kind::date)) return {whole * kSecondsPerDay, 0, kUtc};
  bool nanos = value.is(Kind::timestamp_nanos) || value.is(Kind::timestamp_tz_nanos);
  int64_t units = nanos ? 1'000'000'000 : 1'000'000;
  Moment made{floor_div(whole, units), floor_mod(whole, units) * (kPicosPerSecond / units), kUtc};
  if (time) made.seconds = floor_mod(made.seconds, kSecondsPerDay);
  if (type.is(TypeKind::date)) {
    made.seconds = floor_div(made.seconds, kSecondsPerDay) * kSecondsPerDay;
    made.picos = 0;
  }
  return made;
}

// ---- containers ----

// Room for `count` more elements of a list; where they begin.
idx_t extend(Vector& list, idx_t row, idx_t count) {
  idx_t from = ListVector::GetListSize(list);
  ListVector::Reserve(list, from + count);
  ListVector::SetListSize(list, from + count);
  ListVector::GetData(list)[row] = {from, count};
  return from;
}

void put_text(std::string_view text, Vector& out, idx_t row) {
  FlatVector::GetData<duckdb::string_t>(out)[row] =
      StringVector::AddStringOrBlob(out, text.data(), text.size());
}

void put_array(const VariantNode& value, const Type& type, Vector& out, idx_t row) {
  if (!value.is(Kind::array))
    misfit(fmt::format("Expected a variant array, but got {}", variant_basic_name(value)));
  idx_t from = extend(out, row, value.items.size());
  for (idx_t i = 0; i < value.items.size(); ++i)
    put_variant(value.items[i], type.element(), ListVector::GetEntry(out), from + i);
}

void put_map(const VariantNode& value, const Type& type, Vector& out, idx_t row) {
  if (!value.is(Kind::object))
    misfit(fmt::format("Expected a variant object, but got {}", variant_basic_name(value)));
  idx_t from = extend(out, row, value.items.size());
  auto& parts = StructVector::GetEntries(ListVector::GetEntry(out));
  for (idx_t i = 0; i < value.items.size(); ++i) {
    put_text(value.keys[i], *parts[0], from + i);
    put_variant(value.items[i], type.value(), *parts[1], from + i);
  }
}

std::string lower_of(std::string text) {
  std::ranges::transform(text, text.begin(), [](unsigned char c) { return std::tolower(c); });
  return text;
}

void put_row(const VariantNode& value, const Type& type, Vector& out, idx_t row) {
  if (!value.is(Kind::object))
    misfit(fmt::format("Expected an object, but got {}", variant_basic_name(value)));
  auto& parts = StructVector::GetEntries(out);
  std::set<size_t> written;
  for (size_t k = 0; k < value.keys.size(); ++k) {
    std::string key = lower_of(value.keys[k]);
    for (size_t i = 0; i < type.fields.size(); ++i) {
      if (!type.fields[i].name) {
        misfit("Cannot cast VARIANT object to anonymous row type. Row fields must have names.");
      }
      if (lower_of(*type.fields[i].name) != key) continue;
      if (!written.insert(i).second) misfit("Duplicate field: " + key);
      put_variant(value.items[k], type.fields[i].type, *parts[i], row);
    }
  }
  for (size_t i = 0; i < type.fields.size(); ++i) {
    if (!written.contains(i)) put_variant_null(type.fields[i].type, *parts[i], row);
  }
}

}  // namespace

void put_variant_null(const Type& type, Vector& out, idx_t row) {
  FlatVector::SetNull(out, row, true);
  if (type.is(TypeKind::array) || type.is(TypeKind::map))
    ListVector::GetData(out)[row] = {ListVector::GetListSize(out), 0};
}

void put_variant(const VariantNode& value, const Type& type, Vector& out, idx_t row) {
  if (type.is(TypeKind::variant)) return put_text(encode_variant(value), out, row);
  if (type.is(TypeKind::json)) return put_text(json_of(value), out, row);
  if (value.is(Kind::null)) return put_variant_null(type, out, row);
  switch (type.kind) {
    case TypeKind::boolean: FlatVector::GetData<bool>(out)[row] = boolean_of(value, type); return;
    case TypeKind::tinyint: return put_whole<int8_t>(value, type, out, row);
    case TypeKind::smallint: return put_whole<int16_t>(value, type, out, row);
    case TypeKind::integer: return put_whole<int32_t>(value, type, out, row);
    case TypeKind::bigint: return put_whole<int64_t>(value, type, out, row);
    case TypeKind::real:
      FlatVector::GetData<float>(out)[row] = static_cast<float>(real_of(value, type));
      return;
    case TypeKind::double_: FlatVector::GetData<double>(out)[row] = real_of(value, type); return;
    case TypeKind::decimal: return put_decimal(decimal_of(value, type), out, row);
    case TypeKind::varchar: return put_text(text_of(value, type), out, row);
    case TypeKind::varbinary: return put_text(bytes_of(value), out, row);
    case TypeKind::uuid:
      FlatVector::GetData<duckdb::hugeint_t>(out)[row] = uuid_of(value, type);
      return;
    case TypeKind::array: return put_array(value, type, out, row);
    case TypeKind::map: return put_map(value, type, out, row);
    case TypeKind::row: return put_row(value, type, out, row);
    case TypeKind::unknown: unsupported(value, type);
    default:
      MomentWriter(out, form_of(type))
          .set(row, rounded(type.kind, moment_of(value, type), type.precision));
  }
}

}  // namespace aichemy::sql
