// Writing ORC files (version 0.12 of the specification): types as TypeNode has them, stripes with
// statistics, no indexes of row groups, no dictionaries.
//
// Rows come as a Batch of the root struct, as the reader gives them: one entry a row also where
// the parent is null, entries of lists and maps without gaps. Timestamps: seconds since 1970,
// rounded down, and nanoseconds. One thread. Memory: a stripe, compressed but for a chunk a stream.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/orc/orc_column.h"
#include "sql/orc/orc_metadata.h"

namespace aichemy::orc {

class ColumnWriter;

class Writer {
 public:
  // Bytes in the order of the file.
  using Sink = std::function<Status(std::string_view bytes)>;
  struct Options {
    Compression compression = Compression::zlib;
    size_t stripe_bytes = 32 << 20;
  };

  // types[0] is the root; lengths: the n of varchar(n) and char(n), one a type.
  Writer(std::vector<TypeNode> types, std::vector<uint32_t> lengths, Options options, Sink sink);
  ~Writer();

  // unsupported ("orc") for what the format cannot hold. After an error nothing may be called.
  Status write(const Batch& rows);
  Status finish();

 private:
  std::vector<TypeNode> types_;
  std::vector<uint32_t> lengths_;
  Options options_;
  Sink sink_;
  uint64_t offset_ = 0, rows_ = 0, stripe_rows_ = 0;
  std::vector<Stripe> stripes_;
  std::string stripe_statistics_;  // of the metadata
  std::unique_ptr<ColumnWriter> root_;

  Status put(std::string_view bytes);
  Status flush_stripe();
  Result<std::string> packed(const std::string& message) const;
  std::string footer() const;
};

}  // namespace aichemy::orc
