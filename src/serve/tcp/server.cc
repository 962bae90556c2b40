#include "serve/tcp/server.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <set>
#include <vector>

namespace aichemy::serve::tcp {

namespace {

using Tcp = asio::ip::tcp;
constexpr std::chrono::milliseconds kSweepEvery{1000};
constexpr std::chrono::milliseconds kAcceptPause{100};
constexpr int kBacklog = 1024;

// One per io loop: the connections that live on it. Touched on that loop only.
struct LoopConnections {
  std::set<std::shared_ptr<Connection>> open;
  std::unique_ptr<asio::steady_timer> sweep;
};

}  // namespace

struct Server::State : std::enable_shared_from_this<Server::State> {
  explicit State(Options the_options)
      : options(std::move(the_options)), loops(static_cast<size_t>(options.io.count())) {}

  Options options;
  std::vector<LoopConnections> loops;
  std::vector<std::unique_ptr<Tcp::acceptor>> acceptors;  // on loop 0
  std::atomic<bool> stopping{false};
  size_t next_loop = 0;
  bool started = false;

  asio::io_context& loop(size_t index) { return options.io.loop(static_cast<int>(index)); }
  Async<void> accept_loop(size_t listener);
  void adopt(Tcp::socket socket, size_t listener, size_t index);
  void sweep(size_t index);
  void run_on(size_t index, const std::function<void()>& work);
};

Async<void> Server::State::accept_loop(size_t listener) {
  while (!stopping) {
    size_t index = next_loop++ % loops.size();
    Tcp::socket socket(loop(index));
    boost::system::error_code error;
    co_await acceptors[listener]->async_accept(socket,
                                               asio::redirect_error(asio::use_awaitable, error));
    if (stopping) co_return;
    if (error) {  // usually out of file descriptors: others must close first
      asio::steady_timer pause(loop(0), kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (options.open.value() >= static_cast<int64_t>(options.connections_max))
      continue;  // closes it
    asio::post(loop(index),
               [self = shared_from_this(), listener, index, socket = std::move(socket)]() mutable {
                 self->adopt(std::move(socket), listener, index);
               });
  }
}

void Server::State::adopt(Tcp::socket socket, size_t listener, size_t index) {
  boost::system::error_code error;
  socket.set_option(Tcp::no_delay(true), error);
  if (error || stopping) return;
  std::shared_ptr<Connection> connection = options.make(std::move(socket), listener);
  if (!connection) return;
  loops[index].open.insert(connection);
  connection->start();
}

void Server::State::sweep(size_t index) {
  LoopConnections& mine = loops[index];
  SteadyTime now = options.clock.steady_now();
  for (auto item = mine.open.begin(); item != mine.open.end();) {
    (*item)->close_if_late(now);
    item = (*item)->is_closed() ? mine.open.erase(item) : std::next(item);
  }
  mine.sweep->expires_after(kSweepEvery);
  mine.sweep->async_wait([self = shared_from_this(), index](boost::system::error_code error) {
    if (!error && !self->stopping) self->sweep(index);
  });
}

// And waits until it is done.
void Server::State::run_on(size_t index, const std::function<void()>& work) {
  std::promise<void> done;
  asio::post(loop(index), [&] {
    work();
    done.set_value();
  });
  done.get_future().wait();
}

Server::Server(Options options) : state_(std::make_shared<State>(std::move(options))) {}

Server::~Server() { stop(); }

Result<uint16_t> Server::listen(const std::string& address, uint16_t port,
                                const std::string& setting) {
  boost::system::error_code error;
  auto ip = asio::ip::make_address(address == "localhost" ? "127.0.0.1" : address, error);
  if (error)
    return fail(Code::invalid, "address", setting + ": " + address + " is not an IP address");
  auto acceptor = std::make_unique<Tcp::acceptor>(state_->loop(0));
  Tcp::endpoint endpoint(ip, port);
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(Tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(kBacklog, error);
  if (error) {
    return fail(Code::unavailable, "port_taken",
                "cannot listen on " + address + ":" + std::to_string(port) + " (" + setting +
                    "): " + error.message());
  }
  uint16_t bound = acceptor->local_endpoint().port();
  state_->acceptors.push_back(std::move(acceptor));
  return bound;
}

void Server::start() {
  state_->started = true;
  for (size_t i = 0; i < state_->acceptors.size(); ++i) {
    asio::co_spawn(
        state_->loop(0), [self = state_, i] { return self->accept_loop(i); },
        [](std::exception_ptr) {});
  }
  for (size_t i = 0; i < state_->loops.size(); ++i) {
    state_->loops[i].sweep = std::make_unique<asio::steady_timer>(state_->loop(i));
    asio::post(state_->loop(i), [self = state_, i] { self->sweep(i); });
  }
}

void Server::stop() {
  State& state = *state_;
  if (!state.started || state.stopping.exchange(true)) return;
  state.run_on(0, [&] {
    boost::system::error_code ignored;
    for (auto& acceptor : state.acceptors) acceptor->close(ignored);
  });
  for (size_t i = 0; i < state.loops.size(); ++i) {
    state.run_on(i, [&] {
      state.loops[i].sweep->cancel();
      for (const auto& connection : state.loops[i].open) connection->close();
      state.loops[i].open.clear();
    });
  }
}

}  // namespace aichemy::serve::tcp
