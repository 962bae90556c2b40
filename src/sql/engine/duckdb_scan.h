// The table function lake_scan('<handle>'): DuckDB's own Parquet reader over the files of a
// registered LakeScan. Columns are mapped by field id, partition constants and defaults fill what a
// file lacks, delete files are applied as a mask while reading.
#pragma once

#include <duckdb/main/database.hpp>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

class ColumnCache;

// Once per database, after the lake file system is registered. `scans` must outlive the database.
// `cache` may be null: every scan reads its files.
void register_lake_scan(duckdb::DatabaseInstance& database, const LakeScans& scans,
                        Counter& files_opened, std::shared_ptr<ColumnCache> cache);

}  // namespace aichemy::sql
