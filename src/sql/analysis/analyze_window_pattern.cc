// Aggregates over the rows of a match, and row patterns in windows: `measure OVER w`, and functions
// over the rows that a match reduces a frame to. Each such window becomes a match node under the
// select block, through which the block's columns pass; see apply_window_matches.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/pattern_scope.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean), kBigint(TypeKind::bigint);

const WindowSpec* named_window(const SelectBlock& block, const Identifier& name) {
  for (const auto& [known, window] : block.windows) {
    if (known.lower() == name.lower()) return window.get();
  }
  return nullptr;
}

// The template of an aggregate over rows as one over a list: `sum@({0})@` becomes
// list_aggregate(list_transform(list, row -> {0}), 'sum'). None when the engine cannot say so.
std::optional<std::string> over_list(std::string_view text, bool distinct, size_t variable,
                                     const BoundPtr& list, std::vector<BoundPtr>& args) {
  std::vector<BoundPtr> plain = args;
  auto each = [&](std::string_view inner) {
    auto lambda = std::make_shared<Bound>();
    lambda->kind = Bound::Kind::lambda;
    lambda->type = Type(TypeKind::function);
    lambda->variables = {variable};
    lambda->args.push_back(make_call(Type(), std::string(inner), plain));
    args.push_back(make_call(Type(), "list_transform({0}, {1})", {list, BoundPtr(lambda)}));
    return fmt::format("{{{}}}", args.size() - 1);
  };
  std::string out;
  while (true) {
    size_t open = text.find("@("), close = text.find(")@");
    if (open == std::string_view::npos) return out + std::string(text);
    size_t begin = open;
    while (begin > 0 &&
           (std::isalnum(static_cast<unsigned char>(text[begin - 1])) || text[begin - 1] == '_'))
      --begin;
    std::string_view name = text.substr(begin, open - begin),
                     inner = text.substr(open + 2, close - open - 2);
    out += text.substr(0, begin);
    text.remove_prefix(close + 2);
    if (args.size() > 8) return std::nullopt;
    if (inner == "*") {
      args.push_back(list);
      out += fmt::format("len({{{}}})", args.size() - 1);
      continue;
    }
    size_t comma = inner.starts_with("(") ? std::string_view::npos : inner.find("}, ");
    if (comma == std::string_view::npos) {
      std::string items = each(inner);
      if (distinct)
        items = (name == "array_agg" ? "trino_distinct(" : "list_distinct(") + items + ")";
      out += fmt::format("list_aggregate({}, '{}')", items, name);
      continue;
    }
    if (!name.starts_with("arg_") || distinct) return std::nullopt;
    std::string pair = fmt::format("struct_pack(k := {}, v := {})", inner.substr(comma + 3),
                                   inner.substr(0, comma + 1));
    out += fmt::format("(list_aggregate(list_filter({}, lambda p: p.k IS NOT NULL), '{}')).v",
                       each(pair), name.substr(4, 3));
  }
}

// Queries that look at nothing of the row are read from it like a column.
BoundPtr listed_subqueries(const BoundPtr& argument, PatternListing& listing,
                           PatternColumns& columns) {
  return rewrite(argument, [&](const BoundPtr& at) -> BoundPtr {
    bool of_row = false;
    for (const auto& inner : at->args) {
      rewrite(inner, [&](const BoundPtr& part) -> BoundPtr {
        of_row = of_row || part->kind == Bound::Kind::variable;
        return nullptr;
      });
    }
    if (!at->plan || of_row) return nullptr;
    auto field = std::make_shared<Bound>();
    field->kind = Bound::Kind::field;
    field->type = at->type;
    field->index = listing.items.size();
    auto variable = std::make_shared<Bound>();
    variable->kind = Bound::Kind::variable;
    variable->type = Type(TypeKind::row);
    variable->index = listing.variable;
    field->args.push_back(std::move(variable));
    listing.items.push_back(static_cast<int64_t>(columns.of(at)));
    listing.types.push_back(at->type);
    return field;
  });
}

}  // namespace

void Analyzer::begin_listing(PatternScope& pattern) {
  pattern.listing.emplace();
  pattern.listing->variable = next_variable_++;
}

// An aggregate over the rows matched to some labels: over a list of what it reads of them.
Result<BoundPtr> Analyzer::pattern_aggregate(const FunctionRow& row, const Expression& e,
                                             std::shared_ptr<Bound> made, PatternScope& pattern) {
  PatternListing listing;
  if (pattern.listing)
    listing = std::move(*pattern.listing);
  else
    listing.variable = next_variable_++;
  pattern.listing.reset();
  if (pattern.navigation) {
    return semantic_error("INVALID_NAVIGATION_NESTING", e.at,
                          fmt::format("Cannot nest {} aggregate function inside {} pattern "
                                      "navigation function",
                                      row.name, pattern.navigation->name));
  }
  if (e.filter || !e.order_by.empty()) {
    return semantic_error("NOT_SUPPORTED", e.at,
                          "FILTER and ORDER BY of an aggregate function in row patterns");
  }
  if (!e.args.empty() && e.args[0]->kind == ExpressionKind::star && !e.args[0]->name.text.empty()) {
    auto found = pattern.labels->find(e.args[0]->name.lower());
    if (found == pattern.labels->end()) {
      return semantic_error("INVALID_FUNCTION_ARGUMENT", e.at,
                            "label.* argument is only allowed in row pattern count function");
    }
    listing.labels = found->second;
  }
  for (auto& argument : made->args)
    argument = listed_subqueries(argument, listing, *pattern.columns);
  if (listing.items.empty()) {
    listing.items.push_back(PatternSlot::kClassifier);
    listing.types.push_back(Type::varchar());
  }
  PatternSlot slot;
  slot.kind = PatternSlot::Kind::list;
  slot.labels = listing.labels.value_or(std::vector<size_t>());
  slot.final = e.op == "FINAL";
  slot.items = listing.items;
  Type item(TypeKind::row);
  for (const auto& type : listing.types) item.fields.push_back({std::nullopt, type});
  BoundPtr list = pattern.slots->of(std::move(slot), Type::array(item), e.at);
  return list_form(row, e, std::move(made), std::move(list), listing.variable);
}

// `made`, an aggregate whose arguments read the row `variable`, over the rows of `list`.
Result<BoundPtr> Analyzer::list_form(const FunctionRow& row, const Expression& e,
                                     std::shared_ptr<Bound> made, BoundPtr list, size_t variable) {
  std::string text = made->text;
  if (text == "{avg_decimal}") {
    text = "{avg_decimal_list}";
    auto items = over_list("list@({0})@", e.distinct, variable, list, made->args);
    made->args = {make_null(made->args[0]->type), make_call(Type(), std::move(*items), made->args)};
  }
  auto over = over_list(text, e.distinct, variable, list, made->args);
  if (!over) {
    return semantic_error("NOT_SUPPORTED", e.at,
                          fmt::format("aggregate function {} in row patterns", row.name));
  }
  made->kind = Bound::Kind::call;
  made->text = std::move(*over);
  return BoundPtr(made);
}

// The row pattern of a window or of one it is based on.
const RowPattern* Analyzer::window_pattern(const WindowSpec& spec, const Scope& scope) const {
  const Scope* level = &scope;
  while (level && !level->block) level = level->parent;
  const WindowSpec* at = &spec;
  for (int depth = 0; at && depth < 20; ++depth) {
    if (at->pattern) return at->pattern.get();
    at = at->base && level ? named_window(*level->block, *at->base) : nullptr;
  }
  return nullptr;
}

Result<Analyzer::WindowMatch*> Analyzer::window_match(const WindowSpec& spec,
                                                      const RowPattern& pattern, Scope& scope) {
  for (auto& made : *window_matches_) {
    if (made->pattern == &pattern) return made.get();
  }
  const Scope* level = &scope;
  while (!level->block) level = level->parent;
  auto made = std::make_unique<WindowMatch>();
  made->pattern = &pattern;
  made->parts = std::make_shared<PatternParts>();
  PatternParts& parts = *made->parts;
  parts.fields = level->fields;
  Scope inner;
  inner.parent = &scope;
  BoundWindow window;
  RETURN_IF_ERROR(merge_window(spec, inner, window, 0));
  if (window.unit != "ROWS" || window.start != BoundKind::current_row || !window.end) {
    return semantic_error("INVALID_WINDOW_FRAME", spec.at,
                          window.unit.empty()
                              ? "Pattern recognition requires Common Frame to be specified"
                              : "Pattern recognition requires ROWS frame that starts with CURRENT "
                                "ROW");
  }
  ASSIGN_OR_RETURN(made->spec, pattern_spec(pattern, parts));
  made->spec->rows = PatternSpec::Rows::window;
  for (const auto& step : made->spec->program) {
    using Kind = PatternStep::Kind;
    if (step.kind == Kind::start || step.kind == Kind::end || step.kind == Kind::exclude) {
      return semantic_error("INVALID_ROW_PATTERN", pattern.pattern.at,
                            "Anchor and exclusion pattern syntax is not allowed in window");
    }
  }
  if (window.end == BoundKind::following)
    made->spec->frame_column = parts.columns.of(make_cast(window.end_value, kBigint));
  if (window.end == BoundKind::current_row)
    made->spec->frame_column = parts.columns.of(make_literal(kBigint, "0"));
  made->partition_by = std::move(window.partition_by);
  made->order_by = std::move(window.order_by);
  RETURN_IF_ERROR(pattern_conditions(pattern, parts, level->parent));
  window_matches_->push_back(std::move(made));
  return window_matches_->back().get();
}

Result<BoundPtr> Analyzer::analyze_measure(const Expression& e, Scope& scope) {
  const RowPattern* pattern = scope.windows ? window_pattern(*e.window, scope) : nullptr;
  const Expression* measure = nullptr;
  for (size_t i = 0; pattern && i < pattern->measures.size(); ++i) {
    if (pattern->measures[i].first.lower() == e.name.lower())
      measure = pattern->measures[i].second.get();
  }
  if (!measure) {
    return semantic_error(
        "INVALID_WINDOW_MEASURE", e.at,
        fmt::format("Measure {} is not defined in the corresponding window", e.name.lower()));
  }
  ASSIGN_OR_RETURN(WindowMatch * match, window_match(*e.window, *pattern, scope));
  const Scope* level = &scope;
  while (!level->block) level = level->parent;
  ASSIGN_OR_RETURN(BoundPtr value, pattern_measure(*measure, *match->parts, level->parent));
  PatternSlot slot;
  slot.kind = PatternSlot::Kind::matched;
  BoundPtr matched = match->parts->output.of(std::move(slot), kBoolean, e.at);
  return make_call(value->type, "CASE WHEN {0} THEN {1} END", {matched, value}, e.at);
}

// A function whose window has a row pattern: aggregates and value functions see the matched rows,
// the others the partition.
Result<BoundPtr> Analyzer::window_pattern_call(const FunctionRow& row, const Expression& e,
                                               std::shared_ptr<Bound> made, Scope& scope,
                                               bool& handled) {
  handled = false;
  const RowPattern* pattern = window_pattern(*e.window, scope);
  static constexpr std::string_view kValues[] = {"first_value", "last_value", "nth_value"};
  bool value = std::ranges::find(kValues, std::string_view(row.name)) != std::end(kValues);
  bool listed = value || row.kind == FunctionKind::aggregate;
  if (!pattern || !listed) return BoundPtr();
  handled = true;
  if (e.filter) {
    return semantic_error("NOT_SUPPORTED", e.at,
                          "FILTER of a function over a window with a row pattern");
  }
  ASSIGN_OR_RETURN(WindowMatch * match, window_match(*e.window, *pattern, scope));
  size_t variable = next_variable_++;
  PatternSlot slot;
  slot.kind = PatternSlot::Kind::list;
  Type item(TypeKind::row);
  BoundPtr nth = row.name == std::string_view("nth_value") ? made->args[1] : nullptr;
  if (value) made->args.resize(1);
  for (auto& argument : made->args) {
    auto field = std::make_shared<Bound>();
    field->kind = Bound::Kind::field;
    field->type = argument->type;
    field->index = slot.items.size();
    auto listing = std::make_shared<Bound>();
    listing->kind = Bound::Kind::variable;
    listing->type = Type(TypeKind::row);
    listing->index = variable;
    field->args.push_back(std::move(listing));
    slot.items.push_back(static_cast<int64_t>(match->parts->columns.of(argument)));
    item.fields.push_back({std::nullopt, argument->type});
    argument = std::move(field);
  }
  if (slot.items.empty()) {
    slot.items.push_back(PatternSlot::kClassifier);
    item.fields.push_back({std::nullopt, Type::varchar()});
  }
  BoundPtr list = match->parts->output.of(std::move(slot), Type::array(item), e.at);
  if (value) {
    made->text = std::string_view(row.name) == "first_value"  ? "({0})[1].f0"
                 : std::string_view(row.name) == "last_value" ? "({0})[-1].f0"
                                                              : "({0})[{1}].f0";
    if (e.null_treatment == "IGNORE")
      list = make_call(list->type, "list_filter({0}, lambda p: p.f0 IS NOT NULL)", {list});
    made->args = {list};
    if (nth) {
      PatternSlot current;
      current.kind = PatternSlot::Kind::current;
      current.column = match->parts->columns.of(nth);
      made->args.push_back(match->parts->output.of(std::move(current), nth->type, e.at));
    }
    made->kind = Bound::Kind::call;
    return BoundPtr(made);
  }
  return list_form(row, e, std::move(made), std::move(list), variable);
}

// Puts the match nodes between the block's FROM and its select list: what the list reads of FROM it
// reads through them.
Status Analyzer::apply_window_matches(const From& from, Plan& select,
                                      std::vector<std::pair<OutputField, BoundPtr>>& items) {
  std::set<size_t> relations = from.relations;
  PlanPtr input = from.plan;
  BoundPtr where = std::move(select.where);
  for (size_t i = 0; i < window_matches_->size(); ++i) {
    WindowMatch& made = *(*window_matches_)[i];
    PatternParts& parts = *made.parts;
    Replace through = [&](const BoundPtr& value) -> BoundPtr {
      if (value->kind != Bound::Kind::column || !relations.contains(value->relation))
        return nullptr;
      PatternSlot slot;
      slot.kind = PatternSlot::Kind::current;
      slot.column = parts.columns.of(value);
      return parts.output.of(std::move(slot), value->type, value->at);
    };
    for (auto& [field, value] : items) value = rewrite(value, through);
    for (auto& sort : select.order_by) {
      if (sort.key) sort.key = rewrite(sort.key, through);
    }
    for (size_t k = i + 1; k < window_matches_->size(); ++k) {
      WindowMatch& later = *(*window_matches_)[k];
      for (auto& value : later.parts->columns.values) value = rewrite(value, through);
      for (auto& value : later.partition_by) value = rewrite(value, through);
      for (auto& sort : later.order_by) sort.key = rewrite(sort.key, through);
    }
    auto node = std::make_shared<Plan>();
    node->kind = Plan::Kind::match;
    node->relation = parts.output.relation;
    if (parts.output.slots.empty()) {
      PatternSlot slot;
      slot.kind = PatternSlot::Kind::matched;
      parts.output.of(std::move(slot), kBoolean, {});
    }
    if (parts.columns.values.empty())
      parts.columns.values.push_back(make_literal(kBoolean, "true"));
    for (const auto& type : parts.output.types) node->fields.push_back({std::nullopt, type});
    node->inputs.push_back(std::move(input));
    node->where = std::move(where);
    node->arguments = parts.columns.values;
    node->group_keys = made.partition_by;
    node->order_by = made.order_by;
    node->rows.push_back(parts.conditions);
    made.spec->define = parts.define.slots;
    made.spec->output = parts.output.slots;
    node->pattern = made.spec;
    relations = {node->relation};
    input = std::move(node);
  }
  select.inputs = {input};
  return {};
}

}  // namespace aichemy::sql
