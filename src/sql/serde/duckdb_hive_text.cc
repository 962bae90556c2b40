// hive_text_scan('<handle>'): files of lines, a piece of a file a thread at a time.
#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <deque>
#include <duckdb/main/client_context.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>

#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/duckdb_value.h"
#include "sql/engine/scan_function.h"
#include "sql/native/duckdb_type.h"
#include "sql/serde/cell_reader.h"
#include "sql/serde/file_constant.h"
#include "sql/serde/file_lines.h"
#include "sql/serde/registration.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;

constexpr uint64_t kUnitBytes = 32 << 20;  // enough work for a thread at a time

using TextBind = ScanBind<HiveTextScan>;

struct Unit {
  size_t file = 0;
  FileLines::Range range;
};

struct TextGlobal final : duckdb::GlobalTableFunctionState {
  std::vector<Unit> units;
  std::vector<size_t> columns;  // of the scan, by place in the chunk
  std::atomic<size_t> next{0};
  idx_t MaxThreads() const override { return std::max<size_t>(1, units.size()); }
};

// Lines of a unit without the file's first and last ones that are no rows.
class RowLines {
 public:
  RowLines(FileLines lines, int64_t skip_header, int64_t skip_footer)
      : lines_(std::move(lines)), footer_(static_cast<size_t>(skip_footer)) {
    std::string_view line;
    for (int64_t i = 0; i < skip_header && lines_.next(line); ++i) {
    }
  }

  bool next(std::string_view& line) {
    if (footer_ == 0) return lines_.next(line);
    while (held_.size() <= footer_ && lines_.next(line)) held_.emplace_back(line);
    if (held_.size() <= footer_) return false;
    current_ = std::move(held_.front());
    held_.pop_front();
    line = current_;
    return true;
  }

 private:
  FileLines lines_;
  size_t footer_;
  std::deque<std::string> held_;
  std::string current_;
};

// Rows of one unit at a time.
class UnitReader {
 public:
  UnitReader(const HiveTextScan& scan, const std::vector<size_t>& columns)
      : scan_(scan), columns_(columns) {}

  void open(duckdb::ClientContext& context, const Unit& unit);
  // 0: the unit is done.
  idx_t read(duckdb::DataChunk& output);

 private:
  const HiveTextScan& scan_;
  const std::vector<size_t>& columns_;
  const HiveTextFile* file_ = nullptr;
  const HiveSerde* serde_ = nullptr;
  std::unique_ptr<RowLines> lines_;
  std::vector<std::optional<duckdb::Value>> constants_;  // one a column of the chunk
  std::vector<CellReader> readers_;                      // likewise
  std::vector<std::string_view> cells_;
  std::vector<std::string> csv_cells_;

  bool fill_row(std::string_view line, duckdb::DataChunk& output, idx_t row);
  bool fill_json(std::string_view line, duckdb::DataChunk& output, idx_t row);
  bool is_read(size_t i) const { return columns_[i] < scan_.columns.size() && !constants_[i]; }
};

void UnitReader::open(duckdb::ClientContext& context, const Unit& unit) {
  file_ = &scan_.files[unit.file];
  serde_ = &scan_.serdes[file_->serde];
  auto path = lake_path(file_->data.path);
  if (!path) throw_error(path.error());
  duckdb::FileSystem& system = duckdb::FileSystem::GetFileSystem(context);
  lines_ = std::make_unique<RowLines>(
      FileLines(system, nullptr, *path, {file_->data.path, file_->version.etag}, unit.range),
      unit.range.begin == 0 ? serde_->skip_header : 0, serde_->skip_footer);
  constants_.clear();
  readers_.clear();
  for (size_t column : columns_) {
    bool known = column < scan_.columns.size();
    constants_.push_back(known ? file_constant(scan_.columns[column], *file_) : std::nullopt);
    readers_.emplace_back(known ? scan_.columns[column].type : Type(TypeKind::bigint), *serde_);
  }
}

bool UnitReader::fill_json(std::string_view line, duckdb::DataChunk& output, idx_t row) {
  if (line.find_first_not_of(" \t") == std::string_view::npos) return false;
  auto node = parse_json(line, false);
  bool object = node && (node->is(JsonNode::Kind::object) || node->is(JsonNode::Kind::array));
  if (!object && serde_->ignore_malformed) node = JsonNode();
  if (!object && !serde_->ignore_malformed) {
    throw_error({Code::corrupt, "HIVE_BAD_DATA",
                 fmt::format("Invalid JSON in {}: {}", file_->data.path, line.substr(0, 200))});
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!is_read(i)) continue;
    const std::string& name = scan_.names[columns_[i]];
    const JsonNode* found = nullptr;
    for (size_t k = 0; k < node->keys.size(); ++k) {
      bool same = std::ranges::equal(node->keys[k], name, [](unsigned char a, unsigned char b) {
        return std::tolower(a) == std::tolower(b);
      });
      if (same) found = &node->items[k];
    }
    try {
      readers_[i].put_json(output.data[i], row, found);
    } catch (const duckdb::InvalidInputException& error) {
      throw_error({Code::corrupt, "HIVE_BAD_DATA",
                   fmt::format("Error reading column {} of {}: {}", name, file_->data.path,
                               duckdb::ErrorData(error).RawMessage())});
    }
  }
  return true;
}

// False: the line is no row.
bool UnitReader::fill_row(std::string_view line, duckdb::DataChunk& output, idx_t row) {
  if (serde_->format == HiveFormat::json || serde_->format == HiveFormat::openx_json)
    return fill_json(line, output, row);
  bool csv = serde_->format == HiveFormat::csv;
  if (csv)
    split_csv(line, *serde_, csv_cells_);
  else
    split_text(line, *serde_, 0, cells_);
  size_t count = csv ? csv_cells_.size() : cells_.size();
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (!is_read(i)) continue;
    size_t cell = columns_[i];
    duckdb::Vector& out = output.data[i];
    if (cell >= count) {
      duckdb::FlatVector::SetNull(out, row, true);
    } else if (csv) {
      readers_[i].put_plain(out, row, csv_cells_[cell]);
    } else {
      readers_[i].put(out, row, cells_[cell]);
    }
  }
  return true;
}

idx_t UnitReader::read(duckdb::DataChunk& output) {
  idx_t row = 0;
  std::string_view line;
  while (lines_ && row < STANDARD_VECTOR_SIZE && lines_->next(line)) {
    if (fill_row(line, output, row)) ++row;
  }
  for (size_t i = 0; i < columns_.size(); ++i) {
    if (columns_[i] < scan_.columns.size() && constants_[i])
      output.data[i].Reference(*constants_[i]);
  }
  if (row == 0) lines_.reset();
  return row;
}

struct TextLocal final : duckdb::LocalTableFunctionState {
  TextLocal(const HiveTextScan& scan, const TextGlobal& global) : reader(scan, global.columns) {}
  UnitReader reader;
  bool open = false;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  auto made = bind_scan<HiveTextScan>(input);
  for (const LakeColumn& column : made->scan->columns) {
    names.push_back(fmt::format("c{}", names.size()));
    types.push_back(duckdb_type(column.type));
  }
  return made;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  auto made = duckdb::make_uniq<TextGlobal>();
  const HiveTextScan& scan = *input.bind_data->Cast<TextBind>().scan;
  for (duckdb::column_t column : input.column_ids) made->columns.push_back(column);
  for (size_t i = 0; i < scan.files.size(); ++i) {
    const tables::DataFile& file = scan.files[i].data;
    bool whole = is_compressed(file.path) || scan.serdes[scan.files[i].serde].skip_footer > 0;
    for (uint64_t begin = 0; begin < std::max<uint64_t>(1, file.size); begin += kUnitBytes) {
      Unit unit{i, {begin, begin + kUnitBytes}};
      if (whole || unit.range.end >= file.size) unit.range.end = UINT64_MAX;
      made->units.push_back(unit);
      if (whole) break;
    }
  }
  return made;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_local(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* global) {
  return duckdb::make_uniq<TextLocal>(*input.bind_data->Cast<TextBind>().scan,
                                      global->Cast<TextGlobal>());
}

void run(duckdb::ClientContext& context, duckdb::TableFunctionInput& input,
         duckdb::DataChunk& output) {
  auto& global = input.global_state->Cast<TextGlobal>();
  auto& local = input.local_state->Cast<TextLocal>();
  while (true) {
    if (!local.open) {
      size_t unit = global.next.fetch_add(1);
      if (unit >= global.units.size()) return;
      local.reader.open(context, global.units[unit]);
      local.open = true;
    }
    idx_t rows = local.reader.read(output);
    if (rows > 0) {
      output.SetCardinality(rows);
      return;
    }
    local.open = false;
    output.Reset();
  }
}

// A guess: lines of a hundred bytes.
duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  uint64_t bytes = 0;
  for (const HiveTextFile& file : data->Cast<TextBind>().scan->files) bytes += file.data.size;
  return duckdb::make_uniq<duckdb::NodeStatistics>(bytes / 100);
}

duckdb::InsertionOrderPreservingMap<std::string> describe(
    duckdb::TableFunctionToStringInput& input) {
  auto out = describe_scan<HiveTextScan>(input);
  out["Files"] = std::to_string(input.bind_data->Cast<TextBind>().scan->files.size());
  return out;
}

}  // namespace

void register_hive_text(duckdb::DatabaseInstance& database, const HiveTextScans& scans) {
  duckdb::TableFunction function("hive_text_scan", {LogicalType::VARCHAR}, run, bind, start,
                                 start_local);
  function.cardinality = cardinality;
  function.to_string = describe;
  register_scan(database, std::move(function), scans);
}

}  // namespace aichemy::sql
