// The table function event_scan('<handle>'): record batches to rows, a slice a thread at a time.
#include <fmt/core.h>
#include <algorithm>
#include <atomic>
#include <duckdb/main/database.hpp>

#include "jobs/event_batch.h"
#include "jobs/json_columns.h"
#include "sql/engine/scan_function.h"
#include "wire/record_batch.h"

namespace aichemy::jobs {
namespace {

using duckdb::idx_t;

struct EventScanBind final : public duckdb::TableFunctionData {
  EventScan scan;
  std::vector<SourceColumn> columns;
};

// A unit of work: one record batch within a slice.
struct BatchUnit {
  size_t slice = 0;
  std::string_view bytes;
  size_t readable_after = 0;  // behind the batch, in the same buffer
};

struct EventScanGlobal final : public duckdb::GlobalTableFunctionState {
  std::vector<BatchUnit> units;
  std::vector<size_t> projected;
  std::atomic<size_t> next = 0;
  size_t threads = 1;
  idx_t MaxThreads() const override { return threads; }
};

struct EventScanLocal final : public duckdb::LocalTableFunctionState {
  EventScanLocal(const std::vector<SourceColumn>& columns, std::vector<size_t> projected)
      : decoder(columns, std::move(projected)) {}
  JsonColumns decoder;
  const BatchUnit* unit = nullptr;
  std::string storage;  // decompressed records
  std::vector<wire::Record> records;
  size_t next_record = 0;
};

duckdb::LogicalType physical(const sql::Type& type) {
  return duckdb::TransformStringToLogicalType(sql::stored_type(type));
}

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto scan = sql::bind_scan<EventScan>(input)->scan;
  auto bound = duckdb::make_uniq<EventScanBind>();
  bound->columns = scan->dead ? dead_event_columns() : scan->batch->columns;
  bound->scan = *scan;
  for (size_t i = 0; i < bound->columns.size(); ++i) {
    names.push_back(fmt::format("c{}", i));
    types.push_back(physical(bound->columns[i].type));
  }
  return bound;
}

// Cuts slices into batches. What the broker stored was checked when it arrived: a break here is a
// bug or a bad disk.
void cut(const EventSlice& slice, size_t index, std::vector<BatchUnit>& units) {
  std::string_view rest = slice.batches.view();
  while (rest.size() >= wire::kBatchHeaderBytes) {
    auto header = wire::read_batch_header(rest);
    if (!header)
      throw duckdb::IOException("%s-%d: %s", slice.topic, slice.partition, header.error().message);
    if (header->bytes() > rest.size() || header->base_offset >= slice.to) break;
    if (header->last_offset() >= slice.from && !header->is_control()) {
      units.push_back({index, rest.substr(0, header->bytes()), rest.size() - header->bytes()});
    }
    rest.remove_prefix(header->bytes());
  }
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  auto& bound = input.bind_data->Cast<EventScanBind>();
  auto state = duckdb::make_uniq<EventScanGlobal>();
  for (idx_t column : input.column_ids) state->projected.push_back(static_cast<size_t>(column));
  if (!bound.scan.dead) {
    const auto& slices = bound.scan.batch->slices;
    for (size_t i = 0; i < slices.size(); ++i) cut(slices[i], i, state->units);
    state->threads = std::max<size_t>(1, state->units.size());
  }
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_thread(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* global) {
  auto& bound = input.bind_data->Cast<EventScanBind>();
  return duckdb::make_uniq<EventScanLocal>(bound.columns,
                                           global->Cast<EventScanGlobal>().projected);
}

bool next_unit(EventScanGlobal& global, EventScanLocal& local) {
  size_t index = global.next.fetch_add(1);
  if (index >= global.units.size()) return false;
  local.unit = &global.units[index];
  local.next_record = 0;
  auto records = wire::read_records(local.unit->bytes, local.storage);
  if (!records) throw duckdb::IOException("record batch: %s", records.error().message);
  local.records = std::move(*records);
  return true;
}

// Bytes behind a value that may be read: within its own buffer.
size_t readable_after(const EventScanLocal& local, std::string_view value) {
  const char* end = value.data() + value.size();
  const std::string& storage = local.storage;
  if (end >= storage.data() && end <= storage.data() + storage.size()) {
    return static_cast<size_t>(storage.data() + storage.size() - end);
  }
  const char* batch_end = local.unit->bytes.data() + local.unit->bytes.size();
  return static_cast<size_t>(batch_end - end) + local.unit->readable_after;
}

DeadEvent dead_event(const EventSlice& slice, const wire::Record& record, std::string why) {
  DeadEvent out{slice.topic,  slice.partition, record.offset, record.timestamp,
                std::nullopt, std::nullopt,    std::move(why)};
  if (record.key) out.key = std::string(*record.key);
  if (record.value) out.value = std::string(*record.value);
  return out;
}

void scan_live(EventBatch& batch, EventScanGlobal& global, EventScanLocal& local,
               duckdb::DataChunk& chunk) {
  size_t rows = 0;
  std::vector<DeadEvent> dead;
  while (rows < STANDARD_VECTOR_SIZE) {
    if (!local.unit || local.next_record >= local.records.size()) {
      if (!next_unit(global, local)) break;
      continue;
    }
    const EventSlice& slice = batch.slices[local.unit->slice];
    const wire::Record& record = local.records[local.next_record++];
    if (record.offset < slice.from || record.offset >= slice.to) continue;
    size_t after = record.value ? readable_after(local, *record.value) : 0;
    if (auto why = local.decoder.decode(slice, record, after, chunk, rows)) {
      dead.push_back(dead_event(slice, record, std::move(*why)));
    } else {
      ++rows;
    }
  }
  chunk.SetCardinality(rows);
  std::lock_guard lock(batch.mutex);
  batch.records += rows;
  for (DeadEvent& event : dead) batch.dead.push_back(std::move(event));
}

duckdb::Value dead_cell(const DeadEvent& event, size_t column) {
  auto blob = [](const std::optional<std::string>& bytes) {
    return bytes ? duckdb::Value::BLOB_RAW(*bytes) : duckdb::Value(duckdb::LogicalType::BLOB);
  };
  switch (column) {
    case 0: return duckdb::Value(event.topic);
    case 1: return duckdb::Value::INTEGER(event.partition);
    case 2: return duckdb::Value::BIGINT(event.offset);
    case 3: {
      int64_t micros = 0;
      bool fits = !__builtin_mul_overflow(event.timestamp_millis, int64_t{1000}, &micros);
      if (!fits) return duckdb::Value(duckdb::LogicalType::TIMESTAMP_TZ);
      return duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros));
    }
    case 4: return blob(event.key);
    case 5: return blob(event.value);
    default: return duckdb::Value(event.error);
  }
}

void scan_dead(EventBatch& batch, EventScanGlobal& global, duckdb::DataChunk& chunk) {
  std::lock_guard lock(batch.mutex);
  size_t first = global.next.fetch_add(STANDARD_VECTOR_SIZE);
  size_t count = first < batch.dead.size()
                     ? std::min<size_t>(STANDARD_VECTOR_SIZE, batch.dead.size() - first)
                     : 0;
  for (size_t row = 0; row < count; ++row) {
    for (size_t i = 0; i < global.projected.size(); ++i) {
      if (global.projected[i] > 6) continue;  // virtual
      chunk.SetValue(i, row, dead_cell(batch.dead[first + row], global.projected[i]));
    }
  }
  chunk.SetCardinality(count);
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
  auto& bound = input.bind_data->Cast<EventScanBind>();
  auto& global = input.global_state->Cast<EventScanGlobal>();
  if (bound.scan.dead) {
    scan_dead(*bound.scan.batch, global, chunk);
  } else {
    scan_live(*bound.scan.batch, global, input.local_state->Cast<EventScanLocal>(), chunk);
  }
}

}  // namespace

void register_event_scan(duckdb::DatabaseInstance& database, const EventScans& scans) {
  duckdb::TableFunction function("event_scan", {duckdb::LogicalType::VARCHAR}, scan, bind, start,
                                 start_thread);
  sql::register_scan(database, std::move(function), scans);
}

}  // namespace aichemy::jobs
