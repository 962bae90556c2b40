#include "sql/pattern/pattern_matcher.h"

#include <gtest/gtest.h>

namespace aichemy::sql {
namespace {

using Kind = MatchStep::Kind;

// (A | B)* C over "abac": label n takes the n-th letter.
TEST(PatternMatcher, TakesThePreferredWay) {
  std::vector<MatchStep> steps = {{Kind::split, 1, 8}, {Kind::mark, 0, 0},  {Kind::split, 3, 5},
                                  {Kind::label, 0, 0}, {Kind::jump, 6, 0},  {Kind::label, 1, 0},
                                  {Kind::check, 0, 8}, {Kind::jump, 0, 0},  {Kind::label, 2, 0},
                                  {Kind::done, 0, 0}};
  std::string rows = "abac";
  auto test = [&](uint32_t label, size_t row, RowMatch&) {
    return rows[row] == static_cast<char>('a' + static_cast<int>(label));
  };
  for (bool history_free : {false, true}) {
    PatternMatcher matcher(steps, history_free);
    RowMatch found;
    ASSERT_TRUE(matcher.match(0, rows.size(), rows.size(), test, [] {}, found));
    EXPECT_EQ(found.labels, (std::vector<uint32_t>{0, 1, 0, 2}));
    EXPECT_TRUE(matcher.match(3, rows.size(), rows.size(), test, [] {}, found));
    EXPECT_FALSE(matcher.match(0, 3, rows.size(), test, [] {}, found));
  }
}

// (A*)* over rows that all are A: linear when failures are remembered.
TEST(PatternMatcher, NestedLoopsEnd) {
  std::vector<MatchStep> steps = {{Kind::split, 1, 9}, {Kind::mark, 0, 0},  {Kind::split, 3, 7},
                                  {Kind::mark, 1, 0},  {Kind::label, 0, 0}, {Kind::check, 1, 7},
                                  {Kind::jump, 2, 0},  {Kind::check, 0, 9}, {Kind::jump, 0, 0},
                                  {Kind::label, 1, 0}, {Kind::done, 0, 0}};
  PatternMatcher matcher(steps, true);
  size_t asked = 0;
  RowMatch found;
  auto test = [&](uint32_t label, size_t, RowMatch&) { return ++asked, label == 0; };
  EXPECT_FALSE(matcher.match(0, 2000, 2000, test, [] {}, found));
  EXPECT_LT(asked, 20000u);
}

}  // namespace
}  // namespace aichemy::sql
