// SQL routines with control flow; see routine.cc. Internal.
#pragma once

#include <duckdb/main/database.hpp>

namespace aichemy::sql {

void register_routines(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
