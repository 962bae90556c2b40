// One value of a primitive type: a bound, a partition value, a literal of a predicate. The type is
// known from the column; the representation depends only on its kind:
//   boolean: bool; int32, int64, date, time, timestamps: int64_t; float32, float64: double;
//   decimal: unscaled Int128; string: UTF-8; binary, fixed, uuid (16 bytes big-endian): bytes.
// Within one column values compare naturally (bytes as unsigned), which is Iceberg's order.
#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <variant>

#include "base/json.h"
#include "base/result.h"
#include "tables/types.h"

namespace aichemy::tables {

__extension__ typedef __int128 Int128;

class Value {
 public:
  Value() = default;  // null
  Value(bool value) : value_(value) {}
  Value(int value) : value_(int64_t{value}) {}
  Value(int64_t value) : value_(value) {}
  Value(double value) : value_(value) {}
  Value(Int128 value) : value_(value) {}
  Value(std::string value) : value_(std::move(value)) {}
  Value(std::string_view value) : value_(std::string(value)) {}
  Value(const char* value) : value_(std::string(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  // Zero values when of another representation.
  bool as_bool() const;
  int64_t as_int() const;
  double as_double() const;
  Int128 as_decimal() const;
  const std::string& as_bytes() const;

  bool holds_bool() const { return std::holds_alternative<bool>(value_); }
  bool holds_int() const { return std::holds_alternative<int64_t>(value_); }
  bool holds_double() const { return std::holds_alternative<double>(value_); }
  bool holds_decimal() const { return std::holds_alternative<Int128>(value_); }
  bool holds_bytes() const { return std::holds_alternative<std::string>(value_); }

  bool operator==(const Value& other) const { return compare(other) == 0; }
  // Null first; -0.0 before +0.0, NaN last; values of different representations by representation.
  int compare(const Value& other) const;

 private:
  std::variant<std::monostate, bool, int64_t, double, Int128, std::string> value_;
};

// Whether the value's representation is the one of the type (null fits every type).
bool fits(const Value& value, const Type& type);

// Single-value binary form (Iceberg spec, appendix D): bounds in manifests. Decoding honours
// promotion (a 4-byte bound of a long column was an int). corrupt ("value") when the length cannot
// be.
Result<Value> value_from_binary(std::string_view bytes, const Type& type);
std::string value_to_binary(const Value& value, const Type& type);

// Single-value JSON form (same appendix): defaults. corrupt ("value").
Result<Value> value_from_json(const Json& json, const Type& type);
Json value_to_json(const Value& value, const Type& type);

// For people and for partition paths ("2017-11-16", "14.20"); null is "null".
std::string value_text(const Value& value, const Type& type);

std::string decimal_text(Int128 unscaled, int scale);
// invalid ("decimal") unless digits with at most `scale` of a fraction.
Result<Int128> decimal_from_text(std::string_view text, int scale);

}  // namespace aichemy::tables
