#include "serve/trino/resource_groups.h"

#include <gtest/gtest.h>

#include <algorithm>

namespace aichemy::serve::trino {
namespace {

constexpr const char* kFile = R"({
  "rootGroups": [{
    "name": "global", "softMemoryLimit": "80%", "hardConcurrencyLimit": 3, "maxQueued": 4,
    "schedulingPolicy": "weighted_fair",
    "subGroups": [
      {"name": "etl", "softMemoryLimit": "1GB", "hardConcurrencyLimit": 2, "maxQueued": 2, "schedulingWeight": 1},
      {"name": "adhoc-${team}", "hardConcurrencyLimit": 3, "maxQueued": 4, "schedulingWeight": 3, "subGroups": [
        {"name": "${USER}", "hardConcurrencyLimit": 1, "maxQueued": 3}]}]}],
  "selectors": [
    {"source": "etl.*", "queryType": "INSERT", "group": "global.etl"},
    {"user": "(?<team>[a-z]+)-.*", "clientTags": ["interactive"], "group": "global.adhoc-${team}.${USER}"}]})";

struct Started {
  std::vector<int> order;
  std::function<void()> of(int number) {
    return [this, number] { order.push_back(number); };
  }
};

TEST(ResourceGroups, SelectorsNamesAndLimits) {
  auto groups = ResourceGroups::parse(kFile);
  ASSERT_TRUE(groups) << groups.error().message;
  Started started;
  GroupRequest ann{"sales-ann", "cli", "SELECT", {"interactive"}, 1};
  GroupRequest load{"load", "etl-nightly", "INSERT", {}, 1};
  auto first = (*groups)->submit(ann, started.of(1));
  ASSERT_TRUE(first);
  EXPECT_EQ(first->path, (std::vector<std::string>{"global", "adhoc-sales", "sales-ann"}));
  auto second = (*groups)->submit(ann, started.of(2));  // one at a time for each user
  ASSERT_TRUE(second);
  ASSERT_TRUE((*groups)->submit(load, started.of(3)));
  EXPECT_EQ(started.order, (std::vector<int>{1, 3}));
  EXPECT_EQ((*groups)->submit({"nobody", "", "SELECT", {}, 1}, [] {}).error().what,
            std::string("QUERY_REJECTED"));
  (*groups)->leave(first->ticket);
  EXPECT_EQ(started.order, (std::vector<int>{1, 3, 2}));
  (*groups)->leave(second->ticket);
  (*groups)->leave(second->ticket);  // twice is as once
  for (const auto& row : (*groups)->list()) {
    if (row.id == "global") {
      EXPECT_EQ(row.running, 1);
    }
  }
}

TEST(ResourceGroups, QueuesEnd) {
  ResourceGroups groups(1, 2);
  Started started;
  auto running = groups.submit({"a", "", "SELECT", {}, 1}, started.of(1));
  auto waiting = groups.submit({"a", "", "SELECT", {}, 1}, started.of(2));
  auto last = groups.submit({"a", "", "SELECT", {}, 1}, started.of(3));
  auto refused = groups.submit({"a", "", "SELECT", {}, 1}, started.of(4));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().what, std::string("QUERY_QUEUE_FULL"));
  EXPECT_EQ(refused.error().message, "Too many queued queries for \"global\"");
  groups.leave(waiting->ticket);  // gave up while it waited
  groups.leave(running->ticket);
  EXPECT_EQ(started.order, (std::vector<int>{1, 3}));
  groups.leave(last->ticket);
  EXPECT_EQ(groups.list()[0].running + groups.list()[0].queued, 0);
}

TEST(ResourceGroups, WeightsAndPriorities) {
  auto groups = ResourceGroups::parse(R"({"rootGroups": [
    {"name": "g", "hardConcurrencyLimit": 4, "maxQueued": 100, "schedulingPolicy": "weighted_fair", "subGroups": [
      {"name": "a", "hardConcurrencyLimit": 9, "maxQueued": 99, "schedulingWeight": 1},
      {"name": "b", "hardConcurrencyLimit": 9, "maxQueued": 99, "schedulingWeight": 3}]},
    {"name": "p", "hardConcurrencyLimit": 1, "maxQueued": 100, "schedulingPolicy": "query_priority"}],
    "selectors": [{"user": "a", "group": "g.a"}, {"user": "b", "group": "g.b"}, {"group": "p"}]})");
  ASSERT_TRUE(groups) << groups.error().message;
  Started started;
  std::vector<uint64_t> first;
  for (int i = 0; i < 4; ++i)
    first.push_back((*groups)->submit({"a", "", "", {}, 1}, started.of(0))->ticket);
  for (int i = 0; i < 4; ++i) {
    ASSERT_TRUE((*groups)->submit({"a", "", "", {}, 1}, started.of(1)));
    ASSERT_TRUE((*groups)->submit({"b", "", "", {}, 1}, started.of(2)));
  }
  started.order.clear();
  for (uint64_t ticket : first) (*groups)->leave(ticket);
  EXPECT_EQ(std::ranges::count(started.order, 2), 3) << "three parts in four";

  auto held = (*groups)->submit({"x", "", "", {}, 1}, started.of(0));
  for (int priority : {1, 9, 5})
    ASSERT_TRUE((*groups)->submit({"x", "", "", {}, priority}, started.of(priority)));
  started.order.clear();
  (*groups)->leave(held->ticket);
  EXPECT_EQ(started.order, (std::vector<int>{9}));
}

TEST(ResourceGroups, MemoryHoldsBack) {
  auto groups = ResourceGroups::parse(
      R"({"rootGroups": [{"name": "g", "hardConcurrencyLimit": 9, "maxQueued": 9, "softMemoryLimit": "50%"}],
          "selectors": [{"group": "g"}]})");
  ASSERT_TRUE(groups);
  uint64_t used = 60;
  (*groups)->set_memory([&] { return GroupMemory{used, 100}; });
  Started started;
  ASSERT_TRUE((*groups)->submit({"a", "", "", {}, 1}, started.of(1)));
  EXPECT_TRUE(started.order.empty());
  used = 40;
  (*groups)->poll();
  EXPECT_EQ(started.order, (std::vector<int>{1}));
}

TEST(ResourceGroups, BrokenFilesAreRefused) {
  for (
      const char* text :
      {"[]", "{}", R"({"rootGroups": [{"name": "g"}], "selectors": [{"group": "g"}]})",
       R"({"rootGroups": [{"name": "g", "hardConcurrencyLimit": 1, "maxQueued": 1}], "selectors": []})",
       R"({"rootGroups": [{"name": "g", "hardConcurrencyLimit": 1, "maxQueued": 1}], "selectors": [{"group": "h"}]})",
       R"({"rootGroups": [{"name": "g", "hardConcurrencyLimit": 1, "maxQueued": 1, "softCpuLimit": "1h"}], "selectors": [{"group": "g"}]})",
       R"({"rootGroups": [{"name": "g", "hardConcurrencyLimit": 1, "maxQueued": 1}], "selectors": [{"user": "(", "group": "g"}]})"}) {
    auto groups = ResourceGroups::parse(text);
    ASSERT_FALSE(groups) << text;
    EXPECT_TRUE(groups.error().is("config"));
  }
}

TEST(ResourceGroups, TypesOfStatements) {
  EXPECT_EQ(query_type_of("-- x\n /* y */ (select 1)"), "SELECT");
  EXPECT_EQ(query_type_of("insert into t values 1"), "INSERT");
  EXPECT_EQ(query_type_of("Show tables"), "DESCRIBE");
  EXPECT_EQ(query_type_of("CREATE TABLE t (a bigint)"), "DATA_DEFINITION");
  EXPECT_EQ(query_type_of("/* open"), "");
}

}  // namespace
}  // namespace aichemy::serve::trino
