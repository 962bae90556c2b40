#include "catalog/catalog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <atomic>
#include <filesystem>
#include <set>
#include <thread>

#include "metadb/test_database.h"
#include "objectstore/memory_store.h"

namespace aichemy::catalog {
namespace {

using tables::CompareOp;
using tables::Predicate;
using tables::Value;
using tables::iceberg::Requirement;
using tables::iceberg::Update;

class CatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("catalog_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = metadb::open_test_database(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    catalog_ = std::make_unique<Catalog>(*database_, store_, clock_, random_, metrics_,
                                         Catalog::Options{});
    ASSERT_TRUE(catalog_->prepare({}));
    ASSERT_TRUE(catalog_->create_namespace({}, {"db"}, {{"owner", "me"}}));
  }
  void TearDown() override {
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static tables::Schema schema() {
    tables::Schema schema;
    schema.fields = {
        {.id = 1,
         .name = "id",
         .required = true,
         .type = tables::primitive(tables::TypeKind::int64)},
        {.id = 2, .name = "section", .type = tables::primitive(tables::TypeKind::string)}};
    return schema;
  }
  static CreateTable create(const std::string& name, bool parted = false) {
    CreateTable table;
    table.name = {{"db"}, name};
    table.schema = schema();
    if (parted) table.spec.fields = {{.source_id = 2, .name = "section"}};
    return table;
  }
  static tables::WrittenFile file(const std::string& path, int64_t from, int64_t to,
                                  std::vector<Value> partition = {}) {
    tables::WrittenFile file;
    file.path = path;
    file.size = 100;
    file.record_count = static_cast<uint64_t>(to - from + 1);
    file.partition = std::move(partition);
    file.columns = {{.field_id = 1,
                     .value_count = to - from + 1,
                     .null_count = 0,
                     .lower = Value(from),
                     .upper = Value(to)}};
    return file;
  }
  Result<LoadedTable> append(const std::string& table, std::vector<tables::WrittenFile> files) {
    return catalog_->append({}, {.name = {{"db"}, table}, .files = std::move(files)});
  }
  std::set<std::string> planned(const LoadedTable& table, Predicate predicate) {
    tables::ScanRequest request;
    request.predicate = std::move(predicate);
    auto plan = catalog_->plan({}, table, request);
    EXPECT_TRUE(plan) << plan.error().message;
    std::set<std::string> paths;
    if (plan) {
      for (const auto& planned_file : plan->files) paths.insert(planned_file.path);
    }
    return paths;
  }
  std::set<std::string> objects(const std::string& part) {
    std::set<std::string> keys;
    auto page = store_.list({}, "warehouse", {.keys_max = 100'000});
    EXPECT_TRUE(page);
    for (const auto& object : page->objects) {
      if (object.key.find(part) != std::string::npos) keys.insert(object.key);
    }
    return keys;
  }

  std::filesystem::path folder_;
  FakeClock clock_;
  SeededRandom random_{1};
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<Catalog> catalog_;
};

TEST_F(CatalogTest, Namespaces) {
  EXPECT_TRUE(catalog_->create_namespace({}, {"db"}, {}).error().is("namespace_exists"));
  EXPECT_TRUE(catalog_->create_namespace({}, {"no", "x"}, {}).error().is("no_such_namespace"));
  EXPECT_TRUE(catalog_->create_namespace({}, {"a\nb"}, {}).error().is("invalid_name"));
  ASSERT_TRUE(catalog_->create_namespace({}, {"db", "inner level ü"}, {}));
  EXPECT_EQ(catalog_->list_namespaces({}, {"db"})->at(0), (NamespaceName{"db", "inner level ü"}));
  EXPECT_EQ(catalog_->list_namespaces({}, {})->size(), 1u);
  EXPECT_TRUE(catalog_->drop_namespace({}, {"db"}).error().is("namespace_not_empty"));
  auto change = catalog_->update_namespace({}, {"db"}, {{"a", "1"}}, {"owner", "absent"});
  ASSERT_TRUE(change);
  EXPECT_EQ(change->missing, std::vector<std::string>{"absent"});
  EXPECT_EQ(*catalog_->load_namespace({}, {"db"}), (Properties{{"a", "1"}}));
  EXPECT_EQ(catalog_->namespace_location({"db", "a b"}, {}), "s3://warehouse/db/a%20b");
  EXPECT_EQ(catalog_->namespace_location({"db"}, {{"location", "s3://b/x"}}), "s3://b/x");
  ASSERT_TRUE(catalog_->drop_namespace({}, {"db", "inner level ü"}));
  ASSERT_TRUE(catalog_->drop_namespace({}, {"db"}));
  EXPECT_FALSE(*catalog_->namespace_exists({}, {"db"}));
}

TEST_F(CatalogTest, TablesComeAndGo) {
  ASSERT_TRUE(catalog_->create_table({}, create("t")));
  EXPECT_TRUE(catalog_->create_table({}, create("t")).error().is("table_exists"));
  ASSERT_TRUE(append("t", {file("s3://warehouse/f1", 1, 5)}));
  ASSERT_TRUE(store_.put({}, "warehouse", "f1", "data"));
  ASSERT_TRUE(catalog_->rename_table({}, {{"db"}, "t"}, {{"db"}, "u"}));
  EXPECT_FALSE(*catalog_->table_exists({}, {{"db"}, "t"}));
  EXPECT_EQ(catalog_->list_tables({}, {"db"})->at(0).name, "u");
  ASSERT_TRUE(catalog_->drop_table({}, {{"db"}, "u"}, true));
  EXPECT_TRUE(catalog_->load_table({}, {{"db"}, "u"}).error().is("no_such_table"));
  EXPECT_TRUE(objects("").empty());  // purged: nothing is left behind
}

TEST_F(CatalogTest, AppendsArePlannedAndPruned) {
  ASSERT_TRUE(catalog_->create_table({}, create("t", true)));
  ASSERT_TRUE(append("t", {file("f1", 1, 5, {Value("net")}), file("f2", 6, 9, {Value("web")})}));
  auto table = append("t", {file("f3", 10, 20, {Value()})});
  ASSERT_TRUE(table) << table.error().message;
  EXPECT_EQ(planned(*table, {}), (std::set<std::string>{"f1", "f2", "f3"}));
  EXPECT_EQ(planned(*table, Predicate::compare(2, CompareOp::eq, Value("net"))),
            (std::set<std::string>{"f1"}));
  EXPECT_EQ(planned(*table, Predicate::is_null(2)), (std::set<std::string>{"f3"}));
  EXPECT_EQ(planned(*table, Predicate::compare(1, CompareOp::ge, Value(7))),
            (std::set<std::string>{"f2", "f3"}));
  const auto* snapshot = table->metadata->current_snapshot();
  EXPECT_EQ(snapshot->summary_value("total-records"), "20");
  EXPECT_EQ(snapshot->summary_value("total-data-files"), "3");
  EXPECT_EQ(snapshot->sequence_number, 2);
  auto plan = catalog_->plan({}, *table, {});
  EXPECT_EQ(plan->files[0].constants.size(), 1u);
  EXPECT_EQ(plan->files[0].partition, "section=null");
}

TEST_F(CatalogTest, TruncateEmptiesAndTimeTravelRemembers) {
  ASSERT_TRUE(catalog_->create_table({}, create("t")));
  auto before = append("t", {file("f1", 1, 5)});
  ASSERT_TRUE(before);
  auto after = catalog_->truncate({}, {{"db"}, "t"});
  ASSERT_TRUE(after) << after.error().message;
  EXPECT_TRUE(planned(*after, {}).empty());
  EXPECT_EQ(after->metadata->current_snapshot()->summary_value("total-records"), "0");
  tables::ScanRequest request;
  request.snapshot_id = before->metadata->current_snapshot_id;
  EXPECT_EQ(catalog_->plan({}, *after, request)->files.size(), 1u);
  request.snapshot_id = 42;
  EXPECT_TRUE(catalog_->plan({}, *after, request).error().is("no_such_snapshot"));
}

TEST_F(CatalogTest, AStaleWriterLosesAndLeavesNothing) {
  auto table = catalog_->create_table({}, create("t"));
  ASSERT_TRUE(table);
  CommitTable stale{table->name,
                    {Requirement::of(Requirement::Kind::current_schema_id, 7)},
                    {Update::set({{"a", "1"}})}};
  EXPECT_TRUE(catalog_->commit({}, stale).error().is("requirement_failed"));
  CommitTable good{
      table->name, {Requirement::uuid(table->metadata->uuid)}, {Update::set({{"a", "1"}})}};
  ASSERT_TRUE(catalog_->commit({}, good));
  EXPECT_EQ(objects(".metadata.json").size(), 2u);
}

TEST_F(CatalogTest, SeveralTablesChangeTogetherOrNotAtAll) {
  auto a = catalog_->create_table({}, create("a"));
  auto b = catalog_->create_table({}, create("b"));
  ASSERT_TRUE(a && b);
  CommitTable change_a{a->name, {}, {Update::set({{"x", "1"}})}};
  CommitTable change_b{b->name, {Requirement::uuid("another")}, {Update::set({{"x", "1"}})}};
  EXPECT_FALSE(catalog_->commit_all({}, {change_a, change_b}));
  EXPECT_TRUE(catalog_->load_table({}, a->name)->metadata->properties.empty());
  change_b.requirements.clear();
  ASSERT_TRUE(catalog_->commit_all({}, {change_a, change_b}));
  EXPECT_EQ(catalog_->load_table({}, b->name)->metadata->property("x"), "1");
  EXPECT_EQ(objects(".metadata.json").size(), 4u);
}

TEST_F(CatalogTest, StagedTablesAppearWithTheirFiles) {
  auto staged = catalog_->stage_table({}, create("t"));
  ASSERT_TRUE(staged) << staged.error().message;
  EXPECT_FALSE(*catalog_->table_exists({}, {{"db"}, "t"}));
  auto made =
      catalog_->create_with_files({}, *staged, {.name = staged->name, .files = {file("f", 1, 2)}});
  ASSERT_TRUE(made) << made.error().message;
  auto loaded = catalog_->load_table({}, {{"db"}, "t"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(planned(*loaded, {}), (std::set<std::string>{"f"}));
  size_t count = objects("").size();
  EXPECT_TRUE(
      catalog_->create_with_files({}, *staged, {.name = staged->name, .files = {file("g", 1, 2)}})
          .error()
          .is("table_exists"));
  EXPECT_EQ(objects("").size(), count);  // the loser's files are gone
}

TEST_F(CatalogTest, AnEpochLandsOnce) {
  ASSERT_TRUE(catalog_->create_table({}, create("t")));
  AppendFiles epoch{.name = {{"db"}, "t"},
                    .files = {file("f1", 1, 2)},
                    .once = std::pair<std::string, std::string>{"aichemy.epoch", "job:1"}};
  auto first = catalog_->append({}, epoch);
  ASSERT_TRUE(first);
  size_t count = objects("").size();
  auto again = catalog_->append({}, epoch);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->metadata_location, first->metadata_location);
  EXPECT_EQ(objects("").size(), count);
}

TEST_F(CatalogTest, EndlessJobsDoNotGrowATableForEver) {
  catalog_ = std::make_unique<Catalog>(*database_, store_, clock_, random_, metrics_,
                                       Catalog::Options{.job_snapshots_max = 100});
  auto request = create("t");
  request.properties = {{"write.metadata.delete-after-commit.enabled", "true"}};
  ASSERT_TRUE(catalog_->create_table({}, request));
  constexpr int kEpochs = 150;
  auto epoch = [&](const std::string& job, int number) {
    AppendFiles append{.name = {{"db"}, "t"},
                       .files = {file(job + std::to_string(number), number, number)},
                       .once = std::pair("aichemy.epoch", job + ":" + std::to_string(number))};
    auto done = catalog_->append({}, append);
    EXPECT_TRUE(done) << done.error().message;
  };
  epoch("stopped", 1);
  for (int i = 0; i < kEpochs; ++i) epoch("busy", i);
  auto table = catalog_->load_table({}, {{"db"}, "t"});
  ASSERT_TRUE(table);
  EXPECT_LE(table->metadata->snapshots.size(), 101u);
  // No row is lost, and both jobs still find what they committed last.
  EXPECT_EQ(planned(*table, {}).size(), static_cast<size_t>(kEpochs + 1));
  epoch("stopped", 1);
  epoch("busy", kEpochs - 1);
  EXPECT_EQ(catalog_->load_table({}, {{"db"}, "t"})->metadata_location, table->metadata_location);
  EXPECT_EQ(objects("/snap-").size(), table->metadata->snapshots.size());
  EXPECT_LE(objects(".metadata.json").size(), 101u);
  for (const auto& snapshot : table->metadata->snapshots) {
    tables::ScanRequest at;
    at.snapshot_id = snapshot.id;
    ASSERT_TRUE(catalog_->plan({}, *table, at));  // its manifests are all there
  }
}

TEST_F(CatalogTest, EightWritersLoseNothing) {
  ASSERT_TRUE(catalog_->create_table({}, create("t")));
  constexpr int kWriters = 8;
  constexpr int kAppends = 20;
  // A second catalog on the same store is another process: it does not share the turns.
  Catalog other(*database_, store_, clock_, random_, metrics_, {.commit_retries = 1000});
  std::atomic<int> failures = 0;
  std::vector<std::thread> writers;
  for (int w = 0; w < kWriters; ++w) {
    writers.emplace_back([&, w] {
      Catalog& through = w % 2 == 0 ? *catalog_ : other;
      for (int i = 0; i < kAppends; ++i) {
        std::string path = "f" + std::to_string(w) + "." + std::to_string(i);
        AppendFiles request{.name = {{"db"}, "t"}, .files = {file(path, 1, 1)}};
        while (true) {
          auto done = through.append({}, request);
          if (done) break;
          if (done.error().code == Code::conflict) continue;
          ++failures;
          break;
        }
      }
    });
  }
  for (auto& writer : writers) writer.join();
  EXPECT_EQ(failures, 0);
  auto table = catalog_->load_table({}, {{"db"}, "t"});
  ASSERT_TRUE(table);
  EXPECT_EQ(planned(*table, {}).size(), static_cast<size_t>(kWriters * kAppends));
  EXPECT_EQ(table->metadata->snapshots.size(), static_cast<size_t>(kWriters * kAppends));
  // Every list in the store belongs to a snapshot: losers cleaned up.
  EXPECT_EQ(objects("/snap-").size(), table->metadata->snapshots.size());
  // Small manifests were merged on the way.
  auto plan = catalog_->plan({}, *table, {});
  EXPECT_LT(plan->manifests_total, 110u);
  EXPECT_EQ(plan->files_total, static_cast<uint64_t>(kWriters * kAppends));
}

TEST_F(CatalogTest, OldMetadataFilesGoWhenAsked) {
  auto request = create("t");
  request.properties = {{"write.metadata.delete-after-commit.enabled", "true"},
                        {"write.metadata.previous-versions-max", "3"}};
  ASSERT_TRUE(catalog_->create_table({}, request));
  for (int i = 0; i < 10; ++i) ASSERT_TRUE(append("t", {file("f" + std::to_string(i), i, i)}));
  EXPECT_EQ(objects(".metadata.json").size(), 4u);
}

// Remembers how many objects each wait of a memory store was for.
class CountsWaits final : public objectstore::ObjectStore {
 public:
  using Info = objectstore::ObjectInfo;
  using Conditions = objectstore::Conditions;
  using Name = const std::string&;
  using Writer = std::unique_ptr<objectstore::ObjectWriter>;

  explicit CountsWaits(objectstore::MemoryStore& inner) : inner_(inner) {}
  std::vector<size_t> waits;

  Result<Writer> write(const Call& call, Name bucket, Name key,
                       objectstore::PutOptions options) override {
    waits.push_back(1);
    return inner_.write(call, bucket, key, std::move(options));
  }
  Status put_all(const Call& call, std::vector<objectstore::NewObject> objects) override {
    waits.push_back(objects.size());
    return inner_.put_all(call, std::move(objects));
  }
  Status create_bucket(const Call& c, Name b) override { return inner_.create_bucket(c, b); }
  Status delete_bucket(const Call& c, Name b) override { return inner_.delete_bucket(c, b); }
  Result<objectstore::BucketInfo> head_bucket(const Call& c, Name b) override {
    return inner_.head_bucket(c, b);
  }
  Result<std::vector<objectstore::BucketInfo>> list_buckets(const Call& c) override {
    return inner_.list_buckets(c);
  }
  Result<std::unique_ptr<objectstore::ObjectReader>> open(const Call& c, Name b, Name k,
                                                          const Conditions& on) override {
    return inner_.open(c, b, k, on);
  }
  Result<Info> head(const Call& c, Name b, Name k, const Conditions& on) override {
    return inner_.head(c, b, k, on);
  }
  Status remove(const Call& c, Name b, Name k, const Conditions& on) override {
    return inner_.remove(c, b, k, on);
  }
  Result<objectstore::ListPage> list(const Call& c, Name b,
                                     const objectstore::ListOptions& options) override {
    return inner_.list(c, b, options);
  }
  Result<std::string> create_upload(const Call& c, Name b, Name k, objectstore::PutOptions options,
                                    std::string algorithm, std::string type) override {
    return inner_.create_upload(c, b, k, std::move(options), algorithm, type);
  }
  Result<Writer> write_part(const Call& c, Name b, Name k, Name id, int number,
                            objectstore::PutOptions options) override {
    return inner_.write_part(c, b, k, id, number, std::move(options));
  }
  Result<Info> complete_upload(const Call& c, Name b, Name k, Name id,
                               const std::vector<objectstore::PartInfo>& parts,
                               const objectstore::PutOptions& options) override {
    return inner_.complete_upload(c, b, k, id, parts, options);
  }
  Status abort_upload(const Call& c, Name b, Name k, Name id) override {
    return inner_.abort_upload(c, b, k, id);
  }
  Result<std::vector<objectstore::PartInfo>> list_parts(const Call& c, Name b, Name k,
                                                        Name id) override {
    return inner_.list_parts(c, b, k, id);
  }
  Result<std::vector<objectstore::UploadInfo>> list_uploads(const Call& c, Name b,
                                                            Name prefix) override {
    return inner_.list_uploads(c, b, prefix);
  }
  objectstore::StoreStatus status() override { return inner_.status(); }

 private:
  objectstore::MemoryStore& inner_;
};

TEST_F(CatalogTest, TablesMadeAndReplacedWithFilesAreOneWait) {
  CountsWaits store(store_);
  Catalog catalog(*database_, store, clock_, random_, metrics_, {});
  auto staged = catalog.stage_table({}, create("t"));
  ASSERT_TRUE(staged) << staged.error().message;
  AppendFiles append{.name = {{"db"}, "t"}, .files = {file("a", 1, 2)}};
  auto made = catalog.create_with_files({}, *staged, append);
  ASSERT_TRUE(made) << made.error().message;
  EXPECT_EQ(store.waits, std::vector<size_t>{3});  // manifest, list, metadata
  EXPECT_TRUE(catalog.create_with_files({}, *staged, append).error().is("table_exists"));
  size_t kept = objects("").size();
  EXPECT_EQ(kept, 3u);  // the second one's are gone
  store.waits.clear();
  auto replacement = catalog.stage_replacement({}, create("t"));
  ASSERT_TRUE(replacement) << replacement.error().message;
  append.files = {file("b", 3, 4)};
  auto replaced = catalog.replace_with_files({}, *replacement, append);
  ASSERT_TRUE(replaced) << replaced.error().message;
  EXPECT_EQ(store.waits, std::vector<size_t>{3});
  EXPECT_EQ(planned(*replaced, {}), (std::set<std::string>{"b"}));
}

TEST_F(CatalogTest, Views) {
  NewView view;
  view.schema = schema();
  view.version.representations = {{"SELECT 1", "trino"}};
  view.version.default_namespace = {"db"};
  ASSERT_TRUE(catalog_->create_view({}, {{"db"}, "v"}, view));
  EXPECT_TRUE(catalog_->create_view({}, {{"db"}, "v"}, view).error().is("view_exists"));
  EXPECT_TRUE(catalog_->create_table({}, create("v")).error().is("view_exists"));
  EXPECT_TRUE(catalog_->load_table({}, {{"db"}, "v"}).error().is("no_such_table"));
  ViewUpdate add;
  add.kind = ViewUpdate::Kind::add_version;
  add.version = view.version;
  add.version.representations = {{"SELECT 2", "trino"}};
  ViewUpdate set;
  set.kind = ViewUpdate::Kind::set_current_version;
  set.number = -1;
  auto changed = catalog_->commit_view({}, {{"db"}, "v"}, {}, {add, set});
  ASSERT_TRUE(changed) << changed.error().message;
  auto loaded = catalog_->load_view({}, {{"db"}, "v"});
  ASSERT_TRUE(loaded);
  EXPECT_EQ(loaded->metadata->sql("trino"), "SELECT 2");
  EXPECT_EQ(loaded->metadata->versions.size(), 2u);
  EXPECT_EQ(view_to_json(*view_from_json(view_to_json(*loaded->metadata))).dump(),
            view_to_json(*loaded->metadata).dump());
  ASSERT_TRUE(catalog_->rename_view({}, {{"db"}, "v"}, {{"db"}, "w"}));
  ASSERT_TRUE(catalog_->drop_view({}, {{"db"}, "w"}));
  EXPECT_TRUE(catalog_->list_views({}, {"db"})->empty());
}

TEST_F(CatalogTest, BadTablesAreRefused) {
  auto twice = create("t");
  twice.schema.fields[1].name = "id";
  EXPECT_TRUE(catalog_->create_table({}, twice).error().is("schema"));
  auto source = create("t");
  source.spec.fields = {{.source_id = 9, .name = "x"}};
  EXPECT_TRUE(catalog_->create_table({}, source).error().is("partition_spec"));
  auto version = create("t");
  version.properties["format-version"] = "4";
  EXPECT_TRUE(catalog_->create_table({}, version).error().is("format_version"));
  auto location = create("t");
  location.location = "file:///etc";
  EXPECT_TRUE(catalog_->create_table({}, location).error().is("location"));
  auto nowhere = create("t");
  nowhere.name.space = {"nowhere"};
  EXPECT_TRUE(catalog_->create_table({}, nowhere).error().is("no_such_namespace"));
  EXPECT_TRUE(objects("").empty());
}

TEST_F(CatalogTest, DamagedMetadataIsNamed) {
  auto table = catalog_->create_table({}, create("t"));
  ASSERT_TRUE(table);
  auto at = tables::parse_location(table->metadata_location);
  ASSERT_TRUE(store_.put({}, at->bucket, at->key, "{\"format-version\": 2}"));
  auto loaded = catalog_->load_table({}, table->name);
  ASSERT_FALSE(loaded);
  EXPECT_EQ(loaded.error().code, Code::corrupt);
  EXPECT_NE(loaded.error().message.find(at->key), std::string::npos);
  ASSERT_TRUE(catalog_->drop_table({}, table->name, true));  // it can still be dropped
}

}  // namespace
}  // namespace aichemy::catalog
