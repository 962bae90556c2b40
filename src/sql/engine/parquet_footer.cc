#include "sql/engine/parquet_footer.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/few_rows.h"

namespace aichemy::sql {
namespace {

constexpr int kDepthMax = 64;

std::unexpected<Error> broken(const std::string& why) {
  return fail(Code::invalid, "not_parquet", "the footer is broken: " + why);
}

// The rows are the schema's elements, each before its children.
class SchemaReader {
 public:
  explicit SchemaReader(const Json& rows) : rows_(rows) {}

  Result<ParquetField> read(int depth) {
    if (at_ == rows_.as_array().size() || depth > kDepthMax) return broken("its schema");
    const auto& row = rows_.as_array()[at_++].as_array();
    ParquetField field;
    field.name = row[0].as_string();
    field.type = row[1].as_string();
    field.converted = row[2].as_string();
    if (!row[4].is_null()) field.field_id = static_cast<int>(row[4].as_int());
    int64_t children = row[3].is_null() ? 0 : row[3].as_int();
    if (children == 0 && depth > 0) field.leaf = leaves_++;
    for (int64_t i = 0; i < children; ++i) {
      ASSIGN_OR_RETURN(ParquetField child, read(depth + 1));
      field.fields.push_back(std::move(child));
    }
    return field;
  }
  size_t leaves() const { return leaves_; }
  bool at_end() const { return at_ == rows_.as_array().size(); }

 private:
  const Json& rows_;
  size_t at_ = 0, leaves_ = 0;
};

std::optional<std::string> text_of(const Json& cell) {
  if (cell.is_null()) return std::nullopt;
  return std::string(cell.as_string());
}

Status read_chunks(const Json& rows, ParquetFooter* footer) {
  int64_t group = -1;
  for (const Json& item : rows.as_array()) {
    const auto& row = item.as_array();
    auto column = static_cast<size_t>(row[1].as_int());
    if (column >= footer->leaves.size()) return broken("a column beyond its schema");
    if (row[0].as_int() != group) {
      group = row[0].as_int();
      footer->rows += static_cast<uint64_t>(row[2].as_int());
      footer->split_offsets.push_back(row[8].as_int());
    }
    ParquetLeaf& leaf = footer->leaves[column];
    bool first = leaf.bounds.empty();
    leaf.bytes += static_cast<uint64_t>(row[7].as_int());
    leaf.values += static_cast<uint64_t>(row[3].as_int());
    bool known = !row[4].is_null() && (first || leaf.nulls);
    auto nulls =
        known ? std::optional(leaf.nulls.value_or(0) + static_cast<uint64_t>(row[4].as_int()))
              : std::nullopt;
    leaf.nulls = nulls;
    leaf.bounds.emplace_back(text_of(row[5]), text_of(row[6]));
  }
  return {};
}

Result<ParquetFooter> read(Engine& engine, const Call& call, const std::string& file) {
  const Type text = Type::varchar(), number(TypeKind::bigint);
  ASSIGN_OR_RETURN(
      Json schema,
      rows_of(engine, call,
              fmt::format("SELECT name, coalesce(duckdb_type, ''), coalesce(converted_type, ''), "
                          "num_children::BIGINT, field_id::BIGINT FROM parquet_schema({})",
                          file),
              {{"name", text},
               {"type", text},
               {"converted", text},
               {"children", number},
               {"id", number}}));
  SchemaReader reader(schema);
  ASSIGN_OR_RETURN(ParquetField root, reader.read(0));
  if (!reader.at_end()) return broken("its schema");
  ParquetFooter footer;
  footer.fields = std::move(root.fields);
  footer.leaves.resize(reader.leaves());
  ASSIGN_OR_RETURN(
      Json chunks,
      rows_of(engine, call,
              fmt::format("SELECT row_group_id::BIGINT, column_id::BIGINT, "
                          "row_group_num_rows::BIGINT, num_values::BIGINT, "
                          "stats_null_count::BIGINT, stats_min_value, stats_max_value, "
                          "total_compressed_size::BIGINT, least(data_page_offset, "
                          "coalesce(nullif(dictionary_page_offset, 0), data_page_offset))::BIGINT "
                          "FROM parquet_metadata({}) ORDER BY 1, 2",
                          file),
              {{"group", number},
               {"column", number},
               {"rows", number},
               {"values", number},
               {"nulls", number},
               {"min", text},
               {"max", text},
               {"bytes", number},
               {"offset", number}}));
  RETURN_IF_ERROR(read_chunks(chunks, &footer));
  return footer;
}

}  // namespace

Result<ParquetFooter> read_parquet_footer(Engine& engine, const Call& call,
                                          const std::string& location) {
  ASSIGN_OR_RETURN(std::string path, lake_path(location));
  std::string file = "'";
  for (char c : path) file += c == '\'' ? std::string("''") : std::string(1, c);
  auto footer = read(engine, call, file + "'");
  if (footer) return footer;
  const Error& error = footer.error();
  if (error.code != Code::invalid && error.code != Code::corrupt) return footer;
  return fail(Code::invalid, "not_parquet", error.message);
}

}  // namespace aichemy::sql
