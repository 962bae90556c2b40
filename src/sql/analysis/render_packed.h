// Long lists of literals as one text that the engine splits: its parser needs a microsecond and a
// kilobyte for every literal otherwise. Internal to the renderer.
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

}  // namespace aichemy::sql
