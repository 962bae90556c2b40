#include "serve/console/overview.h"

#include <algorithm>
#include <cmath>
#include <set>

#include "base/log_tail.h"
#include "runtime/process.h"
#include "serve/console/handlers.h"

namespace aichemy::serve::console {
namespace {

constexpr auto kFresh = std::chrono::milliseconds(900);
constexpr size_t kTopicsShown = 12;
constexpr size_t kLogLinesMax = 2000;

Json trouble(const char* level, std::string text, const char* link) {
  return Json().set("level", level).set("text", std::move(text)).set("link", link);
}

// Errors of the last hour, as one line: the log has the rest. Times are ISO 8601 in UTC, which
// compare as text.
void add_log_errors(Clock& clock, Json& list) {
  std::string since = format_iso8601(clock.wall_now() - std::chrono::hours(1));
  size_t count = 0;
  std::string last;
  for (const LogLine& line : log_tail(kLogLinesMax)) {
    if (line.time < since) break;
    if (line.level != "error") continue;
    if (count++ == 0) last = line.event;
  }
  if (count == 0) return;
  list.push(trouble("warn",
                    std::to_string(count) + (count == 1 ? " error" : " errors") +
                        " in the log in the last hour; the last: " + last,
                    "/admin?tab=logs&level=error"));
}

}  // namespace

double OverviewKeeper::rate(const std::map<std::string, int64_t>& before,
                            const std::map<std::string, int64_t>& now, const std::string& name,
                            SteadyTime at) const {
  auto then = before.find(name), here = now.find(name);
  double seconds = std::chrono::duration<double>(at - last_.at).count();
  if (then == before.end() || here == now.end() || seconds <= 0) return 0;
  double value = static_cast<double>(std::max<int64_t>(0, here->second - then->second)) / seconds;
  return std::round(value * 10) / 10;
}

std::string OverviewKeeper::text() {
  std::lock_guard lock(mutex_);
  SteadyTime at = options_.clock.steady_now();
  if (!text_.empty() && at - last_.at < kFresh) return text_;
  Look now;
  now.at = at;
  for (const auto& topic : options_.broker.topics()) {
    int64_t ends = 0;
    for (const auto& partition : topic->partitions) ends += partition->high_watermark();
    now.ends[topic->name] = ends;
  }
  text_ = make(now).dump();
  last_ = std::move(now);
  return text_;
}

Json OverviewKeeper::topics_json(const Look& now, const std::vector<jobs::JobInfo>& jobs,
                                 Json& out) {
  struct Row {
    broker::TopicRef topic;
    double rate;
    bool read;
  };
  std::set<std::string> read;
  for (const auto& job : jobs) read.insert(job.topics.begin(), job.topics.end());
  std::vector<Row> rows;
  double all = 0;
  for (const auto& topic : options_.broker.topics()) {
    if (kept_aside(*topic)) continue;
    double speed = rate(last_.ends, now.ends, topic->name, now.at);
    all += speed;
    rows.push_back({topic, speed, read.contains(topic->name)});
  }
  out.set("topics_total", static_cast<int64_t>(rows.size())).set("messages_rate", all);
  std::ranges::sort(rows, [](const Row& a, const Row& b) {
    return std::tuple(b.read, b.rate, a.topic->name) < std::tuple(a.read, a.rate, b.topic->name);
  });
  Json list = Json::array();
  for (size_t i = 0; i < rows.size() && (i < kTopicsShown || rows[i].read); ++i) {
    int64_t messages = 0;
    uint64_t bytes = 0;
    for (const auto& partition : rows[i].topic->partitions) {
      messages += partition->high_watermark() - partition->log_start();
      bytes += partition->bytes();
    }
    Json row;
    row.set("name", rows[i].topic->name).set("messages", messages);
    row.set("rate", rows[i].rate).set("bytes", bytes);
    list.push(std::move(row));
  }
  return list;
}

Json OverviewKeeper::jobs_json(const Look& now, const std::vector<jobs::JobInfo>& jobs) {
  Json list = Json::array();
  for (const auto& job : jobs) {
    Json topics = Json::array();
    for (const auto& topic : job.topics) topics.push(topic);
    Json row;
    row.set("id", job.id).set("name", job.name).set("state", jobs::job_state_name(job.state));
    row.set("topics", std::move(topics)).set("table", job.table);
    row.set("rate", rate(last_.records, now.records, job.id, now.at)).set("lag", job.lag);
    row.set("dead_records", job.dead_records);
    list.push(std::move(row));
  }
  return list;
}

Json OverviewKeeper::tables_json(const std::vector<jobs::JobInfo>& jobs) {
  std::set<std::string> names;
  for (const auto& job : jobs) names.insert(job.table);
  Json list = Json::array();
  for (const auto& name : names) {
    size_t dot = name.rfind('.');
    auto table = options_.catalog.load_table(Call{}, {{name.substr(0, dot)}, name.substr(dot + 1)});
    if (!table) continue;  // dropped under its job
    Json row;
    row.set("name", name);
    if (const auto* snapshot = table->metadata->current_snapshot()) {
      std::string rows(snapshot->summary_value("total-records"));
      if (!rows.empty())
        row.set("rows", static_cast<int64_t>(std::strtoll(rows.c_str(), nullptr, 10)));
    }
    row.set("updated_millis", table->metadata->last_updated_millis);
    list.push(std::move(row));
  }
  return list;
}

Json OverviewKeeper::troubles_json(const std::vector<jobs::JobInfo>& jobs) {
  Json list = Json::array();
  for (const auto& drive : options_.store.status().drives) {
    if (!drive.online)
      list.push(
          trouble("error", "Drive " + drive.path + " is away: " + drive.problem, "/overview"));
    if (drive.healing_objects > 0)
      list.push(trouble(
          "warn",
          "Drive " + drive.path + " heals " + std::to_string(drive.healing_objects) + " objects",
          "/overview"));
  }
  for (size_t copy = 0; copy < 2; ++copy) {
    if (!options_.broker.directory_online(copy))
      list.push(trouble("error", "Broker " + std::to_string(copy + 1) + " has lost its directory",
                        "/events/brokers"));
  }
  add_log_errors(options_.clock, list);
  for (const auto& job : jobs) {
    if (job.state == jobs::JobState::failed) {
      list.push(trouble("error", "Job " + job.name + " failed: " + job.error, "/jobs"));
    } else if (!job.error.empty()) {
      list.push(trouble("warn", "Job " + job.name + " retries: " + job.error, "/jobs"));
    }
    if (job.dead_records > 0)
      list.push(trouble("warn",
                        "Job " + job.name + " put " + std::to_string(job.dead_records) +
                            " records aside that do not fit",
                        "/jobs"));
  }
  return list;
}

Json OverviewKeeper::make(Look& now) {
  std::vector<jobs::JobInfo> jobs =
      options_.jobs ? options_.jobs->list() : std::vector<jobs::JobInfo>();
  std::erase_if(jobs, [](const auto& job) { return job.state == jobs::JobState::stopped; });
  for (const auto& job : jobs) now.records[job.id] = static_cast<int64_t>(job.records);
  Json out;
  auto uptime = std::chrono::duration_cast<std::chrono::seconds>(now.at - began_).count();
  out.set("version", options_.version).set("now_millis", options_.clock.wall_millis());
  out.set("uptime_seconds", static_cast<int64_t>(uptime))
      .set("memory_bytes", static_cast<int64_t>(resident_bytes()));
  out.set("groups_total", static_cast<int64_t>(options_.broker.groups().list().size()));
  int64_t running = 0, failed = 0;
  for (const auto& query : options_.queries.list()) {
    if (query.state == sql::QueryState::failed) ++failed;
    if (query.state < sql::QueryState::finished) ++running;
  }
  out.set("queries_running", running).set("queries_failed", failed);
  Json drives = Json::array();
  for (const auto& drive : options_.store.status().drives) {
    Json row;
    row.set("path", drive.path).set("online", drive.online).set("problem", drive.problem);
    row.set("free_bytes", drive.free_bytes).set("healing_objects", drive.healing_objects);
    drives.push(std::move(row));
  }
  out.set("drives", std::move(drives));
  Json topics = topics_json(now, jobs, out);
  out.set("topics", std::move(topics));
  out.set("jobs", jobs_json(now, jobs));
  out.set("tables", tables_json(jobs));
  out.set("troubles", troubles_json(jobs));
  return out;
}

Result<Answer> get_overview(Exchange& exchange) {
  return Answer::text(exchange.parts.overview.text());
}

Result<Answer> get_session(Exchange& exchange) {
  ConsoleOptions& options = exchange.services();
  Json addresses = Json::array();
  for (const auto& [name, title, address] : options.addresses) {
    Json row;
    row.set("name", name).set("title", title).set("address", address);
    addresses.push(std::move(row));
  }
  Json out;  // csrf and home: the service knows them
  out.set("user", exchange.call.principal).set("role", role_name(exchange.role));
  out.set("version", options.version).set("jobs", options.jobs != nullptr);
  out.set("addresses", std::move(addresses));
  return Answer(std::move(out));
}

}  // namespace aichemy::serve::console
