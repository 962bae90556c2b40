#include "sql/query_registry.h"

#include <fmt/format.h>

#include <ctime>

namespace aichemy::sql {

std::string_view query_state_name(QueryState state) {
  switch (state) {
    case QueryState::queued: return "QUEUED";
    case QueryState::planning: return "PLANNING";
    case QueryState::running: return "RUNNING";
    case QueryState::finishing: return "FINISHING";
    case QueryState::finished: return "FINISHED";
    case QueryState::failed: return "FAILED";
  }
  return "QUEUED";
}

QueryRegistry::QueryRegistry(Clock& clock, Random& random, size_t finished_max)
    : clock_(clock), finished_max_(finished_max) {
  static constexpr char kAlphabet[] =
      "abcdefghijkmnpqrstuvwxyz23456789";  // 32 letters, none ambiguous
  std::string raw = random.bytes(5);
  for (char c : raw) node_ += kAlphabet[static_cast<unsigned char>(c) % 32];
}

std::string QueryRegistry::next_id() {
  auto now = std::chrono::floor<std::chrono::seconds>(clock_.wall_now());
  std::time_t seconds = now.time_since_epoch().count();
  std::tm parts{};
  gmtime_r(&seconds, &parts);
  std::lock_guard lock(mutex_);
  uint64_t n = counter_++ % 100000;
  return fmt::format("{:04}{:02}{:02}_{:02}{:02}{:02}_{:05}_{}", parts.tm_year + 1900,
                     parts.tm_mon + 1, parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec, n,
                     node_);
}

void QueryRegistry::begin(QueryInfo info, Kill kill) {
  std::lock_guard lock(mutex_);
  info.created = clock_.wall_now();
  std::string id = info.id;
  running_[id] = Running{std::move(info), std::move(kill), std::nullopt};
}

void QueryRegistry::update(const std::string& id, const std::function<void(QueryInfo&)>& change) {
  std::lock_guard lock(mutex_);
  auto found = running_.find(id);
  if (found != running_.end()) change(found->second.info);
}

void QueryRegistry::executing(const std::string& id) {
  std::lock_guard lock(mutex_);
  auto found = running_.find(id);
  if (found == running_.end() || found->second.executing) return;
  found->second.executing = clock_.steady_now();
  found->second.info.executing = clock_.wall_now();
  found->second.info.state = QueryState::running;
}

std::optional<SteadyTime> QueryRegistry::executing_since(const std::string& id) const {
  std::lock_guard lock(mutex_);
  auto found = running_.find(id);
  return found == running_.end() ? std::nullopt : found->second.executing;
}

void QueryRegistry::end(const std::string& id, QueryState state, std::optional<Error> error) {
  QueryInfo copy;
  {
    std::lock_guard lock(mutex_);
    auto found = running_.find(id);
    if (found == running_.end()) return;
    QueryInfo info = std::move(found->second.info);
    running_.erase(found);
    info.state = state;
    info.error = std::move(error);
    info.ended = clock_.wall_now();
    if (on_end_) copy = info;
    finished_.push_back(std::move(info));
    while (finished_.size() > finished_max_) finished_.pop_front();
  }
  if (on_end_) on_end_(copy);
}

std::vector<QueryInfo> QueryRegistry::list() const {
  std::lock_guard lock(mutex_);
  std::vector<QueryInfo> all(finished_.begin(), finished_.end());
  for (const auto& [id, running] : running_) all.push_back(running.info);
  return all;
}

std::optional<QueryInfo> QueryRegistry::find(const std::string& id) const {
  std::lock_guard lock(mutex_);
  if (auto found = running_.find(id); found != running_.end()) return found->second.info;
  for (const auto& info : finished_) {
    if (info.id == id) return info;
  }
  return std::nullopt;
}

Status QueryRegistry::kill(const std::string& id, const char* what, const std::string& message) {
  Kill kill;
  {
    std::lock_guard lock(mutex_);
    auto found = running_.find(id);
    if (found == running_.end()) {
      return fail(Code::not_found, "NOT_FOUND", "Target query not found: " + id);
    }
    kill = found->second.kill;
  }
  if (kill) kill(what, message);
  return {};
}

void QueryRegistry::serve_at(std::string uri) {
  std::lock_guard lock(mutex_);
  uri_ = std::move(uri);
}

std::string QueryRegistry::uri() const {
  std::lock_guard lock(mutex_);
  return uri_;
}

}  // namespace aichemy::sql
