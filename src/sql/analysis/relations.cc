#include "sql/analysis/relations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <vector>

#include "sql/analysis/render_literal.h"

namespace aichemy::sql {
namespace {

using Kind = Bound::Kind;
using Key = std::pair<size_t, size_t>;  // relation and column

size_t relations_in(const Plan& from) {
  if (from.kind != Plan::Kind::join) return 1;
  return relations_in(*from.inputs[0]) + relations_in(*from.inputs[1]);
}

const Bound* column_in(const Bound& value) {
  const Bound* at = &value;
  while (at->kind == Kind::cast) at = at->args[0].get();
  return at->kind == Kind::column ? at : nullptr;
}

bool is_link(const Bound& condition) {
  if (condition.kind != Kind::call || condition.text != "({0} = {1})") return false;
  const Bound *left = column_in(*condition.args[0]), *right = column_in(*condition.args[1]);
  return left && right && left->relation != right->relation;
}

// Each equality of columns of two relations that must hold.
void each_link(const BoundPtr& condition, const std::function<void(const Bound&)>& visit) {
  if (!condition) return;
  if (condition->kind == Kind::chain && condition->text == "AND") {
    for (const auto& part : condition->args) each_link(part, visit);
  } else if (is_link(*condition)) {
    visit(*condition);
  }
}

// Links that share keys become paths: of a = b, a = c, a = d stay a = b, b = c, c = d, which say
// the same. Each key then meets at most two others, and is told apart from itself in one of them.
class Keys {
 public:
  void count(const Plan& from) {
    if (from.kind != Plan::Kind::join) return;
    count(*from.inputs[0]);
    count(*from.inputs[1]);
    count(from.condition);
  }
  void count(const BoundPtr& condition) {
    each_link(condition, [&](const Bound& link) {
      for (const auto& side : link.args) ++uses_[key_of(*side)];
    });
  }

  PlanPtr told_apart(const PlanPtr& from) {
    if (from->kind != Plan::Kind::join) return from;
    auto made = std::make_shared<Plan>(*from);
    for (auto& input : made->inputs) input = told_apart(input);
    bool inner = from->text == "INNER" || from->text == "CROSS";
    made->condition = told_apart(from->condition, inner);
    return made;
  }

  // inner: what does not hold removes the row, so that keys are equal from there on.
  BoundPtr told_apart(const BoundPtr& condition, bool inner) {
    if (!condition) return condition;
    if (condition->kind == Kind::chain && condition->text == "AND") {
      auto made = std::make_shared<Bound>(*condition);
      for (auto& part : made->args) part = told_apart(part, inner);
      return made;
    }
    if (!is_link(*condition)) return condition;
    const BoundPtr &left = condition->args[0], &right = condition->args[1];
    bool alone = uses_[key_of(*left)] == 1 && uses_[key_of(*right)] == 1;
    if (alone) return condition;
    bool plain = left->kind == Kind::column && right->kind == Kind::column;
    size_t a = plain && inner ? path_of(left) : 0, b = plain && inner ? path_of(right) : 0;
    if (a == b) return link(*condition, left, right);
    BoundPtr made = link(*condition, paths_[a].last, paths_[b].last);
    paths_[a].last = paths_[b].first;
    for (auto& [key, path] : path_of_) path = path == b ? a : path;
    return made;
  }

 private:
  struct Path {
    BoundPtr first, last;
  };
  std::map<Key, size_t> uses_;
  std::map<Key, size_t> path_of_;
  std::vector<Path> paths_;
  size_t next_ = 0;

  static Key key_of(const Bound& side) {
    const Bound* column = column_in(side);
    return {column->relation, column->index};
  }

  size_t path_of(const BoundPtr& column) {
    auto [at, is_new] = path_of_.try_emplace(key_of(*column), paths_.size());
    if (is_new) paths_.push_back({column, column});
    return at->second;
  }

  // The side that other links share is told apart, of two the earlier relation's.
  BoundPtr link(const Bound& as, BoundPtr left, BoundPtr right) {
    Key a = key_of(*left), b = key_of(*right);
    bool of_left = uses_[a] != uses_[b] ? uses_[a] > uses_[b] : a < b;
    BoundPtr& side = of_left ? left : right;
    Type type = side->type;
    side = make_call(std::move(type), fmt::format("aichemy_same({{0}}, {})", next_++), {side});
    auto made = std::make_shared<Bound>(as);
    made->args = {std::move(left), std::move(right)};
    return made;
  }
};

// Everything that a plan is made of, subqueries included.
class Reader {
 public:
  std::map<std::string, size_t> named_queries;
  ColumnsRead columns;

  // What stands where a query does gives all of its fields.
  void query(const Plan& from) {
    using PlanKind = Plan::Kind;
    bool relation = from.kind != PlanKind::select && from.kind != PlanKind::set &&
                    from.kind != PlanKind::values && from.kind != PlanKind::wrapped;
    for (size_t i = 0; relation && i < from.fields.size(); ++i) columns[from.relation].insert(i);
    plan(from);
  }

 private:
  size_t weight_ = 1;

  void plan(const Plan& from) {
    if (from.kind == Plan::Kind::cte) named_queries[from.handle] += weight_;
    for (const auto& cte : from.ctes) {
      size_t saved = weight_;
      if (cte.recursive) weight_ = 2;
      query(*cte.plan);
      weight_ = saved;
    }
    bool of_queries = from.kind == Plan::Kind::set || from.kind == Plan::Kind::wrapped;
    for (const auto& input : from.inputs) {
      if (of_queries)
        query(*input);
      else
        plan(*input);
    }
    values(from.items);
    value(from.where);
    value(from.having);
    values(from.group_keys);
    sorts(from.order_by);
    for (const auto& row : from.rows) values(row);
    value(from.condition);
    values(from.arguments);
  }

  void values(const std::vector<BoundPtr>& list) {
    for (const auto& item : list) value(item);
  }
  void sorts(const std::vector<BoundSort>& list) {
    for (const auto& sort : list) value(sort.key);
  }
  void value(const BoundPtr& at) {
    if (!at) return;
    if (at->kind == Kind::column) columns[at->relation].insert(at->index);
    values(at->args);
    sorts(at->order_by);
    value(at->filter);
    if (at->plan) query(*at->plan);
    if (at->over) {
      values(at->over->partition_by);
      sorts(at->over->order_by);
      value(at->over->start_value);
      value(at->over->end_value);
    }
    if (at->routine) {
      for (const auto& step : at->routine->steps) value(step.value);
    }
  }
};

}  // namespace

bool is_global_aggregate(const Plan& plan) {
  if (plan.offset.value_or(0) > 0 || plan.limit.value_or(1) == 0 || plan.having) return false;
  if (plan.kind == Plan::Kind::wrapped) return is_global_aggregate(*plan.inputs[0]);
  if (plan.kind != Plan::Kind::select) return false;
  if (plan.grouped) return plan.group_keys.empty();
  return !plan.where && is_global_aggregate(*plan.inputs[0]);
}

void tell_join_keys_apart(PlanPtr& from, BoundPtr& where) {
  if (relations_in(*from) <= kLinkedRelationsMax) return;
  Keys keys;
  keys.count(*from);
  keys.count(where);
  from = keys.told_apart(from);
  where = keys.told_apart(where, true);
}

void NamedQueries::add(const std::string& name, const PlanCte& query, const std::string& text) {
  std::string columns = column_names(query.plan->fields.size());
  queries_.push_back({fmt::format("{}({}) AS ({})", name, columns, text), query.recursive});
}

std::string NamedQueries::before(std::string text, bool begins_with_queries) const {
  for (size_t end = queries_.size(); end > 0;) {
    size_t begin = (end - 1) / kTogetherMax * kTogetherMax;
    if (begins_with_queries) text = "SELECT * FROM (" + text + ") AS w";
    bool recursive = false;
    std::string queries;
    for (size_t i = begin; i < end; ++i) {
      recursive = recursive || queries_[i].recursive;
      queries += (i > begin ? ", " : "") + queries_[i].text;
    }
    text = (recursive ? "WITH RECURSIVE " : "WITH ") + queries + " " + text;
    begins_with_queries = true;
    end = begin;
  }
  return text;
}

std::map<std::string, size_t> count_named_queries(const Plan& plan) {
  Reader reader;
  reader.query(plan);
  return std::move(reader.named_queries);
}

ColumnsRead columns_read(const Plan& plan) {
  Reader reader;
  reader.query(plan);
  return std::move(reader.columns);
}

std::string scan_argument(const Plan& scan, const ColumnsRead& read) {
  auto found = read.find(scan.relation);
  // With its position in its file a row is taken whole.
  if (scan.text != "lake_scan" || scan.ordinality || read.empty()) return scan.handle;
  if (found == read.end()) return scan.handle + ":0";  // only the rows count
  return fmt::format("{}:{}", scan.handle, fmt::join(found->second, ","));
}

}  // namespace aichemy::sql
