// What the commands that talk to a running platform share: finding it, and asking it in SQL.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "app/http_client.h"
#include "base/json.h"
#include "base/result.h"

namespace aichemy::app {

// The ready file of the platform that runs on this data directory. unavailable ("not_running").
Result<Json> find_platform(const std::string& data);

struct SqlLogin {
  std::string server;  // https://host:port or http://...
  std::string user, password;
  std::string certificate_file;  // trusted beside the system's
  bool insecure = false;
  std::string catalog = "iceberg", schema;
};

struct SqlProgress {
  std::string state;
  double percentage = -1;
  int64_t rows = 0, bytes = 0, elapsed_millis = 0;
};

struct SqlRows {
  std::vector<std::pair<std::string, std::string>> columns;  // name, type
  std::vector<Json> rows;
  std::string update_type;
  std::optional<int64_t> update_count;
  int64_t elapsed_millis = 0;
};

// One person's session with a Trino server: keeps what the server says to keep (catalog, schema,
// path, properties, prepared statements).
class SqlClient {
 public:
  explicit SqlClient(SqlLogin login);

  // Pages go to `on_page` as they come. An error of the query: invalid ("query") with Trino's name
  // and message.
  using OnPage = std::function<void(const SqlRows& page, const SqlProgress& progress)>;
  Result<SqlRows> run(const std::string& sql, const OnPage& on_page = {});
  // From another thread or a signal's: the running query is cancelled at its next page.
  void cancel() { cancelled_ = true; }
  const SqlLogin& login() const { return login_; }

 private:
  SqlLogin login_;
  HttpClient http_;
  std::vector<std::pair<std::string, std::string>> session_;
  std::vector<std::pair<std::string, std::string>> prepared_;
  std::string path_;
  bool cancelled_ = false;

  HttpClient::Headers headers() const;
  void keep(const HttpAnswer& answer);
};

}  // namespace aichemy::app
