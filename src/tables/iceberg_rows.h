// Changes of rows in files that exist: what UPDATE, DELETE and MERGE commit, copy-on-write
// (replaced data files) and merge-on-read (positions that are gone), in one snapshot; and manifests
// written anew.
//
// Isolation: a change says which snapshot its statement read. On a newer one it still commits when
// every data file it touches is there, when nothing more was deleted from the files it replaces,
// when no row it deletes is gone already and, if it says what it looked at, when nobody added a
// file that can hold such rows (serializable); otherwise conflict ("rows_changed"), and the
// statement has to read again.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tables/deletion_vector.h"
#include "tables/iceberg_append.h"

namespace aichemy::tables::iceberg {

// Rows of one data file that are gone.
struct DeletedRows {
  std::string data_file;
  Positions positions;
};

// A Parquet file of position deletes that the caller wrote (format version 2): sorted, of one data
// file.
struct PositionDeletes {
  std::string data_file;
  std::string path;
  uint64_t size = 0;
  uint64_t record_count = 0;
  std::shared_ptr<const std::string> held;  // as WrittenFile's
};

struct RowChange {
  std::optional<int64_t> read_snapshot_id;  // none: the table had no snapshot
  int spec_id = 0;                          // that `added` were written for
  std::vector<WrittenFile> added;
  std::vector<std::string> replaced;          // data files that go
  std::vector<DeletedRows> deleted;           // format version 3: becomes deletion vectors
  std::vector<PositionDeletes> delete_files;  // format version 2
  // Serializable isolation: what the statement's rows have in common. None: snapshot isolation.
  std::optional<Predicate> looked_at;
};

// Also invalid ("row_change") for deletes in the other version's form.
Result<TableChange> row_change(const Call& call, FileIo& io, ManifestCache& cache, Random& random,
                               const TableMetadata& metadata, const RowChange& change,
                               const CommitAttempt& attempt);

// The same live files in as few manifests as commit.manifest.target-size-bytes allows; no update
// when there is nothing to gain.
Result<TableChange> rewrite_manifests_change(const Call& call, FileIo& io, ManifestCache& cache,
                                             Random& random, const TableMetadata& metadata,
                                             const CommitAttempt& attempt);

}  // namespace aichemy::tables::iceberg
