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

TEST(AccessRules, EveryActionHasARow) {
  for (int action = 0; action <= static_cast<int>(Action::impersonate); ++action)
    EXPECT_EQ(static_cast<int>(action_row(static_cast<Action>(action)).action), action);
}

}  // namespace
}  // namespace aichemy::sql
