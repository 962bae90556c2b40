// One drive: a directory with an identity file, a database (meta/) and shard files (data/). It owns
// the thread that commits to the database (all waiting commits share one log sync) and a few
// threads for shard files.
//
// Life: offline -> lagging (opened; takes writes, may miss earlier ones) -> in_sync (holds every
// commit; metadata may be read from it) -> offline when it fails or its directory goes away. Thread
// safe.
//
// I1  The identity file is written last when a drive is formatted: a directory without it holds
// nothing of ours. I2  A shard file's bytes and name are synced before the record that refers to it
// is written.
#pragma once

#include <atomic>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include "objectstore/metadata_db.h"
#include "runtime/disk.h"
#include "runtime/pool.h"

namespace aichemy::objectstore {

// Waits until count_down was called `count` times.
class Countdown {
 public:
  explicit Countdown(int count = 0) : left_(count) {}
  void add(int count = 1) {
    std::lock_guard lock(mutex_);
    left_ += count;
  }
  void count_down() {
    std::lock_guard lock(mutex_);
    if (--left_ == 0) done_.notify_all();
  }
  void wait() {
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return left_ == 0; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable done_;
  int left_;
};

enum class DriveState : uint8_t { offline, lagging, in_sync };

inline constexpr char kHealingKey[] = "mhealing";

struct DriveIdentity {
  std::string store_id;
  int index = 0;
};

class Drive {
 public:
  struct Ticket {
    WriteOps ops;
    bool sync = true;
    Status result;
    Countdown* done = nullptr;
  };

  Drive(int index, std::string path, Disk& disk, bool database_on_disk, MetadataMemory& memory);
  ~Drive();
  Drive(const Drive&) = delete;
  Drive& operator=(const Drive&) = delete;

  int index() const { return index_; }
  const std::string& path() const { return path_; }

  // The identity file; nullopt when there is none.
  Result<std::optional<DriveIdentity>> read_identity();
  Result<bool> directory_exists();
  // Makes the directory a drive of the store; what it held is removed. Left closed.
  // `healing`: it replaces a drive of a store that has objects (kHealingKey is set in its
  // database).
  Status format(const DriveIdentity& identity, bool healing);
  // True when a replacement may be made of the directory: nothing in it that is not ours.
  Result<bool> is_blank();
  Status open();                       // -> lagging
  void close(const std::string& why);  // -> offline
  void set_state(DriveState state) { state_ = state; }
  DriveState state() const { return state_; }
  bool online() const { return state_ != DriveState::offline; }
  std::string problem() const;
  std::shared_ptr<MetadataDb> db() const;  // null when offline

  // Commits in order of submission; ticket and done outlive the commit.
  void submit(Ticket& ticket);
  // Applied with some later commit, or alone and unsynced after a moment.
  void later(WriteOps ops);
  void flush_later();  // waits until everything given to later() before is written

  // Runs on one of the drive's file threads.
  void run(std::function<void()> work);

  std::string file_path(uint64_t id) const;
  std::string file_directory(uint64_t id) const;
  Result<std::unique_ptr<File>> create_file(uint64_t id);
  Result<std::unique_ptr<File>> open_file(uint64_t id);
  // Callers at the same time share one sync.
  Status sync_file_directory(uint64_t id);
  Status remove_file(uint64_t id);  // absent is fine

 private:
  struct DirectorySync {
    uint64_t wanted = 0;
    uint64_t done = 0;
    bool running = false;
    int users = 0;
    Status result;  // a failed sync stays failed until the drive is opened again: what it lost is
                    // unknown
  };

  const int index_;
  const std::string path_;
  Disk& disk_;
  const bool database_on_disk_;
  MetadataMemory& memory_;
  std::atomic<DriveState> state_{DriveState::offline};

  mutable std::mutex mutex_;  // db_, problem_, known_directories_
  std::shared_ptr<MetadataDb> db_;
  std::string problem_ = "not opened";
  std::vector<std::string> known_directories_;

  std::mutex queue_mutex_;
  std::condition_variable queued_;
  std::deque<Ticket*> queue_;
  std::deque<WriteOps> later_;
  bool stopping_ = false;

  std::mutex sync_mutex_;
  std::condition_variable synced_;
  std::unordered_map<std::string, DirectorySync> directory_syncs_;

  Pool pool_;
  std::thread committer_;

  void commit_loop();
  void commit_some(std::vector<Ticket*>& tickets, std::deque<WriteOps>& extras);
};

}  // namespace aichemy::objectstore
