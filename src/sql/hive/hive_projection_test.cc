#include "sql/hive/hive_projection.h"

#include <gtest/gtest.h>

#include "sql/hive/date_pattern.h"

namespace aichemy::sql {
namespace {

constexpr int64_t kNow = 1'704'067'200 + 7 * 3600 + 65;  // 2024-01-01 07:01:05

TEST(DatePattern, BothWays) {
  struct Row {
    const char* pattern;
    int64_t seconds;
    const char* text;
  };
  for (const Row& row :
       std::initializer_list<Row>{{"yyyy-MM-dd", 1'704'067'200, "2024-01-01"},
                                  {"yyyyMMddHHmmss", kNow, "20240101070105"},
                                  {"yyyy/MM/dd 'at' HH:mm", kNow - 5, "2024/01/01 at 07:01"},
                                  {"d.M.yyyy", 1'704'067'200, "1.1.2024"},
                                  {"dd MMM yy", 1'704'067'200, "01 Jan 24"},
                                  {"MMMM d, uuuu", 1'717'200'000, "June 1, 2024"},
                                  {"yyyy-DDD", 1'735'603'200, "2024-366"},
                                  {"yyyy-MM-dd'T'HH:mm:ss.SSS", -1, "1969-12-31T23:59:59.000"},
                                  {"''yyyyMMdd", 0, "'19700101"}}) {
    auto pattern = DatePattern::parse_pattern(row.pattern);
    ASSERT_TRUE(pattern.has_value()) << row.pattern;
    EXPECT_EQ(pattern->format(row.seconds), row.text);
    EXPECT_EQ(pattern->parse(row.text), row.seconds) << row.text;
  }
}

TEST(DatePattern, WhatIsNone) {
  for (const char* pattern : {"", "yyy", "QQ", "yyyy-MM-dd'", "hh", "MMMMM", "[yyyy]", "ddd"})
    EXPECT_FALSE(DatePattern::parse_pattern(pattern).has_value()) << pattern;
  auto day = *DatePattern::parse_pattern("yyyy-MM-dd");
  for (const char* text : {"", "2024-02-30", "2024-2-1", "2024-01-01x", "24-01-01", "2024-13-01"})
    EXPECT_FALSE(day.parse(text)) << text;
  EXPECT_FALSE(DatePattern::parse_pattern("yyyy-MM")->parse("2024-01")) << "names no day";
  EXPECT_FALSE(DatePattern::parse_pattern("yyyy-MM-dd HH")->parse("2024-01-01 24"));
}

// A table with one data column and the keys; `given`: parameters after projection.<key>.
HiveTable table_of(const std::vector<ColumnInfo>& keys) {
  HiveTable table;
  table.name = {"s", "t"};
  table.columns.push_back({.name = "id", .type = Type(TypeKind::bigint)});
  table.data_columns = 1;
  table.keys = keys.size();
  table.source.storage.emplace().location = "s3://b/t/";
  table.source.partition_keys.emplace();
  for (const ColumnInfo& key : keys) {
    table.columns.push_back(key);
    table.source.partition_keys->push_back({key.name, "string", {}});
  }
  return table;
}

struct Case {
  Type type;
  hive::Parameters given;  // after projection.k.
  std::vector<Conjunct> conjuncts;
  std::vector<std::string> names;
};

TEST(HiveProjection, Values) {
  const Type text = Type::varchar(), number(TypeKind::integer), day(TypeKind::date);
  const hive::Parameters days = {
      {"type", "date"}, {"format", "yyyy-MM-dd"}, {"range", "NOW-2DAYS,NOW"}};
  const hive::Parameters steps = {
      {"type", "integer"}, {"range", "-5,10"}, {"interval", "5"}, {"digits", "2"}};
  const hive::Parameters injected = {{"type", "injected"}};
  const hive::Parameters finer = {{"type", "date"},
                                  {"format", "yyyy-MM-dd"},
                                  {"range", "NOW-1DAYS,NOW"},
                                  {"interval", "1"},
                                  {"interval.unit", "HOURS"}};
  const hive::Parameters hours = {{"type", "date"},
                                  {"format", "yyyy-MM-dd HH"},
                                  {"range", "NOW-1DAYS,NOW"},
                                  {"interval", "24"},
                                  {"interval.unit", "HOURS"}};
  for (const Case& row : std::initializer_list<Case>{
           {text, {{"type", "enum"}, {"values", " a, b/c ,,d"}}, {}, {"k=a", "k=b%2Fc", "k=d"}},
           {text, {{"type", "enum"}, {"values", "a,b,a"}}, {}, {"k=a", "k=b"}},
           {text, finer, {}, {"k=2023-12-31", "k=2024-01-01"}},
           {day, hours, {{1, Compare::le, {int64_t{19'723}}}}, {"k=2023-12-31", "k=2024-01-01"}},
           {day, hours, {{1, Compare::lt, {int64_t{19'723}}}}, {"k=2023-12-31"}},
           {number, steps, {}, {"k=-5", "k=00", "k=05", "k=10"}},
           {number, steps, {{1, Compare::gt, {int64_t{1}}}}, {"k=05", "k=10"}},
           {number, steps, {{1, Compare::ge, {INT64_MAX}}}, {}},
           {number, steps, {{1, Compare::lt, {INT64_MIN}}}, {}},
           {number, steps, {{1, Compare::in, {int64_t{5}, int64_t{6}}}}, {"k=05"}},
           {text, steps, {{1, Compare::in, {"5", "05"}}}, {"k=05"}},
           {day, days, {}, {"k=2023-12-30", "k=2023-12-31", "k=2024-01-01"}},
           {day, days, {{1, Compare::lt, {int64_t{19'723}}}}, {"k=2023-12-30", "k=2023-12-31"}},
           {text, days, {{1, Compare::eq, {"2024-01-01"}}}, {"k=2024-01-01"}},
           {text, days, {{1, Compare::eq, {"2024-01-02"}}}, {}},
           {text, injected, {{1, Compare::eq, {"x y"}}}, {"k=x y"}},
           {number, injected, {{1, Compare::in, {int64_t{3}, int64_t{3}}}}, {"k=3"}}}) {
    HiveTable table = table_of({{.name = "k", .type = row.type}});
    hive::Parameters parameters{{"projection.enabled", "true"}};
    for (const auto& [key, value] : row.given) parameters["projection.k." + key] = value;
    auto projection = HiveProjection::of(table.columns, 1, parameters, kNow);
    ASSERT_TRUE(projection.has_value()) << projection.error().message;
    auto partitions = (*projection)->partitions(table, row.conjuncts);
    ASSERT_TRUE(partitions.has_value()) << partitions.error().message;
    std::vector<std::string> names;
    for (const HivePartition& partition : *partitions) names.push_back(partition.name);
    EXPECT_EQ(names, row.names);
  }
}

TEST(HiveProjection, Locations) {
  HiveTable table = table_of(
      {{.name = "k", .type = Type::varchar()}, {.name = "d", .type = Type(TypeKind::date)}});
  hive::Parameters parameters{{"projection.enabled", "true"},
                              {"projection.k.type", "injected"},
                              {"projection.d.type", "date"},
                              {"projection.d.format", "yyyyMMdd"},
                              {"projection.d.range", "20240101,20240201"}};
  const std::vector<Conjunct> asked{{1, Compare::eq, {"a/${d}"}},
                                    {2, Compare::eq, {int64_t{19'730}}}};
  for (const auto& [given, location] : std::initializer_list<std::pair<const char*, const char*>>{
           {"", "s3://b/t/k=a%2F$%7Bd}/d=20240108"},
           {"s3://x/${d}/${k}/", "s3://x/20240108/a/${d}"},
           {"s3://x/k=${k}/d=${d}", "s3://x/k=a%2F$%7Bd}/d=20240108"}}) {
    if (*given) parameters["storage.location.template"] = given;
    auto projection = HiveProjection::of(table.columns, 1, parameters, kNow);
    ASSERT_TRUE(projection.has_value()) << projection.error().message;
    auto partitions = (*projection)->partitions(table, asked);
    ASSERT_TRUE(partitions.has_value()) << partitions.error().message;
    ASSERT_EQ(partitions->size(), 1U);
    EXPECT_EQ((*partitions)[0].storage.location, location);
    EXPECT_FALSE((*projection)->check_insert(table)) << "yyyyMMdd is not how Hive writes a date";
  }
}

TEST(HiveProjection, BoundsBeyondTheCalendar) {
  std::vector<ColumnInfo> columns{{.name = "id"}, {.name = "k", .type = Type::varchar()}};
  for (const char* range : {"NOW-2147483647DAYS,NOW", "NOW,NOW+2147483647DAYS", "NOW-2DAYS",
                            "NOW-99999999999DAYS,NOW", "NOW-2WEEKS,NOW", "NOW,NOW"}) {
    hive::Parameters parameters{{"projection.enabled", "true"},
                                {"projection.k.type", "date"},
                                {"projection.k.format", "dd MMM yyyy"},
                                {"projection.k.range", range}};
    auto projection = HiveProjection::of(columns, 1, parameters, kNow);
    ASSERT_FALSE(projection.has_value()) << range;
    EXPECT_TRUE(projection.error().is("INVALID_COLUMN_PROPERTY")) << range;
  }
}

TEST(HiveProjection, YearsOfTwoDigitsAreOfThisCentury) {
  std::vector<ColumnInfo> columns{{.name = "id"}, {.name = "k", .type = Type::varchar()}};
  hive::Parameters parameters{{"projection.enabled", "true"},
                              {"projection.k.type", "date"},
                              {"projection.k.format", "yy-MM-dd"},
                              {"projection.k.range", "NOW-20000DAYS,NOW"}};
  auto projection = HiveProjection::of(columns, 1, parameters, kNow);
  ASSERT_FALSE(projection.has_value()) << "1969 would be 2069";
  EXPECT_TRUE(projection.error().is("INVALID_COLUMN_PROPERTY"));
}

TEST(HiveProjection, Limits) {
  HiveTable table = table_of({{.name = "a", .type = Type(TypeKind::integer)},
                              {.name = "b", .type = Type(TypeKind::integer)}});
  hive::Parameters parameters{{"projection.enabled", "true"},
                              {"projection.a.type", "integer"},
                              {"projection.a.range", "1,400"},
                              {"projection.b.type", "integer"},
                              {"projection.b.range", "0,2147483647"}};
  auto projection = HiveProjection::of(table.columns, 1, parameters, kNow);
  ASSERT_TRUE(projection.has_value());
  for (int64_t most : {int64_t{399}, int64_t{2'147'483'647}}) {
    auto partitions = (*projection)->partitions(table, {{2, Compare::le, {most}}});
    ASSERT_FALSE(partitions.has_value());
    EXPECT_TRUE(partitions.error().is("HIVE_EXCEEDED_PARTITION_LIMIT"));
  }
  auto partitions = (*projection)->partitions(table, {{2, Compare::lt, {int64_t{250}}}});
  ASSERT_TRUE(partitions.has_value());
  EXPECT_EQ(partitions->size(), 100'000U);
}

}  // namespace
}  // namespace aichemy::sql
