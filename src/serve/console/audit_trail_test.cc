#include "serve/console/audit_trail.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace aichemy::serve::console {
namespace {

struct AuditTrailTest : ::testing::Test {
  std::string path = testing::TempDir() + "/audit_trail.db";
  FakeClock clock;
  std::unique_ptr<metadb::Database> database;

  void SetUp() override {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    open();
  }
  void open() { database = *metadb::Database::open_sqlite({.path = path}); }
  AuditTrail trail() { return {*database, clock}; }
  Status add(const char* user, const char* operation, std::string target = "/topics/t") {
    AuditLine line;
    line.user = user;
    line.operation = operation;
    line.target = std::move(target);
    return trail().append(line);
  }
  std::string operations(const AuditTrail::Question& question) {
    auto lines = trail().list(question);
    std::string out;
    for (const auto& line : lines.value()) out += line.operation + " ";
    return out;
  }
};

TEST_F(AuditTrailTest, IsThereAgainAndIsSearched) {  // A1
  ASSERT_TRUE(add("ann", "createTopic"));
  ASSERT_TRUE(add("ben", "purgeTopic", "/topics/100%_"));
  ASSERT_TRUE(add("ann", "deleteTopic"));
  database.reset();
  open();
  EXPECT_EQ(operations({}), "deleteTopic purgeTopic createTopic ");
  EXPECT_EQ(operations({.user = "ann"}), "deleteTopic createTopic ");
  EXPECT_EQ(operations({.search = "0%_"}), "purgeTopic ");
  EXPECT_EQ(operations({.search = "%"}), "purgeTopic ");
  EXPECT_EQ(operations({.before = 3}), "purgeTopic createTopic ");
  EXPECT_EQ(operations({.lines_max = 1}), "deleteTopic ");
}

TEST_F(AuditTrailTest, TheOldestAreForgotten) {  // A2
  ASSERT_TRUE(add("ann", "first"));
  ASSERT_TRUE(database->transaction([](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(
        transaction.run("UPDATE console_audit SET number = $1", {AuditTrail::kLinesMax}));
    RETURN_IF_ERROR(transaction.run(
        "INSERT INTO console_audit VALUES (1, 0, 'ann', 'oldest', '', '', '', '')"));
    return {};
  }));
  EXPECT_EQ(operations({}), "first oldest ");
  ASSERT_TRUE(add("ann", "next"));
  EXPECT_EQ(operations({}), "next first ");
}

TEST_F(AuditTrailTest, LongAndBrokenTextIsCut) {
  std::string text(AuditTrail::kTextBytesMax - 1, 'a');
  ASSERT_TRUE(add("ann", "long", text + "ü and more"));
  ASSERT_TRUE(add("ann", "broken", std::string("a\0\xff", 3)));
  auto lines = *trail().list({});
  EXPECT_EQ(lines[0].target, "a ?");
  EXPECT_EQ(lines[1].target, text + "…");
}

TEST_F(AuditTrailTest, RefusedRequestsAreCountedBeyondSoMany) {  // A4
  AuditTrail one(*database, clock);
  auto refused = [&](const char* user, const char* operation) {
    AuditLine line;
    line.user = user;
    line.operation = operation;
    line.outcome = "role";
    return one.append(line);
  };
  auto lines_of = [&](const char* operation) {
    size_t count = 0;
    for (const auto& line : *one.list({.lines_max = 1000})) count += line.operation == operation;
    return count;
  };
  for (int i = 0; i < AuditTrail::kRefusedMax + 5; ++i) ASSERT_TRUE(refused("ann", "deleteTopic"));
  ASSERT_TRUE(refused("ben", "deleteTopic"));
  AuditLine done;
  done.user = "ann";
  done.operation = "createTopic";
  for (int i = 0; i < AuditTrail::kRefusedMax + 5; ++i) ASSERT_TRUE(one.append(done));
  EXPECT_EQ(lines_of("createTopic"), AuditTrail::kRefusedMax + 5u);  // what was done, each
  EXPECT_EQ(lines_of("deleteTopic"), AuditTrail::kRefusedMax + 2u);
  auto merged = one.list({.search = "5 refused requests"});
  ASSERT_EQ(merged->size(), 1u);
  EXPECT_EQ((*merged)[0].user, "ann");
  // Read once, counted once; and again when the minute is over.
  for (int i = 0; i < 3; ++i) ASSERT_TRUE(refused("ann", "deleteTopic"));
  clock.advance(AuditTrail::kRefusedWindow);
  ASSERT_TRUE(refused("ann", "purgeTopic"));
  EXPECT_EQ(lines_of("purgeTopic"), 1u);
  EXPECT_EQ(one.list({.search = "3 refused requests"})->size(), 1u);
  EXPECT_EQ(one.list({.search = "refused requests"})->size(), 2u);
}

TEST_F(AuditTrailTest, WhatWasCountedIsThereAfterAnEnd) {  // A4
  {
    AuditTrail one(*database, clock);
    AuditLine line;
    line.user = "ann";
    line.operation = "deleteTopic";
    line.outcome = "role";
    for (int i = 0; i < AuditTrail::kRefusedMax + 2; ++i) ASSERT_TRUE(one.append(line));
  }
  EXPECT_EQ(trail().list({.search = "2 refused requests"})->size(), 1u);
}

TEST(AuditedBody, HoldsNoSecrets) {  // A3
  auto body = [](const char* json, const char* record) {
    return audited_body(*Json::parse(json), record);
  };
  EXPECT_EQ(body(R"({"role": "admin", "password": "p"})", "UserChange"),
            R"x({"role":"admin","password":"(not kept)"})x");
  EXPECT_EQ(body(R"({"id": "k", "secret": "s"})", "NewAccessKey"),
            R"x({"id":"k","secret":"(not kept)"})x");
  EXPECT_EQ(body(R"({"key": "k", "value": "v"})", "NewMessage"), "");
  EXPECT_EQ(body(R"({"role": "admin", "Password": "p"})", "UserChange"), R"({"role":"admin"})");
  EXPECT_EQ(body(R"({"name": "n", "sql": "SELECT 1"})", "NewSavedQuery"), "");
  EXPECT_EQ(audited_body(Json(), ""), "");
}

}  // namespace
}  // namespace aichemy::serve::console
