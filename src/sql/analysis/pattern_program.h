// A row pattern as the steps of a backtracking machine. Internal.
#pragma once

#include <functional>

#include "base/result.h"
#include "sql/analysis/plan.h"

namespace aichemy::sql {

// The number of a primary pattern variable.
using LabelOf = std::function<size_t(const Identifier&)>;

// INVALID_ROW_PATTERN when it unrolls to more steps than a machine may have.
Result<std::vector<PatternStep>> compile_pattern(const PatternNode& pattern, const LabelOf& label);

}  // namespace aichemy::sql
