#include "objectstore/metadata_db.h"

#include <rocksdb/cache.h>
#include <rocksdb/db.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/iterator.h>
#include <rocksdb/options.h>
#include <rocksdb/slice_transform.h>
#include <rocksdb/table.h>
#include <rocksdb/write_buffer_manager.h>

#include <cstdarg>
#include <cstdio>

#include "base/check.h"
#include "base/log.h"
#include "objectstore/record.h"
#include "objectstore/rocksdb_disk.h"

namespace aichemy::objectstore {
namespace {

using rocksdb::Slice;

constexpr size_t kCacheBytes = 12 << 20;         // all drives together
constexpr size_t kWriteBuffersBytes = 40 << 20;  // all drives together, under load
constexpr size_t kMetaBufferBytes = 4 << 20;
constexpr size_t kDataBufferBytes = 8 << 20;
constexpr uint64_t kLogsBytesMax = 10 << 20;  // a drive: bounds what a start has to replay
constexpr uint64_t kBlobBytesMin = 1024;

Slice slice(std::string_view bytes) { return Slice(bytes.data(), bytes.size()); }

Status from_rocks(const rocksdb::Status& status, const char* doing) {
  if (status.ok()) return {};
  std::string message = std::string(doing) + ": " + status.ToString();
  if (status.IsNoSpace() || status.subcode() == rocksdb::Status::SubCode::kNoSpace) {
    return fail(Code::exhausted, "disk_full", std::move(message));
  }
  if (status.IsCorruption()) return fail(Code::corrupt, "drive_corrupt", std::move(message));
  return fail(Code::unavailable, "drive_io", std::move(message));
}

// Entries of one slot share their prefix: a seek for the newest one then asks the bloom filters
// first.
class SlotPrefix final : public rocksdb::SliceTransform {
 public:
  const char* Name() const override { return "aichemy.slot"; }
  Slice Transform(const Slice& key) const override { return Slice(key.data(), key.size() - 8); }
  bool InDomain(const Slice& key) const override {
    return is_slot_key(std::string_view(key.data(), key.size()));
  }
};

// RocksDB's own log goes to ours. Not to its file: when a write to that file fails, as on a full
// disk, the library aborts the process at the next line it logs.
class ForwardingLog final : public rocksdb::Logger {
 public:
  ForwardingLog() : Logger(rocksdb::InfoLogLevel::ERROR_LEVEL) {}
  using Logger::Logv;
  void Logv(const char* format, va_list arguments) override {
    char line[512];
    std::vsnprintf(line, sizeof(line), format, arguments);
    log_debug("rocksdb", {{"line", std::string_view(line)}});
  }
};

rocksdb::BlockBasedTableOptions table_options(const std::shared_ptr<rocksdb::Cache>& cache) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.whole_key_filtering = true;
  table.cache_index_and_filter_blocks = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.block_size = 8 << 10;
  table.format_version = 5;
  return table;
}

}  // namespace

struct MetadataMemory::State {
  std::shared_ptr<rocksdb::Cache> cache = rocksdb::NewLRUCache(kCacheBytes, 4);
  std::shared_ptr<rocksdb::WriteBufferManager> buffers =
      std::make_shared<rocksdb::WriteBufferManager>(kWriteBuffersBytes);
};

MetadataMemory::MetadataMemory() : state(std::make_unique<State>()) {}
MetadataMemory::~MetadataMemory() = default;

namespace {

rocksdb::ColumnFamilyOptions meta_family(const MetadataMemory::State& memory) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = kMetaBufferBytes;
  family.arena_block_size = 256 << 10;
  family.max_write_buffer_number = 4;
  family.prefix_extractor = std::make_shared<SlotPrefix>();
  family.memtable_prefix_bloom_size_ratio = 0.05;
  family.memtable_whole_key_filtering = true;
  family.level_compaction_dynamic_level_bytes = true;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(memory.cache)));
  family.compression = rocksdb::kNoCompression;
  return family;
}

rocksdb::ColumnFamilyOptions data_family(const MetadataMemory::State& memory) {
  rocksdb::ColumnFamilyOptions family;
  family.write_buffer_size = kDataBufferBytes;
  family.arena_block_size = 256 << 10;
  family.max_write_buffer_number = 4;
  family.enable_blob_files = true;
  family.min_blob_size = kBlobBytesMin;
  family.blob_file_size = 64 << 20;
  family.enable_blob_garbage_collection = true;
  family.blob_garbage_collection_age_cutoff = 0.5;
  family.level_compaction_dynamic_level_bytes = true;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table_options(memory.cache)));
  family.compression = rocksdb::kNoCompression;
  return family;
}

rocksdb::DBOptions db_options(const MetadataMemory::State& memory, rocksdb::Env* env) {
  rocksdb::DBOptions db;
  db.create_if_missing = true;
  db.create_missing_column_families = true;
  db.write_buffer_manager = memory.buffers;
  db.max_total_wal_size = kLogsBytesMax;
  db.max_open_files = 256;
  db.max_background_jobs = 2;
  db.avoid_flush_during_recovery = true;
  db.avoid_flush_during_shutdown = true;
  db.wal_recovery_mode = rocksdb::WALRecoveryMode::kTolerateCorruptedTailRecords;
  db.recycle_log_file_num =
      env ? 0 : 2;  // rewriting a log in place spares the file system's journal
  db.info_log = std::make_shared<ForwardingLog>();
  db.stats_dump_period_sec = 0;
  db.stats_persist_period_sec = 0;
  db.max_manifest_file_size = 4 << 20;
  db.skip_stats_update_on_db_open = true;
  db.skip_checking_sst_file_sizes_on_db_open = true;
  db.table_cache_numshardbits = 2;
  db.bytes_per_sync = 1 << 20;
  if (env) db.env = env;
  return db;
}

class RocksCursor final : public MetadataDb::Cursor {
 public:
  RocksCursor(rocksdb::DB& db, rocksdb::ColumnFamilyHandle* table, std::string end)
      : end_(std::move(end)), end_slice_(end_) {
    rocksdb::ReadOptions options;
    options.total_order_seek = true;
    options.iterate_upper_bound = &end_slice_;
    iterator_.reset(db.NewIterator(options, table));
  }
  void seek(std::string_view key) override { iterator_->Seek(slice(key)); }
  bool valid() override { return iterator_->Valid(); }
  void next() override { iterator_->Next(); }
  std::string_view key() override { return {iterator_->key().data(), iterator_->key().size()}; }
  std::string_view value() override {
    return {iterator_->value().data(), iterator_->value().size()};
  }
  Status status() override { return from_rocks(iterator_->status(), "list"); }

 private:
  std::string end_;
  Slice end_slice_;
  std::unique_ptr<rocksdb::Iterator> iterator_;
};

class RocksDb final : public MetadataDb {
 public:
  ~RocksDb() override {
    for (auto* handle : handles_) db_->DestroyColumnFamilyHandle(handle);
    db_->Close();
    db_.reset();
  }

  Status open_at(const std::string& path, MetadataMemory& memory, Disk* disk) {
    if (disk) env_ = make_disk_env(*disk);
    std::vector<rocksdb::ColumnFamilyDescriptor> families{
        {rocksdb::kDefaultColumnFamilyName, meta_family(*memory.state)},
        {"data", data_family(*memory.state)}};
    rocksdb::DB* opened = nullptr;
    auto status = rocksdb::DB::Open(db_options(*memory.state, env_.get()), path, families,
                                    &handles_, &opened);
    RETURN_IF_ERROR(from_rocks(status, "open drive database"));
    db_.reset(opened);
    return {};
  }

  Result<std::optional<std::string>> get(Table table, std::string_view key) override {
    std::string value;
    auto status = db_->Get(rocksdb::ReadOptions(), handle(table), slice(key), &value);
    if (status.IsNotFound()) return std::nullopt;
    RETURN_IF_ERROR(from_rocks(status, "read"));
    return value;
  }

  Result<std::optional<Entry>> newest(std::string_view slot) override {
    rocksdb::ReadOptions options;
    options.prefix_same_as_start = true;
    std::unique_ptr<rocksdb::Iterator> iterator(db_->NewIterator(options, handle(Table::meta)));
    std::string from = entry_key(slot, ~uint64_t{0});
    iterator->Seek(slice(from));
    RETURN_IF_ERROR(from_rocks(iterator->status(), "read"));
    if (!iterator->Valid() || iterator->key().size() != from.size() ||
        !iterator->key().starts_with(Slice(from.data(), from.size() - 8))) {
      return std::nullopt;
    }
    return Entry{iterator->key().ToString(), iterator->value().ToString()};
  }

  std::unique_ptr<Cursor> cursor(std::string end) override {
    return std::make_unique<RocksCursor>(*db_, handle(Table::meta), std::move(end));
  }

  Status write(const std::vector<const WriteOps*>& batches, bool sync) override {
    rocksdb::WriteBatch all;
    for (const WriteOps* batch : batches) {
      for (const WriteOp& op : *batch) {
        auto status = op.kind == WriteOp::Kind::put
                          ? all.Put(handle(op.table), slice(op.key), slice(op.value.view()))
                          : all.Delete(handle(op.table), slice(op.key));
        CHECK(status.ok());
      }
    }
    rocksdb::WriteOptions options;
    options.sync = sync;
    return from_rocks(db_->Write(options, &all), "write");
  }

  Status resume() override { return from_rocks(db_->Resume(), "resume"); }

 private:
  std::unique_ptr<rocksdb::Env> env_;
  std::unique_ptr<rocksdb::DB> db_;
  std::vector<rocksdb::ColumnFamilyHandle*> handles_;

  rocksdb::ColumnFamilyHandle* handle(Table table) {
    return handles_[table == Table::meta ? 0 : 1];
  }
};

}  // namespace

Result<std::unique_ptr<MetadataDb>> MetadataDb::open(const std::string& path,
                                                     MetadataMemory& memory, Disk* disk) {
  auto db = std::make_unique<RocksDb>();
  RETURN_IF_ERROR(db->open_at(path, memory, disk));
  return db;
}

}  // namespace aichemy::objectstore
