// Which brokers a client is told of, and under which addresses.
//
// One process, two broker ids on two listeners. A client can only use addresses it can reach, and
// must never see leaders move because it asked another listener. So there are two views, fixed by
// where the connection came in:
//   both   both listeners are reachable at the address the client used, and no address is
//   advertised explicitly
//          (the usual case: everything on loopback): two brokers, leaders as the broker says;
//   alone  otherwise: only the listener's own broker, which then leads everything. It can: each
//   listener serves all.
// Two ids must never share one host:port: librdkafka identifies brokers by address and would swap
// their ids.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace aichemy::serve::kafka {

struct Listener {
  int32_t broker_id = 1;
  std::string bind_host;
  int port = 0;
  std::string advertised_host;  // empty: the local address of the connection
  int advertised_port = 0;
};

struct Node {
  int32_t id = 1;
  std::string host;
  int32_t port = 0;
};

// What one connection sees.
struct ClusterView {
  std::vector<Node> nodes;
  int32_t own_id = 1;
  bool alone = false;

  int32_t leader(int32_t actual) const { return alone && actual > 0 ? own_id : actual; }
  int32_t controller() const { return nodes.front().id; }
  // Groups are spread over the brokers by name.
  int32_t coordinator(const std::string& group) const;
  const Node& node(int32_t id) const;
};

ClusterView make_view(const std::vector<Listener>& listeners, size_t own,
                      const std::string& local_address);

}  // namespace aichemy::serve::kafka
