// Jobs over HTTP:
//   POST /v1/scripts                         a Flink SQL script (text) -> one JSON object a
//   statement GET  /v1/jobs, GET /v1/jobs/{id}         what runs POST
//   /v1/jobs/{id}/pause|resume|stop
// Errors are {"error": {"code", "what", "message"}}. Clients on this machine need no credentials;
// others sign in with HTTP Basic.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "base/metrics.h"
#include "base/result.h"
#include "jobs/jobs.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "serve/http/http.h"

namespace aichemy::serve::jobs {

struct JobsServiceOptions {
  IoThreads& io;
  Pool& pool;
  Metrics& metrics;
  aichemy::jobs::Jobs& jobs;
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  std::function<Status(const std::string& user, const std::string& password)>
      authenticate;  // blocking
};

// HTTP status of an error: every Code has one.
int http_status(Code code);

class JobsService {
 public:
  explicit JobsService(JobsServiceOptions options) : options_(std::move(options)) {}
  Status start();
  uint16_t port() const { return server_ ? server_->port() : 0; }
  void stop(std::chrono::milliseconds drain);

 private:
  JobsServiceOptions options_;
  std::unique_ptr<http::Server> server_;

  Async<void> handle(http::Request& request, http::Response& response);
  Result<Json> answer(const std::string& method, const std::string& path, const std::string& body,
                      const std::string& credentials, bool is_local, const Call& call);
};

}  // namespace aichemy::serve::jobs
