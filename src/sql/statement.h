// One statement being executed: what executor.cc, execute_metadata.cc and execute_write.cc share.
// Internal.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/renderer.h"
#include "sql/executor.h"
#include "sql/language/parser.h"

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
        analyzer_(call, session, catalogs) {}

  Result<StatementResult> run(const Statement& statement);

 private:
  const ExecutorOptions& options_;
  const Catalogs& catalogs_;
  std::mutex& mutex_;
  std::set<std::string>& transactions_;
  const Call& call_;
  const Session& session_;
  std::string_view sql_;
  Analyzer analyzer_;
  int depth_ = 0;
  const std::vector<ExpressionPtr>* parameters_ = nullptr;  // of EXECUTE

  RenderOptions render_options() const {
    int64_t micros = session_.start.time_since_epoch().count();
    return {session_.time_zone, micros / 1'000'000, session_.language};
  }

  // executor.cc
  Result<StatementResult> query(const Query& query);
  Result<StatementResult> query_with_session(const Query& query);
  Result<StatementResult> run_query(const Query& query);
  Result<StatementResult> session_statement(const Statement& statement);
  Result<StatementResult> prepared_statement(const Statement& statement);
  Result<StatementResult> execute_text(const std::string& sql,
                                       const std::vector<ExpressionPtr>& arguments, Position at);
  Result<StatementResult> transaction_statement(const Statement& statement);
  Result<StatementResult> call_procedure(const Statement& statement);
  Result<std::string> prepared_text(const Statement& statement);
  // execute_explain.cc
  Result<StatementResult> explain(const Statement& statement);
  Result<std::string> explain_query(const Statement& statement);
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
  Result<StatementResult> insert(const Statement& statement);
  Result<StatementResult> create_view(const Statement& statement);
  Result<StatementResult> write_rows(Insert& insert, Connector& connector, PlanPtr plan,
                                     const char* update_type);
  Status writable(const ResolvedName& name) const;
  Result<Properties> properties(const std::vector<std::pair<Identifier, ExpressionPtr>>& list);
  Result<NewTable> new_table(const Statement& statement, const ResolvedName& name);
};

StatementResult update_result(std::string update_type);
StatementResult table_result(TextTable table, std::string query_type);
StatementResult count_result(std::string update_type, uint64_t rows);
// A connector's error at a statement's position, with its message.
Error positioned(const Error& error, Position at);
// SQL LIKE over whole text; escape 0: none. invalid when the pattern is broken.
Result<bool> like_match(std::string_view text, std::string_view pattern,
                        std::optional<char> escape);

}  // namespace aichemy::sql
