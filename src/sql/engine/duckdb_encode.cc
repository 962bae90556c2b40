#include "sql/engine/duckdb_encode.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <charconv>
#include <cmath>
#include <cstring>
#include <duckdb/common/types/decimal.hpp>
#include <duckdb/common/types/hugeint.hpp>
#include <duckdb/common/types/uuid.hpp>
#include <optional>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/engine/native_moment.h"
#include "sql/types/ip_address.h"
#include "sql/types/moment.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::UnifiedVectorFormat;

void append_integer(std::string& out, int64_t value) {
  char raw[24];
  auto [end, error] = std::to_chars(raw, raw + sizeof raw, value);
  out.append(raw, end);
}

// A client tells floating numbers from integers by a point or an exponent; non-finite ones are
// strings.
template <class Real>
void append_real(std::string& out, Real value) {
  if (std::isnan(value)) {
    out += "\"NaN\"";
  } else if (std::isinf(value)) {
    out += value > 0 ? "\"Infinity\"" : "\"-Infinity\"";
  } else {
    char raw[40];
    auto [end, error] = std::to_chars(raw, raw + sizeof raw, value);
    std::string_view text(raw, static_cast<size_t>(end - raw));
    out += text;
    if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
  }
}

void append_day_time_interval(std::string& out, int64_t millis) {
  bool negative = millis < 0;
  uint64_t all = negative ? 0 - static_cast<uint64_t>(millis) : static_cast<uint64_t>(millis);
  out += fmt::format("{}{} {:02}:{:02}:{:02}.{:03}", negative ? "-" : "", all / 86'400'000,
                     all / 3'600'000 % 24, all / 60'000 % 60, all / 1000 % 60, all % 1000);
}

void append_year_month_interval(std::string& out, int32_t months) {
  int64_t all = months < 0 ? -int64_t{months} : months;
  out += fmt::format("{}{}-{}", months < 0 ? "-" : "", all / 12, all % 12);
}

// char(n): padded with blanks to n code points.
std::string padded(std::string_view text, int32_t length) {
  int32_t points = 0;
  for (char c : text) points += (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  std::string out(text);
  if (points < length) out.append(static_cast<size_t>(length - points), ' ');
  return out;
}

// One column (or part of one) of a chunk: its vector and, for nested types, its parts.
class Column {
 public:
  Column(duckdb::Vector& vector, idx_t count, const Type& type) : vector_(vector), type_(type) {
    vector.ToUnifiedFormat(count, format_);
    switch (type.kind) {
      case TypeKind::date:
      case TypeKind::time:
      case TypeKind::time_tz:
      case TypeKind::timestamp:
      case TypeKind::timestamp_tz: moments_.emplace(vector, count, form_of(type)); break;
      case TypeKind::array: {
        auto& child = duckdb::ListVector::GetEntry(vector);
        parts_.emplace_back(child, duckdb::ListVector::GetListSize(vector), type.element());
        break;
      }
      case TypeKind::map: {
        idx_t entries = duckdb::ListVector::GetListSize(vector);
        parts_.emplace_back(duckdb::MapVector::GetKeys(vector), entries, type.key());
        parts_.emplace_back(duckdb::MapVector::GetValues(vector), entries, type.value());
        break;
      }
      case TypeKind::row: {
        auto& children = duckdb::StructVector::GetEntries(vector);
        for (size_t i = 0; i < type.fields.size(); ++i) {
          parts_.emplace_back(*children[i], count, type.fields[i].type);
        }
        break;
      }
      default: break;
    }
  }

  void append(std::string& out, idx_t row) const {
    idx_t at = format_.sel->get_index(row);
    if (type_.is(TypeKind::unknown) || !format_.validity.RowIsValid(at)) {
      out += "null";
      return;
    }
    if (moments_) {
      out += '"';
      append_moment(out, type_.kind, moments_->at(row), type_.precision);
      out += '"';
    } else if (parts_.empty() && !type_.is(TypeKind::row)) {
      append_scalar(out, at);
    } else {
      append_nested(out, at, row);
    }
  }

 private:
  duckdb::Vector& vector_;
  const Type& type_;
  UnifiedVectorFormat format_;
  std::vector<Column> parts_;
  std::optional<MomentReader> moments_;

  template <class T>
  T value(idx_t at) const {
    return UnifiedVectorFormat::GetData<T>(format_)[at];
  }
  std::string_view text(idx_t at) const {
    const auto& raw = UnifiedVectorFormat::GetData<duckdb::string_t>(format_)[at];
    return {raw.GetData(), raw.GetSize()};
  }

  void append_decimal(std::string& out, idx_t at) const {
    uint8_t width = duckdb::DecimalType::GetWidth(vector_.GetType());
    uint8_t scale = duckdb::DecimalType::GetScale(vector_.GetType());
    if (width == scale) ++width;  // DuckDB shows no zero before the point then
    out += '"';
    switch (vector_.GetType().InternalType()) {
      case duckdb::PhysicalType::INT16:
        out += duckdb::Decimal::ToString(value<int16_t>(at), width, scale);
        break;
      case duckdb::PhysicalType::INT32:
        out += duckdb::Decimal::ToString(value<int32_t>(at), width, scale);
        break;
      case duckdb::PhysicalType::INT64:
        out += duckdb::Decimal::ToString(value<int64_t>(at), width, scale);
        break;
      default: out += duckdb::Decimal::ToString(value<duckdb::hugeint_t>(at), width, scale); break;
    }
    out += '"';
  }

  void append_number(std::string& out, idx_t at) const {
    Number value = Number::decode(text(at));
    append_quoted(out, value.text());
  }

  void append_quoted(std::string& out, const std::string& text) const {
    append_json_string(out, text);
  }

  void append_interval(std::string& out, idx_t at) const {
    out += '"';
    switch (type_.kind) {
      case TypeKind::interval_year_month:
        append_year_month_interval(out, value<int32_t>(at));
        break;
      default: append_day_time_interval(out, value<int64_t>(at)); break;
    }
    out += '"';
  }

  void append_scalar(std::string& out, idx_t at) const {
    switch (type_.kind) {
      case TypeKind::boolean: out += value<bool>(at) ? "true" : "false"; break;
      case TypeKind::tinyint: append_integer(out, value<int8_t>(at)); break;
      case TypeKind::smallint: append_integer(out, value<int16_t>(at)); break;
      case TypeKind::integer: append_integer(out, value<int32_t>(at)); break;
      case TypeKind::bigint: append_integer(out, value<int64_t>(at)); break;
      case TypeKind::real: append_real(out, value<float>(at)); break;
      case TypeKind::double_: append_real(out, value<double>(at)); break;
      case TypeKind::decimal: append_decimal(out, at); break;
      case TypeKind::char_: append_quoted(out, padded(text(at), type_.precision)); break;
      case TypeKind::varchar:
      case TypeKind::json:
      case TypeKind::variant: append_json_string(out, text(at)); break;
      case TypeKind::varbinary:
      case TypeKind::hyperloglog:
      case TypeKind::tdigest: append_quoted(out, to_base64(text(at))); break;
      case TypeKind::uuid:
        append_quoted(out, duckdb::UUID::ToString(value<duckdb::hugeint_t>(at)));
        break;
      case TypeKind::ipaddress: append_quoted(out, ip_address_text(text(at))); break;
      case TypeKind::number: append_number(out, at); break;
      default: append_interval(out, at);
    }
  }

  void append_nested(std::string& out, idx_t at, idx_t row) const {
    if (type_.is(TypeKind::row)) {
      out += '[';
      for (size_t i = 0; i < parts_.size(); ++i) {
        if (i > 0) out += ',';
        parts_[i].append(out, part_row(at, row));
      }
      out += ']';
      return;
    }
    auto entry = value<duckdb::list_entry_t>(at);
    bool is_map = type_.is(TypeKind::map);
    out += is_map ? '{' : '[';
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (i > entry.offset) out += ',';
      if (is_map) {
        append_key(out, i);
        out += ':';
        parts_[1].append(out, i);
      } else {
        parts_[0].append(out, i);
      }
    }
    out += is_map ? '}' : ']';
  }

  // Struct children are addressed like their parent: through its dictionary when it is one.
  idx_t part_row(idx_t at, idx_t row) const {
    auto kind = vector_.GetVectorType();
    return kind == duckdb::VectorType::DICTIONARY_VECTOR ||
                   kind == duckdb::VectorType::CONSTANT_VECTOR
               ? at
               : row;
  }

  // JSON keys are strings: the text form of any other key.
  void append_key(std::string& out, idx_t at) const {
    std::string key;
    parts_[0].append(key, at);
    if (key.starts_with('"')) {
      out += key;
    } else {
      std::string spaced;  // Java's lists: [42, 7]
      bool quoted = false;
      for (char c : key) {
        if (c == '"') quoted = !quoted;
        if (c != '"') spaced += c;
        if (c == ',' && !quoted) spaced += ' ';
      }
      append_json_string(out, spaced);
    }
  }
};

}  // namespace

void append_rows_json(std::string& out, duckdb::DataChunk& chunk,
                      const std::vector<OutputColumn>& columns) {
  std::vector<Column> parts;
  parts.reserve(columns.size());
  // Nested dictionaries would need a selection at each level; flat vectors have none.
  for (size_t i = 0; i < columns.size(); ++i) {
    bool nested = !columns[i].type.fields.empty() || columns[i].type.is(TypeKind::timestamp_tz);
    if (nested) chunk.data[i].Flatten(chunk.size());
    parts.emplace_back(chunk.data[i], chunk.size(), columns[i].type);
  }
  for (idx_t row = 0; row < chunk.size(); ++row) {
    out += out.ends_with('[') && row == 0 ? "[" : ",[";
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) out += ',';
      parts[i].append(out, row);
    }
    out += ']';
  }
}

}  // namespace aichemy::sql
