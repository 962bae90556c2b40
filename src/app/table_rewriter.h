// Writes data files of Iceberg tables anew, for upkeep: an engine of its own with one thread and
// little memory, so that statements do not notice, started when it is needed. One thread.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "app/config.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "runtime/call.h"
#include "sql/connectors/connector.h"
#include "sql/engine/duckdb_engine.h"
#include "sql/executor.h"
#include "upkeep/upkeep.h"

namespace aichemy::app {

class TableRewriter {
 public:
  // Of the engine's options the limits come from the configuration.
  TableRewriter(const Config& config, sql::DuckDbOptions engine, sql::Connector& iceberg,
                Clock& clock, Random& random);

  // What upkeep asks of it, and what the configuration says of upkeep.
  void serve(upkeep::UpkeepOptions* options);

  Status rewrite(const Call& call, const catalog::TableName& table,
                 const std::vector<std::string>& files);
  void rest();  // the engine's memory goes back

 private:
  const Config& config_;
  sql::DuckDbOptions options_;
  sql::Connector& iceberg_;
  Clock& clock_;
  Random& random_;
  std::unique_ptr<sql::DuckDbEngine> engine_;
  std::unique_ptr<sql::Executor> executor_;
};

}  // namespace aichemy::app
