// The test twin of the disk: an in-memory file system that keeps, beside the contents a program
// sees, what would survive a power cut. It can fail the n-th call, run out of space, and crash:
// crash() forgets what was not synced, keeping a random prefix of unsynced writes with the last one
// torn at a sector boundary, and forgets names whose directory was not synced.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/random.h"
#include "runtime/disk.h"

namespace aichemy {

class FaultDisk final : public Disk {
 public:
  explicit FaultDisk(uint64_t seed) : random_(seed) {}

  // The n-th call from now (0 = the next) that writes, syncs or changes a name fails with
  // unavailable; once.
  void fail_call(int64_t n);
  // Every write fails with exhausted while set.
  void set_full(bool full);
  // Calls so far that could have been failed.
  int64_t calls() const;
  // Power cut: open files become unusable, the state becomes what survived.
  void crash();

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;

 private:
  friend class FaultFile;
  struct Write {
    uint64_t offset = 0;
    std::string bytes;
    std::optional<uint64_t> truncate;  // set: a truncation instead
  };
  struct Node {
    std::string contents;
    std::string durable;
    std::vector<Write> unsynced;
  };

  mutable std::mutex mutex_;
  SeededRandom random_;
  int64_t calls_ = 0;
  std::optional<int64_t> fail_at_;
  bool full_ = false;
  uint64_t generation_ = 0;  // of the power: files opened before a crash are dead
  std::map<std::string, std::shared_ptr<Node>> names_;
  std::map<std::string, std::shared_ptr<Node>> durable_names_;
  std::set<std::string> directories_{"/"};

  Status gate(const char* operation, const std::string& path, bool takes_space);
};

}  // namespace aichemy
