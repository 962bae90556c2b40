#include "sql/engine/duckdb_explain.h"

#include <charconv>
#include <duckdb/main/connection.hpp>
#include <duckdb/main/materialized_query_result.hpp>
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

PlanNode node_of(const Json& json) {
  PlanNode node;
  bool measured = json.find("operator_name") != nullptr;
  node.operation = trimmed(json[measured ? "operator_name" : "name"].as_string());
  for (const auto& [key, value] : json["extra_info"].as_object()) {
    std::string text = detail_text(value);
    if (key == kEstimate) {
      double rows = 0;
      if (std::from_chars(text.data(), text.data() + text.size(), rows).ec == std::errc())
        node.rows_estimated = rows;
    } else if (!text.empty()) {
      node.details.emplace_back(key, std::move(text));
    }
  }
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
  auto result = connection.Query(
      (analyze ? "EXPLAIN (ANALYZE, FORMAT JSON) " : "EXPLAIN (FORMAT JSON) ") + sql);
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
  if (analyze) return explain_statement(connection, sql, false);
  return fail(Code::internal, "engine", "the engine gave a plan without operators");
}

}  // namespace aichemy::sql
