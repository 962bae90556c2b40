// Column statistics, functions and events of the Metastore.
#include <algorithm>

#include "base/json.h"
#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

constexpr const char* kAccurate = "COLUMN_STATS_ACCURATE";

// {"COLUMN_STATS":{"id":"true"}} with these columns added or taken out.
std::string accurate_text(const std::string& before, const std::vector<std::string>& columns,
                          bool add) {
  Json old = Json::object();
  if (auto parsed = Json::parse(before); parsed && parsed->is_object()) old = std::move(*parsed);
  Json stats = Json::object();
  for (const auto& [name, value] : old["COLUMN_STATS"].as_object()) {
    if (std::ranges::find(columns, name) == columns.end()) stats.set(name, value);
  }
  if (add) {
    for (const std::string& name : columns) stats.set(name, "true");
  }
  Json out = Json::object();
  for (const auto& [key, value] : old.as_object()) {
    if (key != "COLUMN_STATS") out.set(key, value);
  }
  if (!stats.as_object().empty()) out.set("COLUMN_STATS", std::move(stats));
  return out.dump();
}

void mark(hive::Parameters* parameters, const std::vector<std::string>& columns, bool add) {
  std::string text = accurate_text((*parameters)[kAccurate], columns, add);
  if (text == "{}")
    parameters->erase(kAccurate);
  else
    (*parameters)[kAccurate] = text;
}

// The description says for which columns there are statistics.
Status mark_described(metadb::Transaction& transaction, const HiveRelation& row,
                      const std::string& partition, const std::vector<std::string>& columns,
                      bool add) {
  if (partition.empty()) {
    if (row.definition.empty()) return {};
    ASSIGN_OR_RETURN(hive::Table table, table_of(row.definition, row));
    if (!table.parameters) table.parameters.emplace();
    mark(&*table.parameters, columns, add);
    RETURN_IF_ERROR(transaction.run(
        "UPDATE relations SET hive_definition = $1 WHERE namespace_id = $2 AND name = $3",
        {stored_form(table), row.namespace_id, row.name.name}));
    return {};
  }
  ASSIGN_OR_RETURN(
      auto rows,
      transaction.query("SELECT definition FROM hive_partitions WHERE table_id = $1 AND name = $2",
                        {row.uuid, partition}));
  if (rows.empty()) {
    return fail(
        Code::not_found, "no_such_partition",
        "there is no partition " + partition + " of " + row.database() + "." + row.table_name());
  }
  ASSIGN_OR_RETURN(hive::Partition described, partition_of(rows[0][0].as_text()));
  if (!described.parameters) described.parameters.emplace();
  mark(&*described.parameters, columns, add);
  RETURN_IF_ERROR(transaction.run(
      "UPDATE hive_partitions SET definition = $1 WHERE table_id = $2 AND name = $3",
      {stored_form(described), row.uuid, partition}));
  return {};
}

std::unexpected<Error> no_such_function(const std::string& database, const std::string& name) {
  return fail(Code::not_found, "no_such_function",
              "Function " + database + "." + name + " does not exist");
}

Result<std::vector<hive::Function>> decode_functions(const std::vector<metadb::Row>& rows) {
  std::vector<hive::Function> functions;
  for (const auto& row : rows) {
    ASSIGN_OR_RETURN(auto function, wire::thrift::decode<hive::Function>(row[0].as_text()));
    functions.push_back(std::move(function));
  }
  return functions;
}

}  // namespace

Status HiveCatalog::update_statistics(const Call&, const hive::ColumnStatistics& statistics) {
  const auto& about = statistics.description;
  std::string partition = about.is_table_level ? "" : about.partition_name.value_or("");
  if (!about.is_table_level && partition.empty())
    return fail(Code::invalid, "invalid_object", "statistics of a partition need its name");
  auto change = [&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row,
                     find_hive_relation(transaction, about.database_name, about.table_name));
    if (!row) return no_such_hive_table(about.database_name, about.table_name);
    std::vector<std::string> columns;
    for (const auto& column : statistics.columns) {
      hive::ColumnStatisticsObject kept = column;
      kept.column_name = lower(column.column_name);
      columns.push_back(kept.column_name);
      RETURN_IF_ERROR(transaction.run(
          "INSERT INTO hive_statistics (table_id, partition_name, column_name, definition, "
          "analyzed_seconds) VALUES ($1, $2, $3, $4, $5) "
          "ON CONFLICT (table_id, partition_name, column_name) DO UPDATE SET "
          "definition = excluded.definition, analyzed_seconds = excluded.analyzed_seconds",
          {row->uuid, partition, kept.column_name, wire::thrift::encode(kept),
           about.last_analyzed.value_or(now_seconds())}));
    }
    return mark_described(transaction, *row, partition, columns, true);
  };
  return database_.transaction(change);
}

Result<std::vector<hive::ColumnStatisticsObject>> HiveCatalog::load_statistics(
    const Call&, std::string_view database, std::string_view table, std::string_view partition,
    const std::vector<std::string>& columns) {
  ASSIGN_OR_RETURN(HiveRelation row, relation(database, table));
  std::vector<hive::ColumnStatisticsObject> found;
  auto load = [&](metadb::Transaction& transaction) -> Status {
    for (const std::string& column : columns) {
      ASSIGN_OR_RETURN(
          auto rows,
          transaction.query("SELECT definition FROM hive_statistics WHERE table_id = $1 AND "
                            "partition_name = $2 AND column_name = $3",
                            {row.uuid, partition, lower(column)}));
      if (rows.empty()) continue;
      ASSIGN_OR_RETURN(auto object,
                       wire::thrift::decode<hive::ColumnStatisticsObject>(rows[0][0].as_text()));
      found.push_back(std::move(object));
    }
    return {};
  };
  RETURN_IF_ERROR(database_.read(load));
  return found;
}

Status HiveCatalog::delete_statistics(const Call&, std::string_view database,
                                      std::string_view table, std::string_view partition,
                                      const std::optional<std::string>& column) {
  auto change = [&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(auto row, find_hive_relation(transaction, database, table));
    if (!row) return no_such_hive_table(database, table);
    ASSIGN_OR_RETURN(auto rows,
                     transaction.query("SELECT column_name FROM hive_statistics WHERE table_id = "
                                       "$1 AND partition_name = $2",
                                       {row->uuid, partition}));
    std::vector<std::string> columns;
    for (const auto& found : rows) {
      if (column && !column->empty() && lower(*column) != found[0].as_text()) continue;
      columns.push_back(found[0].as_text());
    }
    if (columns.empty()) {
      return fail(Code::not_found, "no_such_statistics",
                  "there are no column statistics of " + row->database() + "." + row->table_name() +
                      " " + std::string(partition));
    }
    for (const std::string& name : columns) {
      RETURN_IF_ERROR(
          transaction.run("DELETE FROM hive_statistics WHERE table_id = $1 AND "
                          "partition_name = $2 AND column_name = $3",
                          {row->uuid, partition, name}));
    }
    return mark_described(transaction, *row, std::string(partition), columns, false);
  };
  return database_.transaction(change);
}

Status HiveCatalog::create_function(const Call& call, hive::Function function) {
  function.name = lower(function.name);
  function.database_name = parse_database_name(function.database_name).database;
  function.catalog_name = std::string(kHiveCatalogName);
  function.create_time = now_seconds();
  if (!function.resources) function.resources.emplace();
  if (function.name.empty())
    return fail(Code::invalid, "invalid_object", "a function needs a name");
  RETURN_IF_ERROR(load_database(call, function.database_name));
  auto change = [&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(make_default(transaction, function.database_name));
    auto done = transaction.run(
        "INSERT INTO hive_functions (database_name, name, definition) VALUES ($1, $2, $3)",
        {function.database_name, function.name, wire::thrift::encode(function)});
    if (done) return {};
    if (done.error().code != Code::exists) return std::unexpected(done.error());
    return fail(Code::exists, "function_exists", "Function " + function.name + " already exists");
  };
  return database_.transaction(change);
}

Status HiveCatalog::alter_function(const Call& call, std::string_view database,
                                   std::string_view name, hive::Function function) {
  ASSIGN_OR_RETURN(hive::Function before, load_function(call, database, name));
  function.name = lower(function.name);
  function.database_name = parse_database_name(function.database_name).database;
  function.catalog_name = std::string(kHiveCatalogName);
  function.create_time = before.create_time;
  auto change = [&](metadb::Transaction& transaction) -> Status {
    RETURN_IF_ERROR(
        transaction.run("UPDATE hive_functions SET database_name = $1, name = $2, definition = $3 "
                        "WHERE database_name = $4 AND name = $5",
                        {function.database_name, function.name, wire::thrift::encode(function),
                         before.database_name, before.name}));
    return {};
  };
  return database_.transaction(change);
}

Status HiveCatalog::drop_function(const Call&, std::string_view database, std::string_view name) {
  std::string in = parse_database_name(database).database;
  auto change = [&](metadb::Transaction& transaction) -> Status {
    ASSIGN_OR_RETURN(
        int64_t gone,
        transaction.run("DELETE FROM hive_functions WHERE database_name = $1 AND name = $2",
                        {in, lower(name)}));
    if (gone == 0) return no_such_function(in, lower(name));
    return {};
  };
  return database_.transaction(change);
}

Result<hive::Function> HiveCatalog::load_function(const Call&, std::string_view database,
                                                  std::string_view name) {
  std::string in = parse_database_name(database).database;
  ASSIGN_OR_RETURN(auto rows, database_.read([&](metadb::Transaction& transaction) {
    return transaction.query(
        "SELECT definition FROM hive_functions WHERE database_name = $1 AND name = $2",
        {in, lower(name)});
  }));
  if (rows.empty()) return no_such_function(in, lower(name));
  return wire::thrift::decode<hive::Function>(rows[0][0].as_text());
}

Result<std::vector<std::string>> HiveCatalog::list_functions(const Call&, std::string_view database,
                                                             std::string_view pattern) {
  ASSIGN_OR_RETURN(auto rows, database_.read([&](metadb::Transaction& transaction) {
    return transaction.query(
        "SELECT name FROM hive_functions WHERE database_name = $1 ORDER BY name",
        {parse_database_name(database).database});
  }));
  std::vector<std::string> names;
  for (const auto& row : rows) {
    if (matches_pattern(pattern, row[0].as_text())) names.push_back(row[0].as_text());
  }
  return names;
}

Result<std::vector<hive::Function>> HiveCatalog::all_functions(const Call&) {
  ASSIGN_OR_RETURN(auto rows, database_.read([&](metadb::Transaction& transaction) {
    return transaction.query("SELECT definition FROM hive_functions ORDER BY database_name, name");
  }));
  return decode_functions(rows);
}

Result<int64_t> HiveCatalog::last_event(const Call&) {
  ASSIGN_OR_RETURN(auto rows, database_.read([&](metadb::Transaction& transaction) {
    return transaction.query("SELECT coalesce(max(id), 0) FROM hive_events");
  }));
  return rows[0][0].as_int();
}

Result<std::vector<hive::NotificationEvent>> HiveCatalog::events_after(const Call&, int64_t id,
                                                                       int max) {
  constexpr int kEventsMax = 10'000;
  int64_t limit = max < 0 ? kEventsMax : std::min(max, kEventsMax);
  std::vector<hive::NotificationEvent> events;
  RETURN_IF_ERROR(database_.read([&](metadb::Transaction& transaction) {
    return transaction.each(
        "SELECT id, seconds, kind, database_name, table_name, message FROM hive_events WHERE id > "
        "$1 ORDER BY id LIMIT $2",
        {id, limit}, [&](const metadb::Row& row) {
          hive::NotificationEvent event;
          event.id = row[0].as_int();
          event.time = static_cast<int32_t>(row[1].as_int());
          event.type = row[2].as_text();
          event.database_name = lower(row[3].as_text());
          if (!row[4].as_text().empty()) event.table_name = lower(row[4].as_text());
          event.message = row[5].as_text();
          event.message_format = "json-0.2";
          event.catalog_name = std::string(kHiveCatalogName);
          events.push_back(std::move(event));
          return true;
        });
  }));
  return events;
}

Result<int64_t> HiveCatalog::count_events(const Call&,
                                          const hive::NotificationCountRequest& request) {
  ASSIGN_OR_RETURN(auto rows, database_.read([&](metadb::Transaction& transaction) {
    return transaction.query(
        "SELECT count(*) FROM hive_events WHERE id > $1 AND id <= $2 AND "
        "lower(database_name) = $3",
        {request.from_event, request.to_event.value_or(INT64_MAX),
         parse_database_name(request.database_name).database});
  }));
  int64_t count = rows[0][0].as_int();
  return request.limit && *request.limit > 0 ? std::min(count, *request.limit) : count;
}

}  // namespace aichemy::catalog
