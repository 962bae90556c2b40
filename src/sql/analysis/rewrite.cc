// Replacing expressions inside plans: grouping turns what stands above it into columns of the
// grouped relation.
#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

void rewrite_list(std::vector<BoundPtr>& list, const Replace& replace) {
  for (auto& item : list) item = rewrite(item, replace);
}

void rewrite_sorts(std::vector<BoundSort>& sorts, const Replace& replace) {
  for (auto& sort : sorts) sort.key = rewrite(sort.key, replace);
}

}  // namespace

BoundPtr rewrite(const BoundPtr& value, const Replace& replace) {
  if (!value) return value;
  if (BoundPtr other = replace(value)) return other;
  bool leaf = value->args.empty() && value->order_by.empty() && !value->filter && !value->over &&
              !value->plan;
  if (leaf) return value;
  auto copy = std::make_shared<Bound>(*value);
  rewrite_list(copy->args, replace);
  rewrite_sorts(copy->order_by, replace);
  copy->filter = rewrite(copy->filter, replace);
  if (copy->plan) copy->plan = rewrite(copy->plan, replace);
  if (copy->over) {
    auto over = std::make_shared<BoundWindow>(*copy->over);
    rewrite_list(over->partition_by, replace);
    rewrite_sorts(over->order_by, replace);
    over->start_value = rewrite(over->start_value, replace);
    over->end_value = rewrite(over->end_value, replace);
    copy->over = std::move(over);
  }
  return copy;
}

PlanPtr rewrite(const PlanPtr& plan, const Replace& outer) {
  // A subquery's aggregates are its own: only what they refer to can belong to the outer query.
  Replace replace = [&outer](const BoundPtr& value) -> BoundPtr {
    return value->kind == Bound::Kind::aggregate ? nullptr : outer(value);
  };
  // Scans are filled in later through the node the analyzer remembers: they are never copied.
  if (plan->kind == Plan::Kind::scan || plan->kind == Plan::Kind::rows ||
      plan->kind == Plan::Kind::cte)
    return plan;
  auto copy = std::make_shared<Plan>(*plan);
  for (auto& input : copy->inputs) input = rewrite(input, replace);
  for (auto& cte : copy->ctes) cte.plan = rewrite(cte.plan, replace);
  rewrite_list(copy->items, replace);
  copy->where = rewrite(copy->where, replace);
  copy->having = rewrite(copy->having, replace);
  rewrite_list(copy->group_keys, replace);
  rewrite_sorts(copy->order_by, replace);
  for (auto& row : copy->rows) rewrite_list(row, replace);
  copy->condition = rewrite(copy->condition, replace);
  rewrite_list(copy->arguments, replace);
  return copy;
}

}  // namespace aichemy::sql
