#include "serve/kafka/server.h"

#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/steady_timer.hpp>
#include <future>
#include <set>
#include <vector>

#include "base/log.h"
#include "serve/kafka/connection.h"

namespace aichemy::serve::kafka {
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

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Options o, broker::Broker& b, IoThreads& i, Pool& p, Clock& c, Metrics& metrics)
      : options(std::move(o)),
        io(i),
        services{b, p, c},
        limits{options.request_bytes_max, options.buffered_bytes_max, options.idle_max,
               options.stall_max},
        connection_metrics{
            metrics.counter("aichemy_kafka_requests_total", "Kafka requests received"),
            metrics.counter("aichemy_kafka_broken_frames_total",
                            "Kafka connections closed for a broken request"),
            metrics.gauge("aichemy_kafka_connections", "Open Kafka connections")},
        loops(static_cast<size_t>(i.count())) {}

  Options options;
  IoThreads& io;
  Services services;
  ConnectionLimits limits;
  ConnectionMetrics connection_metrics;
  std::atomic<size_t> buffered_bytes{0};
  std::vector<LoopConnections> loops;
  std::vector<Listener> listeners;
  std::vector<std::unique_ptr<tcp::acceptor>> acceptors;  // on loop 0
  std::atomic<bool> stopping{false};
  size_t next_loop = 0;
  bool started = false;

  Status listen(const std::string& host, int port, Listener listener, const char* key);
  Async<void> accept_loop(size_t listener);
  void adopt(tcp::socket socket, size_t listener, size_t loop);
  void sweep(size_t loop);
};

Status Server::State::listen(const std::string& host, int port, Listener listener,
                             const char* key) {
  boost::system::error_code error;
  auto address = asio::ip::make_address(host == "localhost" ? "127.0.0.1" : host, error);
  if (error)
    return fail(Code::invalid, "address",
                std::string("events.host: ") + host + " is not an IP address");
  auto acceptor = std::make_unique<tcp::acceptor>(io.loop(0));
  tcp::endpoint endpoint(address, static_cast<uint16_t>(port));
  acceptor->open(endpoint.protocol(), error);
  if (!error) acceptor->set_option(tcp::acceptor::reuse_address(true), error);
  if (!error) acceptor->bind(endpoint, error);
  if (!error) acceptor->listen(1024, error);
  if (error) {
    return fail(Code::unavailable, "port_taken",
                "cannot listen on " + host + ":" + std::to_string(port) + " (" + key +
                    "): " + error.message());
  }
  listener.bind_host = host;
  listener.port = acceptor->local_endpoint().port();
  listeners.push_back(std::move(listener));
  acceptors.push_back(std::move(acceptor));
  return {};
}

Async<void> Server::State::accept_loop(size_t listener) {
  while (!stopping) {
    size_t loop = next_loop++ % loops.size();
    tcp::socket socket(io.loop(static_cast<int>(loop)));
    boost::system::error_code error;
    co_await acceptors[listener]->async_accept(socket,
                                               asio::redirect_error(asio::use_awaitable, error));
    if (stopping) co_return;
    if (error) {  // usually out of file descriptors: others must close first
      asio::steady_timer pause(io.loop(0), kAcceptPause);
      co_await pause.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    if (connection_metrics.open.value() >= static_cast<int64_t>(options.connections_max))
      continue;  // closes it
    asio::post(io.loop(static_cast<int>(loop)),
               [self = shared_from_this(), listener, loop, socket = std::move(socket)]() mutable {
                 self->adopt(std::move(socket), listener, loop);
               });
  }
}

void Server::State::adopt(tcp::socket socket, size_t listener, size_t loop) {
  boost::system::error_code error;
  socket.set_option(tcp::no_delay(true), error);
  auto local = socket.local_endpoint(error);
  if (error || stopping) return;
  auto remote = socket.remote_endpoint(error);
  if (error) return;
  Client client{make_view(listeners, listener, local.address().to_string()),
                "/" + remote.address().to_string(),
                {}};
  auto connection =
      std::make_shared<Connection>(std::move(socket), services, std::move(client), limits,
                                   connection_metrics, buffered_bytes, shared_from_this());
  loops[loop].open.insert(connection);
  connection->start();
}

void Server::State::sweep(size_t loop) {
  LoopConnections& mine = loops[loop];
  SteadyTime now = services.clock.steady_now();
  for (auto item = mine.open.begin(); item != mine.open.end();) {
    (*item)->close_if_late(now);
    item = (*item)->is_closed() ? mine.open.erase(item) : std::next(item);
  }
  mine.sweep->expires_after(kSweepEvery);
  mine.sweep->async_wait([self = shared_from_this(), loop](boost::system::error_code error) {
    if (!error && !self->stopping) self->sweep(loop);
  });
}

Server::Server(Options options, broker::Broker& broker, IoThreads& io, Pool& pool, Clock& clock,
               Metrics& metrics)
    : state_(std::make_shared<State>(std::move(options), broker, io, pool, clock, metrics)) {}

Server::~Server() { stop(); }

Status Server::start() {
  State& state = *state_;
  const Options& options = state.options;
  RETURN_IF_ERROR(state.listen(options.host, options.port,
                               {1, "", 0, options.advertised_host, options.advertised_port},
                               "events.port"));
  if (options.external_port >= 0) {
    const std::string& host = options.external_host.empty() ? options.host : options.external_host;
    RETURN_IF_ERROR(
        state.listen(host, options.external_port,
                     {2, "", 0, options.advertised_external_host, options.advertised_external_port},
                     "events.external_port"));
  }
  state.started = true;
  for (size_t i = 0; i < state.acceptors.size(); ++i) {
    asio::co_spawn(
        state.io.loop(0), [self = state_, i] { return self->accept_loop(i); },
        [](std::exception_ptr) {});
  }
  for (size_t i = 0; i < state.loops.size(); ++i) {
    asio::io_context& loop = state.io.loop(static_cast<int>(i));
    state.loops[i].sweep = std::make_unique<asio::steady_timer>(loop);
    asio::post(loop, [self = state_, i] { self->sweep(i); });
  }
  return {};
}

void Server::stop() {
  State& state = *state_;
  if (!state.started || state.stopping.exchange(true)) return;
  auto run_on = [&](size_t index, auto work) {  // and wait
    std::promise<void> done;
    asio::post(state.io.loop(static_cast<int>(index)), [&] {
      work();
      done.set_value();
    });
    done.get_future().wait();
  };
  run_on(0, [&] {
    boost::system::error_code ignored;
    for (auto& acceptor : state.acceptors) acceptor->close(ignored);
  });
  for (size_t i = 0; i < state.loops.size(); ++i) {
    run_on(i, [&] {
      state.loops[i].sweep->cancel();
      for (const auto& connection : state.loops[i].open) connection->close();
      state.loops[i].open.clear();
    });
  }
}

int Server::port() const { return state_->listeners.empty() ? -1 : state_->listeners[0].port; }
int Server::external_port() const {
  return state_->listeners.size() < 2 ? -1 : state_->listeners[1].port;
}

}  // namespace aichemy::serve::kafka
