// One statement from text to rows: parse, analyse, render, run. Used by the Trino front, by jobs
// and by tests.
//
// Thread rule: execute() blocks (metadata, planning, DDL, inserts) and runs on the sql pool; the
// result's stream is pulled by one thread at a time. An Error's `what` is always a Trino error
// name; messages of user errors start with "line L:C: " where a position is known.
#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/clock.h"
#include "base/random.h"
#include "base/result.h"
#include "runtime/call.h"
#include "sql/analysis/session.h"
#include "sql/connectors/connector.h"
#include "sql/engine/engine.h"
#include "sql/connectors/exports.h"

namespace aichemy::sql {

class AccessControl;
class GrantStore;
class QueryRegistry;
class RoutineStore;
class TextScans;

struct StatementResult {
  std::vector<OutputColumn> columns;       // empty for DDL and session statements
  std::unique_ptr<RowStream> rows;         // nullptr: no rows
  std::optional<std::string> update_type;  // "CREATE TABLE"; none for queries
  std::optional<int64_t> update_count;
  SessionChanges changes;
  std::string query_type;  // SELECT, INSERT, DATA_DEFINITION, DESCRIBE, EXPLAIN
  std::vector<std::string> files;  // of write_parquet(); update_count is then the number of rows
  std::string plan_steps;  // EXPLAIN: its operators, as explain_steps() writes them; otherwise ""
};

struct ExecutorOptions {
  Engine& engine;
  Catalogs catalogs;  // by name; "system" is added by the executor
  Clock& clock;
  Random& random;
  std::string version = "483";  // version() and system.runtime.nodes
  std::string node_id = "aichemy";
  std::string environment = "aichemy";
  QueryRegistry* queries = nullptr;       // system.runtime.queries; may be null
  GrantStore* grants = nullptr;           // roles and grants; none: the statements are refused
  TextScans* texts = nullptr;             // the engine's: for listings; none: they are written out
  const AccessControl* access = nullptr;  // none: everybody may do everything
  RoutineStore* routines = nullptr;       // none: CREATE FUNCTION is refused
  // catalog.schema that unqualified names of CREATE FUNCTION mean, and the path of sessions that
  // have none; may be empty.
  std::string function_schema;
};

class Executor {
 public:
  explicit Executor(ExecutorOptions options);
  ~Executor();
  Executor(const Executor&) = delete;
  Executor& operator=(const Executor&) = delete;

  // Whether a user who has proved to be `principal` may act as another.
  bool may_impersonate(const std::string& principal, const std::string& user) const;
  Result<StatementResult> execute(const Call& call, const Session& session, std::string_view sql);
  // What ALTER TABLE EXECUTE optimize does, with these data files only. conflict ("rows_changed"):
  // others have changed them meanwhile; nothing has happened.
  Status rewrite_files(const Call& call, const Session& session, const std::string& catalog,
                       const TableName& table, const std::vector<std::string>& files);
  // A query, run to its end into a Parquet file below `location` in the bucket kExportBucket
  // (s3://bucket/folder); one of no rows has the columns. Types that Parquet lacks, or has with
  // fewer digits, become text. NOT_SUPPORTED for other statements.
  Result<StatementResult> write_parquet(const Call& call, const Session& session,
                                        std::string_view sql, const std::string& location);

 private:
  Result<StatementResult> run(const Call& call, const Session& session, std::string_view sql,
                              const std::string& export_to);
  ExecutorOptions options_;
  struct State;
  std::unique_ptr<State> state_;
};

// Rows known in advance (SHOW, DDL counts): a RowStream over one page of JSON.
std::unique_ptr<RowStream> make_row_stream(std::string rows_json, uint64_t rows);

}  // namespace aichemy::sql
