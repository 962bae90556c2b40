// One job: its thread, its epochs, its place in the source. See jobs.h for the guarantees.
#pragma once

#include <condition_variable>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "jobs/jobs.h"
#include "jobs/outbox.h"
#include "jobs/source.h"
#include "sql/executor.h"

namespace aichemy::jobs {

struct JobDefinition {
  CreateSource source;
  InsertInto insert;
  SourceOptions options;

  // Stored as {"source": text, "insert": text}: parsed again when the job is taken up.
  Json to_json() const;
  static Result<JobDefinition> from_statements(CreateSource source, InsertInto insert);
  static Result<JobDefinition> from_json(const Json& json);
};

// Takes whole record batches of one partition from `offset` on, and moves it behind them, up to
// about `budget` bytes. invalid ("offset_out_of_range").
Status read_partition(broker::Broker& broker, const TopicPartition& which, int64_t& offset,
                      uint64_t& budget, EventBatch& batch);

class JobRunner {
 public:
  JobRunner(const JobsOptions& options, std::string id, JobDefinition definition,
            int64_t created_millis);
  ~JobRunner();
  JobRunner(const JobRunner&) = delete;
  JobRunner& operator=(const JobRunner&) = delete;

  const std::string& id() const { return id_; }
  const JobDefinition& definition() const { return definition_; }
  // Whether the statement can run: its types fit the target's. Trino's error names.
  Status check(const Call& call);
  void start();  // the thread; the job is then RUNNING
  void stop();   // joins; after the epoch under way
  void set_state(JobState state);
  JobInfo info();

 private:
  // What one epoch has written and not yet handed over.
  struct Outbox {
    int64_t epoch = 0;
    std::map<std::string, WrittenBatch> files;  // by table name within the target's schema
  };

  const JobsOptions& options_;
  const std::string id_;
  JobDefinition definition_;
  const int64_t created_millis_;
  SourceConnector source_;
  SinkConnector sink_;
  sql::Executor executor_;
  Counter& records_metric_;
  Counter& dead_metric_;

  std::mutex join_mutex_;  // of thread_; taken before mutex_
  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::stop_source cancel_;
  JobState state_ = JobState::running;
  std::string error_;
  int64_t epoch_ = 0;
  uint64_t records_ = 0, dead_records_ = 0;
  JobFigures figures_;
  Positions offsets_;
  std::thread thread_;

  void run();
  Status restore();
  Status first_offsets();
  Result<bool> run_epoch();  // false: there was nothing to read
  Result<std::shared_ptr<EventBatch>> read_batch(Positions& next);
  Status follow_topics(Positions& next);
  Result<Outbox> process(EventBatch& batch);
  Status write_dead(Outbox& outbox);
  Status commit_epoch(const Outbox& outbox, const Positions& next);
  Status hand_over(const Outbox& outbox);
  Status clear_outbox(int64_t epoch);
  void give_up();
  Status execute(const std::string& statement);
  void count_epoch(const EventBatch& batch, const Outbox& outbox, SteadyTime began);  // with mutex_
  bool wait_for_events(std::chrono::milliseconds at_most);
  bool wait(std::chrono::milliseconds time);  // false: stopping
  bool has_events();
  std::string dead_table() const { return definition_.insert.target[2] + "_dead_letter"; }
};

}  // namespace aichemy::jobs
