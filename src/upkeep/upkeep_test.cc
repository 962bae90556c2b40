#include "upkeep/upkeep.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "metadb/test_database.h"
#include "objectstore/memory_store.h"
#include "upkeep/compaction.h"

namespace aichemy::upkeep {
namespace {

using catalog::LoadedTable;
using std::chrono::hours;

tables::DataFile data_file(const std::string& path, uint64_t megabytes,
                           const std::string& partition = "") {
  tables::DataFile file;
  file.path = path;
  file.size = megabytes << 20;
  file.record_count = 100;
  file.partition = partition;
  return file;
}

TEST(CompactionTest, TakesTheSmallOnesOfThePartitionWithMost) {
  tables::ScanPlan plan;
  for (int i = 0; i < 5; ++i) plan.files.push_back(data_file("a" + std::to_string(i), 1, "p=a"));
  for (int i = 0; i < 7; ++i) plan.files.push_back(data_file("b" + std::to_string(i), 1, "p=b"));
  plan.files.push_back(data_file("b-large", 400, "p=b"));
  RewriteRound round = choose_files(plan, 0, {});
  EXPECT_EQ(round.files.size(), 7u);
  EXPECT_EQ(round.bytes, uint64_t{7} << 20);
  std::erase_if(plan.files, [](const auto& file) { return file.partition == "p=b"; });
  EXPECT_EQ(choose_files(plan, 0, {}).files.size(), 5u);
  plan.files.pop_back();
  EXPECT_TRUE(choose_files(plan, 0, {}).files.empty()) << "four are not worth it";
  for (auto& file : plan.files) file.spec_id = 1;
  plan.files.push_back(data_file("a9", 1, "p=a"));
  plan.files.back().spec_id = 1;
  EXPECT_TRUE(choose_files(plan, 0, {}).files.empty()) << "of another spec";
}

TEST(CompactionTest, ARoundHasLimits) {
  tables::ScanPlan plan;
  for (int i = 0; i < 40; ++i) plan.files.push_back(data_file(std::to_string(i), 10));
  RewritePolicy policy;
  policy.round_bytes_max = 95u << 20;
  EXPECT_EQ(choose_files(plan, 0, policy).files.size(), 9u);
  policy.round_files_max = 6;
  EXPECT_EQ(choose_files(plan, 0, policy).files.size(), 6u);
}

// Every pass merges what came; each byte is written anew a few times, not once a pass.
TEST(CompactionTest, RowsAreRewrittenFewTimes) {
  tables::ScanPlan plan;
  uint64_t rewritten = 0, arrived = 0;
  RewritePolicy policy;
  policy.round_bytes_max = uint64_t{1} << 40;
  for (int pass = 0; pass < 300; ++pass) {
    for (int i = 0; i < 5; ++i) {
      plan.files.push_back(data_file(std::to_string(pass) + "-" + std::to_string(i), 1));
      ++arrived;
    }
    while (true) {
      RewriteRound round = choose_files(plan, 0, policy);
      if (round.files.empty()) break;
      std::set<std::string> gone(round.files.begin(), round.files.end());
      std::erase_if(plan.files, [&](const auto& file) { return gone.contains(file.path); });
      plan.files.push_back(data_file("merged" + std::to_string(rewritten), round.bytes >> 20));
      rewritten += round.bytes >> 20;
    }
  }
  EXPECT_LT(rewritten, arrived * 9);
  EXPECT_LT(plan.files.size(), 30u);
}

TEST(CompactionTest, AFileWithManyDeletedRowsGoesAlone) {
  tables::ScanPlan plan;
  plan.files.push_back(data_file("large", 500));
  plan.delete_files.push_back({.kind = tables::DeleteKind::deletion_vector, .record_count = 29});
  plan.files[0].deletes = {0};
  EXPECT_TRUE(choose_files(plan, 0, {}).files.empty());
  plan.delete_files[0].record_count = 30;
  EXPECT_EQ(choose_files(plan, 0, {}).files, std::vector<std::string>{"large"});
  plan.delete_files[0].kind = tables::DeleteKind::position;  // of who knows which files
  EXPECT_TRUE(choose_files(plan, 0, {}).files.empty());
  plan.delete_files[0].referenced_data_file = "large";
  EXPECT_EQ(choose_files(plan, 0, {}).files.size(), 1u);
}

class UpkeepTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("upkeep_pass_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = metadb::open_test_database(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    catalog_ = std::make_unique<catalog::Catalog>(*database_, store_, clock_, random_, metrics_,
                                                  catalog::Catalog::Options{});
    ASSERT_TRUE(catalog_->prepare({}));
    ASSERT_TRUE(catalog_->create_namespace({}, {"db"}, {}));
    make_upkeep(false);
  }
  void TearDown() override {
    upkeep_.reset();
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }
  void make_upkeep(bool all_tables) {
    UpkeepOptions options{.catalog = *catalog_, .clock = clock_, .metrics = metrics_};
    options.rewrite = [this](const Call&, const catalog::TableName& name, const auto& files) {
      return rewrite(name, files);
    };
    options.pending_files = [this]() -> Result<std::set<std::string>> { return pending_; };
    options.rest = [this] { ++rests_; };
    options.wait = [this](std::chrono::milliseconds time, std::stop_token) {
      waited_ += time;
      return true;
    };
    options.all_tables = all_tables;
    upkeep_ = std::make_unique<Upkeep>(std::move(options));
  }
  void create(const catalog::Properties& properties) {
    catalog::CreateTable table{.name = kName};
    table.schema.fields = {
        {.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)}};
    table.properties = properties;
    auto made = catalog_->create_table({}, table);
    ASSERT_TRUE(made) << made.error().message;
    location_ = made->metadata->location;
  }
  tables::WrittenFile file(const std::string& name, uint64_t rows) {
    tables::WrittenFile file;
    file.path = location_ + "/data/" + name;
    file.size = 1000;
    file.record_count = rows;
    EXPECT_TRUE(catalog_->files().write_new({}, file.path, std::string(1000, 'x')));
    return file;
  }
  void append(int files, const catalog::Properties& summary = {}) {
    for (int i = 0; i < files; ++i) {
      clock_.advance(std::chrono::seconds(1));
      auto done = catalog_->append(
          {},
          {.name = kName, .files = {file("f" + std::to_string(++made_), 10)}, .summary = summary});
      ASSERT_TRUE(done) << done.error().message;
    }
  }
  // As the engine would: the same rows in one file. `meanwhile_` stands for another writer.
  Status rewrite(const catalog::TableName& name, const std::vector<std::string>& files) {
    auto table = catalog_->load_table({}, name);
    EXPECT_TRUE(table);
    if (meanwhile_) std::exchange(meanwhile_, nullptr)();
    tables::iceberg::RowChange change;
    change.read_snapshot_id = table->metadata->current_snapshot_id;
    change.replaced = files;
    change.added = {file("r" + std::to_string(++made_), 10 * files.size())};
    auto done = catalog_->change_rows(
        {}, {.name = name, .change = change, .summary = {{"operation", "replace"}}});
    if (!done) return std::unexpected(done.error());
    ++rewrites_;
    return {};
  }
  tables::ScanPlan plan() {
    auto plan = catalog_->plan({}, load(), {});
    EXPECT_TRUE(plan);
    return *plan;
  }
  LoadedTable load() {
    auto table = catalog_->load_table({}, kName);
    EXPECT_TRUE(table);
    return *table;
  }
  bool exists(const std::string& name) {
    return catalog_->files().read({}, location_ + "/data/" + name).has_value();
  }
  void later(std::chrono::milliseconds by) { clock_.advance(by); }

  const catalog::TableName kName{{"db"}, "t"};
  const catalog::Properties kOn{{"aichemy.upkeep.enabled", "true"}};
  std::string location_;
  int made_ = 0, rewrites_ = 0, rests_ = 0;
  std::chrono::milliseconds waited_{0};
  std::function<void()> meanwhile_;
  std::set<std::string> pending_;
  std::filesystem::path folder_;
  FakeClock clock_;
  SeededRandom random_{1};
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<catalog::Catalog> catalog_;
  std::unique_ptr<Upkeep> upkeep_;
};

TEST_F(UpkeepTest, OnlyTablesOfJobsOrThoseThatAsk) {
  create({});
  append(6);
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(plan().files.size(), 6u);
  append(1, {{"aichemy.epoch", "job:1"}});
  upkeep_->run_pass();
  EXPECT_EQ(plan().files.size(), 1u);
  EXPECT_EQ(plan().record_count, 70u);
  EXPECT_EQ(upkeep_->status()["rewritten_files"].as_int(), 7);
  EXPECT_EQ(rests_, 2);
  EXPECT_GE(waited_.count(), 0);
}

TEST_F(UpkeepTest, ATableSaysNo) {
  create({{"aichemy.upkeep.enabled", "false"}});
  make_upkeep(true);
  append(6, {{"aichemy.epoch", "job:1"}});
  later(hours(200));
  upkeep_->run_pass();
  EXPECT_EQ(plan().files.size(), 6u);
  EXPECT_EQ(load().metadata->snapshots.size(), 6u);
}

TEST_F(UpkeepTest, AWriterAMomentAgoIsLeftAlone) {
  create(kOn);
  append(6);
  upkeep_->run_pass();
  EXPECT_EQ(rewrites_, 0);
  later(std::chrono::seconds(11));
  upkeep_->run_pass();
  EXPECT_EQ(rewrites_, 1);
}

TEST_F(UpkeepTest, VersionThreeIsRewrittenToo) {
  create({{"format-version", "3"}});
  make_upkeep(true);
  append(6);
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(rewrites_, 1);
}

TEST_F(UpkeepTest, RowsOfMaterializedViewsStay) {
  create(kOn);
  append(6, {{"dependsOnTables", "db.other=5"}});
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(rewrites_, 0);
}

TEST_F(UpkeepTest, GivesWayToAWriter) {
  create(kOn);
  append(6);
  later(hours(1));
  meanwhile_ = [this] {
    tables::iceberg::RowChange change;
    change.read_snapshot_id = load().metadata->current_snapshot_id;
    change.replaced = {location_ + "/data/f1"};
    ASSERT_TRUE(catalog_->change_rows({}, {.name = kName, .change = change}));
  };
  upkeep_->run_pass();
  EXPECT_EQ(plan().record_count, 50u) << "the writer won";
  EXPECT_EQ(plan().files.size(), 5u);
  EXPECT_EQ(upkeep_->status()["conflicts"].as_int(), 1);
  EXPECT_TRUE(upkeep_->status()["problems"].as_array().empty());
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(plan().files.size(), 1u);
  EXPECT_EQ(plan().record_count, 50u);
}

TEST_F(UpkeepTest, AppendsMeanwhileStay) {
  create(kOn);
  append(6);
  later(hours(1));
  meanwhile_ = [this] { append(2); };
  upkeep_->run_pass();
  EXPECT_EQ(plan().record_count, 80u);
  EXPECT_EQ(plan().files.size(), 3u);
}

TEST_F(UpkeepTest, SnapshotsExpireByTheTablesProperties) {
  create({{"aichemy.upkeep.enabled", "true"}, {"history.expire.max-snapshot-age-ms", "7200000"}});
  append(6);
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(load().metadata->snapshots.size(), 7u);
  later(hours(2));
  upkeep_->run_pass();
  EXPECT_EQ(load().metadata->snapshots.size(), 1u);
  EXPECT_FALSE(exists("f1"));
  EXPECT_TRUE(exists("r7"));
  EXPECT_EQ(upkeep_->status()["expired_snapshots"].as_int(), 6);
  EXPECT_EQ(plan().record_count, 60u);
}

TEST_F(UpkeepTest, GarbageStaysWhenTheTableSaysSo) {
  create({{"aichemy.upkeep.enabled", "true"}, {"gc.enabled", "false"}});
  append(2);
  file("orphan", 1);
  for (int i = 0; i < 40; ++i) {
    later(hours(24));
    upkeep_->run_pass();
  }
  EXPECT_EQ(load().metadata->snapshots.size(), 2u);
  EXPECT_TRUE(exists("orphan"));
}

TEST_F(UpkeepTest, OrphansGoWhenTheyAreOldAndWereSeenTwice) {
  create(kOn);
  append(2);
  file("orphan", 1);
  pending_ = {file("pending", 1).path};
  upkeep_->run_pass();  // of a new process: not yet
  later(hours(100));
  upkeep_->run_pass();
  EXPECT_TRUE(exists("orphan")) << "seen once";
  later(std::chrono::minutes(30));
  upkeep_->run_pass();
  EXPECT_TRUE(exists("orphan")) << "too soon";
  later(std::chrono::minutes(31));
  upkeep_->run_pass();
  EXPECT_FALSE(exists("orphan"));
  EXPECT_TRUE(exists("pending")) << "a job will commit it";
  EXPECT_TRUE(exists("f1") && exists("f2"));
}

TEST_F(UpkeepTest, AFailureIsShownAndTheTableLeftForAnHour) {
  create(kOn);
  append(6);
  later(hours(1));
  bool broken = true;
  UpkeepOptions options{.catalog = *catalog_, .clock = clock_, .metrics = metrics_};
  int tries = 0;
  options.rewrite = [&](const Call&, const catalog::TableName& name, const auto& files) -> Status {
    ++tries;
    if (broken) return fail(Code::exhausted, "memory", "no room");
    return rewrite(name, files);
  };
  options.wait = [](std::chrono::milliseconds, std::stop_token) { return true; };
  upkeep_ = std::make_unique<Upkeep>(std::move(options));
  upkeep_->run_pass();
  later(std::chrono::minutes(5));
  upkeep_->run_pass();
  EXPECT_EQ(tries, 1);
  EXPECT_EQ(upkeep_->status()["problems"].as_array()[0]["message"].as_string(), "no room");
  broken = false;
  later(hours(1));
  upkeep_->run_pass();
  EXPECT_EQ(tries, 2);
  EXPECT_TRUE(upkeep_->status()["problems"].as_array().empty());
}

TEST_F(UpkeepTest, StopsBetweenTables) {
  create(kOn);
  append(6);
  later(hours(1));
  upkeep_->stop();
  upkeep_->run_pass();
  EXPECT_EQ(rewrites_, 0);
}

}  // namespace
}  // namespace aichemy::upkeep
