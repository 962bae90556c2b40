#include "app/http_client.h"

#include <fmt/core.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstring>

namespace aichemy::app {
namespace {

constexpr size_t kAnswerBytesMax = size_t{1} << 30;

std::string lower(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
  return out;
}

std::unexpected<Error> broken(const std::string& message) {
  return fail(Code::unavailable, "client", message);
}

}  // namespace

struct HttpClient::Connection {
  std::string origin;
  int socket = -1;
  SSL_CTX* context = nullptr;
  SSL* tls = nullptr;
  std::string buffer;  // received, not consumed

  Connection() = default;
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;
  ~Connection() {
    if (tls) SSL_free(tls);
    if (context) SSL_CTX_free(context);
    if (socket >= 0) ::close(socket);
  }

  Status send(std::string_view bytes) {
    while (!bytes.empty()) {
      ssize_t put = tls ? SSL_write(tls, bytes.data(),
                                    static_cast<int>(std::min<size_t>(bytes.size(), 1 << 30)))
                        : ::send(socket, bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (put <= 0) return broken("the connection was closed while sending");
      bytes.remove_prefix(static_cast<size_t>(put));
    }
    return {};
  }

  // False at the end of the connection.
  Result<bool> receive() {
    char raw[65536];
    ssize_t got = tls ? SSL_read(tls, raw, sizeof raw) : ::recv(socket, raw, sizeof raw, 0);
    if (got < 0 && !tls && (errno == EAGAIN || errno == EWOULDBLOCK)) {
      return fail(Code::timeout, "client", "the server did not answer in time");
    }
    if (got <= 0) return false;
    buffer.append(raw, static_cast<size_t>(got));
    if (buffer.size() > kAnswerBytesMax) return broken("the answer is too large");
    return true;
  }

  Result<std::string> take_line() {
    for (;;) {
      if (size_t end = buffer.find("\r\n"); end != std::string::npos) {
        std::string line = buffer.substr(0, end);
        buffer.erase(0, end + 2);
        return line;
      }
      ASSIGN_OR_RETURN(bool more, receive());
      if (!more) return broken("the connection was closed");
    }
  }

  Result<std::string> take(size_t count) {
    while (buffer.size() < count) {
      ASSIGN_OR_RETURN(bool more, receive());
      if (!more) return broken("the connection was closed within an answer");
    }
    std::string out = buffer.substr(0, count);
    buffer.erase(0, count);
    return out;
  }
};

std::string HttpAnswer::header(const std::string& name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return "";
}

Result<Url> parse_url(const std::string& text) {
  Url out;
  size_t colon = text.find("://");
  if (colon == std::string::npos)
    return fail(Code::invalid, "url", fmt::format("'{}' is not a URL", text));
  out.scheme = text.substr(0, colon);
  std::string rest = text.substr(colon + 3);
  size_t slash = std::min(rest.find('/'), rest.size());
  out.path = slash < rest.size() ? rest.substr(slash) : "/";
  std::string authority = rest.substr(0, slash);
  out.port = out.scheme == "https" ? 443 : 80;
  size_t port = authority.rfind(':');
  if (port != std::string::npos && authority.find(']', port) == std::string::npos) {
    auto [end, error] =
        std::from_chars(authority.data() + port + 1, authority.data() + authority.size(), out.port);
    if (error != std::errc() || out.port < 1 || out.port > 65535) {
      return fail(Code::invalid, "url", fmt::format("'{}' has no valid port", text));
    }
    authority.resize(port);
  }
  out.host = authority;
  if ((out.scheme != "http" && out.scheme != "https") || out.host.empty()) {
    return fail(Code::invalid, "url", fmt::format("'{}' is not an http or https URL", text));
  }
  return out;
}

HttpClient::HttpClient(TlsTrust trust, std::chrono::seconds timeout)
    : trust_(std::move(trust)), timeout_(timeout) {}
HttpClient::~HttpClient() = default;

Status HttpClient::connect(const Url& url) {
  auto connection = std::make_unique<Connection>();
  connection->origin = fmt::format("{}://{}:{}", url.scheme, url.host, url.port);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (::getaddrinfo(url.host.c_str(), std::to_string(url.port).c_str(), &hints, &found) != 0) {
    return fail(Code::unavailable, "connect", fmt::format("cannot resolve {}", url.host));
  }
  for (addrinfo* at = found; at && connection->socket < 0; at = at->ai_next) {
    int socket = ::socket(at->ai_family, at->ai_socktype | SOCK_CLOEXEC, at->ai_protocol);
    timeval limit{timeout_.count(), 0};
    ::setsockopt(socket, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof limit);
    ::setsockopt(socket, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof limit);
    if (::connect(socket, at->ai_addr, at->ai_addrlen) == 0) {
      connection->socket = socket;
    } else {
      ::close(socket);
    }
  }
  ::freeaddrinfo(found);
  if (connection->socket < 0) {
    return fail(Code::unavailable, "connect",
                fmt::format("nothing answers at {}; is the platform running? (aichemy up)",
                            connection->origin));
  }
  if (url.scheme == "https") {
    connection->context = SSL_CTX_new(TLS_client_method());
    SSL_CTX_set_default_verify_paths(connection->context);
    if (!trust_.certificate_file.empty()) {
      SSL_CTX_load_verify_file(connection->context, trust_.certificate_file.c_str());
    }
    SSL_CTX_set_verify(connection->context, trust_.verify ? SSL_VERIFY_PEER : SSL_VERIFY_NONE,
                       nullptr);
    connection->tls = SSL_new(connection->context);
    SSL_set_tlsext_host_name(connection->tls, url.host.c_str());
    SSL_set_fd(connection->tls, connection->socket);
    if (SSL_connect(connection->tls) != 1) {
      ERR_clear_error();
      return fail(Code::denied, "certificate",
                  fmt::format("{} has a certificate that is not trusted (--insecure accepts it)",
                              connection->origin));
    }
  }
  connection_ = std::move(connection);
  return {};
}

Result<HttpAnswer> HttpClient::request(const std::string& method, const std::string& url,
                                       const Headers& headers, const std::string& body) {
  ASSIGN_OR_RETURN(Url parsed, parse_url(url));
  std::string origin = fmt::format("{}://{}:{}", parsed.scheme, parsed.host, parsed.port);
  std::string bytes = fmt::format("{} {} HTTP/1.1\r\nHost: {}:{}\r\nContent-Length: {}\r\n", method,
                                  parsed.path, parsed.host, parsed.port, body.size());
  for (const auto& [name, value] : headers) bytes += fmt::format("{}: {}\r\n", name, value);
  bytes += "\r\n" + body;
  bool kept = connection_ && connection_->origin == origin;
  if (!kept) RETURN_IF_ERROR(connect(parsed));
  auto answer = exchange(bytes, method == "HEAD");
  if (!answer && kept && answer.error().code == Code::unavailable) {
    RETURN_IF_ERROR(connect(parsed));
    answer = exchange(bytes, method == "HEAD");
  }
  if (!answer || lower(answer->header("connection")) == "close") connection_.reset();
  return answer;
}

Result<HttpAnswer> HttpClient::exchange(const std::string& bytes, bool head) {
  RETURN_IF_ERROR(connection_->send(bytes));
  HttpAnswer out;
  ASSIGN_OR_RETURN(std::string line, connection_->take_line());
  if (line.size() < 12 || !line.starts_with("HTTP/1.")) return broken("not an HTTP answer");
  out.status = std::atoi(line.c_str() + 9);
  for (;;) {
    ASSIGN_OR_RETURN(line, connection_->take_line());
    if (line.empty()) break;
    size_t colon = line.find(':');
    if (colon == std::string::npos) continue;
    size_t value = line.find_first_not_of(' ', colon + 1);
    out.headers.emplace_back(lower(line.substr(0, colon)),
                             value == std::string::npos ? "" : line.substr(value));
  }
  if (head || out.status == 204 || out.status == 304) return out;
  if (lower(out.header("transfer-encoding")) == "chunked") {
    for (;;) {
      ASSIGN_OR_RETURN(line, connection_->take_line());
      size_t size = std::strtoull(line.c_str(), nullptr, 16);
      if (size > kAnswerBytesMax) return broken("the answer is too large");
      ASSIGN_OR_RETURN(std::string chunk, connection_->take(size + 2));
      out.body.append(chunk, 0, size);
      if (size == 0) return out;
    }
  }
  std::string length = out.header("content-length");
  size_t size = std::strtoull(length.c_str(), nullptr, 10);
  if (size > kAnswerBytesMax) return broken("the answer is too large");
  ASSIGN_OR_RETURN(out.body, connection_->take(size));
  return out;
}

}  // namespace aichemy::app
