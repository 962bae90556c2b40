#include "broker/broker.h"

#include <gtest/gtest.h>

#include <future>
#include <set>
#include <thread>

#include "runtime/fault_disk.h"

namespace aichemy::broker {
namespace {

std::string make_batch(int count, std::string_view value = "value", int64_t timestamp = 1000,
                       wire::BatchBuilder::Producer producer = {-1, -1, -1}) {
  wire::BatchBuilder builder;
  for (int i = 0; i < count; ++i) builder.add(timestamp + i, "key", value);
  return *builder.finish(wire::Codec::none, producer);
}

struct Fixture {
  explicit Fixture(uint64_t seed = 1) : disk(seed), random(seed) {}

  FaultDisk disk;
  FakeClock clock;
  SeededRandom random;
  Metrics metrics;
  std::unique_ptr<Broker> broker;

  Status start(int16_t copies = 2) {
    broker.reset();
    Broker::Options options;
    options.directory = "/broker";
    options.default_copies = copies;
    options.background = false;
    options.commit_threads = 2;
    ASSIGN_OR_RETURN(broker, Broker::open(options, disk, clock, random, metrics));
    return {};
  }
  // Every record value of a partition, in order; fails the test when offsets are not dense.
  std::vector<std::string> values(const std::string& topic, int32_t partition = 0) {
    std::vector<std::string> found;
    Offsets range = *broker->offsets(topic, partition);
    for (int64_t offset = range.start; offset < range.end;) {
      auto bytes = broker->read(topic, partition, offset, 1000);
      EXPECT_TRUE(bytes) << bytes.error().message;
      if (!bytes || bytes->empty()) break;
      std::string_view left = bytes->view();
      while (!left.empty()) {
        auto header = wire::check_batch(left);
        EXPECT_TRUE(header) << header.error().message;
        if (!header) return found;
        std::string storage;
        auto records = wire::read_records(left, storage);
        EXPECT_TRUE(records);
        for (const wire::Record& record : *records) {
          if (record.offset < offset) continue;
          EXPECT_EQ(record.offset, offset++);
          found.emplace_back(*record.value);
        }
        left.remove_prefix(header->bytes());
      }
    }
    return found;
  }
};

TEST(Broker, AppendsAndReadsBack) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"orders", 3, 2, {}, {}}));
  EXPECT_EQ(*fixture.broker->append("orders", 1, make_batch(3, "a")), 0);
  EXPECT_EQ(*fixture.broker->append("orders", 1, make_batch(2, "b")), 3);
  EXPECT_EQ(fixture.values("orders", 1), (std::vector<std::string>{"a", "a", "a", "b", "b"}));
  EXPECT_EQ(fixture.broker->offsets("orders", 1)->end, 5);
  EXPECT_EQ(fixture.broker->offsets("orders", 0)->end, 0);
  EXPECT_FALSE(fixture.broker->read("orders", 1, 6, 100));
  EXPECT_TRUE(fixture.broker->read("orders", 1, 5, 100)->empty());
  EXPECT_TRUE(fixture.broker->append("nothing", 0, make_batch(1)).error().is("no_such_topic"));
  std::string broken = make_batch(1);
  broken.back() ^= 1;
  EXPECT_EQ(fixture.broker->append("orders", 0, broken).error().code, Code::corrupt);
}

TEST(Broker, SurvivesRestartAndPowerCut) {
  for (bool power_cut : {false, true}) {
    Fixture fixture;
    ASSERT_TRUE(fixture.start());
    ASSERT_TRUE(fixture.broker->create_topic(
        {"orders", 1, 2, {{"segment.bytes", "2000"}, {"retention.ms", "-1"}}, {}}));
    std::vector<std::string> expected;
    for (int i = 0; i < 100; ++i) {
      expected.push_back("value " + std::to_string(i));
      ASSERT_TRUE(fixture.broker->append("orders", 0, make_batch(1, expected.back())));
      if (i % 30 == 29) fixture.broker->tick();
    }
    auto before = fixture.broker->find_topic("orders");
    if (power_cut) fixture.disk.crash();
    ASSERT_TRUE(fixture.start());
    auto after = fixture.broker->find_topic("orders");
    ASSERT_TRUE(after);
    EXPECT_EQ(after->id, before->id);
    EXPECT_GT(after->partitions[0]->leader_epoch(), before->partitions[0]->leader_epoch());
    EXPECT_EQ(fixture.values("orders"), expected);
    EXPECT_EQ(fixture.broker->view(*after, 0).in_sync.size(), 2u);
    EXPECT_EQ(*fixture.broker->append("orders", 0, make_batch(1, "next")), 100);
    auto [epoch, end] = after->partitions[0]->epoch_end(before->partitions[0]->leader_epoch());
    EXPECT_EQ(end, 100);
  }
}

TEST(Broker, ZerosAheadOfABusyLogHarmNothing) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic(
      {"busy", 1, 2, {{"segment.bytes", "3000000"}, {"retention.ms", "-1"}}, {}}));
  std::vector<std::string> expected;
  for (int life = 0; life < 6; ++life) {
    for (int i = 0; i < 60; ++i) {
      expected.push_back(std::to_string(life * 100 + i) + std::string(20'000, 'x'));
      ASSERT_TRUE(fixture.broker->append("busy", 0, make_batch(1, expected.back())));
      if (i == 40) fixture.broker->tick();
    }
    if (life % 2 == 0) fixture.disk.crash();
    ASSERT_TRUE(fixture.start());
    EXPECT_TRUE(fixture.values("busy") == expected) << life;
    EXPECT_EQ(fixture.broker->view(*fixture.broker->find_topic("busy"), 0).in_sync.size(), 2u)
        << life;
  }
}

TEST(Broker, StartsWithDamagedFiles) {
  struct Row {
    const char* file;
    const char* bytes;
    size_t values;  // that are still there
  };
  const Row rows[] = {{"checkpoint", "{", 9},
                      {"checkpoint", "{\"segments\": 7, \"log_start\": \"x\"}", 9},
                      {"00000000000000000000.log", "", 0},
                      {"00000000000000000000.log", "garbage", 0},
                      {"00000000000000000000.index", "garbage", 9}};
  for (const Row& row : rows) {
    Fixture fixture;
    ASSERT_TRUE(fixture.start(1));
    ASSERT_TRUE(fixture.broker->create_topic({"t", -1, -1, {}, {{1}}}));
    for (int i = 0; i < 9; ++i) ASSERT_TRUE(fixture.broker->append("t", 0, make_batch(1)));
    fixture.broker.reset();
    ASSERT_TRUE(fixture.disk.replace_file(std::string("/broker/0/t-0/") + row.file, row.bytes));
    ASSERT_TRUE(fixture.start(1)) << row.file;
    EXPECT_EQ(fixture.values("t").size(), row.values) << row.file << " " << row.bytes;
    EXPECT_EQ(*fixture.broker->append("t", 0, make_batch(1)), static_cast<int64_t>(row.values));
  }
}

TEST(Broker, FindsOffsetsByTime) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"times", 1, 1, {{"segment.bytes", "3000"}}, {}}));
  for (int i = 0; i < 100; ++i)
    ASSERT_TRUE(fixture.broker->append("times", 0, make_batch(3, "v", 1000 + i * 10)));
  auto partition = fixture.broker->find_topic("times")->partitions[0];
  struct Row {
    int64_t millis, offset, timestamp;
  };
  for (const Row& row : {Row{0, 0, 1000}, Row{1000, 0, 1000}, Row{1001, 1, 1001},
                         Row{1003, 3, 1010}, Row{1992, 299, 1992}, Row{1993, -1, -1}}) {
    auto found = partition->find_timestamp(row.millis);
    ASSERT_TRUE(found);
    EXPECT_EQ(found->offset, row.offset) << row.millis;
    EXPECT_EQ(found->timestamp, row.timestamp) << row.millis;
  }
  EXPECT_EQ(partition->find_largest_timestamp()->offset, 299);
}

TEST(Broker, IdempotentProducers) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"once", 1, 2, {}, {}}));
  auto send = [&](int16_t epoch, int32_t sequence, int count) {
    return fixture.broker->append("once", 0, make_batch(count, "v", 1000, {7, epoch, sequence}));
  };
  EXPECT_EQ(*send(0, 0, 2), 0);
  EXPECT_EQ(*send(0, 2, 1), 2);
  EXPECT_EQ(*send(0, 0, 2), 0);  // again: the first answer
  EXPECT_EQ(*send(0, 2, 1), 2);
  EXPECT_TRUE(send(0, 4, 1).error().is("out_of_order_sequence"));
  for (int pass = 0; pass < 2; ++pass) {
    ASSERT_TRUE(fixture.start());  // remembered over a restart
    EXPECT_EQ(*send(0, 2, 1), 2);
    EXPECT_TRUE(send(0, 9, 1).error().is("out_of_order_sequence"));
    fixture.disk.crash();
  }
  ASSERT_TRUE(fixture.start());
  EXPECT_EQ(*send(0, 3, 1), 3);
  EXPECT_TRUE(send(1, 5, 1).error().is("out_of_order_sequence"));
  EXPECT_EQ(*send(1, 0, 1), 4);
  EXPECT_TRUE(send(0, 4, 1).error().is("producer_fenced"));
  EXPECT_EQ(fixture.broker->offsets("once", 0)->end, 5);
  int64_t id = *fixture.broker->new_producer_id();
  fixture.disk.crash();
  ASSERT_TRUE(fixture.start());
  EXPECT_GT(*fixture.broker->new_producer_id(), id);
}

TEST(Producers, SequencesWrap) {
  Producers producers;
  wire::BatchHeader batch;
  batch.producer_id = 1;
  batch.producer_epoch = 0;
  batch.base_sequence = INT32_MAX - 1;
  batch.last_offset_delta = 1;
  producers.appended(batch, 0);
  batch.base_sequence = 0;
  EXPECT_TRUE(producers.check(batch));
  batch.base_sequence = 1;
  EXPECT_FALSE(producers.check(batch));
}

TEST(Broker, RetentionBySizeTimeAndRequest) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic(
      {"log", 1, 2, {{"segment.bytes", "1000"}, {"retention.bytes", "3000"}}, {}}));
  for (int i = 0; i < 100; ++i) {
    ASSERT_TRUE(fixture.broker->append("log", 0, make_batch(1, "v", fixture.clock.wall_millis())));
  }
  fixture.clock.advance(std::chrono::minutes(1));
  fixture.broker->tick();
  Offsets range = *fixture.broker->offsets("log", 0);
  EXPECT_GT(range.start, 50);
  EXPECT_EQ(range.end, 100);
  EXPECT_LE(fixture.broker->find_topic("log")->partitions[0]->bytes(), 4100u);
  auto partition = fixture.broker->find_topic("log")->partitions[0];
  ASSERT_TRUE(partition->delete_before(95));
  EXPECT_EQ(partition->log_start(), 95);
  fixture.disk.crash();
  ASSERT_TRUE(fixture.start());
  EXPECT_EQ(fixture.broker->offsets("log", 0)->start, 95);
  EXPECT_EQ(fixture.values("log").size(), 5u);
  EXPECT_TRUE(fixture.broker->read("log", 0, 94, 100).error().is("offset_out_of_range"));
  fixture.clock.advance(std::chrono::hours(24 * 8));
  ASSERT_TRUE(fixture.broker->append("log", 0, make_batch(1, "new", fixture.clock.wall_millis())));
  fixture.broker->tick();
  EXPECT_EQ(fixture.values("log"), (std::vector<std::string>{"new"}));
}

TEST(Broker, LosingADirectoryKeepsServingAndHeals) {
  for (int lost = 0; lost < 2; ++lost) {
    Fixture fixture;
    ASSERT_TRUE(fixture.start());
    ASSERT_TRUE(fixture.broker->create_topic({"orders", 2, 2, {{"segment.bytes", "1000"}}, {}}));
    for (int i = 0; i < 20; ++i)
      ASSERT_TRUE(fixture.broker->append("orders", i % 2, make_batch(1, std::to_string(i))));
    ASSERT_TRUE(fixture.disk.remove_all("/broker/" + std::to_string(lost)));
    fixture.clock.advance(std::chrono::seconds(2));
    fixture.broker->tick();  // notices, makes the directory anew and copies
    for (int i = 20; i < 40; ++i)
      ASSERT_TRUE(fixture.broker->append("orders", i % 2, make_batch(1, std::to_string(i))));
    auto topic = fixture.broker->find_topic("orders");
    EXPECT_EQ(fixture.broker->view(*topic, 0).in_sync.size(), 2u);
    topic.reset();
    ASSERT_TRUE(fixture.start());
    EXPECT_EQ(fixture.values("orders", 0).size(), 20u);
    fixture.broker.reset();
    ASSERT_TRUE(
        fixture.disk.remove_all("/broker/" + std::to_string(1 - lost)));  // now only the healed one
    ASSERT_TRUE(fixture.start());
    EXPECT_EQ(fixture.values("orders", 0).size(), 20u) << lost;
    EXPECT_EQ(fixture.values("orders", 1).size(), 20u) << lost;
  }
}

TEST(Broker, DiskFullFailsWritesAndRecovers) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"orders", 1, 2, {}, {}}));
  ASSERT_TRUE(fixture.broker->append("orders", 0, make_batch(1, "a")));
  fixture.disk.set_full(true);
  auto refused = fixture.broker->append("orders", 0, make_batch(1, "lost"));
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().is("disk_full"));
  EXPECT_EQ(fixture.values("orders"), (std::vector<std::string>{"a"}));
  fixture.broker->tick();
  fixture.disk.set_full(false);
  EXPECT_EQ(*fixture.broker->append("orders", 0, make_batch(1, "b")), 1);
  fixture.disk.crash();
  ASSERT_TRUE(fixture.start());
  EXPECT_EQ(fixture.values("orders"), (std::vector<std::string>{"a", "b"}));
}

TEST(Broker, TopicsAndSettings) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  Broker& broker = *fixture.broker;
  struct Row {
    NewTopic topic;
    const char* what;
  };
  const Row rows[] = {
      {{"a/b", 1, 1, {}, {}}, "topic_name"},
      {{"..", 1, 1, {}, {}}, "topic_name"},
      {{"t", 0, 1, {}, {}}, "partitions"},
      {{"t", 1, 3, {}, {}}, "replication_factor"},
      {{"t", 1, 1, {{"no.such", "1"}}, {}}, "config"},
      {{"t", 1, 1, {{"segment.bytes", "x"}}, {}}, "config"},
      {{"t", -1, -1, {}, {{1, 1}}}, "assignment"},
      {{"t", -1, -1, {}, {{3}}}, "assignment"},
  };
  for (const Row& row : rows) {
    auto made = broker.create_topic(row.topic);
    ASSERT_FALSE(made) << row.what;
    EXPECT_TRUE(made.error().is(row.what)) << made.error().what;
  }
  ASSERT_TRUE(broker.create_topic({"t", 2, 1, {}, {}}));
  EXPECT_TRUE(broker.create_topic({"t", 2, 1, {}, {}}).error().is("topic_exists"));
  EXPECT_FALSE(broker.add_partitions("t", 2));
  ASSERT_TRUE(broker.add_partitions("t", 4));
  ASSERT_TRUE(broker.change_config("t", {{"retention.ms", "5000"}}));
  EXPECT_FALSE(broker.change_config("t", {{"retention.ms", "-7"}}));
  EXPECT_EQ(*broker.append("t", 3, make_batch(1)), 0);
  auto old = broker.find_topic("t")->id;
  ASSERT_TRUE(fixture.start());
  EXPECT_EQ(fixture.broker->find_topic("t")->partitions.size(), 4u);
  EXPECT_EQ(fixture.broker->find_topic("t")->config.at("retention.ms"), "5000");
  ASSERT_TRUE(fixture.broker->delete_topic("t"));
  EXPECT_TRUE(fixture.broker->delete_topic("t").error().is("no_such_topic"));
  ASSERT_TRUE(fixture.broker->create_topic({"t", 4, 1, {}, {}}));
  EXPECT_NE(fixture.broker->find_topic("t")->id, old);
  EXPECT_EQ(fixture.broker->offsets("t", 3)->end, 0);
}

TEST(Broker, WaitersAreWokenOnce) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"t", 1, 1, {}, {}}));
  std::atomic<int> calls{0};
  auto waiter = std::make_shared<std::function<void()>>([&] { ++calls; });
  ASSERT_TRUE(fixture.broker->on_change("t", 0, waiter));
  ASSERT_TRUE(fixture.broker->append("t", 0, make_batch(1)));
  ASSERT_TRUE(fixture.broker->append("t", 0, make_batch(1)));
  fixture.broker.reset();
  EXPECT_EQ(calls, 1);
}

TEST(Broker, ManyProducersAtOnce) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  ASSERT_TRUE(fixture.broker->create_topic({"t", 3, 2, {{"segment.bytes", "20000"}}, {}}));
  std::vector<std::thread> threads;
  for (int n = 0; n < 8; ++n) {
    threads.emplace_back([&, n] {
      for (int i = 0; i < 50; ++i) {
        EXPECT_TRUE(fixture.broker->append(
            "t", i % 3, make_batch(1, std::to_string(n) + "-" + std::to_string(i))));
        if (i % 10 == 0) (void)fixture.broker->read("t", i % 3, 0, 5000);
      }
    });
  }
  for (int i = 0; i < 20; ++i) fixture.broker->tick();
  for (auto& thread : threads) thread.join();
  std::set<std::string> seen;
  for (int p = 0; p < 3; ++p) {
    for (const std::string& value : fixture.values("t", p)) EXPECT_TRUE(seen.insert(value).second);
  }
  EXPECT_EQ(seen.size(), 400u);
}

TEST(Broker, CommittedOffsetsSurvive) {
  Fixture fixture;
  ASSERT_TRUE(fixture.start());
  auto commit = [&](int64_t offset) {
    std::promise<Status> done;
    fixture.broker->groups().commit({"g", "", std::nullopt, -1},
                                    {{{"t", 0}, {offset, 3, "meta", 0}}},
                                    [&](Status status) { done.set_value(status); });
    return done.get_future().get();
  };
  ASSERT_TRUE(commit(5));
  ASSERT_TRUE(commit(9));
  fixture.disk.crash();
  ASSERT_TRUE(fixture.start());
  auto found = fixture.broker->groups().committed("g", {"t", 0});
  ASSERT_TRUE(found);
  EXPECT_EQ(found->offset, 9);
  EXPECT_EQ(found->leader_epoch, 3);
  EXPECT_EQ(found->metadata, "meta");
}

// Fails the n-th disk call for every n, goes on, cuts the power, and asks for every acknowledged
// record.
class FaultCampaign : public ::testing::TestWithParam<int> {};

TEST_P(FaultCampaign, NoAcknowledgedRecordIsLost) {
  auto copies = static_cast<int16_t>(GetParam() % 2 + 1);
  bool cut_in_the_middle = GetParam() >= 2;
  for (int64_t n = 0; n < 400; ++n) {
    Fixture fixture(static_cast<uint64_t>(n) * 4 + static_cast<uint64_t>(GetParam()));
    ASSERT_TRUE(fixture.start(copies));
    ASSERT_TRUE(fixture.broker->create_topic(
        {"t", 1, copies, {{"segment.bytes", "600"}, {"retention.ms", "-1"}}, {}}));
    std::vector<std::string> acknowledged;
    int64_t begin = fixture.disk.calls();
    fixture.disk.fail_call(n);
    for (int i = 0; i < 24; ++i) {
      std::string value = std::to_string(n) + "/" + std::to_string(i);
      if (fixture.broker->append(
              "t", 0,
              make_batch(1, value, 1000, {5, 0, static_cast<int32_t>(acknowledged.size())}))) {
        acknowledged.push_back(value);
      }
      fixture.clock.advance(std::chrono::milliseconds(500));
      if (i % 4 == 3) fixture.broker->tick();
      if (cut_in_the_middle && i == 12) break;
    }
    bool reached = fixture.disk.calls() - begin > n;
    ASSERT_GE(acknowledged.size(), cut_in_the_middle ? 12u : 23u)
        << "call " << n;  // one call failed, so one append at most
    fixture.disk.crash();
    ASSERT_TRUE(fixture.start(copies)) << "call " << n;
    EXPECT_EQ(fixture.values("t"), acknowledged) << "call " << n;
    if (testing::Test::HasFailure() || !reached) break;
  }
}
INSTANTIATE_TEST_SUITE_P(Copies, FaultCampaign, ::testing::Range(0, 4));

}  // namespace
}  // namespace aichemy::broker
