// Which types stand for which: Trino's implicit coercions, least common types and casts.
#include <algorithm>

#include "sql/types/coercion.h"

namespace aichemy::sql {
namespace {

int32_t integer_digits(TypeKind kind) {
  switch (kind) {
    case TypeKind::tinyint: return 3;
    case TypeKind::smallint: return 5;
    case TypeKind::integer: return 10;
    default: return 19;
  }
}

// An integer type seen as a decimal.
Type as_decimal(const Type& type) {
  return type.is_integer() ? Type::decimal(integer_digits(type.kind), 0) : type;
}

Type wider_decimal(const Type& a, const Type& b) {
  int32_t scale = std::max(a.scale, b.scale);
  int32_t digits = std::max(a.precision - a.scale, b.precision - b.scale);
  return Type::decimal(std::min(38, digits + scale), scale);
}

bool is_time_kind(TypeKind kind) { return kind == TypeKind::time || kind == TypeKind::time_tz; }
bool is_timestamp_kind(TypeKind kind) {
  return kind == TypeKind::timestamp || kind == TypeKind::timestamp_tz;
}

std::optional<Type> common_nested(const Type& a, const Type& b) {
  if (a.kind != b.kind || a.fields.size() != b.fields.size()) return std::nullopt;
  Type made(a.kind);
  for (size_t i = 0; i < a.fields.size(); ++i) {
    auto type = common_type(a.fields[i].type, b.fields[i].type);
    if (!type) return std::nullopt;
    Field field{a.fields[i].name, std::move(*type)};
    if (a.fields[i].name != b.fields[i].name) field.name = std::nullopt;
    made.fields.push_back(std::move(field));
  }
  return made;
}

std::optional<Type> common_number(const Type& a, const Type& b) {
  if (a.is(TypeKind::number) || b.is(TypeKind::number)) {
    // None with binary fractions: neither stands for the other without loss.
    auto binary = [](const Type& type) {
      return type.is(TypeKind::double_) || type.is(TypeKind::real);
    };
    return binary(a) || binary(b) ? std::nullopt : std::optional(Type(TypeKind::number));
  }
  if (a.is(TypeKind::double_) || b.is(TypeKind::double_)) return Type(TypeKind::double_);
  if (a.is(TypeKind::real) || b.is(TypeKind::real)) return Type(TypeKind::real);
  if (a.is(TypeKind::decimal) || b.is(TypeKind::decimal))
    return wider_decimal(as_decimal(a), as_decimal(b));
  return a.kind > b.kind ? a : b;
}

bool is_sketch(const Type& type) {
  return type.is(TypeKind::hyperloglog) || type.is(TypeKind::tdigest) ||
         type.is(TypeKind::qdigest) || type.is(TypeKind::set_digest);
}

// Text of bounded length within an array, a map or a row, which no cast of a write may cut.
bool has_bounded_text(const Type& type) {
  return std::ranges::any_of(type.fields, [](const auto& field) {
    return field.type.is(TypeKind::char_) ||
           (field.type.is(TypeKind::varchar) && field.type.precision != Type::kUnbounded) ||
           has_bounded_text(field.type);
  });
}

// What a variant can hold. Rows with unnamed fields are refused when they are cast.
bool is_in_variant(const Type& type) {
  switch (type.kind) {
    case TypeKind::unknown:
    case TypeKind::boolean:
    case TypeKind::real:
    case TypeKind::double_:
    case TypeKind::decimal:
    case TypeKind::varchar:
    case TypeKind::varbinary:
    case TypeKind::json:
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::timestamp:
    case TypeKind::timestamp_tz:
    case TypeKind::uuid:
    case TypeKind::variant: return true;
    case TypeKind::map: return type.key().is(TypeKind::varchar) && is_in_variant(type.value());
    case TypeKind::array:
    case TypeKind::row:
      return std::ranges::all_of(type.fields,
                                 [](const auto& field) { return is_in_variant(field.type); });
    default: return type.is_integer();
  }
}

// A variant becomes text of any length only.
bool is_of_variant(const Type& type) {
  if (type.is(TypeKind::varchar)) return type.precision == Type::kUnbounded;
  return is_in_variant(type) && std::ranges::all_of(type.fields, [](const auto& field) {
           return is_of_variant(field.type);
         });
}

}  // namespace

std::optional<Type> common_type(const Type& a, const Type& b) {
  if (a == b) return a;
  if (a.is(TypeKind::unknown)) return b;
  if (b.is(TypeKind::unknown)) return a;
  if (a.is_numeric() && b.is_numeric()) return common_number(a, b);
  if (a.is_text() && b.is_text()) {
    int32_t length = std::max(a.precision, b.precision);
    bool both_char = a.is(TypeKind::char_) && b.is(TypeKind::char_);
    return both_char ? Type(TypeKind::char_, length) : Type::varchar(length);
  }
  if (is_time_kind(a.kind) && is_time_kind(b.kind)) {
    bool zone = a.is(TypeKind::time_tz) || b.is(TypeKind::time_tz);
    return Type(zone ? TypeKind::time_tz : TypeKind::time, std::max(a.precision, b.precision));
  }
  auto instant = [](const Type& type) {
    return is_timestamp_kind(type.kind) || type.is(TypeKind::date);
  };
  if (instant(a) && instant(b)) {
    bool zone = a.is(TypeKind::timestamp_tz) || b.is(TypeKind::timestamp_tz);
    return Type(zone ? TypeKind::timestamp_tz : TypeKind::timestamp,
                std::max(a.precision, b.precision));
  }
  if (a.kind == b.kind && !a.fields.empty()) return common_nested(a, b);
  return std::nullopt;
}

bool can_coerce(const Type& from, const Type& to) {
  if (from == to || from.is(TypeKind::unknown)) return true;
  if (to.is(TypeKind::decimal) && (from.is(TypeKind::decimal) || from.is_integer())) {
    Type source = as_decimal(from);
    return source.scale <= to.scale && source.precision - source.scale <= to.precision - to.scale;
  }
  if (from.is_numeric() && to.is_numeric()) {
    if (from.is_integer() && to.is_integer()) return from.kind < to.kind;
    if (to.is(TypeKind::number)) return from.is_integer() || from.is(TypeKind::decimal);
    if (to.is(TypeKind::double_)) return !from.is(TypeKind::number);
    if (to.is(TypeKind::real)) return from.is_integer() || from.is(TypeKind::decimal);
    return false;
  }
  if (from.is_text() && to.is_text()) {
    if (to.is(TypeKind::char_)) return from.is(TypeKind::char_) && from.precision <= to.precision;
    return from.precision <= to.precision;
  }
  if (from.is(TypeKind::date)) return is_timestamp_kind(to.kind);
  if (is_time_kind(from.kind) && is_time_kind(to.kind)) {
    return from.kind <= to.kind && from.precision <= to.precision;
  }
  if (is_timestamp_kind(from.kind) && is_timestamp_kind(to.kind)) {
    return from.kind <= to.kind && from.precision <= to.precision;
  }
  if (from.kind == to.kind && !from.fields.empty() && from.fields.size() == to.fields.size() &&
      !from.is(TypeKind::function)) {
    for (size_t i = 0; i < from.fields.size(); ++i) {
      if (!can_coerce(from.fields[i].type, to.fields[i].type)) return false;
    }
    return true;
  }
  return false;
}

bool can_store(const Type& from, const Type& to) {
  if (can_coerce(from, to)) return true;
  return !has_bounded_text(to) && common_type(from, to) && can_cast(from, to);
}

bool can_cast(const Type& from, const Type& to) {
  if (can_coerce(from, to)) return true;
  if (is_sketch(from) || is_sketch(to))
    return from.is(TypeKind::varbinary) || to.is(TypeKind::varbinary);
  if (from.is(TypeKind::color) || to.is(TypeKind::color)) return false;
  if (from.kind == to.kind && from.fields.empty()) return true;
  if (to.is(TypeKind::variant)) return is_in_variant(from);
  if (from.is(TypeKind::variant)) return is_of_variant(to);
  if (from.is_geo() || to.is_geo()) return false;  // functions make and show them
  bool from_nested = !from.fields.empty(), to_nested = !to.fields.empty();
  if (to.is(TypeKind::json)) {
    for (size_t i = from.is(TypeKind::map) ? 1 : 0; i < from.fields.size(); ++i) {
      if (!can_cast(from.fields[i].type, to)) return false;
    }
    return !from.is(TypeKind::varbinary) && !from.is(TypeKind::char_) &&
           !from.is(TypeKind::ipaddress);
  }
  if (from.is(TypeKind::json) && to_nested) {
    for (size_t i = 0; i < to.fields.size(); ++i) {
      bool key = to.is(TypeKind::map) && i == 0;
      if (!can_cast(key ? Type::varchar() : from, to.fields[i].type)) return false;
    }
    return true;
  }
  if (from.is(TypeKind::json)) {
    return to.is_numeric() || to.is(TypeKind::boolean) || to.is(TypeKind::varchar) ||
           to.is(TypeKind::date) || to.is(TypeKind::timestamp);
  }
  if (from_nested || to_nested) {
    if (from.kind != to.kind || from.fields.size() != to.fields.size()) return false;
    for (size_t i = 0; i < from.fields.size(); ++i) {
      if (!can_cast(from.fields[i].type, to.fields[i].type)) return false;
    }
    return true;
  }
  bool from_number = from.is_numeric() || from.is(TypeKind::boolean);
  bool to_number = to.is_numeric() || to.is(TypeKind::boolean);
  if (from_number && to_number) return true;
  if (from.is_text()) {
    return to.is_text() || to_number || to.is(TypeKind::date) || is_time_kind(to.kind) ||
           is_timestamp_kind(to.kind) || to.is(TypeKind::uuid) || to.is(TypeKind::ipaddress) ||
           to.is(TypeKind::interval_day_time) || to.is(TypeKind::interval_year_month) ||
           to.is(TypeKind::varbinary);
  }
  if (to.is_text() && from.is(TypeKind::ipaddress))
    return to.is(TypeKind::varchar) && to.precision == Type::kUnbounded;
  if (to.is_text()) return to.is(TypeKind::varchar) && !from.is(TypeKind::varbinary);
  auto temporal = [](const Type& type) {
    return type.is(TypeKind::date) || is_time_kind(type.kind) || is_timestamp_kind(type.kind);
  };
  if (temporal(from) && temporal(to)) {
    if (from.is(TypeKind::date)) return is_timestamp_kind(to.kind);
    if (to.is(TypeKind::date)) return is_timestamp_kind(from.kind);
    return true;
  }
  bool from_bytes = from.is(TypeKind::varbinary), to_bytes = to.is(TypeKind::varbinary);
  if (from_bytes) return to.is(TypeKind::uuid) || to.is(TypeKind::ipaddress);
  if (to_bytes) return from.is(TypeKind::uuid) || from.is(TypeKind::ipaddress);
  return false;
}

}  // namespace aichemy::sql
