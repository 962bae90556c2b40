#include "sql/engine/duckdb_columns.h"

#include <algorithm>
#include <duckdb/common/string_util.hpp>
#include <set>

namespace aichemy::sql {

using duckdb::LogicalType;
using duckdb::LogicalTypeId;
using duckdb::MultiFileColumnDefinition;

ScanArgument scan_argument(const std::string& text) {
  ScanArgument out;
  size_t at = text.find(':');
  out.handle = text.substr(0, at);
  while (at != std::string::npos) {
    size_t end = text.find(',', at + 1);
    out.columns.push_back(std::stoul(text.substr(at + 1, end - at - 1)));
    at = end;
  }
  return out;
}

void identify_by_id(duckdb::vector<MultiFileColumnDefinition>& columns,
                    const std::vector<tables::NameMapping>& mapping, int32_t& unused) {
  static const std::vector<tables::NameMapping> kNone;
  for (MultiFileColumnDefinition& column : columns) {
    const tables::NameMapping* named = nullptr;
    for (const tables::NameMapping& entry : mapping) {
      if (std::ranges::find(entry.names, column.name) != entry.names.end()) named = &entry;
    }
    if (column.identifier.IsNull()) {
      column.identifier =
          duckdb::Value::INTEGER(named && named->field_id ? *named->field_id : --unused);
    }
    const auto& fields = named ? named->fields : kNone;
    // Elements, keys and values are found by where they are: writers name them as they like.
    bool map = column.type.id() == LogicalTypeId::MAP && column.children.size() == 1;
    if (map && column.children[0].identifier.IsNull())
      column.children[0].identifier = duckdb::Value::INTEGER(--unused);
    auto& children = map ? column.children[0].children : column.children;
    if (column.type.id() != LogicalTypeId::LIST && !map) {
      identify_by_id(children, fields, unused);
      continue;
    }
    for (size_t i = 0; i < children.size(); ++i) {
      duckdb::vector<MultiFileColumnDefinition> one{children[i]};
      tables::NameMapping part = i < fields.size() ? fields[i] : tables::NameMapping{};
      part.names = {children[i].name};
      identify_by_id(one, {part}, unused);
      children[i] = one[0];
    }
  }
}

void identify_by_name(duckdb::vector<MultiFileColumnDefinition>& columns,
                      const std::vector<tables::NameMapping>& mapping, int32_t& unused) {
  static const std::vector<tables::NameMapping> kNone;
  std::set<int> taken;
  for (MultiFileColumnDefinition& column : columns) {
    const tables::NameMapping* named = nullptr;
    for (const tables::NameMapping& entry : mapping) {
      bool same = std::ranges::any_of(entry.names, [&](const std::string& name) {
        return duckdb::StringUtil::CIEquals(name, column.name);
      });
      if (same && !taken.contains(*entry.field_id)) named = &entry;
    }
    if (named) taken.insert(*named->field_id);
    column.identifier = duckdb::Value::INTEGER(named ? *named->field_id : --unused);
    const auto& fields = named ? named->fields : kNone;
    // Elements, keys and values are found by where they are: writers name them as they like.
    bool map = column.type.id() == LogicalTypeId::MAP && column.children.size() == 1;
    if (map) column.children[0].identifier = duckdb::Value::INTEGER(--unused);
    auto& children = map ? column.children[0].children : column.children;
    if (column.type.id() == LogicalTypeId::LIST || map) {
      for (size_t i = 0; i < children.size() && i < fields.size(); ++i) {
        duckdb::vector<MultiFileColumnDefinition> one{children[i]};
        tables::NameMapping part = fields[i];
        part.names = {children[i].name};
        identify_by_name(one, {part}, unused);
        children[i] = one[0];
      }
    } else {
      identify_by_name(children, fields, unused);
    }
  }
}

bool file_type_fits(const LogicalType& file, const LogicalType& column) {
  if (file == column) return true;
  if (file.id() == LogicalTypeId::LIST && column.id() == LogicalTypeId::LIST)
    return file_type_fits(duckdb::ListType::GetChildType(file),
                          duckdb::ListType::GetChildType(column));
  if (file.id() == LogicalTypeId::MAP && column.id() == LogicalTypeId::MAP) {
    return file_type_fits(duckdb::MapType::KeyType(file), duckdb::MapType::KeyType(column)) &&
           file_type_fits(duckdb::MapType::ValueType(file), duckdb::MapType::ValueType(column));
  }
  if (file.id() == column.id()) return true;  // rows: by the names of their fields
  bool instants = file.id() == LogicalTypeId::TIMESTAMP_TZ || file.id() == LogicalTypeId::DATE ||
                  file.id() == LogicalTypeId::TIMESTAMP_NS ||
                  file.id() == LogicalTypeId::TIMESTAMP_MS;
  if (column.id() == LogicalTypeId::TIMESTAMP) return instants;
  bool numbers = file.IsNumeric() && column.IsNumeric();
  bool floating = file.id() == LogicalTypeId::FLOAT || file.id() == LogicalTypeId::DOUBLE;
  bool whole = column.IsIntegral();
  return numbers && !(floating && whole) && !(file.id() == LogicalTypeId::DECIMAL && whole);
}

}  // namespace aichemy::sql
