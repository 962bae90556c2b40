// The console: the web application (embedded in the program), its JSON API under /api/v1, and the
// sessions of those who are signed in. One service on several ports, each of which opens on its own
// page.
//
// Rules: nothing but the sign-in page, its files and /health answers without a session. A session
// is a cookie (HttpOnly, SameSite=Strict); a request that changes anything must also carry the
// session's token in X-CSRF-Token. Errors are problem documents (RFC 9457). Roles: a viewer reads,
// an operator changes data, an admin changes the platform. What changes something leaves a line in
// the audit trail.
//
// Threads: handlers that block run on `pool`, statements on `sql_pool`; streams live on io loops.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "auth/access_keys.h"
#include "auth/roles.h"
#include "auth/users.h"
#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "broker/broker.h"
#include "catalog/catalog.h"
#include "jobs/jobs.h"
#include "metadb/metadb.h"
#include "objectstore/object_store.h"
#include "objectstore/object_tags.h"
#include "runtime/disk.h"
#include "runtime/io.h"
#include "runtime/pool.h"
#include "sql/connectors/connector.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::serve::console {

struct ConfigLine {
  std::string name, value, fallback, kind, about;
};

// Where a service of the platform listens; shown, and put into links.
struct ServiceAddress {
  std::string name, title, address;
};

struct ConsoleOptions {
  IoThreads& io;
  Pool& pool;
  Pool& sql_pool;
  Metrics& metrics;
  Clock& clock;
  Random& random;
  Disk& disk;
  auth::UserStore& users;
  auth::RoleStore& roles;
  auth::AccessKeys& keys;
  metadb::Database& database;
  objectstore::ObjectStore& store;
  objectstore::ObjectTagging& tagging;
  broker::Broker& broker;
  catalog::Catalog& catalog;
  sql::Catalogs catalogs;
  sql::Executor& executor;
  sql::Engine& engine;
  sql::QueryRegistry& queries;
  jobs::Jobs* jobs = nullptr;  // may be off
  std::string version;
  std::string sessions_file;
  std::string s3_endpoint;  // for shared links; empty: the S3 port is off
  std::string s3_region;
  std::vector<ConfigLine> config;
  std::vector<ServiceAddress> addresses;
  std::string address = "127.0.0.1";
  struct Port {
    std::string name;  // of the config key's service
    std::string home;  // path that "/" opens
    uint16_t port = 0;
  };
  std::vector<Port> ports;
};

class ConsoleService {
 public:
  explicit ConsoleService(ConsoleOptions options);
  ~ConsoleService();
  // corrupt ("console_bundle"), and those of http::Server::start; `failed_port` then names it.
  Status start(std::string* failed_port = nullptr);
  uint16_t port(size_t index) const;  // of options.ports
  void stop(std::chrono::milliseconds drain);

 private:
  struct State;
  std::unique_ptr<State> state_;
};

// The API described as OpenAPI 3.1, for `aichemy console-api`.
Json api_document(std::string_view version);

}  // namespace aichemy::serve::console
