#include "sql/analysis/render_number_cast.h"

#include <fmt/format.h>

namespace aichemy::sql {
namespace {

struct IntegerRow {
  TypeKind kind;
  const char* name;  // in messages
  int bits, digits;
};
constexpr IntegerRow kIntegers[] = {{TypeKind::boolean, "BOOLEAN", 1, 1},
                                    {TypeKind::tinyint, "TINYINT", 8, 3},
                                    {TypeKind::smallint, "SMALLINT", 16, 5},
                                    {TypeKind::integer, "INTEGER", 32, 10},
                                    {TypeKind::bigint, "BIGINT", 64, 19}};

const IntegerRow* integer_row(const Type& type) {
  for (const auto& row : kIntegers) {
    if (row.kind == type.kind) return &row;
  }
  return nullptr;
}

std::string shape(const Type& decimal) {
  return fmt::format("CAST({} AS INTEGER), CAST({} AS INTEGER)", decimal.precision, decimal.scale);
}

std::optional<std::string> to_decimal(const std::string& value, const Type& from, const Type& to) {
  std::string physical = physical_type(to);
  if (from.is(TypeKind::double_) || from.is(TypeKind::real) || from.is_text()) {
    return fmt::format("CAST(aichemy_to_decimal({}, {}) AS {})", value, shape(to), physical);
  }
  if (from.is(TypeKind::number))
    return fmt::format("CAST(aichemy_number_to_decimal({}, {}) AS {})", value, shape(to), physical);
  const IntegerRow* row = integer_row(from);
  if (!row || row->digits <= to.precision - to.scale) return std::nullopt;
  return fmt::format("CAST(aichemy_for_decimal(CAST({} AS BIGINT), '{}', {}) AS {})", value,
                     row->name, shape(to), physical);
}

std::optional<std::string> of_number(const std::string& value, const Type& to) {
  switch (to.kind) {
    case TypeKind::double_: return fmt::format("aichemy_number_double({})", value);
    case TypeKind::real: return fmt::format("CAST(aichemy_number_double({}) AS FLOAT)", value);
    case TypeKind::boolean: return fmt::format("({} <> unhex('02'))", value);
    default: break;
  }
  const IntegerRow* row = integer_row(to);
  if (!row) return std::nullopt;
  return fmt::format("CAST(aichemy_number_integer({}, '{}', CAST({} AS INTEGER)) AS {})", value,
                     row->name, row->bits, physical_type(to));
}

std::optional<std::string> to_number(const std::string& value, const Type& from) {
  bool direct = from.is_text() || from.is(TypeKind::double_) || from.is(TypeKind::real);
  if (direct) return fmt::format("aichemy_number({})", value);
  if (from.is(TypeKind::boolean))
    return fmt::format("aichemy_number(CAST(CAST({} AS INTEGER) AS VARCHAR))", value);
  return fmt::format("aichemy_number(CAST({} AS VARCHAR))", value);
}

// The engine's own cast of a decimal, with Trino's error when it does not fit.
std::optional<std::string> of_decimal(const std::string& value, const Type& from, const Type& to) {
  const IntegerRow* row = integer_row(to);
  bool integer = row && !to.is(TypeKind::boolean), decimal = to.is(TypeKind::decimal);
  if (!integer && !decimal) return std::nullopt;
  int digits = decimal ? to.precision - to.scale : row->digits - 1;
  int rounded = from.scale > (decimal ? to.scale : 0) ? 1 : 0;  // 9.9 may become 10
  if (from.precision - from.scale + rounded <= digits) return std::nullopt;
  auto shape = [](const Type& type) {
    return fmt::format("DECIMAL({}, {})", type.precision, type.scale);
  };
  return fmt::format(
      "COALESCE(TRY_CAST({0} AS {1}), CASE WHEN {0} IS NOT NULL THEN CAST(trino_fail("
      "'NUMERIC_VALUE_OUT_OF_RANGE', 'Cannot cast {2}''' || CAST({0} AS VARCHAR) || ''' to "
      "{3}') AS {1}) END)",
      value, physical_type(to), decimal ? shape(from) + " " : "", decimal ? shape(to) : row->name);
}

}  // namespace

std::optional<std::string> render_number_cast(const std::string& value, const Type& from,
                                              const Type& to) {
  if (from.is(TypeKind::decimal)) {
    if (auto made = of_decimal(value, from, to)) return made;
  }
  bool scalar = from.is_numeric() || from.is(TypeKind::boolean) || from.is_text();
  if (to.is(TypeKind::decimal) && scalar) return to_decimal(value, from, to);
  if (from.is(TypeKind::number)) return of_number(value, to);
  if (to.is(TypeKind::number) && scalar) return to_number(value, from);
  if (to.is(TypeKind::ipaddress)) {
    if (from.is_text()) return fmt::format("aichemy_ip({})", value);
    if (from.is(TypeKind::varbinary)) return fmt::format("aichemy_ip_of_bytes({})", value);
  }
  if (to.is(TypeKind::uuid)) {
    if (from.is_text()) return fmt::format("CAST(aichemy_uuid({}) AS UUID)", value);
    if (from.is(TypeKind::varbinary))
      return fmt::format("CAST(aichemy_uuid_of_bytes({}) AS UUID)", value);
  }
  if (to.is(TypeKind::varbinary)) {
    if (from.is(TypeKind::ipaddress)) return value;
    if (from.is(TypeKind::uuid))
      return fmt::format("unhex(replace(CAST({} AS VARCHAR), '-', ''))", value);
  }
  return std::nullopt;
}

}  // namespace aichemy::sql
