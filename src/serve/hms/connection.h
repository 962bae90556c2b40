// One Metastore client: reads a message, runs it on the pool, answers, and so on. Lives on one io
// loop; its coroutine keeps it alive. Private to the module.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <memory>
#include <string>

#include "serve/hms/hms_service.h"
#include "serve/hms/methods.h"
#include "serve/hms/reply_cache.h"
#include "serve/tcp/server.h"
#include "wire/thrift.h"

namespace aichemy::serve::hms {

struct ConnectionShared {
  HmsServiceOptions& options;
  int64_t started_seconds;
  Counter& calls;
  Gauge& open;
  ReplyCache replies{kRepliesBytesMax};

  static constexpr size_t kRepliesBytesMax = 16 << 20;
};

class Connection : public tcp::Connection, public std::enable_shared_from_this<Connection> {
 public:
  Connection(asio::ip::tcp::socket socket, ConnectionShared& shared,
             std::shared_ptr<const void> owner);
  ~Connection() override;

  void start() override;
  void close() override;
  void close_if_late(SteadyTime now) override;
  bool is_closed() const override { return closed_; }

 private:
  std::shared_ptr<const void> owner_;  // of `shared_`
  asio::ip::tcp::socket socket_;
  ConnectionShared& shared_;
  Session session_;
  std::string input_;  // from the begin of the message that is being read
  SteadyTime last_progress_;
  bool waits_for_client_ = false;
  bool closed_ = false;

  Async<void> serve();
  Async<bool> fill();
  // Bytes of the next message, and whether it came in a frame; 0 at the end of the connection.
  struct Extent {
    size_t header = 0;  // of the frame
    size_t size = 0;    // of the message
  };
  Async<Result<Extent>> read_message();
  Async<Result<std::string>> reply_to(std::string message);
  Async<Result<std::string>> run(std::string message);
  Async<bool> send(std::string reply, bool framed);
};

}  // namespace aichemy::serve::hms
