#include "objectstore/store_core.h"

#include <algorithm>
#include <bit>
#include <cstdlib>

#include "base/check.h"
#include "base/log.h"

namespace aichemy::objectstore {
namespace {

constexpr int64_t kSpaceCheckMillis = 100;
constexpr size_t kFreeBuffersMax = 16;

int count_bits(uint8_t mask) { return std::popcount(mask); }

WriteOp put_op(Table table, std::string key, SharedBytes value) {
  return {WriteOp::Kind::put, table, std::move(key), std::move(value)};
}
WriteOp remove_op(Table table, std::string key) {
  return {WriteOp::Kind::remove, table, std::move(key), {}};
}

}  // namespace

void FileLeases::acquire(uint64_t id) {
  std::lock_guard lock(mutex_);
  ++leases_[id].readers;
}

bool FileLeases::release(uint64_t id) {
  std::lock_guard lock(mutex_);
  auto found = leases_.find(id);
  CHECK(found != leases_.end());
  if (--found->second.readers > 0) return false;
  bool doomed = found->second.doomed;
  leases_.erase(found);
  return doomed;
}

bool FileLeases::doom(uint64_t id) {
  std::lock_guard lock(mutex_);
  auto found = leases_.find(id);
  if (found == leases_.end()) return true;
  found->second.doomed = true;
  return false;
}

StripeBuffer::StripeBuffer()
    : memory_(static_cast<char*>(std::aligned_alloc(4096, kShards * kFrameBytes))) {
  CHECK(memory_ != nullptr);
}
StripeBuffer::~StripeBuffer() { std::free(memory_); }

std::unique_ptr<StripeBuffer> StripeBuffers::take() {
  {
    std::lock_guard lock(mutex_);
    if (!free_.empty()) {
      auto buffer = std::move(free_.back());
      free_.pop_back();
      least_ = std::min(least_, free_.size());
      return buffer;
    }
  }
  return std::make_unique<StripeBuffer>();
}

void StripeBuffers::give(std::unique_ptr<StripeBuffer> buffer) {
  std::lock_guard lock(mutex_);
  if (buffer && free_.size() < kFreeBuffersMax) free_.push_back(std::move(buffer));
}

void StripeBuffers::trim() {
  std::lock_guard lock(mutex_);
  free_.resize(free_.size() - std::min(least_, free_.size()));
  least_ = free_.size();
}

StoreCore::StoreCore(const EmbeddedStoreOptions& store_options, Disk& disk, Clock& store_clock,
                     Random& store_random, Metrics& metrics)
    : options(store_options),
      clock(store_clock),
      random(store_random),
      disk_(disk),
      instruments_{
          metrics.counter("aichemy_objectstore_commits_total", "Commits that were acknowledged"),
          metrics.counter("aichemy_objectstore_degraded_commits_total",
                          "Commits that fewer than all drives took"),
          metrics.counter("aichemy_objectstore_healed_total",
                          "Objects, parts and buckets brought to a drive"),
          metrics.counter("aichemy_objectstore_corrupt_reads_total",
                          "Blocks that failed their checksum"),
          metrics.histogram("aichemy_objectstore_commit_micros", "Time of a commit on all drives"),
      } {
  for (int i = 0; i < kShards; ++i) {
    auto at = static_cast<size_t>(i);
    drives_[at] =
        std::make_unique<Drive>(i, options.drives[at], disk, options.database_on_disk, memory_);
  }
}

StoreCore::~StoreCore() { stop(); }

uint64_t StoreCore::next_id() {
  uint64_t id = next_id_.fetch_add(1);
  if (id >= reserved_until_) {
    // The background extends the reservation long before; this is the slow path of last resort.
    Status extended = extend_reservation(id);
    if (!extended) log_error("id reservation failed", {{"error", extended.error().message}});
  }
  return id;
}

std::mutex& StoreCore::key_lock(std::string_view slot) {
  return key_locks_[std::hash<std::string_view>()(lock_name(slot)) % key_locks_.size()];
}

std::shared_ptr<MetadataDb> StoreCore::metadata_db(size_t at) {
  for (size_t i = 0; i < kShards; ++i) {
    Drive& candidate = *drives_[(at + i) % kShards];
    if (candidate.state() != DriveState::in_sync) continue;
    if (auto db = candidate.db()) return db;
  }
  return nullptr;
}

Result<std::optional<Found>> StoreCore::newest(const std::string& slot) {
  size_t at = std::hash<std::string>()(slot);
  std::optional<Found> best;
  bool answered = false;
  Error last{Code::unavailable, "too_few_drives", "no drive is online"};
  // First the in-sync drives: the first that answers is right (I3). Then, if there is none, the
  // newest of all.
  for (DriveState wanted : {DriveState::in_sync, DriveState::lagging}) {
    for (size_t i = 0; i < kShards; ++i) {
      Drive& candidate = *drives_[(at + i) % kShards];
      if (candidate.state() != wanted) continue;
      auto db = candidate.db();
      if (!db) continue;
      auto entry = db->newest(slot);
      if (!entry) {
        last = entry.error();
        drive_failed(candidate.index(), last);
        continue;
      }
      if (!*entry) {
        if (wanted == DriveState::in_sync) return std::nullopt;
        answered = true;
        continue;
      }
      auto key = parse_entry_key((*entry)->key);
      auto record = decode_record((*entry)->value);
      if (!key || !record) {
        instruments_.corrupt_reads.add();
        suspect(slot);
        last = record ? key.error() : record.error();
        continue;
      }
      answered = true;
      if (!best || best->generation < key->generation)
        best = Found{key->generation, std::move(*record)};
      if (wanted == DriveState::in_sync) return best;
    }
    if (answered) return best;
  }
  return std::unexpected(last);
}

Result<std::optional<Found>> StoreCore::live(const std::string& slot) {
  ASSIGN_OR_RETURN(auto found, newest(slot));
  if (found && found->record.kind == RecordKind::removed) found.reset();
  return found;
}

uint8_t StoreCore::holders(const std::string& slot, uint64_t generation) {
  uint8_t mask = 0;
  for (int i = 0; i < kShards; ++i) {
    auto db = drive(i).db();
    if (!db) continue;
    auto value = db->get(Table::meta, entry_key(slot, generation));
    if (!value)
      drive_failed(i, value.error());
    else if (*value)
      mask = static_cast<uint8_t>(mask | 1 << i);
  }
  return mask;
}

Result<std::string> StoreCore::read_inline(const Extent& extent) {
  std::string key = data_key(extent.id);
  std::array<std::string, kShards> sealed;
  std::array<std::string_view, kShards> shards;
  uint8_t present = 0;
  bool damaged = false;
  const bool coded = extent.layout == Layout::coded;
  // Data shards first: then nothing has to be computed. Replicated: any drive, spread by id.
  for (int shard = 0; shard < kShards; ++shard) {
    Drive& from = drive(drive_of_shard(extent.id, shard));
    auto db = from.db();
    if (!db) continue;
    auto value = db->get(Table::data, key);
    if (!value) {
      drive_failed(from.index(), value.error());
      continue;
    }
    if (!*value) {
      damaged |= from.state() == DriveState::in_sync;
      continue;
    }
    auto at = static_cast<size_t>(shard);
    sealed[at] = std::move(**value);
    auto opened = open_inline(sealed[at], extent.id, coded ? shard : 0);
    if (!opened) {
      instruments_.corrupt_reads.add();
      damaged = true;
      continue;
    }
    if (!coded) {
      sealed[at].resize(opened->size());
      return std::move(sealed[at]);
    }
    shards[at] = *opened;
    present = static_cast<uint8_t>(present | 1 << shard);
    if (count_bits(present) == kDataShards) break;
  }
  if (count_bits(present) < kDataShards || !coded) {
    if (damaged) return fail(Code::not_found, "gone", "the inline bytes are not there");
    return fail(Code::unavailable, "too_few_drives", "fewer than two drives can be read");
  }
  size_t shard_bytes = (extent.bytes + kDataShards - 1) / kDataShards;
  std::string whole(shard_bytes * kShards, '\0');
  std::array<char*, kShards> places;
  uint8_t missing = 0;
  for (size_t shard = 0; shard < kShards; ++shard) {
    places[shard] = whole.data() + shard * shard_bytes;
    if (present & 1 << shard) {
      if (shards[shard].size() != shard_bytes) {
        return fail(Code::corrupt, "corrupt_object", "an inline shard has the wrong size");
      }
      shards[shard].copy(places[shard], shard_bytes);
    } else if (shard < kDataShards) {
      missing = static_cast<uint8_t>(missing | 1 << shard);
    }
  }
  if (missing) RETURN_IF_ERROR(rebuild_shards(places, shard_bytes, present, missing));
  whole.resize(extent.bytes);
  return whole;
}

WriteOps StoreCore::drive_ops(const Commit& commit, const std::vector<SharedBytes>& values,
                              int drive_index) const {
  WriteOps ops;
  std::vector<std::string> slots;
  for (size_t i = 0; i < commit.puts.size(); ++i) {
    ops.push_back(
        put_op(Table::meta, entry_key(commit.puts[i].slot, commit.generation), values[i]));
  }
  ops.push_back(put_op(Table::meta, id_key('j', commit.generation), values.back()));  // I1
  for (uint64_t id : commit.new_files)
    ops.push_back(put_op(Table::meta, id_key('f', id), SharedBytes(std::string())));
  for (const InlineBytes& bytes : commit.inlined) {
    int shard = shard_of_drive(bytes.extent.id, drive_index);
    ops.push_back(
        put_op(Table::data, data_key(bytes.extent.id), bytes.values[static_cast<size_t>(shard)]));
  }
  return ops;
}

Result<int> StoreCore::apply(Commit& commit) {
  std::shared_lock<Gate> member(membership_);
  SteadyTime began = clock.steady_now();
  std::vector<SharedBytes> values;
  std::vector<std::string> slots;
  for (const SlotWrite& put : commit.puts) {
    values.emplace_back(encode_record(put.record));
    slots.push_back(put.slot);
  }
  values.emplace_back(encode_journal(slots));

  uint8_t online = online_drives();
  auto taking = static_cast<uint8_t>(online & commit.drives);
  if (count_bits(taking) < kDataShards) {
    return fail(Code::unavailable, "too_few_drives", "fewer than two drives can be written");
  }
  std::array<Drive::Ticket, kShards> tickets;
  Countdown done(count_bits(taking));
  for (int i = 0; i < kShards; ++i) {
    if (!(taking & 1 << i)) continue;
    Drive::Ticket& ticket = tickets[static_cast<size_t>(i)];
    ticket.ops = drive_ops(commit, values, i);
    ticket.done = &done;
    drive(i).submit(ticket);
  }
  done.wait();
  uint8_t took = 0;
  std::optional<Error> failure;
  for (int i = 0; i < kShards; ++i) {
    if (!(taking & 1 << i)) {
      if (online & 1 << i && drive(i).online()) drive(i).set_state(DriveState::lagging);
      continue;
    }
    Status& result = tickets[static_cast<size_t>(i)].result;
    if (result) {
      took = static_cast<uint8_t>(took | 1 << i);
    } else {
      failure = result.error();
      drive_failed(i, result.error());
      if (drive(i).online()) drive(i).set_state(DriveState::lagging);
    }
  }
  if (count_bits(took) < kDataShards) {
    take_back(commit, took);
    return std::unexpected(failure ? *failure
                                   : Error{Code::unavailable, "too_few_drives", "too few drives"});
  }
  commit.drives = took;
  instruments_.commits.add();
  if (took != 0x0f) instruments_.degraded_commits.add();
  instruments_.commit_micros.observe_micros(static_cast<uint64_t>(
      std::chrono::duration_cast<std::chrono::microseconds>(clock.steady_now() - began).count()));
  return count_bits(took);
}

// I4: what did not count must not come to life later.
void StoreCore::take_back(Commit& commit, uint8_t from) {
  for (int i = 0; i < kShards; ++i) {
    if (!(from & 1 << i)) continue;
    WriteOps ops;
    for (const SlotWrite& put : commit.puts) {
      ops.push_back(remove_op(Table::meta, entry_key(put.slot, commit.generation)));
    }
    ops.push_back(remove_op(Table::meta, id_key('j', commit.generation)));
    for (uint64_t id : commit.new_files) ops.push_back(remove_op(Table::meta, id_key('f', id)));
    for (const InlineBytes& bytes : commit.inlined)
      ops.push_back(remove_op(Table::data, data_key(bytes.extent.id)));
    Countdown done(1);
    Drive::Ticket ticket;
    ticket.ops = std::move(ops);
    ticket.done = &done;
    drive(i).submit(ticket);
    done.wait();
    if (ticket.result) continue;
    commit.ambiguous = true;
    drive_failed(i, ticket.result.error());
  }
}

Result<int> StoreCore::commit(Commit& commit) {
  ASSIGN_OR_RETURN(int took, apply(commit));
  trim(commit, commit.drives);
  return took;
}

void StoreCore::trim(const Commit& commit, uint8_t done) {
  std::vector<uint64_t> files;
  for (const Extent& extent : commit.dead) {
    if (extent.layout == Layout::files) files.push_back(extent.id);
  }
  for (int i = 0; i < kShards; ++i) {
    if (!(done & 1 << i)) continue;
    WriteOps ops;
    for (const auto& [slot, generation] : commit.superseded) {
      ops.push_back(remove_op(Table::meta, entry_key(slot, generation)));
    }
    for (const Extent& extent : commit.dead) {
      if (extent.layout == Layout::files) {
        ops.push_back(remove_op(Table::meta, id_key('f', extent.id)));
        ops.push_back(put_op(Table::meta, id_key('g', extent.id), SharedBytes(std::string())));
      } else if (extent.layout != Layout::none) {
        ops.push_back(remove_op(Table::data, data_key(extent.id)));
      }
    }
    if (done == 0x0f) {
      for (const SlotWrite& put : commit.puts) {
        if (put.record.kind != RecordKind::removed) continue;
        ops.push_back(remove_op(Table::meta, entry_key(put.slot, commit.generation)));
      }
      ops.push_back(remove_op(Table::meta, id_key('j', commit.generation)));
    }
    if (!ops.empty()) drive(i).later(std::move(ops));
  }
  for (uint64_t id : files) remove_shard_files(id);
}

void StoreCore::supersede(Commit& commit, const std::string& slot, const Found& old,
                          bool keep_bytes) {
  commit.superseded.emplace_back(slot, old.generation);
  if (keep_bytes) return;
  for (const Extent& extent : old.record.extents()) commit.dead.push_back(extent);
}

void StoreCore::remove_shard_files(uint64_t id) {
  if (!leases_.doom(id)) return;
  for (auto& target : drives_) {
    if (!target->online()) continue;
    target->run([drive = target.get(), id] {
      if (!drive->remove_file(id)) return;  // the g key stays: the next start tries again
      drive->later({remove_op(Table::meta, id_key('g', id))});
    });
  }
}

void StoreCore::release_file(uint64_t id) {
  if (leases_.release(id)) remove_shard_files(id);
}

void StoreCore::writing_file(uint64_t id, bool begin) {
  std::lock_guard lock(writing_mutex_);
  if (begin) {
    writing_.insert(id);
  } else {
    writing_.erase(id);
  }
}

bool StoreCore::has_bucket(const std::string& bucket) {
  std::lock_guard lock(buckets_mutex_);
  return buckets_.contains(bucket);
}

Status StoreCore::require_bucket(const std::string& bucket) {
  if (has_bucket(bucket)) return {};
  return fail(Code::not_found, "no_such_bucket", "The specified bucket does not exist");
}

std::vector<BucketInfo> StoreCore::buckets() {
  std::lock_guard lock(buckets_mutex_);
  std::vector<BucketInfo> all;
  for (const auto& [name, created] : buckets_) all.push_back({name, created});
  return all;
}

void StoreCore::set_bucket(const std::string& bucket, std::optional<WallTime> created) {
  std::lock_guard lock(buckets_mutex_);
  if (created) {
    buckets_[bucket] = *created;
  } else {
    buckets_.erase(bucket);
  }
}

uint8_t StoreCore::online_drives() const {
  uint8_t mask = 0;
  for (const auto& candidate : drives_) {
    if (candidate->online()) mask = static_cast<uint8_t>(mask | 1 << candidate->index());
  }
  return mask;
}

void StoreCore::drive_failed(int index, const Error& error) {
  if (error.code == Code::exhausted) {
    needs_resume_[static_cast<size_t>(index)] = true;
    space_low_ = true;
    return;
  }
  Drive& failed = drive(index);
  if (!failed.online()) return;
  log_error("drive offline", {{"drive", failed.path()}, {"error", error.message}});
  failed.close(error.message);
}

Status StoreCore::require_space() {
  int64_t now = clock.wall_millis();
  int64_t before = space_checked_millis_;
  if ((now - before >= kSpaceCheckMillis || now < before) &&
      space_checked_millis_.compare_exchange_strong(before, now)) {
    bool low = false;
    for (const auto& target : drives_) {
      if (!target->online()) continue;
      auto free = disk_.free_bytes(target->path());
      low |= free && *free < options.reserve_bytes;
    }
    for (auto& pending : needs_resume_) low |= pending;
    space_low_ = low;
  }
  if (space_low_)
    return fail(Code::exhausted, "disk_full", "The drives are full: free some space and retry");
  return {};
}

}  // namespace aichemy::objectstore
