// One client connection: reads frames, runs handlers, sends answers in the order of the requests.
//
// Lives on one io loop and is kept alive by its two coroutines and by Produce requests on their
// way. The server's sweep closes it when its deadline has passed.
#pragma once

#include <atomic>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/steady_timer.hpp>
#include <chrono>
#include <deque>
#include <memory>
#include <string>

#include "serve/kafka/handlers.h"
#include "serve/kafka/server.h"
#include "serve/tcp/server.h"

namespace aichemy::serve::kafka {

struct ConnectionLimits {
  size_t request_bytes_max;
  size_t buffered_bytes_max;
  std::chrono::seconds idle_max;
  std::chrono::seconds stall_max;
};

struct ConnectionMetrics {
  Counter& requests;
  Counter& broken_frames;
  Gauge& open;
};

class Connection : public tcp::Connection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, Services services, Client client,
             const ConnectionLimits& limits, ConnectionMetrics metrics,
             std::atomic<size_t>& buffered_bytes, std::shared_ptr<const void> owner);
  ~Connection() override;

  void start() override;
  void close() override;
  void close_if_late(SteadyTime now) override;
  bool is_closed() const override { return closed_; }

 private:
  struct Slot {  // the place of one answer in the order of answers
    std::optional<Reply> reply;
  };

  std::shared_ptr<const void> owner_;  // of what the references below refer to
  asio::ip::tcp::socket socket_;
  Services services_;
  Client client_;
  const ConnectionLimits& limits_;
  ConnectionMetrics metrics_;
  std::atomic<size_t>& buffered_bytes_;
  std::string input_;  // bytes read and not yet used
  size_t input_used_ = 0;
  std::deque<std::shared_ptr<Slot>> slots_;
  asio::steady_timer reply_ready_;  // used as conditions: cancelled when there is news
  asio::steady_timer slot_free_;
  SteadyTime deadline_;
  bool reading_ = false;  // waits for bytes of the client
  bool writing_ = false;  // waits for room at the client
  bool mid_frame_ = false;
  bool closed_ = false;

  Async<void> read_loop();
  Async<void> write_loop();
  Async<bool> read_frame(std::string& frame);
  Async<bool> fill(size_t wanted);
  Async<bool> serve(SharedBytes frame);
  Async<bool> send(Reply& reply);
  Async<bool> send_bytes(std::string_view bytes, bool more);
  Async<bool> send_slice(const broker::Slice& slice);
  Async<bool> wait_writable();
  void progress();
  void replied(const std::shared_ptr<Slot>& slot, Reply reply);
};

}  // namespace aichemy::serve::kafka
