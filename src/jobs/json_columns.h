// JSON values of events into DuckDB's vectors, by the source table's columns. The conversions are
// Flink's JSON format: SQL timestamps ("2024-01-02 03:04:05.6") or ISO-8601, base64 for BYTES, a
// missing member is NULL; what does not fit its column's type makes the whole record dead.
#pragma once

#include <duckdb/common/types/data_chunk.hpp>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "jobs/event_batch.h"
#include "wire/record_batch.h"

namespace aichemy::jobs {

// One thread's decoder. `projected` are indexes into `columns`: the chunk's vectors in order; an
// index beyond the columns is a vector nobody reads.
class JsonColumns {
 public:
  JsonColumns(const std::vector<SourceColumn>& columns, std::vector<size_t> projected);
  ~JsonColumns();
  JsonColumns(const JsonColumns&) = delete;
  JsonColumns& operator=(const JsonColumns&) = delete;

  // Writes one record as row `row`; an error text when it is dead (the row is then free again).
  // `readable_after` bytes beyond the value may be read: the parser wants 64.
  std::optional<std::string> decode(const EventSlice& slice, const wire::Record& record,
                                    size_t readable_after, duckdb::DataChunk& chunk, size_t row);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aichemy::jobs
