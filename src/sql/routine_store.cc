#include "sql/routine_store.h"

namespace aichemy::sql {

Result<std::unique_ptr<RoutineStore>> RoutineStore::open(metadb::Database* database) {
  std::unique_ptr<RoutineStore> made(new RoutineStore(database));
  if (!database) return made;
  Known known;
  RETURN_IF_ERROR(database->read([&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto rows,
                     transaction.query("SELECT catalog_name, schema_name, name, signature, sql, "
                                       "path, owner FROM sql_routines"));
    for (const auto& row : rows) {
      StoredRoutine one;
      one.catalog = row[0].as_text();
      one.schema = row[1].as_text();
      one.name = row[2].as_text();
      one.signature = row[3].as_text();
      one.sql = row[4].as_text();
      one.path = row[5].as_text();
      if (!row[6].is_null()) one.owner = row[6].as_text();
      known.emplace(key_of(one), std::move(one));
    }
    return {};
  }));
  made->show(std::move(known));
  return made;
}

std::shared_ptr<const RoutineStore::Known> RoutineStore::known() const {
  std::lock_guard lock(mutex_);
  return known_;
}

void RoutineStore::show(Known changed) {
  auto made = std::make_shared<const Known>(std::move(changed));
  std::lock_guard lock(mutex_);
  known_ = std::move(made);
}

// A statement about routines that are not durable finds no rows.
Status RoutineStore::run(std::string_view sql, const std::vector<metadb::Cell>& values) {
  if (!database_) return {};
  return database_->transaction([&](metadb::Transaction& transaction) -> Status {
    auto done = transaction.run(sql, values);
    if (!done) return std::unexpected(done.error());
    return {};
  });
}

std::vector<StoredRoutine> RoutineStore::find(const std::string& catalog, const std::string& schema,
                                              const std::string& name) const {
  auto now = known();
  std::vector<StoredRoutine> found;
  for (auto at = now->lower_bound({catalog, schema, name, ""}); at != now->end(); ++at) {
    const StoredRoutine& one = at->second;
    if (one.catalog != catalog || one.schema != schema) break;
    if (!name.empty() && one.name != name) break;
    found.push_back(one);
  }
  return found;
}

Status RoutineStore::put(const StoredRoutine& routine, bool durable) {
  std::lock_guard turn(change_);
  if (durable) {
    RETURN_IF_ERROR(run(
        "INSERT INTO sql_routines (catalog_name, schema_name, name, signature, sql, path, owner) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7) ON CONFLICT (catalog_name, schema_name, name, "
        "signature) DO UPDATE SET sql = excluded.sql, path = excluded.path, owner = excluded.owner",
        {routine.catalog, routine.schema, routine.name, routine.signature, routine.sql,
         routine.path, routine.owner ? metadb::Cell(*routine.owner) : metadb::Cell()}));
  }
  Known changed = *known();
  changed[key_of(routine)] = routine;
  show(std::move(changed));
  return {};
}

Status RoutineStore::remove(const StoredRoutine& routine) {
  std::lock_guard turn(change_);
  RETURN_IF_ERROR(
      run("DELETE FROM sql_routines WHERE catalog_name = $1 AND schema_name = $2 AND name = $3 AND "
          "signature = $4",
          {routine.catalog, routine.schema, routine.name, routine.signature}));
  Known changed = *known();
  changed.erase(key_of(routine));
  show(std::move(changed));
  return {};
}

Status RoutineStore::forget(const std::string& catalog, const std::string& schema) {
  if (find(catalog, schema, "").empty()) return {};
  std::lock_guard turn(change_);
  RETURN_IF_ERROR(run("DELETE FROM sql_routines WHERE catalog_name = $1 AND schema_name = $2",
                      {catalog, schema}));
  Known changed = *known();
  std::erase_if(changed, [&](const auto& entry) {
    return entry.second.catalog == catalog && entry.second.schema == schema;
  });
  show(std::move(changed));
  return {};
}

Status RoutineStore::rename(const std::string& catalog, const std::string& from,
                            const std::string& to) {
  if (find(catalog, from, "").empty()) return {};
  std::lock_guard turn(change_);
  RETURN_IF_ERROR(
      run("UPDATE sql_routines SET schema_name = $1 WHERE catalog_name = $2 AND schema_name = $3",
          {to, catalog, from}));
  Known changed;
  for (const auto& [key, routine] : *known()) {
    StoredRoutine moved = routine;
    if (moved.catalog == catalog && moved.schema == from) moved.schema = to;
    changed.emplace(key_of(moved), std::move(moved));
  }
  show(std::move(changed));
  return {};
}

}  // namespace aichemy::sql
