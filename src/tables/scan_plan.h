// The answer of a table format to "which files, and what to do with each": all a scan needs, the
// same for every format. Paths are full locations ("s3://bucket/key").
//
// Columns are mapped by field id. A column of ScanPlan::schema that a file lacks is, in this order:
// its partition constant (DataFile::constants), found through `name_mapping` when the file has no
// field ids at all, the field's initial_default, null.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tables/predicate.h"
#include "tables/types.h"
#include "tables/value.h"

namespace aichemy::tables {

enum class FileFormat : uint8_t { parquet, orc, avro, puffin };

struct ColumnBounds {
  int field_id = 0;
  int64_t value_count = -1;  // -1: not known
  int64_t null_count = -1;
  int64_t nan_count = -1;
  Value lower;  // null: not known. Strings may be cut: lower <= min, max <= upper hold.
  Value upper;
};

struct ColumnConstant {
  int field_id = 0;
  Value value;
};

enum class DeleteKind : uint8_t { position, equality, deletion_vector };

struct DeleteFile {
  DeleteKind kind = DeleteKind::position;
  std::string path;
  FileFormat format = FileFormat::parquet;
  uint64_t size = 0;
  uint64_t record_count = 0;
  std::vector<int> equality_ids;     // equality: the columns that must be equal (null equals null)
  std::string referenced_data_file;  // position: set when all rows are of one file
  uint64_t content_offset = 0;       // deletion vector: the blob within the Puffin file
  uint64_t content_size = 0;
  int spec_id = 0;
  std::vector<Value> partition_values;  // ScanRequest::with_partition
};

struct DataFile {
  std::string path;
  FileFormat format = FileFormat::parquet;
  uint64_t size = 0;
  uint64_t record_count = 0;
  int64_t sequence_number = 0;
  std::optional<int64_t> first_row_id;    // format version 3
  std::vector<ColumnConstant> constants;  // identity-partitioned columns, by source field id
  std::vector<ColumnBounds> bounds;
  std::vector<int64_t> split_offsets;
  std::vector<uint32_t> deletes;  // indexes into ScanPlan::delete_files that apply to this file
  int spec_id = 0;
  std::string partition;  // "section=net/day=2017-11-16": the hidden column $partition
  std::vector<Value> partition_values;  // ScanRequest::with_partition: one a field of the spec
  std::optional<int> sort_order_id;
  bool all_match = false;  // ScanRequest::certain: the predicate holds for every row
};

// One entry of schema.name-mapping.default: names that stand for a field id in files without ids.
struct NameMapping {
  std::vector<std::string> names;
  std::optional<int> field_id;
  std::vector<NameMapping> fields;
};

struct ScanPlan {
  std::optional<int64_t> snapshot_id;  // none: the table has no snapshot, and no files
  Schema schema;                       // of the snapshot read (time travel) or the current one
  std::vector<DataFile> files;
  std::vector<DeleteFile> delete_files;
  std::vector<NameMapping> name_mapping;
  uint64_t record_count = 0;  // of files, before deletes
  uint64_t byte_count = 0;
  // For EXPLAIN and metrics.
  uint64_t files_total = 0;
  uint64_t manifests_total = 0;
  uint64_t manifests_read = 0;
  bool exact_count() const {
    return delete_files.empty();
  }  // count(*) without predicate needs no scan
};

struct ScanRequest {
  std::optional<int64_t> snapshot_id;   // time travel by id
  std::string ref;                      // branch or tag; "" is main
  std::optional<int64_t> as_of_millis;  // time travel by wall time
  Predicate predicate;
  bool with_bounds = true;      // false: leave DataFile::bounds empty
  std::vector<int> columns;     // bounds of these field ids only; all when empty
  bool certain = false;         // say of which files every row matches
  bool with_partition = false;  // fill partition_values of data files and delete files
  // Only the files that appends brought, in the snapshots up to the chosen one and after
  // `appended_after` (none: from the first that is kept), as they came: no deletes, the current
  // schema.
  bool appends_only = false;
  std::optional<int64_t> appended_after;
};

// What a writer says about one file it has written; everything an append needs.
struct ColumnMetrics {
  int field_id = 0;
  int64_t column_size = -1;  // bytes; -1: not known, as below
  int64_t value_count = -1;
  int64_t null_count = -1;
  int64_t nan_count = -1;  // float and double only
  Value lower;             // null: not known. Given whole; cut as the table's properties say.
  Value upper;
};

struct WrittenFile {
  std::string path;
  FileFormat format = FileFormat::parquet;
  uint64_t size = 0;
  uint64_t record_count = 0;
  std::vector<Value>
      partition;  // one for each field of the partition spec written for, transformed
  std::vector<ColumnMetrics> columns;
  std::vector<int64_t> split_offsets;
  std::optional<int> sort_order_id;
  // Its bytes, where nobody has put them yet: they are put with the files of the commit.
  std::shared_ptr<const std::string> held;
};

}  // namespace aichemy::tables
