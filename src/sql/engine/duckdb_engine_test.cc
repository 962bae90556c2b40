#include "sql/engine/duckdb_engine.h"

#include <gtest/gtest.h>

#include "base/clock.h"
#include "objectstore/memory_store.h"
#include "tables/deletion_vector.h"

namespace aichemy::sql {
namespace {

Type of(TypeKind kind, int32_t precision = 0) { return Type(kind, precision); }

class DuckDbEngineTest : public testing::Test {
 protected:
  void SetUp() override {
    ASSERT_TRUE(store_.create_bucket({}, "b"));
    engine_ = DuckDbEngine::start({.store = store_,
                                   .scans = scans_,
                                   .texts = &texts_,
                                   .metrics = metrics_,
                                   .random = random_,
                                   .spill_directory = testing::TempDir() + "/spill"})
                  .value();
  }

  Result<std::string> rows(const std::string& sql, std::vector<Type> types,
                           std::vector<std::shared_ptr<void>> keep = {}) {
    std::vector<OutputColumn> columns;
    for (Type& type : types) columns.push_back({"c", std::move(type)});
    ASSIGN_OR_RETURN(auto stream, engine_->execute({}, sql, columns, std::move(keep)));
    std::string out;
    for (;;) {
      ASSIGN_OR_RETURN(Page page, stream->next_page(1 << 20));
      out += page.rows_json;
      if (page.done) return out;
    }
  }

  SystemClock clock_;
  objectstore::MemoryStore store_{clock_};
  LakeScans scans_;
  TextScans texts_;
  Metrics metrics_;
  SystemRandom random_;
  std::unique_ptr<DuckDbEngine> engine_;
};

TEST_F(DuckDbEngineTest, EncodesEveryType) {
  struct Row {
    const char* sql;
    Type type;
    const char* json;
  };
  Type row_type = Type::row({{std::nullopt, of(TypeKind::integer)}, {"b", Type::varchar()}});
  for (const Row& row : {
           Row{"NULL::INTEGER", of(TypeKind::integer), "null"},
           {"true", of(TypeKind::boolean), "true"},
           {"(-128)::TINYINT", of(TypeKind::tinyint), "-128"},
           {"9223372036854775807", of(TypeKind::bigint), "9223372036854775807"},
           {"1::DOUBLE", of(TypeKind::double_), "1.0"},
           {"1e300::DOUBLE", of(TypeKind::double_), "1e+300"},
           {"0.1::FLOAT", of(TypeKind::real), "0.1"},
           {"'nan'::DOUBLE", of(TypeKind::double_), "\"NaN\""},
           {"'-inf'::DOUBLE", of(TypeKind::double_), "\"-Infinity\""},
           {"1.10::DECIMAL(5,2)", Type::decimal(5, 2), "\"1.10\""},
           {"(-12345678901234567890.5)::DECIMAL(38,1)", Type::decimal(38, 1),
            "\"-12345678901234567890.5\""},
           {"'a\"ü'", Type::varchar(), "\"a\\\"ü\""},
           {"'ab'", Type(TypeKind::char_, 4), "\"ab  \""},
           {"'\\x00\\xFF'::BLOB", of(TypeKind::varbinary), "\"AP8=\""},
           {"DATE '2024-02-29'", of(TypeKind::date), "\"2024-02-29\""},
           {"TIME '01:02:03.456789'", of(TypeKind::time, 3), "\"01:02:03.456\""},
           {"TIMESTAMP '1969-12-31 23:59:59.5'", of(TypeKind::timestamp, 6),
            "\"1969-12-31 23:59:59.500000\""},
           {"TIMESTAMP '2024-01-01 00:00:00'", of(TypeKind::timestamp, 0),
            "\"2024-01-01 00:00:00\""},
           {"aichemy_stored_tz6(TIMESTAMPTZ '2024-01-01 01:00:00+01')",
            of(TypeKind::timestamp_tz, 3), "\"2024-01-01 00:00:00.000 UTC\""},
           {"-14", of(TypeKind::interval_year_month), "\"-1-2\""},
           {"93784005::BIGINT", of(TypeKind::interval_day_time), "\"1 02:03:04.005\""},
           {"[1,NULL,3]", Type::array(of(TypeKind::integer)), "[1,null,3]"},
           {"[]::INTEGER[]", Type::array(of(TypeKind::integer)), "[]"},
           {"MAP{1:'a'}", Type::map(of(TypeKind::integer), Type::varchar()), "{\"1\":\"a\"}"},
           {"{f0: 1, f1: 'x'}", row_type, "[1,\"x\"]"},
           {"[{f0: 1, f1: 'x'}, NULL]", Type::array(row_type), "[[1,\"x\"],null]"},
           {"'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11'::UUID", of(TypeKind::uuid),
            "\"a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11\""},
       }) {
    EXPECT_EQ(rows(std::string("SELECT ") + row.sql, {row.type}).value_or("?"),
              std::string("[[") + row.json + "]]")
        << row.sql;
  }
}

TEST_F(DuckDbEngineTest, PagesAndLimits) {
  auto stream =
      engine_->execute({}, "SELECT range FROM range(200000)", {{"n", of(TypeKind::bigint)}}, {})
          .value();
  uint64_t total = 0;
  int pages = 0;
  for (bool done = false; !done; ++pages) {
    Page page = stream->next_page(100'000).value();
    total += page.rows;
    done = page.done;
    EXPECT_LT(page.rows_json.size(), 500'000u);  // a piece of a thread is 256 KiB
  }
  EXPECT_EQ(total, 200'000u);
  EXPECT_GT(pages, 3);
}

TEST_F(DuckDbEngineTest, RowsKeepTheOrderOfTheStatement) {
  auto text = rows("SELECT range FROM range(300000) ORDER BY range DESC", {of(TypeKind::bigint)});
  ASSERT_TRUE(text) << text.error().message;
  long expected = 300'000;
  for (size_t at = text->find_first_of("0123456789"); at != std::string::npos;) {
    size_t end = text->find(']', at);
    ASSERT_EQ(std::stol(text->substr(at, end - at)), --expected);
    at = text->find_first_of("0123456789", end);
  }
  EXPECT_EQ(expected, 0);
}

TEST_F(DuckDbEngineTest, DoublesHaveTheirShortestText) {
  struct Row {
    const char* sql;
    const char* json;
  };
  for (const Row& row : {Row{"0.0", "0.0"},
                         {"'-0.0'", "-0.0"},
                         {"0.01", "0.01"},
                         {"-0.1", "-0.1"},
                         {"21168.23", "21168.23"},
                         {"-104999.95", "-104999.95"},
                         {"1.005", "1.005"},
                         {"100000", "100000.0"},
                         {"9999999999999.99", "9999999999999.99"},
                         {"12345678901234.5", "12345678901234.5"},
                         {"0.1 + 0.2::DOUBLE", "0.30000000000000004"},
                         {"1e22", "1e+22"},
                         {"5e-324", "5e-324"}}) {
    EXPECT_EQ(rows(std::string("SELECT (") + row.sql + ")::DOUBLE", {of(TypeKind::double_)})
                  .value_or("?"),
              std::string("[[") + row.json + "]]")
        << row.sql;
  }
}

TEST_F(DuckDbEngineTest, ErrorsAndLockdown) {
  EXPECT_EQ(rows("SELECT nothing", {of(TypeKind::integer)}).error().code, Code::invalid);
  EXPECT_EQ(
      rows("SELECT error('TRINO[DIVISION_BY_ZERO] Division by zero')", {of(TypeKind::integer)})
          .error()
          .code,
      Code::invalid);
  EXPECT_FALSE(rows("SELECT * FROM read_csv('/etc/passwd')", {of(TypeKind::integer)}));
  EXPECT_FALSE(rows("COPY (SELECT 1) TO '/tmp/aichemy-escape.csv'", {of(TypeKind::integer)}));
  auto missing =
      rows("SELECT * FROM read_parquet('lake://b/none.parquet')", {of(TypeKind::integer)});
  EXPECT_EQ(missing.error().code, Code::corrupt) << missing.error().message;
}

TEST_F(DuckDbEngineTest, CancelEndsARunningStatement) {
  std::stop_source stop;
  Call call;
  call.cancel = stop.get_token();
  auto stream =
      engine_->execute(call, "SELECT count(*) FROM range(100000000000) WHERE range % 7 = 1",
                       {{"n", of(TypeKind::bigint)}}, {});
  ASSERT_TRUE(stream);
  stop.request_stop();
  EXPECT_EQ((*stream)->next_page(1000).error().code, Code::cancelled);
}

tables::Schema schema_of(std::vector<tables::Field> fields) {
  tables::Schema schema;
  schema.fields = std::move(fields);
  return schema;
}

TEST_F(DuckDbEngineTest, WritesAndScansByFieldId) {
  InsertTarget target;
  target.location = "s3://b/t/data";
  Type row_type = Type::row({{"x y", of(TypeKind::integer)}, {"z", Type::varchar()}});
  target.columns = {{"id", of(TypeKind::bigint), {1, {}}, true},
                    {"Na\"me", Type::varchar(), {2, {}}},
                    {"r", row_type, {3, {{4, {}}, {5, {}}}}},
                    {"l", Type::array(of(TypeKind::double_)), {6, {{7, {}}}}}};
  auto files =
      engine_->write({},
                     "SELECT range AS id, 'n' || range AS \"Na\"\"me\", "
                     "{'x y': range::INTEGER, 'z': 'v'} AS r, [range::DOUBLE] AS l FROM range(10)",
                     target, {});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 1u);
  const WrittenFile& file = files->front();
  EXPECT_EQ(file.rows, 10u);
  EXPECT_TRUE(file.path.starts_with("s3://b/t/data/"));
  EXPECT_EQ(file.bytes, store_.list({}, "b", {.prefix = "t/data/"}).value().objects[0].size);
  std::map<int32_t, std::string> maxima;
  for (const auto& column : file.columns) maxima[column.field_id] = column.max.value_or("-");
  EXPECT_EQ(maxima[1], "9");
  EXPECT_EQ(maxima[2], "n9");
  EXPECT_EQ(maxima[4], "9");
  EXPECT_EQ(maxima[7], "9.0");

  auto scan = std::make_shared<LakeScan>();
  using tables::primitive;
  scan->plan.schema =
      schema_of({{.id = 1, .name = "id", .type = primitive(tables::TypeKind::int64)},
                 {.id = 9, .name = "added", .type = primitive(tables::TypeKind::int32)},
                 {.id = 3, .name = "s", .type = primitive(tables::TypeKind::struct_)}});
  scan->plan.schema.fields[1].initial_default = Json(42);
  tables::Type& inside = scan->plan.schema.fields[2].type;
  inside.fields = {{.id = 98, .name = "d", .type = primitive(tables::TypeKind::int64)}};
  inside.fields[0].initial_default = Json(-7);
  tables::DataFile data;
  data.path = file.path;
  data.size = file.bytes;
  data.record_count = file.rows;
  data.constants = {{8, tables::Value("const")}};
  scan->plan.files = {data};
  scan->plan.record_count = 10;
  // Renamed, reordered, with a struct field gone and one of a default, a partition constant, a
  // later column with a default, the path.
  scan->columns = {
      {Type::varchar(), {2, {}}},
      {of(TypeKind::bigint), {1, {}}},
      {Type::row(
           {{"z", Type::varchar()}, {"new", of(TypeKind::bigint)}, {"d", of(TypeKind::bigint)}}),
       {3, {{5, {}}, {99, {}}, {98, {}}}}},
      {Type::varchar(), {8, {}}},
      {of(TypeKind::integer), {9, {}}},
      {Type::array(of(TypeKind::double_)), {6, {{7, {}}}}},
      {Type::varchar(), {}, LakeColumnSource::path}};
  EngineScan handle = scans_.add(scan);
  std::string from = " FROM lake_scan('" + handle.handle + "')";
  EXPECT_EQ(rows("SELECT c1, c0, c2, c3, c4, c5" + from + " WHERE c1 = 7",
                 {of(TypeKind::bigint), Type::varchar(), scan->columns[2].type, Type::varchar(),
                  of(TypeKind::integer), scan->columns[5].type},
                 {handle.keep})
                .value(),
            "[[7,\"n7\",[\"v\",null,-7],\"const\",42,[7.0]]]");
  EXPECT_EQ(rows("SELECT count(*)" + from, {of(TypeKind::bigint)}).value(), "[[10]]");
  EXPECT_EQ(rows("SELECT DISTINCT c6" + from, {Type::varchar()}).value(),
            "[[\"" + file.path + "\"]]");
  EXPECT_EQ(rows("SELECT count(*)" + from + " WHERE c3 = 'other'", {of(TypeKind::bigint)}).value(),
            "[[0]]");
}

TEST_F(DuckDbEngineTest, AppliesDeletes) {
  InsertTarget target;
  target.location = "s3://b/t/data";
  target.columns = {{"id", of(TypeKind::bigint), {1, {}}}};
  WrittenFile data =
      engine_->write({}, "SELECT range AS id FROM range(5000)", target, {}).value()[0];
  InsertTarget positions;
  positions.location = "s3://b/t/deletes";
  positions.columns = {{"file_path", Type::varchar(), {2147483546, {}}},
                       {"pos", of(TypeKind::bigint), {2147483545, {}}}};
  std::string path = "'" + data.path + "'";
  WrittenFile by_position =
      engine_
          ->write({}, "SELECT " + path + " AS file_path, unnest([0, 17, 4999]) AS pos", positions,
                  {})
          .value()[0];
  WrittenFile by_value =
      engine_->write({}, "SELECT unnest([17, 18, 99999])::BIGINT AS id", target, {}).value()[0];

  auto scan = std::make_shared<LakeScan>();
  scan->plan.schema =
      schema_of({{.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)}});
  tables::DataFile file;
  file.path = data.path;
  file.size = data.bytes;
  file.record_count = data.rows;
  file.deletes = {0, 1};
  scan->plan.files = {file};
  scan->plan.delete_files = {
      {.kind = tables::DeleteKind::position, .path = by_position.path},
      {.kind = tables::DeleteKind::equality, .path = by_value.path, .equality_ids = {1}}};
  scan->columns = {{of(TypeKind::bigint), {1, {}}}};
  EngineScan handle = scans_.add(scan);
  EXPECT_EQ(
      rows("SELECT count(*), min(c0), max(c0), sum(c0)::BIGINT FROM lake_scan('" + handle.handle +
               "')",
           {of(TypeKind::bigint), of(TypeKind::bigint), of(TypeKind::bigint), of(TypeKind::bigint)})
          .value(),
      "[[4996,1,4998,12492466]]");
  handle.keep.reset();
  EXPECT_EQ(scans_.find(handle.handle), nullptr);
}

TEST_F(DuckDbEngineTest, AppliesDeletionVectors) {
  InsertTarget target;
  target.location = "s3://b/t/data";
  target.columns = {{"id", of(TypeKind::bigint), {1, {}}}};
  WrittenFile data =
      engine_->write({}, "SELECT range AS id FROM range(5000)", target, {}).value()[0];
  std::vector<tables::VectorBlob> vectors = {{"s3://b/t/data/other", {1}, 0, 0},
                                             {data.path, {0, 17, 4999}, 0, 0}};
  std::string puffin = tables::encode_puffin(&vectors);
  ASSERT_TRUE(store_.put({}, "b", "t/data/deletes.puffin", puffin));
  auto scan = std::make_shared<LakeScan>();
  scan->plan.schema =
      schema_of({{.id = 1, .name = "id", .type = tables::primitive(tables::TypeKind::int64)}});
  tables::DataFile file;
  file.path = data.path;
  file.size = data.bytes;
  file.record_count = data.rows;
  file.deletes = {0};
  scan->plan.files = {file};
  scan->plan.delete_files = {{.kind = tables::DeleteKind::deletion_vector,
                              .path = "s3://b/t/data/deletes.puffin",
                              .format = tables::FileFormat::puffin,
                              .record_count = 3,
                              .referenced_data_file = data.path,
                              .content_offset = vectors[1].offset,
                              .content_size = vectors[1].size}};
  scan->columns = {{of(TypeKind::bigint), {1, {}}}};
  EngineScan handle = scans_.add(scan);
  std::string query =
      "SELECT count(*), min(c0), max(c0), sum(c0)::BIGINT FROM lake_scan('" + handle.handle + "')";
  std::vector<Type> types(4, of(TypeKind::bigint));
  EXPECT_EQ(rows(query, types).value(), "[[4997,1,4998,12492484]]");
  auto damaged = std::make_shared<LakeScan>(*scan);
  damaged->plan.delete_files[0].record_count = 4;
  EngineScan broken = scans_.add(damaged);
  EXPECT_FALSE(
      rows("SELECT count(c0) FROM lake_scan('" + broken.handle + "')", {of(TypeKind::bigint)}));
}

TEST_F(DuckDbEngineTest, PartitionsByTransform) {
  InsertTarget target;
  target.location = "s3://b/t/data";
  target.columns = {{"s", Type::varchar(), {1, {}}}, {"at", of(TypeKind::timestamp, 6), {2, {}}}};
  target.partition = {{0, "identity", "s", 1000}, {1, "day", "at_day", 1001}};
  auto files = engine_->write(
      {},
      "SELECT CASE range WHEN 0 THEN NULL WHEN 1 THEN 'a/b=c' ELSE 'x' END AS s, "
      "TIMESTAMP '1970-01-02 03:04:05' + to_days((range // 2)::INTEGER) AS at FROM range(5)",
      target, {});
  ASSERT_TRUE(files) << files.error().message;
  std::multiset<std::string> seen;
  for (const WrittenFile& file : *files) {
    seen.insert(file.partition[0].value_or("null") + "|" + file.partition[1].value_or("null") +
                "|" + std::to_string(file.rows));
  }
  EXPECT_EQ(seen, (std::multiset<std::string>{"null|1|1", "a/b=c|1|1", "x|2|2", "x|3|1"}));
}

// Many rows, so that several threads have a part of them; in each file they stand in order.
TEST_F(DuckDbEngineTest, SortsTheRowsOfEveryFile) {
  InsertTarget target;
  target.columns = {{"a", of(TypeKind::bigint), {1, {}}}, {"p", of(TypeKind::integer), {2, {}}}};
  target.sort = {{.column = {"p"}, .type = of(TypeKind::integer), .transform = "truncate[2]"},
                 {.column = {"a"},
                  .type = of(TypeKind::bigint),
                  .transform = "identity",
                  .descending = true,
                  .nulls_first = true}};
  target.sort_order_id = 7;
  const char* select =
      "SELECT CASE WHEN i % 1000 > 0 THEN (i * 7919) % 1000003 END AS a, (i % 4)::INTEGER AS p "
      "FROM range(1500000) AS r(i)";
  for (bool parted : {false, true}) {
    target.location = parted ? "s3://b/parted" : "s3://b/plain";
    if (parted)
      target.partition = {{.column = 1, .transform = "identity", .name = "p", .field_id = 1000}};
    auto files = engine_->write({}, select, target, {});
    ASSERT_TRUE(files) << files.error().message;
    ASSERT_GE(files->size(), parted ? 4u : 1u);
    uint64_t total = 0;
    for (const WrittenFile& file : *files) {
      EXPECT_EQ(file.sort_order_id, 7);
      total += file.rows;
      std::string path = "lake://" + file.path.substr(5);
      std::string before =
          "lag(p - p % 2) OVER w AS q, lag(a) OVER w AS b, row_number() OVER w AS n, *";
      std::string sql =
          "SELECT count(*) FROM (SELECT " + before + " FROM read_parquet('" + path +
          "', file_row_number = true) WINDOW w AS (ORDER BY file_row_number)) WHERE n > 1 AND "
          "(q > p - p % 2 OR (q = p - p % 2 AND ((b IS NOT NULL AND a IS NULL) OR b < a)))";
      EXPECT_EQ(rows(sql, {of(TypeKind::bigint)}).value_or("?"), "[[0]]") << file.path;
    }
    EXPECT_EQ(total, 1500000u);
  }
}

TEST_F(DuckDbEngineTest, SmallFilesAreHeld) {
  InsertTarget target{.location = "s3://b/held"};
  target.columns = {{"a", of(TypeKind::bigint), {1, {}}}, {"p", of(TypeKind::integer), {2, {}}}};
  target.partition = {{.column = 1, .transform = "identity", .name = "p", .field_id = 1000}};
  target.holds_small_files = true;
  // Partition 0 is too large to be held.
  auto files = engine_->write({},
                              "SELECT (hash(i) & 9007199254740991)::BIGINT AS a, "
                              "(CASE WHEN i < 100000 THEN 0 ELSE i - 99999 END)::INTEGER AS p "
                              "FROM range(100005) AS r(i)",
                              target, {});
  ASSERT_TRUE(files) << files.error().message;
  ASSERT_EQ(files->size(), 6u);
  for (const WrittenFile& file : *files) {
    bool there = store_.head({}, "b", file.path.substr(7), {}).has_value();
    EXPECT_EQ(there, file.rows > 1) << file.path;
    ASSERT_EQ(file.held == nullptr, there);
    if (file.held) EXPECT_EQ(file.held->size(), file.bytes);
  }
  // More than may be held: some are put, and every one is somewhere.
  const char* many =
      "SELECT (hash(i) & 9007199254740991)::BIGINT AS a, (i // 8000)::INTEGER AS p "
      "FROM range(800000) AS r(i)";
  target.location = "s3://b/many";
  files = engine_->write({}, many, target, {});
  ASSERT_TRUE(files) << files.error().message;
  size_t held = 0, held_bytes = 0;
  for (const WrittenFile& file : *files) {
    ASSERT_EQ(store_.head({}, "b", file.path.substr(7), {}).has_value(), file.held == nullptr);
    held += file.held != nullptr;
    held_bytes += file.held ? file.held->size() : 0;
  }
  EXPECT_GT(held, 0u);
  EXPECT_LT(held, files->size());
  EXPECT_LE(held_bytes, size_t{4} << 20);
  // Who does not commit them finds them put.
  target.holds_small_files = false;
  target.location = "s3://b/put";
  files = engine_->write({}, many, target, {});
  ASSERT_TRUE(files) << files.error().message;
  for (const WrittenFile& file : *files) {
    EXPECT_EQ(file.held, nullptr);
    EXPECT_TRUE(store_.head({}, "b", file.path.substr(7), {})) << file.path;
  }
  // The connection does not hold the files of the next statement.
  target.partition.clear();
  files = engine_->write({}, "SELECT 1::BIGINT AS a, 1 AS p", target, {});
  ASSERT_TRUE(files) << files.error().message;
  EXPECT_EQ((*files)[0].held, nullptr);
}

TEST_F(DuckDbEngineTest, ReadsRowsOfTexts) {
  auto scan = std::make_shared<TextScan>();
  Type map = Type::map(of(TypeKind::integer), Type::varchar());
  Type row = Type::row({{"d", of(TypeKind::date)},
                        {"t", of(TypeKind::timestamp_tz, 6)},
                        {"b", of(TypeKind::varbinary)}});
  scan->types = {of(TypeKind::bigint), map, row, Type::array(of(TypeKind::bigint))};
  scan->rows = {{"1", R"([["7","a"],["8",""]])",
                 R"(["2024-02-29","2024-01-01 00:00:00.5 UTC","00ff"])", R"(["5",null])"},
                {std::nullopt, std::nullopt, std::nullopt, std::nullopt},
                {"3", "[]", "[null,null,null]", "[]"}};
  // More rows than one batch, more items than that.
  for (int i = 0; i < 3000; ++i) scan->rows.push_back({"4", R"([["1","x"],["2","y"]])", {}, {}});
  EngineScan added = texts_.add(scan);
  std::string from = " FROM text_scan('" + added.handle + "')";
  EXPECT_EQ(rows("SELECT c0, c1, c3" + from + " WHERE c0 IS DISTINCT FROM 4",
                 {of(TypeKind::bigint), map, Type::array(of(TypeKind::bigint))}, {added.keep})
                .value_or("?"),
            R"([[1,{"7":"a","8":""},[5,null]],[null,null,null],[3,{},[]]])");
  EXPECT_EQ(
      rows("SELECT c2.f0::VARCHAR, epoch_ms(c2.f1)::BIGINT, hex(c2.f2)" + from + " WHERE c0 = 1",
           {Type::varchar(), of(TypeKind::bigint), Type::varchar()}, {added.keep})
          .value_or("?"),
      R"([["2024-02-29",1704067200500,"00FF"]])");
  EXPECT_EQ(rows("SELECT sum(len(map_keys(c1)))::BIGINT, count(*)" + from,
                 {of(TypeKind::bigint), of(TypeKind::bigint)}, {added.keep})
                .value_or("?"),
            "[[6002,3003]]");
}

TEST_F(DuckDbEngineTest, FailedAndEmptyWritesLeaveNothing) {
  InsertTarget target;
  target.location = "s3://b/t/data";
  target.columns = {{"id", of(TypeKind::bigint), {1, {}}}};
  EXPECT_TRUE(engine_->write({}, "SELECT range AS id FROM range(0)", target, {}).value().empty());
  EXPECT_FALSE(engine_->write(
      {}, "SELECT CASE WHEN range = 200000 THEN error('x') ELSE range END AS id FROM range(300000)",
      target, {}));
  EXPECT_TRUE(store_.list({}, "b", {}).value().objects.empty());
}

}  // namespace
}  // namespace aichemy::sql
