// The parts of register_hive_scans(). Private to the module.
#pragma once

#include <duckdb/main/database.hpp>

#include "sql/hive/hive_scan.h"

namespace aichemy::sql {

void register_hive_text(duckdb::DatabaseInstance& database, const HiveTextScans& scans);
void register_hive_files(duckdb::DatabaseInstance& database, const HiveFileScans& scans);
void register_hive_line(duckdb::DatabaseInstance& database);
void register_hive_bucket(duckdb::DatabaseInstance& database);
void register_hive_copy(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
