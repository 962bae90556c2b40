// Run-length encodings of ORC: bytes, bits, integers of versions 1 and 2.
#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>

#include "sql/orc/orc_stream.h"

namespace aichemy::orc {

class ByteRuns {
 public:
  explicit ByteRuns(std::unique_ptr<Stream> stream) : stream_(std::move(stream)) {}
  uint8_t next();

 private:
  std::unique_ptr<Stream> stream_;
  uint32_t left_ = 0;
  bool repeated_ = false;
  uint8_t value_ = 0;
};

class BitRuns {
 public:
  explicit BitRuns(std::unique_ptr<Stream> stream) : bytes_(std::move(stream)) {}
  bool next() {
    if (left_ == 0) {
      byte_ = bytes_.next();
      left_ = 8;
    }
    return (byte_ >> --left_) & 1;  // the highest bit comes first
  }

 private:
  ByteRuns bytes_;
  uint8_t byte_ = 0;
  int left_ = 0;
};

class IntRuns {
 public:
  IntRuns(std::unique_ptr<Stream> stream, bool is_signed, bool version_2)
      : stream_(std::move(stream)), signed_(is_signed), version_2_(version_2) {}
  void read(int64_t* out, size_t count);
  int64_t next() {
    int64_t value = 0;
    read(&value, 1);
    return value;
  }
  bool failed() const { return stream_->failed(); }
  void fail(const char* what) { stream_->fail(what); }

 private:
  static constexpr size_t kRunMax = 512;

  std::unique_ptr<Stream> stream_;
  bool signed_, version_2_;
  int64_t values_[kRunMax];
  size_t at_ = 0, filled_ = 0;

  void fill();
  void fill_1();
  void fill_2();
  void short_repeat(uint8_t first);
  void direct(uint8_t first);
  void patched_base(uint8_t first);
  void delta(uint8_t first);
  int64_t number();  // a varint
  int64_t of_bits(uint64_t bits) const;
  uint64_t big_endian(int bytes);
  void unpack(int64_t* to, size_t count, int width);
  void patch(size_t entries, int entry_width, int patch_width, int width);
};

}  // namespace aichemy::orc
