// DELETE, UPDATE, MERGE and TRUNCATE.
//
// The rows to change are computed once, against one version of the table, and kept by the engine;
// files follow from them, then one commit. When others have changed what was read, all of it is
// forgotten and the statement begins again.
#include <fmt/format.h>

#include "sql/engine/engine_errors.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

constexpr int kAttemptsMax = 10;

struct ChangeRow {
  StatementKind statement;
  Change::Kind kind;
  const char* update_type;
};
constexpr ChangeRow kChanges[] = {{StatementKind::delete_rows, Change::Kind::remove, "DELETE"},
                                  {StatementKind::update_rows, Change::Kind::update, "UPDATE"},
                                  {StatementKind::merge_rows, Change::Kind::merge, "MERGE"}};

const ChangeRow& change_row(const Statement& statement) {
  size_t i = 0;
  while (kChanges[i].statement != statement.kind) ++i;
  return kChanges[i];
}

}  // namespace

Result<StatementResult> StatementRun::change(const Statement& s) {
  for (int attempt = 1;; ++attempt) {
    // A statement of its own each time: the analyzer remembers the version it saw.
    StatementRun run(options_, catalogs_, mutex_, transactions_, call_, session_, sql_);
    run.parameters_ = parameters_;
    run.analyzer_.set_parameters(parameters_, false);
    auto done = run.try_change(s);
    if (done || !done.error().is("rows_changed")) return done;
    if (attempt == kAttemptsMax) {
      return fail(Code::conflict, "TRANSACTION_CONFLICT",
                  "Failed to commit: others changed the same rows of the table again and again: " +
                      done.error().message);
    }
    RETURN_IF_ERROR(call_.interrupted(options_.clock));
  }
}

Result<StatementResult> StatementRun::try_change(const Statement& s) {
  const ChangeRow& row = change_row(s);
  ASSIGN_OR_RETURN(ChangePlan plan, analyzer_.change(s));
  RETURN_IF_ERROR(writable(plan.name));
  RowChanger& changer = *plan.name.connector->row_changer();
  auto change = changer.begin(call_, plan.table, row.kind);
  if (!change) return std::unexpected(positioned(change.error(), s.at));
  follow_session(plan.name, (*change)->target);
  (*change)->exact = plan.exact;
  (*change)->reads_all = plan.reads_all;
  (*change)->reads_later = !plan.later.empty();
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans, plan.target, change->get()));
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(auto kept, by->keep(call_, render(*plan.plan, render_options()), scans));
  RETURN_IF_ERROR(write_changes(**change, changer, *kept, plan));
  StatementResult result = count_result(row.update_type, kept->rows() + (*change)->removed_unread);
  result.query_type = row.update_type;
  return result;
}

Status StatementRun::write_changes(Change& change, RowChanger& changer, KeptRows& kept,
                                   const ChangePlan& plan) {
  ChangedFiles files;
  auto deleted = kept.positions();
  if (!deleted && deleted.error().is("repeated")) {
    return fail(Code::invalid, "MERGE_TARGET_ROW_MULTIPLE_MATCHES",
                "One MERGE target table row matched more than one source row");
  }
  if (!deleted) return std::unexpected(deleted.error());
  ASSIGN_OR_RETURN(ChangeWork work, changer.arrange(call_, change, *deleted));
  if (change.kind != Change::Kind::remove || work.rewritten) {
    std::vector<std::shared_ptr<void>> scans;
    KeptRender render;
    render.path_column = plan.path_column;
    render.lineage_from = plan.table->columns.size();
    if (work.rewritten) {
      render.rewritten = &*work.rewritten;
      scans.push_back(work.rewritten->keep);
    }
    if (work.changed) {
      render.changed = &*work.changed;
      render.later.insert(plan.later.begin(), plan.later.end());
      scans.push_back(work.changed->keep);
    } else if (!plan.later.empty()) {
      return fail(Code::internal, "change", "there is no scan of the rows that change");
    }
    ASSIGN_OR_RETURN(files.added, kept.write(render_kept_for_write(change.target.columns, render),
                                             change.target, std::move(scans)));
  }
  for (size_t file : work.position_files) {
    ASSIGN_OR_RETURN(PositionFile written, kept.write_positions(file, change.target));
    files.position_files.push_back(std::move(written));
  }
  files.deleted = std::move(*deleted);
  auto done = changer.finish(call_, change, std::move(files));
  if (done || done.error().is("commit_unknown")) kept.release();
  return done;
}

Result<StatementResult> StatementRun::truncate(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) {
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (view) return semantic_error("NOT_SUPPORTED", s.at, "Cannot truncate a view");
    return semantic_error(
        "TABLE_NOT_FOUND", s.at,
        fmt::format("Table '{}.{}.{}' does not exist", name.catalog, name.schema, name.table));
  }
  RETURN_IF_ERROR(allowed(Action::truncate, name));
  RowChanger* changer = name.connector->row_changer();
  if (!changer)
    return semantic_error("NOT_SUPPORTED", s.at,
                          "This connector does not support truncating tables");
  auto done = changer->truncate(call_, table);
  if (!done) return std::unexpected(positioned(done.error(), s.at));
  return update_result("TRUNCATE TABLE");
}

// With ANALYZE the rows are changed, and the writer's rows and time are those of that.
Result<ExplainedPlan> StatementRun::explain_change(const Statement& s) {
  const Statement& inner = *s.inner;
  SteadyTime begin = options_.clock.steady_now();
  ASSIGN_OR_RETURN(ChangePlan plan, analyzer_.change(inner));
  PlanNode writer;
  writer.operation = "MERGE_WRITER";
  writer.details = {
      {"table", fmt::format("{}:{}:{}", plan.name.catalog, plan.name.schema, plan.name.table)},
      {"operation", change_row(inner).update_type}};
  ASSIGN_OR_RETURN(ExplainedPlan explained, explained_plan(*plan.plan, false, begin));
  if (s.analyze) {
    SteadyTime started = options_.clock.steady_now();
    ASSIGN_OR_RETURN(StatementResult done, change(inner));
    std::chrono::duration<double> took = options_.clock.steady_now() - started;
    writer.measured = PlanNode::Measured{.rows = static_cast<uint64_t>(*done.update_count),
                                         .seconds = took.count()};
    explained.times = "Execution: " + duration_text(took.count());
  }
  writer.inputs.push_back(std::move(explained.root));
  explained.root = std::move(writer);
  explained.output = {{"rows", Type(TypeKind::bigint)}};
  return explained;
}

}  // namespace aichemy::sql
