#include "app/table_rewriter.h"

namespace aichemy::app {

TableRewriter::TableRewriter(const Config& config, sql::DuckDbOptions engine,
                             sql::Connector& iceberg, Clock& clock, Random& random)
    : config_(config),
      options_(std::move(engine)),
      iceberg_(iceberg),
      clock_(clock),
      random_(random) {
  options_.memory_bytes_max = config.bytes("upkeep.memory");
  options_.spill_bytes_max = config.bytes("sql.spill");
  options_.threads = 1;
}

void TableRewriter::serve(upkeep::UpkeepOptions* options) {
  auto millis = [this](const char* key) { return std::chrono::milliseconds(config_.millis(key)); };
  options->rewrite = [this](const Call& call, const catalog::TableName& table, const auto& files) {
    return rewrite(call, table, files);
  };
  options->rest = [this] { rest(); };
  options->all_tables = config_.flag("upkeep.all_tables");
  options->interval = millis("upkeep.interval");
  options->orphan_age = millis("upkeep.orphan_age");
  options->orphan_interval = millis("upkeep.orphan_interval");
  options->orphan_grace = millis("upkeep.orphan_grace");
  options->round_bytes_max = config_.bytes("upkeep.round_bytes");
  options->bytes_per_second = config_.bytes("upkeep.bytes_per_second");
}

Status TableRewriter::rewrite(const Call& call, const catalog::TableName& table,
                              const std::vector<std::string>& files) {
  if (!engine_) {
    ASSIGN_OR_RETURN(engine_, sql::DuckDbEngine::start(options_));
    executor_ =
        std::make_unique<sql::Executor>(sql::ExecutorOptions{.engine = *engine_,
                                                             .catalogs = {{"iceberg", &iceberg_}},
                                                             .clock = clock_,
                                                             .random = random_});
  }
  sql::Session session;
  session.user = "aichemy";
  session.source = "upkeep";
  session.start = clock_.wall_now();
  return executor_->rewrite_files(call, session, "iceberg",
                                  {catalog::name_text(table.space), table.name}, files);
}

void TableRewriter::rest() {
  executor_.reset();
  engine_.reset();
}

}  // namespace aichemy::app
