// Values of columns of one stripe, a batch of rows at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "sql/orc/orc_metadata.h"
#include "sql/orc/orc_runs.h"
#include "sql/orc/orc_stream.h"

namespace aichemy::orc {

// Which columns are read: of a struct some fields; of lists and maps all they have, in order.
struct Selection {
  uint32_t type = 0;
  std::vector<Selection> children;
};

// One entry a row in the vectors of the column's kind; nothing is said of null rows.
struct Batch {
  size_t rows = 0;
  std::vector<uint8_t> nulls;           // 1: null. Empty: none is.
  std::vector<int64_t> ints;            // booleans, integers, days, seconds, entries (list, map)
  std::vector<int64_t> nanos;           // timestamps: added to the seconds
  std::vector<double> doubles;          // of both sizes
  std::vector<Int128> decimals;         // of the type's scale
  std::vector<std::string_view> texts;  // good until the next batch
  std::vector<Batch> children;          // of the selection
  std::string bytes;                    // what texts show, unless it is a dictionary's

  bool is_null(size_t row) const { return !nulls.empty() && nulls[row]; }
};

// Streams of a stripe by column and kind; none of that kind: an empty one.
using StreamSource = std::function<std::unique_ptr<Stream>(uint32_t column, StreamKind kind)>;

class ColumnReader {
 public:
  struct Context {
    const std::vector<TypeNode>& types;
    const std::vector<ColumnEncoding>& encodings;
    uint64_t stripe_rows;
    const StreamSource& streams;
    const std::function<bool(uint32_t column)>& has_nulls;  // whether there is a PRESENT stream
  };
  ColumnReader(const Selection& selection, const Context& context);

  // Rows whose parent is null (`parents`, may be nullptr) are null and have no entry in the
  // streams. Errors are in the streams' Fault.
  void read(size_t rows, const uint8_t* parents, Batch& out);

 private:
  const TypeNode& type_;
  std::unique_ptr<BitRuns> present_;
  std::unique_ptr<BitRuns> bits_;
  std::unique_ptr<ByteRuns> bytes_;
  std::unique_ptr<IntRuns> ints_;    // values, lengths, indexes, seconds
  std::unique_ptr<IntRuns> second_;  // nanoseconds, scales, lengths of a dictionary
  std::unique_ptr<Stream> data_;
  bool has_dictionary_ = false, dictionary_read_ = false;
  uint64_t dictionary_size_ = 0;
  std::string dictionary_bytes_;
  std::vector<std::string_view> dictionary_;
  std::vector<ColumnReader> children_;

  void open(const Selection& selection, const Context& context);
  size_t read_nulls(size_t rows, const uint8_t* parents, Batch& out);
  void read_values(size_t count, size_t rows, Batch& out);
  void read_texts(size_t count, Batch& out);
  void read_dictionary();
  void read_decimals(size_t count, Batch& out);
  void read_timestamps(size_t count, size_t rows, Batch& out);
  void read_entries(Batch& out);
};

}  // namespace aichemy::orc
