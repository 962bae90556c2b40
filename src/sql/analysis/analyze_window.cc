// Sort items and window specifications, with the named windows they build on; where aggregates,
// window functions and GROUPING may stand.
#include <fmt/format.h>

#include <algorithm>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/relations.h"

namespace aichemy::sql {

Result<std::vector<BoundSort>> Analyzer::sort_items(const std::vector<SortItem>& items,
                                                    Scope& scope) {
  std::vector<BoundSort> made;
  for (const auto& item : items) {
    BoundSort sort;
    ASSIGN_OR_RETURN(sort.key, analyze(*item.key, scope));
    if (!is_orderable(sort.key->type)) {
      return semantic_error(
          "TYPE_MISMATCH", item.key->at,
          fmt::format("ORDER BY can only be applied to orderable types (actual: {})",
                      sort.key->type.display()));
    }
    sort.descending = item.descending;
    sort.nulls_first = item.nulls_first.value_or(false);
    made.push_back(std::move(sort));
  }
  return made;
}

namespace {

std::unexpected<Error> bad_frame(Position at, const std::string& what) {
  return semantic_error("INVALID_WINDOW_FRAME", at, "Window frame " + what);
}

Status check_frame_ends(const WindowSpec& spec) {
  BoundKind start = spec.start.kind, end = spec.end ? spec.end->kind : BoundKind::current_row;
  if (start == BoundKind::unbounded_following)
    return bad_frame(spec.frame_at, "start cannot be UNBOUNDED FOLLOWING");
  if (end == BoundKind::unbounded_preceding)
    return bad_frame(spec.frame_at, "end cannot be UNBOUNDED PRECEDING");
  if (start <= end) return {};
  return bad_frame(spec.frame_at,
                   fmt::format("starting from {} cannot end with {}",
                               start == BoundKind::following ? "FOLLOWING" : "CURRENT ROW",
                               end == BoundKind::preceding ? "PRECEDING" : "CURRENT ROW"));
}

bool is_moment(const Type& type) {
  return type.is(TypeKind::date) || type.is(TypeKind::time) || type.is(TypeKind::time_tz) ||
         type.is(TypeKind::timestamp) || type.is(TypeKind::timestamp_tz);
}

bool is_interval(const Type& type) {
  return type.is(TypeKind::interval_day_time) || type.is(TypeKind::interval_year_month);
}

// What RANGE adds to a key of this type.
bool is_distance(const Type& key, const Type& value) {
  if (is_interval(key)) return value.kind == key.kind;
  if (is_moment(key)) return is_interval(value);
  return value.is_numeric();
}

Status check_range(const WindowSpec& spec, const BoundWindow& made) {
  static constexpr const char* kRange = "Window frame of type {} PRECEDING or FOLLOWING requires ";
  bool value = spec.start.value || (spec.end && spec.end->value);
  bool groups = spec.unit == "GROUPS";
  std::string needs = fmt::format(fmt::runtime(kRange), spec.unit);
  if (made.order_by.empty() && (groups || (spec.unit == "RANGE" && value)))
    return semantic_error("MISSING_ORDER_BY", spec.frame_at, needs + "ORDER BY");
  if (groups || spec.unit != "RANGE" || !value) return {};
  if (made.order_by.size() > 1) {
    return semantic_error(
        "INVALID_ORDER_BY", spec.order_by.empty() ? spec.frame_at : spec.order_at,
        needs + fmt::format("single sort item in ORDER BY (actual: {})", made.order_by.size()));
  }
  const Type& key = made.order_by[0].key->type;
  Position key_at = spec.order_by.empty() ? spec.frame_at : spec.order_by[0].key->at;
  if (!key.is_numeric() && !is_moment(key) && !is_interval(key)) {
    return semantic_error(
        "TYPE_MISMATCH", key_at,
        needs + fmt::format("that sort item type be numeric, datetime or interval (actual: {})",
                            key.display()));
  }
  for (const auto* bound : {&spec.start, spec.end ? &*spec.end : nullptr}) {
    if (!bound || !bound->value) continue;
    const BoundPtr& offset = bound == &spec.start ? made.start_value : made.end_value;
    if (is_distance(key, offset->type)) continue;
    return semantic_error(
        "TYPE_MISMATCH", bound->value->at,
        fmt::format("Window frame RANGE value type ({}) not compatible with sort item type ({})",
                    offset->type.display(), key.display()));
  }
  return {};
}

}  // namespace

// The named windows of a block: each once, each built on an earlier one, right even when unused.
Status Analyzer::check_windows(const SelectBlock& block, Scope& scope) {
  for (size_t i = 0; i < block.windows.size(); ++i) {
    const auto& [name, spec] = block.windows[i];
    bool base = !spec->base;
    for (size_t k = 0; k < i; ++k) {
      std::string earlier = canonical_name(block.windows[k].first);
      if (earlier == canonical_name(name)) {
        return semantic_error("DUPLICATE_WINDOW_NAME", name.at,
                              fmt::format("WINDOW name '{}' specified more than once", name.text));
      }
      base = base || earlier == canonical_name(*spec->base);
    }
    if (!base) {
      return semantic_error("INVALID_WINDOW_REFERENCE", spec->base->at,
                            fmt::format("Cannot resolve WINDOW name {}", spec->base->text));
    }
    if (spec->pattern) continue;  // analysed with its measures
    BoundWindow made;
    Scope inner;
    inner.parent = &scope;
    inner.aggregates = scope.aggregates;
    inner.clause = kInWindow;
    RETURN_IF_ERROR(merge_window(*spec, inner, made, 0));
  }
  return {};
}

Status Analyzer::window_base(const WindowSpec& spec, Scope& scope, BoundWindow& made, int depth) {
  const WindowSpec* base = nullptr;
  const Scope* at = &scope;
  while (at && !at->block && !at->subquery) at = at->parent;
  if (at && at->block) {
    for (const auto& [name, window] : at->block->windows) {
      if (canonical_name(name) == canonical_name(*spec.base)) base = window.get();
    }
  }
  if (!base || depth > 20) {
    return semantic_error("INVALID_WINDOW_REFERENCE", spec.base->at,
                          fmt::format("Cannot resolve WINDOW name {}", spec.base->text));
  }
  RETURN_IF_ERROR(merge_window(*base, scope, made, depth + 1));
  if (spec.bare_reference) return {};
  if (!spec.partition_by.empty()) {
    return semantic_error(
        "INVALID_PARTITION_BY", spec.partition_by[0]->at,
        "WINDOW specification with named WINDOW reference cannot specify PARTITION BY");
  }
  if (!spec.order_by.empty() && !made.order_by.empty()) {
    return semantic_error("INVALID_ORDER_BY", spec.order_at,
                          "Cannot specify ORDER BY if referenced named WINDOW specifies ORDER BY");
  }
  if (!made.unit.empty()) {
    return semantic_error("INVALID_WINDOW_REFERENCE", spec.base->at,
                          "Cannot reference named WINDOW containing frame specification");
  }
  return {};
}

Status Analyzer::window_frame(const WindowSpec& spec, Scope& scope, BoundWindow& made) {
  RETURN_IF_ERROR(check_frame_ends(spec));
  made.unit = spec.unit;
  made.start = spec.start.kind;
  auto value_of = [&](const FrameBound& bound, const char* which) -> Result<BoundPtr> {
    if (!bound.value) return BoundPtr();
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*bound.value, scope));
    if (spec.unit == "RANGE" || value->type.is_integer()) return value;
    if (value->type.is(TypeKind::decimal) && value->type.scale == 0)
      return make_cast(value, Type(TypeKind::bigint));
    return semantic_error("TYPE_MISMATCH", bound.value->at,
                          fmt::format("Window frame {} {} value type must be exact numeric type "
                                      "with scale 0 (actual {})",
                                      spec.unit, which, value->type.display()));
  };
  ASSIGN_OR_RETURN(made.start_value, value_of(spec.start, "start"));
  if (spec.end) {
    made.end = spec.end->kind;
    ASSIGN_OR_RETURN(made.end_value, value_of(*spec.end, "end"));
  }
  return check_range(spec, made);
}

Status Analyzer::merge_window(const WindowSpec& spec, Scope& scope, BoundWindow& made, int depth) {
  if (spec.base) RETURN_IF_ERROR(window_base(spec, scope, made, depth));
  for (const auto& key : spec.partition_by) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*key, scope));
    if (!is_comparable(value->type)) {
      return semantic_error("TYPE_MISMATCH", key->at,
                            fmt::format("{} is not comparable, and therefore cannot be used in "
                                        "window function PARTITION BY",
                                        value->type.display()));
    }
    if (!is_orderable(value->type)) {
      return semantic_error("TYPE_MISMATCH", key->at,
                            fmt::format("{} is not orderable, and therefore cannot be used in "
                                        "window function PARTITION BY",
                                        value->type.display()));
    }
    made.partition_by.push_back(std::move(value));
  }
  auto order = sort_items(spec.order_by, scope);
  if (!order) {
    constexpr std::string_view kWhat = "ORDER BY can only be applied to orderable types (actual: ";
    std::string message = order.error().message;
    size_t found = message.find(kWhat);
    if (found == std::string::npos) return std::unexpected(order.error());
    std::string type = message.substr(found + kWhat.size());
    type.pop_back();
    Error error = order.error();
    error.message = fmt::format(
        "{}{} is not orderable, and therefore cannot be used in window function ORDER BY",
        message.substr(0, found), type);
    return std::unexpected(std::move(error));
  }
  for (auto& sort : *order) made.order_by.push_back(std::move(sort));
  if (spec.unit.empty()) return {};
  return window_frame(spec, scope, made);
}

// Aggregates and window functions stand where the clause around them lets them.
Status Analyzer::check_place(const FunctionRow& row, const Expression& e, const Scope& scope) {
  if (e.window ? scope.windows : scope.aggregates) return {};
  std::string_view clause = scope.clause;
  if (e.window) {
    if (clause == kInAggregate || clause == kInWindowCall || clause == kInWindow) {
      return semantic_error(
          "NESTED_WINDOW", e.at,
          fmt::format("Cannot nest window functions or row pattern measures inside {}", clause));
    }
    if (clause == "HAVING clause") {
      return semantic_error(
          "NESTED_WINDOW", e.at,
          "HAVING clause cannot contain window functions or row pattern measures");
    }
  }
  if (clause == kInAggregate) {
    return semantic_error(
        "NESTED_AGGREGATION", e.at,
        fmt::format("Cannot nest aggregations inside aggregation: '{}'", row.name));
  }
  return semantic_error(
      "EXPRESSION_NOT_SCALAR", e.at,
      fmt::format("{} cannot contain aggregations, window functions or grouping operations: ['{}']",
                  clause.empty() ? "WHERE clause" : clause, row.name));
}

Status Analyzer::check_distinct(const Expression& e, const Bound& call) {
  for (const auto& argument : call.args) {
    if (is_comparable(argument->type)) continue;
    return semantic_error(
        "TYPE_MISMATCH", e.at,
        fmt::format("DISTINCT can only be applied to comparable types (actual: {})",
                    argument->type.display()));
  }
  for (size_t i = 0; i < call.order_by.size(); ++i) {
    bool found = std::ranges::any_of(call.args, [&](const BoundPtr& argument) {
      return same_expression(*argument, *call.order_by[i].key);
    });
    if (found) continue;
    return semantic_error("EXPRESSION_NOT_IN_DISTINCT", e.order_by[i].key->at,
                          "For aggregate function with DISTINCT, ORDER BY expressions must appear "
                          "in arguments");
  }
  return {};
}

Status Analyzer::check_window_call(const FunctionRow& row, const Expression& e,
                                   const Bound& call) const {
  static constexpr std::string_view kRanking[] = {"row_number",   "rank",      "dense_rank",
                                                  "percent_rank", "cume_dist", "ntile"};
  static constexpr std::string_view kValue[] = {"first_value", "last_value", "nth_value", "lag",
                                                "lead"};
  std::string_view name = row.name;
  bool shift = name == "lag" || name == "lead";
  bool ranking = std::ranges::find(kRanking, name) != std::end(kRanking);
  bool value = std::ranges::find(kValue, name) != std::end(kValue);
  if (!e.null_treatment.empty() && !value) {
    return semantic_error(
        "NULL_TREATMENT_NOT_ALLOWED", e.at,
        fmt::format("Cannot specify null treatment clause for {} function", name));
  }
  if (e.distinct && (ranking || value)) {
    return semantic_error("NOT_SUPPORTED", e.at,
                          "Only aggregation window functions with DISTINCT are supported");
  }
  if (shift && call.over->order_by.empty()) {
    bool plain = !e.window->base && e.window->partition_by.empty();
    return semantic_error("MISSING_ORDER_BY", plain ? e.window->order_at : e.window->at,
                          fmt::format("{} function requires an ORDER BY window clause", name));
  }
  if ((shift || ranking) && !call.over->unit.empty()) {
    return semantic_error("INVALID_WINDOW_FRAME",
                          e.window->unit.empty() ? e.window->at : e.window->frame_at,
                          fmt::format("Cannot specify window frame for {} function", name));
  }
  return {};
}

Result<std::shared_ptr<const BoundWindow>> Analyzer::window(const WindowSpec& spec, Scope& scope) {
  auto made = std::make_shared<BoundWindow>();
  RETURN_IF_ERROR(merge_window(spec, scope, *made, 0));
  return std::shared_ptr<const BoundWindow>(std::move(made));
}

Result<BoundPtr> Analyzer::analyze_grouping(const Expression& e, Scope& scope) {
  std::vector<BoundPtr> args;
  if (e.args.size() > 63) {
    return semantic_error("TOO_MANY_ARGUMENTS", e.at,
                          "GROUPING supports up to 63 column arguments");
  }
  if (!scope.aggregates) {
    const char* clause = scope.clause[0] ? scope.clause : "WHERE clause";
    return semantic_error("EXPRESSION_NOT_SCALAR", e.at,
                          fmt::format("{} cannot contain aggregations, window functions or "
                                      "grouping operations: ['grouping']",
                                      clause));
  }
  for (const auto& argument : e.args) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*argument, scope));
    args.push_back(std::move(value));
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::aggregate;
  made->type = Type(args.size() <= 31 ? TypeKind::integer : TypeKind::bigint);
  made->text = args.empty() ? "0"
                            : fmt::format("CAST(GROUPING({{*}}) AS {})",
                                          args.size() <= 31 ? "INTEGER" : "BIGINT");
  made->args = std::move(args);
  made->at = e.at;
  return made;
}

}  // namespace aichemy::sql
