#include "jobs/script.h"

#include <gtest/gtest.h>

namespace aichemy::jobs {
namespace {

TEST(Script, SourceAndInsert) {
  auto script = parse_script(R"(
    -- a comment; with a semicolon
    CREATE TEMPORARY TABLE `Events` (
      id BIGINT NOT NULL, `the name` STRING COMMENT 'x', price DECIMAL(10, 2), tags ARRAY<STRING>,
      place ROW<lat DOUBLE, lon DOUBLE>, counts MAP<STRING, INT>,
      at TIMESTAMP_LTZ(3) METADATA FROM 'timestamp' VIRTUAL, `offset` BIGINT METADATA
    ) WITH ('connector' = 'kafka', 'topic' = 'it''s');
    INSERT INTO iceberg.a.b (x, y) SELECT `the name`, 'a;b`' FROM `Events` WHERE id > 1;
  )");
  ASSERT_TRUE(script) << script.error().message;
  ASSERT_EQ(script->size(), 2u);
  const auto& source = std::get<CreateSource>((*script)[0]);
  EXPECT_EQ(source.name, "Events");
  std::string types;
  for (const SourceColumn& column : source.columns) types += column.type.display() + "|";
  EXPECT_EQ(types,
            "bigint|varchar|decimal(10, 2)|array(varchar)|row(lat double, lon double)|map(varchar, "
            "integer)|"
            "timestamp(3) with time zone|bigint|");
  EXPECT_EQ(source.columns[6].metadata, "timestamp");
  EXPECT_EQ(source.columns[7].metadata, "offset");
  EXPECT_EQ(source.options.at("topic"), "it's");
  const auto& insert = std::get<InsertInto>((*script)[1]);
  EXPECT_EQ(insert.target, (std::vector<std::string>{"iceberg", "a", "b"}));
  EXPECT_EQ(insert.columns, (std::vector<std::string>{"x", "y"}));
  EXPECT_EQ(insert.query, R"(SELECT "the name", 'a;b`' FROM "Events" WHERE id > 1)");
}

TEST(Script, JobCommands) {
  auto script = parse_script("SHOW JOBS; PAUSE JOB 'a'; resume job 'a'; STOP JOB 'a'");
  ASSERT_TRUE(script);
  ASSERT_EQ(script->size(), 4u);
  EXPECT_EQ(std::get<JobCommand>((*script)[3]).action, JobAction::stop);
}

TEST(Script, Errors) {
  struct Row {
    const char* script;
    const char* message;
  };
  for (Row row : {
           Row{"CREATE VIEW v AS SELECT 1", "line 1:8: CREATE VIEW is not supported"},
           {"SELECT 1", "line 1:1: SELECT is not supported"},
           {"CREATE TABLE t (a INT", "line 1:22: expected ')', found the end"},
           {"CREATE TABLE t (a WHAT) WITH ('a'='b')", "line 1:19: type WHAT is not supported"},
           {"CREATE TABLE t (a INT, a INT) WITH ('a'='b')", "line 1:29: column 'a' stands twice"},
           {"CREATE TABLE t (a INT,\n WATERMARK FOR a AS a) WITH ('a'='b')",
            "line 2:2: WATERMARK in a source table is not supported"},
           {"INSERT INTO t SELECT 1",
            "line 1:1: the target of INSERT INTO is catalog.schema.table"},
           {"INSERT INTO a.b.c VALUES (1)", "line 1:19: expected SELECT, found 'VALUES'"},
           {"PAUSE JOB x", "line 1:11: expected a string, found 'x'"},
           {"CREATE TABLE t (a STRING) WITH ('a'='b", "line 1:37: ' is not closed"},
           {"/* open", "line 1:1: comment is not closed"},
       }) {
    auto script = parse_script(row.script);
    ASSERT_FALSE(script) << row.script;
    EXPECT_EQ(script.error().message, row.message) << row.script;
  }
}

}  // namespace
}  // namespace aichemy::jobs
