// Parts of aggregates and windows. Internal to the renderer.
#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// avg() of decimals from their sum and count: exact, at the argument's scale, rounded half up. NULL
// over nothing, as the sum is.
std::string render_decimal_average(const Bound& call, const std::string& sum,
                                   const std::string& count);
std::string render_frame_bound(BoundKind kind, const std::string& amount);

// The text of a greatest value or what stands beside it: over doubles, where NaN is the engine's
// greatest, without NaN unless there is nothing else.
std::string_view without_nan(std::string_view text, const std::vector<BoundPtr>& args);

// How what stands in a window is written.
struct WindowForms {
  std::function<std::string(const Bound&)> expression;
  std::function<std::string(const std::vector<BoundSort>&)> sorts;
  bool in_try = false;
};

std::string render_window(const BoundWindow& over, const WindowForms& forms);

}  // namespace aichemy::sql
