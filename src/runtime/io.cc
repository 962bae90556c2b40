#include "runtime/io.h"

#include <pthread.h>

#include <boost/asio/executor_work_guard.hpp>

#include "base/check.h"
#include "base/log.h"

namespace aichemy {

IoThreads::IoThreads(int threads) {
  CHECK(threads > 0);
  for (int i = 0; i < threads; ++i) {
    loops_.push_back(std::make_unique<asio::io_context>(1));
    guards_.push_back(asio::make_work_guard(*loops_.back()));
  }
  for (auto& loop : loops_) {
    threads_.emplace_back([&context = *loop] {
      pthread_setname_np(pthread_self(), "io");
      for (;;) {
        try {
          context.run();
          return;
        } catch (const std::exception& error) {
          // Coroutines report their errors; what arrives here escaped one and must not stop the
          // loop.
          log_error("exception escaped to an io loop", {{"what", error.what()}});
        }
      }
    });
  }
}

IoThreads::~IoThreads() { stop(); }

void IoThreads::stop() {
  guards_.clear();
  for (auto& loop : loops_) loop->stop();
  for (std::thread& thread : threads_) {
    if (thread.joinable()) thread.join();
  }
}

}  // namespace aichemy
