#include "sql/explain.h"

#include <fmt/format.h>

#include <algorithm>
#include <string_view>

#include "base/json.h"

namespace aichemy::sql {

namespace {

struct OperatorName {
  std::string_view engine, trino;
};
constexpr OperatorName kOperators[] = {
    {"PROJECTION", "Project"},
    {"FILTER", "Filter"},
    {"HASH_GROUP_BY", "Aggregate"},
    {"PERFECT_HASH_GROUP_BY", "Aggregate"},
    {"PARTITIONED_AGGREGATE", "Aggregate"},
    {"UNGROUPED_AGGREGATE", "Aggregate"},
    {"STREAMING_WINDOW", "Window"},
    {"WINDOW", "Window"},
    {"ORDER_BY", "Sort"},
    {"TOP_N", "TopN"},
    {"STREAMING_LIMIT", "Limit"},
    {"LIMIT", "Limit"},
    {"LIMIT_PERCENT", "Limit"},
    {"UNION", "Union"},
    {"UNNEST", "Unnest"},
    {"INOUT_FUNCTION", "TableFunction"},
    {"CROSS_PRODUCT", "CrossJoin"},
    {"POSITIONAL_JOIN", "CrossJoin"},
    {"DUMMY_SCAN", "Values"},
    {"COLUMN_DATA_SCAN", "Values"},
    {"EMPTY_RESULT", "Values"},
    {"EXPRESSION_SCAN", "Values"},
    {"CTE", "CommonTableExpression"},
    {"CTE_SCAN", "CommonTableExpressionScan"},
    {"RESERVOIR_SAMPLE", "Sample"},
    {"STREAMING_SAMPLE", "Sample"},
};

constexpr OperatorName kJoins[] = {
    {"INNER", "InnerJoin"},     {"LEFT", "LeftJoin"},       {"RIGHT", "RightJoin"},
    {"FULL", "FullJoin"},       {"OUTER", "FullJoin"},      {"SEMI", "SemiJoin"},
    {"MARK", "SemiJoin"},       {"ANTI", "AntiJoin"},       {"SINGLE", "LeftJoin"},
    {"RIGHT_SEMI", "SemiJoin"}, {"RIGHT_ANTI", "AntiJoin"},
};

// Details that stand in the brackets behind the name; the others get a line each.
constexpr OperatorName kDescriptors[] = {
    {"Groups", "keys"},
    {"Conditions", "criteria"},
    {"Top", "count"},
    {"Order By", "orderBy"},
    {"table", "table"},
    {"operation", "operation"},
    {"Expression", "filterPredicate"},
    {"Filters", "filterPredicate"},
};

template <size_t n>
std::string_view translated(const OperatorName (&table)[n], std::string_view name) {
  for (const OperatorName& row : table) {
    if (row.engine == name) return row.trino;
  }
  return "";
}

const std::string* detail(const PlanNode& node, std::string_view key) {
  for (const auto& [name, value] : node.details) {
    if (name == key) return &value;
  }
  return nullptr;
}

// HASH_JOIN with "Join Type" LEFT is a LeftJoin; what has no name of Trino's keeps its own.
std::string name_of(const PlanNode& node) {
  if (const std::string* join = detail(node, "Join Type")) {
    std::string_view name = translated(kJoins, *join);
    return name.empty() ? *join + "Join" : std::string(name);
  }
  if (detail(node, kScanHandle)) return "TableScan";
  std::string_view name = translated(kOperators, node.operation);
  if (!name.empty()) return std::string(name);
  std::string out;
  bool begins = true;
  for (char c : node.operation) {
    bool letter = (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
    if (letter) out += begins || c <= '9' ? c : static_cast<char>(c + 32);
    begins = !letter;
  }
  return out;
}

using Pairs = std::vector<std::pair<std::string, std::string>>;

struct Described {
  std::string name;
  Pairs descriptor;
  Pairs lines;
};

Described described(const ExplainedPlan& plan, const PlanNode& node) {
  Described out{name_of(node), {}, {}};
  for (const auto& [key, value] : node.details) {
    if (key == "Join Type" || key == "Function") continue;
    if (key == kScanHandle) {
      out.descriptor.emplace_back("table", plan.table_of(value));
    } else if (std::string_view name = translated(kDescriptors, key); !name.empty()) {
      out.descriptor.emplace_back(name, value);
    } else {
      out.lines.emplace_back(key, value);
    }
  }
  return out;
}

std::string heading(const Described& described) {
  std::string inside;
  for (const auto& [key, value] : described.descriptor)
    inside += fmt::format("{}{} = {}", inside.empty() ? "" : ", ", key, value);
  return inside.empty() ? described.name : fmt::format("{}[{}]", described.name, inside);
}

std::string rows_text(double rows) { return fmt::format("{:.0f}", rows); }

double total_seconds(const PlanNode& node) {
  double total = node.measured ? node.measured->seconds : 0;
  for (const PlanNode& input : node.inputs) total += total_seconds(input);
  return total;
}

std::string measured_text(const PlanNode::Measured& measured, double total) {
  double share = total > 0 ? measured.seconds / total * 100 : 0;
  return fmt::format("CPU: {} ({:.2f}%), Output: {} row{} ({})", duration_text(measured.seconds),
                     share, measured.rows, measured.rows == 1 ? "" : "s",
                     size_text(static_cast<double>(measured.bytes)));
}

class TextTree {
 public:
  TextTree(const ExplainedPlan& plan, std::string indent)
      : plan_(plan), indent_(std::move(indent)), total_(total_seconds(plan.root)) {}

  std::string run() {
    std::string names, layout;
    for (const OutputColumn& column : plan_.output) {
      names += (names.empty() ? "" : ", ") + column.name;
      layout +=
          fmt::format("{}{}:{}", layout.empty() ? "" : ", ", column.name, column.type.display());
    }
    out_ += fmt::format("{}Output[columnNames = [{}]]\n", indent_, names);
    out_ += fmt::format("{}│   Layout: [{}]\n", indent_, layout);
    append(plan_.root, indent_, true);
    return std::move(out_);
  }

 private:
  const ExplainedPlan& plan_;
  std::string indent_;
  double total_;
  std::string out_;

  void append(const PlanNode& node, const std::string& before, bool last) {
    Described what = described(plan_, node);
    out_ += fmt::format("{}{}─ {}\n", before, last ? "└" : "├", heading(what));
    std::string below = before + (last ? "   " : "│  ");
    std::string line = below + (node.inputs.empty() ? "    " : "│   ");
    for (const std::string& text : lines(node, what)) out_ += line + text + "\n";
    for (size_t i = 0; i < node.inputs.size(); ++i)
      append(node.inputs[i], below, i + 1 == node.inputs.size());
  }

  std::vector<std::string> lines(const PlanNode& node, const Described& what) const {
    std::vector<std::string> out;
    if (node.rows_estimated) {
      out.push_back(fmt::format("Estimates: {{rows: {} (?), cpu: ?, memory: ?, network: 0B}}",
                                rows_text(*node.rows_estimated)));
    }
    if (node.measured) {
      out.push_back(measured_text(*node.measured, total_));
      if (node.measured->rows_read > 0)
        out.push_back(fmt::format("Input: {} rows", node.measured->rows_read));
    }
    for (const auto& [key, value] : what.lines) out.push_back(fmt::format("{} := {}", key, value));
    return out;
  }
};

Json estimates_json(const PlanNode& node) {
  Json list = Json::array();
  if (!node.rows_estimated) return list;
  Json estimate = Json::object();
  estimate.set("outputRowCount", *node.rows_estimated);
  for (const char* unknown : {"outputSizeInBytes", "cpuCost", "memoryCost"})
    estimate.set(unknown, "NaN");
  estimate.set("networkCost", 0.0);
  list.push(std::move(estimate));
  return list;
}

Json node_json(const ExplainedPlan& plan, const PlanNode& node, int& next_id) {
  Described what = described(plan, node);
  Json json = Json::object(), descriptor = Json::object(), details = Json::array(),
       children = Json::array();
  json.set("id", std::to_string(next_id++));
  json.set("name", what.name);
  for (const auto& [key, value] : what.descriptor) descriptor.set(key, value);
  for (const auto& [key, value] : what.lines) details.push(key + " := " + value);
  json.set("descriptor", std::move(descriptor));
  json.set("outputs", Json::array());
  json.set("details", std::move(details));
  json.set("estimates", estimates_json(node));
  for (const PlanNode& input : node.inputs) children.push(node_json(plan, input, next_id));
  json.set("children", std::move(children));
  return json;
}

void append_steps(const ExplainedPlan& plan, const PlanNode& node, int64_t parent, Json& list) {
  Described what = described(plan, node);
  auto id = static_cast<int64_t>(list.as_array().size());
  Json step, about = Json::object(), details = Json::array();
  for (const auto& [key, value] : what.descriptor) about.set(key, value);
  for (const auto& [key, value] : what.lines) details.push(key + " := " + value);
  step.set("id", id).set("parent", parent).set("name", what.name);
  step.set("about", std::move(about)).set("details", std::move(details));
  if (node.rows_estimated) step.set("rows_estimated", *node.rows_estimated);
  if (node.measured) {
    step.set("rows", node.measured->rows).set("rows_read", node.measured->rows_read);
    step.set("bytes", node.measured->bytes).set("seconds", node.measured->seconds);
  }
  list.push(std::move(step));
  for (const PlanNode& input : node.inputs) append_steps(plan, input, id, list);
}

// Quotes and what means something in a record label.
std::string label_text(std::string_view text) {
  std::string out;
  for (char c : text) {
    if (std::string_view("\"\\{}|<>").find(c) != std::string_view::npos) out += '\\';
    out += c;
  }
  return out;
}

int append_graph(const ExplainedPlan& plan, const PlanNode& node, int& next_id, std::string& nodes,
                 std::string& edges) {
  int id = next_id++;
  nodes += fmt::format(
      "plannode_{}[label=\"{{{}}}\", style=\"rounded, filled\", shape=record, "
      "fillcolor=white];\n",
      id, label_text(heading(described(plan, node))));
  for (const PlanNode& input : node.inputs) {
    int below = append_graph(plan, input, next_id, nodes, edges);
    edges += fmt::format("plannode_{} -> plannode_{};\n", id, below);
  }
  return id;
}

std::string scaled(double value, std::initializer_list<std::pair<double, const char*>> units) {
  const char* unit = "";
  double size = 1;
  for (const auto& [least, name] : units) {
    if (value < least && *unit != '\0') break;
    size = least;
    unit = name;
  }
  return fmt::format("{:.2f}{}", value / size, unit);
}

}  // namespace

std::string duration_text(double seconds) {
  return scaled(seconds, {{1e-9, "ns"}, {1e-6, "us"}, {1e-3, "ms"}, {1, "s"}, {60, "m"}});
}

std::string size_text(double bytes) {
  if (bytes < 1024) return fmt::format("{:.0f}B", bytes);
  return scaled(bytes, {{1024, "kB"}, {1 << 20, "MB"}, {1 << 30, "GB"}});
}

std::string explain_text(const ExplainedPlan& plan, bool fragments) {
  std::string out = "Trino version: " + plan.version + "\n";
  if (!plan.times.empty()) out += plan.times + "\n";
  if (!fragments) return out + TextTree(plan, "").run() + "\n";
  std::string layout;
  for (const OutputColumn& column : plan.output)
    layout += (layout.empty() ? "" : ", ") + column.name;
  out += "Fragment 0 [SINGLE]\n";
  out += fmt::format("    Output layout: [{}]\n    Output partitioning: SINGLE []\n", layout);
  return out + TextTree(plan, "    ").run() + "\n\n";
}

std::string explain_json(const ExplainedPlan& plan) {
  Json output = Json::object(), descriptor = Json::object(), columns = Json::array(),
       children = Json::array(), fragments = Json::object();
  std::string names;
  for (const OutputColumn& column : plan.output) {
    names += (names.empty() ? "" : ", ") + column.name;
    Json described = Json::object();
    described.set("type", column.type.display());
    described.set("name", column.name);
    columns.push(std::move(described));
  }
  descriptor.set("columnNames", "[" + names + "]");
  int next_id = 1;
  children.push(node_json(plan, plan.root, next_id));
  output.set("id", "0");
  output.set("name", "Output");
  output.set("descriptor", std::move(descriptor));
  output.set("outputs", std::move(columns));
  output.set("details", Json::array());
  output.set("estimates", estimates_json(plan.root));
  output.set("children", std::move(children));
  fragments.set("0", std::move(output));
  return fragments.dump_pretty();
}

std::string explain_steps(const ExplainedPlan& plan) {
  Json list = Json::array(), output, columns = Json::array();
  for (const OutputColumn& column : plan.output)
    columns.push(column.name + " := " + column.type.display());
  output.set("id", 0).set("name", "Output").set("about", Json::object());
  output.set("details", std::move(columns));
  list.push(std::move(output));
  append_steps(plan, plan.root, 0, list);
  return list.dump();
}

std::string explain_graphviz(const ExplainedPlan& plan) {
  std::string nodes, edges;
  int next_id = 1;
  append_graph(plan, plan.root, next_id, nodes, edges);
  return "digraph logical_plan {\nsubgraph cluster_0 {\nlabel = \"SINGLE\"\n" + nodes + "}\n" +
         edges + "}\n";
}

}  // namespace aichemy::sql
