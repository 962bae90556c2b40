#include "catalog/catalog_purge.h"

#include <set>

#include "base/log.h"

namespace aichemy::catalog {

void purge_files(const Call& call, tables::FileIo& files, tables::iceberg::ManifestCache& manifests,
                 const tables::iceberg::TableMetadata& metadata,
                 const std::string& metadata_location) {
  std::set<std::string> manifest_paths;
  std::set<std::string> others;
  for (const auto& snapshot : metadata.snapshots) {
    auto list = tables::iceberg::read_manifests(call, files, manifests, metadata, snapshot);
    if (!snapshot.manifest_list.empty()) others.insert(snapshot.manifest_list);
    if (!list) continue;
    for (const auto& row : (*list)->manifests) manifest_paths.insert(row.path);
  }
  int failures = 0;
  auto remove = [&](const std::string& location) { failures += !files.remove(call, location); };
  // Files before what names them: a purge that is cut short can be found again.
  for (const std::string& path : manifest_paths) {
    if (auto manifest = manifests.manifest(call, files, path)) {
      for (size_t i = 0; i < (*manifest)->size(); ++i) remove(std::string((*manifest)->path(i)));
    }
    remove(path);
  }
  for (const Json& statistics : metadata.statistics) {
    others.insert(std::string(statistics["statistics-path"].as_string()));
  }
  for (const auto& old : metadata.metadata_log) others.insert(old.metadata_file);
  others.insert(metadata_location);
  for (const std::string& path : others) remove(path);
  if (failures > 0)
    log_warn("catalog.purge", {{"metadata", metadata_location}, {"failures", failures}});
}

}  // namespace aichemy::catalog
