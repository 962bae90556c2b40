#include <algorithm>
#include <set>

#include "base/log.h"
#include "catalog/hive_filter.h"
#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

constexpr const char* kView = "VIRTUAL_VIEW";

// What the Metastore fills in when a client leaves it out.
void complete(hive::StorageDescriptor* storage) {
  if (!storage->columns) storage->columns.emplace();
  if (!storage->compressed) storage->compressed = false;
  if (!storage->buckets) storage->buckets = 0;
  if (!storage->serde) storage->serde.emplace();
  if (!storage->serde->parameters) storage->serde->parameters.emplace();
  if (!storage->bucket_columns) storage->bucket_columns.emplace();
  if (!storage->sort_columns) storage->sort_columns.emplace();
  if (!storage->parameters) storage->parameters.emplace();
  if (!storage->skewed) storage->skewed.emplace();
  if (!storage->stored_as_sub_directories) storage->stored_as_sub_directories = false;
}

Status complete(hive::Table* table) {
  if (table->name.value_or("").empty())
    return fail(Code::invalid, "invalid_object", "a table needs a name");
  table->name = lower(*table->name);
  table->database_name = parse_database_name(table->database_name.value_or("")).database;
  if (!table->storage) table->storage.emplace();
  complete(&*table->storage);
  for (auto& column : *table->storage->columns) column.name = lower(column.name.value_or(""));
  if (!table->partition_keys) table->partition_keys.emplace();
  for (auto& key : *table->partition_keys) key.name = lower(key.name.value_or(""));
  if (!table->parameters) table->parameters.emplace();
  if (!table->last_access_time) table->last_access_time = 0;
  if (!table->retention) table->retention = 0;
  if (!table->rewrite_enabled) table->rewrite_enabled = false;
  if (!table->owner_type) table->owner_type = static_cast<int32_t>(hive::PrincipalType::user);
  if (table->table_type.value_or("").empty()) table->table_type = "MANAGED_TABLE";
  // Full ACID tables need a transaction manager and compaction; "false" says nothing.
  auto transactional = table->parameters->find("transactional");
  if (transactional != table->parameters->end()) {
    if (lower(transactional->second) == "true") {
      return fail(Code::unsupported, "transactional",
                  "transactional Hive tables are not supported: use Iceberg tables");
    }
    table->parameters->erase(transactional);
  }
  std::set<std::string> names;
  for (const auto* list : {&*table->storage->columns, &*table->partition_keys}) {
    for (const auto& column : *list) {
      if (names.insert(*column.name).second) continue;
      return fail(Code::invalid, "invalid_object", "column " + *column.name + " is named twice");
    }
  }
  return {};
}

std::string type_of(const HiveRelation& row) {
  if (row.kind == RelationKind::view) return kView;
  if (row.definition.empty()) return "EXTERNAL_TABLE";
  auto table = table_of(row.definition, row);
  return table ? table->table_type.value_or("") : "";
}

RelationRow row_of(const hive::Table& table, const std::string& uuid) {
  RelationRow row;
  row.is_iceberg = is_iceberg_table(table) || is_iceberg_view(table);
  row.kind = table.table_type == kView ? RelationKind::view : RelationKind::table;
  row.uuid = uuid;
  if (row.is_iceberg) row.metadata_location = parameter(table, "metadata_location");
  return row;
}

std::string full_name(const hive::Table& table) {
  return "hive." + *table.database_name + "." + *table.name;
}

}  // namespace

Result<HiveRelation> HiveCatalog::relation(std::string_view database, std::string_view name) {
  ASSIGN_OR_RETURN(auto row, database_.read([&](metadb::Transaction& transaction) {
    return find_hive_relation(transaction, database, name);
  }));
  if (!row) return no_such_hive_table(database, name);
  return std::move(*row);
}

Result<std::vector<std::string>> HiveCatalog::list_tables(const Call&, std::string_view database,
                                                          std::string_view pattern,
                                                          std::string_view type) {
  std::vector<std::string> names;
  RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) {
    // Without the definitions, which a listing of many tables would spend its time with.
    if (type.empty() || type == kView) {
      std::string sql =
          "SELECT r.name FROM relations AS r JOIN namespaces AS n ON n.id = r.namespace_id "
          "WHERE lower(n.path) = $1";
      if (type == kView) sql += " AND r.kind = 'view'";
      return transaction.each(sql + " ORDER BY r.name", {parse_database_name(database).database},
                              [&](const metadb::Row& row) {
                                std::string name = row[0].as_text();
                                if (matches_pattern(pattern, name)) names.push_back(lower(name));
                                return true;
                              });
    }
    return each_hive_relation(transaction, database, [&](const HiveRelation& row) {
      if (!matches_pattern(pattern, row.name.name)) return true;
      if (type_of(row) == type) names.push_back(row.table_name());
      return true;
    });
  }));
  return names;
}

Result<std::vector<hive::TableMeta>> HiveCatalog::list_table_meta(
    const Call& call, std::string_view databases, std::string_view tables,
    const std::vector<std::string>& types) {
  ASSIGN_OR_RETURN(auto names, list_databases(call, databases));
  std::vector<hive::TableMeta> metas;
  for (const std::string& database : names) {
    RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) {
      return each_hive_relation(transaction, database, [&](const HiveRelation& row) {
        if (!matches_pattern(tables, row.name.name)) return true;
        hive::TableMeta meta{database, row.table_name(), type_of(row), {}, {}};
        if (!types.empty() && std::ranges::find(types, meta.table_type) == types.end()) return true;
        auto described = table_of(row.definition, row);
        if (described && described->parameters && described->parameters->contains("comment"))
          meta.comments = parameter(*described, "comment");
        metas.push_back(std::move(meta));
        return true;
      });
    }));
  }
  return metas;
}

Result<std::vector<std::string>> HiveCatalog::find_tables(const Call& call,
                                                          std::string_view database,
                                                          const std::string& filter, int max) {
  constexpr std::string_view kParameter = "hive_filter_field_params__";
  constexpr std::string_view kOwner = "hive_filter_field_owner__";
  constexpr std::string_view kLastAccess = "hive_filter_field_last_access__";
  ASSIGN_OR_RETURN(HiveFilter parsed, HiveFilter::parse(filter));
  for (const std::string& key : parsed.keys()) {
    if (key.starts_with(kParameter) || key == kOwner || key == kLastAccess) continue;
    return fail(Code::invalid, "invalid_filter", "a filter of tables knows no key " + key);
  }
  RETURN_IF_ERROR(load_database(call, database));
  std::vector<std::string> names;
  std::vector<HiveRelation> rows;
  RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) {
    return each_hive_relation(transaction, database, [&](HiveRelation row) {
      rows.push_back(std::move(row));
      return true;
    });
  }));
  for (const HiveRelation& row : rows) {
    if (max >= 0 && names.size() >= static_cast<size_t>(max)) break;
    auto table = describe(call, row);
    if (!table) continue;  // a table that cannot be read is found by name only
    bool accepted = parsed.accepts([&](const std::string& key) -> std::optional<std::string> {
      if (key == kOwner) return table->owner;
      if (key == kLastAccess) return std::to_string(table->last_access_time.value_or(0));
      auto found = table->parameters->find(key.substr(kParameter.size()));
      if (found == table->parameters->end()) return std::nullopt;
      return found->second;
    });
    if (accepted) names.push_back(row.table_name());
  }
  return names;
}

Result<hive::Table> HiveCatalog::load_table(const Call& call, std::string_view database,
                                            std::string_view name) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, name));
  return describe(call, row);
}

Result<Raw> HiveCatalog::table_bytes(const Call& call, std::string_view database,
                                     std::string_view name) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, name));
  if (!row.definition.empty() && (!row.is_iceberg || row.is_current()))
    return answer_form(row.definition, row);
  ASSIGN_OR_RETURN(hive::Table table, describe(call, row));
  return Raw{wire::thrift::encode(table)};
}

// H2. Also answers the uuid the relation will have.
Status HiveCatalog::check_pointer(const Call& call, const hive::Table& table, std::string* uuid) {
  *uuid = random_.uuid();
  bool iceberg = is_iceberg_table(table);
  if (!iceberg && !is_iceberg_view(table)) return {};
  std::string location = parameter(table, "metadata_location");
  if (location.empty()) {
    return fail(Code::invalid, "invalid_object",
                full_name(table) + " is an Iceberg table without metadata_location");
  }
  // What lies elsewhere (file:, hdfs:, another store) is the client's own affair.
  if (!tables::parse_location(location) || !iceberg) return {};
  auto metadata = catalog_.read_metadata(call, location);
  if (!metadata) {
    return fail(metadata.error().code == Code::not_found ? Code::invalid : metadata.error().code,
                "invalid_object", metadata.error().message);
  }
  *uuid = (*metadata)->uuid;
  return {};
}

Status HiveCatalog::create_table(const Call& call, hive::Table table) {
  RETURN_IF_ERROR(complete(&table));
  int32_t now = now_seconds();
  table.create_time = now;
  table.parameters->erase("DO_NOT_UPDATE_STATS");  // an instruction, not a property
  table.parameters->insert_or_assign("transient_lastDdlTime", std::to_string(now));
  std::string uuid;
  RETURN_IF_ERROR(check_pointer(call, table, &uuid));
  ASSIGN_OR_RETURN(hive::Database database, load_database(call, *table.database_name));
  if (!table.storage->location && table.table_type != kView)
    table.storage->location = *database.location + "/" + *table.name;
  RelationRow row = row_of(table, uuid);
  Status done = database_.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(make_default(transaction, *table.database_name));
    ASSIGN_OR_RETURN(auto taken,
                     find_hive_relation(transaction, *table.database_name, *table.name));
    if (taken)
      return fail(Code::exists, "table_exists", "Table " + full_name(table) + " already exists");
    EntityName name{{*table.database_name}, *table.name};
    RETURN_IF_ERROR(check_name(name));
    ASSIGN_OR_RETURN(auto paths,
                     transaction.query("SELECT path FROM namespaces WHERE lower(path) = $1 "
                                       "ORDER BY path DESC",
                                       {*table.database_name}));
    if (paths.empty()) return fail(Code::not_found, "no_such_namespace", *table.database_name);
    name.space = {paths[0][0].as_text()};
    RETURN_IF_ERROR(insert_relation(transaction, name, row, clock_.wall_millis()));
    ASSIGN_OR_RETURN(auto stored,
                     find_hive_relation(transaction, *table.database_name, *table.name));
    RETURN_IF_ERROR(transaction.run(
        "UPDATE relations SET hive_definition = $1, hive_pointer = $2 WHERE namespace_id = $3 AND "
        "name = $4",
        {stored_form(table), row.metadata_location, stored->namespace_id, stored->name.name}));
    return {};
  });
  return done;
}

// H1, and what a conditional change asks for.
Status HiveCatalog::check_change(const HiveRelation& row, const hive::Table& table,
                                 const hive::Parameters& context) const {
  auto modified = [](const std::string& key, const std::string& now, const std::string& expected) {
    // Iceberg's Hive catalog recognises a lost race by the first words.
    return fail(Code::conflict, "table_modified",
                "The table has been modified. The parameter value for key '" + key + "' is '" +
                    now + "'. The expected was value was '" + expected + "'");
  };
  constexpr const char* kPointer = "metadata_location";
  auto key = context.find("expected_parameter_key");
  auto value = context.find("expected_parameter_value");
  bool pointer_checked = false;
  if (key != context.end() && value != context.end()) {
    std::string current;
    if (row.is_iceberg && key->second == kPointer) {
      current = row.metadata_location;
      pointer_checked = true;
    } else if (!row.definition.empty()) {
      ASSIGN_OR_RETURN(hive::Table before, table_of(row.definition, row));
      current = parameter(before, key->second);
    }
    if (current != value->second) return modified(key->second, current, value->second);
  }
  bool iceberg = is_iceberg_table(table) || is_iceberg_view(table);
  if (!row.is_iceberg) return {};
  if (!iceberg) {
    return fail(Code::unsupported, "table_format",
                full_name(table) + " is an Iceberg table and stays one: drop it to change that");
  }
  std::string to = parameter(table, kPointer);
  std::string from = parameter(table, "previous_metadata_location");
  if (to == row.metadata_location || pointer_checked || from == row.metadata_location) return {};
  return modified(kPointer, row.metadata_location, from.empty() ? to : from);
}

Status HiveCatalog::store_change(metadb::Transaction& transaction, const HiveRelation& row,
                                 const hive::Table& table, const std::string& uuid) {
  int64_t now = clock_.wall_millis();
  RelationRow to = row_of(table, uuid);
  EntityName name = row.name;
  int64_t space = row.namespace_id;
  if (*table.name != row.table_name() || *table.database_name != row.database()) {
    ASSIGN_OR_RETURN(auto taken,
                     find_hive_relation(transaction, *table.database_name, *table.name));
    if (taken) {
      return fail(Code::conflict, "table_exists",
                  "new table " + full_name(table) + " already exists");
    }
    RETURN_IF_ERROR(make_default(transaction, *table.database_name));
    name = {{*table.database_name}, *table.name};
    RETURN_IF_ERROR(check_name(name));
    if (*table.database_name == row.database()) name.space = row.name.space;
    ASSIGN_OR_RETURN(space, find_namespace(transaction, name.space));
  }
  RETURN_IF_ERROR(transaction.run(
      "UPDATE relations SET namespace_id = $1, name = $2, kind = $3, format = $4, "
      "hive_definition = $5, hive_pointer = $6, updated_millis = $7 "
      "WHERE namespace_id = $8 AND name = $9",
      {space, name.name, kind_text(to.kind), to.is_iceberg ? "iceberg" : "hive", stored_form(table),
       to.metadata_location, now, row.namespace_id, row.name.name}));
  if (to.metadata_location == row.metadata_location)
    return record_event(transaction, "ALTER_TABLE", name.space, name.name, now);
  if (!row.is_iceberg) {  // it becomes one: its partitions are in its metadata from now on
    RETURN_IF_ERROR(drop_hive_rows(transaction, row.uuid));
    RETURN_IF_ERROR(
        transaction.run("UPDATE relations SET uuid = $1 WHERE namespace_id = $2 AND name = $3",
                        {uuid, space, name.name}));
  }
  return swap_pointer(transaction, name, space, row.metadata_location, to.metadata_location, now);
}

Status HiveCatalog::alter_table(const Call& call, std::string_view database, std::string_view name,
                                hive::Table table, const hive::Parameters& context) {
  RETURN_IF_ERROR(complete(&table));
  ASSIGN_OR_RETURN(HiveRelation before, relation(database, name));
  std::string uuid = before.uuid;
  if (parameter(table, "metadata_location") != before.metadata_location) {
    RETURN_IF_ERROR(check_pointer(call, table, &uuid));
    bool ours = tables::parse_location(before.metadata_location).has_value();
    if (before.is_iceberg && before.kind == RelationKind::table && ours && uuid != before.uuid) {
      return fail(Code::invalid, "invalid_object",
                  full_name(table) + ": the metadata belongs to another table (uuid " + uuid +
                      ", not " + before.uuid + ")");
    }
  }
  ASSIGN_OR_RETURN(auto move, folder_move(call, before, table));
  if (move) {
    RETURN_IF_ERROR(copy_folder(call, &*move));
    table.storage->location = move->to;
  }
  Status done = database_.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, find_hive_relation(transaction, database, name));
    if (!row || (move && row->uuid != before.uuid)) return no_such_hive_table(database, name);
    RETURN_IF_ERROR(check_change(*row, table, context));
    std::string old_time;
    if (!row->definition.empty()) {
      ASSIGN_OR_RETURN(hive::Table old, table_of(row->definition, *row));
      old_time = parameter(old, "transient_lastDdlTime");
    }
    std::string& time = (*table.parameters)["transient_lastDdlTime"];
    if (time.empty() || time == old_time) time = std::to_string(now_seconds());
    if (move) RETURN_IF_ERROR(move_partitions(transaction, *row, *move));
    return store_change(transaction, *row, table, uuid);
  });
  if (move && done) finish_move(call, &*move);
  if (move && !done && !done.error().is("commit_unknown")) remove_copied(call, move->to, *move);
  return done;
}

void HiveCatalog::delete_folder(const Call& call,
                                const std::optional<hive::StorageDescriptor>& storage) {
  if (!storage || !storage->location) return;
  auto at = tables::parse_location(*storage->location);
  // Never a whole bucket, and nothing that is not in our store.
  if (!at || at->key.find_first_not_of('/') == std::string::npos) return;
  remove_folder(call, *storage->location);
}

void HiveCatalog::delete_data(const Call& call, const hive::Table& table) {
  bool managed = table.table_type == "MANAGED_TABLE";
  bool purge = lower(parameter(table, "external.table.purge")) == "true";
  if (managed || purge) delete_folder(call, table.storage);
}

Status HiveCatalog::drop_table(const Call& call, std::string_view database, std::string_view name,
                               bool delete_data_too) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, name));
  if (row.is_iceberg && row.kind == RelationKind::view) return catalog_.drop_view(call, row.name);
  if (row.is_iceberg) {
    bool purge = false;
    if (delete_data_too && !row.definition.empty()) {
      ASSIGN_OR_RETURN(hive::Table table, table_of(row.definition, row));
      purge = table.table_type == "MANAGED_TABLE" ||
              lower(parameter(table, "external.table.purge")) == "true";
    }
    return catalog_.drop_table(call, row.name, purge);
  }
  ASSIGN_OR_RETURN(hive::Table table, table_of(row.definition, row));
  RETURN_IF_ERROR(database_.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(int64_t gone,
                     transaction.run("DELETE FROM relations WHERE namespace_id = $1 AND name = $2 "
                                     "AND uuid = $3",
                                     {row.namespace_id, row.name.name, row.uuid}));
    if (gone == 0) return no_such_hive_table(database, name);
    RETURN_IF_ERROR(drop_hive_rows(transaction, row.uuid));
    return record_event(transaction, "DROP_TABLE", row.name.space, row.name.name,
                        clock_.wall_millis());
  }));
  if (delete_data_too && table.table_type != kView) delete_data(call, table);
  return {};
}

Status HiveCatalog::truncate_table(const Call& call, std::string_view database,
                                   std::string_view name,
                                   const std::optional<std::vector<std::string>>& partitions) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, name));
  if (row.is_iceberg) {
    if (partitions && !partitions->empty()) {
      return fail(Code::unsupported, "truncate",
                  "partitions of an Iceberg table are not truncated by name: delete their rows");
    }
    RETURN_IF_ERROR(catalog_.truncate(call, row.name));
    return {};
  }
  ASSIGN_OR_RETURN(hive::Table table, table_of(row.definition, row));
  if (table.table_type != "MANAGED_TABLE")
    return fail(Code::invalid, "invalid_object", "only managed tables can be truncated");
  std::vector<std::string> names;
  if (partitions && !partitions->empty())
    names = *partitions;
  else if (!table.partition_keys->empty()) {
    ASSIGN_OR_RETURN(names, partition_names(call, database, name, {}));
  } else {
    delete_folder(call, table.storage);
    return {};
  }
  ASSIGN_OR_RETURN(auto found, load_partitions(call, database, name, names));
  for (const Raw& raw : found) {
    ASSIGN_OR_RETURN(auto partition, wire::thrift::decode<hive::Partition>(raw.bytes));
    delete_folder(call, partition.storage);
  }
  return {};
}

}  // namespace aichemy::catalog
