// Hive's files inside the engine: hive_text_scan('<handle>'), hive_file_scan('<handle>') and
// hive_scan('<handle>') for registered scans, and aichemy_hive_line(serde, row), which makes the
// line of a row.
#pragma once

#include <duckdb/main/database.hpp>

#include "sql/hive/hive_scan.h"

namespace aichemy::sql {

// Once per database, before its first statement. The registries must outlive it.
void register_hive_scans(duckdb::DatabaseInstance& database, const HiveTextScans& texts,
                         const HiveFileScans& files, const HiveScans& scans);

}  // namespace aichemy::sql
