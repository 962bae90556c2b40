#include "app/status_page.h"

namespace aichemy::app {

StatusPage::StatusPage(IoThreads& io, Pool& pool, Metrics& metrics, std::string address,
                       uint16_t port, std::function<Json()> status)
    : io_(io),
      pool_(pool),
      metrics_(metrics),
      address_(std::move(address)),
      port_(port),
      status_(std::move(status)) {}

Status StatusPage::start() {
  auto handler = [this](serve::http::Request& request, serve::http::Response& response) {
    return answer(request, response);
  };
  serve::http::ServerOptions options{
      .name = "status", .address = address_, .port = port_, .tls = std::nullopt};
  ASSIGN_OR_RETURN(server_, serve::http::Server::start(io_, metrics_, std::move(options), handler));
  return {};
}

void StatusPage::stop(std::chrono::milliseconds drain) {
  if (server_) server_->stop(drain);
}

Async<void> StatusPage::answer(serve::http::Request& request, serve::http::Response& response) {
  if (request.method != "GET" && request.method != "HEAD") {
    response.status = 405;
    co_await response.send("only GET\n");
  } else if (request.path == "/metrics") {
    response.headers.set("Content-Type", "text/plain; version=0.0.4");
    co_await response.send(metrics_.expose());
  } else if (request.path == "/status") {
    auto text = co_await on(
        pool_, [this]() -> Result<std::string> { return status_().dump_pretty() + "\n"; });
    response.headers.set("Content-Type", "application/json");
    if (!text) response.status = 503;
    co_await response.send(text ? *text : text.error().message);
  } else if (request.path == "/health") {
    co_await response.send("ok\n");
  } else {
    response.status = 404;
    co_await response.send("there are /metrics, /status and /health\n");
  }
}

}  // namespace aichemy::app
