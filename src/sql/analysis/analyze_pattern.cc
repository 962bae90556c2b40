// Row patterns: labels, navigation, aggregates over matched rows, and MATCH_RECOGNIZE itself.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/analysis/pattern_program.h"
#include "sql/analysis/pattern_scope.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean), kBigint(TypeKind::bigint);

std::string canonical(const Identifier& name) {
  std::string text = name.text;
  if (!name.quoted) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  }
  return text;
}

void collect_labels(const PatternNode& node, std::vector<std::string>& labels) {
  if (node.kind == PatternNode::Kind::label) {
    std::string name = canonical(node.name);
    if (std::ranges::find(labels, name) == labels.end()) labels.push_back(std::move(name));
  }
  for (const auto& part : node.parts) collect_labels(part, labels);
}

const PatternNode* find_node(const PatternNode& node, std::set<PatternNode::Kind> kinds) {
  if (kinds.contains(node.kind)) return &node;
  for (const auto& part : node.parts) {
    if (const auto* found = find_node(part, kinds)) return found;
  }
  return nullptr;
}

bool is_navigation(std::string_view name) {
  return name == "prev" || name == "next" || name == "first" || name == "last";
}

}  // namespace

Analyzer::PatternScope* Analyzer::pattern_of(const Scope& scope) {
  for (const Scope* level = &scope; level; level = level->parent) {
    if (level->subquery || level->barrier) return nullptr;
    if (level->pattern) return level->pattern;
  }
  return nullptr;
}

// Notes the labels a name was qualified with; they must be the same all over one navigation or
// aggregate.
static Status agree(std::optional<std::vector<size_t>>& noted, const std::vector<size_t>& labels,
                    Position at, const std::string& name) {
  if (!noted) noted = labels;
  if (*noted == labels) return {};
  return semantic_error(
      "INVALID_ARGUMENTS", at,
      fmt::format("All labels and classifiers inside the call to '{}' must match", name));
}

// `label.column` or `column`, where it stands: inside an aggregate an item of the listed rows,
// inside a navigation the column of the row it leads to, elsewhere of the last row so far.
Result<BoundPtr> Analyzer::pattern_column(PatternScope& pattern,
                                          const std::vector<std::string>& names, Position at,
                                          bool& handled) {
  handled = false;
  std::vector<size_t> labels;
  if (names.size() == 2) {
    auto found = pattern.labels->find(names[0]);
    if (found == pattern.labels->end()) return BoundPtr();
    labels = found->second;
  } else if (names.size() != 1) {
    return BoundPtr();
  }
  const ScopeField* field = nullptr;
  for (const auto& one : *pattern.fields) {
    if (!one.name || lower_case(*one.name) != names.back()) continue;
    if (field) {
      handled = true;
      return semantic_error("AMBIGUOUS_NAME", at,
                            fmt::format("Column '{}' is ambiguous", names.back()));
    }
    field = &one;
  }
  if (!field) return BoundPtr();
  handled = true;
  if (field->value->kind == Bound::Kind::column) {
    auto scan = scans_.find(field->value->relation);
    if (scan != scans_.end()) scan->second.columns.insert(field->value->index);
  }
  size_t column = pattern.columns->of(field->value);
  const Type& type = field->value->type;
  if (pattern.listing) {
    RETURN_IF_ERROR(agree(pattern.listing->labels, labels, at, "aggregate"));
    auto& items = pattern.listing->items;
    auto item = std::ranges::find(items, static_cast<int64_t>(column));
    auto made = std::make_shared<Bound>();
    made->kind = Bound::Kind::field;
    made->type = type;
    made->at = at;
    made->index = static_cast<size_t>(item - items.begin());
    if (item == items.end()) {
      items.push_back(static_cast<int64_t>(column));
      pattern.listing->types.push_back(type);
    }
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = Type(TypeKind::row);
    variable->index = pattern.listing->variable;
    made->args.push_back(std::move(variable));
    return BoundPtr(made);
  }
  PatternSlot slot;
  if (pattern.navigation) {
    RETURN_IF_ERROR(agree(pattern.navigation->labels, labels, at, pattern.navigation->name));
    slot = pattern.navigation->slot;
  }
  slot.kind = PatternSlot::Kind::column;
  slot.column = column;
  slot.labels = std::move(labels);
  return pattern.slots->of(std::move(slot), type, at);
}

// PREV, NEXT, FIRST, LAST, CLASSIFIER and MATCH_NUMBER; the begin of an aggregate.
Result<BoundPtr> Analyzer::pattern_call(const std::string& name, const Expression& e, Scope& scope,
                                        bool& handled) {
  handled = false;
  PatternScope* pattern = e.qualified.size() == 1 ? pattern_of(scope) : nullptr;
  if (!pattern) {
    if (e.op.empty()) return BoundPtr();
    return semantic_error("INVALID_PROCESSING_MODE", e.at,
                          fmt::format("{} semantics is supported only in pattern recognition "
                                      "context",
                                      e.op));
  }
  if (pattern->define && e.op == "FINAL") {
    return semantic_error("INVALID_PROCESSING_MODE", e.at,
                          "FINAL semantics is not supported in DEFINE clause");
  }
  if (is_navigation(name)) {
    handled = true;
    return pattern_navigation(name, e, scope, *pattern);
  }
  if (name == "match_number" && e.args.empty()) {
    handled = true;
    PatternSlot slot;
    slot.kind = PatternSlot::Kind::match_number;
    return pattern->slots->of(std::move(slot), kBigint, e.at);
  }
  if (name != "classifier" || e.args.size() > 1) return BoundPtr();
  handled = true;
  std::vector<size_t> labels;
  if (!e.args.empty()) {
    auto found = e.args[0]->kind == ExpressionKind::identifier
                     ? pattern->labels->find(e.args[0]->name.lower())
                     : pattern->labels->end();
    if (found == pattern->labels->end()) {
      return semantic_error("INVALID_FUNCTION_ARGUMENT", e.args[0]->at,
                            "CLASSIFIER takes a primary pattern variable or a subset name");
    }
    labels = found->second;
  }
  if (pattern->listing) {
    RETURN_IF_ERROR(agree(pattern->listing->labels, labels, e.at, "aggregate"));
    auto& items = pattern->listing->items;
    auto item = std::ranges::find(items, PatternSlot::kClassifier);
    auto made = std::make_shared<Bound>();
    made->kind = Bound::Kind::field;
    made->type = Type::varchar();
    made->index = static_cast<size_t>(item - items.begin());
    if (item == items.end()) {
      items.push_back(PatternSlot::kClassifier);
      pattern->listing->types.push_back(made->type);
    }
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = Type(TypeKind::row);
    variable->index = pattern->listing->variable;
    made->args.push_back(std::move(variable));
    return BoundPtr(made);
  }
  PatternSlot slot;
  if (pattern->navigation) {
    RETURN_IF_ERROR(agree(pattern->navigation->labels, labels, e.at, pattern->navigation->name));
    slot = pattern->navigation->slot;
  }
  slot.kind = PatternSlot::Kind::classifier;
  slot.labels = std::move(labels);
  return pattern->slots->of(std::move(slot), Type::varchar(), e.at);
}

Result<BoundPtr> Analyzer::pattern_navigation(const std::string& name, const Expression& e,
                                              Scope& scope, PatternScope& pattern) {
  auto fail_with = [&](const char* error, const std::string& message) {
    return semantic_error(error, e.at, message);
  };
  auto upper = [](std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
  };
  if (pattern.listing) {
    return fail_with("NESTED_AGGREGATION",
                     fmt::format("Cannot nest {} pattern navigation function inside an aggregate "
                                 "function",
                                 upper(name)));
  }
  bool physical = name == "prev" || name == "next";
  if (physical && !e.op.empty()) {
    return fail_with("INVALID_PROCESSING_MODE",
                     fmt::format("{} semantics is not supported with {} pattern recognition "
                                 "function",
                                 e.op, upper(name)));
  }
  if (e.args.empty() || e.args.size() > 2) {
    return fail_with(
        "INVALID_FUNCTION_ARGUMENT",
        fmt::format("{} pattern recognition function requires 1 or 2 arguments", upper(name)));
  }
  int64_t offset = physical ? 1 : 0;
  if (e.args.size() == 2) {
    if (e.args[1]->kind != ExpressionKind::integer_literal) {
      return fail_with("INVALID_FUNCTION_ARGUMENT",
                       fmt::format("{} pattern recognition function requires a number as the "
                                   "second argument",
                                   upper(name)));
    }
    offset = std::strtoll(e.args[1]->text.c_str(), nullptr, 10);
    if (offset > INT32_MAX) {
      return fail_with("NUMERIC_VALUE_OUT_OF_RANGE",
                       fmt::format("The second argument of {} pattern recognition function must "
                                   "not exceed {} (actual: {})",
                                   upper(name), INT32_MAX, offset));
    }
  }
  PatternScope::Navigation* outer = pattern.navigation;
  bool of_physical = outer && (outer->name == "prev" || outer->name == "next");
  bool direct = of_physical && !physical && outer->slot.logical == 0 && !outer->labels;
  if (outer && !direct) {
    return fail_with("INVALID_NAVIGATION_NESTING",
                     fmt::format("Cannot nest {} pattern navigation function inside {} pattern "
                                 "navigation function",
                                 upper(name), upper(outer->name)));
  }
  PatternScope::Navigation here;
  if (outer) here = *outer;
  here.name = name;
  if (physical) {
    here.slot.physical = name == "prev" ? -offset : offset;
  } else {
    here.slot.logical = offset;
    here.slot.last = name == "last";
    here.slot.final = e.op == "FINAL";
  }
  pattern.navigation = &here;
  auto made = analyze(*e.args[0], scope);
  pattern.navigation = outer;
  if (!made) return made;
  if (!here.labels) {
    return fail_with("INVALID_ARGUMENTS",
                     fmt::format("Pattern navigation function '{}' must contain at least one "
                                 "column reference or CLASSIFIER()",
                                 upper(name)));
  }
  if (outer) outer->labels = here.labels;
  return made;
}

Result<std::shared_ptr<PatternSpec>> Analyzer::pattern_spec(const RowPattern& pattern,
                                                            PatternParts& parts) {
  auto spec = std::make_shared<PatternSpec>();
  collect_labels(pattern.pattern, spec->labels);
  std::map<std::string, size_t> numbers;
  for (size_t i = 0; i < spec->labels.size(); ++i) {
    numbers[spec->labels[i]] = i;
    parts.labels[lower_case(spec->labels[i])] = {i};
  }
  for (const auto& [name, members] : pattern.subsets) {
    if (numbers.contains(canonical(name))) {
      return semantic_error("INVALID_LABEL", name.at,
                            fmt::format("union pattern variable name: {} is a duplicate of primary "
                                        "pattern variable name",
                                        name.text));
    }
    if (parts.labels.contains(name.lower())) {
      return semantic_error(
          "INVALID_LABEL", name.at,
          fmt::format("union pattern variable name: {} is declared twice", name.text));
    }
    std::set<size_t> all;
    for (const auto& member : members) {
      auto found = numbers.find(canonical(member));
      if (found == numbers.end()) {
        return semantic_error(
            "INVALID_LABEL", member.at,
            fmt::format("subset element: {} is not a primary pattern variable", member.text));
      }
      all.insert(found->second);
    }
    parts.labels[name.lower()].assign(all.begin(), all.end());
  }
  std::set<std::string> defined;
  for (const auto& [name, condition] : pattern.define) {
    if (!numbers.contains(canonical(name))) {
      return semantic_error(
          "INVALID_LABEL", name.at,
          fmt::format("defined variable: {} is not a primary pattern variable", name.text));
    }
    if (!defined.insert(canonical(name)).second) {
      return semantic_error(
          "INVALID_LABEL", name.at,
          fmt::format("pattern variable with name: {} is defined twice", name.text));
    }
  }
  spec->skip = static_cast<PatternSpec::Skip>(pattern.skip);
  spec->seek = pattern.seek;
  if (!pattern.skip_to.text.empty()) {
    auto found = parts.labels.find(pattern.skip_to.lower());
    if (found == parts.labels.end()) {
      return semantic_error(
          "INVALID_LABEL", pattern.skip_to.at,
          fmt::format("{} is not a primary or union pattern variable", pattern.skip_to.text));
    }
    spec->skip_labels = found->second;
  }
  ASSIGN_OR_RETURN(spec->program, compile_pattern(pattern.pattern, [&](const Identifier& name) {
                     return numbers.at(canonical(name));
                   }));
  spec->relation = parts.define.relation = next_relation_++;
  parts.output.relation = next_relation_++;
  parts.conditions.resize(spec->labels.size());
  return spec;
}

Status Analyzer::pattern_conditions(const RowPattern& pattern, PatternParts& parts,
                                    const Scope* outer) {
  for (const auto& [name, condition] : pattern.define) {
    PatternScope inside;
    inside.fields = &parts.fields;
    inside.labels = &parts.labels;
    inside.columns = &parts.columns;
    inside.slots = &parts.define;
    inside.define = true;
    Scope scope;
    scope.parent = outer;
    scope.pattern = &inside;
    scope.aggregates = true;
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*condition, scope));
    if (!value->type.is(TypeKind::boolean) && !value->type.is(TypeKind::unknown)) {
      return semantic_error("TYPE_MISMATCH", condition->at,
                            fmt::format("Expression defining a label must be boolean (actual type: "
                                        "{})",
                                        value->type.display()));
    }
    // What the row does not decide (subqueries, columns around) is read from the row as well.
    bool mixed = false;
    value = rewrite(value, [&](const BoundPtr& at) -> BoundPtr {
      using Kind = Bound::Kind;
      bool query = at->plan != nullptr;
      bool around = at->kind == Kind::column && at->relation != parts.define.relation;
      if (!query && !around) return nullptr;
      rewrite(at, [&](const BoundPtr& inner) -> BoundPtr {
        mixed = mixed || (inner->kind == Kind::column && inner->relation == parts.define.relation);
        return nullptr;
      });
      PatternSlot slot;
      slot.column = parts.columns.of(at);
      return parts.define.of(std::move(slot), at->type, at->at);
    });
    if (mixed) {
      return semantic_error("NOT_SUPPORTED", condition->at,
                            "A subquery over matched rows in DEFINE is not supported");
    }
    parts.conditions[parts.labels.at(name.lower())[0]] = make_cast(value, kBoolean);
  }
  return {};
}

Result<BoundPtr> Analyzer::pattern_measure(const Expression& expression, PatternParts& parts,
                                           const Scope* outer) {
  PatternScope inside;
  inside.fields = &parts.fields;
  inside.labels = &parts.labels;
  inside.columns = &parts.columns;
  inside.slots = &parts.output;
  Scope scope;
  scope.parent = outer;
  scope.pattern = &inside;
  scope.aggregates = true;
  return analyze(expression, scope);
}

Result<Analyzer::From> Analyzer::analyze_match_recognize(const Relation& relation,
                                                         const Scope* outer) {
  const RowPattern& pattern = *relation.pattern;
  ASSIGN_OR_RETURN(From input, analyze_relation(*relation.left, outer));
  PatternParts parts;
  parts.fields = input.fields;
  ASSIGN_OR_RETURN(auto spec, pattern_spec(pattern, parts));
  spec->rows = static_cast<PatternSpec::Rows>(pattern.rows);
  const PatternNode* excluded = find_node(pattern.pattern, {PatternNode::Kind::excluded});
  if (excluded && pattern.rows == RowPattern::Rows::all_with_unmatched) {
    return semantic_error("INVALID_ROW_PATTERN", excluded->at,
                          "Pattern exclusion syntax is not allowed when ALL ROWS PER MATCH WITH "
                          "UNMATCHED ROWS is specified");
  }
  auto match = std::make_shared<Plan>();
  match->kind = Plan::Kind::match;
  match->relation = parts.output.relation;
  auto select = std::make_shared<Plan>();
  select->kind = Plan::Kind::select;
  auto current = [&](const BoundPtr& value) {
    PatternSlot slot;
    slot.kind = PatternSlot::Kind::current;
    slot.column = parts.columns.of(value);
    return parts.output.of(std::move(slot), value->type, value->at);
  };
  Scope keys;
  keys.parent = outer;
  keys.fields = input.fields;
  auto name_of = [](const Expression& key) -> std::optional<std::string> {
    bool named = key.kind == ExpressionKind::identifier || key.kind == ExpressionKind::dereference;
    return named ? std::optional(key.name.text) : std::nullopt;
  };
  bool all = pattern.rows != RowPattern::Rows::one;
  std::vector<BoundPtr> shown;
  auto show = [&](std::optional<std::string> name, const BoundPtr& value) {
    shown.push_back(value);
    select->fields.push_back({std::move(name), value->type});
    select->items.push_back(current(value));
  };
  for (const auto& key : pattern.partition_by) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*key, keys));
    if (!is_comparable(value->type)) {
      return semantic_error("TYPE_MISMATCH", key->at,
                            fmt::format("{} is not comparable, and therefore cannot be used in "
                                        "PARTITION BY",
                                        value->type.display()));
    }
    show(name_of(*key), value);
    match->group_keys.push_back(std::move(value));
  }
  ASSIGN_OR_RETURN(match->order_by, sort_items(pattern.order_by, keys));
  for (size_t i = 0; i < match->order_by.size() && all; ++i)
    show(name_of(*pattern.order_by[i].key), match->order_by[i].key);
  for (const auto& [name, measure] : pattern.measures) {
    ASSIGN_OR_RETURN(BoundPtr value, pattern_measure(*measure, parts, outer));
    select->fields.push_back({name.text, value->type});
    if (pattern.rows == RowPattern::Rows::all_with_unmatched) {
      PatternSlot slot;
      slot.kind = PatternSlot::Kind::matched;
      BoundPtr matched = parts.output.of(std::move(slot), kBoolean, measure->at);
      value = make_call(value->type, "CASE WHEN {0} THEN {1} END", {matched, value}, measure->at);
    }
    select->items.push_back(std::move(value));
  }
  for (const auto& field : input.fields) {
    bool again = std::ranges::any_of(
        shown, [&](const BoundPtr& one) { return same_expression(*one, *field.value); });
    if (!all || field.hidden || again) continue;
    if (auto scan = scans_.find(field.value->relation);
        field.value->kind == Bound::Kind::column && scan != scans_.end())
      scan->second.columns.insert(field.value->index);
    select->fields.push_back({field.name, field.value->type});
    select->items.push_back(current(field.value));
  }
  RETURN_IF_ERROR(pattern_conditions(pattern, parts, outer));
  if (select->items.empty()) {
    return semantic_error("TABLE_HAS_NO_COLUMNS", relation.at,
                          "pattern recognition output table has no columns");
  }
  if (parts.columns.values.empty()) parts.columns.values.push_back(make_literal(kBoolean, "true"));
  if (parts.output.slots.empty()) {
    PatternSlot slot;
    slot.kind = PatternSlot::Kind::matched;
    parts.output.of(std::move(slot), kBoolean, relation.at);
  }
  spec->define = parts.define.slots;
  spec->output = parts.output.slots;
  for (const auto& type : parts.output.types) match->fields.push_back({std::nullopt, type});
  match->inputs.push_back(std::move(input.plan));
  match->arguments = parts.columns.values;
  match->rows.push_back(parts.conditions);
  match->pattern = std::move(spec);
  select->inputs.push_back(std::move(match));
  return from_plan(std::move(select), {});
}

}  // namespace aichemy::sql
