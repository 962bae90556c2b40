// A plan said in fewer words before it is written: what the engine binds, types and copies through
// every pass of its optimizer is counted in selects and columns.
#pragma once

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// The same rows, columns and order. A select that only passes columns on is one with the select it
// reads; a named UNION ALL whose readers each take the arms with one constant becomes those arms.
PlanPtr simplified(const Plan& plan);

}  // namespace aichemy::sql
