// One micro-batch of events: what an epoch reads, and what it found broken. Filled by the job's
// runner, decoded by the engine's table function event_scan('<handle>') (duckdb_event_scan.cc) on
// as many threads as the engine has.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "base/bytes.h"
#include "jobs/script.h"
#include "sql/connectors/connector.h"

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

  std::mutex mutex;
  std::vector<DeadEvent> dead;  // guarded by mutex; complete once the scan ended
  uint64_t records = 0;         // guarded by mutex; good ones
};

// Columns of the dead-letter scan, in order: the dead-letter table has them under these names.
std::vector<SourceColumn> dead_event_columns();

// Handles for event_scan. Thread safe; a handle lives as long as `keep`.
class EventScans {
 public:
  sql::EngineScan add(std::shared_ptr<EventBatch> batch);  // the good records
  sql::EngineScan add_dead(
      std::shared_ptr<EventBatch> batch);  // the dead ones, after the first scan ended
  struct Scan {
    std::shared_ptr<EventBatch> batch;
    bool dead = false;
  };
  std::optional<Scan> find(const std::string& handle) const;

 private:
  struct Registry {
    std::mutex mutex;
    uint64_t next = 1;
    std::map<std::string, Scan> by_handle;
  };
  std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
  sql::EngineScan add_scan(Scan scan);
};

// Once per database, before the first statement. `scans` must outlive it.
void register_event_scan(duckdb::DatabaseInstance& database, const EventScans& scans);

}  // namespace aichemy::jobs
