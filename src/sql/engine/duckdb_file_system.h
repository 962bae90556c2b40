// DuckDB's file system over our ObjectStore: "lake://bucket/key". Files are written once, front to
// back, and appear when they are closed; what is never closed leaves nothing behind. Directories do
// not exist: they are prefixes.
//
// The scheme is ours, not s3://, so that DuckDB's own rules for remote files (extension loading,
// globbing) never apply. Errors travel through DuckDB with our Code and what in
// ErrorData::ExtraInfo (see error_from_duckdb).
#pragma once

#include <atomic>
#include <duckdb/common/file_system.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>

#include "base/result.h"
#include "objectstore/object_store.h"

namespace aichemy::sql {

inline constexpr std::string_view kLakeScheme = "lake://";

// s3://bucket/key, s3a://bucket/key -> lake://bucket/key; invalid ("location") for any other
// scheme.
Result<std::string> lake_path(std::string_view location);
// lake://bucket/key -> s3://bucket/key
std::string location_of_lake_path(std::string_view path);

// `memory` (may be null) has the bucket kMemoryBucket, `store` all others.
duckdb::unique_ptr<duckdb::FileSystem> make_lake_file_system(objectstore::ObjectStore& store,
                                                             objectstore::ObjectStore* memory);

// Bytes that a connection's statements read through this file system; registered as kReadMeter.
struct ReadMeter final : duckdb::ClientContextState {
  std::atomic<uint64_t> bytes = 0;
};
inline constexpr const char* kReadMeter = "aichemy_read_meter";

// Small files that a connection's statement writes, kept while one is registered as kHeldFiles:
// whoever commits them puts them, all in one wait. When there are too many, those that are there
// are put, in one wait too. Thread safe.
class HeldFiles final : public duckdb::ClientContextState {
 public:
  using Bytes = std::shared_ptr<const std::string>;
  // What the embedded store keeps in its log; larger ones are synced on their own anyway.
  static constexpr size_t kFileBytesMax = 128 << 10;
  static constexpr size_t kAllBytesMax = 4 << 20;

  // All files of a statement are of one store.
  Status keep(objectstore::ObjectStore& store, const std::string& path, std::string bytes);
  // By the path it was opened under; null when it was put.
  Bytes take(const std::string& path);
  // Those that were not taken.
  Status put_all();
  bool empty();

 private:
  using Files = std::map<std::string, Bytes>;
  std::mutex mutex_;
  size_t bytes_ = 0;
  Files files_;
  objectstore::ObjectStore* store_ = nullptr;

  static Status put(objectstore::ObjectStore& store, const Files& files);
};
inline constexpr const char* kHeldFiles = "aichemy_held_files";

[[noreturn]] void throw_error(const Error& error);
Error error_from_duckdb(const duckdb::ErrorData& error);

}  // namespace aichemy::sql
