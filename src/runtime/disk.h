// Every file the platform writes goes through Disk, so that tests can put a disk under it that
// loses unsynced writes, tears sectors and fails the n-th call (fault_disk.h). Blocking; thread
// safe; paths are absolute.
//
// Crash rule (ARCHITECTURE.md): a file's bytes survive once File::sync returned; a name (create,
// rename, remove) survives once sync_directory() of its parent returned. Nothing else may be relied
// upon.
//
// Errors: not_found ("no_such_file"), exists ("file_exists"), exhausted ("disk_full"), unavailable
// ("disk_io"), invalid ("path").
#pragma once

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy {

// An open file. Positional reads and writes may run concurrently.
class File {
 public:
  virtual ~File() = default;
  // Reads up to `count` bytes at `offset`; fewer only at the end of the file.
  virtual Result<size_t> read_at(uint64_t offset, char* to, size_t count) = 0;
  // Writes all of `bytes` at `offset`, or fails having written some prefix.
  virtual Status write_at(uint64_t offset, std::string_view bytes) = 0;
  // Appends the parts in order as one write where the system can (writev).
  virtual Status write_parts_at(uint64_t offset, const std::vector<std::string_view>& parts) = 0;
  virtual Status sync() = 0;  // fdatasync: contents and size are durable
  virtual Result<uint64_t> size() = 0;
  virtual Status truncate(uint64_t size) = 0;
  // For sendfile(2); -1 where the file has no descriptor (test twin).
  virtual int descriptor() const = 0;
};

enum class OpenMode : uint8_t {
  read,        // must exist
  write,       // read and write, must exist
  create,      // read and write, made when missing
  create_new,  // read and write, must not exist
};

struct DirectoryEntry {
  std::string name;
  bool is_directory = false;
};

class Disk {
 public:
  virtual ~Disk() = default;
  virtual Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) = 0;
  // OpenMode::create for bulk writes that bypass the page cache where the file system can: offsets,
  // sizes and memory must be multiples of 4 KiB.
  virtual Result<std::unique_ptr<File>> create_direct(const std::string& path) {
    return open(path, OpenMode::create);
  }
  virtual Status make_directories(
      const std::string& path) = 0;  // like mkdir -p, each parent synced
  virtual Status rename(const std::string& from, const std::string& to) = 0;  // replaces `to`
  virtual Status remove(const std::string& path) = 0;                         // a file
  virtual Status remove_all(const std::string& path) = 0;  // a tree; absent is fine
  virtual Status sync_directory(const std::string& path) = 0;
  virtual Result<std::vector<DirectoryEntry>> list(const std::string& path) = 0;  // unordered
  virtual Result<bool> exists(const std::string& path) = 0;
  // Bytes an unprivileged writer may still use on the file system of `path`.
  virtual Result<uint64_t> free_bytes(const std::string& path) = 0;

  // Whole-file forms on the above.
  Result<std::string> read_file(const std::string& path);
  // Durable replacement: temporary name, sync, rename, directory sync. Readers see the old or the
  // new file.
  Status replace_file(const std::string& path, std::string_view bytes);
};

class PosixDisk final : public Disk {
 public:
  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<std::unique_ptr<File>> create_direct(const std::string& path) override;
  Status make_directories(const std::string& path) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status remove_all(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  Result<std::vector<DirectoryEntry>> list(const std::string& path) override;
  Result<bool> exists(const std::string& path) override;
  Result<uint64_t> free_bytes(const std::string& path) override;
};

std::string parent_directory(const std::string& path);

}  // namespace aichemy
