// What a write reads: the query's columns under the table's names.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"
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

// The target's columns from those of `s`, which has them from c<first> on.
std::string written_columns(const std::vector<WriteColumn>& columns, size_t first) {
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string source = fmt::format("s.c{}", first + i);
    std::string value =
        with_field_names(render_to_stored(source, columns[i].type), columns[i].type, 0);
    if (columns[i].required) {
      std::string message = "NULL value not allowed for NOT NULL column: " + columns[i].name;
      value = fmt::format(
          "CASE WHEN {} IS NULL THEN trino_fail('CONSTRAINT_VIOLATION', {}) ELSE {} END", source,
          quote_text(message), value);
    }
    items += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_name(columns[i].name));
  }
  return items;
}

}  // namespace

std::string render_for_write(const Plan& plan, const std::vector<WriteColumn>& columns,
                             const RenderOptions& options) {
  return fmt::format("SELECT {} FROM ({}) AS s", written_columns(columns, 0),
                     render(plan, options));
}

std::string render_kept_for_write(const std::vector<WriteColumn>& columns,
                                  const std::optional<EngineScan>& rewritten, size_t path_column) {
  std::string out = fmt::format("SELECT {} FROM kept AS s WHERE s.c0 <> {}",
                                written_columns(columns, 3), ChangePlan::kRemoved);
  if (!rewritten) return out;
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    items += fmt::format("{}{} AS {}", i ? ", " : "",
                         with_field_names(fmt::format("r.c{}", i), columns[i].type, 0),
                         quote_name(columns[i].name));
  }
  return fmt::format(
      "{} UNION ALL SELECT {} FROM (SELECT *, file_row_number AS row_position FROM {}({})) AS r "
      "ANTI JOIN gone AS g ON g.path = r.c{} AND g.pos = r.row_position",
      out, items, rewritten->function, quote_text(rewritten->handle), path_column);
}

}  // namespace aichemy::sql
