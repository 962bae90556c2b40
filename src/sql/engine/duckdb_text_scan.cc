#include "sql/engine/duckdb_text_scan.h"

#include <fmt/format.h>

#include <atomic>
#include <duckdb/common/exception.hpp>
#include <duckdb/common/vector_operations/vector_operations.hpp>
#include <duckdb/function/table_function.hpp>

#include "base/bytes.h"
#include "base/json.h"
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

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_local(duckdb::ExecutionContext&,
                                                                duckdb::TableFunctionInitInput&,
                                                                duckdb::GlobalTableFunctionState*) {
  return duckdb::make_uniq<TextLocal>();
}

void set_null(duckdb::Vector& out, idx_t at) { duckdb::FlatVector::SetNull(out, at, true); }

// Texts of scalars of one type; a null view is a null.
void fill_scalars(const Type& type, const std::vector<std::string_view>& cells,
                  duckdb::Vector& out) {
  bool text = out.GetType().id() == duckdb::LogicalTypeId::VARCHAR;
  duckdb::Vector read(LogicalType::VARCHAR, std::max<idx_t>(cells.size(), 1));
  duckdb::Vector& to = text ? out : read;
  auto* texts = duckdb::FlatVector::GetData<duckdb::string_t>(to);
  for (idx_t i = 0; i < cells.size(); ++i) {
    std::string_view cell = cells[i];
    if (!cell.data()) {
      set_null(to, i);
    } else if (type.is(TypeKind::varbinary)) {
      auto bytes = from_hex(cell);
      if (!bytes) throw duckdb::InvalidInputException("a cell of bytes is not hex");
      auto* blobs = duckdb::FlatVector::GetData<duckdb::string_t>(out);
      blobs[i] = duckdb::StringVector::AddStringOrBlob(out, *bytes);
    } else if (type.is(TypeKind::timestamp_tz) && cell.ends_with(" UTC")) {
      texts[i] =
          duckdb::StringVector::AddString(to, std::string(cell.substr(0, cell.size() - 4)) + "+00");
    } else {
      texts[i] = duckdb::StringVector::AddString(to, cell.data(), cell.size());
    }
  }
  if (type.is(TypeKind::varbinary)) {
    for (idx_t i = 0; i < cells.size(); ++i) {
      if (!cells[i].data()) set_null(out, i);
    }
  } else if (!text) {
    duckdb::VectorOperations::DefaultCast(read, out, cells.size());
  }
}

void fill_nested(const Type& type, const std::vector<const Json*>& cells, duckdb::Vector& out);

// The items of lists, one after the other, behind each other in the list's vector.
void fill_list(const Type& type, const std::vector<const Json*>& cells, duckdb::Vector& out) {
  auto* entries = duckdb::FlatVector::GetData<duckdb::list_entry_t>(out);
  std::vector<const Json*> items;
  for (idx_t i = 0; i < cells.size(); ++i) {
    entries[i] = {items.size(), 0};
    if (!cells[i]) {
      set_null(out, i);
      continue;
    }
    for (const Json& item : cells[i]->as_array()) items.push_back(&item);
    entries[i].length = items.size() - entries[i].offset;
  }
  duckdb::ListVector::Reserve(out, items.size());
  duckdb::ListVector::SetListSize(out, items.size());
  duckdb::Vector& child = duckdb::ListVector::GetEntry(out);
  if (!type.is(TypeKind::map)) return fill_nested(type.element(), items, child);
  auto& pair = duckdb::StructVector::GetEntries(child);
  for (size_t side = 0; side < 2; ++side) {
    std::vector<const Json*> parts;
    for (const Json* item : items) parts.push_back(&item->as_array().at(side));
    fill_nested(side == 0 ? type.key() : type.value(), parts, *pair[side]);
  }
}

// Null cells are null; so are those that are JSON's null.
void fill_nested(const Type& type, const std::vector<const Json*>& given, duckdb::Vector& out) {
  std::vector<const Json*> cells = given;
  for (const Json*& cell : cells) {
    if (cell && cell->is_null()) cell = nullptr;
  }
  if (type.is(TypeKind::array) || type.is(TypeKind::map)) return fill_list(type, cells, out);
  if (type.is(TypeKind::row)) {
    for (idx_t i = 0; i < cells.size(); ++i) {
      if (!cells[i]) set_null(out, i);
    }
    auto& fields = duckdb::StructVector::GetEntries(out);
    for (size_t field = 0; field < type.fields.size(); ++field) {
      std::vector<const Json*> parts;
      for (const Json* cell : cells) parts.push_back(cell ? &cell->as_array().at(field) : nullptr);
      fill_nested(type.fields[field].type, parts, *fields[field]);
    }
    return;
  }
  std::vector<std::string_view> texts;
  for (const Json* cell : cells) {
    if (cell && !cell->is_string())
      throw duckdb::InvalidInputException("a scalar in a nested cell is not a text");
    texts.push_back(cell ? cell->as_string() : std::string_view());
  }
  fill_scalars(type, texts, out);
}

void fill(const TextScan& scan, idx_t first, idx_t count, size_t column, duckdb::Vector& out) {
  const Type& type = scan.types[column];
  auto cell = [&](idx_t i) -> const std::optional<std::string>& {
    return scan.rows[first + i][column];
  };
  if (!type.is(TypeKind::array) && !type.is(TypeKind::map) && !type.is(TypeKind::row)) {
    std::vector<std::string_view> texts(count);
    for (idx_t i = 0; i < count; ++i) {
      if (cell(i)) texts[i] = *cell(i);
    }
    return fill_scalars(type, texts, out);
  }
  std::vector<Json> parsed(count);
  std::vector<const Json*> cells(count);
  for (idx_t i = 0; i < count; ++i) {
    if (!cell(i)) continue;
    auto json = Json::parse(*cell(i));
    if (!json) throw duckdb::InvalidInputException("a nested cell is not JSON");
    parsed[i] = std::move(*json);
    cells[i] = &parsed[i];
  }
  fill_nested(type, cells, out);
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
    if (column >= scan.types.size()) continue;  // the row id: count(*)
    fill(scan, first, count, column, output.data[i]);
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
