// What aichemy_match is told: the JSON that analysis/render_pattern.cc writes. Internal.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "sql/pattern/pattern_matcher.h"

namespace aichemy::sql {

struct MatchSlot {
  enum class Kind : uint8_t { column, classifier, match_number, list, current, matched };
  Kind kind = Kind::column;
  size_t column = 0;
  std::vector<bool> labels;  // by number; empty: any
  bool last = true, final = false;
  int64_t logical = 0, physical = 0;
  std::vector<int64_t> items;  // columns, -1: the label

  bool takes(uint32_t label) const { return labels.empty() || labels[label]; }
};

struct MatchSpec {
  enum class Rows : uint8_t { one, all, all_omit_empty, all_with_unmatched, window };
  enum class Skip : uint8_t { past_last, to_next, to_first, to_last };
  Rows rows = Rows::one;
  Skip skip = Skip::past_last;
  std::vector<bool> skip_labels;
  bool seek = false;
  int64_t frame_column = -1;
  std::vector<std::string> labels, conditions;
  std::vector<MatchStep> program;
  std::string alias;
  std::vector<MatchSlot> define, output;
};

// Throws DuckDB's binder exception for other text.
MatchSpec read_match_spec(const std::string& text);

}  // namespace aichemy::sql
