// Encodings of ORC streams, for writing: chunks of compressed bytes, runs of bytes, bits and
// integers (version 2: short repeat, direct, delta with a fixed difference).
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "sql/orc/orc_stream.h"

namespace aichemy::orc {

// none, zlib, snappy, lz4, zstd can be written.
bool is_written(Compression compression);

// The bytes of one stream. A chunk is compressed as soon as it is full. The first error sticks.
class StreamWriter {
 public:
  static constexpr size_t kBlockBytes = 128 << 10;

  explicit StreamWriter(Compression compression) : compression_(compression) {}

  void byte(uint8_t value) {
    chunk_.push_back(static_cast<char>(value));
    if (chunk_.size() >= kBlockBytes) flush();
  }
  void bytes(std::string_view value);
  void varint(uint64_t value);
  void signed_varint(Int128 value);  // zigzag

  size_t size() const { return packed_.size() + chunk_.size(); }
  Result<std::string> take();  // all of it; then it is empty again

 private:
  Compression compression_;
  std::string chunk_, packed_;
  Status status_;

  void flush();
};

class ByteRunWriter {
 public:
  explicit ByteRunWriter(StreamWriter& to) : to_(to) {}
  void put(uint8_t value);
  void flush();

 private:
  static constexpr size_t kMax = 128;
  StreamWriter& to_;
  uint8_t values_[kMax];
  size_t count_ = 0;
};

class BitRunWriter {
 public:
  explicit BitRunWriter(StreamWriter& to) : bytes_(to) {}
  void put(bool value) {
    byte_ = static_cast<uint8_t>(byte_ << 1 | (value ? 1 : 0));
    if (++filled_ == 8) emit();
  }
  void flush();

 private:
  ByteRunWriter bytes_;
  uint8_t byte_ = 0;
  int filled_ = 0;

  void emit();
};

class IntRunWriter {
 public:
  IntRunWriter(StreamWriter& to, bool is_signed) : to_(to), signed_(is_signed) {}
  void put(int64_t value) {
    values_[count_++] = value;
    if (count_ == kMax) flush();
  }
  void flush();

 private:
  static constexpr size_t kMax = 512, kShortMin = 3, kShortMax = 10;
  StreamWriter& to_;
  bool signed_;
  int64_t values_[kMax];
  size_t count_ = 0;

  uint64_t bits_of(int64_t value) const;
  size_t steady(size_t begin) const;  // how many values from there have one difference
  void direct(size_t begin, size_t end);
  void short_repeat(int64_t value, size_t count);
  void delta(size_t begin, size_t count);
};

}  // namespace aichemy::orc
