// The table function tpch_scan('<table>:<scale>'): rows of the TPC-H generator as vectors.
#pragma once

#include <duckdb/main/database.hpp>

namespace aichemy::sql {

void register_tpch_scan(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
