#include "sql/engine/row_collector.h"

#include <duckdb/common/types/column/column_data_collection.hpp>
#include <duckdb/execution/operator/helper/physical_result_collector.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/main/client_context.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <duckdb/main/prepared_statement_data.hpp>
#include <utility>

#include "sql/engine/duckdb_encode.h"

namespace aichemy::sql {
namespace {

constexpr size_t kRowsAheadBytes = 4 << 20;  // with less the threads stop and start too often
constexpr size_t kPieceBytes = 256 << 10;

struct LocalRows final : duckdb::LocalSinkState {
  RowQueue::Piece piece;
};

struct GlobalRows final : duckdb::GlobalSinkState {
  explicit GlobalRows(duckdb::ClientProperties client) : properties(std::move(client)) {}
  duckdb::ClientProperties properties;
};

class RowCollector final : public duckdb::PhysicalResultCollector {
 public:
  RowCollector(duckdb::PhysicalPlan& plan, duckdb::PreparedStatementData& data, bool parallel,
               std::shared_ptr<RowQueue> rows)
      : PhysicalResultCollector(plan, data), parallel_(parallel), rows_(std::move(rows)) {}

  duckdb::SinkResultType Sink(duckdb::ExecutionContext&, duckdb::DataChunk& chunk,
                              duckdb::OperatorSinkInput& input) const override {
    if (!rows_->has_room(input.interrupt_state)) return duckdb::SinkResultType::BLOCKED;
    auto& piece = input.local_state.Cast<LocalRows>().piece;
    append_rows_json(piece.rows_json, chunk, rows_->columns());
    // One more of the same will come: many, then the text need not grow step by step.
    if (piece.rows == 0 && chunk.size() == STANDARD_VECTOR_SIZE &&
        piece.rows_json.size() < kPieceBytes)
      piece.rows_json.reserve(kPieceBytes + 2 * piece.rows_json.size());
    piece.rows += chunk.size();
    if (piece.rows_json.size() >= kPieceBytes) rows_->put(std::exchange(piece, {}));
    return duckdb::SinkResultType::NEED_MORE_INPUT;
  }

  duckdb::SinkCombineResultType Combine(duckdb::ExecutionContext&,
                                        duckdb::OperatorSinkCombineInput& input) const override {
    auto& piece = input.local_state.Cast<LocalRows>().piece;
    if (piece.rows > 0) rows_->put(std::exchange(piece, {}));
    return duckdb::SinkCombineResultType::FINISHED;
  }

  // The rows are in the queue; this is only that there was no error.
  duckdb::unique_ptr<duckdb::QueryResult> GetResult(duckdb::GlobalSinkState& state) override {
    auto none = duckdb::make_uniq<duckdb::ColumnDataCollection>(
        duckdb::Allocator::DefaultAllocator(), types);
    return duckdb::make_uniq<duckdb::MaterializedQueryResult>(
        statement_type, properties, names, std::move(none), state.Cast<GlobalRows>().properties);
  }

  duckdb::unique_ptr<duckdb::LocalSinkState> GetLocalSinkState(
      duckdb::ExecutionContext&) const override {
    return duckdb::make_uniq<LocalRows>();
  }
  duckdb::unique_ptr<duckdb::GlobalSinkState> GetGlobalSinkState(
      duckdb::ClientContext& context) const override {
    return duckdb::make_uniq<GlobalRows>(context.GetClientProperties());
  }
  bool ParallelSink() const override { return parallel_; }
  bool SinkOrderDependent() const override { return !parallel_; }

 private:
  bool parallel_;
  std::shared_ptr<RowQueue> rows_;
};

}  // namespace

bool RowQueue::has_room(const duckdb::InterruptState& blocked) {
  std::lock_guard lock(mutex_);
  if (bytes_ < kRowsAheadBytes) return true;
  blocked_.push_back(blocked);
  return false;
}

void RowQueue::put(Piece piece) {
  {
    std::lock_guard lock(mutex_);
    bytes_ += piece.rows_json.size();
    pieces_.push_back(std::move(piece));
  }
  arrived_.notify_one();
}

void RowQueue::take(Page& page, size_t max_bytes) {
  std::vector<duckdb::InterruptState> woken;
  {
    std::lock_guard lock(mutex_);
    while (!pieces_.empty() && page.rows_json.size() < max_bytes) {
      Piece& piece = pieces_.front();
      if (page.rows > 0) page.rows_json += ',';
      page.rows_json += piece.rows_json;
      page.rows += piece.rows;
      bytes_ -= piece.rows_json.size();
      pieces_.pop_front();
    }
    if (bytes_ < kRowsAheadBytes / 2) woken.swap(blocked_);
  }
  for (const auto& state : woken) state.Callback();
}

void RowQueue::wait(std::chrono::microseconds most) {
  std::unique_lock lock(mutex_);
  arrived_.wait_for(lock, most, [this] { return !pieces_.empty(); });
}

duckdb::get_result_collector_t collect_rows_into(std::shared_ptr<RowQueue> rows) {
  return
      [rows = std::move(rows)](duckdb::ClientContext& context,
                               duckdb::PreparedStatementData& data) -> duckdb::PhysicalOperator& {
        duckdb::PhysicalPlan& plan = *data.physical_plan;
        bool ordered = duckdb::PhysicalPlanGenerator::PreserveInsertionOrder(context, plan.Root());
        return plan.Make<RowCollector>(data, !ordered, rows);
      };
}

}  // namespace aichemy::sql
