#include "metadb/migrate.h"

#include <set>

#include "metadb/migrations.h"

namespace aichemy::metadb {

namespace {

Result<std::set<std::string>> applied_migrations(const MigrationTarget& target) {
  std::set<std::string> applied;
  RETURN_IF_ERROR(target.transaction([&](Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto rows, transaction.query("SELECT name FROM migrations"));
    for (const Row& row : rows) applied.insert(row[0].as_text());
    return {};
  }));
  return applied;
}

}  // namespace

Status migrate(const MigrationTarget& target) {
  RETURN_IF_ERROR(
      target.execute("CREATE TABLE IF NOT EXISTS migrations (name TEXT NOT NULL PRIMARY KEY)"));
  ASSIGN_OR_RETURN(auto applied, applied_migrations(target));
  std::string newest = applied.empty() ? "" : *applied.rbegin();
  for (const Migration& migration : migrations()) {
    if (applied.erase(std::string(migration.name)) > 0) continue;
    RETURN_IF_ERROR(target.transaction([&](Transaction& transaction) -> Status {
      RETURN_IF_ERROR(target.execute(std::string(migration.sql)));
      RETURN_IF_ERROR(
          transaction.run("INSERT INTO migrations (name) VALUES ($1)", {Cell(migration.name)}));
      return {};
    }));
  }
  if (applied.empty()) return {};
  return fail(Code::unsupported, "metadb_newer",
              "the metadata store was written by a newer aichemy (its last migration is " + newest +
                  "): use that version, or restore a backup made before the upgrade");
}

}  // namespace aichemy::metadb
