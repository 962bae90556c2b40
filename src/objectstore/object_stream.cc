#include "objectstore/object_stream.h"

#include <algorithm>
#include <cstring>

#include "base/bytes.h"
#include "objectstore/memory_store.h"

namespace aichemy::objectstore {
namespace {

constexpr size_t kOpenExtentsMax = 4;  // of one reader: a multipart object has up to 10,000
constexpr int kOpenTries = 16;

std::vector<std::string> algorithms_of(const PutOptions& options) {
  std::vector<std::string> names = options.checksum_algorithms;
  for (const auto& [name, value] : options.expected_checksums) names.push_back(name);
  return names;
}

}  // namespace

Result<Found> live_upload(StoreCore& core, const std::string& bucket, const std::string& key,
                          const std::string& upload_id) {
  if (upload_id.size() == kUploadIdBytes) {
    ASSIGN_OR_RETURN(auto found, core.live(upload_slot(bucket, key, upload_id)));
    if (found) return std::move(*found);
  }
  return fail(Code::not_found, "no_such_upload",
              "The specified multipart upload does not exist. The upload ID may be invalid, or the "
              "upload may have "
              "been aborted or completed.");
}

EmbeddedWriter::EmbeddedWriter(StoreCore& core, Call call, std::string bucket, std::string key,
                               PutOptions options, std::optional<PartTarget> part,
                               size_t inline_bytes_max)
    : core_(core),
      call_(std::move(call)),
      bucket_(std::move(bucket)),
      key_(std::move(key)),
      options_(std::move(options)),
      part_(std::move(part)),
      inline_bytes_max_(inline_bytes_max),
      sums_(algorithms_of(options_)) {}

Status EmbeddedWriter::append(std::string_view bytes) {
  RETURN_IF_ERROR(call_.interrupted(core_.clock));
  size_ += bytes.size();
  if (!extent_) {
    bool large = size_ > inline_bytes_max_ || options_.size_hint.value_or(0) > inline_bytes_max_;
    if (!large) {
      small_ += bytes;
    } else {
      RETURN_IF_ERROR(core_.require_space());
      extent_ = std::make_unique<ExtentWriter>(core_, options_.size_hint);
      RETURN_IF_ERROR(extent_->append(small_));
      small_ = {};
    }
  }
  // The drives write while the digests, the dearer part, are taken.
  if (extent_) RETURN_IF_ERROR(extent_->append(bytes));
  sums_.update(bytes);
  return {};
}

void EmbeddedWriter::expect_checksum(std::string algorithm, std::string base64) {
  options_.expected_checksums[std::move(algorithm)] = std::move(base64);
}

Status EmbeddedWriter::check_sums(const ChecksumSet::Sums& sums) const {
  if (!options_.expected_md5.empty() && options_.expected_md5 != sums.md5) {
    return fail(Code::invalid, "bad_digest",
                "The Content-Md5 you specified did not match what we received.");
  }
  for (const auto& [name, value] : options_.expected_checksums) {
    auto found = sums.checksums.find(name);
    if (found == sums.checksums.end() || found->second != value) {
      return fail(Code::invalid, "bad_checksum",
                  "The " + name + " you specified did not match what we received.");
    }
  }
  return {};
}

void EmbeddedWriter::place_inline(Record& record, Commit& commit) {
  Extent extent{size_ <= kReplicatedBytesMax ? Layout::replicated : Layout::coded, core_.next_id(),
                size_};
  record.extent = extent;
  InlineBytes& bytes = commit.inlined.emplace_back();
  bytes.extent = extent;
  if (extent.layout == Layout::replicated) {
    bytes.values.fill(SharedBytes(seal_inline(small_, extent.id, 0)));
    return;
  }
  size_t shard_bytes = (small_.size() + kDataShards - 1) / kDataShards;
  small_.resize(shard_bytes * kShards);
  std::array<char*, kShards> places;
  for (size_t shard = 0; shard < kShards; ++shard)
    places[shard] = small_.data() + shard * shard_bytes;
  encode_parity(places, shard_bytes);
  for (size_t shard = 0; shard < kShards; ++shard) {
    bytes.values[shard] =
        SharedBytes(seal_inline({places[shard], shard_bytes}, extent.id, static_cast<int>(shard)));
  }
}

Status EmbeddedWriter::place_bytes(Record& record, Commit& commit) {
  if (extent_) {
    ASSIGN_OR_RETURN(uint8_t drives, extent_->finish());
    commit.drives &= drives;
    record.extent = extent_->extent();
    commit.new_files.push_back(record.extent.id);
  } else if (size_ > 0) {
    place_inline(record, commit);
  }
  return {};
}

std::string EmbeddedWriter::slot() const {
  return part_ ? part_slot(bucket_, key_, part_->upload_id, part_->number)
               : object_slot(bucket_, key_);
}

Result<Record> EmbeddedWriter::finish_bytes(Commit& commit) {
  ChecksumSet::Sums sums = sums_.finish();
  RETURN_IF_ERROR(check_sums(sums));
  RETURN_IF_ERROR(core_.require_space());
  Record record;
  record.kind = part_ ? RecordKind::part : RecordKind::object;
  record.time_micros = core_.clock.wall_micros();
  record.size = size_;
  record.etag = to_hex(sums.md5);
  record.content_type = options_.content_type;
  record.metadata = std::move(options_.metadata);
  record.checksums = std::move(sums.checksums);
  if (!record.checksums.empty()) record.checksum_type = "FULL_OBJECT";
  RETURN_IF_ERROR(place_bytes(record, commit));
  return record;
}

Result<ObjectInfo> EmbeddedWriter::add_to(Commit& commit, Record record) {
  std::string at = slot();
  ASSIGN_OR_RETURN(auto current, core_.newest(at));
  std::optional<ObjectInfo> before;
  if (current && current->record.kind == RecordKind::object)
    before = object_info(current->record, bucket_, key_);
  RETURN_IF_ERROR(check_write_conditions(options_.conditions, before ? &*before : nullptr));
  if (current) core_.supersede(commit, at, *current);
  ObjectInfo info = object_info(record, bucket_, key_);
  commit.puts.push_back({std::move(at), std::move(record)});
  return info;
}

Result<ObjectInfo> EmbeddedWriter::commit() {
  Commit commit;
  ASSIGN_OR_RETURN(Record record, finish_bytes(commit));
  std::shared_lock<Gate> buckets(core_.bucket_gate());
  RETURN_IF_ERROR(core_.require_bucket(bucket_));
  std::lock_guard lock(core_.key_lock(slot()));
  if (part_) RETURN_IF_ERROR(live_upload(core_, bucket_, key_, part_->upload_id));
  ASSIGN_OR_RETURN(ObjectInfo info, add_to(commit, std::move(record)));
  commit.generation = core_.next_id();
  auto took = core_.commit(commit);
  if (extent_ && (took || commit.ambiguous)) extent_->keep();
  if (!took) return std::unexpected(took.error());
  info.redundancy_lost = kShards - *took;
  return info;
}

Status EmbeddedWriter::commit_all(StoreCore& core,
                                  const std::vector<std::unique_ptr<EmbeddedWriter>>& writers) {
  Commit commit;
  std::vector<Record> records;
  std::vector<std::mutex*> keys;
  for (const auto& writer : writers) {
    ASSIGN_OR_RETURN(Record record, writer->finish_bytes(commit));
    records.push_back(std::move(record));
    keys.push_back(&core.key_lock(writer->slot()));
  }
  // In one order, and once where two keys share a lock.
  std::ranges::sort(keys);
  keys.erase(std::unique(keys.begin(), keys.end()), keys.end());
  std::shared_lock<Gate> buckets(core.bucket_gate());
  std::vector<std::unique_lock<std::mutex>> held;
  for (std::mutex* key : keys) held.emplace_back(*key);
  for (size_t i = 0; i < writers.size(); ++i) {
    RETURN_IF_ERROR(core.require_bucket(writers[i]->bucket_));
    auto added = writers[i]->add_to(commit, std::move(records[i]));
    if (!added) return std::unexpected(added.error());
  }
  if (writers.empty()) return {};
  commit.generation = core.next_id();
  auto took = core.commit(commit);
  for (const auto& writer : writers) {
    if (writer->extent_ && (took || commit.ambiguous)) writer->extent_->keep();
  }
  if (!took) return std::unexpected(took.error());
  return {};
}

Result<std::unique_ptr<EmbeddedReader>> EmbeddedReader::open(StoreCore& core,
                                                             const std::string& bucket,
                                                             const std::string& key,
                                                             const Conditions& conditions) {
  std::string slot = object_slot(bucket, key);
  std::optional<uint64_t> tried;
  Error last{Code::internal, "reader", "an object could not be opened"};
  for (int attempt = 0; attempt < kOpenTries; ++attempt) {
    ASSIGN_OR_RETURN(auto found, core.live(slot));
    if (!found) {
      RETURN_IF_ERROR(core.require_bucket(bucket));
      return fail(Code::not_found, "no_such_key", "The specified key does not exist.");
    }
    if (tried == found->generation) break;  // it did not move: what failed stays failed
    std::unique_ptr<EmbeddedReader> reader(new EmbeddedReader(core));
    reader->slot_ = slot;
    reader->info_ = object_info(found->record, bucket, key);
    RETURN_IF_ERROR(check_read_conditions(conditions, reader->info_));
    Status taken = reader->take_pieces(found->record);
    // With the leases taken: if it is still the newest, none of its files was removed before.
    if (taken) {
      bool leased =
          !reader->pieces_.empty() && reader->pieces_.front().extent.layout == Layout::files;
      if (!leased) return reader;
      ASSIGN_OR_RETURN(auto again, core.live(slot));
      if (again && again->generation == found->generation) return reader;
      continue;
    }
    last = taken.error();
    if (last.code != Code::not_found) break;
    tried = found->generation;
  }
  core.suspect(slot);
  if (last.code == Code::not_found) {
    return fail(Code::corrupt, "corrupt_object",
                "bytes of the object are missing on too many drives");
  }
  return std::unexpected(last);
}

Status EmbeddedReader::take_pieces(const Record& record) {
  uint64_t offset = 0;
  for (const Extent& extent : record.extents()) {
    Piece piece{offset, extent, {}};
    if (extent.layout == Layout::files) {
      core_.leases().acquire(extent.id);
      pieces_.push_back(std::move(piece));
    } else {
      ASSIGN_OR_RETURN(piece.bytes, core_.read_inline(extent));
      pieces_.push_back(std::move(piece));
    }
    offset += extent.bytes;
  }
  if (offset != info_.size)
    return fail(Code::corrupt, "corrupt_object", "a record's sizes do not add up");
  return {};
}

EmbeddedReader::~EmbeddedReader() {
  bool degraded =
      std::ranges::any_of(open_, [](const auto& item) { return item.second->degraded(); });
  open_.clear();
  for (const Piece& piece : pieces_) {
    if (piece.extent.layout == Layout::files) core_.release_file(piece.extent.id);
  }
  if (degraded) core_.suspect(slot_);
}

Result<std::shared_ptr<ExtentReader>> EmbeddedReader::extent_reader(size_t piece) {
  std::lock_guard lock(mutex_);
  auto found = std::ranges::find(open_, piece, [](const auto& item) { return item.first; });
  if (found != open_.end()) return found->second;
  ASSIGN_OR_RETURN(auto opened, ExtentReader::open(core_, pieces_[piece].extent));
  std::shared_ptr<ExtentReader> shared = std::move(opened);
  if (open_.size() >= kOpenExtentsMax) {
    if (open_.front().second->degraded()) core_.suspect(slot_);
    open_.erase(open_.begin());
  }
  open_.emplace_back(piece, shared);
  return shared;
}

Result<size_t> EmbeddedReader::read_at(uint64_t offset, char* to, size_t count) {
  if (offset >= info_.size) return size_t{0};
  count = static_cast<size_t>(std::min<uint64_t>(count, info_.size - offset));
  auto next = std::ranges::upper_bound(pieces_, offset, {}, &Piece::offset);
  auto at = static_cast<size_t>(next - pieces_.begin()) - 1;
  size_t done = 0;
  while (done < count) {
    const Piece& piece = pieces_[at];
    uint64_t inside = offset + done - piece.offset;
    auto step = static_cast<size_t>(std::min<uint64_t>(count - done, piece.extent.bytes - inside));
    if (piece.extent.layout == Layout::files) {
      ASSIGN_OR_RETURN(auto reader, extent_reader(at));
      RETURN_IF_ERROR(reader->read(inside, to + done, step));
    } else {
      piece.bytes.copy(to + done, step, static_cast<size_t>(inside));
    }
    done += step;
    ++at;
  }
  return done;
}

}  // namespace aichemy::objectstore
