#include "tables/iceberg_rows.h"

#include <algorithm>
#include <map>
#include <set>

#include "tables/iceberg_deletes.h"
#include "tables/iceberg_snapshot.h"

namespace aichemy::tables::iceberg {

namespace {

std::unexpected<Error> rows_changed(const std::string& why) {
  return fail(Code::conflict, "rows_changed", why + ": read the table again and retry");
}

std::unexpected<Error> refused(const std::string& why) {
  return fail(Code::invalid, "row_change", why);
}

Result<const PartitionSpec*> spec_of(const TableMetadata& metadata, int spec_id) {
  const PartitionSpec* spec = metadata.spec(spec_id);
  if (spec) return spec;
  return fail(Code::corrupt, "manifest",
              "partition spec " + std::to_string(spec_id) + " is missing");
}

bool overlap(const Positions& a, const Positions& b) {
  Positions both;
  std::set_intersection(a.begin(), a.end(), b.begin(), b.end(), std::back_inserter(both));
  return !both.empty();
}

using Place = std::pair<size_t, size_t>;  // manifest in the list, entry in the manifest

// Where the files of interest are in one snapshot, and what is deleted from them.
class Contents {
 public:
  struct Found {
    Place place;
    int spec_id = 0;
    ManifestEntry entry;
    std::vector<uint32_t> deletes;  // indexes into deletes()
  };
  struct Delete {
    DeleteFile file;
    Place place;
  };

  std::vector<ManifestFile> manifests;
  std::map<std::string, Found> files;
  std::vector<Delete> deletes;

  Status read(const Call& call, FileIo& io, ManifestCache& cache, const TableMetadata& metadata,
              const Snapshot& snapshot, const std::set<std::string>& wanted) {
    ASSIGN_OR_RETURN(auto list, read_manifests(call, io, cache, metadata, snapshot));
    DeleteIndex index;
    std::vector<DeleteFile> delete_files;
    for (ManifestFile row : list->manifests) {
      RETURN_IF_ERROR(fill_counts(call, io, cache, &row));
      manifests.push_back(std::move(row));
    }
    for (size_t at = 0; at < manifests.size(); ++at) {
      if (!manifests[at].holds_deletes) continue;
      ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, io, manifests[at].path));
      ASSIGN_OR_RETURN(const PartitionSpec* spec, spec_of(metadata, spec_id(at, *manifest)));
      for (size_t i = 0; i < manifest->size(); ++i) {
        if (manifest->status[i] == EntryStatus::deleted) continue;
        index.add(*manifest, i, *spec, manifests[at].sequence_number, &delete_files);
        deletes.push_back({delete_files.back(), {at, i}});
      }
    }
    for (size_t at = 0; at < manifests.size(); ++at) {
      if (manifests[at].holds_deletes) continue;
      ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, io, manifests[at].path));
      ASSIGN_OR_RETURN(const PartitionSpec* spec, spec_of(metadata, spec_id(at, *manifest)));
      for (size_t i = 0; i < manifest->size(); ++i) {
        if (manifest->status[i] == EntryStatus::deleted) continue;
        std::string path(manifest->path(i));
        if (!wanted.contains(path)) continue;
        Found found{{at, i}, spec->id, {}, {}};
        found.entry = carried_entry(*manifest, i, manifests[at], EntryStatus::existing);
        found.deletes = index.of(*manifest, i, *spec, found.entry.sequence_number.value_or(0));
        files.emplace(std::move(path), std::move(found));
      }
    }
    return {};
  }

  std::set<std::string> delete_paths(const std::string& data_file) const {
    std::set<std::string> paths;
    auto found = files.find(data_file);
    if (found == files.end()) return paths;
    for (uint32_t index : found->second.deletes) {
      const DeleteFile& file = deletes[index].file;
      paths.insert(file.path + "@" + std::to_string(file.content_offset));
    }
    return paths;
  }

  int spec_id(size_t at, const Manifest& manifest) const {
    return manifests[at].spec_id >= 0 ? manifests[at].spec_id : std::max(manifest.spec_id, 0);
  }
};

void count(Properties* summary, const char* key, int64_t more) {
  if (more == 0) return;
  int64_t before = summary->contains(key) ? std::atoll(summary->at(key).c_str()) : 0;
  (*summary)[key] = std::to_string(before + more);
}

class RowWork {
 public:
  RowWork(const Call& call, FileIo& io, ManifestCache& cache, Random& random,
          const TableMetadata& metadata, const RowChange& change, const CommitAttempt& attempt)
      : call_(call),
        io_(io),
        cache_(cache),
        random_(random),
        metadata_(metadata),
        change_(change),
        attempt_(attempt) {}

  Result<TableChange> run() {
    RETURN_IF_ERROR(check());
    ASSIGN_OR_RETURN(PreparedAppend prepared, prepare_append(call_, io_, random_, metadata_,
                                                             change_.spec_id, change_.added));
    SnapshotBuilder builder(call_, io_, random_, metadata_, attempt_, prepared.snapshot_id);
    builder.change().written = prepared.written;
    auto done = build(builder, std::move(prepared));
    if (!done) {
      for (const std::string& path : builder.change().written) (void)io_.remove(call_, path);
    }
    return done;
  }

 private:
  const Call& call_;
  FileIo& io_;
  ManifestCache& cache_;
  Random& random_;
  const TableMetadata& metadata_;
  const RowChange& change_;
  const CommitAttempt& attempt_;
  Contents head_;
  std::set<Place> removed_;
  std::map<int, std::vector<ManifestEntry>> new_deletes_;  // by spec
  Properties summary_;

  Status check() const {
    RETURN_IF_ERROR(need_version_2(metadata_));
    if (metadata_.format_version >= 3 && !change_.delete_files.empty())
      return refused("format version 3 takes deletion vectors, not position delete files");
    if (metadata_.format_version < 3 && !change_.deleted.empty())
      return refused("deletion vectors need format version 3");
    for (const DeletedRows& rows : change_.deleted) {
      bool ordered = std::adjacent_find(rows.positions.begin(), rows.positions.end(),
                                        std::greater_equal<>()) == rows.positions.end();
      if (!ordered || rows.positions.empty())
        return refused("positions of " + rows.data_file + " are empty or not ascending");
    }
    return {};
  }

  Result<TableChange> build(SnapshotBuilder& builder, PreparedAppend prepared) {
    summary_ = prepared.summary;
    RETURN_IF_ERROR(find(builder));
    for (const std::string& path : change_.replaced) remove_data(path);
    RETURN_IF_ERROR(add_vectors(builder));
    RETURN_IF_ERROR(add_delete_files(builder));
    std::vector<ManifestFile> manifests = prepared.manifests;
    for (ManifestFile& row : manifests)
      row.sequence_number = row.min_sequence_number = builder.sequence_number();
    for (const auto& [spec_id, entries] : new_deletes_) {
      ASSIGN_OR_RETURN(const PartitionSpec* spec, spec_of(metadata_, spec_id));
      ASSIGN_OR_RETURN(ManifestFile row, builder.write_manifest(*spec, true, entries));
      row.min_sequence_number = row.sequence_number;
      manifests.push_back(std::move(row));
    }
    for (size_t at = 0; at < head_.manifests.size(); ++at) {
      ASSIGN_OR_RETURN(ManifestFile row, without_removed(builder, at));
      manifests.push_back(std::move(row));
    }
    bool deletes = !change_.replaced.empty() || !new_deletes_.empty();
    const char* operation = !deletes ? "append" : change_.added.empty() ? "delete" : "overwrite";
    return builder.finish(std::move(manifests), std::move(summary_), operation);
  }

  Status find(const SnapshotBuilder& builder) {
    std::set<std::string> touched(change_.replaced.begin(), change_.replaced.end());
    for (const DeletedRows& rows : change_.deleted) touched.insert(rows.data_file);
    for (const PositionDeletes& file : change_.delete_files) touched.insert(file.data_file);
    const Snapshot* now = builder.parent();
    if (now) RETURN_IF_ERROR(head_.read(call_, io_, cache_, metadata_, *now, touched));
    for (const std::string& path : touched) {
      if (!head_.files.contains(path))
        return rows_changed("the data file " + path + " is not part of the table any more");
    }
    if (!now || change_.read_snapshot_id == now->id) return {};
    RETURN_IF_ERROR(check_added(*now));
    // A row that is deleted twice does no harm; one that is deleted twice to be written anew does.
    std::vector<std::string> whole = change_.replaced;
    for (const PositionDeletes& file : change_.delete_files) {
      if (!change_.added.empty()) whole.push_back(file.data_file);
    }
    if (whole.empty()) return {};
    const Snapshot* then =
        change_.read_snapshot_id ? metadata_.snapshot(*change_.read_snapshot_id) : nullptr;
    if (!then) return rows_changed("the snapshot that was read has expired");
    Contents before;
    RETURN_IF_ERROR(before.read(call_, io_, cache_, metadata_, *then, touched));
    for (const std::string& path : whole) {
      if (before.delete_paths(path) != head_.delete_paths(path))
        return rows_changed("rows of " + path + " were deleted meanwhile");
    }
    return {};
  }

  // Data files that came since and that hold rows the statement would have looked at.
  Status check_added(const Snapshot& now) {
    if (!change_.looked_at) return {};
    bool added = false;
    const Snapshot* at = &now;
    for (; at && at->id != change_.read_snapshot_id;
         at = at->parent_id ? metadata_.snapshot(*at->parent_id) : nullptr) {
      std::string_view operation = at->summary_value("operation");
      added = added || (operation != "replace" && operation != "delete");
    }
    if (change_.read_snapshot_id && !at)
      return rows_changed("the snapshot that was read is not in the table's history any more");
    if (!added) return {};
    ScanRequest request;
    request.predicate = *change_.looked_at;
    request.with_bounds = false;
    std::set<std::string> before;
    if (change_.read_snapshot_id) {
      request.snapshot_id = *change_.read_snapshot_id;
      ASSIGN_OR_RETURN(ScanPlan plan, plan_scan(call_, io_, cache_, metadata_, request));
      for (const DataFile& file : plan.files) before.insert(file.path);
    }
    request.snapshot_id = now.id;
    ASSIGN_OR_RETURN(ScanPlan plan, plan_scan(call_, io_, cache_, metadata_, request));
    for (const DataFile& file : plan.files) {
      if (!before.contains(file.path))
        return rows_changed("rows were added meanwhile, in " + file.path);
    }
    return {};
  }

  void remove_data(const std::string& path) {
    const Contents::Found& found = head_.files.at(path);
    if (!removed_.insert(found.place).second) return;
    count(&summary_, "deleted-data-files", 1);
    count(&summary_, "deleted-records", found.entry.record_count);
    count(&summary_, "removed-files-size", found.entry.size);
    for (uint32_t index : found.deletes) {
      if (head_.deletes[index].file.referenced_data_file == path) remove_delete(index);
    }
  }

  void remove_delete(uint32_t index) {
    const Contents::Delete& gone = head_.deletes[index];
    if (!removed_.insert(gone.place).second) return;
    bool vector = gone.file.kind == DeleteKind::deletion_vector;
    count(&summary_, "removed-delete-files", 1);
    count(&summary_, vector ? "removed-dvs" : "removed-position-delete-files", 1);
    count(&summary_, "removed-position-deletes", static_cast<int64_t>(gone.file.record_count));
    count(&summary_, "removed-files-size",
          static_cast<int64_t>(vector ? gone.file.content_size : gone.file.size));
  }

  ManifestEntry delete_entry(const Contents::Found& found, const std::string& data_file) const {
    ManifestEntry entry;
    entry.content = FileContent::position_deletes;
    entry.partition = found.entry.partition;
    entry.referenced_data_file = data_file;
    return entry;
  }

  // One vector a data file: what was deleted before is in the new one, and the old one goes.
  Status add_vectors(SnapshotBuilder& builder) {
    std::vector<VectorBlob> vectors;
    for (const DeletedRows& rows : change_.deleted) {
      const Contents::Found& found = head_.files.at(rows.data_file);
      if (rows.positions.back() >= static_cast<uint64_t>(found.entry.record_count))
        return refused("a position is beyond the end of " + rows.data_file);
      Positions all = rows.positions;
      for (uint32_t index : found.deletes) {
        const DeleteFile& old = head_.deletes[index].file;
        if (old.kind == DeleteKind::equality) continue;
        if (old.kind == DeleteKind::position) {
          return fail(Code::unsupported, "position_deletes",
                      rows.data_file +
                          " has position delete files of format version 2: rewrite "
                          "it before deleting more of it");
        }
        ASSIGN_OR_RETURN(Positions before, read_deletion_vector(call_, io_, old));
        if (!change_.added.empty() && overlap(before, rows.positions))
          return rows_changed("rows of " + rows.data_file + " were deleted meanwhile");
        Positions merged;
        std::set_union(all.begin(), all.end(), before.begin(), before.end(),
                       std::back_inserter(merged));
        all = std::move(merged);
        remove_delete(index);
      }
      vectors.push_back({rows.data_file, std::move(all), 0, 0});
    }
    if (vectors.empty()) return {};
    std::string file = encode_puffin(&vectors);
    std::string folder(metadata_.property("write.data.path", metadata_.location + "/data"));
    while (folder.ends_with('/')) folder.pop_back();
    std::string path = folder + "/" + random_.uuid() + "-deletes.puffin";
    builder.change().written.push_back(path);
    RETURN_IF_ERROR(io_.write_new(call_, path, file));
    for (const VectorBlob& vector : vectors) {
      const Contents::Found& found = head_.files.at(vector.data_file);
      ManifestEntry entry = delete_entry(found, vector.data_file);
      entry.path = path;
      entry.format = FileFormat::puffin;
      entry.record_count = static_cast<int64_t>(vector.positions.size());
      entry.size = static_cast<int64_t>(file.size());
      entry.content_offset = static_cast<int64_t>(vector.offset);
      entry.content_size = static_cast<int64_t>(vector.size);
      count(&summary_, "added-dvs", 1);
      add_delete(found.spec_id, std::move(entry), static_cast<int64_t>(vector.size));
    }
    return {};
  }

  Status add_delete_files(SnapshotBuilder& builder) {
    for (const PositionDeletes& file : change_.delete_files) {
      if (file.held) {
        builder.change().written.push_back(file.path);
        RETURN_IF_ERROR(io_.write(call_, file.path, *file.held));
      }
      const Contents::Found& found = head_.files.at(file.data_file);
      ManifestEntry entry = delete_entry(found, file.data_file);
      entry.path = file.path;
      entry.record_count = static_cast<int64_t>(file.record_count);
      entry.size = static_cast<int64_t>(file.size);
      count(&summary_, "added-position-delete-files", 1);
      add_delete(found.spec_id, std::move(entry), static_cast<int64_t>(file.size));
    }
    return {};
  }

  void add_delete(int spec_id, ManifestEntry entry, int64_t bytes) {
    count(&summary_, "added-delete-files", 1);
    count(&summary_, "added-position-deletes", entry.record_count);
    count(&summary_, "added-files-size", bytes);
    new_deletes_[spec_id].push_back(std::move(entry));
  }

  // A manifest of the head as it is, or written again when entries of it go.
  Result<ManifestFile> without_removed(SnapshotBuilder& builder, size_t at) {
    const ManifestFile& row = head_.manifests[at];
    auto first = removed_.lower_bound({at, 0});
    if (first == removed_.end() || first->first != at) return row;
    ASSIGN_OR_RETURN(auto manifest, cache_.manifest(call_, io_, row.path));
    ASSIGN_OR_RETURN(const PartitionSpec* spec, spec_of(metadata_, head_.spec_id(at, *manifest)));
    std::vector<int64_t> row_ids = first_row_ids(*manifest, row);
    std::vector<ManifestEntry> entries;
    int64_t oldest = builder.sequence_number();
    for (size_t i = 0; i < manifest->size(); ++i) {
      if (manifest->status[i] == EntryStatus::deleted) continue;
      bool gone = removed_.contains({at, i});
      ManifestEntry entry =
          carried_entry(*manifest, i, row, gone ? EntryStatus::deleted : EntryStatus::existing);
      if (gone)
        entry.snapshot_id = builder.snapshot_id();
      else
        oldest = std::min(oldest, entry.sequence_number.value_or(0));
      if (row_ids[i] != Manifest::kNone) entry.first_row_id = row_ids[i];
      entries.push_back(std::move(entry));
    }
    ASSIGN_OR_RETURN(ManifestFile written,
                     builder.write_manifest(*spec, row.holds_deletes, entries));
    written.min_sequence_number = oldest;
    written.first_row_id = row.first_row_id;
    return written;
  }
};

}  // namespace

Result<TableChange> row_change(const Call& call, FileIo& io, ManifestCache& cache, Random& random,
                               const TableMetadata& metadata, const RowChange& change,
                               const CommitAttempt& attempt) {
  return RowWork(call, io, cache, random, metadata, change, attempt).run();
}

Result<TableChange> rewrite_manifests_change(const Call& call, FileIo& io, ManifestCache& cache,
                                             Random& random, const TableMetadata& metadata,
                                             const CommitAttempt& attempt) {
  constexpr int64_t kTargetBytes = 8 << 20;
  RETURN_IF_ERROR(need_version_2(metadata));
  SnapshotBuilder builder(call, io, random, metadata, attempt, new_snapshot_id(metadata, random));
  if (!builder.parent()) return TableChange{};
  int64_t target = metadata.int_property("commit.manifest.target-size-bytes", kTargetBytes);
  ASSIGN_OR_RETURN(auto list, read_manifests(call, io, cache, metadata, *builder.parent()));
  std::map<int, std::vector<ManifestFile>> by_spec;
  std::vector<ManifestFile> manifests;
  for (ManifestFile row : list->manifests) {
    RETURN_IF_ERROR(fill_counts(call, io, cache, &row));
    bool small = !row.holds_deletes && (row.length < target / 2 || row.deleted_files > 0);
    (small ? by_spec[row.spec_id] : manifests).push_back(std::move(row));
  }
  int64_t replaced = 0, created = 0, processed = 0;
  for (auto& [spec_id, rows] : by_spec) {
    if (rows.size() < 2 && rows[0].deleted_files == 0) {
      manifests.push_back(std::move(rows[0]));
      continue;
    }
    ASSIGN_OR_RETURN(const PartitionSpec* spec, spec_of(metadata, spec_id));
    std::vector<ManifestEntry> entries;
    int64_t bytes = 0, oldest = INT64_MAX;
    auto flush = [&]() -> Status {
      if (entries.empty()) return {};
      ASSIGN_OR_RETURN(ManifestFile row, builder.write_manifest(*spec, false, entries));
      row.min_sequence_number = oldest;
      manifests.push_back(std::move(row));
      ++created;
      entries.clear();
      bytes = 0;
      oldest = INT64_MAX;
      return {};
    };
    for (const ManifestFile& row : rows) {
      ++replaced;
      ASSIGN_OR_RETURN(auto manifest, cache.manifest(call, io, row.path));
      std::vector<int64_t> row_ids = first_row_ids(*manifest, row);
      for (size_t i = 0; i < manifest->size(); ++i) {
        if (manifest->status[i] == EntryStatus::deleted) continue;
        ++processed;
        entries.push_back(carried_entry(*manifest, i, row, EntryStatus::existing));
        if (row_ids[i] != Manifest::kNone) entries.back().first_row_id = row_ids[i];
        oldest = std::min(oldest, entries.back().sequence_number.value_or(0));
      }
      bytes += row.length;
      if (bytes >= target) RETURN_IF_ERROR(flush());
    }
    RETURN_IF_ERROR(flush());
  }
  if (replaced == 0 || (created >= replaced && created > 0)) {
    for (const std::string& path : builder.change().written) (void)io.remove(call, path);
    return TableChange{};
  }
  Properties summary = {
      {"manifests-created", std::to_string(created)},
      {"manifests-replaced", std::to_string(replaced)},
      {"manifests-kept", std::to_string(manifests.size() - static_cast<size_t>(created))},
      {"entries-processed", std::to_string(processed)}};
  return builder.finish(std::move(manifests), std::move(summary), "replace");
}

}  // namespace aichemy::tables::iceberg
