// The only file that sees Beast and TLS: they cost most of a minute to compile.
#include <pthread.h>

#include <fmt/core.h>
#include <algorithm>
#include <array>
#include <atomic>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl/context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/write.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <boost/beast/http/buffer_body.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/read.hpp>
#include <boost/beast/ssl/ssl_stream.hpp>
#include <charconv>
#include <condition_variable>
#include <mutex>
#include <unordered_set>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "base/random.h"
#include "serve/http/connection_parts.h"
#include "serve/http/http.h"

namespace aichemy::serve::http {
namespace {

namespace beast = boost::beast;
namespace bhttp = boost::beast::http;
using boost::asio::ip::tcp;
using PlainStream = beast::tcp_stream;
using TlsStream = beast::ssl_stream<beast::tcp_stream>;
constexpr auto kTuple = asio::as_tuple(asio::use_awaitable);

constexpr size_t kHeaderBytesMax = 64 << 10;
constexpr size_t kDropBytesMax = 1 << 20;
constexpr size_t kRecordBytes = 16 << 10;
constexpr auto kIdleTime = std::chrono::seconds(120);
constexpr auto kHeaderTime = std::chrono::seconds(30);
constexpr auto kStallTime = std::chrono::seconds(60);

class Listener final : public Server {
 public:
  Listener(IoThreads& io, Metrics& metrics, ServerOptions options, Handler handler)
      : io_(io),
        options_(std::move(options)),
        handler_(std::move(handler)),
        acceptor_(io.loop(0)),
        per_loop_(static_cast<size_t>(io.count())),
        instruments_(make_instruments(metrics, options_.name)) {}

  ~Listener() override { stop(std::chrono::milliseconds(0)); }

  Status open();
  uint16_t port() const override { return port_; }
  void stop(std::chrono::milliseconds drain) override;

  const Handler& handler() const { return handler_; }
  const ServerOptions& options() const { return options_; }
  Instruments& instruments() { return instruments_; }
  bool stopping() const { return stopping_.load(std::memory_order_relaxed); }
  std::string next_trace() { return trace_prefix_ + fmt::format("{:010X}", ++trace_); }

  // Registered and removed on the connection's own loop.
  void add(size_t loop, AnyConnection* connection) { per_loop_[loop].insert(connection); }
  void remove(size_t loop, AnyConnection* connection) { per_loop_[loop].erase(connection); }

 private:
  IoThreads& io_;
  ServerOptions options_;
  Handler handler_;
  tcp::acceptor acceptor_;
  std::optional<asio::ssl::context> tls_;
  uint16_t port_ = 0;
  std::vector<std::unordered_set<AnyConnection*>> per_loop_;
  Instruments instruments_;
  std::atomic<bool> stopping_ = false;
  std::atomic<uint64_t> trace_ = 0;
  std::string trace_prefix_ = to_hex(SystemRandom().bytes(3));

  std::mutex mutex_;
  std::condition_variable changed_;
  size_t running_ = 0;  // coroutines: accept loop and connections (guarded by mutex_)

  Status set_up_tls();
  Async<void> accept();
  template <class Stream>
  Async<void> serve(Stream stream, size_t loop);
  void entered() {
    std::lock_guard lock(mutex_);
    ++running_;
  }
  void left() {
    std::lock_guard lock(mutex_);
    --running_;
    changed_.notify_all();
  }
  void on_every_loop(const std::function<void(AnyConnection&)>& act);
};

template <class Stream>
class StreamRequest;

template <class Stream>
class Connection final : public AnyConnection {
 public:
  Connection(Listener& listener, Stream stream, size_t loop)
      : listener_(listener), stream_(std::move(stream)), loop_(loop) {
    listener_.add(loop_, this);
    listener_.instruments().connections.add(1);
  }
  ~Connection() override {
    cancel.request_stop();
    listener_.instruments().connections.add(-1);
    listener_.remove(loop_, this);
  }
  Connection(const Connection&) = delete;
  Connection& operator=(const Connection&) = delete;

  Async<void> run();
  void close() override {
    beast::error_code ignored;
    beast::get_lowest_layer(stream_).socket().close(ignored);
  }

 private:
  template <class S>
  friend class StreamRequest;
  template <class S>
  friend class StreamResponse;

  Listener& listener_;
  Stream stream_;
  size_t loop_;
  beast::flat_buffer buffer_{kHeaderBytesMax + (256 << 10)};
  bool keep_alive_ = true;

  void expire(std::chrono::seconds after) { beast::get_lowest_layer(stream_).expires_after(after); }
  Async<bool> one_request();
  Async<void> drop_rest(StreamRequest<Stream>& request);
  Async<void> refuse(int status);
  Async<void> finish_stream();
};

template <class Stream>
class StreamRequest final : public Request {
 public:
  using Parser = bhttp::request_parser<bhttp::buffer_body>;
  StreamRequest(Connection<Stream>& connection, Parser& parser)
      : connection_(connection), parser_(parser) {}

  Async<Result<size_t>> read_some(char* to, size_t max) override {
    if (done() || max == 0) co_return size_t{0};
    if (expects_continue_) {
      expects_continue_ = false;
      static constexpr std::string_view kContinue = "HTTP/1.1 100 Continue\r\n\r\n";
      connection_.expire(kStallTime);
      auto [error, sent] =
          co_await asio::async_write(connection_.stream_, asio::buffer(kContinue), kTuple);
      if (error) co_return client_gone(error);
    }
    if (!chunked) co_return co_await read_plain(to, max);
    co_return co_await read_chunked(to, max);
  }

  bool done() const { return chunked ? parser_.is_done() : left_ == 0; }
  bool waits_for_continue() const { return expects_continue_; }
  void prepare(uint64_t length, bool expects_continue) {
    left_ = length;
    expects_continue_ = expects_continue;
  }

 private:
  Connection<Stream>& connection_;
  Parser& parser_;
  uint64_t left_ = 0;  // of a body with Content-Length
  bool expects_continue_ = false;

  // Straight from the socket into the caller's memory, past the parser.
  Async<Result<size_t>> read_plain(char* to, size_t max) {
    max = static_cast<size_t>(std::min<uint64_t>(max, left_));
    size_t got = std::min(max, connection_.buffer_.size());
    if (got > 0) {
      asio::buffer_copy(asio::buffer(to, got), connection_.buffer_.data());
      connection_.buffer_.consume(got);
    } else {
      connection_.expire(kStallTime);
      auto [error, count] =
          co_await connection_.stream_.async_read_some(asio::buffer(to, max), kTuple);
      if (error == asio::error::eof) co_return cut_short();
      if (error) co_return client_gone(error);
      got = count;
    }
    left_ -= got;
    co_return got;
  }

  Async<Result<size_t>> read_chunked(char* to, size_t max) {
    auto& body = parser_.get().body();
    body.data = to;
    body.size = max;
    body.more = true;
    while (!parser_.is_done() && body.size == max) {
      connection_.expire(kStallTime);
      auto [error, count] = co_await bhttp::async_read_some(connection_.stream_,
                                                            connection_.buffer_, parser_, kTuple);
      if (error == bhttp::error::need_buffer) break;
      if (error == bhttp::error::end_of_stream || error == bhttp::error::partial_message)
        co_return cut_short();
      if (error && error.category() == bhttp::make_error_code(bhttp::error::bad_chunk).category()) {
        co_return fail(Code::invalid, "body", "broken chunked encoding: " + error.message());
      }
      if (error) co_return client_gone(error);
    }
    co_return max - body.size;
  }

  static std::unexpected<Error> cut_short() {
    return fail(Code::invalid, "body", "the connection ended before the whole body arrived");
  }
};

template <class Stream>
class StreamResponse final : public Response {
 public:
  StreamResponse(Connection<Stream>& connection, bool head, bool http10)
      : connection_(connection), head_(head), http10_(http10) {}

  Async<Status> send(std::string body) override {
    if (begun_) co_return fail(Code::internal, "http", "a second answer to one request");
    bool no_body = status == 204 || status == 304 || (status >= 100 && status < 200);
    std::optional<uint64_t> length;
    if (!no_body && !(head_ && headers.has("Content-Length"))) length = body.size();
    std::string head = header_text(length, false);
    std::string_view payload = head_ || no_body ? std::string_view() : std::string_view(body);
    std::array<asio::const_buffer, 2> parts = {asio::buffer(head), asio::buffer(payload)};
    begun_ = ended_ = true;
    co_return co_await put(parts);
  }

  Async<Status> begin(std::optional<uint64_t> content_length) override {
    if (begun_) co_return fail(Code::internal, "http", "a second answer to one request");
    chunked_ = !content_length && !http10_;
    if (!content_length && http10_) connection_.keep_alive_ = false;
    begun_ = true;
    left_ = content_length;
    pending_ = header_text(content_length, chunked_);
    // The header leaves with the first bytes of the body; alone only when there are none (end()).
    co_return Status{};
  }

  Async<Status> write(std::string_view bytes) override {
    if (bytes.empty() || head_) co_return Status{};
    if (left_) *left_ -= std::min<uint64_t>(*left_, bytes.size());
    std::string size = chunked_ ? fmt::format("{:x}\r\n", bytes.size()) : std::string();
    std::string head = std::move(pending_);
    pending_.clear();
    std::array<asio::const_buffer, 4> parts = {
        asio::buffer(head), asio::buffer(size), asio::buffer(bytes),
        asio::buffer(std::string_view(chunked_ ? "\r\n" : ""))};
    co_return co_await put(parts);
  }

  Async<Status> end() override {
    ended_ = true;
    // Fewer bytes than promised: only closing the connection tells the client.
    if (left_ && *left_ > 0 && !head_) connection_.keep_alive_ = false;
    std::string tail = std::move(pending_);
    pending_.clear();
    if (chunked_ && !head_) tail += "0\r\n\r\n";
    if (tail.empty()) co_return Status{};
    std::array<asio::const_buffer, 1> parts = {asio::buffer(tail)};
    co_return co_await put(parts);
  }

  bool begun() const override { return begun_; }
  bool ended() const { return ended_; }

 private:
  Connection<Stream>& connection_;
  bool head_;
  bool http10_;
  bool begun_ = false;
  bool ended_ = false;
  bool chunked_ = false;
  std::optional<uint64_t> left_;
  std::string pending_;

  std::string header_text(std::optional<uint64_t> length, bool chunked) {
    std::string_view reason = bhttp::obsolete_reason(static_cast<bhttp::status>(status));
    std::string text = fmt::format("HTTP/1.1 {} {}\r\n", status, reason);
    for (const auto& [name, value] : headers.all()) {
      text += name;
      text += ": ";
      // A line break in a value would start a header of its own.
      for (char c : value) text += c == '\r' || c == '\n' ? ' ' : c;
      text += "\r\n";
    }
    if (!headers.has("Date"))
      text += "Date: " + format_http_date(SystemClock().wall_now()) + "\r\n";
    if (length) text += fmt::format("Content-Length: {}\r\n", *length);
    if (chunked) text += "Transfer-Encoding: chunked\r\n";
    if (!connection_.keep_alive_) text += "Connection: close\r\n";
    text += "\r\n";
    return text;
  }

  template <class Buffers>
  Async<Status> put(const Buffers& parts) {
    if constexpr (std::is_same_v<Stream, TlsStream>) {
      // A TLS record holds 16 KiB: the parts are gathered into records here, one write each.
      std::string record;
      for (asio::const_buffer part : parts) {
        std::string_view rest(static_cast<const char*>(part.data()), part.size());
        while (!rest.empty()) {
          size_t step = std::min(rest.size(), kRecordBytes - record.size());
          record.append(rest.substr(0, step));
          rest.remove_prefix(step);
          if (record.size() < kRecordBytes) continue;
          CO_RETURN_IF_ERROR(co_await put_whole(asio::buffer(record)));
          record.clear();
        }
      }
      if (record.empty()) co_return Status{};
      co_return co_await put_whole(asio::buffer(record));
    } else {
      co_return co_await put_whole(parts);
    }
  }

  template <class Buffers>
  Async<Status> put_whole(const Buffers& parts) {
    connection_.expire(kStallTime);
    auto [error, count] = co_await asio::async_write(connection_.stream_, parts, kTuple);
    if (error) {
      connection_.keep_alive_ = false;
      connection_.cancel.request_stop();
      co_return client_gone(error);
    }
    co_return Status{};
  }
};

template <class Stream>
Async<void> Connection<Stream>::run() {
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    expire(kHeaderTime);
    auto [error] = co_await stream_.async_handshake(asio::ssl::stream_base::server, kTuple);
    if (error) co_return;
  }
  while (keep_alive_ && !listener_.stopping()) {
    if (!co_await one_request()) break;
  }
  co_await finish_stream();
}

// False when the connection is to be closed without more ado.
template <class Stream>
Async<bool> Connection<Stream>::one_request() {
  typename StreamRequest<Stream>::Parser parser;
  parser.header_limit(kHeaderBytesMax);
  parser.body_limit(boost::none);
  idle = true;
  expire(buffer_.size() > 0 ? kHeaderTime : kIdleTime);
  auto [error, count] = co_await bhttp::async_read_header(stream_, buffer_, parser, kTuple);
  if (error) {
    if (error == bhttp::error::header_limit || error == bhttp::error::buffer_overflow)
      co_await refuse(431);
    else if (error.category() == bhttp::make_error_code(bhttp::error::bad_method).category() &&
             error != bhttp::error::end_of_stream && error != bhttp::error::partial_message)
      co_await refuse(400);
    co_return false;
  }
  idle = false;
  SteadyTime began = std::chrono::steady_clock::now();
  const auto& message = parser.get();
  keep_alive_ = message.keep_alive();

  StreamRequest<Stream> request(*this, parser);
  request.method = std::string(message.method_string());
  request.target = std::string(message.target());
  size_t question = std::min(request.target.find('?'), request.target.size());
  request.path = request.target.substr(0, question);
  if (question < request.target.size()) request.query = request.target.substr(question + 1);
  for (const auto& field : message) request.headers.add(field.name_string(), field.value());
  request.chunked = parser.chunked();
  uint64_t length = 0;
  if (auto declared = parser.content_length()) request.content_length = length = *declared;
  bool expects = beast::iequals(message[bhttp::field::expect], "100-continue");
  request.prepare(length, expects);
  beast::error_code ignored;
  auto remote = beast::get_lowest_layer(stream_).socket().remote_endpoint(ignored);
  request.peer = fmt::format("{}:{}", remote.address().to_string(), remote.port());
  request.peer_is_loopback = remote.address().is_loopback();
  request.secure = std::is_same_v<Stream, TlsStream>;
  request.call.trace = listener_.next_trace();
  request.call.cancel = cancel.get_token();

  StreamResponse<Stream> response(*this, request.method == "HEAD", message.version() == 10);
  try {
    co_await listener_.handler()(request, response);
  } catch (const std::exception& problem) {
    log_error("request handler threw", {{"server", listener_.options().name},
                                        {"request", request.call.trace},
                                        {"target", request.target},
                                        {"what", problem.what()}});
    keep_alive_ = keep_alive_ && !response.begun();
  }
  if (!response.begun()) {
    response.status = 500;
    co_await response.send("internal error, request id " + request.call.trace + "\n");
  } else if (!response.ended()) {
    keep_alive_ = false;  // a stream that broke off
  }
  Instruments& instruments = listener_.instruments();
  instruments.requests.add();
  if (response.status >= 500) instruments.errors.add();
  auto took = std::chrono::steady_clock::now() - began;
  instruments.seconds.observe_micros(
      static_cast<uint64_t>(std::chrono::duration_cast<std::chrono::microseconds>(took).count()));

  co_await drop_rest(request);
  co_return keep_alive_;
}

// Reads what is left of a body that the handler did not want, so that the next request can follow.
template <class Stream>
Async<void> Connection<Stream>::drop_rest(StreamRequest<Stream>& request) {
  // A client that was never told to continue may still send its body or not: the framing is lost.
  if (!request.done() && request.waits_for_continue()) keep_alive_ = false;
  size_t dropped = 0;
  std::string sink;
  while (keep_alive_ && !request.done()) {
    sink.resize(64 << 10);
    auto got = co_await request.read_some(sink.data(), sink.size());
    if (!got || (dropped += *got) > kDropBytesMax) keep_alive_ = false;
  }
  // An idle connection keeps no large buffer.
  if (buffer_.size() == 0 && buffer_.capacity() > 16 << 10) buffer_.shrink_to_fit();
}

template <class Stream>
Async<void> Connection<Stream>::refuse(int status) {
  keep_alive_ = false;
  StreamResponse<Stream> response(*this, false, false);
  response.status = status;
  co_await response.send(status == 431 ? "request header too large\n" : "malformed HTTP request\n");
}

// Says goodbye so that what was sent arrives: shutdown, then read what the client still sends, for
// a moment.
template <class Stream>
Async<void> Connection<Stream>::finish_stream() {
  expire(std::chrono::seconds(2));
  if constexpr (std::is_same_v<Stream, TlsStream>) {
    co_await stream_.async_shutdown(kTuple);
  } else {
    beast::error_code ignored;
    stream_.socket().shutdown(tcp::socket::shutdown_send, ignored);
    std::array<char, 16384> sink;
    for (bool more = true; more;) {
      auto [error, count] = co_await stream_.async_read_some(asio::buffer(sink), kTuple);
      more = !error;
    }
  }
}

Status Listener::set_up_tls() {
  if (!options_.tls) return {};
  try {
    tls_.emplace(asio::ssl::context::tls_server);
    tls_->set_options(asio::ssl::context::default_workarounds | asio::ssl::context::no_tlsv1 |
                      asio::ssl::context::no_tlsv1_1);
    tls_->use_certificate_chain(asio::buffer(options_.tls->certificate_pem));
    tls_->use_private_key(asio::buffer(options_.tls->key_pem), asio::ssl::context::pem);
  } catch (const std::exception& problem) {
    return fail(Code::invalid, "tls", std::string("certificate or key: ") + problem.what());
  }
  return {};
}

Status Listener::open() {
  RETURN_IF_ERROR(set_up_tls());
  beast::error_code error;
  auto address = asio::ip::make_address(options_.address, error);
  if (error) return fail(Code::invalid, "address", "not an IP address: " + options_.address);
  tcp::endpoint endpoint(address, options_.port);
  acceptor_.open(endpoint.protocol(), error);
  if (!error) acceptor_.set_option(asio::socket_base::reuse_address(true), error);
  if (!error) acceptor_.bind(endpoint, error);
  if (!error) acceptor_.listen(4096, error);
  if (error == asio::error::address_in_use) {
    return fail(Code::exists, "port_taken", fmt::format("port {} is taken", options_.port));
  }
  if (error) {
    return fail(Code::invalid, "address",
                fmt::format("cannot listen on {}:{}: {}", options_.address, options_.port,
                            error.message()));
  }
  port_ = acceptor_.local_endpoint().port();
  entered();
  asio::co_spawn(io_.loop(0), accept(), [this](std::exception_ptr) { left(); });
  return {};
}

Async<void> Listener::accept() {
  for (size_t turn = 0; !stopping(); ++turn) {
    size_t loop = turn % static_cast<size_t>(io_.count());
    asio::io_context& home = io_.loop(static_cast<int>(loop));
    auto [error, socket] = co_await acceptor_.async_accept(home, kTuple);
    if (error == asio::error::operation_aborted || error == asio::error::bad_descriptor) co_return;
    if (error) {  // out of descriptors: give connections time to close
      log_warn("accept failed", {{"server", options_.name}, {"what", error.message()}});
      asio::steady_timer pause(io_.loop(0), std::chrono::milliseconds(100));
      co_await pause.async_wait(kTuple);
      continue;
    }
    if (instruments_.connections.value() >= static_cast<int64_t>(options_.connections_max))
      continue;  // closes
    beast::error_code ignored;
    socket.set_option(tcp::no_delay(true), ignored);
    entered();
    auto finished = [this](std::exception_ptr problem) {
      if (problem) log_error("connection ended by an exception", {{"server", options_.name}});
      left();
    };
    PlainStream plain(std::move(socket));
    if (tls_) {
      asio::co_spawn(home, serve(TlsStream(std::move(plain), *tls_), loop), finished);
    } else {
      asio::co_spawn(home, serve(std::move(plain), loop), finished);
    }
  }
}

template <class Stream>
Async<void> Listener::serve(Stream stream, size_t loop) {
  Connection<Stream> connection(*this, std::move(stream), loop);
  co_await connection.run();
}

void Listener::on_every_loop(const std::function<void(AnyConnection&)>& act) {
  for (size_t loop = 0; loop < per_loop_.size(); ++loop) {
    entered();
    asio::post(io_.loop(static_cast<int>(loop)), [this, loop, act] {
      std::vector<AnyConnection*> now(per_loop_[loop].begin(), per_loop_[loop].end());
      for (AnyConnection* connection : now) act(*connection);
      left();
    });
  }
}

void Listener::stop(std::chrono::milliseconds drain) {
  if (port_ == 0) return;
  stopping_ = true;
  entered();
  asio::post(io_.loop(0), [this] {
    beast::error_code ignored;
    acceptor_.close(ignored);
    left();
  });
  on_every_loop([](AnyConnection& connection) {
    if (connection.idle) connection.close();
  });
  auto finished = [this] { return running_ == 0; };
  {
    std::unique_lock lock(mutex_);
    if (changed_.wait_for(lock, drain, finished)) {
      port_ = 0;
      return;
    }
  }
  on_every_loop([](AnyConnection& connection) {
    connection.cancel.request_stop();
    connection.close();
  });
  std::unique_lock lock(mutex_);
  changed_.wait(lock, finished);
  port_ = 0;
}

}  // namespace

Result<std::unique_ptr<Server>> Server::start(IoThreads& io, Metrics& metrics,
                                              ServerOptions options, Handler handler) {
  auto listener = std::make_unique<Listener>(io, metrics, std::move(options), std::move(handler));
  RETURN_IF_ERROR(listener->open());
  return listener;
}

}  // namespace aichemy::serve::http
