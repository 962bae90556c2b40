#include "tables/transform.h"

#include <algorithm>
#include <charconv>

#include "base/bytes.h"
#include "tables/calendar.h"

namespace aichemy::tables {

namespace {

constexpr int64_t kNanosPerMicro = 1000;

struct TransformName {
  std::string_view name;
  TransformKind kind;
};
constexpr TransformName kNames[] = {
    {"identity", TransformKind::identity}, {"year", TransformKind::year},
    {"month", TransformKind::month},       {"day", TransformKind::day},
    {"hour", TransformKind::hour},         {"void", TransformKind::void_},
};
constexpr TransformName kParametric[] = {
    {"bucket[", TransformKind::bucket},
    {"truncate[", TransformKind::truncate},
};

bool is_timestamp(TypeKind kind) {
  return kind == TypeKind::timestamp || kind == TypeKind::timestamptz ||
         kind == TypeKind::timestamp_ns || kind == TypeKind::timestamptz_ns;
}

bool is_nanos(TypeKind kind) {
  return kind == TypeKind::timestamp_ns || kind == TypeKind::timestamptz_ns;
}

bool can_bucket(TypeKind kind) {
  switch (kind) {
    case TypeKind::int32:
    case TypeKind::int64:
    case TypeKind::decimal:
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::string:
    case TypeKind::uuid:
    case TypeKind::fixed:
    case TypeKind::binary: return true;
    default: return is_timestamp(kind);
  }
}

bool can_truncate(TypeKind kind) {
  return kind == TypeKind::int32 || kind == TypeKind::int64 || kind == TypeKind::decimal ||
         kind == TypeKind::string || kind == TypeKind::binary;
}

uint32_t rotate(uint32_t value, int by) { return (value << by) | (value >> (32 - by)); }

// The first `width` code points.
std::string truncate_utf8(const std::string& text, int width) {
  int points = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((static_cast<uint8_t>(text[i]) & 0xc0) == 0x80) continue;
    if (points++ == width) return text.substr(0, i);
  }
  return text;
}

int64_t micros_of(const Type& source, const Value& value) {
  if (source.kind == TypeKind::date) return value.as_int() * kMicrosPerDay;
  return is_nanos(source.kind) ? floor_div(value.as_int(), kNanosPerMicro) : value.as_int();
}

int64_t days_of(const Type& source, const Value& value) {
  if (source.kind == TypeKind::date) return value.as_int();
  return floor_div(micros_of(source, value), kMicrosPerDay);
}

Value months_or_years(const Type& source, const Value& value, bool months) {
  auto date = civil(days_of(source, value));
  if (!date) return {};
  int64_t years = static_cast<int>(date->year()) - 1970;
  return Value(months ? years * 12 + static_cast<unsigned>(date->month()) - 1 : years);
}

Value truncate_value(int width, const Type& source, const Value& value) {
  if (source.kind == TypeKind::string) return Value(truncate_utf8(value.as_bytes(), width));
  if (source.kind == TypeKind::binary)
    return Value(value.as_bytes().substr(0, static_cast<size_t>(width)));
  if (source.kind == TypeKind::decimal) {
    Int128 rest = ((value.as_decimal() % width) + width) % width;
    return Value(value.as_decimal() - rest);
  }
  int64_t rest = ((value.as_int() % width) + width) % width;
  auto cut = static_cast<uint64_t>(value.as_int()) - static_cast<uint64_t>(rest);
  // Below the least value it wraps around, as in the reference implementation.
  if (source.kind == TypeKind::int32) return Value(int64_t{static_cast<int32_t>(cut)});
  return Value(static_cast<int64_t>(cut));
}

// x < v over whole numbers is x <= v - 1: the transform of that bound is the last partition that
// can match.
Value just_below(const Value& value) {
  if (value.holds_int() && value.as_int() > INT64_MIN) return Value(value.as_int() - 1);
  if (value.holds_decimal()) return Value(value.as_decimal() - 1);
  return value;
}

Value just_above(const Value& value) {
  if (value.holds_int() && value.as_int() < INT64_MAX) return Value(value.as_int() + 1);
  if (value.holds_decimal()) return Value(value.as_decimal() + 1);
  return value;
}

Predicate project_order(const Transform& transform, const Type& source, const Predicate& predicate,
                        int field) {
  const Value& value = predicate.values[0];
  auto at = [&](CompareOp op, const Value& bound) {
    Value image = apply_transform(transform, source, bound);
    return image.is_null() ? Predicate::always_true()
                           : Predicate::compare(field, op, std::move(image));
  };
  switch (predicate.op) {
    case CompareOp::eq: return at(CompareOp::eq, value);
    case CompareOp::lt: return at(CompareOp::le, just_below(value));
    case CompareOp::le: return at(CompareOp::le, value);
    case CompareOp::gt: return at(CompareOp::ge, just_above(value));
    case CompareOp::ge: return at(CompareOp::ge, value);
    case CompareOp::ne: return Predicate::not_null(field);
  }
  return Predicate::always_true();
}

}  // namespace

Result<Transform> transform_from_text(std::string_view text) {
  for (const TransformName& row : kNames) {
    if (row.name == text) return Transform{.kind = row.kind};
  }
  for (const TransformName& row : kParametric) {
    if (!text.starts_with(row.name)) continue;
    std::string_view digits = text.substr(row.name.size());
    int parameter = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), parameter);
    if (error != std::errc() || parameter <= 0 ||
        std::string_view(end, digits.data() + digits.size()) != "]") {
      return fail(Code::corrupt, "transform",
                  "transform \"" + std::string(text) + "\" has a bad parameter");
    }
    return Transform{.kind = row.kind, .parameter = parameter};
  }
  return Transform{.kind = TransformKind::unknown, .name = std::string(text)};
}

std::string transform_text(const Transform& transform) {
  for (const TransformName& row : kNames) {
    if (row.kind == transform.kind) return std::string(row.name);
  }
  for (const TransformName& row : kParametric) {
    if (row.kind == transform.kind)
      return std::string(row.name) + std::to_string(transform.parameter) + "]";
  }
  return transform.name;
}

Result<Type> transform_result_type(const Transform& transform, const Type& source) {
  TypeKind kind = source.kind;
  bool dated = kind == TypeKind::date || is_timestamp(kind);
  switch (transform.kind) {
    case TransformKind::identity:
      if (!source.is_nested() && kind != TypeKind::variant && kind != TypeKind::unknown)
        return source;
      break;
    case TransformKind::bucket:
      if (can_bucket(kind)) return primitive(TypeKind::int32);
      break;
    case TransformKind::truncate:
      if (can_truncate(kind)) return source;
      break;
    case TransformKind::year:
    case TransformKind::month:
      if (dated) return primitive(TypeKind::int32);
      break;
    case TransformKind::day:
      if (dated) return primitive(TypeKind::date);
      break;
    case TransformKind::hour:
      if (is_timestamp(kind)) return primitive(TypeKind::int32);
      break;
    case TransformKind::void_: return source;
    case TransformKind::unknown: return primitive(TypeKind::unknown);
  }
  return fail(
      Code::invalid, "transform",
      "transform " + transform_text(transform) + " does not apply to type " + type_text(source));
}

Value apply_transform(const Transform& transform, const Type& source, const Value& value) {
  if (value.is_null()) return {};
  switch (transform.kind) {
    case TransformKind::identity: return value;
    case TransformKind::bucket:
      return Value(static_cast<int64_t>((bucket_hash(source, value) & 0x7fffffffU) %
                                        static_cast<uint32_t>(transform.parameter)));
    case TransformKind::truncate: return truncate_value(transform.parameter, source, value);
    case TransformKind::year: return months_or_years(source, value, false);
    case TransformKind::month: return months_or_years(source, value, true);
    case TransformKind::day: return Value(days_of(source, value));
    case TransformKind::hour: return Value(floor_div(micros_of(source, value), kMicrosPerHour));
    case TransformKind::void_:
    case TransformKind::unknown: return {};
  }
  return {};
}

uint32_t murmur3(std::string_view bytes) {
  constexpr uint32_t kFirst = 0xcc9e2d51;
  constexpr uint32_t kSecond = 0x1b873593;
  uint32_t hash = 0;
  size_t blocks = bytes.size() / 4;
  for (size_t i = 0; i < blocks; ++i) {
    uint32_t block = load_little<uint32_t>(bytes.data() + i * 4) * kFirst;
    hash ^= rotate(block, 15) * kSecond;
    hash = rotate(hash, 13) * 5 + 0xe6546b64;
  }
  uint32_t tail = 0;
  for (size_t i = bytes.size(); i > blocks * 4; --i)
    tail = (tail << 8) | static_cast<uint8_t>(bytes[i - 1]);
  if (bytes.size() % 4 != 0) hash ^= rotate(tail * kFirst, 15) * kSecond;
  hash ^= static_cast<uint32_t>(bytes.size());
  hash = (hash ^ (hash >> 16)) * 0x85ebca6b;
  hash = (hash ^ (hash >> 13)) * 0xc2b2ae35;
  return hash ^ (hash >> 16);
}

uint32_t bucket_hash(const Type& source, const Value& value) {
  if (value.holds_int()) {
    char raw[8];
    // Nanoseconds hash as microseconds, so that a promoted column keeps its buckets.
    store_little(
        raw, is_nanos(source.kind) ? floor_div(value.as_int(), kNanosPerMicro) : value.as_int());
    return murmur3({raw, sizeof(raw)});
  }
  return murmur3(value_to_binary(value, source));
}

Predicate project_inclusive(const Transform& transform, const Type& source,
                            const Predicate& predicate, int partition_field_id) {
  using Kind = Predicate::Kind;
  int field = partition_field_id;
  if (transform.kind == TransformKind::unknown || transform.kind == TransformKind::void_) {
    return Predicate::always_true();
  }
  if (transform.kind == TransformKind::identity) {
    Predicate same = predicate;
    same.field_id = field;
    return same;
  }
  switch (predicate.kind) {
    case Kind::is_null:
    case Kind::not_null: {
      // A value out of the calendar's range maps to null too, so only "is null" of buckets and cuts
      // is exact.
      bool exact =
          transform.kind == TransformKind::bucket || transform.kind == TransformKind::truncate;
      if (!exact && predicate.kind == Kind::not_null) return Predicate::always_true();
      Predicate same = predicate;
      same.field_id = field;
      return same;
    }
    case Kind::in: {
      std::vector<Value> images;
      for (const Value& value : predicate.values) {
        Value image = apply_transform(transform, source, value);
        if (image.is_null()) return Predicate::always_true();
        if (std::find(images.begin(), images.end(), image) == images.end())
          images.push_back(std::move(image));
      }
      return Predicate::in(field, std::move(images));
    }
    case Kind::compare:
      if (!fits(predicate.values[0], source)) return Predicate::always_true();
      if (transform.kind == TransformKind::bucket && predicate.op != CompareOp::eq) {
        return Predicate::not_null(field);
      }
      if (predicate.op == CompareOp::ne && transform.kind != TransformKind::truncate) {
        return Predicate::always_true();
      }
      return project_order(transform, source, predicate, field);
    case Kind::starts_with: {
      if (transform.kind != TransformKind::truncate || source.kind != TypeKind::string) break;
      std::string prefix = truncate_utf8(predicate.values[0].as_bytes(), transform.parameter);
      return Predicate::starts_with(field, std::move(prefix));
    }
    default: break;
  }
  return Predicate::always_true();
}

std::string transform_value_text(const Transform& transform, const Type& source,
                                 const Value& value) {
  if (value.is_null()) return "null";
  int64_t number = value.as_int();
  switch (transform.kind) {
    case TransformKind::year: return std::to_string(1970 + number);
    case TransformKind::month: {
      int64_t year = floor_div(number, 12);
      std::string month = std::to_string(number - year * 12 + 1);
      return std::to_string(1970 + year) + (month.size() < 2 ? "-0" : "-") + month;
    }
    case TransformKind::day: return date_text(number);
    case TransformKind::hour: {
      int64_t day = floor_div(number, 24);
      std::string hour = std::to_string(number - day * 24);
      return date_text(day) + (hour.size() < 2 ? "-0" : "-") + hour;
    }
    case TransformKind::bucket: return std::to_string(number);
    default: return value_text(value, source);
  }
}

}  // namespace aichemy::tables
