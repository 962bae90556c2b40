#include "sql/engine/column_cache_policy.h"

#include <gtest/gtest.h>

namespace aichemy::sql {
namespace {

using Columns = std::vector<size_t>;
using Names = std::vector<std::string>;

class ColumnCachePolicyTest : public testing::Test {
 protected:
  Columns read(const std::string& table, const std::string& state, Columns columns,
               uint64_t file_bytes = 100) {
    return policy_.read({.table = table,
                         .state = state,
                         .columns = std::move(columns),
                         .columns_total = 10,
                         .file_bytes = file_bytes,
                         .whole = true},
                        now_);
  }
  void load(const std::string& table, const std::string& state, Columns columns, uint64_t bytes) {
    EXPECT_TRUE(policy_.loaded(table, state, std::move(columns), bytes, now_));
  }

  ColumnCachePolicy policy_{1000};
  SteadyTime now_{std::chrono::hours(1)};
};

TEST_F(ColumnCachePolicyTest, LoadsWhatIsReadTwice) {
  EXPECT_EQ(read("t", "s1", {1, 3}), Columns());
  EXPECT_EQ(read("t", "s1", {3}), Columns({3}));
  EXPECT_EQ(read("t", "s1", {3}), Columns()) << "it is being loaded";
  load("t", "s1", {3}, 10);
  EXPECT_EQ(read("t", "s1", {3}), Columns()) << "it is there";
  EXPECT_EQ(policy_.bytes(), 10);
}

TEST_F(ColumnCachePolicyTest, MoreColumnsBringAllOfTheTable) {
  read("t", "s1", {3});
  read("t", "s1", {3});
  load("t", "s1", {3}, 10);
  EXPECT_EQ(read("t", "s1", {1, 3}), Columns());
  EXPECT_EQ(read("t", "s1", {1, 3}), Columns({0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
}

TEST_F(ColumnCachePolicyTest, OfALargeTableOnlyThoseThatAreRead) {
  read("t", "s1", {3}, 600);
  read("t", "s1", {3}, 600);
  load("t", "s1", {3}, 10);
  EXPECT_EQ(read("t", "s1", {1, 3}, 600), Columns());
  EXPECT_EQ(read("t", "s1", {1, 3}, 600), Columns({1, 3}));
  load("t", "s1", {1, 3}, 15);
  EXPECT_EQ(policy_.bytes(), 15) << "in place of the earlier ones";
}

TEST_F(ColumnCachePolicyTest, ScansThatLeaveOutFilesLoadNothing) {
  ColumnRead part{.table = "t", .state = "s1", .columns = {0}, .columns_total = 1, .whole = false};
  for (int i = 0; i < 10; ++i) EXPECT_EQ(policy_.read(part, now_), Columns());
  part.whole = true;
  EXPECT_EQ(policy_.read(part, now_), Columns()) << "the first of all";
}

TEST_F(ColumnCachePolicyTest, WhatCannotFitIsNotLoaded) {
  read("t", "s1", {0}, 20'000);
  EXPECT_EQ(read("t", "s1", {0}, 20'000), Columns());
  read("u", "s1", {0}, 5'000);
  EXPECT_EQ(read("u", "s1", {0}, 5'000), Columns({0})) << "a tenth of the columns";
}

TEST_F(ColumnCachePolicyTest, AnEarlierStateIsLetGo) {
  read("t", "s1", {0});
  read("t", "s1", {0});
  load("t", "s1", {0}, 10);
  EXPECT_EQ(policy_.to_drop(now_), Names());
  read("t", "s2", {0});
  EXPECT_EQ(policy_.to_drop(now_), Names({"t"}));
  EXPECT_EQ(policy_.bytes(), 0);
}

TEST_F(ColumnCachePolicyTest, ATableThatChangesTooSoonNeedsMoreReads) {
  read("t", "s1", {0});
  read("t", "s1", {0});
  load("t", "s1", {0}, 10);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read("t", "s2", {0}), Columns());
  EXPECT_EQ(read("t", "s2", {0}), Columns({0})) << "the fourth";
  load("t", "s2", {0}, 10);
  for (uint32_t i = 0; i < ColumnCachePolicy::kServedToPay; ++i) policy_.served("t", now_);
  EXPECT_EQ(read("t", "s3", {0}), Columns());
  EXPECT_EQ(read("t", "s3", {0}), Columns({0})) << "it has paid";
}

TEST_F(ColumnCachePolicyTest, WhatComesTooLateIsNotKept) {
  read("t", "s1", {0});
  read("t", "s1", {0});
  EXPECT_TRUE(policy_.wanted("t", "s1"));
  EXPECT_EQ(read("t", "s2", {0}), Columns());
  EXPECT_FALSE(policy_.wanted("t", "s1"));
  EXPECT_FALSE(policy_.loaded("t", "s1", {0}, 10, now_));
  EXPECT_EQ(policy_.bytes(), 0);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read("t", "s2", {0}), Columns());
  EXPECT_EQ(read("t", "s2", {0}), Columns({0}));
}

TEST_F(ColumnCachePolicyTest, FailuresPutOffTheNext) {
  read("t", "s1", {0});
  EXPECT_EQ(read("t", "s1", {0}), Columns({0}));
  policy_.failed("t");
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read("t", "s1", {0}), Columns());
  EXPECT_EQ(read("t", "s1", {0}), Columns({0}));
}

TEST_F(ColumnCachePolicyTest, TheLeastRecentlyReadMakesRoom) {
  for (const char* table : {"a", "b", "c"}) {
    read(table, "s", {0});
    read(table, "s", {0});
    load(table, "s", {0}, 400);
    now_ += std::chrono::seconds(1);
    if (table == std::string("b")) policy_.served("a", now_);
  }
  EXPECT_EQ(policy_.to_drop(now_), Names({"b"}));
  EXPECT_EQ(policy_.bytes(), 800);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(read("b", "s", {0}), Columns()) << "it has not paid";
  EXPECT_EQ(read("b", "s", {0}), Columns({0}));
}

TEST_F(ColumnCachePolicyTest, NothingIsKeptThatNobodyReads) {
  read("t", "s", {0});
  read("t", "s", {0});
  load("t", "s", {0}, 400);
  now_ += ColumnCachePolicy::kIdle - std::chrono::seconds(1);
  EXPECT_EQ(policy_.to_drop(now_), Names());
  now_ += std::chrono::seconds(1);
  EXPECT_EQ(policy_.to_drop(now_), Names({"t"}));
}

TEST_F(ColumnCachePolicyTest, WatchesABoundedNumberOfTables) {
  read("kept", "s", {0});
  read("kept", "s", {0});
  load("kept", "s", {0}, 400);
  for (size_t i = 0; i < 3 * ColumnCachePolicy::kTablesMax; ++i) {
    now_ += std::chrono::microseconds(1);
    read("t" + std::to_string(i), "s", {0});
  }
  EXPECT_EQ(read("kept", "s", {0}), Columns()) << "still there";
  EXPECT_EQ(read("t0", "s", {0}), Columns()) << "forgotten: its first read";
}

}  // namespace
}  // namespace aichemy::sql
