#include "broker/committer.h"

#include <pthread.h>

#include <chrono>
#include <future>
#include <latch>
#include <unordered_map>

namespace aichemy::broker {

Committer::Committer(Options options, Metrics& metrics)
    : options_(options),
      rounds_(
          metrics.counter("aichemy_broker_commit_rounds_total", "Group commits of the event log")),
      batches_(metrics.counter("aichemy_broker_batches_total", "Record batches appended")),
      bytes_(metrics.counter("aichemy_broker_bytes_total", "Bytes of record batches appended")),
      sync_time_(metrics.histogram("aichemy_broker_sync_seconds",
                                   "Time a group commit waits for the disk")),
      sync_pool_({"log-sync", std::max(1, options.threads), 1024}),
      zero_pool_({"log-zero", 1, 1024}) {
  for (int i = 0; i < options_.threads; ++i) shards_.push_back(std::make_unique<Shard>());
  for (auto& shard : shards_) {
    shard->thread = std::thread([this, &shard = *shard] {
      pthread_setname_np(pthread_self(), "log-commit");
      run(shard);
    });
  }
}

Committer::~Committer() {
  for (auto& shard : shards_) {
    std::lock_guard lock(shard->mutex);
    shard->stopping = true;
    shard->ready.notify_all();
  }
  for (auto& shard : shards_) shard->thread.join();
}

Committer::Shard& Committer::shard_of(const Partition& partition) {
  size_t place =
      std::hash<std::string>()(partition.topic()) + static_cast<size_t>(partition.index());
  return *shards_[place % shards_.size()];
}

void Committer::append(std::shared_ptr<Partition> partition, Append append) {
  size_t size = append.batch.size();
  if (queued_bytes_.fetch_add(size) + size > options_.queued_bytes_max) {
    queued_bytes_.fetch_sub(size);
    append.done(fail(Code::exhausted, "append_queue", "too many appends wait for the disk; retry"));
    return;
  }
  Shard& shard = shard_of(*partition);
  std::lock_guard lock(shard.mutex);
  shard.queue.push_back({std::move(partition), std::move(append)});
  if (shard.queue.size() == 1) shard.ready.notify_one();
}

Status Committer::exclusive(Partition& partition, std::function<Status()> work) {
  std::promise<Status> result;
  Shard& shard = shard_of(partition);
  {
    std::lock_guard lock(shard.mutex);
    shard.tasks.push_back([&] { result.set_value(work()); });
    shard.ready.notify_one();
  }
  return result.get_future().get();
}

void Committer::run(Shard& shard) {
  for (;;) {
    std::vector<Work> work;
    std::vector<std::function<void()>> tasks;
    {
      std::unique_lock lock(shard.mutex);
      shard.ready.wait(
          lock, [&] { return !shard.queue.empty() || !shard.tasks.empty() || shard.stopping; });
      if (shard.queue.empty() && shard.tasks.empty()) return;
      work.swap(shard.queue);
      tasks.swap(shard.tasks);
    }
    if (!work.empty()) round(std::move(work));
    for (auto& task : tasks) task();
  }
}

void Committer::round(std::vector<Work> work) {
  size_t size = 0;
  std::vector<std::shared_ptr<Partition>> partitions;
  std::unordered_map<Partition*, std::vector<Append>> appends;
  for (Work& item : work) {
    size += item.append.batch.size();
    auto& list = appends[item.partition.get()];
    if (list.empty()) partitions.push_back(item.partition);
    list.push_back(std::move(item.append));
  }
  rounds_.add();
  batches_.add(work.size());
  bytes_.add(size);
  work.clear();
  for (auto& partition : partitions) {
    partition->stage(std::move(appends[partition.get()]));
    if (Status written = partition->write(); !written) partition->abandon(written.error());
  }
  sync_all(partitions);
  for (auto& partition : partitions) {
    partition->publish();
    if (!partition->wants_zeros()) continue;
    if (!zero_pool_.post([partition] { partition->zero_ahead(); })) partition->zero_ahead();
  }
  queued_bytes_.fetch_sub(size);
}

void Committer::sync_all(const std::vector<std::shared_ptr<Partition>>& partitions) {
  struct Job {
    Partition* partition;
    size_t copy;
    Status result;
  };
  std::vector<Job> jobs;
  for (const auto& partition : partitions) {
    if (!partition->wants_sync()) continue;
    for (size_t copy = 0; copy < kCopiesMax; ++copy) {
      if (partition->in_sync(copy)) jobs.push_back({partition.get(), copy, {}});
    }
  }
  if (jobs.empty()) return;
  auto begin = std::chrono::steady_clock::now();
  std::latch left(static_cast<std::ptrdiff_t>(jobs.size()));
  for (size_t i = jobs.size(); i-- > 0;) {
    auto sync_one = [&job = jobs[i], &left] {
      job.result = job.partition->sync(job.copy);
      left.count_down();
    };
    if (i == 0 || !sync_pool_.post(sync_one)) sync_one();
  }
  left.wait();
  auto spent = std::chrono::steady_clock::now() - begin;
  sync_time_.observe_micros(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(spent).count()));
  for (Job& job : jobs) {
    if (job.result || !job.partition->wants_sync()) continue;
    if (!job.partition->sync_failed(job.copy, job.result.error()))
      job.partition->abandon(job.result.error());
  }
}

}  // namespace aichemy::broker
