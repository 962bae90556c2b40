#include "sql/engine/duckdb_value.h"

#include <fmt/format.h>

#include <bit>
#include <cstring>

#include "sql/engine/duckdb_file_system.h"
#include "sql/native/duckdb_type.h"

namespace aichemy::sql {

duckdb::Value duckdb_value(const tables::Value& value, const Type& type) {
  duckdb::LogicalType physical = duckdb_type(type);
  if (value.is_null()) return duckdb::Value(physical);
  switch (type.kind) {
    case TypeKind::boolean: return duckdb::Value::BOOLEAN(value.as_bool());
    case TypeKind::real: return duckdb::Value::FLOAT(static_cast<float>(value.as_double()));
    case TypeKind::double_: return duckdb::Value::DOUBLE(value.as_double());
    case TypeKind::date:
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(value.as_int())));
    case TypeKind::time: return duckdb::Value::TIME(duckdb::dtime_t(value.as_int()));
    case TypeKind::timestamp_tz:
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(value.as_int()));
    case TypeKind::timestamp:
      if (type.precision > 6)
        return duckdb::Value::TIMESTAMPNS(duckdb::timestamp_ns_t(value.as_int()));
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(value.as_int()));
    case TypeKind::decimal: {
      tables::Int128 unscaled = value.as_decimal();
      duckdb::hugeint_t huge;
      huge.lower = static_cast<uint64_t>(unscaled);
      huge.upper = static_cast<int64_t>(unscaled >> 64);
      return duckdb::Value::DECIMAL(huge, static_cast<uint8_t>(type.precision),
                                    static_cast<uint8_t>(type.scale))
          .DefaultCastAs(physical);
    }
    case TypeKind::varbinary: return duckdb::Value::BLOB_RAW(value.as_bytes());
    case TypeKind::uuid: {
      const std::string& raw = value.as_bytes();
      if (raw.size() != 16) throw_error({Code::corrupt, "scan", "a UUID constant is not 16 bytes"});
      auto half = [&](size_t at) {
        uint64_t word;
        std::memcpy(&word, raw.data() + at, 8);
        return __builtin_bswap64(word);
      };
      duckdb::hugeint_t huge;  // DuckDB keeps UUIDs with the top bit flipped so that they sort
      huge.upper = std::bit_cast<int64_t>(half(0) ^ (uint64_t{1} << 63));
      huge.lower = half(8);
      return duckdb::Value::UUID(huge);
    }
    case TypeKind::varchar:
    case TypeKind::char_:
    case TypeKind::json: return duckdb::Value(value.as_bytes());
    default: return duckdb::Value::BIGINT(value.as_int()).DefaultCastAs(physical);
  }
}

}  // namespace aichemy::sql
