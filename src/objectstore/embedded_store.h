// The erasure-coded store on four local drives (directories). Public face; see object_store.h for
// the contract and docs/formats/objectstore.md for what lies on disk.
//
// The rule: an acknowledged write survives kill -9 at any point and the loss of any two drives.
// When fewer than four drives took it, ObjectInfo::redundancy_lost says how many did not; the
// healer restores them when the drive is back or was replaced by an empty directory. Reads work
// with any two drives.
//
// Threads: its own (a committer and six file threads per drive, one in the background). Calls
// block; any thread. Life: start() opens or makes the store; destruction drains and closes. One
// process per set of directories.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "objectstore/object_store.h"
#include "objectstore/object_tags.h"
#include "runtime/disk.h"

namespace aichemy::objectstore {

struct EmbeddedStoreOptions {
  std::vector<std::string> drives;     // exactly four absolute paths; made when none of them exists
  uint64_t reserve_bytes = 128 << 20;  // writes are refused (disk_full) when less is free
  bool background = true;              // tests: false, and poll() by hand
  bool database_on_disk = false;       // tests: RocksDB on the given Disk too
};

class StoreCore;

class EmbeddedStore final : public ObjectStore, public ObjectTagging {
 public:
  // invalid ("drives"), unavailable ("too_few_drives"), corrupt ("drive_identity").
  static Result<std::unique_ptr<EmbeddedStore>> start(EmbeddedStoreOptions options, Disk& disk,
                                                      Clock& clock, Random& random,
                                                      Metrics& metrics);
  ~EmbeddedStore() override;

  Status create_bucket(const Call& call, const std::string& bucket) override;
  Status delete_bucket(const Call& call, const std::string& bucket) override;
  Result<BucketInfo> head_bucket(const Call& call, const std::string& bucket) override;
  Result<std::vector<BucketInfo>> list_buckets(const Call& call) override;
  Result<std::unique_ptr<ObjectWriter>> write(const Call& call, const std::string& bucket,
                                              const std::string& key, PutOptions options) override;
  // All of them or, when it fails, none; one commit.
  Status put_all(const Call& call, std::vector<NewObject> objects) override;
  Result<std::unique_ptr<ObjectReader>> open(const Call& call, const std::string& bucket,
                                             const std::string& key,
                                             const Conditions& conditions) override;
  Result<ObjectInfo> head(const Call& call, const std::string& bucket, const std::string& key,
                          const Conditions& conditions) override;
  Status remove(const Call& call, const std::string& bucket, const std::string& key,
                const Conditions& conditions) override;
  Result<ListPage> list(const Call& call, const std::string& bucket,
                        const ListOptions& options) override;
  Result<std::string> create_upload(const Call& call, const std::string& bucket,
                                    const std::string& key, PutOptions options,
                                    std::string checksum_algorithm,
                                    std::string checksum_type) override;
  Result<std::unique_ptr<ObjectWriter>> write_part(const Call& call, const std::string& bucket,
                                                   const std::string& key,
                                                   const std::string& upload_id, int number,
                                                   PutOptions options) override;
  Result<ObjectInfo> complete_upload(const Call& call, const std::string& bucket,
                                     const std::string& key, const std::string& upload_id,
                                     const std::vector<PartInfo>& parts,
                                     const PutOptions& options) override;
  Status abort_upload(const Call& call, const std::string& bucket, const std::string& key,
                      const std::string& upload_id) override;
  Result<std::vector<PartInfo>> list_parts(const Call& call, const std::string& bucket,
                                           const std::string& key,
                                           const std::string& upload_id) override;
  Result<std::vector<UploadInfo>> list_uploads(const Call& call, const std::string& bucket,
                                               const std::string& prefix) override;
  StoreStatus status() override;
  Status set_tags(const Call& call, const std::string& bucket, const std::string& key,
                  const Tags& tags) override;

  // One round of what the background thread does: notice drives that went or came back, heal,
  // collect.
  void poll();

 private:
  explicit EmbeddedStore(std::unique_ptr<StoreCore> core);
  std::unique_ptr<StoreCore> core_;
};

}  // namespace aichemy::objectstore
