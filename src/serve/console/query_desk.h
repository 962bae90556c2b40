// Statements of console users: started by one request, read page by page by others, in order. A
// page is kept until the next one is asked for, so that a repeated request gets the same bytes; a
// slow reader costs one page. What nobody asks for during five minutes is cancelled.
//
// Threads: next() blocks and runs on the pool of statements; everything else answers at once.
#pragma once

#include <map>
#include <memory>
#include <mutex>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"
#include "runtime/call.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::serve::console {

struct QueryRequest {
  std::string user, sql;
  std::optional<std::string> catalog, schema;
  bool read_only = false;
};

// Whether a statement only reads. SYNTAX_ERROR.
Result<bool> statement_only_reads(std::string_view sql);

class QueryDesk {
 public:
  QueryDesk(sql::Executor& executor, sql::QueryRegistry& registry, Clock& clock)
      : executor_(executor), registry_(registry), clock_(clock) {}
  ~QueryDesk() { cancel_all(); }

  // Its id. denied ("read_only") for a statement that changes something; SYNTAX_ERROR;
  // exhausted ("too_many_queries").
  Result<std::string> start(const QueryRequest& request);
  // QueryPage as JSON text. not_found ("no_such_query"), conflict ("page") when it is not the
  // current page or the next one; Trino's error names.
  Result<std::string> next(const std::string& id, const std::string& user, uint64_t page);
  Result<sql::Progress> progress(const std::string& id, const std::string& user);
  // Absent is success.
  void cancel(const std::string& id, const std::string& user);
  void cancel_all();

 private:
  struct Entry {
    std::string user;
    sql::Session session;
    std::string sql;
    std::stop_source stop;
    Call call;
    SteadyTime began{};
    SteadyTime touched{};              // guarded by the desk's mutex
    std::mutex pull;                   // one page at a time
    uint64_t page = 0;                 // of `body`; guarded by pull
    std::string body;                  // guarded by pull
    bool executed = false;             // guarded by pull
    bool done = false;                 // guarded by pull
    std::optional<Error> failed;       // guarded by pull
    uint64_t rows = 0;                 // guarded by pull
    sql::StatementResult result;       // `rows` of it: also guarded by mutex
    std::mutex mutex;                  // never held while a page is made
    sql::RowStream* stream = nullptr;  // guarded by mutex; for cancel and progress
  };
  using EntryPtr = std::shared_ptr<Entry>;

  sql::Executor& executor_;
  sql::QueryRegistry& registry_;
  Clock& clock_;
  std::mutex mutex_;
  std::map<std::string, EntryPtr> entries_;

  void reap();
  Result<EntryPtr> find(const std::string& id, const std::string& user);
  Status execute(Entry& entry);
  Result<std::string> make_page(Entry& entry, uint64_t page);
  void finish(Entry& entry, std::optional<Error> error);
  static void stop(Entry& entry);
};

}  // namespace aichemy::serve::console
