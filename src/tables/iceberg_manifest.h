// Manifests and manifest lists: the Avro files between a snapshot and its data files.
//
// A decoded Manifest is columnar and immutable, so that 100,000 entries are planned by walking
// arrays: byte strings (paths, bounds) are slices of one arena, the decompressed blocks. Fields are
// found by Iceberg field id, never by name. Errors: corrupt ("avro", "manifest"), unsupported
// ("avro_codec").
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "base/result.h"
#include "tables/avro_file.h"
#include "tables/iceberg_metadata.h"
#include "tables/scan_plan.h"
#include "tables/types.h"

namespace aichemy::tables::iceberg {

enum class EntryStatus : uint8_t { existing = 0, added = 1, deleted = 2 };
enum class FileContent : uint8_t { data = 0, position_deletes = 1, equality_deletes = 2 };

// One manifest entry as a row: what writing takes, and what reading gives on demand.
struct ColumnStats {
  int field_id = 0;
  int64_t column_size = -1;  // -1: not known
  int64_t value_count = -1;
  int64_t null_count = -1;
  int64_t nan_count = -1;
  std::optional<std::string> lower;  // single-value binary form
  std::optional<std::string> upper;
};

struct ManifestEntry {
  EntryStatus status = EntryStatus::added;
  std::optional<int64_t> snapshot_id;           // none: inherited from the manifest list
  std::optional<int64_t> sequence_number;       // likewise
  std::optional<int64_t> file_sequence_number;  // likewise
  FileContent content = FileContent::data;
  std::string path;
  FileFormat format = FileFormat::parquet;
  std::vector<Value> partition;  // in the order of the spec's fields
  int64_t record_count = 0;
  int64_t size = 0;
  std::vector<ColumnStats> columns;  // by field id, ascending
  std::vector<int64_t> split_offsets;
  std::vector<int> equality_ids;
  std::optional<int> sort_order_id;
  std::string referenced_data_file;
  std::optional<int64_t> content_offset;
  std::optional<int64_t> content_size;
  std::optional<int64_t> first_row_id;  // format version 3, data files
};

class Manifest {
 public:
  // Entries' optional numbers are kNone when null in the file.
  static constexpr int64_t kNone = INT64_MIN;

  int spec_id = -1;  // as the file's own metadata says; -1 when it does not
  size_t size() const { return status.size(); }
  size_t memory_bytes() const;

  std::vector<EntryStatus> status;
  std::vector<FileContent> content;
  std::vector<FileFormat> format;
  std::vector<int64_t> snapshot_id;
  std::vector<int64_t> sequence_number;
  std::vector<int64_t> file_sequence_number;
  std::vector<int64_t> record_count;
  std::vector<int64_t> file_size;
  std::vector<int64_t> first_row_id;
  std::vector<int64_t> content_offset;
  std::vector<int64_t> content_size;
  std::vector<int32_t> sort_order_id;  // -1: none

  // One column for each field of the file's partition struct.
  struct PartitionColumn {
    int field_id = 0;
    Type type;  // as the file says; the spec's source type decides when it is known
    std::vector<Value> values;
  };
  std::vector<PartitionColumn> partition;

  struct Bound {
    int32_t field_id = 0;
    std::string_view bytes;
  };
  struct Count {
    int32_t field_id = 0;
    int64_t value = 0;
  };
  std::string_view path(size_t entry) const { return view(paths_[entry]); }
  std::string_view referenced_data_file(size_t entry) const { return view(referenced_[entry]); }
  std::vector<int> equality_ids(size_t entry) const;
  std::vector<int64_t> split_offsets(size_t entry) const;
  // -1 or none when the file does not say.
  int64_t value_count(size_t entry, int field_id) const {
    return value_counts_.find(entry, field_id);
  }
  int64_t null_count(size_t entry, int field_id) const {
    return null_counts_.find(entry, field_id);
  }
  int64_t nan_count(size_t entry, int field_id) const { return nan_counts_.find(entry, field_id); }
  std::optional<std::string_view> lower_bound(size_t entry, int field_id) const;
  std::optional<std::string_view> upper_bound(size_t entry, int field_id) const;
  // What is known of the given columns, decoded; columns without any statistics are left out.
  using ColumnTypes = std::unordered_map<int, Type>;
  std::vector<ColumnBounds> bounds(size_t entry, const ColumnTypes& types) const;
  // All columns that have any statistics, by field id.
  std::vector<ColumnStats> columns(size_t entry) const;
  ManifestEntry entry(size_t entry) const;

 private:
  friend class ManifestDecoder;
  struct Slice {
    uint32_t offset = 0;
    uint32_t length = 0;
  };
  // A map from field id to a number, for every entry, flattened: entry e owns keys [starts[e],
  // starts[e + 1]).
  struct CountMap {
    std::vector<uint32_t> starts{0};
    std::vector<int32_t> keys;
    std::vector<int64_t> values;
    int64_t find(size_t entry, int field_id) const;
  };
  struct SliceMap {
    std::vector<uint32_t> starts{0};
    std::vector<int32_t> keys;
    std::vector<Slice> values;
    const Slice* find(size_t entry, int field_id) const;
  };
  std::string arena_;
  std::vector<Slice> paths_;
  std::vector<Slice> referenced_;
  CountMap column_sizes_, value_counts_, null_counts_, nan_counts_;
  CountMap splits_, equality_;  // keys unused
  SliceMap lower_, upper_;

  std::string_view view(Slice slice) const {
    return std::string_view(arena_).substr(slice.offset, slice.length);
  }
};

Result<Manifest> decode_manifest(std::string_view file);

struct PartitionSummary {
  bool contains_null = false;
  std::optional<bool> contains_nan;
  std::optional<std::string> lower;  // single-value binary form
  std::optional<std::string> upper;
};

struct ManifestFile {
  std::string path;
  int64_t length = 0;
  int spec_id = 0;
  bool holds_deletes = false;
  int64_t sequence_number = 0;
  int64_t min_sequence_number = 0;
  int64_t added_snapshot_id = 0;
  // -1: the file does not say (version 1)
  int64_t added_files = -1, existing_files = -1, deleted_files = -1;
  int64_t added_rows = -1, existing_rows = -1, deleted_rows = -1;
  std::vector<PartitionSummary> partitions;
  std::string key_metadata;
  std::optional<int64_t> first_row_id;
};

struct ManifestList {
  std::vector<ManifestFile> manifests;
  size_t memory_bytes() const;
};

Result<ManifestList> decode_manifest_list(std::string_view file);

struct ManifestWriteOptions {
  int format_version = 2;
  AvroCodec codec = AvroCodec::deflate;
};

// Files of version 2 or 3. All entries belong to `spec`, whose source columns are in `schema`; data
// and delete files never share a manifest.
Result<std::string> encode_manifest(const Schema& schema, const PartitionSpec& spec,
                                    bool holds_deletes, std::span<const ManifestEntry> entries,
                                    const ManifestWriteOptions& options);

struct ManifestListWriteOptions {
  int format_version = 2;
  int64_t snapshot_id = 0;
  std::optional<int64_t> parent_snapshot_id;
  int64_t sequence_number = 0;
  AvroCodec codec = AvroCodec::deflate;
};
Result<std::string> encode_manifest_list(std::span<const ManifestFile> manifests,
                                         const ManifestListWriteOptions& options);

// Counts and partition summaries of a manifest about to be listed; path, length and numbers are the
// caller's.
ManifestFile summarize_manifest(const Schema& schema, const PartitionSpec& spec,
                                std::span<const ManifestEntry> entries);

}  // namespace aichemy::tables::iceberg
