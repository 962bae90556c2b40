#include "objectstore/record.h"

#include <fmt/format.h>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::objectstore {
namespace {

constexpr uint8_t kRecordVersion = 1;
constexpr uint64_t kItemsMax = 20'000;  // parts, slots, metadata entries of one record

void put_number(std::string& to, uint64_t value) {
  while (value >= 0x80) {
    to.push_back(static_cast<char>(value | 0x80));
    value >>= 7;
  }
  to.push_back(static_cast<char>(value));
}

void put_text(std::string& to, std::string_view text) {
  put_number(to, text.size());
  to += text;
}

using Map = std::map<std::string, std::string>;

void put_map(std::string& to, const Map& map) {
  put_number(to, map.size());
  for (const auto& [key, value] : map) {
    put_text(to, key);
    put_text(to, value);
  }
}

void put_extent(std::string& to, const Extent& extent) {
  to.push_back(static_cast<char>(extent.layout));
  put_number(to, extent.id);
  put_number(to, extent.bytes);
}

void seal(std::string& bytes) { append_little(bytes, xxh3(bytes, kRecordSeed)); }

// Reads with a sticky failure: the first broken field makes all later ones empty.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : left_(bytes) {}

  uint8_t byte() {
    if (left_.empty()) return broken_ = true, 0;
    auto value = static_cast<uint8_t>(left_.front());
    left_.remove_prefix(1);
    return value;
  }
  uint64_t number() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      uint8_t next = byte();
      value |= static_cast<uint64_t>(next & 0x7f) << shift;
      if (!(next & 0x80)) return value;
    }
    broken_ = true;
    return 0;
  }
  std::string text() {
    uint64_t count = number();
    if (count > left_.size()) return broken_ = true, std::string();
    std::string value(left_.substr(0, count));
    left_.remove_prefix(count);
    return value;
  }
  uint64_t items() {
    uint64_t count = number();
    if (count > kItemsMax) broken_ = true;
    return broken_ ? 0 : count;
  }
  Map map() {
    Map value;
    for (uint64_t i = items(); i > 0 && !broken_; --i) {
      std::string key = text();
      value[std::move(key)] = text();
    }
    return value;
  }
  Extent extent() {
    Extent value;
    uint8_t layout = byte();
    if (layout > static_cast<uint8_t>(Layout::files)) broken_ = true;
    value.layout = static_cast<Layout>(layout);
    value.id = number();
    value.bytes = number();
    return value;
  }
  bool whole() const { return !broken_ && left_.empty(); }
  bool broken() const { return broken_; }

 private:
  std::string_view left_;
  bool broken_ = false;
};

std::unexpected<Error> corrupt(const char* about) {
  return fail(Code::corrupt, "corrupt_object", std::string("a stored ") + about + " is damaged");
}

Result<std::string_view> unseal(std::string_view bytes, const char* about) {
  if (bytes.size() < 8) return corrupt(about);
  std::string_view body = bytes.substr(0, bytes.size() - 8);
  if (load_little<uint64_t>(bytes.data() + body.size()) != xxh3(body, kRecordSeed))
    return corrupt(about);
  return body;
}

}  // namespace

std::vector<Extent> Record::extents() const {
  std::vector<Extent> all;
  if (extent.layout != Layout::none) all.push_back(extent);
  for (const StoredPart& part : parts) {
    if (part.extent.layout != Layout::none) all.push_back(part.extent);
  }
  return all;
}

std::string encode_record(const Record& record) {
  std::string to;
  to.reserve(192);
  to.push_back(kRecordVersion);
  to.push_back(static_cast<char>(record.kind));
  to.push_back(record.keeps_files ? 1 : 0);
  put_number(to, static_cast<uint64_t>(record.time_micros));
  put_number(to, record.size);
  put_text(to, record.etag);
  put_text(to, record.content_type);
  put_map(to, record.metadata);
  put_map(to, record.checksums);
  put_text(to, record.checksum_algorithm);
  put_text(to, record.checksum_type);
  put_text(to, record.upload_id);
  put_extent(to, record.extent);
  put_number(to, record.parts.size());
  for (const StoredPart& part : record.parts) {
    put_number(to, static_cast<uint64_t>(part.number));
    put_extent(to, part.extent);
    put_text(to, part.etag);
    put_map(to, part.checksums);
  }
  seal(to);
  return to;
}

Result<Record> decode_record(std::string_view bytes) {
  ASSIGN_OR_RETURN(std::string_view body, unseal(bytes, "record"));
  Reader in(body);
  Record record;
  if (in.byte() != kRecordVersion) return corrupt("record");
  uint8_t kind = in.byte();
  if (kind < 1 || kind > static_cast<uint8_t>(RecordKind::removed)) return corrupt("record");
  record.kind = static_cast<RecordKind>(kind);
  record.keeps_files = in.byte() != 0;
  record.time_micros = static_cast<int64_t>(in.number());
  record.size = in.number();
  record.etag = in.text();
  record.content_type = in.text();
  record.metadata = in.map();
  record.checksums = in.map();
  record.checksum_algorithm = in.text();
  record.checksum_type = in.text();
  record.upload_id = in.text();
  record.extent = in.extent();
  for (uint64_t i = in.items(); i > 0 && !in.broken(); --i) {
    StoredPart part;
    part.number = static_cast<int>(in.number() & 0xffff);
    part.extent = in.extent();
    part.etag = in.text();
    part.checksums = in.map();
    record.parts.push_back(std::move(part));
  }
  if (!in.whole()) return corrupt("record");
  return record;
}

ObjectInfo object_info(const Record& record, std::string bucket, std::string key) {
  ObjectInfo info;
  info.bucket = std::move(bucket);
  info.key = std::move(key);
  info.size = record.size;
  info.etag = record.etag;
  info.last_modified = WallTime(std::chrono::microseconds(record.time_micros));
  info.content_type = record.content_type;
  info.metadata = record.metadata;
  info.checksums = record.checksums;
  info.checksum_type = record.checksum_type;
  info.parts_count = static_cast<int>(record.parts.size());
  for (const StoredPart& part : record.parts) info.part_bytes.push_back(part.extent.bytes);
  return info;
}

std::string encode_journal(const std::vector<std::string>& slots) {
  std::string to;
  to.push_back(kRecordVersion);
  put_number(to, slots.size());
  for (const std::string& slot : slots) put_text(to, slot);
  seal(to);
  return to;
}

Result<std::vector<std::string>> decode_journal(std::string_view bytes) {
  ASSIGN_OR_RETURN(std::string_view body, unseal(bytes, "journal entry"));
  Reader in(body);
  if (in.byte() != kRecordVersion) return corrupt("journal entry");
  std::vector<std::string> slots;
  for (uint64_t i = in.items(); i > 0 && !in.broken(); --i) slots.push_back(in.text());
  if (!in.whole()) return corrupt("journal entry");
  return slots;
}

std::string bucket_slot(std::string_view bucket) { return fmt::format("b{}", bucket); }
std::string object_slot(std::string_view bucket, std::string_view key) {
  return fmt::format("o{}/{}", bucket, key);
}
std::string upload_slot(std::string_view bucket, std::string_view key, std::string_view upload_id) {
  return fmt::format("u{}/{}\x01{}", bucket, key, upload_id);
}
std::string part_slot(std::string_view bucket, std::string_view key, std::string_view upload_id,
                      int number) {
  return fmt::format("p{}/{}\x01{}/{:05}", bucket, key, upload_id, number);
}

std::string_view lock_name(std::string_view slot) {
  constexpr size_t kUploadSuffix = 1 + kUploadIdBytes;
  constexpr size_t kPartSuffix = kUploadSuffix + 6;
  size_t suffix = 0;
  if (slot.starts_with('u')) suffix = kUploadSuffix;
  if (slot.starts_with('p')) suffix = kPartSuffix;
  return slot.size() < 1 + suffix ? slot : slot.substr(1, slot.size() - 1 - suffix);
}

bool is_slot_key(std::string_view key) {
  return key.size() >= 10 && (key[0] == 'o' || key[0] == 'b' || key[0] == 'u' || key[0] == 'p') &&
         key[key.size() - 9] == '\0';
}

std::string entry_key(std::string_view slot, uint64_t generation) {
  std::string key;
  key.reserve(slot.size() + 9);
  key += slot;
  key.push_back('\0');
  append_big(key, ~generation);
  return key;
}

Result<EntryKey> parse_entry_key(std::string_view key) {
  if (!is_slot_key(key)) return fail(Code::corrupt, "corrupt_object", "a stored key is damaged");
  return EntryKey{key.substr(0, key.size() - 9), ~load_big<uint64_t>(key.data() + key.size() - 8)};
}

std::string id_key(char kind, uint64_t id) {
  std::string key(1, kind);
  append_big(key, id);
  return key;
}

std::string data_key(uint64_t id) {
  std::string key;
  append_big(key, id);
  return key;
}

uint64_t id_of_key(std::string_view key) {
  return key.size() < 8 ? 0 : load_big<uint64_t>(key.data() + key.size() - 8);
}

std::string after_prefix(std::string prefix) {
  while (!prefix.empty() && prefix.back() == '\xff') prefix.pop_back();
  if (!prefix.empty()) prefix.back() = static_cast<char>(prefix.back() + 1);
  return prefix;
}

}  // namespace aichemy::objectstore
