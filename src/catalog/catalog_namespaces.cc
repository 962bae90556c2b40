#include "catalog/catalog_state.h"

namespace aichemy::catalog {

namespace {

Json to_json(const Properties& properties) {
  Json json = Json::object();
  for (const auto& [key, value] : properties) json.set(key, value);
  return json;
}

Result<Properties> properties_of(metadb::Transaction& transaction, const NamespaceName& space) {
  ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT properties FROM namespaces WHERE path = $1",
                                                {path_of(space)}));
  if (rows.empty()) {
    return fail(Code::not_found, "no_such_namespace",
                "Namespace does not exist: " + name_text(space));
  }
  ASSIGN_OR_RETURN(Json json, Json::parse(rows[0][0].as_text()));
  Properties properties;
  for (const auto& [key, value] : json.as_object()) properties[key] = value.as_string();
  return properties;
}

}  // namespace

Status Catalog::create_namespace(const Call&, const NamespaceName& space,
                                 const Properties& properties) {
  RETURN_IF_ERROR(check_name(space));
  NamespaceName parent(space.begin(), space.end() - 1);
  int64_t now = state_->clock.wall_millis();
  return state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    if (!parent.empty()) RETURN_IF_ERROR(find_namespace(transaction, parent));
    ASSIGN_OR_RETURN(auto next,
                     transaction.query("SELECT coalesce(max(id), 0) + 1 FROM namespaces"));
    auto done = transaction.run(
        "INSERT INTO namespaces (id, path, parent, properties, created_millis) VALUES ($1, $2, $3, "
        "$4, $5)",
        {next[0][0].as_int(), path_of(space), path_of(parent), to_json(properties).dump(), now});
    if (done) return record_event(transaction, "CREATE_DATABASE", space, "", now);
    if (done.error().code != Code::exists) return std::unexpected(done.error());
    return fail(Code::exists, "namespace_exists", "Namespace already exists: " + name_text(space));
  });
}

Result<Properties> Catalog::load_namespace(const Call&, const NamespaceName& space) {
  return state_->database.read(
      [&](metadb::Transaction& transaction) { return properties_of(transaction, space); });
}

Result<bool> Catalog::namespace_exists(const Call&, const NamespaceName& space) {
  return state_->database.read([&](metadb::Transaction& transaction) -> Result<bool> {
    auto id = find_namespace(transaction, space);
    if (!id && id.error().code != Code::not_found) return std::unexpected(id.error());
    return id.has_value();
  });
}

Status Catalog::drop_namespace(const Call&, const NamespaceName& space) {
  return state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(int64_t id, find_namespace(transaction, space));
    ASSIGN_OR_RETURN(
        auto used,
        transaction.query("SELECT (SELECT count(*) FROM relations WHERE namespace_id = $1) + "
                          "(SELECT count(*) FROM namespaces WHERE parent = $2)",
                          {id, path_of(space)}));
    if (used[0][0].as_int() > 0) {
      return fail(Code::conflict, "namespace_not_empty",
                  "Namespace " + name_text(space) + " is not empty");
    }
    RETURN_IF_ERROR(transaction.run("DELETE FROM namespaces WHERE id = $1", {id}));
    return record_event(transaction, "DROP_DATABASE", space, "", state_->clock.wall_millis());
  });
}

Status Catalog::rename_namespace(const Call&, const NamespaceName& from, const NamespaceName& to) {
  RETURN_IF_ERROR(check_name(to));
  NamespaceName parent(to.begin(), to.end() - 1);
  int64_t now = state_->clock.wall_millis();
  return state_->database.transaction([&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(find_namespace(transaction, from));
    if (!parent.empty()) RETURN_IF_ERROR(find_namespace(transaction, parent));
    auto taken = find_namespace(transaction, to);
    if (taken)
      return fail(Code::exists, "namespace_exists", "Namespace already exists: " + name_text(to));
    // Everything below moves along: paths begin with that of the level above.
    std::string old_path = path_of(from);
    ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT id, path FROM namespaces"));
    for (const auto& row : rows) {
      std::string path(row[1].as_text());
      bool below = path.starts_with(old_path + kLevelSeparator);
      if (path != old_path && !below) continue;
      NamespaceName renamed = space_of(path_of(to) + path.substr(old_path.size()));
      NamespaceName above(renamed.begin(), renamed.end() - 1);
      RETURN_IF_ERROR(transaction.run("UPDATE namespaces SET path = $1, parent = $2 WHERE id = $3",
                                      {path_of(renamed), path_of(above), row[0].as_int()}));
    }
    RETURN_IF_ERROR(record_event(transaction, "DROP_DATABASE", from, "", now));
    return record_event(transaction, "CREATE_DATABASE", to, "", now);
  });
}

Result<std::vector<NamespaceName>> Catalog::list_namespaces(const Call&,
                                                            const NamespaceName& parent) {
  return state_->database.read(
      [&](metadb::Transaction& transaction) -> Result<std::vector<NamespaceName>> {
        if (!parent.empty()) RETURN_IF_ERROR(find_namespace(transaction, parent));
        ASSIGN_OR_RETURN(
            auto rows,
            transaction.query("SELECT path FROM namespaces WHERE parent = $1 ORDER BY path",
                              {path_of(parent)}));
        std::vector<NamespaceName> spaces;
        for (const auto& row : rows) spaces.push_back(space_of(row[0].as_text()));
        return spaces;
      });
}

Result<Catalog::PropertyChange> Catalog::update_namespace(
    const Call&, const NamespaceName& space, const Properties& updates,
    const std::vector<std::string>& removals) {
  return state_->database.transaction(
      [&](metadb::Transaction& transaction) -> Result<PropertyChange> {
        ASSIGN_OR_RETURN(Properties properties, properties_of(transaction, space));
        PropertyChange change;
        for (const std::string& key : removals) {
          (properties.erase(key) > 0 ? change.removed : change.missing).push_back(key);
        }
        for (const auto& [key, value] : updates) {
          properties[key] = value;
          change.updated.push_back(key);
        }
        RETURN_IF_ERROR(transaction.run("UPDATE namespaces SET properties = $1 WHERE path = $2",
                                        {to_json(properties).dump(), path_of(space)}));
        RETURN_IF_ERROR(
            record_event(transaction, "ALTER_DATABASE", space, "", state_->clock.wall_millis()));
        return change;
      });
}

}  // namespace aichemy::catalog
