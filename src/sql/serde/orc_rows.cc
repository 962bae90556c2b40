// ORC files as rows: a unit is a stripe. Columns and fields are found by name; types may be wider
// than the file's, as Trino's coercions have it.
#include <fmt/format.h>

#include <algorithm>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include "sql/engine/duckdb_file_system.h"
#include "sql/orc/orc_file.h"
#include "sql/serde/file_rows.h"
#include "sql/serde/orc_columns.h"

namespace aichemy::sql {
namespace {

class OrcBytes final : public orc::Bytes {
 public:
  explicit OrcBytes(ScannedFile& file) : file_(file) {}
  uint64_t size() const override { return file_.size(); }
  Status read(uint64_t offset, char* to, size_t count) override {
    if (offset > file_.size() || count > file_.size() - offset)
      return std::unexpected(orc::malformed("the file is cut short", offset));
    file_.read(offset, to, count);
    return {};
  }

 private:
  ScannedFile& file_;
};

struct OrcFile {
  OrcFile(duckdb::FileSystem& system, const HiveTextFile& source)
      : file(system, source), bytes(file) {}
  ScannedFile file;
  OrcBytes bytes;
  orc::File orc;
  std::vector<FileColumn> columns;  // that the file has
  std::vector<OrcColumn> plans;     // one each
  std::vector<size_t> missing;      // places in the chunk
};

class OrcUnit final : public UnitRows {
 public:
  OrcUnit(OrcFile& file, size_t stripe) : file_(file) {
    std::vector<orc::Selection> selections;
    for (const OrcColumn& plan : file.plans) selections.push_back(plan.selection());
    auto reader = orc::StripeReader::open(file.orc, stripe, std::move(selections), file.bytes);
    if (!reader) file.file.refuse(reader.error());
    reader_ = std::move(*reader);
    auto clock = OrcClock::of(reader_->time_zone());
    if (!clock) file.file.refuse(clock.error());
    clock_ = *clock;
  }

  duckdb::idx_t read(duckdb::DataChunk& output) override {
    auto rows = reader_->read(STANDARD_VECTOR_SIZE, batches_);
    if (!rows) file_.file.refuse(rows.error());
    for (size_t i = 0; i < file_.plans.size() && *rows > 0; ++i) {
      Status put = file_.plans[i].put(batches_[i], clock_, output.data[file_.columns[i].place]);
      if (!put) file_.file.refuse(put.error());
    }
    for (size_t place : file_.missing) put_nulls(output.data[place], *rows);
    return *rows;
  }

 private:
  OrcFile& file_;
  std::unique_ptr<orc::StripeReader> reader_;
  OrcClock clock_;
  std::vector<orc::Batch> batches_;
};

class OrcRows final : public FileRows {
 public:
  OrcRows(duckdb::FileSystem& system, const HiveFileScan& scan, size_t file,
          const std::vector<FileColumn>& columns)
      : scan_(scan), file_(system, scan.files[file]) {
    auto opened = orc::File::open(file_.bytes);
    if (!opened) file_.file.refuse(opened.error());
    file_.orc = std::move(*opened);
    for (const FileColumn& column : columns) {
      auto node = find(column.column);
      if (!node) {
        file_.missing.push_back(column.place);
        continue;
      }
      auto plan = OrcColumn::plan(file_.orc.tail().types, *node, scan.columns[column.column].type,
                                  scan.names[column.column]);
      if (!plan) file_.file.refuse(plan.error());
      file_.columns.push_back(column);
      file_.plans.push_back(std::move(*plan));
    }
  }

  size_t units() const override { return file_.orc.tail().stripes.size(); }
  std::unique_ptr<UnitRows> open(size_t unit) override {
    if (!may_match(unit)) return nullptr;
    return std::make_unique<OrcUnit>(file_, unit);
  }

 private:
  const HiveFileScan& scan_;
  OrcFile file_;

  // The type of a column of the scan in the file.
  std::optional<uint32_t> find(size_t column) const {
    const orc::TypeNode& root = file_.orc.root();
    bool by_place = std::ranges::all_of(root.names, [](const std::string& name) {
      return name.starts_with("_col") && name.size() > 4 &&
             name.find_first_not_of("0123456789", 4) == std::string::npos;
    });
    if (by_place)
      return column < root.children.size() ? std::optional(root.children[column]) : std::nullopt;
    for (size_t i = 0; i < root.names.size(); ++i) {
      if (same_name(root.names[i], scan_.names[column])) return root.children[i];
    }
    return std::nullopt;
  }

  bool may_match(size_t stripe) const {
    const orc::Tail& tail = file_.orc.tail();
    if (tail.statistics.size() != tail.stripes.size()) return true;
    for (const Conjunct& conjunct : scan_.conjuncts) {
      auto node = find(conjunct.column);
      if (!node || *node >= tail.statistics[stripe].size()) continue;
      if (!orc_may_match(conjunct, scan_.columns[conjunct.column].type, tail.types[*node],
                         tail.statistics[stripe][*node]))
        return false;
    }
    return true;
  }
};

}  // namespace

std::unique_ptr<FileRows> open_orc(duckdb::FileSystem& system, const HiveFileScan& scan,
                                   size_t file, const std::vector<FileColumn>& columns) {
  return std::make_unique<OrcRows>(system, scan, file, columns);
}

}  // namespace aichemy::sql
