// Iceberg table metadata (format versions 1 to 3): the tree of schemas, specs, orders, snapshots
// and refs that one metadata file holds. Immutable once loaded: shared as shared_ptr<const
// TableMetadata>; every change makes a new one (iceberg_update.h). Fields we do not know are kept
// and written back.
//
// Errors of parsing: corrupt ("table_metadata") with the key that is wrong; unsupported
// ("format_version") for a version above 3,
// ("encryption") for an encrypted table.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tables/scan_plan.h"
#include "tables/transform.h"
#include "tables/types.h"

namespace aichemy::tables::iceberg {

using Properties = std::map<std::string, std::string>;

inline constexpr int kFirstPartitionFieldId = 1000;
inline constexpr int kNewestFormatVersion = 3;

struct PartitionField {
  int source_id = 0;
  int field_id = 0;  // from 1000; 0 in a spec whose ids are still to be assigned
  std::string name;
  Transform transform;

  bool operator==(const PartitionField&) const = default;
};

struct PartitionSpec {
  int id = 0;
  std::vector<PartitionField> fields;

  bool is_unpartitioned() const;  // no field, or void ones only
};

struct SortField {
  int source_id = 0;
  Transform transform;
  bool ascending = true;
  bool nulls_first = true;

  bool operator==(const SortField&) const = default;
};

struct SortOrder {
  int id = 0;  // 0 is unsorted
  std::vector<SortField> fields;
};

struct Snapshot {
  int64_t id = 0;
  std::optional<int64_t> parent_id;
  int64_t sequence_number = 0;
  int64_t timestamp_millis = 0;
  std::string manifest_list;  // location; "" for version 1 snapshots that list manifests in line
  std::vector<std::string> manifests;  // version 1 only
  Properties summary;                  // with "operation": append, replace, overwrite, delete
  std::optional<int> schema_id;
  std::optional<int64_t> first_row_id;  // version 3: of the rows this snapshot gave ids to
  std::optional<int64_t> added_rows;    // version 3: how many
  Json extra;                           // members we do not know

  std::string_view summary_value(std::string_view key) const;
};

struct SnapshotRef {
  int64_t snapshot_id = 0;
  bool is_branch = true;
  std::optional<int64_t> min_snapshots_to_keep;
  std::optional<int64_t> max_snapshot_age_millis;
  std::optional<int64_t> max_ref_age_millis;

  bool operator==(const SnapshotRef&) const = default;
};

struct SnapshotLogEntry {
  int64_t timestamp_millis = 0;
  int64_t snapshot_id = 0;
};

struct MetadataLogEntry {
  int64_t timestamp_millis = 0;
  std::string metadata_file;
};

struct TableMetadata {
  int format_version = 2;
  std::string uuid;
  std::string location;  // without a slash at the end
  int64_t last_sequence_number = 0;
  int64_t next_row_id = 0;  // version 3
  int64_t last_updated_millis = 0;
  int last_column_id = 0;
  std::vector<Schema> schemas;
  int current_schema_id = 0;
  std::vector<PartitionSpec> specs;
  int default_spec_id = 0;
  int last_partition_id = kFirstPartitionFieldId - 1;
  std::vector<SortOrder> sort_orders;
  int default_sort_order_id = 0;
  Properties properties;
  std::optional<int64_t> current_snapshot_id;
  std::vector<Snapshot> snapshots;
  std::vector<SnapshotLogEntry> snapshot_log;
  std::vector<MetadataLogEntry> metadata_log;
  std::map<std::string, SnapshotRef> refs;
  std::vector<Json> statistics;  // statistics files, as they are
  std::vector<Json> partition_statistics;
  Json extra;  // members we do not know

  // nullptr when absent.
  const Schema* schema(int id) const;
  const PartitionSpec* spec(int id) const;
  const SortOrder* sort_order(int id) const;
  const Snapshot* snapshot(int64_t id) const;
  const Snapshot* current_snapshot() const;
  const Snapshot* snapshot_of_ref(std::string_view ref) const;  // "" is main
  // Parsing guarantees that these three exist.
  const Schema& current_schema() const { return *schema(current_schema_id); }
  const PartitionSpec& default_spec() const { return *spec(default_spec_id); }
  const SortOrder& default_sort_order() const { return *sort_order(default_sort_order_id); }

  std::string_view property(std::string_view key, std::string_view fallback = {}) const;
  int64_t int_property(std::string_view key, int64_t fallback) const;

  // The newest snapshot in the ancestry of a ref whose summary has key = value; nullptr when none.
  // Exactly-once writers look up what they already committed.
  const Snapshot* find_by_summary(std::string_view key, std::string_view value,
                                  std::string_view ref = {}) const;
};

using TableMetadataPtr = std::shared_ptr<const TableMetadata>;

Result<TableMetadata> metadata_from_json(const Json& json);
// `bytes` as stored; gzip is recognised by its magic.
Result<TableMetadata> metadata_from_bytes(std::string_view bytes);
Json metadata_to_json(const TableMetadata& metadata);

// The snapshot a request names: not_found ("no_such_snapshot", "no_such_ref"); none when the table
// is empty and the request names nothing.
Result<const Snapshot*> choose_snapshot(const TableMetadata& metadata, const ScanRequest& request);

struct NewTable {
  std::string location;
  std::string uuid;
  Schema schema;          // ids are given afresh
  PartitionSpec spec;     // source ids refer to `schema` as given
  SortOrder sort_order;   // likewise
  Properties properties;  // "format-version" is taken out and obeyed
  int64_t now_millis = 0;
};
// invalid ("schema", "partition_spec", "sort_order"), unsupported ("format_version").
Result<TableMetadata> new_table_metadata(const NewTable& table);

Result<PartitionSpec> spec_from_json(const Json& json);
Json spec_to_json(const PartitionSpec& spec);
Result<SortOrder> sort_order_from_json(const Json& json);
Json sort_order_to_json(const SortOrder& order);
Result<Snapshot> snapshot_from_json(const Json& json);
Json snapshot_to_json(const Snapshot& snapshot, int format_version);
Result<SnapshotRef> ref_from_json(const Json& json);
Json ref_to_json(const SnapshotRef& ref);

// "00003-<uuid>.metadata.json" for version 3 of the file; the number is one more than that of
// `previous` (a location, "" for a new table).
std::string metadata_location(const TableMetadata& metadata, std::string_view previous,
                              std::string_view uuid);

}  // namespace aichemy::tables::iceberg
