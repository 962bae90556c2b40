#include "sql/engine/duckdb_engine.h"

#include <fmt/core.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <chrono>
#include <duckdb/common/virtual_file_system.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/config.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <duckdb/main/pending_query_result.hpp>
#include <duckdb/main/stream_query_result.hpp>
#include <duckdb/storage/buffer_manager.hpp>
#include <mutex>
#include <optional>
#include <thread>

#include "base/log.h"
#include "sql/connectors/memory_connector.h"
#include "sql/engine/column_cache.h"
#include "sql/engine/duckdb_encode.h"
#include "sql/engine/duckdb_explain.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/duckdb_kept.h"
#include "sql/engine/duckdb_scan.h"
#include "sql/engine/duckdb_text_scan.h"
#include "sql/engine/duckdb_tpch.h"
#include "sql/engine/duckdb_write.h"
#include "sql/engine/row_collector.h"
#include "sql/geo/geo.h"
#include "sql/native/aggregate.h"
#include "sql/native/functions.h"
#include "sql/native/pattern.h"
#include "sql/native/prelude.h"
#include "sql/native/routine.h"

namespace aichemy::sql {
namespace {

// Everything the engine throws ends here.
template <class Fn>
auto guarded(Fn fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const std::exception& problem) {
    return std::unexpected(error_from_duckdb(duckdb::ErrorData(problem)));
  }
}

}  // namespace

// Connections that the next statements take: making one costs more than running SELECT 1. Only
// those come back whose statement ended well.
class IdleConnections {
 public:
  explicit IdleConnections(duckdb::DuckDB& database) : database_(database) {}

  std::unique_ptr<duckdb::Connection> take() {
    {
      std::lock_guard lock(mutex_);
      if (!idle_.empty()) {
        auto connection = std::move(idle_.back());
        idle_.pop_back();
        return connection;
      }
    }
    return std::make_unique<duckdb::Connection>(database_);
  }
  void give_back(std::unique_ptr<duckdb::Connection> connection) {
    constexpr size_t kMost = 16;
    std::lock_guard lock(mutex_);
    if (!closed_ && idle_.size() < kMost) idle_.push_back(std::move(connection));
  }
  // Before the database goes.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    idle_.clear();
  }

 private:
  duckdb::DuckDB& database_;
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<std::unique_ptr<duckdb::Connection>> idle_;
};

// Databases of single statements, kept for the next ones: starting one costs tens of milliseconds.
class BoundedEngines {
 public:
  std::unique_ptr<DuckDbEngine> take(bool spills) {
    std::lock_guard lock(mutex_);
    auto& idle = idle_[spills ? 1 : 0];
    if (idle.empty()) return nullptr;
    auto engine = std::move(idle.back());
    idle.pop_back();
    return engine;
  }
  void give_back(std::unique_ptr<DuckDbEngine> engine, bool spills) {
    constexpr size_t kMost = 2;
    std::lock_guard lock(mutex_);
    auto& idle = idle_[spills ? 1 : 0];
    if (!closed_ && idle.size() < kMost) idle.push_back(std::move(engine));
  }
  // Before what the databases refer to goes.
  void close() {
    std::lock_guard lock(mutex_);
    closed_ = true;
    for (auto& idle : idle_) idle.clear();
  }

 private:
  std::mutex mutex_;
  bool closed_ = false;
  std::array<std::vector<std::unique_ptr<DuckDbEngine>>, 2> idle_;
};

namespace {

// Part of a database's memory that it may not use itself.
class Reservation {
 public:
  // Throws the engine's out of memory when statements leave no room.
  Reservation(duckdb::shared_ptr<duckdb::DatabaseInstance> database, uint64_t bytes)
      : database_(std::move(database)), bytes_(bytes) {
    duckdb::BufferManager::GetBufferManager(*database_).ReserveMemory(bytes);
  }
  ~Reservation() { duckdb::BufferManager::GetBufferManager(*database_).FreeReservedMemory(bytes_); }
  Reservation(const Reservation&) = delete;
  Reservation& operator=(const Reservation&) = delete;

 private:
  duckdb::shared_ptr<duckdb::DatabaseInstance> database_;
  uint64_t bytes_;
};

class DuckDbStream final : public RowStream {
 public:
  DuckDbStream(std::shared_ptr<IdleConnections> idle, std::vector<OutputColumn> columns,
               std::vector<std::shared_ptr<void>> scans, std::stop_token cancel)
      : scans_(std::move(scans)),
        rows_(std::make_shared<RowQueue>(std::move(columns))),
        idle_(std::move(idle)),
        connection_(idle_->take()),
        cancel_(cancel) {
    on_cancel_.emplace(std::move(cancel), [this] { this->cancel(); });
    duckdb::ClientContext& context = *connection_->context;
    meter_ = context.registered_state->GetOrCreate<ReadMeter>(kReadMeter);
    meter_->bytes = 0;
    // Counts without drawing: progress() reads them.
    context.config.enable_progress_bar = true;
    context.config.print_progress_bar = false;
    context.config.get_result_collector = collect_rows_into(rows_);
  }

  ~DuckDbStream() override {
    on_cancel_.reset();
    pending_.reset();  // before its connection
    connection_->context->config.get_result_collector = nullptr;
    if (ended_well_) idle_->give_back(std::move(connection_));
  }

  Status start(const std::string& sql) {
    pending_ = connection_->PendingQuery(sql, false);
    // Beginning a statement forgets an interrupt that came before it.
    if (cancel_.stop_requested())
      return fail(Code::cancelled, "cancelled", "the query was cancelled");
    if (pending_->HasError()) return std::unexpected(error_from_duckdb(pending_->GetErrorObject()));
    if (pending_->types.size() != rows_->columns().size()) {
      return fail(Code::internal, "engine",
                  fmt::format("the engine gives {} columns, {} were planned",
                              pending_->types.size(), rows_->columns().size()));
    }
    return {};
  }

  Result<Page> next_page(size_t max_bytes) override {
    return guarded([&] { return fill(max_bytes); });
  }

  Progress progress() override {
    Progress out;
    duckdb::QueryProgress now = connection_->context->GetQueryProgress();
    out.percentage = now.GetPercentage();
    out.rows_read = std::max<uint64_t>(now.GetRowsProcesseed(), given_.load());
    out.rows_total = now.GetTotalRowsToProcess();
    out.bytes_read = meter_->bytes.load(std::memory_order_relaxed);
    return out;
  }

  void cancel() override { connection_->Interrupt(); }

 private:
  std::vector<std::shared_ptr<void>> scans_;
  std::shared_ptr<RowQueue> rows_;
  std::shared_ptr<IdleConnections> idle_;
  std::unique_ptr<duckdb::Connection> connection_;
  bool ended_well_ = false;
  duckdb::unique_ptr<duckdb::PendingQueryResult> pending_;  // until all rows are in rows_
  duckdb::shared_ptr<ReadMeter> meter_;
  std::atomic<uint64_t> given_ = 0;  // rows
  std::stop_token cancel_;
  std::optional<std::stop_callback<std::function<void()>>> on_cancel_;

  // The thread that asks takes part in the work.
  Status run_a_task(Backoff& backoff) {
    using State = duckdb::PendingExecutionResult;
    State state = pending_->ExecuteTask();
    if (state == State::NO_TASKS_AVAILABLE || state == State::BLOCKED) {
      // Only rows that arrive can be waited for, not tasks.
      backoff.idled([&](auto time) { rows_->wait(time); });
      return {};
    }
    backoff.worked();
    if (!duckdb::PendingQueryResult::IsResultReady(state)) return {};
    if (pending_->HasError())  // Execute() would wrap it and lose its kind
      return std::unexpected(error_from_duckdb(pending_->GetErrorObject()));
    auto result = pending_->Execute();
    if (result->HasError()) return std::unexpected(error_from_duckdb(result->GetErrorObject()));
    pending_.reset();
    return {};
  }

  Result<Page> fill(size_t max_bytes) {
    Page page;
    page.rows_json = "[";
    Backoff backoff;
    for (;;) {
      bool all_made = !pending_;
      rows_->take(page, max_bytes);
      if (page.rows_json.size() >= max_bytes) break;
      if (all_made) {
        page.done = true;
        ended_well_ = true;
        break;
      }
      RETURN_IF_ERROR(run_a_task(backoff));
    }
    page.rows_json += ']';
    given_.fetch_add(page.rows, std::memory_order_relaxed);
    return page;
  }
};

Status run_all(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) {
    Error error = error_from_duckdb(result->GetErrorObject());
    return fail(Code::internal, "engine", "starting DuckDB: " + error.message);
  }
  return {};
}

// The engine asks for its options hundreds of times a statement. One that was set is found by its
// name, of the others it parses the type and the default each time: so all are set, to what they
// are.
void set_to_defaults(duckdb::DBConfig& config) {
  for (duckdb::idx_t i = 0; i < duckdb::DBConfig::GetOptionCount(); ++i) {
    auto option = duckdb::DBConfig::GetOptionByIndex(i);
    if (option->default_value == nullptr) continue;
    auto type = duckdb::DBConfig::ParseLogicalType(option->parameter_type);
    config.options.set_variables.emplace(option->name,
                                         duckdb::Value(option->default_value).DefaultCastAs(type));
  }
}

}  // namespace

DuckDbEngine::DuckDbEngine(DuckDbOptions options, std::unique_ptr<duckdb::DuckDB> database,
                           std::shared_ptr<ColumnCache> cache)
    : options_(std::move(options)),
      database_(std::move(database)),
      cache_(std::move(cache)),
      idle_(std::make_shared<IdleConnections>(*database_)),
      bounded_(std::make_shared<BoundedEngines>()),
      statements_(options_.metrics.counter("aichemy_sql_engine_statements_total",
                                           "Statements the engine was given")) {}

DuckDbEngine::~DuckDbEngine() {
  bounded_->close();
  if (cache_) cache_->stop();
  idle_->close();
}

Result<std::shared_ptr<Engine>> DuckDbEngine::bounded(uint64_t bytes, bool spills) {
  if (bytes >= options_.memory_bytes_max) return std::shared_ptr<Engine>();
  auto reserved = guarded([&]() -> Result<std::shared_ptr<Reservation>> {
    return std::make_shared<Reservation>(database_->instance, bytes);
  });
  if (!reserved) {
    return fail(Code::exhausted, "cluster_memory",
                "Query killed because the cluster is out of memory. Please try again in a few "
                "minutes.");
  }
  std::unique_ptr<DuckDbEngine> engine = bounded_->take(spills);
  if (!engine) {
    DuckDbOptions options = options_;
    options.column_cache_bytes_max = 0;
    options.spill_directory =
        spills ? fmt::format("{}/{}", options_.spill_directory, options_.random.uuid()) : "";
    ASSIGN_OR_RETURN(engine, start(std::move(options)));
  }
  return guarded([&]() -> Result<std::shared_ptr<Engine>> {
    duckdb::BufferManager::GetBufferManager(*engine->database_->instance).SetMemoryLimit(bytes);
    return std::shared_ptr<Engine>(
        engine.release(), [idle = bounded_, reserved = *reserved, spills](DuckDbEngine* used) {
          idle->give_back(std::unique_ptr<DuckDbEngine>(used), spills);
        });
  });
}

uint64_t DuckDbEngine::memory_used() const {
  uint64_t used = duckdb::BufferManager::GetBufferManager(*database_->instance).GetUsedMemory();
  return used - std::min(used, cache_ ? cache_->bytes() : 0);
}

Result<std::unique_ptr<DuckDbEngine>> DuckDbEngine::start(DuckDbOptions options) {
  return guarded([&]() -> Result<std::unique_ptr<DuckDbEngine>> {
    duckdb::DBConfig config;
    config.SetOptionByName("memory_limit",
                           duckdb::Value(fmt::format("{}B", options.memory_bytes_max)));
    config.SetOptionByName("threads", duckdb::Value::INTEGER(options.threads));
    config.SetOptionByName("temp_directory", duckdb::Value(options.spill_directory));
    config.SetOptionByName("autoload_known_extensions", duckdb::Value::BOOLEAN(false));
    config.SetOptionByName("autoinstall_known_extensions", duckdb::Value::BOOLEAN(false));
    set_to_defaults(config);
    auto database = std::make_unique<duckdb::DuckDB>(nullptr, &config);
    duckdb::DatabaseInstance& instance = *database->instance;
    instance.GetFileSystem().RegisterSubSystem(
        make_lake_file_system(options.store, options.memory));
    std::shared_ptr<ColumnCache> cache;
    if (options.column_cache_bytes_max > 0) {
      cache = std::make_shared<ColumnCache>(ColumnCache::Options{
          .database = *database,
          .scans = options.scans,
          .clock = *options.clock,
          .metrics = options.metrics,
          .bytes_max = std::min(options.column_cache_bytes_max, options.memory_bytes_max / 2)});
    }
    register_lake_scan(
        instance, options.scans,
        options.metrics.counter("aichemy_sql_files_opened_total", "Data files that scans opened"),
        cache);
    register_native_functions(instance);
    register_json_decode(instance);
    register_row_patterns(instance);
    register_sketches(instance);
    register_digests(instance);
    geo::register_geo_functions(instance);
    register_routines(instance);
    register_tpch_scan(instance);
    if (options.texts) register_text_scan(instance, *options.texts);
    if (options.extend) options.extend(instance);

    duckdb::Connection connection(*database);
    RETURN_IF_ERROR(run_all(connection, std::string(engine_prelude())));
    // Given with the other options, before the start, the engine would not look at it.
    RETURN_IF_ERROR(run_all(connection, fmt::format("SET GLOBAL max_temp_directory_size='{}B'",
                                                    options.spill_bytes_max)));
    // The order matters: once external access is off nothing can be allowed again.
    RETURN_IF_ERROR(run_all(
        connection,
        "SET GLOBAL TimeZone='UTC'; SET GLOBAL default_null_order='nulls_last';"
        "SET GLOBAL preserve_insertion_order=false;"
        "SET GLOBAL allowed_directories=['lake://']; SET GLOBAL enable_external_access=false;"));
    return std::unique_ptr<DuckDbEngine>(
        new DuckDbEngine(std::move(options), std::move(database), std::move(cache)));
  });
}

Result<std::unique_ptr<RowStream>> DuckDbEngine::execute(const Call& call, const std::string& sql,
                                                         std::vector<OutputColumn> columns,
                                                         std::vector<std::shared_ptr<void>> scans) {
  statements_.add();
  return guarded([&]() -> Result<std::unique_ptr<RowStream>> {
    auto stream =
        std::make_unique<DuckDbStream>(idle_, std::move(columns), std::move(scans), call.cancel);
    RETURN_IF_ERROR(stream->start(sql));
    return stream;
  });
}

Result<std::vector<WrittenFile>> DuckDbEngine::write(const Call& call, const std::string& select,
                                                     const InsertTarget& target,
                                                     std::vector<std::shared_ptr<void>> scans) {
  statements_.add();
  return guarded([&, keep = std::move(scans)]() -> Result<std::vector<WrittenFile>> {
    auto connection = idle_->take();
    std::string unique = options_.random.uuid();
    Result<std::vector<WrittenFile>> files;
    {
      std::stop_callback on_cancel(call.cancel, [&] { connection->Interrupt(); });
      files = copy_to_lake(*connection, select, target, unique, call.cancel);
    }
    if (files) idle_->give_back(std::move(connection));
    // What a failed COPY leaves behind, and the empty file of one without rows: nothing names them.
    bool memory =
        options_.memory && target.location.starts_with(fmt::format("s3://{}/", kMemoryBucket));
    if (!files || files->empty())
      remove_below(memory ? *options_.memory : options_.store, written_prefix(target, unique));
    return files;
  });
}

Result<std::unique_ptr<KeptRows>> DuckDbEngine::keep(const Call& call, const std::string& sql,
                                                     std::vector<std::shared_ptr<void>> scans) {
  statements_.add();
  return keep_rows(*database_, options_.store, options_.random, call, sql, std::move(scans));
}

Result<PlanNode> DuckDbEngine::explain(const Call& call, const std::string& sql, bool analyze,
                                       std::vector<std::shared_ptr<void>> scans) {
  statements_.add();
  return guarded([&, keep = std::move(scans)] {
    duckdb::Connection connection(*database_);
    std::stop_callback on_cancel(call.cancel, [&] { connection.Interrupt(); });
    if (cache_ && !analyze) cache_->planning_only(*connection.context);
    return explain_statement(connection, sql, analyze);
  });
}

}  // namespace aichemy::sql
