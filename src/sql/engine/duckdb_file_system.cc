#include "sql/engine/duckdb_file_system.h"

#include <array>
#include <duckdb/common/error_data.hpp>
#include <duckdb/common/exception.hpp>
#include <duckdb/common/file_opener.hpp>
#include <duckdb/main/client_context.hpp>

#include <fmt/core.h>
#include <utility>

#include "sql/connectors/exports.h"
#include "sql/connectors/memory_connector.h"
#include "sql/types/trino_errors.h"

namespace aichemy::sql {
namespace {

using objectstore::ObjectReader;
using objectstore::ObjectStore;
using objectstore::ObjectWriter;

struct Place {
  std::string bucket;
  std::string key;
};

Place place_of(std::string_view path) {
  path.remove_prefix(std::min(kLakeScheme.size(), path.size()));
  size_t slash = std::min(path.find('/'), path.size());
  std::string_view key = slash < path.size() ? path.substr(slash + 1) : std::string_view();
  return {std::string(path.substr(0, slash)), std::string(key)};
}

template <class T>
T value_or_throw(Result<T> result) {
  if (!result) throw_error(result.error());
  return std::move(*result);
}

class LakeHandle final : public duckdb::FileHandle {
 public:
  LakeHandle(duckdb::FileSystem& system, const std::string& path, duckdb::FileOpenFlags open_flags)
      : FileHandle(system, path, open_flags) {}

  // Only an explicit close publishes a written file: a failed COPY destroys its handles without
  // closing them.
  void Close() override {
    if (held) {
      Status kept = std::exchange(held, nullptr)->keep(*store, path, std::move(small));
      if (!kept) throw_error(kept.error());
      return;
    }
    if (!writer) return;
    auto committed = writer->commit();
    writer.reset();
    if (!committed) throw_error(committed.error());
    size = committed->size;
  }

  void open_writer() {
    Place place = place_of(path);
    writer = value_or_throw(store->write({}, place.bucket, place.key, {}));
  }

  void append(std::string_view bytes) {
    if (held) {
      small += bytes;
      if (small.size() > HeldFiles::kFileBytesMax) put_small();
      return;
    }
    if (!writer) throw_error({Code::internal, "file", path + " is not open for writing"});
    if (Status status = writer->append(bytes); !status) throw_error(status.error());
  }

  std::unique_ptr<ObjectReader> reader;
  std::unique_ptr<ObjectWriter> writer;
  duckdb::shared_ptr<HeldFiles> held;  // while the file is small enough; then `small` has it all
  ObjectStore* store = nullptr;        // of a written file
  std::string small;
  duckdb::shared_ptr<ReadMeter> meter;
  uint64_t position = 0;
  uint64_t size = 0;
  uint64_t bytes_max = UINT64_MAX;  // of a written file

 private:
  void put_small() {
    held.reset();
    open_writer();
    append(std::exchange(small, {}));
  }
};

class LakeFileSystem final : public duckdb::FileSystem {
 public:
  LakeFileSystem(ObjectStore& store, ObjectStore* memory) : store_(store), memory_(memory) {}

  std::string GetName() const override { return "LakeFileSystem"; }
  bool CanHandleFile(const std::string& path) override { return path.starts_with(kLakeScheme); }
  bool CanSeek() override { return true; }
  bool OnDiskFile(duckdb::FileHandle&) override { return false; }
  bool IsPipe(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return false;
  }
  std::string PathSeparator(const std::string&) override { return "/"; }

  duckdb::unique_ptr<duckdb::FileHandle> OpenFile(
      const std::string& path, duckdb::FileOpenFlags flags,
      duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    auto handle = duckdb::make_uniq<LakeHandle>(*this, path, flags);
    Place place = place_of(path);
    if (flags.OpenForWriting()) {
      handle->store = &store_of(place);
      if (auto context = duckdb::FileOpener::TryGetClientContext(opener))
        handle->held = context->registered_state->Get<HeldFiles>(kHeldFiles);
      if (!handle->held) handle->open_writer();
      if (place.bucket == kExportBucket) handle->bytes_max = kExportBytesMax;
      return handle;
    }
    auto reader = store_of(place).open(call_, place.bucket, place.key, {});
    if (!reader) {
      if (reader.error().code == Code::not_found && flags.ReturnNullIfNotExists()) return nullptr;
      throw_error({Code::corrupt, "missing_file",
                   fmt::format("{}: {}", location_of_lake_path(path), reader.error().message)});
    }
    handle->reader = std::move(*reader);
    handle->size = handle->reader->info().size;
    if (auto context = duckdb::FileOpener::TryGetClientContext(opener))
      handle->meter = context->registered_state->GetOrCreate<ReadMeter>(kReadMeter);
    return handle;
  }

  void Read(duckdb::FileHandle& file, void* buffer, int64_t count,
            duckdb::idx_t location) override {
    auto& handle = file.Cast<LakeHandle>();
    if (read_at(handle, buffer, count, location) != count) {
      throw_error({Code::corrupt, "short_file",
                   fmt::format("{} ends before offset {}", location_of_lake_path(handle.path),
                               location + static_cast<uint64_t>(count))});
    }
  }

  int64_t Read(duckdb::FileHandle& file, void* buffer, int64_t count) override {
    auto& handle = file.Cast<LakeHandle>();
    int64_t got = read_at(handle, buffer, count, handle.position);
    handle.position += static_cast<uint64_t>(got);
    return got;
  }

  int64_t Write(duckdb::FileHandle& file, void* buffer, int64_t count) override {
    auto& handle = file.Cast<LakeHandle>();
    std::string_view bytes(static_cast<const char*>(buffer), static_cast<size_t>(count));
    handle.append(bytes);
    handle.size += bytes.size();
    handle.position += bytes.size();
    if (handle.size > handle.bytes_max) {
      throw_error({Code::exhausted, "GENERIC_INSUFFICIENT_RESOURCES",
                   fmt::format("a result that is saved has at most {} bytes", handle.bytes_max)});
    }
    return count;
  }

  void Write(duckdb::FileHandle& file, void* buffer, int64_t count,
             duckdb::idx_t location) override {
    auto& handle = file.Cast<LakeHandle>();
    if (location != handle.position)
      throw_error({Code::internal, "file", "files are written front to back"});
    Write(file, buffer, count);
  }

  void FileSync(duckdb::FileHandle&) override {}  // durable at Close
  int64_t GetFileSize(duckdb::FileHandle& file) override {
    return static_cast<int64_t>(file.Cast<LakeHandle>().size);
  }
  duckdb::timestamp_t GetLastModifiedTime(duckdb::FileHandle& file) override {
    auto& handle = file.Cast<LakeHandle>();
    if (!handle.reader) return duckdb::timestamp_t(0);
    return duckdb::timestamp_t(handle.reader->info().last_modified.time_since_epoch().count());
  }
  std::string GetVersionTag(duckdb::FileHandle& file) override {
    auto& handle = file.Cast<LakeHandle>();
    return handle.reader ? handle.reader->info().etag : std::string();
  }
  duckdb::FileType GetFileType(duckdb::FileHandle&) override {
    return duckdb::FileType::FILE_TYPE_REGULAR;
  }

  void Seek(duckdb::FileHandle& file, duckdb::idx_t location) override {
    file.Cast<LakeHandle>().position = location;
  }
  duckdb::idx_t SeekPosition(duckdb::FileHandle& file) override {
    return file.Cast<LakeHandle>().position;
  }
  void Reset(duckdb::FileHandle& file) override { file.Cast<LakeHandle>().position = 0; }

  bool FileExists(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    Place place = place_of(path);
    auto info = store_of(place).head(call_, place.bucket, place.key, {});
    if (!info && info.error().code != Code::not_found) throw_error(info.error());
    return info.has_value();
  }
  bool DirectoryExists(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {
    return true;
  }
  void CreateDirectory(const std::string&, duckdb::optional_ptr<duckdb::FileOpener>) override {}
  bool ListFiles(const std::string&, const std::function<void(const std::string&, bool)>&,
                 duckdb::FileOpener*) override {
    return true;  // COPY asks whether a directory is empty: new names never collide
  }
  void RemoveFile(const std::string& path, duckdb::optional_ptr<duckdb::FileOpener>) override {
    Place place = place_of(path);
    if (Status status = store_of(place).remove(call_, place.bucket, place.key, {}); !status)
      throw_error(status.error());
  }
  bool TryRemoveFile(const std::string& path,
                     duckdb::optional_ptr<duckdb::FileOpener> opener) override {
    RemoveFile(path, opener);
    return true;
  }
  duckdb::vector<duckdb::OpenFileInfo> Glob(const std::string& path, duckdb::FileOpener*) override {
    duckdb::vector<duckdb::OpenFileInfo> one;
    one.emplace_back(path);
    return one;
  }

 private:
  ObjectStore& store_;
  ObjectStore* memory_;
  Call call_;

  ObjectStore& store_of(const Place& place) {
    return memory_ && place.bucket == kMemoryBucket ? *memory_ : store_;
  }

  static int64_t read_at(LakeHandle& handle, void* buffer, int64_t count, uint64_t offset) {
    if (!handle.reader)
      throw_error({Code::internal, "file", handle.path + " is not open for reading"});
    auto got =
        handle.reader->read_at(offset, static_cast<char*>(buffer), static_cast<size_t>(count));
    if (!got) throw_error(got.error());
    if (handle.meter) handle.meter->bytes.fetch_add(*got, std::memory_order_relaxed);
    return static_cast<int64_t>(*got);
  }
};

// Words that come back from ExtraInfo must be literals again: those that the layers below us say.
const char* interned_what(const std::string& what) {
  static constexpr std::array kWords = {
      "missing_file",   "short_file",     "disk_full",   "too_few_drives", "slow_down",
      "corrupt_object", "no_such_bucket", "no_such_key", "file",           "scan",
      "cancelled",      "deadline",       "memory_full"};
  for (const char* word : kWords) {
    if (what == word) return word;
  }
  if (const TrinoError* named = find_trino_error(what)) return named->name;
  return "engine";
}

}  // namespace

Status HeldFiles::put(ObjectStore& store, const Files& files) {
  std::vector<objectstore::NewObject> objects;
  for (const auto& [path, bytes] : files) {
    Place place = place_of(path);
    objects.push_back({std::move(place.bucket), std::move(place.key), *bytes, {}});
  }
  return store.put_all({}, std::move(objects));
}

Status HeldFiles::keep(ObjectStore& store, const std::string& path, std::string bytes) {
  Files full;
  {
    std::lock_guard lock(mutex_);
    store_ = &store;
    if (bytes_ + bytes.size() > kAllBytesMax) {
      full.swap(files_);
      bytes_ = 0;
    }
    bytes_ += bytes.size();
    files_[path] = std::make_shared<const std::string>(std::move(bytes));
  }
  return full.empty() ? Status() : put(store, full);
}

Status HeldFiles::put_all() {
  Files all;
  {
    std::lock_guard lock(mutex_);
    all.swap(files_);
    bytes_ = 0;
  }
  return all.empty() ? Status() : put(*store_, all);
}

HeldFiles::Bytes HeldFiles::take(const std::string& path) {
  std::lock_guard lock(mutex_);
  auto found = files_.extract(path);
  return found.empty() ? nullptr : std::move(found.mapped());
}

bool HeldFiles::empty() {
  std::lock_guard lock(mutex_);
  return files_.empty();
}

Result<std::string> lake_path(std::string_view location) {
  for (std::string_view scheme : {"s3://", "s3a://", "s3n://"}) {
    if (location.starts_with(scheme)) {
      return std::string(kLakeScheme) + std::string(location.substr(scheme.size()));
    }
  }
  return fail(Code::unsupported, "location",
              fmt::format("'{}' is not an s3:// location", location));
}

std::string location_of_lake_path(std::string_view path) {
  return "s3://" + std::string(path.substr(std::min(kLakeScheme.size(), path.size())));
}

duckdb::unique_ptr<duckdb::FileSystem> make_lake_file_system(ObjectStore& store,
                                                             ObjectStore* memory) {
  return duckdb::make_uniq<LakeFileSystem>(store, memory);
}

void throw_error(const Error& error) {
  std::unordered_map<std::string, std::string> extra;
  extra["aichemy_code"] = std::to_string(static_cast<int>(error.code));
  extra["aichemy_what"] = error.what;
  extra["aichemy_message"] = error.message;
  throw duckdb::Exception(duckdb::ExceptionType::IO, error.message, extra);
}

Error error_from_duckdb(const duckdb::ErrorData& error) {
  const auto& extra = error.ExtraInfo();
  if (auto code = extra.find("aichemy_code"); code != extra.end()) {
    auto what = extra.find("aichemy_what");
    auto message = extra.find("aichemy_message");
    return {static_cast<Code>(std::stoi(code->second)),
            interned_what(what == extra.end() ? std::string() : what->second),
            message == extra.end() ? error.RawMessage() : message->second};
  }
  switch (error.Type()) {
    case duckdb::ExceptionType::INTERRUPT:
      return {Code::cancelled, "cancelled", "the query was cancelled"};
    case duckdb::ExceptionType::OUT_OF_MEMORY: return {Code::exhausted, "engine", error.Message()};
    case duckdb::ExceptionType::INTERNAL:
    case duckdb::ExceptionType::FATAL: return {Code::internal, "engine", error.Message()};
    default: return {Code::invalid, "engine", error.Message()};
  }
}

}  // namespace aichemy::sql
