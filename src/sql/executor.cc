#include "sql/executor.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/table_change.h"
#include "sql/connectors/tpch_connector.h"
#include "sql/engine/engine_errors.h"
#include "sql/grant_store.h"
#include "sql/language/lexer.h"
#include "sql/query_registry.h"
#include "sql/session_properties.h"
#include "sql/statement.h"
#include "sql/system_catalog.h"

namespace aichemy::sql {
namespace {

class FixedRows final : public RowStream {
 public:
  FixedRows(std::string rows, uint64_t count) : rows_(std::move(rows)), count_(count) {}
  Result<Page> next_page(size_t) override {
    Page page;
    page.done = true;
    page.rows = std::exchange(count_, 0);
    page.rows_json = std::exchange(rows_, "[]");
    return page;
  }
  Progress progress() override { return {.percentage = 100}; }
  void cancel() override {}

 private:
  std::string rows_;
  uint64_t count_;
};

Type variants_as_json(Type type) {
  if (type.is(TypeKind::variant)) return Type(TypeKind::json);
  for (auto& field : type.fields) field.type = variants_as_json(field.type);
  return type;
}

// Engine errors become Trino's where rows are pulled.
class TrinoRows final : public RowStream {
 public:
  explicit TrinoRows(std::unique_ptr<RowStream> inner) : inner_(std::move(inner)) {}
  Result<Page> next_page(size_t max_bytes) override {
    auto page = inner_->next_page(max_bytes);
    if (!page) return std::unexpected(engine_error_to_trino(page.error()));
    return page;
  }
  Progress progress() override { return inner_->progress(); }
  void cancel() override { inner_->cancel(); }

 private:
  std::unique_ptr<RowStream> inner_;
};

}  // namespace

std::unique_ptr<RowStream> make_row_stream(std::string rows_json, uint64_t rows) {
  return std::make_unique<FixedRows>(std::move(rows_json), rows);
}

StatementResult update_result(std::string update_type) {
  StatementResult result;
  result.update_type = std::move(update_type);
  result.query_type = "DATA_DEFINITION";
  return result;
}

StatementResult count_result(std::string update_type, uint64_t rows) {
  StatementResult result;
  result.columns = {{"rows", Type(TypeKind::bigint)}};
  result.rows = make_row_stream(fmt::format("[[{}]]", rows), 1);
  result.update_type = std::move(update_type);
  result.update_count = static_cast<int64_t>(rows);
  result.query_type = "INSERT";
  return result;
}

StatementResult table_result(TextTable table, std::string query_type) {
  StatementResult result;
  Json rows = Json::array();
  uint64_t count = table.rows.size();
  for (auto& row : table.rows) {
    Json cells = Json::array();
    for (auto& cell : row) cells.push(std::move(cell));
    rows.push(std::move(cells));
  }
  result.columns = std::move(table.columns);
  result.rows = make_row_stream(rows.dump(), count);
  result.query_type = std::move(query_type);
  return result;
}

Error positioned(const Error& error, Position at) {
  Error shown = to_trino_error(error);
  if (!shown.message.starts_with("line "))
    shown.message = fmt::format("line {}:{}: {}", at.line, at.column, shown.message);
  return shown;
}

struct Executor::State {
  std::vector<std::unique_ptr<Connector>>
      own;  // system, and information_schema around each catalog
  Catalogs catalogs;
  std::mutex mutex;
  std::set<std::string> transactions;
};

Executor::Executor(ExecutorOptions options)
    : options_(std::move(options)), state_(std::make_unique<State>()) {
  state_->own.push_back(make_system_catalog(options_, state_->catalogs));
  Connector* system = state_->own.back().get();
  auto add = [&](const std::string& name, Connector& connector) {
    state_->own.push_back(with_information_schema(options_, name, connector));
    state_->catalogs[name] = state_->own.back().get();
  };
  for (const auto& [name, connector] : options_.catalogs) add(name, *connector);
  add("system", *system);
  if (!state_->catalogs.contains("tpch")) {
    state_->own.push_back(make_tpch_connector());
    add("tpch", *state_->own.back());
  }
}

Executor::~Executor() = default;

bool Executor::may_impersonate(const std::string& principal, const std::string& user) const {
  if (principal == user) return true;
  if (!options_.access) return false;
  Session session;
  session.user = principal;
  auto roles = enabled_roles(options_.grants, session);
  if (!roles) return false;
  return check_access(options_.access, {principal, std::move(*roles)}, Action::impersonate,
                      {principal, "", ""}, user)
      .has_value();
}

Result<StatementResult> Executor::execute(const Call& call, const Session& session,
                                          std::string_view sql) {
  return run(call, session, sql, "");
}

Result<StatementResult> Executor::write_parquet(const Call& call, const Session& session,
                                                std::string_view sql, const std::string& location) {
  return run(call, session, sql, location);
}

Result<StatementResult> Executor::run(const Call& call, const Session& session,
                                      std::string_view sql, const std::string& export_to) {
  for (const auto& [name, value] : session.properties) {
    if (!is_session_property(name)) {
      return fail(Code::invalid, "INVALID_SESSION_PROPERTY",
                  fmt::format("Session property '{}' does not exist", name));
    }
    RETURN_IF_ERROR(check_session_text(name, value));
  }
  auto parsed = parse_statement(sql);
  if (!parsed) return std::unexpected(parsed.error());
  if (session.transaction) {
    std::lock_guard lock(state_->mutex);
    if (!state_->transactions.contains(*session.transaction)) {
      return fail(Code::invalid, "UNKNOWN_TRANSACTION",
                  fmt::format("Unknown transaction ID: {}. Possibly expired? Commands ignored "
                              "until end of transaction block",
                              *session.transaction));
    }
  }
  auto zone = session.properties.find("time_zone_id");
  Session zoned = session;
  if (zone != session.properties.end()) zoned.time_zone = zone->second;
  if (zoned.path.empty()) zoned.path = options_.function_schema;
  ASSIGN_OR_RETURN(zoned.roles, enabled_roles(options_.grants, session));
  RETURN_IF_ERROR(
      check_access(options_.access, {zoned.user, zoned.roles}, Action::execute_query, {}));
  StatementRun run(options_, state_->catalogs, state_->mutex, state_->transactions, call, zoned,
                   sql);
  run.set_export(export_to);
  auto result = run.run(**parsed);
  if (!result) return std::unexpected(engine_error_to_trino(result.error()));
  return result;
}

Status Executor::rewrite_files(const Call& call, const Session& session, const std::string& catalog,
                               const TableName& table, const std::vector<std::string>& files) {
  auto connector = state_->catalogs.find(catalog);
  if (connector == state_->catalogs.end())
    return fail(Code::not_found, "CATALOG_NOT_FOUND", "there is no catalog " + catalog);
  ResolvedName name{catalog, table.schema, table.table, connector->second};
  ASSIGN_OR_RETURN(TableRef found, name.connector->get_table(call, table));
  if (!found) return fail(Code::not_found, "TABLE_NOT_FOUND", "there is no table " + table.table);
  StatementRun run(options_, state_->catalogs, state_->mutex, state_->transactions, call, session,
                   "");
  auto done = run.rewrite(name, found, {.files = files});
  if (!done) return std::unexpected(done.error());
  return {};
}

// ---- one statement ----

Result<StatementResult> StatementRun::run(const Statement& statement) {
  if (++depth_ > 10)
    return fail(Code::invalid, "NOT_SUPPORTED", "statements are nested too deeply");
  if (!export_to_.empty() && statement.kind != StatementKind::query) {
    return semantic_error("NOT_SUPPORTED", statement.at,
                          "only the rows of a query are written to a Parquet file");
  }
  switch (statement.kind) {
    case StatementKind::query: return query(*statement.query);
    case StatementKind::create_schema:
    case StatementKind::drop_schema: return schema_statement(statement);
    case StatementKind::create_table: return create_table(statement);
    case StatementKind::create_table_as: return create_table_as(statement);
    case StatementKind::drop_table:
    case StatementKind::drop_view: return drop_relation(statement);
    case StatementKind::create_materialized_view:
    case StatementKind::drop_materialized_view:
    case StatementKind::refresh_materialized_view:
    case StatementKind::alter_materialized_view: return materialized_view(statement);
    case StatementKind::insert: return insert(statement);
    case StatementKind::truncate_table: return truncate(statement);
    case StatementKind::delete_rows:
    case StatementKind::update_rows:
    case StatementKind::merge_rows: return change(statement);
    case StatementKind::create_view: return create_view(statement);
    case StatementKind::show_catalogs:
    case StatementKind::show_schemas:
    case StatementKind::show_tables:
    case StatementKind::show_columns:
    case StatementKind::show_functions:
    case StatementKind::show_session:
    case StatementKind::show_create: return show(statement);
    case StatementKind::explain: return explain(statement);
    case StatementKind::use:
    case StatementKind::set_session:
    case StatementKind::reset_session:
    case StatementKind::set_time_zone:
    case StatementKind::set_path:
    case StatementKind::set_role:
    case StatementKind::set_authorization:
    case StatementKind::reset_authorization: return session_statement(statement);
    case StatementKind::prepare:
    case StatementKind::execute:
    case StatementKind::execute_immediate:
    case StatementKind::deallocate: return prepared_statement(statement);
    case StatementKind::describe_input:
    case StatementKind::describe_output: return describe_prepared(statement);
    case StatementKind::start_transaction:
    case StatementKind::commit:
    case StatementKind::rollback: return transaction_statement(statement);
    case StatementKind::call: return call_procedure(statement);
    case StatementKind::alter: return alter(statement);
    case StatementKind::analyze: return analyze_table(statement);
    case StatementKind::show_stats: return show_stats(statement);
    case StatementKind::access: return access(statement);
    case StatementKind::create_function:
    case StatementKind::drop_function: return routine_statement(statement);
    case StatementKind::refused: break;
  }
  return semantic_error("NOT_SUPPORTED", statement.at,
                        fmt::format("{} is not supported yet", statement.sql));
}

// What runs the statement's query.
Result<Engine*> StatementRun::engine() {
  auto limit = memory_limit(session_.properties);
  if (!limit) return &options_.engine;
  if (!own_engine_) {
    auto spills = session_.properties.find("spill_enabled");
    bool may_spill = spills != session_.properties.end() && lower_case(spills->second) == "true";
    auto bounded = options_.engine.bounded(limit->bytes, may_spill);
    if (!bounded) return std::unexpected(in_words_of(*limit, std::move(bounded.error())));
    if (!*bounded) return &options_.engine;
    own_engine_ = limited_engine(std::move(*bounded), std::move(*limit));
  }
  return own_engine_.get();
}

Result<Json> StatementRun::evaluate(const BoundPtr& value) {
  std::string sql = "SELECT " + render_expression(*value, render_options()) + " AS c0";
  ASSIGN_OR_RETURN(auto rows, options_.engine.execute(call_, sql, {{"value", value->type}}, {}));
  ASSIGN_OR_RETURN(Page page, rows->next_page(1 << 16));
  ASSIGN_OR_RETURN(Json json, Json::parse(page.rows_json));
  if (json.as_array().empty()) return Json();
  return json.as_array()[0].as_array()[0];
}

// WITH SESSION: the query in a session of its own.
Result<StatementResult> StatementRun::query_with_session(const Query& query) {
  Session session = session_;
  std::set<std::string> seen;
  for (const auto& [name, expression] : query.session) {
    std::string key;
    for (const auto& part : name) key += (key.empty() ? "" : ".") + part.lower();
    if (!is_session_property(key)) {
      return semantic_error("INVALID_SESSION_PROPERTY", name[0].at,
                            fmt::format("Session property '{}' does not exist", key));
    }
    if (!seen.insert(key).second) {
      return semantic_error("INVALID_SESSION_PROPERTY", name[0].at,
                            fmt::format("Session property '{}' already set", key));
    }
    ASSIGN_OR_RETURN(BoundPtr value, analyzer_.constant(*expression));
    auto valid = check_session_value(key, value->type, value->text);
    if (!valid) return std::unexpected(positioned(valid.error(), expression->at));
    session.properties[key] = value->text;
    if (key == "time_zone_id") session.time_zone = value->text;
  }
  StatementRun inner(options_, catalogs_, mutex_, transactions_, call_, session, sql_);
  inner.analyzer_.set_parameters(parameters_, false);
  inner.set_export(export_to_);
  return inner.run_query(query);
}

Result<StatementResult> StatementRun::query(const Query& query) {
  return query.session.empty() ? run_query(query) : query_with_session(query);
}

Result<StatementResult> StatementRun::run_query(const Query& query) {
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(query));
  if (!export_to_.empty()) return export_rows(std::move(plan));
  if (!session_.variant) {  // such a client takes them as JSON
    std::vector<Type> types;
    for (const auto& field : plan->fields) types.push_back(variants_as_json(field.type));
    plan = analyzer_.cast_columns(std::move(plan), types);
  }
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans));
  StatementResult result;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    result.columns.push_back(
        {plan->fields[i].name.value_or(fmt::format("_col{}", i)), plan->fields[i].type});
  }
  if (options_.queries) options_.queries->executing(session_.query_id);
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(auto rows, by->execute(call_, render(*plan, render_options()), result.columns,
                                          std::move(scans)));
  result.rows = std::make_unique<TrinoRows>(std::move(rows));
  result.query_type = "SELECT";
  return result;
}

// lint: table, one case a statement
Result<StatementResult> StatementRun::session_statement(const Statement& s) {
  switch (s.kind) {
    case StatementKind::use: {
      StatementResult result = update_result("USE");
      if (s.name.size() > 2) return syntax_error(s.at, "USE takes a schema name");
      if (s.name.size() == 1 && !session_.catalog) {
        return semantic_error("MISSING_CATALOG_NAME", s.at,
                              "Catalog must be specified when session catalog is not set");
      }
      std::string catalog = s.name.size() == 2 ? s.name[0].lower() : *session_.catalog,
                  schema = s.name.back().lower();
      auto found = catalogs_.find(catalog);
      if (found == catalogs_.end())
        return fail(Code::not_found, "NOT_FOUND", "Catalog does not exist: " + catalog);
      ASSIGN_OR_RETURN(bool exists, found->second->schema_exists(call_, schema));
      if (!exists)
        return fail(Code::not_found, "NOT_FOUND",
                    fmt::format("Schema does not exist: {}.{}", catalog, schema));
      if (s.name.size() == 2) result.changes.set_catalog = catalog;
      result.changes.set_schema = schema;
      return result;
    }
    case StatementKind::set_session:
    case StatementKind::reset_session: {
      std::string name;
      for (const auto& part : s.name) name += (name.empty() ? "" : ".") + part.lower();
      bool reset = s.kind == StatementKind::reset_session;
      if (s.name.size() == 2 && !catalogs_.contains(s.name[0].lower())) {
        return semantic_error("CATALOG_NOT_FOUND", s.at,
                              fmt::format("Catalog '{}' not found", s.name[0].lower()));
      }
      if (!is_session_property(name)) {
        Position at = s.value ? s.value->at : s.at;
        return semantic_error("INVALID_SESSION_PROPERTY", at,
                              fmt::format("Session property '{}' does not exist", name));
      }
      bool catalog_property = s.name.size() == 2;
      RETURN_IF_ERROR(
          check_access(options_.access, {session_.user, session_.roles},
                       catalog_property ? Action::catalog_property : Action::system_property,
                       {catalog_property ? s.name[0].lower() : "", "", ""}, s.name.back().lower()));
      StatementResult result = update_result(reset ? "RESET SESSION" : "SET SESSION");
      if (reset) {
        result.changes.clear_properties.push_back(name);
        return result;
      }
      ASSIGN_OR_RETURN(BoundPtr value, analyzer_.constant(*s.value));
      while (value->kind == Bound::Kind::cast) value = value->args[0];
      if (value->kind != Bound::Kind::literal || value->null) {
        return semantic_error("INVALID_SESSION_PROPERTY", s.value->at,
                              "Session property value must be a constant");
      }
      auto valid = check_session_value(name, value->type, value->text);
      if (!valid)
        return semantic_error("INVALID_SESSION_PROPERTY", s.value->at, valid.error().message);
      result.changes.set_properties[name] = value->text;
      return result;
    }
    case StatementKind::set_time_zone: {
      StatementResult result = update_result("SET TIME ZONE");
      if (!s.value) {
        result.changes.clear_properties.push_back("time_zone_id");
        return result;
      }
      ASSIGN_OR_RETURN(BoundPtr value, analyzer_.constant(*s.value));
      std::string zone = value->text;
      if (value->type.is(TypeKind::interval_day_time)) {
        int64_t minutes = std::strtoll(value->text.c_str(), nullptr, 10) / 60000;
        zone = fmt::format("{}{:02}:{:02}", minutes < 0 ? '-' : '+', std::abs(minutes) / 60,
                           std::abs(minutes) % 60);
      } else if (!value->type.is(TypeKind::varchar)) {
        return semantic_error(
            "TYPE_MISMATCH", s.value->at,
            fmt::format(
                "Expected expression of varchar or interval day-time type, but '{}' has {} type",
                value->text, value->type.display()));
      }
      result.changes.set_properties["time_zone_id"] = zone;
      return result;
    }
    case StatementKind::set_path: return set_path(s);
    case StatementKind::set_role: {
      StatementResult result = update_result("SET ROLE");
      if (!s.name.empty()) {
        return semantic_error(
            "NOT_SUPPORTED", s.at,
            fmt::format("Catalog '{}' does not support role management", s.name[0].lower()));
      }
      std::string role = lower_case(s.sql);
      if (options_.grants && role != "all" && role != "none") {
        if (!options_.grants->has_role(role)) {
          return semantic_error("ROLE_NOT_FOUND", s.at,
                                fmt::format("Role '{}' does not exist", role));
        }
        Session asked = session_;
        asked.role = "ROLE{" + role + "}";
        RETURN_IF_ERROR(enabled_roles(options_.grants, asked));
      }
      result.changes.set_roles["system"] = lower_case(s.sql) == "all"    ? "ALL"
                                           : lower_case(s.sql) == "none" ? "NONE"
                                                                         : "ROLE{" + s.sql + "}";
      return result;
    }
    case StatementKind::set_authorization:
      if (s.sql != session_.user) {
        if (!options_.access)
          return access_denied(
              fmt::format("User {} cannot impersonate user {}", session_.user, s.sql));
        RETURN_IF_ERROR(check_access(options_.access, {session_.user, session_.roles},
                                     Action::impersonate, {session_.user, "", ""}, s.sql));
      }
      [[fallthrough]];
    default: {
      bool reset = s.kind == StatementKind::reset_authorization;
      StatementResult result =
          update_result(reset ? "RESET SESSION AUTHORIZATION" : "SET SESSION AUTHORIZATION");
      if (reset)
        result.changes.reset_authorization_user = true;
      else
        result.changes.set_authorization_user = s.sql;
      return result;
    }
  }
}

Result<std::string> StatementRun::prepared_text(const Statement& statement) {
  auto found = session_.prepared.find(statement.name[0].text);
  if (found == session_.prepared.end()) found = session_.prepared.find(statement.name[0].lower());
  if (found == session_.prepared.end()) {
    return fail(Code::not_found, "NOT_FOUND",
                "Prepared statement not found: " + statement.name[0].lower());
  }
  return found->second;
}

Result<StatementResult> StatementRun::execute_text(const std::string& sql,
                                                   const std::vector<ExpressionPtr>& arguments,
                                                   Position at) {
  ASSIGN_OR_RETURN(auto parsed, parse_statement(sql));
  if (parsed->parameters != static_cast<int>(arguments.size())) {
    return semantic_error("INVALID_PARAMETER_USAGE", at,
                          fmt::format("Incorrect number of parameters: expected {} but found {}",
                                      parsed->parameters, arguments.size()));
  }
  switch (parsed->kind) {
    case StatementKind::prepare:
    case StatementKind::execute:
    case StatementKind::execute_immediate:
    case StatementKind::deallocate:
      return fail(Code::invalid, "NOT_SUPPORTED", "Invalid statement type for prepared statement");
    default: break;
  }
  analyzer_.set_parameters(&arguments, false);
  parameters_ = &arguments;
  std::string_view saved = std::exchange(sql_, sql);
  auto result = run(*parsed);
  sql_ = saved;
  return result;
}

Result<StatementResult> StatementRun::prepared_statement(const Statement& s) {
  if (s.kind == StatementKind::execute) {
    ASSIGN_OR_RETURN(std::string text, prepared_text(s));
    return execute_text(text, s.args, s.at);
  }
  if (s.kind == StatementKind::execute_immediate) return execute_text(s.value->text, s.args, s.at);
  if (s.kind == StatementKind::deallocate) {
    RETURN_IF_ERROR(prepared_text(s));
    StatementResult result = update_result("DEALLOCATE");
    result.changes.deallocated_prepared.push_back(s.name[0].lower());
    return result;
  }
  std::string text(sql_.substr(s.query_begin, s.query_end - s.query_begin));
  auto parsed = parse_statement(text);
  for (auto [kind, name] :
       {std::pair(StatementKind::prepare, "PREPARE"), std::pair(StatementKind::execute, "EXECUTE"),
        std::pair(StatementKind::deallocate, "DEALLOCATE")}) {
    if (!parsed || (*parsed)->kind != kind) continue;
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Invalid statement type for prepared statement: {}", name));
  }
  StatementResult result = update_result("PREPARE");
  result.changes.added_prepared[s.name[0].lower()] = std::move(text);
  return result;
}

Result<StatementResult> StatementRun::transaction_statement(const Statement& s) {
  std::lock_guard lock(mutex_);
  if (s.kind == StatementKind::start_transaction) {
    if (session_.transaction)
      return fail(Code::invalid, "NOT_SUPPORTED", "Nested transactions not supported");
    if (!session_.client_transactions)
      return fail(Code::invalid, "INCOMPATIBLE_CLIENT", "Client does not support transactions");
    StatementResult result = update_result("START TRANSACTION");
    std::string id = options_.random.uuid();
    if (transactions_.size() > 10'000)
      transactions_.clear();  // abandoned ones: nothing is held for them
    transactions_.insert(id);
    result.changes.started_transaction = id;
    return result;
  }
  if (!session_.transaction)
    return fail(Code::invalid, "NOT_IN_TRANSACTION", "No transaction in progress");
  transactions_.erase(*session_.transaction);
  StatementResult result = update_result(s.kind == StatementKind::commit ? "COMMIT" : "ROLLBACK");
  result.changes.clear_transaction = true;
  return result;
}

}  // namespace aichemy::sql
