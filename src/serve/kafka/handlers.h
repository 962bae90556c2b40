// The table of requests: which versions are served, and by what. A handler gets the decoded request
// and returns the answer; the engine around it (dispatch.cc) decodes, encodes and frames.
#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "broker/broker.h"
#include "runtime/io.h"
#include "serve/kafka/cluster.h"
#include "serve/kafka/fetch_session.h"
#include "wire/schema.h"

namespace aichemy::serve::kafka {

// What the handlers of all connections share.
struct Services {
  broker::Broker& broker;
  Pool& pool;
  Clock& clock;
};

// What belongs to one connection.
struct Client {
  ClusterView cluster;
  std::string peer;  // "/127.0.0.1", as clients of DescribeGroups expect it
  FetchSessions sessions;
};

// An answer: the frame in pieces. The gaps of `frame` are filled from `slices`, in order.
struct Reply {
  wire::Encoded frame;
  std::vector<broker::Slice> slices;
  bool none = false;  // the protocol has no answer here (acks=0)
};

struct Context {
  Services& services;
  Client& client;
  wire::RequestHeader header;
  bool flexible = false;
  SharedBytes frame;  // keeps `body` alive
  std::string_view body;
  std::vector<broker::Slice> slices;  // of a Fetch answer
};

using Handle = Async<Result<Reply>> (*)(Context&);
struct Handler {
  int16_t key;
  int16_t first, last;  // versions on offer
  Handle handle;
};
std::span<const Handler> handlers();
const Handler* find_handler(int16_t key);

inline constexpr int16_t kProduceKey = 0;
inline constexpr int16_t kApiVersionsKey = 18;

// Decodes the header, finds the handler. invalid when the connection must be closed.
Result<const Handler*> route(Context& context);
// Frames an answer: length, response header, body.
Reply make_reply(const Context& context, const wire::Struct& table, const void* response);

// Produce is not in the table: its answer comes later than its turn (produce.cc). `done` is called
// once, on any thread. invalid when the connection must be closed.
Status produce(Context& context, std::function<void(Reply)> done);

}  // namespace aichemy::serve::kafka
