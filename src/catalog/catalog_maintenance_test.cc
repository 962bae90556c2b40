#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "catalog/catalog.h"
#include "metadb/test_database.h"
#include "objectstore/memory_store.h"

namespace aichemy::catalog {
namespace {

using tables::iceberg::RowChange;

class MaintenanceTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("upkeep_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = metadb::open_test_database(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    catalog_ = std::make_unique<Catalog>(*database_, store_, clock_, random_, metrics_,
                                         Catalog::Options{});
    ASSERT_TRUE(catalog_->prepare({}));
    ASSERT_TRUE(catalog_->create_namespace({}, {"db"}, {}));
  }
  void TearDown() override {
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  void create(const char* version) {
    CreateTable table{.name = kName};
    table.schema.fields = {
        {.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)}};
    table.properties["format-version"] = version;
    auto made = catalog_->create_table({}, table);
    ASSERT_TRUE(made) << made.error().message;
    location_ = made->metadata->location;
  }
  tables::WrittenFile file(const std::string& name, uint64_t rows) {
    tables::WrittenFile file;
    file.path = location_ + "/data/" + name;
    file.size = 100;
    file.record_count = rows;
    EXPECT_TRUE(catalog_->files().write_new({}, file.path, std::string(100, 'x')));
    return file;
  }
  LoadedTable append(const std::string& name, uint64_t rows = 10) {
    clock_.advance(std::chrono::seconds(1));
    auto done = catalog_->append({}, {.name = kName, .files = {file(name, rows)}});
    EXPECT_TRUE(done) << done.error().message;
    return *done;
  }
  Result<LoadedTable> change(RowChange rows) {
    clock_.advance(std::chrono::seconds(1));
    return catalog_->change_rows({}, {.name = kName, .change = std::move(rows)});
  }
  tables::ScanPlan plan(const LoadedTable& table) {
    auto plan = catalog_->plan({}, table, {});
    EXPECT_TRUE(plan) << plan.error().message;
    return plan ? *plan : tables::ScanPlan{};
  }
  bool exists(const std::string& path) { return catalog_->files().read({}, path).has_value(); }
  std::string data(const char* name) const { return location_ + "/data/" + name; }

  const TableName kName{{"db"}, "t"};
  std::string location_;
  std::filesystem::path folder_;
  FakeClock clock_;
  SeededRandom random_{1};
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(MaintenanceTest, RowIdsAreGivenOnceAndKept) {
  create("3");
  append("a", 10);
  LoadedTable two = append("b", 5);
  EXPECT_EQ(two.metadata->next_row_id, 15);
  EXPECT_EQ(two.metadata->current_snapshot()->first_row_id, 10);
  EXPECT_EQ(two.metadata->current_snapshot()->added_rows, 5);
  auto ids = [&](const LoadedTable& table) {
    std::map<std::string, int64_t> found;
    for (const auto& item : plan(table).files)
      found[item.path.substr(item.path.rfind('/') + 1)] = item.first_row_id.value_or(-1);
    return found;
  };
  std::map<std::string, int64_t> expected = {{"a", 0}, {"b", 10}};
  EXPECT_EQ(ids(two), expected);
  auto rewritten = catalog_->rewrite_manifests({}, kName);
  ASSERT_TRUE(rewritten) << rewritten.error().message;
  EXPECT_EQ(ids(*rewritten), expected);
  // The metadata file says so too.
  auto read = tables::iceberg::metadata_from_bytes(
      *catalog_->files().read({}, rewritten->metadata_location));
  ASSERT_TRUE(read) << read.error().message;
  EXPECT_EQ(read->format_version, 3);
  EXPECT_GE(read->next_row_id, 15);
}

TEST_F(MaintenanceTest, VectorsFoldInWhatWasDeletedBefore) {
  create("3");
  LoadedTable table = append("a", 10);
  append("b", 10);
  RowChange first{.read_snapshot_id = table.metadata->current_snapshot_id};
  first.deleted = {{data("a"), {1, 3}}};
  auto one = change(first);
  ASSERT_TRUE(one) << one.error().message;
  RowChange second{.read_snapshot_id = one->metadata->current_snapshot_id};
  second.deleted = {{data("a"), {3, 9}}, {data("b"), {0}}};
  auto two = change(second);
  ASSERT_TRUE(two) << two.error().message;
  tables::ScanPlan scan = plan(*two);
  ASSERT_EQ(scan.delete_files.size(), 2u);
  for (const auto& item : scan.files) {
    ASSERT_EQ(item.deletes.size(), 1u);
    auto positions =
        tables::read_deletion_vector({}, catalog_->files(), scan.delete_files[item.deletes[0]]);
    ASSERT_TRUE(positions) << positions.error().message;
    bool a = item.path == data("a");
    EXPECT_EQ(*positions, a ? (tables::Positions{1, 3, 9}) : (tables::Positions{0}));
  }
  const auto& summary = two->metadata->current_snapshot()->summary;
  EXPECT_EQ(summary.at("operation"), "delete");
  EXPECT_EQ(summary.at("total-position-deletes"), "4");
  EXPECT_EQ(summary.at("total-delete-files"), "2");
  // Replacing the file takes its vector along.
  RowChange third{.read_snapshot_id = two->metadata->current_snapshot_id};
  third.replaced = {data("a")};
  third.added = {file("c", 7)};
  auto three = change(third);
  ASSERT_TRUE(three) << three.error().message;
  EXPECT_EQ(plan(*three).delete_files.size(), 1u);
  EXPECT_EQ(three->metadata->current_snapshot()->summary.at("operation"), "overwrite");
  EXPECT_EQ(three->metadata->current_snapshot()->summary.at("total-records"), "17");
  EXPECT_FALSE(change({.deleted = {{data("c"), {7}}}}));
  EXPECT_FALSE(change({.deleted = {{data("c"), {2, 1}}}}));
}

TEST_F(MaintenanceTest, ChangesOfChangedRowsAreRefused) {
  create("2");
  LoadedTable read = append("a");
  auto started_from = read.metadata->current_snapshot_id;
  append("b");  // does not matter
  RowChange replace{.read_snapshot_id = started_from};
  replace.replaced = {data("a")};
  replace.added = {file("a2", 9)};
  // Meanwhile rows of it are deleted.
  RowChange deletes{.read_snapshot_id = started_from};
  deletes.delete_files = {{data("a"), data("d.parquet"), 50, 2}};
  ASSERT_TRUE(change(deletes));
  auto lost = change(replace);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().is("rows_changed"));
  replace.read_snapshot_id = catalog_->load_table({}, kName)->metadata->current_snapshot_id;
  append("e");
  auto done = change(replace);
  ASSERT_TRUE(done) << done.error().message;
  EXPECT_EQ(plan(*done).files.size(), 3u);
  EXPECT_TRUE(plan(*done).delete_files.empty());
  EXPECT_FALSE(change(replace));                          // it is gone
  EXPECT_FALSE(change({.deleted = {{data("e"), {1}}}}));  // vectors are version 3's
}

TEST_F(MaintenanceTest, ExpiryKeepsWhatIsNamedAndRemovesTheRest) {
  create("2");
  LoadedTable first = append("a");
  LoadedTable tagged = append("b");
  ASSERT_TRUE(catalog_->set_ref(
      {}, kName, "keep", {.snapshot_id = *tagged.metadata->current_snapshot_id, .is_branch = false},
      false));
  EXPECT_FALSE(catalog_->set_ref({}, kName, "keep", {.snapshot_id = 1}, true));
  RowChange replace{.read_snapshot_id = tagged.metadata->current_snapshot_id};
  replace.replaced = {data("b")};
  replace.added = {file("c", 3)};
  ASSERT_TRUE(change(replace));
  RowChange again{.read_snapshot_id =
                      catalog_->load_table({}, kName)->metadata->current_snapshot_id};
  again.replaced = {data("c")};
  ASSERT_TRUE(change(again));
  clock_.advance(std::chrono::hours(24 * 10));
  auto expired = catalog_->expire_snapshots({}, kName, {});
  ASSERT_TRUE(expired) << expired.error().message;
  EXPECT_EQ(expired->snapshots, 2u);  // the first append, the first replacement
  EXPECT_TRUE(exists(data("a")));
  EXPECT_TRUE(exists(data("b")));  // the tag reads it
  EXPECT_FALSE(exists(data("c")));
  EXPECT_FALSE(exists(first.metadata->current_snapshot()->manifest_list));
  LoadedTable now = *catalog_->load_table({}, kName);
  EXPECT_EQ(plan(now).files.size(), 1u);
  auto then = catalog_->plan({}, now, {.ref = "keep"});
  ASSERT_TRUE(then) << then.error().message;
  EXPECT_EQ(then->files.size(), 2u);
  ASSERT_TRUE(catalog_->remove_ref({}, kName, "keep"));
  EXPECT_FALSE(catalog_->remove_ref({}, kName, "keep"));
  expired = catalog_->expire_snapshots({}, kName, {.retain_last = 1});
  ASSERT_TRUE(expired);
  EXPECT_EQ(expired->snapshots, 1u);
  EXPECT_FALSE(exists(data("b")));
  EXPECT_TRUE(exists(data("a")));
}

TEST_F(MaintenanceTest, OrphansGoAndYoungFilesStay) {
  create("2");
  append("a");
  (void)file("left", 1);
  clock_.advance(std::chrono::hours(100));
  int64_t now = clock_.wall_millis();
  (void)file("young", 1);
  auto removed = catalog_->remove_orphan_files({}, kName, now);
  ASSERT_TRUE(removed) << removed.error().message;
  EXPECT_EQ(*removed, 1u);
  EXPECT_TRUE(exists(data("a")));
  EXPECT_TRUE(exists(data("young")));
  EXPECT_FALSE(exists(data("left")));
  EXPECT_EQ(plan(*catalog_->load_table({}, kName)).files.size(), 1u);
}

TEST_F(MaintenanceTest, RollsBackAlongTheAncestryOnly) {
  create("2");
  LoadedTable first = append("a");
  append("b");
  auto back = catalog_->roll_back({}, kName, *first.metadata->current_snapshot_id);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(plan(*back).files.size(), 1u);
  EXPECT_FALSE(catalog_->roll_back({}, kName, 12345));
}

}  // namespace
}  // namespace aichemy::catalog
