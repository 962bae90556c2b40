// Upkeep of Iceberg tables in the background: small files become fewer, snapshots expire, orphans
// go. One thread looks at all tables every `interval` and works on one table at a time.
//
// Which tables: those that a job of this platform writes to, or all (Options::all_tables); the
// table property aichemy.upkeep.enabled = true or false decides before that. What Iceberg's own
// properties say holds: gc.enabled = false keeps every file, history.expire.* say which snapshots
// stay, write.target-file-size-bytes what a small file is.
//
// Invariants:
//  U1  A commit of ours gives way: what contradicts it is found when it is made (catalog), it is
//      given up, its files are removed, and the table is looked at again later.
//  U2  Files are removed only by the catalog's upkeep (M1, M2 of catalog_maintenance.cc), and an
//      orphan only when it was one at two looks at least `orphan_grace` apart: whoever still reads
//      or commits a snapshot that is gone has that long.
//  U3  At most `round_bytes_max` of data files are rewritten at once (a single file with many
//      deleted rows may be larger), and on average not more than `bytes_per_second`.
//
// Threads: run_pass() from one thread at a time (the one of start(), or a test's); the rest from
// any. Time comes from the Clock, waiting goes through Options::wait.
#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "catalog/catalog.h"

namespace aichemy::upkeep {

// Of the table: "true" or "false".
inline constexpr const char* kEnabledProperty = "aichemy.upkeep.enabled";

struct UpkeepOptions {
  catalog::Catalog& catalog;
  Clock& clock;
  Metrics& metrics;
  // The rows of these data files are written anew in their place, in one commit. conflict: others
  // have changed them.
  std::function<Status(const Call&, const catalog::TableName&,
                       const std::vector<std::string>& files)>
      rewrite;
  // Locations ("s3://bucket/key") of files that no table names yet and that will be committed,
  // however old they are.
  std::function<Result<std::set<std::string>>()> pending_files;
  // What rewriting needed may go: called at the end of every pass.
  std::function<void()> rest;
  // Waits so long, less when stop is requested; false then. None: really waits.
  std::function<bool(std::chrono::milliseconds, std::stop_token)> wait;
  bool all_tables = false;
  std::chrono::milliseconds interval = std::chrono::minutes(5);
  std::chrono::milliseconds orphan_age = std::chrono::hours(72);
  std::chrono::milliseconds orphan_interval = std::chrono::hours(24);
  std::chrono::milliseconds orphan_grace = std::chrono::hours(1);
  uint64_t round_bytes_max = 256u << 20;
  uint64_t bytes_per_second = 32u << 20;
};

class Upkeep {
 public:
  explicit Upkeep(UpkeepOptions options);
  ~Upkeep();
  Upkeep(const Upkeep&) = delete;
  Upkeep& operator=(const Upkeep&) = delete;

  void start();
  void stop();      // interrupts what is under way; idempotent
  void run_pass();  // one look at all tables, with the work it finds
  // {"tables", "passes", "table", "rewritten_files", ..., "problems": [{"table", "message"}]}
  Json status() const;

 private:
  struct Table {
    std::string metadata_location;  // at the last look; "" when there is more to do
    bool looked_after = false;
    int64_t look_after_millis = 0;  // not before, after a failure
    int64_t expiry_due_millis = 0;
    int64_t orphans_due_millis = 0;
    std::map<std::string, int64_t> orphans;  // first seen
    std::string problem;
  };
  struct Counters {
    Counter &passes, &files_rewritten, &bytes_rewritten, &snapshots, &expired_files, &orphans,
        &conflicts, &failures;
  };

  Result<std::vector<catalog::Catalog::TablePointer>> list(const Call& call);
  Status look(const Call& call, const catalog::Catalog::TablePointer& pointer, Table& table);
  Status rewrite_files(const Call& call, catalog::LoadedTable loaded, Table& table);
  Status expire(const Call& call, const catalog::LoadedTable& loaded, Table& table);
  Status remove_orphans(const Call& call, const catalog::LoadedTable& loaded, Table& table);
  void note(const catalog::TableName& name, Table& table, const Status& done);
  bool wait(std::chrono::milliseconds time);

  UpkeepOptions options_;
  Counters counters_;
  Gauge& tables_;
  std::stop_source cancel_;
  std::thread thread_;
  std::map<catalog::TableName, Table> known_;  // of the thread of run_pass()
  mutable std::mutex mutex_;                   // of what follows
  std::string working_on_;
  std::map<std::string, std::string> problems_;  // by table
};

}  // namespace aichemy::upkeep
