// What a write reads: the query's columns under the table's names.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/render_moment.h"
#include "sql/analysis/renderer.h"
#include "sql/connectors/lineage.h"

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
std::string written_column(const WriteColumn& column, size_t at) {
  std::string source = fmt::format("s.c{}", at);
  std::string value = with_field_names(render_to_stored(source, column.type), column.type, 0);
  if (!column.required) return value;
  return fmt::format(
      "CASE WHEN {} IS NULL THEN trino_fail('CONSTRAINT_VIOLATION', {}) ELSE {} END", source,
      quote_text("NULL value not allowed for NOT NULL column: " + column.name), value);
}

bool is_lineage(const WriteColumn& column) {
  return column.field_id.id == kRowIdField || column.field_id.id == kLastUpdatedField;
}

std::string written_columns(const std::vector<WriteColumn>& columns, size_t first) {
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    // A new row inherits.
    std::string value =
        is_lineage(columns[i]) ? "NULL::BIGINT" : written_column(columns[i], first + i);
    items += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_name(columns[i].name));
  }
  return items;
}

// A table's columns as they are in its files.
std::string stored_column(const WriteColumn& column, const char* relation, size_t at) {
  return with_field_names(fmt::format("{}.c{}", relation, at), column.type, 0);
}

// The id or the last change of a row that `relation`, a scan with positions, has as it was.
std::string lineage_value(const WriteColumn& column, const char* relation, size_t lineage_from) {
  auto at = [&](LineageColumn part) { return lineage_from + static_cast<size_t>(part); };
  if (column.field_id.id == kRowIdField) {
    return fmt::format("COALESCE({0}.c{1}, {0}.c{2} + {0}.row_position)", relation,
                       at(LineageColumn::row_id), at(LineageColumn::first_row_id));
  }
  return fmt::format("COALESCE({0}.c{1}, {0}.c{2})", relation, at(LineageColumn::last_updated),
                     at(LineageColumn::file_sequence));
}

std::string with_positions(const EngineScan& scan) {
  return fmt::format("(SELECT *, file_row_number AS row_position FROM {}({}))", scan.function,
                     quote_text(scan.handle));
}

// Rows of `kept`, with what they do not hold looked up where they were. Every such row is there: if
// it is not, nothing is written.
std::string kept_with_later(const std::vector<WriteColumn>& columns, const KeptRender& kept) {
  constexpr size_t kFirst = 3;
  std::string updated = fmt::format("s.c0 = {}", ChangePlan::kUpdated);
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string value = "NULL::BIGINT";  // of lineage: a changed row is last changed by this
    if (columns[i].field_id.id == kRowIdField) {
      value = fmt::format("CASE WHEN {} THEN {} END", updated,
                          lineage_value(columns[i], "t", kept.lineage_from));
    }
    if (!is_lineage(columns[i])) value = written_column(columns[i], kFirst + i);
    if (kept.later.contains(i)) {
      value = fmt::format("CASE WHEN {} THEN {} ELSE {} END", updated,
                          stored_column(columns[i], "t", i), value);
    }
    items += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_name(columns[i].name));
  }
  return fmt::format(
      "SELECT {} FROM kept AS s LEFT JOIN {} AS t ON t.c{} = s.c1 AND t.row_position = s.c2 "
      "WHERE s.c0 <> {} AND CASE WHEN {} AND t.row_position IS NULL THEN "
      "trino_fail('GENERIC_INTERNAL_ERROR', 'a row that changes is gone') IS NULL ELSE TRUE END",
      items, with_positions(*kept.changed), kept.path_column, ChangePlan::kRemoved, updated);
}

}  // namespace

std::string render_for_write(const Plan& plan, const std::vector<WriteColumn>& columns,
                             const RenderOptions& options) {
  return fmt::format("SELECT {} FROM ({}) AS s", written_columns(columns, 0),
                     render(plan, options));
}

std::string render_kept_for_write(const std::vector<WriteColumn>& columns, const KeptRender& kept) {
  std::string out = kept.changed ? kept_with_later(columns, kept)
                                 : fmt::format("SELECT {} FROM kept AS s WHERE s.c0 <> {}",
                                               written_columns(columns, 3), ChangePlan::kRemoved);
  if (!kept.rewritten) return out;
  return fmt::format(
      "{} UNION ALL {} ANTI JOIN gone AS g ON g.path = r.c{} AND g.pos = r.row_position", out,
      render_rewrite(columns, *kept.rewritten, kept.lineage_from), kept.path_column);
}

std::string render_rewrite(const std::vector<WriteColumn>& columns, const EngineScan& scan,
                           size_t lineage_from) {
  std::string items;
  for (size_t i = 0; i < columns.size(); ++i) {
    std::string value = is_lineage(columns[i]) ? lineage_value(columns[i], "r", lineage_from)
                                               : stored_column(columns[i], "r", i);
    items += fmt::format("{}{} AS {}", i ? ", " : "", value, quote_name(columns[i].name));
  }
  return fmt::format("SELECT {} FROM {} AS r", items, with_positions(scan));
}

}  // namespace aichemy::sql
