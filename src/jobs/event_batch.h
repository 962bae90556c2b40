// One micro-batch of events: what an epoch reads, and what it found broken. Filled by the job's
// runner, decoded by the engine's table function event_scan('<handle>') (duckdb_event_scan.cc) on
// as many threads as the engine has.
#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "jobs/script.h"
#include "sql/connectors/scan_registry.h"

namespace duckdb {
class DatabaseInstance;
}

namespace aichemy::jobs {

// Whole record batches of one partition; records below `from` or at `to` and above do not belong to
// the epoch.
struct EventSlice {
  std::string topic;
  int32_t partition = 0;
  SharedBytes batches;
  int64_t from = 0;
  int64_t to = 0;
};

// A record that is not what the source table says. Keeps its bytes, so that nothing is lost.
struct DeadEvent {
  std::string topic;
  int32_t partition = 0;
  int64_t offset = 0;
  int64_t timestamp_millis = 0;
  std::optional<std::string> key;
  std::optional<std::string> value;
  std::string error;
};

struct EventBatch {
  std::vector<SourceColumn> columns;
  std::vector<EventSlice> slices;
  uint64_t bytes = 0;  // of the slices' batches

  std::mutex mutex;
  std::vector<DeadEvent> dead;  // guarded by mutex; complete once the scan ended
  uint64_t records = 0;         // guarded by mutex; good ones
};

// Columns of the dead-letter scan, in order: the dead-letter table has them under these names.
std::vector<SourceColumn> dead_event_columns();

struct EventScan {
  std::shared_ptr<EventBatch> batch;
  bool dead = false;  // the broken records, after a scan of the good ones ended
};

// Read by duckdb_event_scan.cc.
class EventScans : public sql::ScanRegistry<EventScan> {
 public:
  EventScans() : ScanRegistry("event_scan", "events-") {}
};

// Once per database, before the first statement. `scans` must outlive it.
void register_event_scan(duckdb::DatabaseInstance& database, const EventScans& scans);

}  // namespace aichemy::jobs
