#include "serve/hms/connection.h"

#include <algorithm>
#include <array>
#include <boost/asio/buffer.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/write.hpp>

#include "base/bytes.h"
#include "base/log.h"

namespace aichemy::serve::hms {

namespace {

constexpr size_t kReadChunkBytes = 16 << 10;
constexpr size_t kFrameHeaderBytes = 4;

// A frame's length, then a strict message header; an unframed message begins with either header.
bool is_framed(std::string_view bytes) {
  return static_cast<uint8_t>(bytes[0]) < 0x80 && static_cast<uint8_t>(bytes[4]) == 0x80 &&
         bytes[5] == 1;
}

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, ConnectionShared& shared,
                       std::shared_ptr<const void> owner)
    : owner_(std::move(owner)),
      socket_(std::move(socket)),
      shared_(shared),
      last_progress_(shared.options.clock.steady_now()) {
  shared_.open.add(1);
}

Connection::~Connection() { shared_.open.add(-1); }

void Connection::start() {
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->serve(); },
      [self = shared_from_this()](std::exception_ptr error) {
        self->close();
        if (!error) return;
        try {
          std::rethrow_exception(error);
        } catch (const std::exception& thrown) {
          log_error("exception in a Metastore connection", {{"what", thrown.what()}});
        }
      });
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
}

void Connection::close_if_late(SteadyTime now) {
  if (!waits_for_client_) return;
  auto limit = input_.empty() ? shared_.options.idle_max : shared_.options.stall_max;
  if (now - last_progress_ > limit) close();
}

// Memory follows what arrived, not what was announced.
Async<bool> Connection::fill() {
  size_t had = input_.size();
  size_t room = std::max(kReadChunkBytes, std::min(had, size_t{4} << 20));
  input_.resize_and_overwrite(had + room, [](char*, size_t size) { return size; });
  boost::system::error_code error;
  waits_for_client_ = true;
  size_t got = co_await socket_.async_read_some(asio::buffer(input_.data() + had, room),
                                                asio::redirect_error(asio::use_awaitable, error));
  waits_for_client_ = false;
  last_progress_ = shared_.options.clock.steady_now();
  input_.resize(had + got);
  co_return !error && !closed_;
}

Async<Result<Connection::Extent>> Connection::read_message() {
  while (input_.size() < 6) {
    if (!co_await fill()) co_return Extent{};
  }
  size_t bytes_max = shared_.options.message_bytes_max;
  if (is_framed(input_)) {
    size_t size = load_big<uint32_t>(input_.data());
    if (size > bytes_max) co_return fail(Code::corrupt, "thrift", "a frame is too large");
    while (input_.size() < kFrameHeaderBytes + size) {
      if (!co_await fill()) co_return Extent{};
    }
    co_return Extent{kFrameHeaderBytes, size};
  }
  thrift::MessageScanner scanner(bytes_max);
  while (true) {
    CO_ASSIGN_OR_RETURN(size_t size, scanner.scan(input_));
    if (size > 0) co_return Extent{0, size};
    if (!co_await fill()) co_return Extent{};
  }
}

constexpr size_t kQuestionBytesMax = 64 << 10;  // longer calls are rare, and not kept

// From the replies that are kept, or by a worker.
Async<Result<std::string>> Connection::reply_to(std::string message) {
  size_t at = sequence_offset(message);
  std::optional<int64_t> version;
  if (at > 0 && message.size() <= kQuestionBytesMax &&
      is_repeatable(std::string_view(message).substr(8, at - 8)))
    version = shared_.options.catalog.version();
  if (!version) co_return co_await run(std::move(message));
  std::string question = message;
  store_big(question.data() + at, int32_t{0});
  if (ReplyCache::Reply kept = shared_.replies.find(*version, question)) {
    shared_.calls.add();
    std::string reply = *kept;
    reply.replace(at, sizeof(int32_t), message, at, sizeof(int32_t));
    co_return reply;
  }
  auto reply = co_await run(std::move(message));
  if (reply && may_be_kept(*reply))
    shared_.replies.keep(*version, std::move(question), std::make_shared<std::string>(*reply));
  co_return reply;
}

Async<Result<std::string>> Connection::run(std::string message) {
  HmsServiceOptions& options = shared_.options;
  shared_.calls.add();
  Exchange exchange{options.catalog, options.locks,           options.clock,
                    session_,        shared_.started_seconds, {}};
  exchange.call.principal = session_.user;
  auto reply = co_await on(options.pool, [&] { return answer(exchange, message); });
  co_return reply;
}

Async<bool> Connection::send(std::string reply, bool framed) {
  std::string frame;
  if (framed) append_big(frame, static_cast<uint32_t>(reply.size()));
  std::array buffers = {asio::buffer(frame), asio::buffer(reply)};
  boost::system::error_code error;
  waits_for_client_ = true;
  co_await asio::async_write(socket_, buffers, asio::redirect_error(asio::use_awaitable, error));
  waits_for_client_ = false;
  last_progress_ = shared_.options.clock.steady_now();
  co_return !error && !closed_;
}

Async<void> Connection::serve() {
  while (!closed_) {
    auto extent = co_await read_message();
    if (!extent || extent->size == 0) break;
    std::string message = input_.substr(extent->header, extent->size);
    input_.erase(0, extent->header + extent->size);
    auto reply = co_await reply_to(std::move(message));
    if (!reply) {
      log_warn("hms.closed", {{"error", reply.error().message}});
      break;
    }
    if (reply->empty()) continue;
    if (!co_await send(std::move(*reply), extent->header > 0)) break;
  }
  close();
}

}  // namespace aichemy::serve::hms
