// The engine under the dialect: it runs rendered DuckDB SQL and gives rows back in Trino's client
// encoding. It knows no names, no catalogs, no Trino functions; the renderer (renderer.cc) is the
// only place that writes the SQL it gets. Implemented by DuckDbEngine (duckdb_engine.h).
//
// Rules for the implementation:
//  - one connection a statement; session TimeZone is UTC; integer_division off, default order NULLS
//  LAST;
//  - at start it runs engine_prelude() (sql/native/prelude.h): our macros;
//  - `lake_scan('<handle>')` reads what a connector registered;
//  - an error that DuckDB reports comes back as Code::invalid ("engine") with DuckDB's message
//  unchanged, the kind
//    in front ("Conversion Error: ..."); engine_errors.h turns it into Trino's words. Cancelled:
//    Code::cancelled. Out of memory: Code::exhausted ("memory"). Errors of our own file system and
//    scans keep their Code and what.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/result.h"
#include "runtime/call.h"
#include "sql/connectors/connector.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct OutputColumn {
  std::string name;
  Type type;
};

struct Page {
  std::string rows_json;  // "[[1,"a"],[2,null]]"; "[]" when no rows; values encoded by Trino type
                          // (trino.md 1.6)
  uint64_t rows = 0;
  bool done = false;  // nothing comes after this page
};

struct Progress {
  double percentage = -1;  // 0..100, negative: unknown
  uint64_t rows_read = 0;
  uint64_t rows_total = 0;  // the engine's estimate of what there is to read; 0: none
  uint64_t bytes_read = 0;  // of table files
  uint64_t peak_memory_bytes = 0;
};

// Result rows, pulled by one thread at a time. cancel() and progress() may be called from any
// thread. Destroying it ends the statement and frees everything.
class RowStream {
 public:
  virtual ~RowStream() = default;
  // Blocks until rows are there; stops filling a page once it holds max_bytes of text.
  virtual Result<Page> next_page(size_t max_bytes) = 0;
  virtual Progress progress() = 0;
  virtual void cancel() = 0;
};

// Rows of a query, kept while several statements read them under the name `kept`. One thread at a
// time. Files it has written are removed with it, unless release() was called.
class KeptRows {
 public:
  virtual ~KeptRows() = default;
  virtual uint64_t rows() const = 0;
  // The second and third column, of rows where the second is not null, as files and positions in
  // them; in the order of the paths. From then on statements know them as `gone` (path, pos).
  // conflict ("repeated") when a pair comes twice.
  virtual Result<std::vector<FilePositions>> positions() = 0;
  // As Engine::write.
  virtual Result<std::vector<WrittenFile>> write(const std::string& select,
                                                 const InsertTarget& target,
                                                 std::vector<std::shared_ptr<void>> scans) = 0;
  // An Iceberg position delete file of positions()[file], beside the files of the target.
  virtual Result<PositionFile> write_positions(size_t file, const InsertTarget& target) = 0;
  virtual void release() = 0;
};

// The detail of a scan that holds its handle.
inline constexpr const char* kScanHandle = "Handle";

// One operator of a statement's plan, above its inputs. Names and details are the engine's.
struct PlanNode {
  struct Measured {
    uint64_t rows = 0;       // given to the operator above
    uint64_t rows_read = 0;  // scans: before their filters
    uint64_t bytes = 0;      // of the rows given
    double seconds = 0;      // in all threads together, without the inputs
  };
  std::string operation;  // "HASH_JOIN"
  std::vector<std::pair<std::string, std::string>> details;
  std::optional<double> rows_estimated;
  std::optional<Measured> measured;  // when the statement was run
  std::vector<PlanNode> inputs;
};

class Engine {
 public:
  virtual ~Engine() = default;
  // `scans` are kept alive until the stream is destroyed. Binding errors come from here; rows are
  // computed from the first next_page() on.
  virtual Result<std::unique_ptr<RowStream>> execute(const Call& call, const std::string& sql,
                                                     std::vector<OutputColumn> columns,
                                                     std::vector<std::shared_ptr<void>> scans) = 0;
  // Runs a SELECT into Parquet files under target.location: one or more files a partition, field
  // ids and names as in target.columns (the SELECT's column and row field names are already the
  // target's). No rows: no files. On error what was written is removed.
  virtual Result<std::vector<WrittenFile>> write(const Call& call, const std::string& select,
                                                 const InsertTarget& target,
                                                 std::vector<std::shared_ptr<void>> scans) = 0;
  virtual Result<std::unique_ptr<KeptRows>> keep(const Call& call, const std::string& sql,
                                                 std::vector<std::shared_ptr<void>> scans) = 0;
  // The plan of a SELECT. With `analyze` it is run to its end and measured.
  virtual Result<PlanNode> explain(const Call& call, const std::string& sql, bool analyze,
                                   std::vector<std::shared_ptr<void>> scans) = 0;
  // An engine for one statement, which may hold so many bytes and beyond them spills or fails. They
  // are taken from this engine's memory until it is gone. None: this engine has no more than that.
  // exhausted ("cluster_memory") when other statements leave no room.
  virtual Result<std::shared_ptr<Engine>> bounded(uint64_t, bool /*spills*/) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "The memory of single statements cannot be limited here");
  }
};

}  // namespace aichemy::sql
