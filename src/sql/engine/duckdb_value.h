// Values of tables as DuckDB's.
#pragma once

#include <duckdb/common/types/value.hpp>

#include "sql/types/type.h"
#include "tables/value.h"

namespace aichemy::sql {

// A bound, constant or default of a table as DuckDB's value of the column's physical type.
duckdb::Value duckdb_value(const tables::Value& value, const Type& type);

}  // namespace aichemy::sql
