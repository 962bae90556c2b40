// SQLite behind Database. The only file that sees sqlite3.h.
//
// Invariants:
// I1  Every write transaction is BEGIN IMMEDIATE under one mutex of ours, so SQLITE_BUSY comes only
//     from other processes (a backup tool), and then after busy_timeout.
// I2  synchronous=FULL with WAL: COMMIT returns after the log was fsynced.
// I3  A reader connection serves one transaction at a time and sees one snapshot from its first
//     statement on.
// I4  Migration n is recorded in the same transaction that applied it.
#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <unordered_map>

#include "metadb/connections.h"
#include "metadb/migrate.h"

namespace aichemy::metadb {

namespace {

constexpr size_t kStatementsMax = 128;  // prepared statements kept per connection
constexpr int kBusyMillis = 10'000;

struct ErrorRow {
  int code;  // extended or primary result code of sqlite3
  Code ours;
  const char* what;
};
constexpr ErrorRow kErrors[] = {
    {SQLITE_CONSTRAINT_UNIQUE, Code::exists, "unique"},
    {SQLITE_CONSTRAINT_PRIMARYKEY, Code::exists, "unique"},
    {SQLITE_CONSTRAINT_FOREIGNKEY, Code::conflict, "foreign_key"},
    {SQLITE_FULL, Code::exhausted, "disk_full"},
    {SQLITE_BUSY, Code::unavailable, "metadb_busy"},
    {SQLITE_LOCKED, Code::unavailable, "metadb_busy"},
    {SQLITE_IOERR, Code::unavailable, "metadb"},
    {SQLITE_CANTOPEN, Code::unavailable, "metadb"},
    {SQLITE_READONLY, Code::unavailable, "metadb"},
    {SQLITE_CORRUPT, Code::corrupt, "metadb"},
    {SQLITE_NOTADB, Code::corrupt, "metadb"},
};

std::unexpected<Error> sqlite_error(sqlite3* handle, int code, std::string_view doing) {
  std::string message = "metadata store: ";
  message += handle ? sqlite3_errmsg(handle) : sqlite3_errstr(code);
  message += " while running: ";
  message += doing.substr(0, 200);
  int extended = handle ? sqlite3_extended_errcode(handle) : code;
  for (const ErrorRow& row : kErrors) {
    if (row.code == extended) return fail(row.ours, row.what, std::move(message));
  }
  for (const ErrorRow& row : kErrors) {
    if (row.code == (code & 0xff)) return fail(row.ours, row.what, std::move(message));
  }
  return fail(Code::internal, "sql", std::move(message));
}

// One sqlite3 handle with its statements. Used by one thread at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const std::string& path, bool read_only) {
    auto connection = std::make_unique<Connection>();
    int flags = SQLITE_OPEN_NOMUTEX |
                (read_only ? SQLITE_OPEN_READONLY : SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE);
    int code = sqlite3_open_v2(path.c_str(), &connection->handle_, flags, nullptr);
    if (code != SQLITE_OK) return sqlite_error(connection->handle_, code, "open " + path);
    sqlite3_extended_result_codes(connection->handle_, 1);
    sqlite3_busy_timeout(connection->handle_, kBusyMillis);
    RETURN_IF_ERROR(connection->execute("PRAGMA foreign_keys = ON"));
    if (!read_only) {
      RETURN_IF_ERROR(connection->execute("PRAGMA journal_mode = WAL"));
      RETURN_IF_ERROR(connection->execute("PRAGMA synchronous = FULL"));
    }
    return connection;
  }

  ~Connection() {
    for (auto& [sql, statement] : statements_) sqlite3_finalize(statement);
    sqlite3_close(handle_);
  }

  Status execute(const std::string& sql) {
    int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(handle_, code, sql);
    return {};
  }

  Status each(std::string_view sql, const std::vector<Cell>& parameters,
              const std::function<bool(const Row&)>& on_row) {
    ASSIGN_OR_RETURN(sqlite3_stmt * statement, prepare(sql));
    Status done = bind(statement, sql, parameters);
    if (done) done = step(statement, sql, on_row);
    sqlite3_reset(statement);
    sqlite3_clear_bindings(statement);
    return done;
  }

  int64_t changes() { return sqlite3_changes64(handle_); }

 private:
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, sqlite3_stmt*> statements_;

  Result<sqlite3_stmt*> prepare(std::string_view sql) {
    auto found = statements_.find(std::string(sql));
    if (found != statements_.end()) return found->second;
    if (statements_.size() >= kStatementsMax) {
      sqlite3_finalize(statements_.begin()->second);
      statements_.erase(statements_.begin());
    }
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return sqlite_error(handle_, code, sql);
    if (!statement) return fail(Code::internal, "sql", "metadata store: empty statement");
    statements_.emplace(sql, statement);
    return statement;
  }

  // $n is a name to SQLite, numbered by first appearance: look the names up.
  Status bind(sqlite3_stmt* statement, std::string_view sql, const std::vector<Cell>& parameters) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      std::string name = "$" + std::to_string(i + 1);
      int index = sqlite3_bind_parameter_index(statement, name.c_str());
      if (index == 0)
        return fail(Code::internal, "sql", "no parameter " + name + " in " + std::string(sql));
      int code = bind_cell(statement, index, parameters[i]);
      if (code != SQLITE_OK) return sqlite_error(handle_, code, sql);
    }
    return {};
  }

  static int bind_cell(sqlite3_stmt* statement, int index, const Cell& cell) {
    if (auto* integer = std::get_if<int64_t>(&cell.raw())) {
      return sqlite3_bind_int64(statement, index, *integer);
    }
    if (auto* real = std::get_if<double>(&cell.raw()))
      return sqlite3_bind_double(statement, index, *real);
    if (auto* text = std::get_if<std::string>(&cell.raw())) {
      return sqlite3_bind_text64(statement, index, text->data(), text->size(), SQLITE_STATIC,
                                 SQLITE_UTF8);
    }
    return sqlite3_bind_null(statement, index);
  }

  Status step(sqlite3_stmt* statement, std::string_view sql,
              const std::function<bool(const Row&)>& on_row) {
    while (true) {
      int code = sqlite3_step(statement);
      if (code == SQLITE_DONE) return {};
      if (code != SQLITE_ROW) return sqlite_error(handle_, code, sql);
      Row row;
      int count = sqlite3_column_count(statement);
      row.reserve(static_cast<size_t>(count));
      for (int i = 0; i < count; ++i) row.push_back(column(statement, i));
      if (!on_row(row)) return {};
    }
  }

  static Cell column(sqlite3_stmt* statement, int index) {
    switch (sqlite3_column_type(statement, index)) {
      case SQLITE_INTEGER: return Cell(int64_t{sqlite3_column_int64(statement, index)});
      case SQLITE_FLOAT: return Cell(sqlite3_column_double(statement, index));
      case SQLITE_NULL: return {};
      default: {
        const void* bytes = sqlite3_column_blob(statement, index);
        auto size = static_cast<size_t>(sqlite3_column_bytes(statement, index));
        return Cell(std::string(static_cast<const char*>(bytes ? bytes : ""), size));
      }
    }
  }
};

class SqliteDatabase final : public Database {
 public:
  Status start(const SqliteOptions& options) {
    ASSIGN_OR_RETURN(writer_, Connection::open(options.path, false));
    MigrationTarget target{
        .execute = [&](const std::string& sql) { return writer_->execute(sql); },
        .transaction = [&](const auto& fn) { return run_on(*writer_, "BEGIN IMMEDIATE", fn); }};
    RETURN_IF_ERROR(migrate(target));
    for (int i = 0; i < std::max(1, options.readers); ++i) {
      ASSIGN_OR_RETURN(auto reader, Connection::open(options.path, true));
      readers_.put(std::move(reader));
    }
    return {};
  }

 protected:
  Status run_transaction(bool write, const std::function<Status(Transaction&)>& fn) override {
    if (write) {
      std::lock_guard lock(writer_mutex_);
      return run_on(*writer_, "BEGIN IMMEDIATE", fn);
    }
    auto reader = readers_.take();
    Status done = run_on(*reader, "BEGIN", fn);
    readers_.put(std::move(reader));
    return done;
  }

 private:
  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  ReaderPool<Connection> readers_;

  static Status run_on(Connection& connection, const char* begin,
                       const std::function<Status(Transaction&)>& fn) {
    RETURN_IF_ERROR(connection.execute(begin));
    TransactionOn<Connection> transaction(connection);
    Status done = fn(transaction);
    if (done) done = connection.execute("COMMIT");
    // A failed COMMIT may have ended the transaction already; the answer stays the first error.
    if (!done) (void)connection.execute("ROLLBACK");
    return done;
  }
};

}  // namespace

Result<std::unique_ptr<Database>> Database::open_sqlite(const SqliteOptions& options) {
  auto database = std::make_unique<SqliteDatabase>();
  RETURN_IF_ERROR(database->start(options));
  return database;
}

}  // namespace aichemy::metadb
