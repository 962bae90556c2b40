// The engine on DuckDB: one in-memory database for the whole process, one connection a statement.
//
// Locked down: only our lake:// file system can be read or written (and the spill directory by
// DuckDB itself), no extension is loaded, the configuration cannot be changed by a statement.
// Memory: at most memory_bytes_max for all statements together, beyond it operators spill to
// `spill_directory`. DuckDB counts memory by database: a statement with a limit of its own gets a
// database of its own, whose limit is reserved in the one of all.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "objectstore/object_store.h"
#include "sql/connectors/lake_scan.h"
#include "sql/connectors/text_scan.h"
#include "sql/engine/engine.h"

namespace duckdb {
class DuckDB;
class DatabaseInstance;
}  // namespace duckdb

namespace aichemy::sql {

struct DuckDbOptions {
  objectstore::ObjectStore& store;
  objectstore::ObjectStore* memory = nullptr;  // of the catalog memory
  LakeScans& scans;
  const TextScans* texts = nullptr;  // of ExecutorOptions
  Metrics& metrics;
  Random& random;
  uint64_t memory_bytes_max = uint64_t{4} << 30;
  int threads = 2;
  std::string spill_directory;
  uint64_t spill_bytes_max = uint64_t{20} << 30;  // of all statements together
  // Of the memory, what columns of tables that are read often may take, half of it at most; 0: none
  // are kept.
  uint64_t column_cache_bytes_max = 0;
  Clock* clock = nullptr;  // with a column cache
  // Adds the table functions of other modules to a database: the one of all statements and each of
  // those with a limit of their own.
  std::function<void(duckdb::DatabaseInstance&)> extend;
};

class BoundedEngines;
class ColumnCache;
class IdleConnections;

class DuckDbEngine final : public Engine {
 public:
  // internal ("engine") when DuckDB cannot start.
  static Result<std::unique_ptr<DuckDbEngine>> start(DuckDbOptions options);
  ~DuckDbEngine() override;

  Result<std::unique_ptr<RowStream>> execute(const Call& call, const std::string& sql,
                                             std::vector<OutputColumn> columns,
                                             std::vector<std::shared_ptr<void>> scans) override;
  Result<std::vector<WrittenFile>> write(const Call& call, const std::string& select,
                                         const InsertTarget& target,
                                         std::vector<std::shared_ptr<void>> scans) override;
  Result<std::unique_ptr<KeptRows>> keep(const Call& call, const std::string& sql,
                                         std::vector<std::shared_ptr<void>> scans) override;
  Result<PlanNode> explain(const Call& call, const std::string& sql, bool analyze,
                           std::vector<std::shared_ptr<void>> scans) override;

  Result<std::shared_ptr<Engine>> bounded(uint64_t bytes, bool spills) override;

  // By all statements together, without what they would be given when they need it.
  uint64_t memory_used() const;

 private:
  DuckDbEngine(DuckDbOptions options, std::unique_ptr<duckdb::DuckDB> database,
               std::shared_ptr<ColumnCache> cache);
  DuckDbOptions options_;
  std::unique_ptr<duckdb::DuckDB> database_;
  std::shared_ptr<ColumnCache> cache_;  // may be null
  std::shared_ptr<IdleConnections> idle_;
  std::shared_ptr<BoundedEngines> bounded_;
  Counter& statements_;
};

}  // namespace aichemy::sql
