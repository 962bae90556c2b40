#include "sql/engine/duckdb_text_scan.h"

#include <fmt/format.h>

#include <atomic>
#include <duckdb/common/exception.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/function/table_function.hpp>

#include "sql/engine/scan_function.h"
#include "sql/native/duckdb_type.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::LogicalType;

using TextBind = ScanBind<TextScan>;

struct TextGlobal : duckdb::GlobalTableFunctionState {
  std::atomic<idx_t> next{0};  // batch to give
  idx_t batches = 0;
  duckdb::vector<duckdb::column_t> columns;
  idx_t MaxThreads() const override { return batches; }
};

struct TextLocal : duckdb::LocalTableFunctionState {
  idx_t batch = 0;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  auto made = bind_scan<TextScan>(input);
  for (const Type& type : made->scan->types) {
    names.push_back(fmt::format("c{}", names.size()));
    types.push_back(duckdb_type(type));
  }
  return made;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  auto made = duckdb::make_uniq<TextGlobal>();
  idx_t rows = input.bind_data->Cast<TextBind>().scan->rows.size();
  made->batches = (rows + STANDARD_VECTOR_SIZE - 1) / STANDARD_VECTOR_SIZE;
  made->columns = input.column_ids;
  return made;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_local(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&, duckdb::GlobalTableFunctionState*) {
  return duckdb::make_uniq<TextLocal>();
}

void fill(const TextScan& scan, idx_t first, idx_t count, size_t column, duckdb::Vector& out) {
  auto* texts = duckdb::FlatVector::GetData<duckdb::string_t>(out);
  for (idx_t i = 0; i < count; ++i) {
    const auto& cell = scan.rows[first + i][column];
    if (cell)
      texts[i] = duckdb::StringVector::AddString(out, *cell);
    else
      duckdb::FlatVector::SetNull(out, i, true);
  }
}

void run(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const TextScan& scan = *input.bind_data->Cast<TextBind>().scan;
  auto& global = input.global_state->Cast<TextGlobal>();
  auto& local = input.local_state->Cast<TextLocal>();
  local.batch = global.next.fetch_add(1);
  if (local.batch >= global.batches) return;
  idx_t first = local.batch * STANDARD_VECTOR_SIZE;
  idx_t count = std::min<idx_t>(STANDARD_VECTOR_SIZE, scan.rows.size() - first);
  for (size_t i = 0; i < global.columns.size(); ++i) {
    size_t column = global.columns[i];
    duckdb::Vector& out = output.data[i];
    if (column >= scan.types.size()) continue;  // the row id: count(*)
    if (scan.types[column].is(TypeKind::varchar)) {
      fill(scan, first, count, column, out);
      continue;
    }
    duckdb::Vector texts(LogicalType::VARCHAR, count);
    fill(scan, first, count, column, texts);
    duckdb::VectorOperations::DefaultCast(texts, out, count);
  }
  output.SetCardinality(count);
}

duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  idx_t rows = data->Cast<TextBind>().scan->rows.size();
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

duckdb::OperatorPartitionData partition(duckdb::ClientContext&,
                                        duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<TextLocal>().batch);
}

}  // namespace

void register_text_scan(duckdb::DatabaseInstance& database, const TextScans& scans) {
  duckdb::TableFunction function("text_scan", {LogicalType::VARCHAR}, run, bind, start,
                                 start_local);
  function.cardinality = cardinality;
  function.to_string = describe_scan<TextScan>;
  function.get_partition_data = partition;
  register_scan(database, std::move(function), scans);
}

}  // namespace aichemy::sql
