#include "sql/connectors/virtual_tables.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/check.h"

namespace aichemy::sql {
namespace {

// Below it the text of a statement with the rows in it is as quick to make and to plan.
constexpr size_t kRowsToScan = 100;

std::unexpected<Error> read_only(const char* what) {
  return fail(Code::unsupported, "NOT_SUPPORTED",
              fmt::format("This connector does not support {}", what));
}

}  // namespace

std::optional<std::string> wanted_text(const Table& table, const ScanRequest& request,
                                       const std::string& column) {
  for (const auto& conjunct : request.conjuncts) {
    if (conjunct.op != Compare::eq || table.columns[conjunct.column].name != column) continue;
    if (const auto* text = std::get_if<std::string>(&conjunct.values.at(0))) return *text;
  }
  return std::nullopt;
}

Scan scan_of_rows(const Table& table, Rows rows, TextScans* texts) {
  if (!texts || rows.size() < kRowsToScan) return RowScan{std::move(rows)};
  TextScan many;
  for (const ColumnInfo& column : table.columns) many.types.push_back(column.type);
  many.rows = std::move(rows);
  return texts->add(std::make_shared<const TextScan>(std::move(many)));
}

std::vector<ColumnInfo> virtual_columns(const char* text) {
  std::vector<ColumnInfo> made;
  std::string_view rest = text;
  while (!rest.empty()) {
    size_t space = rest.find(' ');
    ColumnInfo column;
    column.hidden = rest.starts_with('-');
    column.name = rest.substr(column.hidden, space - column.hidden);
    rest.remove_prefix(space + 1);
    size_t end = 0;
    int depth = 0;
    while (end < rest.size() && !(rest[end] == ',' && depth == 0)) {
      depth += rest[end] == '(' ? 1 : rest[end] == ')' ? -1 : 0;
      ++end;
    }
    auto type = parse_type(rest.substr(0, end));
    CHECK(type.has_value());
    column.type = std::move(*type);
    made.push_back(std::move(column));
    rest.remove_prefix(std::min(end + 2, rest.size()));
  }
  return made;
}

Result<std::vector<std::string>> VirtualConnector::list_schemas(const Call&) {
  std::vector<std::string> names;
  for (const auto& table : tables_) {
    if (std::ranges::find(names, table.schema) == names.end()) names.emplace_back(table.schema);
  }
  std::ranges::sort(names);
  return names;
}

Result<bool> VirtualConnector::schema_exists(const Call& call, const std::string& schema) {
  ASSIGN_OR_RETURN(auto names, list_schemas(call));
  return std::ranges::find(names, schema) != names.end();
}

Result<std::vector<std::string>> VirtualConnector::list_tables(const Call&,
                                                               const std::string& schema) {
  std::vector<std::string> names;
  for (const auto& table : tables_) {
    if (schema == table.schema) names.emplace_back(table.name);
  }
  std::ranges::sort(names);
  return names;
}

Result<TableRef> VirtualConnector::get_table(const Call&, const TableName& name) {
  for (const auto& table : tables_) {
    if (name.schema != table.schema || name.table != table.name) continue;
    auto made = std::make_shared<VirtualTableHandle>();
    made->name = name;
    made->columns = virtual_columns(table.columns);
    made->source = &table;
    return TableRef(std::move(made));
  }
  return TableRef();
}

Result<Scan> VirtualConnector::plan_scan(const Call& call, const TableRef& table,
                                         const ScanRequest& request) {
  const auto* handle = dynamic_cast<const VirtualTableHandle*>(table.get());
  CHECK(handle != nullptr);
  RowScan scan;
  if (handle->source->rows) {
    ASSIGN_OR_RETURN(scan.rows, handle->source->rows(call, *table, request));
  }
  bool simple = std::ranges::all_of(
      table->columns, [](const ColumnInfo& column) { return is_scalar_text(column.type); });
  return scan_of_rows(*table, std::move(scan.rows), simple ? texts_ : nullptr);
}

Status VirtualConnector::create_schema(const Call&, const std::string&, const Properties&) {
  return read_only("creating schemas");
}
Status VirtualConnector::drop_schema(const Call&, const std::string&, bool) {
  return read_only("dropping schemas");
}
Status VirtualConnector::create_table(const Call&, const NewTable&) {
  return read_only("creating tables");
}
Status VirtualConnector::drop_table(const Call&, const TableName&) {
  return read_only("dropping tables");
}
Status VirtualConnector::create_view(const Call&, const TableName&, const View&, bool) {
  return read_only("creating views");
}
Status VirtualConnector::drop_view(const Call&, const TableName&) {
  return read_only("dropping views");
}
Result<std::unique_ptr<Insert>> VirtualConnector::begin_insert(const Call&, const TableRef&) {
  return read_only("inserts");
}
Result<std::unique_ptr<Insert>> VirtualConnector::begin_create_table_as(const Call&,
                                                                        const NewTable&) {
  return read_only("creating tables with data");
}
Status VirtualConnector::finish_insert(const Call&, Insert&, std::vector<WrittenFile>) {
  return read_only("inserts");
}

}  // namespace aichemy::sql
