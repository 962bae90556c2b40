#include "sql/access_rules.h"

#include <gtest/gtest.h>

namespace aichemy::sql {
namespace {

Identity user(const char* name) { return {name, {}}; }

TEST(AccessRules, FirstMatchWins) {
  auto rules = read_access_rules(R"({"tables": [
    {"user": "ann", "table": "t", "privileges": ["SELECT"]},
    {"user": "ann|bob", "privileges": ["SELECT", "INSERT"]},
    {"role": "boss", "privileges": ["OWNERSHIP"]}]})");
  ASSERT_TRUE(rules) << rules.error().message;
  AccessObject t{"c", "s", "t"}, u{"c", "s", "u"};
  EXPECT_FALSE(*(*rules)->allows(user("ann"), Right::insert, true, t));
  EXPECT_TRUE(*(*rules)->allows(user("ann"), Right::insert, true, u));
  EXPECT_FALSE(*(*rules)->allows(user("annabel"), Right::select, false, t));
  EXPECT_FALSE(*(*rules)->allows(user("bob"), Right::own, true, t));
  EXPECT_TRUE(*(*rules)->allows({"carl", {"boss"}}, Right::own, true, t));
  EXPECT_TRUE(*(*rules)->allows_columns(user("ann"), t, {"a"}, false));
  EXPECT_FALSE(*(*rules)->allows_columns(user("ann"), t, {"a"}, true));
}

TEST(AccessRules, WhatIsNotKnownIsRefused) {
  for (const char* text : {"[]", R"({"table": []})", R"({"tables": [{"privilege": []}]})",
                           R"({"tables": [{"user": "("}]})", R"({"catalogs": [{"allow": "some"}]})",
                           R"({"queries": [{"allow": true, "table": "t"}]})"}) {
    auto rules = read_access_rules(text);
    ASSERT_FALSE(rules) << text;
    EXPECT_TRUE(rules.error().is("access_rules"));
  }
}

TEST(AccessRules, GroupsAreOfAFile) {
  auto groups = read_user_groups("# who\n\n analysts : ann, ben ,\r\nadmins:ann\nempty:");
  ASSERT_TRUE(groups) << groups.error().message;
  EXPECT_EQ(*groups, (UserGroups{{"ann", {"admins", "analysts"}}, {"ben", {"analysts"}}}));
  auto rules = read_access_rules(R"({"tables": [
    {"group": "adm.*", "table": "t", "privileges": ["SELECT", "DELETE"]},
    {"group": "analysts", "table": "t", "privileges": ["SELECT"]},
    {"group": ".*", "table": "open", "privileges": ["SELECT"]}]})",
                                 std::move(*groups));
  ASSERT_TRUE(rules);
  AccessObject table{"c", "s", "t"}, open{"c", "s", "open"};
  EXPECT_TRUE(*(*rules)->allows(user("ann"), Right::remove, true, table));
  EXPECT_TRUE(*(*rules)->allows(user("ben"), Right::select, false, table));
  EXPECT_FALSE(*(*rules)->allows(user("ben"), Right::remove, true, table));
  EXPECT_FALSE(*(*rules)->allows(user("cid"), Right::select, false, table));
  EXPECT_TRUE(*(*rules)->allows(user("cid"), Right::select, false, open));
}

TEST(AccessRules, BrokenGroupsAreNamed) {
  for (const char* text : {"analysts", ":ann", "a:x\na:y"}) {
    auto groups = read_user_groups(text);
    ASSERT_FALSE(groups) << text;
    EXPECT_TRUE(groups.error().is("groups"));
  }
}

TEST(AccessRules, EveryActionHasARow) {
  for (int action = 0; action <= static_cast<int>(Action::impersonate); ++action)
    EXPECT_EQ(static_cast<int>(action_row(static_cast<Action>(action)).action), action);
}

}  // namespace
}  // namespace aichemy::sql
