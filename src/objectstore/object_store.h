// Buckets and objects: the interface everything above stands on (S3 front, tables, SQL scans).
// Blocking, thread safe. Two implementations: the embedded erasure-coded store, and (later) an S3
// client for a remote one.
//
// Guarantees: a returned write is durable and visible to every later call (read-after-write,
// list-after-write). A reader sees one version of an object from open to close, whatever is written
// meanwhile. Conditions are checked at commit, atomically with it, never while a body is still
// arriving.
//
// Errors (what): no_such_bucket, no_such_key, no_such_version, no_such_upload (not_found);
// bucket_exists (exists); bucket_not_empty, precondition_failed, conditional_conflict (conflict);
// not_modified (conflict, reads); invalid_bucket_name, key_too_long, invalid_range, invalid_part,
// invalid_part_order, entity_too_small, entity_too_large, bad_digest (invalid); disk_full,
// slow_down (exhausted); too_few_drives (unavailable); corrupt_object (corrupt).
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/call.h"

namespace aichemy::objectstore {

struct ObjectInfo {
  std::string bucket;
  std::string key;
  std::string version_id = "null";
  uint64_t size = 0;
  std::string etag;  // without quotes: MD5 hex, or hex-N for multipart
  WallTime last_modified{};
  std::string content_type;
  // Lower-case header names: user metadata (x-amz-meta-*) and stored standard headers
  // (cache-control, content-encoding, content-disposition, content-language, expires), as they were
  // sent.
  std::map<std::string, std::string> metadata;
  // Algorithm as in the header suffix ("crc32", "crc32c", "crc64nvme", "sha1", "sha256") -> base64
  // value.
  std::map<std::string, std::string> checksums;
  std::string checksum_type;         // "FULL_OBJECT", "COMPOSITE" or ""
  int parts_count = 0;               // of a multipart object; 0 otherwise
  int redundancy_lost = 0;           // writes: drives that did not get their shard
  std::vector<uint64_t> part_bytes;  // sizes of the parts, in order; only from head() and open()
};

// Etag values without quotes; "*" matches any. Empty: no condition.
struct Conditions {
  std::vector<std::string> if_match;
  std::vector<std::string> if_none_match;
  std::optional<WallTime> if_modified_since;    // whole seconds
  std::optional<WallTime> if_unmodified_since;  // whole seconds
};

struct PutOptions {
  std::string content_type = "application/octet-stream";
  std::map<std::string, std::string> metadata;
  Conditions conditions;
  // Checked at commit when set: raw MD5 (16 bytes), and checksums as base64 by algorithm name.
  std::string expected_md5;
  std::map<std::string, std::string> expected_checksums;
  // Further algorithms to compute and keep: those whose value arrives after the body, or that were
  // asked for.
  std::vector<std::string> checksum_algorithms;
  std::optional<uint64_t> size_hint;
};

// Streams one object in. Nothing is visible before commit(); destruction without commit leaves
// nothing behind. One thread at a time.
class ObjectWriter {
 public:
  virtual ~ObjectWriter() = default;
  virtual Status append(std::string_view bytes) = 0;
  // Values that only arrive after the body (aws-chunked trailers); before commit.
  virtual void expect_checksum(std::string algorithm, std::string base64) = 0;
  virtual Result<ObjectInfo> commit() = 0;
};

// A small object that is there whole.
struct NewObject {
  std::string bucket;
  std::string key;
  std::string bytes;
  PutOptions options;
};

// Thread safe: ranges may be read concurrently.
class ObjectReader {
 public:
  virtual ~ObjectReader() = default;
  virtual const ObjectInfo& info() const = 0;
  // Up to count bytes at offset; fewer only at the end. Every byte returned was checked against its
  // checksum.
  virtual Result<size_t> read_at(uint64_t offset, char* to, size_t count) = 0;
  Result<std::string> read_all();
};

struct ListOptions {
  std::string prefix;
  std::string delimiter;    // "" for none
  std::string start_after;  // exclusive; keys in byte order
  size_t keys_max = 1000;
};

struct ListPage {
  std::vector<ObjectInfo> objects;           // without metadata
  std::vector<std::string> common_prefixes;  // count towards keys_max
  bool truncated = false;
  std::string next_start_after;  // when truncated: pass as start_after
};

struct BucketInfo {
  std::string name;
  WallTime created{};
};

struct UploadInfo {
  std::string upload_id;
  std::string key;
  WallTime initiated{};
  std::string checksum_algorithm;  // as in create_upload; "" for none
  std::string checksum_type;
};

struct PartInfo {
  int number = 0;  // 1..10000
  uint64_t size = 0;
  std::string etag;
  WallTime last_modified{};
  std::map<std::string, std::string> checksums;
};

struct DriveStatus {
  std::string path;
  bool online = false;
  std::string problem;  // for people, "" when online
  uint64_t free_bytes = 0;
  uint64_t healing_objects = 0;  // objects still to heal on it
};

struct StoreStatus {
  std::vector<DriveStatus> drives;
  int data_drives = 0;
  int parity_drives = 0;
};

class ObjectStore {
 public:
  virtual ~ObjectStore() = default;

  virtual Status create_bucket(const Call& call, const std::string& bucket) = 0;
  virtual Status delete_bucket(const Call& call, const std::string& bucket) = 0;
  virtual Result<BucketInfo> head_bucket(const Call& call, const std::string& bucket) = 0;
  virtual Result<std::vector<BucketInfo>> list_buckets(const Call& call) = 0;

  virtual Result<std::unique_ptr<ObjectWriter>> write(const Call& call, const std::string& bucket,
                                                      const std::string& key,
                                                      PutOptions options) = 0;
  virtual Result<std::unique_ptr<ObjectReader>> open(const Call& call, const std::string& bucket,
                                                     const std::string& key,
                                                     const Conditions& conditions) = 0;
  virtual Result<ObjectInfo> head(const Call& call, const std::string& bucket,
                                  const std::string& key, const Conditions& conditions) = 0;
  // Absent is success, as in S3.
  virtual Status remove(const Call& call, const std::string& bucket, const std::string& key,
                        const Conditions& conditions) = 0;
  virtual Result<ListPage> list(const Call& call, const std::string& bucket,
                                const ListOptions& options) = 0;

  virtual Result<std::string> create_upload(const Call& call, const std::string& bucket,
                                            const std::string& key, PutOptions options,
                                            std::string checksum_algorithm,
                                            std::string checksum_type) = 0;
  // commit() makes the part; its ObjectInfo carries etag, size and checksums.
  virtual Result<std::unique_ptr<ObjectWriter>> write_part(const Call& call,
                                                           const std::string& bucket,
                                                           const std::string& key,
                                                           const std::string& upload_id, int number,
                                                           PutOptions options) = 0;
  virtual Result<ObjectInfo> complete_upload(const Call& call, const std::string& bucket,
                                             const std::string& key, const std::string& upload_id,
                                             const std::vector<PartInfo>& parts,
                                             const PutOptions& options) = 0;
  virtual Status abort_upload(const Call& call, const std::string& bucket, const std::string& key,
                              const std::string& upload_id) = 0;
  virtual Result<std::vector<PartInfo>> list_parts(const Call& call, const std::string& bucket,
                                                   const std::string& key,
                                                   const std::string& upload_id) = 0;
  virtual Result<std::vector<UploadInfo>> list_uploads(const Call& call, const std::string& bucket,
                                                       const std::string& prefix) = 0;

  virtual StoreStatus status() = 0;

  // Several objects under different keys, durable when it returns, for the price of waiting once
  // where the store can. On error each of them may be there or not.
  virtual Status put_all(const Call& call, std::vector<NewObject> objects);

  // Whole-object forms for metadata files.
  Result<std::string> get(const Call& call, const std::string& bucket, const std::string& key);
  Result<ObjectInfo> put(const Call& call, const std::string& bucket, const std::string& key,
                         std::string_view bytes, PutOptions options = {});
};

}  // namespace aichemy::objectstore
