#include "sql/pattern/pattern_matcher.h"

namespace aichemy::sql {

bool PatternMatcher::match(size_t start, size_t limit, size_t rows, const Test& test,
                           const Pause& pause, RowMatch& found) {
  constexpr size_t kOpen = SIZE_MAX;  // an exclusion that has not ended
  constexpr uint32_t kStepsBetweenPauses = 4096;
  found.start = start;
  found.labels.clear();
  found.excluded.clear();
  std::vector<Choice> choices;
  std::vector<size_t> marks;
  struct Change {
    bool mark;  // else the end of an exclusion
    size_t index, before;
  };
  std::vector<Change> undo;
  std::vector<uint64_t> tried;  // to forget when the search succeeds
  uint32_t step = 0, pace = 0;
  size_t row = start;
  while (true) {
    if (++pace % kStepsBetweenPauses == 0) pause();
    const MatchStep& at = steps_[step];
    bool fails = false;
    switch (at.kind) {
      case MatchStep::Kind::label:
        fails = row >= limit || !test(at.first, row, found);
        if (fails) break;
        found.labels.push_back(at.first);
        ++row;
        ++step;
        break;
      case MatchStep::Kind::split:
        if (history_free_) {  // P2
          uint64_t key = static_cast<uint64_t>(row) * steps_.size() + step;
          fails = !failed_.insert(key).second;
          if (fails) break;
          tried.push_back(key);
        }
        choices.push_back({at.second, row, found.excluded.size(), undo.size()});
        step = at.first;
        break;
      case MatchStep::Kind::jump: step = at.first; break;
      case MatchStep::Kind::mark:
        if (marks.size() <= at.first) marks.resize(at.first + 1, kOpen);
        undo.push_back({true, at.first, marks[at.first]});
        marks[at.first] = row;
        ++step;
        break;
      case MatchStep::Kind::check:
        step = marks[at.first] == row ? at.second : step + 1;
        break;  // P1
      case MatchStep::Kind::exclude:
        if (at.first == 1) {
          found.excluded.emplace_back(row, kOpen);
        } else {
          for (size_t i = found.excluded.size(); i-- > 0;) {
            if (found.excluded[i].second != kOpen) continue;
            undo.push_back({false, i, kOpen});
            found.excluded[i].second = row;
            break;
          }
        }
        ++step;
        break;
      case MatchStep::Kind::start:
        fails = row != 0;
        if (!fails) ++step;
        break;
      case MatchStep::Kind::end:
        fails = row != rows;
        if (!fails) ++step;
        break;
      case MatchStep::Kind::done:
        for (uint64_t key : tried) failed_.erase(key);
        return true;
    }
    if (!fails) continue;
    if (choices.empty()) return false;
    Choice choice = choices.back();
    choices.pop_back();
    step = choice.step;
    row = choice.row;
    found.labels.resize(row - start);
    while (undo.size() > choice.undone) {
      const Change& last = undo.back();
      (last.mark ? marks[last.index] : found.excluded[last.index].second) = last.before;
      undo.pop_back();
    }
    found.excluded.resize(choice.excluded);
  }
}

}  // namespace aichemy::sql
