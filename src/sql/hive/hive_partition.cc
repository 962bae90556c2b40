#include "sql/hive/hive_partition.h"
#include "sql/hive/numbers.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>

#include "tables/calendar.h"

namespace aichemy::sql {
namespace {

struct Range {
  TypeKind kind;
  int64_t low, high;
};
constexpr Range kRanges[] = {
    {TypeKind::tinyint, -128, 127},
    {TypeKind::smallint, -32768, 32767},
    {TypeKind::integer, INT32_MIN, INT32_MAX},
    {TypeKind::bigint, INT64_MIN, INT64_MAX},
};

std::optional<tables::Value> integer_of(std::string_view text, const Type& type) {
  auto value = parse_number<int64_t>(text);
  for (const Range& range : kRanges) {
    if (value && range.kind == type.kind && *value >= range.low && *value <= range.high)
      return tables::Value(*value);
  }
  return std::nullopt;
}

// "2024-01-01 00:00:00[.123]"; a date alone is its midnight.
std::optional<tables::Value> timestamp_of(std::string text) {
  if (text.size() == 10) text += " 00:00:00";
  if (text.size() > 10 && text[10] == ' ') text[10] = 'T';
  auto micros = tables::timestamp_from_text(text, false);
  return micros ? std::optional(tables::Value(*micros)) : std::nullopt;
}

std::optional<tables::Value> parsed(std::string_view text, const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean: {
      std::string lower(text);
      std::ranges::transform(lower, lower.begin(), [](unsigned char c) { return std::tolower(c); });
      if (lower != "true" && lower != "false") return std::nullopt;
      return tables::Value(lower == "true");
    }
    case TypeKind::real:
    case TypeKind::double_: {
      auto value = parse_number<double>(text);
      return value ? std::optional(tables::Value(*value)) : std::nullopt;
    }
    case TypeKind::date: {
      auto days = tables::date_from_text(text.substr(0, text.find(' ')));
      return days ? std::optional(tables::Value(*days)) : std::nullopt;
    }
    case TypeKind::timestamp: return timestamp_of(std::string(text));
    case TypeKind::decimal: {
      auto unscaled = tables::decimal_from_text(text, type.scale);
      return unscaled ? std::optional(tables::Value(*unscaled)) : std::nullopt;
    }
    case TypeKind::varchar: return tables::Value(text);
    case TypeKind::char_:
      while (text.ends_with(' ')) text.remove_suffix(1);
      return tables::Value(text);
    default: return integer_of(text, type);
  }
}

}  // namespace

std::optional<tables::Value> conjunct_value(const Value& value, const Type& type) {
  if (const auto* truth = std::get_if<bool>(&value)) return tables::Value(*truth);
  if (const auto* number = std::get_if<int64_t>(&value)) return tables::Value(*number);
  if (const auto* number = std::get_if<double>(&value)) return tables::Value(*number);
  const std::string& text = std::get<std::string>(value);
  if (type.is(TypeKind::decimal)) {
    auto unscaled = tables::decimal_from_text(text, type.scale);
    return unscaled ? std::optional(tables::Value(*unscaled)) : std::nullopt;
  }
  return tables::Value(text);
}

Result<tables::Value> partition_value(std::string_view text, const Type& type,
                                      std::string_view partition) {
  if (text == kDefaultPartition) return tables::Value();
  if (auto value = parsed(text, type)) return std::move(*value);
  return fail(Code::corrupt, "HIVE_INVALID_PARTITION_VALUE",
              fmt::format("Invalid partition value '{}' for {} partition key: {}", text,
                          type.display(), partition));
}

std::optional<std::string> partition_cell(const tables::Value& value, const Type& type) {
  if (value.is_null()) return std::nullopt;
  switch (type.kind) {
    case TypeKind::boolean: return value.as_bool() ? "true" : "false";
    case TypeKind::real:
    case TypeKind::double_: return fmt::format("{}", value.as_double());
    case TypeKind::date: return tables::date_text(value.as_int());
    case TypeKind::timestamp: {
      std::string text = tables::timestamp_text(value.as_int(), false);
      std::ranges::replace(text, 'T', ' ');
      return text;
    }
    case TypeKind::decimal: return tables::decimal_text(value.as_decimal(), type.scale);
    case TypeKind::varchar:
    case TypeKind::char_: return value.as_bytes();
    default: return std::to_string(value.as_int());
  }
}

namespace {

// By the values of SQL: zeros are equal, a real is not the double of its text, and NaN has no
// place.
std::optional<int> order_of(const tables::Value& a, const tables::Value& b, const Type& type) {
  if (!type.is(TypeKind::real) && !type.is(TypeKind::double_)) return a.compare(b);
  double x = a.as_double(), y = b.as_double();
  if (type.is(TypeKind::real)) {
    x = static_cast<float>(x);
    y = static_cast<float>(y);
  }
  if (std::isnan(x) || std::isnan(y)) return std::nullopt;
  return x < y ? -1 : x > y ? 1 : 0;
}

}  // namespace

std::optional<bool> is_true_for(const Conjunct& conjunct, const tables::Value& value,
                                const Type& type) {
  if (conjunct.op == Compare::is_null) return value.is_null();
  if (conjunct.op == Compare::is_not_null) return !value.is_null();
  if (value.is_null()) return false;
  for (const Value& given : conjunct.values) {
    auto other = conjunct_value(given, type);
    if (!other) return std::nullopt;
    auto order = order_of(value, *other, type);
    if (!order) return std::nullopt;
    switch (conjunct.op) {
      case Compare::in:
      case Compare::eq:
        if (*order == 0) return true;
        continue;
      case Compare::ne: return *order != 0;
      case Compare::lt: return *order < 0;
      case Compare::le: return *order <= 0;
      case Compare::gt: return *order > 0;
      case Compare::ge: return *order >= 0;
      default: break;
    }
  }
  return false;
}

}  // namespace aichemy::sql
