#include "sql/engine/duckdb_kept.h"

#include <fmt/core.h>

#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <functional>
#include <stop_token>

#include "sql/engine/duckdb_file_system.h"
#include "sql/engine/duckdb_write.h"

namespace aichemy::sql {
namespace {

// Reserved field ids of position delete files (Iceberg spec, "Reserved Field IDs").
constexpr int32_t kPathFieldId = 2147483546;
constexpr int32_t kPositionFieldId = 2147483545;

template <class Fn>
auto guarded(Fn fn) -> decltype(fn()) {
  try {
    return fn();
  } catch (const std::exception& problem) {
    return std::unexpected(error_from_duckdb(duckdb::ErrorData(problem)));
  }
}

class DuckDbKeptRows final : public KeptRows {
 public:
  DuckDbKeptRows(duckdb::DuckDB& database, objectstore::ObjectStore& store, Random& random,
                 std::stop_token cancel)
      : store_(store),
        random_(random),
        connection_(database),
        cancel_(cancel),
        on_cancel_(std::move(cancel), [this] { connection_.Interrupt(); }) {}

  ~DuckDbKeptRows() override {
    for (const std::string& prefix : written_) remove_below(store_, prefix);
  }

  Status start(const std::string& sql) {
    ASSIGN_OR_RETURN(auto result, run("CREATE TEMP TABLE kept AS " + sql));
    rows_ = result->RowCount() > 0 ? result->GetValue(0, 0).GetValue<uint64_t>() : 0;
    return {};
  }

  uint64_t rows() const override { return rows_; }

  // Files are numbered, so that the rows of one are found again without comparing paths.
  Result<std::vector<FilePositions>> positions() override {
    return guarded([&]() -> Result<std::vector<FilePositions>> {
      RETURN_IF_ERROR(done(
          run("CREATE TEMP TABLE changed_files AS SELECT row_number() OVER (ORDER BY c1) - 1 "
              "AS file, c1 AS path FROM (SELECT DISTINCT c1 FROM kept WHERE c1 IS NOT NULL)")));
      RETURN_IF_ERROR(
          done(run("CREATE TEMP TABLE gone AS SELECT f.file, f.path, CAST(k.c2 AS BIGINT) AS pos "
                   "FROM kept AS k JOIN changed_files AS f ON k.c1 = f.path ORDER BY 1, 3")));
      ASSIGN_OR_RETURN(auto paths, run("SELECT path FROM changed_files ORDER BY file"));
      std::vector<FilePositions> files;
      for (duckdb::idx_t i = 0; i < paths->RowCount(); ++i)
        files.push_back({paths->GetValue(0, i).ToString(), {}});
      ASSIGN_OR_RETURN(auto gone, run("SELECT file, pos FROM gone ORDER BY 1, 2"));
      for (auto& chunk : gone->Collection().Chunks()) {
        chunk.Flatten();
        const auto* file = duckdb::FlatVector::GetData<int64_t>(chunk.data[0]);
        const auto* position = duckdb::FlatVector::GetData<int64_t>(chunk.data[1]);
        for (duckdb::idx_t i = 0; i < chunk.size(); ++i) {
          auto& positions = files[static_cast<size_t>(file[i])].positions;
          auto at = static_cast<uint64_t>(position[i]);
          if (!positions.empty() && positions.back() == at)
            return fail(Code::conflict, "repeated", "a row changes twice");
          positions.push_back(at);
        }
      }
      paths_.clear();
      for (const FilePositions& file : files) paths_.push_back(file.path);
      return files;
    });
  }

  Result<std::vector<WrittenFile>> write(const std::string& select, const InsertTarget& target,
                                         std::vector<std::shared_ptr<void>>) override {
    return guarded([&] { return copy(select, target, random_.uuid()); });
  }

  Result<PositionFile> write_positions(size_t file, const InsertTarget& beside) override {
    return guarded([&]() -> Result<PositionFile> {
      InsertTarget target;
      target.location = beside.location;
      target.holds_small_files = beside.holds_small_files && held_bytes_ < HeldFiles::kAllBytesMax;
      target.columns = {{.name = "file_path",
                         .type = Type::varchar(),
                         .field_id = {kPathFieldId, {}},
                         .required = true},
                        {.name = "pos",
                         .type = Type(TypeKind::bigint),
                         .field_id = {kPositionFieldId, {}},
                         .required = true}};
      std::string path = duckdb::Value(paths_[file]).ToSQLString();
      std::string select = fmt::format(
          "SELECT {} AS file_path, pos FROM gone WHERE file = {} ORDER BY pos", path, file);
      ASSIGN_OR_RETURN(auto written, copy(select, target, random_.uuid() + "-deletes"));
      if (written.size() != 1)
        return fail(Code::internal, "engine", "no position delete file was written");
      if (written[0].held) held_bytes_ += written[0].held->size();
      return PositionFile{paths_[file], written[0].path, written[0].rows, written[0].bytes,
                          written[0].held};
    });
  }

  void release() override { written_.clear(); }

 private:
  objectstore::ObjectStore& store_;
  Random& random_;
  duckdb::Connection connection_;
  std::stop_token cancel_;
  std::stop_callback<std::function<void()>> on_cancel_;
  uint64_t rows_ = 0;
  std::vector<std::string> paths_;    // of the files whose rows go
  std::vector<std::string> written_;  // prefixes of what was written
  size_t held_bytes_ = 0;             // of the position delete files

  using Rows = duckdb::unique_ptr<duckdb::MaterializedQueryResult>;

  Result<Rows> run(const std::string& sql) { return run_statement(connection_, sql, cancel_); }

  static Status done(const Result<Rows>& result) {
    if (result) return {};
    return std::unexpected(result.error());
  }

  Result<std::vector<WrittenFile>> copy(const std::string& select, const InsertTarget& target,
                                        const std::string& unique) {
    written_.push_back(written_prefix(target, unique));
    auto files = copy_to_lake(connection_, select, target, unique, cancel_);
    if (files && files->empty()) remove_below(store_, written_.back());
    return files;
  }
};

}  // namespace

Result<std::unique_ptr<KeptRows>> keep_rows(duckdb::DuckDB& database,
                                            objectstore::ObjectStore& store, Random& random,
                                            const Call& call, const std::string& sql,
                                            std::vector<std::shared_ptr<void>>) {
  return guarded([&]() -> Result<std::unique_ptr<KeptRows>> {
    auto kept = std::make_unique<DuckDbKeptRows>(database, store, random, call.cancel);
    RETURN_IF_ERROR(kept->start(sql));
    return kept;
  });
}

}  // namespace aichemy::sql
