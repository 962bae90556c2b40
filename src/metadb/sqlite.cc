// SQLite behind Database. The only file that sees sqlite3.h.
//
// Invariants:
// I1  Every write transaction is BEGIN IMMEDIATE under one mutex of ours, so SQLITE_BUSY comes only
//     from other processes (a backup tool), and then after busy_timeout.
// I2  synchronous=FULL with WAL: COMMIT returns after the log was fsynced.
// I3  A reader connection serves one transaction at a time and sees one snapshot from its first
//     statement on.
// I4  Migration n is recorded in the same transaction that applied it.
// I5  `watcher_` only ever asks for data_version, which a connection of SQLite's answers anew after
//     every commit of another one, of this process or not.
#include <sqlite3.h>

#include <algorithm>
#include <mutex>
#include <optional>
#include <unordered_map>

#include "metadb/connections.h"
#include "metadb/migrate.h"

namespace aichemy::metadb {

namespace {

constexpr size_t kStatementsMax = 128;  // prepared statements kept per connection
constexpr int kBusyMillis = 10'000;

struct TextHash : std::hash<std::string_view> {
  using is_transparent = void;
};

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
    for (auto& [sql, prepared] : statements_) sqlite3_finalize(prepared.statement);
    sqlite3_close(handle_);
  }

  Status execute(const std::string& sql) {
    int code = sqlite3_exec(handle_, sql.c_str(), nullptr, nullptr, nullptr);
    if (code != SQLITE_OK) return sqlite_error(handle_, code, sql);
    return {};
  }

  // `on_row` may take the row's cells away.
  Status each(std::string_view sql, const std::vector<Cell>& parameters,
              const std::function<bool(Row&)>& on_row) {
    ASSIGN_OR_RETURN(Prepared * prepared, prepare(sql));
    Status done = bind(*prepared, sql, parameters);
    if (done) done = step(prepared->statement, sql, on_row);
    sqlite3_reset(prepared->statement);
    sqlite3_clear_bindings(prepared->statement);
    return done;
  }

  int64_t changes() { return sqlite3_changes64(handle_); }

 private:
  // $n is a name to SQLite, numbered by first appearance: the numbers, looked up once.
  struct Prepared {
    sqlite3_stmt* statement = nullptr;
    std::vector<int> numbers;
  };
  sqlite3* handle_ = nullptr;
  std::unordered_map<std::string, Prepared, TextHash, std::equal_to<>> statements_;

  Result<Prepared*> prepare(std::string_view sql) {
    auto found = statements_.find(sql);
    if (found != statements_.end()) return &found->second;
    if (statements_.size() >= kStatementsMax) {
      sqlite3_finalize(statements_.begin()->second.statement);
      statements_.erase(statements_.begin());
    }
    sqlite3_stmt* statement = nullptr;
    int code = sqlite3_prepare_v3(handle_, sql.data(), static_cast<int>(sql.size()),
                                  SQLITE_PREPARE_PERSISTENT, &statement, nullptr);
    if (code != SQLITE_OK) return sqlite_error(handle_, code, sql);
    if (!statement) return fail(Code::internal, "sql", "metadata store: empty statement");
    return &statements_.emplace(sql, Prepared{statement, {}}).first->second;
  }

  Status bind(Prepared& prepared, std::string_view sql, const std::vector<Cell>& parameters) {
    for (size_t i = 0; i < parameters.size(); ++i) {
      if (i == prepared.numbers.size()) {
        std::string name = "$" + std::to_string(i + 1);
        int number = sqlite3_bind_parameter_index(prepared.statement, name.c_str());
        if (number == 0)
          return fail(Code::internal, "sql", "no parameter " + name + " in " + std::string(sql));
        prepared.numbers.push_back(number);
      }
      int code = bind_cell(prepared.statement, prepared.numbers[i], parameters[i]);
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
              const std::function<bool(Row&)>& on_row) {
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
    ASSIGN_OR_RETURN(watcher_, Connection::open(options.path, true));
    return watcher_->execute("PRAGMA busy_timeout = 0");
  }

  std::optional<int64_t> version() override {
    std::lock_guard lock(watcher_mutex_);
    std::optional<int64_t> version;
    (void)watcher_->each("PRAGMA data_version", {}, [&](Row& row) {
      version = row[0].as_int();
      return true;
    });
    return version;
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
  std::mutex watcher_mutex_;
  std::unique_ptr<Connection> watcher_;  // I5

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
