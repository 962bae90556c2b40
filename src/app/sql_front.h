// SQL as a service: the catalogs, the executor over the engine, and the Trino protocol on two
// ports.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "app/config.h"
#include "app/data_directory.h"
#include "auth/users.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "catalog/catalog.h"
#include "objectstore/object_store.h"
#include "runtime/disk.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/lake_scan.h"
#include "sql/engine/engine.h"
#include "sql/executor.h"
#include "sql/grant_store.h"
#include "sql/hive/hive_connector.h"
#include "sql/query_registry.h"
#include "sql/routine_store.h"

namespace aichemy::app {

struct SqlFrontOptions {
  const Config& config;
  IoThreads& io;
  Pool& pool;       // statements
  Pool& auth_pool;  // passwords
  Metrics& metrics;
  Clock& clock;
  Random& random;
  sql::Engine& engine;
  catalog::Catalog& catalog;
  objectstore::ObjectStore& store;  // of spooled segments
  Disk& disk;
  std::function<uint64_t()> engine_memory;  // in use
  std::function<int()> console_port;        // 0: there is none
  sql::HiveConnector& hive;
  sql::Catalogs more;  // catalogs beside iceberg
  sql::LakeScans& lake_scans;
  sql::TextScans& text_scans;
  auth::UserStore& users;
  std::unique_ptr<sql::GrantStore> grants;
  std::unique_ptr<sql::RoutineStore> routines;
  std::unique_ptr<sql::AccessControl> rules;  // none: no file of rules was given
  Certificate certificate;
  std::string internal_secret;
};

class SqlFront {
 public:
  explicit SqlFront(SqlFrontOptions options);
  ~SqlFront();

  Status start();
  void stop(std::chrono::milliseconds drain);
  int https_port() const;
  int http_port() const;
  sql::Connector& iceberg();
  sql::Executor& executor();
  sql::QueryRegistry& queries();
  sql::Catalogs catalogs();

 private:
  struct State;
  std::unique_ptr<State> state_;
};

}  // namespace aichemy::app
