// A change of an Iceberg table as the REST specification writes it: requirements, which must hold
// on the metadata the commit finds, and updates, applied in order. Pure functions on immutable
// metadata.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "tables/iceberg_metadata.h"

namespace aichemy::tables::iceberg {

struct Requirement {
  enum class Kind : uint8_t {
    create,                  // the table does not exist
    table_uuid,              // text
    ref_snapshot_id,         // ref `text` is at `snapshot_id`; none: does not exist
    last_assigned_field_id,  // number, and so on
    current_schema_id,
    last_assigned_partition_id,
    default_spec_id,
    default_sort_order_id,
  };
  Kind kind = Kind::create;
  std::string text;
  std::optional<int64_t> snapshot_id;
  int number = 0;

  static Requirement uuid(std::string uuid);
  static Requirement ref(std::string name, std::optional<int64_t> snapshot_id);
  static Requirement of(Kind kind, int number);
};

struct Update {
  enum class Kind : uint8_t {
    assign_uuid,             // text
    upgrade_format_version,  // number
    add_schema,              // schema
    set_current_schema,      // number; -1: the last added
    add_spec,                // spec
    set_default_spec,        // number; -1
    add_sort_order,          // sort_order
    set_default_sort_order,  // number; -1
    add_snapshot,            // snapshot
    set_snapshot_ref,        // text, ref
    remove_snapshot_ref,     // text
    remove_snapshots,        // snapshot_ids
    set_location,            // text
    set_properties,          // properties
    remove_properties,       // removals
    set_statistics,          // json
    remove_statistics,       // snapshot_ids
    set_partition_statistics,
    remove_partition_statistics,
    remove_specs,    // numbers
    remove_schemas,  // numbers
  };
  Kind kind = Kind::assign_uuid;
  std::string text;
  int number = 0;
  Schema schema;
  PartitionSpec spec;
  SortOrder sort_order;
  Snapshot snapshot;
  SnapshotRef ref;
  std::vector<int64_t> snapshot_ids;
  std::vector<int> numbers;
  Properties properties;
  std::vector<std::string> removals;
  Json json;

  static Update add(Snapshot snapshot);
  static Update set_ref(std::string name, int64_t snapshot_id);
  static Update set(Properties properties);
};

// invalid ("request"): an unknown or broken requirement or update.
Result<Requirement> requirement_from_json(const Json& json);
Result<Update> update_from_json(const Json& json);

// `base` is null when the table does not exist. conflict ("requirement_failed") naming the first
// that fails.
Status check_requirements(const TableMetadata* base, const std::vector<Requirement>& requirements);

struct ApplyOptions {
  int64_t now_millis = 0;
  std::string previous_location;  // enters the metadata log; "" for a new table
};
// invalid ("update") when an update does not fit the metadata; unsupported ("format_version").
Result<TableMetadata> apply_updates(const TableMetadata* base, const std::vector<Update>& updates,
                                    const ApplyOptions& options);

}  // namespace aichemy::tables::iceberg
