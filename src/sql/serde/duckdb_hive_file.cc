// hive_file_scan('<handle>'): files of ORC and Avro, a unit (a stripe, a file) a thread at a time.
#include <fmt/format.h>

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <duckdb/main/client_context.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>
#include <mutex>

#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/scan_function.h"
#include "sql/native/duckdb_type.h"
#include "sql/serde/file_constant.h"
#include "sql/serde/file_rows.h"
#include "sql/serde/registration.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;

constexpr uint64_t kThreadBytes = 8 << 20;  // a guess at what a stripe has

using FileBind = ScanBind<HiveFileScan>;

struct Unit {
  size_t file = 0;
  std::shared_ptr<FileRows> rows;
  size_t number = 0;
};

// Hands out units. A file is opened by the thread that finds no unit left; others wait for what it
// has, so that one large file keeps all of them busy.
struct FileGlobal final : duckdb::GlobalTableFunctionState {
  explicit FileGlobal(const HiveFileScan& s) : scan(s) {}

  const HiveFileScan& scan;
  std::vector<size_t> columns;  // of the scan, by place in the chunk
  idx_t threads = 1;
  idx_t MaxThreads() const override { return threads; }

  bool next(duckdb::ClientContext& context, Unit& unit) {
    std::unique_lock lock(mutex_);
    while (true) {
      if (!units_.empty()) {
        unit = std::move(units_.front());
        units_.pop_front();
        return true;
      }
      if (next_file_ < scan.files.size()) {
        open(context, lock, next_file_++);
      } else if (opening_ == 0) {
        return false;
      } else {
        opened_.wait(lock);
      }
    }
  }

  bool from_file(size_t column, size_t file) const {
    return column < scan.columns.size() && scan.columns[column].source == LakeColumnSource::data &&
           !file_constant(scan.columns[column], scan.files[file]);
  }

 private:
  std::mutex mutex_;
  std::condition_variable opened_;
  size_t next_file_ = 0, opening_ = 0;
  std::deque<Unit> units_;

  void open(duckdb::ClientContext& context, std::unique_lock<std::mutex>& lock, size_t file) {
    ++opening_;
    lock.unlock();
    std::shared_ptr<FileRows> rows;
    std::exception_ptr error;
    try {
      std::vector<FileColumn> wanted;
      for (size_t i = 0; i < columns.size(); ++i) {
        if (from_file(columns[i], file)) wanted.push_back({columns[i], i});
      }
      duckdb::FileSystem& system = duckdb::FileSystem::GetFileSystem(context);
      bool orc = scan.serdes[scan.files[file].serde].format == HiveFormat::orc;
      rows = orc ? open_orc(system, scan, file, wanted) : open_avro(system, scan, file, wanted);
    } catch (...) {
      error = std::current_exception();
    }
    lock.lock();
    --opening_;
    for (size_t i = 0; rows && i < rows->units(); ++i) units_.push_back({file, rows, i});
    opened_.notify_all();
    if (error) std::rethrow_exception(error);
  }
};

struct FileLocal final : duckdb::LocalTableFunctionState {
  Unit unit;
  std::unique_ptr<UnitRows> rows;
  std::vector<std::optional<duckdb::Value>> constants;  // one a column of the chunk
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  auto made = bind_scan<HiveFileScan>(input);
  for (const LakeColumn& column : made->scan->columns) {
    names.push_back(fmt::format("c{}", names.size()));
    types.push_back(duckdb_type(column.type));
  }
  return made;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  const HiveFileScan& scan = *input.bind_data->Cast<FileBind>().scan;
  auto made = duckdb::make_uniq<FileGlobal>(scan);
  for (duckdb::column_t column : input.column_ids) made->columns.push_back(column);
  for (const HiveTextFile& file : scan.files) made->threads += file.data.size / kThreadBytes + 1;
  return made;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_local(duckdb::ExecutionContext&,
                                                                duckdb::TableFunctionInitInput&,
                                                                duckdb::GlobalTableFunctionState*) {
  return duckdb::make_uniq<FileLocal>();
}

bool open_next(duckdb::ClientContext& context, FileGlobal& global, FileLocal& local) {
  while (!local.rows) {
    if (!global.next(context, local.unit)) return false;
    local.rows = local.unit.rows->open(local.unit.number);
  }
  local.constants.clear();
  for (size_t column : global.columns) {
    bool known = column < global.scan.columns.size();
    local.constants.push_back(
        known ? file_constant(global.scan.columns[column], global.scan.files[local.unit.file])
              : std::nullopt);
  }
  return true;
}

void run(duckdb::ClientContext& context, duckdb::TableFunctionInput& input,
         duckdb::DataChunk& output) {
  auto& global = input.global_state->Cast<FileGlobal>();
  auto& local = input.local_state->Cast<FileLocal>();
  while (local.rows || open_next(context, global, local)) {
    idx_t rows = local.rows->read(output);
    if (rows > 0) {
      for (size_t i = 0; i < local.constants.size(); ++i) {
        if (local.constants[i]) output.data[i].Reference(*local.constants[i]);
      }
      output.SetCardinality(rows);
      return;
    }
    local.rows.reset();
    output.Reset();
  }
}

// A guess: rows of 32 bytes.
duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  uint64_t bytes = 0;
  for (const HiveTextFile& file : data->Cast<FileBind>().scan->files) bytes += file.data.size;
  return duckdb::make_uniq<duckdb::NodeStatistics>(bytes / 32);
}

duckdb::InsertionOrderPreservingMap<std::string> describe(
    duckdb::TableFunctionToStringInput& input) {
  auto out = describe_scan<HiveFileScan>(input);
  out["Files"] = std::to_string(input.bind_data->Cast<FileBind>().scan->files.size());
  return out;
}

}  // namespace

void register_hive_files(duckdb::DatabaseInstance& database, const HiveFileScans& scans) {
  duckdb::TableFunction function("hive_file_scan", {LogicalType::VARCHAR}, run, bind, start,
                                 start_local);
  function.cardinality = cardinality;
  function.to_string = describe;
  register_scan(database, std::move(function), scans);
}

}  // namespace aichemy::sql
