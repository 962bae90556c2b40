#pragma once

#include <duckdb/main/database.hpp>

namespace aichemy::sql {

void register_same(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
