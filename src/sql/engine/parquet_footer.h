// What a Parquet file's footer says, for whoever adds the file to a table.
#pragma once

#include <string>

#include "base/result.h"
#include "runtime/call.h"
#include "sql/connectors/file_adoption.h"
#include "sql/engine/engine.h"

namespace aichemy::sql {

// `location`: s3://bucket/key. invalid ("not_parquet"); errors of the store.
Result<ParquetFooter> read_parquet_footer(Engine& engine, const Call& call,
                                          const std::string& location);

}  // namespace aichemy::sql
