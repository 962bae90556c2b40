// The catalog: namespaces, tables and views, and the one place where a table's pointer moves.
//
// Blocking, thread safe. Names live in metadb; metadata files live in the object store and are
// immutable. A commit writes a new metadata file and then swaps the pointer in one metadb
// transaction that compares the old one: of two writers one gets conflict ("commit_failed") and its
// file is removed; nothing is ever lost. append() retries for the caller, because appends never
// contradict each other.
//
// Errors (what): no_such_namespace, no_such_table, no_such_view (not_found); namespace_exists,
// table_exists, view_exists (exists); namespace_not_empty, commit_failed, requirement_failed
// (conflict); invalid_name, location (invalid); and those of metadata and object store.
// commit_unknown (internal): the pointer may have moved.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/metrics.h"
#include "base/random.h"
#include "base/result.h"
#include "catalog/view.h"
#include "metadb/metadb.h"
#include "objectstore/object_store.h"
#include "runtime/call.h"
#include "tables/iceberg_append.h"
#include "tables/iceberg_metadata.h"
#include "tables/iceberg_rows.h"
#include "tables/iceberg_scan.h"
#include "tables/iceberg_update.h"
#include "tables/scan_plan.h"

namespace aichemy::catalog {

using Properties = std::map<std::string, std::string>;
using NamespaceName = std::vector<std::string>;  // levels, outermost first

struct EntityName {  // of a table or a view
  NamespaceName space;
  std::string name;

  bool operator==(const EntityName&) const = default;
  auto operator<=>(const EntityName&) const = default;
};
using TableName = EntityName;

std::string name_text(const NamespaceName& space);  // "a.b"
std::string name_text(const EntityName& name);      // "a.b.t"

enum class TableFormat : uint8_t { iceberg };  // hive, delta, lance take their place here

// One version of a table. A value: cheap to copy, never changes under its holder.
struct LoadedTable {
  TableName name;
  TableFormat format = TableFormat::iceberg;
  std::string metadata_location;  // "" for a staged creation
  tables::iceberg::TableMetadataPtr metadata;

  const tables::Schema& schema() const { return metadata->current_schema(); }
};

struct LoadedView {
  EntityName name;
  std::string metadata_location;
  std::shared_ptr<const ViewMetadata> metadata;
};

struct CreateTable {
  TableName name;
  std::string location;                 // "" takes <namespace location>/<name>-<uuid>
  tables::Schema schema;                // ids are given afresh, in order
  tables::iceberg::PartitionSpec spec;  // source ids refer to `schema` as given
  tables::iceberg::SortOrder sort_order;
  Properties properties;
};

struct CommitTable {
  TableName name;
  std::vector<tables::iceberg::Requirement> requirements;
  std::vector<tables::iceberg::Update> updates;
};

// A table that takes another's place under its name (CREATE OR REPLACE TABLE).
struct Replacement {
  LoadedTable staged;  // as it will be, before its first files
  CommitTable change;
};

struct AppendFiles {
  TableName name;
  int spec_id = 0;  // that the files were written for
  std::vector<tables::WrittenFile> files;
  std::string branch;  // "" is main
  Properties summary;  // added to the snapshot's, e.g. aichemy.job-id, aichemy.epoch
  // When set: append only if no snapshot in the branch's ancestry has this summary entry; otherwise
  // the table is returned as it is. Checked again on every retry, so a repeated epoch lands exactly
  // once.
  std::optional<std::pair<std::string, std::string>> once;
};

struct ChangeRows {
  TableName name;
  tables::iceberg::RowChange change;
  std::string branch;  // "" is main
  Properties summary;  // added to the snapshot's
};

// What is not said is taken from the table's properties history.expire.*, or Iceberg's defaults: 5
// days, 1 snapshot.
struct ExpireSnapshots {
  std::optional<int64_t> older_than_millis;  // wall time
  std::optional<int64_t> retain_last;        // of each branch
};
struct ExpiredSnapshots {
  size_t snapshots = 0;
  size_t refs = 0;   // whose max-ref-age has passed
  size_t files = 0;  // data, delete, manifest and statistics files removed
};

struct OrphanFiles {
  int64_t manifests = 0;  // read
  int64_t active = 0;     // files that snapshots and kept metadata name
  int64_t scanned = 0, removed = 0, removed_bytes = 0;
};

class Catalog {
 public:
  struct Options {
    std::string warehouse = "s3://warehouse/";
    size_t metadata_cache_bytes = 64u << 20;
    size_t manifest_cache_bytes = 256u << 20;
    int commit_retries = 20;
    int64_t job_snapshots_max = 1000;  // of a table that a job appends to; then the older half goes
  };
  Catalog(metadb::Database& database, objectstore::ObjectStore& store, Clock& clock, Random& random,
          Metrics& metrics, Options options);
  ~Catalog();
  Catalog(const Catalog&) = delete;
  Catalog& operator=(const Catalog&) = delete;

  // Makes the warehouse's bucket when it is missing. Call once before use.
  Status prepare(const Call& call);

  const Options& options() const { return options_; }
  tables::FileIo& files() { return files_; }
  tables::iceberg::ManifestCache& manifests();

  // --- Namespaces. Parents must exist; a namespace with anything in it is not dropped.
  Status create_namespace(const Call& call, const NamespaceName& space,
                          const Properties& properties);
  Result<Properties> load_namespace(const Call& call, const NamespaceName& space);
  // The folder of a namespace's new tables: its property "location", else one in the warehouse.
  std::string namespace_location(const NamespaceName& space, const Properties& properties) const;
  Result<bool> namespace_exists(const Call& call, const NamespaceName& space);
  Status drop_namespace(const Call& call, const NamespaceName& space);
  // With all that is in it and below it; files stay where they are.
  Status rename_namespace(const Call& call, const NamespaceName& from, const NamespaceName& to);
  // The direct children of `parent`; the top level when empty. In byte order.
  Result<std::vector<NamespaceName>> list_namespaces(const Call& call, const NamespaceName& parent);
  struct PropertyChange {
    std::vector<std::string> updated, removed, missing;
  };
  Result<PropertyChange> update_namespace(const Call& call, const NamespaceName& space,
                                          const Properties& updates,
                                          const std::vector<std::string>& removals);

  // --- Tables.
  Result<std::vector<TableName>> list_tables(const Call& call, const NamespaceName& space);
  // With the places of their metadata, in one read of the store.
  struct TablePointer {
    TableName name;
    std::string metadata_location;
  };
  Result<std::vector<TablePointer>> list_pointers(const Call& call, const NamespaceName& space);
  Result<bool> table_exists(const Call& call, const TableName& name);
  Result<LoadedTable> load_table(const Call& call, const TableName& name);
  Result<LoadedTable> create_table(const Call& call, const CreateTable& table);
  // Metadata for a table that a commit with assert-create will make; nothing is stored.
  Result<LoadedTable> stage_table(const Call& call, const CreateTable& table);
  Result<LoadedTable> register_table(const Call& call, const TableName& name,
                                     const std::string& metadata_location, bool overwrite);
  // Forgets the table, leaves all its files, and says what it was last: no commit comes after it.
  Result<LoadedTable> unregister_table(const Call& call, const TableName& name);
  Status drop_table(const Call& call, const TableName& name, bool purge);
  Status rename_table(const Call& call, const TableName& from, const TableName& to);

  Result<LoadedTable> commit(const Call& call, const CommitTable& change);
  // All or none.
  Result<std::vector<LoadedTable>> commit_all(const Call& call,
                                              const std::vector<CommitTable>& changes);
  Result<LoadedTable> append(const Call& call, const AppendFiles& append);
  // A staged table becomes one, with the files in its first snapshot, or nothing happens (CREATE
  // TABLE AS).
  Result<LoadedTable> create_with_files(const Call& call, const LoadedTable& staged,
                                        const AppendFiles& append);
  // catalog_replace.cc. conflict ("requirement_failed") when the table changed since it was staged.
  Result<Replacement> stage_replacement(const Call& call, const CreateTable& table);
  Result<LoadedTable> replace_with_files(const Call& call, const Replacement& replacement,
                                         const AppendFiles& append);
  // A snapshot without any file (TRUNCATE, DELETE without WHERE).
  Result<LoadedTable> truncate(const Call& call, const TableName& name);

  // UPDATE, DELETE, MERGE: see tables/iceberg_rows.h. conflict ("rows_changed") when what the
  // statement read has changed in a way that matters.
  Result<LoadedTable> change_rows(const Call& call, const ChangeRows& rows);

  // --- Upkeep (catalog_maintenance.cc). Each is a commit of its own, retried like append().
  Result<ExpiredSnapshots> expire_snapshots(const Call& call, const TableName& name,
                                            const ExpireSnapshots& expire);
  // Removes files in the table's data and metadata folders that no snapshot or kept metadata file
  // names and that are older than a wall time: young ones may belong to a commit under way. A
  // caller may keep some: `may_remove` is asked with "bucket/key".
  Result<OrphanFiles> remove_orphan_files(
      const Call& call, const TableName& name, int64_t older_than_millis,
      const std::function<bool(const std::string& place)>& may_remove = {});
  // Schemas and partition specs that no snapshot and no file is of.
  Status remove_unused_schemas(const Call& call, const TableName& name);
  // The metadata file of the highest version in a table's folder; not_found ("no_metadata").
  Result<std::string> newest_metadata(const Call& call, const std::string& table_location);
  int64_t now_millis() const;
  std::string new_uuid() const;
  Result<LoadedTable> rewrite_manifests(const Call& call, const TableName& name);
  // Branches and tags. exists ("ref_exists") unless `replace`; not_found ("no_such_snapshot",
  // "no_such_ref"); invalid ("update") for main.
  Result<LoadedTable> set_ref(const Call& call, const TableName& name, const std::string& ref,
                              const tables::iceberg::SnapshotRef& to, bool replace);
  Result<LoadedTable> remove_ref(const Call& call, const TableName& name, const std::string& ref);
  // Makes an earlier snapshot of main's ancestry the current one.
  Result<LoadedTable> roll_back(const Call& call, const TableName& name, int64_t snapshot_id);

  Result<tables::ScanPlan> plan(const Call& call, const LoadedTable& table,
                                const tables::ScanRequest& request);

  // --- Views. Names are shared with tables.
  Result<std::vector<EntityName>> list_views(const Call& call, const NamespaceName& space);
  Result<bool> view_exists(const Call& call, const EntityName& name);
  Result<LoadedView> load_view(const Call& call, const EntityName& name);
  Result<LoadedView> create_view(const Call& call, const EntityName& name, const NewView& view);
  // A view that has its metadata file already.
  Result<LoadedView> register_view(const Call& call, const EntityName& name,
                                   const std::string& location);
  Result<LoadedView> commit_view(const Call& call, const EntityName& name,
                                 const std::vector<ViewRequirement>& requirements,
                                 const std::vector<ViewUpdate>& updates);
  Status drop_view(const Call& call, const EntityName& name);
  Status rename_view(const Call& call, const EntityName& from, const EntityName& to);

  // One version of a table's metadata, from the cache when it is there.
  Result<tables::iceberg::TableMetadataPtr> read_metadata(const Call& call,
                                                          const std::string& location);

 private:
  struct State;
  struct PreparedCommit;
  // Writes through what it is given: the files of one attempt become durable together.
  using FileChange = std::function<Result<tables::iceberg::TableChange>(
      const LoadedTable&, const tables::iceberg::CommitAttempt&, tables::FileIo&)>;
  Options options_;
  tables::FileIo files_;
  std::unique_ptr<State> state_;

  Result<std::vector<TablePointer>> list_relations(const NamespaceName& space, bool views);
  Result<std::string> pointer_of(const EntityName& name, bool view);
  Result<LoadedView> read_view(const Call& call, const EntityName& name,
                               const std::string& location);
  // `location`: conflict ("moved") unless the pointer is still there; "" whatever it is.
  Status drop_relation(const EntityName& name, bool view, const std::string& location = "");
  Status rename_relation(const EntityName& from, const EntityName& to, bool view);
  Result<std::string> default_location(const Call& call, const EntityName& name);

  Result<std::string> write_metadata(const Call& call, tables::FileIo& files,
                                     const tables::iceberg::TableMetadata& metadata,
                                     std::string_view previous);
  void remove_quietly(const Call& call, const std::string& location) {
    remove_quietly(call, files_, location);
  }
  static void remove_quietly(const Call& call, tables::FileIo& files, const std::string& location);
  void remove_old_metadata(const Call& call, const PreparedCommit& part);

  Result<LoadedTable> insert_table(const Call& call, LoadedTable loaded);
  Result<PreparedCommit> prepare_commit(const Call& call, const CommitTable& change,
                                        tables::FileIo& files);
  Result<std::vector<PreparedCommit>> prepare_all(const Call& call,
                                                  const std::vector<CommitTable>& changes,
                                                  tables::NewFiles& files);
  Status publish(const Call& call, const std::vector<PreparedCommit>& prepared);
  Status settle(const Call& call, const Error& error, const TableName& name,
                const std::string& location);
  Result<std::vector<LoadedTable>> try_commit(const Call& call,
                                              const std::vector<CommitTable>& changes,
                                              tables::NewFiles& files);
  Result<LoadedTable> commit_files(const Call& call, const TableName& name,
                                   const std::string& branch, const Properties& summary,
                                   const FileChange& make);
};

}  // namespace aichemy::catalog
