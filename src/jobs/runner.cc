#include "jobs/runner.h"

#include <fmt/format.h>
#include <pthread.h>

#include <algorithm>
#include <atomic>

#include "base/log.h"
#include "jobs/outbox.h"
#include "wire/record_batch.h"

namespace aichemy::jobs {
namespace {

constexpr uint64_t kEpochBytesMax = 64u << 20;
constexpr uint32_t kReadBytes = 8u << 20;
constexpr auto kIdleWait = std::chrono::milliseconds(1000);
constexpr auto kRetryFirst = std::chrono::milliseconds(200);
constexpr auto kRetryLast = std::chrono::milliseconds(10'000);

// Errors that pass by themselves; others need a person.
bool is_transient(const Error& error) {
  return error.code == Code::unavailable || error.code == Code::exhausted ||
         error.code == Code::conflict || error.code == Code::timeout ||
         error.code == Code::cancelled;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

std::string qualified(const std::vector<std::string>& names) {
  std::string out;
  for (const std::string& name : names) out += (out.empty() ? "" : ".") + quoted(name);
  return out;
}

}  // namespace

Json JobDefinition::to_json() const {
  return Json().set("source", source.text).set("insert", insert.text);
}

Result<JobDefinition> JobDefinition::from_statements(CreateSource source, InsertInto insert) {
  JobDefinition out{std::move(source), std::move(insert), {}};
  ASSIGN_OR_RETURN(out.options, source_options(out.source));
  RETURN_IF_ERROR(SourceConnector::check_columns(out.source));
  RETURN_IF_ERROR(check_stateless(out.insert.query, out.source.name));
  return out;
}

Result<JobDefinition> JobDefinition::from_json(const Json& json) {
  ASSIGN_OR_RETURN(std::string source, json.string_at("source"));
  ASSIGN_OR_RETURN(std::string insert, json.string_at("insert"));
  ASSIGN_OR_RETURN(auto statements, parse_script(source + ";\n" + insert));
  auto* create = statements.size() == 2 ? std::get_if<CreateSource>(&statements[0]) : nullptr;
  auto* into = statements.size() == 2 ? std::get_if<InsertInto>(&statements[1]) : nullptr;
  if (!create || !into)
    return fail(Code::corrupt, "job_definition", "a stored job is not a source and an INSERT");
  return from_statements(std::move(*create), std::move(*into));
}

JobRunner::JobRunner(const JobsOptions& options, std::string id, JobDefinition definition,
                     int64_t created_millis)
    : options_(options),
      id_(std::move(id)),
      definition_(std::move(definition)),
      created_millis_(created_millis),
      source_(definition_.source, options.event_scans),
      sink_(options.connector),
      executor_({.engine = options.engine,
                 .catalogs = {{kJobCatalog, &source_}, {definition_.insert.target[0], &sink_}},
                 .clock = options.clock,
                 .random = options.random}),
      records_metric_(
          options.metrics.counter("aichemy_jobs_records_total", "Events written by jobs")),
      dead_metric_(options.metrics.counter("aichemy_jobs_dead_records_total",
                                           "Events that went to dead letters")) {}

JobRunner::~JobRunner() { stop(); }

// Runs the statement over an empty epoch: everything but rows is checked.
Status JobRunner::check(const Call&) {
  auto empty = std::make_shared<EventBatch>();
  empty->columns = definition_.source.columns;
  source_.set_batch(empty);
  std::string columns;
  for (const std::string& column : definition_.insert.columns)
    columns += (columns.empty() ? "" : ", ") + quoted(column);
  return execute(fmt::format("INSERT INTO {} {} {}", qualified(definition_.insert.target),
                             columns.empty() ? "" : "(" + columns + ")", definition_.insert.query));
}

Status JobRunner::execute(const std::string& statement) {
  sql::Session session;
  session.user = "aichemy";
  session.source = "job " + id_;
  session.catalog = kJobCatalog;
  session.schema = kJobSchema;
  session.start = options_.clock.wall_now();
  Call call;
  call.cancel = cancel_.get_token();
  ASSIGN_OR_RETURN(sql::StatementResult result, executor_.execute(call, session, statement));
  while (result.rows) {
    ASSIGN_OR_RETURN(sql::Page page, result.rows->next_page(1 << 20));
    if (page.done) break;
  }
  return {};
}

void JobRunner::start() {
  std::lock_guard joining(join_mutex_);
  std::lock_guard lock(mutex_);
  if (stopping_) return;
  state_ = JobState::running;
  if (!thread_.joinable()) thread_ = std::thread([this] { run(); });
  changed_.notify_all();
}

void JobRunner::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
    cancel_.request_stop();
    changed_.notify_all();
  }
  std::lock_guard joining(join_mutex_);  // two may stop it at once
  if (thread_.joinable()) thread_.join();
}

void JobRunner::set_state(JobState state) {
  std::lock_guard lock(mutex_);
  state_ = state;
  if (state == JobState::running) error_.clear();
  changed_.notify_all();
}

JobInfo JobRunner::info() {
  JobInfo out;
  out.id = id_;
  out.name =
      fmt::format("{} -> {}", definition_.source.name, fmt::join(definition_.insert.target, "."));
  out.created_millis = created_millis_;
  out.topics = definition_.options.topics;
  out.table = fmt::format("{}.{}", definition_.insert.target[1], definition_.insert.target[2]);
  out.dead_table = fmt::format("{}.{}", definition_.insert.target[1], dead_table());
  out.source = definition_.source.text;
  out.insert = definition_.insert.text;
  Positions offsets;
  {
    std::lock_guard lock(mutex_);
    out.state = state_;
    out.error = error_;
    out.epoch = epoch_;
    out.records = records_;
    out.dead_records = dead_records_;
    out.figures = figures_;
    offsets = offsets_;
  }
  for (const auto& [which, position] : offsets) {
    if (auto bounds = options_.broker.offsets(which.first, which.second))
      out.lag += std::max<int64_t>(0, bounds->end - position.offset);
  }
  return out;
}

bool JobRunner::wait(std::chrono::milliseconds time) {
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, time, [this] { return stopping_; });
  return !stopping_;
}

void JobRunner::run() {
  pthread_setname_np(pthread_self(), "job");
  auto retry = kRetryFirst;
  bool restored = false;
  for (;;) {
    {
      std::unique_lock lock(mutex_);
      changed_.wait(lock, [this] { return stopping_ || state_ == JobState::running; });
      if (stopping_) return;
    }
    SteadyTime began = options_.clock.steady_now();
    Status restoring = restored ? Status() : restore();
    restored = restored || restoring.has_value();
    Result<bool> ran = restoring ? run_epoch() : Result<bool>(std::unexpected(restoring.error()));
    if (ran) {
      retry = kRetryFirst;
      {
        std::lock_guard lock(mutex_);
        error_.clear();
      }
      auto took = std::chrono::duration_cast<std::chrono::milliseconds>(
          options_.clock.steady_now() - began);
      if (!*ran) {
        wait_for_events(kIdleWait);
      } else if (took < options_.epoch_interval && !wait(options_.epoch_interval - took)) {
        return;
      }
      continue;
    }
    restored = false;  // what is stored says where to go on
    if (cancel_.stop_requested()) return;
    log_warn("job epoch failed",
             {{"job", id_}, {"what", ran.error().what}, {"message", ran.error().message}});
    {
      std::lock_guard lock(mutex_);
      error_ = ran.error().message;
      ++figures_.failures;
    }
    if (!is_transient(ran.error())) {
      give_up();
      continue;
    }
    if (!wait(retry)) return;
    retry = std::min(retry * 2, kRetryLast);
  }
}

// Stored before it is shown, and only over RUNNING: a PAUSE or STOP that came meanwhile stands.
void JobRunner::give_up() {
  Status stored = options_.database.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(transaction.run(
        "UPDATE jobs SET state = $1, updated_millis = $2 WHERE id = $3 AND state = $4",
        {job_state_name(JobState::failed), options_.clock.wall_millis(), id_,
         job_state_name(JobState::running)}));
    return {};
  });
  if (!stored)
    log_error("job state not stored", {{"job", id_}, {"message", stored.error().message}});
  std::lock_guard lock(mutex_);
  if (state_ == JobState::running) state_ = JobState::failed;
}

bool JobRunner::has_events() {
  for (const auto& [which, position] : offsets_) {
    auto topic = options_.broker.find_topic(which.first);
    if (topic && topic->id != position.topic_id) return true;  // made anew
    auto bounds = options_.broker.offsets(which.first, which.second);
    if (bounds && bounds->end > position.offset) return true;
  }
  return false;
}

bool JobRunner::wait_for_events(std::chrono::milliseconds at_most) {
  // Interest first, then the look: an event between the two still wakes us.
  auto woken = std::make_shared<std::atomic<bool>>(false);
  auto waiter = std::make_shared<std::function<void()>>([this, woken] {
    woken->store(true);
    std::lock_guard lock(mutex_);
    changed_.notify_all();
  });
  for (const auto& [which, position] : offsets_)
    (void)options_.broker.on_change(which.first, which.second, waiter);
  if (has_events()) return true;
  std::unique_lock lock(mutex_);
  changed_.wait_for(lock, at_most,
                    [&] { return stopping_ || woken->load() || state_ != JobState::running; });
  return woken->load();
}

// Takes up where the last committed epoch ended, and hands its outbox over (again).
Status JobRunner::restore() {
  auto stored = options_.database.read([&](metadb::Transaction& transaction) {
    return transaction.query(
        "SELECT epoch, offsets, outbox FROM job_epochs WHERE job_id = $1 ORDER BY epoch DESC LIMIT "
        "1",
        {id_});
  });
  if (!stored) return std::unexpected(stored.error());
  if (stored->empty()) return first_offsets();
  const metadb::Row& row = stored->front();
  Outbox outbox;
  outbox.epoch = row[0].as_int();
  ASSIGN_OR_RETURN(Json offsets_json, Json::parse(row[1].as_text()));
  ASSIGN_OR_RETURN(Positions offsets, offsets_from_json(offsets_json));
  ASSIGN_OR_RETURN(Json tables, Json::parse(row[2].as_text()));
  for (const auto& [table, files] : tables.as_object()) {
    ASSIGN_OR_RETURN(outbox.files[table], batch_from_json(files));
  }
  RETURN_IF_ERROR(hand_over(outbox));
  RETURN_IF_ERROR(clear_outbox(outbox.epoch));
  std::lock_guard lock(mutex_);
  epoch_ = outbox.epoch;
  offsets_ = std::move(offsets);
  return {};
}

// Epoch 0: the place where the job starts is stored before anything is read, so that it is chosen
// once.
Status JobRunner::first_offsets() {
  Positions offsets;
  for (const std::string& name : definition_.options.topics) {
    ASSIGN_OR_RETURN(broker::TopicRef topic, options_.broker.find_or_create_topic(name));
    for (const auto& partition : topic->partitions) {
      int64_t start = partition->log_start();
      if (definition_.options.startup == SourceOptions::Startup::latest)
        start = partition->high_watermark();
      if (definition_.options.startup == SourceOptions::Startup::timestamp) {
        ASSIGN_OR_RETURN(auto found, partition->find_timestamp(definition_.options.startup_millis));
        start = found.offset >= 0 ? found.offset : partition->high_watermark();
      }
      offsets[{name, partition->index()}] = {topic->id, start};
    }
  }
  RETURN_IF_ERROR(commit_epoch(Outbox{}, offsets));
  std::lock_guard lock(mutex_);
  epoch_ = 0;
  offsets_ = std::move(offsets);
  return {};
}

void JobRunner::count_epoch(const EventBatch& batch, const Outbox& outbox, SteadyTime began) {
  records_ += batch.records;
  dead_records_ += batch.dead.size();
  figures_.read_records += batch.records + batch.dead.size();
  figures_.read_bytes += batch.bytes;
  for (const auto& file : outbox.files.at(definition_.insert.target[2]).files) {
    figures_.written_records += file.rows;
    figures_.written_bytes += file.bytes;
    ++figures_.written_files;
  }
  ++figures_.epochs;
  figures_.handed_over_millis = options_.clock.wall_millis();
  figures_.epoch_millis = std::chrono::duration_cast<std::chrono::milliseconds>(
                              options_.clock.steady_now() - began)
                              .count();
}

Result<bool> JobRunner::run_epoch() {
  SteadyTime began = options_.clock.steady_now();
  Positions next = offsets_;
  ASSIGN_OR_RETURN(auto batch, read_batch(next));
  if (batch->slices.empty()) {
    std::lock_guard lock(mutex_);
    offsets_ = std::move(next);  // topics made anew are known now
    return false;
  }
  ASSIGN_OR_RETURN(Outbox outbox, process(*batch));
  RETURN_IF_ERROR(commit_epoch(outbox, next));
  RETURN_IF_ERROR(hand_over(outbox));
  RETURN_IF_ERROR(clear_outbox(outbox.epoch));
  records_metric_.add(batch->records);
  dead_metric_.add(batch->dead.size());
  std::lock_guard lock(mutex_);
  epoch_ = outbox.epoch;
  offsets_ = std::move(next);
  count_epoch(*batch, outbox, began);
  return true;
}

// Partitions that were added are read from their beginning, and so is a topic that was made anew
// under its name: nothing of it has been read. A topic that is gone has nothing to read.
Status JobRunner::follow_topics(Positions& next) {
  for (const std::string& name : definition_.options.topics) {
    broker::TopicRef topic = options_.broker.find_topic(name);
    if (!topic) {  // deleted: perhaps made anew later
      std::erase_if(next, [&](const auto& entry) { return entry.first.first == name; });
      continue;
    }
    std::erase_if(next, [&](const auto& entry) {
      return entry.first.first == name &&
             static_cast<size_t>(entry.first.second) >= topic->partitions.size();
    });
    for (const auto& partition : topic->partitions) {
      Position& position =
          next.try_emplace({name, partition->index()}, Position{topic->id, 0}).first->second;
      if (position.topic_id != topic->id && position.topic_id != wire::Uuid{}) {
        log_warn("topic was made anew, read from its beginning",
                 {{"job", id_}, {"topic", name}, {"offset_before", position.offset}});
        position.offset = partition->log_start();
      }
      position.topic_id = topic->id;
    }
  }
  return {};
}

Result<std::shared_ptr<EventBatch>> JobRunner::read_batch(Positions& next) {
  RETURN_IF_ERROR(follow_topics(next));
  auto batch = std::make_shared<EventBatch>();
  batch->columns = definition_.source.columns;
  source_.set_batch(batch);
  uint64_t share = kEpochBytesMax / std::max<size_t>(1, next.size());
  for (auto& [which, position] : next) {
    uint64_t budget = share;
    RETURN_IF_ERROR(read_partition(options_.broker, which, position.offset, budget, *batch));
  }
  return batch;
}

Status read_partition(broker::Broker& broker, const TopicPartition& which, int64_t& offset,
                      uint64_t& budget, EventBatch& batch) {
  const auto& [topic, partition] = which;
  for (;;) {
    auto bytes = broker.read(
        topic, partition, offset, static_cast<uint32_t>(std::min<uint64_t>(budget, kReadBytes)));
    if (!bytes && bytes.error().is("offset_out_of_range")) {
      return fail(Code::invalid, "offset_out_of_range",
                  fmt::format("offset {} of {}-{} is gone: retention removed events the job had "
                              "not read. Stop this job "
                              "and start a new one to go on from what is left.",
                              offset, topic, partition));
    }
    if (!bytes) return std::unexpected(bytes.error());
    if (bytes->empty()) return {};
    EventSlice slice{topic, partition, *bytes, offset, offset};
    size_t taken = 0;
    for (std::string_view rest = bytes->view(); rest.size() >= wire::kBatchHeaderBytes;) {
      ASSIGN_OR_RETURN(wire::BatchHeader header, wire::read_batch_header(rest));
      if (header.bytes() > rest.size()) break;
      slice.to = header.next_offset();
      rest.remove_prefix(header.bytes());
      taken += header.bytes();
    }
    if (slice.to <= offset) return {};
    offset = slice.to;
    batch.bytes += taken;
    batch.slices.push_back(std::move(slice));
    if (budget <= bytes->size()) return {};
    budget -= bytes->size();
  }
}

Result<JobRunner::Outbox> JobRunner::process(EventBatch& batch) {
  Outbox outbox;
  outbox.epoch = epoch_ + 1;
  std::string columns;
  for (const std::string& column : definition_.insert.columns)
    columns += (columns.empty() ? "" : ", ") + quoted(column);
  RETURN_IF_ERROR(
      execute(fmt::format("INSERT INTO {} {} {}", qualified(definition_.insert.target),
                          columns.empty() ? "" : "(" + columns + ")", definition_.insert.query)));
  outbox.files[definition_.insert.target[2]] = sink_.take_files();
  if (!batch.dead.empty()) RETURN_IF_ERROR(write_dead(outbox));
  return outbox;
}

Status JobRunner::write_dead(Outbox& outbox) {
  const std::vector<std::string>& target = definition_.insert.target;
  sql::TableName name{target[1], dead_table()};
  Call call;
  ASSIGN_OR_RETURN(sql::TableRef table, sink_.get_table(call, name));
  if (!table) {
    sql::NewTable wanted;
    wanted.name = name;
    wanted.comment = "Events that did not fit the source table of a job writing to " + target[2];
    for (const SourceColumn& column : dead_event_columns()) {
      wanted.columns.push_back({.name = column.name, .type = column.type, .comment = {}});
    }
    Status created = sink_.create_table(call, wanted);
    if (!created && created.error().code != Code::exists) return created;
  }
  RETURN_IF_ERROR(execute(fmt::format("INSERT INTO {} SELECT * FROM {}",
                                      qualified({target[0], target[1], dead_table()}),
                                      qualified({kJobCatalog, kJobSchema, kDeadTable}))));
  outbox.files[dead_table()] = sink_.take_files();
  return {};
}

Status JobRunner::commit_epoch(const Outbox& outbox, const Positions& next) {
  Json tables = Json::object();
  for (const auto& [table, files] : outbox.files) tables.set(table, batch_to_json(files));
  std::string offsets_text = offsets_to_json(next).dump();
  std::string outbox_text = tables.dump();
  return options_.database.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(transaction.run("DELETE FROM job_epochs WHERE job_id = $1", {id_}));
    RETURN_IF_ERROR(transaction.run(
        "INSERT INTO job_epochs (job_id, epoch, offsets, outbox, created_millis) VALUES ($1, $2, "
        "$3, $4, $5)",
        {id_, outbox.epoch, offsets_text, outbox_text, options_.clock.wall_millis()}));
    return {};
  });
}

// What was handed over must not be again: the table may have been replaced or its history cut by
// then.
Status JobRunner::clear_outbox(int64_t epoch) {
  return options_.database.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(transaction.run(
        "UPDATE job_epochs SET outbox = '{}' WHERE job_id = $1 AND epoch = $2", {id_, epoch}));
    return {};
  });
}

Status JobRunner::hand_over(const Outbox& outbox) {
  const std::vector<std::string>& target = definition_.insert.target;
  Call call;
  for (const auto& [name, batch] : outbox.files) {
    const std::vector<sql::WrittenFile>& files = batch.files;
    if (files.empty()) continue;
    ASSIGN_OR_RETURN(sql::TableRef table, options_.connector.get_table(call, {target[1], name}));
    if (!table) {
      return fail(Code::not_found, "no_such_table",
                  fmt::format("table {}.{}.{} is gone", target[0], target[1], name));
    }
    ASSIGN_OR_RETURN(auto insert, options_.connector.begin_insert(call, table));
    if (!files.front().path.starts_with(insert->target.location + "/")) {
      return fail(Code::invalid, "table_replaced",
                  fmt::format("table {}.{}.{} was replaced while epoch {} was on its way to it; "
                              "stop this job and start a new one",
                              target[0], target[1], name, outbox.epoch));
    }
    for (const auto& [key, value] : batch.summary) insert->summary[key] = value;
    insert->summary["aichemy.job-id"] = id_;
    insert->once = std::pair("aichemy.epoch", fmt::format("{}:{}", id_, outbox.epoch));
    RETURN_IF_ERROR(options_.connector.finish_insert(call, *insert, files));
  }
  return {};
}

}  // namespace aichemy::jobs
