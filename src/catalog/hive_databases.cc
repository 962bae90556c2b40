#include <set>

#include "base/bytes.h"
#include "catalog/hive_contents.h"

namespace aichemy::catalog {

namespace {

// Keys of namespace properties that are fields of a database; Iceberg's Hive catalog names them so.
constexpr const char* kComment = "comment";
constexpr const char* kLocation = "location";
constexpr const char* kOwner = "hive.metastore.database.owner";
constexpr const char* kOwnerType = "hive.metastore.database.owner-type";
constexpr const char* kOwnerTypes[] = {"", "USER", "ROLE", "GROUP"};

struct DatabaseRow {
  int64_t id = 0;
  std::string path;
  Properties properties;
};

std::unexpected<Error> no_such_database(std::string_view name) {
  return fail(Code::not_found, "no_such_namespace", std::string(name));
}

Result<std::optional<DatabaseRow>> find_database(metadb::Transaction& transaction,
                                                 const std::string& name) {
  ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT id, path, properties FROM namespaces WHERE "
                                                "lower(path) = $1 ORDER BY path DESC",
                                                {name}));
  if (rows.empty() || name.find(kLevelSeparator) != std::string::npos)
    return std::optional<DatabaseRow>();
  DatabaseRow row{rows[0][0].as_int(), rows[0][1].as_text(), {}};
  ASSIGN_OR_RETURN(Json json, Json::parse(rows[0][2].as_text()));
  for (const auto& [key, value] : json.as_object()) row.properties[key] = value.as_string();
  return std::optional(std::move(row));
}

Properties properties_of(const hive::Database& database) {
  Properties properties = database.parameters.value_or(hive::Parameters{});
  if (database.description) properties[kComment] = *database.description;
  if (database.location) properties[kLocation] = *database.location;
  if (database.owner) properties[kOwner] = *database.owner;
  int32_t type = database.owner_type.value_or(0);
  if (type >= 1 && type <= 3) properties[kOwnerType] = kOwnerTypes[type];
  return properties;
}

std::optional<std::string> taken(Properties& properties, const char* key) {
  auto found = properties.find(key);
  if (found == properties.end()) return std::nullopt;
  std::string value = std::move(found->second);
  properties.erase(found);
  return value;
}

std::string text_of(const Properties& properties) {
  Json json = Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return json.dump();
}

}  // namespace

std::string stored_properties(const hive::Database& database) {
  return text_of(properties_of(database));
}

std::string HiveCatalog::database_location(const std::string& name,
                                           const Properties& properties) const {
  auto given = properties.find(kLocation);
  if (given != properties.end() && !given->second.empty()) return given->second;
  return catalog_.options().warehouse + "/" + percent_encode(name);
}

// `default` comes to be with its first content.
Status HiveCatalog::make_default(metadb::Transaction& transaction, const std::string& name) {
  if (name != kDefaultDatabase) return {};
  ASSIGN_OR_RETURN(auto found, find_database(transaction, name));
  if (found) return {};
  RETURN_IF_ERROR(transaction.run(
      "INSERT INTO namespaces (id, path, parent, properties, created_millis) "
      "SELECT coalesce(max(id), 0) + 1, $1, '', $2, $3 FROM namespaces",
      {name,
       text_of({{kComment, "Default Hive database"}, {kOwner, "public"}, {kOwnerType, "ROLE"}}),
       clock_.wall_millis()}));
  return record_event(transaction, "CREATE_DATABASE", {name}, "", clock_.wall_millis());
}

Result<std::vector<std::string>> HiveCatalog::list_databases(const Call&,
                                                             std::string_view pattern) {
  std::string_view wanted = pattern;
  if (wanted.starts_with('@')) {
    size_t hash = wanted.find('#');
    wanted = hash == std::string_view::npos ? std::string_view() : wanted.substr(hash + 1);
    if (wanted == "!") wanted = {};
  }
  std::set<std::string> names;
  if (matches_pattern(wanted, kDefaultDatabase)) names.emplace(kDefaultDatabase);
  RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) {
    return transaction.each("SELECT path FROM namespaces WHERE parent = '' ORDER BY path", {},
                            [&](const metadb::Row& row) {
                              const std::string& path = row[0].as_text();
                              if (matches_pattern(wanted, path)) names.insert(lower(path));
                              return true;
                            });
  }));
  return std::vector<std::string>(names.begin(), names.end());
}

Result<hive::Database> HiveCatalog::load_database(const Call&, std::string_view name) {
  HiveDatabaseName wanted = parse_database_name(name);
  if (wanted.catalog != kHiveCatalogName) return no_such_database(name);
  ASSIGN_OR_RETURN(auto row, database_.read([&](metadb::Transaction& transaction) {
    return find_database(transaction, wanted.database);
  }));
  if (!row && wanted.database != kDefaultDatabase) return no_such_database(wanted.database);
  Properties properties =
      row ? row->properties
          : Properties{
                {kComment, "Default Hive database"}, {kOwner, "public"}, {kOwnerType, "ROLE"}};
  hive::Database database;
  database.name = wanted.database;
  database.location = database_location(wanted.database, properties);
  database.description = taken(properties, kComment);
  database.owner = taken(properties, kOwner);
  properties.erase(kLocation);
  std::string type = taken(properties, kOwnerType).value_or("USER");
  database.owner_type = type == "ROLE" ? 2 : type == "GROUP" ? 3 : 1;
  database.parameters = std::move(properties);
  database.catalog_name = std::string(kHiveCatalogName);
  return database;
}

Status HiveCatalog::create_database(const Call& call, const hive::Database& database) {
  HiveDatabaseName name = parse_database_name(database.name.value_or(""));
  if (name.catalog != kHiveCatalogName)
    return fail(Code::invalid, "invalid_object", "there is one catalog: hive");
  bool exists = name.database == kDefaultDatabase;
  if (!exists) {
    ASSIGN_OR_RETURN(auto known, database_.read([&](metadb::Transaction& transaction) {
      return find_database(transaction, name.database);
    }));
    exists = known.has_value();
  }
  if (exists) {
    return fail(Code::exists, "namespace_exists", "Database " + name.database + " already exists");
  }
  return catalog_.create_namespace(call, {name.database}, properties_of(database));
}

Status HiveCatalog::alter_database(const Call&, std::string_view name,
                                   const hive::Database& database) {
  std::string wanted = parse_database_name(name).database;
  return database_.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(make_default(transaction, wanted));
    ASSIGN_OR_RETURN(auto row, find_database(transaction, wanted));
    if (!row) return no_such_database(wanted);
    RETURN_IF_ERROR(transaction.run("UPDATE namespaces SET properties = $1 WHERE id = $2",
                                    {text_of(properties_of(database)), row->id}));
    return record_event(transaction, "ALTER_DATABASE", {row->path}, "", clock_.wall_millis());
  });
}

Status HiveCatalog::drop_database(const Call& call, std::string_view name, bool delete_data,
                                  bool cascade) {
  std::string wanted = parse_database_name(name).database;
  if (wanted == kDefaultDatabase)
    return fail(Code::conflict, "default_database", "Can not drop default database");
  ASSIGN_OR_RETURN(auto row, database_.read([&](metadb::Transaction& transaction) {
    return find_database(transaction, wanted);
  }));
  if (!row) return no_such_database(wanted);
  if (cascade) {
    ASSIGN_OR_RETURN(auto tables, list_tables(call, wanted, "", ""));
    for (const std::string& table : tables) {
      Status dropped = drop_table(call, wanted, table, delete_data);
      if (!dropped && dropped.error().code != Code::not_found) return dropped;
    }
    RETURN_IF_ERROR(database_.transaction([&](metadb::Transaction& transaction) -> Status {
      RETURN_IF_ERROR(
          transaction.run("DELETE FROM hive_functions WHERE database_name = $1", {wanted}));
      return {};
    }));
  }
  ASSIGN_OR_RETURN(auto functions, list_functions(call, wanted, ""));
  Status dropped =
      functions.empty()
          ? catalog_.drop_namespace(call, {row->path})
          : Status(fail(Code::conflict, "namespace_not_empty",
                        "Database " + wanted + " is not empty. One or more functions exist."));
  if (!dropped && dropped.error().is("namespace_not_empty") && functions.empty()) {
    return fail(Code::conflict, "namespace_not_empty",
                "Database " + wanted + " is not empty. One or more tables exist.");
  }
  return dropped;
}

}  // namespace aichemy::catalog
