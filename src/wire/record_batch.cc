#include "wire/record_batch.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "wire/varint.h"

namespace aichemy::wire {
namespace {

constexpr size_t kCrcStart = 21;

std::unexpected<Error> bad_batch(std::string message) {
  return fail(Code::corrupt, "batch", std::move(message));
}
std::unexpected<Error> bad_records(const char* message) {
  return fail(Code::corrupt, "records", message);
}

// Cursor over varints and runs of bytes; every step checks what is left.
class RecordCursor {
 public:
  explicit RecordCursor(std::string_view bytes) : left_(bytes) {}
  bool empty() const { return left_.empty(); }
  std::string_view left() const { return left_; }

  bool number(int64_t& to) {
    uint64_t raw = 0;
    size_t used = read_varint(left_, raw);
    if (used == 0) return false;
    to = unzigzag(raw);
    left_.remove_prefix(used);
    return true;
  }
  bool run(int64_t count, std::string_view& to) {
    if (count < 0 || static_cast<uint64_t>(count) > left_.size()) return false;
    to = left_.substr(0, static_cast<size_t>(count));
    left_.remove_prefix(to.size());
    return true;
  }
  // A length and that many bytes; -1 is null.
  bool nullable(std::optional<std::string_view>& to) {
    int64_t count = 0;
    if (!number(count)) return false;
    if (count == -1) {
      to.reset();
      return true;
    }
    return run(count, to.emplace());
  }

 private:
  std::string_view left_;
};

bool read_record(RecordCursor& cursor, const BatchHeader& header, Record& record) {
  int64_t size = 0;
  std::string_view body;
  if (!cursor.number(size) || size < 1 || !cursor.run(size, body)) return false;
  RecordCursor fields(body.substr(1));  // the first byte is the record's attributes, all unused
  int64_t timestamp_delta = 0;
  int64_t offset_delta = 0;
  if (!fields.number(timestamp_delta) || !fields.number(offset_delta)) return false;
  if (offset_delta < 0 || offset_delta > header.last_offset_delta) return false;
  if (!fields.nullable(record.key) || !fields.nullable(record.value)) return false;
  // Wrapping arithmetic: a hostile delta must not be undefined behaviour.
  record.timestamp = header.is_append_time()
                         ? header.max_timestamp
                         : static_cast<int64_t>(static_cast<uint64_t>(header.base_timestamp) +
                                                static_cast<uint64_t>(timestamp_delta));
  record.offset = static_cast<int64_t>(static_cast<uint64_t>(header.base_offset) +
                                       static_cast<uint64_t>(offset_delta));
  record.headers = fields.left();
  return true;
}

}  // namespace

Result<BatchHeader> read_batch_header(std::string_view bytes) {
  if (bytes.size() < kBatchHeaderBytes) return bad_batch("a record batch shorter than its header");
  const char* at = bytes.data();
  BatchHeader header;
  header.base_offset = load_big<int64_t>(at);
  header.length = load_big<int32_t>(at + 8);
  header.leader_epoch = load_big<int32_t>(at + 12);
  header.magic = load_big<int8_t>(at + 16);
  header.crc = load_big<uint32_t>(at + 17);
  header.attributes = load_big<int16_t>(at + 21);
  header.last_offset_delta = load_big<int32_t>(at + 23);
  header.base_timestamp = load_big<int64_t>(at + 27);
  header.max_timestamp = load_big<int64_t>(at + 35);
  header.producer_id = load_big<int64_t>(at + 43);
  header.producer_epoch = load_big<int16_t>(at + 51);
  header.base_sequence = load_big<int32_t>(at + 53);
  header.count = load_big<int32_t>(at + 57);
  if (header.magic != 2)
    return bad_batch("a record batch of magic " + std::to_string(header.magic));
  if (header.length < static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes)) {
    return bad_batch("a record batch of length " + std::to_string(header.length));
  }
  if (header.last_offset_delta < 0 || header.count < 0)
    return bad_batch("negative counts in a record batch");
  if (header.base_offset < 0 || header.base_offset > INT64_MAX - INT32_MAX - 1) {
    return bad_batch("a record batch at offset " + std::to_string(header.base_offset));
  }
  return header;
}

Result<BatchHeader> check_batch(std::string_view bytes) {
  ASSIGN_OR_RETURN(BatchHeader header, read_batch_header(bytes));
  if (header.bytes() > bytes.size()) return bad_batch("a record batch is cut short");
  if (crc32c(0, bytes.substr(kCrcStart, header.bytes() - kCrcStart)) != header.crc) {
    return bad_batch("the checksum of a record batch does not match");
  }
  return header;
}

void set_batch_offset(char* batch, int64_t base_offset, int32_t leader_epoch) {
  store_big(batch, base_offset);
  store_big(batch + 12, leader_epoch);
}

void set_batch_append_time(char* batch, size_t size, int64_t millis) {
  store_big(batch + 21, static_cast<int16_t>(load_big<int16_t>(batch + 21) | 8));
  store_big(batch + 35, millis);
  store_big(batch + 17, crc32c(0, std::string_view(batch + kCrcStart, size - kCrcStart)));
}

Result<std::vector<Record>> read_records(std::string_view batch, std::string& storage,
                                         size_t bytes_max) {
  ASSIGN_OR_RETURN(BatchHeader header, read_batch_header(batch));
  if (header.bytes() > batch.size()) return bad_batch("a record batch is cut short");
  std::string_view bytes = batch.substr(kBatchHeaderBytes, header.bytes() - kBatchHeaderBytes);
  if (header.codec() != Codec::none) {
    ASSIGN_OR_RETURN(storage, decompress(header.codec(), bytes, bytes_max));
    bytes = storage;
  }
  // A record takes seven bytes at least: the count is checked before memory is taken for it.
  if (static_cast<size_t>(header.count) > bytes.size() / 7)
    return bad_records("more records than bytes");
  std::vector<Record> records(static_cast<size_t>(header.count));
  RecordCursor cursor(bytes);
  for (Record& record : records) {
    if (!read_record(cursor, header, record)) return bad_records("a broken record in a batch");
  }
  if (!cursor.empty()) return bad_records("bytes after the last record of a batch");
  return records;
}

Result<std::vector<RecordHeader>> read_record_headers(std::string_view headers) {
  RecordCursor cursor(headers);
  int64_t count = 0;
  if (!cursor.number(count) || count < 0 || static_cast<uint64_t>(count) > headers.size()) {
    return bad_records("a broken count of headers");
  }
  std::vector<RecordHeader> found;
  for (int64_t i = 0; i < count; ++i) {
    RecordHeader header;
    int64_t size = 0;
    if (!cursor.number(size) || !cursor.run(size, header.first) ||
        !cursor.nullable(header.second)) {
      return bad_records("a broken record header");
    }
    found.push_back(header);
  }
  if (!cursor.empty()) return bad_records("bytes after the last header of a record");
  return found;
}

void BatchBuilder::add(int64_t timestamp, std::optional<std::string_view> key,
                       std::optional<std::string_view> value,
                       const std::vector<RecordHeader>& headers) {
  if (count_ == 0) base_timestamp_ = max_timestamp_ = timestamp;
  max_timestamp_ = std::max(max_timestamp_, timestamp);
  auto put = [this](std::optional<std::string_view> bytes) {
    append_signed_varint(scratch_, bytes ? static_cast<int64_t>(bytes->size()) : -1);
    if (bytes) scratch_.append(*bytes);
  };
  scratch_.assign(1, '\0');
  append_signed_varint(scratch_, timestamp - base_timestamp_);
  append_signed_varint(scratch_, count_);
  put(key);
  put(value);
  append_signed_varint(scratch_, static_cast<int64_t>(headers.size()));
  for (const RecordHeader& header : headers) {
    put(header.first);
    put(header.second);
  }
  append_signed_varint(records_, static_cast<int64_t>(scratch_.size()));
  records_ += scratch_;
  ++count_;
}

Result<std::string> BatchBuilder::finish(Codec codec, Producer producer) {
  CHECK(count_ > 0);
  std::string packed;
  if (codec != Codec::none) {
    ASSIGN_OR_RETURN(packed, compress(codec, records_));
  }
  std::string_view body = codec == Codec::none ? records_ : packed;
  std::string batch(kBatchHeaderBytes, '\0');
  char* at = batch.data();
  store_big(at + 8, static_cast<int32_t>(kBatchHeaderBytes - kBatchPrefixBytes + body.size()));
  store_big(at + 12, int32_t{-1});
  at[16] = 2;
  store_big(at + 21, static_cast<int16_t>(codec));
  store_big(at + 23, count_ - 1);
  store_big(at + 27, base_timestamp_);
  store_big(at + 35, max_timestamp_);
  store_big(at + 43, producer.id);
  store_big(at + 51, producer.epoch);
  store_big(at + 53, producer.base_sequence);
  store_big(at + 57, count_);
  batch.append(body);
  store_big(batch.data() + 17, crc32c(0, std::string_view(batch).substr(kCrcStart)));
  records_.clear();
  count_ = 0;
  return batch;
}

}  // namespace aichemy::wire
