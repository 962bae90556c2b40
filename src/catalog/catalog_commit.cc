// The commit point. Invariants:
// C1  A pointer moves only in swap_pointer (or insert_relation for a new name), inside a metadb
// transaction that
//     compares the old one.
// C2  The metadata file a pointer names was durable before the pointer moved.
// C3  A metadata file is removed only when it is certain that no pointer names it.
// C4  Requirements are checked on the very metadata whose pointer is then compared, on every
// attempt.
#include <algorithm>

#include "base/log.h"
#include "catalog/catalog_expire.h"
#include "catalog/catalog_state.h"
#include "tables/iceberg_append.h"

namespace aichemy::catalog {

using tables::iceberg::TableMetadata;
using tables::iceberg::TableMetadataPtr;

// One table's part of a commit that is ready to become visible.
struct Catalog::PreparedCommit {
  TableName name;
  int64_t namespace_id = 0;
  std::string from;       // "" creates the table
  LoadedTable loaded;     // as it will be
  TableMetadataPtr base;  // null when it is created
  bool unchanged = false;
};

namespace {

bool creates(const CommitTable& change) {
  return std::any_of(change.requirements.begin(), change.requirements.end(),
                     [](const auto& requirement) {
                       return requirement.kind == tables::iceberg::Requirement::Kind::create;
                     });
}

bool lost_race(const Error& error) {
  return error.code == Code::conflict && error.is("commit_failed");
}

}  // namespace

Result<Catalog::PreparedCommit> Catalog::prepare_commit(const Call& call, const CommitTable& change,
                                                        tables::FileIo& files) {
  PreparedCommit prepared;
  prepared.name = change.name;
  RETURN_IF_ERROR(check_name(change.name));
  ASSIGN_OR_RETURN(auto row, state_->database.read([&](metadb::Transaction& transaction) {
    return find_relation(transaction, change.name);
  }));
  bool exists = row && row->is(RelationKind::table);
  if (!exists && !creates(change)) return no_such_relation(change.name, RelationKind::table);
  if (exists) {
    prepared.namespace_id = row->namespace_id;
    prepared.from = row->metadata_location;
    ASSIGN_OR_RETURN(prepared.base, read_metadata(call, prepared.from));
  }
  if (auto met = tables::iceberg::check_requirements(prepared.base.get(), change.requirements);
      !met) {
    state_->commit_conflicts.add();
    return std::unexpected(met.error());
  }
  prepared.loaded.name = change.name;
  if (change.updates.empty() && exists) {
    prepared.unchanged = true;
    prepared.loaded.metadata = prepared.base;
    prepared.loaded.metadata_location = prepared.from;
    return prepared;
  }
  tables::iceberg::ApplyOptions options{state_->clock.wall_millis(), prepared.from};
  auto applied = tables::iceberg::apply_updates(prepared.base.get(), change.updates, options);
  if (!applied) return std::unexpected(applied.error());
  RETURN_IF_ERROR(tables::parse_location(applied->location));
  ASSIGN_OR_RETURN(prepared.loaded.metadata_location,
                   write_metadata(call, files, *applied, prepared.from));
  prepared.loaded.metadata = std::make_shared<const TableMetadata>(std::move(*applied));
  return prepared;
}

Status Catalog::publish(const Call& call, const std::vector<PreparedCommit>& prepared) {
  int64_t now = state_->clock.wall_millis();
  Status done = state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    for (const PreparedCommit& part : prepared) {
      if (part.unchanged) continue;
      const LoadedTable& to = part.loaded;
      if (part.from.empty()) {
        RelationRow row{.uuid = to.metadata->uuid, .metadata_location = to.metadata_location};
        RETURN_IF_ERROR(insert_relation(transaction, part.name, row, now));
      } else {
        RETURN_IF_ERROR(swap_pointer(transaction, part.name, part.namespace_id, part.from,
                                     to.metadata_location, now));
      }
    }
    return {};
  });
  if (!done) {
    if (lost_race(done.error())) state_->commit_conflicts.add();
    Status settled;
    for (const PreparedCommit& part : prepared) {
      if (part.unchanged) continue;
      settled = settle(call, done.error(), part.name, part.loaded.metadata_location);
    }
    return settled;
  }
  for (const PreparedCommit& part : prepared) {
    if (part.unchanged) continue;
    state_->commits.add();
    size_t bytes = 4096 + part.loaded.metadata->snapshots.size() * 2048;
    state_->metadata_cache.keep(part.loaded.metadata_location, part.loaded.metadata, bytes);
    remove_old_metadata(call, part);
  }
  return {};
}

// After a failed transaction: what really happened? Success when the pointer names our file after
// all.
Status Catalog::settle(const Call& call, const Error& error, const TableName& name,
                       const std::string& location) {
  bool certain =
      error.code == Code::conflict || error.code == Code::exists || error.code == Code::not_found;
  if (!certain) {
    auto pointer = pointer_of(name, false);
    if (pointer && *pointer == location) return {};
    if (!pointer && pointer.error().code != Code::not_found) {
      // C3: it may be named: the file stays.
      return fail(
          Code::internal, "commit_unknown",
          "the commit to " + name_text(name) + " may or may not have happened: " + error.message);
    }
  }
  remove_quietly(call, location);
  return std::unexpected(error);
}

// write.metadata.delete-after-commit.enabled: files that left the metadata log are of no use any
// more.
void Catalog::remove_old_metadata(const Call& call, const PreparedCommit& part) {
  const TableMetadata& now = *part.loaded.metadata;
  if (!part.base || now.property("write.metadata.delete-after-commit.enabled") != "true") return;
  for (const auto& old : part.base->metadata_log) {
    bool kept =
        std::any_of(now.metadata_log.begin(), now.metadata_log.end(),
                    [&](const auto& entry) { return entry.metadata_file == old.metadata_file; });
    if (!kept) remove_quietly(call, old.metadata_file);
  }
}

// C2: all files of the commit are durable when it returns.
Result<std::vector<Catalog::PreparedCommit>> Catalog::prepare_all(
    const Call& call, const std::vector<CommitTable>& changes, tables::NewFiles& files) {
  tables::FileIo io(files);
  std::vector<PreparedCommit> prepared;
  Status done;
  for (const CommitTable& change : changes) {
    auto part = prepare_commit(call, change, io);
    if (part)
      prepared.push_back(std::move(*part));
    else
      done = std::unexpected(part.error());
    if (!done) break;
  }
  if (done) {
    done = files.write(call);
    // Nobody lost a race here, and what was collected is not written another time.
    if (!done && done.error().code == Code::conflict) done.error().code = Code::internal;
  }
  if (done) return prepared;
  for (const PreparedCommit& part : prepared) {
    if (!part.unchanged) remove_quietly(call, io, part.loaded.metadata_location);
  }
  return std::unexpected(done.error());
}

Result<std::vector<LoadedTable>> Catalog::try_commit(const Call& call,
                                                     const std::vector<CommitTable>& changes,
                                                     tables::NewFiles& files) {
  for (int attempt = 0;; ++attempt) {
    ASSIGN_OR_RETURN(auto prepared, prepare_all(call, changes, files));
    Status done = publish(call, prepared);
    if (done) {
      std::vector<LoadedTable> loaded;
      for (PreparedCommit& part : prepared) loaded.push_back(std::move(part.loaded));
      return loaded;
    }
    // The change may still fit what the other writer left: C4 decides.
    if (!lost_race(done.error()) || attempt >= options_.commit_retries)
      return std::unexpected(done.error());
    RETURN_IF_ERROR(call.interrupted(state_->clock));
  }
}

Result<LoadedTable> Catalog::commit(const Call& call, const CommitTable& change) {
  std::lock_guard turn(state_->turn_of(change.name));
  tables::NewFiles files(files_.store());
  ASSIGN_OR_RETURN(auto loaded, try_commit(call, {change}, files));
  return std::move(loaded[0]);
}

Result<std::vector<LoadedTable>> Catalog::commit_all(const Call& call,
                                                     const std::vector<CommitTable>& changes) {
  for (size_t i = 0; i < changes.size(); ++i) {
    for (size_t j = 0; j < i; ++j) {
      if (changes[i].name == changes[j].name) {
        return fail(Code::invalid, "request",
                    "a transaction changes " + name_text(changes[i].name) +
                        " twice: merge the two changes");
      }
    }
  }
  std::vector<std::mutex*> turns;
  for (const CommitTable& change : changes) turns.push_back(&state_->turn_of(change.name));
  std::sort(turns.begin(), turns.end());
  turns.erase(std::unique(turns.begin(), turns.end()), turns.end());
  std::vector<std::unique_lock<std::mutex>> held;
  for (std::mutex* turn : turns) held.emplace_back(*turn);
  tables::NewFiles files(files_.store());
  return try_commit(call, changes, files);
}

Result<LoadedTable> Catalog::commit_files(const Call& call, const TableName& name,
                                          const std::string& branch, const Properties& summary,
                                          const FileChange& make) {
  std::lock_guard turn(state_->turn_of(name));
  tables::NewFiles files(files_.store());
  tables::FileIo io(files);
  for (int attempt = 1;; ++attempt) {
    ASSIGN_OR_RETURN(LoadedTable table, load_table(call, name));
    tables::iceberg::CommitAttempt commit_attempt{branch, attempt, state_->clock.wall_millis(),
                                                  summary};
    auto change = make(table, commit_attempt, io);
    if (!change) return std::unexpected(change.error());
    if (change->updates.empty()) return table;
    auto done = try_commit(call, {{name, change->requirements, change->updates}}, files);
    if (done) return std::move((*done)[0]);
    if (done.error().is("commit_unknown")) return std::unexpected(done.error());
    for (const std::string& file : change->written) remove_quietly(call, io, file);
    if (done.error().code != Code::conflict || attempt > options_.commit_retries) {
      return std::unexpected(done.error());
    }
    RETURN_IF_ERROR(call.interrupted(state_->clock));
  }
}

Result<LoadedTable> Catalog::append(const Call& call, const AppendFiles& append) {
  std::optional<tables::iceberg::PreparedAppend> prepared;
  TableMetadataPtr expired_from;
  bool done_before = false;
  Properties summary = append.summary;
  if (append.once) summary[append.once->first] = append.once->second;
  auto result = commit_files(
      call, append.name, append.branch, summary,
      [&](const LoadedTable& table, const tables::iceberg::CommitAttempt& attempt,
          tables::FileIo& io) -> Result<tables::iceberg::TableChange> {
        if (append.once && table.metadata->find_by_summary(append.once->first, append.once->second,
                                                           append.branch)) {
          done_before = true;
          return tables::iceberg::TableChange{};
        }
        if (!prepared) {
          ASSIGN_OR_RETURN(
              prepared, tables::iceberg::prepare_append(call, io, state_->random, *table.metadata,
                                                        append.spec_id, append.files));
        }
        ASSIGN_OR_RETURN(auto change,
                         tables::iceberg::append_change(call, io, state_->manifests, state_->random,
                                                        *table.metadata, *prepared, attempt));
        expired_from = nullptr;
        if (!append.once) return change;
        tables::iceberg::Update expire;
        expire.kind = tables::iceberg::Update::Kind::remove_snapshots;
        expire.snapshot_ids =
            expirable_snapshots(*table.metadata, append.once->first, options_.job_snapshots_max);
        if (expire.snapshot_ids.empty()) return change;
        change.updates.push_back(std::move(expire));
        expired_from = table.metadata;
        return change;
      });
  if (result && expired_from) {
    remove_expired_files(call, files_, state_->manifests, *expired_from, *result->metadata);
  }
  bool unused = done_before || (!result && !result.error().is("commit_unknown"));
  if (prepared && unused) {
    for (const std::string& file : prepared->written) remove_quietly(call, file);
  }
  return result;
}

Result<LoadedTable> Catalog::create_with_files(const Call& call, const LoadedTable& staged,
                                               const AppendFiles& append) {
  namespace iceberg = tables::iceberg;
  if (append.files.empty()) return insert_table(call, staged);
  tables::NewFiles files(files_.store());
  tables::FileIo io(files);
  std::vector<std::string> written;
  PreparedCommit made;
  made.name = staged.name;
  made.loaded = staged;
  auto prepare = [&]() -> Status {
    ASSIGN_OR_RETURN(auto prepared,
                     iceberg::prepare_append(call, io, state_->random, *staged.metadata,
                                             append.spec_id, append.files));
    written = prepared.written;
    int64_t now = state_->clock.wall_millis();
    iceberg::CommitAttempt attempt{"", 1, now, append.summary};
    ASSIGN_OR_RETURN(auto change,
                     iceberg::append_change(call, io, state_->manifests, state_->random,
                                            *staged.metadata, prepared, attempt));
    written.insert(written.end(), change.written.begin(), change.written.end());
    ASSIGN_OR_RETURN(auto metadata,
                     iceberg::apply_updates(staged.metadata.get(), change.updates, {now, ""}));
    ASSIGN_OR_RETURN(made.loaded.metadata_location, write_metadata(call, io, metadata, ""));
    made.loaded.metadata = std::make_shared<const TableMetadata>(std::move(metadata));
    Status done = files.write(call);  // C2
    if (!done) remove_quietly(call, made.loaded.metadata_location);
    return done;
  };
  Status done = prepare();
  if (done) done = publish(call, {made});
  if (done) return std::move(made.loaded);
  if (!done.error().is("commit_unknown")) {
    for (const std::string& file : written) remove_quietly(call, io, file);
  }
  return std::unexpected(done.error());
}

Result<LoadedTable> Catalog::truncate(const Call& call, const TableName& name) {
  return commit_files(call, name, "", {},
                      [&](const LoadedTable& table, const tables::iceberg::CommitAttempt& attempt,
                          tables::FileIo& io) {
                        return tables::iceberg::truncate_change(
                            call, io, state_->manifests, state_->random, *table.metadata, attempt);
                      });
}

}  // namespace aichemy::catalog
