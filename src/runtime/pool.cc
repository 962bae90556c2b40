#include "runtime/pool.h"

#include <pthread.h>

namespace aichemy {

Pool::Pool(Options options) : options_(std::move(options)) {
  for (int i = 0; i < options_.threads; ++i) threads_.emplace_back([this] { run(); });
}

Pool::~Pool() { stop(); }

Status Pool::post(std::function<void()> work) {
  {
    std::lock_guard lock(mutex_);
    if (stopping_) return fail(Code::cancelled, "stopping", "the platform is stopping");
    if (queue_.size() >= options_.queue_max) {
      return fail(Code::exhausted, "queue_full",
                  "too many requests are waiting (" + options_.name + "); retry");
    }
    queue_.push_back(std::move(work));
  }
  ready_.notify_one();
  return {};
}

void Pool::stop() {
  {
    std::lock_guard lock(mutex_);
    stopping_ = true;
  }
  ready_.notify_all();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

size_t Pool::queued() const {
  std::lock_guard lock(mutex_);
  return queue_.size();
}

void Pool::run() {
  pthread_setname_np(pthread_self(), options_.name.substr(0, 15).c_str());
  for (;;) {
    std::function<void()> work;
    {
      std::unique_lock lock(mutex_);
      ready_.wait(lock, [this] { return stopping_ || !queue_.empty(); });
      if (queue_.empty()) return;
      work = std::move(queue_.front());
      queue_.pop_front();
    }
    work();
  }
}

}  // namespace aichemy
