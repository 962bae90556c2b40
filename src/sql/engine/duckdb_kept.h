// Rows kept in a temporary table of one connection: what UPDATE, DELETE and MERGE do is computed
// once and read several times. DuckDB spills what does not fit in memory.
#pragma once

#include <duckdb/main/database.hpp>
#include <memory>
#include <string>
#include <vector>

#include "base/random.h"
#include "objectstore/object_store.h"
#include "runtime/call.h"
#include "sql/engine/engine.h"

namespace aichemy::sql {

Result<std::unique_ptr<KeptRows>> keep_rows(duckdb::DuckDB& database,
                                            objectstore::ObjectStore& store, Random& random,
                                            const Call& call, const std::string& sql,
                                            std::vector<std::shared_ptr<void>> scans);

}  // namespace aichemy::sql
