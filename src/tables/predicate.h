// What a scan needs to see: a boolean expression over columns by field id, used only to leave files
// out. A plan may always keep more rows than match (the engine filters again), never fewer.
//
//   auto p = Predicate::all({Predicate::compare(3, CompareOp::ge, Value(10)), Predicate::in(1,
//   {"a", "b"})});
//
// Values have the representation of the column's type (value.h). Comparison with a null value
// matches nothing.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tables/types.h"
#include "tables/value.h"

namespace aichemy::tables {

enum class CompareOp : uint8_t { eq, ne, lt, le, gt, ge };

class Predicate {
 public:
  enum class Kind : uint8_t {
    always_true,
    always_false,
    all,      // and of children
    any,      // or of children
    none,     // not of the one child
    compare,  // field op values[0]
    in,       // field in values
    is_null,
    not_null,
    is_nan,
    not_nan,
    starts_with,  // values[0] is the prefix
  };

  Kind kind = Kind::always_true;
  int field_id = 0;
  CompareOp op = CompareOp::eq;
  std::vector<Value> values;
  std::vector<Predicate> children;

  static Predicate always_true() { return {}; }
  static Predicate always_false();
  static Predicate all(std::vector<Predicate> children);
  static Predicate any(std::vector<Predicate> children);
  static Predicate negate(Predicate child);
  static Predicate compare(int field_id, CompareOp op, Value value);
  static Predicate in(int field_id, std::vector<Value> values);
  static Predicate is_null(int field_id);
  static Predicate not_null(int field_id);
  static Predicate is_nan(int field_id);
  static Predicate not_nan(int field_id);
  static Predicate starts_with(int field_id, std::string prefix);

  bool is_true() const { return kind == Kind::always_true; }

  // Without `none`, nested and/or of one kind flattened, constants folded.
  Predicate normalized() const;
  std::string text(const Schema& schema) const;  // for EXPLAIN and messages
};

// What is known of a column within a file or a partition field within a manifest.
struct ColumnRange {
  bool known = false;  // false: nothing below may be used
  bool has_bounds = false;
  Value lower;
  Value upper;
  bool may_be_null = true;
  bool may_be_value = true;  // false: all null
  bool may_be_nan = true;
  bool all_nan = false;
  bool lower_is_exact = true;  // bounds of strings may be truncated; pruning does not care
};

// False only when no row can match. `range_of(field_id)` answers what is known; the predicate is
// normalized.
template <class RangeOf>
bool may_match(const Predicate& predicate, RangeOf&& range_of);

bool may_match_range(const Predicate& leaf, const ColumnRange& range);

template <class RangeOf>
bool may_match(const Predicate& predicate, RangeOf&& range_of) {
  switch (predicate.kind) {
    case Predicate::Kind::always_true: return true;
    case Predicate::Kind::always_false: return false;
    case Predicate::Kind::all:
      for (const Predicate& child : predicate.children) {
        if (!may_match(child, range_of)) return false;
      }
      return true;
    case Predicate::Kind::any:
      for (const Predicate& child : predicate.children) {
        if (may_match(child, range_of)) return true;
      }
      return false;
    case Predicate::Kind::none: return true;
    default: return may_match_range(predicate, range_of(predicate.field_id));
  }
}

}  // namespace aichemy::tables
