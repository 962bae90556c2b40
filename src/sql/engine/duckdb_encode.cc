#include "sql/engine/duckdb_encode.h"

#include <fmt/core.h>
#include <fmt/format.h>
#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstring>
#include <duckdb/common/types/decimal.hpp>
#include <duckdb/common/types/hugeint.hpp>
#include <duckdb/common/types/uuid.hpp>
#include <optional>
#include <type_traits>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/geo/geo.h"
#include "sql/native/moment.h"
#include "sql/types/color.h"
#include "sql/types/ip_address.h"
#include "sql/types/moment.h"
#include "sql/types/number.h"
#include "sql/types/variant.h"

namespace aichemy::sql {
namespace {

using duckdb::idx_t;
using duckdb::UnifiedVectorFormat;

// The end of a text that grows: values are written straight into its memory, the room for them is
// asked for once a row.
class Writer {
 public:
  explicit Writer(std::string& text) : text_(text) { resume(); }
  ~Writer() {
    if (at_) settle();
  }
  Writer(const Writer&) = delete;
  Writer& operator=(const Writer&) = delete;

  // Room for that many more bytes; what is written without it is out of bounds.
  void need(size_t bytes) {
    if (static_cast<size_t>(end_ - at_) < bytes) grow(bytes);
  }
  void put(char c) { *at_++ = c; }
  void put(std::string_view bytes) {
    std::memcpy(at_, bytes.data(), bytes.size());
    at_ += bytes.size();
  }
  // For to_chars and the like.
  char* at() { return at_; }
  char* end() { return end_; }
  void move_to(char* at) { at_ = at; }

  // The text as it is so far, for others to append to; then resume() before more is put.
  std::string& settle() {
    text_.resize(static_cast<size_t>(at_ - text_.data()));
    at_ = end_ = nullptr;  // what is appended may move the text, or throw
    return text_;
  }
  void resume() {
    at_ = text_.data() + text_.size();
    end_ = at_;
  }

 private:
  std::string& text_;
  char* at_;
  char* end_;

  [[gnu::noinline]] void grow(size_t bytes) {
    size_t size = static_cast<size_t>(at_ - text_.data());
    size_t wanted = std::max(text_.capacity(), size + std::max(bytes, size / 2));
    // Not filled with zeros: all of it is written before it is read.
    text_.resize_and_overwrite(wanted, [](char*, size_t length) { return length; });
    at_ = text_.data() + size;
    end_ = text_.data() + text_.size();
  }
};

// What a number, a day or a moment without a zone takes at most, its quotes and a comma included.
constexpr size_t kScalarBytes = 64;

template <class Integer>
void put_integer(Writer& out, Integer value) {
  out.move_to(std::to_chars(out.at(), out.end(), value).ptr);
}

void put_two(Writer& out, int value) {
  out.put(static_cast<char>('0' + value / 10));
  out.put(static_cast<char>('0' + value % 10));
}

// A decimal of at most 18 digits, `scale` of them behind the point.
void put_decimal(Writer& out, int64_t value, uint8_t scale) {
  out.put('"');
  if (value < 0) out.put('-');
  uint64_t all = value < 0 ? 0 - static_cast<uint64_t>(value) : static_cast<uint64_t>(value);
  char raw[20];
  std::string_view digits(raw, static_cast<size_t>(std::to_chars(raw, raw + 20, all).ptr - raw));
  size_t whole = digits.size() > scale ? digits.size() - scale : 0;
  if (whole == 0) out.put('0');
  out.put(digits.substr(0, whole));
  if (scale > 0) out.put('.');
  for (size_t zeros = digits.size(); zeros < scale; ++zeros) out.put('0');
  out.put(digits.substr(whole));
  out.put('"');
}

// Most numbers that people keep as doubles have few digits behind the point, and finding the
// shortest text of any double costs ten times as much. When a hundredfold is an integer of at most
// 15 digits and its hundredth is the same double again, these digits are the shortest: no two texts
// of 15 digits are one double.
bool put_hundredths(Writer& out, double value) {
  constexpr double kMost = 1e13;
  if (!(value > -kMost && value < kMost)) return false;
  auto hundredths = static_cast<int64_t>(value * 100 + (value < 0 ? -0.5 : 0.5));
  if (static_cast<double>(hundredths) / 100 != value || hundredths == 0) return false;
  if (hundredths < 0) out.put('-');
  uint64_t all = static_cast<uint64_t>(hundredths < 0 ? -hundredths : hundredths);
  put_integer(out, all / 100);
  out.put('.');
  auto rest = static_cast<int>(all % 100);
  out.put(static_cast<char>('0' + rest / 10));
  if (rest % 10 != 0) out.put(static_cast<char>('0' + rest % 10));
  return true;
}

// A client tells floating numbers from integers by a point or an exponent; non-finite ones are
// strings.
template <class Real>
void put_real(Writer& out, Real value) {
  if (std::isnan(value)) {
    out.put("\"NaN\"");
  } else if (std::isinf(value)) {
    out.put(value > 0 ? "\"Infinity\"" : "\"-Infinity\"");
  } else {
    if constexpr (std::is_same_v<Real, double>) {
      if (put_hundredths(out, value)) return;
    }
    char* first = out.at();
    out.move_to(std::to_chars(first, out.end(), value).ptr);
    if (std::string_view(first, static_cast<size_t>(out.at() - first)).find_first_of(".e") ==
        std::string_view::npos)
      out.put(".0");
  }
}

// Years of four digits; others are rare and go the long way.
bool put_day(Writer& out, int64_t days) {
  CivilDay day = civil_of(days);
  if (day.year < 0 || day.year > 9999) return false;
  put_two(out, static_cast<int>(day.year) / 100);
  put_two(out, static_cast<int>(day.year) % 100);
  out.put('-');
  put_two(out, day.month);
  out.put('-');
  put_two(out, day.day);
  return true;
}

bool needs_no_escape(std::string_view text) {
  unsigned escapes = 0;
  for (char raw : text) {
    auto c = static_cast<unsigned char>(raw);
    escapes |= static_cast<unsigned>(c < 0x20) | static_cast<unsigned>(c == '"') |
               static_cast<unsigned>(c == '\\');
  }
  return escapes == 0;
}

void put_text(Writer& out, std::string_view text) {
  if (needs_no_escape(text)) {
    out.need(text.size() + 2 + kScalarBytes);
    out.put('"');
    out.put(text);
    out.put('"');
  } else {
    append_json_string(out.settle(), text);
    out.resume();
  }
}

std::string day_time_interval(int64_t millis) {
  bool negative = millis < 0;
  uint64_t all = negative ? 0 - static_cast<uint64_t>(millis) : static_cast<uint64_t>(millis);
  return fmt::format("{}{} {:02}:{:02}:{:02}.{:03}", negative ? "-" : "", all / 86'400'000,
                     all / 3'600'000 % 24, all / 60'000 % 60, all / 1000 % 60, all % 1000);
}

std::string year_month_interval(int32_t months) {
  int64_t all = months < 0 ? -int64_t{months} : months;
  return fmt::format("{}{}-{}", months < 0 ? "-" : "", all / 12, all % 12);
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
  Column(duckdb::Vector& vector, idx_t count, const Type& type)
      : vector_(vector), type_(type), put_(put_of(vector, type)) {
    vector.ToUnifiedFormat(count, format_);
    switch (type.kind) {
      case TypeKind::time:
      case TypeKind::time_tz:
      case TypeKind::timestamp:
      case TypeKind::timestamp_tz: moments_.emplace(vector, count, form_of(type)); break;
      case TypeKind::decimal: scale_ = duckdb::DecimalType::GetScale(vector.GetType()); break;
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

  void put(Writer& out, idx_t row) const {
    out.need(kScalarBytes);
    idx_t at = format_.sel->get_index(row);
    if (!format_.validity.RowIsValid(at)) return out.put("null");
    (this->*put_)(out, at, row);
  }

 private:
  // `at` is the row's place in the vector's data. There is room for kScalarBytes.
  using Put = void (Column::*)(Writer& out, idx_t at, idx_t row) const;

  duckdb::Vector& vector_;
  const Type& type_;
  Put put_;
  uint8_t scale_ = 0;
  UnifiedVectorFormat format_;
  std::vector<Column> parts_;
  std::optional<MomentReader> moments_;

  static Put put_of(const duckdb::Vector& vector, const Type& type) {
    switch (type.kind) {
      case TypeKind::unknown: return &Column::put_null;
      case TypeKind::boolean: return &Column::put_boolean;
      case TypeKind::tinyint: return &Column::put_whole<int8_t>;
      case TypeKind::smallint: return &Column::put_whole<int16_t>;
      case TypeKind::integer: return &Column::put_whole<int32_t>;
      case TypeKind::bigint: return &Column::put_whole<int64_t>;
      case TypeKind::real: return &Column::put_floating<float>;
      case TypeKind::double_: return &Column::put_floating<double>;
      case TypeKind::decimal: return put_of_decimal(vector);
      case TypeKind::varchar:
      case TypeKind::json: return &Column::put_varchar;
      case TypeKind::date: return &Column::put_date;
      case TypeKind::time:
      case TypeKind::time_tz:
      case TypeKind::timestamp:
      case TypeKind::timestamp_tz: return &Column::put_moment;
      case TypeKind::row: return &Column::put_row;
      case TypeKind::array: return &Column::put_array;
      case TypeKind::map: return &Column::put_map;
      default: return &Column::put_other;
    }
  }
  static Put put_of_decimal(const duckdb::Vector& vector) {
    switch (vector.GetType().InternalType()) {
      case duckdb::PhysicalType::INT16: return &Column::put_short_decimal<int16_t>;
      case duckdb::PhysicalType::INT32: return &Column::put_short_decimal<int32_t>;
      case duckdb::PhysicalType::INT64: return &Column::put_short_decimal<int64_t>;
      default: return &Column::put_long_decimal;
    }
  }

  template <class T>
  const T& value(idx_t at) const {
    return reinterpret_cast<const T*>(format_.data)[at];
  }
  std::string_view text(idx_t at) const {
    const auto& raw = value<duckdb::string_t>(at);
    return {raw.GetData(), raw.GetSize()};
  }

  void put_null(Writer& out, idx_t, idx_t) const { out.put("null"); }
  void put_boolean(Writer& out, idx_t at, idx_t) const {
    out.put(value<bool>(at) ? std::string_view("true") : std::string_view("false"));
  }
  template <class T>
  void put_whole(Writer& out, idx_t at, idx_t) const {
    put_integer(out, value<T>(at));
  }
  template <class T>
  void put_floating(Writer& out, idx_t at, idx_t) const {
    put_real(out, value<T>(at));
  }
  template <class T>
  void put_short_decimal(Writer& out, idx_t at, idx_t) const {
    put_decimal(out, value<T>(at), scale_);
  }
  void put_long_decimal(Writer& out, idx_t at, idx_t) const {
    uint8_t width = duckdb::DecimalType::GetWidth(vector_.GetType());
    if (width == scale_) ++width;  // DuckDB shows no zero before the point then
    out.put('"');
    out.put(duckdb::Decimal::ToString(value<duckdb::hugeint_t>(at), width, scale_));
    out.put('"');
  }
  void put_varchar(Writer& out, idx_t at, idx_t) const { put_text(out, text(at)); }

  void put_date(Writer& out, idx_t at, idx_t) const {
    int64_t days = value<int32_t>(at);
    out.put('"');
    if (!put_day(out, days)) {
      append_day(out.settle(), days);
      out.resume();
      out.need(1);
    }
    out.put('"');
  }

  void put_moment(Writer& out, idx_t, idx_t row) const {
    std::string& text = out.settle();
    text += '"';
    append_moment(text, type_.kind, moments_->at(row), type_.precision);
    text += '"';
    out.resume();
  }

  void put_other(Writer& out, idx_t at, idx_t) const {
    switch (type_.kind) {
      case TypeKind::char_: return put_text(out, padded(text(at), type_.precision));
      case TypeKind::uuid:
        return put_text(out, duckdb::UUID::ToString(value<duckdb::hugeint_t>(at)));
      case TypeKind::geometry:
      case TypeKind::spherical_geography: return put_text(out, geo::geometry_text(text(at)));
      case TypeKind::bing_tile: {
        std::string object = geo::bing_tile_text(value<int64_t>(at));
        out.need(object.size());
        return out.put(object);
      }
      case TypeKind::variant: return put_variant(out, text(at));
      case TypeKind::ipaddress: return put_text(out, ip_address_text(text(at)));
      case TypeKind::number: return put_text(out, Number::decode(text(at)).text());
      case TypeKind::interval_year_month:
        return put_text(out, year_month_interval(value<int32_t>(at)));
      case TypeKind::interval_day_time: return put_text(out, day_time_interval(value<int64_t>(at)));
      case TypeKind::color: return put_text(out, color_text(value<int32_t>(at)));
      default: return put_text(out, to_base64(text(at)));  // varbinary, sketches
    }
  }

  // As it is, not as text.
  static void put_variant(Writer& out, std::string_view bytes) {
    auto value = decode_variant(bytes);
    if (!value) throw duckdb::InvalidInputException(value.error().message);
    std::string json;
    write_json(variant_to_json(*value), json);
    out.need(json.size());
    out.put(json);
  }

  void put_row(Writer& out, idx_t at, idx_t row) const {
    out.put('[');
    for (size_t i = 0; i < parts_.size(); ++i) {
      if (i > 0) put_mark(out, ',');
      parts_[i].put(out, part_row(at, row));
    }
    put_mark(out, ']');
  }
  void put_array(Writer& out, idx_t at, idx_t) const {
    auto entry = value<duckdb::list_entry_t>(at);
    out.put('[');
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (i > entry.offset) put_mark(out, ',');
      parts_[0].put(out, i);
    }
    put_mark(out, ']');
  }
  void put_map(Writer& out, idx_t at, idx_t) const {
    auto entry = value<duckdb::list_entry_t>(at);
    out.put('{');
    for (idx_t i = entry.offset; i < entry.offset + entry.length; ++i) {
      if (i > entry.offset) put_mark(out, ',');
      put_key(out, i);
      put_mark(out, ':');
      parts_[1].put(out, i);
    }
    put_mark(out, '}');
  }

  static void put_mark(Writer& out, char mark) {
    out.need(1);
    out.put(mark);
  }

  // Struct children are addressed like their parent: through its dictionary when it is one.
  idx_t part_row(idx_t at, idx_t row) const {
    auto kind = vector_.GetVectorType();
    return kind == duckdb::VectorType::DICTIONARY_VECTOR ||
                   kind == duckdb::VectorType::CONSTANT_VECTOR
               ? at
               : row;
  }

  // As Java shows it: 1.5, 1.0E10, 4.9E-324.
  template <class Real>
  static std::string java_text(Real number) {
    if (std::isnan(number)) return "NaN";
    if (std::isinf(number)) return number > 0 ? "Infinity" : "-Infinity";
    Real size = std::abs(number);
    if (size == 0) return std::signbit(number) ? "-0.0" : "0.0";
    auto shown = *Number::parse(fmt::format("{}", size));
    std::string out = number < 0 ? "-" : "";
    if (size >= Real(1e-3) && size < Real(1e7)) {
      out += shown.plain_text();
      return out.find('.') == std::string::npos ? out + ".0" : out;
    }
    std::string rest = shown.digits.size() > 1 ? shown.digits.substr(1) : "0";
    return fmt::format("{}{}.{}E{}", out, shown.digits[0], rest, shown.exponent - 1);
  }

  // JSON keys are strings: the text form of any other key.
  void put_key(Writer& out, idx_t at) const {
    const Column& keys = parts_[0];
    idx_t place = keys.format_.sel->get_index(at);
    if (keys.type_.is(TypeKind::double_))
      return put_text(out, java_text(keys.value<double>(place)));
    if (keys.type_.is(TypeKind::real)) return put_text(out, java_text(keys.value<float>(place)));
    std::string key;
    {
      Writer inner(key);
      parts_[0].put(inner, at);
    }
    if (key.starts_with('"')) {
      out.need(key.size());
      return out.put(key);
    }
    std::string spaced;  // Java's lists and maps: [42, 7], {a=1}
    bool quoted = false;
    for (char c : key) {
      if (c == '"') quoted = !quoted;
      if (c != '"') spaced += c == ':' && !quoted ? '=' : c;
      if (c == ',' && !quoted) spaced += ' ';
    }
    put_text(out, spaced);
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
  bool first = out.empty();
  Writer writer(out);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    writer.need(kScalarBytes);
    if (row > 0 || !first) writer.put(',');
    writer.put('[');
    for (size_t i = 0; i < parts.size(); ++i) {
      if (i > 0) writer.put(',');
      parts[i].put(writer, row);
      writer.need(1);
    }
    writer.put(']');
  }
}

}  // namespace aichemy::sql
