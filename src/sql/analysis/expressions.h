// What expressions are: others each time, or the same as one of many.
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// Whether a value is another one each time it is asked for.
bool varies(const BoundPtr& value);

// Finds equal expressions (same_expression) among many without comparing with each.
class ExpressionIndex {
 public:
  // `number` is what find() gives for expressions equal to this one.
  void add(const BoundPtr& expression, size_t number);
  std::optional<size_t> find(const Bound& expression) const;

 private:
  std::unordered_multimap<size_t, std::pair<BoundPtr, size_t>> by_hash_;
};

}  // namespace aichemy::sql
