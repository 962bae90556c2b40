// Statements of console users: started by one request, read page by page by others, in order. A
// page is kept until the next one is asked for, so that a repeated request gets the same bytes; a
// slow reader costs one page. What nobody asks for during five minutes is cancelled.
//
// Or their rows go to a Parquet file: their only page says how many there are, and the file is kept
// as long as a page would be, or until it was fetched whole. Readers of slow networks hold a file
// in the store, and none of the engine's threads.
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
#include "objectstore/object_store.h"
#include "runtime/call.h"
#include "sql/executor.h"
#include "sql/query_registry.h"

namespace aichemy::serve::console {

struct QueryRequest {
  std::string user, sql;
  std::optional<std::string> catalog, schema;
  bool read_only = false;
  bool to_file = false;
};

// Removed with the last who holds it: that blocks.
class ResultFile {
 public:
  ResultFile(objectstore::ObjectStore& store, std::string key)
      : store_(store), key_(std::move(key)) {}
  ~ResultFile();
  ResultFile(const ResultFile&) = delete;
  ResultFile& operator=(const ResultFile&) = delete;
  Result<std::unique_ptr<objectstore::ObjectReader>> open(const Call& call) const;

 private:
  objectstore::ObjectStore& store_;
  std::string key_;
};

// Whether a statement only reads. SYNTAX_ERROR.
Result<bool> statement_only_reads(std::string_view sql);

class QueryDesk {
 public:
  static constexpr size_t kFilesMax = 8, kFilesOfUserMax = 3;

  QueryDesk(sql::Executor& executor, sql::QueryRegistry& registry, Clock& clock,
            objectstore::ObjectStore& store)
      : executor_(executor), registry_(registry), clock_(clock), store_(store) {}
  ~QueryDesk() { cancel_all(); }

  // Removes files that an earlier process left.
  Status remove_left_files();

  // Its id. denied ("read_only") for a statement that changes something; SYNTAX_ERROR;
  // exhausted ("too_many_queries", "too_many_files").
  Result<std::string> start(const QueryRequest& request);
  // QueryPage as JSON text. not_found ("no_such_query"), conflict ("page") when it is not the
  // current page or the next one; Trino's error names.
  Result<std::string> next(const std::string& id, const std::string& user, uint64_t page);
  Result<sql::Progress> progress(const std::string& id, const std::string& user);
  // not_found ("no_such_query", "no_file"): it has none, or not yet.
  Result<std::shared_ptr<ResultFile>> file(const std::string& id, const std::string& user);
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
    bool to_file = false;
    std::shared_ptr<ResultFile> file;  // guarded by mutex
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
  objectstore::ObjectStore& store_;
  std::mutex mutex_;
  std::map<std::string, EntryPtr> entries_;

  void reap();
  Result<EntryPtr> find(const std::string& id, const std::string& user);
  Status execute(Entry& entry);
  Status write_file(Entry& entry);
  Status has_room(const QueryRequest& request);  // mutex_ is held
  Result<std::string> make_page(Entry& entry, uint64_t page);
  void finish(Entry& entry, std::optional<Error> error);
  static void stop(Entry& entry);
};

}  // namespace aichemy::serve::console
