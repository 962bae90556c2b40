#include "sql/native/variant_write.h"

#include <fmt/format.h>

#include <duckdb/common/types/uuid.hpp>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using Kind = VariantNode::Kind;

constexpr int kShortDecimalDigits = 18;

VariantNode made_of(Kind kind, __int128 whole) {
  VariantNode made;
  made.kind = kind;
  made.whole = whole;
  return made;
}

VariantNode real_of(Kind kind, double value) {
  VariantNode made;
  made.kind = kind;
  made.real = value;
  return made;
}

VariantNode text_of(Kind kind, std::string_view text) {
  VariantNode made;
  made.kind = kind;
  made.text = text;
  return made;
}

__int128 wide(const duckdb::hugeint_t& value) {
  return static_cast<__int128>(value.upper) << 64 | value.lower;
}

std::string uuid_bytes(duckdb::hugeint_t value) {
  // The engine flips the first bit, so that UUIDs sort as they should.
  auto upper = static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63);
  std::string out;
  for (int i = 7; i >= 0; --i) out += static_cast<char>(upper >> (8 * i));
  for (int i = 7; i >= 0; --i) out += static_cast<char>(value.lower >> (8 * i));
  return out;
}

VariantNode checked(Result<VariantNode> made) {
  if (!made) raise(made.error().what, made.error().message);
  return std::move(*made);
}

VariantNode json_of(std::string_view text) {
  auto parsed = parse_json(text, false);
  if (!parsed) raise("INVALID_CAST_ARGUMENT", "Invalid JSON input for VARIANT");
  return checked(variant_of_json(*parsed));
}

}  // namespace

VariantSource::VariantSource(duckdb::Vector& vector, idx_t count, const Type& type) : type_(type) {
  bool moment = type.is(TypeKind::date) || type.is(TypeKind::time) ||
                type.is(TypeKind::timestamp) || type.is(TypeKind::timestamp_tz);
  if (!type.fields.empty()) vector.Flatten(count);
  if (moment) moments_.emplace(vector, count, form_of(type));
  vector.ToUnifiedFormat(count, format_);
  switch (type.kind) {
    case TypeKind::array:
      parts_.emplace_back(duckdb::ListVector::GetEntry(vector),
                          duckdb::ListVector::GetListSize(vector), type.element());
      break;
    case TypeKind::map: {
      idx_t entries = duckdb::ListVector::GetListSize(vector);
      duckdb::ListVector::GetEntry(vector).Flatten(entries);
      parts_.emplace_back(duckdb::MapVector::GetKeys(vector), entries, type.key());
      parts_.emplace_back(duckdb::MapVector::GetValues(vector), entries, type.value());
      break;
    }
    case TypeKind::row: {
      auto& children = duckdb::StructVector::GetEntries(vector);
      for (size_t i = 0; i < type.fields.size(); ++i)
        parts_.emplace_back(*children[i], count, type.fields[i].type);
      break;
    }
    default: break;
  }
}

std::string_view VariantSource::text(idx_t row) const {
  const auto& raw = value<duckdb::string_t>(row);
  return {raw.GetData(), raw.GetSize()};
}

VariantNode VariantSource::at(idx_t row) const {
  if (is_null(row)) return {};
  switch (type_.kind) {
    case TypeKind::boolean: {
      VariantNode made;
      made.kind = Kind::boolean;
      made.truth = value<bool>(row);
      return made;
    }
    case TypeKind::tinyint: return made_of(Kind::int8, value<int8_t>(row));
    case TypeKind::smallint: return made_of(Kind::int16, value<int16_t>(row));
    case TypeKind::integer: return made_of(Kind::int32, value<int32_t>(row));
    case TypeKind::bigint: return made_of(Kind::int64, value<int64_t>(row));
    case TypeKind::real: return real_of(Kind::float_, value<float>(row));
    case TypeKind::double_: return real_of(Kind::double_, value<double>(row));
    case TypeKind::decimal: return decimal(row);
    case TypeKind::varchar: return text_of(Kind::string, text(row));
    case TypeKind::varbinary: return text_of(Kind::binary, text(row));
    case TypeKind::uuid: return text_of(Kind::uuid, uuid_bytes(value<duckdb::hugeint_t>(row)));
    case TypeKind::json: return json_of(text(row));
    case TypeKind::variant: return checked(decode_variant(text(row)));
    case TypeKind::unknown: return {};
    case TypeKind::array:
    case TypeKind::map:
    case TypeKind::row: return nested(row);
    default: return moment(row);
  }
}

VariantNode VariantSource::decimal(idx_t row) const {
  bool is_short = type_.precision <= kShortDecimalDigits;
  VariantNode made = made_of(is_short ? Kind::decimal8 : Kind::decimal16, 0);
  made.scale = type_.scale;
  if (type_.precision <= 4)
    made.whole = value<int16_t>(row);
  else if (type_.precision <= 9)
    made.whole = value<int32_t>(row);
  else if (is_short)
    made.whole = value<int64_t>(row);
  else
    made.whole = wide(value<duckdb::hugeint_t>(row));
  return made;
}

// Finer fractions than a variant holds are cut.
VariantNode VariantSource::moment(idx_t row) const {
  Moment moment = moments_->at(row);
  if (type_.is(TypeKind::date))
    return made_of(Kind::date, floor_div(moment.seconds, kSecondsPerDay));
  bool time = type_.is(TypeKind::time), nanos = !time && type_.precision > 6;
  int64_t units = nanos ? 1'000'000'000 : 1'000'000;
  __int128 whole =
      static_cast<__int128>(moment.seconds) * units + moment.picos / (kPicosPerSecond / units);
  if (whole != static_cast<int64_t>(whole)) raise("NUMERIC_VALUE_OUT_OF_RANGE", "long overflow");
  if (time) return made_of(Kind::time, whole);
  bool zoned = type_.is(TypeKind::timestamp_tz);
  if (nanos) return made_of(zoned ? Kind::timestamp_tz_nanos : Kind::timestamp_nanos, whole);
  return made_of(zoned ? Kind::timestamp_tz : Kind::timestamp, whole);
}

VariantNode VariantSource::nested(idx_t row) const {
  VariantNode made;
  made.kind = type_.is(TypeKind::array) ? Kind::array : Kind::object;
  if (type_.is(TypeKind::row)) {
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (!type_.fields[i].name)
        raise("INVALID_CAST_ARGUMENT", "Cannot cast ROW with anonymous fields to VARIANT");
      made.keys.push_back(*type_.fields[i].name);
      made.items.push_back(parts_[i].at(row));
    }
    return made;
  }
  auto entry = value<duckdb::list_entry_t>(row);
  for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
    if (type_.is(TypeKind::map)) made.keys.emplace_back(parts_[0].text(i));
    made.items.push_back(parts_.back().at(i));
  }
  return made;
}

}  // namespace aichemy::sql
