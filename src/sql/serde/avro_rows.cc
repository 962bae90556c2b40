// Avro files as rows: a unit is a range of a file, which has the blocks that begin in it.
#include <fmt/format.h>

#include <algorithm>

#include "sql/engine/duckdb_file_system.h"
#include "sql/serde/avro_columns.h"
#include "sql/serde/file_rows.h"
#include "tables/avro_codec.h"
#include "tables/avro_header.h"

namespace aichemy::sql {
namespace {

using tables::AvroHeader;

constexpr uint64_t kUnitBytes = 32 << 20;
constexpr size_t kHeadBytes = 64 << 10, kHeadMax = 16 << 20;
constexpr uint64_t kBlockMax = 256 << 20, kBlockTextMax = 1 << 30;
constexpr size_t kSearchBytes = 1 << 20;
constexpr size_t kNumbersMax = 20;  // two numbers of a block

struct AvroField {
  const tables::AvroNode* node = nullptr;
  size_t column = SIZE_MAX;  // of AvroData::columns; none: passed over
};

struct AvroData {
  AvroData(duckdb::FileSystem& system, const HiveTextFile& source) : file(system, source) {}
  ScannedFile file;
  AvroHeader header;
  std::vector<AvroField> fields;  // of the file's records
  std::vector<AvroColumn> columns;
  std::vector<size_t> places;                              // of columns, in the chunk
  std::vector<std::pair<size_t, duckdb::Value>> defaults;  // by place in the chunk
};

class AvroUnit final : public UnitRows {
 public:
  AvroUnit(AvroData& data, uint64_t begin, uint64_t end) : data_(data), end_(end), cursor_({}) {
    at_ = begin == 0 ? data.header.bytes : block_after(begin);
  }

  duckdb::idx_t read(duckdb::DataChunk& output) override {
    duckdb::idx_t row = 0;
    while (row < STANDARD_VECTOR_SIZE && (left_ > 0 || next_block())) {
      for (const AvroField& field : data_.fields) {
        if (field.column == SIZE_MAX) {
          cursor_.skip(*field.node);
          continue;
        }
        Status put = data_.columns[field.column].put(cursor_, *field.node,
                                                     output.data[data_.places[field.column]], row);
        if (!put)
          data_.file.broken(fmt::format("{} (block at byte {})", put.error().message, block_at_));
      }
      if (cursor_.failed())
        data_.file.broken(fmt::format("a record of the block at byte {} is damaged", block_at_));
      ++row;
      if (--left_ == 0 && !cursor_.at_end())
        data_.file.broken(fmt::format("the block at byte {} has more than its records", block_at_));
    }
    for (const auto& [place, value] : data_.defaults) output.data[place].Reference(value);
    return row;
  }

 private:
  AvroData& data_;
  uint64_t end_;
  uint64_t at_ = 0, block_at_ = 0;
  std::string packed_, records_;
  tables::AvroCursor cursor_;
  uint64_t left_ = 0;  // records of the block

  // Where the first block behind a marker that begins at `from` or later begins.
  uint64_t block_after(uint64_t from) {
    const std::string& sync = data_.header.sync;
    std::string part;
    while (from < end_ && from + sync.size() <= data_.file.size()) {
      size_t take = std::min<uint64_t>(kSearchBytes, data_.file.size() - from);
      part.resize(take);
      data_.file.read(from, part.data(), take);
      size_t found = part.find(sync);
      if (found != std::string::npos) return from + found + sync.size();
      from += take - sync.size() + 1;
    }
    return UINT64_MAX;
  }

  bool next_block() {
    const std::string& sync = data_.header.sync;
    while (left_ == 0) {
      uint64_t size = data_.file.size();
      if (at_ >= size || at_ - sync.size() >= end_) return false;
      block_at_ = at_;
      char numbers[kNumbersMax];
      size_t have = std::min<uint64_t>(kNumbersMax, size - at_);
      data_.file.read(at_, numbers, have);
      tables::AvroCursor cursor({numbers, have});
      int64_t count = cursor.read_long(), bytes = cursor.read_long();
      uint64_t rest = size - at_ - cursor.offset();
      if (cursor.failed() || count < 0 || bytes < 0 || static_cast<uint64_t>(bytes) > kBlockMax ||
          static_cast<uint64_t>(bytes) + sync.size() > rest)
        data_.file.broken(fmt::format("the block at byte {} is cut short", at_));
      packed_.resize(static_cast<size_t>(bytes) + sync.size());
      data_.file.read(at_ + cursor.offset(), packed_.data(), packed_.size());
      at_ += cursor.offset() + packed_.size();
      std::string_view block = packed_;
      if (!block.ends_with(sync))
        data_.file.broken(fmt::format("the block at byte {} has the wrong marker", block_at_));
      block.remove_suffix(sync.size());
      records_.clear();
      Status done = tables::avro_decompress(data_.header.codec, block, kBlockTextMax, &records_);
      if (!done)
        data_.file.broken(fmt::format("{} (block at byte {})", done.error().message, block_at_));
      cursor_ = tables::AvroCursor(records_);
      left_ = static_cast<uint64_t>(count);
    }
    return true;
  }
};

class AvroRows final : public FileRows {
 public:
  AvroRows(duckdb::FileSystem& system, const HiveFileScan& scan, size_t file,
           const std::vector<FileColumn>& columns)
      : data_(system, scan.files[file]) {
    read_header();
    const tables::AvroNode& root = data_.header.schema;
    if (root.kind != tables::AvroKind::record) data_.file.broken("its schema is no record");
    for (const tables::AvroNode& field : root.children) data_.fields.push_back({&field});
    AvroReaderSchema reader(scan.serdes[scan.files[file].serde].avro_schema);
    for (const FileColumn& column : columns) add(scan, column, reader);
  }

  size_t units() const override {
    return std::max<uint64_t>(1, (data_.file.size() + kUnitBytes - 1) / kUnitBytes);
  }
  std::unique_ptr<UnitRows> open(size_t unit) override {
    uint64_t begin = unit * kUnitBytes;
    return std::make_unique<AvroUnit>(data_, begin, begin + kUnitBytes);
  }

 private:
  AvroData data_;

  void read_header() {
    uint64_t size = data_.file.size();
    std::string head;
    for (size_t bytes = kHeadBytes;; bytes *= 8) {
      head.resize(std::min<uint64_t>(bytes, size));
      data_.file.read(0, head.data(), head.size());
      auto header = tables::read_avro_header(head);
      if (header) {
        data_.header = std::move(*header);
        return;
      }
      if (head.size() == size || bytes >= kHeadMax || !head.starts_with("Obj"))
        data_.file.refuse(header.error());
    }
  }

  void add(const HiveFileScan& scan, const FileColumn& column, const AvroReaderSchema& reader) {
    const std::string& name = scan.names[column.column];
    const Type& type = scan.columns[column.column].type;
    for (AvroField& field : data_.fields) {
      if (!reader.is_name_of(name, field.node->name)) continue;
      auto plan = AvroColumn::plan(*field.node, type, name);
      if (!plan) data_.file.refuse(plan.error());
      field.column = data_.columns.size();
      data_.columns.push_back(std::move(*plan));
      data_.places.push_back(column.place);
      return;
    }
    auto value = reader.default_of(name, type);
    if (!value) data_.file.refuse(value.error());
    data_.defaults.emplace_back(column.place, std::move(*value));
  }
};

}  // namespace

std::unique_ptr<FileRows> open_avro(duckdb::FileSystem& system, const HiveFileScan& scan,
                                    size_t file, const std::vector<FileColumn>& columns) {
  return std::make_unique<AvroRows>(system, scan, file, columns);
}

}  // namespace aichemy::sql
