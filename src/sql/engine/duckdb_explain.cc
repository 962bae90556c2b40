#include "sql/engine/duckdb_explain.h"

#include <charconv>
#include <duckdb/common/string_util.hpp>
#include <duckdb/execution/physical_operator.hpp>
#include <duckdb/execution/physical_plan_generator.hpp>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
#include <duckdb/main/prepared_statement.hpp>
#include <duckdb/main/prepared_statement_data.hpp>
#include <tuple>
#include <utility>

#include "base/json.h"
#include "sql/engine/column_cache.h"
#include "sql/engine/duckdb_file_system.h"

namespace aichemy::sql {

namespace {

constexpr std::string_view kEstimate = "Estimated Cardinality";

std::string trimmed(std::string_view text) {
  while (text.ends_with(' ')) text.remove_suffix(1);
  return std::string(text);
}

// A detail is a text or a list of texts.
std::string detail_text(const Json& value) {
  if (value.is_string()) return std::string(value.as_string());
  std::string out;
  for (const Json& item : value.as_array()) {
    if (!out.empty()) out += ", ";
    out += item.as_string();
  }
  return out;
}

void add_detail(PlanNode& node, const std::string& key, std::string text) {
  if (key == kEstimate) {
    double rows = 0;
    if (std::from_chars(text.data(), text.data() + text.size(), rows).ec == std::errc())
      node.rows_estimated = rows;
  } else if (!text.empty()) {
    node.details.emplace_back(key, std::move(text));
  }
}

PlanNode node_of(const Json& json) {
  PlanNode node;
  bool measured = json.find("operator_name") != nullptr;
  node.operation = trimmed(json[measured ? "operator_name" : "name"].as_string());
  for (const auto& [key, value] : json["extra_info"].as_object())
    add_detail(node, key, detail_text(value));
  if (measured) {
    node.measured = PlanNode::Measured{
        .rows = static_cast<uint64_t>(json["operator_cardinality"].as_int()),
        .rows_read = static_cast<uint64_t>(json["operator_rows_scanned"].as_int()),
        .bytes = static_cast<uint64_t>(json["result_set_size"].as_int()),
        .seconds = json["operator_timing"].as_double()};
  }
  for (const Json& child : json["children"].as_array()) node.inputs.push_back(node_of(child));
  return node;
}

// A table of the column cache is the scan that it stands for.
void name_scans(PlanNode& node, duckdb::ClientContext& context) {
  for (PlanNode& input : node.inputs) name_scans(input, context);
  for (auto& [key, value] : node.details) {
    if (key != "Table") continue;
    std::string handle = ColumnCache::handle_of(context, value.substr(value.rfind('.') + 1));
    if (!handle.empty()) std::tie(key, value) = std::pair(kScanHandle, std::move(handle));
  }
}

// "__estimated_cardinality__" is shown as "Estimated Cardinality".
std::string detail_key(const std::string& key) {
  if (!key.starts_with("__")) return key;
  std::string words = duckdb::StringUtil::Replace(key, "__", "");
  return duckdb::StringUtil::Title(duckdb::StringUtil::Replace(words, "_", " "));
}

PlanNode node_of(const duckdb::PhysicalOperator& op) {
  PlanNode node;
  node.operation = trimmed(op.GetName());
  for (const auto& [key, value] : op.ParamsToString()) {
    auto lines = duckdb::StringUtil::Split(value, "\n");
    add_detail(node, detail_key(key),
               lines.size() > 1 ? duckdb::StringUtil::Join(lines, ", ") : value);
  }
  for (const duckdb::PhysicalOperator& child : op.GetChildren())
    node.inputs.push_back(node_of(child));
  return node;
}

// The plan itself, not EXPLAIN, which writes three plans as text of which one is read.
Result<PlanNode> planned(duckdb::Connection& connection, const std::string& sql) {
  auto prepared = connection.Prepare(sql);
  if (prepared->HasError()) return std::unexpected(error_from_duckdb(prepared->error));
  PlanNode plan = node_of(prepared->data->physical_plan->Root());
  name_scans(plan, *connection.context);
  return plan;
}

}  // namespace

Result<std::optional<PlanNode>> plan_from_json(std::string_view text) {
  ASSIGN_OR_RETURN(Json json, Json::parse(text));
  // A plan is a list of one; a profile has the statement and EXPLAIN_ANALYZE above it.
  const Json* top = json.as_array().empty() ? &json : &json.as_array()[0];
  while (top->find("operator_name") == nullptr
             ? top->find("name") == nullptr
             : top->find("operator_name")->as_string() == "EXPLAIN_ANALYZE") {
    if ((*top)["children"].as_array().empty()) return std::nullopt;
    top = &(*top)["children"].as_array()[0];
  }
  return node_of(*top);
}

Result<PlanNode> explain_statement(duckdb::Connection& connection, const std::string& sql,
                                   bool analyze) {
  if (!analyze) return planned(connection, sql);
  auto result = connection.Query("EXPLAIN (ANALYZE, FORMAT JSON) " + sql);
  if (result->HasError()) return std::unexpected(error_from_duckdb(result->GetErrorObject()));
  if (result->RowCount() == 0) return fail(Code::internal, "engine", "the engine gave no plan");
  ASSIGN_OR_RETURN(
      auto plan,
      plan_from_json(result->GetValue(1, result->RowCount() - 1).GetValue<std::string>()));
  if (plan) {
    name_scans(*plan, *connection.context);
    return *std::move(plan);
  }
  // Nothing was run for rows that the planner knew already: the plan without times is all there is.
  return planned(connection, sql);
}

}  // namespace aichemy::sql
