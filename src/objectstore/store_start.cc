// Opening and closing the store: which directories are ours, the id counter, what a crash left half
// done.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "base/log.h"
#include "objectstore/store_core.h"

namespace aichemy::objectstore {
namespace {

constexpr uint64_t kReservationStep = 1 << 24;
constexpr char kReservedKey[] = "mreserved";
constexpr char kFloorKey[] = "mfloor";
constexpr auto kBackgroundRound = std::chrono::milliseconds(500);

SharedBytes number_value(uint64_t value) {
  std::string bytes;
  append_big(bytes, value);
  return SharedBytes(std::move(bytes));
}

}  // namespace

Status StoreCore::start() {
  RETURN_IF_ERROR(open_drives());
  RETURN_IF_ERROR(load_counters());
  RETURN_IF_ERROR(settle_journals());
  RETURN_IF_ERROR(load_buckets());
  journals_left_ = true;
  if (options.background) background_ = std::thread([this] { background_loop(); });
  return {};
}

void StoreCore::stop() {
  {
    std::lock_guard lock(background_mutex_);
    if (stopping_) return;
    stopping_ = true;
    wake_.notify_all();
  }
  if (background_.joinable()) background_.join();
  for (auto& target : drives_) {
    if (target && target->online()) target->flush_later();
  }
  for (auto& target : drives_) target.reset();
}

void StoreCore::background_loop() {
  std::unique_lock lock(background_mutex_);
  while (!stopping_) {
    wake_.wait_for(lock, kBackgroundRound, [this] { return stopping_.load(); });
    if (stopping_) return;
    lock.unlock();
    poll_drives();
    heal();
    buffers_.trim();
    lock.lock();
  }
}

Status StoreCore::open_drives() {
  std::array<std::optional<DriveIdentity>, kShards> identities;
  std::array<bool, kShards> present{};
  for (size_t i = 0; i < kShards; ++i) {
    auto exists = drives_[i]->directory_exists();
    present[i] = exists && *exists;
    if (!present[i]) continue;
    auto identity = drives_[i]->read_identity();
    if (!identity) {
      drives_[i]->close(identity.error().message);
      present[i] = false;
      continue;
    }
    identities[i] = *identity;
  }
  RETURN_IF_ERROR(form_store(identities, present));

  // The databases replay their logs: side by side.
  std::array<Status, kShards> opened;
  std::vector<std::thread> threads;
  for (int i = 0; i < kShards; ++i) {
    if (!identities[static_cast<size_t>(i)]) continue;
    threads.emplace_back([this, i, &opened] { opened[static_cast<size_t>(i)] = open_drive(i); });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < kShards; ++i) {
    if (opened[i]) continue;
    log_error("drive does not open",
              {{"drive", drives_[i]->path()}, {"error", opened[i].error().message}});
    drives_[i]->close(opened[i].error().message);
  }
  if (std::popcount(online_drives()) < kDataShards) {
    std::string problems;
    for (auto& target : drives_) problems += "; " + target->path() + ": " + target->problem();
    return fail(Code::unavailable, "too_few_drives",
                "fewer than two of the four drives open" + problems);
  }
  return {};
}

// Decides which store the directories belong to, and formats what is new. On return a drive with an
// identity may be opened.
Status StoreCore::form_store(std::array<std::optional<DriveIdentity>, kShards>& identities,
                             const std::array<bool, kShards>& present) {
  for (const auto& identity : identities) {
    if (identity && store_id_.empty()) store_id_ = identity->store_id;
  }
  const bool fresh = store_id_.empty();
  if (fresh) {
    store_id_ = random.uuid();
    for (auto& target : drives_) RETURN_IF_ERROR(disk_.make_directories(target->path()));
  }
  std::array<bool, kShards> blank{};
  for (int i = 0; i < kShards; ++i) {
    auto at = static_cast<size_t>(i);
    Drive& target = *drives_[at];
    if (identities[at]) {
      if (identities[at]->store_id == store_id_ && identities[at]->index == i) continue;
      identities[at].reset();
      target.close(
          "the directory belongs to another store or another place in it: put it back, or empty "
          "it");
      continue;
    }
    if (!fresh && !present[at]) {
      if (target.problem() == "not opened")
        target.close("the directory does not exist: make it (empty) to heal it");
      continue;
    }
    ASSIGN_OR_RETURN(blank[at], target.is_blank());
    if (blank[at]) continue;
    if (fresh)
      return fail(Code::invalid, "drives",
                  target.path() + " is not empty and is no drive of a store");
    target.close("the directory holds other files: empty it to heal it");
  }
  std::array<Status, kShards> formatted;
  std::vector<std::thread> threads;
  for (int i = 0; i < kShards; ++i) {
    auto at = static_cast<size_t>(i);
    if (!blank[at]) continue;
    identities[at] = DriveIdentity{store_id_, i};
    threads.emplace_back([this, at, fresh, &formatted, &identities] {
      formatted[at] = drives_[at]->format(*identities[at], !fresh);
    });
  }
  for (std::thread& thread : threads) thread.join();
  for (size_t i = 0; i < kShards; ++i) {
    if (formatted[i]) continue;
    if (fresh) return formatted[i];
    identities[i].reset();
    drives_[i]->close(formatted[i].error().message);
  }
  return {};
}

Status StoreCore::open_drive(int index) {
  Drive& target = drive(index);
  RETURN_IF_ERROR(target.open());
  auto at = static_cast<size_t>(index);
  auto db = target.db();
  ASSIGN_OR_RETURN(auto healing, db->get(Table::meta, kHealingKey));
  full_heal_[at] = healing.has_value();
  ASSIGN_OR_RETURN(auto floor, db->get(Table::meta, kFloorKey));
  orphan_floor_[at] = floor ? id_of_key(*floor) : 1;
  orphans_checked_[at] = false;
  return {};
}

Status StoreCore::load_counters() {
  uint64_t reserved = 0;
  for (auto& target : drives_) {
    auto db = target->db();
    if (!db) continue;
    ASSIGN_OR_RETURN(auto value, db->get(Table::meta, kReservedKey));
    if (value) reserved = std::max(reserved, id_of_key(*value));
  }
  next_id_ = reserved + 1;
  boot_first_id_ = reserved + 1;
  return extend_reservation(reserved + 1);
}

// Makes ids up to `at_least` and a good way beyond usable: durable before they are given out.
Status StoreCore::extend_reservation(uint64_t at_least) {
  std::lock_guard lock(reserve_mutex_);
  if (reserved_until_ > at_least + kReservationStep / 2) return {};
  uint64_t until = at_least + kReservationStep;
  std::array<Drive::Ticket, kShards> tickets;
  Countdown done;
  for (auto& target : drives_) {
    if (!target->online()) continue;
    Drive::Ticket& ticket = tickets[static_cast<size_t>(target->index())];
    ticket.ops.push_back({WriteOp::Kind::put, Table::meta, kReservedKey, number_value(until)});
    ticket.done = &done;
    done.add();
    target->submit(ticket);
  }
  done.wait();
  int stored = 0;
  for (Drive::Ticket& ticket : tickets) {
    if (ticket.done && ticket.result) ++stored;
  }
  // On a full disk a store still opens for reading: the ids of this run then stay unused.
  if (stored < kDataShards) space_low_ = true;
  reserved_until_ = until;
  return {};
}

Status StoreCore::load_buckets() {
  std::string last;
  auto db = metadata_db(0);
  if (!db) return fail(Code::unavailable, "too_few_drives", "no drive is in sync");
  auto cursor = db->cursor("c");
  for (cursor->seek("b"); cursor->valid(); cursor->next()) {
    auto key = parse_entry_key(cursor->key());
    if (!key || key->slot == last) continue;
    last = std::string(key->slot);
    ASSIGN_OR_RETURN(Record record, decode_record(cursor->value()));
    if (record.kind != RecordKind::bucket) continue;
    set_bucket(last.substr(1), WallTime(std::chrono::microseconds(record.time_micros)));
  }
  return cursor->status();
}

std::array<std::vector<uint64_t>, kShards> StoreCore::journal_ids() {
  std::array<std::vector<uint64_t>, kShards> ids;
  for (size_t i = 0; i < kShards; ++i) {
    auto db = drives_[i]->db();
    if (!db) continue;
    auto cursor = db->cursor("k");
    for (cursor->seek("j"); cursor->valid(); cursor->next())
      ids[i].push_back(id_of_key(cursor->key()));
  }
  return ids;
}

// After a crash the drives may differ in the commits that were under way. Their journals say which
// (I1): those slots are settled before anything is served. Drives that are being rebuilt are left
// to the healer.
Status StoreCore::settle_journals() {
  auto ids = journal_ids();
  std::set<uint64_t> all;
  for (const auto& of_drive : ids) all.insert(of_drive.begin(), of_drive.end());
  for (uint64_t id : all) {
    for (int i = 0; i < kShards; ++i) {
      auto at = static_cast<size_t>(i);
      if (!drives_[at]->online() || full_heal_[at] || std::ranges::binary_search(ids[at], id))
        continue;
      Status settled = reconcile_journal(id, i, false, false);
      if (!settled)
        log_warn("a commit could not be settled", {{"id", id}, {"error", settled.error().message}});
    }
  }
  for (size_t i = 0; i < kShards; ++i) {
    if (drives_[i]->online() && !full_heal_[i]) drives_[i]->set_state(DriveState::in_sync);
  }
  if (!metadata_db(0)) {
    // Only rebuilt drives are left: better what they hold than nothing.
    for (auto& target : drives_) {
      if (target->online()) target->set_state(DriveState::in_sync);
    }
  }
  return {};
}

// Shard files of uploads that never committed: those of earlier runs without an f key.
void StoreCore::collect_orphans(int index) {
  auto at = static_cast<size_t>(index);
  Drive& target = drive(index);
  auto db = target.db();
  if (!db || orphans_checked_[at]) return;
  orphans_checked_[at] = true;
  uint64_t floor = orphan_floor_[at];
  uint64_t ceiling = boot_first_id_;
  std::string data = parent_directory(target.file_directory(0));
  auto directories = disk_.list(data);
  if (!directories) return;
  std::string first = target.file_directory(floor).substr(data.size() + 1);
  for (const DirectoryEntry& directory : *directories) {
    if (stopping_) return;
    if (!directory.is_directory || directory.name < first) continue;
    auto files = disk_.list(data + "/" + directory.name);
    if (!files) continue;
    for (const DirectoryEntry& file : *files) {
      auto raw = from_hex(file.name);
      if (!raw || raw->size() != 8) continue;
      uint64_t id = id_of_key(*raw);
      if (id < floor || id >= ceiling) continue;
      auto referenced = db->get(Table::meta, id_key('f', id));
      if (referenced && !*referenced) (void)target.remove_file(id);
    }
  }
  WriteOps ops;
  ops.push_back({WriteOp::Kind::put, Table::meta, kFloorKey, number_value(ceiling)});
  target.later(std::move(ops));
}

// Files whose removal was decided and perhaps not done.
void StoreCore::collect_garbage(int index) {
  auto db = drive(index).db();
  if (!db) return;
  std::vector<uint64_t> ids;
  auto cursor = db->cursor("h");
  for (cursor->seek("g"); cursor->valid(); cursor->next()) {
    uint64_t id = id_of_key(cursor->key());
    if (id < boot_first_id_) ids.push_back(id);
  }
  for (uint64_t id : ids) {
    if (!drive(index).remove_file(id)) continue;
    WriteOps ops;
    ops.push_back({WriteOp::Kind::remove, Table::meta, id_key('g', id), {}});
    drive(index).later(std::move(ops));
  }
}

}  // namespace aichemy::objectstore
