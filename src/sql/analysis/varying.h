#pragma once

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// Whether a value is another one each time it is asked for.
bool varies(const BoundPtr& value);

}  // namespace aichemy::sql
