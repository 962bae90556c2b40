// Removing the files of a table that was dropped.
#pragma once

#include <string>

#include "runtime/call.h"
#include "tables/file_io.h"
#include "tables/iceberg_metadata.h"
#include "tables/iceberg_scan.h"

namespace aichemy::catalog {

// Everything the metadata reaches: data and delete files of every snapshot, manifests, lists,
// metadata files. Never a folder as a whole: another table may live below it. Failures are logged,
// the rest goes on.
void purge_files(const Call& call, tables::FileIo& files, tables::iceberg::ManifestCache& manifests,
                 const tables::iceberg::TableMetadata& metadata,
                 const std::string& metadata_location);

}  // namespace aichemy::catalog
