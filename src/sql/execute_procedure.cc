// CALL and ALTER TABLE EXECUTE: arguments bound as Trino binds them; the work is the connector's,
// except the rewriting of data files, which is a query of ours.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/connectors/table_change.h"
#include "sql/engine/engine_errors.h"
#include "sql/query_registry.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

// Procedures of the system catalog.
const std::vector<Procedure>& system_procedures() {
  static const std::vector<Procedure> kProcedures = {
      {"runtime", "kill_query", {{"query_id", "varchar", true}, {"message", "varchar", false}}},
  };
  return kProcedures;
}

const Procedure* find_procedure(const std::vector<Procedure>& all, std::string_view schema,
                                std::string_view name) {
  for (const auto& procedure : all) {
    if (schema == procedure.schema && name == procedure.name) return &procedure;
  }
  return nullptr;
}

std::string upper_case(std::string text) {
  for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return text;
}

StatementResult metrics_result(const ProcedureMetrics& metrics) {
  TextTable table;
  table.columns = {{"metric_name", Type::varchar()}, {"metric_value", Type(TypeKind::bigint)}};
  for (const auto& [name, value] : metrics) table.rows.push_back({Json(name), Json(value)});
  StatementResult result = table_result(std::move(table), "ALTER_TABLE_EXECUTE");
  result.update_type = "ALTER TABLE EXECUTE";
  return result;
}

QualifiedName absolute_name(const ResolvedName& name, Position at) {
  return {{name.catalog, true, at}, {name.schema, true, at}, {name.table, true, at}};
}

// Every column of every row of a Hive table.
Status may_read_all(const Call& call, const AccessControl& access, const Identity& who,
                    Connector& hive, const TableName& name) {
  auto table = hive.get_table(call, name);
  if (!table || !*table) return {};  // the procedure says what is wrong with it
  std::set<std::string> columns;
  for (const ColumnInfo& column : (*table)->columns) {
    if (!column.hidden) columns.insert(column.name);
  }
  AccessObject object{"hive", name.schema, name.table};
  RETURN_IF_ERROR(check_columns(&access, who, object, columns, nullptr));
  RowRules rules = access.row_rules(who, object);
  if (rules.filters.empty() && rules.masks.empty()) return {};
  return access_denied("Cannot select from all rows of table " + object.text());
}

}  // namespace

// One value an argument, in the procedure's order.
Result<std::vector<std::optional<std::string>>> StatementRun::bind_arguments(
    const Statement& s, const Procedure& procedure) {
  std::vector<std::optional<std::string>> values(procedure.arguments.size());
  std::vector<bool> given(procedure.arguments.size());
  bool named = !s.column_names.empty();
  if (named && s.column_names.size() != s.args.size()) {
    return semantic_error("INVALID_ARGUMENTS", s.at,
                          "Named and positional arguments cannot be mixed");
  }
  for (size_t i = 0; i < s.args.size(); ++i) {
    size_t at = i;
    if (named) {
      std::string name = s.column_names[i].lower();
      at = 0;
      while (at < values.size() && name != procedure.arguments[at].name) ++at;
      if (at == values.size()) {
        return semantic_error("INVALID_ARGUMENTS", s.column_names[i].at,
                              fmt::format("Unknown argument name: {}", upper_case(name)));
      }
      if (given[at]) {
        return semantic_error("INVALID_ARGUMENTS", s.column_names[i].at,
                              fmt::format("Duplicate procedure argument: {}", upper_case(name)));
      }
    } else if (at >= values.size()) {
      return semantic_error("INVALID_ARGUMENTS", s.at, "Too many arguments for procedure");
    }
    given[at] = true;
    ASSIGN_OR_RETURN(Type type, parse_type(procedure.arguments[at].type));
    ASSIGN_OR_RETURN(std::string text, default_value(*s.args[i], type));
    ASSIGN_OR_RETURN(Json json, Json::parse(text));
    if (json.is_null()) {
      if (!procedure.arguments[at].required) continue;
      return fail(Code::invalid, "INVALID_PROCEDURE_ARGUMENT",
                  fmt::format("{} cannot be null", procedure.arguments[at].name));
    }
    values[at] = json.is_string() ? std::string(json.as_string()) : json.dump();
  }
  for (size_t i = 0; i < values.size(); ++i) {
    if (given[i] || !procedure.arguments[i].required) continue;
    return semantic_error("INVALID_ARGUMENTS", s.at,
                          fmt::format("Required procedure argument '{}' is missing",
                                      upper_case(procedure.arguments[i].name)));
  }
  return values;
}

Result<StatementResult> StatementRun::call_procedure(const Statement& s) {
  if (session_.transaction) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "Procedures cannot be called within a transaction (use autocommit mode)");
  }
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  const auto& all = name.catalog == "system" ? system_procedures() : name.connector->procedures();
  const Procedure* procedure = find_procedure(all, name.schema, name.table);
  if (!procedure || name.schema.empty()) {
    return semantic_error("PROCEDURE_NOT_FOUND", s.at,
                          fmt::format("Procedure not registered: {}.{}", name.schema, name.table));
  }
  ASSIGN_OR_RETURN(auto values, bind_arguments(s, *procedure));
  RETURN_IF_ERROR(allowed(Action::execute_procedure, name));
  if (name.catalog == "system") {
    RETURN_IF_ERROR(kill_query(*values[0], values[1]));
    return update_result("CALL");
  }
  ProcedureCall made;
  made.name = name.table;
  for (size_t i = 0; i < values.size(); ++i) {
    // Schemas and tables are found by their lower case, as in any statement.
    std::string_view argument = procedure->arguments[i].name;
    bool entity = argument == "schema_name" || argument == "table_name";
    if (entity && values[i] && values[i]->empty()) {
      return fail(Code::invalid, "INVALID_PROCEDURE_ARGUMENT",
                  fmt::format("{} cannot be empty", argument));
    }
    if (entity && values[i]) values[i] = lower_case(*values[i]);
  }
  RETURN_IF_ERROR(procedure_allowed_on_table(name, *procedure, values));
  made.values = std::move(values);
  made.session = catalog_session(name.catalog);
  auto done = name.connector->run_procedure(call_, made);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return update_result("CALL");
}

// A procedure that changes what a table holds needs the right to do that by a statement.
Status StatementRun::procedure_allowed_on_table(
    const ResolvedName& procedure, const Procedure& declared,
    const std::vector<std::optional<std::string>>& values) {
  struct Row {
    std::string_view procedure;
    Action action;
  };
  static constexpr Row kRows[] = {
      {"create_empty_partition", Action::insert},  {"register_partition", Action::insert},
      {"sync_partition_metadata", Action::insert}, {"sync_partition_metadata", Action::remove},
      {"unregister_partition", Action::remove},    {"register_table", Action::create_table},
      {"unregister_table", Action::drop_table},    {"migrate", Action::create_table},
  };
  std::string_view called = declared.name;
  if (called.starts_with("add_files")) {  // `procedure` is the table they go into
    RETURN_IF_ERROR(allowed(Action::insert, procedure));
    auto source = catalogs_.find("hive");
    if (!options_.access || source == catalogs_.end()) return {};
    // Whoever may name any place may read any table's files.
    if (called == "add_files") return access_denied("add_files procedure is disabled");
    TableName of{lower_case(values[0].value_or("")), lower_case(values[1].value_or(""))};
    return may_read_all(call_, *options_.access, {session_.user, session_.roles}, *source->second,
                        of);
  }
  ResolvedName table = procedure;
  for (size_t i = 0; i < values.size(); ++i) {
    if (declared.arguments[i].name == std::string_view("schema_name"))
      table.schema = values[i].value_or("");
    if (declared.arguments[i].name == std::string_view("table_name"))
      table.table = values[i].value_or("");
  }
  for (const Row& row : kRows) {
    if (row.procedure == declared.name) RETURN_IF_ERROR(allowed(row.action, table));
  }
  return {};
}

Status StatementRun::kill_query(const std::string& id, const std::optional<std::string>& reason) {
  if (!options_.queries) return {};
  auto query = options_.queries->find(id);
  if (!query) return fail(Code::not_found, "NOT_FOUND", "Target query not found: " + id);
  if (query->ended) {
    return fail(Code::invalid, "NOT_SUPPORTED", "Target query is not running: " + id);
  }
  RETURN_IF_ERROR(allowed(Action::kill_query, {}, query->user));
  std::string message = reason && !reason->empty() ? "Query killed. Message: " + *reason
                                                   : "Query killed. No message provided.";
  return options_.queries->kill(id, "ADMINISTRATIVELY_KILLED", message);
}

// The session properties of one catalog, without its name.
std::map<std::string, std::string> StatementRun::catalog_session(const std::string& catalog) const {
  std::map<std::string, std::string> set;
  std::string prefix = catalog + ".";
  for (const auto& [name, value] : session_.properties) {
    if (name.starts_with(prefix)) set[name.substr(prefix.size())] = value;
  }
  return set;
}

// What a procedure reads and writes is the whole table.
Status StatementRun::no_row_rules(const Statement& s, const ResolvedName& name) const {
  if (!options_.access) return {};
  RowRules rules = options_.access->row_rules({session_.user, session_.roles},
                                              {name.catalog, name.schema, name.table});
  if (rules.filters.empty() && rules.masks.empty()) return {};
  return semantic_error("NOT_SUPPORTED", s.at,
                        fmt::format("ALTER TABLE EXECUTE is not supported for table with {}",
                                    rules.filters.empty() ? "column masks" : "row filter"));
}

Result<StatementResult> StatementRun::table_execute(const Statement& s) {
  const Identifier& called = s.alter->new_name;
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) return no_such_table(s, name, "");
  const Procedure* procedure = find_procedure(name.connector->procedures(), "", called.lower());
  if (!procedure) {
    return fail(Code::not_found, "PROCEDURE_NOT_FOUND",
                fmt::format("Table procedure not registered: {}",
                            called.quoted ? called.text : upper_case(called.text)));
  }
  bool rewrite = std::string_view(procedure->name) == "optimize";
  if (s.value && !rewrite) {
    return semantic_error(
        "NOT_SUPPORTED", s.at,
        fmt::format("WHERE not supported for procedure {}", upper_case(called.text)));
  }
  RETURN_IF_ERROR(allowed(Action::execute_table_procedure, name, procedure->name));
  RETURN_IF_ERROR(no_row_rules(s, name));
  ASSIGN_OR_RETURN(auto values, bind_arguments(s, *procedure));
  if (std::string_view(procedure->name).starts_with("add_files"))
    RETURN_IF_ERROR(procedure_allowed_on_table(name, *procedure, values));
  if (rewrite) return optimize(s, name, table, values[0].value_or("100MB"));
  ProcedureCall made;
  made.name = procedure->name;
  made.table = name.name();
  made.values = std::move(values);
  made.session = catalog_session(name.catalog);
  auto done = name.connector->run_procedure(call_, made);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return metrics_result(*done);
}

// Small files, and those with deleted rows, read and written as fewer.
Result<StatementResult> StatementRun::optimize(const Statement& s, const ResolvedName& name,
                                               const TableRef& table,
                                               const std::string& threshold) {
  RewriteRequest request;
  request.size_threshold = threshold;
  if (s.value) {
    Analyzer probe(call_, session_, catalogs_);
    RETURN_IF_ERROR(probe.table_condition(absolute_name(name, s.at), *s.value, &request.columns,
                                          &request.conjuncts));
  }
  ASSIGN_OR_RETURN(ProcedureMetrics metrics, rewrite(name, table, request));
  if (!metrics.empty()) return metrics_result(metrics);
  return metrics_result({{"rewritten_data_files_count", 0},
                         {"removed_delete_files_count", 0},
                         {"added_data_files_count", 0}});
}

Result<ProcedureMetrics> StatementRun::rewrite(const ResolvedName& name, const TableRef& table,
                                               const RewriteRequest& request) {
  auto insert = name.connector->begin_rewrite(call_, table, request);
  if (!insert) return std::unexpected(to_trino_error(insert.error()));
  if (!*insert) return ProcedureMetrics{};
  Insert& into = **insert;
  if (!into.rewritten) return fail(Code::internal, "rewrite", "there is no scan of the files");
  // Read as they are stored: whoever may see only some of the rows rewrites all of them.
  std::string select = render_rewrite(into.target.columns, *into.rewritten, table->columns.size());
  RETURN_IF_ERROR(write_into(into, name, select, {into.rewritten->keep}));
  return into.metrics;
}

}  // namespace aichemy::sql
