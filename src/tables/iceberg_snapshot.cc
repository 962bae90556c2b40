#include "tables/iceberg_snapshot.h"

#include <algorithm>
#include <charconv>

namespace aichemy::tables::iceberg {

namespace {

int64_t count_in(const Properties& summary, const char* key) {
  auto found = summary.find(key);
  int64_t value = 0;
  if (found != summary.end()) {
    std::from_chars(found->second.data(), found->second.data() + found->second.size(), value);
  }
  return value;
}

// total-x = the parent's total-x + added-x - removed-x.
struct TotalRow {
  const char* total;
  const char* added;
  const char* removed;
};
constexpr TotalRow kTotals[] = {
    {"total-data-files", "added-data-files", "deleted-data-files"},
    {"total-delete-files", "added-delete-files", "removed-delete-files"},
    {"total-records", "added-records", "deleted-records"},
    {"total-files-size", "added-files-size", "removed-files-size"},
    {"total-position-deletes", "added-position-deletes", "removed-position-deletes"},
    {"total-equality-deletes", "added-equality-deletes", "removed-equality-deletes"},
};

void put_totals(const Snapshot* parent, Properties* summary) {
  for (const TotalRow& row : kTotals) {
    int64_t before = parent ? count_in(parent->summary, row.total) : 0;
    int64_t after = before + count_in(*summary, row.added) - count_in(*summary, row.removed);
    (*summary)[row.total] = std::to_string(std::max<int64_t>(after, 0));
  }
}

}  // namespace

std::string metadata_folder(const TableMetadata& metadata) {
  std::string folder(metadata.property("write.metadata.path", metadata.location + "/metadata"));
  while (folder.ends_with('/')) folder.pop_back();
  return folder;
}

int64_t new_snapshot_id(const TableMetadata& metadata, Random& random) {
  while (true) {
    auto id = static_cast<int64_t>(random.next() & INT64_MAX);
    if (id != 0 && !metadata.snapshot(id)) return id;
  }
}

Status need_version_2(const TableMetadata& metadata) {
  if (metadata.format_version >= 2) return {};
  return fail(Code::unsupported, "format_version",
              "writing to tables of format version 1 is not offered: upgrade it to 2");
}

// Old writers left the counts out; the next list must have them.
Status fill_counts(const Call& call, FileIo& files, ManifestCache& cache, ManifestFile* row) {
  if (row->added_files >= 0 && row->existing_files >= 0 && row->deleted_files >= 0) return {};
  ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, files, row->path));
  if (row->spec_id < 0) row->spec_id = std::max(manifest->spec_id, 0);
  row->added_files = row->existing_files = row->deleted_files = 0;
  row->added_rows = row->existing_rows = row->deleted_rows = 0;
  for (size_t i = 0; i < manifest->size(); ++i) {
    bool deleted = manifest->status[i] == EntryStatus::deleted;
    (deleted ? row->deleted_files : row->existing_files) += 1;
    (deleted ? row->deleted_rows : row->existing_rows) += manifest->record_count[i];
  }
  return {};
}

// A live entry as another manifest repeats it: what it inherited becomes explicit.
ManifestEntry carried_entry(const Manifest& manifest, size_t at, const ManifestFile& row,
                            EntryStatus status) {
  ManifestEntry entry = manifest.entry(at);
  entry.status = status;
  if (!entry.snapshot_id) entry.snapshot_id = row.added_snapshot_id;
  if (!entry.sequence_number) entry.sequence_number = row.sequence_number;
  if (!entry.file_sequence_number) entry.file_sequence_number = row.sequence_number;
  return entry;
}

std::vector<int64_t> first_row_ids(const Manifest& manifest, const ManifestFile& row) {
  std::vector<int64_t> ids = manifest.first_row_id;
  if (!row.first_row_id) return ids;
  int64_t next = *row.first_row_id;
  for (size_t i = 0; i < manifest.size(); ++i) {
    if (ids[i] != Manifest::kNone || manifest.status[i] == EntryStatus::deleted) continue;
    ids[i] = next;
    next += manifest.record_count[i];
  }
  return ids;
}

SnapshotBuilder::SnapshotBuilder(const Call& call, FileIo& files, Random& random,
                                 const TableMetadata& metadata, const CommitAttempt& attempt,
                                 int64_t snapshot_id)
    : call_(call), files_(files), random_(random), metadata_(metadata), attempt_(attempt) {
  branch_ = attempt.branch.empty() ? "main" : attempt.branch;
  parent_ = metadata.snapshot_of_ref(branch_);
  snapshot_.id = snapshot_id;
  snapshot_.sequence_number = metadata.last_sequence_number + 1;
  if (parent_) snapshot_.parent_id = parent_->id;
  snapshot_.timestamp_millis = std::max(attempt.now_millis, metadata.last_updated_millis);
  snapshot_.schema_id = metadata.current_schema_id;
}

void SnapshotBuilder::give_row_ids(std::vector<ManifestFile>* manifests) {
  int64_t next = metadata_.next_row_id;
  snapshot_.first_row_id = next;
  for (ManifestFile& row : *manifests) {
    if (row.holds_deletes || row.first_row_id) continue;
    row.first_row_id = next;
    next += std::max<int64_t>(row.added_rows, 0) + std::max<int64_t>(row.existing_rows, 0);
  }
  snapshot_.added_rows = next - metadata_.next_row_id;
}

Result<TableChange> SnapshotBuilder::finish(std::vector<ManifestFile> manifests, Properties summary,
                                            const char* operation) {
  if (metadata_.format_version >= 3) give_row_ids(&manifests);
  ManifestListWriteOptions options;
  options.format_version = metadata_.format_version;
  options.snapshot_id = snapshot_.id;
  options.parent_snapshot_id = snapshot_.parent_id;
  options.sequence_number = snapshot_.sequence_number;
  ASSIGN_OR_RETURN(std::string bytes, encode_manifest_list(manifests, options));
  snapshot_.manifest_list = metadata_folder(metadata_) + "/snap-" + std::to_string(snapshot_.id) +
                            "-" + std::to_string(attempt_.attempt) + "-" + random_.uuid() + ".avro";
  change_.written.push_back(snapshot_.manifest_list);
  RETURN_IF_ERROR(files_.write_new(call_, snapshot_.manifest_list, bytes));
  for (const auto& [key, value] : attempt_.summary) summary[key] = value;
  summary.try_emplace("operation", operation);  // a rewrite names its own
  put_totals(parent_, &summary);
  snapshot_.summary = std::move(summary);
  change_.requirements.push_back(Requirement::uuid(metadata_.uuid));
  std::optional<int64_t> at;
  if (parent_) at = parent_->id;
  change_.requirements.push_back(Requirement::ref(branch_, at));
  change_.updates.push_back(Update::add(snapshot_));
  change_.updates.push_back(Update::set_ref(branch_, snapshot_.id));
  return std::move(change_);
}

Result<ManifestFile> SnapshotBuilder::write_manifest(const PartitionSpec& spec, bool holds_deletes,
                                                     const std::vector<ManifestEntry>& entries) {
  const Schema& schema = metadata_.current_schema();
  ASSIGN_OR_RETURN(std::string bytes,
                   encode_manifest(schema, spec, holds_deletes, entries,
                                   {.format_version = metadata_.format_version}));
  ManifestFile row = summarize_manifest(schema, spec, entries);
  row.path = metadata_folder(metadata_) + "/" + random_.uuid() + "-m0.avro";
  row.length = static_cast<int64_t>(bytes.size());
  row.holds_deletes = holds_deletes;
  row.added_snapshot_id = snapshot_.id;
  row.sequence_number = snapshot_.sequence_number;
  change_.written.push_back(row.path);
  RETURN_IF_ERROR(files_.write_new(call_, row.path, bytes));
  return row;
}

}  // namespace aichemy::tables::iceberg
