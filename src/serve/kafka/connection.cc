#include "serve/kafka/connection.h"

#include <sys/sendfile.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <boost/asio/as_tuple.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/redirect_error.hpp>
#include <cerrno>

#include "base/bytes.h"
#include "base/log.h"

namespace aichemy::serve::kafka {
namespace {

constexpr size_t kReadChunkBytes = 64 << 10;
constexpr size_t kPipelinedMax = 64;
constexpr std::chrono::milliseconds kBufferRetry{5};
constexpr size_t kCopyChunkBytes = 256 << 10;

// Bytes of a request count against the server's limit until the request is answered.
struct BufferLease {
  BufferLease(std::atomic<size_t>& total, size_t size) : total_(total), size_(size) {
    total_ += size_;
  }
  ~BufferLease() { total_ -= size_; }
  BufferLease(const BufferLease&) = delete;
  BufferLease& operator=(const BufferLease&) = delete;

 private:
  std::atomic<size_t>& total_;
  size_t size_;
};

}  // namespace

Connection::Connection(asio::ip::tcp::socket socket, Services services, Client client,
                       const ConnectionLimits& limits, ConnectionMetrics metrics,
                       std::atomic<size_t>& buffered_bytes, std::shared_ptr<const void> owner)
    : owner_(std::move(owner)),
      socket_(std::move(socket)),
      services_(services),
      client_(std::move(client)),
      limits_(limits),
      metrics_(metrics),
      buffered_bytes_(buffered_bytes),
      reply_ready_(socket_.get_executor()),
      slot_free_(socket_.get_executor()) {
  reply_ready_.expires_at(SteadyTime::max());
  slot_free_.expires_at(SteadyTime::max());
  metrics_.open.add(1);
  progress();
}

Connection::~Connection() { metrics_.open.add(-1); }

void Connection::start() {
  auto log_escape = [](std::exception_ptr error) {
    if (!error) return;
    try {
      std::rethrow_exception(error);
    } catch (const std::exception& thrown) {
      log_error("exception in a Kafka connection", {{"what", thrown.what()}});
    }
  };
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->read_loop(); },
      log_escape);
  asio::co_spawn(
      socket_.get_executor(), [self = shared_from_this()] { return self->write_loop(); },
      log_escape);
}

void Connection::close() {
  if (closed_) return;
  closed_ = true;
  boost::system::error_code ignored;
  socket_.close(ignored);
  reply_ready_.cancel();
  slot_free_.cancel();
}

void Connection::progress() { deadline_ = services_.clock.steady_now(); }

void Connection::close_if_late(SteadyTime now) {
  bool stalls = writing_ || (reading_ && mid_frame_);
  bool idles = reading_ && slots_.empty();
  if ((stalls && now - deadline_ > limits_.stall_max) ||
      (idles && now - deadline_ > limits_.idle_max))
    close();
}

// Reads until `input_` has `wanted` unused bytes.
Async<bool> Connection::fill(size_t wanted) {
  while (input_.size() - input_used_ < wanted) {
    if (input_used_ > 0) {
      input_.erase(0, input_used_);
      input_used_ = 0;
    }
    size_t had = input_.size();
    // Large requests are read in growing steps: memory follows what arrived, not what was
    // announced.
    size_t room = std::max(kReadChunkBytes, std::min(wanted - had, had));
    input_.resize_and_overwrite(had + room, [](char*, size_t size) { return size; });
    boost::system::error_code error;
    reading_ = true;
    size_t got = co_await socket_.async_read_some(asio::buffer(input_.data() + had, room),
                                                  asio::redirect_error(asio::use_awaitable, error));
    reading_ = false;
    input_.resize(had + got);
    progress();
    if (error || closed_) co_return false;
  }
  co_return true;
}

Async<bool> Connection::read_frame(std::string& frame) {
  mid_frame_ = input_.size() > input_used_;
  if (!co_await fill(4)) co_return false;
  mid_frame_ = true;
  size_t size = load_big<uint32_t>(input_.data() + input_used_);
  if (size < 8 || size > limits_.request_bytes_max) {
    metrics_.broken_frames.add();
    log_debug("closing a connection: not a Kafka request",
              {{"peer", client_.peer}, {"size", size}});
    co_return false;
  }
  while (buffered_bytes_ > limits_.buffered_bytes_max &&
         !closed_) {  // others must be answered first
    asio::steady_timer pause(socket_.get_executor(), kBufferRetry);
    co_await pause.async_wait(asio::use_awaitable);
  }
  if (!co_await fill(4 + size)) co_return false;
  mid_frame_ = false;
  if (input_used_ == 0 &&
      input_.size() == 4 + size) {  // the usual case: hand the buffer over instead of copying
    frame = std::move(input_);
    input_.clear();
  } else {
    frame.assign(input_, input_used_, 4 + size);
    input_used_ += 4 + size;
  }
  co_return true;
}

Async<void> Connection::read_loop() {
  std::string bytes;
  while (!closed_) {
    while (slots_.size() >= kPipelinedMax && !closed_) {
      co_await slot_free_.async_wait(asio::as_tuple(asio::use_awaitable));
    }
    if (!co_await read_frame(bytes)) break;
    metrics_.requests.add();
    SharedBytes whole(std::move(bytes));
    bytes.clear();
    if (!co_await serve(whole.slice(4, whole.size() - 4))) break;
  }
  // Answers on their way are still sent to a client that only closed its sending half.
  while (!slots_.empty() && !closed_)
    co_await slot_free_.async_wait(asio::as_tuple(asio::use_awaitable));
  close();
}

Async<bool> Connection::serve(SharedBytes frame) {
  Context context{services_, client_, {}, false, frame, {}, {}};
  auto handler = route(context);
  auto refuse = [&](const Error& error) {
    metrics_.broken_frames.add();
    log_debug("closing a connection: request refused",
              {{"peer", client_.peer}, {"key", context.header.key}, {"error", error.message}});
    return false;
  };
  if (!handler) co_return refuse(handler.error());
  auto slot = std::make_shared<Slot>();
  slots_.push_back(slot);  // the newest; a refused request takes it back, so that those before are
                           // still answered
  if ((*handler)->key == kProduceKey) {
    auto lease = std::make_shared<BufferLease>(buffered_bytes_, frame.size());
    auto done = [self = shared_from_this(), slot, lease](Reply reply) {
      asio::post(self->socket_.get_executor(), [self, slot, reply = std::move(reply)]() mutable {
        self->replied(slot, std::move(reply));
      });
    };
    Status begun = produce(context, std::move(done));
    if (begun) co_return true;
    slots_.pop_back();
    co_return refuse(begun.error());
  }
  BufferLease lease(buffered_bytes_, frame.size());
  auto reply = co_await (*handler)->handle(context);
  if (!reply) {
    slots_.pop_back();
    co_return refuse(reply.error());
  }
  replied(slot, std::move(*reply));
  co_return true;
}

void Connection::replied(const std::shared_ptr<Slot>& slot, Reply reply) {
  slot->reply = std::move(reply);
  if (!slots_.empty() && slots_.front() == slot) reply_ready_.cancel();
}

Async<void> Connection::write_loop() {
  socket_.native_non_blocking(true);
  while (!closed_) {
    if (slots_.empty() || !slots_.front()->reply) {
      co_await reply_ready_.async_wait(asio::as_tuple(asio::use_awaitable));
      continue;
    }
    auto slot = slots_.front();
    bool sent = slot->reply->none || co_await send(*slot->reply);
    if (!sent) break;
    if (!slots_.empty()) slots_.pop_front();
    slot_free_.cancel();
  }
  close();
}

Async<bool> Connection::wait_writable() {
  boost::system::error_code error;
  writing_ = true;
  co_await socket_.async_wait(asio::ip::tcp::socket::wait_write,
                              asio::redirect_error(asio::use_awaitable, error));
  writing_ = false;
  co_return !error && !closed_;
}

Async<bool> Connection::send_bytes(std::string_view bytes, bool more) {
  progress();
  while (!bytes.empty()) {
    if (closed_) co_return false;
    ssize_t put = ::send(socket_.native_handle(), bytes.data(), bytes.size(),
                         MSG_NOSIGNAL | (more ? MSG_MORE : 0));
    if (put >= 0) {
      bytes.remove_prefix(static_cast<size_t>(put));
      progress();
      continue;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return false;
    if (!co_await wait_writable()) co_return false;
  }
  co_return true;
}

// File to socket inside the kernel. A file without a descriptor (the test disk) is copied.
Async<bool> Connection::send_slice(const broker::Slice& slice) {
  if (slice.file->descriptor() < 0) {
    std::string bytes(slice.bytes, '\0');
    auto got = slice.file->read_at(slice.position, bytes.data(), bytes.size());
    if (!got || *got != bytes.size()) co_return false;
    co_return co_await send_bytes(bytes, false);
  }
  auto at = static_cast<off_t>(slice.position);
  size_t left = slice.bytes;
  while (left > 0) {
    if (closed_) co_return false;
    ssize_t put = ::sendfile(socket_.native_handle(), slice.file->descriptor(), &at,
                             std::min(left, kCopyChunkBytes));
    if (put > 0) {
      left -= static_cast<size_t>(put);
      progress();
      continue;
    }
    if (put == 0) co_return false;  // the file was cut off below us
    if (errno == EINTR) continue;
    if (errno != EAGAIN && errno != EWOULDBLOCK) co_return false;
    if (!co_await wait_writable()) co_return false;
  }
  co_return true;
}

Async<bool> Connection::send(Reply& reply) {
  std::string_view bytes = reply.frame.bytes;
  size_t from = 0;
  for (size_t i = 0; i < reply.frame.gaps.size(); ++i) {
    size_t position = reply.frame.gaps[i].position;
    if (!co_await send_bytes(bytes.substr(from, position - from), true)) co_return false;
    if (!co_await send_slice(reply.slices[i])) co_return false;
    from = position;
  }
  co_return co_await send_bytes(bytes.substr(from), false);
}

}  // namespace aichemy::serve::kafka
