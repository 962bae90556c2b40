// Row patterns over the rows of a partition; see pattern.cc. Internal.
#pragma once

#include <duckdb/main/database.hpp>

namespace aichemy::sql {

void register_row_patterns(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
