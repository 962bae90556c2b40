#include "sql/native/moment.h"

#include <fmt/format.h>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::interval_t;
using duckdb::UnifiedVectorFormat;

constexpr int64_t kMicrosPerSecond = 1'000'000, kPicosPerMicro = 1'000'000;
constexpr int64_t kMicrosPerDay = kSecondsPerDay * kMicrosPerSecond;
// Above kZoneMax days and Trino's least instant, below what keeps the sum in 64 bits.
constexpr int64_t kInstantBias = 2'300'000'000'000'000'000;
constexpr int64_t kTimeBias = 1'000'000'000'000'000;

Moment of_micros(int64_t micros, Zone zone) {
  return {floor_div(micros, kMicrosPerSecond), floor_mod(micros, kMicrosPerSecond) * kPicosPerMicro,
          zone};
}

// The zone a stored value names; a value made by something else than us is UTC.
Zone zone_of(const interval_t& value) { return is_zone(value.days) ? value.days : kUtc; }

int64_t utc_micros_of(const interval_t& value) {
  return value.micros + value.days * kMicrosPerDay - kInstantBias;
}

int64_t micros_of(const Moment& moment, const char* type) {
  int64_t micros = 0;
  if (__builtin_mul_overflow(moment.seconds, kMicrosPerSecond, &micros) ||
      __builtin_add_overflow(micros, moment.picos / kPicosPerMicro, &micros)) {
    raise("NUMERIC_VALUE_OUT_OF_RANGE", fmt::format("Value is beyond the range of {}", type));
  }
  return micros;
}

interval_t instant_of(const Moment& moment) {
  if (!is_instant(moment)) {
    __int128 millis = static_cast<__int128>(moment.seconds) * 1000 + moment.picos / 1'000'000'000;
    constexpr __int128 kMax = INT64_MAX, kMin = INT64_MIN;
    auto shown = static_cast<int64_t>(millis > kMax ? kMax : millis < kMin ? kMin : millis);
    raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Millis overflow: {}", shown));
  }
  return zoned_instant(moment.seconds * kMicrosPerSecond + moment.picos / kPicosPerMicro,
                       moment.zone);
}

}  // namespace

Form form_of(const Type& type) {
  for (const auto& row : kForms) {
    if (row.kind == type.kind && type.precision <= row.precision_max) return row.form;
  }
  return Form::date;
}

interval_t zoned_instant(int64_t utc_micros, Zone zone) {
  return {0, zone, utc_micros - zone * kMicrosPerDay + kInstantBias};
}

interval_t zoned_time(int64_t utc_picos, Zone zone) {
  return {0, zone, utc_picos - zone * kMicrosPerDay + kTimeBias};
}

MomentReader::MomentReader(duckdb::Vector& vector, idx_t count, Form form) : form_(form) {
  if (form != Form::tz12) {
    vector.ToUnifiedFormat(count, format_);
    return;
  }
  if (vector.GetVectorType() != duckdb::VectorType::FLAT_VECTOR) vector.Flatten(count);
  vector.ToUnifiedFormat(count, format_);
  auto& parts = duckdb::StructVector::GetEntries(vector);
  duckdb::UnifiedVectorFormat instants;
  parts[0]->ToUnifiedFormat(count, instants);
  parts[1]->ToUnifiedFormat(count, picos_);
  instants.validity = format_.validity;
  format_ = std::move(instants);
}

Moment MomentReader::at(idx_t row) const {
  idx_t at = format_.sel->get_index(row);
  switch (form_) {
    case Form::date:
      return {UnifiedVectorFormat::GetData<int32_t>(format_)[at] * kSecondsPerDay, 0, kUtc};
    case Form::time6:
    case Form::ts6: return of_micros(UnifiedVectorFormat::GetData<int64_t>(format_)[at], kUtc);
    case Form::time12: {
      int64_t picos = UnifiedVectorFormat::GetData<int64_t>(format_)[at];
      return {picos / kPicosPerSecond, picos % kPicosPerSecond, kUtc};
    }
    case Form::ts12: {
      auto raw = UnifiedVectorFormat::GetData<duckdb::hugeint_t>(format_)[at];
      __int128 picos = static_cast<__int128>(raw.upper) << 64 | raw.lower;
      auto rest = static_cast<int64_t>(picos % kPicosPerSecond);
      auto seconds = static_cast<int64_t>(picos / kPicosPerSecond);
      if (rest < 0) return {seconds - 1, rest + kPicosPerSecond, kUtc};
      return {seconds, rest, kUtc};
    }
    case Form::timetz: {
      const auto& raw = UnifiedVectorFormat::GetData<interval_t>(format_)[at];
      Zone zone = zone_of(raw);
      int64_t picos = raw.micros + raw.days * kMicrosPerDay - kTimeBias;
      int64_t local = picos / kPicosPerSecond + offset_at(zone, 0);
      return {floor_mod(local, kSecondsPerDay), floor_mod(picos, kPicosPerSecond), zone};
    }
    case Form::tz6:
    case Form::tz12: {
      const auto& raw = UnifiedVectorFormat::GetData<interval_t>(format_)[at];
      Moment made = of_micros(utc_micros_of(raw), zone_of(raw));
      if (form_ == Form::tz12)
        made.picos += UnifiedVectorFormat::GetData<int32_t>(picos_)[picos_.sel->get_index(row)];
      return made;
    }
  }
  return {};
}

MomentWriter::MomentWriter(duckdb::Vector& result, Form form) : result_(result), form_(form) {
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
}

void MomentWriter::set(idx_t row, const Moment& moment) {
  using duckdb::FlatVector;
  switch (form_) {
    case Form::date: {
      int64_t days = floor_div(moment.seconds, kSecondsPerDay);
      if (days != static_cast<int32_t>(days)) {
        raise("GENERIC_INTERNAL_ERROR", fmt::format("Value {} exceeds {} for type date", days,
                                                    days > 0 ? "MAX_INT" : "MIN_INT"));
      }
      FlatVector::GetData<int32_t>(result_)[row] = static_cast<int32_t>(days);
      return;
    }
    case Form::time6:
    case Form::ts6:
      FlatVector::GetData<int64_t>(result_)[row] = micros_of(moment, "timestamp");
      return;
    case Form::time12:
      FlatVector::GetData<int64_t>(result_)[row] = moment.seconds * kPicosPerSecond + moment.picos;
      return;
    case Form::ts12: {
      micros_of(moment, "timestamp");  // the range is the short form's
      __int128 picos = static_cast<__int128>(moment.seconds) * kPicosPerSecond + moment.picos;
      duckdb::hugeint_t raw;
      raw.lower = static_cast<uint64_t>(picos);
      raw.upper = static_cast<int64_t>(picos >> 64);
      FlatVector::GetData<duckdb::hugeint_t>(result_)[row] = raw;
      return;
    }
    case Form::timetz: {
      int64_t utc = floor_mod(moment.seconds - offset_at(moment.zone, 0), kSecondsPerDay);
      FlatVector::GetData<interval_t>(result_)[row] =
          zoned_time(utc * kPicosPerSecond + moment.picos, moment.zone);
      return;
    }
    case Form::tz6: FlatVector::GetData<interval_t>(result_)[row] = instant_of(moment); return;
    case Form::tz12: {
      auto& parts = duckdb::StructVector::GetEntries(result_);
      FlatVector::GetData<interval_t>(*parts[0])[row] = instant_of(moment);
      FlatVector::GetData<int32_t>(*parts[1])[row] =
          static_cast<int32_t>(moment.picos % kPicosPerMicro);
      return;
    }
  }
}

}  // namespace aichemy::sql
