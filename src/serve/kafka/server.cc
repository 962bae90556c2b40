#include "serve/kafka/server.h"

#include <atomic>
#include <vector>

#include "serve/kafka/connection.h"

namespace aichemy::serve::kafka {

struct Server::State : std::enable_shared_from_this<Server::State> {
  State(Options o, broker::Broker& b, IoThreads& io, Pool& p, Clock& c, Metrics& metrics)
      : options(std::move(o)),
        services{b, p, c},
        limits{options.request_bytes_max, options.buffered_bytes_max, options.idle_max,
               options.stall_max},
        connection_metrics{
            metrics.counter("aichemy_kafka_requests_total", "Kafka requests received"),
            metrics.counter("aichemy_kafka_broken_frames_total",
                            "Kafka connections closed for a broken request"),
            metrics.gauge("aichemy_kafka_connections", "Open Kafka connections")},
        server({io, c, connection_metrics.open, options.connections_max,
                [this](asio::ip::tcp::socket socket, size_t listener) {
                  return connection(std::move(socket), listener);
                }}) {}

  Options options;
  Services services;
  ConnectionLimits limits;
  ConnectionMetrics connection_metrics;
  std::atomic<size_t> buffered_bytes{0};
  std::vector<Listener> listeners;
  tcp::Server server;

  Status listen(const std::string& host, int port, Listener listener, const char* setting);
  std::shared_ptr<tcp::Connection> connection(asio::ip::tcp::socket socket, size_t listener);
};

Status Server::State::listen(const std::string& host, int port, Listener listener,
                             const char* setting) {
  ASSIGN_OR_RETURN(listener.port, server.listen(host, static_cast<uint16_t>(port), setting));
  listener.bind_host = host;
  listeners.push_back(std::move(listener));
  return {};
}

std::shared_ptr<tcp::Connection> Server::State::connection(asio::ip::tcp::socket socket,
                                                           size_t listener) {
  boost::system::error_code error;
  auto local = socket.local_endpoint(error);
  if (error) return nullptr;
  auto remote = socket.remote_endpoint(error);
  if (error) return nullptr;
  Client client{make_view(listeners, listener, local.address().to_string()),
                "/" + remote.address().to_string(),
                {}};
  return std::make_shared<Connection>(std::move(socket), services, std::move(client), limits,
                                      connection_metrics, buffered_bytes, shared_from_this());
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
  state.server.start();
  return {};
}

void Server::stop() { state_->server.stop(); }

int Server::port() const { return state_->listeners.empty() ? -1 : state_->listeners[0].port; }
int Server::external_port() const {
  return state_->listeners.size() < 2 ? -1 : state_->listeners[1].port;
}

}  // namespace aichemy::serve::kafka
