// Native functions of the engine: what no short expression over DuckDB's own functions can say
// exactly.
#pragma once

#include <duckdb/main/database.hpp>

namespace aichemy::sql {

void register_native_functions(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
