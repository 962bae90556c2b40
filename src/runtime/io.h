// Asio's event loops and the one bridge from coroutines to blocking code.
//
// Threads: min(4, cores) loops, one thread each. A connection lives and dies on the loop that
// accepted it, so its coroutines need no locks among themselves. No call over 1 ms on a loop:
// blocking work goes through
//
//   Result<X> x = co_await on(pool, [=] { return core.blocking_call(...); });
//
// which resumes on the same loop. `fn` is owned by the pool's thread until it returns: it must not
// refer to objects that can die with the connection while it runs; the awaiting coroutine frame
// stays alive until then.
#pragma once

#include <boost/asio/any_io_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/dispatch.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/this_coro.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <thread>
#include <type_traits>
#include <vector>

#include "base/result.h"
#include "runtime/pool.h"

namespace aichemy {

namespace asio = boost::asio;
template <class T>
using Async = asio::awaitable<T>;

class IoThreads {
 public:
  explicit IoThreads(int threads);
  ~IoThreads();
  IoThreads(const IoThreads&) = delete;
  IoThreads& operator=(const IoThreads&) = delete;

  int count() const { return static_cast<int>(loops_.size()); }
  asio::io_context& loop(int index) { return *loops_[static_cast<size_t>(index)]; }
  void stop();  // stops the loops and joins; what waits on them is destroyed with the object

 private:
  std::vector<std::unique_ptr<asio::io_context>> loops_;
  std::vector<asio::executor_work_guard<asio::io_context::executor_type>> guards_;
  std::vector<std::thread> threads_;
};

namespace io_internal {

// Libraries below may throw where we do not, and memory may run out: one answer fails, not the
// process.
template <class Fn>
std::invoke_result_t<Fn> answer_of(Fn& fn) {
  try {
    return fn();
  } catch (const std::bad_alloc&) {
    return std::unexpected(Error{Code::exhausted, "memory", "out of memory"});
  } catch (const std::exception& thrown) {
    return std::unexpected(Error{Code::internal, "exception", thrown.what()});
  }
}

// fn must return Status or Result<T>; a refused post becomes that result.
template <class Fn>
auto initiate_on(Pool& pool, Fn fn) {
  using Value = std::invoke_result_t<Fn>;
  return asio::async_initiate<const asio::use_awaitable_t<>&, void(Value)>(
      [&pool](auto handler, Fn work) {
        auto executor = asio::get_associated_executor(handler);
        // std::function wants copyable callables: the handler is not, so it goes behind a
        // shared_ptr.
        struct Task {
          decltype(handler) done;
          Fn work;
          decltype(executor) home;
        };
        auto task = std::make_shared<Task>(Task{std::move(handler), std::move(work), executor});
        Status posted = pool.post([task] {
          auto value = std::make_shared<Value>(answer_of(task->work));
          asio::post(task->home, [task, value] { std::move(task->done)(std::move(*value)); });
        });
        if (!posted) {
          asio::post(executor, [task, error = posted.error()] {
            std::move(task->done)(Value(std::unexpected(error)));
          });
        }
      },
      asio::use_awaitable, std::move(fn));
}

}  // namespace io_internal

// Runs fn (returning Status or Result<T>) on the pool; exhausted when its queue is full.
template <class Fn>
Async<std::invoke_result_t<Fn>> on(Pool& pool, Fn fn) {
  co_return co_await io_internal::initiate_on(pool, std::move(fn));
}

}  // namespace aichemy
