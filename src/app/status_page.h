// The metrics port: /metrics (Prometheus), /status (JSON, what `aichemy status` shows), /health.
#pragma once

#include <functional>
#include <memory>
#include <string>

#include "base/json.h"
#include "base/metrics.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "serve/http/http.h"

namespace aichemy::app {

class StatusPage {
 public:
  // `status` is blocking and runs on the pool.
  StatusPage(IoThreads& io, Pool& pool, Metrics& metrics, std::string address, uint16_t port,
             std::function<Json()> status);
  Status start();
  uint16_t port() const { return server_ ? server_->port() : 0; }
  void stop(std::chrono::milliseconds drain);

 private:
  IoThreads& io_;
  Pool& pool_;
  Metrics& metrics_;
  std::string address_;
  uint16_t port_;
  std::function<Json()> status_;
  std::unique_ptr<serve::http::Server> server_;

  Async<void> answer(serve::http::Request& request, serve::http::Response& response);
};

}  // namespace aichemy::app
