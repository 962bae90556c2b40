#include "app/sql_front.h"

#include "sql/executor.h"
#include "sql/iceberg_connector.h"
#include "sql/query_registry.h"

#if __has_include("serve/trino/trino.h")
#include "serve/trino/trino.h"
#endif

namespace aichemy::app {

struct SqlFront::State {
  SqlFrontOptions options;
  sql::IcebergConnector iceberg;
  sql::QueryRegistry queries;
  sql::Executor executor;

  explicit State(SqlFrontOptions given)
      : options(std::move(given)),
        iceberg(options.catalog, options.lake_scans),
        queries(options.clock, options.random),
        executor({.engine = options.engine,
                  .catalogs = {{"iceberg", &iceberg}},
                  .clock = options.clock,
                  .random = options.random,
                  .queries = &queries}) {}
};

SqlFront::SqlFront(SqlFrontOptions options) : state_(std::make_unique<State>(std::move(options))) {}
SqlFront::~SqlFront() = default;

Status SqlFront::start() { return {}; }
void SqlFront::stop(std::chrono::milliseconds) {}
int SqlFront::https_port() const { return 0; }
int SqlFront::http_port() const { return 0; }
sql::Connector& SqlFront::iceberg() { return state_->iceberg; }

}  // namespace aichemy::app
