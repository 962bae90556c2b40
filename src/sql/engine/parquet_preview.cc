#include "sql/engine/parquet_preview.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/few_rows.h"

namespace aichemy::sql {
namespace {

constexpr int kTextMax = 300;  // characters of one cell
constexpr std::string_view kRowNumber = "file_row_number";

bool same_name(std::string_view a, std::string_view b) {
  return std::ranges::equal(
      a, b, [](unsigned char x, unsigned char y) { return std::tolower(x) == std::tolower(y); });
}

// What the engine says of a file that it cannot read is about the file.
Error about_file(const Error& error) {
  if (error.code != Code::invalid && error.code != Code::corrupt) return error;
  return {Code::invalid, "not_parquet",
          "this is no Parquet file that can be read: " + error.message};
}

Result<ParquetPreview> read(Engine& engine, const Call& call, const std::string& file,
                            int rows_max) {
  const Type text = Type::varchar(), number(TypeKind::bigint);
  ParquetPreview out;
  ASSIGN_OR_RETURN(Json facts,
                   rows_of(engine, call,
                           fmt::format("SELECT num_rows::BIGINT, num_row_groups::BIGINT, (SELECT "
                                       "coalesce(sum(total_compressed_size), 0)::BIGINT FROM "
                                       "parquet_metadata({0}) WHERE row_group_id = 0) FROM "
                                       "parquet_file_metadata({0})",
                                       file),
                           {{"rows", number}, {"row_groups", number}, {"bytes", number}}));
  if (facts.as_array().size() != 1)
    return fail(Code::invalid, "not_parquet", "the file has no footer");
  const auto& fact = facts.as_array()[0].as_array();
  out.rows = fact[0].as_int();
  out.row_groups = fact[1].as_int();
  std::string rows = fmt::format("read_parquet({}, hive_partitioning=false)", file);
  ASSIGN_OR_RETURN(Json columns,
                   rows_of(engine, call,
                           fmt::format("SELECT column_name::VARCHAR, column_type::VARCHAR FROM "
                                       "(DESCRIBE SELECT * FROM {})",
                                       rows),
                           {{"name", text}, {"type", text}}));
  for (const Json& column : columns.as_array()) {
    const auto& cells = column.as_array();
    out.columns.push_back({std::string(cells[0].as_string()), std::string(cells[1].as_string())});
  }
  if (fact[2].as_int() > kPreviewBytesMax) {
    out.no_rows = fmt::format("the first row group has {} bytes", fact[2].as_int());
  } else if (out.columns.size() > kPreviewColumnsMax) {
    out.no_rows = fmt::format("the file has {} columns", out.columns.size());
  } else {
    std::vector<OutputColumn> shown;
    bool has_number = false;  // a column of the file by the name of the reader's own
    for (const auto& column : out.columns) {
      shown.push_back({column.name, text});
      has_number = has_number || same_name(column.name, kRowNumber);
    }
    // Row groups are read side by side: any of them could answer first.
    std::string first =
        has_number
            ? fmt::format("COLUMNS(*) AS VARCHAR), {}) FROM {} LIMIT {}", kTextMax, rows, rows_max)
            : fmt::format(
                  "COLUMNS(* EXCLUDE {0}) AS VARCHAR), {1}) FROM read_parquet({2}, "
                  "hive_partitioning=false, {0}=true) WHERE {0} < {3} ORDER BY {0} "
                  "LIMIT {3}",
                  kRowNumber, kTextMax, file, rows_max);
    ASSIGN_OR_RETURN(out.first_rows,
                     rows_of(engine, call, "SELECT left(CAST(" + first, std::move(shown)));
  }
  return out;
}

}  // namespace

Result<ParquetPreview> preview_parquet(Engine& engine, const Call& call,
                                       const std::string& location, int rows_max) {
  ASSIGN_OR_RETURN(std::string path, lake_path(location));
  std::string file = "'";
  for (char c : path) file += c == '\'' ? std::string("''") : std::string(1, c);
  auto preview = read(engine, call, file + "'", rows_max);
  if (!preview) return std::unexpected(about_file(preview.error()));
  return preview;
}

}  // namespace aichemy::sql
