// What is long in a form that the engine plans soon. Lists of literals are one text that it splits:
// its parser needs a microsecond and a kilobyte for every literal. Internal to the renderer.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// VALUES of many rows; nullopt when it has other things than plain literals.
std::optional<std::string> render_packed_values(const Plan& plan);
// A long ARRAY[...].
std::optional<std::string> render_packed_array(const Bound& call);
// What IN looks for, as a query: only where a subquery may stand.
std::optional<std::string> render_packed_items(const Bound& call);
// The arguments of a concatenation from `first` on, literals beside each other as one: the engine
// folds constants a pair at a time.
std::vector<BoundPtr> merge_texts(const std::vector<BoundPtr>& args, size_t first);
// x = 1 OR x = 2 OR ... as x IN (1, 2, ...), x <> 1 AND ... as NOT: the engine's optimizer compares
// every term of a chain with every other. Null for other chains.
BoundPtr chain_as_in(const Bound& chain);
// Hundreds of operators in a row are a tree as deep; the engine asks each node of it about all
// below, several times over. The same value as routines (native/routine.cc) of a few dozen
// operators each, every one over the result of the one before: same order, types and errors. Null
// when the tree is not deep.
BoundPtr in_pieces(const Bound& value);

}  // namespace aichemy::sql
