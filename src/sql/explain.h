// A plan as EXPLAIN prints it: Trino's tree, JSON and Graphviz. Operators get Trino's names where
// it has the same one; what they do is said in the engine's terms. Layouts and types are known for
// the output only.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sql/engine/engine.h"

namespace aichemy::sql {

struct ExplainedPlan {
  std::string version;
  std::string times;  // EXPLAIN ANALYZE: the line under the version; otherwise ""
  std::vector<OutputColumn> output;
  PlanNode root;
  // "catalog:schema:table" of a scan's handle; "" when unknown.
  std::function<std::string(const std::string& handle)> table_of;
};

// `fragments`: TYPE DISTRIBUTED, everything is one fragment on one machine.
std::string explain_text(const ExplainedPlan& plan, bool fragments);
std::string explain_json(const ExplainedPlan& plan);
std::string explain_graphviz(const ExplainedPlan& plan);
// The operators as a JSON list, from the output down: id, parent (not of the first), name, about
// (what stands in the brackets), details, rows_estimated, and what was measured: rows, rows_read,
// bytes, seconds.
std::string explain_steps(const ExplainedPlan& plan);

// 627.83us, 1.06ms, 2.00s: a time as Trino writes it.
std::string duration_text(double seconds);
// 18B, 1.50kB, 2.00MB.
std::string size_text(double bytes);

}  // namespace aichemy::sql
