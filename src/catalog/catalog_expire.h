// Keeping tables that jobs append to for ever from growing without bound: one commit a second would
// leave 86,400 snapshots a day in every metadata file. Only commits that are made "once" (jobs) do
// this; data files are never touched.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/call.h"
#include "tables/file_io.h"
#include "tables/iceberg_metadata.h"
#include "tables/iceberg_scan.h"

namespace aichemy::catalog {

// Snapshots to remove, oldest first: the older half once there are more than snapshots_max. Kept
// are those a ref names, and the newest one of every job: `once_key` is the summary entry
// "<job>:<epoch>" by which a job finds what it already committed.
std::vector<int64_t> expirable_snapshots(const tables::iceberg::TableMetadata& metadata,
                                         const std::string& once_key, int64_t snapshots_max);

// After they are gone from `now`: removes their manifest lists, and manifests that only they named.
void remove_expired_files(const Call& call, tables::FileIo& files,
                          tables::iceberg::ManifestCache& manifests,
                          const tables::iceberg::TableMetadata& before,
                          const tables::iceberg::TableMetadata& now);

}  // namespace aichemy::catalog
