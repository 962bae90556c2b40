#include "upkeep/upkeep.h"

#include <pthread.h>
#include <sys/resource.h>

#include <algorithm>
#include <condition_variable>
#include <set>

#include "base/log.h"
#include "upkeep/compaction.h"

namespace aichemy::upkeep {

namespace {

using tables::iceberg::Snapshot;
using tables::iceberg::TableMetadata;

constexpr const char* kEpochKey = "aichemy.epoch";      // of what jobs commit
constexpr const char* kStorageKey = "dependsOnTables";  // of a materialized view's rows
constexpr int64_t kAfterFailureMillis = 3'600'000;      // until a table is looked at again
constexpr int64_t kExpiryMillis = 3'600'000;            // between two expiries of a table
constexpr int64_t kQuietMillis = 10'000;                // after a commit of somebody else
constexpr int64_t kFilesMax = 1'000'000;                // of a table; larger ones are left alone
constexpr size_t kOrphansMax = 100'000;                 // remembered of one table
constexpr int kNice = 10;

bool has_summary(const TableMetadata& metadata, std::string_view key) {
  return std::ranges::any_of(metadata.snapshots, [&](const Snapshot& snapshot) {
    return !snapshot.summary_value(key).empty();
  });
}

bool is_looked_after(const TableMetadata& metadata, bool all_tables) {
  std::string_view said = metadata.property(kEnabledProperty);
  if (said == "true" || said == "false") return said == "true";
  return all_tables || has_summary(metadata, kEpochKey);
}

// Version 1 has no commits of ours; the rows of a materialized view are told by the summary of
// their last snapshot.
bool may_rewrite(const TableMetadata& metadata) {
  return metadata.format_version >= 2 && !has_summary(metadata, kStorageKey);
}

// A commit of neither a job nor ours a moment ago: its writer may be about to commit again, and
// would find that the table has moved.
bool others_write(const TableMetadata& metadata, int64_t now, int64_t quiet) {
  const Snapshot* last = metadata.current_snapshot();
  if (!last || !last->summary_value(kEpochKey).empty()) return false;
  if (last->summary_value("operation") == "replace") return false;
  return now - last->timestamp_millis < quiet;
}

bool is_too_large(const TableMetadata& metadata) {
  const Snapshot* last = metadata.current_snapshot();
  if (!last) return false;
  return std::atoll(std::string(last->summary_value("total-data-files")).c_str()) > kFilesMax;
}

bool really_wait(std::chrono::milliseconds time, std::stop_token stop) {
  std::mutex mutex;
  std::condition_variable_any changed;
  std::unique_lock lock(mutex);
  changed.wait_for(lock, stop, time, [] { return false; });
  return !stop.stop_requested();
}

}  // namespace

Upkeep::Upkeep(UpkeepOptions options)
    : options_(std::move(options)),
      counters_{
          options_.metrics.counter("aichemy_upkeep_passes_total", "Looks at all tables"),
          options_.metrics.counter("aichemy_upkeep_files_rewritten_total",
                                   "Data files that were written anew as fewer"),
          options_.metrics.counter("aichemy_upkeep_bytes_rewritten_total", "Bytes of them"),
          options_.metrics.counter("aichemy_upkeep_snapshots_expired_total",
                                   "Snapshots that expired"),
          options_.metrics.counter("aichemy_upkeep_expired_files_removed_total",
                                   "Files that only expired snapshots named"),
          options_.metrics.counter("aichemy_upkeep_orphans_removed_total",
                                   "Files that nothing named"),
          options_.metrics.counter("aichemy_upkeep_conflicts_total",
                                   "Rewrites given up because others changed the table"),
          options_.metrics.counter("aichemy_upkeep_failures_total", "Tables given up for an hour")},
      tables_(options_.metrics.gauge("aichemy_upkeep_tables", "Tables that are looked after")) {
  if (!options_.wait) options_.wait = really_wait;
}

Upkeep::~Upkeep() { stop(); }

void Upkeep::start() {
  thread_ = std::thread([this] {
    pthread_setname_np(pthread_self(), "upkeep");
    ::setpriority(PRIO_PROCESS, 0, kNice);  // Linux: of this thread
    while (wait(options_.interval)) run_pass();
  });
}

void Upkeep::stop() {
  cancel_.request_stop();
  if (thread_.joinable()) thread_.join();
}

bool Upkeep::wait(std::chrono::milliseconds time) {
  return options_.wait(time, cancel_.get_token());
}

Result<std::vector<catalog::Catalog::TablePointer>> Upkeep::list(const Call& call) {
  std::vector<catalog::Catalog::TablePointer> all;
  std::deque<catalog::NamespaceName> todo = {{}};
  while (!todo.empty()) {
    catalog::NamespaceName space = std::move(todo.front());
    todo.pop_front();
    ASSIGN_OR_RETURN(auto children, options_.catalog.list_namespaces(call, space));
    for (auto& child : children) todo.push_back(std::move(child));
    if (space.empty()) continue;
    auto tables = options_.catalog.list_pointers(call, space);
    if (!tables && tables.error().is("no_such_namespace")) continue;  // dropped meanwhile
    if (!tables) return std::unexpected(tables.error());
    for (auto& table : *tables) all.push_back(std::move(table));
  }
  return all;
}

void Upkeep::run_pass() {
  Call call;
  call.cancel = cancel_.get_token();
  auto tables = list(call);
  if (!tables) {
    counters_.failures.add();
    log_warn("upkeep", {{"message", tables.error().message}});
    return;
  }
  std::set<catalog::TableName> there;
  for (const auto& pointer : *tables) there.insert(pointer.name);
  std::erase_if(known_, [&](const auto& entry) { return !there.contains(entry.first); });
  for (const auto& pointer : *tables) {
    if (call.cancel.stop_requested()) break;
    auto [at, fresh] = known_.try_emplace(pointer.name);
    // The first looks for orphans of a new process do not all come at once with its start.
    if (fresh)
      at->second.orphans_due_millis = options_.clock.wall_millis() + options_.orphan_grace.count();
    note(pointer.name, at->second, look(call, pointer, at->second));
  }
  if (options_.rest) options_.rest();
  tables_.set(std::ranges::count_if(known_, [](const auto& t) { return t.second.looked_after; }));
  std::lock_guard lock(mutex_);
  working_on_.clear();
  std::erase_if(problems_, [&](const auto& problem) {
    return std::ranges::none_of(
        there, [&](const auto& name) { return catalog::name_text(name) == problem.first; });
  });
  counters_.passes.add();
}

void Upkeep::note(const catalog::TableName& name, Table& table, const Status& done) {
  std::string text = catalog::name_text(name);
  if (done) {
    if (table.look_after_millis > options_.clock.wall_millis()) return;
    std::lock_guard lock(mutex_);
    problems_.erase(text);
    return;
  }
  const Error& error = done.error();
  table.metadata_location.clear();
  bool dropped = error.is("no_such_table") || error.is("TABLE_NOT_FOUND");
  if (error.code == Code::cancelled || dropped) return;
  if (error.code == Code::conflict) return counters_.conflicts.add();  // U1
  counters_.failures.add();
  table.look_after_millis = options_.clock.wall_millis() + kAfterFailureMillis;
  log_warn("upkeep", {{"table", text}, {"what", error.what}, {"message", error.message}});
  std::lock_guard lock(mutex_);
  problems_[text] = error.message;
}

Status Upkeep::look(const Call& call, const catalog::Catalog::TablePointer& pointer, Table& table) {
  int64_t now = options_.clock.wall_millis();
  if (now < table.look_after_millis) return {};
  bool same = pointer.metadata_location == table.metadata_location;
  bool due = now >= table.expiry_due_millis || now >= table.orphans_due_millis;
  if (same && (!table.looked_after || !due)) return {};
  ASSIGN_OR_RETURN(auto loaded, options_.catalog.load_table(call, pointer.name));
  const TableMetadata& metadata = *loaded.metadata;
  table.metadata_location = loaded.metadata_location;
  table.looked_after = is_looked_after(metadata, options_.all_tables);
  if (!table.looked_after) return {};
  if (is_too_large(metadata))
    return fail(Code::exhausted, "too_many_files",
                "it has more than a million data files: ALTER TABLE ... EXECUTE is for it");
  {
    std::lock_guard lock(mutex_);
    working_on_ = catalog::name_text(pointer.name);
  }
  if (metadata.property("gc.enabled") != "false") {
    if (now >= table.expiry_due_millis) RETURN_IF_ERROR(expire(call, loaded, table));
    if (now >= table.orphans_due_millis) RETURN_IF_ERROR(remove_orphans(call, loaded, table));
  }
  if (!may_rewrite(metadata)) return {};
  return rewrite_files(call, std::move(loaded), table);
}

Status Upkeep::rewrite_files(const Call& call, catalog::LoadedTable loaded, Table& table) {
  while (true) {
    const TableMetadata& metadata = *loaded.metadata;
    int64_t quiet = std::min<int64_t>(kQuietMillis, options_.interval.count());
    if (others_write(metadata, options_.clock.wall_millis(), quiet)) {
      table.metadata_location.clear();
      return {};
    }
    tables::ScanRequest wanted;
    wanted.with_bounds = false;
    ASSIGN_OR_RETURN(auto plan, options_.catalog.plan(call, loaded, wanted));
    RewriteRound round =
        choose_files(plan, metadata.default_spec_id, policy_of(metadata, options_.round_bytes_max));
    if (round.files.empty()) return {};
    RETURN_IF_ERROR(call.interrupted(options_.clock));
    RETURN_IF_ERROR(options_.rewrite(call, loaded.name, round.files));
    counters_.files_rewritten.add(round.files.size());
    counters_.bytes_rewritten.add(round.bytes);
    log_info("upkeep", {{"table", catalog::name_text(loaded.name)},
                        {"files_rewritten", round.files.size()},
                        {"bytes", round.bytes}});
    uint64_t millis = round.bytes * 1000 / std::max<uint64_t>(options_.bytes_per_second, 1);
    if (!wait(std::chrono::milliseconds(millis))) return call.interrupted(options_.clock);  // U3
    std::string before = loaded.metadata_location;
    ASSIGN_OR_RETURN(loaded, options_.catalog.load_table(call, loaded.name));
    // Nothing moved: the files were gone when they were to be read.
    if (loaded.metadata_location == before) return {};
    table.metadata_location = loaded.metadata_location;
  }
}

Status Upkeep::expire(const Call& call, const catalog::LoadedTable& loaded, Table& table) {
  auto expired = options_.catalog.expire_snapshots(call, loaded.name, {});
  if (!expired) return std::unexpected(expired.error());
  counters_.snapshots.add(expired->snapshots);
  counters_.expired_files.add(expired->files);
  table.expiry_due_millis = options_.clock.wall_millis() + kExpiryMillis;
  return {};
}

// U2
Status Upkeep::remove_orphans(const Call& call, const catalog::LoadedTable& loaded, Table& table) {
  int64_t now = options_.clock.wall_millis();
  // Asked before the table is looked at: a file moves from there to here, never back.
  std::set<std::string> pending;
  if (options_.pending_files) {
    ASSIGN_OR_RETURN(pending, options_.pending_files());
  }
  std::map<std::string, int64_t> seen;
  bool again = false;
  auto may_remove = [&](const std::string& place) {
    if (pending.contains("s3://" + place)) return false;
    auto known = table.orphans.find(place);
    int64_t since = known == table.orphans.end() ? now : known->second;
    if (now - since >= options_.orphan_grace.count() && known != table.orphans.end()) return true;
    again = true;
    if (seen.size() < kOrphansMax) seen[place] = since;
    return false;
  };
  auto found = options_.catalog.remove_orphan_files(call, loaded.name,
                                                    now - options_.orphan_age.count(), may_remove);
  if (!found) return std::unexpected(found.error());
  counters_.orphans.add(static_cast<uint64_t>(found->removed));
  table.orphans = std::move(seen);
  table.orphans_due_millis =
      now + (again ? options_.orphan_grace : options_.orphan_interval).count();
  return {};
}

Json Upkeep::status() const {
  Json out;
  out.set("tables", tables_.value()).set("passes", counters_.passes.value());
  out.set("rewritten_files", counters_.files_rewritten.value());
  out.set("rewritten_bytes", counters_.bytes_rewritten.value());
  out.set("expired_snapshots", counters_.snapshots.value());
  out.set("removed_files", counters_.expired_files.value() + counters_.orphans.value());
  out.set("conflicts", counters_.conflicts.value());
  Json problems = Json::array();
  std::lock_guard lock(mutex_);
  out.set("working_on", working_on_);
  for (const auto& [table, message] : problems_)
    problems.push(Json().set("table", table).set("message", message));
  out.set("problems", std::move(problems));
  return out;
}

}  // namespace aichemy::upkeep
