#include "broker/groups.h"

#include <gtest/gtest.h>

namespace aichemy::broker {
namespace {

using namespace std::chrono_literals;

struct Fixture {
  FakeClock clock;
  SeededRandom random{1};
  bool store_fails = false;
  Groups groups{GroupOptions{}, clock, random,
                [this](std::string, std::function<void(Status)> done) {
                  done(store_fails ? Status(fail(Code::exhausted, "disk_full", "full")) : Status{});
                }};

  struct Joined {
    bool answered = false;
    JoinResult result;
  };
  std::shared_ptr<Joined> join(const std::string& member, const std::string& client = "c",
                               std::vector<GroupProtocol> protocols = {{"range", "m"}},
                               std::optional<std::string> instance = std::nullopt,
                               bool id_required = false) {
    JoinRequest request;
    request.group = "g";
    request.member_id = member;
    request.instance_id = std::move(instance);
    request.client_id = client;
    request.protocol_type = "consumer";
    request.protocols = std::move(protocols);
    request.session_timeout = 10s;
    request.rebalance_timeout = 30s;
    request.member_id_required = id_required;
    auto joined = std::make_shared<Joined>();
    groups.join(std::move(request),
                [joined](JoinResult result) { *joined = {true, std::move(result)}; });
    return joined;
  }
  std::shared_ptr<SyncResult> sync(const JoinResult& joined,
                                   std::map<std::string, std::string> assignments = {}) {
    auto result = std::make_shared<SyncResult>();
    result->assignment = "(waiting)";
    groups.sync({{"g", joined.member_id, std::nullopt, joined.generation},
                 std::nullopt,
                 std::nullopt,
                 std::move(assignments)},
                [result](SyncResult answer) { *result = std::move(answer); });
    return result;
  }
  MemberRef ref(const JoinResult& joined) {
    return {"g", joined.member_id, std::nullopt, joined.generation};
  }
};

TEST(Groups, OneMemberThenTwo) {
  Fixture fixture;
  auto given = fixture.join("", "c", {{"range", "m"}}, std::nullopt, true);
  ASSERT_TRUE(given->answered && given->result.error);
  EXPECT_TRUE(given->result.error->is("member_id_required"));
  auto first = fixture.join(given->result.member_id);
  ASSERT_TRUE(first->answered && !first->result.error);
  EXPECT_EQ(first->result.generation, 1);
  EXPECT_EQ(first->result.leader, first->result.member_id);
  ASSERT_EQ(first->result.members.size(), 1u);
  auto synced = fixture.sync(first->result, {{first->result.member_id, "all"}});
  EXPECT_EQ(synced->assignment, "all");
  EXPECT_EQ(fixture.groups.describe("g").state, "Stable");
  EXPECT_TRUE(fixture.groups.heartbeat(fixture.ref(first->result)));

  auto second = fixture.join("");
  EXPECT_FALSE(second->answered);
  EXPECT_TRUE(
      fixture.groups.heartbeat(fixture.ref(first->result)).error().is("rebalance_in_progress"));
  auto again = fixture.join(first->result.member_id);
  ASSERT_TRUE(again->answered && second->answered);
  EXPECT_EQ(again->result.generation, 2);
  EXPECT_EQ(again->result.members.size(), 2u);
  EXPECT_TRUE(second->result.members.empty());
  auto waits = fixture.sync(second->result);
  EXPECT_EQ(waits->assignment, "(waiting)");
  fixture.sync(again->result, {{again->result.member_id, "a"}, {second->result.member_id, "b"}});
  EXPECT_EQ(waits->assignment, "b");
  EXPECT_TRUE(
      fixture.groups.heartbeat(fixture.ref(first->result)).error().is("illegal_generation"));
}

TEST(Groups, MembersThatStaySilentAreDropped) {
  Fixture fixture;
  auto first = fixture.join("");
  fixture.sync(first->result, {{first->result.member_id, "all"}});
  auto second = fixture.join("");
  fixture.clock.advance(9s);
  fixture.groups.tick();
  EXPECT_FALSE(second->answered);
  fixture.clock.advance(
      2s);  // the first one's session is over; the second waits for its answer and lives
  fixture.groups.tick();
  ASSERT_TRUE(second->answered && !second->result.error);
  EXPECT_EQ(second->result.members.size(), 1u);
  EXPECT_TRUE(fixture.groups.heartbeat(fixture.ref(first->result)).error().is("unknown_member"));
  fixture.sync(second->result, {{second->result.member_id, "all"}});
  EXPECT_TRUE(fixture.groups.leave(fixture.ref(second->result)));
  EXPECT_EQ(fixture.groups.describe("g").state, "Empty");
}

TEST(Groups, ProtocolsMustAgree) {
  Fixture fixture;
  auto first = fixture.join("", "a", {{"range", "1"}, {"sticky", "1"}});
  auto other = fixture.join("", "b", {{"roundrobin", "1"}});
  ASSERT_TRUE(other->answered && other->result.error);
  EXPECT_TRUE(other->result.error->is("inconsistent_protocol"));
  auto second = fixture.join("", "c", {{"sticky", "2"}});
  auto again = fixture.join(first->result.member_id, "a", {{"range", "1"}, {"sticky", "1"}});
  ASSERT_TRUE(again->answered && second->answered);
  EXPECT_EQ(again->result.protocol, "sticky");
}

TEST(Groups, StaticMemberComesBackUnnoticed) {
  Fixture fixture;
  auto one = fixture.join("", "a", {{"range", "m"}}, "one");
  fixture.sync(one->result, {{one->result.member_id, "mine"}});
  auto back = fixture.join("", "a", {{"range", "m"}}, "one");
  ASSERT_TRUE(back->answered && !back->result.error);
  EXPECT_EQ(back->result.generation, one->result.generation);
  EXPECT_NE(back->result.member_id, one->result.member_id);
  EXPECT_EQ(fixture.sync(back->result)->assignment, "mine");
  MemberRef old{"g", one->result.member_id, "one", one->result.generation};
  EXPECT_TRUE(fixture.groups.heartbeat(old).error().is("fenced_instance"));
  EXPECT_TRUE(fixture.groups.leave({"g", "", "one", -1}));
  EXPECT_EQ(fixture.groups.describe("g").state, "Empty");
}

TEST(Groups, CommitsAreGuarded) {
  Fixture fixture;
  auto commit = [&](const MemberRef& member) {
    Status result;
    fixture.groups.commit(member, {{{"t", 0}, {7, -1, "", 0}}},
                          [&](Status status) { result = status; });
    return result;
  };
  EXPECT_TRUE(commit({"g", "", std::nullopt, -1}));
  EXPECT_TRUE(commit({"g", "ghost", std::nullopt, 3}).error().is("unknown_member"));
  auto first = fixture.join("");
  EXPECT_TRUE(commit(fixture.ref(first->result)).error().is("rebalance_in_progress"));
  fixture.sync(first->result, {{first->result.member_id, "all"}});
  EXPECT_TRUE(commit(fixture.ref(first->result)));
  EXPECT_TRUE(commit({"g", "", std::nullopt, -1}).error().is("unknown_member"));
  EXPECT_TRUE(
      commit({"g", first->result.member_id, std::nullopt, 9}).error().is("illegal_generation"));
  fixture.store_fails = true;
  EXPECT_TRUE(commit(fixture.ref(first->result)).error().is("disk_full"));
  auto remove = [&] { return fixture.groups.remove("g", [](Status) {}); };
  EXPECT_TRUE(remove().error().is("group_not_empty"));
  EXPECT_TRUE(fixture.groups.remove("nope", [](Status) {}).error().is("group_not_found"));
  EXPECT_TRUE(fixture.groups.leave(fixture.ref(first->result)));
  fixture.store_fails = false;
  EXPECT_TRUE(remove());
  EXPECT_TRUE(fixture.groups.list().empty());
}

TEST(Groups, SnapshotReplays) {
  Fixture fixture;
  fixture.groups.commit({"g", "", std::nullopt, -1},
                        {{{"t", 0}, {7, 2, "x", 0}}, {{"u", 1}, {8, -1, "", 0}}}, [](Status) {});
  Fixture other;
  for (const std::string& batch : fixture.groups.snapshot()) other.groups.replay(batch);
  EXPECT_EQ(other.groups.committed("g", {"t", 0})->offset, 7);
  EXPECT_EQ(other.groups.committed("g", {"u", 1})->offset, 8);
  EXPECT_EQ(other.groups.committed("g", {"u", 2}), std::nullopt);
}

}  // namespace
}  // namespace aichemy::broker
