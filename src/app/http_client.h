// A small blocking HTTP/1.1 client for our own commands (sql, status, tour): one kept connection,
// TLS when asked.
#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"

namespace aichemy::app {

struct Url {
  std::string scheme, host, path;  // path with query, "/" at least
  int port = 0;
};
Result<Url> parse_url(const std::string& text);  // invalid ("url")

struct HttpAnswer {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers;  // names lower case
  std::string body;
  std::string header(const std::string& name) const;
};

struct TlsTrust {
  std::string certificate_file;  // trust this one too (our self-signed one)
  bool verify = true;
};

class HttpClient {
 public:
  explicit HttpClient(TlsTrust trust = {}, std::chrono::seconds timeout = std::chrono::seconds(60));
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  using Headers = std::vector<std::pair<std::string, std::string>>;
  // unavailable ("connect", "client"), denied ("certificate"), timeout. Reconnects once when a kept
  // connection was closed by the server.
  Result<HttpAnswer> request(const std::string& method, const std::string& url,
                             const Headers& headers, const std::string& body);

 private:
  struct Connection;
  TlsTrust trust_;
  std::chrono::seconds timeout_;
  std::unique_ptr<Connection> connection_;

  Status connect(const Url& url);
  Result<HttpAnswer> exchange(const std::string& bytes, bool head);
};

}  // namespace aichemy::app
