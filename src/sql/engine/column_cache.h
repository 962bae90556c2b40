// Columns of tables that are read often, kept decoded in memory: lake_scan() of a state of a table
// that is held is bound to a table of the engine's own, which costs a third of reading Parquet.
//
// What is held never differs from what the files say: it is made by lake_scan itself and found
// again by LakeScan::State, which no change leaves as it was. Scans without such a state (of
// changes, of earlier snapshots, of Hive's tables), of hidden columns, and statements in databases
// of their own read the files.
//
// Loading is done beside the statements, by one thread, slice by slice; it waits for those that
// run, but not for ever. What goes wrong there costs nobody an answer.
//
// Limits: bytes_max in memory, compressed, and one slice that is not yet; out of the memory of all
// statements, beyond which the engine spills it like everything else. Nothing is held of a table
// that nobody read for ColumnCachePolicy::kIdle.
#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <duckdb/function/table_function.hpp>
#include <duckdb/main/client_context_state.hpp>
#include <duckdb/parser/tableref.hpp>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "sql/connectors/lake_scan.h"
#include "sql/engine/column_cache_policy.h"
#include "sql/engine/duckdb_columns.h"

namespace duckdb {
class DuckDB;
}  // namespace duckdb

namespace aichemy::sql {

class ColumnCache {
 public:
  struct Options {
    duckdb::DuckDB& database;
    LakeScans& scans;
    Clock& clock;
    Metrics& metrics;
    uint64_t bytes_max = 0;
  };
  static constexpr std::chrono::seconds kLatest{5};        // that a busy engine puts loading off
  static constexpr std::chrono::milliseconds kPause{100};  // and its next slice
  // Appended and compressed at once; what the engine's appender does by itself.
  static constexpr uint64_t kSliceRows = 100 * 2048;

  explicit ColumnCache(Options options);
  ~ColumnCache();
  ColumnCache(const ColumnCache&) = delete;
  ColumnCache& operator=(const ColumnCache&) = delete;

  // Ends the thread and lets go of everything. Before the database goes.
  void stop();

  // What to read in place of these columns of the scan, nullptr: the files. Until the statement of
  // `context` ends, what it is given stays. Thread safe.
  duckdb::unique_ptr<duckdb::TableRef> find(duckdb::ClientContext& context,
                                            const std::shared_ptr<const LakeScan>& scan,
                                            const ScanArgument& asked);

  // Planning alone is no read: for the next statements of `context` nothing is counted.
  void planning_only(duckdb::ClientContext& context);

  // A handle under which the last statement of `context` asked for what it read from memory as
  // `table`, those of several in turn; empty: it did not.
  static std::string handle_of(duckdb::ClientContext& context, const std::string& table);

  uint64_t bytes() const { return bytes_.load(std::memory_order_relaxed); }

 private:
  struct Held;
  class Statement;
  struct Wanted {
    LakeScan::State state;
    std::vector<size_t> columns;  // ascending
    SteadyTime since;
  };
  // What a statement still needs when it ends, be it after the cache. Locked after mutex_.
  struct Ended {
    std::mutex mutex;
    std::vector<std::string> released;  // databases that nobody reads any more
    std::atomic<uint32_t> running = 0;  // statements that read tables
  };

  Options options_;
  std::shared_ptr<Ended> ended_ = std::make_shared<Ended>();
  std::mutex mutex_;
  std::condition_variable_any changed_;
  // Under mutex_:
  ColumnCachePolicy policy_;
  std::map<std::string, std::shared_ptr<const Held>> held_;  // by table
  std::deque<Wanted> wanted_;

  size_t attached_ = 0;  // databases; of the thread alone, like next_
  uint64_t next_ = 1;
  std::atomic<uint64_t> bytes_ = 0;
  Counter& served_;
  Counter& loads_;
  Gauge& held_bytes_;
  std::jthread thread_;  // last: it uses the others

  void run(const std::stop_token& stop);
  void round(const std::stop_token& stop);
  std::optional<Wanted> next_load();
  void load(const std::stop_token& stop, const Wanted& wanted);
  std::shared_ptr<const Held> filled(const std::stop_token& stop, const Wanted& wanted);
  void fill(const std::stop_token& stop, const Held& held, const std::string& select);
  void wait_for_statements(const std::stop_token& stop);
  void drop_some();
  void detach_released();
};

}  // namespace aichemy::sql
