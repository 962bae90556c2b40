#include "objectstore/embedded_store.h"

#include <algorithm>

#include "base/bytes.h"
#include "objectstore/memory_store.h"
#include "objectstore/object_stream.h"

namespace aichemy::objectstore {
namespace {

constexpr size_t kKeyBytesMax = 1024;

Status check_key(const std::string& key) {
  if (key.empty()) return fail(Code::invalid, "invalid_key", "the object key is empty");
  if (key.size() > kKeyBytesMax) return fail(Code::invalid, "key_too_long", "Your key is too long");
  if (key.find('\0') != std::string::npos || !is_valid_utf8(key)) {
    return fail(Code::invalid, "invalid_key", "the object key is not UTF-8 text");
  }
  return {};
}

bool is_bucket_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '.';
}

bool looks_like_address(const std::string& name) {
  return std::ranges::count(name, '.') == 3 &&
         std::ranges::all_of(name, [](char c) { return c == '.' || (c >= '0' && c <= '9'); });
}

Status check_bucket_name(const std::string& name) {
  bool good = name.size() >= 3 && name.size() <= 63 &&
              std::ranges::all_of(name, is_bucket_character) && name.front() != '-' &&
              name.front() != '.' && name.back() != '-' && name.back() != '.' &&
              name.find("..") == std::string::npos && name.find(".-") == std::string::npos &&
              name.find("-.") == std::string::npos && !looks_like_address(name);
  if (good) return {};
  return fail(Code::invalid, "invalid_bucket_name", "The specified bucket is not valid.");
}

// Walks the live objects of a bucket in key order.
class ListWalk {
 public:
  ListWalk(MetadataDb& db, const std::string& bucket, const ListOptions& options)
      : options_(options), base_(object_slot(bucket, "")), cursor_(db.cursor(after_prefix(base_))) {
    std::string from = base_ + options.prefix;
    if (!options.start_after.empty()) {
      std::string after =
          after_prefix(base_ + options.start_after + (ends_a_group() ? "" : std::string(1, '\0')));
      from = std::max(from, after);
    }
    cursor_->seek(from);
  }

  // False at the end of the prefix.
  bool next(std::string& key, std::string& value) {
    for (; cursor_->valid(); cursor_->next()) {
      auto entry = parse_entry_key(cursor_->key());
      if (!entry) continue;
      std::string_view name = entry->slot.substr(base_.size());
      if (!name.starts_with(options_.prefix)) return false;
      if (entry->slot == last_slot_) continue;  // an older generation
      last_slot_ = std::string(entry->slot);
      key = std::string(name);
      value = std::string(cursor_->value());
      cursor_->next();
      return true;
    }
    return false;
  }

  // The common prefix of a key, "" when it has none.
  std::string group(const std::string& key) const {
    if (options_.delimiter.empty()) return {};
    size_t at = key.find(options_.delimiter, options_.prefix.size());
    return at == std::string::npos ? std::string() : key.substr(0, at + options_.delimiter.size());
  }
  void skip_group(const std::string& group) { cursor_->seek(after_prefix(base_ + group)); }
  Status status() { return cursor_->status(); }

 private:
  const ListOptions& options_;
  std::string base_;
  std::string last_slot_;
  std::unique_ptr<MetadataDb::Cursor> cursor_;

  bool ends_a_group() const {
    return !options_.delimiter.empty() && options_.start_after.starts_with(options_.prefix) &&
           group(options_.start_after) == options_.start_after;
  }
};

}  // namespace

EmbeddedStore::EmbeddedStore(std::unique_ptr<StoreCore> core) : core_(std::move(core)) {}
EmbeddedStore::~EmbeddedStore() = default;

Result<std::unique_ptr<EmbeddedStore>> EmbeddedStore::start(EmbeddedStoreOptions options,
                                                            Disk& disk, Clock& clock,
                                                            Random& random, Metrics& metrics) {
  if (options.drives.size() != kShards) {
    return fail(Code::invalid, "drives", "the embedded store needs exactly four drive directories");
  }
  auto core = std::make_unique<StoreCore>(options, disk, clock, random, metrics);
  RETURN_IF_ERROR(core->start());
  return std::unique_ptr<EmbeddedStore>(new EmbeddedStore(std::move(core)));
}

void EmbeddedStore::poll() {
  core_->poll_drives();
  core_->heal();
  core_->buffers().trim();
}

StoreStatus EmbeddedStore::status() { return core_->status(); }

Status EmbeddedStore::create_bucket(const Call& call, const std::string& bucket) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  RETURN_IF_ERROR(check_bucket_name(bucket));
  RETURN_IF_ERROR(core_->require_space());
  std::lock_guard<Gate> gate(core_->bucket_gate());
  if (core_->has_bucket(bucket))
    return fail(Code::exists, "bucket_exists", "the bucket exists and is yours");
  WallTime now = core_->clock.wall_now();
  std::string slot = bucket_slot(bucket);
  std::lock_guard lock(core_->key_lock(slot));
  Commit commit;
  Record record;
  record.kind = RecordKind::bucket;
  record.time_micros = now.time_since_epoch().count();
  ASSIGN_OR_RETURN(auto current, core_->newest(slot));
  if (current) core_->supersede(commit, slot, *current);
  commit.generation = core_->next_id();
  commit.puts.push_back({slot, std::move(record)});
  RETURN_IF_ERROR(core_->commit(commit));
  core_->set_bucket(bucket, now);
  return {};
}

Status EmbeddedStore::delete_bucket(const Call& call, const std::string& bucket) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  ASSIGN_OR_RETURN(ListPage some, list(call, bucket, {.keys_max = 1}));
  std::unexpected<Error> not_empty =
      fail(Code::conflict, "bucket_not_empty", "The bucket you tried to delete is not empty");
  if (!some.objects.empty()) return not_empty;
  ASSIGN_OR_RETURN(auto uploads, list_uploads(call, bucket, ""));
  for (const UploadInfo& upload : uploads)
    (void)abort_upload(call, bucket, upload.key, upload.upload_id);

  std::lock_guard<Gate> gate(core_->bucket_gate());
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  ASSIGN_OR_RETURN(some, list(call, bucket, {.keys_max = 1}));
  ASSIGN_OR_RETURN(uploads, list_uploads(call, bucket, ""));
  if (!some.objects.empty() || !uploads.empty()) return not_empty;
  std::string slot = bucket_slot(bucket);
  std::lock_guard lock(core_->key_lock(slot));
  ASSIGN_OR_RETURN(auto current, core_->newest(slot));
  Commit commit;
  Record record;
  record.kind = RecordKind::removed;
  if (current) core_->supersede(commit, slot, *current);
  commit.generation = core_->next_id();
  commit.puts.push_back({slot, std::move(record)});
  RETURN_IF_ERROR(core_->commit(commit));
  core_->set_bucket(bucket, std::nullopt);
  return {};
}

Result<BucketInfo> EmbeddedStore::head_bucket(const Call&, const std::string& bucket) {
  for (BucketInfo& info : core_->buckets()) {
    if (info.name == bucket) return info;
  }
  return std::unexpected(core_->require_bucket(bucket).error());
}

Result<std::vector<BucketInfo>> EmbeddedStore::list_buckets(const Call&) {
  return core_->buckets();
}

Result<std::unique_ptr<ObjectWriter>> EmbeddedStore::write(const Call& call,
                                                           const std::string& bucket,
                                                           const std::string& key,
                                                           PutOptions options) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  RETURN_IF_ERROR(check_key(key));
  RETURN_IF_ERROR(core_->require_space());
  return std::make_unique<EmbeddedWriter>(*core_, call, bucket, key, std::move(options),
                                          std::nullopt);
}

Status EmbeddedStore::put_all(const Call& call, std::vector<NewObject> objects) {
  std::vector<std::unique_ptr<EmbeddedWriter>> writers;
  size_t together = 0;
  for (NewObject& object : objects) {
    RETURN_IF_ERROR(check_key(object.key));
    size_t bytes = object.bytes.size();
    object.options.size_hint = bytes;
    bool fits = bytes <= kTogetherBytesMax && together + bytes <= kAllTogetherBytesMax;
    if (fits) together += bytes;
    writers.push_back(std::make_unique<EmbeddedWriter>(
        *core_, call, std::move(object.bucket), std::move(object.key), std::move(object.options),
        std::nullopt, fits ? kTogetherBytesMax : kInlineBytesMax));
    RETURN_IF_ERROR(writers.back()->append(object.bytes));
  }
  return EmbeddedWriter::commit_all(*core_, writers);
}

Result<std::unique_ptr<ObjectReader>> EmbeddedStore::open(const Call& call,
                                                          const std::string& bucket,
                                                          const std::string& key,
                                                          const Conditions& conditions) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  return EmbeddedReader::open(*core_, bucket, key, conditions);
}

Result<ObjectInfo> EmbeddedStore::head(const Call& call, const std::string& bucket,
                                       const std::string& key, const Conditions& conditions) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  ASSIGN_OR_RETURN(auto found, core_->live(object_slot(bucket, key)));
  if (!found) {
    RETURN_IF_ERROR(core_->require_bucket(bucket));
    return fail(Code::not_found, "no_such_key", "The specified key does not exist.");
  }
  ObjectInfo info = object_info(found->record, bucket, key);
  RETURN_IF_ERROR(check_read_conditions(conditions, info));
  return info;
}

Status EmbeddedStore::remove(const Call& call, const std::string& bucket, const std::string& key,
                             const Conditions& conditions) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  std::shared_lock<Gate> gate(core_->bucket_gate());
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  RETURN_IF_ERROR(check_key(key));
  std::string slot = object_slot(bucket, key);
  std::lock_guard lock(core_->key_lock(slot));
  ASSIGN_OR_RETURN(auto current, core_->live(slot));
  std::optional<ObjectInfo> before;
  if (current) before = object_info(current->record, bucket, key);
  RETURN_IF_ERROR(check_write_conditions(conditions, before ? &*before : nullptr));
  if (!current) return {};
  Commit commit;
  Record record;
  record.kind = RecordKind::removed;
  core_->supersede(commit, slot, *current);
  commit.generation = core_->next_id();
  commit.puts.push_back({slot, std::move(record)});
  RETURN_IF_ERROR(core_->commit(commit));
  return {};
}

// A record of its own that refers to the same bytes: nothing of them is moved or freed. Only drives
// that hold the record it replaces take part; the others get it with their share of the bytes.
Status EmbeddedStore::set_tags(const Call& call, const std::string& bucket, const std::string& key,
                               const Tags& tags) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  RETURN_IF_ERROR(check_tags(tags));
  RETURN_IF_ERROR(core_->require_space());
  std::shared_lock<Gate> gate(core_->bucket_gate());
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  std::string slot = object_slot(bucket, key);
  std::lock_guard lock(core_->key_lock(slot));
  ASSIGN_OR_RETURN(auto current, core_->live(slot));
  if (!current) return fail(Code::not_found, "no_such_key", "The specified key does not exist.");
  Record record = current->record;
  put_tags(record.metadata, tags);
  Commit commit;
  commit.drives = core_->holders(slot, current->generation);
  core_->supersede(commit, slot, *current, true);
  commit.generation = core_->next_id();
  commit.puts.push_back({slot, std::move(record)});
  RETURN_IF_ERROR(core_->commit(commit));
  return {};
}

Result<ListPage> EmbeddedStore::list(const Call& call, const std::string& bucket,
                                     const ListOptions& options) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  auto db = core_->metadata_db(std::hash<std::string>()(bucket));
  if (!db) return fail(Code::unavailable, "too_few_drives", "no drive is in sync");
  ListPage page;
  if (options.keys_max == 0) return page;
  ListWalk walk(*db, bucket, options);
  std::string key;
  std::string value;
  std::string last;
  while (walk.next(key, value)) {
    RETURN_IF_ERROR(call.interrupted(core_->clock));
    auto record = decode_record(value);
    if (!record) {
      core_->suspect(object_slot(bucket, key));
      return std::unexpected(record.error());
    }
    if (record->kind != RecordKind::object) continue;
    if (page.objects.size() + page.common_prefixes.size() == options.keys_max) {
      page.truncated = true;
      page.next_start_after = last;
      return page;
    }
    std::string group = walk.group(key);
    if (!group.empty()) {
      page.common_prefixes.push_back(group);
      walk.skip_group(group);
      last = std::move(group);
      continue;
    }
    record->metadata.clear();
    page.objects.push_back(object_info(*record, bucket, key));
    last = key;
  }
  RETURN_IF_ERROR(walk.status());
  return page;
}

}  // namespace aichemy::objectstore
