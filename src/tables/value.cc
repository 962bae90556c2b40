#include "tables/value.h"

#include <bit>
#include <cmath>

#include "base/bytes.h"
#include "tables/calendar.h"

namespace aichemy::tables {

namespace {

std::unexpected<Error> bad_value(const Type& type, const std::string& why) {
  return fail(Code::corrupt, "value", "a value of type " + type_text(type) + " " + why);
}

template <class T>
int order(const T& a, const T& b) {
  return a < b ? -1 : (b < a ? 1 : 0);
}

int order_doubles(double a, double b) {
  if (std::isnan(a) || std::isnan(b)) return order(std::isnan(a), std::isnan(b));
  if (a == 0 && b == 0) return order(std::signbit(b), std::signbit(a));
  return order(a, b);
}

std::string minimal_big_endian(Int128 value) {
  std::string bytes;
  for (int shift = 120; shift >= 0; shift -= 8) {
    bytes.push_back(static_cast<char>(static_cast<uint8_t>(value >> shift)));
  }
  size_t start = 0;
  while (start + 1 < bytes.size()) {
    auto first = static_cast<uint8_t>(bytes[start]);
    bool next_negative = (static_cast<uint8_t>(bytes[start + 1]) & 0x80) != 0;
    if (!((first == 0x00 && !next_negative) || (first == 0xff && next_negative))) break;
    ++start;
  }
  return bytes.substr(start);
}

Int128 from_big_endian(std::string_view bytes) {
  Int128 value = !bytes.empty() && (bytes[0] & 0x80) != 0 ? -1 : 0;
  for (char byte : bytes) {
    value = static_cast<Int128>((static_cast<unsigned __int128>(value) << 8) |
                                static_cast<uint8_t>(byte));
  }
  return value;
}

std::string uuid_text(std::string_view bytes) {
  std::string hex = to_hex(bytes);
  for (size_t position : {20, 16, 12, 8}) {
    if (hex.size() > position) hex.insert(position, "-");
  }
  return hex;
}

Result<Value> temporal_from_json(const Json& json, const Type& type) {
  std::optional<int64_t> value;
  std::string_view text = json.as_string();
  if (type.kind == TypeKind::date) value = date_from_text(text);
  if (type.kind == TypeKind::time) value = time_from_text(text);
  if (type.kind == TypeKind::timestamp) value = timestamp_from_text(text, false);
  if (type.kind == TypeKind::timestamptz) value = timestamp_from_text(text, true);
  if (!value) return bad_value(type, "has the text \"" + std::string(text) + "\"");
  return Value(*value);
}

}  // namespace

bool Value::as_bool() const {
  const bool* value = std::get_if<bool>(&value_);
  return value && *value;
}

int64_t Value::as_int() const {
  const int64_t* value = std::get_if<int64_t>(&value_);
  return value ? *value : 0;
}

double Value::as_double() const {
  const double* value = std::get_if<double>(&value_);
  return value ? *value : 0;
}

Int128 Value::as_decimal() const {
  const Int128* value = std::get_if<Int128>(&value_);
  return value ? *value : 0;
}

const std::string& Value::as_bytes() const {
  static const std::string kNothing;
  const std::string* value = std::get_if<std::string>(&value_);
  return value ? *value : kNothing;
}

int Value::compare(const Value& other) const {
  if (value_.index() != other.value_.index()) return order(value_.index(), other.value_.index());
  if (holds_bool()) return order(as_bool(), other.as_bool());
  if (holds_int()) return order(as_int(), other.as_int());
  if (holds_double()) return order_doubles(as_double(), other.as_double());
  if (holds_decimal()) return order(as_decimal(), other.as_decimal());
  if (holds_bytes()) return order(as_bytes().compare(other.as_bytes()), 0);
  return 0;
}

bool fits(const Value& value, const Type& type) {
  if (value.is_null()) return true;
  switch (type.kind) {
    case TypeKind::boolean: return value.holds_bool();
    case TypeKind::int32:
    case TypeKind::date:
      return value.holds_int() && value.as_int() >= INT32_MIN && value.as_int() <= INT32_MAX;
    case TypeKind::int64:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
    case TypeKind::timestamp_ns:
    case TypeKind::timestamptz_ns: return value.holds_int();
    case TypeKind::float32:
    case TypeKind::float64: return value.holds_double();
    case TypeKind::decimal: return value.holds_decimal();
    case TypeKind::string:
    case TypeKind::binary: return value.holds_bytes();
    case TypeKind::uuid: return value.holds_bytes() && value.as_bytes().size() == 16;
    case TypeKind::fixed:
      return value.holds_bytes() && value.as_bytes().size() == static_cast<size_t>(type.length);
    default: return false;
  }
}

Result<Value> value_from_binary(std::string_view bytes, const Type& type) {
  auto wrong_length = [&] {
    return bad_value(type, "is " + std::to_string(bytes.size()) + " bytes long");
  };
  switch (type.kind) {
    case TypeKind::boolean:
      if (bytes.size() != 1) return wrong_length();
      return Value(bytes[0] != 0);
    case TypeKind::int32:
    case TypeKind::date:
      if (bytes.size() != 4) return wrong_length();
      return Value(int64_t{load_little<int32_t>(bytes.data())});
    case TypeKind::int64:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
    case TypeKind::timestamp_ns:
    case TypeKind::timestamptz_ns:
      // A column promoted from int keeps its old 4-byte bounds.
      if (bytes.size() == 4) return Value(int64_t{load_little<int32_t>(bytes.data())});
      if (bytes.size() != 8) return wrong_length();
      return Value(load_little<int64_t>(bytes.data()));
    case TypeKind::float32:
      if (bytes.size() != 4) return wrong_length();
      return Value(double{load_little<float>(bytes.data())});
    case TypeKind::float64:
      if (bytes.size() == 4) return Value(double{load_little<float>(bytes.data())});
      if (bytes.size() != 8) return wrong_length();
      return Value(load_little<double>(bytes.data()));
    case TypeKind::decimal:
      if (bytes.empty() || bytes.size() > 16) return wrong_length();
      return Value(from_big_endian(bytes));
    case TypeKind::uuid:
      if (bytes.size() != 16) return wrong_length();
      return Value(bytes);
    case TypeKind::string:
    case TypeKind::fixed:  // bounds of fixed may be cut
    case TypeKind::binary: return Value(bytes);
    default: return bad_value(type, "has no binary form");
  }
}

std::string value_to_binary(const Value& value, const Type& type) {
  std::string out;
  switch (type.kind) {
    case TypeKind::boolean: return std::string(1, value.as_bool() ? '\1' : '\0');
    case TypeKind::int32:
    case TypeKind::date: append_little(out, static_cast<int32_t>(value.as_int())); return out;
    case TypeKind::int64:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz:
    case TypeKind::timestamp_ns:
    case TypeKind::timestamptz_ns: append_little(out, value.as_int()); return out;
    case TypeKind::float32: append_little(out, static_cast<float>(value.as_double())); return out;
    case TypeKind::float64: append_little(out, value.as_double()); return out;
    case TypeKind::decimal: return minimal_big_endian(value.as_decimal());
    default: return value.as_bytes();
  }
}

Result<Value> value_from_json(const Json& json, const Type& type) {
  if (json.is_null()) return Value();
  switch (type.kind) {
    case TypeKind::boolean:
      if (json.is_bool()) return Value(json.as_bool());
      break;
    case TypeKind::int32:
    case TypeKind::int64:
      if (json.is_integer()) return Value(json.as_int());
      break;
    case TypeKind::float32:
    case TypeKind::float64:
      if (json.is_number()) return Value(json.as_double());
      break;
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamptz: return temporal_from_json(json, type);
    case TypeKind::decimal: {
      auto unscaled = decimal_from_text(json.as_string(), type.scale);
      if (unscaled) return Value(*unscaled);
      break;
    }
    case TypeKind::string:
      if (json.is_string()) return Value(json.as_string());
      break;
    case TypeKind::uuid: {
      std::string hex;
      for (char c : json.as_string()) {
        if (c != '-') hex.push_back(c);
      }
      auto bytes = from_hex(hex);
      if (bytes && bytes->size() == 16) return Value(std::move(*bytes));
      break;
    }
    case TypeKind::fixed:
    case TypeKind::binary: {
      auto bytes = from_hex(json.as_string());
      if (bytes) return Value(std::move(*bytes));
      break;
    }
    default: break;
  }
  return bad_value(type, "has the JSON " + json.dump().substr(0, 100));
}

Json value_to_json(const Value& value, const Type& type) {
  if (value.is_null()) return {};
  switch (type.kind) {
    case TypeKind::boolean: return Json(value.as_bool());
    case TypeKind::int32:
    case TypeKind::int64: return Json(value.as_int());
    case TypeKind::float32:
    case TypeKind::float64: return Json(value.as_double());
    case TypeKind::fixed:
    case TypeKind::binary: return Json(to_hex(value.as_bytes()));
    default: return Json(value_text(value, type));
  }
}

std::string value_text(const Value& value, const Type& type) {
  if (value.is_null()) return "null";
  switch (type.kind) {
    case TypeKind::boolean: return value.as_bool() ? "true" : "false";
    case TypeKind::date: return date_text(value.as_int());
    case TypeKind::time: return time_text(value.as_int());
    case TypeKind::timestamp: return timestamp_text(value.as_int(), false);
    case TypeKind::timestamptz: return timestamp_text(value.as_int(), true);
    case TypeKind::float32:
    case TypeKind::float64: {
      std::string text;
      append_json_double(text, value.as_double());
      return text;
    }
    case TypeKind::decimal: return decimal_text(value.as_decimal(), type.scale);
    case TypeKind::string: return value.as_bytes();
    case TypeKind::uuid: return uuid_text(value.as_bytes());
    case TypeKind::fixed:
    case TypeKind::binary: return to_base64(value.as_bytes());
    default: return std::to_string(value.as_int());
  }
}

std::string decimal_text(Int128 unscaled, int scale) {
  bool negative = unscaled < 0;
  auto rest = static_cast<unsigned __int128>(unscaled);
  if (negative) rest = -rest;
  std::string digits;
  while (rest != 0 || static_cast<int>(digits.size()) <= scale) {
    digits.insert(digits.begin(), static_cast<char>('0' + static_cast<int>(rest % 10)));
    rest /= 10;
  }
  if (scale > 0) digits.insert(digits.size() - static_cast<size_t>(scale), ".");
  return negative ? "-" + digits : digits;
}

Result<Int128> decimal_from_text(std::string_view text, int scale) {
  auto broken = [&] {
    return fail(Code::invalid, "decimal",
                "\"" + std::string(text) + "\" is not a decimal with " + std::to_string(scale) +
                    " digits of a fraction");
  };
  std::string_view rest = text;
  bool negative = rest.starts_with('-');
  if (negative || rest.starts_with('+')) rest.remove_prefix(1);
  if (rest.empty()) return broken();
  Int128 value = 0;
  int fraction = -1;
  int digits = 0;
  for (char c : rest) {
    if (c == '.' && fraction < 0) {
      fraction = 0;
      continue;
    }
    if (c < '0' || c > '9' || (fraction >= 0 && ++fraction > scale) || ++digits > 38)
      return broken();
    value = value * 10 + (c - '0');
  }
  for (int i = std::max(fraction, 0); i < scale; ++i) {
    if (++digits > 39) return broken();
    value *= 10;
  }
  return negative ? -value : value;
}

}  // namespace aichemy::tables
