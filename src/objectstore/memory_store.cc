#include "objectstore/memory_store.h"

#include <algorithm>
#include <chrono>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::objectstore {
namespace {

class MemoryReader final : public ObjectReader {
 public:
  MemoryReader(ObjectInfo info, std::shared_ptr<const std::string> bytes)
      : info_(std::move(info)), bytes_(std::move(bytes)) {}
  const ObjectInfo& info() const override { return info_; }
  Result<size_t> read_at(uint64_t offset, char* to, size_t count) override {
    if (offset >= bytes_->size()) return size_t{0};
    return bytes_->copy(to, count, offset);
  }

 private:
  ObjectInfo info_;
  std::shared_ptr<const std::string> bytes_;
};

bool matches(const std::vector<std::string>& etags, const ObjectInfo* current) {
  return current && std::ranges::any_of(etags, [&](const std::string& etag) {
           return etag == "*" || etag == current->etag;
         });
}

WallTime whole_seconds(WallTime time) { return std::chrono::floor<std::chrono::seconds>(time); }

std::unexpected<Error> no_multipart() {
  return fail(Code::unsupported, "multipart", "the in-memory store has no multipart uploads");
}

}  // namespace

Status check_write_conditions(const Conditions& conditions, const ObjectInfo* current) {
  if (!conditions.if_match.empty()) {
    if (!current) return fail(Code::not_found, "no_such_key", "The specified key does not exist.");
    if (!matches(conditions.if_match, current)) {
      return fail(Code::conflict, "precondition_failed",
                  "the object's ETag does not match If-Match");
    }
  } else if (conditions.if_unmodified_since && current &&
             whole_seconds(current->last_modified) > *conditions.if_unmodified_since) {
    return fail(Code::conflict, "precondition_failed",
                "the object was modified since If-Unmodified-Since");
  }
  if (matches(conditions.if_none_match, current)) {
    return fail(Code::conflict, "precondition_failed",
                "an object that If-None-Match excludes exists");
  }
  return {};
}

Status check_read_conditions(const Conditions& conditions, const ObjectInfo& current) {
  if (!conditions.if_match.empty()) {
    if (!matches(conditions.if_match, &current)) {
      return fail(Code::conflict, "precondition_failed",
                  "the object's ETag does not match If-Match");
    }
  } else if (conditions.if_unmodified_since &&
             whole_seconds(current.last_modified) > *conditions.if_unmodified_since) {
    return fail(Code::conflict, "precondition_failed",
                "the object was modified since If-Unmodified-Since");
  }
  if (!conditions.if_none_match.empty()) {
    if (matches(conditions.if_none_match, &current))
      return fail(Code::conflict, "not_modified", "not modified");
  } else if (conditions.if_modified_since &&
             whole_seconds(current.last_modified) <= *conditions.if_modified_since) {
    return fail(Code::conflict, "not_modified", "not modified");
  }
  return {};
}

class MemoryWriter final : public ObjectWriter {
 public:
  MemoryWriter(MemoryStore& store, ObjectInfo info, Conditions conditions)
      : store_(store), info_(std::move(info)), conditions_(std::move(conditions)) {}

  ~MemoryWriter() override { store_.bytes_ -= bytes_.size(); }

  Status append(std::string_view bytes) override {
    if (store_.bytes_.fetch_add(bytes.size()) + bytes.size() > store_.bytes_max_) {
      store_.bytes_ -= bytes.size();
      return fail(Code::exhausted, "memory_full", "the tables in memory are at their limit");
    }
    bytes_ += bytes;
    return {};
  }
  void expect_checksum(std::string, std::string) override {}

  Result<ObjectInfo> commit() override {
    std::lock_guard lock(store_.mutex_);
    ASSIGN_OR_RETURN(MemoryStore::Bucket * bucket, store_.find_bucket(info_.bucket));
    auto found = bucket->objects.find(info_.key);
    RETURN_IF_ERROR(check_write_conditions(
        conditions_, found == bucket->objects.end() ? nullptr : &found->second.info));
    info_.size = bytes_.size();
    info_.etag = to_hex(digest(DigestKind::md5, bytes_));
    info_.last_modified = store_.clock_.wall_now();
    if (found != bucket->objects.end()) store_.bytes_ -= found->second.bytes->size();
    bucket->objects[info_.key] = {info_, std::make_shared<const std::string>(std::move(bytes_))};
    bytes_.clear();  // they are the object's now
    return info_;
  }

 private:
  MemoryStore& store_;
  ObjectInfo info_;
  Conditions conditions_;
  std::string bytes_;
};

Result<MemoryStore::Bucket*> MemoryStore::find_bucket(const std::string& bucket) {
  auto found = buckets_.find(bucket);
  if (found == buckets_.end())
    return fail(Code::not_found, "no_such_bucket", "bucket " + bucket + " does not exist");
  return &found->second;
}

Result<MemoryStore::Object*> MemoryStore::find_object(const std::string& bucket,
                                                      const std::string& key,
                                                      const Conditions& conditions) {
  ASSIGN_OR_RETURN(Bucket * in, find_bucket(bucket));
  auto found = in->objects.find(key);
  if (found == in->objects.end())
    return fail(Code::not_found, "no_such_key", "key " + key + " does not exist");
  RETURN_IF_ERROR(check_read_conditions(conditions, found->second.info));
  return &found->second;
}

Status MemoryStore::create_bucket(const Call&, const std::string& bucket) {
  std::lock_guard lock(mutex_);
  if (buckets_.contains(bucket))
    return fail(Code::exists, "bucket_exists", "bucket " + bucket + " exists");
  buckets_[bucket].created = clock_.wall_now();
  return {};
}

Status MemoryStore::delete_bucket(const Call&, const std::string& bucket) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Bucket * in, find_bucket(bucket));
  if (!in->objects.empty())
    return fail(Code::conflict, "bucket_not_empty", "bucket " + bucket + " is not empty");
  buckets_.erase(bucket);
  return {};
}

Result<BucketInfo> MemoryStore::head_bucket(const Call&, const std::string& bucket) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Bucket * in, find_bucket(bucket));
  return BucketInfo{bucket, in->created};
}

Result<std::vector<BucketInfo>> MemoryStore::list_buckets(const Call&) {
  std::lock_guard lock(mutex_);
  std::vector<BucketInfo> out;
  for (const auto& [name, bucket] : buckets_) out.push_back({name, bucket.created});
  return out;
}

Result<std::unique_ptr<ObjectWriter>> MemoryStore::write(const Call&, const std::string& bucket,
                                                         const std::string& key,
                                                         PutOptions options) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(find_bucket(bucket));
  ObjectInfo info;
  info.bucket = bucket;
  info.key = key;
  info.content_type = std::move(options.content_type);
  info.metadata = std::move(options.metadata);
  return std::make_unique<MemoryWriter>(*this, std::move(info), std::move(options.conditions));
}

Result<std::unique_ptr<ObjectReader>> MemoryStore::open(const Call&, const std::string& bucket,
                                                        const std::string& key,
                                                        const Conditions& conditions) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Object * object, find_object(bucket, key, conditions));
  return std::make_unique<MemoryReader>(object->info, object->bytes);
}

Result<ObjectInfo> MemoryStore::head(const Call&, const std::string& bucket, const std::string& key,
                                     const Conditions& conditions) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Object * object, find_object(bucket, key, conditions));
  return object->info;
}

Status MemoryStore::remove(const Call&, const std::string& bucket, const std::string& key,
                           const Conditions& conditions) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Bucket * in, find_bucket(bucket));
  auto found = in->objects.find(key);
  if (found == in->objects.end()) return {};
  RETURN_IF_ERROR(check_write_conditions(conditions, &found->second.info));
  bytes_ -= found->second.bytes->size();
  in->objects.erase(found);
  return {};
}

Result<ListPage> MemoryStore::list(const Call&, const std::string& bucket,
                                   const ListOptions& options) {
  std::lock_guard lock(mutex_);
  ASSIGN_OR_RETURN(Bucket * in, find_bucket(bucket));
  ListPage page;
  std::string last;
  for (auto at = in->objects.lower_bound(options.prefix); at != in->objects.end(); ++at) {
    const std::string& key = at->first;
    if (!key.starts_with(options.prefix)) break;
    std::string group;
    if (!options.delimiter.empty()) {
      size_t cut = key.find(options.delimiter, options.prefix.size());
      if (cut != std::string::npos) group = key.substr(0, cut + options.delimiter.size());
    }
    if ((group.empty() ? key : group) <= options.start_after) continue;
    if (!page.common_prefixes.empty() && group == page.common_prefixes.back()) continue;
    if (page.objects.size() + page.common_prefixes.size() == options.keys_max) {
      page.truncated = true;
      page.next_start_after = last;
      break;
    }
    last = group.empty() ? key : group;
    if (group.empty()) {
      page.objects.push_back(at->second.info);
    } else {
      page.common_prefixes.push_back(group);
    }
  }
  return page;
}

Result<std::string> MemoryStore::create_upload(const Call&, const std::string&, const std::string&,
                                               PutOptions, std::string, std::string) {
  return no_multipart();
}
Result<std::unique_ptr<ObjectWriter>> MemoryStore::write_part(const Call&, const std::string&,
                                                              const std::string&,
                                                              const std::string&, int, PutOptions) {
  return no_multipart();
}
Result<ObjectInfo> MemoryStore::complete_upload(const Call&, const std::string&, const std::string&,
                                                const std::string&, const std::vector<PartInfo>&,
                                                const PutOptions&) {
  return no_multipart();
}
Status MemoryStore::abort_upload(const Call&, const std::string&, const std::string&,
                                 const std::string&) {
  return no_multipart();
}
Result<std::vector<PartInfo>> MemoryStore::list_parts(const Call&, const std::string&,
                                                      const std::string&, const std::string&) {
  return no_multipart();
}
Result<std::vector<UploadInfo>> MemoryStore::list_uploads(const Call&, const std::string&,
                                                          const std::string&) {
  return no_multipart();
}

StoreStatus MemoryStore::status() { return {}; }

}  // namespace aichemy::objectstore
