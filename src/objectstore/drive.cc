#include "objectstore/drive.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "base/log.h"

namespace aichemy::objectstore {
namespace {

constexpr int kFileThreads = 6;  // writes in flight: a direct write waits for the device
constexpr size_t kFileQueueMax = 1 << 16;
constexpr size_t kBatchBytesMax = 4 << 20;
constexpr size_t kKnownDirectoriesMax = 64;
constexpr auto kLaterDelay = std::chrono::milliseconds(100);
constexpr int kFilesPerDirectoryBits = 14;
constexpr int kFormat = 1;

std::string identity_path(const std::string& path) { return path + "/drive.json"; }

size_t batch_bytes(const WriteOps& ops) {
  size_t bytes = 0;
  for (const WriteOp& op : ops) bytes += op.key.size() + op.value.size() + 16;
  return bytes;
}

}  // namespace

Drive::Drive(int index, std::string path, Disk& disk, bool database_on_disk, MetadataMemory& memory)
    : index_(index),
      path_(std::move(path)),
      disk_(disk),
      database_on_disk_(database_on_disk),
      memory_(memory),
      pool_({fmt::format("drive{}", index), kFileThreads, kFileQueueMax}),
      committer_([this] { commit_loop(); }) {}

Drive::~Drive() {
  {
    std::lock_guard lock(queue_mutex_);
    stopping_ = true;
    queued_.notify_all();
  }
  committer_.join();
  pool_.stop();
}

Result<bool> Drive::directory_exists() { return disk_.exists(path_); }

Result<std::optional<DriveIdentity>> Drive::read_identity() {
  auto text = disk_.read_file(identity_path(path_));
  if (!text && text.error().code == Code::not_found) return std::nullopt;
  if (!text) return std::unexpected(text.error());
  auto json = Json::parse(*text);
  if (!json || (*json)["format"].as_int() != kFormat) {
    return fail(
        Code::corrupt, "drive_identity",
        identity_path(path_) +
            " is damaged or of another version: restore it, or empty the directory to heal");
  }
  DriveIdentity identity;
  identity.store_id = std::string((*json)["store"].as_string());
  identity.index = static_cast<int>((*json)["index"].as_int(-1));
  return identity;
}

Result<bool> Drive::is_blank() {
  ASSIGN_OR_RETURN(auto entries, disk_.list(path_));
  // meta and data may be left by a format that was cut short (I1).
  return std::ranges::all_of(entries, [](const DirectoryEntry& entry) {
    return entry.name == "meta" || entry.name == "data" || entry.name == "lost+found" ||
           entry.name.starts_with("drive.json");
  });
}

Status Drive::format(const DriveIdentity& identity, bool healing) {
  RETURN_IF_ERROR(disk_.make_directories(path_));
  RETURN_IF_ERROR(disk_.remove_all(path_ + "/meta"));
  RETURN_IF_ERROR(disk_.remove_all(path_ + "/data"));
  RETURN_IF_ERROR(disk_.make_directories(path_ + "/meta"));
  RETURN_IF_ERROR(disk_.make_directories(path_ + "/data"));
  {
    ASSIGN_OR_RETURN(auto made, MetadataDb::open(path_ + "/meta", memory_,
                                                 database_on_disk_ ? &disk_ : nullptr));
    WriteOps ops;
    if (healing)
      ops.push_back({WriteOp::Kind::put, Table::meta, kHealingKey, SharedBytes(std::string("1"))});
    RETURN_IF_ERROR(made->write({&ops}, true));
  }
  Json json;
  json.set("format", kFormat);
  json.set("store", identity.store_id);
  json.set("index", identity.index);
  return disk_.replace_file(identity_path(path_), json.dump_pretty() + "\n");  // I1
}

Status Drive::open() {
  ASSIGN_OR_RETURN(
      auto db, MetadataDb::open(path_ + "/meta", memory_, database_on_disk_ ? &disk_ : nullptr));
  {
    std::lock_guard lock(sync_mutex_);
    for (auto& [directory, sync] : directory_syncs_) sync.result = {};
  }
  std::lock_guard lock(mutex_);
  db_ = std::move(db);
  problem_.clear();
  known_directories_.clear();
  state_ = DriveState::lagging;
  return {};
}

void Drive::close(const std::string& why) {
  std::shared_ptr<MetadataDb> closed;  // destroyed after the lock: it joins RocksDB's work
  std::lock_guard lock(mutex_);
  closed = std::move(db_);
  db_.reset();
  problem_ = why;
  state_ = DriveState::offline;
}

std::string Drive::problem() const {
  std::lock_guard lock(mutex_);
  return problem_;
}

std::shared_ptr<MetadataDb> Drive::db() const {
  std::lock_guard lock(mutex_);
  return db_;
}

void Drive::submit(Ticket& ticket) {
  std::lock_guard lock(queue_mutex_);
  queue_.push_back(&ticket);
  queued_.notify_all();
}

void Drive::later(WriteOps ops) {
  std::lock_guard lock(queue_mutex_);
  later_.push_back(std::move(ops));
}

void Drive::flush_later() {
  Countdown done(1);
  Ticket ticket;
  ticket.sync = false;
  ticket.done = &done;
  submit(ticket);
  done.wait();
}

void Drive::run(std::function<void()> work) {
  // A full or stopped pool must not lose the work: someone waits for it.
  auto shared = std::make_shared<std::function<void()>>(std::move(work));
  if (!pool_.post([shared] { (*shared)(); })) (*shared)();
}

void Drive::commit_loop() {
  std::unique_lock lock(queue_mutex_);
  while (true) {
    auto ready = [&] { return stopping_ || !queue_.empty(); };
    if (later_.empty()) {
      queued_.wait_for(lock, std::chrono::seconds(1), ready);
    } else {
      queued_.wait_for(lock, kLaterDelay, ready);
    }
    if (stopping_ && queue_.empty() && later_.empty()) return;
    if (queue_.empty() && later_.empty()) continue;
    std::vector<Ticket*> tickets;
    size_t bytes = 0;
    while (!queue_.empty() && bytes < kBatchBytesMax) {
      bytes += batch_bytes(queue_.front()->ops);
      tickets.push_back(queue_.front());
      queue_.pop_front();
    }
    std::deque<WriteOps> extras = std::move(later_);
    later_.clear();
    lock.unlock();
    commit_some(tickets, extras);
    lock.lock();
  }
}

void Drive::commit_some(std::vector<Ticket*>& tickets, std::deque<WriteOps>& extras) {
  std::vector<const WriteOps*> batches;
  bool sync = false;
  for (const WriteOps& extra : extras) batches.push_back(&extra);
  for (Ticket* ticket : tickets) {
    batches.push_back(&ticket->ops);
    sync |= ticket->sync;
  }
  auto open = db();
  Status result = open ? open->write(batches, sync)
                       : fail(Code::unavailable, "drive_offline", path_ + " is offline");
  open.reset();
  // Housekeeping that failed is dropped: the journal entries it would have removed make a later
  // start or heal do it again.
  for (Ticket* ticket : tickets) {
    ticket->result = result;
    ticket->done->count_down();
  }
}

std::string Drive::file_directory(uint64_t id) const {
  return fmt::format("{}/data/{:010x}", path_, id >> kFilesPerDirectoryBits);
}

std::string Drive::file_path(uint64_t id) const {
  return fmt::format("{}/{:016x}", file_directory(id), id);
}

Result<std::unique_ptr<File>> Drive::create_file(uint64_t id) {
  std::string directory = file_directory(id);
  bool known;
  {
    std::lock_guard lock(mutex_);
    known = std::ranges::find(known_directories_, directory) != known_directories_.end();
  }
  if (!known) {
    // Not make_directories from the root: a drive whose directory was removed must fail, not grow
    // back.
    ASSIGN_OR_RETURN(bool present, disk_.exists(path_ + "/data"));
    if (!present) return fail(Code::unavailable, "drive_offline", path_ + " is gone");
    RETURN_IF_ERROR(disk_.make_directories(directory));
    std::lock_guard lock(mutex_);
    if (known_directories_.size() >= kKnownDirectoriesMax) known_directories_.clear();
    known_directories_.push_back(directory);
  }
  return disk_.create_direct(file_path(id));
}

Result<std::unique_ptr<File>> Drive::open_file(uint64_t id) {
  return disk_.open(file_path(id), OpenMode::read);
}

Status Drive::sync_file_directory(uint64_t id) {
  std::string directory = file_directory(id);
  std::unique_lock lock(sync_mutex_);
  if (directory_syncs_.size() > kKnownDirectoriesMax) {
    std::erase_if(directory_syncs_,
                  [](auto& item) { return item.second.users == 0 && item.second.result; });
  }
  DirectorySync& sync = directory_syncs_[directory];
  uint64_t mine = ++sync.wanted;
  ++sync.users;
  while (sync.done < mine) {
    if (sync.running) {
      synced_.wait(lock);
      continue;
    }
    sync.running = true;
    uint64_t covers = sync.wanted;
    lock.unlock();
    Status result = disk_.sync_directory(directory);
    lock.lock();
    sync.running = false;
    sync.done = covers;
    if (!result) sync.result = result;
    synced_.notify_all();
  }
  --sync.users;
  return sync.result;
}

Status Drive::remove_file(uint64_t id) {
  Status removed = disk_.remove(file_path(id));
  if (!removed && removed.error().code != Code::not_found) return removed;
  return {};
}

}  // namespace aichemy::objectstore
