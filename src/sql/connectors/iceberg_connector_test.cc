#include "sql/connectors/iceberg_connector.h"

#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>

#include "metadb/test_database.h"
#include "objectstore/memory_store.h"
#include "sql/connectors/iceberg_mapping.h"

namespace aichemy::sql {
namespace {

class IcebergConnectorTest : public testing::Test {
 protected:
  void SetUp() override {
    folder_ = std::filesystem::temp_directory_path() /
              ("iceberg_connector_test_" + std::to_string(getpid()));
    std::filesystem::remove_all(folder_);
    std::filesystem::create_directories(folder_);
    auto opened = metadb::open_test_database(folder_);
    ASSERT_TRUE(opened) << opened.error().message;
    database_ = std::move(*opened);
    catalog_ = std::make_unique<catalog::Catalog>(*database_, store_, clock_, random_, metrics_,
                                                  catalog::Catalog::Options{});
    ASSERT_TRUE(catalog_->prepare({}));
    connector_ = std::make_unique<IcebergConnector>(*catalog_, scans_);
    ASSERT_TRUE(connector_->create_schema({}, "db", {}));
  }
  void TearDown() override {
    connector_.reset();
    catalog_.reset();
    database_.reset();
    std::filesystem::remove_all(folder_);
  }

  static NewTable packages() {
    NewTable table;
    table.name = {"db", "packages"};
    table.columns = {{.name = "id", .type = Type(TypeKind::bigint), .nullable = false},
                     {.name = "section", .type = Type::varchar(), .comment = "Debian's"},
                     {.name = "at", .type = Type(TypeKind::timestamp, 3)},
                     {.name = "tags", .type = Type::array(Type::varchar())}};
    table.properties = {{"partitioning", R"j(["section", "day(at)", "bucket(id, 4)"])j"},
                        {"sorted_by", R"j(["id DESC NULLS LAST"])j"},
                        {"format", "parquet"}};
    table.comment = "all of them";
    return table;
  }

  static WrittenFile written(const std::string& path, int64_t from, int64_t to) {
    WrittenFile file;
    file.path = path;
    file.rows = static_cast<uint64_t>(to - from + 1);
    file.bytes = 100;
    file.partition = {"net", "19723", "2"};
    file.columns = {{.field_id = 1,
                     .bytes = 10,
                     .null_count = 0,
                     .min = std::to_string(from),
                     .max = std::to_string(to)},
                    {.field_id = 3,
                     .bytes = 10,
                     .null_count = 0,
                     .min = "2024-01-01 00:00:00",
                     .max = "2024-01-01 23:59:59.5"}};
    return file;
  }

  std::shared_ptr<const LakeScan> scan(const TableRef& table, std::vector<Conjunct> conjuncts) {
    auto planned =
        connector_->plan_scan({}, table, {.columns = {0}, .conjuncts = std::move(conjuncts)});
    EXPECT_TRUE(planned) << planned.error().message;
    keep_ = std::get<EngineScan>(*planned);
    return scans_.find(keep_.handle);
  }

  std::filesystem::path folder_;
  FakeClock clock_;
  SeededRandom random_{1};
  Metrics metrics_;
  objectstore::MemoryStore store_{clock_};
  std::unique_ptr<metadb::Database> database_;
  std::unique_ptr<catalog::Catalog> catalog_;
  LakeScans scans_;
  std::unique_ptr<IcebergConnector> connector_;
  EngineScan keep_;
};

TEST_F(IcebergConnectorTest, TablesShowWhatTheyWereMadeWith) {
  ASSERT_TRUE(connector_->create_table({}, packages()));
  EXPECT_TRUE(connector_->create_table({}, packages()).error().is("table_exists"));
  auto table = connector_->get_table({}, {"db", "packages"});
  ASSERT_TRUE(table && *table);
  const Table& made = **table;
  EXPECT_EQ(made.comment, "all of them");
  ASSERT_GE(made.columns.size(), 4u);
  EXPECT_EQ(made.columns[0].type.display(), "bigint");
  EXPECT_FALSE(made.columns[0].nullable);
  EXPECT_EQ(made.columns[1].comment, "Debian's");
  EXPECT_EQ(made.columns[2].type.display(), "timestamp(6)");
  EXPECT_EQ(made.columns[3].type.display(), "array(varchar)");
  EXPECT_TRUE(made.columns.back().hidden);
  EXPECT_EQ(made.properties.at("partitioning"), R"j(["section","day(at)","bucket(id, 4)"])j");
  EXPECT_EQ(made.properties.at("sorted_by"), R"j(["id DESC NULLS LAST"])j");
  EXPECT_EQ(made.properties.at("format"), "PARQUET");
  EXPECT_EQ(*connector_->list_tables({}, "db"), std::vector<std::string>{"packages"});
  ASSERT_TRUE(connector_->drop_table({}, {"db", "packages"}));
  EXPECT_EQ(*connector_->get_table({}, {"db", "packages"}), nullptr);
  EXPECT_TRUE(connector_->drop_table({}, {"db", "packages"}).error().is("table_not_found"));
}

TEST_F(IcebergConnectorTest, BadPropertiesAreNamed) {
  for (auto [name, value] : {std::pair{"partitioning", R"j(["nothing"])j"},
                             {"partitioning", R"j(["bucket(id)"])j"},
                             {"partitioning", R"j(["hour(section)"])j"},
                             {"partitioning", "section"},
                             {"sorted_by", R"j(["nothing"])j"},
                             {"format", "csv"},
                             {"format_version", "9"},
                             {"location", "/tmp/x"},
                             {"compression_codec", "zip"},
                             {"colour", "red"}}) {
    NewTable table = packages();
    table.properties = {{name, value}};
    auto done = connector_->create_table({}, table);
    ASSERT_FALSE(done) << name << " " << value;
    EXPECT_TRUE(done.error().is("INVALID_TABLE_PROPERTY")) << done.error().message;
  }
}

TEST_F(IcebergConnectorTest, InsertsArriveWithPartitionAndBounds) {
  ASSERT_TRUE(connector_->create_table({}, packages()));
  auto table = connector_->get_table({}, {"db", "packages"});
  auto insert = connector_->begin_insert({}, *table);
  ASSERT_TRUE(insert) << insert.error().message;
  ASSERT_EQ((*insert)->target.partition.size(), 3u);
  EXPECT_EQ((*insert)->target.partition[2].transform, "bucket[4]");
  EXPECT_EQ((*insert)->target.columns[3].field_id.children.size(), 1u);
  ASSERT_TRUE(connector_->finish_insert(
      {}, **insert, {written("s3://warehouse/a", 1, 10), written("s3://warehouse/b", 11, 20)}));
  table = connector_->get_table({}, {"db", "packages"});
  EXPECT_EQ(scan(*table, {})->plan.files.size(), 2u);
  EXPECT_EQ(
      scan(*table, {{.column = 0, .op = Compare::gt, .values = {int64_t{15}}}})->plan.files.size(),
      1u);
  EXPECT_EQ(scan(*table, {{.column = 1, .op = Compare::eq, .values = {std::string("web")}}})
                ->plan.files.size(),
            0u);
  int64_t second_day = 19724LL * 86'400'000'000;
  EXPECT_EQ(
      scan(*table, {{.column = 2, .op = Compare::ge, .values = {second_day}}})->plan.files.size(),
      0u);
  auto found = scan(*table, {});
  EXPECT_EQ(found->columns.size(), (*table)->columns.size());
  EXPECT_EQ(found->plan.files[0].partition, "section=net/at_day=2024-01-01/id_bucket=2");
}

// A file that is held comes with the commit that names it, or not at all.
TEST_F(IcebergConnectorTest, HeldFilesArePutWithTheCommit) {
  ASSERT_TRUE(connector_->create_table({}, packages()));
  ASSERT_TRUE(store_.create_bucket({}, "held"));
  auto table = connector_->get_table({}, {"db", "packages"});
  auto there = [&](const char* key) { return store_.head({}, "held", key, {}).has_value(); };
  auto add = [&](const char* key, std::optional<std::string> section) {
    auto insert = connector_->begin_insert({}, *table);
    EXPECT_TRUE((*insert)->takes_held_files);
    WrittenFile file = written(std::string("s3://held/") + key, 1, 10);
    file.held = std::make_shared<const std::string>("the bytes");
    if (!section) file.partition[1] = "no day";
    return connector_->finish_insert({}, **insert, {file});
  };
  ASSERT_TRUE(add("a", "net"));
  EXPECT_EQ(store_.get({}, "held", "a").value_or(""), "the bytes");
  EXPECT_FALSE(add("b", std::nullopt));
  EXPECT_FALSE(there("b"));
  // The table is gone when the commit comes: nothing of it stays.
  ASSERT_TRUE(connector_->drop_table({}, {"db", "packages"}));
  EXPECT_FALSE(add("c", "net"));
  EXPECT_FALSE(there("c"));
}

TEST_F(IcebergConnectorTest, FilesClaimTheOrderTheyAreWrittenIn) {
  ASSERT_TRUE(connector_->create_table({}, packages()));
  auto table = connector_->get_table({}, {"db", "packages"});
  auto insert = connector_->begin_insert({}, *table);
  const InsertTarget& target = (*insert)->target;
  ASSERT_EQ(target.sort.size(), 1u);
  EXPECT_EQ(target.sort[0].column, std::vector<std::string>{"id"});
  EXPECT_TRUE(target.sort[0].descending);
  EXPECT_FALSE(target.sort[0].nulls_first);
  WrittenFile sorted = written("s3://warehouse/a", 1, 10);
  sorted.sort_order_id = target.sort_order_id;
  ASSERT_TRUE(
      connector_->finish_insert({}, **insert, {sorted, written("s3://warehouse/b", 1, 10)}));
  auto files = scan(*connector_->get_table({}, {"db", "packages"}), {})->plan.files;
  ASSERT_EQ(files.size(), 2u);
  EXPECT_EQ(files[0].sort_order_id, target.sort_order_id);
  EXPECT_EQ(files[1].sort_order_id, std::nullopt);
}

TEST_F(IcebergConnectorTest, AnEpochIsInsertedOnce) {
  ASSERT_TRUE(connector_->create_table({}, packages()));
  auto table = connector_->get_table({}, {"db", "packages"});
  for (int i = 0; i < 2; ++i) {
    auto insert = connector_->begin_insert({}, *table);
    (*insert)->once = {"aichemy.epoch", "job:1"};
    ASSERT_TRUE(connector_->finish_insert({}, **insert, {written("s3://warehouse/a", 1, 10)}));
  }
  EXPECT_EQ(scan(*connector_->get_table({}, {"db", "packages"}), {})->plan.files.size(), 1u);
}

TEST_F(IcebergConnectorTest, CreateTableAsAppearsAtTheEnd) {
  auto insert = connector_->begin_create_table_as({}, packages());
  ASSERT_TRUE(insert) << insert.error().message;
  EXPECT_EQ(*connector_->get_table({}, {"db", "packages"}), nullptr);
  ASSERT_TRUE(connector_->finish_insert({}, **insert, {written("s3://warehouse/a", 1, 10)}));
  auto table = connector_->get_table({}, {"db", "packages"});
  ASSERT_TRUE(table && *table);
  EXPECT_EQ(scan(*table, {})->plan.record_count, 10u);
  EXPECT_TRUE(connector_->begin_create_table_as({}, packages()).error().is("table_exists"));
}

TEST_F(IcebergConnectorTest, NamesIgnoreCaseAndSchemasNest) {
  ASSERT_TRUE(catalog_->create_namespace({}, {"Mixed"}, {}));
  ASSERT_TRUE(catalog_->create_namespace({}, {"Mixed", "Inner"}, {}));
  catalog::CreateTable table;
  table.name = {{"Mixed", "Inner"}, "Table"};
  table.schema.fields = {
      {.id = 1, .name = "Id", .type = tables::primitive(tables::TypeKind::int32)}};
  ASSERT_TRUE(catalog_->create_table({}, table));
  EXPECT_EQ(*connector_->list_schemas({}),
            (std::vector<std::string>{"db", "mixed", "mixed.inner"}));
  auto found = connector_->get_table({}, {"mixed.inner", "table"});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->columns[0].name, "id");
  EXPECT_TRUE(connector_->drop_schema({}, "mixed", false).error().is("schema_not_empty"));
  EXPECT_TRUE(connector_->drop_schema({}, "nothing", false).error().is("schema_not_found"));
  ASSERT_TRUE(connector_->drop_schema({}, "mixed.inner", true));
}

TEST_F(IcebergConnectorTest, ViewsKeepTheirExactTypes) {
  View view;
  view.sql = "SELECT 1 a";
  view.catalog = "iceberg";
  view.schema = "db";
  view.owner = "me";
  view.columns = {{.name = "a", .type = Type(TypeKind::char_, 3)},
                  {.name = "b", .type = Type(TypeKind::tinyint)}};
  ASSERT_TRUE(connector_->create_view({}, {"db", "v"}, view, false));
  EXPECT_FALSE(connector_->create_view({}, {"db", "v"}, view, false));
  view.sql = "SELECT 2 a";
  ASSERT_TRUE(connector_->create_view({}, {"db", "v"}, view, true));
  auto found = connector_->get_view({}, {"db", "v"});
  ASSERT_TRUE(found && *found);
  EXPECT_EQ((*found)->sql, "SELECT 2 a");
  EXPECT_EQ((*found)->columns[0].type.display(), "char(3)");
  EXPECT_EQ((*found)->owner, "me");
  EXPECT_EQ(*connector_->list_views({}, "db"), std::vector<std::string>{"v"});
  EXPECT_FALSE(*connector_->get_view({}, {"db", "none"}));
  ASSERT_TRUE(connector_->drop_view({}, {"db", "v"}));
}

TEST(IcebergMappingTest, EngineTextReadsBack) {
  using Kind = tables::TypeKind;
  struct Row {
    tables::Type type;
    const char* text;
    std::optional<tables::Value> value;
  };
  const Row rows[] = {
      {tables::primitive(Kind::boolean), "true", tables::Value(true)},
      {tables::primitive(Kind::int64), "-7", tables::Value(-7)},
      {tables::primitive(Kind::float64), "0.5", tables::Value(0.5)},
      {tables::primitive(Kind::float64), "nan", std::nullopt},
      {tables::decimal_type(9, 2), "-1.50", tables::Value(tables::Int128{-150})},
      {tables::primitive(Kind::date), "1970-01-02", tables::Value(1)},
      {tables::primitive(Kind::time), "00:00:01.5", tables::Value(1'500'000)},
      {tables::primitive(Kind::timestamp), "1970-01-01 00:00:01", tables::Value(1'000'000)},
      {tables::primitive(Kind::timestamptz), "1970-01-01 00:00:01+00", tables::Value(1'000'000)},
      {tables::primitive(Kind::timestamptz), "1970-01-01 00:00:01+02", std::nullopt},
      {tables::primitive(Kind::string), "a b", tables::Value("a b")},
      {tables::primitive(Kind::binary), "a\\x00\\xFF", tables::Value(std::string("a\0\xff", 3))},
      {tables::primitive(Kind::binary), "a\\q", std::nullopt},
  };
  for (const Row& row : rows) {
    EXPECT_EQ(value_from_engine_text(row.text, row.type), row.value) << row.text;
  }
}

TEST(IcebergMappingTest, TypesMapAndUnsupportedOnesAreNamed) {
  for (const char* text :
       {"boolean", "integer", "bigint", "real", "double", "decimal(38, 3)", "date", "time(6)",
        "timestamp(6)", "timestamp(6) with time zone", "varchar", "varbinary", "uuid",
        "array(map(varchar, row(a integer, b array(date))))"}) {
    auto type = parse_type(text);
    ASSERT_TRUE(type) << text;
    int id = 0;
    auto mapped = iceberg_type(*type, &id);
    ASSERT_TRUE(mapped) << text;
    EXPECT_EQ(trino_type(*mapped).display(), type->display());
  }
  int id = 0;
  auto refused = iceberg_type(Type(TypeKind::json), &id);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().message, "Type not supported for Iceberg: json");
}

}  // namespace
}  // namespace aichemy::sql
