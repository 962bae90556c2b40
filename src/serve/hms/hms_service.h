// The Hive Metastore's Thrift service over catalog::HiveCatalog: the binary protocol over TCP,
// framed or not (told apart by the first bytes of each message), strict headers or not. No logic of
// its own: a table of methods (methods_*.cc), a table of errors (errors.cc).
//
// The interface is Hive 4's, answering as 3.1; a method that is not in the table answers
// UNKNOWN_METHOD, which clients take as a hint to try an older one. Clients do not sign in: the
// name that set_ugi gives is believed, so the port is for loopback and trusted networks.
//
// Threads: a connection lives on one io loop and runs one call at a time on `pool`. A connection
// that is idle for idle_max, or stalls inside a message for stall_max, is closed; so is one whose
// bytes are not Thrift.
//
// Life cycle: construct, start(), stop() before the io loops stop.
#pragma once

#include <chrono>
#include <cstdint>
#include <memory>
#include <string>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/result.h"
#include "catalog/hive_catalog.h"
#include "catalog/hive_locks.h"
#include "runtime/io.h"
#include "runtime/pool.h"

namespace aichemy::serve::hms {

struct HmsServiceOptions {
  IoThreads& io;
  Pool& pool;
  Metrics& metrics;
  catalog::HiveCatalog& catalog;
  catalog::HiveLocks& locks;
  Clock& clock;
  std::string address = "127.0.0.1";
  uint16_t port = 0;
  size_t message_bytes_max = size_t{100} << 20;
  size_t connections_max = 10'000;
  std::chrono::seconds idle_max{3600};
  std::chrono::seconds stall_max{60};
};

class HmsService {
 public:
  explicit HmsService(HmsServiceOptions options);
  ~HmsService();  // stops

  Status start();  // unavailable ("port_taken"), invalid ("address")
  uint16_t port() const;
  void stop();  // idempotent; returns when every connection is closed

 private:
  struct State;
  std::shared_ptr<State> state_;
};

}  // namespace aichemy::serve::hms
