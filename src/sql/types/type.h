// Trino's types: a base, its parameters, nested types. The typed plan carries them; the engine only
// sees their physical forms (below), and results are encoded by them.
//
// Physical form in DuckDB of each type (the contract between renderer, scans, writes and result
// encoding):
//   boolean BOOLEAN, tinyint..bigint TINYINT..BIGINT, real FLOAT, double DOUBLE, decimal(p,s)
//   DECIMAL(p,s), varchar[(n)] VARCHAR, char(n) VARCHAR without trailing blanks (the result encoder
//   pads to n code points), varbinary BLOB, json VARCHAR, uuid UUID, date DATE, time(p) TIME
//   (micros) for p <= 6 and BIGINT (picoseconds) above, timestamp(p) TIMESTAMP for p <= 6 and
//   HUGEINT (picoseconds) above, time(p) with time zone INTERVAL and timestamp(p) with time zone
//   INTERVAL for p <= 6, STRUCT(t INTERVAL, p INTEGER) above, the zone kept per value (decision
//   0070, native/moment.h), interval year to month INTEGER (months), interval day to second
//   BIGINT (milliseconds), array LIST, map MAP, row STRUCT whose fields are always named f0, f1,
//   ... by position (so that no user name reaches the engine), ipaddress BLOB of 16 bytes, number
//   BLOB (sql/types/number.h), sketches BLOB, color INTEGER (0xRRGGBB, or -1 less the number of a
//   color of the system), Geometry and SphericalGeography BLOB, BingTile BIGINT (sql/geo/geo.h),
//   unknown any type holding only NULL, variant BLOB (sql/types/variant.h).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::sql {

enum class TypeKind : uint8_t {
  unknown,
  boolean,
  tinyint,
  smallint,
  integer,
  bigint,
  real,
  double_,
  decimal,
  number,
  varchar,
  char_,
  varbinary,
  json,
  date,
  time,
  time_tz,
  timestamp,
  timestamp_tz,
  interval_year_month,
  interval_day_time,
  array,
  map,
  row,
  uuid,
  ipaddress,
  variant,
  hyperloglog,
  tdigest,
  function,
  qdigest,
  set_digest,
  color,
  geometry,
  spherical_geography,
  bing_tile,
};

struct Field;

class Type {
 public:
  TypeKind kind = TypeKind::unknown;
  // decimal: precision; varchar and char: length (kUnbounded for plain varchar); time and
  // timestamp: precision; qdigest: the kind of its numbers.
  int32_t precision = 0;
  int32_t scale = 0;  // decimal
  std::vector<Field>
      fields;  // array: 1, map: key and value, row: n, function: arguments then result

  static constexpr int32_t kUnbounded = 2147483647;

  Type();
  explicit Type(TypeKind k, int32_t p = 0, int32_t s = 0);
  Type(const Type&);
  Type(Type&&) noexcept;
  Type& operator=(const Type&);
  Type& operator=(Type&&) noexcept;
  ~Type();

  static Type varchar(int32_t length = kUnbounded);
  static Type decimal(int32_t p, int32_t s);
  static Type array(Type element);
  static Type map(Type key, Type value);
  static Type row(std::vector<Field> fields);

  bool operator==(const Type& other) const;  // row field names count
  bool is(TypeKind k) const { return kind == k; }
  bool is_integer() const { return kind >= TypeKind::tinyint && kind <= TypeKind::bigint; }
  bool is_numeric() const { return kind >= TypeKind::tinyint && kind <= TypeKind::number; }
  bool is_geo() const { return kind >= TypeKind::geometry && kind <= TypeKind::bing_tile; }
  bool is_text() const { return kind == TypeKind::varchar || kind == TypeKind::char_; }
  const Type& element() const;  // array element
  const Type& key() const;      // of a map
  const Type& value() const;    // of a map

  // As Trino prints it: decimal(5, 2), timestamp(3) with time zone, row(id integer, "Na me"
  // varchar).
  std::string display() const;
  // typeSignature of the client protocol.
  Json signature() const;
  // Without PARAMETRIC_DATETIME a client sees time and timestamp types bare and at precision 3.
  Type without_datetime_precision() const;
};

struct Field {
  std::optional<std::string>
      name;  // none: an unnamed row field, or an array element, map key or value
  Type type;
  bool operator==(const Field&) const = default;
};

inline Type::Type() = default;
inline Type::Type(TypeKind k, int32_t p, int32_t s) : kind(k), precision(p), scale(s) {}
inline Type::Type(const Type&) = default;
inline Type::Type(Type&&) noexcept = default;
inline Type& Type::operator=(const Type&) = default;
inline Type& Type::operator=(Type&&) noexcept = default;
inline Type::~Type() = default;
inline Type Type::varchar(int32_t length) { return Type(TypeKind::varchar, length); }
inline Type Type::decimal(int32_t p, int32_t s) { return Type(TypeKind::decimal, p, s); }

// The text of a type as display() prints it, or as SQL may write it. invalid ("TYPE_NOT_FOUND").
Result<Type> parse_type(std::string_view text);

// DuckDB's name for the physical form: DECIMAL(5,2), STRUCT(f0 INTEGER)[].
std::string physical_type(const Type& type);
// The form of scans and writes, which is the files': as the physical form, but timestamps with time
// zone are TIMESTAMPTZ (instants), timestamp(p > 6) TIMESTAMP_NS and time(p) TIME.
std::string stored_type(const Type& type);

// Implicit coercion as Trino does it: may a value of `from` stand where `to` is asked for?
bool can_coerce(const Type& from, const Type& to);
// The least type both coerce to; none when there is no such type.
std::optional<Type> common_type(const Type& a, const Type& b);
// CAST exists for this pair.
bool can_cast(const Type& from, const Type& to);
bool is_comparable(const Type& type);  // = and <>
bool is_orderable(const Type& type);   // < and ORDER BY

}  // namespace aichemy::sql
