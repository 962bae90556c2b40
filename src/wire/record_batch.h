// Record batches of magic 2: what producers send, what lies in the log and what consumers get, byte
// for byte.
//
// Layout (big-endian; https://kafka.apache.org/documentation/#recordbatch): baseOffset@0 i64,
// length@8 i32 (from byte 12 on), leaderEpoch@12 i32, magic@16 i8, crc@17 u32 (CRC-32C of byte 21
// to the end), attributes@21 i16, lastOffsetDelta@23 i32, baseTimestamp@27 i64, maxTimestamp@35
// i64, producerId@43 i64, producerEpoch@51 i16, baseSequence@53 i32, count@57 i32, records@61. Base
// offset and leader epoch lie outside the CRC: a broker sets them without touching the rest.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "wire/compression.h"

namespace aichemy::wire {

inline constexpr size_t kBatchHeaderBytes = 61;
inline constexpr size_t kBatchPrefixBytes =
    12;  // base offset and length: enough to find the next batch
inline constexpr size_t kDecompressedBytesMax = size_t{256} << 20;

struct BatchHeader {
  int64_t base_offset = 0;
  int32_t length = 0;
  int32_t leader_epoch = -1;
  int8_t magic = 0;
  uint32_t crc = 0;
  int16_t attributes = 0;
  int32_t last_offset_delta = 0;
  int64_t base_timestamp = -1;
  int64_t max_timestamp = -1;
  int64_t producer_id = -1;
  int16_t producer_epoch = -1;
  int32_t base_sequence = -1;
  int32_t count = 0;

  size_t bytes() const { return static_cast<size_t>(length) + kBatchPrefixBytes; }
  int64_t last_offset() const { return base_offset + last_offset_delta; }
  int64_t next_offset() const { return last_offset() + 1; }
  int32_t codec_bits() const { return attributes & 7; }
  Codec codec() const { return static_cast<Codec>(attributes & 7); }
  bool is_append_time() const { return (attributes & 8) != 0; }
  bool is_transactional() const { return (attributes & 16) != 0; }
  bool is_control() const { return (attributes & 32) != 0; }
};

// Reads the header only: needs kBatchHeaderBytes. corrupt ("batch") when length, magic or counts
// make no sense.
Result<BatchHeader> read_batch_header(std::string_view bytes);
// The header of a batch that lies whole in `bytes` (more may follow), its CRC checked. corrupt
// ("batch").
Result<BatchHeader> check_batch(std::string_view bytes);

// What a broker writes into a batch that arrived.
void set_batch_offset(char* batch, int64_t base_offset, int32_t leader_epoch);
// Log-append time: sets the timestamp type and the largest timestamp, and the CRC anew.
void set_batch_append_time(char* batch, size_t size, int64_t millis);

struct Record {
  int64_t offset = 0;
  int64_t timestamp = 0;  // milliseconds since 1970
  std::optional<std::string_view> key;
  std::optional<std::string_view> value;
  std::string_view headers;  // still encoded: read_record_headers
};
using RecordHeader = std::pair<std::string_view, std::optional<std::string_view>>;

// Records of one batch. `storage` holds the decompressed bytes; the records point into it or into
// `batch`. corrupt ("records") when they break the format.
Result<std::vector<Record>> read_records(std::string_view batch, std::string& storage,
                                         size_t bytes_max = kDecompressedBytesMax);
Result<std::vector<RecordHeader>> read_record_headers(std::string_view headers);

// Builds one batch. Offsets start at 0; the broker sets them.
class BatchBuilder {
 public:
  void add(int64_t timestamp, std::optional<std::string_view> key,
           std::optional<std::string_view> value, const std::vector<RecordHeader>& headers = {});
  int32_t count() const { return count_; }
  size_t bytes() const { return kBatchHeaderBytes + records_.size(); }

  struct Producer {
    int64_t id = -1;
    int16_t epoch = -1;
    int32_t base_sequence = -1;
  };
  // The batch; the builder is empty again afterwards. At least one record must have been added.
  Result<std::string> finish(Codec codec = Codec::none, Producer producer = {-1, -1, -1});

 private:
  std::string records_;
  std::string scratch_;
  int32_t count_ = 0;
  int64_t base_timestamp_ = 0;
  int64_t max_timestamp_ = 0;
};

}  // namespace aichemy::wire
