// Dates and times. Instants with a zone are held and computed in UTC.
#include "sql/functions/functions.h"

namespace aichemy::sql {

// lint: table
const std::vector<FunctionRow>& scalar_functions_time() {
  constexpr auto kScalar = FunctionKind::scalar;
#define PER_DATETIME(name, text)                                                           \
  {name, kScalar, "date -> bigint", text}, {name, kScalar, "timestamp -> bigint", text}, { \
    name, kScalar, "timestamp_tz -> bigint", text                                          \
  }
#define PER_TIME(name, text)                                                           \
  {name, kScalar, "time -> bigint", text}, {name, kScalar, "time_tz -> bigint", text}, \
      {name, kScalar, "timestamp -> bigint", text}, {                                  \
    name, kScalar, "timestamp_tz -> bigint", text                                      \
  }
  static const std::vector<FunctionRow> kRows = {
      {"year", kScalar, "date -> bigint", "year({0})", "year(DATE '2020-05-10')", "2020"},
      PER_DATETIME("year", "year({0})"),
      PER_DATETIME("quarter", "quarter({0})"),
      PER_DATETIME("month", "month({0})"),
      PER_DATETIME("week", "weekofyear({0})"),
      PER_DATETIME("week_of_year", "weekofyear({0})"),
      PER_DATETIME("day", "day({0})"),
      PER_DATETIME("day_of_month", "day({0})"),
      PER_DATETIME("day_of_week", "isodow({0})"),
      PER_DATETIME("dow", "isodow({0})"),
      PER_DATETIME("day_of_year", "dayofyear({0})"),
      PER_DATETIME("doy", "dayofyear({0})"),
      PER_DATETIME("year_of_week", "isoyear({0})"),
      PER_DATETIME("yow", "isoyear({0})"),
      PER_TIME("hour", "hour({0})"),
      PER_TIME("minute", "minute({0})"),
      PER_TIME("second", "second({0})"),
      PER_TIME("millisecond", "(millisecond({0}) % 1000)"),
      {"year", kScalar, "interval year to month -> bigint", "({0} // 12)"},
      {"month", kScalar, "interval year to month -> bigint", "({0} % 12)"},
      {"day", kScalar, "interval day to second -> bigint", "({0} // 86400000)"},
      {"hour", kScalar, "interval day to second -> bigint", "({0} // 3600000 % 24)"},
      {"minute", kScalar, "interval day to second -> bigint", "({0} // 60000 % 60)"},
      {"second", kScalar, "interval day to second -> bigint", "({0} // 1000 % 60)"},
      {"timezone_hour", kScalar, "timestamp_tz -> bigint", "CAST(0 AS BIGINT)"},
      {"timezone_minute", kScalar, "timestamp_tz -> bigint", "CAST(0 AS BIGINT)"},
      {"date", kScalar, "varchar -> date", "CAST(trino_date_text({0}) AS DATE)",
       "date('2020-05-10')", "\"2020-05-10\""},
      {"date", kScalar, "timestamp -> date", "CAST({0} AS DATE)"},
      {"date", kScalar, "timestamp_tz -> date", "CAST(CAST({0} AS TIMESTAMP) AS DATE)"},
      {"last_day_of_month", kScalar, "date -> date", "last_day({0})",
       "last_day_of_month(DATE '2020-02-10')", "\"2020-02-29\""},
      {"last_day_of_month", kScalar, "timestamp -> date", "last_day({0})"},
      {"last_day_of_month", kScalar, "timestamp_tz -> date", "last_day({0})"},
      {"date_trunc", kScalar, "varchar, date -> date",
       "CAST(date_trunc(trino_date_unit({0}), {1}) AS DATE)",
       "date_trunc('month', DATE '2020-05-10')", "\"2020-05-01\""},
      {"date_trunc", kScalar, "varchar, timestamp -> $1",
       "CAST(date_trunc(trino_unit({0}), {1}) AS TIMESTAMP)"},
      {"date_trunc", kScalar, "varchar, timestamp_tz -> $1",
       "CAST(CAST(date_trunc(trino_unit({0}), CAST({1} AS TIMESTAMP)) AS TIMESTAMP) AS "
       "TIMESTAMPTZ)"},
      {"date_trunc", kScalar, "varchar, time -> $1",
       "CAST(date_trunc(trino_unit({0}), (DATE '1970-01-01' + {1})) AS TIME)"},
      {"date_add", kScalar, "varchar, bigint, date -> date",
       "CAST(({2} + trino_interval_of(trino_date_unit({0}), {1})) AS DATE)",
       "date_add('month', 1, DATE '2020-01-31')", "\"2020-02-29\""},
      {"date_add", kScalar, "varchar, bigint, timestamp -> $2",
       "({2} + trino_interval_of({0}, {1}))"},
      {"date_add", kScalar, "varchar, bigint, timestamp_tz -> $2",
       "({2} + trino_interval_of({0}, {1}))"},
      {"date_add", kScalar, "varchar, bigint, time -> $2", "({2} + trino_interval_of({0}, {1}))"},
      {"date_diff", kScalar, "varchar, date, date -> bigint",
       "date_sub(trino_date_unit({0}), {1}, {2})",
       "date_diff('month', DATE '2020-01-31', DATE '2020-02-29')", "1"},
      {"date_diff", kScalar, "varchar, timestamp, timestamp -> bigint",
       "date_sub(trino_unit({0}), {1}, {2})"},
      {"date_diff", kScalar, "varchar, timestamp_tz, timestamp_tz -> bigint",
       "date_sub(trino_unit({0}), {1}, {2})"},
      {"date_diff", kScalar, "varchar, time, time -> bigint",
       "date_sub(trino_unit({0}), {1}, {2})"},
      {"from_unixtime", kScalar, "double -> timestamp(3) with time zone",
       "make_timestamptz(CAST(round({0} * 1000) AS BIGINT) * 1000)",
       "to_unixtime(from_unixtime(5))", "5.0"},
      {"from_unixtime_nanos", kScalar, "bigint -> timestamp(9) with time zone",
       "make_timestamptz({0} // 1000)"},
      {"to_unixtime", kScalar, "timestamp_tz -> double",
       "(epoch_us({0}) / CAST(1000000 AS DOUBLE))"},
      {"to_unixtime", kScalar, "timestamp -> double", "(epoch_us({0}) / CAST(1000000 AS DOUBLE))"},
      {"with_timezone", kScalar, "timestamp, varchar -> timestamp(3) with time zone",
       "timezone({1}, {0})"},
      {"at_timezone", kScalar, "timestamp_tz, varchar -> $0", "{0}"},
      {"from_iso8601_timestamp", kScalar, "varchar -> timestamp(3) with time zone",
       "CAST({0} AS TIMESTAMPTZ)"},
      {"from_iso8601_date", kScalar, "varchar -> date", "CAST({0} AS DATE)",
       "from_iso8601_date('2020-05-10')", "\"2020-05-10\""},
      {"to_iso8601", kScalar, "date -> varchar", "CAST({0} AS VARCHAR)",
       "to_iso8601(DATE '2020-05-10')", "\"2020-05-10\""},
      {"to_iso8601", kScalar, "timestamp -> varchar", "strftime({0}, '%Y-%m-%dT%H:%M:%S.%g')"},
      {"to_iso8601", kScalar, "timestamp_tz -> varchar",
       "(strftime(CAST({0} AS TIMESTAMP), '%Y-%m-%dT%H:%M:%S.%g') || 'Z')"},
      {"date_format", kScalar, "timestamp, varchar -> varchar",
       "strftime({0}, trino_mysql_format({1}))",
       "date_format(TIMESTAMP '2020-05-10 12:34:56', '%Y-%m-%d %H:%i:%s')",
       "\"2020-05-10 12:34:56\""},
      {"date_format", kScalar, "timestamp_tz, varchar -> varchar",
       "strftime(CAST({0} AS TIMESTAMP), trino_mysql_format({1}))"},
      {"date_parse", kScalar, "varchar, varchar -> timestamp(3)",
       "strptime({0}, trino_mysql_format({1}))", "date_parse('2020-05-10', '%Y-%m-%d')",
       "\"2020-05-10 00:00:00.000\""},
      {"format_datetime", kScalar, "timestamp, varchar -> varchar", "!"},
      {"parse_datetime", kScalar, "varchar, varchar -> timestamp(3) with time zone", "!"},
      {"human_readable_seconds", kScalar, "double -> varchar", "!"},
      {"to_milliseconds", kScalar, "interval day to second -> bigint", "{0}",
       "to_milliseconds(INTERVAL '1' SECOND)", "1000"},
      {"parse_duration", kScalar, "varchar -> interval day to second", "!"},
  };
#undef PER_DATETIME
#undef PER_TIME
  return kRows;
}

}  // namespace aichemy::sql
