#include "serve/hms/hms_service.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <future>
#include <set>
#include <vector>

#include "base/log.h"
#include "serve/hms/connection.h"

namespace aichemy::serve::hms {

namespace {

using tcp = asio::ip::tcp;
constexpr std::chrono::milliseconds kSweepEvery{1000};
constexpr std::chrono::milliseconds kAcceptPause{100};

}  // namespace

// One per io loop: the connections that live on it. Touched on that loop only.
struct LoopConnections {
  std::set<std::shared_ptr<Connection>> open;
  std::unique_ptr<asio::steady_timer> sweep;
};

struct HmsService::State : std::enable_shared_from_this<HmsService::State> {
  explicit State(HmsServiceOptions the_options)
      : options(std::move(the_options)),
        shared{options, options.clock.wall_millis() / 1000,
               options.metrics.counter("aichemy_hms_calls_total", "Hive Metastore calls received"),
               options.metrics.gauge("aichemy_hms_connections", "Open Hive Metastore connections")},
        loops(static_cast<size_t>(options.io.count())) {}

  HmsServiceOptions options;
  ConnectionShared shared;
  std::vector<LoopConnections> loops;
  std::unique_ptr<tcp::acceptor> acceptor;  // on loop 0
  std::atomic<bool> stopping{false};
  size_t next_loop = 0;
  uint16_t port = 0;

  Status listen();
  Async<void> accept_loop();
  void adopt(tcp::socket socket, size_t loop);
  void sweep(size_t loop);
};

Status HmsService::State::listen() {
  boost::system::error_code error;
  auto address = asio::ip::make_address(options.address, error);
  if (error)
    return fail(Code::invalid, "address", "hms: " + options.address + " is not an IP address");
  acceptor = std::make_unique<tcp::acceptor>(options.io.loop(0));
  tcp::endpoint endpoint(address, options.port);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(1024, error);
  if (error) {
    return fail(Code::unavailable, "port_taken",
                "cannot listen on " + options.address + ":" + std::to_string(options.port) + ": " +
                    error.message());
  }
  port = acceptor->local_endpoint().port();
  return {};
}

Async<void> HmsService::State::accept_loop() {
  while (!stopping) {
    size_t loop = next_loop++ % loops.size();
    tcp::socket socket(options.io.loop(static_cast<int>(loop)));
    boost::system::error_code error;
    co_await acceptor->async_accept(socket, asio::redirect_error(asio::use_awaitable, error));
    if (stopping) co_return;
    if (error) {  // usually out of file descriptors: others must close first
      asio::steady_timer pause(options.io.loop(0), kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (shared.open.value() >= static_cast<int64_t>(options.connections_max))
      continue;  // closes it
    asio::post(options.io.loop(static_cast<int>(loop)),
               [self = shared_from_this(), loop, socket = std::move(socket)]() mutable {
                 self->adopt(std::move(socket), loop);
               });
  }
}

void HmsService::State::adopt(tcp::socket socket, size_t loop) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  if (error || stopping) return;
  auto connection = std::make_shared<Connection>(std::move(socket), shared, shared_from_this());
  loops[loop].open.insert(connection);
  connection->start();
}

void HmsService::State::sweep(size_t loop) {
  LoopConnections& mine = loops[loop];
  SteadyTime now = options.clock.steady_now();
  for (auto item = mine.open.begin(); item != mine.open.end();) {
    (*item)->close_if_late(now);
    item = (*item)->is_closed() ? mine.open.erase(item) : std::next(item);
  }
  mine.sweep->expires_after(kSweepEvery);
  mine.sweep->async_wait([self = shared_from_this(), loop](boost::system::error_code error) {
    if (!error && !self->stopping) self->sweep(loop);
  });
}

HmsService::HmsService(HmsServiceOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

HmsService::~HmsService() { stop(); }

Status HmsService::start() {
  RETURN_IF_ERROR(state_->listen());
  asio::co_spawn(
      state_->options.io.loop(0), [self = state_] { return self->accept_loop(); },
      [](std::exception_ptr) {});
  for (size_t i = 0; i < state_->loops.size(); ++i) {
    asio::io_context& loop = state_->options.io.loop(static_cast<int>(i));
    state_->loops[i].sweep = std::make_unique<asio::steady_timer>(loop);
    asio::post(loop, [self = state_, i] { self->sweep(i); });
  }
  return {};
}

uint16_t HmsService::port() const { return state_->port; }

void HmsService::stop() {
  State& state = *state_;
  if (state.port == 0 || state.stopping.exchange(true)) return;
  auto run_on = [&](size_t index, auto work) {  // and wait
    std::promise<void> done;
    asio::post(state.options.io.loop(static_cast<int>(index)), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  };
  run_on(0, [&] {
    boost::system::error_code ignored;
    state.acceptor->close(ignored);
  });
  for (size_t i = 0; i < state.loops.size(); ++i) {
    run_on(i, [&] {
      state.loops[i].sweep->cancel();
      for (const auto& connection : state.loops[i].open) connection->close();
      state.loops[i].open.clear();
    });
  }
}

}  // namespace aichemy::serve::hms
