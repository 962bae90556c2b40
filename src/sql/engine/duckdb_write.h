// Writing query results as Parquet data files of a table: COPY through the lake file system, with
// field ids, and with partition values computed from Iceberg's transforms.
#pragma once

#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <stop_token>
#include <string>
#include <vector>

#include "base/result.h"
#include "objectstore/object_store.h"
#include "sql/connectors/connector.h"

namespace aichemy::sql {

// Runs a statement to its end, on this thread too. cancelled ("cancelled"), and what
// error_from_duckdb() makes of the engine's errors.
Result<duckdb::unique_ptr<duckdb::MaterializedQueryResult>> run_statement(
    duckdb::Connection& connection, const std::string& sql, const std::stop_token& cancel);

// Runs `select` into files below target.location, named after `unique`. Files without rows are
// removed and not reported. The SELECT's columns are named as target.columns.
Result<std::vector<WrittenFile>> copy_to_lake(duckdb::Connection& connection,
                                              const std::string& select, const InsertTarget& target,
                                              const std::string& unique,
                                              const std::stop_token& cancel);

// Names of files that one write made start with this: what is left of a failed one can be found and
// removed.
std::string written_prefix(const InsertTarget& target, const std::string& unique);
void remove_below(objectstore::ObjectStore& store, const std::string& prefix_location);

}  // namespace aichemy::sql
