// Avro object container files (Avro specification, "Object Container Files"): header, schema,
// compressed blocks. Codecs: null, deflate, zstandard, snappy. Reading decompresses every block
// into one buffer, so that decoded values can be slices of it.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "base/bytes.h"
#include "base/result.h"
#include "tables/avro_schema.h"

namespace aichemy::tables {

enum class AvroCodec : uint8_t { null, deflate, zstandard, snappy };

struct AvroFile {
  std::map<std::string, std::string, std::less<>> metadata;
  AvroNode schema;
  std::string records;  // all blocks, decompressed, one after the other
  uint64_t record_count = 0;

  std::string_view meta(std::string_view key) const;
};

// corrupt ("avro") with the offset that is wrong; unsupported ("avro_codec"). The decompressed size
// is limited to bytes_max (corrupt beyond it): a small hostile file cannot ask for all memory.
Result<AvroFile> read_avro(std::string_view file, uint64_t bytes_max = 1u << 30);

// Reads Avro's primitive encodings from a buffer. The first error sticks: reads after it give zeros
// and failed() tells, so that callers check once per record.
class AvroCursor {
 public:
  explicit AvroCursor(std::string_view bytes)
      : begin_(bytes.data()), at_(begin_), end_(begin_ + bytes.size()) {}

  bool failed() const { return failed_; }
  void set_failed() { failed_ = true; }
  bool at_end() const { return at_ == end_; }
  size_t offset() const { return static_cast<size_t>(at_ - begin_); }

  int64_t read_long() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      if (at_ == end_) [[unlikely]]
        return stop();
      auto byte = static_cast<uint8_t>(*at_++);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return static_cast<int64_t>(value >> 1) ^ -static_cast<int64_t>(value & 1);
    }
    return stop();
  }
  bool read_bool() { return read_raw(1).starts_with('\1'); }
  std::string_view read_bytes() {
    int64_t length = read_long();
    if (length < 0) {
      stop();
      return {};
    }
    return read_raw(static_cast<uint64_t>(length));
  }
  // A view of the buffer.
  std::string_view read_raw(uint64_t count) {
    if (count > static_cast<uint64_t>(end_ - at_)) [[unlikely]] {
      stop();
      return {};
    }
    std::string_view bytes(at_, count);
    at_ += count;
    return bytes;
  }
  // The branch taken of a union; the node itself when it is none. nullptr on a broken index.
  const AvroNode* enter(const AvroNode& node) {
    if (node.kind != AvroKind::union_) return &node;
    int64_t branch = read_long();
    if (branch < 0 || static_cast<size_t>(branch) >= node.children.size()) {
      stop();
      return nullptr;
    }
    return &node.children[static_cast<size_t>(branch)];
  }
  // Items in the next block of an array or map; 0 at its end.
  int64_t read_block_count() {
    int64_t count = read_long();
    if (count >= 0) return count;
    if (count == INT64_MIN) return stop();
    read_long();  // bytes of the block: only for skipping
    return -count;
  }
  void skip(const AvroNode& node);

 private:
  const char* begin_;
  const char* at_;
  const char* end_;
  bool failed_ = false;

  int64_t stop() {
    failed_ = true;
    at_ = end_;
    return 0;
  }
};

// Writes the encodings.
class AvroBuffer {
 public:
  void put_long(int64_t value) {
    uint64_t bits = (static_cast<uint64_t>(value) << 1) ^ static_cast<uint64_t>(value >> 63);
    while (bits >= 0x80) {
      bytes_.push_back(static_cast<char>(bits | 0x80));
      bits >>= 7;
    }
    bytes_.push_back(static_cast<char>(bits));
  }
  void put_bool(bool value) { bytes_.push_back(value ? '\1' : '\0'); }
  void put_bytes(std::string_view value) {
    put_long(static_cast<int64_t>(value.size()));
    bytes_ += value;
  }
  void put_raw(std::string_view value) { bytes_ += value; }

  size_t size() const { return bytes_.size(); }
  std::string_view view() const { return bytes_; }
  std::string take() { return std::move(bytes_); }
  void clear() { bytes_.clear(); }

 private:
  std::string bytes_;
};

// Collects records and closes a block every 64 KiB.
class AvroWriter {
 public:
  // `sync` is the file's 16-byte marker.
  AvroWriter(const std::map<std::string, std::string>& metadata, const Json& schema,
             AvroCodec codec, std::string_view sync);

  AvroBuffer& record() { return block_; }  // append one record here, then
  Status end_record();
  Result<std::string> finish();

 private:
  AvroCodec codec_;
  std::string sync_;
  AvroBuffer block_;
  int64_t block_records_ = 0;
  AvroBuffer file_;

  Status flush();
};

}  // namespace aichemy::tables
