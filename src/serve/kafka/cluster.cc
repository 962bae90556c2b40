#include "serve/kafka/cluster.h"

#include <functional>

namespace aichemy::serve::kafka {
namespace {

bool covers(const Listener& listener, const std::string& address) {
  const std::string& host = listener.bind_host;
  return host == "0.0.0.0" || host == "::" || host == address ||
         (host == "localhost" && address == "127.0.0.1");
}

}  // namespace

int32_t ClusterView::coordinator(const std::string& group) const {
  if (alone) return own_id;
  return nodes[std::hash<std::string>()(group) % nodes.size()].id;
}

const Node& ClusterView::node(int32_t id) const {
  for (const Node& node : nodes) {
    if (node.id == id) return node;
  }
  return nodes.front();
}

ClusterView make_view(const std::vector<Listener>& listeners, size_t own,
                      const std::string& local_address) {
  ClusterView view;
  view.own_id = listeners[own].broker_id;
  for (const Listener& listener : listeners) {
    if (!listener.advertised_host.empty() || !covers(listener, local_address)) view.alone = true;
  }
  if (listeners.size() == 1) view.alone = true;
  for (size_t i = 0; i < listeners.size(); ++i) {
    if (view.alone && i != own) continue;
    const Listener& listener = listeners[i];
    Node node;
    node.id = listener.broker_id;
    node.host = listener.advertised_host.empty() ? local_address : listener.advertised_host;
    node.port = listener.advertised_port > 0 ? listener.advertised_port : listener.port;
    view.nodes.push_back(std::move(node));
  }
  return view;
}

}  // namespace aichemy::serve::kafka
