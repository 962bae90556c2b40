// Files of ORC and Avro, written from rows of the engine: each thread has a part of its own, which
// locks the file only for what must be one after the other. Throws (throw_error). Private to the
// module.
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
  class Part {
   public:
    virtual ~Part() = default;
    virtual void write(duckdb::DataChunk& rows) = 0;  // which are flat, all the way down
    virtual void flush() = 0;                         // once, at its end
  };

  virtual ~RowFileWriter() = default;
  virtual std::unique_ptr<Part> begin_part() = 0;  // any thread
  virtual void finish() = 0;                       // after all parts
};

// Of rows of a chunk, or of the entries of lists: what lies within is flat, too.
void flatten_all(duckdb::Vector& column, duckdb::idx_t count);

// One caller at a time.
using FileSink = std::function<Status(std::string_view bytes)>;
std::unique_ptr<RowFileWriter> write_orc(const HiveFileFormat& format, FileSink sink);
// `sync`: kAvroSyncBytes of chance.
std::unique_ptr<RowFileWriter> write_avro(const HiveFileFormat& format, const std::string& sync,
                                          FileSink sink);

}  // namespace aichemy::sql
