// What a Parquet file holds, for people who look at it: its columns and its first rows as text.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/call.h"
#include "sql/engine/engine.h"

namespace aichemy::sql {

struct ParquetPreview {
  struct Column {
    std::string name, type;  // the engine's type
  };
  int64_t rows = 0, row_groups = 0;
  std::vector<Column> columns;
  Json first_rows = Json::array();  // arrays of text or null
  std::string no_rows;              // why there are none of a file that has some; otherwise ""
};

// Reads the footer, and of the first row group what `rows_max` rows need: nothing of one with more
// than kPreviewBytesMax, or of more than kPreviewColumnsMax columns. `location`: s3://bucket/key.
// invalid ("not_parquet"); errors of the store.
inline constexpr int64_t kPreviewBytesMax = 64 << 20;
inline constexpr size_t kPreviewColumnsMax = 300;
Result<ParquetPreview> preview_parquet(Engine& engine, const Call& call,
                                       const std::string& location, int rows_max);

}  // namespace aichemy::sql
