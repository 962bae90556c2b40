#include <algorithm>
#include <set>

#include "catalog/hive_filter.h"
#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

std::string values_text(const PartitionValues& values) {
  std::string text = "[";
  for (const std::string& value : values) text += (text.size() > 1 ? ", " : "") + value;
  return text + "]";
}

std::unexpected<Error> no_such_partition(const PartitionValues& values) {
  return fail(Code::not_found, "no_such_partition", "partition values=" + values_text(values));
}

Result<std::optional<std::string>> find_stored(metadb::Transaction& transaction,
                                               const std::string& table_id,
                                               const std::string& name) {
  ASSIGN_OR_RETURN(
      auto rows,
      transaction.query("SELECT definition FROM hive_partitions WHERE table_id = $1 AND name = $2",
                        {table_id, name}));
  if (rows.empty()) return std::optional<std::string>();
  return std::optional(rows[0][0].as_text());
}

constexpr size_t kNamesMax = 250;  // asked for in one statement

// A statement that finds one partition, or kNamesMax.
const std::string& by_names(size_t names) {
  static const auto text = [](size_t count) {
    std::string sql = "SELECT definition FROM hive_partitions WHERE table_id = $1 AND name IN (";
    for (size_t i = 0; i < count; ++i) sql += (i > 0 ? ", $" : "$") + std::to_string(i + 2);
    return sql + ") ORDER BY name";
  };
  static const std::string kOne = text(1), kMany = text(kNamesMax);
  return names == 1 ? kOne : kMany;
}

Status update_stored(metadb::Transaction& transaction, const std::string& table_id,
                     const std::string& name, const hive::Partition& partition) {
  RETURN_IF_ERROR(transaction.run(
      "UPDATE hive_partitions SET definition = $1 WHERE table_id = $2 AND name = $3",
      {stored_form(partition), table_id, name}));
  return {};
}

// A partition has a storage descriptor of its own; what it leaves out is the table's.
void complete(const hive::Table& table, const std::string& name, int32_t now,
              hive::Partition* partition) {
  if (!partition->storage) {
    partition->storage = table.storage;
    partition->storage->location.reset();
  }
  hive::StorageDescriptor& storage = *partition->storage;
  const hive::StorageDescriptor& whole = *table.storage;
  if (!storage.columns) storage.columns = whole.columns;
  if (!storage.serde) storage.serde = whole.serde;
  if (!storage.serde->parameters) storage.serde->parameters.emplace();
  if (!storage.compressed) storage.compressed = false;
  if (!storage.buckets) storage.buckets = 0;
  if (!storage.bucket_columns) storage.bucket_columns.emplace();
  if (!storage.sort_columns) storage.sort_columns.emplace();
  if (!storage.parameters) storage.parameters.emplace();
  if (!storage.skewed) storage.skewed.emplace();
  if (!storage.stored_as_sub_directories) storage.stored_as_sub_directories = false;
  if (storage.location.value_or("").empty())
    storage.location = whole.location.value_or("") + "/" + name;
  if (!partition->last_access_time) partition->last_access_time = 0;
  if (partition->create_time.value_or(0) == 0) partition->create_time = now;
  if (!partition->parameters) partition->parameters.emplace();
  partition->parameters->try_emplace("transient_lastDdlTime", std::to_string(now));
}

Status check_values(const hive::Table& table, const PartitionValues& values) {
  if (table.partition_keys->empty()) {
    return fail(Code::invalid, "invalid_object",
                *table.database_name + "." + *table.name + " is not a partitioned table");
  }
  if (table.partition_keys->size() == values.size()) return {};
  return fail(Code::invalid, "invalid_object",
              "partition values " + values_text(values) + " do not fit the " +
                  std::to_string(table.partition_keys->size()) + " partition keys of " +
                  *table.database_name + "." + *table.name);
}

bool has_prefix(const PartitionValues& values, const PartitionValues& prefix) {
  for (size_t i = 0; i < prefix.size() && i < values.size(); ++i) {
    if (!prefix[i].empty() && prefix[i] != values[i]) return false;
  }
  return true;
}

Status check_keys(const HiveFilter& filter, const hive::Table& table) {
  for (const std::string& key : filter.keys()) {
    bool known = std::ranges::any_of(*table.partition_keys, [&](const auto& field) {
      return field.name.value_or("") == lower(key);
    });
    if (known) continue;
    return fail(Code::invalid, "invalid_filter",
                "Invalid partition filter: " + key + " is not a partition key of " +
                    *table.database_name + "." + *table.name);
  }
  return {};
}

}  // namespace

Result<hive::Table> HiveCatalog::partitioned_table(const Call& call, std::string_view database,
                                                   std::string_view name, std::string* table_id) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, name));
  *table_id = row.uuid;
  return describe(call, row);
}

Result<std::string> HiveCatalog::partition_name(const Call& call, std::string_view database,
                                                std::string_view table,
                                                const PartitionValues& values) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  RETURN_IF_ERROR(check_values(owner, values));
  return name_of_values(*owner.partition_keys, values);
}

Result<std::vector<Raw>> HiveCatalog::add_partitions(const Call& call, std::string_view database,
                                                     std::string_view table,
                                                     std::vector<hive::Partition> partitions,
                                                     bool if_not_exists) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  int32_t now = now_seconds();
  std::vector<std::string> names;
  for (hive::Partition& partition : partitions) {
    RETURN_IF_ERROR(check_values(owner, partition.values));
    names.push_back(name_of_values(*owner.partition_keys, partition.values));
    complete(owner, names.back(), now, &partition);
    partition.create_time = now;
    partition.parameters->insert_or_assign("transient_lastDdlTime", std::to_string(now));
  }
  std::vector<Raw> added;
  auto change = [&](metadb::Transaction& transaction) -> Status {
    for (size_t i = 0; i < partitions.size(); ++i) {
      std::string stored = stored_form(std::move(partitions[i]));
      auto done = transaction.run(
          "INSERT INTO hive_partitions (table_id, name, definition) VALUES ($1, $2, $3)"
          " ON CONFLICT (table_id, name) DO NOTHING",
          {id, names[i], stored});
      if (!done) return std::unexpected(done.error());
      if (*done == 0) {
        if (if_not_exists) continue;
        return fail(Code::exists, "partition_exists",
                    "Partition already exists: " + *owner.database_name + "." + *owner.name + " " +
                        names[i]);
      }
      added.push_back(partition_form(stored, *owner.database_name, *owner.name));
    }
    if (added.empty()) return {};
    return record_event(transaction, "ADD_PARTITION", {*owner.database_name}, *owner.name,
                        clock_.wall_millis());
  };
  RETURN_IF_ERROR(database_.transaction(change));
  return added;
}

Result<Raw> HiveCatalog::load_partition(const Call& call, std::string_view database,
                                        std::string_view table, const PartitionValues& values) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  if (owner.partition_keys->size() != values.size()) return no_such_partition(values);
  std::string name = name_of_values(*owner.partition_keys, values);
  ASSIGN_OR_RETURN(auto stored, database_.read([&](metadb::Transaction& transaction) {
    return find_stored(transaction, id, name);
  }));
  if (!stored) return no_such_partition(values);
  return partition_form(*stored, *owner.database_name, *owner.name);
}

Result<std::vector<Raw>> HiveCatalog::load_partitions(const Call&, std::string_view database,
                                                      std::string_view table,
                                                      const std::vector<std::string>& names) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, table));
  std::string in_database = row.database(), of_table = row.table_name();
  std::vector<Raw> found;
  std::set<std::string> sorted(names.begin(), names.end());
  auto next = sorted.begin();
  auto read = [&](metadb::Transaction& transaction) -> Status {
    while (next != sorted.end()) {
      std::vector<metadb::Cell> parameters{row.uuid};
      size_t asked = std::min(kNamesMax, static_cast<size_t>(std::distance(next, sorted.end())));
      for (size_t i = 0; i < asked; ++i) parameters.emplace_back(*next++);
      // The last name again and again: one text for every number of names.
      if (asked > 1) parameters.resize(kNamesMax + 1, parameters.back());
      RETURN_IF_ERROR(
          transaction.each(by_names(asked), parameters, [&](const metadb::Row& partition) {
            found.push_back(partition_form(partition[0].as_text(), in_database, of_table));
            return true;
          }));
    }
    return {};
  };
  RETURN_IF_ERROR(database_.read(read));
  return found;
}

Result<std::vector<std::string>> HiveCatalog::partition_names(const Call& call,
                                                              std::string_view database,
                                                              std::string_view table,
                                                              const PartitionQuery& query) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  std::optional<HiveFilter> filter;
  if (!query.filter.empty()) {
    ASSIGN_OR_RETURN(filter, HiveFilter::parse(query.filter));
    RETURN_IF_ERROR(check_keys(*filter, owner));
  }
  if (query.prefix && query.prefix->size() > owner.partition_keys->size())
    RETURN_IF_ERROR(check_values(owner, *query.prefix));
  std::vector<std::string> names;
  Status problem;
  auto accepts = [&](const std::string& name) {
    if (!filter && !query.prefix) return true;
    auto values = values_of_name(name, owner.partition_keys->size());
    if (!values) {
      problem = std::unexpected(values.error());
      return false;
    }
    if (query.prefix && !has_prefix(*values, *query.prefix)) return false;
    return !filter || filter->accepts([&](const std::string& key) -> std::optional<std::string> {
      for (size_t i = 0; i < values->size(); ++i) {
        if ((*owner.partition_keys)[i].name == lower(key)) return (*values)[i];
      }
      return std::nullopt;
    });
  };
  auto take = [&](const metadb::Row& row) {
    if (query.max >= 0 && names.size() >= static_cast<size_t>(query.max)) return false;
    if (accepts(row[0].as_text())) names.push_back(row[0].as_text());
    return problem.has_value();
  };
  auto scan = [&](metadb::Transaction& transaction) {
    return transaction.each("SELECT name FROM hive_partitions WHERE table_id = $1 ORDER BY name",
                            {id}, take);
  };
  RETURN_IF_ERROR(database_.read(scan));
  RETURN_IF_ERROR(problem);
  return names;
}

Result<std::vector<Raw>> HiveCatalog::find_partitions(const Call& call, std::string_view database,
                                                      std::string_view table,
                                                      const PartitionQuery& query) {
  ASSIGN_OR_RETURN(auto names, partition_names(call, database, table, query));
  return load_partitions(call, database, table, names);
}

Status HiveCatalog::alter_partitions(const Call& call, std::string_view database,
                                     std::string_view table,
                                     std::vector<hive::Partition> partitions) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  auto change = [&](metadb::Transaction& transaction) -> Status {
    for (hive::Partition& partition : partitions) {
      RETURN_IF_ERROR(check_values(owner, partition.values));
      std::string name = name_of_values(*owner.partition_keys, partition.values);
      ASSIGN_OR_RETURN(auto stored, find_stored(transaction, id, name));
      if (!stored) return no_such_partition(partition.values);
      complete(owner, name, now_seconds(), &partition);
      RETURN_IF_ERROR(update_stored(transaction, id, name, partition));
    }
    return record_event(transaction, "ALTER_PARTITION", {*owner.database_name}, *owner.name,
                        clock_.wall_millis());
  };
  return database_.transaction(change);
}

Status HiveCatalog::rename_partition(const Call& call, std::string_view database,
                                     std::string_view table, const PartitionValues& values,
                                     hive::Partition partition) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  RETURN_IF_ERROR(check_values(owner, partition.values));
  RETURN_IF_ERROR(check_values(owner, values));
  std::string from = name_of_values(*owner.partition_keys, values);
  std::string to = name_of_values(*owner.partition_keys, partition.values);
  complete(owner, to, now_seconds(), &partition);
  auto change = [&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto stored, find_stored(transaction, id, from));
    if (!stored) return no_such_partition(values);
    if (from != to) {
      ASSIGN_OR_RETURN(auto taken, find_stored(transaction, id, to));
      if (taken) return fail(Code::exists, "partition_exists", "Partition already exists: " + to);
      RETURN_IF_ERROR(
          transaction.run("UPDATE hive_partitions SET name = $1 WHERE table_id = $2 AND name = $3",
                          {to, id, from}));
      RETURN_IF_ERROR(
          transaction.run("UPDATE hive_statistics SET partition_name = $1 WHERE "
                          "table_id = $2 AND partition_name = $3",
                          {to, id, from}));
    }
    RETURN_IF_ERROR(update_stored(transaction, id, to, partition));
    return record_event(transaction, "ALTER_PARTITION", {*owner.database_name}, *owner.name,
                        clock_.wall_millis());
  };
  return database_.transaction(change);
}

Result<std::vector<Raw>> HiveCatalog::drop_partitions(const Call& call, std::string_view database,
                                                      std::string_view table,
                                                      const std::vector<std::string>& names,
                                                      bool delete_data_too, bool if_exists) {
  std::string id;
  ASSIGN_OR_RETURN(hive::Table owner, partitioned_table(call, database, table, &id));
  std::vector<hive::Partition> dropped;
  std::vector<Raw> answers;
  auto change = [&](metadb::Transaction& transaction) -> Status {
    for (const std::string& name : names) {
      ASSIGN_OR_RETURN(auto stored, find_stored(transaction, id, name));
      if (!stored && if_exists) continue;
      if (!stored) {
        ASSIGN_OR_RETURN(auto values, values_of_name(name, 0));
        return no_such_partition(values);
      }
      for (const char* sql :
           {"DELETE FROM hive_partitions WHERE table_id = $1 AND name = $2",
            "DELETE FROM hive_statistics WHERE table_id = $1 AND partition_name = $2"}) {
        RETURN_IF_ERROR(transaction.run(sql, {id, name}));
      }
      ASSIGN_OR_RETURN(auto partition, partition_of(*stored));
      dropped.push_back(std::move(partition));
      answers.push_back(partition_form(*stored, *owner.database_name, *owner.name));
    }
    if (dropped.empty()) return {};
    return record_event(transaction, "DROP_PARTITION", {*owner.database_name}, *owner.name,
                        clock_.wall_millis());
  };
  RETURN_IF_ERROR(database_.transaction(change));
  bool managed = owner.table_type == "MANAGED_TABLE" ||
                 lower(parameter(owner, "external.table.purge")) == "true";
  if (delete_data_too && managed) {
    for (const hive::Partition& partition : dropped) delete_folder(call, partition.storage);
  }
  return answers;
}

}  // namespace aichemy::catalog
