// Rows of metadb that follow every change: events, and what hangs on a relation.
#include "base/json.h"
#include "catalog/catalog_state.h"

namespace aichemy::catalog {

namespace {

constexpr int64_t kEventsKept = 100'000;
constexpr int64_t kPruneEvery = 1'000;

}  // namespace

Status record_event(metadb::Transaction& transaction, std::string_view kind,
                    const NamespaceName& space, std::string_view table, int64_t now_millis) {
  if (space.size() != 1) return {};
  Json message = Json::object();
  message.set("server", "").set("servicePrincipal", "").set("db", space[0]);
  if (!table.empty()) message.set("table", std::string(table));
  message.set("timestamp", now_millis / 1000);
  RETURN_IF_ERROR(transaction.run(
      "INSERT INTO hive_events (id, seconds, kind, database_name, table_name, message) "
      "SELECT coalesce(max(id), 0) + 1, $1, $2, $3, $4, $5 FROM hive_events",
      {now_millis / 1000, kind, space[0], table, message.dump()}));
  ASSIGN_OR_RETURN(auto last, transaction.query("SELECT max(id) FROM hive_events"));
  int64_t id = last[0][0].as_int();
  if (id % kPruneEvery == 0) {
    RETURN_IF_ERROR(transaction.run("DELETE FROM hive_events WHERE id <= $1", {id - kEventsKept}));
  }
  return {};
}

Status drop_hive_rows(metadb::Transaction& transaction, const std::string& table_id) {
  RETURN_IF_ERROR(transaction.run("DELETE FROM hive_partitions WHERE table_id = $1", {table_id}));
  RETURN_IF_ERROR(transaction.run("DELETE FROM hive_statistics WHERE table_id = $1", {table_id}));
  return {};
}

}  // namespace aichemy::catalog
