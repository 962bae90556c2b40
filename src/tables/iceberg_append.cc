#include "tables/iceberg_append.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/bytes.h"
#include "tables/iceberg_snapshot.h"

namespace aichemy::tables::iceberg {

namespace {

constexpr size_t kBoundCharacters = 16;  // write.metadata.metrics.default = truncate(16)
constexpr size_t kMetricColumnsMax = 100;
constexpr int64_t kMergeMinCount = 100;
constexpr int64_t kManifestTargetBytes = 8 << 20;

size_t first_characters(std::string_view text, size_t count) {
  size_t at = 0;
  for (size_t seen = 0; at < text.size(); ++at) {
    if ((static_cast<uint8_t>(text[at]) & 0xc0) != 0x80 && seen++ == count) break;
  }
  return at;
}

// The smallest code point after `point`, skipping surrogates; 0 when there is none.
uint32_t next_code_point(uint32_t point) {
  if (point == 0x10ffff) return 0;
  return point + 1 == 0xd800 ? 0xe000 : point + 1;
}

void append_utf8(std::string* to, uint32_t point) {
  if (point < 0x80) {
    to->push_back(static_cast<char>(point));
  } else if (point < 0x800) {
    to->push_back(static_cast<char>(0xc0 | (point >> 6)));
    to->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else if (point < 0x10000) {
    to->push_back(static_cast<char>(0xe0 | (point >> 12)));
    to->push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3f)));
    to->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  } else {
    to->push_back(static_cast<char>(0xf0 | (point >> 18)));
    to->push_back(static_cast<char>(0x80 | ((point >> 12) & 0x3f)));
    to->push_back(static_cast<char>(0x80 | ((point >> 6) & 0x3f)));
    to->push_back(static_cast<char>(0x80 | (point & 0x3f)));
  }
}

uint32_t decode_utf8(std::string_view bytes) {
  auto first = static_cast<uint8_t>(bytes[0]);
  uint32_t point = bytes.size() == 1 ? first : first & (0xffU >> (bytes.size() + 1));
  for (size_t i = 1; i < bytes.size(); ++i)
    point = (point << 6) | (static_cast<uint8_t>(bytes[i]) & 0x3f);
  return point;
}

// The upper bound of everything that starts with the cut text; none when it is all highest
// characters.
std::optional<std::string> round_up_text(std::string text) {
  if (!is_valid_utf8(text)) return std::nullopt;
  while (!text.empty()) {
    size_t start = text.size() - 1;
    while (start > 0 && (static_cast<uint8_t>(text[start]) & 0xc0) == 0x80) --start;
    uint32_t next = next_code_point(decode_utf8(std::string_view(text).substr(start)));
    text.resize(start);
    if (next != 0) {
      append_utf8(&text, next);
      return text;
    }
  }
  return std::nullopt;
}

std::optional<std::string> round_up_bytes(std::string bytes) {
  while (!bytes.empty()) {
    if (static_cast<uint8_t>(bytes.back()) != 0xff) {
      ++bytes.back();
      return bytes;
    }
    bytes.pop_back();
  }
  return std::nullopt;
}

std::optional<std::string> bound(const Value& value, const Type& type, bool is_upper) {
  if (value.is_null()) return std::nullopt;
  std::string binary = value_to_binary(value, type);
  bool text = type.kind == TypeKind::string;
  if (!text && type.kind != TypeKind::binary) return binary;
  size_t keep =
      text ? first_characters(binary, kBoundCharacters) : std::min(binary.size(), kBoundCharacters);
  if (keep == binary.size()) return binary;
  binary.resize(keep);
  if (!is_upper) return binary;
  return text ? round_up_text(std::move(binary)) : round_up_bytes(std::move(binary));
}

}  // namespace

Result<std::vector<ColumnStats>> stats_of(const WrittenFile& file, const Schema& schema) {
  std::vector<ColumnStats> columns;
  for (const ColumnMetrics& metrics : file.columns) {
    const Field* field = schema.find(metrics.field_id);
    if (!field) {
      return fail(Code::invalid, "written_file",
                  file.path + " has metrics of field " + std::to_string(metrics.field_id) +
                      ", which is not a column");
    }
    if (!fits(metrics.lower, field->type) || !fits(metrics.upper, field->type)) {
      return fail(Code::invalid, "written_file",
                  file.path + ": a bound of column " + field->name + " is not of type " +
                      type_text(field->type));
    }
    if (columns.size() == kMetricColumnsMax) break;
    ColumnStats stats;
    stats.field_id = metrics.field_id;
    stats.column_size = metrics.column_size;
    stats.value_count = metrics.value_count;
    stats.null_count = metrics.null_count;
    stats.nan_count = metrics.nan_count;
    stats.lower = bound(metrics.lower, field->type, false);
    stats.upper = bound(metrics.upper, field->type, true);
    columns.push_back(std::move(stats));
  }
  std::sort(columns.begin(), columns.end(),
            [](auto& a, auto& b) { return a.field_id < b.field_id; });
  return columns;
}

namespace {

// Many small appends would leave a list of many small manifests: once there are enough of one spec
// they become one (commit.manifest.min-count-to-merge), as long as it stays near the target size.
Status merge_small(const Call& call, FileIo& files, ManifestCache& cache,
                   const TableMetadata& metadata, SnapshotBuilder* builder,
                   std::vector<ManifestFile>* manifests) {
  int64_t min_count = metadata.int_property("commit.manifest.min-count-to-merge", kMergeMinCount);
  int64_t target = metadata.int_property("commit.manifest.target-size-bytes", kManifestTargetBytes);
  if (metadata.property("commit.manifest-merge.enabled", "true") == "false") return {};
  std::map<int, std::vector<ManifestFile>> small;
  std::vector<ManifestFile> kept;
  for (ManifestFile& row : *manifests) {
    bool ours = row.added_snapshot_id == builder->snapshot_id();
    if (ours || row.holds_deletes || row.length >= target / 2 || row.first_row_id)
      kept.push_back(std::move(row));
    else
      small[row.spec_id].push_back(std::move(row));
  }
  for (auto& [spec_id, rows] : small) {
    const PartitionSpec* spec = metadata.spec(spec_id);
    if (!spec || static_cast<int64_t>(rows.size()) < min_count) {
      kept.insert(kept.end(), rows.begin(), rows.end());
      continue;
    }
    std::vector<ManifestEntry> entries;
    int64_t bytes = 0;
    for (ManifestFile& row : rows) {
      if (bytes + row.length > target) {
        kept.push_back(std::move(row));
        continue;
      }
      bytes += row.length;
      ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, files, row.path));
      for (size_t i = 0; i < manifest->size(); ++i) {
        if (manifest->status[i] == EntryStatus::deleted) continue;
        entries.push_back(carried_entry(*manifest, i, row, EntryStatus::existing));
      }
    }
    ASSIGN_OR_RETURN(ManifestFile merged, builder->write_manifest(*spec, false, entries));
    kept.push_back(std::move(merged));
  }
  *manifests = std::move(kept);
  return {};
}

}  // namespace

Result<PreparedAppend> prepare_append(const Call& call, FileIo& io, Random& random,
                                      const TableMetadata& metadata, int spec_id,
                                      const std::vector<WrittenFile>& files) {
  RETURN_IF_ERROR(need_version_2(metadata));
  const PartitionSpec* spec = metadata.spec(spec_id);
  if (!spec) {
    return fail(Code::invalid, "written_file",
                "the table has no partition spec " + std::to_string(spec_id));
  }
  PreparedAppend prepared;
  prepared.snapshot_id = new_snapshot_id(metadata, random);
  std::vector<ManifestEntry> entries;
  int64_t records = 0;
  int64_t bytes = 0;
  std::set<std::string> partitions;
  for (const WrittenFile& file : files) {
    ManifestEntry entry;
    entry.snapshot_id = prepared.snapshot_id;
    entry.path = file.path;
    entry.format = file.format;
    entry.partition = file.partition;
    entry.record_count = static_cast<int64_t>(file.record_count);
    entry.size = static_cast<int64_t>(file.size);
    ASSIGN_OR_RETURN(entry.columns, stats_of(file, metadata.current_schema()));
    entry.split_offsets = file.split_offsets;
    entry.sort_order_id = file.sort_order_id;
    records += entry.record_count;
    bytes += entry.size;
    std::string key;
    for (const Value& value : file.partition) {
      key += value_text(value, primitive(value.holds_int() ? TypeKind::int64 : TypeKind::binary)) +
             "|";
    }
    partitions.insert(std::move(key));
    entries.push_back(std::move(entry));
  }
  prepared.summary = {{"added-data-files", std::to_string(files.size())},
                      {"added-records", std::to_string(records)},
                      {"added-files-size", std::to_string(bytes)},
                      {"changed-partition-count", std::to_string(partitions.size())}};
  if (entries.empty()) return prepared;
  for (const WrittenFile& file : files) {
    if (!file.held) continue;
    RETURN_IF_ERROR(io.write(call, file.path, *file.held));
    prepared.written.push_back(file.path);
  }
  const Schema& schema = metadata.current_schema();
  ASSIGN_OR_RETURN(
      std::string encoded,
      encode_manifest(schema, *spec, false, entries, {.format_version = metadata.format_version}));
  ManifestFile row = summarize_manifest(schema, *spec, entries);
  row.path = metadata_folder(metadata) + "/" + random.uuid() + "-m0.avro";
  row.length = static_cast<int64_t>(encoded.size());
  row.added_snapshot_id = prepared.snapshot_id;
  RETURN_IF_ERROR(io.write_new(call, row.path, encoded));
  prepared.written.push_back(row.path);
  prepared.manifests.push_back(std::move(row));
  return prepared;
}

Result<TableChange> append_change(const Call& call, FileIo& io, ManifestCache& cache,
                                  Random& random, const TableMetadata& metadata,
                                  const PreparedAppend& prepared, const CommitAttempt& attempt) {
  RETURN_IF_ERROR(need_version_2(metadata));
  SnapshotBuilder builder(call, io, random, metadata, attempt, prepared.snapshot_id);
  std::vector<ManifestFile> manifests = prepared.manifests;
  for (ManifestFile& row : manifests) {
    row.sequence_number = row.min_sequence_number = builder.sequence_number();
  }
  if (builder.parent()) {
    ASSIGN_OR_RETURN(auto before, read_manifests(call, io, cache, metadata, *builder.parent()));
    for (ManifestFile row : before->manifests) {
      RETURN_IF_ERROR(fill_counts(call, io, cache, &row));
      manifests.push_back(std::move(row));
    }
  }
  RETURN_IF_ERROR(merge_small(call, io, cache, metadata, &builder, &manifests));
  return builder.finish(std::move(manifests), prepared.summary, "append");
}

Result<TableChange> truncate_change(const Call& call, FileIo& io, ManifestCache& cache,
                                    Random& random, const TableMetadata& metadata,
                                    const CommitAttempt& attempt) {
  RETURN_IF_ERROR(need_version_2(metadata));
  SnapshotBuilder builder(call, io, random, metadata, attempt, new_snapshot_id(metadata, random));
  if (!builder.parent()) return TableChange{};
  ASSIGN_OR_RETURN(auto before, read_manifests(call, io, cache, metadata, *builder.parent()));
  // Every live file as a deleted entry, one manifest for each spec and content.
  std::map<std::pair<int, bool>, std::vector<ManifestEntry>> gone;
  int64_t data_files = 0, delete_files = 0, records = 0, bytes = 0;
  for (const ManifestFile& row : before->manifests) {
    ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, io, row.path));
    int spec_id = row.spec_id >= 0 ? row.spec_id : std::max(manifest->spec_id, 0);
    for (size_t i = 0; i < manifest->size(); ++i) {
      if (manifest->status[i] == EntryStatus::deleted) continue;
      ManifestEntry entry = carried_entry(*manifest, i, row, EntryStatus::deleted);
      entry.snapshot_id = builder.snapshot_id();
      (row.holds_deletes ? delete_files : data_files) += 1;
      if (!row.holds_deletes) records += entry.record_count;
      bytes += entry.size;
      gone[{spec_id, row.holds_deletes}].push_back(std::move(entry));
    }
  }
  if (gone.empty()) return TableChange{};
  std::vector<ManifestFile> manifests;
  for (const auto& [key, entries] : gone) {
    const PartitionSpec* spec = metadata.spec(key.first);
    if (!spec)
      return fail(Code::corrupt, "manifest",
                  "partition spec " + std::to_string(key.first) + " is missing");
    ASSIGN_OR_RETURN(ManifestFile row, builder.write_manifest(*spec, key.second, entries));
    row.min_sequence_number = row.sequence_number;
    manifests.push_back(std::move(row));
  }
  Properties summary = {
      {"deleted-data-files", std::to_string(data_files)},
      {"removed-delete-files", std::to_string(delete_files)},
      {"deleted-records", std::to_string(records)},
      {"removed-files-size", std::to_string(bytes)},
      {"removed-position-deletes", builder.parent()->summary.contains("total-position-deletes")
                                       ? builder.parent()->summary.at("total-position-deletes")
                                       : "0"},
      {"removed-equality-deletes", builder.parent()->summary.contains("total-equality-deletes")
                                       ? builder.parent()->summary.at("total-equality-deletes")
                                       : "0"}};
  return builder.finish(std::move(manifests), std::move(summary), "delete");
}

}  // namespace aichemy::tables::iceberg
