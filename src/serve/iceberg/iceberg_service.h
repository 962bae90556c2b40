// The Iceberg REST catalog (Apache Iceberg REST Catalog API, v1) over catalog::Catalog. No logic of
// its own: a table of routes (rest_routes.cc), a table of errors (rest_errors.cc), JSON in between.
// Handlers run on the pool.
//
// Names with several levels are joined by U+001F in paths and queries ("%1F"), as the specification
// has it. Tables' credentials for the object store are handed out when a client asks for them by
// X-Iceberg-Access-Delegation: vended-credentials. Where users sign in, they are for the table's
// own places, and end.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "auth/session_keys.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/catalog.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "serve/http/http.h"

namespace aichemy::serve::iceberg {

// Where and how clients reach the objects; empty endpoint: nothing is handed out. Where users sign
// in, the key itself only signs.
struct S3Access {
  std::string endpoint;  // "http://127.0.0.1:9000"
  std::string access_key;
  std::string secret_key;
  std::string region = "us-east-1";
  const auth::SessionKeys* sessions = nullptr;  // none: users get no credentials
};

struct IcebergServiceOptions {
  IoThreads& io;
  Pool& pool;
  Metrics& metrics;
  catalog::Catalog& catalog;
  Clock& clock;
  Random& random;
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  S3Access s3;
  // When set, every request needs a bearer token, which /v1/oauth/tokens gives for a user and
  // password (client_credentials). Answers the principal. Not set: everyone may do everything, and
  // any token is accepted.
  std::function<Result<std::string>(const std::string& user, const std::string& password)>
      authenticate;
};

class RestContext;

class IcebergService {
 public:
  explicit IcebergService(IcebergServiceOptions options);
  ~IcebergService();

  Status start();
  uint16_t port() const { return server_ ? server_->port() : 0; }
  void stop(std::chrono::milliseconds drain);

 private:
  IcebergServiceOptions options_;
  std::unique_ptr<RestContext> context_;
  std::unique_ptr<http::Server> server_;

  Async<void> handle(http::Request& request, http::Response& response);
};

}  // namespace aichemy::serve::iceberg
