#include "runtime/disk.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/uio.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <filesystem>

namespace aichemy {
namespace {

std::unexpected<Error> disk_error(const char* operation, const std::string& path, int error) {
  std::string message = std::string(operation) + " " + path + ": " + std::strerror(error);
  switch (error) {
    case ENOENT: return fail(Code::not_found, "no_such_file", std::move(message));
    case EEXIST: return fail(Code::exists, "file_exists", std::move(message));
    case ENOSPC:
    case EDQUOT: return fail(Code::exhausted, "disk_full", std::move(message));
    case EMFILE:
    case ENFILE: return fail(Code::exhausted, "open_files", std::move(message));
    case ENAMETOOLONG:
    case EISDIR:
    case ENOTDIR: return fail(Code::invalid, "path", std::move(message));
    default: return fail(Code::unavailable, "disk_io", std::move(message));
  }
}

class PosixFile final : public File {
 public:
  PosixFile(int descriptor, std::string path) : descriptor_(descriptor), path_(std::move(path)) {}
  ~PosixFile() override { ::close(descriptor_); }
  PosixFile(const PosixFile&) = delete;
  PosixFile& operator=(const PosixFile&) = delete;

  Result<size_t> read_at(uint64_t offset, char* to, size_t count) override {
    size_t done = 0;
    while (done < count) {
      ssize_t got =
          ::pread(descriptor_, to + done, count - done, static_cast<off_t>(offset + done));
      if (got < 0 && errno == EINTR) continue;
      if (got < 0) return disk_error("read", path_, errno);
      if (got == 0) break;
      done += static_cast<size_t>(got);
    }
    return done;
  }

  Status write_at(uint64_t offset, std::string_view bytes) override {
    while (!bytes.empty()) {
      ssize_t put = ::pwrite(descriptor_, bytes.data(), bytes.size(), static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return disk_error("write", path_, errno);
      bytes.remove_prefix(static_cast<size_t>(put));
      offset += static_cast<uint64_t>(put);
    }
    return {};
  }

  Status write_parts_at(uint64_t offset, const std::vector<std::string_view>& parts) override {
    std::vector<iovec> vectors;
    vectors.reserve(parts.size());
    for (std::string_view part : parts) {
      if (!part.empty()) vectors.push_back({const_cast<char*>(part.data()), part.size()});
    }
    size_t first = 0;
    while (first < vectors.size()) {
      int count = static_cast<int>(std::min<size_t>(vectors.size() - first, IOV_MAX));
      ssize_t put = ::pwritev(descriptor_, &vectors[first], count, static_cast<off_t>(offset));
      if (put < 0 && errno == EINTR) continue;
      if (put < 0) return disk_error("write", path_, errno);
      offset += static_cast<uint64_t>(put);
      auto left = static_cast<size_t>(put);
      while (left > 0) {
        iovec& vector = vectors[first];
        size_t step = std::min(left, vector.iov_len);
        vector.iov_base = static_cast<char*>(vector.iov_base) + step;
        vector.iov_len -= step;
        left -= step;
        if (vector.iov_len == 0) ++first;
      }
    }
    return {};
  }

  Status sync() override {
    if (::fdatasync(descriptor_) != 0) return disk_error("sync", path_, errno);
    return {};
  }

  Result<uint64_t> size() override {
    struct stat status;
    if (::fstat(descriptor_, &status) != 0) return disk_error("stat", path_, errno);
    return static_cast<uint64_t>(status.st_size);
  }

  Status truncate(uint64_t size) override {
    if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0)
      return disk_error("truncate", path_, errno);
    return {};
  }

  int descriptor() const override { return descriptor_; }

 private:
  int descriptor_;
  std::string path_;
};

int open_flags(OpenMode mode) {
  switch (mode) {
    case OpenMode::read: return O_RDONLY | O_CLOEXEC;
    case OpenMode::write: return O_RDWR | O_CLOEXEC;
    case OpenMode::create: return O_RDWR | O_CREAT | O_CLOEXEC;
    case OpenMode::create_new: return O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC;
  }
  return O_RDONLY;
}

}  // namespace

std::string parent_directory(const std::string& path) {
  size_t slash = path.find_last_of('/');
  if (slash == std::string::npos) return ".";
  return slash == 0 ? "/" : path.substr(0, slash);
}

Result<std::string> Disk::read_file(const std::string& path) {
  ASSIGN_OR_RETURN(auto file, open(path, OpenMode::read));
  ASSIGN_OR_RETURN(uint64_t size, file->size());
  std::string bytes(size, '\0');
  ASSIGN_OR_RETURN(size_t got, file->read_at(0, bytes.data(), bytes.size()));
  bytes.resize(got);
  return bytes;
}

Status Disk::replace_file(const std::string& path, std::string_view bytes) {
  std::string temporary = path + ".tmp";
  {
    ASSIGN_OR_RETURN(auto file, open(temporary, OpenMode::create));
    RETURN_IF_ERROR(file->truncate(0));
    RETURN_IF_ERROR(file->write_at(0, bytes));
    RETURN_IF_ERROR(file->sync());
  }
  RETURN_IF_ERROR(rename(temporary, path));
  return sync_directory(parent_directory(path));
}

Result<std::unique_ptr<File>> PosixDisk::open(const std::string& path, OpenMode mode) {
  int descriptor = ::open(path.c_str(), open_flags(mode), 0640);
  if (descriptor < 0) return disk_error("open", path, errno);
  return std::make_unique<PosixFile>(descriptor, path);
}

Result<std::unique_ptr<File>> PosixDisk::create_direct(const std::string& path) {
#ifdef O_DIRECT
  int descriptor = ::open(path.c_str(), open_flags(OpenMode::create) | O_DIRECT, 0640);
  if (descriptor >= 0) return std::make_unique<PosixFile>(descriptor, path);
  if (errno != EINVAL) return disk_error("open", path, errno);  // EINVAL: a file system without it
#endif
  return open(path, OpenMode::create);
}

Status PosixDisk::make_directories(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) {
    if (S_ISDIR(status.st_mode)) return {};
    return disk_error("make directory", path, ENOTDIR);
  }
  std::string parent = parent_directory(path);
  if (parent != path) RETURN_IF_ERROR(make_directories(parent));
  if (::mkdir(path.c_str(), 0750) != 0 && errno != EEXIST)
    return disk_error("make directory", path, errno);
  return sync_directory(parent);
}

Status PosixDisk::rename(const std::string& from, const std::string& to) {
  if (::rename(from.c_str(), to.c_str()) != 0) return disk_error("rename", from, errno);
  return {};
}

Status PosixDisk::remove(const std::string& path) {
  if (::unlink(path.c_str()) != 0) return disk_error("remove", path, errno);
  return {};
}

Status PosixDisk::remove_all(const std::string& path) {
  std::error_code error;
  std::filesystem::remove_all(path, error);
  if (error) return disk_error("remove", path, error.value());
  return {};
}

Status PosixDisk::sync_directory(const std::string& path) {
  int descriptor = ::open(path.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (descriptor < 0) return disk_error("open", path, errno);
  int outcome = ::fsync(descriptor);
  int error = errno;
  ::close(descriptor);
  if (outcome != 0) return disk_error("sync", path, error);
  return {};
}

Result<std::vector<DirectoryEntry>> PosixDisk::list(const std::string& path) {
  DIR* directory = ::opendir(path.c_str());
  if (!directory) return disk_error("list", path, errno);
  std::vector<DirectoryEntry> entries;
  while (dirent* entry = ::readdir(directory)) {
    std::string name = entry->d_name;
    if (name == "." || name == "..") continue;
    bool is_directory = entry->d_type == DT_DIR;
    if (entry->d_type == DT_UNKNOWN) {
      struct stat status;
      is_directory = ::stat((path + "/" + name).c_str(), &status) == 0 && S_ISDIR(status.st_mode);
    }
    entries.push_back({std::move(name), is_directory});
  }
  ::closedir(directory);
  return entries;
}

Result<bool> PosixDisk::exists(const std::string& path) {
  struct stat status;
  if (::stat(path.c_str(), &status) == 0) return true;
  if (errno == ENOENT || errno == ENOTDIR) return false;
  return disk_error("stat", path, errno);
}

Result<uint64_t> PosixDisk::free_bytes(const std::string& path) {
  struct statvfs status;
  if (::statvfs(path.c_str(), &status) != 0) return disk_error("statvfs", path, errno);
  return static_cast<uint64_t>(status.f_bavail) * status.f_frsize;
}

}  // namespace aichemy
