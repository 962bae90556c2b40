// Dates and times: decision 0070 says how values are held; aichemy_..._{f0} is the native function
// of argument 0's form. `date` and `timestamp6` rows (up to microseconds, no zone) use the engine's
// own functions where these are exact.
#include "sql/functions/functions.h"

namespace aichemy::sql {

// lint: table
const std::vector<FunctionRow>& scalar_functions_time() {
  constexpr auto kScalar = FunctionKind::scalar;
#define ZONED_FIELD(name, field)                                                  \
  {name, kScalar, "timestamp -> bigint", "aichemy_field_{f0}('" field "', {0})"}, \
      {name, kScalar, "timestamp_tz -> bigint", "aichemy_field_{f0}('" field "', {0})"}
#define PER_DATETIME(name, field, text, expected)                                \
  {name, kScalar, "date -> bigint", text, name "(DATE '2020-05-10')", expected}, \
      {name, kScalar, "timestamp6 -> bigint", text}, ZONED_FIELD(name, field)
#define PER_TIME(name, text, expected)                                             \
  {name,                                                                           \
   kScalar,                                                                        \
   "time -> bigint",                                                               \
   "aichemy_field_{f0}('" name "', {0})",                                          \
   name "(TIME '12:34:56.789')",                                                   \
   expected},                                                                      \
      {name, kScalar, "time_tz -> bigint", "aichemy_field_{f0}('" name "', {0})"}, \
      {name, kScalar, "timestamp6 -> bigint", text}, ZONED_FIELD(name, name)
#define ANY_KIND(name, before, after, text)               \
  {name, kScalar, before "timestamp" after, text},        \
      {name, kScalar, before "timestamp_tz" after, text}, \
      {name, kScalar, before "time" after, text}, {       \
    name, kScalar, before "time_tz" after, text           \
  }
  static const std::vector<FunctionRow> kRows = {
      PER_DATETIME("year", "year", "year({0})", "2020"),
      PER_DATETIME("quarter", "quarter", "quarter({0})", "2"),
      PER_DATETIME("month", "month", "month({0})", "5"),
      PER_DATETIME("week", "week", "weekofyear({0})", "19"),
      PER_DATETIME("week_of_year", "week", "weekofyear({0})", "19"),
      PER_DATETIME("day", "day", "day({0})", "10"),
      PER_DATETIME("day_of_month", "day", "day({0})", "10"),
      PER_DATETIME("day_of_week", "day_of_week", "isodow({0})", "7"),
      PER_DATETIME("dow", "day_of_week", "isodow({0})", "7"),
      PER_DATETIME("day_of_year", "day_of_year", "dayofyear({0})", "131"),
      PER_DATETIME("doy", "day_of_year", "dayofyear({0})", "131"),
      PER_DATETIME("year_of_week", "year_of_week", "isoyear({0})", "2020"),
      PER_DATETIME("yow", "year_of_week", "isoyear({0})", "2020"),
      PER_TIME("hour", "hour({0})", "12"),
      PER_TIME("minute", "minute({0})", "34"),
      PER_TIME("second", "second({0})", "56"),
      PER_TIME("millisecond", "(millisecond({0}) % 1000)", "789"),
      {"year", kScalar, "interval year to month -> bigint", "({0} // 12)",
       "year(INTERVAL '29' MONTH)", "2"},
      {"month", kScalar, "interval year to month -> bigint", "({0} % 12)",
       "month(INTERVAL '29' MONTH)", "5"},
      {"day", kScalar, "interval day to second -> bigint", "({0} // 86400000)",
       "day(INTERVAL '49' HOUR)", "2"},
      {"hour", kScalar, "interval day to second -> bigint", "({0} // 3600000 % 24)",
       "hour(INTERVAL '49' HOUR)", "1"},
      {"minute", kScalar, "interval day to second -> bigint", "({0} // 60000 % 60)",
       "minute(INTERVAL '61' MINUTE)", "1"},
      {"second", kScalar, "interval day to second -> bigint", "({0} // 1000 % 60)",
       "second(INTERVAL '65' SECOND)", "5"},
      {"millisecond", kScalar, "interval day to second -> bigint", "({0} % 1000)",
       "millisecond(INTERVAL '1.234' SECOND)", "234"},
      {"timezone_hour", kScalar, "timestamp_tz -> bigint",
       "aichemy_field_{f0}('timezone_hour', {0})",
       "timezone_hour(TIMESTAMP '2020-05-10 12:34:56 -08:35')", "-8"},
      {"timezone_hour", kScalar, "time_tz -> bigint", "aichemy_field_{f0}('timezone_hour', {0})",
       "timezone_hour(TIME '12:34:56+08:35')", "8"},
      {"timezone_minute", kScalar, "timestamp_tz -> bigint",
       "aichemy_field_{f0}('timezone_minute', {0})",
       "timezone_minute(TIMESTAMP '2020-05-10 12:34:56 -08:35')", "-35"},
      {"timezone_minute", kScalar, "time_tz -> bigint",
       "aichemy_field_{f0}('timezone_minute', {0})", "timezone_minute(TIME '12:34:56+08:35')",
       "35"},
      {"timezone", kScalar, "timestamp_tz -> varchar", "aichemy_zone_{f0}({0})",
       "timezone(TIMESTAMP '2020-05-10 12:34:56 Asia/Tokyo')", "\"Asia/Tokyo\""},
      {"timezone", kScalar, "time_tz -> varchar", "aichemy_zone_{f0}({0})",
       "timezone(TIME '12:34:56+08:35')", "\"+08:35\""},
      {"date", kScalar, "varchar -> date",
       "aichemy_parse_date({0}, CAST(0 AS INTEGER), {zone}, {now})", "date('2020-05-10')",
       "\"2020-05-10\""},
      {"date", kScalar, "timestamp6 -> date", "CAST({0} AS DATE)"},
      {"date", kScalar, "timestamp -> date",
       "aichemy_cast_{f0}_date({0}, CAST(0 AS INTEGER), {zone}, {now})"},
      {"date", kScalar, "timestamp_tz -> date",
       "aichemy_cast_{f0}_date({0}, CAST(0 AS INTEGER), {zone}, {now})",
       "date(TIMESTAMP '2020-05-10 23:00:00 +08:35')", "\"2020-05-10\""},
      {"last_day_of_month", kScalar, "date -> date", "last_day({0})",
       "last_day_of_month(DATE '2020-02-10')", "\"2020-02-29\""},
      {"last_day_of_month", kScalar, "timestamp6 -> date", "last_day({0})"},
      {"last_day_of_month", kScalar, "timestamp -> date",
       "last_day(aichemy_cast_{f0}_date({0}, CAST(0 AS INTEGER), {zone}, {now}))"},
      {"last_day_of_month", kScalar, "timestamp_tz -> date",
       "last_day(aichemy_cast_{f0}_date({0}, CAST(0 AS INTEGER), {zone}, {now}))"},
      {"date_trunc", kScalar, "varchar, date -> date", "aichemy_trunc_date({0}, {1})",
       "date_trunc('month', DATE '2020-05-10')", "\"2020-05-01\""},
      ANY_KIND("date_trunc", "varchar, ", " -> $1", "aichemy_trunc_{f1}({0}, {1})"),
      {"date_add", kScalar, "varchar, bigint, date -> date",
       "aichemy_add_date({0}, {1}, {2}, CAST(0 AS INTEGER))",
       "date_add('month', 1, DATE '2020-01-31')", "\"2020-02-29\""},
      ANY_KIND("date_add", "varchar, bigint, ", " -> $2", "aichemy_add_{f2}({0}, {1}, {2}, {p2})"),
      {"date_diff", kScalar, "varchar, date, date -> bigint", "aichemy_diff_date({0}, {1}, {2})",
       "date_diff('month', DATE '2020-01-31', DATE '2020-02-29')", "1"},
      {"date_diff", kScalar, "varchar, timestamp, timestamp -> bigint",
       "aichemy_diff_{f1}({0}, {1}, {2})",
       "date_diff('hour', TIMESTAMP '2020-01-31 00:00:00', TIMESTAMP '2020-01-31 02:59:59')", "2"},
      {"date_diff", kScalar, "varchar, timestamp_tz, timestamp_tz -> bigint",
       "aichemy_diff_{f1}({0}, {1}, {2})"},
      {"date_diff", kScalar, "varchar, time, time -> bigint", "aichemy_diff_{f1}({0}, {1}, {2})"},
      {"date_diff", kScalar, "varchar, time_tz, time_tz -> bigint",
       "aichemy_diff_{f1}({0}, {1}, {2})"},
      {"from_unixtime", kScalar, "double -> timestamp(3) with time zone",
       "aichemy_from_unix({0}, {zone})", "to_unixtime(from_unixtime(5))", "5.0"},
      {"from_unixtime", kScalar, "double, varchar -> timestamp(3) with time zone",
       "aichemy_from_unix({0}, {1})", "from_unixtime(7200, 'Asia/Tokyo')",
       "\"1970-01-01 11:00:00.000 Asia/Tokyo\""},
      {"from_unixtime", kScalar, "double, bigint, bigint -> timestamp(3) with time zone",
       "aichemy_from_unix({0}, {1}, {2})", "from_unixtime(0, 1, 30)",
       "\"1970-01-01 01:30:00.000 +01:30\""},
      {"from_unixtime_nanos", kScalar, "bigint -> timestamp(9) with time zone",
       "aichemy_from_unix_nanos(CAST({0} AS HUGEINT), {zone})",
       "to_unixtime(from_unixtime_nanos(5000000000))", "5.0"},
      {"from_unixtime_nanos", kScalar, "decimal -> timestamp(9) with time zone",
       "aichemy_from_unix_nanos(CAST({0} AS HUGEINT), {zone})"},
      {"to_unixtime", kScalar, "timestamp_tz -> double", "aichemy_to_unix_{f0}({0}, {zone})",
       "to_unixtime(TIMESTAMP '1970-01-01 00:00:01.5 UTC')", "1.5"},
      {"to_unixtime", kScalar, "timestamp -> double", "aichemy_to_unix_{f0}({0}, {zone})"},
      {"with_timezone", kScalar, "timestamp, varchar -> timestamp(3) with time zone",
       "aichemy_with_zone_{f0}({0}, {1})", "with_timezone(TIMESTAMP '2020-05-10 12:34:56', 'UTC')",
       "\"2020-05-10 12:34:56 UTC\""},
      {"at_timezone", kScalar, "timestamp_tz, varchar -> $0",
       "aichemy_at_zone_{f0}({0}, {1}, {now})",
       "at_timezone(TIMESTAMP '2020-05-10 12:34:56 UTC', '+01:00')",
       "\"2020-05-10 13:34:56 +01:00\""},
      {"at_timezone", kScalar, "time_tz, varchar -> $0", "aichemy_at_zone_{f0}({0}, {1}, {now})",
       "at_timezone(TIME '12:34:56+00:00', '+01:00')", "\"13:34:56+01:00\""},
      {"at_timezone", kScalar, "timestamp_tz, interval day to second -> $0",
       "aichemy_at_offset_{f0}({0}, {1}, {now})",
       "at_timezone(TIMESTAMP '2020-05-10 12:34:56 UTC', INTERVAL '1' HOUR)",
       "\"2020-05-10 13:34:56 +01:00\""},
      {"at_timezone", kScalar, "time_tz, interval day to second -> $0",
       "aichemy_at_offset_{f0}({0}, {1}, {now})"},
      {"to_iso8601", kScalar, "date -> varchar(16)", "aichemy_iso_date({0}, CAST(0 AS INTEGER))",
       "to_iso8601(DATE '2020-05-10')", "\"2020-05-10\""},
      {"to_iso8601", kScalar, "timestamp -> varchar", "aichemy_iso_{f0}({0}, {p0})",
       "to_iso8601(TIMESTAMP '2020-05-10 12:34:56.7')", "\"2020-05-10T12:34:56.7\""},
      {"to_iso8601", kScalar, "timestamp_tz -> varchar", "aichemy_iso_{f0}({0}, {p0})",
       "to_iso8601(TIMESTAMP '2020-05-10 12:34:56 UTC')", "\"2020-05-10T12:34:56Z\""},
      {"from_iso8601_timestamp", kScalar, "varchar -> timestamp(3) with time zone",
       "aichemy_from_iso_tz6({0}, CAST(3 AS INTEGER), {zone})",
       "from_iso8601_timestamp('2020-05-10T12:34:56Z')", "\"2020-05-10 12:34:56.000 UTC\""},
      {"from_iso8601_timestamp_nanos", kScalar, "varchar -> timestamp(9) with time zone",
       "aichemy_from_iso_tz12({0}, CAST(9 AS INTEGER), {zone})",
       "from_iso8601_timestamp_nanos('2020-05-10T12:34:56Z')",
       "\"2020-05-10 12:34:56.000000000 UTC\""},
      {"from_iso8601_date", kScalar, "varchar -> date", "aichemy_from_iso_date({0})",
       "from_iso8601_date('2020-05-10')", "\"2020-05-10\""},
      {"date_format", kScalar, "timestamp, varchar -> varchar",
       "aichemy_mysql_format_{f0}({0}, {1}, {language})",
       "date_format(TIMESTAMP '2020-05-10 12:34:56', '%Y-%m-%d %H:%i:%s')",
       "\"2020-05-10 12:34:56\""},
      {"date_format", kScalar, "timestamp_tz, varchar -> varchar",
       "aichemy_mysql_format_{f0}({0}, {1}, {language})"},
      {"date_parse", kScalar, "varchar, varchar -> timestamp(3)",
       "aichemy_mysql_parse({0}, {1}, {language})", "date_parse('2020-05-10', '%Y-%m-%d')",
       "\"2020-05-10 00:00:00.000\""},
      {"format_datetime", kScalar, "timestamp, varchar -> varchar",
       "aichemy_joda_format_{f0}({0}, {1}, {language}, {zone})",
       "format_datetime(TIMESTAMP '2020-05-10 12:34:56', 'yyyy/MM/dd HH:mm')",
       "\"2020/05/10 12:34\""},
      {"format_datetime", kScalar, "timestamp_tz, varchar -> varchar",
       "aichemy_joda_format_{f0}({0}, {1}, {language}, {zone})"},
      {"parse_datetime", kScalar, "varchar, varchar -> timestamp(3) with time zone",
       "aichemy_joda_parse({0}, {1}, {language}, {zone})",
       "parse_datetime('2020/05/10 12:34 +0500', 'yyyy/MM/dd HH:mm Z')",
       "\"2020-05-10 12:34:00.000 +05:00\""},
      {"to_char", kScalar, "timestamp_tz, varchar -> varchar",
       "aichemy_teradata_format_{f0}({0}, {1})",
       "to_char(TIMESTAMP '1988-04-08 14:15:16 +02:09', 'yyyy/mm/dd hh24:mi:ss')",
       "\"1988/04/08 14:15:16\""},
      {"to_date", kScalar, "varchar, varchar -> date", "aichemy_teradata_date({0}, {1})",
       "to_date('1988/04/08', 'yyyy/mm/dd')", "\"1988-04-08\""},
      {"to_timestamp", kScalar, "varchar, varchar -> timestamp(3)",
       "aichemy_teradata_timestamp({0}, {1})",
       "to_timestamp('1988/04/08 14:15', 'yyyy/mm/dd hh24:mi')", "\"1988-04-08 14:15:00.000\""},
      {"human_readable_seconds", kScalar, "double -> varchar",
       "aichemy_human_readable_seconds({0})", "human_readable_seconds(3661)",
       "\"1 hour, 1 minute, 1 second\""},
      {"to_milliseconds", kScalar, "interval day to second -> bigint", "{0}",
       "to_milliseconds(INTERVAL '1' SECOND)", "1000"},
      {"parse_duration", kScalar, "varchar -> interval day to second",
       "aichemy_parse_duration({0})", "parse_duration('1.5m')", "\"0 00:01:30.000\""},
  };
#undef ZONED_FIELD
#undef PER_DATETIME
#undef PER_TIME
#undef ANY_KIND
  return kRows;
}

}  // namespace aichemy::sql
