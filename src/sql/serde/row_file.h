// Files of ORC and Avro, written row by row of the engine. One thread at a time. Throws
// (throw_error). Private to the module.
#pragma once

#include <duckdb/common/types/data_chunk.hpp>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/hive/hive_file_format.h"

namespace aichemy::sql {

class RowFileWriter {
 public:
  virtual ~RowFileWriter() = default;
  virtual void write(duckdb::DataChunk& rows) = 0;  // which are flat, all the way down
  virtual void finish() = 0;
};

// Of rows of a chunk, or of the entries of lists: what lies within is flat, too.
void flatten_all(duckdb::Vector& column, duckdb::idx_t count);

using FileSink = std::function<Status(std::string_view bytes)>;
std::unique_ptr<RowFileWriter> write_orc(const HiveFileFormat& format, FileSink sink);
// `sync`: kAvroSyncBytes of chance.
std::unique_ptr<RowFileWriter> write_avro(const HiveFileFormat& format, const std::string& sync,
                                          FileSink sink);

}  // namespace aichemy::sql
