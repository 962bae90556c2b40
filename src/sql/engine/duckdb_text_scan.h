// The table function text_scan('<handle>'): the rows of a registered TextScan.
#pragma once

#include <duckdb/main/database.hpp>

#include "sql/connectors/text_scan.h"

namespace aichemy::sql {

// Once per database. `scans` must outlive it.
void register_text_scan(duckdb::DatabaseInstance& database, const TextScans& scans);

}  // namespace aichemy::sql
