// The Catalog page: schemas, tables, their snapshots and files.
#include <algorithm>
#include <charconv>
#include <set>

#include "serve/console/handlers.h"
#include "tables/scan_plan.h"

namespace aichemy::serve::console {
namespace {

constexpr size_t kFilesShownMax = 1000;
constexpr size_t kSnapshotsShownMax = 200;

Result<sql::Connector*> connector_of(Exchange& exchange) {
  auto& catalogs = exchange.services().catalogs;
  auto found = catalogs.find(exchange.path[0]);
  if (found != catalogs.end()) return found->second;
  return fail(Code::not_found, "no_such_catalog", "there is no catalog " + exchange.path[0]);
}

Json map_json(const std::map<std::string, std::string>& map) {
  Json out = Json::object();
  for (const auto& [key, value] : map) out.set(key, value);
  return out;
}

Json columns_json(const std::vector<sql::ColumnInfo>& columns, const std::set<std::string>& seen) {
  Json list = Json::array();
  for (const auto& column : columns) {
    if (column.hidden || !seen.contains(column.name)) continue;
    Json row;
    row.set("name", column.name).set("type", column.type.display());
    row.set("nullable", column.nullable).set("comment", column.comment);
    list.push(std::move(row));
  }
  return list;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

std::string table_sql(const Exchange& exchange) {
  return quoted(exchange.path[0]) + "." + quoted(exchange.path[1]) + "." + quoted(exchange.path[2]);
}

// The first cell of each row of a statement that the caller runs: the rules of SQL decide what
// there is to see.
Result<std::vector<std::string>> first_cells(Exchange& exchange, const std::string& statement) {
  sql::Session session;
  session.user = exchange.call.principal;
  session.source = "console";
  session.start = exchange.services().clock.wall_now();
  ASSIGN_OR_RETURN(auto result,
                   exchange.services().executor.execute(exchange.call, session, statement));
  std::vector<std::string> out;
  for (bool done = !result.rows; !done;) {
    ASSIGN_OR_RETURN(sql::Page page, result.rows->next_page(4 << 20));
    ASSIGN_OR_RETURN(Json rows, Json::parse(page.rows_json));
    for (const Json& row : rows.as_array()) {
      if (!row.as_array().empty()) out.emplace_back(row.as_array()[0].as_string());
    }
    done = page.done;
  }
  return out;
}

Result<std::set<std::string>> seen_by_caller(Exchange& exchange, const std::string& statement) {
  ASSIGN_OR_RETURN(auto names, first_cells(exchange, statement));
  return std::set<std::string>(names.begin(), names.end());
}

Result<std::string> ddl_of(Exchange& exchange, const char* kind) {
  ASSIGN_OR_RETURN(auto cells, first_cells(exchange, std::string("SHOW CREATE ") + kind + " " +
                                                         table_sql(exchange)));
  return cells.empty() ? std::string() : cells[0];
}

catalog::NamespaceName levels_of(const std::string& schema) {
  catalog::NamespaceName out;
  size_t from = 0;
  for (size_t dot = schema.find('.'); dot != schema.npos; dot = schema.find('.', from)) {
    out.push_back(schema.substr(from, dot - from));
    from = dot + 1;
  }
  out.push_back(schema.substr(from));
  return out;
}

Json snapshots_json(const tables::iceberg::TableMetadata& metadata) {
  std::vector<const tables::iceberg::Snapshot*> all;
  for (const auto& snapshot : metadata.snapshots) all.push_back(&snapshot);
  std::ranges::sort(all, [](const auto* a, const auto* b) {
    return a->sequence_number != b->sequence_number ? a->sequence_number > b->sequence_number
                                                    : a->timestamp_millis > b->timestamp_millis;
  });
  if (all.size() > kSnapshotsShownMax) all.resize(kSnapshotsShownMax);
  Json list = Json::array();
  for (const auto* snapshot : all) {
    Json row;
    row.set("id", std::to_string(snapshot->id));
    if (snapshot->parent_id) row.set("parent_id", std::to_string(*snapshot->parent_id));
    row.set("timestamp_millis", snapshot->timestamp_millis);
    row.set("operation", snapshot->summary_value("operation"));
    row.set("current", metadata.current_snapshot_id == snapshot->id);
    row.set("summary", map_json(snapshot->summary));
    list.push(std::move(row));
  }
  return list;
}

void add_iceberg(const tables::iceberg::TableMetadata& metadata, Json& out) {
  out.set("format", "Iceberg v" + std::to_string(metadata.format_version));
  out.set("location", metadata.location);
  Json partitioning = Json::array();
  for (const auto& field : metadata.default_spec().fields) partitioning.push(field.name);
  out.set("partitioning", std::move(partitioning));
  out.set("snapshots", snapshots_json(metadata));
  Json refs = Json::object();
  for (const auto& [name, ref] : metadata.refs) refs.set(name, std::to_string(ref.snapshot_id));
  out.set("refs", std::move(refs)).set("properties", map_json(metadata.properties));
  const auto* current = metadata.current_snapshot();
  auto total = [&](const char* key, const char* name) {
    std::string text(current ? current->summary_value(key) : std::string_view("0"));
    if (!text.empty()) out.set(name, static_cast<int64_t>(std::strtoll(text.c_str(), nullptr, 10)));
  };
  total("total-records", "rows");
  total("total-data-files", "files");
  total("total-files-size", "bytes");
}

// Names as they are stored: SQL names come in lower case.
Result<catalog::LoadedTable> load(Exchange& exchange) {
  return exchange.services().catalog.load_table(exchange.call,
                                                {levels_of(exchange.path[1]), exchange.path[2]});
}

// Tables and views. The catalogs iceberg and hive both list what the Metastore has: people want
// each relation once, where it can be read.
Result<std::vector<std::string>> relations_of(Exchange& exchange, const std::string& catalog,
                                              const std::string& schema) {
  const auto& catalogs = exchange.services().catalogs;
  ASSIGN_OR_RETURN(auto names, catalogs.at(catalog)->list_tables(exchange.call, schema));
  auto iceberg = catalogs.find("iceberg");
  if (catalog != "hive" || iceberg == catalogs.end()) return names;
  auto theirs = iceberg->second->list_tables(exchange.call, schema);
  if (!theirs) return names;
  std::set<std::string> known(theirs->begin(), theirs->end());
  std::erase_if(names, [&](const std::string& name) { return known.contains(name); });
  return names;
}

}  // namespace

Result<Answer> list_schemas(Exchange& exchange) {
  Json list = Json::array();
  for (const auto& [catalog, connector] : exchange.services().catalogs) {
    auto seen = seen_by_caller(exchange, "SHOW SCHEMAS FROM " + quoted(catalog));
    if (!seen && seen.error().code == Code::denied) continue;
    if (!seen) return std::unexpected(seen.error());
    ASSIGN_OR_RETURN(auto schemas, connector->list_schemas(exchange.call));
    for (const auto& schema : schemas) {
      if (schema == "information_schema" || !seen->contains(schema)) continue;
      auto tables = relations_of(exchange, catalog, schema);
      Json row;
      row.set("catalog", catalog).set("name", schema);
      row.set("tables", static_cast<int64_t>(tables ? tables->size() : 0));
      list.push(std::move(row));
    }
  }
  return Answer(Json().set("schemas", std::move(list)));
}

Result<Answer> list_relations(Exchange& exchange) {
  ASSIGN_OR_RETURN(sql::Connector * connector, connector_of(exchange));
  const std::string& schema = exchange.path[1];
  ASSIGN_OR_RETURN(auto names, relations_of(exchange, exchange.path[0], schema));
  ASSIGN_OR_RETURN(auto seen, seen_by_caller(exchange, "SHOW TABLES FROM " +
                                                           quoted(exchange.path[0]) + "." +
                                                           quoted(schema)));
  ASSIGN_OR_RETURN(auto listed, connector->list_views(exchange.call, schema));
  std::set<std::string> views(listed.begin(), listed.end());
  Json list = Json::array();
  for (const auto& name : names) {
    if (!seen.contains(name)) continue;
    bool is_view = views.contains(name);
    list.push(Json().set("name", name).set("kind", is_view ? "view" : "table"));
  }
  return Answer(Json().set("relations", std::move(list)));
}

Result<Answer> get_table(Exchange& exchange) {
  ASSIGN_OR_RETURN(sql::Connector * connector, connector_of(exchange));
  sql::TableName name{exchange.path[1], exchange.path[2]};
  ASSIGN_OR_RETURN(auto table, connector->get_table(exchange.call, name));
  std::optional<sql::View> view;
  if (!table) {
    ASSIGN_OR_RETURN(view, connector->get_view(exchange.call, name));
  }
  if (!table && !view) {
    return fail(Code::not_found, "no_such_table",
                "there is no table " + name.schema + "." + name.table);
  }
  ASSIGN_OR_RETURN(auto seen, seen_by_caller(exchange, "SHOW COLUMNS FROM " + table_sql(exchange)));
  Json out;
  out.set("catalog", exchange.path[0]).set("schema", name.schema).set("name", name.table);
  out.set("kind", view ? "view" : "table").set("comment", view ? view->comment : table->comment);
  out.set("columns", columns_json(view ? view->columns : table->columns, seen));
  auto ddl = ddl_of(exchange, view ? "VIEW" : "TABLE");
  out.set("ddl", ddl ? *ddl : "");
  out.set("partitioning", Json::array()).set("snapshots", Json::array());
  out.set("refs", Json::object()).set("properties", Json::object());
  if (table) {
    if (auto loaded = load(exchange)) add_iceberg(*loaded->metadata, out);
  }
  Json sources = Json::array();
  if (exchange.services().jobs) {
    for (const auto& job : exchange.services().jobs->list()) {
      if (job.table != name.schema + "." + name.table) continue;
      for (const auto& topic : job.topics) sources.push(topic);
    }
  }
  out.set("sources", std::move(sources));
  return Answer(std::move(out));
}

Result<Answer> list_files(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto table, load(exchange));
  ASSIGN_OR_RETURN(auto seen, seen_by_caller(exchange, "SHOW COLUMNS FROM " + table_sql(exchange)));
  if (seen.empty()) return fail(Code::denied, "PERMISSION_DENIED", "no column may be read");
  tables::ScanRequest request;
  request.with_bounds = false;
  ASSIGN_OR_RETURN(auto plan, exchange.services().catalog.plan(exchange.call, table, request));
  Json list = Json::array();
  for (const auto& file : plan.files) {
    if (list.as_array().size() >= kFilesShownMax) break;
    Json row;
    row.set("path", file.path).set("rows", file.record_count).set("bytes", file.size);
    row.set("partition", file.partition);
    list.push(std::move(row));
  }
  Json out;
  out.set("files", std::move(list)).set("total", static_cast<int64_t>(plan.files.size()));
  return Answer(std::move(out));
}

Result<Answer> rollback_table(Exchange& exchange) {
  ASSIGN_OR_RETURN(auto table, load(exchange));
  std::string text(exchange.body["snapshot_id"].as_string());
  int64_t id = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), id);
  if (error != std::errc() || end != text.data() + text.size() || !table.metadata->snapshot(id)) {
    return fail(Code::not_found, "no_such_snapshot",
                "the table has no snapshot " + text + " any more");
  }
  // The statement knows ancestors only, and who may: what it refuses for another reason stays so.
  auto stated = first_cells(exchange, "ALTER TABLE " + table_sql(exchange) +
                                          " EXECUTE rollback_to_snapshot(" + text + ")");
  if (stated) return Answer(Json());
  if (!stated.error().is("ICEBERG_INVALID_SNAPSHOT_ID")) return std::unexpected(stated.error());
  catalog::CommitTable change;
  change.name = table.name;
  change.requirements.push_back(
      tables::iceberg::Requirement::ref("main", table.metadata->current_snapshot_id));
  change.updates.push_back(tables::iceberg::Update::set_ref("main", id));
  auto done = exchange.services().catalog.commit(exchange.call, change);
  if (!done) return std::unexpected(done.error());
  return Answer(Json());
}

}  // namespace aichemy::serve::console
