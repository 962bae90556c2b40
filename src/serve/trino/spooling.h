// The spooling protocol: rows in compressed segments that a client fetches beside its statement.
//
// Encodings: json, json+zstd (one frame), json+lz4 (a raw block). A segment is a JSON array of
// rows. SegmentStore keeps segments until the client acknowledges them or they expire: in memory
// while they fit `memory_bytes_max`, else as objects of a bucket of our own, which is emptied when
// the platform starts (nobody knows the old names any more). Both together stay below `bytes_max`.
// A segment's name is 32 random letters, all that is needed to fetch it (as in Trino).
//
// Thread rule: put() and fetch() may block on the object store; the rest does not.
#pragma once

#include <chrono>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "objectstore/object_store.h"

namespace aichemy::serve::trino {

enum class DataEncoding : uint8_t { json, json_zstd, json_lz4 };

std::string_view encoding_name(DataEncoding encoding);  // "json+zstd"
// The first of a client's list that we have; none: rows as plain arrays.
std::optional<DataEncoding> choose_encoding(std::string_view list);

struct EncodedRows {
  std::string bytes;
  size_t raw_bytes = 0;  // 0: not compressed
};
// Small ones stay as they are: the client sees it from the missing uncompressedSize.
Result<EncodedRows> encode_rows(DataEncoding encoding, std::string rows_json);
inline constexpr size_t kCompressFrom = 8 << 10;

struct SegmentStoreOptions {
  objectstore::ObjectStore& store;
  Clock& clock;
  Random& random;
  Metrics& metrics;
  std::string bucket = "aichemy-spooling";
  uint64_t memory_bytes_max = uint64_t{128} << 20;
  uint64_t bytes_max = uint64_t{10} << 30;
  std::chrono::seconds time_to_live{12 * 3600};
};

class SegmentStore {
 public:
  explicit SegmentStore(SegmentStoreOptions options);

  // Removes what an earlier process left.
  Status start();

  struct Kept {
    std::string name;
    WallTime expires{};
  };
  // exhausted ("GENERIC_INSUFFICIENT_RESOURCES") when clients fetch too little of what is there.
  Result<Kept> put(const std::string& query_id, std::string bytes);
  // not_found ("segment") when it was acknowledged or is too old.
  Result<std::shared_ptr<const std::string>> fetch(const std::string& name);
  bool in_memory(const std::string& name) const;  // fetch() will not block
  void acknowledge(const std::string& name);
  // Everything of a statement that was given up.
  void forget(const std::string& query_id);
  void expire();
  uint64_t bytes() const;

 private:
  struct Segment {
    std::string query_id;
    std::shared_ptr<const std::string> bytes;  // nullptr: an object
    uint64_t size = 0;
    SteadyTime expires{};
  };
  using Segments = std::map<std::string, Segment, std::less<>>;

  SegmentStoreOptions options_;
  mutable std::mutex mutex_;
  Segments segments_;
  uint64_t memory_bytes_ = 0, object_bytes_ = 0;
  bool bucket_made_ = false;
  std::mutex bucket_mutex_;

  // Takes it out of the books; the object's name when one must be removed.
  std::optional<std::string> drop_locked(Segments::iterator at);
  Status put_object(const std::string& name, const std::string& bytes);
  void remove_objects(const std::vector<std::string>& names);
};

}  // namespace aichemy::serve::trino
