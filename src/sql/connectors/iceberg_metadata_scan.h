// Scans of metadata tables: what iceberg_metadata_tables.cc and iceberg_file_tables.cc share.
// Private to them.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "catalog/catalog.h"
#include "sql/connectors/connector.h"

namespace aichemy::sql {

struct MetadataScan {
  const Call& call;
  catalog::Catalog& catalog;
  const tables::iceberg::TableMetadata& metadata;
  const std::string& location;  // of the metadata file
  std::vector<std::vector<std::optional<std::string>>> rows;
};

std::vector<ColumnInfo> file_table_columns(const tables::iceberg::TableMetadata& metadata);
std::vector<ColumnInfo> entry_table_columns(const tables::iceberg::TableMetadata& metadata);
std::vector<ColumnInfo> manifest_table_columns(const tables::iceberg::TableMetadata& metadata);
std::vector<ColumnInfo> all_manifest_table_columns(const tables::iceberg::TableMetadata& metadata);
std::vector<ColumnInfo> partition_table_columns(const tables::iceberg::TableMetadata& metadata);
Status scan_files(MetadataScan& scan);
Status scan_entries(MetadataScan& scan);
Status scan_all_entries(MetadataScan& scan);
Status scan_manifests(MetadataScan& scan);
Status scan_all_manifests(MetadataScan& scan);
Status scan_partitions(MetadataScan& scan);

// Cells: see RowScan.
std::string number_cell(int64_t value);
Json row_cell(std::vector<Json> values);

}  // namespace aichemy::sql
