// The transactional store of names, jobs and users: a narrow face over a SQL database, so that
// catalog and jobs are written once: SQLite (embedded) or PostgreSQL, with the same SQL. Parameters
// are $1, $2, ...; types are written only in migrations, as TEXT, BIGINT and BLOB.
//
// Life cycle: open() applies the missing migrations (migrations/*.sql, embedded at build), refuses
// a database written by a newer program, and is ready. Blocking, thread safe: one writer at a time,
// readers beside it on a snapshot of their own. A returned transaction() is durable (WAL,
// synchronous=FULL).
//
// A PostgreSQL store belongs to one running aichemy at a time. Sessions that break are opened anew;
// while the server is away everything answers unavailable at once.
//
// Errors: exists ("unique") when a unique key is taken, conflict ("foreign_key"), exhausted
// ("disk_full"), unavailable ("metadb", "metadb_busy"), corrupt ("metadb"), internal ("sql") for a
// statement of ours that is wrong; and whatever the function returned. With PostgreSQL also invalid
// ("text_with_nul"), and internal ("commit_unknown") when the server was lost during a commit
// and could not be asked what became of it.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <variant>
#include <vector>

#include "base/result.h"

namespace aichemy::metadb {

// A parameter or a column: null, integer, real or bytes (text is UTF-8 bytes).
class Cell {
 public:
  Cell() = default;
  Cell(std::nullptr_t) {}
  Cell(bool value) : value_(int64_t{value}) {}
  Cell(int value) : value_(int64_t{value}) {}
  Cell(int64_t value) : value_(value) {}
  Cell(double value) : value_(value) {}
  Cell(std::string value) : value_(std::move(value)) {}
  Cell(std::string_view value) : value_(std::string(value)) {}
  Cell(const char* value) : value_(std::string(value)) {}

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  int64_t as_int(int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  const std::string& as_text() const;  // "" when of another kind

  const std::variant<std::monostate, int64_t, double, std::string>& raw() const { return value_; }

 private:
  std::variant<std::monostate, int64_t, double, std::string> value_;
};

using Row = std::vector<Cell>;

// Only valid inside the function it was given to.
class Transaction {
 public:
  virtual ~Transaction() = default;
  // Number of rows changed.
  virtual Result<int64_t> run(std::string_view sql, const std::vector<Cell>& parameters = {}) = 0;
  virtual Result<std::vector<Row>> query(std::string_view sql,
                                         const std::vector<Cell>& parameters = {}) = 0;
  // For results too large to hold: `each` returns false to stop.
  virtual Status each(std::string_view sql, const std::vector<Cell>& parameters,
                      const std::function<bool(const Row&)>& row) = 0;
};

class Database {
 public:
  struct SqliteOptions {
    std::string path;  // of the file; its directory must exist
    int readers = 4;
  };
  static Result<std::unique_ptr<Database>> open_sqlite(const SqliteOptions& options);

  struct PostgresqlOptions {
    std::string uri;  // postgresql://USER:PASSWORD@HOST:PORT/DATABASE?sslmode=... as libpq takes it
    std::string schema = "aichemy";  // made when it is not there
    int readers = 4;
    // For a server that is starting, for the last aichemy's session to end, and for an answer about
    // a commit that was cut off.
    int wait_millis = 5000;
  };
  static Result<std::unique_ptr<Database>> open_postgresql(const PostgresqlOptions& options);

  virtual ~Database() = default;

  // A number that changes with every commit, whoever made it: what was read after version() was
  // asked for still holds while it answers the same. Takes microseconds, waits for nobody. None
  // when that cannot be had, as with PostgreSQL, where it would cost as much as the reading.
  virtual std::optional<int64_t> version() { return std::nullopt; }

  // Runs fn(Transaction&), which returns Status or Result<T>: committed and durable when it
  // succeeds, undone when it fails. Writers take turns. fn must not start another transaction.
  template <class Fn>
  std::invoke_result_t<Fn, Transaction&> transaction(Fn fn) {
    return wrap(fn, true);
  }
  // The same on a snapshot; a write inside is an error.
  template <class Fn>
  std::invoke_result_t<Fn, Transaction&> read(Fn fn) {
    return wrap(fn, false);
  }

 protected:
  virtual Status run_transaction(bool write, const std::function<Status(Transaction&)>& fn) = 0;

 private:
  template <class Fn>
  std::invoke_result_t<Fn, Transaction&> wrap(Fn& fn, bool write) {
    using Answer = std::invoke_result_t<Fn, Transaction&>;
    if constexpr (std::is_same_v<Answer, Status>) {
      return run_transaction(write, fn);
    } else {
      Answer answer = fail(Code::internal, "transaction", "the function did not run");
      Status done = run_transaction(write, [&](Transaction& transaction) -> Status {
        answer = fn(transaction);
        if (!answer) return std::unexpected(answer.error());
        return {};
      });
      if (!done) return std::unexpected(done.error());
      return answer;
    }
  }
};

}  // namespace aichemy::metadb
