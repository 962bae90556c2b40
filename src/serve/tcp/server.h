// A TCP server of long connections, whatever they speak: it accepts on loop 0, deals the sockets
// out to the io loops in turn, closes connections that are late once a second, and all at the end.
//
// Threads: `make` and the methods of a connection run on the connection's loop, the rest on the
// owner's thread.
// Limits: beyond connections_max open ones a new connection is closed at once. Out of file
// descriptors it waits and tries again.
//
// Life cycle: construct, listen() for each address, start(), stop() before the io loops stop. After
// stop() nothing calls `make`; a connection's own coroutines may end a little later, so it holds by
// itself what it refers to.
#pragma once

#include <boost/asio/ip/tcp.hpp>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "runtime/io.h"

namespace aichemy::serve::tcp {

class Connection {
 public:
  virtual ~Connection() = default;
  virtual void start() = 0;
  virtual void close() = 0;  // its coroutines end soon after
  virtual void close_if_late(SteadyTime now) = 0;
  virtual bool is_closed() const = 0;
};

struct Options {
  IoThreads& io;
  Clock& clock;
  const Gauge& open;  // connections that are there, counted by themselves
  size_t connections_max;
  // `listener`: the how manieth listen() it came by. None: the socket is closed.
  std::function<std::shared_ptr<Connection>(asio::ip::tcp::socket, size_t listener)> make;
};

class Server {
 public:
  explicit Server(Options options);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  // The bound port; 0 asks for any free one. `setting` names the address in messages. Errors:
  // invalid ("address"), unavailable ("port_taken").
  Result<uint16_t> listen(const std::string& address, uint16_t port, const std::string& setting);
  void start();
  void stop();  // idempotent; returns when every connection is closed

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aichemy::serve::tcp
