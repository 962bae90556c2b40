// VARIANT: a value that carries its own type, in the binary form that Parquet and Iceberg v3 give
// it (Parquet's VariantEncoding, version 1). The engine's form is a BLOB: the metadata (the sorted
// names of all fields) with the value behind it.
//
// Pure functions of bytes, any thread.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/types/json_node.h"

namespace aichemy::sql {

struct VariantNode {
  enum class Kind : uint8_t {
    null,
    boolean,
    int8,
    int16,
    int32,
    int64,
    float_,
    double_,
    decimal4,
    decimal8,
    decimal16,
    string,
    binary,
    date,
    time,
    timestamp,
    timestamp_tz,
    timestamp_nanos,
    timestamp_tz_nanos,
    uuid,
    array,
    object,
  };
  Kind kind = Kind::null;
  bool truth = false;
  // Integers; decimals without their point; days, microseconds or nanoseconds, since midnight or
  // 1970.
  __int128 whole = 0;
  int scale = 0;  // decimals: digits after the point, 0 to 38
  double real = 0;
  std::string text;  // string, binary, uuid (16 bytes)
  std::vector<VariantNode> items;
  std::vector<std::string> keys;  // object: parallel to items, each once

  bool is(Kind k) const { return kind == k; }
  bool is_integer() const { return kind >= Kind::int8 && kind <= Kind::int64; }
  bool is_decimal() const { return kind >= Kind::decimal4 && kind <= Kind::decimal16; }
  bool is_real() const { return kind == Kind::float_ || kind == Kind::double_; }
  bool is_timestamp() const { return kind >= Kind::timestamp && kind <= Kind::timestamp_tz_nanos; }
};

// Arrays and objects nest at most so deep.
inline constexpr int kVariantDepthMax = 1000;

// Numbers by value across their kinds, timestamps across their units, objects without regard to the
// order of members. NaN equals nothing, null itself.
bool variants_equal(const VariantNode& a, const VariantNode& b);

std::string encode_variant(const VariantNode& value);
// corrupt ("variant"): bytes that break the format.
Result<VariantNode> decode_variant(std::string_view bytes);

// What Trino's messages call it: PRIMITIVE, SHORT_STRING, ARRAY, OBJECT; and a primitive: INT32.
std::string_view variant_basic_name(const VariantNode& value);
std::string variant_primitive_name(const VariantNode& value);

// Of a number: digits as Java's BigDecimal prints them.
std::string variant_decimal_text(const VariantNode& value);
// Of a date, time or timestamp: Trino's text, six or nine digits of fraction, in UTC.
std::string variant_moment_text(const VariantNode& value);
// 8-4-4-4-12 hexadecimal digits of 16 bytes.
std::string variant_uuid_text(std::string_view bytes);
// Members by name; bytes in base 64, NaN and the infinities as text.
JsonNode variant_to_json(const VariantNode& value);
// Numbers without fraction are integers or decimals, the others doubles. invalid
// ("INVALID_CAST_ARGUMENT"): more than 38 digits.
Result<VariantNode> variant_of_json(const JsonNode& json);

}  // namespace aichemy::sql
