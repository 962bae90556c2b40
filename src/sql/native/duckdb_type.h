// Types as DuckDB's.
#pragma once

#include <duckdb/common/types.hpp>

#include "sql/types/type.h"

namespace aichemy::sql {

// A DuckDB type from physical_type().
duckdb::LogicalType duckdb_type(const Type& type);

}  // namespace aichemy::sql
