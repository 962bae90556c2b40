// PostgreSQL behind Database. The only file that sees libpq.
//
// Invariants:
// I1  One aichemy a schema: the writer's session holds an advisory lock named after the schema. So
//     writers take turns by a mutex of ours, as with SQLite, and what catalog and jobs keep in
//     memory stays true. A session that was lost is opened anew and takes the lock again first.
// I2  synchronous_commit = on: COMMIT returns after the server's log was flushed.
// I3  A read is REPEATABLE READ READ ONLY: one snapshot from its first statement on.
// I4  A connection that breaks during COMMIT leaves no doubt where that can be had: the transaction
//     was given an id before, and the server is asked what became of it. Where it cannot be asked,
//     the answer is commit_unknown, and nobody removes the files of that commit.
//
// The SQL is the one that SQLite runs; only types differ: a BLOB is a BYTEA, and TEXT compares by
// bytes (COLLATE "C") as SQLite's does. Text goes both ways in binary form, so no byte is escaped.
// A NUL in a TEXT column is refused by the server ("text_with_nul").
#include <libpq-fe.h>

#include <algorithm>
#include <bit>
#include <chrono>
#include <mutex>
#include <regex>
#include <thread>
#include <unordered_map>

#include "base/bytes.h"
#include "metadb/connections.h"
#include "metadb/foreign.h"
#include "metadb/migrate.h"

namespace aichemy::metadb {

namespace {

constexpr size_t kStatementsMax = 128;  // prepared statements kept per connection
constexpr int kOldestServer = 130000;   // pg_xact_status(xid8)
constexpr int kBetweenAttemptsMillis = 100;

// Type ids of pg_type that never change.
constexpr Oid kBool = 16, kInt8 = 20, kInt2 = 21, kInt4 = 23, kFloat8 = 701;

struct ErrorRow {
  std::string_view state;  // SQLSTATE, or its class of two characters
  Code ours;
  const char* what;
};
constexpr ErrorRow kErrors[] = {
    {"23505", Code::exists, "unique"},         {"23503", Code::conflict, "foreign_key"},
    {"53100", Code::exhausted, "disk_full"},   {"53", Code::unavailable, "metadb"},
    {"40", Code::unavailable, "metadb_busy"},  {"55P03", Code::unavailable, "metadb_busy"},
    {"57", Code::unavailable, "metadb"},       {"08", Code::unavailable, "metadb"},
    {"58", Code::unavailable, "metadb"},       {"28", Code::denied, "metadb_denied"},
    {"3D", Code::not_found, "metadb_absent"},  {"3F", Code::not_found, "metadb_absent"},
    {"42501", Code::denied, "metadb_denied"},  {"22021", Code::invalid, "text_with_nul"},
    {"22P05", Code::invalid, "text_with_nul"}, {"XX001", Code::corrupt, "metadb"},
    {"XX002", Code::corrupt, "metadb"},
};

std::string trimmed(const char* text) {
  std::string out = text ? text : "";
  while (!out.empty() && (out.back() == '\n' || out.back() == ' ')) out.pop_back();
  return out;
}

std::string quoted(const std::string& name) {
  std::string out = "\"";
  for (char c : name) out += c == '"' ? std::string("\"\"") : std::string(1, c);
  return out + '"';
}

struct FreeResult {
  void operator()(PGresult* result) const { PQclear(result); }
};
using Answer = std::unique_ptr<PGresult, FreeResult>;

std::unexpected<Error> server_error(const PGresult* result, PGconn* connection,
                                    std::string_view doing) {
  const char* state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : nullptr;
  const char* primary = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : nullptr;
  std::string message = "metadata store (PostgreSQL): ";
  message += primary ? primary : trimmed(PQerrorMessage(connection));
  message += " while running: ";
  message += doing.substr(0, 200);
  // Without a state it is libpq that speaks: the connection.
  if (!state) return fail(Code::unavailable, "metadb", std::move(message));
  for (const ErrorRow& row : kErrors) {
    if (std::string_view(state).starts_with(row.state))
      return fail(row.ours, row.what, std::move(message));
  }
  return fail(Code::internal, "sql", std::move(message));
}

// Parameters in the form libpq takes them.
class Parameters {
 public:
  explicit Parameters(const std::vector<Cell>& cells) : texts_(cells.size()) {
    for (size_t i = 0; i < cells.size(); ++i) add(cells[i], texts_[i]);
  }

  int count() const { return static_cast<int>(values_.size()); }
  const Oid* types() const { return types_.data(); }
  const char* const* values() const { return values_.data(); }
  const int* lengths() const { return lengths_.data(); }
  const int* formats() const { return formats_.data(); }
  // A statement is prepared for its parameters' types.
  std::string signature() const {
    std::string out;
    for (Oid type : types_) out += type == kInt8 ? 'i' : type == kFloat8 ? 'd' : 't';
    return out;
  }

 private:
  std::vector<std::string> texts_;
  std::vector<Oid> types_;
  std::vector<const char*> values_;
  std::vector<int> lengths_, formats_;

  void add(const Cell& cell, std::string& room) {
    Oid type = 0;  // the server infers it: text or bytea, whose binary forms are the bytes
    const std::string* text = &room;
    if (const auto* integer = std::get_if<int64_t>(&cell.raw())) {
      type = kInt8;
      room.resize(8);
      store_big(room.data(), static_cast<uint64_t>(*integer));
    } else if (const auto* real = std::get_if<double>(&cell.raw())) {
      type = kFloat8;
      room.resize(8);
      store_big(room.data(), std::bit_cast<uint64_t>(*real));
    } else if (const auto* bytes = std::get_if<std::string>(&cell.raw())) {
      text = bytes;  // outlives the call: it is the caller's
    }
    types_.push_back(type);
    values_.push_back(cell.is_null() ? nullptr : text->data());
    lengths_.push_back(static_cast<int>(text->size()));
    formats_.push_back(1);
  }
};

Cell column(const PGresult* result, int row, int index) {
  if (PQgetisnull(result, row, index)) return {};
  const char* bytes = PQgetvalue(result, row, index);
  auto size = static_cast<size_t>(PQgetlength(result, row, index));
  switch (PQftype(result, index)) {
    case kInt8: return Cell(static_cast<int64_t>(load_big<uint64_t>(bytes)));
    case kInt4: return Cell(int64_t{static_cast<int32_t>(load_big<uint32_t>(bytes))});
    case kInt2: return Cell(int64_t{static_cast<int16_t>(load_big<uint16_t>(bytes))});
    case kBool: return Cell(int64_t{*bytes});
    case kFloat8: return Cell(std::bit_cast<double>(load_big<uint64_t>(bytes)));
    default: return Cell(std::string(bytes, size));
  }
}

// One session with its prepared statements. Used by one thread at a time.
class Connection {
 public:
  static Result<std::unique_ptr<Connection>> open(const Database::PostgresqlOptions& options) {
    auto connection = std::make_unique<Connection>();
    // What the address says comes later and wins, but for the encoding.
    const char* names[] = {"connect_timeout", "application_name", "tcp_user_timeout",
                           "dbname",          "client_encoding",  nullptr};
    const char* values[] = {"10", "aichemy", "30000", options.uri.c_str(), "UTF8", nullptr};
    connection->handle_ = PQconnectdbParams(names, values, 1);
    if (!connection->alive()) {
      return fail(Code::unavailable, "metadb",
                  "metadata store (PostgreSQL): " + trimmed(PQerrorMessage(connection->handle_)));
    }
    PQsetNoticeProcessor(connection->handle_, [](void*, const char*) {}, nullptr);
    RETURN_IF_ERROR(connection->execute("SET synchronous_commit = on"));
    if (!options.schema.empty())
      RETURN_IF_ERROR(connection->execute("SET search_path = " + quoted(options.schema)));
    return connection;
  }

  Connection() = default;
  Connection(const Connection&) = delete;
  ~Connection() { PQfinish(handle_); }

  bool alive() const { return PQstatus(handle_) == CONNECTION_OK; }

  Status execute(const std::string& sql) {
    Answer answer(PQexec(handle_, sql.c_str()));
    return check(answer.get(), sql);
  }

  Status each(std::string_view sql, const std::vector<Cell>& cells,
              const std::function<bool(const Row&)>& on_row) {
    Parameters parameters(cells);
    ASSIGN_OR_RETURN(std::string name, prepare(sql, parameters));
    changes_ = 0;
    int sent = PQsendQueryPrepared(handle_, name.c_str(), parameters.count(), parameters.values(),
                                   parameters.lengths(), parameters.formats(), 1);
    if (sent == 0) return server_error(nullptr, handle_, sql);
    PQsetSingleRowMode(handle_);
    return receive(sql, on_row);
  }

  Result<std::vector<Row>> query(std::string_view sql, const std::vector<Cell>& parameters) {
    std::vector<Row> rows;
    RETURN_IF_ERROR(each(sql, parameters, [&](const Row& row) {
      rows.push_back(row);
      return true;
    }));
    return rows;
  }

  int64_t changes() const { return changes_; }

 private:
  PGconn* handle_ = nullptr;
  std::unordered_map<std::string, std::string> statements_;  // sql and signature -> name
  uint64_t statements_made_ = 0;
  int64_t changes_ = 0;

  Status check(const PGresult* result, std::string_view doing) {
    switch (PQresultStatus(result)) {
      case PGRES_COMMAND_OK:
      case PGRES_TUPLES_OK:
      case PGRES_SINGLE_TUPLE:
      case PGRES_EMPTY_QUERY: return {};
      default: return server_error(result, handle_, doing);
    }
  }

  Result<std::string> prepare(std::string_view sql, const Parameters& parameters) {
    std::string key = parameters.signature() + ' ' + std::string(sql);
    auto found = statements_.find(key);
    if (found != statements_.end()) return found->second;
    if (statements_.size() >= kStatementsMax) {
      RETURN_IF_ERROR(execute("DEALLOCATE " + statements_.begin()->second));
      statements_.erase(statements_.begin());
    }
    std::string name = "s" + std::to_string(++statements_made_);
    Answer answer(PQprepare(handle_, name.c_str(), std::string(sql).c_str(), parameters.count(),
                            parameters.types()));
    RETURN_IF_ERROR(check(answer.get(), sql));
    statements_.emplace(std::move(key), name);
    return name;
  }

  // Reads the answer to its end even when nobody wants the rest: the session is used again.
  Status receive(std::string_view sql, const std::function<bool(const Row&)>& on_row) {
    Status done;
    bool wanted = true;
    while (Answer answer{PQgetResult(handle_)}) {
      if (Status checked = check(answer.get(), sql); !checked) done = checked;
      if (PQresultStatus(answer.get()) == PGRES_COMMAND_OK)
        changes_ = strtoll(PQcmdTuples(answer.get()), nullptr, 10);
      for (int row = 0; wanted && done && row < PQntuples(answer.get()); ++row) {
        Row cells;
        for (int i = 0; i < PQnfields(answer.get()); ++i)
          cells.push_back(column(answer.get(), row, i));
        wanted = on_row(cells);
      }
    }
    return done;
  }
};

// The types of a migration, which is written with SQLite's.
std::string in_dialect(const std::string& sql) {
  static const std::regex kText(R"(\bTEXT\b)"), kBlob(R"(\bBLOB\b)");
  return std::regex_replace(std::regex_replace(sql, kText, "TEXT COLLATE \"C\""), kBlob, "BYTEA");
}

class PostgresqlDatabase final : public Database {
 public:
  Status start(const PostgresqlOptions& options) {
    options_ = options;
    attempts_ = std::max(1, options.wait_millis / kBetweenAttemptsMillis);
    RETURN_IF_ERROR(open_writer(attempts_));
    RETURN_IF_ERROR(check_server());
    MigrationTarget target{
        .execute = [&](const std::string& sql) { return writer_->execute(in_dialect(sql)); },
        .transaction = [&](const auto& fn) { return run_on(*writer_, kBeginWrite, fn); }};
    RETURN_IF_ERROR(migrate(target));
    for (int i = 0; i < std::max(1, options.readers); ++i) readers_.put(nullptr);
    return {};
  }

 protected:
  Status run_transaction(bool write, const std::function<Status(Transaction&)>& fn) override {
    return write ? run_write(fn) : run_read(fn);
  }

 private:
  static constexpr const char* kBeginWrite = "BEGIN ISOLATION LEVEL READ COMMITTED";
  static constexpr const char* kBeginRead = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

  PostgresqlOptions options_;
  int attempts_ = 1;
  std::mutex writer_mutex_;
  std::unique_ptr<Connection> writer_;
  ReaderPool<Connection> readers_;

  static void pause() {
    std::this_thread::sleep_for(std::chrono::milliseconds(kBetweenAttemptsMillis));
  }

  Status check_server() {
    ASSIGN_OR_RETURN(auto rows,
                     writer_->query("SELECT current_setting('server_version_num')::bigint, "
                                    "current_setting('server_encoding')",
                                    {}));
    if (rows[0][0].as_int() < kOldestServer) {
      return fail(Code::unsupported, "metadb_old",
                  "the metadata store's PostgreSQL is older than 13: use 13 or newer");
    }
    if (rows[0][1].as_text() != "UTF8") {
      return fail(Code::unsupported, "metadb_encoding",
                  "the metadata store's database has the encoding " + rows[0][1].as_text() +
                      ": create it with ENCODING 'UTF8'");
    }
    // Asked for first: an owner may have made the schema for a role that may not make one.
    ASSIGN_OR_RETURN(
        rows, writer_->query("SELECT 1 FROM pg_namespace WHERE nspname = $1", {options_.schema}));
    if (!rows.empty()) return {};
    return writer_->execute("CREATE SCHEMA IF NOT EXISTS " + quoted(options_.schema));
  }

  // The writer's session, which holds the schema's lock. A server that is not there is asked that
  // often; a lock that our own last session may still hold is waited for in any case.
  Status open_writer(int attempts_to_connect) {
    writer_.reset();
    Status failure;
    for (int attempt = 0; attempt < attempts_; ++attempt) {
      if (attempt > 0) pause();
      auto opened = Connection::open(options_);
      if (!opened) {
        failure = std::unexpected(opened.error());
        if (attempt + 1 >= attempts_to_connect) return failure;
        continue;
      }
      ASSIGN_OR_RETURN(
          auto rows,
          (*opened)->query("SELECT pg_try_advisory_lock(hashtext('aichemy'), hashtext($1))",
                           {options_.schema}));
      if (rows[0][0].as_int() != 0) {
        writer_ = std::move(*opened);
        return {};
      }
      failure = fail(Code::conflict, "metadb_in_use",
                     "another aichemy uses this metadata store: stop it, or give each a schema of "
                     "its own (metadata_schema)");
    }
    return failure;
  }

  // The first statement finds out whether an idle session still lives.
  Status begin(std::unique_ptr<Connection>& connection, const char* statement,
               const std::function<Status()>& reopen) {
    if (connection && connection->alive()) {
      Status begun = connection->execute(statement);
      if (begun || begun.error().code != Code::unavailable) return begun;
    }
    RETURN_IF_ERROR(reopen());
    return connection->execute(statement);
  }

  static Status run_on(Connection& connection, const char* statement,
                       const std::function<Status(Transaction&)>& fn) {
    RETURN_IF_ERROR(connection.execute(statement));
    TransactionOn<Connection> transaction(connection);
    Status done = fn(transaction);
    if (done) return connection.execute("COMMIT");
    (void)connection.execute("ROLLBACK");
    return done;
  }

  Status run_read(const std::function<Status(Transaction&)>& fn) {
    auto reader = readers_.take();
    Status done = begin(reader, kBeginRead, [&]() -> Status {
      ASSIGN_OR_RETURN(reader, Connection::open(options_));
      return {};
    });
    if (done) {
      TransactionOn<Connection> transaction(*reader);
      done = fn(transaction);
      (void)reader->execute("ROLLBACK");  // nothing was written
    }
    readers_.put(std::move(reader));
    return done;
  }

  Status run_write(const std::function<Status(Transaction&)>& fn) {
    std::lock_guard lock(writer_mutex_);
    RETURN_IF_ERROR(begin(writer_, kBeginWrite, [&] { return open_writer(1); }));
    TransactionOn<Connection> transaction(*writer_);
    Status done = fn(transaction);
    if (!done) {
      (void)writer_->execute("ROLLBACK");
      return done;
    }
    return commit();
  }

  Status commit() {
    ASSIGN_OR_RETURN(
        auto rows,
        writer_->query("SELECT coalesce(pg_current_xact_id_if_assigned()::text, '')", {}));
    std::string id = rows[0][0].as_text();
    Status done = writer_->execute("COMMIT");
    if (done || writer_->alive() || id.empty()) return done;
    return outcome_of(id, done);
  }

  // The connection broke in the commit.
  Status outcome_of(const std::string& id, const Status& broken) {
    std::string state;
    for (int attempt = 0; attempt < attempts_ && (state.empty() || state == "in progress");
         ++attempt) {
      if (attempt > 0) pause();
      if ((!writer_ || !writer_->alive()) && !open_writer(1)) continue;
      auto rows = writer_->query("SELECT coalesce(pg_xact_status($1::text::xid8), '')", {id});
      if (rows) state = (*rows)[0][0].as_text();
    }
    if (state == "committed") return {};
    if (state == "aborted") return broken;
    return fail(Code::internal, "commit_unknown",
                broken.error().message + "; whether it was committed could not be found out");
  }
};

// Another program's database: one session, nothing of ours in it.
class ForeignDatabase final : public Database {
 public:
  explicit ForeignDatabase(std::unique_ptr<Connection> connection)
      : connection_(std::move(connection)) {}

 protected:
  Status run_transaction(bool write, const std::function<Status(Transaction&)>& fn) override {
    std::lock_guard lock(mutex_);
    RETURN_IF_ERROR(connection_->execute(write
                                             ? "BEGIN ISOLATION LEVEL REPEATABLE READ"
                                             : "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"));
    TransactionOn<Connection> transaction(*connection_);
    Status done = fn(transaction);
    if (done) return connection_->execute("COMMIT");
    (void)connection_->execute("ROLLBACK");
    return done;
  }

 private:
  std::mutex mutex_;
  std::unique_ptr<Connection> connection_;
};

}  // namespace

Result<std::unique_ptr<Database>> open_foreign_postgresql(const std::string& uri) {
  ASSIGN_OR_RETURN(auto connection, Connection::open({.uri = uri, .schema = ""}));
  return std::make_unique<ForeignDatabase>(std::move(connection));
}

Result<std::unique_ptr<Database>> Database::open_postgresql(const PostgresqlOptions& options) {
  auto database = std::make_unique<PostgresqlDatabase>();
  RETURN_IF_ERROR(database->start(options));
  return database;
}

}  // namespace aichemy::metadb
