// Writers and readers of whole objects and parts, between EmbeddedStore and the extents.
#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "objectstore/checksum_set.h"
#include "objectstore/object_store.h"
#include "objectstore/store_core.h"

namespace aichemy::objectstore {

struct PartTarget {
  std::string upload_id;
  int number = 0;
};

// No upload: no_such_upload.
Result<Found> live_upload(StoreCore& core, const std::string& bucket, const std::string& key,
                          const std::string& upload_id);

class EmbeddedWriter final : public ObjectWriter {
 public:
  EmbeddedWriter(StoreCore& core, Call call, std::string bucket, std::string key,
                 PutOptions options, std::optional<PartTarget> part,
                 size_t inline_bytes_max = kInlineBytesMax);
  Status append(std::string_view bytes) override;
  void expect_checksum(std::string algorithm, std::string base64) override;
  Result<ObjectInfo> commit() override;
  // Objects (no parts) under different keys, in one commit: all of them or none.
  static Status commit_all(StoreCore& core,
                           const std::vector<std::unique_ptr<EmbeddedWriter>>& writers);

 private:
  StoreCore& core_;
  const Call call_;
  const std::string bucket_;
  const std::string key_;
  PutOptions options_;
  const std::optional<PartTarget> part_;
  const size_t inline_bytes_max_;
  ChecksumSet sums_;
  uint64_t size_ = 0;
  std::string small_;                     // while the body fits inline
  std::unique_ptr<ExtentWriter> extent_;  // once it does not

  std::string slot() const;
  Status check_sums(const ChecksumSet::Sums& sums) const;
  // The record, its bytes placed. Large ones are on the drives then.
  Result<Record> finish_bytes(Commit& commit);
  // Under the key's lock: the conditions, and what the record replaces.
  Result<ObjectInfo> add_to(Commit& commit, Record record);
  Status place_bytes(Record& record, Commit& commit);
  void place_inline(Record& record, Commit& commit);
};

class EmbeddedReader final : public ObjectReader {
 public:
  // no_such_key, not_modified, precondition_failed.
  static Result<std::unique_ptr<EmbeddedReader>> open(StoreCore& core, const std::string& bucket,
                                                      const std::string& key,
                                                      const Conditions& conditions);
  ~EmbeddedReader() override;
  const ObjectInfo& info() const override { return info_; }
  Result<size_t> read_at(uint64_t offset, char* to, size_t count) override;

 private:
  struct Piece {
    uint64_t offset = 0;
    Extent extent;
    std::string bytes;  // inline pieces
  };
  explicit EmbeddedReader(StoreCore& core) : core_(core) {}
  StoreCore& core_;
  std::string slot_;
  ObjectInfo info_;
  std::vector<Piece> pieces_;
  std::mutex mutex_;
  std::vector<std::pair<size_t, std::shared_ptr<ExtentReader>>> open_;  // most recent last

  Status take_pieces(const Record& record);
  Result<std::shared_ptr<ExtentReader>> extent_reader(size_t piece);
};

}  // namespace aichemy::objectstore
