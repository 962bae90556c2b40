// One statement being executed: what executor.cc, execute_metadata.cc and execute_write.cc share.
// Internal.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/renderer.h"
#include "sql/executor.h"
#include "sql/explain.h"
#include "sql/language/parser.h"
#include "sql/routine_store.h"

namespace aichemy::sql {

// Rows of text for SHOW and EXPLAIN.
struct TextTable {
  std::vector<OutputColumn> columns;
  std::vector<std::vector<Json>> rows;
};

class StatementRun {
 public:
  StatementRun(const ExecutorOptions& options, const Catalogs& catalogs, std::mutex& mutex,
               std::set<std::string>& transactions, const Call& call, const Session& session,
               std::string_view sql)
      : options_(options),
        catalogs_(catalogs),
        mutex_(mutex),
        transactions_(transactions),
        call_(call),
        session_(session),
        sql_(sql),
        analyzer_(call, session, catalogs) {
    analyzer_.set_access(options.access);
    analyzer_.set_routines(options.routines);
    analyzer_.set_evaluator([this](const BoundPtr& value) { return evaluate(value); });
  }
  StatementRun(const StatementRun&) = delete;
  StatementRun& operator=(const StatementRun&) = delete;

  // The rows of a query then go to one file below this location.
  void set_export(std::string location) { export_to_ = std::move(location); }
  Result<StatementResult> run(const Statement& statement);
  // Of ALTER TABLE EXECUTE optimize; its metrics, none when there was nothing to rewrite.
  Result<ProcedureMetrics> rewrite(const ResolvedName& name, const TableRef& table,
                                   const RewriteRequest& request);

 private:
  const ExecutorOptions& options_;
  const Catalogs& catalogs_;
  std::mutex& mutex_;
  std::set<std::string>& transactions_;
  const Call& call_;
  const Session& session_;
  std::string_view sql_;
  Analyzer analyzer_;
  std::string export_to_;
  std::shared_ptr<Engine> own_engine_;  // when the session limits the memory of a query
  int depth_ = 0;
  const std::vector<ExpressionPtr>* parameters_ = nullptr;  // of EXECUTE

  RenderOptions render_options() const {
    int64_t micros = session_.start.time_since_epoch().count();
    return {session_.time_zone, micros / 1'000'000, session_.language};
  }

  // executor.cc
  Result<Engine*> engine();
  Result<Json> evaluate(const BoundPtr& value);
  Result<StatementResult> query(const Query& query);
  Result<StatementResult> query_with_session(const Query& query);
  Result<StatementResult> run_query(const Query& query);
  Result<StatementResult> session_statement(const Statement& statement);
  Result<StatementResult> prepared_statement(const Statement& statement);
  Result<StatementResult> execute_text(const std::string& sql,
                                       const std::vector<ExpressionPtr>& arguments, Position at);
  Result<StatementResult> transaction_statement(const Statement& statement);
  Result<std::string> prepared_text(const Statement& statement);
  // execute_export.cc
  Result<StatementResult> export_rows(PlanPtr plan);
  // execute_explain.cc
  Result<StatementResult> explain(const Statement& statement);
  Result<ExplainedPlan> explain_query(const Statement& statement);
  Result<ExplainedPlan> explained_plan(const Plan& plan, bool analyze, SteadyTime begin);
  std::string explained_text(const Statement& statement, const ExplainedPlan& plan);
  // execute_metadata.cc
  Result<StatementResult> show(const Statement& statement);
  Result<StatementResult> show_schemas(const Statement& statement);
  Result<StatementResult> show_tables(const Statement& statement);
  Result<StatementResult> show_columns(const Statement& statement);
  Result<StatementResult> show_functions(const Statement& statement);
  Result<StatementResult> show_session(const Statement& statement);
  Result<StatementResult> show_create(const Statement& statement);
  Result<StatementResult> describe_prepared(const Statement& statement);
  Result<bool> like(const Statement& statement, const std::string& text);
  // execute_write.cc
  Result<StatementResult> schema_statement(const Statement& statement);
  Result<StatementResult> create_table(const Statement& statement);
  Result<StatementResult> create_table_as(const Statement& statement);
  Result<StatementResult> drop_relation(const Statement& statement);
  Result<BoundPtr> stored_default(const ColumnInfo& column);
  Result<std::vector<BoundPtr>> defaults_of(const std::vector<const ColumnInfo*>& columns,
                                            const std::vector<std::optional<size_t>>& sources);
  Status no_rows_go_into(const Statement& statement, const ResolvedName& name);
  Result<StatementResult> insert(const Statement& statement);
  Result<StatementResult> create_view(const Statement& statement);
  Result<StatementResult> write_rows(Insert& insert, const ResolvedName& name, PlanPtr plan,
                                     const char* update_type);
  Result<uint64_t> write_into(Insert& insert, const ResolvedName& name, const std::string& select,
                              std::vector<std::shared_ptr<void>> scans);
  // What session properties say of how files are written.
  void follow_session(const ResolvedName& name, InsertTarget& target) const;
  // execute_materialized.cc
  Result<StatementResult> materialized_view(const Statement& statement);
  Result<StatementResult> create_materialized(const Statement& statement, const ResolvedName& name,
                                              MaterializedViews& views);
  Result<StatementResult> refresh_materialized(const Statement& statement, const ResolvedName& name,
                                               MaterializedViews& views);
  Result<StatementResult> alter_materialized(const Statement& statement, const ResolvedName& name,
                                             MaterializedViews& views);
  Result<std::string> show_materialized(const Statement& statement, const ResolvedName& name);
  // execute_change.cc
  Result<StatementResult> change(const Statement& statement);
  Result<StatementResult> try_change(const Statement& statement);
  Result<StatementResult> truncate(const Statement& statement);
  Result<ExplainedPlan> explain_change(const Statement& statement);
  Status write_changes(Change& change, RowChanger& changer, KeptRows& kept, const ChangePlan& plan);
  Status writable(const ResolvedName& name) const;
  // execute_alter.cc
  Result<StatementResult> alter(const Statement& statement);
  Result<StatementResult> alter_schema(const Statement& statement);
  Result<StatementResult> alter_table(const Statement& statement);
  Result<StatementResult> alter_view(const Statement& statement);
  Result<StatementResult> refresh_view(const Statement& statement, const ResolvedName& name,
                                       View view);
  Result<StatementResult> rename_table(const Statement& statement);
  Status renamed(const ResolvedName& from, const ResolvedName& to);
  Result<StatementResult> comment_column(const Statement& statement);
  Result<StatementResult> branch_statement(const Statement& statement);
  Result<ResolvedName> rename_target(const Statement& statement, const ResolvedName& from);
  Result<bool> add_column(const Statement& statement, const Table& table, TableChange& change);
  Result<bool> drop_column(const Statement& statement, const Table& table, TableChange& change);
  Result<bool> rename_column(const Statement& statement, const Table& table, TableChange& change);
  Status change_column(const Statement& statement, const Table& table, TableChange& change);
  Status change_properties(const Statement& statement, TableChange& change);
  Result<std::string> default_value(const Expression& expression, const Type& type);
  std::unexpected<Error> no_such_table(const Statement& statement, const ResolvedName& name,
                                       const std::string& hint);
  // execute_routine.cc
  Result<StatementResult> routine_statement(const Statement& statement);
  Result<StatementResult> create_function(const Statement& statement, const ResolvedName& name);
  Result<StatementResult> drop_function(const Statement& statement, const ResolvedName& name);
  Result<StatementResult> show_create_function(const Statement& statement);
  Result<StatementResult> set_path(const Statement& statement);
  Result<ResolvedName> function_name(const Statement& statement);
  Status may_drop_function(const StoredRoutine& routine);
  Status list_routines(const Statement& statement, const std::string& catalog,
                       const std::string& schema, TextTable& table);
  // execute_access.cc
  Result<StatementResult> access(const Statement& statement);
  Result<StatementResult> role_statement(const Statement& statement);
  Result<StatementResult> grant_roles(const Statement& statement);
  Result<StatementResult> grant_privileges(const Statement& statement);
  Result<StatementResult> show_grants(const Statement& statement);
  Status may_hand_on(Action action, const std::string& role);
  Status may_grant(Action action, const AccessObject& object, const std::string& privilege);
  // denied ("PERMISSION_DENIED") in Trino's words.
  Status allowed(Action action, const ResolvedName& name, const std::string& detail = "");
  Status procedure_allowed_on_table(const ResolvedName& procedure, const Procedure& declared,
                                    const std::vector<std::optional<std::string>>& values);
  Status allowed_schema(Action action, const ResolvedName& name, const std::string& detail = "");
  bool sees(const AccessObject& object) const;
  // execute_statistics.cc
  Result<StatementResult> analyze_table(const Statement& statement);
  Result<StatementResult> show_stats(const Statement& statement);
  Result<bool> sees_all_rows(const ResolvedName& name, const Table& table);
  // A column of a table and the call that hashes its values.
  struct HashedColumn {
    size_t column = 0;
    std::string hash;
  };
  Result<std::vector<DistinctHashes>> distinct_hashes(const ResolvedName& name,
                                                      std::span<const HashedColumn> columns,
                                                      Position at);
  Result<std::optional<TableStatistics>> whole_table(const Plan& plan);
  // execute_procedure.cc
  Status no_row_rules(const Statement& statement, const ResolvedName& name) const;
  Result<StatementResult> table_execute(const Statement& statement);
  Result<StatementResult> optimize(const Statement& statement, const ResolvedName& name,
                                   const TableRef& table, const std::string& threshold);
  Result<StatementResult> call_procedure(const Statement& statement);
  Result<std::vector<std::optional<std::string>>> bind_arguments(const Statement& statement,
                                                                 const Procedure& procedure);
  Status kill_query(const std::string& id, const std::optional<std::string>& message);
  std::map<std::string, std::string> catalog_session(const std::string& catalog) const;
  Result<Properties> properties(const std::vector<std::pair<Identifier, ExpressionPtr>>& list);
  // INVALID_COLUMN_PROPERTY for one that the table's connector does not have.
  Result<Properties> column_properties(const ColumnDefinition& column, const ResolvedName& table);
  Status like_columns(const ColumnDefinition& definition, const Table& table, NewTable& made);
  Result<NewTable> new_table(const Statement& statement, const ResolvedName& name);
};

// A name as SQL, and a property's text: JSON arrays become ARRAY[...], numbers and booleans stay,
// the rest is quoted.
std::string quoted_if_needed(const std::string& name);
std::string property_sql(const std::string& text);

StatementResult update_result(std::string update_type);
StatementResult table_result(TextTable table, std::string query_type);
StatementResult count_result(std::string update_type, uint64_t rows);
// A connector's error at a statement's position, with its message.
Error positioned(const Error& error, Position at);
// SQL LIKE over whole text; escape 0: none. invalid when the pattern is broken.
Result<bool> like_match(std::string_view text, std::string_view pattern,
                        std::optional<char> escape);

}  // namespace aichemy::sql
