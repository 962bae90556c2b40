// A bounded pool of worker threads for blocking work. A full queue refuses instead of growing: the
// front answers `exhausted` in its own protocol. Destruction runs what was accepted, then joins.
#pragma once

#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include "base/result.h"

namespace aichemy {

class Pool {
 public:
  struct Options {
    std::string name;  // thread name, at most 15 bytes
    int threads = 1;
    size_t queue_max = 1024;
  };
  explicit Pool(Options options);
  ~Pool();
  Pool(const Pool&) = delete;
  Pool& operator=(const Pool&) = delete;

  // exhausted ("queue_full") when the queue is full, cancelled after stop().
  Status post(std::function<void()> work);
  void stop();  // refuses new work, finishes the accepted, joins; idempotent
  size_t queued() const;

 private:
  Options options_;
  mutable std::mutex mutex_;
  std::condition_variable ready_;
  std::deque<std::function<void()>> queue_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;

  void run();
};

}  // namespace aichemy
