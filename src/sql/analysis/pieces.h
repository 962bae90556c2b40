// Long arithmetic in pieces. Hundreds of operators in a row are a tree as deep; the engine asks
// each node of it about all below, several times over: half a minute for 700.
#pragma once

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// The same value as routines (native/routine.cc) of a few dozen operators each, every one over the
// result of the one before: same order, types and errors. Null when the tree is not deep.
BoundPtr in_pieces(const Bound& value);

}  // namespace aichemy::sql
