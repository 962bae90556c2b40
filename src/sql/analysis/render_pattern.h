// What the engine's matcher and its routines are told, as JSON (sql/native/pattern.cc reads it).
// Internal.
#pragma once

#include <string>
#include <vector>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

// conditions: per label, SQL over r<relation>.c<slot>; empty: always true.
std::string pattern_json(const PatternSpec& spec, const std::vector<std::string>& conditions);
// MATCH_RECOGNIZE as a FROM item. order: of the rows, from: with WHERE and GROUP BY.
struct MatchTexts {
  std::vector<std::string> row, conditions;
  std::string order, from;
};
std::string render_match(const Plan& plan, const MatchTexts& texts);
// The same for a routine (sql/native/routine.cc): a text per step.
std::string routine_json(const BoundRoutine& routine, const Type& returns,
                         const std::vector<std::string>& texts);

}  // namespace aichemy::sql
