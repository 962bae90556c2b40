#include "sql/engine/duckdb_tpch.h"

#include <fmt/format.h>

#include <atomic>
#include <duckdb/common/exception.hpp>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include "sql/connectors/tpch_generator.h"
#include "sql/engine/engine.h"
#include "sql/native/duckdb_type.h"

namespace aichemy::sql {
namespace {

struct TpchBind : duckdb::TableFunctionData {
  std::string handle;
  const TpchTable* table = nullptr;
  double scale = 1;
  uint64_t units = 0;
  std::vector<duckdb::LogicalType> types;
};

struct TpchGlobal : duckdb::GlobalTableFunctionState {
  std::atomic<uint64_t> next{0};  // range to make
  uint64_t units_per_range = 1, ranges = 1;
  std::vector<size_t> columns;        // asked for and made
  std::vector<duckdb::idx_t> places;  // their places in the output
  idx_t MaxThreads() const override { return ranges; }
};

struct TpchLocal : duckdb::LocalTableFunctionState {
  uint64_t range = 0;
  std::vector<TpchValues> values;
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<duckdb::string>& names) {
  auto made = duckdb::make_uniq<TpchBind>();
  std::string handle = input.inputs[0].GetValue<std::string>();
  made->handle = handle;
  size_t colon = handle.find(':');
  made->table = find_tpch_table(handle.substr(0, colon));
  if (!made->table || colon == std::string::npos)
    throw duckdb::InvalidInputException("no tpch table for '%s'", handle);
  made->scale = std::stod(handle.substr(colon + 1));
  made->units = tpch_units(*made->table, made->scale);
  for (const auto& column : made->table->columns) {
    names.push_back(fmt::format("c{}", names.size()));
    types.push_back(duckdb_type(*parse_type(column.type)));
    made->types.push_back(types.back());
  }
  return made;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  const auto& bound = input.bind_data->Cast<TpchBind>();
  auto made = duckdb::make_uniq<TpchGlobal>();
  made->units_per_range = STANDARD_VECTOR_SIZE / bound.table->rows_max;
  made->ranges = (bound.units + made->units_per_range - 1) / made->units_per_range;
  for (size_t i = 0; i < input.column_ids.size(); ++i) {
    if (input.column_ids[i] >= bound.types.size()) continue;  // the row id: count(*)
    made->columns.push_back(input.column_ids[i]);
    made->places.push_back(i);
  }
  return made;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_local(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput&,
    duckdb::GlobalTableFunctionState* state) {
  auto made = duckdb::make_uniq<TpchLocal>();
  made->values.resize(state->Cast<TpchGlobal>().columns.size());
  return made;
}

void fill(const TpchValues& from, duckdb::Vector& to) {
  using duckdb::FlatVector;
  switch (to.GetType().id()) {
    case duckdb::LogicalTypeId::DOUBLE:
      std::ranges::copy(from.real, FlatVector::GetData<double>(to));
      return;
    case duckdb::LogicalTypeId::INTEGER:
    case duckdb::LogicalTypeId::DATE: {
      auto* data = FlatVector::GetData<int32_t>(to);
      for (size_t i = 0; i < from.whole.size(); ++i) data[i] = static_cast<int32_t>(from.whole[i]);
      return;
    }
    case duckdb::LogicalTypeId::VARCHAR: {
      auto* data = FlatVector::GetData<duckdb::string_t>(to);
      uint32_t begin = 0;
      for (size_t i = 0; i < from.ends.size(); ++i) {
        data[i] =
            duckdb::StringVector::AddString(to, from.bytes.data() + begin, from.ends[i] - begin);
        begin = from.ends[i];
      }
      return;
    }
    default: std::ranges::copy(from.whole, FlatVector::GetData<int64_t>(to));
  }
}

void run(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& output) {
  const auto& bound = input.bind_data->Cast<TpchBind>();
  auto& global = input.global_state->Cast<TpchGlobal>();
  auto& local = input.local_state->Cast<TpchLocal>();
  local.range = global.next.fetch_add(1);
  if (local.range >= global.ranges) return;
  uint64_t first = local.range * global.units_per_range;
  uint64_t count = std::min(global.units_per_range, bound.units - first);
  uint64_t rows =
      TpchGenerator(*bound.table, bound.scale).generate(first, count, global.columns, local.values);
  for (size_t i = 0; i < global.places.size(); ++i)
    fill(local.values[i], output.data[global.places[i]]);
  output.SetCardinality(rows);
}

duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  const auto& bound = data->Cast<TpchBind>();
  uint64_t rows = bound.units * (bound.table->rows_max == 7 ? 4 : bound.table->rows_max);
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows * 2);
}

double progress(duckdb::ClientContext&, const duckdb::FunctionData*,
                const duckdb::GlobalTableFunctionState* state) {
  const auto& global = state->Cast<TpchGlobal>();
  return 100.0 * static_cast<double>(std::min(global.next.load(), global.ranges)) /
         static_cast<double>(std::max<uint64_t>(global.ranges, 1));
}

duckdb::OperatorPartitionData partition(duckdb::ClientContext&,
                                        duckdb::TableFunctionGetPartitionInput& input) {
  return duckdb::OperatorPartitionData(input.local_state->Cast<TpchLocal>().range);
}

duckdb::InsertionOrderPreservingMap<std::string> describe(
    duckdb::TableFunctionToStringInput& input) {
  duckdb::InsertionOrderPreservingMap<std::string> out;
  out[kScanHandle] = input.bind_data->Cast<TpchBind>().handle;
  return out;
}

}  // namespace

void register_tpch_scan(duckdb::DatabaseInstance& database) {
  duckdb::TableFunction function("tpch_scan", {duckdb::LogicalType::VARCHAR}, run, bind, start,
                                 start_local);
  function.projection_pushdown = true;
  function.cardinality = cardinality;
  function.table_scan_progress = progress;
  function.to_string = describe;
  function.get_partition_data = partition;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
