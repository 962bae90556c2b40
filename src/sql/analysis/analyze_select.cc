// Select blocks: select list, grouping, ORDER BY.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/expressions.h"
#include "sql/analysis/relations.h"
#include "sql/types/moment.h"

namespace aichemy::sql {
namespace {

bool has_aggregate(const BoundPtr& value) {
  bool found = false;
  rewrite(value, [&](const BoundPtr& at) -> BoundPtr {
    if (at->kind == Bound::Kind::aggregate) found = true;
    return found ? at : nullptr;
  });
  return found;
}

Result<Value> literal_value(const Bound& literal) {
  auto none = fail(Code::unsupported, "no_value", "");
  switch (literal.type.kind) {
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
      return Value(static_cast<int64_t>(std::strtoll(literal.text.c_str(), nullptr, 10)));
    case TypeKind::real:
      return Value(static_cast<double>(std::strtof(literal.text.c_str(), nullptr)));
    case TypeKind::double_: return Value(std::strtod(literal.text.c_str(), nullptr));
    case TypeKind::decimal:
    case TypeKind::varchar:
    case TypeKind::varbinary:
    case TypeKind::uuid: return Value(literal.text);
    case TypeKind::boolean: return Value(literal.text == "true");
    case TypeKind::date:
      return Value(floor_div(moment_of_code(literal.text).seconds, kSecondsPerDay));
    case TypeKind::timestamp:
    case TypeKind::timestamp_tz: {
      Moment moment = moment_of_code(literal.text);
      if (moment.picos % 1'000'000 != 0) return none;
      return Value(moment.seconds * 1'000'000 + moment.picos / 1'000'000);
    }
    default: return none;
  }
}

// The scan column behind widening casts, and the literal as a value of that column's kind.
struct ColumnTest {
  const Bound* column = nullptr;
  std::optional<Value> value;
};

ColumnTest column_and_value(const Bound& column_side, const Bound& literal_side) {
  ColumnTest test;
  const Bound* literal = &literal_side;
  while (literal->kind == Bound::Kind::cast && !literal->safe &&
         can_coerce(literal->args[0]->type, literal->type)) {
    literal = literal->args[0].get();
  }
  const Bound* column = &column_side;
  while (column->kind == Bound::Kind::cast && can_coerce(column->args[0]->type, column->type) &&
         column->type.is_integer()) {
    column = column->args[0].get();
  }
  bool fits = column->kind == Bound::Kind::column && literal->kind == Bound::Kind::literal &&
              !literal->null;
  if (!fits) return test;
  bool same = column->type.kind == literal->type.kind ||
              (column->type.is_integer() && literal->type.is_integer());
  if (!same) return test;
  auto value = literal_value(*literal);
  if (!value) return test;
  test.column = column;
  test.value = std::move(*value);
  return test;
}

// A column that a star has put beside a grouping.
template <typename Fields>
Error not_grouped(const Bound& column, const Fields& fields) {
  std::string shown;
  for (size_t i = 0; i < fields.size(); ++i) {
    const auto& field = fields[i];
    bool same = field.value->kind == Bound::Kind::column &&
                field.value->relation == column.relation && field.value->index == column.index;
    if (!same) continue;
    std::string qualifier = field.qualifier.empty() ? "" : field.qualifier.back() + ".";
    shown = field.name ? fmt::format("'{}{}'", qualifier, lower_case(*field.name))
                       : std::to_string(i + 1);
    break;
  }
  return fail(Code::invalid, "EXPRESSION_NOT_AGGREGATE",
              fmt::format("Column {} not in GROUP BY clause", shown))
      .error();
}

// a, a.b, a.b.c: a value under its last name. A field of anything else has none.
bool is_name_chain(const Expression& expression) {
  const Expression* at = &expression;
  while (at->kind == ExpressionKind::dereference) at = at->args[0].get();
  return at->kind == ExpressionKind::identifier;
}

std::optional<Compare> comparison(std::string_view op, bool swapped) {
  if (op == "=") return Compare::eq;
  if (op == "<") return swapped ? Compare::gt : Compare::lt;
  if (op == "<=") return swapped ? Compare::ge : Compare::le;
  if (op == ">") return swapped ? Compare::lt : Compare::gt;
  if (op == ">=") return swapped ? Compare::le : Compare::ge;
  return std::nullopt;
}

}  // namespace

// Comparisons are calls "({0} op {1})", BETWEEN and IN have their own texts: see
// analyze_expression.cc. Columns of an outer query are left alone: what a subquery asks of them
// need not hold for the outer row.
bool Analyzer::note_conjuncts(const Bound& condition, const std::set<size_t>& relations) {
  if (condition.kind == Bound::Kind::chain && condition.text == "AND") {
    bool all = true;
    for (const auto& part : condition.args) all = note_conjuncts(*part, relations) && all;
    return all;
  }
  if (condition.kind == Bound::Kind::literal) return !condition.null && condition.text == "true";
  if (condition.kind != Bound::Kind::call || condition.args.empty()) return false;
  return note_comparison(condition, relations);
}

bool Analyzer::note_comparison(const Bound& condition, const std::set<size_t>& relations) {
  auto note = [&](const Bound& column, Compare op, std::vector<Value> values) {
    auto scan = scans_.find(column.relation);
    if (scan == scans_.end() || !relations.contains(column.relation)) return false;
    scan->second.conjuncts.push_back({column.index, op, std::move(values)});
    return true;
  };
  const std::string& text = condition.text;
  const auto& args = condition.args;
  if (text == "({0} IN ({1+}))") {
    std::vector<Value> values;
    const Bound* column = nullptr;
    for (size_t i = 1; i < args.size(); ++i) {
      auto test = column_and_value(*args[0], *args[i]);
      if (!test.column) return false;
      column = test.column;
      values.push_back(std::move(*test.value));
    }
    return column && note(*column, Compare::in, std::move(values));
  }
  if (text == "({0} BETWEEN {1} AND {2})") {
    auto low = column_and_value(*args[0], *args[1]), high = column_and_value(*args[0], *args[2]);
    bool above = low.column && note(*low.column, Compare::ge, {*low.value});
    bool below = high.column && note(*high.column, Compare::le, {*high.value});
    return above && below;
  }
  if (text == "({0} IS NULL)" || text == "({0} IS NOT NULL)") {
    bool null = text == "({0} IS NULL)";
    if (args[0]->kind != Bound::Kind::column || (null && outer_join_)) return false;
    return note(*args[0], null ? Compare::is_null : Compare::is_not_null, {});
  }
  if (args.size() != 2 || !text.starts_with("({0} ") || !text.ends_with(" {1})")) return false;
  std::string_view op = std::string_view(text).substr(5, text.size() - 10);
  auto test = column_and_value(*args[0], *args[1]);
  bool swapped = !test.column;
  if (swapped) test = column_and_value(*args[1], *args[0]);
  auto compare = comparison(op, swapped);
  return test.column && compare && note(*test.column, *compare, {*test.value});
}

Status Analyzer::expand_star(const SelectItem& item, const From& from, Scope& scope,
                             std::vector<std::pair<OutputField, BoundPtr>>& items) {
  std::vector<std::string> prefix;
  if (item.expression) {
    const Expression* at = item.expression.get();
    while (at->kind == ExpressionKind::dereference) {
      prefix.insert(prefix.begin(), at->name.lower());
      at = at->args[0].get();
    }
    if (at->kind == ExpressionKind::identifier)
      prefix.insert(prefix.begin(), at->name.lower());
    else
      prefix.clear();
  }
  size_t before = items.size();
  for (const auto& field : from.fields) {
    if (field.hidden) continue;
    if (item.expression) {
      bool fits = !prefix.empty() && field.qualifier.size() >= prefix.size() &&
                  std::equal(prefix.rbegin(), prefix.rend(), field.qualifier.rbegin());
      if (!fits) continue;
    }
    mark_read(*field.value);
    items.emplace_back(OutputField{field.name, field.value->type}, field.value);
  }
  // A qualifier of an outer query.
  for (const Scope* level = scope.parent; level && item.expression && items.size() == before;
       level = level->parent) {
    for (const auto& field : level->fields) {
      bool fits = !field.hidden && !prefix.empty() && field.qualifier.size() >= prefix.size() &&
                  std::equal(prefix.rbegin(), prefix.rend(), field.qualifier.rbegin());
      if (fits) items.emplace_back(OutputField{field.name, field.value->type}, field.value);
    }
    if (level->barrier) break;
  }
  if (item.expression && items.size() == before) {
    bool row = true;
    auto base = analyze(*item.expression, scope);  // row.*
    if (!base || !(*base)->type.is(TypeKind::row)) row = false;
    if (!row) {
      std::string shown;
      for (const auto& part : prefix) shown += (shown.empty() ? "" : ".") + part;
      return semantic_error("TABLE_NOT_FOUND", item.at,
                            fmt::format("Unable to resolve reference {}", shown));
    }
    for (size_t i = 0; i < (*base)->type.fields.size(); ++i) {
      auto field = std::make_shared<Bound>();
      field->kind = Bound::Kind::field;
      field->type = (*base)->type.fields[i].type;
      field->index = i;
      field->args.push_back(*base);
      items.emplace_back(OutputField{(*base)->type.fields[i].name, field->type}, field);
    }
  }
  if (items.size() == before) {
    return semantic_error("COLUMN_NOT_FOUND", item.at,
                          "SELECT * not allowed from relation that has no columns");
  }
  if (!item.column_aliases.empty()) {
    if (item.column_aliases.size() != items.size() - before) {
      return semantic_error(
          "MISMATCHED_COLUMN_ALIASES", item.column_aliases[0].at,
          fmt::format("Column alias list has {} entries but relation has {} columns",
                      item.column_aliases.size(), items.size() - before));
    }
    for (size_t i = before; i < items.size(); ++i)
      items[i].first.name = canonical_name(item.column_aliases[i - before]);
  }
  return {};
}

Result<std::vector<std::pair<OutputField, BoundPtr>>> Analyzer::select_items(
    const SelectBlock& block, const From& from, Scope& scope) {
  std::vector<std::pair<OutputField, BoundPtr>> items;
  for (const auto& item : block.items) {
    if (item.all) {
      if (!item.expression && from.fields.empty()) {
        return semantic_error("COLUMN_NOT_FOUND", item.at,
                              "SELECT * not allowed in queries without FROM clause");
      }
      RETURN_IF_ERROR(expand_star(item, from, scope, items));
      continue;
    }
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*item.expression, scope));
    OutputField field{std::nullopt, value->type};
    if (item.alias)
      field.name = item.alias->text;
    else if (is_name_chain(*item.expression))
      field.name = item.expression->name.text;
    items.emplace_back(std::move(field), std::move(value));
  }
  return items;
}

Result<PlanPtr> Analyzer::analyze_select(const QueryTerm& term, const Query* tail,
                                         const Scope* outer) {
  const SelectBlock& block = term.select;
  std::vector<std::unique_ptr<WindowMatch>> matches;
  struct Restore {
    std::vector<std::unique_ptr<WindowMatch>>*& at;
    std::vector<std::unique_ptr<WindowMatch>>* before;
    ~Restore() { at = before; }
  } restore{window_matches_, window_matches_};
  bool saved_outer_join = outer_join_;
  outer_join_ = false;
  ASSIGN_OR_RETURN(From from, analyze_from(block.from, outer));
  auto select = std::make_shared<Plan>();
  select->kind = Plan::Kind::select;
  Scope scope;
  scope.parent = outer;
  scope.fields = from.fields;
  scope.block = &block;
  BoundPtr where;
  if (block.where) {
    ASSIGN_OR_RETURN(where, analyze_condition(*block.where, scope, "WHERE clause"));
    note_conjuncts(*where, from.relations);
  }
  tell_join_keys_apart(from.plan, where);
  scope.aggregates = true;
  RETURN_IF_ERROR(check_windows(block, scope));
  outer_join_ = saved_outer_join;
  scope.aggregates = scope.windows = true;
  window_matches_ = &matches;
  ASSIGN_OR_RETURN(auto items, select_items(block, from, scope));
  auto grouped = std::make_shared<Plan>();
  grouped->kind = Plan::Kind::select;
  RETURN_IF_ERROR(group_keys(block, items, scope, *grouped));
  BoundPtr having;
  if (block.having) {
    scope.windows = false;
    scope.clause = "HAVING clause";
    ASSIGN_OR_RETURN(having, analyze_condition(*block.having, scope, scope.clause));
    scope.clause = "";
    scope.windows = true;
  }
  select->distinct = block.distinct;
  for (const auto& [field, value] : items) {
    if (block.distinct && !is_comparable(value->type)) {
      return semantic_error(
          "TYPE_MISMATCH", term.at,
          fmt::format("DISTINCT can only be applied to comparable types (actual: {})",
                      value->type.display()));
    }
  }
  if (tail) RETURN_IF_ERROR(order_keys(*tail, items, scope, *select));
  bool aggregated = block.grouped || having;
  for (const auto& [field, value] : items) aggregated = aggregated || has_aggregate(value);
  for (const auto& [field, value] : items) {
    if (block.grouped || !has_grouping(value)) continue;
    return semantic_error("MISSING_GROUP_BY", term.at,
                          "A GROUPING() operation can only be used with a corresponding GROUPING "
                          "SET/CUBE/ROLLUP/GROUP BY clause");
  }
  for (const auto& sort : select->order_by) aggregated = aggregated || has_aggregate(sort.key);
  if (aggregated) {
    grouped->inputs.push_back(from.plan);
    grouped->where = std::move(where);
    RETURN_IF_ERROR(
        aggregate_block(block, from, *select, items, std::move(having), std::move(grouped)));
  } else {
    select->inputs.push_back(from.plan);
    select->where = std::move(where);
  }
  if (!matches.empty()) {
    if (aggregated) {
      return semantic_error("NOT_SUPPORTED", term.at,
                            "Row patterns in windows over grouped rows are not supported");
    }
    RETURN_IF_ERROR(apply_window_matches(from, *select, items));
  }
  for (auto& [field, value] : items) {
    select->fields.push_back(std::move(field));
    select->items.push_back(std::move(value));
  }
  return PlanPtr(std::move(select));
}

Status Analyzer::group_keys(const SelectBlock& block,
                            const std::vector<std::pair<OutputField, BoundPtr>>& items,
                            Scope& scope, Plan& grouped) {
  grouped.grouped = true;
  Scope key_scope = scope;
  key_scope.aggregates = key_scope.windows = false;
  key_scope.clause = "GROUP BY clause";
  auto number_of = [&](const BoundPtr& key) {
    for (size_t i = 0; i < grouped.group_keys.size(); ++i) {
      if (same_expression(*grouped.group_keys[i], *key)) return i;
    }
    grouped.group_keys.push_back(key);
    return grouped.group_keys.size() - 1;
  };
  auto key_of = [&](const Expression& expression) -> Result<size_t> {
    BoundPtr key;
    if (expression.kind == ExpressionKind::integer_literal) {
      uint64_t n = std::strtoull(expression.text.c_str(), nullptr, 10);
      if (n < 1 || n > items.size()) {
        return semantic_error("INVALID_COLUMN_REFERENCE", expression.at,
                              fmt::format("GROUP BY position {} is not in select list", n));
      }
      key = items[n - 1].second;
      if (has_aggregate(key)) {
        return semantic_error(
            "EXPRESSION_NOT_SCALAR", expression.at,
            "GROUP BY clause cannot contain aggregations, window functions or grouping operations");
      }
    } else {
      ASSIGN_OR_RETURN(key, analyze(expression, key_scope));
    }
    if (!is_comparable(key->type)) {
      return semantic_error(
          "TYPE_MISMATCH", expression.at,
          fmt::format("{} is not comparable, and therefore cannot be used in GROUP BY",
                      key->type.display()));
    }
    return number_of(key);
  };
  std::vector<std::vector<size_t>> product{{}};
  for (const auto& element : block.group_by) {
    std::vector<std::vector<size_t>> sets;
    if (element.sets.empty()) {  // AUTO
      std::vector<size_t> all;
      for (const auto& [field, value] : items) {
        if (!has_aggregate(value)) all.push_back(number_of(value));
      }
      sets.push_back(std::move(all));
    }
    for (const auto& set : element.sets) {
      std::vector<size_t> keys;
      for (const auto& expression : set) {
        ASSIGN_OR_RETURN(size_t key, key_of(*expression));
        bool column = grouped.group_keys[key]->kind == Bound::Kind::column;
        if (element.kind != GroupingElement::Kind::simple && !column) {
          return semantic_error("INVALID_COLUMN_REFERENCE", expression->at,
                                "GROUP BY expression must be a column reference");
        }
        keys.push_back(key);
      }
      sets.push_back(std::move(keys));
    }
    std::vector<std::vector<size_t>> expanded;
    if (element.kind == GroupingElement::Kind::rollup) {
      for (size_t n = sets.size() + 1; n-- > 0;) {
        std::vector<size_t> keys;
        for (size_t i = 0; i < n; ++i) keys.insert(keys.end(), sets[i].begin(), sets[i].end());
        expanded.push_back(std::move(keys));
      }
    } else if (element.kind == GroupingElement::Kind::cube) {
      if (sets.size() > 12)
        return semantic_error("TOO_MANY_GROUPING_SETS", element.at, "CUBE has too many columns");
      for (size_t mask = size_t{1} << sets.size(); mask-- > 0;) {
        std::vector<size_t> keys;
        for (size_t i = 0; i < sets.size(); ++i) {
          if (mask >> (sets.size() - 1 - i) & 1)
            keys.insert(keys.end(), sets[i].begin(), sets[i].end());
        }
        expanded.push_back(std::move(keys));
      }
    } else {
      expanded = std::move(sets);
    }
    std::vector<std::vector<size_t>> next;
    if (product.size() * expanded.size() > 2048) {
      return semantic_error("TOO_MANY_GROUPING_SETS", element.at,
                            "GROUP BY has more than 2048 grouping sets");
    }
    for (const auto& left : product) {
      for (const auto& right : expanded) {
        next.push_back(left);
        next.back().insert(next.back().end(), right.begin(), right.end());
      }
    }
    product = std::move(next);
  }
  for (auto& set : product) {
    std::ranges::sort(set);
    set.erase(std::unique(set.begin(), set.end()), set.end());
    if (block.group_distinct &&
        std::ranges::find(grouped.group_sets, set) != grouped.group_sets.end())
      continue;
    grouped.group_sets.push_back(std::move(set));
  }
  return {};
}

// What stands above a grouping sees only its keys and aggregates: both become columns of the
// grouped relation.
Status Analyzer::aggregate_block(const SelectBlock&, const From& from, Plan& select,
                                 std::vector<std::pair<OutputField, BoundPtr>>& items,
                                 BoundPtr having, std::shared_ptr<Plan> grouped) {
  size_t relation = next_relation_++;
  grouped->relation = relation;
  for (const auto& key : grouped->group_keys) {
    grouped->items.push_back(key);
    grouped->fields.push_back({std::nullopt, key->type});
  }
  std::optional<Error> problem;
  ExpressionIndex aggregates;
  Replace replace = [&](const BoundPtr& value) -> BoundPtr {
    for (size_t i = 0; i < grouped->group_keys.size(); ++i) {
      if (same_expression(*grouped->group_keys[i], *value))
        return make_column(relation, i, value->type, value->at);
    }
    if (value->kind == Bound::Kind::aggregate) {
      if (!problem) problem = bad_grouping(*value, *grouped);
      if (auto known = aggregates.find(*value))
        return make_column(relation, *known, value->type, value->at);
      aggregates.add(value, grouped->items.size());
      grouped->items.push_back(value);
      grouped->fields.push_back({std::nullopt, value->type});
      return make_column(relation, grouped->items.size() - 1, value->type, value->at);
    }
    if (value->kind == Bound::Kind::column && from.relations.contains(value->relation) &&
        !problem) {
      if (value->text.empty()) {  // of a star
        problem = not_grouped(*value, from.fields);
        return nullptr;
      }
      auto error = semantic_error(
          "EXPRESSION_NOT_AGGREGATE", value->at,
          fmt::format("'{}' must be an aggregate expression or appear in GROUP BY clause",
                      value->text));
      problem = error.error();
    }
    return nullptr;
  };
  for (auto& [field, value] : items) value = rewrite(value, replace);
  for (auto& sort : select.order_by) {
    if (sort.key) sort.key = rewrite(sort.key, replace);
  }
  if (having) select.where = rewrite(having, replace);
  if (problem) return std::unexpected(*problem);
  select.inputs.push_back(std::move(grouped));
  return {};
}

Status Analyzer::order_keys(const Query& tail,
                            const std::vector<std::pair<OutputField, BoundPtr>>& items,
                            Scope& scope, Plan& select) {
  Scope key_scope = scope;  // output names first, then the columns of FROM
  std::vector<ScopeField> outputs;
  for (const auto& [field, value] : items) {
    if (field.name) outputs.push_back({field.name, {}, value, false});
  }
  for (const auto& item : tail.order_by) {
    BoundSort sort;
    sort.descending = item.descending;
    sort.nulls_first = item.nulls_first.value_or(false);
    const Expression& key = *item.key;
    std::optional<size_t> output;
    if (key.kind == ExpressionKind::integer_literal) {
      uint64_t n = std::strtoull(key.text.c_str(), nullptr, 10);
      if (n < 1 || n > items.size()) {
        return semantic_error("INVALID_COLUMN_REFERENCE", key.at,
                              fmt::format("ORDER BY position {} is not in select list", n));
      }
      sort.key = items[n - 1].second;
    } else if (key.kind == ExpressionKind::identifier) {
      std::vector<const BoundPtr*> found;
      for (const auto& field : outputs) {
        if (lower_case(*field.name) != key.name.lower()) continue;
        bool known = false;
        for (const auto* other : found) known = known || same_expression(**other, *field.value);
        if (!known) found.push_back(&field.value);
      }
      if (found.size() > 1) {
        return semantic_error("AMBIGUOUS_NAME", key.at,
                              fmt::format("Column '{}' is ambiguous", key.name.lower()));
      }
      if (found.size() == 1) sort.key = *found[0];
    }
    if (!sort.key) {
      // Names in a larger expression: an output name hides a column of the same name.
      Scope both = key_scope;
      std::erase_if(both.fields, [&](const ScopeField& field) {
        return field.qualifier.empty() && field.name &&
               std::ranges::any_of(outputs, [&](const ScopeField& out) {
                 return lower_case(*out.name) == lower_case(*field.name);
               });
      });
      Scope outer_names = both;
      Scope inner;
      inner.parent = &outer_names;
      inner.fields = outputs;
      inner.outputs = true;
      inner.block = scope.block;
      inner.aggregates = scope.aggregates;
      inner.windows = scope.windows;
      ASSIGN_OR_RETURN(sort.key, analyze(key, inner));
    }
    if (!is_orderable(sort.key->type)) {
      return semantic_error(
          "TYPE_MISMATCH", key.at,
          fmt::format("Type {} is not orderable, and therefore cannot be used in ORDER BY",
                      sort.key->type.display()));
    }
    for (size_t i = 0; i < items.size() && !output; ++i) {
      if (same_expression(*items[i].second, *sort.key)) output = i;
    }
    if (select.distinct && !output) {
      return semantic_error("EXPRESSION_NOT_IN_DISTINCT", tail.at,
                            "For SELECT DISTINCT, ORDER BY expressions must appear in select list");
    }
    select.order_by.push_back(std::move(sort));
    select.order_output.push_back(output);
  }
  ASSIGN_OR_RETURN(select.offset, row_count(tail.offset.get(), "OFFSET"));
  ASSIGN_OR_RETURN(select.limit, row_count(tail.limit.get(), "LIMIT"));
  if (tail.with_ties) {
    if (tail.order_by.empty())
      return semantic_error("MISSING_ORDER_BY", tail.limit_at,
                            "FETCH FIRST WITH TIES clause requires ORDER BY");
    select.with_ties = true;
  }
  return {};
}

}  // namespace aichemy::sql
