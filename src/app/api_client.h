// The console's API (/api/v1, docs/api/openapi.json) for our own commands: what a page can do, a
// command can.
#pragma once

#include <string>

#include "app/http_client.h"
#include "base/json.h"
#include "base/result.h"

namespace aichemy::app {

// Who asks; empty: the well-known user of a first run, which the ready file names.
struct ApiLogin {
  std::string user, password;
};

class ApiClient {
 public:
  // Signs in to the platform that runs on this data directory. unavailable ("not_running",
  // "console"), unauthenticated ("login").
  static Result<ApiClient> open(const std::string& data, const ApiLogin& login);
  ~ApiClient();  // signs out
  ApiClient(ApiClient&&) = default;
  ApiClient& operator=(ApiClient&&) = delete;

  // `path` below /api/v1, percent-encoded; null for answers without content. The error of a problem
  // document has its detail, and its code as `what`.
  Result<Json> request(const std::string& method, const std::string& path, const Json& body = {});

 private:
  explicit ApiClient(std::string base);
  std::unique_ptr<HttpClient> http_;
  std::string base_, cookie_, csrf_;

  Status sign_in(const ApiLogin& login);
};

}  // namespace aichemy::app
