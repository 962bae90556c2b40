#include "sql/native/duckdb_type.h"

#include <fmt/format.h>

#include <duckdb/parser/parser.hpp>

namespace aichemy::sql {

using duckdb::LogicalType;

duckdb::LogicalType duckdb_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::array: return LogicalType::LIST(duckdb_type(type.element()));
    case TypeKind::map: return LogicalType::MAP(duckdb_type(type.key()), duckdb_type(type.value()));
    case TypeKind::row: {
      duckdb::child_list_t<LogicalType> fields;
      for (size_t i = 0; i < type.fields.size(); ++i) {
        fields.emplace_back(fmt::format("f{}", i), duckdb_type(type.fields[i].type));
      }
      return LogicalType::STRUCT(std::move(fields));
    }
    case TypeKind::decimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(type.precision),
                                  static_cast<uint8_t>(type.scale));
    // Each column of each scan comes here: the engine's parser would be half of the planning, and
    // its list of names a twentieth.
    case TypeKind::boolean: return LogicalType::BOOLEAN;
    case TypeKind::integer: return LogicalType::INTEGER;
    case TypeKind::bigint: return LogicalType::BIGINT;
    case TypeKind::double_: return LogicalType::DOUBLE;
    case TypeKind::varchar: return LogicalType::VARCHAR;
    case TypeKind::date: return LogicalType::DATE;
    default: {
      std::string name = stored_type(type);
      duckdb::LogicalTypeId id = duckdb::TransformStringToLogicalTypeId(name);
      if (id == duckdb::LogicalTypeId::USER) return duckdb::TransformStringToLogicalType(name);
      return id;
    }
  }
}

}  // namespace aichemy::sql
