// Sort items and window specifications, with the named windows they build on.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"

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

Status Analyzer::merge_window(const WindowSpec& spec, Scope& scope, BoundWindow& made, int depth) {
  if (spec.base) {
    const WindowSpec* base = nullptr;
    const Scope* at = &scope;
    while (at && !at->block) at = at->parent;
    if (at) {
      for (const auto& [name, window] : at->block->windows) {
        if (name.lower() == spec.base->lower()) base = window.get();
      }
    }
    if (!base || depth > 20) {
      return semantic_error("INVALID_WINDOW_REFERENCE", spec.base->at,
                            fmt::format("Cannot resolve WINDOW name {}", spec.base->text));
    }
    RETURN_IF_ERROR(merge_window(*base, scope, made, depth + 1));
  }
  for (const auto& key : spec.partition_by) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*key, scope));
    made.partition_by.push_back(std::move(value));
  }
  ASSIGN_OR_RETURN(auto order, sort_items(spec.order_by, scope));
  for (auto& sort : order) made.order_by.push_back(std::move(sort));
  if (spec.unit.empty()) return {};
  made.unit = spec.unit;
  made.start = spec.start.kind;
  auto value_of = [&](const FrameBound& bound) -> Result<BoundPtr> {
    if (!bound.value) return BoundPtr();
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*bound.value, scope));
    if (spec.unit != "RANGE" && !value->type.is_integer()) {
      return semantic_error(
          "TYPE_MISMATCH", bound.value->at,
          fmt::format("Window frame {} offset value type must be BIGINT or SMALLINT (actual {})",
                      spec.unit, value->type.display()));
    }
    return value;
  };
  ASSIGN_OR_RETURN(made.start_value, value_of(spec.start));
  if (spec.end) {
    made.end = spec.end->kind;
    ASSIGN_OR_RETURN(made.end_value, value_of(*spec.end));
  }
  BoundKind end = spec.end ? spec.end->kind : BoundKind::current_row;
  if (made.start == BoundKind::unbounded_following || end == BoundKind::unbounded_preceding ||
      (made.start > end)) {
    return semantic_error("INVALID_WINDOW_FRAME", spec.at,
                          "Window frame starting and ending points are in the wrong order");
  }
  return {};
}

Result<std::shared_ptr<const BoundWindow>> Analyzer::window(const WindowSpec& spec, Scope& scope) {
  auto made = std::make_shared<BoundWindow>();
  RETURN_IF_ERROR(merge_window(spec, scope, *made, 0));
  return std::shared_ptr<const BoundWindow>(std::move(made));
}

}  // namespace aichemy::sql
