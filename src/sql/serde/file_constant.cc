#include "sql/serde/file_constant.h"

#include "sql/engine/duckdb_value.h"

namespace aichemy::sql {

std::optional<duckdb::Value> file_constant(const LakeColumn& column, const HiveTextFile& file) {
  const tables::DataFile& data = file.data;
  switch (column.source) {
    case LakeColumnSource::path: return duckdb::Value(data.path);
    case LakeColumnSource::partition: return duckdb::Value(data.partition);
    case LakeColumnSource::file_size: return duckdb::Value::BIGINT(static_cast<int64_t>(data.size));
    case LakeColumnSource::modified:
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(file.version.modified_micros));
    case LakeColumnSource::data: break;
  }
  for (const tables::ColumnConstant& constant : data.constants) {
    if (constant.field_id == column.field_id.id) return duckdb_value(constant.value, column.type);
  }
  return std::nullopt;
}

}  // namespace aichemy::sql
