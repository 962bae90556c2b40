// HTTP/1.1 server shared by every HTTP front: S3, Trino, Iceberg REST, jobs, console, metrics.
// Beast parses; this header keeps it out of the fronts (compile time) and gives them two objects:
// Request and Response.
//
// Thread rule: a connection and its Request/Response live on one io loop. A handler is a coroutine
// on that loop; blocking work goes to a pool with co_await on(pool, ...).
//
// Limits: header 64 KiB (431), request line and header within 30 s, keep-alive idle 120 s,
// connections `connections_max` (beyond it a new one is closed at once). Bodies stream both ways:
// memory per connection is one read buffer and what the handler holds. A handler that answers
// without reading the body: up to 1 MiB of the rest is read and dropped, beyond that the connection
// closes. An exception in a handler: 500, logged.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/metrics.h"
#include "base/result.h"
#include "runtime/call.h"
#include "runtime/io.h"

namespace aichemy::serve::http {

using Header = std::pair<std::string, std::string>;

// Case-insensitive lookup; order kept.
class Headers {
 public:
  std::string_view get(std::string_view name) const;  // the first, "" when absent
  bool has(std::string_view name) const;
  std::vector<std::string_view> get_all(std::string_view name) const;
  void set(std::string_view name, std::string_view value);  // replaces all
  void add(std::string_view name, std::string_view value);
  void remove(std::string_view name);
  const std::vector<Header>& all() const { return entries_; }

 private:
  std::vector<Header> entries_;
};

class Request {
 public:
  virtual ~Request() = default;

  std::string method;  // "GET"; any token
  std::string target;  // as received: path?query, still encoded
  std::string path;    // before '?', still encoded (S3 signs it so)
  std::string query;   // after '?', still encoded
  Headers headers;
  std::optional<uint64_t> content_length;  // none: chunked or no body
  bool chunked = false;
  bool secure = false;  // arrived over TLS
  std::string peer;     // address:port of the client
  bool peer_is_loopback = false;
  Call call;  // trace id set; cancel fires when the connection is lost

  // First value of a query parameter, decoded ('+' is a space); none when absent.
  std::optional<std::string> parameter(std::string_view name) const;
  // All of them in order, decoded. invalid on a broken escape.
  Result<std::vector<std::pair<std::string, std::string>>> parameters() const;

  // Streams the body: up to `max` bytes into `to`; 0 at the end. Sends 100-continue on the first
  // call if asked for. invalid ("body") on a broken or cut-short body, timeout when the client
  // stalls for 60 s.
  virtual Async<Result<size_t>> read_some(char* to, size_t max) = 0;
  // The whole body; exhausted ("body_too_large") beyond max_bytes.
  Async<Result<std::string>> read_all(size_t max_bytes);
};

// Exactly one answer: send(), or begin() + write()* + end().
class Response {
 public:
  virtual ~Response() = default;

  int status = 200;
  Headers headers;

  // Whole answer with Content-Length. For HEAD the body is not sent; a Content-Length set
  // beforehand is kept.
  virtual Async<Status> send(std::string body = {}) = 0;
  // Streaming: with a length (Content-Length) or without (chunked). write() returns when the bytes
  // are handed to the kernel; unavailable when the client is gone, timeout when it takes nothing
  // for 60 s.
  virtual Async<Status> begin(std::optional<uint64_t> content_length) = 0;
  virtual Async<Status> write(std::string_view bytes) = 0;
  virtual Async<Status> end() = 0;
  virtual bool begun() const = 0;
};

using Handler = std::function<Async<void>(Request&, Response&)>;

struct TlsFiles {
  std::string certificate_pem;  // contents, not paths
  std::string key_pem;
};

struct ServerOptions {
  std::string name;  // for metrics, logs: "s3"
  std::string address = "127.0.0.1";
  uint16_t port = 0;  // 0: any free one
  std::optional<TlsFiles> tls;
  size_t connections_max = 10'000;
};

class Server {
 public:
  // invalid ("address"), exists ("port_taken"), invalid ("tls").
  static Result<std::unique_ptr<Server>> start(IoThreads& io, Metrics& metrics,
                                               ServerOptions options, Handler handler);
  virtual ~Server() = default;
  virtual uint16_t port() const = 0;
  // Stops accepting, closes idle connections, waits for running requests until the deadline, closes
  // the rest.
  virtual void stop(std::chrono::milliseconds drain) = 0;
};

}  // namespace aichemy::serve::http
