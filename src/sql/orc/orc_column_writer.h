// Streams and statistics of one column and those within it, for a stripe at a time. Private to the
// module.
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "sql/orc/orc_column.h"
#include "sql/orc/orc_encode.h"
#include "sql/orc/orc_message.h"
#include "sql/orc/orc_metadata.h"

namespace aichemy::orc {

// What is known of the values of a column, in a stripe or in a file.
struct ValueStatistics {
  uint64_t values = 0;
  bool has_null = false;
  std::optional<int64_t> low, high;  // integers, days, milliseconds
  std::optional<int64_t> sum;        // integers, bytes of texts, true booleans
  bool sum_lost = false;
  std::optional<double> least, most;
  bool unordered = false;  // a NaN
  std::optional<std::string> first, last;
  bool long_texts = false;  // too long to be kept
  std::optional<Int128> lowest, highest;

  void add(int64_t value);
  void add(double value);
  void add(std::string_view text, bool ordered);
  void add_decimal(Int128 value);
  void add_sum(int64_t value);
  void merge(const ValueStatistics& other);
  std::string message(const TypeNode& type) const;
};

class ColumnWriter {
 public:
  ColumnWriter(const std::vector<TypeNode>& types, uint32_t index, Compression compression);

  // Rows whose parent is null (`parents`, may be nullptr) are left out.
  Status write(const Batch& batch, const uint8_t* parents);
  size_t size() const;  // of what is kept for the stripe, about

  struct Written {
    StreamKind kind;
    uint32_t column;
    std::string bytes;
  };
  // Ends the stripe: its streams, and its statistics, in preorder of the columns.
  Status take(std::vector<Written>& streams, std::vector<std::string>& statistics);
  void file_statistics(std::vector<std::string>& out) const;
  static uint64_t encoding_of(const TypeNode& type);  // ColumnEncoding.Kind

 private:
  const TypeNode& type_;
  uint32_t index_;
  StreamWriter present_bytes_, data_, second_;
  BitRunWriter present_, bits_;
  ByteRunWriter bytes_;
  IntRunWriter ints_, second_ints_;
  bool any_null_ = false;
  ValueStatistics stripe_, file_;
  std::vector<std::unique_ptr<ColumnWriter>> children_;

  void write_value(const Batch& batch, size_t row);
  Status write_time(const Batch& batch, size_t row);
  void flush_runs();
};

}  // namespace aichemy::orc
