// Making a snapshot: what every change of files shares. Private to the module.
//
// A builder stands on the branch's snapshot, writes manifests and the list, and answers updates and
// requirements. In format version 3 it also hands out row ids: each data manifest that has none
// gets the next ones, in the order of the list (spec, "Row Lineage").
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "base/random.h"
#include "tables/iceberg_append.h"

namespace aichemy::tables::iceberg {

std::string metadata_folder(const TableMetadata& metadata);
int64_t new_snapshot_id(const TableMetadata& metadata, Random& random);
Status need_version_2(const TableMetadata& metadata);
// Statistics of a written file, checked and cut. invalid ("written_file").
Result<std::vector<ColumnStats>> stats_of(const WrittenFile& file, const Schema& schema);

// Old writers left the counts out; the next list must have them.
Status fill_counts(const Call& call, FileIo& files, ManifestCache& cache, ManifestFile* row);

// A live entry as another manifest repeats it: what it inherited becomes explicit.
ManifestEntry carried_entry(const Manifest& manifest, size_t at, const ManifestFile& row,
                            EntryStatus status);
// The first row id of each entry, inherited ones included; Manifest::kNone where there is none.
std::vector<int64_t> first_row_ids(const Manifest& manifest, const ManifestFile& row);

class SnapshotBuilder {
 public:
  SnapshotBuilder(const Call& call, FileIo& files, Random& random, const TableMetadata& metadata,
                  const CommitAttempt& attempt, int64_t snapshot_id);

  const Snapshot* parent() const { return parent_; }
  int64_t sequence_number() const { return snapshot_.sequence_number; }
  int64_t snapshot_id() const { return snapshot_.id; }
  TableChange& change() { return change_; }

  // Writes one manifest of this snapshot.
  Result<ManifestFile> write_manifest(const PartitionSpec& spec, bool holds_deletes,
                                      const std::vector<ManifestEntry>& entries);
  Result<TableChange> finish(std::vector<ManifestFile> manifests, Properties summary,
                             const char* operation);

 private:
  const Call& call_;
  FileIo& files_;
  Random& random_;
  const TableMetadata& metadata_;
  const CommitAttempt& attempt_;
  std::string branch_;
  const Snapshot* parent_ = nullptr;
  Snapshot snapshot_;
  TableChange change_;

  void give_row_ids(std::vector<ManifestFile>* manifests);
};

}  // namespace aichemy::tables::iceberg
