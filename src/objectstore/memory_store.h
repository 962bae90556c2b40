// The object store in memory: for tests of everything above it. Same semantics for put, get, list,
// remove and their conditions; multipart is unsupported.
#pragma once

#include <atomic>
#include <map>
#include <mutex>
#include <utility>

#include "objectstore/object_store.h"

namespace aichemy::objectstore {

class MemoryStore final : public ObjectStore {
 public:
  // A write that would take all objects beyond `bytes_max` fails: exhausted ("memory_full").
  explicit MemoryStore(Clock& clock, uint64_t bytes_max = UINT64_MAX)
      : clock_(clock), bytes_max_(bytes_max) {}

  Status create_bucket(const Call& call, const std::string& bucket) override;
  Status delete_bucket(const Call& call, const std::string& bucket) override;
  Result<BucketInfo> head_bucket(const Call& call, const std::string& bucket) override;
  Result<std::vector<BucketInfo>> list_buckets(const Call& call) override;
  Result<std::unique_ptr<ObjectWriter>> write(const Call& call, const std::string& bucket,
                                              const std::string& key, PutOptions options) override;
  Result<std::unique_ptr<ObjectReader>> open(const Call& call, const std::string& bucket,
                                             const std::string& key,
                                             const Conditions& conditions) override;
  Result<ObjectInfo> head(const Call& call, const std::string& bucket, const std::string& key,
                          const Conditions& conditions) override;
  Status remove(const Call& call, const std::string& bucket, const std::string& key,
                const Conditions& conditions) override;
  Result<ListPage> list(const Call& call, const std::string& bucket,
                        const ListOptions& options) override;
  Result<std::string> create_upload(const Call&, const std::string&, const std::string&, PutOptions,
                                    std::string, std::string) override;
  Result<std::unique_ptr<ObjectWriter>> write_part(const Call&, const std::string&,
                                                   const std::string&, const std::string&, int,
                                                   PutOptions) override;
  Result<ObjectInfo> complete_upload(const Call&, const std::string&, const std::string&,
                                     const std::string&, const std::vector<PartInfo>&,
                                     const PutOptions&) override;
  Status abort_upload(const Call&, const std::string&, const std::string&,
                      const std::string&) override;
  Result<std::vector<PartInfo>> list_parts(const Call&, const std::string&, const std::string&,
                                           const std::string&) override;
  Result<std::vector<UploadInfo>> list_uploads(const Call&, const std::string&,
                                               const std::string&) override;
  StoreStatus status() override;

 private:
  friend class MemoryWriter;
  struct Object {
    ObjectInfo info;
    std::shared_ptr<const std::string> bytes;
  };
  struct Bucket {
    WallTime created;
    std::map<std::string, Object> objects;
  };
  Clock& clock_;
  const uint64_t bytes_max_;
  std::atomic<uint64_t> bytes_ = 0;  // of all objects and of writes under way
  std::mutex mutex_;
  std::map<std::string, Bucket> buckets_;

  Result<Bucket*> find_bucket(const std::string& bucket);
  Result<Object*> find_object(const std::string& bucket, const std::string& key,
                              const Conditions& conditions);
};

// Shared by every implementation: the conditions of RFC 9110 section 13 as S3 applies them.
// `current` is null when there is no object. Reads answer not_modified where a write answers
// precondition_failed.
Status check_write_conditions(const Conditions& conditions, const ObjectInfo* current);
Status check_read_conditions(const Conditions& conditions, const ObjectInfo& current);

}  // namespace aichemy::objectstore
