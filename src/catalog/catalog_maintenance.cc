// Row changes and upkeep of tables. Invariants beside C1 to C4 of catalog_commit.cc:
// M1  A file is removed only after a commit that leaves no snapshot naming it, and never when what
//     is still named cannot be read whole.
// M2  A snapshot that a branch, a tag or the retention rules keep is not removed, nor the newest
// one
//     of any job.
#include <algorithm>
#include <charconv>
#include <set>

#include "base/log.h"
#include "catalog/catalog_state.h"

namespace aichemy::catalog {

namespace iceberg = tables::iceberg;
using iceberg::Requirement;
using iceberg::TableMetadata;
using iceberg::Update;

namespace {

constexpr const char* kEpochKey = "aichemy.epoch";  // "<job>:<epoch>", docs/formats/jobs.md
constexpr int64_t kSnapshotAgeMax = int64_t{5} * 24 * 3600 * 1000;

// Ids that stay, and refs that go.
struct Retention {
  std::set<int64_t> kept;
  std::vector<std::string> refs;
};

Retention retention_of(const TableMetadata& metadata, const ExpireSnapshots& expire, int64_t now) {
  int64_t age = metadata.int_property("history.expire.max-snapshot-age-ms", kSnapshotAgeMax);
  int64_t cutoff = expire.older_than_millis.value_or(now - age);
  int64_t keep =
      expire.retain_last.value_or(metadata.int_property("history.expire.min-snapshots-to-keep", 1));
  Retention retention;
  std::set<int64_t> referenced;
  for (const auto& [name, ref] : metadata.refs) {
    const iceberg::Snapshot* at = metadata.snapshot(ref.snapshot_id);
    if (!at) continue;
    bool over = name != "main" && ref.max_ref_age_millis &&
                now - at->timestamp_millis > *ref.max_ref_age_millis;
    if (over) {
      retention.refs.push_back(name);
      continue;
    }
    retention.kept.insert(at->id);
    referenced.insert(at->id);
    if (!ref.is_branch) continue;
    int64_t least = std::max<int64_t>(ref.min_snapshots_to_keep.value_or(keep), 1);
    int64_t from = ref.max_snapshot_age_millis ? now - *ref.max_snapshot_age_millis : cutoff;
    for (int64_t count = 0; at && count <= static_cast<int64_t>(metadata.snapshots.size());
         ++count) {
      referenced.insert(at->id);
      if (count < least || at->timestamp_millis >= from) retention.kept.insert(at->id);
      at = at->parent_id ? metadata.snapshot(*at->parent_id) : nullptr;
    }
  }
  // A job recognises by its newest snapshot what it has already committed.
  std::set<std::string_view> jobs;
  for (auto snapshot = metadata.snapshots.rbegin(); snapshot != metadata.snapshots.rend();
       ++snapshot) {
    std::string_view epoch = snapshot->summary_value(kEpochKey);
    if (!epoch.empty() && jobs.insert(epoch.substr(0, epoch.rfind(':'))).second)
      retention.kept.insert(snapshot->id);
  }
  for (const iceberg::Snapshot& snapshot : metadata.snapshots) {
    if (!referenced.contains(snapshot.id) && snapshot.timestamp_millis >= cutoff)
      retention.kept.insert(snapshot.id);
  }
  return retention;
}

Requirement unchanged(const std::string& name, const iceberg::SnapshotRef& ref) {
  return Requirement::ref(name, ref.snapshot_id);
}

Update without_ref(const std::string& name) {
  Update update;
  update.kind = Update::Kind::remove_snapshot_ref;
  update.text = name;
  return update;
}

// "bucket/key": the schemes s3, s3a and s3n mean the same.
std::string place_of(const std::string& location) {
  auto at = tables::parse_location(location);
  return at ? at->bucket + "/" + at->key : location;
}

// Paths that snapshots name.
struct Named {
  std::set<std::string> lists, manifests, files;

  Status add_manifests(const Call& call, tables::FileIo& io, iceberg::ManifestCache& cache,
                       const TableMetadata& metadata, const iceberg::Snapshot& snapshot) {
    if (!snapshot.manifest_list.empty()) lists.insert(snapshot.manifest_list);
    ASSIGN_OR_RETURN(auto list, iceberg::read_manifests(call, io, cache, metadata, snapshot));
    for (const auto& row : list->manifests) manifests.insert(row.path);
    return {};
  }
  Status add_files(const Call& call, tables::FileIo& io, iceberg::ManifestCache& cache,
                   const std::string& manifest_path, bool with_deleted) {
    ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, io, manifest_path));
    for (size_t i = 0; i < manifest->size(); ++i) {
      if (!with_deleted && manifest->status[i] == iceberg::EntryStatus::deleted) continue;
      files.insert(std::string(manifest->path(i)));
    }
    return {};
  }
};

std::set<std::string> statistics_paths(const TableMetadata& metadata) {
  std::set<std::string> paths;
  for (const auto* list : {&metadata.statistics, &metadata.partition_statistics}) {
    for (const Json& file : *list) paths.insert(std::string(file["statistics-path"].as_string()));
  }
  return paths;
}

// What only the snapshots that are gone from `now` named.
Result<std::set<std::string>> unnamed_files(const Call& call, tables::FileIo& io,
                                            iceberg::ManifestCache& cache,
                                            const TableMetadata& before, const TableMetadata& now) {
  Named live, gone;
  for (const auto& snapshot : now.snapshots)
    RETURN_IF_ERROR(live.add_manifests(call, io, cache, now, snapshot));
  for (const auto& snapshot : before.snapshots) {
    if (now.snapshot(snapshot.id)) continue;
    RETURN_IF_ERROR(gone.add_manifests(call, io, cache, before, snapshot));
  }
  std::set<std::string> paths = gone.lists;
  for (const std::string& path : gone.manifests) {
    if (live.manifests.contains(path)) continue;
    paths.insert(path);
    RETURN_IF_ERROR(gone.add_files(call, io, cache, path, true));
  }
  if (!gone.files.empty()) {
    for (const std::string& path : live.manifests)
      RETURN_IF_ERROR(live.add_files(call, io, cache, path, false));
  }
  // By place: writers differ in the scheme they name a file with.
  std::set<std::string> live_places;
  for (const std::string& path : live.files) live_places.insert(place_of(path));
  for (const std::string& path : gone.files) {
    if (!live_places.contains(place_of(path))) paths.insert(path);
  }
  std::set<std::string> kept_statistics = statistics_paths(now);
  for (const std::string& path : statistics_paths(before)) {
    if (!kept_statistics.contains(path)) paths.insert(path);
  }
  return paths;
}

}  // namespace

Result<LoadedTable> Catalog::change_rows(const Call& call, const ChangeRows& rows) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt& attempt,
                  tables::FileIo& io) {
    return iceberg::row_change(call, io, state_->manifests, state_->random, *table.metadata,
                               rows.change, attempt);
  };
  return commit_files(call, rows.name, rows.branch, rows.summary, make);
}

Result<LoadedTable> Catalog::rewrite_manifests(const Call& call, const TableName& name) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt& attempt,
                  tables::FileIo& io) {
    return iceberg::rewrite_manifests_change(call, io, state_->manifests, state_->random,
                                             *table.metadata, attempt);
  };
  return commit_files(call, name, "", {}, make);
}

Result<ExpiredSnapshots> Catalog::expire_snapshots(const Call& call, const TableName& name,
                                                   const ExpireSnapshots& expire) {
  tables::iceberg::TableMetadataPtr before;
  ExpiredSnapshots expired;
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt& attempt,
                  tables::FileIo&) -> Result<iceberg::TableChange> {
    before = table.metadata;
    Retention retention = retention_of(*before, expire, attempt.now_millis);
    iceberg::TableChange change;
    Update gone;
    gone.kind = Update::Kind::remove_snapshots;
    for (const auto& snapshot : before->snapshots) {
      if (!retention.kept.contains(snapshot.id)) gone.snapshot_ids.push_back(snapshot.id);
    }
    expired = {gone.snapshot_ids.size(), retention.refs.size(), 0};
    for (const std::string& ref : retention.refs) change.updates.push_back(without_ref(ref));
    if (!gone.snapshot_ids.empty()) change.updates.push_back(std::move(gone));
    change.requirements.push_back(Requirement::uuid(before->uuid));
    for (const auto& [ref_name, ref] : before->refs)  // M2
      change.requirements.push_back(unchanged(ref_name, ref));
    return change;
  };
  ASSIGN_OR_RETURN(LoadedTable now, commit_files(call, name, "", {}, make));
  if (expired.snapshots == 0) return expired;
  // M1
  ASSIGN_OR_RETURN(auto paths,
                   unnamed_files(call, files_, state_->manifests, *before, *now.metadata));
  for (const std::string& path : paths) {
    RETURN_IF_ERROR(call.interrupted(state_->clock));
    if (files_.remove(call, path)) ++expired.files;
  }
  return expired;
}

Result<OrphanFiles> Catalog::remove_orphan_files(
    const Call& call, const TableName& name, int64_t older_than_millis,
    const std::function<bool(const std::string& place)>& may_remove) {
  ASSIGN_OR_RETURN(LoadedTable table, load_table(call, name));
  const TableMetadata& metadata = *table.metadata;
  Named named;
  for (const auto& snapshot : metadata.snapshots)
    RETURN_IF_ERROR(named.add_manifests(call, files_, state_->manifests, metadata, snapshot));
  for (const std::string& path : named.manifests)
    RETURN_IF_ERROR(named.add_files(call, files_, state_->manifests, path, true));
  std::set<std::string> kept = {place_of(table.metadata_location)};
  for (const auto& entry : metadata.metadata_log) kept.insert(place_of(entry.metadata_file));
  for (const std::string& path : statistics_paths(metadata)) kept.insert(place_of(path));
  for (const auto* set : {&named.lists, &named.manifests, &named.files}) {
    for (const std::string& path : *set) kept.insert(place_of(path));
  }
  OrphanFiles found;
  found.manifests = static_cast<int64_t>(named.manifests.size());
  found.active = static_cast<int64_t>(kept.size());
  // Folders outside the table's own location may be shared with other tables.
  for (const char* folder : {"/data", "/metadata"}) {
    ASSIGN_OR_RETURN(tables::Location at, tables::parse_location(metadata.location + folder));
    objectstore::ListOptions options;
    options.prefix = at.key + "/";
    while (true) {
      ASSIGN_OR_RETURN(auto page, files_.store().list(call, at.bucket, options));
      for (const auto& object : page.objects) {
        ++found.scanned;
        int64_t modified = object.last_modified.time_since_epoch().count() / 1000;
        std::string place = at.bucket + "/" + object.key;
        if (modified >= older_than_millis || kept.contains(place)) continue;
        if (may_remove && !may_remove(place)) continue;
        RETURN_IF_ERROR(files_.store().remove(call, at.bucket, object.key, {}));
        ++found.removed;
        found.removed_bytes += static_cast<int64_t>(object.size);
      }
      if (!page.truncated) break;
      options.start_after = page.next_start_after;
      RETURN_IF_ERROR(call.interrupted(state_->clock));
    }
  }
  return found;
}

int64_t Catalog::now_millis() const { return state_->clock.wall_millis(); }

std::string Catalog::new_uuid() const { return state_->random.uuid(); }

Status Catalog::remove_unused_schemas(const Call& call, const TableName& name) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt&,
                  tables::FileIo&) -> Result<iceberg::TableChange> {
    const TableMetadata& metadata = *table.metadata;
    std::set<int> schemas = {metadata.current_schema_id}, specs = {metadata.default_spec_id};
    for (const auto& snapshot : metadata.snapshots) {
      if (!snapshot.schema_id) return iceberg::TableChange{};  // of an old writer: it may need any
      schemas.insert(*snapshot.schema_id);
      ASSIGN_OR_RETURN(
          auto list, iceberg::read_manifests(call, files_, state_->manifests, metadata, snapshot));
      for (const auto& row : list->manifests) specs.insert(row.spec_id);
    }
    Update old_schemas, old_specs;
    old_schemas.kind = Update::Kind::remove_schemas;
    old_specs.kind = Update::Kind::remove_specs;
    for (const auto& schema : metadata.schemas) {
      if (!schemas.contains(schema.id)) old_schemas.numbers.push_back(schema.id);
    }
    for (const auto& spec : metadata.specs) {
      if (!specs.contains(spec.id)) old_specs.numbers.push_back(spec.id);
    }
    iceberg::TableChange change;
    change.requirements = {
        Requirement::uuid(metadata.uuid),
        Requirement::of(Requirement::Kind::current_schema_id, metadata.current_schema_id),
        Requirement::of(Requirement::Kind::default_spec_id, metadata.default_spec_id)};
    for (const auto& [ref_name, ref] : metadata.refs)
      change.requirements.push_back(unchanged(ref_name, ref));
    if (!old_schemas.numbers.empty()) change.updates.push_back(std::move(old_schemas));
    if (!old_specs.numbers.empty()) change.updates.push_back(std::move(old_specs));
    return change;
  };
  auto done = commit_files(call, name, "", {}, make);
  if (!done) return std::unexpected(done.error());
  return {};
}

Result<std::string> Catalog::newest_metadata(const Call& call, const std::string& table_location) {
  ASSIGN_OR_RETURN(tables::Location at, tables::parse_location(table_location + "/metadata"));
  objectstore::ListOptions options;
  options.prefix = at.key + "/";
  std::string newest;
  int64_t highest = -1;
  while (true) {
    ASSIGN_OR_RETURN(auto page, files_.store().list(call, at.bucket, options));
    for (const auto& object : page.objects) {
      std::string_view file = std::string_view(object.key).substr(options.prefix.size());
      bool metadata = file.ends_with(".metadata.json") || file.ends_with(".metadata.json.gz") ||
                      file.ends_with(".gz.metadata.json");
      if (!metadata) continue;
      if (file.starts_with('v')) file.remove_prefix(1);
      int64_t version = -1;
      std::from_chars(file.data(), file.data() + file.size(), version);
      if (version <= highest) continue;
      highest = version;
      newest = table_location + "/metadata/" + object.key.substr(options.prefix.size());
    }
    if (!page.truncated) break;
    options.start_after = page.next_start_after;
    RETURN_IF_ERROR(call.interrupted(state_->clock));
  }
  if (!newest.empty()) return newest;
  return fail(Code::not_found, "no_metadata",
              "No versioned metadata file exists at location: " + table_location + "/metadata");
}

Result<LoadedTable> Catalog::set_ref(const Call& call, const TableName& name,
                                     const std::string& ref, const iceberg::SnapshotRef& to,
                                     bool replace) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt&,
                  tables::FileIo&) -> Result<iceberg::TableChange> {
    const TableMetadata& metadata = *table.metadata;
    if (ref == "main")
      return fail(Code::invalid, "update", "main is set by writing to it or by rolling it back");
    auto known = metadata.refs.find(ref);
    if (known != metadata.refs.end() && !replace)
      return fail(Code::exists, "ref_exists", "there is a branch or tag \"" + ref + "\" already");
    if (!metadata.snapshot(to.snapshot_id)) {
      return fail(Code::not_found, "no_such_snapshot",
                  "the table has no snapshot " + std::to_string(to.snapshot_id));
    }
    iceberg::TableChange change;
    std::optional<int64_t> at;
    if (known != metadata.refs.end()) at = known->second.snapshot_id;
    change.requirements = {Requirement::uuid(metadata.uuid), Requirement::ref(ref, at)};
    Update update = Update::set_ref(ref, to.snapshot_id);
    update.ref = to;
    change.updates.push_back(std::move(update));
    return change;
  };
  return commit_files(call, name, "", {}, make);
}

Result<LoadedTable> Catalog::remove_ref(const Call& call, const TableName& name,
                                        const std::string& ref) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt&,
                  tables::FileIo&) -> Result<iceberg::TableChange> {
    const TableMetadata& metadata = *table.metadata;
    if (ref == "main") return fail(Code::invalid, "update", "main cannot be removed");
    auto known = metadata.refs.find(ref);
    if (known == metadata.refs.end()) {
      return fail(Code::not_found, "no_such_ref", "the table has no branch or tag \"" + ref + "\"");
    }
    iceberg::TableChange change;
    change.requirements = {Requirement::uuid(metadata.uuid), unchanged(ref, known->second)};
    change.updates.push_back(without_ref(ref));
    return change;
  };
  return commit_files(call, name, "", {}, make);
}

Result<LoadedTable> Catalog::roll_back(const Call& call, const TableName& name,
                                       int64_t snapshot_id) {
  auto make = [&](const LoadedTable& table, const iceberg::CommitAttempt&,
                  tables::FileIo&) -> Result<iceberg::TableChange> {
    const TableMetadata& metadata = *table.metadata;
    const iceberg::Snapshot* at = metadata.current_snapshot();
    if (at && at->id == snapshot_id) return iceberg::TableChange{};
    size_t steps = 0;
    while (at && at->id != snapshot_id && steps++ <= metadata.snapshots.size())
      at = at->parent_id ? metadata.snapshot(*at->parent_id) : nullptr;
    if (!at || at->id != snapshot_id) {
      return fail(Code::not_found, "no_such_snapshot",
                  "snapshot " + std::to_string(snapshot_id) +
                      " is not an ancestor of the table's current state");
    }
    iceberg::TableChange change;
    change.requirements = {Requirement::uuid(metadata.uuid),
                           Requirement::ref("main", metadata.current_snapshot_id)};
    Update update = Update::set_ref("main", snapshot_id);
    if (auto main = metadata.refs.find("main"); main != metadata.refs.end()) {
      update.ref = main->second;
      update.ref.snapshot_id = snapshot_id;
    }
    change.updates.push_back(std::move(update));
    return change;
  };
  return commit_files(call, name, "", {}, make);
}

}  // namespace aichemy::catalog
