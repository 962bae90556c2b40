#include "sql/serde/orc_columns.h"

#include <fmt/format.h>

#include <algorithm>
#include <duckdb/common/vector_operations/vector_operations.hpp>

#include "sql/native/duckdb_type.h"
#include "sql/serde/file_rows.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::LogicalType;
using orc::Batch;
using orc::Kind;

constexpr int64_t k2015 = 1'420'070'400;            // seconds
constexpr int64_t kSecondsMax = 9'000'000'000'000;  // what microseconds can say, and some
constexpr int64_t kMicros = 1'000'000, kNanosPerMilli = 1'000'000;

// What a kind is read as. Others are made of it by a cast where `casts` has the pair.
LogicalType natural_type(const orc::TypeNode& node) {
  switch (node.kind) {
    case Kind::boolean: return LogicalType::BOOLEAN;
    case Kind::byte: return LogicalType::TINYINT;
    case Kind::short_: return LogicalType::SMALLINT;
    case Kind::int_: return LogicalType::INTEGER;
    case Kind::long_: return LogicalType::BIGINT;
    case Kind::float_: return LogicalType::FLOAT;
    case Kind::double_: return LogicalType::DOUBLE;
    case Kind::date: return LogicalType::DATE;
    case Kind::timestamp: return LogicalType::TIMESTAMP;
    case Kind::binary: return LogicalType::BLOB;
    case Kind::decimal:
      return LogicalType::DECIMAL(static_cast<uint8_t>(node.precision),
                                  static_cast<uint8_t>(node.scale));
    default: return LogicalType::VARCHAR;
  }
}

enum class Group : uint8_t { truth, integer, floating, decimal, date, text, other };

Group group_of(Kind kind) {
  switch (kind) {
    case Kind::boolean: return Group::truth;
    case Kind::byte:
    case Kind::short_:
    case Kind::int_:
    case Kind::long_: return Group::integer;
    case Kind::float_:
    case Kind::double_: return Group::floating;
    case Kind::decimal: return Group::decimal;
    case Kind::date: return Group::date;
    case Kind::string:
    case Kind::varchar:
    case Kind::char_: return Group::text;
    default: return Group::other;
  }
}

bool casts(Kind kind, const Type& type) {
  Group group = group_of(kind);
  bool number = type.is_integer() || type.is(TypeKind::real) || type.is(TypeKind::double_) ||
                type.is(TypeKind::decimal);
  switch (group) {
    case Group::integer:
    case Group::decimal: return number || type.is(TypeKind::varchar);
    case Group::floating: return type.is(TypeKind::real) || type.is(TypeKind::double_);
    case Group::truth:
    case Group::date: return type.is(TypeKind::varchar);
    case Group::text:
    case Group::other: return false;
  }
  return false;
}

// Whether the vector of the type is filled without a cast.
bool is_direct(const orc::TypeNode& node, const Type& type) {
  switch (node.kind) {
    case Kind::boolean: return type.is(TypeKind::boolean);
    case Kind::byte: return type.is(TypeKind::tinyint);
    case Kind::short_: return type.is(TypeKind::smallint);
    case Kind::int_: return type.is(TypeKind::integer);
    case Kind::long_: return type.is(TypeKind::bigint);
    case Kind::float_: return type.is(TypeKind::real);
    case Kind::double_: return type.is(TypeKind::double_);
    case Kind::date: return type.is(TypeKind::date);
    case Kind::timestamp: return type.is(TypeKind::timestamp);
    case Kind::binary:
    case Kind::string:
    case Kind::varchar:
    case Kind::char_: return type.is_text() || type.is(TypeKind::varbinary);
    case Kind::decimal:
      return type.is(TypeKind::decimal) && type.precision == node.precision &&
             type.scale == node.scale;
    case Kind::list: return type.is(TypeKind::array);
    case Kind::map: return type.is(TypeKind::map);
    case Kind::struct_: return type.is(TypeKind::row);
    case Kind::union_:
    case Kind::timestamp_instant: return false;
  }
  return false;
}

template <class T>
void put_numbers(const Batch& batch, duckdb::Vector& out) {
  auto* to = FlatVector::GetData<T>(out);
  for (idx_t i = 0; i < batch.rows; ++i) to[i] = static_cast<T>(batch.ints[i]);
}

// Values are checked against the column's precision: the engine's arithmetic relies on it.
Status put_decimals(const Batch& batch, int precision, duckdb::Vector& out) {
  orc::Int128 limit = 1;
  for (int i = 0; i < precision; ++i) limit *= 10;
  auto put = [&]<class T>(T* to) -> Status {
    for (idx_t i = 0; i < batch.rows; ++i) {
      orc::Int128 value = batch.is_null(i) ? 0 : batch.decimals[i];
      if (value >= limit || value <= -limit)
        return fail(Code::corrupt, "orc", "a decimal has more digits than its type");
      if constexpr (std::is_same_v<T, duckdb::hugeint_t>) {
        to[i].lower = static_cast<uint64_t>(value);
        to[i].upper = static_cast<int64_t>(value >> 64);
      } else {
        to[i] = static_cast<T>(value);
      }
    }
    return {};
  };
  switch (out.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16: return put(FlatVector::GetData<int16_t>(out));
    case duckdb::PhysicalType::INT32: return put(FlatVector::GetData<int32_t>(out));
    case duckdb::PhysicalType::INT64: return put(FlatVector::GetData<int64_t>(out));
    default: return put(FlatVector::GetData<duckdb::hugeint_t>(out));
  }
}

}  // namespace

Result<OrcClock> OrcClock::of(const std::string& zone) {
  OrcClock clock;
  if (!zone.empty()) {
    auto found = find_zone(zone);
    if (!found) return fail(Code::corrupt, "orc", fmt::format("unknown time zone {}", zone));
    clock.zone = *found;
  }
  clock.base = to_utc(clock.zone, k2015);
  return clock;
}

Result<OrcColumn> OrcColumn::plan(const std::vector<orc::TypeNode>& types, uint32_t node,
                                  const Type& type, const std::string& name) {
  OrcColumn out;
  const orc::TypeNode& of = types[node];
  bool direct = is_direct(of, type);
  if (!direct && !casts(of.kind, type)) {
    return fail(Code::corrupt, "orc",
                fmt::format("Cannot read SQL type '{}' from ORC stream '{}' of type {}",
                            type.display(), name, orc::kind_name(of.kind)));
  }
  out.type_ = type;
  out.physical_ = duckdb_type(type);
  out.natural_ = direct ? out.physical_ : natural_type(of);
  out.node_ = node;
  out.kind_ = of.kind;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    const std::string field = type.fields[i].name.value_or("");
    std::optional<uint32_t> child;
    if (of.kind != Kind::struct_) {
      child = of.children[i];
    } else {
      for (size_t k = 0; k < of.names.size() && !child; ++k) {
        if (same_name(of.names[k], field)) child = of.children[k];
      }
    }
    if (!child) continue;
    ASSIGN_OR_RETURN(OrcColumn made,
                     plan(types, *child, type.fields[i].type, fmt::format("{}.{}", name, field)));
    out.children_.push_back(std::move(made));
    out.fields_.push_back(i);
  }
  return out;
}

orc::Selection OrcColumn::selection() const {
  orc::Selection out{node_, {}};
  for (const OrcColumn& child : children_) out.children.push_back(child.selection());
  return out;
}

Status OrcColumn::put(const Batch& batch, const OrcClock& clock, duckdb::Vector& out) const {
  if (natural_ == physical_) return put_natural(batch, clock, out);
  duckdb::Vector made(natural_, std::max<idx_t>(batch.rows, STANDARD_VECTOR_SIZE));
  RETURN_IF_ERROR(put_natural(batch, clock, made));
  std::string message;
  if (!duckdb::VectorOperations::DefaultTryCast(made, out, batch.rows, &message))
    return fail(Code::corrupt, "orc", message);
  if (!type_.is(TypeKind::varchar) || type_.precision == Type::kUnbounded) return {};
  auto* texts = FlatVector::GetData<duckdb::string_t>(out);
  for (idx_t i = 0; i < batch.rows; ++i) {
    if (!batch.is_null(i)) put_fitting(out, i, texts[i].GetString(), type_);
  }
  return {};
}

Status OrcColumn::put_natural(const Batch& batch, const OrcClock& clock,
                              duckdb::Vector& out) const {
  if (!batch.nulls.empty()) {
    auto& validity = FlatVector::Validity(out);
    for (idx_t i = 0; i < batch.rows; ++i) {
      if (batch.nulls[i]) validity.SetInvalid(i);
    }
  }
  switch (kind_) {
    case Kind::boolean: put_numbers<bool>(batch, out); return {};
    case Kind::byte: put_numbers<int8_t>(batch, out); return {};
    case Kind::short_: put_numbers<int16_t>(batch, out); return {};
    case Kind::int_: put_numbers<int32_t>(batch, out); return {};
    case Kind::long_: put_numbers<int64_t>(batch, out); return {};
    case Kind::date: put_numbers<int32_t>(batch, out); return {};
    case Kind::float_: {
      auto* to = FlatVector::GetData<float>(out);
      for (idx_t i = 0; i < batch.rows; ++i) to[i] = static_cast<float>(batch.doubles[i]);
      return {};
    }
    case Kind::double_:
      std::ranges::copy(batch.doubles, FlatVector::GetData<double>(out));
      return {};
    case Kind::timestamp: return put_times(batch, clock, out);
    case Kind::decimal:
      return put_decimals(batch, duckdb::DecimalType::GetWidth(out.GetType()), out);
    case Kind::list:
    case Kind::map: return put_entries(batch, clock, out);
    case Kind::struct_: {
      auto& fields = duckdb::StructVector::GetEntries(out);
      std::vector<bool> filled(fields.size());
      for (size_t i = 0; i < children_.size(); ++i) {
        filled[fields_[i]] = true;
        RETURN_IF_ERROR(children_[i].put(batch.children[i], clock, *fields[fields_[i]]));
      }
      for (size_t i = 0; i < fields.size(); ++i) {
        if (!filled[i]) put_nulls(*fields[i], batch.rows);
      }
      return {};
    }
    default: put_texts(batch, out); return {};
  }
}

void OrcColumn::put_texts(const Batch& batch, duckdb::Vector& out) const {
  bool raw = type_.is(TypeKind::varbinary);
  auto* texts = FlatVector::GetData<duckdb::string_t>(out);
  for (idx_t i = 0; i < batch.rows; ++i) {
    if (batch.is_null(i)) continue;
    std::string_view text = batch.texts[i];
    if (raw)
      texts[i] = duckdb::StringVector::AddStringOrBlob(out, text.data(), text.size());
    else
      put_fitting(out, i, text, type_);
  }
}

Status OrcColumn::put_times(const Batch& batch, const OrcClock& clock, duckdb::Vector& out) const {
  auto* to = FlatVector::GetData<duckdb::timestamp_t>(out);
  for (idx_t i = 0; i < batch.rows; ++i) {
    if (batch.is_null(i)) continue;
    if (batch.ints[i] > kSecondsMax || batch.ints[i] < -kSecondsMax)
      return fail(Code::corrupt, "orc", "a timestamp is out of range");
    int64_t seconds = batch.ints[i] + clock.base, nanos = batch.nanos[i];
    // Writers cut towards zero what lies before 1970 and has milliseconds (ORC-763).
    if (seconds < 0 && nanos >= kNanosPerMilli) --seconds;
    if (clock.zone != kUtc) seconds += offset_at(clock.zone, seconds);
    int64_t step = type_.precision == 3 ? kNanosPerMilli : 1000;
    int64_t micros = (nanos + step / 2) / step * (step / 1000);
    to[i] = duckdb::timestamp_t(seconds * kMicros + micros);
  }
  return {};
}

Status OrcColumn::put_entries(const Batch& batch, const OrcClock& clock,
                              duckdb::Vector& out) const {
  auto* entries = FlatVector::GetData<duckdb::list_entry_t>(out);
  uint64_t total = 0;
  for (idx_t i = 0; i < batch.rows; ++i) {
    entries[i] = {total, static_cast<uint64_t>(batch.ints[i])};
    total += entries[i].length;
  }
  duckdb::ListVector::Reserve(out, total);
  duckdb::ListVector::SetListSize(out, total);
  if (kind_ == Kind::list)
    return children_[0].put(batch.children[0], clock, duckdb::ListVector::GetEntry(out));
  RETURN_IF_ERROR(children_[0].put(batch.children[0], clock, duckdb::MapVector::GetKeys(out)));
  RETURN_IF_ERROR(children_[1].put(batch.children[1], clock, duckdb::MapVector::GetValues(out)));
  switch (duckdb::MapVector::CheckMapValidity(out, batch.rows)) {
    case duckdb::MapInvalidReason::VALID: return {};
    case duckdb::MapInvalidReason::NULL_KEY:
      return fail(Code::corrupt, "orc", "a map has a null key");
    default: return fail(Code::corrupt, "orc", "a map has a key twice");
  }
}

namespace {

template <class T>
bool overlaps(Compare op, const T& value, const T& low, const T& high) {
  switch (op) {
    case Compare::eq:
    case Compare::in: return low <= value && value <= high;
    case Compare::ne: return !(low == value && high == value);
    case Compare::lt: return low < value;
    case Compare::le: return low <= value;
    case Compare::gt: return high > value;
    case Compare::ge: return high >= value;
    default: return true;
  }
}

}  // namespace

bool orc_may_match(const Conjunct& conjunct, const Type& type, const orc::TypeNode& node,
                   const orc::ColumnStatistics& statistics) {
  if (conjunct.op == Compare::is_null) return statistics.has_null;
  if (statistics.values == uint64_t{0}) return false;  // all are null
  if (conjunct.op == Compare::is_not_null) return true;
  bool number = (group_of(node.kind) == Group::integer && type.is_integer()) ||
                (node.kind == Kind::date && type.is(TypeKind::date));
  if (!number || !statistics.low || !statistics.high) return true;
  return std::ranges::any_of(conjunct.values, [&](const Value& value) {
    const auto* wanted = std::get_if<int64_t>(&value);
    return !wanted || overlaps(conjunct.op, *wanted, *statistics.low, *statistics.high);
  });
}

}  // namespace aichemy::sql
