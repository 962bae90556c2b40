#include "sql/analysis/simplify.h"

#include <algorithm>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sql/analysis/relations.h"
#include "sql/analysis/render_moment.h"

namespace aichemy::sql {
namespace {

using Kind = Bound::Kind;

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

// Rows that are other rows when they are read again.
bool is_random(const Bound& value);

bool is_random(const BoundPtr& value) { return value && is_random(*value); }

bool is_random(const Plan& plan) {
  if (plan.kind == Plan::Kind::sample || plan.kind == Plan::Kind::match) return true;
  auto any = [](const auto& values) {
    return std::ranges::any_of(values, [](const BoundPtr& value) { return is_random(value); });
  };
  auto sorted = [](const auto& sorts) {
    return std::ranges::any_of(sorts, [](const auto& sort) { return is_random(sort.key); });
  };
  return std::ranges::any_of(plan.inputs, [](const PlanPtr& input) { return is_random(*input); }) ||
         std::ranges::any_of(plan.ctes, [](const PlanCte& cte) { return is_random(*cte.plan); }) ||
         any(plan.items) || any(plan.group_keys) || any(plan.arguments) || sorted(plan.order_by) ||
         std::ranges::any_of(plan.rows, any) || is_random(plan.where) || is_random(plan.having) ||
         is_random(plan.condition);
}

bool is_random(const Bound& value) {
  bool here = value.kind == Kind::routine || value.over ||
              value.text.find("random") != std::string::npos ||
              value.text.find("uuid") != std::string::npos;
  if (here && value.kind != Kind::literal) return true;
  auto sorted = [](const auto& sort) { return is_random(sort.key); };
  return std::ranges::any_of(value.args, [](const BoundPtr& arg) { return is_random(arg); }) ||
         std::ranges::any_of(value.order_by, sorted) || is_random(value.filter) ||
         (value.plan && is_random(*value.plan));
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

void each_plan(const PlanPtr& plan, const std::function<void(const PlanPtr&)>& visit) {
  visit(plan);
  for (const PlanPtr& input : plan->inputs) each_plan(input, visit);
  for (const PlanCte& cte : plan->ctes) each_plan(cte.plan, visit);
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
           is_random(*at.whole);
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

PlanPtr simplified(const Plan& plan) {
  return selects_merged(unions_in_place(std::make_shared<Plan>(plan)));
}

}  // namespace aichemy::sql
