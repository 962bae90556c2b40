#include "sql/types/moment.h"

#include <gtest/gtest.h>

#include "sql/types/moment_format.h"

namespace aichemy::sql {
namespace {

Zone zone(const char* name) { return find_zone(name).value_or(-1); }

std::string shown(TypeKind kind, const char* text, int precision) {
  auto parsed = parse_moment(kind, text, kUtc, 0);
  return parsed ? moment_text(kind, rounded(kind, parsed->moment, precision), precision) : "none";
}

TEST(MomentTest, TextsReadAndPrinted) {
  struct Row {
    TypeKind kind;
    const char* text;
    int precision;
    const char* wanted;
  };
  for (const Row& row : {
           Row{TypeKind::date, " 2020-2-29 ", 0, "2020-02-29"},
           {TypeKind::date, "2019-02-29", 0, "none"},
           {TypeKind::date, "+12001-01-02", 0, "+12001-01-02"},
           {TypeKind::date, "-0001-01-02", 0, "-0001-01-02"},
           {TypeKind::time, "1:02", 3, "01:02:00.000"},
           {TypeKind::time, "23:59:59.9999", 3, "00:00:00.000"},
           {TypeKind::time, "24:00:00", 0, "none"},
           {TypeKind::time_tz, "12:34:56.7+08:35", 1, "12:34:56.7+08:35"},
           {TypeKind::timestamp, "2020-05-10 12:34:56.123456789012", 12,
            "2020-05-10 12:34:56.123456789012"},
           {TypeKind::timestamp, "1969-12-31 23:59:59.9995", 3, "1970-01-01 00:00:00.000"},
           {TypeKind::timestamp_tz, "2020-05-10 12:34:56 Europe/Vienna", 0,
            "2020-05-10 12:34:56 Europe/Vienna"},
           {TypeKind::timestamp_tz, "2020-05-10 12:34 utc+2", 0, "2020-05-10 12:34:00 +02:00"},
           {TypeKind::timestamp_tz, "2020-05-10 12:34 Nowhere/City", 0, "none"},
       }) {
    EXPECT_EQ(shown(row.kind, row.text, row.precision), row.wanted) << row.text;
  }
}

TEST(MomentTest, GapsAndOverlaps) {
  // 2020-03-29 02:30 is not there in Vienna, 2020-10-25 02:30 is there twice: the earlier counts.
  EXPECT_EQ(to_utc(zone("Europe/Vienna"), 1585449000), 1585445400);
  EXPECT_EQ(to_utc(zone("Europe/Vienna"), 1603593000), 1603585800);
  // Apia left out 2011-12-30.
  EXPECT_EQ(offset_at(zone("Pacific/Apia"), 1325239200 - 1), -36000);
  EXPECT_EQ(offset_at(zone("Pacific/Apia"), 1325239200), 50400);
}

TEST(MomentTest, ZonesByName) {
  EXPECT_EQ(zone_name(zone("europe/vienna")), "Europe/Vienna");
  EXPECT_EQ(zone("Z"), kUtc);
  EXPECT_EQ(zone("+00:00"), kUtc);
  EXPECT_EQ(zone_name(zone("Etc/GMT+5")), "-05:00");
  EXPECT_FALSE(find_zone("+15:00"));
  EXPECT_FALSE(find_zone(""));
}

TEST(MomentTest, UnitsAndFields) {
  Moment day = parse_moment(TypeKind::date, "2020-01-31", kUtc, 0)->moment;
  auto next = added(TypeKind::date, day, MomentUnit::month, 1);
  ASSERT_TRUE(next);
  EXPECT_EQ(moment_text(TypeKind::date, *next, 0), "2020-02-29");
  EXPECT_EQ(difference(TypeKind::date, day, *next, MomentUnit::month), 1);
  EXPECT_EQ(field_of(TypeKind::date, day, MomentField::week), 5);
  EXPECT_EQ(moment_text(TypeKind::date, truncated(TypeKind::date, day, MomentUnit::quarter), 0),
            "2020-01-01");
  EXPECT_FALSE(has_unit(TypeKind::time, MomentUnit::day));
}

TEST(MomentTest, Patterns) {
  Moment value = parse_moment(TypeKind::timestamp, "2001-01-09 13:04:05.321", kUtc, 0)->moment;
  auto mysql = MomentPattern::mysql("%Y-%m-%d %r %f %x %v %W", "en-US");
  ASSERT_TRUE(mysql);
  EXPECT_EQ(mysql->format(TypeKind::timestamp, value, kUtc),
            "2001-01-09 01:04:05 PM 321000 2001 02 Tuesday");
  EXPECT_FALSE(MomentPattern::mysql("%U", "en-US"));
  auto joda = MomentPattern::joda("yyyyMMdd'T'HHmm Z", "en-US");
  ASSERT_TRUE(joda);
  auto read = joda->parse("20010109T1304 +0530", kUtc, true);
  ASSERT_TRUE(read);
  EXPECT_EQ(moment_text(TypeKind::timestamp_tz, *read, 0), "2001-01-09 13:04:00 +05:30");
  EXPECT_FALSE(joda->parse("2001", kUtc, true));
  auto iso = parse_iso8601("2020-W01-1T10:20:30.5+01:00", kUtc);
  ASSERT_TRUE(iso);
  EXPECT_EQ(moment_text(TypeKind::timestamp_tz, *iso, 1), "2019-12-30 10:20:30.5 +01:00");
}

}  // namespace
}  // namespace aichemy::sql
