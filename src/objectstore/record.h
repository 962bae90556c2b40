// What a drive's database holds: keys, and the values behind them. Pure codecs;
// docs/formats/objectstore.md.
//
// Everything replicated lives in a *slot* (a bucket, an object, an upload, a part). A slot has
// entries, one per generation; the newest whole one counts. Keys:
//   <slot> 0x00 <~generation, 8 bytes big-endian>    so that the newest entry of a slot sorts first
//   j<generation>   commit journal: the slots a commit touched, kept until every drive has the
//   commit f<id>           the shard file <id> is referenced      g<id>  the shard file <id> is to
//   be removed m<name>         facts about the drive
// Slots: b<bucket>   o<bucket>/<key>   u<bucket>/<key> 0x01 <upload id>
//        p<bucket>/<key> 0x01 <upload id>/<number, 5 digits>
// In the data table: <id, 8 bytes big-endian> -> inline shard.
//
// I1  A key is never rewritten with another value: generations and ids are unique for the life of a
// store. I2  Every value ends with the xxh3 of what precedes it, seeded with kRecordSeed. I3  Keys
// of objects hold no 0x00 byte, so slots sort as the objects' keys do.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "objectstore/object_store.h"

namespace aichemy::objectstore {

inline constexpr uint64_t kRecordSeed = 0x6169636865'6d79;

enum class RecordKind : uint8_t { bucket = 1, object = 2, upload = 3, part = 4, removed = 5 };

// Where the bytes of an object or part lie.
enum class Layout : uint8_t {
  none = 0,        // no bytes, or in `parts`
  replicated = 1,  // whole, in the data table of every drive
  coded = 2,       // one shard in the data table of each drive
  files = 3,       // one shard file on each drive
};

struct Extent {
  Layout layout = Layout::none;
  uint64_t id = 0;
  uint64_t bytes = 0;  // of the object, not of the shard
};

struct StoredPart {
  int number = 0;
  Extent extent;
  std::string etag;
  std::map<std::string, std::string> checksums;
};

// One type for all kinds; each uses the fields it needs.
struct Record {
  RecordKind kind = RecordKind::object;
  bool keeps_files = false;  // removed: the bytes of the earlier entry moved elsewhere
  int64_t time_micros = 0;   // created, modified, initiated
  uint64_t size = 0;
  std::string etag;
  std::string content_type;
  std::map<std::string, std::string> metadata;
  std::map<std::string, std::string> checksums;
  std::string checksum_algorithm;  // upload
  std::string checksum_type;
  std::string upload_id;          // object: the upload that made it
  Extent extent;                  // object of one piece, or a part
  std::vector<StoredPart> parts;  // multipart object

  // Drives that must hold an entry before it can be read.
  int copies_needed() const { return extent.layout == Layout::coded ? 2 : 1; }
  std::vector<Extent> extents() const;
};

std::string encode_record(const Record& record);
Result<Record> decode_record(std::string_view bytes);  // corrupt ("corrupt_object")
ObjectInfo object_info(const Record& record, std::string bucket, std::string key);

std::string encode_journal(const std::vector<std::string>& slots);
Result<std::vector<std::string>> decode_journal(std::string_view bytes);

std::string bucket_slot(std::string_view bucket);
std::string object_slot(std::string_view bucket, std::string_view key);
std::string upload_slot(std::string_view bucket, std::string_view key, std::string_view upload_id);
std::string part_slot(std::string_view bucket, std::string_view key, std::string_view upload_id,
                      int number);
// <bucket>/<key> of objects, uploads and parts: what their common lock goes by. <bucket> of a
// bucket.
std::string_view lock_name(std::string_view slot);
inline constexpr size_t kUploadIdBytes = 32;
bool is_slot_key(std::string_view entry_key);

std::string entry_key(std::string_view slot, uint64_t generation);
struct EntryKey {
  std::string_view slot;
  uint64_t generation = 0;
};
Result<EntryKey> parse_entry_key(std::string_view key);

std::string id_key(char kind, uint64_t id);  // j, f, g
std::string data_key(uint64_t id);
uint64_t id_of_key(std::string_view key);  // the last 8 bytes; 0 when shorter

// The key just after every key that begins with `prefix`.
std::string after_prefix(std::string prefix);

}  // namespace aichemy::objectstore
