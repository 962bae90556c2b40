// Streaming jobs: Flink SQL INSERT INTO ... SELECT statements that run until they are stopped, as
// micro-batches.
//
// One epoch of a job: read what is new of its source, run the statement over it, and commit in ONE
// metadb transaction the new offsets and the outbox (the data files the statement wrote). Then the
// outbox is handed to the table, under a summary entry that lands at most once. So:
//  I1  An epoch's offsets and outbox are stored together or not at all; a crash before that repeats
//  the epoch (its
//      files are orphans), a crash after it hands the outbox over again, which changes nothing if
//      it was there.
//  I2  At most one epoch of a job is not handed over, the last one; the next begins only after it
//  is. I3  A record that does not fit the source table goes to the dead-letter table in the same
//  epoch, with its
//      offset, bytes and error; it never stops the job and is never dropped.
//
// Supported: one Kafka source a statement, projections and filters. Queries that need state over
// events (grouping, joins, windows, DISTINCT, ORDER BY, LIMIT) are refused by name: answering them
// by micro-batch would be wrong.
//
// Limits: 64 jobs; an epoch reads at most 64 MiB of batches; one thread a job, idle jobs sleep.
// Threads: the public functions are thread safe and blocking.
#pragma once

#include <chrono>
#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "broker/broker.h"
#include "jobs/event_batch.h"
#include "metadb/metadb.h"
#include "runtime/call.h"
#include "sql/connectors/connector.h"
#include "sql/engine/engine.h"

namespace aichemy::jobs {

enum class JobState : uint8_t { running, paused, stopped, failed };
std::string_view job_state_name(JobState state);  // "RUNNING"

// What a job has moved since this process started, by epochs that were handed over.
struct JobFigures {
  uint64_t read_records = 0;  // also those that were put aside
  uint64_t read_bytes = 0;    // of record batches, as the topic keeps them
  uint64_t written_records = 0, written_bytes = 0, written_files = 0;  // not of what was put aside
  uint64_t epochs = 0;
  uint64_t failures = 0;         // epochs that were given up, or will be tried again
  int64_t epoch_millis = 0;      // that the last one took
  int64_t handed_over_millis = 0;  // when it was; 0: none yet
};

struct JobInfo {
  std::string id;    // 32 hexadecimal digits
  std::string name;  // "source -> catalog.schema.table"
  JobState state = JobState::running;
  std::string error;  // why it failed, or the last error it retries
  int64_t created_millis = 0;
  int64_t epoch = 0;                       // the last one handed over
  uint64_t records = 0, dead_records = 0;  // since this process started
  int64_t lag = 0;                         // events not read yet
  JobFigures figures;
  std::vector<std::string> topics;         // that it reads
  std::string table, dead_table;           // schema.table that it writes
  std::string source, insert;              // its statements as they were written
};

// What a statement would make of the newest records of its topics. Nothing is written.
struct JobPreview {
  std::vector<std::pair<std::string, std::string>> columns;  // name, type
  std::string rows_json = "[]";  // the first of them: arrays of values in the columns' order
  uint64_t rows = 0, records = 0;
  uint64_t dead_records = 0;     // that would be put aside
  std::vector<DeadEvent> dead;   // the first of them
  std::string problem;          // why Start would refuse it (the target does not fit, is not there)
};

struct JobsOptions {
  metadb::Database& database;
  broker::Broker& broker;
  sql::Engine& engine;
  sql::Connector& connector;  // of catalog `iceberg`
  EventScans& event_scans;
  Clock& clock;
  Random& random;
  Metrics& metrics;
  std::chrono::milliseconds epoch_interval{500};
};

class JobRunner;

class Jobs {
 public:
  // Takes up the jobs that ran when the last process ended.
  static Result<std::unique_ptr<Jobs>> start(JobsOptions options);
  ~Jobs();
  Jobs(const Jobs&) = delete;
  Jobs& operator=(const Jobs&) = delete;

  // Runs a script; one JSON object per statement: {"kind": "source"|"job"|"jobs", ...}. Nothing is
  // started unless the whole script is understood. invalid ("syntax", "option", Trino's error
  // names), unsupported ("statement", "query"), not_found ("no_such_job"), exhausted
  // ("too_many_jobs").
  Result<Json> run_script(const Call& call, const std::string& script);

  // The first INSERT of a script, over the last records of its topics (200 in all). Errors as
  // run_script's; those about the target are told in JobPreview::problem.
  Result<JobPreview> preview(const Call& call, const std::string& script);

  std::vector<JobInfo> list();
  Json list_json();
  // By id or by name, when only one job has it. not_found ("no_such_job").
  Result<JobInfo> find(const std::string& job);
  Status pause(const std::string& job);     // keeps its place
  Status resume(const std::string& job);    // a paused or failed one
  Status stop_job(const std::string& job);  // for good
  // Ends the threads; the jobs go on with the next process.
  void stop();

 private:
  explicit Jobs(JobsOptions options);
  JobsOptions options_;
  std::mutex change_mutex_;  // one change of a job's state at a time
  std::mutex mutex_;
  std::map<std::string, std::shared_ptr<JobRunner>> runners_;  // by id

  Status recover();
  Result<std::shared_ptr<JobRunner>> runner(const std::string& job);
  Result<std::shared_ptr<JobRunner>> make_runner(const Call& call, const CreateSource& source,
                                                 const InsertInto& insert);
  Status start_all(const std::vector<std::shared_ptr<JobRunner>>& runners);
  Status set_state(JobRunner& runner, JobState state);
};

Json job_json(const JobInfo& job);

// Data files that stored epochs still have to hand to their tables, also of jobs that do not run:
// no table names them yet.
Result<std::set<std::string>> outbox_files(metadb::Database& database);

}  // namespace aichemy::jobs
