#include "jobs/jobs.h"

#include <fmt/core.h>

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "jobs/outbox.h"
#include "jobs/preview.h"
#include "jobs/runner.h"

namespace aichemy::jobs {
namespace {

constexpr size_t kJobsMax = 64;

std::optional<JobState> state_from(std::string_view name) {
  for (JobState state :
       {JobState::running, JobState::paused, JobState::stopped, JobState::failed}) {
    if (job_state_name(state) == name) return state;
  }
  return std::nullopt;
}

// The last source of that name; what is wrong with a query is said about the last source.
Result<const CreateSource*> source_of(const InsertInto& insert,
                                      const std::vector<const CreateSource*>& sources) {
  if (sources.empty()) {
    return fail(Code::invalid, "query", "the script has no CREATE TABLE before its INSERT");
  }
  const CreateSource* chosen = sources.back();
  for (const CreateSource* source : sources) {
    if (check_stateless(insert.query, source->name)) chosen = source;
  }
  return chosen;
}

}  // namespace

std::string_view job_state_name(JobState state) {
  switch (state) {
    case JobState::running: return "RUNNING";
    case JobState::paused: return "PAUSED";
    case JobState::stopped: return "STOPPED";
    case JobState::failed: return "FAILED";
  }
  return "";
}

Json job_json(const JobInfo& job) {
  Json out;
  out.set("id", job.id)
      .set("name", job.name)
      .set("state", job_state_name(job.state))
      .set("error", job.error);
  out.set("created_millis", job.created_millis).set("epoch", job.epoch).set("records", job.records);
  out.set("dead_records", job.dead_records).set("lag", job.lag);
  return out;
}

Jobs::Jobs(JobsOptions options) : options_(options) {}

Jobs::~Jobs() { stop(); }

Result<std::unique_ptr<Jobs>> Jobs::start(JobsOptions options) {
  std::unique_ptr<Jobs> jobs(new Jobs(options));
  RETURN_IF_ERROR(jobs->recover());
  return jobs;
}

Status Jobs::recover() {
  auto rows = options_.database.read([](metadb::Transaction& transaction) {
    return transaction.query("SELECT id, state, definition, created_millis FROM jobs", {});
  });
  if (!rows) return std::unexpected(rows.error());
  for (const metadb::Row& row : *rows) {
    const std::string& id = row[0].as_text();
    auto state = state_from(row[1].as_text());
    auto json = Json::parse(row[2].as_text());
    auto definition = json ? JobDefinition::from_json(*json)
                           : Result<JobDefinition>(std::unexpected(json.error()));
    if (!state || !definition) {
      // One job that cannot be read must not keep the platform down; it stays stored as it is.
      log_error(
          "a stored job cannot be taken up",
          {{"job", id}, {"message", definition ? "unknown state" : definition.error().message}});
      continue;
    }
    auto runner =
        std::make_shared<JobRunner>(options_, id, std::move(*definition), row[3].as_int());
    runner->set_state(*state);
    if (*state == JobState::running) runner->start();
    runners_[id] = std::move(runner);
  }
  return {};
}

Result<std::shared_ptr<JobRunner>> Jobs::runner(const std::string& job) {
  std::lock_guard lock(mutex_);
  if (auto found = runners_.find(job); found != runners_.end()) return found->second;
  std::shared_ptr<JobRunner> by_name;
  for (const auto& [id, runner] : runners_) {
    JobInfo info = runner->info();
    if (info.name != job || info.state == JobState::stopped) continue;
    if (by_name)
      return fail(Code::invalid, "ambiguous_job",
                  "several jobs are named " + job + "; say which by its id");
    by_name = runner;
  }
  if (!by_name)
    return fail(Code::not_found, "no_such_job",
                fmt::format("there is no job '{}'; SHOW JOBS lists them", job));
  return by_name;
}

// Stored and started together: the script was checked as a whole.
Status Jobs::start_all(const std::vector<std::shared_ptr<JobRunner>>& runners) {
  std::lock_guard lock(mutex_);
  auto live = std::ranges::count_if(
      runners_, [](const auto& item) { return item.second->info().state != JobState::stopped; });
  if (static_cast<size_t>(live) + runners.size() > kJobsMax) {
    return fail(Code::exhausted, "too_many_jobs",
                fmt::format("at most {} jobs; stop one first", kJobsMax));
  }
  int64_t now = options_.clock.wall_millis();
  RETURN_IF_ERROR(options_.database.transaction([&](metadb::Transaction& transaction) -> Status {
    for (const auto& runner : runners) {
      RETURN_IF_ERROR(transaction.run(
          "INSERT INTO jobs (id, name, state, definition, created_millis, updated_millis) "
          "VALUES ($1, $2, $3, $4, $5, $6)",
          {runner->id(), runner->info().name, job_state_name(JobState::running),
           runner->definition().to_json().dump(), now, now}));
    }
    return {};
  }));
  for (const auto& runner : runners) {
    runners_[runner->id()] = runner;
    runner->start();
    log_info("job started", {{"job", runner->id()}, {"name", runner->info().name}});
  }
  return {};
}

Result<std::shared_ptr<JobRunner>> Jobs::make_runner(const Call& call, const CreateSource& source,
                                                     const InsertInto& insert) {
  ASSIGN_OR_RETURN(JobDefinition definition, JobDefinition::from_statements(source, insert));
  auto runner = std::make_shared<JobRunner>(options_, to_hex(options_.random.bytes(16)),
                                            std::move(definition), options_.clock.wall_millis());
  RETURN_IF_ERROR(runner->check(call));
  return runner;
}

Result<Json> Jobs::run_script(const Call& call, const std::string& script) {
  ASSIGN_OR_RETURN(std::vector<Statement> statements, parse_script(script));
  std::vector<const CreateSource*> sources;
  std::vector<std::shared_ptr<JobRunner>> runners;  // of the inserts, in order
  for (const Statement& statement : statements) {   // understood as a whole, before anything starts
    if (auto* source = std::get_if<CreateSource>(&statement)) {
      RETURN_IF_ERROR(source_options(*source));
      sources.push_back(source);
    }
    auto* insert = std::get_if<InsertInto>(&statement);
    if (!insert) continue;
    ASSIGN_OR_RETURN(const CreateSource* source, source_of(*insert, sources));
    ASSIGN_OR_RETURN(auto runner, make_runner(call, *source, *insert));
    runners.push_back(std::move(runner));
  }
  if (!runners.empty()) RETURN_IF_ERROR(start_all(runners));
  Json out = Json::array();
  size_t next = 0;
  for (const Statement& statement : statements) {
    if (auto* source = std::get_if<CreateSource>(&statement)) {
      out.push(Json().set("kind", "source").set("name", source->name));
    } else if (std::holds_alternative<InsertInto>(statement)) {
      out.push(job_json(runners[next++]->info()).set("kind", "job"));
    } else {
      const auto& command = std::get<JobCommand>(statement);
      if (command.action == JobAction::pause) RETURN_IF_ERROR(pause(command.job));
      if (command.action == JobAction::resume) RETURN_IF_ERROR(resume(command.job));
      if (command.action == JobAction::stop) RETURN_IF_ERROR(stop_job(command.job));
      out.push(Json().set("kind", "jobs").set("jobs", list_json()));
    }
  }
  return out;
}

Result<JobPreview> Jobs::preview(const Call& call, const std::string& script) {
  ASSIGN_OR_RETURN(std::vector<Statement> statements, parse_script(script));
  std::vector<const CreateSource*> sources;
  for (const Statement& statement : statements) {
    if (auto* source = std::get_if<CreateSource>(&statement)) sources.push_back(source);
    auto* insert = std::get_if<InsertInto>(&statement);
    if (!insert) continue;
    ASSIGN_OR_RETURN(const CreateSource* source, source_of(*insert, sources));
    ASSIGN_OR_RETURN(auto definition, JobDefinition::from_statements(*source, *insert));
    ASSIGN_OR_RETURN(JobPreview out, preview_job(options_, call, definition));
    if (auto runner = make_runner(call, *source, *insert); !runner) {
      out.problem = runner.error().message;
    }
    return out;
  }
  return fail(Code::invalid, "query", "the script has no INSERT INTO ... SELECT to look at");
}

std::vector<JobInfo> Jobs::list() {
  std::vector<std::shared_ptr<JobRunner>> runners;
  {
    std::lock_guard lock(mutex_);
    for (const auto& [id, runner] : runners_) runners.push_back(runner);
  }
  std::vector<JobInfo> out;
  for (const auto& runner : runners) out.push_back(runner->info());
  std::ranges::sort(out, {}, &JobInfo::created_millis);
  return out;
}

Json Jobs::list_json() {
  Json out = Json::array();
  for (const JobInfo& job : list()) out.push(job_json(job));
  return out;
}

Result<JobInfo> Jobs::find(const std::string& job) {
  ASSIGN_OR_RETURN(auto found, runner(job));
  return found->info();
}

Status Jobs::set_state(JobRunner& runner, JobState state) {
  RETURN_IF_ERROR(options_.database.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(
        transaction.run("UPDATE jobs SET state = $1, updated_millis = $2 WHERE id = $3",
                        {job_state_name(state), options_.clock.wall_millis(), runner.id()}));
    return {};
  }));
  runner.set_state(state);
  log_info("job state changed",
           {{"job", runner.id()}, {"state", std::string(job_state_name(state))}});
  return {};
}

Status Jobs::pause(const std::string& job) {
  ASSIGN_OR_RETURN(auto found, runner(job));
  std::lock_guard changing(change_mutex_);
  if (found->info().state != JobState::running) {
    return fail(Code::conflict, "job_state", fmt::format("job {} is not running", job));
  }
  return set_state(*found, JobState::paused);
}

Status Jobs::resume(const std::string& job) {
  ASSIGN_OR_RETURN(auto found, runner(job));
  std::lock_guard changing(change_mutex_);
  JobState state = found->info().state;
  if (state != JobState::paused && state != JobState::failed) {
    return fail(Code::conflict, "job_state",
                fmt::format("job {} is neither paused nor failed", job));
  }
  RETURN_IF_ERROR(set_state(*found, JobState::running));
  found->start();
  return {};
}

Status Jobs::stop_job(const std::string& job) {
  ASSIGN_OR_RETURN(auto found, runner(job));
  {
    std::lock_guard changing(change_mutex_);
    RETURN_IF_ERROR(set_state(*found, JobState::stopped));
  }
  found->stop();
  return {};
}

void Jobs::stop() {
  std::map<std::string, std::shared_ptr<JobRunner>> runners;
  {
    std::lock_guard lock(mutex_);
    runners = runners_;
  }
  for (auto& [id, runner] : runners) runner->stop();
}

Result<std::set<std::string>> outbox_files(metadb::Database& database) {
  ASSIGN_OR_RETURN(auto rows, database.read([](metadb::Transaction& transaction) {
    return transaction.query("SELECT outbox FROM job_epochs WHERE outbox <> '{}'");
  }));
  std::set<std::string> files;
  for (const metadb::Row& row : rows) {
    ASSIGN_OR_RETURN(Json tables, Json::parse(row[0].as_text()));
    for (const auto& [table, written] : tables.as_object()) {
      ASSIGN_OR_RETURN(WrittenBatch batch, batch_from_json(written));
      for (const sql::WrittenFile& file : batch.files) files.insert(file.path);
    }
  }
  return files;
}

}  // namespace aichemy::jobs
