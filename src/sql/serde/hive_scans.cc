// hive_scan('<handle>'): a query over the scans it puts together.
#include "sql/serde/hive_scans.h"

#include <fmt/format.h>

#include <duckdb/parser/parser.hpp>
#include <duckdb/parser/statement/select_statement.hpp>
#include <duckdb/parser/tableref/subqueryref.hpp>

#include "sql/engine/scan_function.h"
#include "sql/serde/registration.h"

namespace aichemy::sql {
namespace {

using duckdb::LogicalType;

// What the file says as the declared type has it.
std::string fitted(const std::string& column, const Type& type) {
  if (type.is(TypeKind::varchar) && type.precision != Type::kUnbounded)
    return fmt::format("left({}, {})", column, type.precision);
  if (type.is(TypeKind::char_))
    return fmt::format("rtrim(left({}, {}), ' ')", column, type.precision);
  if (type.is(TypeKind::timestamp) && type.precision == 3) {
    // Rounded half up to milliseconds; what has no finer part stays as it is.
    return fmt::format(
        "CASE WHEN epoch_us({0}) % 1000 = 0 THEN {0} ELSE "
        "make_timestamp(CAST(floor((epoch_us({0}) + 500) / 1000) AS BIGINT) * 1000) END",
        column);
  }
  return column;
}

std::string query_of(const HiveScan& scan) {
  std::string columns, query;
  for (size_t i = 0; i < scan.types.size(); ++i) {
    std::string name = fmt::format("c{}", i);
    std::string value = scan.declared[i] ? fitted(name, scan.types[i]) : name;
    columns += fmt::format("{}{} AS {}", i ? ", " : "", value, name);
  }
  for (const EngineScan& part : scan.parts) {
    query += fmt::format("{}SELECT {} FROM {}('{}')", query.empty() ? "" : " UNION ALL ", columns,
                         part.function, part.handle);
  }
  return query;
}

duckdb::unique_ptr<duckdb::TableRef> replace(duckdb::ClientContext&,
                                             duckdb::TableFunctionBindInput& input) {
  duckdb::Parser parser;
  parser.ParseQuery(query_of(*bind_scan<HiveScan>(input)->scan));
  auto select = duckdb::unique_ptr_cast<duckdb::SQLStatement, duckdb::SelectStatement>(
      std::move(parser.statements[0]));
  return duckdb::make_uniq<duckdb::SubqueryRef>(std::move(select));
}

}  // namespace

void register_hive_scans(duckdb::DatabaseInstance& database, const HiveTextScans& texts,
                         const HiveFileScans& files, const HiveScans& scans) {
  duckdb::TableFunction function("hive_scan", {LogicalType::VARCHAR}, nullptr, nullptr);
  function.bind_replace = replace;
  register_scan(database, std::move(function), scans);
  register_hive_text(database, texts);
  register_hive_files(database, files);
  register_hive_line(database);
  register_hive_bucket(database);
  register_hive_copy(database);
}

}  // namespace aichemy::sql
