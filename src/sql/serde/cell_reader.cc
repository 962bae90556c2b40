#include "sql/serde/cell_reader.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <limits>

#include "base/bytes.h"
#include "sql/native/duckdb_type.h"
#include "tables/calendar.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::LogicalType;

// An integer as LazyLong reads it: a fraction is cut off, blanks are not allowed.
template <class T>
std::optional<T> integer_of(std::string_view text) {
  if (text.starts_with('+')) {
    text.remove_prefix(1);
    if (text.starts_with('-')) return std::nullopt;
  }
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc()) return std::nullopt;
  const char* stop = text.data() + text.size();
  if (end != stop) {
    if (*end != '.') return std::nullopt;
    if (!std::all_of(end + 1, stop, [](char c) { return c >= '0' && c <= '9'; }))
      return std::nullopt;
  }
  return value;
}

std::string_view trimmed(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

template <class T>
std::optional<T> floating_of(std::string_view text) {
  text = trimmed(text);
  if (text.starts_with('+')) text.remove_prefix(1);
  if (text == "NaN") return std::numeric_limits<T>::quiet_NaN();
  if (text == "Infinity") return std::numeric_limits<T>::infinity();
  if (text == "-Infinity") return -std::numeric_limits<T>::infinity();
  T value{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  bool whole = end == text.data() + text.size() && !text.empty();
  if (error == std::errc::result_out_of_range && whole) return std::nullopt;
  bool digits = !text.empty() &&
                (std::isdigit(static_cast<unsigned char>(text.back())) || text.back() == '.');
  if (error != std::errc() || !whole || !digits) return std::nullopt;
  return value;
}

std::optional<bool> truth_of(std::string_view text) {
  auto is = [&](std::string_view word) {
    return std::ranges::equal(
        text, word, [](unsigned char a, unsigned char b) { return std::tolower(a) == b; });
  };
  if (is("true")) return true;
  if (is("false")) return false;
  return std::nullopt;
}

// "2024-01-31 12:34:56[.fraction]", rounded to milliseconds; a date alone is its midnight.
std::optional<int64_t> timestamp_of(std::string_view text) {
  text = trimmed(text);
  auto days = tables::date_from_text(text.substr(0, 10));
  if (!days) return std::nullopt;
  int64_t day = *days * tables::kMicrosPerDay;
  if (text.size() == 10) return day;
  if (text[10] != ' ' && text[10] != 'T') return std::nullopt;
  text.remove_prefix(11);
  size_t dot = std::min(text.find('.'), text.size());
  std::string clock(text.substr(0, dot));
  std::string_view fraction = text.substr(dot);
  auto micros = tables::time_from_text(clock);
  if (!micros) return std::nullopt;
  if (fraction.empty()) return day + *micros;
  fraction.remove_prefix(1);
  if (fraction.empty() || fraction.size() > 9) return std::nullopt;
  int64_t nanos = 0;
  for (size_t i = 0; i < 9; ++i) {
    if (i < fraction.size() && (fraction[i] < '0' || fraction[i] > '9')) return std::nullopt;
    nanos = nanos * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
  }
  return day + *micros + (nanos + 500'000) / 1'000'000 * 1000;
}

std::optional<int64_t> date_of(std::string_view text) {
  text = trimmed(text);
  auto days = tables::date_from_text(text.substr(0, 10));
  bool rest = text.size() > 10 && text[10] != ' ' && text[10] != 'T';
  return rest ? std::nullopt : days;
}

// The first characters of text, by code points.
std::string_view cut(std::string_view text, int32_t length) {
  if (length == Type::kUnbounded || text.size() <= static_cast<size_t>(length)) return text;
  int32_t seen = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    bool begins = (static_cast<uint8_t>(text[i]) & 0xC0) != 0x80;
    if (begins && seen++ == length) return text.substr(0, i);
  }
  return text;
}

// Bytes that are no UTF-8 become U+FFFD: the engine's text is UTF-8.
std::string repaired(std::string_view text) {
  std::string out;
  for (size_t i = 0; i < text.size();) {
    auto lead = static_cast<uint8_t>(text[i]);
    size_t length = lead < 0x80 ? 1 : lead < 0xE0 ? 2 : lead < 0xF0 ? 3 : 4;
    std::string_view one = text.substr(i, length);
    if (one.size() == length && is_valid_utf8(one)) {
      out += one;
      i += length;
    } else {
      out += "\xEF\xBF\xBD";
      ++i;
    }
  }
  return out;
}

duckdb::Value leaf(std::string_view text, const Type& type, const LogicalType& physical) {
  auto number = [&](auto value) {
    return value ? duckdb::Value::CreateValue(*value).DefaultCastAs(physical)
                 : duckdb::Value(physical);
  };
  switch (type.kind) {
    case TypeKind::boolean: return number(truth_of(text));
    case TypeKind::tinyint: return number(integer_of<int8_t>(text));
    case TypeKind::smallint: return number(integer_of<int16_t>(text));
    case TypeKind::integer: return number(integer_of<int32_t>(text));
    case TypeKind::bigint: return number(integer_of<int64_t>(text));
    case TypeKind::real: return number(floating_of<float>(text));
    case TypeKind::double_: return number(floating_of<double>(text));
    case TypeKind::date: {
      auto days = date_of(text);
      if (!days) return duckdb::Value(physical);
      return duckdb::Value::DATE(duckdb::date_t(static_cast<int32_t>(*days)));
    }
    case TypeKind::timestamp: {
      auto micros = timestamp_of(text);
      if (!micros) return duckdb::Value(physical);
      return duckdb::Value::TIMESTAMP(duckdb::timestamp_t(*micros));
    }
    case TypeKind::decimal: {
      duckdb::Value made;
      duckdb::string ignored;
      duckdb::Value given{std::string(trimmed(text))};
      bool fits = !trimmed(text).empty() && given.DefaultTryCastAs(physical, made, &ignored);
      return fits ? made : duckdb::Value(physical);
    }
    case TypeKind::varbinary: {
      auto bytes = from_base64(text);
      // Hive keeps what is not base64 as it is.
      return duckdb::Value::BLOB_RAW(bytes ? *bytes : std::string(text));
    }
    default: return duckdb::Value(fitting(text, type));
  }
}

const LogicalType& child_of(const LogicalType& type, size_t i) {
  if (type.id() == duckdb::LogicalTypeId::LIST) return duckdb::ListType::GetChildType(type);
  if (type.id() == duckdb::LogicalTypeId::MAP)
    return i == 0 ? duckdb::MapType::KeyType(type) : duckdb::MapType::ValueType(type);
  return duckdb::StructType::GetChildType(type, i);
}

// Later keys win, null keys are left out: the engine's maps have neither.
duckdb::Value map_of(const LogicalType& type, duckdb::vector<duckdb::Value> keys,
                     duckdb::vector<duckdb::Value> values) {
  duckdb::vector<duckdb::Value> kept_keys, kept_values;
  for (size_t i = 0; i < keys.size(); ++i) {
    if (keys[i].IsNull()) continue;
    auto known = std::ranges::find_if(kept_keys, [&](const duckdb::Value& key) {
      return duckdb::Value::NotDistinctFrom(key, keys[i]);
    });
    if (known == kept_keys.end()) {
      kept_keys.push_back(keys[i]);
      kept_values.push_back(values[i]);
    }
  }
  return duckdb::Value::MAP(child_of(type, 0), child_of(type, 1), std::move(kept_keys),
                            std::move(kept_values));
}

duckdb::Value struct_of(const LogicalType& type, duckdb::vector<duckdb::Value> values) {
  duckdb::child_list_t<duckdb::Value> fields;
  for (size_t i = 0; i < values.size(); ++i)
    fields.emplace_back(duckdb::StructType::GetChildName(type, i), std::move(values[i]));
  return duckdb::Value::STRUCT(std::move(fields));
}

// ---- JSON ----

[[noreturn]] void mismatch(const JsonNode& node, const Type& type) {
  std::string text;
  write_json(node, text);
  throw duckdb::InvalidInputException(
      fmt::format("{} is not a value of the type {}", text, type.display()));
}

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

duckdb::Value json_value(const JsonNode* node, const Type& type, const LogicalType& physical) {
  using Kind = JsonNode::Kind;
  if (!node || node->is(Kind::null)) return duckdb::Value(physical);
  if (type.is(TypeKind::array)) {
    if (!node->is(Kind::array)) mismatch(*node, type);
    duckdb::vector<duckdb::Value> items;
    for (const JsonNode& item : node->items)
      items.push_back(json_value(&item, type.element(), child_of(physical, 0)));
    return duckdb::Value::LIST(child_of(physical, 0), std::move(items));
  }
  if (type.is(TypeKind::map)) {
    if (!node->is(Kind::object)) mismatch(*node, type);
    duckdb::vector<duckdb::Value> keys, values;
    for (size_t i = 0; i < node->items.size(); ++i) {
      keys.push_back(leaf(node->keys[i], type.key(), child_of(physical, 0)));
      values.push_back(json_value(&node->items[i], type.value(), child_of(physical, 1)));
    }
    return map_of(physical, std::move(keys), std::move(values));
  }
  if (type.is(TypeKind::row)) {
    duckdb::vector<duckdb::Value> values;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const JsonNode* found = nullptr;
      if (node->is(Kind::array)) found = i < node->items.size() ? &node->items[i] : nullptr;
      for (size_t k = 0; k < node->keys.size(); ++k) {
        if (same_name(node->keys[k], type.fields[i].name.value_or(""))) found = &node->items[k];
      }
      values.push_back(json_value(found, type.fields[i].type, child_of(physical, i)));
    }
    if (!node->is(Kind::object) && !node->is(Kind::array)) mismatch(*node, type);
    return struct_of(physical, std::move(values));
  }
  std::string text = node->text;
  if (node->is(Kind::boolean)) text = node->truth ? "true" : "false";
  if (node->is(Kind::array) || node->is(Kind::object)) {
    if (!type.is_text()) mismatch(*node, type);
    text.clear();
    write_json(*node, text);
  }
  duckdb::Value made = leaf(text, type, physical);
  if (made.IsNull()) mismatch(*node, type);
  return made;
}

}  // namespace

std::string fitting(std::string_view text, const Type& type) {
  std::string out = is_valid_utf8(text) ? std::string(text) : repaired(text);
  out = std::string(cut(out, type.precision));
  if (type.is(TypeKind::char_)) {
    while (out.ends_with(' ')) out.pop_back();
  }
  return out;
}

CellReader::CellReader(const Type& type, const HiveSerde& serde)
    : type_(type), physical_(duckdb_type(type)), serde_(serde) {}

void CellReader::put_text(duckdb::Vector& out, idx_t row, std::string_view text) {
  bool plain = type_.is(TypeKind::varchar) && type_.precision == Type::kUnbounded;
  auto* texts = FlatVector::GetData<duckdb::string_t>(out);
  if (plain && is_valid_utf8(text)) {
    texts[row] = duckdb::StringVector::AddString(out, text.data(), text.size());
    return;
  }
  std::string made = fitting(text, type_);
  texts[row] = duckdb::StringVector::AddString(out, made.data(), made.size());
}

void CellReader::put_plain(duckdb::Vector& out, idx_t row, std::string_view cell) {
  put_text(out, row, cell);
}

void CellReader::put(duckdb::Vector& out, idx_t row, std::string_view cell) {
  if (cell == serde_.null_text) {
    FlatVector::SetNull(out, row, true);
    return;
  }
  auto direct = [&]<class T>(std::optional<T> value) {
    if (value)
      FlatVector::GetData<T>(out)[row] = *value;
    else
      FlatVector::SetNull(out, row, true);
  };
  switch (type_.kind) {
    case TypeKind::varchar:
    case TypeKind::char_: put_text(out, row, unescaped(cell, serde_, kept_)); return;
    case TypeKind::integer: direct(integer_of<int32_t>(cell)); return;
    case TypeKind::bigint: direct(integer_of<int64_t>(cell)); return;
    case TypeKind::double_: direct(floating_of<double>(cell)); return;
    default: out.SetValue(row, value(cell, type_, physical_, 1)); return;
  }
}

duckdb::Value CellReader::value(std::string_view cell, const Type& type,
                                const LogicalType& physical, size_t level) {
  if (cell == serde_.null_text) return duckdb::Value(physical);
  std::vector<std::string_view> cells;
  if (type.is(TypeKind::row)) {
    split_text(cell, serde_, level, cells);
    duckdb::vector<duckdb::Value> values;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const LogicalType& field = child_of(physical, i);
      values.push_back(i < cells.size() ? value(cells[i], type.fields[i].type, field, level + 1)
                                        : duckdb::Value(field));
    }
    return struct_of(physical, std::move(values));
  }
  if (type.is(TypeKind::array) || type.is(TypeKind::map)) {
    if (!cell.empty()) split_text(cell, serde_, level, cells);
    duckdb::vector<duckdb::Value> first, second;
    for (std::string_view part : cells) {
      if (type.is(TypeKind::array)) {
        first.push_back(value(part, type.element(), child_of(physical, 0), level + 1));
        continue;
      }
      std::vector<std::string_view> pair;
      split_text(part, serde_, level + 1, pair);
      std::string_view key = pair.empty() ? std::string_view() : pair[0];
      first.push_back(value(key, type.key(), child_of(physical, 0), level + 2));
      bool valued = pair.size() > 1;
      second.push_back(valued ? value(part.substr(key.size() + 1), type.value(),
                                      child_of(physical, 1), level + 2)
                              : duckdb::Value(child_of(physical, 1)));
    }
    if (type.is(TypeKind::array))
      return duckdb::Value::LIST(child_of(physical, 0), std::move(first));
    return map_of(physical, std::move(first), std::move(second));
  }
  return leaf(unescaped(cell, serde_, kept_), type, physical);
}

void CellReader::put_json(duckdb::Vector& out, idx_t row, const JsonNode* node) {
  if (node && node->is(JsonNode::Kind::string) && type_.is_text()) {
    put_text(out, row, node->text);
    return;
  }
  out.SetValue(row, json_value(node, type_, physical_));
}

}  // namespace aichemy::sql
