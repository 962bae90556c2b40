// Group commit: appends of many producers queue here and are written in rounds. A round takes
// everything that waits, writes each partition's batches with one write a copy, syncs each file
// once, then answers. While a round waits for the disk the next one gathers.
//
// Threads: each partition belongs to one of a few committer threads, which is its only writer.
// Syncs of one round run side by side on a small pool.
#pragma once

#include <atomic>
#include <condition_variable>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "base/metrics.h"
#include "broker/partition.h"
#include "runtime/pool.h"

namespace aichemy::broker {

class Committer {
 public:
  struct Options {
    int threads = 4;
    size_t queued_bytes_max = size_t{256} << 20;
  };
  Committer(Options options, Metrics& metrics);
  ~Committer();  // finishes what is queued

  // `append.done` is called exactly once, with exhausted ("append_queue") at once when too much
  // waits.
  void append(std::shared_ptr<Partition> partition, Append append);
  // Runs `work` on the partition's committer thread between rounds and waits for it. Not from a
  // committer thread.
  Status exclusive(Partition& partition, std::function<Status()> work);

 private:
  struct Work {
    std::shared_ptr<Partition> partition;
    Append append;
  };
  struct Shard {
    std::mutex mutex;
    std::condition_variable ready;
    std::vector<Work> queue;
    std::vector<std::function<void()>> tasks;
    bool stopping = false;
    std::thread thread;
  };

  Options options_;
  Counter& rounds_;
  Counter& batches_;
  Counter& bytes_;
  Histogram& sync_time_;
  std::atomic<size_t> queued_bytes_{0};
  Pool sync_pool_;
  Pool zero_pool_;
  std::vector<std::unique_ptr<Shard>> shards_;

  Shard& shard_of(const Partition& partition);
  void run(Shard& shard);
  void round(std::vector<Work> work);
  void sync_all(const std::vector<std::shared_ptr<Partition>>& partitions);
};

}  // namespace aichemy::broker
