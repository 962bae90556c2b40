#include "sql/types/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <charconv>
#include <cmath>
#include <optional>

#include "base/bytes.h"
#include "sql/types/moment.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using Kind = VariantNode::Kind;

// Numbers of primitives in a value's header.
struct PrimitiveRow {
  Kind kind;
  uint8_t number;
  const char* name;  // in messages
};
constexpr uint8_t kTrue = 1, kFalse = 2;
constexpr PrimitiveRow kPrimitives[] = {
    {Kind::null, 0, "NULL"},
    {Kind::boolean, kTrue, "BOOLEAN_TRUE"},
    {Kind::boolean, kFalse, "BOOLEAN_FALSE"},
    {Kind::int8, 3, "INT8"},
    {Kind::int16, 4, "INT16"},
    {Kind::int32, 5, "INT32"},
    {Kind::int64, 6, "INT64"},
    {Kind::double_, 7, "DOUBLE"},
    {Kind::decimal4, 8, "DECIMAL4"},
    {Kind::decimal8, 9, "DECIMAL8"},
    {Kind::decimal16, 10, "DECIMAL16"},
    {Kind::date, 11, "DATE"},
    {Kind::timestamp_tz, 12, "TIMESTAMP_UTC_MICROS"},
    {Kind::timestamp, 13, "TIMESTAMP_NTZ_MICROS"},
    {Kind::float_, 14, "FLOAT"},
    {Kind::binary, 15, "BINARY"},
    {Kind::string, 16, "STRING"},
    {Kind::time, 17, "TIME_NTZ_MICROS"},
    {Kind::timestamp_tz_nanos, 18, "TIMESTAMP_UTC_NANOS"},
    {Kind::timestamp_nanos, 19, "TIMESTAMP_NTZ_NANOS"},
    {Kind::uuid, 20, "UUID"},
};

enum Basic : uint8_t { kPrimitive = 0, kShortString = 1, kObject = 2, kArray = 3 };
constexpr size_t kShortStringMax = 63;
constexpr uint8_t kVersion = 1, kSorted = 1 << 4;

const PrimitiveRow& row_of(const VariantNode& value) {
  bool falsehood = value.is(Kind::boolean) && !value.truth;
  for (const auto& row : kPrimitives) {
    if (row.kind == value.kind && !(falsehood && row.number == kTrue)) return row;
  }
  return kPrimitives[0];
}

// Bytes of a number of this kind; 0: none, or not a number.
size_t width_of(Kind kind) {
  switch (kind) {
    case Kind::int8: return 1;
    case Kind::int16: return 2;
    case Kind::int32:
    case Kind::decimal4:
    case Kind::date: return 4;
    case Kind::int64:
    case Kind::decimal8:
    case Kind::time:
    case Kind::timestamp:
    case Kind::timestamp_tz:
    case Kind::timestamp_nanos:
    case Kind::timestamp_tz_nanos: return 8;
    case Kind::decimal16: return 16;
    default: return 0;
  }
}

size_t bytes_for(size_t value) {
  return value < (1u << 8) ? 1 : value < (1u << 16) ? 2 : value < (1u << 24) ? 3 : 4;
}

void put_little(std::string& out, unsigned __int128 value, size_t bytes) {
  for (size_t i = 0; i < bytes; ++i) out += static_cast<char>(value >> (8 * i));
}

// ---- writing ----

class Encoder {
 public:
  std::string encode(const VariantNode& value) {
    collect(value);
    std::ranges::sort(names_);
    auto again = std::ranges::unique(names_);
    names_.erase(again.begin(), again.end());
    std::string out = metadata();
    put(value, out);
    return out;
  }

 private:
  std::vector<std::string_view> names_;  // sorted, each once

  void collect(const VariantNode& value) {
    for (const auto& key : value.keys) names_.push_back(key);
    for (const auto& item : value.items) collect(item);
  }

  std::string metadata() const {
    size_t total = 0;
    for (auto name : names_) total += name.size();
    size_t width = bytes_for(std::max(total, names_.size()));
    std::string out(1, static_cast<char>(kVersion | kSorted | (width - 1) << 6));
    put_little(out, names_.size(), width);
    size_t end = 0;
    put_little(out, end, width);
    for (auto name : names_) put_little(out, end += name.size(), width);
    for (auto name : names_) out += name;
    return out;
  }

  size_t id_of(std::string_view name) const {
    return static_cast<size_t>(std::ranges::lower_bound(names_, name) - names_.begin());
  }

  void put(const VariantNode& value, std::string& out) const {
    switch (value.kind) {
      case Kind::array: return put_array(value, out);
      case Kind::object: return put_object(value, out);
      case Kind::string:
        if (value.text.size() > kShortStringMax) break;
        out += static_cast<char>(kShortString | value.text.size() << 2);
        out += value.text;
        return;
      default: break;
    }
    out += static_cast<char>(kPrimitive | row_of(value).number << 2);
    if (value.is_decimal()) out += static_cast<char>(value.scale);
    put_little(out, static_cast<unsigned __int128>(value.whole), width_of(value.kind));
    if (value.is(Kind::double_)) put_little(out, std::bit_cast<uint64_t>(value.real), 8);
    if (value.is(Kind::float_))
      put_little(out, std::bit_cast<uint32_t>(static_cast<float>(value.real)), 4);
    bool sized = value.is(Kind::string) || value.is(Kind::binary);
    if (sized) put_little(out, value.text.size(), 4);
    if (sized || value.is(Kind::uuid)) out += value.text;
  }

  // The ends of the items in `values`, from zero on.
  std::vector<size_t> ends(const VariantNode& value, const std::vector<size_t>& order,
                           std::string& values) const {
    std::vector<size_t> out = {0};
    for (size_t i : order) {
      put(value.items[i], values);
      out.push_back(values.size());
    }
    return out;
  }

  static std::vector<size_t> numbers_up_to(size_t count) {
    std::vector<size_t> out(count);
    for (size_t i = 0; i < count; ++i) out[i] = i;
    return out;
  }

  void put_array(const VariantNode& value, std::string& out) const {
    std::string values;
    auto offsets = ends(value, numbers_up_to(value.items.size()), values);
    bool large = value.items.size() > 255;
    size_t width = bytes_for(values.size());
    out += static_cast<char>(kArray | (width - 1) << 2 | (large ? 1 : 0) << 4);
    put_little(out, value.items.size(), large ? 4 : 1);
    for (size_t end : offsets) put_little(out, end, width);
    out += values;
  }

  void put_object(const VariantNode& value, std::string& out) const {
    auto order = numbers_up_to(value.items.size());
    std::ranges::sort(order, {}, [&](size_t i) { return std::string_view(value.keys[i]); });
    std::string values;
    auto offsets = ends(value, order, values);
    bool large = value.items.size() > 255;
    size_t width = bytes_for(values.size());
    size_t id_width = bytes_for(order.empty() ? 0 : id_of(value.keys[order.back()]));
    out +=
        static_cast<char>(kObject | (width - 1) << 2 | (id_width - 1) << 4 | (large ? 1 : 0) << 6);
    put_little(out, value.items.size(), large ? 4 : 1);
    for (size_t i : order) put_little(out, id_of(value.keys[i]), id_width);
    for (size_t end : offsets) put_little(out, end, width);
    out += values;
  }
};

// ---- reading ----

// Every method answers false, or nothing, for bytes that break the format.
class Decoder {
 public:
  std::optional<VariantNode> decode(std::string_view bytes) {
    left_ = bytes.size();
    if (!metadata(bytes)) return std::nullopt;
    VariantNode out;
    if (!value(bytes, out, 0)) return std::nullopt;
    return out;
  }

 private:
  std::vector<std::string_view> names_;
  size_t left_ = 0;  // values that may still come: each has a byte of its own

  static bool take(std::string_view& from, size_t bytes, std::string_view& out) {
    if (from.size() < bytes) return false;
    out = from.substr(0, bytes);
    from.remove_prefix(bytes);
    return true;
  }
  static bool take_number(std::string_view& from, size_t bytes, size_t& out) {
    std::string_view raw;
    if (!take(from, bytes, raw)) return false;
    out = 0;
    for (size_t i = 0; i < bytes; ++i)
      out |= static_cast<size_t>(static_cast<unsigned char>(raw[i])) << (8 * i);
    return true;
  }
  // Ends of parts that follow one another in what comes behind the numbers.
  static bool take_offsets(std::string_view& from, size_t count, size_t width,
                           std::vector<size_t>& out) {
    if (from.size() / width <= count) return false;
    out.resize(count + 1);
    for (auto& offset : out) {
      if (!take_number(from, width, offset)) return false;
    }
    return std::ranges::all_of(out, [&](size_t offset) { return offset <= from.size(); });
  }

  bool metadata(std::string_view& from) {
    size_t header = 0, count = 0;
    if (!take_number(from, 1, header) || (header & 15) != kVersion) return false;
    size_t width = (header >> 6) + 1;
    std::vector<size_t> offsets;
    if (!take_number(from, width, count) || !take_offsets(from, count, width, offsets))
      return false;
    if (!std::ranges::is_sorted(offsets) || offsets[0] != 0) return false;
    for (size_t i = 0; i < count; ++i)
      names_.push_back(from.substr(offsets[i], offsets[i + 1] - offsets[i]));
    from.remove_prefix(offsets.back());
    return true;
  }

  bool value(std::string_view from, VariantNode& out, int depth) {
    size_t header = 0;
    if (depth > kVariantDepthMax || left_-- == 0 || !take_number(from, 1, header)) return false;
    size_t rest = header >> 2;
    switch (header & 3) {
      case kShortString: out.kind = Kind::string; return text(from, rest, out);
      case kObject: return object(from, rest, out, depth);
      case kArray: return array(from, rest, out, depth);
      default: return primitive(from, rest, out);
    }
  }

  static bool text(std::string_view from, size_t bytes, VariantNode& out) {
    std::string_view raw;
    if (!take(from, bytes, raw)) return false;
    out.text = raw;
    return true;
  }

  static bool primitive(std::string_view from, size_t number, VariantNode& out) {
    auto row = std::ranges::find(kPrimitives, number, &PrimitiveRow::number);
    if (row == std::end(kPrimitives)) return false;
    out.kind = row->kind;
    out.truth = number == kTrue;
    if (out.is_decimal()) {
      size_t scale = 0;
      if (!take_number(from, 1, scale) || scale > 38) return false;
      out.scale = static_cast<int>(scale);
    }
    size_t bits = 0;
    switch (out.kind) {
      case Kind::double_:
        if (!take_number(from, 8, bits)) return false;
        out.real = std::bit_cast<double>(bits);
        return true;
      case Kind::float_:
        if (!take_number(from, 4, bits)) return false;
        out.real = std::bit_cast<float>(static_cast<uint32_t>(bits));
        return true;
      case Kind::string:
      case Kind::binary: return take_number(from, 4, bits) && text(from, bits, out);
      case Kind::uuid: return text(from, 16, out);
      default: return whole(from, width_of(out.kind), out);
    }
  }

  static bool whole(std::string_view from, size_t width, VariantNode& out) {
    std::string_view raw;
    if (!take(from, width, raw)) return false;
    if (width == 0) return true;
    unsigned __int128 value = static_cast<unsigned char>(raw.back()) & 0x80 ? ~__int128{0} : 0;
    for (size_t i = width; i-- > 0;) value = value << 8 | static_cast<unsigned char>(raw[i]);
    out.whole = static_cast<__int128>(value);
    return true;
  }

  bool items(std::string_view from, const std::vector<size_t>& offsets, VariantNode& out,
             int depth) {
    out.items.resize(offsets.size() - 1);
    for (size_t i = 0; i < out.items.size(); ++i) {
      if (!value(from.substr(offsets[i]), out.items[i], depth + 1)) return false;
    }
    return true;
  }

  bool array(std::string_view from, size_t header, VariantNode& out, int depth) {
    out.kind = Kind::array;
    size_t count = 0;
    std::vector<size_t> offsets;
    return take_number(from, header & 4 ? 4 : 1, count) &&
           take_offsets(from, count, (header & 3) + 1, offsets) && items(from, offsets, out, depth);
  }

  bool object(std::string_view from, size_t header, VariantNode& out, int depth) {
    out.kind = Kind::object;
    size_t count = 0, id_width = (header >> 2 & 3) + 1;
    if (!take_number(from, header & 16 ? 4 : 1, count) || from.size() / id_width < count)
      return false;
    for (size_t i = 0; i < count; ++i) {
      size_t id = 0;
      if (!take_number(from, id_width, id) || id >= names_.size()) return false;
      out.keys.emplace_back(names_[id]);
    }
    std::vector<size_t> offsets;
    return take_offsets(from, count, (header & 3) + 1, offsets) && items(from, offsets, out, depth);
  }
};

std::string digits_of(unsigned __int128 value) {
  std::string out;
  do {
    out.insert(out.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
    value /= 10;
  } while (value != 0);
  return out;
}

// None: more than 38 digits.
std::optional<__int128> integer_of(std::string_view text) {
  bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  if (text.size() > 38) return std::nullopt;
  __int128 value = 0;
  for (char c : text) value = value * 10 + (c - '0');
  return negative ? -value : value;
}

Result<VariantNode> number_of_json(const JsonNode& json) {
  VariantNode made;
  if (!json.is_integer()) {
    made.kind = Kind::double_;
    made.real = std::strtod(json.text.c_str(), nullptr);
    return made;
  }
  auto value = integer_of(json.text);
  if (!value) {
    return fail(Code::invalid, "INVALID_CAST_ARGUMENT",
                "A number of more than 38 digits cannot be cast to variant: " + json.text);
  }
  made.whole = *value;
  bool fits64 = made.whole == static_cast<int64_t>(made.whole);
  bool fits32 = made.whole == static_cast<int32_t>(made.whole);
  made.kind = fits32 ? Kind::int32 : fits64 ? Kind::int64 : Kind::decimal16;
  return made;
}

JsonNode scalar_to_json(const VariantNode& value) {
  switch (value.kind) {
    case Kind::null: return {};
    case Kind::boolean: return JsonNode::of_bool(value.truth);
    case Kind::float_:
    case Kind::double_: {
      std::string text = value.is(Kind::double_) ? java_double(value.real)
                                                 : java_float(static_cast<float>(value.real));
      return std::isfinite(value.real) ? JsonNode::of_number(text) : JsonNode::of_text(text);
    }
    case Kind::string: return JsonNode::of_text(value.text);
    case Kind::binary: return JsonNode::of_text(to_base64(value.text));
    case Kind::uuid: return JsonNode::of_text(variant_uuid_text(value.text));
    case Kind::date:
    case Kind::time:
    case Kind::timestamp:
    case Kind::timestamp_tz:
    case Kind::timestamp_nanos:
    case Kind::timestamp_tz_nanos: return JsonNode::of_text(variant_moment_text(value));
    default: return JsonNode::of_number(variant_decimal_text(value));
  }
}

}  // namespace

std::string encode_variant(const VariantNode& value) { return Encoder().encode(value); }

Result<VariantNode> decode_variant(std::string_view bytes) {
  auto made = Decoder().decode(bytes);
  if (!made) return fail(Code::corrupt, "variant", "broken bytes of a variant");
  return std::move(*made);
}

std::string_view variant_basic_name(const VariantNode& value) {
  switch (value.kind) {
    case Kind::array: return "ARRAY";
    case Kind::object: return "OBJECT";
    case Kind::string: return value.text.size() <= kShortStringMax ? "SHORT_STRING" : "PRIMITIVE";
    default: return "PRIMITIVE";
  }
}

std::string variant_primitive_name(const VariantNode& value) { return row_of(value).name; }

std::string variant_decimal_text(const VariantNode& value) {
  bool negative = value.whole < 0;
  auto magnitude = static_cast<unsigned __int128>(value.whole);
  std::string digits = digits_of(negative ? -magnitude : magnitude);
  std::string sign = negative ? "-" : "";
  if (value.scale == 0) return sign + digits;
  auto scale = static_cast<size_t>(value.scale);
  int exponent = static_cast<int>(digits.size()) - 1 - value.scale;
  if (exponent < -6) {  // where BigDecimal turns to powers of ten
    std::string rest = digits.substr(1);
    return fmt::format("{}{}{}{}E{}", sign, digits[0], rest.empty() ? "" : ".", rest, exponent);
  }
  if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
  return sign + digits.substr(0, digits.size() - scale) + "." +
         digits.substr(digits.size() - scale);
}

std::string variant_moment_text(const VariantNode& value) {
  auto whole = static_cast<int64_t>(value.whole);
  if (value.is(Kind::date)) {
    std::string out;
    append_day(out, whole);
    return out;
  }
  bool nanos = value.is(Kind::timestamp_nanos) || value.is(Kind::timestamp_tz_nanos);
  int64_t units = nanos ? 1'000'000'000 : 1'000'000;
  Moment moment{floor_div(whole, units), floor_mod(whole, units) * (kPicosPerSecond / units), kUtc};
  bool zoned = value.is(Kind::timestamp_tz) || value.is(Kind::timestamp_tz_nanos);
  TypeKind kind = value.is(Kind::time) ? TypeKind::time
                  : zoned              ? TypeKind::timestamp_tz
                                       : TypeKind::timestamp;
  return moment_text(kind, moment, nanos ? 9 : 6);
}

std::string variant_uuid_text(std::string_view bytes) {
  std::string hex = to_hex(bytes);
  for (size_t at : {8, 13, 18, 23}) hex.insert(at, 1, '-');
  return hex;
}

JsonNode variant_to_json(const VariantNode& value) {
  if (!value.is(Kind::array) && !value.is(Kind::object)) return scalar_to_json(value);
  JsonNode made;
  made.kind = value.is(Kind::array) ? JsonNode::Kind::array : JsonNode::Kind::object;
  made.keys = value.keys;
  for (const auto& item : value.items) made.items.push_back(variant_to_json(item));
  return made;
}

Result<VariantNode> variant_of_json(const JsonNode& json) {
  VariantNode made;
  switch (json.kind) {
    case JsonNode::Kind::null: return made;
    case JsonNode::Kind::boolean:
      made.kind = Kind::boolean;
      made.truth = json.truth;
      return made;
    case JsonNode::Kind::number: return number_of_json(json);
    case JsonNode::Kind::string:
      made.kind = Kind::string;
      made.text = json.text;
      return made;
    case JsonNode::Kind::array: made.kind = Kind::array; break;
    case JsonNode::Kind::object: made.kind = Kind::object; break;
  }
  made.keys = json.keys;
  for (const auto& item : json.items) {
    ASSIGN_OR_RETURN(VariantNode part, variant_of_json(item));
    made.items.push_back(std::move(part));
  }
  return made;
}

namespace {

// Every double has finitely many digits; those beyond a decimal's 38 only tell that none is equal.
Number exact_number(const VariantNode& value) {
  if (value.is_real()) return *Number::parse(fmt::format("{:.100e}", value.real));
  return *Number::parse(variant_decimal_text(value));
}

bool numbers_equal(const VariantNode& a, const VariantNode& b) {
  if (a.is_real() && b.is_real()) return a.real == b.real;
  if (a.is_integer() && b.is_integer()) return a.whole == b.whole;
  if ((a.is_real() && !std::isfinite(a.real)) || (b.is_real() && !std::isfinite(b.real)))
    return false;
  return exact_number(a).encode() == exact_number(b).encode();
}

bool objects_equal(const VariantNode& a, const VariantNode& b) {
  for (size_t i = 0; i < a.keys.size(); ++i) {
    auto found = std::ranges::find(b.keys, a.keys[i]);
    if (found == b.keys.end()) return false;
    if (!variants_equal(a.items[i], b.items[static_cast<size_t>(found - b.keys.begin())]))
      return false;
  }
  return true;
}

}  // namespace

bool variants_equal(const VariantNode& a, const VariantNode& b) {
  auto is_number = [](const VariantNode& value) {
    return value.is_integer() || value.is_decimal() || value.is_real();
  };
  if (is_number(a) && is_number(b)) return numbers_equal(a, b);
  if (a.is_timestamp() && b.is_timestamp()) {
    auto zoned = [](const VariantNode& value) {
      return value.is(Kind::timestamp_tz) || value.is(Kind::timestamp_tz_nanos);
    };
    auto nanos = [](const VariantNode& value) {
      bool fine = value.is(Kind::timestamp_nanos) || value.is(Kind::timestamp_tz_nanos);
      return value.whole * (fine ? 1 : 1000);
    };
    return zoned(a) == zoned(b) && nanos(a) == nanos(b);
  }
  if (a.kind != b.kind || a.items.size() != b.items.size()) return false;
  if (a.is(Kind::object)) return objects_equal(a, b);
  return a.truth == b.truth && a.whole == b.whole && a.text == b.text &&
         std::ranges::equal(a.items, b.items, variants_equal);
}

}  // namespace aichemy::sql
