// Changes of files as updates and requirements. Manifests are written once and survive retries of
// the commit (their entries inherit snapshot's sequence number); only the manifest list is written
// again for each attempt.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "runtime/call.h"
#include "tables/file_io.h"
#include "tables/iceberg_manifest.h"
#include "tables/iceberg_metadata.h"
#include "tables/iceberg_scan.h"
#include "tables/iceberg_update.h"
#include "tables/scan_plan.h"

namespace aichemy::tables::iceberg {

struct TableChange {
  std::vector<Requirement> requirements;
  std::vector<Update> updates;
  std::vector<std::string>
      written;  // files to remove when the change does not become part of the table
};

struct PreparedAppend {
  int64_t snapshot_id = 0;
  std::vector<ManifestFile> manifests;  // added_snapshot_id set; sequence numbers still to come
  std::vector<std::string> written;
  Properties summary;  // counts of what is added
};

// Writes the manifest of new data files, and those of the files that are held. invalid
// ("written_file") when partition values or metrics do not fit the table's spec and schema;
// unsupported ("format_version") for a version 1 table.
Result<PreparedAppend> prepare_append(const Call& call, FileIo& io, Random& random,
                                      const TableMetadata& metadata, int spec_id,
                                      const std::vector<WrittenFile>& files);

struct CommitAttempt {
  std::string branch;  // "" is main
  int attempt = 1;
  int64_t now_millis = 0;
  Properties summary;  // added to the snapshot's
};

// Writes the manifest list on top of the branch's snapshot in `metadata`.
Result<TableChange> append_change(const Call& call, FileIo& io, ManifestCache& cache,
                                  Random& random, const TableMetadata& metadata,
                                  const PreparedAppend& prepared, const CommitAttempt& attempt);

// A snapshot whose every file is gone; nothing when the table is empty already (no updates).
Result<TableChange> truncate_change(const Call& call, FileIo& io, ManifestCache& cache,
                                    Random& random, const TableMetadata& metadata,
                                    const CommitAttempt& attempt);

}  // namespace aichemy::tables::iceberg
