// Bytes of one stream of an ORC file, decompressed a chunk at a time (specification,
// "Compression").
//
// The first error sticks in the Fault that all streams of a stripe share: reads after it give
// zeros, so that callers check once per batch.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::orc {

__extension__ typedef __int128 Int128;
__extension__ typedef unsigned __int128 Uint128;

enum class Compression : uint8_t { none, zlib, snappy, lzo, lz4, zstd, brotli };

class Fault {
 public:
  explicit operator bool() const { return error_.has_value(); }
  void set(Error error) {
    if (!error_) error_ = std::move(error);
  }
  Status status() const {
    if (error_) return std::unexpected(*error_);
    return {};
  }

 private:
  std::optional<Error> error_;
};

// corrupt ("orc") with the byte of the file.
Error malformed(const std::string& what, uint64_t offset);

class Stream {
 public:
  // `raw` lies at `offset` of the file and outlives this.
  Stream(std::string_view raw, Compression compression, uint64_t block_bytes, uint64_t offset,
         Fault& fault)
      : raw_(raw),
        compression_(compression),
        block_bytes_(block_bytes),
        offset_(offset),
        fault_(fault) {}
  Stream(const Stream&) = delete;
  Stream& operator=(const Stream&) = delete;

  uint8_t byte() {
    if (at_ == end_ && !refill()) return stop();
    return static_cast<uint8_t>(*at_++);
  }
  void read(char* to, uint64_t count);
  // Grows `to` no faster than there are bytes.
  void append(std::string& to, uint64_t count);
  // All that is left, at most `bytes_max`.
  void append_rest(std::string& to, uint64_t bytes_max);
  uint64_t varint();
  Int128 signed_varint();  // zigzag, of up to 128 bits
  bool failed() const { return static_cast<bool>(fault_); }
  void fail(const std::string& what);

 private:
  std::string_view raw_;
  Compression compression_;
  uint64_t block_bytes_;
  uint64_t offset_;
  Fault& fault_;
  size_t next_ = 0;  // of raw_: the next chunk
  std::string chunk_;
  const char *at_ = nullptr, *end_ = nullptr;

  bool refill();  // false: the end, or an error
  uint8_t stop();
};

}  // namespace aichemy::orc
