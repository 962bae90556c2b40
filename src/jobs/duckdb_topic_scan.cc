// The table function topic_scan('<handle>'): ranges of a topic's partitions to rows, a range a
// thread at a time. A thread holds one read of the log, at most kReadBytes (or one batch).
#include <fmt/core.h>

#include <algorithm>
#include <atomic>
#include <duckdb/main/database.hpp>
#include <duckdb/storage/statistics/node_statistics.hpp>

#include "base/bytes.h"
#include "jobs/json_columns.h"
#include "jobs/topic_catalog.h"
#include "sql/engine/scan_function.h"
#include "wire/record_batch.h"

namespace aichemy::jobs {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;

constexpr uint32_t kReadBytes = 4 << 20;
constexpr int64_t kOffsetsOfUnit = 250'000;  // enough work for a thread at a time
constexpr size_t kNotMember = static_cast<size_t>(-1);

using TopicBind = sql::ScanBind<TopicScan>;

struct TopicGlobal final : public duckdb::GlobalTableFunctionState {
  std::vector<TopicRange> units;
  std::vector<size_t> projected;  // columns of the scan, by place in the chunk
  std::vector<size_t> members;    // the same as places in TopicScan::members
  bool any_member = false;
  std::atomic<size_t> next = 0;
  std::atomic<int64_t> done = 0;
  int64_t total = 0;
  idx_t MaxThreads() const override { return std::max<size_t>(1, units.size()); }
};

struct TopicLocal final : public duckdb::LocalTableFunctionState {
  TopicLocal(const TopicScan& scan, const TopicGlobal& global)
      : decoder(scan.members, global.members) {
    slice.topic = scan.topic;
  }
  JsonColumns decoder;
  EventSlice slice;        // of the record that is decoded
  SharedBytes bytes;       // what was read
  std::string_view rest;   // of it
  std::string_view batch;  // the records come from this one
  std::string storage;     // decompressed records
  std::vector<wire::Record> records;
  size_t next_record = 0;
  int64_t offset = 0, to = 0;  // what is left of the unit
};

duckdb::unique_ptr<duckdb::FunctionData> bind(duckdb::ClientContext&,
                                              duckdb::TableFunctionBindInput& input,
                                              duckdb::vector<duckdb::LogicalType>& types,
                                              duckdb::vector<std::string>& names) {
  auto bound = sql::bind_scan<TopicScan>(input);
  for (size_t i = 0; i < bound->scan->columns.size(); ++i) {
    names.push_back(fmt::format("c{}", i));
    types.push_back(
        duckdb::TransformStringToLogicalType(sql::stored_type(bound->scan->columns[i].type)));
  }
  return bound;
}

duckdb::unique_ptr<duckdb::GlobalTableFunctionState> start(duckdb::ClientContext&,
                                                           duckdb::TableFunctionInitInput& input) {
  const TopicScan& scan = *input.bind_data->Cast<TopicBind>().scan;
  auto state = duckdb::make_uniq<TopicGlobal>();
  size_t internal = topic_columns().size();
  for (idx_t column : input.column_ids) {
    bool member = column >= internal && column < scan.columns.size();
    state->projected.push_back(static_cast<size_t>(column));
    state->members.push_back(member ? static_cast<size_t>(column) - internal : kNotMember);
    // Whether a message is corrupt shows when its members are read.
    state->any_member = state->any_member || member || (column == 2 && !scan.members.empty());
  }
  for (const TopicRange& range : scan.ranges) {
    state->total += range.to - range.from;
    for (int64_t from = range.from; from < range.to; from += kOffsetsOfUnit)
      state->units.push_back({range.partition, from, std::min(range.to, from + kOffsetsOfUnit)});
  }
  return state;
}

duckdb::unique_ptr<duckdb::LocalTableFunctionState> start_thread(
    duckdb::ExecutionContext&, duckdb::TableFunctionInitInput& input,
    duckdb::GlobalTableFunctionState* global) {
  return duckdb::make_uniq<TopicLocal>(*input.bind_data->Cast<TopicBind>().scan,
                                       global->Cast<TopicGlobal>());
}

// The next batch with records of the unit; false when there is no unit left.
bool next_batch(const TopicScan& scan, TopicGlobal& global, TopicLocal& local) {
  for (;;) {
    if (local.offset >= local.to) {
      size_t index = global.next.fetch_add(1);
      if (index >= global.units.size()) return false;
      const TopicRange& unit = global.units[index];
      local.slice.partition = unit.partition;
      local.offset = unit.from;
      local.to = unit.to;
      local.rest = {};
    }
    if (local.rest.size() < wire::kBatchHeaderBytes) {
      auto read = scan.broker->read(scan.topic, local.slice.partition, local.offset, kReadBytes);
      if (!read) {
        throw duckdb::IOException("%s-%d at %d: %s", scan.topic, local.slice.partition,
                                  local.offset, read.error().message);
      }
      local.bytes = std::move(*read);
      local.rest = local.bytes.view();
      if (local.rest.empty()) {  // deleted meanwhile
        local.offset = local.to;
        continue;
      }
    }
    auto header = wire::read_batch_header(local.rest);
    if (!header)
      throw duckdb::IOException("%s-%d: %s", scan.topic, local.slice.partition,
                                header.error().message);
    if (header->bytes() > local.rest.size()) {  // cut off: read on from here
      local.rest = {};
      continue;
    }
    local.batch = local.rest.substr(0, header->bytes());
    local.rest.remove_prefix(header->bytes());
    int64_t before = std::exchange(local.offset, std::max(local.offset, header->next_offset()));
    global.done += std::min(local.offset, local.to) - before;
    if (header->is_control() || header->last_offset() < before) continue;
    if (header->base_offset >= local.to) continue;
    auto records = wire::read_records(local.batch, local.storage);
    if (!records) throw duckdb::IOException("record batch: %s", records.error().message);
    local.records = std::move(*records);
    local.next_record = 0;
    local.slice.from = before;
    local.slice.to = local.to;
    return true;
  }
}

size_t readable_after(const TopicLocal& local, std::string_view value) {
  const char* end = value.data() + value.size();
  const char* first = local.storage.data();
  if (end >= first && end <= first + local.storage.size())
    return static_cast<size_t>(first + local.storage.size() - end);
  std::string_view all = local.bytes.view();
  return static_cast<size_t>(all.data() + all.size() - end);
}

template <class T>
void put(duckdb::Vector& vector, size_t row, T value) {
  FlatVector::GetData<T>(vector)[row] = value;
  FlatVector::Validity(vector).SetValid(row);
}

void put_text(duckdb::Vector& vector, size_t row, std::optional<std::string_view> text) {
  if (!text || !is_valid_utf8(*text)) return FlatVector::SetNull(vector, row, true);
  put(vector, row, duckdb::StringVector::AddStringOrBlob(vector, text->data(), text->size()));
}

void put_length(duckdb::Vector& vector, size_t row, std::optional<std::string_view> text) {
  put(vector, row, static_cast<int64_t>(text ? text->size() : 0));
}

duckdb::Value headers_value(const wire::Record& record, const duckdb::LogicalType& type) {
  std::vector<std::pair<std::string, duckdb::vector<duckdb::Value>>> by_name;
  auto headers = wire::read_record_headers(record.headers);
  if (!headers) throw duckdb::IOException("record headers: %s", headers.error().message);
  for (const auto& [name, value] : *headers) {
    auto found = std::ranges::find(by_name, name, [](const auto& entry) { return entry.first; });
    if (found == by_name.end()) found = by_name.insert(found, {std::string(name), {}});
    found->second.push_back(value ? duckdb::Value::BLOB_RAW(std::string(*value))
                                  : duckdb::Value(duckdb::LogicalType::BLOB));
  }
  duckdb::vector<duckdb::Value> keys, values;
  for (auto& [name, list] : by_name) {
    keys.emplace_back(name);
    values.push_back(duckdb::Value::LIST(duckdb::LogicalType::BLOB, std::move(list)));
  }
  return duckdb::Value::MAP(duckdb::MapType::KeyType(type), duckdb::MapType::ValueType(type),
                            std::move(keys), std::move(values));
}

// lint: table, one case an internal column
void put_internal(size_t column, const EventSlice& slice, const wire::Record& record, bool corrupt,
                  duckdb::Vector& vector, size_t row) {
  auto broken = [](std::optional<std::string_view> text) { return text && !is_valid_utf8(*text); };
  switch (column) {
    case 0: return put(vector, row, int64_t{slice.partition});
    case 1:
    case 10: return put(vector, row, record.offset);
    case 2: return put(vector, row, corrupt || broken(record.value));
    case 3: return put_text(vector, row, record.value);
    case 4: {
      FlatVector::Validity(vector).SetValid(row);
      return vector.SetValue(row, headers_value(record, vector.GetType()));
    }
    case 5: return put_length(vector, row, record.value);
    case 6: return put(vector, row, broken(record.key));
    case 7: return put_text(vector, row, record.key);
    case 8: return put_length(vector, row, record.key);
    case 9: {
      int64_t micros = 0;
      if (__builtin_mul_overflow(record.timestamp, int64_t{1000}, &micros))
        return FlatVector::SetNull(vector, row, true);
      return put(vector, row, micros);
    }
    default: return;
  }
}

void scan(duckdb::ClientContext&, duckdb::TableFunctionInput& input, duckdb::DataChunk& chunk) {
  const TopicScan& topic = *input.bind_data->Cast<TopicBind>().scan;
  auto& global = input.global_state->Cast<TopicGlobal>();
  auto& local = input.local_state->Cast<TopicLocal>();
  size_t internal = topic_columns().size(), rows = 0;
  while (rows < STANDARD_VECTOR_SIZE) {
    if (local.next_record >= local.records.size()) {
      if (!next_batch(topic, global, local)) break;
      continue;
    }
    const wire::Record& record = local.records[local.next_record++];
    if (record.offset < local.slice.from || record.offset >= local.slice.to) continue;
    bool corrupt = false;
    if (global.any_member) {
      size_t after = record.value ? readable_after(local, *record.value) : 0;
      corrupt = local.decoder.decode(local.slice, record, after, chunk, rows).has_value();
      for (size_t i = 0; corrupt && i < global.members.size(); ++i) {
        if (global.members[i] != kNotMember) FlatVector::SetNull(chunk.data[i], rows, true);
      }
    }
    for (size_t i = 0; i < global.projected.size(); ++i) {
      if (global.projected[i] < internal)
        put_internal(global.projected[i], local.slice, record, corrupt, chunk.data[i], rows);
    }
    ++rows;
  }
  chunk.SetCardinality(rows);
}

duckdb::unique_ptr<duckdb::NodeStatistics> cardinality(duckdb::ClientContext&,
                                                       const duckdb::FunctionData* data) {
  uint64_t rows = 0;
  for (const TopicRange& range : data->Cast<TopicBind>().scan->ranges)
    rows += static_cast<uint64_t>(range.to - range.from);
  return duckdb::make_uniq<duckdb::NodeStatistics>(rows, rows);
}

double progress(duckdb::ClientContext&, const duckdb::FunctionData*,
                const duckdb::GlobalTableFunctionState* state) {
  const auto& global = state->Cast<TopicGlobal>();
  if (global.total == 0) return 100;
  return 100.0 * static_cast<double>(global.done.load()) / static_cast<double>(global.total);
}

}  // namespace

void register_topic_scan(duckdb::DatabaseInstance& database, const TopicScans& scans) {
  duckdb::TableFunction function("topic_scan", {duckdb::LogicalType::VARCHAR}, scan, bind, start,
                                 start_thread);
  function.cardinality = cardinality;
  function.table_scan_progress = progress;
  sql::register_scan(database, std::move(function), scans);
}

}  // namespace aichemy::jobs
