#include "sql/analysis/relations.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/expressions.h"
#include "sql/analysis/render_literal.h"
#include "sql/analysis/render_moment.h"

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

// ---- selects that pass columns on ----

bool only_selects(const Plan& plan) {
  return plan.kind == Plan::Kind::select && !plan.where && !plan.grouped && !plan.having &&
         !plan.distinct && !plan.with_ties && !plan.lateral && plan.inputs.size() == 1;
}

bool has_order_of_its_own(const Plan& plan) {
  return !plan.order_by.empty() || plan.limit || plan.offset || plan.with_ties;
}

bool may_be_repeated(const Bound& item) {
  return item.kind == Kind::column || item.kind == Kind::literal;
}

// The items of `below` that `above` passes on, null when it does more than that.
std::optional<std::vector<BoundPtr>> passed_on(const Plan& above, const Plan& below) {
  std::vector<BoundPtr> items;
  std::vector<size_t> uses(below.items.size());
  for (const BoundPtr& item : above.items) {
    if (item->kind == Kind::literal) {
      items.push_back(item);
      continue;
    }
    bool passes = item->kind == Kind::column && item->relation == below.relation &&
                  item->index < below.items.size();
    if (!passes) return std::nullopt;
    const BoundPtr& value = below.items[item->index];
    if (++uses[item->index] > 1 && !may_be_repeated(*value)) return std::nullopt;
    items.push_back(value);
  }
  // Without keys it is an aggregate that makes the one row.
  bool one_row = below.grouped && below.group_keys.empty();
  if (one_row && (uses.empty() || std::ranges::find(uses, size_t{0}) != uses.end()))
    return std::nullopt;
  if (items.empty()) return std::nullopt;
  return items;
}

PlanPtr merged(const PlanPtr& above) {
  if (!only_selects(*above)) return above;
  const Plan& below = *above->inputs[0];
  bool plain = below.kind == Plan::Kind::select && !below.distinct && !below.lateral &&
               !has_order_of_its_own(below);
  // A key with a form of its own names its output inside an expression: there, columns come first.
  bool by_outputs = std::ranges::all_of(above->order_output,
                                        [](const auto& output) { return output.has_value(); }) &&
                    std::ranges::none_of(above->order_by, [](const BoundSort& sort) {
                      return form_name(sort.key->type) == "tz12";
                    });
  if (!plain || !by_outputs) return above;
  auto items = passed_on(*above, below);
  if (!items) return above;
  auto made = std::make_shared<Plan>(below);
  made->relation = above->relation;
  made->fields = above->fields;
  made->items = std::move(*items);
  made->order_by = above->order_by;
  made->order_output = above->order_output;
  made->offset = above->offset;
  made->limit = above->limit;
  return made;
}

// ---- named unions whose readers take some of the arms ----

void each_plan(const PlanPtr& plan, const std::function<void(const PlanPtr&)>& visit) {
  visit(plan);
  for (const PlanPtr& input : plan->inputs) each_plan(input, visit);
  for (const PlanCte& cte : plan->ctes) each_plan(cte.plan, visit);
}

// Whether its rows may be others when it is read again.
bool is_random(const PlanPtr& plan) {
  bool found = false;
  each_plan(plan, [&](const PlanPtr& at) {
    found = found || at->kind == Plan::Kind::sample || at->kind == Plan::Kind::match;
  });
  rewrite(plan, [&](const BoundPtr& value) -> BoundPtr {
    found = found || value->over || value->kind == Kind::routine || varies(value);
    return nullptr;
  });
  return found;
}

// A text that is the same in every row.
const Bound* text_of(const Bound& value) {
  const Bound* at = &value;
  auto widened = [&] {
    return at->kind == Kind::cast && !at->safe && at->type.is(TypeKind::varchar) &&
           at->args[0]->type.is(TypeKind::varchar) &&
           at->type.precision >= at->args[0]->type.precision;
  };
  while (widened()) at = at->args[0].get();
  bool text = at->kind == Kind::literal && !at->null && at->type.is(TypeKind::varchar);
  return text ? at : nullptr;
}

void arms_of(const PlanPtr& plan, std::vector<PlanPtr>& arms) {
  if (plan->kind == Plan::Kind::set && plan->text == "UNION ALL") {
    for (const PlanPtr& input : plan->inputs) arms_of(input, arms);
  } else {
    arms.push_back(plan);
  }
}

// Of one named query: its arms, and what its readers take of them.
struct NamedUnion {
  std::vector<PlanPtr> arms;
  PlanPtr whole;
  size_t reads = 0, arms_read = 0;
};
using NamedUnions = std::map<std::string, NamedUnion>;

void relations_that_must_match(const PlanPtr& from, std::vector<const Plan*>& out,
                               std::vector<BoundPtr>& conditions) {
  if (from->kind == Plan::Kind::cte) out.push_back(from.get());
  if (from->kind != Plan::Kind::join) return;
  if (from->text != "CROSS" && from->text != "INNER") return;
  if (from->condition) conditions.push_back(from->condition);
  for (const PlanPtr& input : from->inputs) relations_that_must_match(input, out, conditions);
}

// Column -> the text it must equal, of one relation.
using Wanted = std::map<size_t, std::string>;

void note_wanted(const Bound& condition, std::map<size_t, Wanted>& wanted) {
  if (condition.kind == Kind::chain && condition.text == "AND") {
    for (const BoundPtr& part : condition.args) note_wanted(*part, wanted);
  }
  if (condition.kind != Kind::call || condition.text != "({0} = {1})") return;
  for (size_t side : {0, 1}) {
    const Bound& column = *condition.args[side];
    const Bound* text = text_of(*condition.args[1 - side]);
    if (column.kind == Kind::column && text)
      wanted[column.relation].emplace(column.index, text->text);
  }
}

bool may_have(const Plan& arm, const Wanted& wanted) {
  if (arm.kind != Plan::Kind::select) return true;
  return std::ranges::all_of(wanted, [&](const auto& of) {
    const Bound* text = of.first < arm.items.size() ? text_of(*arm.items[of.first]) : nullptr;
    return !text || text->text == of.second;
  });
}

// Each reader of a named union with the arms it takes.
using Taken = std::map<const Plan*, std::vector<PlanPtr>>;

void note_readers(const Plan& select, NamedUnions& unions, Taken& taken) {
  if (select.kind != Plan::Kind::select || !select.where || select.inputs.size() != 1) return;
  std::vector<const Plan*> readers;
  std::vector<BoundPtr> conditions{select.where};
  relations_that_must_match(select.inputs[0], readers, conditions);
  std::map<size_t, Wanted> wanted;
  for (const BoundPtr& condition : conditions) note_wanted(*condition, wanted);
  for (const Plan* reader : readers) {
    auto found = unions.find(reader->handle);
    if (found == unions.end()) continue;
    std::vector<PlanPtr> arms;
    for (const PlanPtr& arm : found->second.arms) {
      if (may_have(*arm, wanted[reader->relation])) arms.push_back(arm);
    }
    bool fewer = !arms.empty() && arms.size() < found->second.arms.size();
    if (!fewer || !taken.emplace(reader, arms).second) continue;
    ++found->second.reads;
    found->second.arms_read += arms.size();
  }
}

using Change = std::function<PlanPtr(const PlanPtr&)>;

PlanPtr union_of(const Plan& reader, const std::vector<PlanPtr>& arms, const Plan& whole,
                 const Change& change) {
  PlanPtr all = change(arms[0]);
  for (size_t i = 1; i < arms.size(); ++i) {
    auto both = std::make_shared<Plan>(whole);
    both->inputs = {all, change(arms[i])};
    all = both;
  }
  auto made = std::make_shared<Plan>(*all);
  made->relation = reader.relation;
  return made;
}

// ---- the walk over a plan ----

// A plan with its inputs and named queries changed, itself when none is. Subqueries inside
// expressions stay as they are.
PlanPtr with_parts(const PlanPtr& plan, const Change& change) {
  std::shared_ptr<Plan> made;
  auto own = [&]() -> Plan& {
    if (!made) made = std::make_shared<Plan>(*plan);
    return *made;
  };
  for (size_t i = 0; i < plan->inputs.size(); ++i) {
    PlanPtr input = change(plan->inputs[i]);
    if (input != plan->inputs[i]) own().inputs[i] = input;
  }
  for (size_t i = 0; i < plan->ctes.size(); ++i) {
    PlanPtr query = change(plan->ctes[i].plan);
    if (query != plan->ctes[i].plan) own().ctes[i].plan = query;
  }
  return made ? made : plan;
}

NamedUnions named_unions(const PlanPtr& plan) {
  NamedUnions unions;
  each_plan(plan, [&](const PlanPtr& at) {
    for (const PlanCte& cte : at->ctes) {
      if (cte.recursive || cte.plan->kind != Plan::Kind::set) continue;
      NamedUnion made{.whole = cte.plan};
      arms_of(cte.plan, made.arms);
      if (made.arms.size() > 1) unions["cte" + std::to_string(cte.id)] = std::move(made);
    }
  });
  return unions;
}

// Only where every reader takes some of the arms, and all together twice the work at most.
PlanPtr unions_in_place(const PlanPtr& plan) {
  NamedUnions unions = named_unions(plan);
  if (unions.empty()) return plan;
  Taken taken;
  each_plan(plan, [&](const PlanPtr& at) { note_readers(*at, unions, taken); });
  auto reads = count_named_queries(*plan);
  std::erase_if(unions, [&](const auto& named) {
    const NamedUnion& at = named.second;
    return at.reads < 2 || at.reads != reads[named.first] || at.arms_read > 2 * at.arms.size() ||
           is_random(at.whole);
  });
  if (unions.empty()) return plan;
  Change change = [&](const PlanPtr& at) -> PlanPtr {
    auto found = taken.find(at.get());
    if (found != taken.end() && unions.contains(at->handle))
      return union_of(*at, found->second, *unions[at->handle].whole, change);
    PlanPtr made = with_parts(at, change);
    auto read_in_place = [&](const PlanCte& cte) {
      return unions.contains("cte" + std::to_string(cte.id));
    };
    if (std::ranges::none_of(made->ctes, read_in_place)) return made;
    auto fewer = std::make_shared<Plan>(*made);
    std::erase_if(fewer->ctes, read_in_place);
    return fewer;
  };
  return change(plan);
}

PlanPtr selects_merged(const PlanPtr& plan) { return merged(with_parts(plan, selects_merged)); }

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
  queries_.push_back(fmt::format("{}({}) AS ({})", name, columns, text));
}

std::string NamedQueries::before(std::string text, bool begins_with_queries) const {
  for (size_t end = queries_.size(); end > 0;) {
    size_t begin = (end - 1) / kTogetherMax * kTogetherMax;
    if (begins_with_queries) text = "SELECT * FROM (" + text + ") AS w";
    std::string queries;
    for (size_t i = begin; i < end; ++i) queries += (i > begin ? ", " : "") + queries_[i];
    text = "WITH " + queries + " " + text;
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

PlanPtr simplified(const Plan& plan) {
  return selects_merged(unions_in_place(std::make_shared<Plan>(plan)));
}

std::string canonical_name(const Identifier& name) {
  std::string out = name.text;
  if (name.quoted) return out;
  for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  return out;
}

std::string render_recursive(const RecursiveText& text) {
  std::string reached = fmt::format("(SELECT max(step) FROM {})", text.name);
  return fmt::format(
      "WITH RECURSIVE {0}({1}, step) AS (SELECT *, 0 FROM ({2}) AS b UNION ALL SELECT *, CASE "
      "WHEN {3} < {4} THEN {3} + 1 ELSE trino_fail('NOT_SUPPORTED', 'Recursion depth limit "
      "exceeded ({4}). Use ''max_recursion_depth'' session property to modify the limit.') END "
      "FROM ({5}) AS s) SELECT {6}{1} FROM {0}",
      text.name, text.columns, text.base, reached, text.depth, text.step,
      text.distinct ? "DISTINCT " : "");
}

}  // namespace aichemy::sql
