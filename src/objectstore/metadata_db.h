// The database of one drive: RocksDB behind the few calls the store needs (its types stay in the
// .cc). Two tables in one log: `meta` (small values, iterated) and `data` (inline shards, kept
// apart so that listings do not read them). Blocking, thread safe.
//
// Errors: not_found never (absent is nullopt); exhausted ("disk_full"); unavailable ("drive_io");
// corrupt
// ("drive_corrupt").
#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"
#include "base/result.h"
#include "runtime/disk.h"

namespace aichemy::objectstore {

enum class Table : uint8_t { meta, data };

struct WriteOp {
  enum class Kind : uint8_t { put, remove } kind = Kind::put;
  Table table = Table::meta;
  std::string key;
  SharedBytes value;
};
using WriteOps = std::vector<WriteOp>;

// Memory shared by the databases of all drives.
class MetadataMemory {
 public:
  MetadataMemory();
  ~MetadataMemory();
  struct State;
  std::unique_ptr<State> state;
};

class MetadataDb {
 public:
  struct Entry {
    std::string key;
    std::string value;
  };
  // A consistent view in key order. Values of `meta` only.
  class Cursor {
   public:
    virtual ~Cursor() = default;
    virtual void seek(std::string_view key) = 0;
    virtual bool valid() = 0;
    virtual void next() = 0;
    virtual std::string_view key() = 0;
    virtual std::string_view value() = 0;
    virtual Status status() = 0;
  };

  // `disk`: null for the real file system, else every file of the database goes through it (tests).
  static Result<std::unique_ptr<MetadataDb>> open(const std::string& path, MetadataMemory& memory,
                                                  Disk* disk);
  virtual ~MetadataDb() = default;

  virtual Result<std::optional<std::string>> get(Table table, std::string_view key) = 0;
  // The newest entry of a slot: its key and value.
  virtual Result<std::optional<Entry>> newest(std::string_view slot) = 0;
  // Cursor over all of `meta` up to `end` (exclusive).
  virtual std::unique_ptr<Cursor> cursor(std::string end) = 0;
  // All batches as one atomic write; with sync it is durable when this returns.
  virtual Status write(const std::vector<const WriteOps*>& batches, bool sync) = 0;
  // After writes failed for want of space: try to take them again.
  virtual Status resume() = 0;
};

}  // namespace aichemy::objectstore
