// What names mean inside MEASURES and DEFINE: columns of rows found through the match. Internal.
#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "sql/analysis/analyzer.h"

namespace aichemy::sql {

// The columns of the rows a match works on, by the input's expressions.
struct PatternColumns {
  std::vector<BoundPtr> values;

  size_t of(const BoundPtr& value) {
    for (size_t i = 0; i < values.size(); ++i) {
      if (same_expression(*values[i], *value)) return i;
    }
    values.push_back(value);
    return values.size() - 1;
  }
};

// Slots of one relation: the conditions' or the measures'.
struct PatternSlots {
  size_t relation = 0;
  std::vector<PatternSlot> slots;
  std::vector<Type> types;

  BoundPtr of(PatternSlot slot, const Type& type, Position at) {
    size_t i = 0;
    while (i < slots.size() && !(slots[i] == slot)) ++i;
    if (i == slots.size()) {
      slots.push_back(std::move(slot));
      types.push_back(type);
    }
    return make_column(relation, i, type, at);
  }
};

// What an aggregate reads of each row: columns or the label, as fields of the row `variable`.
struct PatternListing {
  std::vector<int64_t> items;
  std::vector<Type> types;
  std::optional<std::vector<size_t>> labels;
  size_t variable = 0;
};

struct Analyzer::PatternScope {
  const std::vector<ScopeField>* fields = nullptr;  // of the input
  // Lower-case names of primary and union variables with the primary ones they stand for.
  const std::map<std::string, std::vector<size_t>>* labels = nullptr;
  PatternColumns* columns = nullptr;
  PatternSlots* slots = nullptr;
  bool define = false;

  // Inside PREV, NEXT, FIRST, LAST: what they ask for; labels once a name has said them.
  struct Navigation {
    std::string name;
    PatternSlot slot;
    std::optional<std::vector<size_t>> labels;
  };
  Navigation* navigation = nullptr;

  std::optional<PatternListing> listing;  // inside an aggregate function
};

struct Analyzer::PatternParts {
  std::vector<ScopeField> fields;
  std::map<std::string, std::vector<size_t>> labels;
  PatternColumns columns;
  PatternSlots define, output;
  std::vector<BoundPtr> conditions;  // per label, none: always true
};

}  // namespace aichemy::sql
