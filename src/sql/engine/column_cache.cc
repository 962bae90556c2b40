#include "sql/engine/column_cache.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <duckdb/common/type_visitor.hpp>
#include <duckdb/main/appender.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/database.hpp>
#include <duckdb/parser/tableref/basetableref.hpp>
#include <duckdb/storage/buffer_manager.hpp>
#include <functional>
#include <set>
#include <utility>

#include "base/log.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/native/duckdb_type.h"

namespace aichemy::sql {
namespace {

constexpr const char* kStatement = "aichemy_column_cache";
// How often the thread looks whether the engine is quiet, and whether something was idle for long.
constexpr std::chrono::milliseconds kQuietLook{20};
constexpr std::chrono::seconds kIdleLook{1};

// Of types with names of their own the copy might forget them.
bool can_be_held(const LakeColumn& column) {
  if (column.source != LakeColumnSource::data) return false;
  return !duckdb::TypeVisitor::Contains(
      duckdb_type(column.type), [](const duckdb::LogicalType& type) { return type.HasAlias(); });
}

std::string argument_of(const std::string& handle, const std::vector<size_t>& columns) {
  return fmt::format("{}:{}", handle, fmt::join(columns, ","));
}

void run_or_throw(duckdb::Connection& connection, const std::string& sql) {
  auto result = connection.Query(sql);
  if (result->HasError()) result->ThrowError();
}

// Of the engine's own tables, all together. What others make and drop meanwhile counts too.
uint64_t table_memory(duckdb::DuckDB& database, bool with_spilled) {
  for (const auto& use :
       duckdb::BufferManager::GetBufferManager(*database.instance).GetMemoryUsageInfo())
    if (use.tag == duckdb::MemoryTag::IN_MEMORY_TABLE)
      return use.size + (with_spilled ? use.evicted_data : 0);
  return 0;
}

}  // namespace

// A table of the engine with columns c<number>, in a database of its own of the same name. The
// last who lets go of it has it detached.
struct ColumnCache::Held {
  std::shared_ptr<Ended> ended;
  std::string name;
  std::string state;
  std::vector<size_t> columns;  // ascending

  ~Held() {
    std::lock_guard lock(ended->mutex);
    ended->released.push_back(name);
  }

  // With more columns than were asked for, perhaps: they are read by their names.
  duckdb::unique_ptr<duckdb::TableRef> reference() const {
    auto table = duckdb::make_uniq<duckdb::BaseTableRef>();
    table->catalog_name = name;
    table->schema_name = "main";
    table->table_name = name;
    return table;
  }
};

// What one statement of a connection is given, until it ends. Of the thread that binds it.
class ColumnCache::Statement final : public duckdb::ClientContextState {
 public:
  explicit Statement(std::shared_ptr<Ended> ended) : ended_(std::move(ended)) {}
  ~Statement() override { finish(); }

  void QueryBegin(duckdb::ClientContext&) override { handles_.clear(); }
  void QueryEnd() override { finish(); }

  // Whether it is the first time that it asks for this.
  bool asks_first(const std::string& what) {
    if (asked_.empty()) ++ended_->running;
    return asked_.insert(what).second;
  }
  void take(std::shared_ptr<const Held> held, const std::string& handle) {
    handles_[held->name].push_back(handle);
    held_.push_back(std::move(held));
  }
  std::string handle_of(const std::string& table) {
    auto found = handles_.find(table);
    if (found == handles_.end()) return "";
    std::string handle = found->second.front();
    if (found->second.size() > 1) found->second.pop_front();
    return handle;
  }

  bool only_plans = false;  // it is not counted

 private:
  std::shared_ptr<Ended> ended_;
  std::set<std::string> asked_;
  std::vector<std::shared_ptr<const Held>> held_;
  std::map<std::string, std::deque<std::string>> handles_;  // by Held::name; until the next

  void finish() {
    held_.clear();
    if (!asked_.empty()) --ended_->running;
    asked_.clear();
  }
};

ColumnCache::ColumnCache(Options options)
    : options_(options),
      policy_(options.bytes_max),
      served_(options.metrics.counter("aichemy_sql_column_cache_served_total",
                                      "Scans answered from columns in memory")),
      loads_(options.metrics.counter("aichemy_sql_column_cache_loads_total",
                                     "Tables whose columns were loaded into memory")),
      held_bytes_(options.metrics.gauge("aichemy_sql_column_cache_bytes",
                                        "Memory of columns that are kept")),
      thread_([this](const std::stop_token& stop) { run(stop); }) {}

ColumnCache::~ColumnCache() { stop(); }

void ColumnCache::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  thread_.join();
  std::lock_guard lock(mutex_);
  held_.clear();
  wanted_.clear();
}

duckdb::unique_ptr<duckdb::TableRef> ColumnCache::find(duckdb::ClientContext& context,
                                                       const std::shared_ptr<const LakeScan>& scan,
                                                       const ScanArgument& asked) {
  if (!scan->state || asked.columns.empty()) return nullptr;
  for (size_t column : asked.columns)
    if (!can_be_held(scan->columns.at(column))) return nullptr;
  auto statement = context.registered_state->GetOrCreate<Statement>(kStatement, ended_);
  const LakeScan::State& state = *scan->state;
  bool first = statement->asks_first(argument_of(state.table, asked.columns));
  std::shared_ptr<const Held> held;
  {
    std::lock_guard lock(mutex_);
    SteadyTime now = options_.clock.steady_now();
    auto found = held_.find(state.table);
    if (found != held_.end() && found->second->state == state.name &&
        std::ranges::all_of(asked.columns, [&](size_t column) {
          return std::ranges::binary_search(found->second->columns, column);
        }))
      held = found->second;
    if (first && !statement->only_plans) {
      auto columns = policy_.read({.table = state.table,
                                   .state = state.name,
                                   .columns = asked.columns,
                                   .columns_total = scan->columns.size(),
                                   .file_bytes = scan->plan.byte_count,
                                   .whole = state.whole && state.all},
                                  now);
      std::erase_if(columns, [&](size_t column) { return !can_be_held(scan->columns[column]); });
      if (!columns.empty()) {
        wanted_.push_back({state, std::move(columns), now});
        changed_.notify_one();
      }
      if (held) policy_.served(state.table, now);
    }
  }
  if (!held) return nullptr;
  served_.add();
  auto reference = held->reference();
  statement->take(std::move(held), asked.handle);
  return reference;
}

void ColumnCache::planning_only(duckdb::ClientContext& context) {
  context.registered_state->GetOrCreate<Statement>(kStatement, ended_)->only_plans = true;
}

std::string ColumnCache::handle_of(duckdb::ClientContext& context, const std::string& table) {
  auto statement = context.registered_state->Get<Statement>(kStatement);
  return statement ? statement->handle_of(table) : "";
}

void ColumnCache::run(const std::stop_token& stop) {
  ::pthread_setname_np(::pthread_self(), "column-cache");
  while (!stop.stop_requested()) {
    try {
      round(stop);
    } catch (const std::exception& problem) {
      log_warn("column cache", {{"problem", problem.what()}});
    }
    std::unique_lock lock(mutex_);
    if (wanted_.empty() && attached_ == 0) {
      changed_.wait(lock, stop, [this] { return !wanted_.empty(); });
    } else if (wanted_.empty()) {
      changed_.wait_for(lock, stop, kIdleLook, [this] { return !wanted_.empty(); });
    } else {
      changed_.wait_for(lock, stop, kQuietLook, [] { return false; });
    }
  }
}

void ColumnCache::round(const std::stop_token& stop) {
  drop_some();
  detach_released();
  if (auto wanted = next_load()) load(stop, *wanted);
}

// The next that it is time for.
std::optional<ColumnCache::Wanted> ColumnCache::next_load() {
  std::lock_guard lock(mutex_);
  while (!wanted_.empty() &&
         !policy_.wanted(wanted_.front().state.table, wanted_.front().state.name)) {
    policy_.failed(wanted_.front().state.table);
    wanted_.pop_front();
  }
  if (wanted_.empty()) return std::nullopt;
  bool late = options_.clock.steady_now() - wanted_.front().since >= kLatest;
  if (ended_->running > 0 && !late) return std::nullopt;
  Wanted next = std::move(wanted_.front());
  wanted_.pop_front();
  return next;
}

void ColumnCache::load(const std::stop_token& stop, const Wanted& wanted) {
  const LakeScan::State& state = wanted.state;
  uint64_t before = table_memory(options_.database, true);
  std::shared_ptr<const Held> held;
  try {
    held = filled(stop, wanted);
  } catch (const std::exception& problem) {
    // Files may be gone meanwhile; statements go on reading what there is.
    log_debug("columns not loaded", {{"table", state.table}, {"problem", problem.what()}});
  }
  uint64_t after = table_memory(options_.database, true);
  std::lock_guard lock(mutex_);
  if (!held) {
    policy_.failed(state.table);
  } else if (policy_.loaded(state.table, state.name, wanted.columns,
                            after - std::min(before, after), options_.clock.steady_now())) {
    loads_.add();
    held_[state.table] = std::move(held);
  }
}

std::shared_ptr<const ColumnCache::Held> ColumnCache::filled(const std::stop_token& stop,
                                                             const Wanted& wanted) {
  auto all = wanted.state.all();
  if (!all) throw_error(all.error());
  EngineScan scan = options_.scans.add(*all);
  std::string select =
      fmt::format("SELECT * FROM lake_scan('{}')", argument_of(scan.handle, wanted.columns));
  duckdb::Connection connection(options_.database);
  std::string name = fmt::format("columns_{}", next_++);
  run_or_throw(connection, fmt::format("ATTACH ':memory:' AS {} (COMPRESS)", name));
  ++attached_;
  // From here on it is detached whatever happens.
  auto held = std::make_shared<Held>(ended_, name, wanted.state.name, wanted.columns);
  run_or_throw(connection, fmt::format("CREATE TABLE {0}.main.{0} AS {1} LIMIT 0", name, select));
  fill(stop, *held, select);
  return held;
}

// Slice by slice: what is appended is compressed when it is committed. (CHECKPOINT would compress
// too, but a failure of it ends the whole engine.)
void ColumnCache::fill(const std::stop_token& stop, const Held& held, const std::string& select) {
  duckdb::Connection reader(options_.database), writer(options_.database);
  auto rows = reader.SendQuery(select);
  if (rows->HasError()) rows->ThrowError();
  duckdb::Appender appender(writer, held.name, "main", held.name);
  uint64_t before = table_memory(options_.database, true), pending = 0;
  while (auto chunk = rows->Fetch()) {
    if (chunk->size() == 0) break;
    appender.AppendDataChunk(*chunk);
    pending += chunk->size();
    if (pending < kSliceRows) continue;
    pending = 0;
    appender.Flush();
    if (table_memory(options_.database, true) > before + options_.bytes_max)
      throw duckdb::OutOfMemoryException("more than the cache may hold");
    wait_for_statements(stop);
    if (stop.stop_requested()) throw duckdb::InterruptException();
  }
  if (rows->HasError()) rows->ThrowError();
  appender.Close();
}

void ColumnCache::wait_for_statements(const std::stop_token& stop) {
  auto until = options_.clock.steady_now() + kPause;
  std::unique_lock lock(mutex_);
  while (ended_->running > 0 && options_.clock.steady_now() < until && !stop.stop_requested())
    changed_.wait_for(lock, stop, kQuietLook, [] { return false; });
}

void ColumnCache::drop_some() {
  std::lock_guard lock(mutex_);
  for (const std::string& table : policy_.to_drop(options_.clock.steady_now())) held_.erase(table);
  // What was spilled is no memory.
  bytes_ = std::min(policy_.bytes(), table_memory(options_.database, false));
  held_bytes_.set(static_cast<int64_t>(policy_.bytes()));
}

void ColumnCache::detach_released() {
  std::vector<std::string> names;
  {
    std::lock_guard lock(ended_->mutex);
    names.swap(ended_->released);
  }
  if (names.empty()) return;
  duckdb::Connection connection(options_.database);
  for (std::string& name : names) {
    auto result = connection.Query(fmt::format("DETACH {}", name));
    if (!result->HasError()) {
      --attached_;
      continue;
    }
    log_warn("columns not detached", {{"name", name}, {"problem", result->GetError()}});
    std::lock_guard lock(ended_->mutex);
    ended_->released.push_back(std::move(name));
  }
}

}  // namespace aichemy::sql
