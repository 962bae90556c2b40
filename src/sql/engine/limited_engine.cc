#include "sql/engine/limited_engine.h"

#include <fmt/format.h>

namespace aichemy::sql {

Error in_words_of(const MemoryLimit& limit, Error error) {
  bool spilled = error.message.contains("max_temp_directory_size");  // has an error of its own
  if (!error.is("engine") || error.code != Code::exhausted || spilled) return error;
  if (!limit.per_node) return Error{Code::exhausted, "EXCEEDED_GLOBAL_MEMORY_LIMIT", limit.message};
  std::string_view why = error.message;
  constexpr std::string_view kKind = "Out of Memory Error: ";
  if (why.starts_with(kKind)) why.remove_prefix(kKind.size());
  return Error{Code::exhausted, "EXCEEDED_LOCAL_MEMORY_LIMIT",
               fmt::format("{} [{}]", limit.message, why.substr(0, why.find('\n')))};
}

namespace {

class Words {
 public:
  explicit Words(MemoryLimit limit) : limit_(std::move(limit)) {}

  template <class T>
  Result<T> of(Result<T> made) const {
    if (made) return made;
    return std::unexpected(in_words_of(limit_, std::move(made.error())));
  }

 private:
  MemoryLimit limit_;
};

struct Source {
  std::shared_ptr<Engine> engine;
  Words words;
};

class LimitedRows final : public RowStream {
 public:
  LimitedRows(Source source, std::unique_ptr<RowStream> rows)
      : source_(std::move(source)), rows_(std::move(rows)) {}
  Result<Page> next_page(size_t max_bytes) override {
    return source_.words.of(rows_->next_page(max_bytes));
  }
  Progress progress() override { return rows_->progress(); }
  void cancel() override { rows_->cancel(); }

 private:
  Source source_;  // outlives the rows
  std::unique_ptr<RowStream> rows_;
};

class LimitedKept final : public KeptRows {
 public:
  LimitedKept(Source source, std::unique_ptr<KeptRows> rows)
      : source_(std::move(source)), rows_(std::move(rows)) {}
  uint64_t rows() const override { return rows_->rows(); }
  Result<std::vector<FilePositions>> positions() override {
    return source_.words.of(rows_->positions());
  }
  Result<std::vector<WrittenFile>> write(const std::string& select, const InsertTarget& target,
                                         std::vector<std::shared_ptr<void>> scans) override {
    return source_.words.of(rows_->write(select, target, std::move(scans)));
  }
  Result<PositionFile> write_positions(size_t file, const InsertTarget& target) override {
    return source_.words.of(rows_->write_positions(file, target));
  }
  void release() override { rows_->release(); }

 private:
  Source source_;
  std::unique_ptr<KeptRows> rows_;
};

class LimitedEngine final : public Engine {
 public:
  explicit LimitedEngine(Source source) : source_(std::move(source)) {}
  Result<std::unique_ptr<RowStream>> execute(const Call& call, const std::string& sql,
                                             std::vector<OutputColumn> columns,
                                             std::vector<std::shared_ptr<void>> scans) override {
    ASSIGN_OR_RETURN(auto rows, source_.words.of(source_.engine->execute(
                                    call, sql, std::move(columns), std::move(scans))));
    return std::make_unique<LimitedRows>(source_, std::move(rows));
  }
  Result<std::vector<WrittenFile>> write(const Call& call, const std::string& select,
                                         const InsertTarget& target,
                                         std::vector<std::shared_ptr<void>> scans) override {
    return source_.words.of(source_.engine->write(call, select, target, std::move(scans)));
  }
  Result<std::unique_ptr<KeptRows>> keep(const Call& call, const std::string& sql,
                                         std::vector<std::shared_ptr<void>> scans) override {
    ASSIGN_OR_RETURN(auto rows,
                     source_.words.of(source_.engine->keep(call, sql, std::move(scans))));
    return std::make_unique<LimitedKept>(source_, std::move(rows));
  }
  Result<PlanNode> explain(const Call& call, const std::string& sql, bool analyze,
                           std::vector<std::shared_ptr<void>> scans) override {
    return source_.words.of(source_.engine->explain(call, sql, analyze, std::move(scans)));
  }

 private:
  Source source_;
};

}  // namespace

std::shared_ptr<Engine> limited_engine(std::shared_ptr<Engine> engine, MemoryLimit limit) {
  return std::make_shared<LimitedEngine>(Source{std::move(engine), Words(std::move(limit))});
}

}  // namespace aichemy::sql
