// The dialect end to end: text in, Trino's types, rows and errors out, on the real engine.
#include <fmt/format.h>
#include <gtest/gtest.h>

#include "base/clock.h"
#include "objectstore/memory_store.h"
#include "sql/connectors/virtual_tables.h"
#include "sql/engine/duckdb_engine.h"
#include "sql/executor.h"
#include "sql/functions/functions.h"
#include "sql/language/parser.h"
#include "sql/query_registry.h"

namespace aichemy::sql {
namespace {

Result<Rows> nation_rows(const Call&, const Table&, const ScanRequest&) {
  return Rows{
      {"0", "ALGERIA", "0"}, {"1", "ARGENTINA", "1"}, {"2", "BRAZIL", "1"}, {"3", "FRANCE", "3"}};
}

struct Answer {
  std::string types, rows, error, message;
};

class SqlTest : public testing::Test {
 protected:
  static void SetUpTestSuite() {
    auto engine = DuckDbEngine::start({.store = *store_,
                                       .scans = *scans_,
                                       .metrics = *metrics_,
                                       .random = *random_,
                                       .spill_directory = testing::TempDir()});
    ASSERT_TRUE(engine) << engine.error().message;
    engine_ = engine->release();
  }
  static void TearDownTestSuite() { delete engine_; }

  Answer run(std::string_view sql, Session session = {}) {
    Answer answer;
    session.user = "test";
    if (!session.catalog) session.catalog = "tpch", session.schema = "tiny";
    session.client_transactions = true;
    session.start = WallTime(std::chrono::seconds(1'600'000'000));
    auto failed = [&](const Error& error) {
      answer.error = error.what;
      answer.message = error.message;
      return answer;
    };
    auto result = executor_.execute({}, session, sql);
    if (!result) return failed(result.error());
    for (const auto& column : result->columns)
      answer.types += (answer.types.empty() ? "" : ",") + column.type.display();
    answer.rows = "[";
    while (result->rows) {
      auto page = result->rows->next_page(1 << 20);
      if (!page) return failed(page.error());
      if (page->rows > 0)
        answer.rows += (answer.rows.size() > 1 ? "," : "") +
                       page->rows_json.substr(1, page->rows_json.size() - 2);
      if (page->done) break;
    }
    answer.rows += "]";
    return answer;
  }

  static inline SystemClock clock_;
  static inline SystemRandom random_object_;
  static inline Metrics metrics_object_;
  static inline objectstore::MemoryStore store_object_{clock_};
  static inline LakeScans scans_object_;
  static inline objectstore::MemoryStore* store_ = &store_object_;
  static inline LakeScans* scans_ = &scans_object_;
  static inline Metrics* metrics_ = &metrics_object_;
  static inline SystemRandom* random_ = &random_object_;
  static inline DuckDbEngine* engine_ = nullptr;

  VirtualConnector tpch_{
      {{"tiny", "nation", "nationkey bigint, name varchar(25), regionkey bigint", nation_rows}}};
  QueryRegistry queries_{clock_, *random_};
  Executor executor_{ExecutorOptions{.engine = *engine_,
                                     .catalogs = {{"tpch", &tpch_}},
                                     .clock = clock_,
                                     .random = *random_,
                                     .queries = &queries_}};
};

TEST_F(SqlTest, FunctionExamples) {
  int walked = 0;
  for (const auto* row : all_functions()) {
    EXPECT_TRUE(parse_signature(row->signature)) << row->name << " " << row->signature;
    if (row->example[0] == '\0') continue;
    Answer answer = run(std::string("SELECT ") + row->example);
    EXPECT_EQ(answer.rows, std::string("[[") + row->expected + "]]")
        << row->example << ": " << answer.error << " " << answer.message;
    ++walked;
  }
  EXPECT_GT(walked, 150);
}

TEST_F(SqlTest, TypesAndRows) {
  struct Row {
    const char* sql;
    const char* types;
    const char* rows;
  };
  for (const Row& row : {
           Row{"SELECT 1", "integer", "[[1]]"},
           {"SELECT 7/2, -7/2, 7%3", "integer,integer,integer", "[[3,-3,1]]"},
           {"SELECT 1.5 + 2.25", "decimal(4, 2)", "[[\"3.75\"]]"},
           {"SELECT 1.5 * 2.25", "decimal(5, 3)", "[[\"3.375\"]]"},
           {"SELECT 1.0 / 3.0", "decimal(8, 6)", "[[\"0.333333\"]]"},
           {"SELECT CAST(2.5e0 AS integer), CAST(-2.5e0 AS bigint)", "integer,bigint", "[[3,-3]]"},
           {"SELECT CAST(1e10 AS varchar), CAST(0e0 AS varchar), CAST(1.5e-7 AS varchar)",
            "varchar,varchar,varchar", "[[\"1.0E10\",\"0E0\",\"1.5E-7\"]]"},
           {"SELECT CAST('abc' AS varchar(2)), CAST('ab' AS char(4))", "varchar(2),char(4)",
            "[[\"ab\",\"ab  \"]]"},
           {"SELECT TRY(1/0), TRY_CAST('x' AS bigint)", "integer,bigint", "[[null,null]]"},
           {"SELECT DATE '2020-01-31' + INTERVAL '1' MONTH", "date", "[[\"2020-02-29\"]]"},
           {"SELECT TIMESTAMP '2020-01-01 00:00:00.123'", "timestamp(3)",
            "[[\"2020-01-01 00:00:00.123\"]]"},
           {"SELECT t FROM (VALUES TIMESTAMP '2020-05-10 12:00:00.0000001 UTC', TIMESTAMP "
            "'2020-05-10 13:00:00.0000001 Europe/Vienna') v(t) ORDER BY t",
            "timestamp(7) with time zone",
            "[[\"2020-05-10 13:00:00.0000001 Europe/Vienna\"],[\"2020-05-10 12:00:00.0000001 "
            "UTC\"]]"},
           {"SELECT min(t), count(DISTINCT t) FROM (VALUES TIMESTAMP '2020-05-10 12:00:00 UTC', "
            "TIMESTAMP '2020-05-10 14:00:00 Europe/Vienna', TIMESTAMP '2020-05-10 09:30:00 "
            "-02:00') v(t)",
            "timestamp(0) with time zone,bigint", "[[\"2020-05-10 09:30:00 -02:00\",2]]"},
           {"SELECT NUMBER '1.50' + 1, IPADDRESS '::ffff:1.2.3.4', ROW(1, NULL) = ROW(1, 2)",
            "number,ipaddress,boolean", "[[\"2.5\",\"1.2.3.4\",null]]"},
           {"SELECT INTERVAL '1 02:03:04.5' DAY TO SECOND, INTERVAL '1-2' YEAR TO MONTH",
            "interval day to second,interval year to month", "[[\"1 02:03:04.500\",\"1-2\"]]"},
           {"SELECT ARRAY[1, 2][2], ROW(1, 'a').field0, MAP(ARRAY['a'], ARRAY[1])['a']", "", ""},
           {"SELECT ARRAY[1, NULL], ROW(1, 'a'), MAP(ARRAY['a'], ARRAY[1])",
            "array(integer),row(integer, varchar(1)),map(varchar(1), integer)",
            "[[[1,null],[1,\"a\"],{\"a\":1}]]"},
           {"SELECT CASE WHEN 1 = 1 THEN 1 ELSE 2.5 END", "decimal(11, 1)", "[[\"1.0\"]]"},
           {"SELECT x FROM (VALUES (1, 'a'), (2, 'b')) t(x, y) WHERE y = 'b'", "integer", "[[2]]"},
           {"SELECT name FROM nation WHERE nationkey IN (1, 2) ORDER BY name DESC", "varchar(25)",
            "[[\"BRAZIL\"],[\"ARGENTINA\"]]"},
           {"SELECT regionkey, count(*) c FROM nation GROUP BY 1 HAVING count(*) > 1",
            "bigint,bigint", "[[1,2]]"},
           {"SELECT count(*), sum(nationkey), avg(1.5) FROM nation", "bigint,bigint,decimal(2, 1)",
            "[[4,6,\"1.5\"]]"},
           {"SELECT a.name, b.name FROM nation a LEFT JOIN nation b ON a.nationkey = b.nationkey + "
            "3 ORDER BY a.nationkey OFFSET 3 LIMIT 1",
            "varchar(25),varchar(25)", "[[\"FRANCE\",\"ALGERIA\"]]"},
           {"SELECT nationkey FROM nation a JOIN nation b USING (nationkey) ORDER BY 1 LIMIT 1",
            "bigint", "[[0]]"},
           {"WITH a AS (SELECT 1 x), b AS (SELECT x + 1 y FROM a) SELECT x, y FROM a, b",
            "integer,integer", "[[1,2]]"},
           {"WITH RECURSIVE t(n) AS (VALUES 1 UNION ALL SELECT n + 1 FROM t WHERE n < 4) SELECT "
            "sum(n) FROM t",
            "bigint", "[[10]]"},
           {"SELECT 1 UNION SELECT 1 UNION ALL SELECT 2 ORDER BY 1", "integer", "[[1],[2]]"},
           {"SELECT * FROM UNNEST(ARRAY[1, 2], ARRAY['a']) WITH ORDINALITY t(x, y, n)",
            "integer,varchar(1),bigint", "[[1,\"a\",1],[2,null,2]]"},
           {"SELECT n, x FROM (VALUES (1, ARRAY[5, 6])) t(n, xs) CROSS JOIN UNNEST(xs) u(x)",
            "integer,integer", "[[1,5],[1,6]]"},
           {"SELECT (SELECT max(nationkey) FROM nation), EXISTS (SELECT 1 FROM nation WHERE false)",
            "bigint,boolean", "[[3,false]]"},
           {"SELECT name FROM nation n WHERE nationkey = (SELECT max(nationkey) FROM nation m "
            "WHERE m.regionkey = n.regionkey) ORDER BY 1",
            "varchar(25)", "[[\"ALGERIA\"],[\"BRAZIL\"],[\"FRANCE\"]]"},
           {"SELECT nationkey, row_number() OVER (PARTITION BY regionkey ORDER BY name DESC) r "
            "FROM nation ORDER BY 1 LIMIT 3",
            "bigint,bigint", "[[0,1],[1,2],[2,1]]"},
           {"SELECT reduce(transform(sequence(1, cardinality(a)), i -> a[i] * b[i]), 0e0, (s, x) "
            "-> s + x, s -> s) FROM (VALUES (ARRAY[1e0, 2e0], ARRAY[3e0, 4e0])) t(a, b)",
            "double", "[[11.0]]"},
           {"SELECT grouping(regionkey), regionkey, count(*) FROM nation GROUP BY ROLLUP "
            "(regionkey) ORDER BY 1, 2",
            "integer,bigint,bigint", "[[0,0,1],[0,1,2],[0,3,1],[1,null,4]]"},
           {"SELECT nan() = nan(), nan() > 1e0, 1e0 < nan()", "boolean,boolean,boolean",
            "[[false,false,false]]"},
           {"SELECT DISTINCT regionkey AS r FROM nation ORDER BY r", "bigint", "[[0],[1],[3]]"},
           {"SELECT table_name FROM information_schema.tables WHERE table_schema = 'tiny'",
            "varchar", "[[\"nation\"]]"},
           {"SELECT column_name, data_type FROM tpch.information_schema.columns WHERE table_name = "
            "'nation' ORDER BY ordinal_position",
            "varchar,varchar",
            "[[\"nationkey\",\"bigint\"],[\"name\",\"varchar(25)\"],[\"regionkey\",\"bigint\"]]"},
           {"SELECT node_version FROM system.runtime.nodes", "varchar", "[[\"483\"]]"},
           {"SHOW CATALOGS", "varchar", "[[\"system\"],[\"tpch\"]]"},
           {"SHOW TABLES", "varchar", "[[\"nation\"]]"},
           {"DESCRIBE nation", "varchar,varchar,varchar,varchar",
            "[[\"nationkey\",\"bigint\",\"\",\"\"],[\"name\",\"varchar(25)\",\"\",\"\"],["
            "\"regionkey\",\"bigint\",\"\",\"\"]]"},
           {"EXECUTE IMMEDIATE 'SELECT ? + ?' USING 1, 2", "integer", "[[3]]"},
           {"EXPLAIN (TYPE VALIDATE) SELECT 1", "boolean", "[[true]]"},
           {"SELECT CAST(JSON '[1, 2]' AS array(bigint)), CAST(ARRAY[1, 2] AS json), "
            "json_extract_scalar('{\"a\": \"x\"}', '$.a')",
            "array(bigint),json,varchar(10)", "[[[1,2],\"[1,2]\",\"x\"]]"},
           {"SELECT count(*) FROM (SELECT CASE random() WHEN < 0.5e0 THEN 1 WHEN >= 0.5e0 THEN 2 END c "
            "FROM UNNEST(sequence(1, 500)) t(x)) WHERE c IS NULL",
            "bigint", "[[0]]"},
           {"SELECT CAST(NUMBER '+Infinity' AS json), CAST(ARRAY[NUMBER '0', NULL] AS json), "
            "CAST(JSON 'true' AS number)",
            "json,json,number", "[[\"\\\"+Infinity\\\"\",\"[0,null]\",\"1\"]]"},
       }) {
    if (row.types[0] == '\0') continue;
    Answer answer = run(row.sql);
    EXPECT_EQ(answer.types, row.types) << row.sql << ": " << answer.error << " " << answer.message;
    EXPECT_EQ(answer.rows, row.rows) << row.sql << ": " << answer.error << " " << answer.message;
  }
}

TEST_F(SqlTest, Errors) {
  struct Row {
    const char* sql;
    const char* error;
    const char* message;
  };
  for (const Row& row : {
           Row{"SELECT *\nFROM nation\nWHERE ORDER", "SYNTAX_ERROR",
               "line 3:7: mismatched input 'ORDER'. Expecting: <expression>"},
           {"SELECT nationkey,\n  nope FROM nation", "COLUMN_NOT_FOUND",
            "line 2:3: Column 'nope' cannot be resolved"},
           {"SELECT * FROM nope", "TABLE_NOT_FOUND",
            "line 1:15: Table 'tpch.tiny.nope' does not exist"},
           {"SELECT * FROM tpch.nope.nation", "SCHEMA_NOT_FOUND",
            "line 1:15: Schema 'nope' does not exist"},
           {"SELECT * FROM nope.a.b", "CATALOG_NOT_FOUND", "line 1:15: Catalog 'nope' not found"},
           {"SELECT nope(1)", "FUNCTION_NOT_FOUND", "line 1:8: Function 'nope' not registered"},
           {"SELECT 1 + 'a'", "TYPE_MISMATCH",
            "line 1:10: Cannot apply operator: integer + varchar(1)"},
           {"SELECT name, count(*) FROM nation", "EXPRESSION_NOT_AGGREGATE",
            "line 1:8: 'name' must be an aggregate expression or appear in GROUP BY clause"},
           {"SELECT 1 / (nationkey - nationkey) FROM nation", "DIVISION_BY_ZERO",
            "Division by zero"},
           {"SELECT CAST(name AS bigint) FROM nation", "INVALID_CAST_ARGUMENT",
            "Cannot cast 'ALGERIA' to BIGINT"},
           {"SELECT a FROM (VALUES 1) t(a), (VALUES 2) u(a)", "AMBIGUOUS_NAME",
            "line 1:8: Column 'a' is ambiguous"},
           {"SELECT 2147483647 + 1", "NUMERIC_VALUE_OUT_OF_RANGE",
            "integer addition overflow: 2147483647 + 1"},
           {"SELECT DATE '2013-02-29'", "INVALID_LITERAL",
            "line 1:8: '2013-02-29' is not a valid DATE literal"},
           {"SELECT (SELECT nationkey FROM nation)", "SUBQUERY_MULTIPLE_ROWS",
            "Scalar sub-query has returned multiple rows"},
           {"SELECT ARRAY[1][2]", "INVALID_FUNCTION_ARGUMENT",
            "Array subscript must be less than or equal to array length: 2 > 1"},
           {"USE tpch.nope", "NOT_FOUND", "Schema does not exist: tpch.nope"},
           {"SET SESSION nope = 1", "INVALID_SESSION_PROPERTY",
            "line 1:20: Session property 'nope' does not exist"},
           {"SET SESSION join_distribution_type = 'NOPE'", "INVALID_SESSION_PROPERTY",
            "line 1:38: Invalid value [NOPE]. Valid values: [BROADCAST, PARTITIONED, AUTOMATIC]"},
           {"EXECUTE nope", "NOT_FOUND", "Prepared statement not found: nope"},
           {"ROLLBACK", "NOT_IN_TRANSACTION", "No transaction in progress"},
           {"MERGE INTO t USING u ON a = b", "SYNTAX_ERROR",
            "line 1:30: mismatched input '<EOF>'. Expecting: 'WHEN'"},
           {"DELETE FROM nation WHERE nationkey = 1", "NOT_SUPPORTED",
            "line 1:1: This connector does not support modifying table rows"},
           {"SELECT * FROM TABLE(exclude_columns(TABLE(nation) AS n, DESCRIPTOR(name) COPARTITION (n, "
            "m)))",
            "INVALID_COPARTITIONING", "line 1:90: No table argument found for name: m"},
           {"SELECT * FROM TABLE(exclude_columns(TABLE(nation), DESCRIPTOR(name) COPARTITION (nation, "
            "tiny.nation)))",
            "INVALID_COPARTITIONING", "line 1:90: No table argument found for name: tiny.nation"},
           {"SELECT CAST(MAP(ARRAY[JSON 'null'], ARRAY[1]) AS map(bigint, bigint))",
            "INVALID_CAST_ARGUMENT", "map key is null"},
           {"CALL system.runtime.kill_query('20200101_000000_00000_aaaaa', 'why')", "NOT_FOUND",
            "Target query not found: 20200101_000000_00000_aaaaa"},
       }) {
    Answer answer = run(row.sql);
    EXPECT_EQ(answer.error, row.error) << row.sql << ": " << answer.rows;
    EXPECT_EQ(answer.message, row.message) << row.sql;
  }
}

TEST_F(SqlTest, DeepAndLongStatementsEnd) {
  std::string deep = "SELECT " + std::string(5000, '(') + "1" + std::string(5000, ')');
  EXPECT_EQ(run(deep).error, "STACK_OVERFLOW");
  std::string chain = "SELECT 1";
  for (int i = 0; i < 700; ++i) chain += " + 1";
  EXPECT_EQ(run(chain).rows, "[[701]]");
  std::string list = "SELECT 5 IN (0";
  for (int i = 1; i < 20000; ++i) list += "," + std::to_string(i);
  EXPECT_EQ(run(list + ")").rows, "[[true]]");
}

TEST_F(SqlTest, SessionStatementsSayWhatChanges) {
  Session session;
  session.user = "test";
  session.catalog = "tpch";
  session.client_transactions = true;
  auto use = executor_.execute({}, session, "USE tpch.tiny");
  ASSERT_TRUE(use) << use.error().message;
  EXPECT_EQ(use->changes.set_catalog, "tpch");
  EXPECT_EQ(use->changes.set_schema, "tiny");
  auto set = executor_.execute({}, session, "SET SESSION query_max_run_time = '5m'");
  ASSERT_TRUE(set);
  EXPECT_EQ(set->changes.set_properties.at("query_max_run_time"), "5m");
  auto prepare = executor_.execute({}, session, "PREPARE p FROM SELECT ? ");
  ASSERT_TRUE(prepare);
  EXPECT_EQ(prepare->changes.added_prepared.at("p"), "SELECT ?");
  auto begin = executor_.execute({}, session, "START TRANSACTION");
  ASSERT_TRUE(begin);
  session.transaction = begin->changes.started_transaction;
  auto commit = executor_.execute({}, session, "COMMIT");
  ASSERT_TRUE(commit);
  EXPECT_TRUE(commit->changes.clear_transaction);
}

}  // namespace
}  // namespace aichemy::sql
