#include "sql/engine/column_cache.h"

#include <gtest/gtest.h>

#include <atomic>
#include <thread>

#include "base/clock.h"
#include "objectstore/memory_store.h"
#include "sql/engine/duckdb_engine.h"

namespace aichemy::sql {
namespace {

constexpr std::chrono::seconds kPatience{60};

class ColumnCacheTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store_.create_bucket({}, "b"));
    start(64 << 20);
  }

  void start(uint64_t bytes_max) {
    engine_ = DuckDbEngine::start({.store = store_,
                                   .scans = scans_,
                                   .metrics = metrics_,
                                   .random = random_,
                                   .spill_directory = testing::TempDir() + "/spill",
                                   .column_cache_bytes_max = bytes_max,
                                   .clock = &clock_})
                  .value();
  }

  // A state of table "t" with the numbers below `count`.
  EngineScan state(const std::string& name, int count) {
    InsertTarget target;
    target.location = "s3://b/t/data";
    target.columns = {{.name = "id", .type = Type(TypeKind::bigint), .field_id = {1, {}}},
                      {.name = "s", .type = Type::varchar(), .field_id = {2, {}}}};
    WrittenFile written = engine_
                              ->write({},
                                      "SELECT range AS id, 's' || range AS s FROM range(" +
                                          std::to_string(count) + ")",
                                      target, {})
                              .value()
                              .at(0);
    auto scan = std::make_shared<LakeScan>();
    scan->plan.schema.fields = {
        {.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)},
        {.id = 2, .name = "s", .type = tables::primitive(tables::TypeKind::string)}};
    tables::DataFile file;
    file.path = written.path;
    file.size = written.bytes;
    file.record_count = written.rows;
    scan->plan.files = {file};
    scan->plan.record_count = written.rows;
    scan->plan.byte_count = written.bytes;
    scan->columns = {{Type(TypeKind::bigint), {1, {}}},
                     {Type::varchar(), {2, {}}},
                     {Type::varchar(), {}, LakeColumnSource::path}};
    return with_state(std::move(scan), name);
  }

  EngineScan with_state(std::shared_ptr<LakeScan> scan, const std::string& name) {
    auto all = std::make_shared<LakeScan>(*scan);
    all->state.reset();
    scan->state = {.table = "t", .name = name, .whole = true, .all = [all] { return all; }};
    return scans_.add(scan);
  }

  std::string rows(const std::string& sql) {
    std::vector<OutputColumn> output(1, {"c", Type(TypeKind::bigint)});
    auto stream = engine_->execute({}, sql, output, {});
    if (!stream) return stream.error().message;
    auto page = (*stream)->next_page(1 << 20);
    return page ? page->rows_json : page.error().message;
  }
  static std::string sum(const EngineScan& scan, const std::string& columns = "0") {
    return "SELECT sum(c0)::BIGINT FROM lake_scan('" + scan.handle + ":" + columns + "')";
  }

  uint64_t counted(const char* what) {
    return metrics_.counter("aichemy_sql_column_cache_" + std::string(what) + "_total", "").value();
  }
  // Asks until the answer came from memory; false: it never did.
  bool served(const std::string& sql, const std::string& expected) {
    auto until = clock_.steady_now() + kPatience;
    while (clock_.steady_now() < until) {
      uint64_t before = counted("served");
      EXPECT_EQ(rows(sql), expected);
      if (counted("served") > before) return true;
      std::this_thread::yield();
    }
    return false;
  }

  SystemClock clock_;
  objectstore::MemoryStore store_{clock_};
  LakeScans scans_;
  Metrics metrics_;
  SystemRandom random_;
  std::unique_ptr<DuckDbEngine> engine_;
};

TEST_F(ColumnCacheTest, AnswersFromMemoryWhatIsReadOften) {
  EngineScan scan = state("t/1", 1000);
  EXPECT_EQ(rows(sum(scan)), "[[499500]]");
  EXPECT_EQ(counted("served"), 0);
  EXPECT_TRUE(served(sum(scan), "[[499500]]"));
  EXPECT_EQ(counted("loads"), 1);
}

TEST_F(ColumnCacheTest, OfFurtherColumnsAllAreLoaded) {
  EngineScan scan = state("t/1", 1000);
  ASSERT_TRUE(served(sum(scan), "[[499500]]"));
  std::string both = "SELECT count(c1) FROM lake_scan('" + scan.handle + ":0,1') WHERE c0 >= 10";
  EXPECT_TRUE(served(both, "[[990]]"));
  std::string turned = "SELECT count(c1) FROM lake_scan('" + scan.handle + ":1,0') WHERE c0 >= 10";
  EXPECT_TRUE(served(turned, "[[990]]"));
  EXPECT_EQ(counted("loads"), 2);
}

TEST_F(ColumnCacheTest, AnotherStateIsReadFromItsFiles) {
  EngineScan first = state("t/1", 1000), second = state("t/2", 10);
  ASSERT_TRUE(served(sum(first), "[[499500]]"));
  uint64_t before = counted("served");
  EXPECT_EQ(rows(sum(second)), "[[45]]");
  EXPECT_EQ(counted("served"), before);
  EXPECT_TRUE(served(sum(second), "[[45]]"));
  EXPECT_EQ(rows(sum(first)), "[[499500]]");
}

TEST_F(ColumnCacheTest, ScansWithoutAStateAndConstantColumnsReadFiles) {
  EngineScan scan = state("t/1", 1000);
  auto changed = std::make_shared<LakeScan>(*scans_.find(scan.handle));
  changed->state.reset();
  EngineScan without = scans_.add(changed);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(rows(sum(without)), "[[499500]]");
    EXPECT_EQ(rows("SELECT count(c2) FROM lake_scan('" + scan.handle + ":2')"), "[[1000]]");
  }
  EXPECT_EQ(counted("loads"), 0);
}

TEST_F(ColumnCacheTest, AFileThatIsGoneFailsNobodyElse) {
  EngineScan scan = state("t/1", 1000);
  auto broken = std::make_shared<LakeScan>(*scans_.find(scan.handle));
  broken->plan.files[0].path += ".gone";
  EngineScan gone = with_state(broken, "t/2");
  for (int i = 0; i < 4; ++i) EXPECT_NE(rows(sum(gone)), "[[499500]]");
  EXPECT_TRUE(served(sum(scan), "[[499500]]"));
}

TEST_F(ColumnCacheTest, StatementsBesideEachOtherReadTheirOwnState) {
  std::atomic<bool> wrong = false;
  std::vector<EngineScan> states;
  std::vector<std::string> sums;
  for (int i = 1; i <= 3; ++i) {
    int count = 1000 * i;
    states.push_back(state("t/" + std::to_string(i), count));
    sums.push_back("[[" + std::to_string(count * (count - 1) / 2) + "]]");
  }
  std::vector<std::jthread> readers;
  for (size_t r = 0; r < 3; ++r) {
    readers.emplace_back([&, r] {
      for (size_t i = 0; i < 60; ++i) {
        size_t of = (r + i / 20) % states.size();
        if (rows(sum(states[of])) != sums[of]) wrong = true;
      }
    });
  }
  readers.clear();
  EXPECT_FALSE(wrong);
}

TEST_F(ColumnCacheTest, WhatAPredicateLeftOutIsLoadedAllTheSame) {
  EngineScan scan = state("t/1", 1000);
  auto pruned = std::make_shared<LakeScan>(*scans_.find(scan.handle));
  pruned->plan.files.clear();  // as it happens when a plan's totals say too little
  EngineScan part = scans_.add(pruned);
  EXPECT_EQ(rows("SELECT count(c0) FROM lake_scan('" + part.handle + ":0')"), "[[0]]");
  rows("SELECT count(c0) FROM lake_scan('" + part.handle + ":0')");
  EXPECT_TRUE(served(sum(scan), "[[499500]]"));
}

TEST_F(ColumnCacheTest, WhatIsLargerThanTheCacheStaysInItsFiles) {
  engine_.reset();
  start(100'000);
  EngineScan scan = state("t/1", 3'000'000);
  std::string md5 = "SELECT count(c1) FROM lake_scan('" + scan.handle + ":0,1')";
  for (int i = 0; i < 6; ++i) EXPECT_EQ(rows(md5), "[[3000000]]");
  EXPECT_EQ(counted("loads"), 0);
}

TEST_F(ColumnCacheTest, EndsWhileItLoads) {
  EngineScan scan = state("t/1", 200'000);
  rows(sum(scan));
  rows(sum(scan));
  engine_.reset();
}

}  // namespace
}  // namespace aichemy::sql
