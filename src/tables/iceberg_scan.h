// Scan planning: metadata, snapshot and predicate to the files that can hold matching rows, each
// with the deletes that apply to it. Manifests are immutable, so their decoded form is cached by
// location under a byte limit.
//
// Files are left out by, in order: the partition summaries of the manifest list, the partition of
// each file, its column bounds. Deletes follow the specification's sequence rules.
#pragma once

#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>
#include <unordered_map>

#include "base/result.h"
#include "runtime/call.h"
#include "tables/file_io.h"
#include "tables/iceberg_manifest.h"
#include "tables/iceberg_metadata.h"
#include "tables/scan_plan.h"

namespace aichemy::tables::iceberg {

// Thread safe; least recently used goes first. A file larger than the whole limit is not kept.
class ManifestCache {
 public:
  explicit ManifestCache(size_t bytes_max) : bytes_max_(bytes_max) {}

  Result<std::shared_ptr<const Manifest>> manifest(const Call& call, FileIo& files,
                                                   const std::string& location);
  Result<std::shared_ptr<const ManifestList>> list(const Call& call, FileIo& files,
                                                   const std::string& location);
  size_t bytes() const;

 private:
  struct Entry {
    std::string location;
    std::shared_ptr<const Manifest> manifest;
    std::shared_ptr<const ManifestList> list;
    size_t bytes = 0;
  };
  const size_t bytes_max_;
  mutable std::mutex mutex_;
  std::list<Entry> entries_;  // most recent first
  std::unordered_map<std::string, std::list<Entry>::iterator> by_location_;
  size_t bytes_ = 0;

  bool find(const std::string& location, Entry* entry);
  void keep(Entry entry);
};

// All manifests of a snapshot, whichever way it lists them (version 1 may do so in line).
Result<std::shared_ptr<const ManifestList>> read_manifests(const Call& call, FileIo& files,
                                                           ManifestCache& cache,
                                                           const TableMetadata& metadata,
                                                           const Snapshot& snapshot);

// The predicate's columns are those of the schema that the plan answers with. not_found
// ("no_such_snapshot", "no_such_ref"), invalid ("snapshot_ancestry"), corrupt.
Result<ScanPlan> plan_scan(const Call& call, FileIo& files, ManifestCache& cache,
                           const TableMetadata& metadata, const ScanRequest& request);

}  // namespace aichemy::tables::iceberg
