// Parts of aggregates and windows. Internal to the renderer.
#pragma once

#include <string>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// avg() of decimals from their sum and count: exact, at the argument's scale, rounded half up. NULL
// over nothing, as the sum is.
std::string render_decimal_average(const Bound& call, const std::string& sum,
                                   const std::string& count);
std::string render_frame_bound(BoundKind kind, const std::string& amount);

}  // namespace aichemy::sql
