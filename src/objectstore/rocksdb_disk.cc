#include "objectstore/rocksdb_disk.h"

#include <rocksdb/file_system.h>

#include <algorithm>

namespace aichemy::objectstore {
namespace {

using rocksdb::FileOptions;
using rocksdb::IODebugContext;
using rocksdb::IOOptions;
using rocksdb::IOStatus;
using rocksdb::Slice;

IOStatus to_io(const Error& error) {
  if (error.code == Code::not_found) return IOStatus::PathNotFound(error.message);
  if (error.code == Code::exhausted) return IOStatus::NoSpace(error.message);
  return IOStatus::IOError(error.message);
}

template <class T>
IOStatus to_io(const Result<T>& result) {
  return result ? IOStatus::OK() : to_io(result.error());
}

class Sequential final : public rocksdb::FSSequentialFile {
 public:
  explicit Sequential(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(size_t count, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) override {
    auto got = file_->read_at(offset_, scratch, count);
    if (!got) return to_io(got.error());
    offset_ += *got;
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }
  IOStatus Skip(uint64_t count) override {
    offset_ += count;
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
  uint64_t offset_ = 0;
};

class RandomAccess final : public rocksdb::FSRandomAccessFile {
 public:
  explicit RandomAccess(std::unique_ptr<File> file) : file_(std::move(file)) {}
  IOStatus Read(uint64_t offset, size_t count, const IOOptions&, Slice* result, char* scratch,
                IODebugContext*) const override {
    auto got = file_->read_at(offset, scratch, count);
    if (!got) return to_io(got.error());
    *result = Slice(scratch, *got);
    return IOStatus::OK();
  }

 private:
  std::unique_ptr<File> file_;
};

class Writable final : public rocksdb::FSWritableFile {
 public:
  explicit Writable(std::unique_ptr<File> file) : file_(std::move(file)) {}
  using FSWritableFile::Append;
  IOStatus Append(const Slice& data, const IOOptions&, IODebugContext*) override {
    auto done = file_->write_at(size_, std::string_view(data.data(), data.size()));
    if (!done) return to_io(done.error());
    size_ += data.size();
    return IOStatus::OK();
  }
  IOStatus Truncate(uint64_t size, const IOOptions&, IODebugContext*) override {
    auto done = file_->truncate(size);
    if (done) size_ = size;
    return to_io(done);
  }
  IOStatus Close(const IOOptions&, IODebugContext*) override {
    file_.reset();
    return IOStatus::OK();
  }
  IOStatus Flush(const IOOptions&, IODebugContext*) override { return IOStatus::OK(); }
  IOStatus Sync(const IOOptions&, IODebugContext*) override { return to_io(file_->sync()); }
  uint64_t GetFileSize(const IOOptions&, IODebugContext*) override { return size_; }

 private:
  std::unique_ptr<File> file_;
  uint64_t size_ = 0;
};

class DirectoryHandle final : public rocksdb::FSDirectory {
 public:
  DirectoryHandle(Disk& disk, std::string path) : disk_(disk), path_(std::move(path)) {}
  IOStatus Fsync(const IOOptions&, IODebugContext*) override {
    return to_io(disk_.sync_directory(path_));
  }

 private:
  Disk& disk_;
  std::string path_;
};

class DiskFileSystem final : public rocksdb::FileSystem {
 public:
  explicit DiskFileSystem(Disk& disk) : disk_(disk) {}
  const char* Name() const override { return "aichemy.disk"; }

  IOStatus NewSequentialFile(const std::string& name, const FileOptions&,
                             std::unique_ptr<rocksdb::FSSequentialFile>* result,
                             IODebugContext*) override {
    return make<Sequential>(name, OpenMode::read, result);
  }
  IOStatus NewRandomAccessFile(const std::string& name, const FileOptions&,
                               std::unique_ptr<rocksdb::FSRandomAccessFile>* result,
                               IODebugContext*) override {
    return make<RandomAccess>(name, OpenMode::read, result);
  }
  IOStatus NewWritableFile(const std::string& name, const FileOptions&,
                           std::unique_ptr<rocksdb::FSWritableFile>* result,
                           IODebugContext*) override {
    (void)disk_.remove(name);  // RocksDB means "truncate"
    return make<Writable>(name, OpenMode::create, result);
  }
  IOStatus NewDirectory(const std::string& name, const IOOptions&,
                        std::unique_ptr<rocksdb::FSDirectory>* result, IODebugContext*) override {
    *result = std::make_unique<DirectoryHandle>(disk_, clean(name));
    return IOStatus::OK();
  }
  IOStatus FileExists(const std::string& name, const IOOptions&, IODebugContext*) override {
    auto found = disk_.exists(clean(name));
    if (!found) return to_io(found.error());
    return *found ? IOStatus::OK() : IOStatus::NotFound();
  }
  IOStatus GetChildren(const std::string& name, const IOOptions&, std::vector<std::string>* result,
                       IODebugContext*) override {
    auto entries = disk_.list(clean(name));
    if (!entries) return to_io(entries.error());
    result->clear();
    for (auto& entry : *entries) result->push_back(entry.name);
    return IOStatus::OK();
  }
  IOStatus DeleteFile(const std::string& name, const IOOptions&, IODebugContext*) override {
    return to_io(disk_.remove(clean(name)));
  }
  IOStatus CreateDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return to_io(disk_.make_directories(clean(name)));
  }
  IOStatus CreateDirIfMissing(const std::string& name, const IOOptions&, IODebugContext*) override {
    auto found = disk_.exists(clean(name));
    if (found && *found) return IOStatus::OK();
    return to_io(disk_.make_directories(clean(name)));
  }
  IOStatus DeleteDir(const std::string& name, const IOOptions&, IODebugContext*) override {
    return to_io(disk_.remove_all(clean(name)));
  }
  IOStatus GetFileSize(const std::string& name, const IOOptions&, uint64_t* size,
                       IODebugContext*) override {
    auto file = disk_.open(clean(name), OpenMode::read);
    if (!file) return to_io(file.error());
    auto got = (*file)->size();
    if (got) *size = *got;
    return to_io(got);
  }
  IOStatus GetFileModificationTime(const std::string&, const IOOptions&, uint64_t* time,
                                   IODebugContext*) override {
    *time = 0;
    return IOStatus::OK();
  }
  IOStatus RenameFile(const std::string& from, const std::string& to, const IOOptions&,
                      IODebugContext*) override {
    return to_io(disk_.rename(clean(from), clean(to)));
  }
  // One process by the data directory's LOCK.
  IOStatus LockFile(const std::string&, const IOOptions&, rocksdb::FileLock** lock,
                    IODebugContext*) override {
    *lock = new rocksdb::FileLock;
    return IOStatus::OK();
  }
  IOStatus UnlockFile(rocksdb::FileLock* lock, const IOOptions&, IODebugContext*) override {
    delete lock;
    return IOStatus::OK();
  }
  IOStatus GetTestDirectory(const IOOptions&, std::string* result, IODebugContext*) override {
    *result = "/";
    return IOStatus::OK();
  }
  IOStatus GetAbsolutePath(const std::string& name, const IOOptions&, std::string* result,
                           IODebugContext*) override {
    *result = clean(name);
    return IOStatus::OK();
  }
  IOStatus IsDirectory(const std::string& name, const IOOptions&, bool* is,
                       IODebugContext*) override {
    *is = disk_.list(clean(name)).has_value();
    return IOStatus::OK();
  }

 private:
  Disk& disk_;

  // RocksDB doubles slashes and leaves them at the end; Disk compares names.
  static std::string clean(const std::string& name) {
    std::string path;
    for (char c : name) {
      if (c != '/' || path.empty() || path.back() != '/') path.push_back(c);
    }
    if (path.size() > 1 && path.back() == '/') path.pop_back();
    return path;
  }

  template <class Kind, class Base>
  IOStatus make(const std::string& name, OpenMode mode, std::unique_ptr<Base>* result) {
    auto file = disk_.open(clean(name), mode);
    if (!file) return to_io(file.error());
    *result = std::make_unique<Kind>(std::move(*file));
    return IOStatus::OK();
  }
};

}  // namespace

std::unique_ptr<rocksdb::Env> make_disk_env(Disk& disk) {
  return rocksdb::NewCompositeEnv(std::make_shared<DiskFileSystem>(disk));
}

}  // namespace aichemy::objectstore
