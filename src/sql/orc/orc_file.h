// An ORC file: its tail, and the rows of its stripes (the ORC specification, versions 0 and 1).
//
// Pure decoding over Bytes, which the caller provides. An open File is immutable: any number of
// threads may read stripes of it, each with a StripeReader of its own. Only the streams of the
// columns that are selected are read. Memory is bounded by the bytes of these streams, a
// decompressed block a stream, and fixed limits for a batch. Every number in the file is checked
// before it is believed; errors are corrupt ("orc") and name the byte.
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/orc/orc_column.h"
#include "sql/orc/orc_metadata.h"

namespace aichemy::orc {

class Bytes {
 public:
  virtual ~Bytes() = default;
  virtual uint64_t size() const = 0;
  // All of the range, which lies inside the file.
  virtual Status read(uint64_t offset, char* to, size_t count) = 0;
};

class File {
 public:
  static Result<File> open(Bytes& bytes);
  const Tail& tail() const { return tail_; }
  const TypeNode& root() const { return tail_.types[0]; }

 private:
  Tail tail_;
};

class StripeReader {
 public:
  // Columns of the root. `file` must outlive this.
  static Result<std::unique_ptr<StripeReader>> open(const File& file, size_t stripe,
                                                    std::vector<Selection> columns, Bytes& bytes);

  // At most `rows` rows, one Batch a column; 0 at the end.
  Result<size_t> read(size_t rows, std::vector<Batch>& out);
  const std::string& time_zone() const { return footer_.time_zone; }

 private:
  struct Part {  // of the file
    uint64_t offset = 0;
    std::string bytes;
  };

  const Tail& tail_;
  uint64_t rows_left_;
  StripeFooter footer_;
  std::vector<Part> parts_;
  Fault fault_;
  std::unique_ptr<ColumnReader> root_;

  StripeReader(const Tail& tail, uint64_t rows) : tail_(tail), rows_left_(rows) {}
  Status load(const std::vector<bool>& wanted, Bytes& bytes);
  std::string_view loaded(const StreamPlace& place) const;
  std::unique_ptr<Stream> stream(uint32_t column, StreamKind kind);
};

}  // namespace aichemy::orc
