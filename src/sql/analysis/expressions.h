// What expressions are and hold: others each time, the same as one of many, columns of outer
// queries; and other ones in their place (rewrite, declared in analyzer.h).
#pragma once

#include <cstddef>
#include <optional>
#include <unordered_map>
#include <vector>

#include "base/result.h"
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

// Columns of outer queries that lambdas in a select block or an UNNEST read, each once. The
// engine's lambdas see the columns of their own FROM alone.
std::vector<BoundPtr> captured_columns(const Plan& plan);

// Whether GROUPING(...) stands in a value; an error when one takes what is no key of the block.
bool has_grouping(const BoundPtr& value);
std::optional<Error> bad_grouping(const Bound& call, const Plan& grouped);

}  // namespace aichemy::sql
