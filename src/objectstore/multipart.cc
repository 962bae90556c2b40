// Multipart uploads. A part is an extent of its own; completing writes one record that lists the
// parts' extents and moves no byte.
#include <algorithm>

#include "base/bytes.h"
#include "objectstore/checksum_set.h"
#include "objectstore/embedded_store.h"
#include "objectstore/memory_store.h"
#include "objectstore/object_stream.h"

namespace aichemy::objectstore {
namespace {

constexpr int kPartsMax = 10'000;

struct LivePart {
  int number = 0;
  Found found;
};

// The live parts of an upload, by number.
Result<std::vector<LivePart>> live_parts(StoreCore& core, const std::string& bucket,
                                         const std::string& key, const std::string& upload_id) {
  std::string base = part_slot(bucket, key, upload_id, 0);
  base.resize(base.size() - 5);
  auto db = core.metadata_db(std::hash<std::string>()(base));
  if (!db) return fail(Code::unavailable, "too_few_drives", "no drive is in sync");
  std::vector<LivePart> parts;
  std::string last;
  auto cursor = db->cursor(after_prefix(base));
  for (cursor->seek(base); cursor->valid(); cursor->next()) {
    auto entry = parse_entry_key(cursor->key());
    if (!entry || entry->slot == last || entry->slot.size() != base.size() + 5) continue;
    last = std::string(entry->slot);
    ASSIGN_OR_RETURN(Record record, decode_record(cursor->value()));
    if (record.kind != RecordKind::part) continue;
    int number = std::atoi(last.c_str() + base.size());
    parts.push_back({number, {entry->generation, std::move(record)}});
  }
  RETURN_IF_ERROR(cursor->status());
  return parts;
}

std::unexpected<Error> invalid_part(int number) {
  return fail(Code::invalid, "invalid_part",
              "One or more of the specified parts could not be found.  The part may not have been "
              "uploaded, or the "
              "specified entity tag may not match the part's entity tag. (part " +
                  std::to_string(number) + ")");
}

// Checksum of the whole from those of its parts, as the upload asked for.
Status sum_up(const Record& upload, Record& object) {
  const std::string& algorithm = upload.checksum_algorithm;
  if (algorithm.empty()) return {};
  std::string joined;
  uint64_t bytes = 0;
  bool full = upload.checksum_type == "FULL_OBJECT";
  for (const StoredPart& part : object.parts) {
    auto found = part.checksums.find(algorithm);
    if (found == part.checksums.end()) return {};  // parts without it: the object has none
    ASSIGN_OR_RETURN(std::string raw, from_base64(found->second));
    if (!full) {
      joined += raw;
    } else if (bytes == 0) {
      joined = raw;
    } else {
      ASSIGN_OR_RETURN(joined, combine_checksums(algorithm, joined, raw, part.extent.bytes));
    }
    bytes += part.extent.bytes;
  }
  object.checksum_type = full ? "FULL_OBJECT" : "COMPOSITE";
  object.checksums[algorithm] =
      full ? to_base64(joined)
           : checksum_of(algorithm, joined) + "-" + std::to_string(object.parts.size());
  return {};
}

// The object's record from the chosen parts; the parts it uses are taken out of `stored`.
Result<Record> assemble(const Record& upload, std::vector<LivePart>& stored,
                        const std::vector<PartInfo>& chosen) {
  Record object;
  object.kind = RecordKind::object;
  object.content_type = upload.content_type;
  object.metadata = upload.metadata;
  std::string digests;
  for (size_t i = 0; i < chosen.size(); ++i) {
    const PartInfo& part = chosen[i];
    if (i > 0 && part.number <= chosen[i - 1].number) {
      return fail(Code::invalid, "invalid_part_order",
                  "The list of parts was not in ascending order. The parts list must be specified "
                  "in order by part "
                  "number.");
    }
    auto found = std::ranges::find(stored, part.number, &LivePart::number);
    if (found == stored.end() || found->found.record.etag != part.etag)
      return invalid_part(part.number);
    const Record& record = found->found.record;
    for (const auto& [name, value] : part.checksums) {
      auto kept = record.checksums.find(name);
      if (kept != record.checksums.end() && kept->second != value) return invalid_part(part.number);
    }
    if (i + 1 < chosen.size() && record.size < kPartBytesMin) {
      return fail(Code::invalid, "entity_too_small",
                  "Your proposed upload is smaller than the minimum allowed size");
    }
    ASSIGN_OR_RETURN(std::string raw, from_hex(record.etag));
    digests += raw;
    object.size += record.size;
    Extent extent = record.extent;
    extent.bytes = record.size;
    object.parts.push_back({part.number, extent, record.etag, record.checksums});
  }
  object.etag = to_hex(digest(DigestKind::md5, digests)) + "-" + std::to_string(chosen.size());
  RETURN_IF_ERROR(sum_up(upload, object));
  return object;
}

}  // namespace

Result<std::string> EmbeddedStore::create_upload(const Call& call, const std::string& bucket,
                                                 const std::string& key, PutOptions options,
                                                 std::string checksum_algorithm,
                                                 std::string checksum_type) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  ASSIGN_OR_RETURN(auto checked, write(call, bucket, key, {}));  // names and space
  std::string upload_id = to_hex(core_->random.bytes(kUploadIdBytes / 2));
  std::string slot = upload_slot(bucket, key, upload_id);
  Record record;
  record.kind = RecordKind::upload;
  record.time_micros = core_->clock.wall_micros();
  record.content_type = options.content_type;
  record.metadata = std::move(options.metadata);
  record.checksum_algorithm = std::move(checksum_algorithm);
  record.checksum_type = std::move(checksum_type);
  Commit commit;
  commit.puts.push_back({slot, std::move(record)});
  std::shared_lock<Gate> gate(core_->bucket_gate());
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  std::lock_guard lock(core_->key_lock(slot));
  commit.generation = core_->next_id();
  RETURN_IF_ERROR(core_->commit(commit));
  return upload_id;
}

Result<std::unique_ptr<ObjectWriter>> EmbeddedStore::write_part(const Call& call,
                                                                const std::string& bucket,
                                                                const std::string& key,
                                                                const std::string& upload_id,
                                                                int number, PutOptions options) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  if (number < 1 || number > kPartsMax) {
    return fail(Code::invalid, "invalid_part_number",
                "Part number must be an integer between 1 and 10000, inclusive");
  }
  ASSIGN_OR_RETURN(Found upload, live_upload(*core_, bucket, key, upload_id));
  RETURN_IF_ERROR(core_->require_space());
  if (!upload.record.checksum_algorithm.empty()) {
    options.checksum_algorithms.push_back(upload.record.checksum_algorithm);
  }
  return std::make_unique<EmbeddedWriter>(*core_, call, bucket, key, std::move(options),
                                          PartTarget{upload_id, number});
}

Result<ObjectInfo> EmbeddedStore::complete_upload(const Call& call, const std::string& bucket,
                                                  const std::string& key,
                                                  const std::string& upload_id,
                                                  const std::vector<PartInfo>& parts,
                                                  const PutOptions& options) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  RETURN_IF_ERROR(core_->require_space());
  std::shared_lock<Gate> gate(core_->bucket_gate());
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  std::string slot = object_slot(bucket, key);
  std::lock_guard lock(core_->key_lock(slot));
  ASSIGN_OR_RETURN(auto current, core_->newest(slot));
  bool exists = current && current->record.kind == RecordKind::object;
  auto upload = live_upload(*core_, bucket, key, upload_id);
  if (!upload) {
    // A client that did not hear the answer asks again.
    if (exists && current->record.upload_id == upload_id)
      return object_info(current->record, bucket, key);
    return std::unexpected(upload.error());
  }
  if (parts.empty())
    return fail(Code::invalid, "no_parts", "an upload is completed with one part or more");
  ASSIGN_OR_RETURN(auto stored, live_parts(*core_, bucket, key, upload_id));
  ASSIGN_OR_RETURN(Record object, assemble(upload->record, stored, parts));
  for (const auto& [name, value] : options.expected_checksums) {
    auto computed = object.checksums.find(name);
    if (computed != object.checksums.end() && computed->second != value) {
      return fail(Code::invalid, "bad_checksum",
                  "The " + name + " you specified did not match the calculated checksum.");
    }
  }
  std::optional<ObjectInfo> before;
  if (exists) before = object_info(current->record, bucket, key);
  RETURN_IF_ERROR(check_write_conditions(options.conditions, before ? &*before : nullptr));

  object.time_micros = core_->clock.wall_micros();
  object.upload_id = upload_id;
  ObjectInfo info = object_info(object, bucket, key);
  Commit commit;
  commit.generation = core_->next_id();
  if (current) core_->supersede(commit, slot, *current);
  commit.puts.push_back({slot, std::move(object)});
  Record removed;
  removed.kind = RecordKind::removed;
  std::string of_upload = upload_slot(bucket, key, upload_id);
  core_->supersede(commit, of_upload, *upload);
  commit.puts.push_back({of_upload, removed});
  for (const LivePart& part : stored) {
    bool used = std::ranges::find(parts, part.number, &PartInfo::number) != parts.end();
    std::string of_part = part_slot(bucket, key, upload_id, part.number);
    core_->supersede(commit, of_part, part.found, used);
    removed.keeps_files = used;
    commit.puts.push_back({of_part, removed});
  }
  ASSIGN_OR_RETURN(int took, core_->commit(commit));
  info.redundancy_lost = kShards - took;
  return info;
}

Status EmbeddedStore::abort_upload(const Call& call, const std::string& bucket,
                                   const std::string& key, const std::string& upload_id) {
  RETURN_IF_ERROR(call.interrupted(core_->clock));
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  std::string slot = upload_slot(bucket, key, upload_id);
  std::lock_guard lock(core_->key_lock(object_slot(bucket, key)));
  ASSIGN_OR_RETURN(Found upload, live_upload(*core_, bucket, key, upload_id));
  ASSIGN_OR_RETURN(auto stored, live_parts(*core_, bucket, key, upload_id));
  Commit commit;
  commit.generation = core_->next_id();
  Record removed;
  removed.kind = RecordKind::removed;
  core_->supersede(commit, slot, upload);
  commit.puts.push_back({slot, removed});
  for (const LivePart& part : stored) {
    std::string of_part = part_slot(bucket, key, upload_id, part.number);
    core_->supersede(commit, of_part, part.found);
    commit.puts.push_back({of_part, removed});
  }
  RETURN_IF_ERROR(core_->commit(commit));
  return {};
}

Result<std::vector<PartInfo>> EmbeddedStore::list_parts(const Call&, const std::string& bucket,
                                                        const std::string& key,
                                                        const std::string& upload_id) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  RETURN_IF_ERROR(live_upload(*core_, bucket, key, upload_id));
  ASSIGN_OR_RETURN(auto stored, live_parts(*core_, bucket, key, upload_id));
  std::vector<PartInfo> parts;
  for (const LivePart& part : stored) {
    const Record& record = part.found.record;
    parts.push_back({part.number, record.size, record.etag,
                     WallTime(std::chrono::microseconds(record.time_micros)), record.checksums});
  }
  return parts;
}

Result<std::vector<UploadInfo>> EmbeddedStore::list_uploads(const Call&, const std::string& bucket,
                                                            const std::string& prefix) {
  RETURN_IF_ERROR(core_->require_bucket(bucket));
  auto db = core_->metadata_db(std::hash<std::string>()(bucket));
  if (!db) return fail(Code::unavailable, "too_few_drives", "no drive is in sync");
  std::string base = "u" + bucket + "/";
  std::vector<UploadInfo> uploads;
  std::string last;
  auto cursor = db->cursor(after_prefix(base));
  for (cursor->seek(base + prefix); cursor->valid(); cursor->next()) {
    auto entry = parse_entry_key(cursor->key());
    if (!entry || entry->slot == last) continue;
    last = std::string(entry->slot);
    if (last.size() < base.size() + 1 + kUploadIdBytes) continue;
    std::string key = last.substr(base.size(), last.size() - base.size() - 1 - kUploadIdBytes);
    if (!key.starts_with(prefix)) break;
    ASSIGN_OR_RETURN(Record record, decode_record(cursor->value()));
    if (record.kind != RecordKind::upload) continue;
    uploads.push_back({last.substr(last.size() - kUploadIdBytes), std::move(key),
                       WallTime(std::chrono::microseconds(record.time_micros)),
                       record.checksum_algorithm, record.checksum_type});
  }
  RETURN_IF_ERROR(cursor->status());
  return uploads;
}

}  // namespace aichemy::objectstore
