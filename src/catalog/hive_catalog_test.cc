#include "catalog/hive_catalog.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "catalog/hive_filter.h"
#include "catalog/hive_locks.h"
#include "metadb/test_database.h"
#include "objectstore/memory_store.h"

namespace aichemy::catalog {
namespace {

namespace thrift = wire::thrift;

class HiveCatalogTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() / ("hive_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = metadb::open_test_database(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    catalog_ = std::make_unique<Catalog>(*database_, store_, clock_, random_, metrics_,
                                         Catalog::Options{});
    ASSERT_TRUE(catalog_->prepare({}));
    hive_ = std::make_unique<HiveCatalog>(*catalog_, *database_, clock_, random_);
    ASSERT_TRUE(hive_->create_database({}, {.name = "db"}));
  }
  void TearDown() override {
    hive_.reset();
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static hive::Table table(const std::string& name, bool parted = false) {
    hive::Table table;
    table.name = name;
    table.database_name = "db";
    table.storage.emplace();
    table.storage->columns = {{hive::FieldSchema{"Id", "bigint", {}}}};
    if (parted)
      table.partition_keys = {
          {hive::FieldSchema{"ds", "string", {}}, hive::FieldSchema{"h", "int", {}}}};
    table.table_type = "MANAGED_TABLE";
    return table;
  }
  static hive::Partition partition(PartitionValues values) {
    hive::Partition partition;
    partition.values = std::move(values);
    return partition;
  }
  // An Iceberg table made by the other front, as a Metastore client reads it.
  hive::Table iceberg(const std::string& name) {
    CreateTable create;
    create.name = {{"db"}, name};
    create.schema.fields = {
        {.id = 1, .name = "Id", .type = tables::primitive(tables::TypeKind::int64)}};
    EXPECT_TRUE(catalog_->create_table({}, create));
    auto seen = hive_->load_table({}, "db", name);
    EXPECT_TRUE(seen) << seen.error().message;
    return seen ? *seen : hive::Table{};
  }
  // What a client does: a new metadata file, made from the current one.
  std::string next_metadata(const std::string& name, const char* key) {
    auto loaded = catalog_->load_table({}, {{"db"}, name});
    auto changed = tables::iceberg::apply_updates(
        loaded->metadata.get(), {tables::iceberg::Update::set({{key, "1"}})},
        {clock_.wall_millis(), loaded->metadata_location});
    std::string location = loaded->metadata->location + "/metadata/00001-" + key + ".metadata.json";
    EXPECT_TRUE(catalog_->files().write_new({}, location,
                                            tables::iceberg::metadata_to_json(*changed).dump()));
    return location;
  }
  Status move(hive::Table table, const std::string& to, const std::string& from,
              hive::Parameters context = {}) {
    (*table.parameters)["metadata_location"] = to;
    (*table.parameters)["previous_metadata_location"] = from;
    return hive_->alter_table({}, "db", *table.name, table, context);
  }

  std::filesystem::path folder_;
  FakeClock clock_;
  SeededRandom random_{1};
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<Catalog> catalog_;
  std::unique_ptr<HiveCatalog> hive_;
};

TEST_F(HiveCatalogTest, NamesTakeEveryForm) {
  EXPECT_EQ(parse_database_name("@hive#Db").database, "db");
  EXPECT_EQ(parse_database_name("@hive#!").database, "");
  EXPECT_EQ(parse_database_name("@hive").catalog, "hive");
  EXPECT_EQ(parse_database_name("Db").catalog, "hive");
  ASSERT_TRUE(hive_->create_table({}, table("T")));
  EXPECT_TRUE(hive_->load_table({}, "@hive#DB", "t"));
  EXPECT_FALSE(hive_->load_table({}, "@other#db", "t"));
}

TEST_F(HiveCatalogTest, HiveTablesAreForHiveOnly) {
  ASSERT_TRUE(hive_->create_table({}, table("t")));
  auto again = hive_->create_table({}, table("t"));
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().message, "Table hive.db.t already exists");
  auto loaded = hive_->load_table({}, "db", "t");
  ASSERT_TRUE(loaded);
  EXPECT_EQ((*loaded->storage->columns)[0].name, "id");
  EXPECT_EQ(loaded->storage->location, "s3://warehouse/db/t");
  EXPECT_TRUE(catalog_->list_tables({}, {"db"})->empty());
  EXPECT_FALSE(catalog_->load_table({}, {{"db"}, "t"}));
  CreateTable create{.name = {{"db"}, "t"}};
  create.schema.fields = {
      {.id = 1, .name = "a", .type = tables::primitive(tables::TypeKind::date)}};
  auto taken = catalog_->create_table({}, create);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::exists);
  EXPECT_FALSE(hive_->drop_database({}, "db", false, false));
  ASSERT_TRUE(hive_->drop_database({}, "db", false, true));
  EXPECT_FALSE(hive_->load_database({}, "db"));
}

TEST_F(HiveCatalogTest, IcebergTablesAreDescribedFromTheirMetadata) {
  hive::Table seen = iceberg("ice");
  EXPECT_EQ(seen.table_type, "EXTERNAL_TABLE");
  EXPECT_EQ((*seen.parameters)["table_type"], "ICEBERG");
  EXPECT_EQ((*seen.storage->columns)[0].type, "bigint");
  auto loaded = catalog_->load_table({}, {{"db"}, "ice"});
  EXPECT_EQ((*seen.parameters)["metadata_location"], loaded->metadata_location);
}

// H1: a pointer moves only from where the client says it was.
TEST_F(HiveCatalogTest, PointersMoveOnlyFromWhereTheyAre) {
  hive::Table seen = iceberg("ice");
  std::string first = (*seen.parameters)["metadata_location"];
  std::string second = next_metadata("ice", "second");
  std::string third = next_metadata("ice", "third");
  ASSERT_TRUE(move(seen, second, first));
  EXPECT_EQ(catalog_->load_table({}, {{"db"}, "ice"})->metadata->property("second"), "1");
  // The other writer also read `first`.
  auto lost = move(seen, third, first);
  ASSERT_FALSE(lost);
  EXPECT_TRUE(lost.error().is("table_modified"));
  EXPECT_TRUE(lost.error().message.starts_with(
      "The table has been modified. The parameter value for key 'metadata_location' is"));
  hive::Parameters expects = {{"expected_parameter_key", "metadata_location"},
                              {"expected_parameter_value", first}};
  EXPECT_FALSE(move(seen, third, second, expects));
  expects["expected_parameter_value"] = second;
  EXPECT_TRUE(move(seen, third, second, expects));
  // What was read before another front's commit does not bring the old pointer back.
  ASSERT_TRUE(
      catalog_->commit({}, {{{"db"}, "ice"}, {}, {tables::iceberg::Update::set({{"q", "1"}})}}));
  EXPECT_FALSE(move(seen, third, second));
  EXPECT_EQ((*hive_->load_table({}, "db", "ice")->parameters)["q"], "1");
}

// H2: no pointer to a file that is missing or is another table's.
TEST_F(HiveCatalogTest, PointersNameReadableMetadataOfTheSameTable) {
  hive::Table seen = iceberg("ice");
  hive::Table other = iceberg("other");
  std::string first = (*seen.parameters)["metadata_location"];
  EXPECT_FALSE(move(seen, "s3://warehouse/nowhere.metadata.json", first));
  EXPECT_FALSE(move(seen, (*other.parameters)["metadata_location"], first));
  hive::Table made = table("made");
  made.parameters =
      hive::Parameters{{"table_type", "ICEBERG"}, {"metadata_location", "s3://warehouse/no.json"}};
  EXPECT_FALSE(hive_->create_table({}, made));
  EXPECT_FALSE(hive_->load_table({}, "db", "made"));
}

TEST_F(HiveCatalogTest, RenamesKeepPartitionsAndRefuseTakenNames) {
  ASSERT_TRUE(hive_->create_table({}, table("p", true)));
  ASSERT_TRUE(hive_->create_table({}, table("q")));
  ASSERT_TRUE(hive_->add_partitions({}, "db", "p", {partition({"2024-01-01", "1"})}, false));
  auto loaded = hive_->load_table({}, "db", "p");
  loaded->name = "q";
  EXPECT_FALSE(hive_->alter_table({}, "db", "p", *loaded, {}));
  loaded->name = "R";
  ASSERT_TRUE(hive_->alter_table({}, "db", "p", *loaded, {}));
  EXPECT_FALSE(hive_->load_table({}, "db", "p"));
  auto moved = hive_->load_partition({}, "db", "r", {"2024-01-01", "1"});
  ASSERT_TRUE(moved);
  EXPECT_EQ(thrift::decode<hive::Partition>(moved->bytes)->table_name, "r");
}

TEST_F(HiveCatalogTest, RenamingAManagedTableMovesItsFolder) {
  tables::FileIo& files = catalog_->files();
  ASSERT_TRUE(hive_->create_table({}, table("p", true)));
  ASSERT_TRUE(hive_->add_partitions({}, "db", "p", {partition({"2024-01-01", "1"})}, false));
  auto old = hive_->load_table({}, "db", "p");
  std::string from = *old->storage->location, to = from.substr(0, from.size() - 1) + "q";
  ASSERT_TRUE(files.write_new({}, from + "/ds=2024-01-01/h=1/f", "rows"));

  hive::Table renamed = *old;
  renamed.name = "q";
  ASSERT_TRUE(files.write_new({}, to + "/stray", ""));
  auto refused = hive_->alter_table({}, "db", "p", renamed, {});
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().message.find("already exists : " + to), std::string::npos);
  ASSERT_TRUE(files.remove({}, to + "/stray"));
  ASSERT_TRUE(hive_->alter_table({}, "db", "p", renamed, {}));

  EXPECT_EQ(hive_->load_table({}, "db", "q")->storage->location, to);
  auto moved = hive_->load_partition({}, "db", "q", {"2024-01-01", "1"});
  EXPECT_EQ(thrift::decode<hive::Partition>(moved->bytes)->storage->location,
            to + "/ds=2024-01-01/h=1");
  EXPECT_EQ(files.read({}, to + "/ds=2024-01-01/h=1/f").value_or(""), "rows");
  EXPECT_FALSE(files.has_prefix({}, from).value_or(true));

  // A new table of the old name is empty, and one whose folder is its own affair stays there.
  ASSERT_TRUE(hive_->create_table({}, table("p", true)));
  hive::Table outside = table("e");
  outside.table_type = "EXTERNAL_TABLE";
  outside.storage->location = to + "_elsewhere";
  ASSERT_TRUE(hive_->create_table({}, outside));
  outside = *hive_->load_table({}, "db", "e");
  outside.name = "e2";
  ASSERT_TRUE(hive_->alter_table({}, "db", "e", outside, {}));
  EXPECT_EQ(hive_->load_table({}, "db", "e2")->storage->location, to + "_elsewhere");
}

TEST_F(HiveCatalogTest, PartitionsAreFoundByNamePrefixAndFilter) {
  ASSERT_TRUE(hive_->create_table({}, table("p", true)));
  std::vector<hive::Partition> many;
  for (const char* day : {"2024-01-01", "2024-01-02", "a/b=c%"}) {
    for (int hour = 0; hour < 12; ++hour) many.push_back(partition({day, std::to_string(hour)}));
  }
  ASSERT_TRUE(hive_->add_partitions({}, "db", "p", many, false));
  EXPECT_EQ(hive_->partition_names({}, "db", "p", {})->size(), 36u);
  EXPECT_EQ(hive_->partition_names({}, "db", "p", {{}, "", 5})->size(), 5u);
  EXPECT_EQ(*hive_->partition_names({}, "db", "p", {{{"a/b=c%", "3"}}, "", -1}),
            (std::vector<std::string>{"ds=a%2Fb%3Dc%25/h=3"}));
  EXPECT_EQ(hive_->partition_names({}, "db", "p", {{{"", "3"}}, "", -1})->size(), 3u);
  auto filtered = [&](const char* filter) {
    auto names = hive_->partition_names({}, "db", "p", {{}, filter, -1});
    EXPECT_TRUE(names) << names.error().message;
    return names ? names->size() : 999;
  };
  EXPECT_EQ(filtered("ds = \"2024-01-02\" and h >= 10"), 2u);
  EXPECT_EQ(filtered("h > 9 and (ds like '2024%' or DS = 'x')"), 4u);
  EXPECT_EQ(filtered("not (h between 1 and 11)"), 3u);
  EXPECT_EQ(filtered("h in (1, 2, 77) and ds != '2024-01-01'"), 4u);
  EXPECT_EQ(filtered("3 <= h and 5 > h"), 6u);
  EXPECT_FALSE(hive_->partition_names({}, "db", "p", {{}, "nope = 1", -1}));
  EXPECT_FALSE(hive_->partition_names({}, "db", "p", {{}, "ds = ", -1}));
  // All or none.
  auto taken = hive_->add_partitions(
      {}, "db", "p", {partition({"new", "1"}), partition({"2024-01-01", "1"})}, false);
  ASSERT_FALSE(taken);
  EXPECT_EQ(taken.error().code, Code::exists);
  EXPECT_EQ(hive_->partition_names({}, "db", "p", {})->size(), 36u);
  EXPECT_EQ(hive_
                ->add_partitions({}, "db", "p",
                                 {partition({"new", "1"}), partition({"2024-01-01", "1"})}, true)
                ->size(),
            1u);
  EXPECT_FALSE(hive_->add_partitions({}, "db", "p", {partition({"too few"})}, false));
  ASSERT_TRUE(hive_->drop_partitions({}, "db", "p", {"ds=new/h=1"}, true, false));
  EXPECT_FALSE(hive_->drop_partitions({}, "db", "p", {"ds=new/h=1"}, true, false));
  EXPECT_TRUE(hive_->drop_partitions({}, "db", "p", {"ds=new/h=1"}, true, true)->empty());
}

TEST_F(HiveCatalogTest, EventsFollowEveryFront) {
  auto from = hive_->last_event({});
  (void)iceberg("ice");
  ASSERT_TRUE(
      catalog_->commit({}, {{{"db"}, "ice"}, {}, {tables::iceberg::Update::set({{"a", "b"}})}}));
  ASSERT_TRUE(hive_->drop_table({}, "db", "ice", false));
  auto events = hive_->events_after({}, *from, -1);
  ASSERT_TRUE(events);
  std::vector<std::string> kinds;
  for (const auto& event : *events) kinds.push_back(event.type);
  EXPECT_EQ(kinds, (std::vector<std::string>{"CREATE_TABLE", "ALTER_TABLE", "DROP_TABLE"}));
  EXPECT_EQ((*events)[2].id, *from + 3);
}

TEST(HiveFilterTest, RefusesWhatItDoesNotUnderstand) {
  for (const char* text : {"", "a", "a =", "= 1", "a = 1 b = 2", "(a = 1", "a = 'x",
                           "a between 1 or 2", "a in 1", "a not = 1", "a = 1 and", "a ; 1"}) {
    EXPECT_FALSE(HiveFilter::parse(text)) << text;
  }
  EXPECT_FALSE(HiveFilter::parse(std::string(5000, '(')));
}

TEST(HiveLocksTest, ExclusiveWaitsAndExpires) {
  FakeClock clock;
  HiveLocks locks(clock, std::chrono::seconds(300));
  auto request = [](hive::LockType type, const char* table) {
    hive::LockRequest request;
    request.components = {{static_cast<int32_t>(type), 2, "DB", std::string(table)}};
    return request;
  };
  constexpr int32_t kAcquired = 1, kWaiting = 2;
  auto first = locks.lock(request(hive::LockType::exclusive, "t"));
  auto second = locks.lock(request(hive::LockType::exclusive, "T"));
  auto other = locks.lock(request(hive::LockType::exclusive, "u"));
  ASSERT_TRUE(first && second && other);
  EXPECT_EQ(first->state, kAcquired);
  EXPECT_EQ(second->state, kWaiting);
  EXPECT_EQ(other->state, kAcquired);
  EXPECT_EQ(locks.show({})[1].blocked_by, first->lock_id);
  ASSERT_TRUE(locks.unlock(first->lock_id));
  EXPECT_EQ(locks.check(second->lock_id)->state, kAcquired);
  auto third = locks.lock(request(hive::LockType::shared_read, "t"));
  EXPECT_EQ(third->state, kWaiting);
  clock.advance(std::chrono::seconds(200));
  EXPECT_EQ(locks.check(third->lock_id)->state, kWaiting);
  clock.advance(std::chrono::seconds(200));  // the second's holder is gone
  EXPECT_EQ(locks.check(third->lock_id)->state, kAcquired);
  EXPECT_TRUE(locks.unlock(second->lock_id).error().is("no_such_lock"));
  auto read = locks.lock(request(hive::LockType::shared_read, "t"));
  auto write = locks.lock(request(hive::LockType::shared_write, "t"));
  auto write_too = locks.lock(request(hive::LockType::shared_write, "t"));
  EXPECT_EQ(read->state, kAcquired);
  EXPECT_EQ(write->state, kAcquired);
  EXPECT_EQ(write_too->state, kWaiting);
}

}  // namespace
}  // namespace aichemy::catalog
