// A row pattern as a backtracking machine over the rows of one partition. It takes the preferred
// way at every choice and comes back to the others in order, so the first match found is the one
// the standard asks for.
//
// P1  A loop goes round only when it took a row: no pattern runs forever on one row.
// P2  Where no condition looks at the match so far (history_free), a choice that failed at a row
//     fails there always: it is remembered, and a search is linear in steps times rows.
#pragma once

#include <cstdint>
#include <functional>
#include <unordered_set>
#include <utility>
#include <vector>

namespace aichemy::sql {

struct MatchStep {
  enum class Kind : uint8_t { label, split, jump, mark, check, exclude, start, end, done };
  Kind kind = Kind::done;
  uint32_t first = 0, second = 0;
};

struct RowMatch {
  size_t start = 0;              // row
  std::vector<uint32_t> labels;  // of start, start + 1, ...
  // Rows [from, to) of the match that are not shown.
  std::vector<std::pair<size_t, size_t>> excluded;
};

class PatternMatcher {
 public:
  // Whether `row` may take `label` now: the rows before it in `so_far`, which it may change and
  // must give back as it was.
  using Test = std::function<bool(uint32_t label, size_t row, RowMatch& so_far)>;
  // Throws to stop a search that takes long.
  using Pause = std::function<void()>;

  PatternMatcher(std::vector<MatchStep> steps, bool history_free)
      : steps_(std::move(steps)), history_free_(history_free) {}

  // The match that begins at `start` and ends before `limit`, in a partition of `rows` rows. What
  // failed is remembered between calls with one limit: forget() between partitions and limits.
  bool match(size_t start, size_t limit, size_t rows, const Test& test, const Pause& pause,
             RowMatch& found);
  void forget() { failed_.clear(); }

 private:
  struct Choice {
    uint32_t step = 0;
    size_t row = 0, excluded = 0, undone = 0;
  };
  std::vector<MatchStep> steps_;
  bool history_free_ = false;
  std::unordered_set<uint64_t> failed_;
};

}  // namespace aichemy::sql
