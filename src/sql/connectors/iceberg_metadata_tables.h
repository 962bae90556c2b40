// "t$snapshots", "t$files" and so on: what a table's metadata says, as tables. Private to the
// Iceberg connector.
#pragma once

#include <optional>
#include <string>
#include <utility>

#include "catalog/catalog.h"
#include "sql/connectors/connector.h"
#include "sql/connectors/text_scan.h"

namespace aichemy::sql {

// "t$files" as t and files; none when it is not the name of a metadata table.
std::optional<std::pair<std::string, std::string>> metadata_table_name(const std::string& name);
// `kind` is from metadata_table_name().
Result<TableRef> metadata_table(const TableName& name, const std::string& kind,
                                catalog::LoadedTable table);
// nullptr: the table is not one of these.
struct MetadataTableRow;
const MetadataTableRow* metadata_table_row(const Table& table);
// Many rows go through `texts`, when it is there.
Result<Scan> scan_metadata_table(const Call& call, catalog::Catalog& catalog, const Table& table,
                                 TextScans* texts);

}  // namespace aichemy::sql
