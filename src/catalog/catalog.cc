#include "catalog/catalog.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/log.h"
#include "catalog/catalog_purge.h"
#include "catalog/catalog_state.h"

namespace aichemy::catalog {

using tables::iceberg::TableMetadata;
using tables::iceberg::TableMetadataPtr;

Catalog::Catalog(metadb::Database& database, objectstore::ObjectStore& store, Clock& clock,
                 Random& random, Metrics& metrics, Options options)
    : options_(std::move(options)),
      files_(store),
      state_(std::make_unique<State>(database, clock, random, metrics, options_)) {
  while (options_.warehouse.ends_with('/')) options_.warehouse.pop_back();
}

Catalog::~Catalog() = default;

tables::iceberg::ManifestCache& Catalog::manifests() { return state_->manifests; }

Status Catalog::prepare(const Call& call) {
  ASSIGN_OR_RETURN(tables::Location at, tables::parse_location(options_.warehouse));
  auto head = files_.store().head_bucket(call, at.bucket);
  if (head) return {};
  if (head.error().code != Code::not_found) return std::unexpected(head.error());
  Status made = files_.store().create_bucket(call, at.bucket);
  if (!made && made.error().code == Code::exists) return {};
  return made;
}

Result<std::vector<Catalog::TablePointer>> Catalog::list_relations(const NamespaceName& space,
                                                                   bool views) {
  return state_->database.read(
      [&](metadb::Transaction& transaction) -> Result<std::vector<TablePointer>> {
        ASSIGN_OR_RETURN(int64_t id, find_namespace(transaction, space));
        ASSIGN_OR_RETURN(
            auto rows,
            transaction.query("SELECT name, metadata_location FROM relations WHERE namespace_id = "
                              "$1 AND kind = $2 AND format = 'iceberg' ORDER BY name",
                              {id, kind_text(views ? RelationKind::view : RelationKind::table)}));
        std::vector<TablePointer> found;
        for (const auto& row : rows) found.push_back({{space, row[0].as_text()}, row[1].as_text()});
        return found;
      });
}

Result<std::string> Catalog::pointer_of(const EntityName& name, bool view) {
  RelationKind kind = view ? RelationKind::view : RelationKind::table;
  return state_->database.read([&](metadb::Transaction& transaction) -> Result<std::string> {
    ASSIGN_OR_RETURN(auto row, find_relation(transaction, name));
    if (!row || !row->is(kind)) return no_such_relation(name, kind);
    return row->metadata_location;
  });
}

Result<TableMetadataPtr> Catalog::read_metadata(const Call& call, const std::string& location) {
  if (auto known = state_->metadata_cache.find(location)) return known;
  ASSIGN_OR_RETURN(std::string bytes, files_.read(call, location));
  auto parsed = tables::iceberg::metadata_from_bytes(bytes);
  if (!parsed) {
    parsed.error().message = location + ": " + parsed.error().message;
    return std::unexpected(parsed.error());
  }
  auto metadata = std::make_shared<const TableMetadata>(std::move(*parsed));
  state_->metadata_cache.keep(location, metadata, bytes.size() * 2);
  return metadata;
}

Result<std::string> Catalog::write_metadata(const Call& call, tables::FileIo& files,
                                            const TableMetadata& metadata,
                                            std::string_view previous) {
  std::string location =
      tables::iceberg::metadata_location(metadata, previous, state_->random.uuid());
  RETURN_IF_ERROR(
      files.write_new(call, location, tables::iceberg::metadata_to_json(metadata).dump()));
  return location;
}

void Catalog::remove_quietly(const Call& call, tables::FileIo& files, const std::string& location) {
  if (auto done = files.remove(call, location); !done) {
    log_warn("catalog.orphan_file", {{"location", location}, {"error", done.error().message}});
  }
}

Result<std::vector<TableName>> Catalog::list_tables(const Call&, const NamespaceName& space) {
  ASSIGN_OR_RETURN(auto found, list_relations(space, false));
  std::vector<TableName> names;
  for (TablePointer& pointer : found) names.push_back(std::move(pointer.name));
  return names;
}

Result<std::vector<Catalog::TablePointer>> Catalog::list_pointers(const Call&,
                                                                  const NamespaceName& space) {
  return list_relations(space, false);
}

Result<bool> Catalog::table_exists(const Call&, const TableName& name) {
  auto pointer = pointer_of(name, false);
  if (!pointer && pointer.error().code != Code::not_found) return std::unexpected(pointer.error());
  return pointer.has_value();
}

Result<LoadedTable> Catalog::load_table(const Call& call, const TableName& name) {
  ASSIGN_OR_RETURN(std::string location, pointer_of(name, false));
  auto metadata = read_metadata(call, location);
  if (!metadata && metadata.error().is("no_such_key")) {
    // Dropped with its files between the two reads, or damaged: only a second look can tell.
    ASSIGN_OR_RETURN(std::string again, pointer_of(name, false));
    if (again == location) {
      return fail(Code::corrupt, "table_metadata",
                  name_text(name) + ": its metadata file is missing: " + location);
    }
    location = again;
    metadata = read_metadata(call, location);
  }
  if (!metadata) return std::unexpected(metadata.error());
  return LoadedTable{.name = name, .metadata_location = location, .metadata = *metadata};
}

std::string Catalog::namespace_location(const NamespaceName& space,
                                        const Properties& properties) const {
  if (auto given = properties.find("location"); given != properties.end()) return given->second;
  std::string folder = options_.warehouse;
  for (const std::string& level : space) folder += "/" + percent_encode(level);
  return folder;
}

Result<std::string> Catalog::default_location(const Call& call, const EntityName& name) {
  ASSIGN_OR_RETURN(Properties properties, load_namespace(call, name.space));
  std::string folder = namespace_location(name.space, properties);
  while (folder.ends_with('/')) folder.pop_back();
  // A name may be dropped and made again, or renamed: the unique end keeps their files apart.
  std::string unique = state_->random.uuid();
  std::erase(unique, '-');
  return folder + "/" + percent_encode(name.name) + "-" + unique;
}

Result<LoadedTable> Catalog::stage_table(const Call& call, const CreateTable& table) {
  RETURN_IF_ERROR(check_name(table.name));
  tables::iceberg::NewTable request;
  request.location = table.location;
  ASSIGN_OR_RETURN(std::string location, default_location(call, table.name));
  if (request.location.empty()) request.location = std::move(location);
  RETURN_IF_ERROR(tables::parse_location(request.location));
  request.uuid = state_->random.uuid();
  request.schema = table.schema;
  request.spec = table.spec;
  request.sort_order = table.sort_order;
  request.properties = table.properties;
  request.now_millis = state_->clock.wall_millis();
  ASSIGN_OR_RETURN(TableMetadata metadata, tables::iceberg::new_table_metadata(request));
  return LoadedTable{.name = table.name,
                     .metadata = std::make_shared<const TableMetadata>(std::move(metadata))};
}

Result<LoadedTable> Catalog::create_table(const Call& call, const CreateTable& table) {
  ASSIGN_OR_RETURN(bool taken, table_exists(call, table.name));
  if (taken)
    return fail(Code::exists, "table_exists", "Table already exists: " + name_text(table.name));
  ASSIGN_OR_RETURN(LoadedTable loaded, stage_table(call, table));
  return insert_table(call, std::move(loaded));
}

Result<LoadedTable> Catalog::insert_table(const Call& call, LoadedTable loaded) {
  ASSIGN_OR_RETURN(loaded.metadata_location, write_metadata(call, files_, *loaded.metadata, ""));
  RelationRow row{.uuid = loaded.metadata->uuid, .metadata_location = loaded.metadata_location};
  int64_t now = state_->clock.wall_millis();
  Status done = state_->database.transaction([&](metadb::Transaction& transaction) {
    return insert_relation(transaction, loaded.name, row, now);
  });
  if (!done) {
    RETURN_IF_ERROR(settle(call, done.error(), loaded.name, loaded.metadata_location));
  }
  return loaded;
}

Result<LoadedTable> Catalog::register_table(const Call& call, const TableName& name,
                                            const std::string& location, bool overwrite) {
  RETURN_IF_ERROR(check_name(name));
  ASSIGN_OR_RETURN(TableMetadataPtr metadata, read_metadata(call, location));
  RelationRow row{.uuid = metadata->uuid, .metadata_location = location};
  int64_t now = state_->clock.wall_millis();
  RETURN_IF_ERROR(state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto known, find_relation(transaction, name));
    if (known && overwrite && known->is(RelationKind::table)) {
      return swap_pointer(transaction, name, known->namespace_id, known->metadata_location,
                          location, now);
    }
    return insert_relation(transaction, name, row, now);
  }));
  return LoadedTable{.name = name, .metadata_location = location, .metadata = metadata};
}

Status Catalog::drop_relation(const EntityName& name, bool view, const std::string& location) {
  RelationKind kind = view ? RelationKind::view : RelationKind::table;
  return state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, find_relation(transaction, name));
    if (!row || !row->is(kind)) return no_such_relation(name, kind);
    if (!location.empty() && row->metadata_location != location)
      return fail(Code::conflict, "moved", name_text(name) + " was changed meanwhile");
    RETURN_IF_ERROR(transaction.run("DELETE FROM relations WHERE namespace_id = $1 AND name = $2",
                                    {row->namespace_id, name.name}));
    RETURN_IF_ERROR(drop_hive_rows(transaction, row->uuid));
    return record_event(transaction, "DROP_TABLE", name.space, name.name,
                        state_->clock.wall_millis());
  });
}

Status Catalog::rename_relation(const EntityName& from, const EntityName& to, bool view) {
  RETURN_IF_ERROR(check_name(to));
  RelationKind kind = view ? RelationKind::view : RelationKind::table;
  return state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, find_relation(transaction, from));
    if (!row || !row->is(kind)) return no_such_relation(from, kind);
    ASSIGN_OR_RETURN(int64_t space, find_namespace(transaction, to.space));
    ASSIGN_OR_RETURN(auto taken, find_relation(transaction, to));
    if (taken) {
      bool table = taken->kind == RelationKind::table;
      return fail(Code::exists, table ? "table_exists" : "view_exists",
                  std::string(table ? "Table" : "View") + " already exists: " + name_text(to));
    }
    RETURN_IF_ERROR(transaction.run(
        "UPDATE relations SET namespace_id = $1, name = $2 WHERE namespace_id = $3 AND name = $4",
        {space, to.name, row->namespace_id, from.name}));
    return record_event(transaction, "ALTER_TABLE", to.space, to.name, state_->clock.wall_millis());
  });
}

Result<LoadedTable> Catalog::unregister_table(const Call& call, const TableName& name) {
  for (int attempt = 0;; ++attempt) {
    ASSIGN_OR_RETURN(LoadedTable loaded, load_table(call, name));
    Status done = drop_relation(name, false, loaded.metadata_location);
    if (done) return loaded;
    if (!done.error().is("moved") || attempt >= options_.commit_retries)
      return std::unexpected(done.error());
  }
}

Status Catalog::drop_table(const Call& call, const TableName& name, bool purge) {
  std::optional<LoadedTable> loaded;
  if (purge) {
    // A table whose metadata cannot be read can still be dropped; its files then stay.
    if (auto found = load_table(call, name))
      loaded = std::move(*found);
    else if (found.error().is("no_such_table"))
      return std::unexpected(found.error());
  }
  RETURN_IF_ERROR(drop_relation(name, false));
  if (loaded)
    purge_files(call, files_, state_->manifests, *loaded->metadata, loaded->metadata_location);
  return {};
}

Status Catalog::rename_table(const Call&, const TableName& from, const TableName& to) {
  return rename_relation(from, to, false);
}

Result<tables::ScanPlan> Catalog::plan(const Call& call, const LoadedTable& table,
                                       const tables::ScanRequest& request) {
  return tables::iceberg::plan_scan(call, files_, state_->manifests, *table.metadata, request);
}

}  // namespace aichemy::catalog
