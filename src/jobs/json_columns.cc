#include "jobs/json_columns.h"

#include <simdjson.h>

#include <fmt/core.h>
#include <charconv>
#include <cstring>
#include <duckdb/common/operator/cast_operators.hpp>
#include <duckdb/common/types/value.hpp>
#include <unordered_map>

#include "base/bytes.h"

namespace aichemy::jobs {
namespace {

namespace ondemand = simdjson::ondemand;
using sql::Type;
using sql::TypeKind;

constexpr size_t kNotProjected = static_cast<size_t>(-1);

// Thrown inside this file only: one record is dead.
struct Dead {
  std::string why;
};

[[noreturn]] void dead(std::string why) { throw Dead{std::move(why)}; }

template <class T>
T need(simdjson::simdjson_result<T> result, const char* what) {
  T value;
  if (std::move(result).get(value)) dead(fmt::format("not {}", what));
  return value;
}

int64_t integer(ondemand::value& value, int64_t low, int64_t high, const char* what) {
  ondemand::json_type kind = need(value.type(), "JSON");
  int64_t number = 0;
  if (kind == ondemand::json_type::string) {
    std::string_view text = need(value.get_string(), what);
    auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
    if (error != std::errc() || end != text.data() + text.size())
      dead(fmt::format("'{}' is not {}", text, what));
  } else {
    number = need(value.get_int64(), what);
  }
  if (number < low || number > high) dead(fmt::format("{} is out of range for {}", number, what));
  return number;
}

double real(ondemand::value& value) {
  if (need(value.type(), "JSON") != ondemand::json_type::string)
    return need(value.get_double(), "a number");
  std::string_view text = need(value.get_string(), "a number");
  double number = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size())
    dead(fmt::format("'{}' is not a number", text));
  return number;
}

// The text of any scalar or of a nested value, as Flink gives it for a STRING column.
std::string_view text_of(ondemand::value& value) {
  switch (need(value.type(), "JSON")) {
    case ondemand::json_type::string: return need(value.get_string(), "valid UTF-8 text");
    case ondemand::json_type::array:
    case ondemand::json_type::object: return need(simdjson::to_json_string(value), "JSON");
    default: {
      std::string_view token = value.raw_json_token();
      while (!token.empty() && std::strchr(" \t\r\n", token.back())) token.remove_suffix(1);
      return token;
    }
  }
}

template <class T>
T parse_temporal(ondemand::value& value, const char* what) {
  std::string text(need(value.get_string(), what));
  if (!text.empty() && text.back() == 'Z') text.pop_back();
  T out;
  if (!duckdb::TryCast::Operation<duckdb::string_t, T>(
          duckdb::string_t(text.data(), static_cast<uint32_t>(text.size())), out, true)) {
    dead(fmt::format("'{}' is not {}", text, what));
  }
  return out;
}

// Nested values and decimals go through DuckDB's Value: slower, and all or nothing.
duckdb::Value nested_value(ondemand::value& value, const Type& type,
                           const duckdb::LogicalType& physical);

duckdb::Value scalar_value(ondemand::value& value, const Type& type,
                           const duckdb::LogicalType& physical) {
  switch (type.kind) {
    case TypeKind::boolean: return duckdb::Value::BOOLEAN(need(value.get_bool(), "true or false"));
    case TypeKind::tinyint:
      return duckdb::Value::TINYINT(static_cast<int8_t>(integer(value, -128, 127, "TINYINT")));
    case TypeKind::smallint:
      return duckdb::Value::SMALLINT(
          static_cast<int16_t>(integer(value, INT16_MIN, INT16_MAX, "SMALLINT")));
    case TypeKind::integer:
      return duckdb::Value::INTEGER(
          static_cast<int32_t>(integer(value, INT32_MIN, INT32_MAX, "INT")));
    case TypeKind::bigint:
      return duckdb::Value::BIGINT(integer(value, INT64_MIN, INT64_MAX, "BIGINT"));
    case TypeKind::real: return duckdb::Value::FLOAT(static_cast<float>(real(value)));
    case TypeKind::double_: return duckdb::Value::DOUBLE(real(value));
    case TypeKind::varbinary: {
      auto bytes = from_base64(need(value.get_string(), "base64 text"));
      if (!bytes) dead("not base64 text");
      return duckdb::Value::BLOB_RAW(*bytes);
    }
    case TypeKind::varchar:
    case TypeKind::char_: return duckdb::Value(std::string(text_of(value)));
    case TypeKind::date:
      return duckdb::Value::DATE(parse_temporal<duckdb::date_t>(value, "a date"));
    case TypeKind::time:
      return duckdb::Value::TIME(parse_temporal<duckdb::dtime_t>(value, "a time"));
    case TypeKind::timestamp:
      return duckdb::Value::TIMESTAMP(parse_temporal<duckdb::timestamp_t>(value, "a timestamp"));
    case TypeKind::timestamp_tz:
      return duckdb::Value::TIMESTAMPTZ(
          duckdb::timestamp_tz_t(parse_temporal<duckdb::timestamp_t>(value, "a timestamp").value));
    default: {
      std::string text(text_of(value));
      duckdb::Value out(text);
      if (!out.DefaultTryCastAs(physical, true)) {
        dead(fmt::format("'{}' is not {}", text, type.display()));
      }
      return out;
    }
  }
}

duckdb::Value nested_value(ondemand::value& value, const Type& type,
                           const duckdb::LogicalType& physical) {
  if (value.is_null()) return duckdb::Value(physical);
  switch (type.kind) {
    case TypeKind::array: {
      duckdb::vector<duckdb::Value> items;
      const auto& child = duckdb::ListType::GetChildType(physical);
      ondemand::array array = need(value.get_array(), "an array");
      for (auto item : array) {
        ondemand::value element = need(std::move(item), "JSON");
        items.push_back(nested_value(element, type.element(), child));
      }
      return duckdb::Value::LIST(child, std::move(items));
    }
    case TypeKind::map: {
      duckdb::vector<duckdb::Value> keys, values;
      const auto& key_type = duckdb::MapType::KeyType(physical);
      const auto& value_type = duckdb::MapType::ValueType(physical);
      ondemand::object object = need(value.get_object(), "an object");
      for (auto member : object) {
        duckdb::Value key(std::string(need(member.unescaped_key(), "a member name")));
        if (!key.DefaultTryCastAs(key_type, true)) dead("a map key does not fit its type");
        ondemand::value inner = need(member.value(), "JSON");
        keys.push_back(std::move(key));
        values.push_back(nested_value(inner, type.value(), value_type));
      }
      return duckdb::Value::MAP(key_type, value_type, std::move(keys), std::move(values));
    }
    case TypeKind::row: {
      const auto& children = duckdb::StructType::GetChildTypes(physical);
      duckdb::child_list_t<duckdb::Value> fields;
      for (const auto& [name, child] : children) fields.emplace_back(name, duckdb::Value(child));
      ondemand::object object = need(value.get_object(), "an object");
      for (auto member : object) {
        std::string_view name = need(member.unescaped_key(), "a member name");
        for (size_t i = 0; i < type.fields.size(); ++i) {
          if (type.fields[i].name != name) continue;
          ondemand::value inner = need(member.value(), "JSON");
          fields[i].second = nested_value(inner, type.fields[i].type, children[i].second);
          break;
        }
      }
      return duckdb::Value::STRUCT(std::move(fields));
    }
    default: return scalar_value(value, type, physical);
  }
}

template <class T>
void put(duckdb::Vector& vector, size_t row, T value) {
  duckdb::FlatVector::GetData<T>(vector)[row] = value;
  duckdb::FlatVector::Validity(vector).SetValid(row);
}

void put_text(duckdb::Vector& vector, size_t row, std::string_view text) {
  put(vector, row, duckdb::StringVector::AddStringOrBlob(vector, text.data(), text.size()));
}

void put_json(duckdb::Vector& vector, size_t row, ondemand::value& value, const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean: return put(vector, row, need(value.get_bool(), "true or false"));
    case TypeKind::integer:
      return put(vector, row, static_cast<int32_t>(integer(value, INT32_MIN, INT32_MAX, "INT")));
    case TypeKind::bigint: return put(vector, row, integer(value, INT64_MIN, INT64_MAX, "BIGINT"));
    case TypeKind::double_: return put(vector, row, real(value));
    case TypeKind::varchar: return put_text(vector, row, text_of(value));
    default: {
      duckdb::Value out = nested_value(value, type, vector.GetType());
      duckdb::FlatVector::Validity(vector).SetValid(row);
      vector.SetValue(row, out);
    }
  }
}

}  // namespace

struct JsonColumns::State {
  struct Column {
    const SourceColumn* source = nullptr;
    size_t vector = kNotProjected;
  };
  std::vector<Column> columns;   // of JSON members, in declaration order
  std::vector<Column> metadata;  // of the record itself
  std::vector<Column> required;
  std::unordered_map<std::string_view, size_t> column_by_name;  // into columns
  bool any_member = false;
  ondemand::parser parser;
  std::string padded;  // a value too close to the end of its buffer

  void put_metadata(const EventSlice& slice, const wire::Record& record, duckdb::DataChunk& chunk,
                    size_t row);
  void put_members(std::string_view text, size_t readable_after, duckdb::DataChunk& chunk,
                   size_t row);
};

JsonColumns::JsonColumns(const std::vector<SourceColumn>& columns, std::vector<size_t> projected)
    : state_(std::make_unique<State>()) {
  for (size_t i = 0; i < columns.size(); ++i) {
    State::Column column{&columns[i], kNotProjected};
    for (size_t v = 0; v < projected.size(); ++v) {
      if (projected[v] == i) column.vector = v;
    }
    if (columns[i].metadata) {
      if (column.vector != kNotProjected) state_->metadata.push_back(column);
      continue;
    }
    state_->column_by_name[columns[i].name] = state_->columns.size();
    state_->columns.push_back(column);
    if (columns[i].required && column.vector != kNotProjected) state_->required.push_back(column);
    state_->any_member = true;
  }
}

JsonColumns::~JsonColumns() = default;

void JsonColumns::State::put_metadata(const EventSlice& slice, const wire::Record& record,
                                      duckdb::DataChunk& chunk, size_t row) {
  for (const Column& column : metadata) {
    duckdb::Vector& vector = chunk.data[column.vector];
    const std::string& name = *column.source->metadata;
    duckdb::Value value;
    if (name == "topic") value = duckdb::Value(slice.topic);
    if (name == "partition") value = duckdb::Value::INTEGER(slice.partition);
    if (name == "offset") value = duckdb::Value::BIGINT(record.offset);
    int64_t micros = 0;
    if (name == "timestamp" && __builtin_mul_overflow(record.timestamp, int64_t{1000}, &micros)) {
      dead("the record's timestamp is out of range");
    }
    if (name == "timestamp") value = duckdb::Value::TIMESTAMPTZ(duckdb::timestamp_tz_t(micros));
    if (name == "key" && record.key) value = duckdb::Value::BLOB_RAW(std::string(*record.key));
    duckdb::FlatVector::Validity(vector).SetValid(row);
    if (name == "key" && column.source->type.is_text() && record.key) {
      if (!is_valid_utf8(*record.key)) dead("the key is not UTF-8 text");
      put_text(vector, row, *record.key);
    } else {
      vector.SetValue(row, value.DefaultCastAs(vector.GetType()));
    }
  }
}

void JsonColumns::State::put_members(std::string_view text, size_t readable_after,
                                     duckdb::DataChunk& chunk, size_t row) {
  const char* data = text.data();
  size_t capacity = text.size() + readable_after;
  if (readable_after < simdjson::SIMDJSON_PADDING) {
    padded.resize(text.size() + simdjson::SIMDJSON_PADDING);
    std::memcpy(padded.data(), data, text.size());
    data = padded.data();
    capacity = padded.size();
  }
  ondemand::document document;
  if (parser.iterate(data, text.size(), capacity).get(document)) dead("not JSON");
  ondemand::object object = need(document.get_object(), "a JSON object");
  size_t expected = 0;  // members mostly come in the order they were declared
  for (auto member : object) {
    std::string_view name = need(member.unescaped_key(), "a member name");
    if (expected >= columns.size() || columns[expected].source->name != name) {
      auto found = column_by_name.find(name);
      if (found == column_by_name.end()) continue;
      expected = found->second;
    }
    const Column& column = columns[expected++];
    if (column.vector == kNotProjected) continue;
    ondemand::value value = need(member.value(), "JSON");
    if (value.is_null()) continue;
    try {
      put_json(chunk.data[column.vector], row, value, column.source->type);
    } catch (Dead& problem) {
      dead(fmt::format("column {}: {}", column.source->name, problem.why));
    }
  }
  const char* rest = nullptr;  // at the end of the text there is no location
  if (!document.current_location().get(rest)) dead("text after the JSON object");
}

std::optional<std::string> JsonColumns::decode(const EventSlice& slice, const wire::Record& record,
                                               size_t readable_after, duckdb::DataChunk& chunk,
                                               size_t row) {
  for (duckdb::Vector& vector : chunk.data) duckdb::FlatVector::SetNull(vector, row, true);
  try {
    if (!record.value) dead("the record has no value");
    state_->put_metadata(slice, record, chunk, row);
    if (state_->any_member) state_->put_members(*record.value, readable_after, chunk, row);
    for (const State::Column& column : state_->required) {
      if (duckdb::FlatVector::IsNull(chunk.data[column.vector], row)) {
        dead(fmt::format("column {}: missing, and it is NOT NULL", column.source->name));
      }
    }
  } catch (Dead& problem) {
    return std::move(problem.why);
  } catch (const std::exception& problem) {
    return fmt::format("cannot be read: {}", problem.what());
  }
  return std::nullopt;
}

}  // namespace aichemy::jobs
