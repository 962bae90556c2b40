#include "catalog/catalog_expire.h"

#include <algorithm>
#include <set>

#include "base/log.h"

namespace aichemy::catalog {

std::vector<int64_t> expirable_snapshots(const tables::iceberg::TableMetadata& metadata,
                                         const std::string& once_key, int64_t snapshots_max) {
  const auto& snapshots = metadata.snapshots;
  int64_t keep_min = metadata.int_property("history.expire.min-snapshots-to-keep", 1);
  int64_t limit = std::max(snapshots_max, keep_min * 2);
  if (static_cast<int64_t>(snapshots.size()) <= limit) return {};
  std::set<int64_t> kept;
  for (const auto& [name, ref] : metadata.refs) kept.insert(ref.snapshot_id);
  std::set<std::string> jobs;
  for (auto snapshot = snapshots.rbegin(); snapshot != snapshots.rend(); ++snapshot) {
    std::string_view epoch = snapshot->summary_value(once_key);
    if (epoch.empty()) continue;
    if (jobs.insert(std::string(epoch.substr(0, epoch.rfind(':')))).second) {
      kept.insert(snapshot->id);
    }
  }
  std::vector<int64_t> expirable;
  auto older_half = snapshots.size() - static_cast<size_t>(limit / 2);
  for (size_t i = 0; i < older_half; ++i) {
    if (!kept.contains(snapshots[i].id)) expirable.push_back(snapshots[i].id);
  }
  return expirable;
}

void remove_expired_files(const Call& call, tables::FileIo& files,
                          tables::iceberg::ManifestCache& manifests,
                          const tables::iceberg::TableMetadata& before,
                          const tables::iceberg::TableMetadata& now) {
  std::set<std::string> named;
  for (const auto& snapshot : now.snapshots) {
    auto list = tables::iceberg::read_manifests(call, files, manifests, now, snapshot);
    // Without knowing what is still named nothing may be removed.
    if (!list) return log_warn("catalog.expire", {{"error", list.error().message}});
    for (const auto& row : (*list)->manifests) named.insert(row.path);
  }
  std::set<std::string> gone;
  for (const auto& snapshot : before.snapshots) {
    if (now.snapshot(snapshot.id) || snapshot.manifest_list.empty()) continue;
    auto list = tables::iceberg::read_manifests(call, files, manifests, before, snapshot);
    if (!list) continue;
    for (const auto& row : (*list)->manifests) {
      if (!named.contains(row.path)) gone.insert(row.path);
    }
    gone.insert(snapshot.manifest_list);
  }
  int failures = 0;
  for (const std::string& path : gone) failures += !files.remove(call, path);
  if (failures > 0) log_warn("catalog.expire", {{"failures", failures}});
}

}  // namespace aichemy::catalog
