#include "serve/console/saved_queries.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace aichemy::serve::console {
namespace {

const Person kAnn{"ann", Role::operator_}, kBen{"ben", Role::viewer}, kRoot{"root", Role::admin};

struct SavedQueriesTest : ::testing::Test {
  std::string path = testing::TempDir() + "/saved_queries.db";
  FakeClock clock;
  SeededRandom random{3};
  std::unique_ptr<metadb::Database> database;

  void SetUp() override {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    database = *metadb::Database::open_sqlite({.path = path});
  }
  SavedQueries saved() { return {*database, clock, random}; }
};

SavedQuery query(const char* name, bool shared = false) {
  SavedQuery out;
  out.name = name;
  out.sql = "SELECT '<img src=x>'";
  out.shared = shared;
  return out;
}

std::string names(const std::vector<SavedQuery>& list) {
  std::string out;
  for (const auto& one : list) out += one.name + "@" + one.owner + " ";
  return out;
}

TEST_F(SavedQueriesTest, OwnOnesAreShownToNobodyElse) {  // Q1
  auto own = *saved().add(kAnn, query("own"));
  ASSERT_TRUE(saved().add(kAnn, query("for all", true)));
  ASSERT_TRUE(saved().add(kBen, query("mine")));
  EXPECT_EQ(names(*saved().list(kAnn)), "for all@ann own@ann ");
  EXPECT_EQ(names(*saved().list(kBen)), "for all@ann mine@ben ");
  for (const Person& other : {kBen, kRoot}) {
    EXPECT_STREQ(saved().change(other, own.id, own).error().what, "no_such_saved_query");
    EXPECT_STREQ(saved().remove(other, own.id).error().what, "no_such_saved_query");
  }
}

TEST_F(SavedQueriesTest, SharedOnesAreChangedByOwnerAndAdmin) {
  auto shared = *saved().add(kAnn, query("for all", true));
  auto changed = shared;
  changed.sql = "SELECT 2";
  EXPECT_STREQ(saved().change(kBen, shared.id, query("x")).error().what, "not_yours");
  EXPECT_STREQ(saved().remove(kBen, shared.id).error().what, "not_yours");
  auto second = saved().change(kRoot, shared.id, changed);
  ASSERT_TRUE(second) << second.error().message;
  EXPECT_EQ(second->owner, "ann");
  EXPECT_EQ(second->changed_by, "root");
  EXPECT_EQ((*saved().list(kAnn))[0].sql, "SELECT 2");
  ASSERT_TRUE(saved().remove(kRoot, shared.id));
  EXPECT_EQ(names(*saved().list(kAnn)), "");
}

TEST_F(SavedQueriesTest, OfTwoChangesAtOnceTheSecondIsRefused) {  // Q2
  auto mine = *saved().add(kAnn, query("own"));
  ASSERT_TRUE(saved().change(kAnn, mine.id, mine));
  EXPECT_STREQ(saved().change(kAnn, mine.id, mine).error().what, "changed_meanwhile");
}

TEST_F(SavedQueriesTest, WhatDoesNotFitIsRefused) {
  EXPECT_STREQ(saved().add(kBen, query("shared", true)).error().what, "role");
  for (const char* name : {"", " a", "a ", "a\nb", "a\x7f"})
    EXPECT_STREQ(saved().add(kAnn, query(name)).error().what, "name") << name;
  EXPECT_STREQ(saved().add(kAnn, query(std::string(201, 'x').c_str())).error().what, "name");
  SavedQuery large = query("large");
  large.sql.assign(SavedQueries::kSqlBytesMax + 1, 'x');
  EXPECT_STREQ(saved().add(kAnn, large).error().what, "sql");
  large.sql = std::string("SELECT \0 1", 10);
  EXPECT_STREQ(saved().add(kAnn, large).error().what, "sql");
  ASSERT_TRUE(saved().add(kAnn, query("once")));
  EXPECT_STREQ(saved().add(kAnn, query("once")).error().what, "name_taken");
  EXPECT_TRUE(saved().add(kBen, query("once")));
}

TEST_F(SavedQueriesTest, APersonKeepsSoMany) {
  for (size_t i = 0; i < SavedQueries::kQueriesMax; ++i)
    ASSERT_TRUE(saved().add(kAnn, query(std::to_string(i).c_str())));
  EXPECT_STREQ(saved().add(kAnn, query("one more")).error().what, "too_many_saved_queries");
  EXPECT_TRUE(saved().add(kBen, query("one more")));
}

TEST_F(SavedQueriesTest, TogetherTheyHaveSoManyBytes) {  // Q3
  SavedQuery large = query("0");
  large.sql.assign(SavedQueries::kSqlBytesMax, 'x');
  size_t fit = SavedQueries::kOwnerBytesMax / SavedQueries::kSqlBytesMax;
  for (size_t i = 0; i < fit; ++i) {
    large.name = std::to_string(i);
    ASSERT_TRUE(saved().add(kAnn, large));
  }
  large.name = "one more";
  EXPECT_STREQ(saved().add(kAnn, large).error().what, "too_many_saved_queries");
  auto small = *saved().add(kAnn, query("small"));
  large.version = small.version;
  EXPECT_STREQ(saved().change(kAnn, small.id, large).error().what, "too_many_saved_queries");
  small.sql = "SELECT 3";
  EXPECT_TRUE(saved().change(kAnn, small.id, small));
}

TEST_F(SavedQueriesTest, OfSharedOnesThereAreSoMany) {  // Q3
  std::vector<Person> people;
  size_t owners = SavedQueries::kSharedMax / SavedQueries::kQueriesMax;
  for (size_t owner = 0; owner < owners; ++owner) {
    Person person{"p" + std::to_string(owner), Role::operator_};
    for (size_t i = 0; i < SavedQueries::kQueriesMax; ++i)
      ASSERT_TRUE(saved().add(person, query(std::to_string(i).c_str(), true)));
  }
  EXPECT_STREQ(saved().add(kAnn, query("a", true)).error().what, "too_many_saved_queries");
  EXPECT_TRUE(saved().add(kAnn, query("a")));
}

}  // namespace
}  // namespace aichemy::serve::console
