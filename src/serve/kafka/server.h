// The Kafka protocol over TCP: two listeners that look like a cluster of two brokers. Broker id 1
// is the internal listener, id 2 the external one; either serves every partition and group, so a
// client that reaches one reaches all. What Metadata tells a client it can reach from where it
// stands: see cluster.h.
//
// Threads: a connection lives on one io loop. Requests of a connection are served one after the
// other and answered in order; only Produce is pipelined, so that many wait for the same group
// commit. Blocking work runs on `pool`.
//
// Limits: a request of request_bytes_max; buffered requests of buffered_bytes_max over all
// connections, beyond which no further bytes are read; a connection that is idle for idle_max, or
// stalls inside a request or an answer for stall_max, is closed. Broken frames close the
// connection.
//
// Life cycle: construct, start(), stop() before the io loops stop. The broker must outlive the
// server.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "broker/broker.h"
#include "runtime/io.h"
#include "runtime/pool.h"

namespace aichemy::serve::kafka {

class Server {
 public:
  struct Options {
    std::string host = "127.0.0.1";
    std::string external_host;             // empty: as host
    int port = 9092;                       // 0: any free port
    int external_port = 9094;              // 0: any free port, -1: no external listener
    std::string advertised_host;           // empty: the address the client connected to
    std::string advertised_external_host;  // empty: the address the client connected to
    int advertised_port = 0;               // 0: the bound one
    int advertised_external_port = 0;
    size_t request_bytes_max = size_t{100} << 20;
    size_t buffered_bytes_max = size_t{256} << 20;
    size_t connections_max = 20'000;
    std::chrono::seconds idle_max{600};
    std::chrono::seconds stall_max{30};
  };
  Server(Options options, broker::Broker& broker, IoThreads& io, Pool& pool, Clock& clock,
         Metrics& metrics);
  ~Server();  // stops
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Status start();  // unavailable ("port_taken"), invalid ("address")
  void stop();     // idempotent; returns when every connection is closed

  int port() const;
  int external_port() const;  // -1 when it is off

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aichemy::serve::kafka
