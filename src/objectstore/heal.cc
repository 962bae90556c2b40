// Making drives agree: after a crash, when a drive comes back, when an empty directory replaces
// one, and when a read finds damage. One step serves all: reconcile(slot).
#include <algorithm>
#include <bit>
#include <set>

#include "base/log.h"
#include "objectstore/store_core.h"

namespace aichemy::objectstore {
namespace {

constexpr size_t kSlotsPerRound = 256;  // of a full heal: the cursor pins no old data for longer
constexpr int kJournalPasses = 20;

bool same_extent(const Extent& a, const Extent& b) { return a.layout == b.layout && a.id == b.id; }

WriteOp put_op(Table table, std::string key, SharedBytes value) {
  return {WriteOp::Kind::put, table, std::move(key), std::move(value)};
}
WriteOp remove_op(Table table, std::string key) {
  return {WriteOp::Kind::remove, table, std::move(key), {}};
}

}  // namespace

// All entries of a slot on all online drives, newest first.
struct StoreCore::SlotState {
  struct Generation {
    uint64_t generation = 0;
    Record record;
    SharedBytes value;
    uint8_t drives = 0;
  };
  std::vector<Generation> generations;
  uint8_t online = 0;
};

// Whether an entry that a drive has already refers to an extent: its share lies there. Entries with
// other tags share their bytes.
bool StoreCore::holds(const SlotState& state, const Extent& extent, int drive_index) {
  return std::ranges::any_of(state.generations, [&](const auto& generation) {
    return (generation.drives & 1 << drive_index) &&
           std::ranges::any_of(generation.record.extents(), [&](const Extent& one) {
             return same_extent(one, extent);
           });
  });
}

Result<StoreCore::SlotState> StoreCore::slot_state(const std::string& slot) {
  SlotState state;
  std::map<uint64_t, SlotState::Generation, std::greater<>> by_generation;
  for (int i = 0; i < kShards; ++i) {
    auto db = drive(i).db();
    if (!db) continue;
    state.online = static_cast<uint8_t>(state.online | 1 << i);
    auto cursor = db->cursor(after_prefix(slot + '\0'));
    for (cursor->seek(entry_key(slot, ~uint64_t{0})); cursor->valid(); cursor->next()) {
      auto key = parse_entry_key(cursor->key());
      if (!key || key->slot != slot) continue;
      auto record = decode_record(cursor->value());
      if (!record) continue;  // as if absent: it is written anew
      auto& generation = by_generation[key->generation];
      if (generation.drives == 0) {
        generation.generation = key->generation;
        generation.record = std::move(*record);
        generation.value = SharedBytes(std::string(cursor->value()));
      }
      generation.drives = static_cast<uint8_t>(generation.drives | 1 << i);
    }
    RETURN_IF_ERROR(cursor->status());
  }
  for (auto& [number, generation] : by_generation)
    state.generations.push_back(std::move(generation));
  return state;
}

Result<bool> StoreCore::reconcile(const std::string& slot, bool lock_key) {
  std::unique_lock<std::mutex> lock(key_lock(slot), std::defer_lock);
  if (lock_key) lock.lock();
  ASSIGN_OR_RETURN(SlotState state, slot_state(slot));
  int away = kShards - std::popcount(state.online);
  const SlotState::Generation* target = nullptr;
  for (const auto& generation : state.generations) {
    int copies = std::popcount(generation.drives);
    int needed = generation.record.copies_needed();
    if (copies >= needed) {
      target = &generation;
      break;
    }
    if (copies + away >= needed) {
      return fail(Code::unavailable, "too_few_drives",
                  "an absent drive may hold what an object needs");
    }
    // Too few copies anywhere: a commit that was cut short and never acknowledged. It is rolled
    // back.
  }
  for (int i = 0; i < kShards; ++i) {
    if (state.online & 1 << i) RETURN_IF_ERROR(bring_to(slot, state, target, i));
  }
  instruments_.healed_slots.add();
  return away == 0;
}

Status StoreCore::bring_to(const std::string& slot, const SlotState& state, const void* chosen,
                           int drive_index) {
  const auto* target = static_cast<const SlotState::Generation*>(chosen);
  const bool has_target = target && (target->drives & 1 << drive_index);
  const bool removed = target && target->record.kind == RecordKind::removed;
  const bool all_online = state.online == 0x0f;
  WriteOps ops;
  std::vector<Extent> kept;
  if (target && !removed) {
    kept = target->record.extents();
    if (!has_target) {
      ops.push_back(put_op(Table::meta, entry_key(slot, target->generation), target->value));
      for (const Extent& extent : kept) {
        if (!holds(state, extent, drive_index))
          RETURN_IF_ERROR(rebuild_bytes(extent, drive_index, ops));
      }
    }
  }
  if (removed && all_online && has_target) {
    ops.push_back(remove_op(Table::meta, entry_key(slot, target->generation)));
  } else if (removed && !all_online && !has_target) {
    ops.push_back(put_op(Table::meta, entry_key(slot, target->generation), target->value));
  }
  bool bytes_moved = false;  // a newer entry says that the bytes of older ones live on elsewhere
  std::vector<uint64_t> files;
  for (const auto& generation : state.generations) {
    bytes_moved |= generation.record.keeps_files;
    if (&generation == target || !(generation.drives & 1 << drive_index)) continue;
    ops.push_back(remove_op(Table::meta, entry_key(slot, generation.generation)));
    if (bytes_moved) continue;
    for (const Extent& extent : generation.record.extents()) {
      if (std::ranges::any_of(kept, [&](const Extent& keep) { return same_extent(keep, extent); }))
        continue;
      if (extent.layout != Layout::files) {
        ops.push_back(remove_op(Table::data, data_key(extent.id)));
        continue;
      }
      ops.push_back(remove_op(Table::meta, id_key('f', extent.id)));
      ops.push_back(put_op(Table::meta, id_key('g', extent.id), SharedBytes(std::string())));
      files.push_back(extent.id);
    }
  }
  if (ops.empty()) return {};
  Countdown done(1);
  Drive::Ticket ticket;
  ticket.ops = std::move(ops);
  ticket.done = &done;
  drive(drive_index).submit(ticket);
  done.wait();
  for (uint64_t id : files) remove_shard_files(id);
  return ticket.result;
}

// Gives a drive its share of an extent: an inline value is added to `ops`, a shard file is written
// and synced.
Status StoreCore::rebuild_bytes(const Extent& extent, int drive_index, WriteOps& ops) {
  if (extent.layout == Layout::none) return {};
  if (extent.layout == Layout::files) {
    RETURN_IF_ERROR(rebuild_file(extent, drive_index));
    ops.push_back(put_op(Table::meta, id_key('f', extent.id), SharedBytes(std::string())));
    return {};
  }
  ASSIGN_OR_RETURN(std::string bytes, read_inline(extent));
  if (extent.layout == Layout::replicated) {
    ops.push_back(
        put_op(Table::data, data_key(extent.id), SharedBytes(seal_inline(bytes, extent.id, 0))));
    return {};
  }
  size_t shard_bytes = (extent.bytes + kDataShards - 1) / kDataShards;
  bytes.resize(shard_bytes * kShards);
  std::array<char*, kShards> places;
  for (size_t shard = 0; shard < kShards; ++shard)
    places[shard] = bytes.data() + shard * shard_bytes;
  encode_parity(places, shard_bytes);
  int shard = shard_of_drive(extent.id, drive_index);
  std::string_view mine(places[static_cast<size_t>(shard)], shard_bytes);
  ops.push_back(
      put_op(Table::data, data_key(extent.id), SharedBytes(seal_inline(mine, extent.id, shard))));
  return {};
}

Status StoreCore::rebuild_file(const Extent& extent, int drive_index) {
  Drive& target = drive(drive_index);
  int shard = shard_of_drive(extent.id, drive_index);
  ASSIGN_OR_RETURN(auto reader, ExtentReader::open(*this, extent));
  ASSIGN_OR_RETURN(auto file, target.create_file(extent.id));
  auto buffer = buffers_.take();
  Status status;
  for (uint64_t stripe = 0; stripe < stripe_count(extent.bytes) && status; ++stripe) {
    StripeShape shape = stripe_shape(extent.bytes, stripe);
    status = reader->read_shard(stripe, shard, buffer->frame(0));
    if (!status) break;
    seal_frame(buffer->frame(0), shape.payload_bytes, extent.id, stripe, shard);
    status =
        file->write_at(shape.frame_offset, std::string_view(buffer->frame(0), shape.frame_bytes));
  }
  buffers_.give(std::move(buffer));
  RETURN_IF_ERROR(status);
  RETURN_IF_ERROR(file->sync());
  return target.sync_file_directory(extent.id);
}

bool StoreCore::bytes_intact(const Extent& extent, int drive_index) {
  Drive& target = drive(drive_index);
  auto db = target.db();
  if (!db || extent.layout == Layout::none) return true;
  int shard = shard_of_drive(extent.id, drive_index);
  if (extent.layout != Layout::files) {
    auto value = db->get(Table::data, data_key(extent.id));
    return value && *value &&
           open_inline(**value, extent.id, extent.layout == Layout::coded ? shard : 0);
  }
  auto file = target.open_file(extent.id);
  if (!file) return false;
  auto buffer = buffers_.take();
  bool intact = true;
  for (uint64_t stripe = 0; stripe < stripe_count(extent.bytes) && intact; ++stripe) {
    StripeShape shape = stripe_shape(extent.bytes, stripe);
    char* frame = buffer->frame(0);
    auto got = (*file)->read_at(shape.frame_offset, frame, shape.frame_bytes);
    intact = got && *got == shape.frame_bytes;
    if (!intact) break;
    std::string_view trailer(frame + shape.frame_bytes - kTrailerBytes, kTrailerBytes);
    intact = check_trailer(trailer, shape.payload_bytes, extent.id, stripe, shard);
    for (size_t chunk = 0; intact && chunk * kChunkBytes < shape.payload_bytes; ++chunk) {
      size_t from = chunk * kChunkBytes;
      intact = check_chunk(trailer, chunk,
                           {frame + from, std::min(kChunkBytes, shape.payload_bytes - from)});
    }
  }
  buffers_.give(std::move(buffer));
  return intact;
}

void StoreCore::suspect(const std::string& slot) {
  constexpr size_t kSuspectsMax = 10'000;
  std::lock_guard lock(suspects_mutex_);
  if (suspects_.size() < kSuspectsMax) suspects_.insert(slot);
}

// Every drive's share of the newest entry of a slot is proven, and made anew where it is not good.
Status StoreCore::repair(const std::string& slot) {
  std::lock_guard lock(key_lock(slot));
  RETURN_IF_ERROR(reconcile(slot, false));
  ASSIGN_OR_RETURN(auto found, live(slot));
  if (!found) return {};
  for (const Extent& extent : found->record.extents()) {
    for (int i = 0; i < kShards; ++i) {
      if (!drive(i).online() || bytes_intact(extent, i)) continue;
      WriteOps ops;
      if (extent.layout == Layout::files) (void)drive(i).remove_file(extent.id);
      RETURN_IF_ERROR(rebuild_bytes(extent, i, ops));
      drive(i).later(std::move(ops));
      log_info("healed a damaged shard", {{"drive", drive(i).path()}, {"id", extent.id}});
    }
  }
  return {};
}

// Settles the slots of one journal entry; then gives the entry to a drive that lacks it (give_to >=
// 0), or drops it from all when every drive has everything.
Status StoreCore::reconcile_journal(uint64_t id, int give_to, bool lock_key, bool drop) {
  std::optional<std::string> value;
  for (auto& target : drives_) {
    auto db = target->db();
    if (!db || value) continue;
    ASSIGN_OR_RETURN(value, db->get(Table::meta, id_key('j', id)));
  }
  if (!value) return {};
  ASSIGN_OR_RETURN(auto slots, decode_journal(*value));
  bool complete = true;
  for (const std::string& slot : slots) {
    ASSIGN_OR_RETURN(bool everywhere, reconcile(slot, lock_key));
    complete &= everywhere;
  }
  if (give_to >= 0) {
    Countdown done(1);
    Drive::Ticket ticket;
    ticket.ops.push_back(put_op(Table::meta, id_key('j', id), SharedBytes(*value)));
    ticket.done = &done;
    drive(give_to).submit(ticket);
    done.wait();
    return ticket.result;
  }
  if (!drop || !complete) return {};
  for (auto& target : drives_) {
    WriteOps ops;
    ops.push_back(remove_op(Table::meta, id_key('j', id)));
    target->later(std::move(ops));
  }
  return {};
}

Status StoreCore::heal_journal(int index, bool lock_key, size_t* healed) {
  auto ids = journal_ids();
  std::set<uint64_t> missing;
  for (const auto& of_drive : ids) missing.insert(of_drive.begin(), of_drive.end());
  for (uint64_t id : ids[static_cast<size_t>(index)]) missing.erase(id);
  *healed = missing.size();
  auto& left = healing_left_[static_cast<size_t>(index)];
  left = missing.size();
  for (uint64_t id : missing) {
    if (stopping_) return fail(Code::cancelled, "stopping", "the store is stopping");
    Status settled = reconcile_journal(id, index, lock_key, false);
    if (!settled && settled.error().code != Code::corrupt) return settled;
    --left;
  }
  return {};
}

Status StoreCore::heal_all_slots(int index) {
  auto at = static_cast<size_t>(index);
  std::string from = "b";
  while (true) {
    std::shared_ptr<MetadataDb> db = metadata_db(at + 1);
    for (size_t i = 1; i < kShards && !db; ++i) {
      if (!full_heal_[(at + i) % kShards]) db = drives_[(at + i) % kShards]->db();
    }
    if (!db) return fail(Code::unavailable, "too_few_drives", "no drive to heal from");
    std::vector<std::string> slots;
    auto cursor = db->cursor("v");
    for (cursor->seek(from); cursor->valid() && slots.size() < kSlotsPerRound; cursor->next()) {
      auto key = parse_entry_key(cursor->key());
      if (key && (slots.empty() || slots.back() != key->slot)) slots.emplace_back(key->slot);
    }
    RETURN_IF_ERROR(cursor->status());
    cursor.reset();
    if (slots.empty()) return {};
    for (const std::string& slot : slots) {
      if (stopping_) return fail(Code::cancelled, "stopping", "the store is stopping");
      auto healed = reconcile(slot, true);
      if (!healed && healed.error().code != Code::corrupt &&
          healed.error().code != Code::not_found) {
        return std::unexpected(healed.error());
      }
      if (!healed)
        log_warn("an object cannot be healed", {{"slot", slot}, {"error", healed.error().message}});
    }
    from = after_prefix(slots.back() + '\0');
  }
}

Status StoreCore::heal_drive(int index) {
  Drive& target = drive(index);
  auto at = static_cast<size_t>(index);
  if (full_heal_[at]) {
    healing_left_[at] = 1;
    log_info("healing a replaced drive", {{"drive", target.path()}});
    RETURN_IF_ERROR(heal_all_slots(index));
  }
  size_t healed = 1;
  for (int pass = 0; pass < kJournalPasses && healed > 0; ++pass) {
    RETURN_IF_ERROR(heal_journal(index, true, &healed));
  }
  std::lock_guard<Gate> alone(
      membership_);  // no commit is under way: what is settled now stays settled
  RETURN_IF_ERROR(heal_journal(index, false, &healed));
  if (!target.online()) return fail(Code::unavailable, "drive_offline", "the drive went away");
  if (full_heal_[at]) {
    WriteOps ops;
    ops.push_back(remove_op(Table::meta, kHealingKey));
    target.later(std::move(ops));
    full_heal_[at] = false;
  }
  target.set_state(DriveState::in_sync);
  healing_left_[at] = 0;
  journals_left_ = true;
  log_info("drive in sync", {{"drive", target.path()}});
  return {};
}

// With all drives in sync no journal entry is needed: what it kept is removed.
void StoreCore::trim_journals() {
  for (auto& target : drives_) {
    if (target->state() != DriveState::in_sync) return;
  }
  if (!journals_left_.exchange(false)) return;
  std::set<uint64_t> all;
  for (const auto& of_drive : journal_ids()) all.insert(of_drive.begin(), of_drive.end());
  for (uint64_t id : all) {
    if (stopping_) return;
    if (!reconcile_journal(id, -1, true, true)) journals_left_ = true;
  }
}

void StoreCore::try_open(int index) {
  Drive& target = drive(index);
  auto exists = target.directory_exists();
  if (!exists || !*exists) return;
  auto identity = target.read_identity();
  if (!identity) return;
  Status ready;
  if (!*identity) {
    auto blank = target.is_blank();
    if (!blank || !*blank) {
      target.close("the directory holds other files: empty it to heal it");
      return;
    }
    log_info("formatting a replaced drive", {{"drive", target.path()}});
    ready = target.format({store_id_, index}, true);
  } else if ((*identity)->store_id != store_id_ || (*identity)->index != index) {
    target.close(
        "the directory belongs to another store or another place in it: put it back, or empty it");
    return;
  }
  if (ready) {
    std::lock_guard<Gate> alone(membership_);
    ready = open_drive(index);
  }
  if (!ready) target.close(ready.error().message);
}

void StoreCore::poll_drives() {
  for (int i = 0; i < kShards; ++i) {
    Drive& target = drive(i);
    auto at = static_cast<size_t>(i);
    if (target.online()) {
      auto identity = target.read_identity();
      bool ours = identity && *identity && (*identity)->store_id == store_id_;
      if (!ours)
        drive_failed(i,
                     {Code::unavailable, "drive_offline", "the directory is gone or was replaced"});
    }
    if (!target.online()) try_open(i);
    if (target.online() && needs_resume_[at]) {
      auto free = disk_.free_bytes(target.path());
      auto db = target.db();
      if (db && free && *free >= options.reserve_bytes && db->resume()) needs_resume_[at] = false;
    }
  }
  if (next_id_ + (1 << 23) > reserved_until_) (void)extend_reservation(next_id_);
}

void StoreCore::heal() {
  for (int i = 0; i < kShards; ++i) {
    if (stopping_) return;
    if (drive(i).state() == DriveState::lagging) {
      Status healed = heal_drive(i);
      if (!healed)
        log_warn("healing stopped",
                 {{"drive", drive(i).path()}, {"error", healed.error().message}});
    }
  }
  trim_journals();
  for (int i = 0; i < kShards; ++i) {
    if (drive(i).state() != DriveState::in_sync || orphans_checked_[static_cast<size_t>(i)])
      continue;
    collect_garbage(i);
    collect_orphans(i);
  }
  std::unordered_set<std::string> suspects;
  {
    std::lock_guard lock(suspects_mutex_);
    suspects.swap(suspects_);
  }
  for (const std::string& slot : suspects) {
    if (stopping_) return;
    Status repaired = repair(slot);
    if (!repaired) log_warn("repair failed", {{"slot", slot}, {"error", repaired.error().message}});
  }
}

StoreStatus StoreCore::status() {
  StoreStatus status;
  status.data_drives = kDataShards;
  status.parity_drives = kParityShards;
  for (int i = 0; i < kShards; ++i) {
    DriveStatus of_drive;
    of_drive.path = drive(i).path();
    of_drive.online = drive(i).online();
    of_drive.problem = drive(i).problem();
    if (auto free = disk_.free_bytes(of_drive.path); free && of_drive.online)
      of_drive.free_bytes = *free;
    of_drive.healing_objects = healing_left_[static_cast<size_t>(i)];
    status.drives.push_back(std::move(of_drive));
  }
  return status;
}

}  // namespace aichemy::objectstore
