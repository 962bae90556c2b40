#include <gtest/gtest.h>

#include <set>

#include "serve/kafka/cluster.h"
#include "serve/kafka/errors.h"
#include "serve/kafka/fetch_session.h"
#include "serve/kafka/handlers.h"

namespace aichemy::serve::kafka {
namespace {

TEST(Errors, EveryCodeHasARow) {
  int count = 0;
  const ErrorRow* rows = error_rows(count);
  for (int code = 0; code < kCodeCount; ++code) {
    bool general = false;
    for (int i = 0; i < count; ++i) {
      general = general || (rows[i].code == static_cast<Code>(code) && *rows[i].what == '\0');
    }
    EXPECT_TRUE(general) << code_name(static_cast<Code>(code));
  }
  EXPECT_EQ(error_number({Code::exhausted, "disk_full", ""}), kStorageError);
  EXPECT_EQ(error_number({Code::conflict, "rebalance_in_progress", ""}), kRebalanceInProgress);
  EXPECT_EQ(error_number({Code::not_found, "no_such_topic", ""}), kUnknownTopicOrPartition);
}

TEST(Handlers, EveryVersionOnOfferHasTables) {
  std::set<int16_t> keys;
  for (const Handler& handler : handlers()) {
    const wire::Message* message = wire::find_message(handler.key);
    ASSERT_NE(message, nullptr) << handler.key;
    EXPECT_GE(handler.first, message->first) << message->name;
    EXPECT_LE(handler.last, message->last) << message->name;
    EXPECT_TRUE(keys.insert(handler.key).second);
    EXPECT_EQ(handler.handle == nullptr, handler.key == kProduceKey);
  }
  // Older librdkafka turns compression off when Produce is not listed from version 0.
  EXPECT_EQ(find_handler(kProduceKey)->first, 0);
  EXPECT_EQ(find_handler(11)->first, 0);
}

TEST(Cluster, ClientsAreToldOnlyWhatTheyCanReach) {
  struct Row {
    const char* bind1;
    const char* bind2;
    const char* advertised2;
    size_t own;
    const char* local;
    const char* nodes;
  };
  const Row rows[] = {
      {"127.0.0.1", "127.0.0.1", "", 0, "127.0.0.1", "1@127.0.0.1:9092 2@127.0.0.1:9094 "},
      {"127.0.0.1", "127.0.0.1", "", 1, "127.0.0.1", "1@127.0.0.1:9092 2@127.0.0.1:9094 "},
      {"0.0.0.0", "0.0.0.0", "", 1, "10.0.0.7", "1@10.0.0.7:9092 2@10.0.0.7:9094 "},
      {"127.0.0.1", "0.0.0.0", "", 1, "10.0.0.7", "2@10.0.0.7:9094 "},
      {"127.0.0.1", "0.0.0.0", "", 0, "127.0.0.1", "1@127.0.0.1:9092 2@127.0.0.1:9094 "},
      {"0.0.0.0", "0.0.0.0", "kafka.example", 1, "10.0.0.7", "2@kafka.example:9094 "},
      {"0.0.0.0", "0.0.0.0", "kafka.example", 0, "10.0.0.7", "1@10.0.0.7:9092 "},
  };
  for (const Row& row : rows) {
    std::vector<Listener> listeners = {{1, row.bind1, 9092, "", 0},
                                       {2, row.bind2, 9094, row.advertised2, 0}};
    ClusterView view = make_view(listeners, row.own, row.local);
    std::string shown;
    std::set<std::string> addresses;
    for (const Node& node : view.nodes) {
      shown += std::to_string(node.id) + "@" + node.host + ":" + std::to_string(node.port) + " ";
      EXPECT_TRUE(addresses.insert(node.host + ":" + std::to_string(node.port)).second);
    }
    EXPECT_EQ(shown, row.nodes);
    for (int32_t leader : {1, 2}) {  // every leader a client sees is one of the nodes it sees
      EXPECT_EQ(view.node(view.leader(leader)).id, view.leader(leader));
    }
    EXPECT_EQ(view.node(view.coordinator("g")).id, view.coordinator("g"));
  }
}

TEST(FetchSession, OpensChangesAndEnds) {
  FetchSessions sessions;
  auto ask = [&](int32_t id, int32_t epoch, std::vector<int32_t> add,
                 std::vector<int32_t> forget = {}) {
    wire::FetchRequest request;
    request.session_id = id;
    request.session_epoch = epoch;
    if (!add.empty()) request.topics.emplace_back().topic = "t";
    for (int32_t partition : add) request.topics[0].partitions.emplace_back().partition = partition;
    if (!forget.empty()) request.forgotten_topics_data.emplace_back().topic = "t";
    for (int32_t partition : forget)
      request.forgotten_topics_data[0].partitions.push_back(partition);
    return sessions.open(request);
  };
  auto once = ask(0, -1, {0, 1});
  EXPECT_EQ(once.session->id, 0);
  EXPECT_EQ(once.session->partitions.size(), 2u);
  auto opened = ask(0, 0, {0, 1, 2});
  int32_t id = opened.session->id;
  EXPECT_NE(id, 0);
  EXPECT_TRUE(opened.fresh);
  auto next = ask(id, 1, {3}, {0});
  EXPECT_FALSE(next.fresh);
  EXPECT_EQ(next.session->partitions.size(), 3u);
  EXPECT_EQ(ask(id, 1, {}).error, kInvalidFetchSessionEpoch);
  EXPECT_EQ(ask(id + 7, 1, {}).error, kFetchSessionIdNotFound);
  EXPECT_EQ(ask(id, 2, {}).error, kNone);
  ask(id, -1, {0});
  EXPECT_EQ(ask(id, 3, {}).error, kFetchSessionIdNotFound);
}

}  // namespace
}  // namespace aichemy::serve::kafka
