#include "serve/hms/hms_service.h"

#include "serve/hms/connection.h"

namespace aichemy::serve::hms {

struct HmsService::State : std::enable_shared_from_this<HmsService::State> {
  explicit State(HmsServiceOptions the_options)
      : options(std::move(the_options)),
        shared{options, options.clock.wall_millis() / 1000,
               options.metrics.counter("aichemy_hms_calls_total", "Hive Metastore calls received"),
               options.metrics.gauge("aichemy_hms_connections", "Open Hive Metastore connections")},
        server({options.io, options.clock, shared.open, options.connections_max,
                [this](asio::ip::tcp::socket socket, size_t) {
                  return std::make_shared<Connection>(std::move(socket), shared,
                                                      shared_from_this());
                }}) {}

  HmsServiceOptions options;
  ConnectionShared shared;
  tcp::Server server;
  uint16_t port = 0;
};

HmsService::HmsService(HmsServiceOptions options)
    : state_(std::make_shared<State>(std::move(options))) {}

HmsService::~HmsService() { stop(); }

Status HmsService::start() {
  ASSIGN_OR_RETURN(state_->port,
                   state_->server.listen(state_->options.address, state_->options.port, "hms"));
  state_->server.start();
  return {};
}

uint16_t HmsService::port() const { return state_->port; }

void HmsService::stop() { state_->server.stop(); }

}  // namespace aichemy::serve::hms
