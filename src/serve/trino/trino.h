// The Trino client protocol (docs/sql/protocol.md): POST /v1/statement, paging GETs, heartbeats,
// cancel, session headers, /v1/info, /v1/status, /v1/query. Two ports: HTTPS with passwords, and
// plain HTTP for this machine (user name header, no password) and for internal use (shared secret).
//
// Life of a statement: POST starts it on the pool at once and answers QUEUED; each GET waits up to
// one second for the next page. A page's body is kept until the next one is asked for, so that a
// repeated GET gets the same bytes. Pages hold about 1 MB of rows and are made only one ahead of
// the client: a slow client costs one page of memory. A statement nobody asks for during
// `client_timeout` is cancelled (ABANDONED_QUERY) and everything it held is freed.
// Before it runs a statement passes its resource group (resource_groups.h). Its limits of time are
// looked at ten times a second. A client that offers an encoding gets its rows as segments
// (spooling.h).
//
// Paging URIs and segments carry an unguessable name and need no credentials (as in Trino).
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "serve/http/http.h"
#include "serve/trino/resource_groups.h"
#include "serve/trino/spooling.h"
#include "serve/trino/statement_query.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::serve::trino {

struct TrinoOptions {
  IoThreads& io;
  Pool& pool;       // statements run here
  Pool& auth_pool;  // passwords are checked here: never behind statements
  Metrics& metrics;
  Clock& clock;
  Random& random;
  sql::Executor& executor;
  sql::QueryRegistry& queries;
  ResourceGroups& groups;
  SegmentStore* segments = nullptr;  // none: no spooling
  QueryLimits limits = {};
  std::function<uint64_t()> memory_used;  // of the engine; may be empty
  std::function<int()> console_port;      // whose pages /ui leads to; 0 or empty: there is none
  std::string address = "127.0.0.1";
  std::optional<uint16_t> https_port;  // none: off; 0: any free one
  std::optional<uint16_t> http_port;
  std::optional<http::TlsFiles> tls;  // needed for HTTPS
  // The principal for a user and password; unauthenticated otherwise. Blocking (bcrypt).
  std::function<Result<std::string>(const std::string& user, const std::string& password)>
      check_password;
  // Whether check_password would answer at once (a pair checked before). May be empty.
  std::function<bool(const std::string& user, const std::string& password)> is_remembered;
  // Whether somebody who has proved to be `principal` may act as `user`. Empty: nobody may.
  std::function<bool(const std::string& principal, const std::string& user)> impersonates;
  std::string internal_secret;  // X-Trino-Internal-Bearer; empty: never accepted
  std::string version = "483";
  std::string node_id = "aichemy";
  std::string environment = "aichemy";
  size_t statements_max = 4000;  // open ones, just finished ones included; beyond it 503
};

class TrinoService {
 public:
  explicit TrinoService(TrinoOptions options);
  ~TrinoService();

  Status start();
  int https_port() const;  // 0 when off
  int http_port() const;
  void stop(std::chrono::milliseconds drain);

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aichemy::serve::trino
