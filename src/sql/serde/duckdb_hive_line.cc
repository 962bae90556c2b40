// aichemy_hive_line(serde, row): the line of a row, ended by \n, as bytes.
#include <fmt/format.h>

#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "base/bytes.h"
#include "base/json.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/serde/registration.h"
#include "sql/types/json_node.h"

namespace aichemy::sql {
namespace {

using duckdb::LogicalTypeId;

std::string leaf_text(const duckdb::Value& value) {
  switch (value.type().id()) {
    case LogicalTypeId::FLOAT: return java_float(value.GetValue<float>());
    case LogicalTypeId::DOUBLE: return java_double(value.GetValue<double>());
    case LogicalTypeId::BLOB: return to_base64(duckdb::StringValue::Get(value));
    case LogicalTypeId::VARCHAR: return duckdb::StringValue::Get(value);
    case LogicalTypeId::BOOLEAN: return value.GetValue<bool>() ? "true" : "false";
    default: return value.ToString();
  }
}

// ---- text ----

void append_text(std::string& out, const duckdb::Value& value, const HiveSerde& serde,
                 size_t level) {
  if (value.IsNull()) {
    out += serde.null_text;
    return;
  }
  if (level >= HiveSerde::kLevels)
    throw_error({Code::unsupported, "NOT_SUPPORTED", "values nested this deep have no separators"});
  auto id = value.type().id();
  if (id == LogicalTypeId::LIST || id == LogicalTypeId::STRUCT) {
    const auto& items = id == LogicalTypeId::LIST ? duckdb::ListValue::GetChildren(value)
                                                  : duckdb::StructValue::GetChildren(value);
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out.push_back(serde.separators[level]);
      append_text(out, items[i], serde, level + 1);
    }
    return;
  }
  if (id == LogicalTypeId::MAP) {
    const auto& entries = duckdb::MapValue::GetChildren(value);
    for (size_t i = 0; i < entries.size(); ++i) {
      const auto& pair = duckdb::StructValue::GetChildren(entries[i]);
      if (i) out.push_back(serde.separators[level]);
      append_text(out, pair[0], serde, level + 2);
      out.push_back(serde.separators[std::min(level + 1, HiveSerde::kLevels - 1)]);
      append_text(out, pair[1], serde, level + 2);
    }
    return;
  }
  std::string text = leaf_text(value);
  if (!serde.escape) {
    out += text;
    return;
  }
  for (char c : text) {
    bool separates = c == *serde.escape || c == '\n' || c == '\r';
    for (size_t i = 0; i < level && !separates; ++i) separates = c == serde.separators[i];
    if (separates) out.push_back(*serde.escape);
    out.push_back(c == '\n' ? 'n' : c == '\r' ? 'r' : c);
  }
}

// ---- CSV: every cell in quotes, null is nothing ----

void append_csv(std::string& out, const duckdb::Value& value, const HiveSerde& serde) {
  if (value.IsNull()) return;
  out.push_back(serde.csv_quote);
  for (char c : leaf_text(value)) {
    if (c == serde.csv_quote || c == serde.csv_escape) out.push_back(serde.csv_escape);
    out.push_back(c);
  }
  out.push_back(serde.csv_quote);
}

// ---- JSON ----

void append_json(std::string& out, const duckdb::Value& value);

void append_members(std::string& out, const duckdb::Value& row) {
  const auto& values = duckdb::StructValue::GetChildren(row);
  out.push_back('{');
  for (size_t i = 0; i < values.size(); ++i) {
    if (i) out.push_back(',');
    append_json_string(out, duckdb::StructType::GetChildName(row.type(), i));
    out.push_back(':');
    append_json(out, values[i]);
  }
  out.push_back('}');
}

void append_json(std::string& out, const duckdb::Value& value) {
  if (value.IsNull()) {
    out += "null";
    return;
  }
  auto id = value.type().id();
  if (id == LogicalTypeId::STRUCT) return append_members(out, value);
  if (id == LogicalTypeId::LIST) {
    const auto& items = duckdb::ListValue::GetChildren(value);
    out.push_back('[');
    for (size_t i = 0; i < items.size(); ++i) {
      if (i) out.push_back(',');
      append_json(out, items[i]);
    }
    out.push_back(']');
    return;
  }
  if (id == LogicalTypeId::MAP) {
    const auto& entries = duckdb::MapValue::GetChildren(value);
    out.push_back('{');
    for (size_t i = 0; i < entries.size(); ++i) {
      const auto& pair = duckdb::StructValue::GetChildren(entries[i]);
      if (i) out.push_back(',');
      append_json_string(out, leaf_text(pair[0]));
      out.push_back(':');
      append_json(out, pair[1]);
    }
    out.push_back('}');
    return;
  }
  std::string text = leaf_text(value);
  bool finite = text != "NaN" && !text.ends_with("Infinity");
  bool bare = (value.type().IsNumeric() && finite) || id == LogicalTypeId::BOOLEAN;
  if (bare)
    out += text;
  else
    append_json_string(out, text);
}

// Cells that need no value of their own to be made; false: this one does.
bool append_plain(std::string& out, duckdb::Vector& column, duckdb::idx_t row,
                  const HiveSerde& serde) {
  if (serde.format != HiveFormat::textfile) return false;
  if (duckdb::FlatVector::IsNull(column, row)) {
    out += serde.null_text;
    return true;
  }
  switch (column.GetType().id()) {
    case LogicalTypeId::BIGINT:
      out += std::to_string(duckdb::FlatVector::GetData<int64_t>(column)[row]);
      return true;
    case LogicalTypeId::INTEGER:
      out += std::to_string(duckdb::FlatVector::GetData<int32_t>(column)[row]);
      return true;
    case LogicalTypeId::VARCHAR: {
      if (serde.escape) return false;
      const auto& text = duckdb::FlatVector::GetData<duckdb::string_t>(column)[row];
      out.append(text.GetData(), text.GetSize());
      return true;
    }
    default: return false;
  }
}

void append_line(std::string& line, duckdb::Vector& rows, duckdb::idx_t row,
                 const HiveSerde& serde) {
  if (serde.format == HiveFormat::json || serde.format == HiveFormat::openx_json) {
    append_members(line, rows.GetValue(row));
  } else {
    auto& columns = duckdb::StructVector::GetEntries(rows);
    bool csv = serde.format == HiveFormat::csv;
    for (size_t i = 0; i < columns.size(); ++i) {
      if (i) line.push_back(csv ? serde.csv_separator : serde.separators[0]);
      if (append_plain(line, *columns[i], row, serde)) continue;
      if (csv)
        append_csv(line, columns[i]->GetValue(row), serde);
      else
        append_text(line, columns[i]->GetValue(row), serde, 1);
    }
  }
  line.push_back('\n');
}

void run(duckdb::DataChunk& input, duckdb::ExpressionState&, duckdb::Vector& result) {
  if (input.size() == 0) return;
  auto serde = HiveSerde::from_text(input.data[0].GetValue(0).GetValue<std::string>());
  if (!serde) throw_error(serde.error());
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  input.data[1].Flatten(input.size());
  auto* lines = duckdb::FlatVector::GetData<duckdb::string_t>(result);
  std::string line;
  for (duckdb::idx_t row = 0; row < input.size(); ++row) {
    line.clear();
    append_line(line, input.data[1], row, *serde);
    lines[row] = duckdb::StringVector::AddStringOrBlob(result, line.data(), line.size());
  }
}

}  // namespace

void register_hive_line(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction function("aichemy_hive_line",
                                  {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::ANY},
                                  duckdb::LogicalType::BLOB, run);
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
