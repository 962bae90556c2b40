// Result rows in the client protocol's JSON (trino.md 1.6), straight from DuckDB's vectors, by
// Trino type.
#pragma once

#include <duckdb/common/types/data_chunk.hpp>
#include <string>
#include <vector>

#include "sql/engine/engine.h"

namespace aichemy::sql {

// Appends the rows of the chunk as "[v,v],[v,v]", with a comma in front unless `out` is empty. The
// chunk's columns have the physical forms of `columns`.
void append_rows_json(std::string& out, duckdb::DataChunk& chunk,
                      const std::vector<OutputColumn>& columns);

}  // namespace aichemy::sql
