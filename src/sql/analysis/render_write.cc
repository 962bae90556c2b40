// What a write reads: the query's columns under the table's names.
#include <fmt/format.h>

#include "sql/analysis/render_moment.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {
namespace {

// A value with its rows' fields named as the table names them.
std::string with_field_names(const std::string& value, const Type& type, int depth) {
  std::string item = fmt::format("w{}", depth);
  auto has_rows = [](const Type& at, const auto& self) -> bool {
    if (at.is(TypeKind::row)) return true;
    for (const auto& field : at.fields) {
      if (self(field.type, self)) return true;
    }
    return false;
  };
  if (!has_rows(type, has_rows)) return value;
  if (type.is(TypeKind::array)) {
    return fmt::format("list_transform({}, lambda {}: {})", value, item,
                       with_field_names(item, type.element(), depth + 1));
  }
  if (type.is(TypeKind::map)) {
    return fmt::format(
        "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(k := {}, v := "
        "{})))",
        value, item, with_field_names(item + ".key", type.key(), depth + 1),
        with_field_names(item + ".value", type.value(), depth + 1));
  }
  std::string fields;
  for (size_t i = 0; i < type.fields.size(); ++i) {
    fields += fmt::format(
        "{}{} := {}", i ? ", " : "",
        quote_name(type.fields[i].name.value_or(fmt::format("field{}", i))),
        with_field_names(fmt::format("({}).f{}", value, i), type.fields[i].type, depth + 1));
  }
  return fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value, fields);
}

}  // namespace

std::string render_for_write(const Plan& plan, const std::vector<WriteColumn>& columns,
                             const RenderOptions& options) {
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string stored = render_to_stored(fmt::format("s.c{}", i), columns[i].type);
    std::string value = with_field_names(stored, columns[i].type, 0);
    if (columns[i].required) {
      std::string message = "NULL value not allowed for NOT NULL column: " + columns[i].name;
      value = fmt::format(
          "CASE WHEN s.c{} IS NULL THEN trino_fail('CONSTRAINT_VIOLATION', {}) ELSE {} END", i,
          quote_text(message), value);
    }
    items += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_name(columns[i].name));
  }
  return fmt::format("SELECT {} FROM ({}) AS s", items, render(plan, options));
}

}  // namespace aichemy::sql
