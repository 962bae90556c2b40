// EXPLAIN and EXPLAIN ANALYZE.
#include <fmt/format.h>

#include <chrono>

#include "sql/explain.h"
#include "sql/statement.h"

namespace aichemy::sql {

namespace {

struct ExplainForm {
  std::string_view type, format;
};
constexpr ExplainForm kForms[] = {
    {"DISTRIBUTED", "TEXT"}, {"DISTRIBUTED", "JSON"}, {"DISTRIBUTED", "GRAPHVIZ"},
    {"LOGICAL", "TEXT"},     {"LOGICAL", "JSON"},     {"LOGICAL", "GRAPHVIZ"},
    {"VALIDATE", "TEXT"},    {"IO", "TEXT"},          {"IO", "JSON"},
};

bool is_form(const Statement& statement) {
  for (const ExplainForm& form : kForms) {
    if (form.type == statement.mode && form.format == statement.format) return true;
  }
  return false;
}

StatementResult one_value(const char* name, Type type, Json value) {
  TextTable table;
  table.columns = {{name, std::move(type)}};
  table.rows.push_back({std::move(value)});
  return table_result(std::move(table), "EXPLAIN");
}

using Scans = std::vector<Analyzer::PlannedScan>;

Json table_json(const Analyzer::PlannedScan& scan) {
  Json table = Json::object(), name = Json::object();
  name.set("schema", scan.schema);
  name.set("table", scan.table);
  table.set("catalog", scan.catalog);
  table.set("schemaTable", std::move(name));
  return table;
}

Json estimate_json(const std::optional<double>& rows) {
  Json estimate = Json::object();
  estimate.set("outputRowCount", rows ? Json(*rows) : Json("NaN"));
  for (const char* unknown : {"outputSizeInBytes", "cpuCost", "maxMemory"})
    estimate.set(unknown, "NaN");
  estimate.set("networkCost", 0.0);
  return estimate;
}

std::optional<double> rows_of_scan(const PlanNode& node, const std::string& handle) {
  for (const auto& [key, value] : node.details) {
    if (key == kScanHandle && value == handle) return node.rows_estimated;
  }
  for (const PlanNode& input : node.inputs) {
    if (auto rows = rows_of_scan(input, handle)) return rows;
  }
  return std::nullopt;
}

// The tables that are read. A domain that is not known constrains nothing.
std::string io_json(const Scans& scans, const PlanNode& root) {
  Json inputs = Json::array();
  for (const Analyzer::PlannedScan& scan : scans) {
    Json input = Json::object(), constraint = Json::object();
    constraint.set("none", false);
    constraint.set("columnConstraints", Json::array());
    input.set("table", table_json(scan));
    input.set("constraint", std::move(constraint));
    input.set("estimate", estimate_json(rows_of_scan(root, scan.handle)));
    inputs.push(std::move(input));
  }
  Json json = Json::object();
  json.set("inputTableColumnInfos", std::move(inputs));
  json.set("estimate", estimate_json(root.rows_estimated));
  return json.dump_pretty();
}

}  // namespace

Result<StatementResult> StatementRun::explain(const Statement& statement) {
  const Statement& inner = *statement.inner;
  if (inner.kind == StatementKind::explain)
    return semantic_error("NOT_SUPPORTED", inner.at, "EXPLAIN of EXPLAIN is not supported");
  if (!statement.analyze && !is_form(statement)) {
    return semantic_error("NOT_SUPPORTED", statement.at,
                          fmt::format("EXPLAIN (TYPE {}, FORMAT {}) is not supported",
                                      statement.mode, statement.format));
  }
  if (statement.mode == "VALIDATE") {
    if (inner.change) RETURN_IF_ERROR(analyzer_.change(inner));
    if (inner.query) RETURN_IF_ERROR(analyzer_.query(*inner.query));
    return one_value("Valid", Type(TypeKind::boolean), Json(true));
  }
  if (statement.analyze && !inner.change && inner.kind != StatementKind::query) {
    return semantic_error("NOT_SUPPORTED", inner.at,
                          "EXPLAIN ANALYZE is supported for queries and changes of rows only");
  }
  // What changes names only has no plan: the statement itself, as Trino answers.
  if (!inner.query && !inner.change) {
    return one_value("Query Plan", Type::varchar(),
                     Json(std::string(sql_.substr(statement.query_begin))));
  }
  ASSIGN_OR_RETURN(ExplainedPlan plan,
                   inner.change ? explain_change(statement) : explain_query(statement));
  StatementResult result =
      one_value("Query Plan", Type::varchar(), Json(explained_text(statement, plan)));
  result.plan_steps = explain_steps(plan);
  return result;
}

Result<ExplainedPlan> StatementRun::explain_query(const Statement& statement) {
  const Statement& inner = *statement.inner;
  SteadyTime begin = options_.clock.steady_now();
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*inner.query));
  ASSIGN_OR_RETURN(ExplainedPlan explained, explained_plan(*plan, statement.analyze, begin));
  if (inner.kind != StatementKind::query) {
    PlanNode writer;
    writer.operation = "TABLE_WRITER";
    writer.inputs.push_back(std::move(explained.root));
    explained.root = std::move(writer);
    explained.output = {{"rows", Type(TypeKind::bigint)}};
  }
  return explained;
}

Result<ExplainedPlan> StatementRun::explained_plan(const Plan& plan, bool analyze,
                                                   SteadyTime begin) {
  SteadyTime analysed = options_.clock.steady_now();
  std::vector<std::shared_ptr<void>> keep;
  RETURN_IF_ERROR(analyzer_.plan_scans(keep));
  ExplainedPlan explained;
  explained.version = options_.version;
  for (size_t i = 0; i < plan.fields.size(); ++i) {
    explained.output.push_back(
        {plan.fields[i].name.value_or(fmt::format("_col{}", i)), plan.fields[i].type});
  }
  std::string sql = render(plan, render_options());
  SteadyTime planned = options_.clock.steady_now();
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(explained.root, by->explain(call_, sql, analyze, keep));
  explained.table_of = [scans = analyzer_.planned_scans()](const std::string& handle) {
    for (const Analyzer::PlannedScan& scan : scans) {
      if (scan.handle == handle)
        return fmt::format("{}:{}:{}", scan.catalog, scan.schema, scan.table);
    }
    return std::string();
  };
  if (!analyze) return explained;
  auto text = [](SteadyTime from, SteadyTime to) {
    return duration_text(std::chrono::duration<double>(to - from).count());
  };
  explained.times =
      fmt::format("Analysis: {}, Planning: {}, Execution: {}", text(begin, analysed),
                  text(analysed, planned), text(planned, options_.clock.steady_now()));
  return explained;
}

std::string StatementRun::explained_text(const Statement& statement, const ExplainedPlan& plan) {
  if (statement.mode == "IO") return io_json(analyzer_.planned_scans(), plan.root);
  if (statement.format == "JSON") return explain_json(plan);
  if (statement.format == "GRAPHVIZ") return explain_graphviz(plan);
  return explain_text(plan, statement.mode == "DISTRIBUTED");
}

}  // namespace aichemy::sql
