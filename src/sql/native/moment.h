// Dates, times and timestamps in the engine's vectors: the physical forms of decision 0070, read
// into and written from a Moment (sql/types/moment.h).
//
//   date    DATE
//   time6   TIME, p <= 6                  time12  BIGINT, picoseconds since midnight
//   timetz  INTERVAL (below)
//   ts6     TIMESTAMP, p <= 6             ts12    HUGEINT, picoseconds since 1970
//   tz6     INTERVAL (below), p <= 6      tz12    STRUCT(t INTERVAL, p INTEGER): p the picoseconds
//                                                 of t's microsecond
//
// A value with a zone is an INTERVAL because DuckDB compares, orders, groups and hashes intervals
// by their total and not by how it is spread over days and microseconds: `days` is the zone's
// number, `micros` the rest of the total. Two values at one instant are equal whatever their zones,
// as in Trino, and each keeps its own. The total is biased so that `micros` is never negative: only
// then is DuckDB's normal form of a total unique. tz6 counts microseconds since 1970 in UTC; timetz
// counts picoseconds since midnight in UTC.
#pragma once

#include <duckdb/common/types/interval.hpp>
#include <duckdb/common/types/vector.hpp>

#include "sql/types/moment.h"

namespace aichemy::sql {

enum class Form : uint8_t { date, time6, time12, timetz, ts6, ts12, tz6, tz12 };

struct FormRow {
  Form form;
  const char* name;
  const char* physical;
  TypeKind kind;
  int precision_max;
};

constexpr FormRow kForms[] = {
    {Form::date, "date", "DATE", TypeKind::date, 0},
    {Form::time6, "time6", "TIME", TypeKind::time, 6},
    {Form::time12, "time12", "BIGINT", TypeKind::time, 12},
    {Form::timetz, "timetz", "INTERVAL", TypeKind::time_tz, 12},
    {Form::ts6, "ts6", "TIMESTAMP", TypeKind::timestamp, 6},
    {Form::ts12, "ts12", "HUGEINT", TypeKind::timestamp, 12},
    {Form::tz6, "tz6", "INTERVAL", TypeKind::timestamp_tz, 6},
    {Form::tz12, "tz12", "STRUCT(t INTERVAL, p INTEGER)", TypeKind::timestamp_tz, 12},
};
constexpr const FormRow& row_of(Form form) { return kForms[static_cast<size_t>(form)]; }
Form form_of(const Type& type);

duckdb::interval_t zoned_instant(int64_t utc_micros, Zone zone);
duckdb::interval_t zoned_time(int64_t utc_picos, Zone zone);

class MomentReader {
 public:
  MomentReader(duckdb::Vector& vector, duckdb::idx_t count, Form form);
  bool is_null(duckdb::idx_t row) const {
    return !format_.validity.RowIsValid(format_.sel->get_index(row));
  }
  Moment at(duckdb::idx_t row) const;

 private:
  Form form_;
  duckdb::UnifiedVectorFormat format_, picos_;  // picos_: tz12
};

// Raises NUMERIC_VALUE_OUT_OF_RANGE and the like for what the form cannot hold.
class MomentWriter {
 public:
  MomentWriter(duckdb::Vector& result, Form form);
  void set_null(duckdb::idx_t row) { duckdb::FlatVector::SetNull(result_, row, true); }
  void set(duckdb::idx_t row, const Moment& moment);

 private:
  duckdb::Vector& result_;
  Form form_;
};

}  // namespace aichemy::sql
