#include "runtime/fault_disk.h"

#include <algorithm>

namespace aichemy {
namespace {

constexpr size_t kSectorBytes = 512;

void apply_write(std::string& contents, uint64_t offset, std::string_view bytes) {
  if (contents.size() < offset + bytes.size()) contents.resize(offset + bytes.size(), '\0');
  contents.replace(offset, bytes.size(), bytes);
}

bool is_under(const std::string& path, const std::string& directory) {
  return path.size() > directory.size() && path.starts_with(directory) &&
         (directory.back() == '/' || path[directory.size()] == '/');
}

}  // namespace

class FaultFile final : public File {
 public:
  FaultFile(FaultDisk& disk, std::shared_ptr<FaultDisk::Node> node, std::string path)
      : disk_(disk),
        node_(std::move(node)),
        path_(std::move(path)),
        generation_(disk.generation_) {}

  Result<size_t> read_at(uint64_t offset, char* to, size_t count) override {
    std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(alive());
    if (offset >= node_->contents.size()) return size_t{0};
    return node_->contents.copy(to, count, offset);
  }

  Status write_at(uint64_t offset, std::string_view bytes) override {
    std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(alive());
    RETURN_IF_ERROR(disk_.gate("write", path_, true));
    apply_write(node_->contents, offset, bytes);
    node_->unsynced.push_back({offset, std::string(bytes), std::nullopt});
    return {};
  }

  Status write_parts_at(uint64_t offset, const std::vector<std::string_view>& parts) override {
    std::string whole;
    for (std::string_view part : parts) whole += part;
    return write_at(offset, whole);
  }

  Status sync() override {
    std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(alive());
    RETURN_IF_ERROR(disk_.gate("sync", path_, false));
    node_->durable = node_->contents;
    node_->unsynced.clear();
    return {};
  }

  Result<uint64_t> size() override {
    std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(alive());
    return node_->contents.size();
  }

  Status truncate(uint64_t size) override {
    std::lock_guard lock(disk_.mutex_);
    RETURN_IF_ERROR(alive());
    RETURN_IF_ERROR(disk_.gate("truncate", path_, false));
    node_->contents.resize(size, '\0');
    node_->unsynced.push_back({0, "", size});
    return {};
  }

  int descriptor() const override { return -1; }

 private:
  FaultDisk& disk_;
  std::shared_ptr<FaultDisk::Node> node_;
  std::string path_;
  uint64_t generation_;

  Status alive() {
    if (generation_ == disk_.generation_) return {};
    return fail(Code::unavailable, "disk_io", path_ + " was opened before the power cut");
  }
};

void FaultDisk::fail_call(int64_t n) {
  std::lock_guard lock(mutex_);
  fail_at_ = calls_ + n;
}

void FaultDisk::set_full(bool full) {
  std::lock_guard lock(mutex_);
  full_ = full;
}

int64_t FaultDisk::calls() const {
  std::lock_guard lock(mutex_);
  return calls_;
}

Status FaultDisk::gate(const char* operation, const std::string& path, bool takes_space) {
  int64_t call = calls_++;
  if (fail_at_ && call == *fail_at_) {
    fail_at_.reset();
    return fail(Code::unavailable, "disk_io",
                std::string(operation) + " " + path + ": injected fault");
  }
  if (full_ && takes_space) {
    return fail(Code::exhausted, "disk_full",
                std::string(operation) + " " + path + ": no space left (injected)");
  }
  return {};
}

void FaultDisk::crash() {
  std::lock_guard lock(mutex_);
  ++generation_;
  fail_at_.reset();
  names_.clear();
  for (auto& [path, node] : durable_names_) {
    std::string survived = node->durable;
    size_t kept = node->unsynced.empty() ? 0 : random_.next() % (node->unsynced.size() + 1);
    for (size_t i = 0; i < kept; ++i) {
      const Write& write = node->unsynced[i];
      if (write.truncate) {
        survived.resize(*write.truncate, '\0');
        continue;
      }
      std::string_view bytes = write.bytes;
      if (i + 1 == kept && bytes.size() > 1) {  // the last one is torn at a sector of the file
        uint64_t end = write.offset + random_.next() % bytes.size();
        end = std::max(write.offset, end / kSectorBytes * kSectorBytes);
        bytes = bytes.substr(0, end - write.offset);
      }
      apply_write(survived, write.offset, bytes);
    }
    auto fresh = std::make_shared<Node>();
    fresh->contents = survived;
    fresh->durable = std::move(survived);
    names_[path] = fresh;
  }
  durable_names_ = names_;
}

Result<std::unique_ptr<File>> FaultDisk::open(const std::string& path, OpenMode mode) {
  std::lock_guard lock(mutex_);
  auto found = names_.find(path);
  if (found != names_.end() && mode == OpenMode::create_new) {
    return fail(Code::exists, "file_exists", "open " + path + ": exists");
  }
  if (found == names_.end()) {
    if (mode == OpenMode::read || mode == OpenMode::write ||
        !directories_.contains(parent_directory(path))) {
      return fail(Code::not_found, "no_such_file", "open " + path + ": no such file");
    }
    RETURN_IF_ERROR(gate("create", path, true));
    found = names_.emplace(path, std::make_shared<Node>()).first;
  }
  return std::make_unique<FaultFile>(*this, found->second, path);
}

Status FaultDisk::make_directories(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(gate("make directory", path, true));
  for (std::string at = path; at != "/" && at != "."; at = parent_directory(at))
    directories_.insert(at);
  return {};
}

Status FaultDisk::rename(const std::string& from, const std::string& to) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(gate("rename", from, false));
  if (directories_.contains(from)) {
    std::map<std::string, std::shared_ptr<Node>> moved;
    for (auto& [name, node] : names_)
      moved[is_under(name, from) ? to + name.substr(from.size()) : name] = node;
    names_ = std::move(moved);
    std::set<std::string> directories;
    for (const std::string& name : directories_) {
      directories.insert(name == from || is_under(name, from) ? to + name.substr(from.size())
                                                              : name);
    }
    directories_ = std::move(directories);
    return {};
  }
  auto found = names_.find(from);
  if (found == names_.end())
    return fail(Code::not_found, "no_such_file", "rename " + from + ": no such file");
  auto node = found->second;
  names_.erase(found);
  names_[to] = node;
  return {};
}

Status FaultDisk::remove(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(gate("remove", path, false));
  if (names_.erase(path) == 0)
    return fail(Code::not_found, "no_such_file", "remove " + path + ": no such file");
  return {};
}

Status FaultDisk::remove_all(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(gate("remove", path, false));
  std::erase_if(names_,
                [&](const auto& item) { return item.first == path || is_under(item.first, path); });
  std::erase_if(directories_,
                [&](const std::string& name) { return name == path || is_under(name, path); });
  return {};
}

Status FaultDisk::sync_directory(const std::string& path) {
  std::lock_guard lock(mutex_);
  RETURN_IF_ERROR(gate("sync", path, false));
  std::erase_if(durable_names_,
                [&](const auto& item) { return parent_directory(item.first) == path; });
  for (auto& [name, node] : names_) {
    if (parent_directory(name) == path) durable_names_[name] = node;
  }
  return {};
}

Result<std::vector<DirectoryEntry>> FaultDisk::list(const std::string& path) {
  std::lock_guard lock(mutex_);
  if (!directories_.contains(path))
    return fail(Code::not_found, "no_such_file", "list " + path + ": no such directory");
  std::vector<DirectoryEntry> entries;
  for (const auto& [name, node] : names_) {
    if (parent_directory(name) == path)
      entries.push_back({name.substr(name.rfind('/') + 1), false});
  }
  for (const std::string& name : directories_) {
    if (name != path && parent_directory(name) == path)
      entries.push_back({name.substr(name.rfind('/') + 1), true});
  }
  return entries;
}

Result<bool> FaultDisk::exists(const std::string& path) {
  std::lock_guard lock(mutex_);
  return names_.contains(path) || directories_.contains(path);
}

Result<uint64_t> FaultDisk::free_bytes(const std::string&) {
  std::lock_guard lock(mutex_);
  return full_ ? 0 : uint64_t{1} << 40;
}

}  // namespace aichemy
