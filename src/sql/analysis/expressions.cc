#include "sql/analysis/expressions.h"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>
#include <string>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {
namespace {

void mix(size_t& hash, size_t value) {
  hash ^= value + 0x9e3779b97f4a7c15 + (hash << 6) + (hash >> 2);
}

// Equal for expressions that are the same: names of columns and numbers of parameters do not count.
size_t hash_of(const Bound& value) {
  using Kind = Bound::Kind;
  size_t hash = static_cast<size_t>(value.kind);
  if (value.kind == Kind::variable) return hash;
  if (value.kind != Kind::lambda) {
    if (value.kind != Kind::column) mix(hash, std::hash<std::string>()(value.text));
    mix(hash, value.relation);
    mix(hash, value.index);
    mix(hash, value.distinct);
  }
  for (const BoundPtr& arg : value.args) mix(hash, hash_of(*arg));
  if (value.filter) mix(hash, hash_of(*value.filter));
  return hash;
}

}  // namespace

bool varies(const BoundPtr& value) {
  bool found = false;
  rewrite(value, [&](const BoundPtr& part) -> BoundPtr {
    found = found || (part->kind == Bound::Kind::call &&
                      (part->text.contains("random(") || part->text.contains("uuid(")));
    return nullptr;
  });
  return found;
}

void ExpressionIndex::add(const BoundPtr& expression, size_t number) {
  by_hash_.emplace(hash_of(*expression), std::pair(expression, number));
}

std::optional<size_t> ExpressionIndex::find(const Bound& expression) const {
  auto [begin, end] = by_hash_.equal_range(hash_of(expression));
  for (auto at = begin; at != end; ++at) {
    if (same_expression(*at->second.first, expression)) return at->second.second;
  }
  return std::nullopt;
}

namespace {

void add_relations(const Plan& from, std::set<size_t>& out) {
  bool passes = from.kind == Plan::Kind::join || from.kind == Plan::Kind::sample;
  if (!passes) {
    if (from.kind != Plan::Kind::empty) out.insert(from.relation);
    return;
  }
  for (const auto& input : from.inputs) add_relations(*input, out);
}

using Kind = Bound::Kind;

class Capture {
 public:
  explicit Capture(const Plan& plan) {
    for (const auto& input : plan.inputs) add_relations(*input, own_);
  }

  void look(const BoundPtr& value, bool in_lambda) {
    if (!value) return;
    if (value->kind == Kind::column) {
      if (in_lambda && !own_.contains(value->relation)) add(value);
      return;
    }
    bool hidden = value->kind == Kind::call && value->text.contains("lambda ");
    in_lambda = in_lambda || hidden || value->kind == Kind::lambda;
    for (const auto& argument : value->args) look(argument, in_lambda);
    for (const auto& sort : value->order_by) look(sort.key, in_lambda);
    look(value->filter, in_lambda);
  }

  std::vector<BoundPtr> take() { return std::move(found_); }

 private:
  void add(const BoundPtr& column) {
    bool known = std::ranges::any_of(found_, [&](const BoundPtr& other) {
      return other->relation == column->relation && other->index == column->index;
    });
    if (!known) found_.push_back(column);
  }

  std::set<size_t> own_;
  std::vector<BoundPtr> found_;
};

}  // namespace

std::vector<BoundPtr> captured_columns(const Plan& plan) {
  Capture capture(plan);
  for (const auto* list : {&plan.items, &plan.group_keys, &plan.arguments}) {
    for (const auto& value : *list) capture.look(value, false);
  }
  for (const auto& sort : plan.order_by) capture.look(sort.key, false);
  capture.look(plan.where, false);
  return capture.take();
}

bool has_grouping(const BoundPtr& value) {
  bool found = false;
  rewrite(value, [&](const BoundPtr& at) -> BoundPtr {
    found = found || (at->kind == Bound::Kind::aggregate && at->text.contains("GROUPING("));
    return found ? at : nullptr;
  });
  return found;
}

std::optional<Error> bad_grouping(const Bound& call, const Plan& grouped) {
  if (!call.text.contains("GROUPING(")) return std::nullopt;
  for (const auto& argument : call.args) {
    bool key = std::ranges::any_of(
        grouped.group_keys, [&](const BoundPtr& one) { return same_expression(*one, *argument); });
    if (key) continue;
    return semantic_error("INVALID_ARGUMENTS", call.at,
                          fmt::format("The arguments to GROUPING() must be expressions referenced "
                                      "by the GROUP BY at the associated query level. Mismatch due "
                                      "to {}.",
                                      argument->text))
        .error();
  }
  return std::nullopt;
}

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
