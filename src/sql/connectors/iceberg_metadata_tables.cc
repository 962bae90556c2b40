#include "sql/connectors/iceberg_metadata_tables.h"

#include <algorithm>
#include <set>

#include "sql/connectors/iceberg_metadata_scan.h"
#include "sql/connectors/virtual_tables.h"
#include "tables/calendar.h"

namespace aichemy::sql {

namespace iceberg = tables::iceberg;
using iceberg::TableMetadata;
using Cell = std::optional<std::string>;

struct MetadataTableRow {
  std::string_view kind;
  std::vector<ColumnInfo> (*columns)(const TableMetadata& metadata);
  Status (*scan)(MetadataScan& scan);
};

namespace {

struct IcebergMetadataTable final : Table {
  catalog::LoadedTable loaded;
  const MetadataTableRow* row = nullptr;
};

Cell optional_number(const std::optional<int64_t>& value) {
  return value ? Cell(std::to_string(*value)) : std::nullopt;
}

std::string instant(int64_t millis) {
  std::string text = tables::timestamp_text(millis * 1000, false);
  std::ranges::replace(text, 'T', ' ');
  return text + " UTC";
}

constexpr const char* kHistoryColumns =
    "made_current_at timestamp(3) with time zone, snapshot_id bigint, parent_id bigint, "
    "is_current_ancestor boolean";

Status scan_history(MetadataScan& scan) {
  std::set<int64_t> ancestors;
  for (const auto* at = scan.metadata.current_snapshot(); at;
       at = at->parent_id ? scan.metadata.snapshot(*at->parent_id) : nullptr)
    ancestors.insert(at->id);
  for (const auto& entry : scan.metadata.snapshot_log) {
    const auto* snapshot = scan.metadata.snapshot(entry.snapshot_id);
    scan.rows.push_back({instant(entry.timestamp_millis), number_cell(entry.snapshot_id),
                         snapshot ? optional_number(snapshot->parent_id) : std::nullopt,
                         ancestors.contains(entry.snapshot_id) ? "true" : "false"});
  }
  return {};
}

constexpr const char* kSnapshotsColumns =
    "committed_at timestamp(3) with time zone, snapshot_id bigint, parent_id bigint, "
    "operation varchar, manifest_list varchar, summary map(varchar, varchar)";

Status scan_snapshots(MetadataScan& scan) {
  for (const auto& snapshot : scan.metadata.snapshots) {
    Json summary = Json::array();
    for (const auto& [key, value] : snapshot.summary) {
      if (key == "operation") continue;
      summary.push(row_cell({Json(key), Json(value)}));
    }
    Cell operation;
    if (auto found = snapshot.summary.find("operation"); found != snapshot.summary.end())
      operation = found->second;
    scan.rows.push_back({instant(snapshot.timestamp_millis), number_cell(snapshot.id),
                         optional_number(snapshot.parent_id), operation,
                         snapshot.manifest_list.empty() ? Cell() : snapshot.manifest_list,
                         summary.dump()});
  }
  return {};
}

constexpr const char* kLogColumns =
    "timestamp timestamp(3) with time zone, file varchar, latest_snapshot_id bigint, "
    "latest_schema_id integer, latest_sequence_number bigint";

Status scan_log(MetadataScan& scan) {
  auto log = scan.metadata.metadata_log;
  log.push_back({scan.metadata.last_updated_millis, scan.location});
  for (const auto& entry : log) {
    const iceberg::Snapshot* latest = nullptr;
    for (const auto& current : scan.metadata.snapshot_log) {
      if (current.timestamp_millis <= entry.timestamp_millis)
        latest = scan.metadata.snapshot(current.snapshot_id);
    }
    std::optional<int64_t> schema;
    if (latest && latest->schema_id) schema = *latest->schema_id;
    scan.rows.push_back({instant(entry.timestamp_millis), entry.metadata_file,
                         latest ? Cell(number_cell(latest->id)) : std::nullopt,
                         optional_number(schema),
                         latest ? Cell(number_cell(latest->sequence_number)) : std::nullopt});
  }
  return {};
}

constexpr const char* kRefsColumns =
    "name varchar, type varchar, snapshot_id bigint, max_reference_age_in_ms bigint, "
    "min_snapshots_to_keep integer, max_snapshot_age_in_ms bigint";

Status scan_refs(MetadataScan& scan) {
  for (const auto& [name, ref] : scan.metadata.refs) {
    scan.rows.push_back({name, ref.is_branch ? "BRANCH" : "TAG", number_cell(ref.snapshot_id),
                         optional_number(ref.max_ref_age_millis),
                         optional_number(ref.min_snapshots_to_keep),
                         optional_number(ref.max_snapshot_age_millis)});
  }
  return {};
}

constexpr const char* kPropertiesColumns = "key varchar, value varchar";

Status scan_properties(MetadataScan& scan) {
  for (const auto& [key, value] : scan.metadata.properties) scan.rows.push_back({key, value});
  return {};
}

template <const char* const& kText>
std::vector<ColumnInfo> fixed(const TableMetadata&) {
  return virtual_columns(kText);
}

constexpr MetadataTableRow kTables[] = {
    {"all_entries", entry_table_columns, scan_all_entries},
    {"all_manifests", all_manifest_table_columns, scan_all_manifests},
    {"entries", entry_table_columns, scan_entries},
    {"files", file_table_columns, scan_files},
    {"history", fixed<kHistoryColumns>, scan_history},
    {"manifests", manifest_table_columns, scan_manifests},
    {"metadata_log_entries", fixed<kLogColumns>, scan_log},
    {"partitions", partition_table_columns, scan_partitions},
    {"properties", fixed<kPropertiesColumns>, scan_properties},
    {"refs", fixed<kRefsColumns>, scan_refs},
    {"snapshots", fixed<kSnapshotsColumns>, scan_snapshots},
};

const MetadataTableRow* find_row(std::string_view kind) {
  const auto* row = std::ranges::find(kTables, kind, &MetadataTableRow::kind);
  return row == std::end(kTables) ? nullptr : row;
}

}  // namespace

std::string number_cell(int64_t value) { return std::to_string(value); }

Json row_cell(std::vector<Json> values) {
  Json row = Json::array();
  for (Json& value : values) row.push(std::move(value));
  return row;
}

std::optional<std::pair<std::string, std::string>> metadata_table_name(const std::string& name) {
  size_t dollar = name.rfind('$');
  if (dollar == std::string::npos || dollar == 0) return std::nullopt;
  std::string kind = name.substr(dollar + 1);
  if (!find_row(kind)) return std::nullopt;
  return std::pair(name.substr(0, dollar), std::move(kind));
}

Result<TableRef> metadata_table(const TableName& name, const std::string& kind,
                                catalog::LoadedTable loaded) {
  auto table = std::make_shared<IcebergMetadataTable>();
  table->name = name;
  table->row = find_row(kind);
  table->columns = table->row->columns(*loaded.metadata);
  table->loaded = std::move(loaded);
  return TableRef(std::move(table));
}

const MetadataTableRow* metadata_table_row(const Table& table) {
  const auto* ours = dynamic_cast<const IcebergMetadataTable*>(&table);
  return ours ? ours->row : nullptr;
}

Result<Scan> scan_metadata_table(const Call& call, catalog::Catalog& catalog, const Table& table,
                                 TextScans* texts) {
  const auto& ours = static_cast<const IcebergMetadataTable&>(table);
  MetadataScan scan{call, catalog, *ours.loaded.metadata, ours.loaded.metadata_location, {}};
  RETURN_IF_ERROR(ours.row->scan(scan));
  return scan_of_rows(table, std::move(scan.rows), texts);
}

}  // namespace aichemy::sql
