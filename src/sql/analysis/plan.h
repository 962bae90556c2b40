// The typed plan: what the analyzer makes and the renderer writes. Every expression has a Trino
// type; names are gone: a column is (relation, index), rendered r<relation>.c<index>. Nodes are
// shared and immutable once made, so that a GROUP BY ordinal or an output alias can stand in
// several places.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"
#include "sql/language/ast.h"
#include "sql/types/type.h"

namespace aichemy::sql {

struct Bound;
struct Plan;
using BoundPtr = std::shared_ptr<const Bound>;
using PlanPtr = std::shared_ptr<const Plan>;

struct BoundRoutine;

struct BoundSort {
  BoundPtr key;
  bool descending = false;
  bool nulls_first = false;
};

struct BoundWindow {
  std::vector<BoundPtr> partition_by;
  std::vector<BoundSort> order_by;
  std::string unit;  // empty: the default frame
  BoundKind start = BoundKind::unbounded_preceding;
  BoundPtr start_value;
  std::optional<BoundKind> end;
  BoundPtr end_value;
};

struct Bound {
  enum class Kind : uint8_t {
    literal,     // null, or text: numbers as digits, varchar as itself, varbinary as bytes, others
                 // DuckDB's text
    column,      // relation, index
    variable,    // index: a lambda's parameter
    call,        // text: template with {0}, {1}...; {*} is all arguments with commas
    chain,       // text between the arguments: AND, OR, ||
    cast,        // args[0] to `type`, always legal; safe: TRY_CAST
    try_,        // args[0]
    case_,       // when, then, ..., [else]
    lambda,      // variables, args[0]
    row,         // args become f0, f1, ...
    field,       // args[0].f<index>
    aggregate,   // text: template with @( and )@ around the arguments of each engine aggregate
    window,      // the same, with `over`
    scalar,      // plan with one column; more than one row is an error
    exists,      // plan
    in_plan,     // args[0] IN plan
    quantified,  // args[0] text(op) ANY|ALL plan; negated: ALL
    routine,     // routine over args
  };
  Kind kind = Kind::literal;
  Type type;
  Position at;
  std::string text;
  bool null = false;
  bool safe = false;
  bool negated = false;
  bool distinct = false;
  bool ignore_nulls = false;
  size_t relation = 0, index = 0;
  std::vector<size_t> variables;
  std::vector<BoundPtr> args;
  std::vector<BoundSort> order_by;
  BoundPtr filter;
  std::shared_ptr<const BoundWindow> over;
  PlanPtr plan;
  std::shared_ptr<const BoundRoutine> routine;
  std::shared_ptr<Type> wanted;  // of a parameter without a value: what it is coerced to
};

// The control flow of an SQL routine. Expressions read its variables as columns of `relation`; the
// first `parameters` of them are the arguments.
struct BoundRoutine {
  struct Step {
    enum class Kind : uint8_t {
      set,     // variable `slot` = value
      branch,  // to `target` unless value is true
      jump,    // to `target`
      return_  // value
    } kind = Kind::jump;
    size_t slot = 0, target = 0;
    BoundPtr value;
  };
  size_t relation = 0, parameters = 0;
  std::vector<Type> variables;
  std::vector<Step> steps;
};

// One step of a compiled row pattern: a backtracking machine over rows (engine/pattern_matcher.h).
struct PatternStep {
  enum class Kind : uint8_t {
    label,    // first: takes one row
    split,    // first, else second
    jump,     // first
    mark,     // first: a counter keeps the row
    check,    // first: the counter; second: where to go when no row was taken since
    exclude,  // first: 1 begins, 0 ends rows that are not shown
    start,
    end,
    done,
  };
  Kind kind = Kind::done;
  size_t first = 0, second = 0;
};

// What a condition or a measure reads: a value of a row that is found through the match.
struct PatternSlot {
  enum class Kind : uint8_t {
    column,      // of the row navigated to
    classifier,  // the label of the row navigated to
    match_number,
    list,     // `items` of every row matched to the labels, as rows
    current,  // column of the row itself
    matched,  // whether the row belongs to a match
  };
  Kind kind = Kind::column;
  size_t column = 0;
  std::vector<size_t> labels;  // none: any
  bool last = true;            // LAST or FIRST
  bool final = false;          // up to the end of the match, not the row
  int64_t logical = 0, physical = 0;
  static constexpr int64_t kClassifier = -1;
  std::vector<int64_t> items;  // columns, kClassifier
  bool operator==(const PatternSlot&) const = default;
};

struct PatternSpec {
  enum class Rows : uint8_t {
    one,
    all,
    all_omit_empty,
    all_with_unmatched,
    window
  } rows = Rows::one;
  enum class Skip : uint8_t { past_last, to_next, to_first, to_last } skip = Skip::past_last;
  std::vector<size_t> skip_labels;
  bool seek = false;
  std::optional<size_t> frame_column;  // window: how many rows follow, none: all
  std::vector<std::string> labels;
  std::vector<PatternStep> program;
  size_t relation = 0;  // of the conditions' slots
  std::vector<PatternSlot> define, output;
};

struct OutputField {
  std::optional<std::string> name;  // as written
  Type type;
};

struct PlanCte {
  size_t id = 0;  // rendered cte<id>
  bool recursive = false;
  PlanPtr plan;
};

// A query or a FROM item. Every kind yields `fields` as c0, c1, ...
struct Plan {
  enum class Kind : uint8_t {
    select,   // from, where, group_sets, having, items, distinct, order_by, offset, limit
    set,      // text: UNION ALL..., inputs
    values,   // rows
    wrapped,  // inputs[0] with ctes, order_by on its own columns, offset, limit
    scan,     // handle; ordinality: one more column, the row's position in its file
    rows,     // cells
    cte,      // relation: cte id
    join,     // inputs, text: INNER LEFT RIGHT FULL CROSS, condition
    unnest,   // arguments, ordinality; may refer to relations beside it
    sample,   // inputs[0], percentage
    empty,    // no FROM: one row, no columns
    match,    // inputs[0]: arguments of its rows, by group_keys, in order_by; rows[0]: conditions
  };
  Kind kind = Kind::empty;
  size_t relation = 0;  // of FROM items: r<relation>
  std::vector<OutputField> fields;
  std::vector<PlanPtr> inputs;
  std::vector<PlanCte> ctes;

  std::vector<BoundPtr> items;
  BoundPtr where, having;
  bool grouped = false;
  std::vector<BoundPtr> group_keys;
  std::vector<std::vector<size_t>> group_sets;  // indexes in group_keys
  bool distinct = false;
  std::vector<BoundSort> order_by;  // select: any expression; wrapped: columns of relation
  std::vector<std::optional<size_t>> order_output;  // parallel: sorts by output column n
  std::optional<uint64_t> offset, limit;
  bool with_ties = false;

  std::string text;
  std::vector<std::vector<BoundPtr>> rows;
  BoundPtr condition;
  bool lateral = false;
  std::vector<BoundPtr> arguments;
  bool ordinality = false;
  std::shared_ptr<const PatternSpec> pattern;
  double percentage = 0;

  // Scans are planned after the analysis, when the predicates on them are known.
  TableRef table;
  Connector* connector = nullptr;
  std::string handle;
  std::vector<std::vector<std::optional<std::string>>> cells;
};

BoundPtr make_literal(Type type, std::string text, Position at = {});
BoundPtr make_null(Type type, Position at = {});
BoundPtr make_column(size_t relation, size_t index, Type type, Position at = {});
// The value where the row filter's condition holds, else the error that `what` may not be done.
BoundPtr only_when(BoundPtr visible, BoundPtr value, const char* what);
BoundPtr make_call(Type type, std::string text, std::vector<BoundPtr> args, Position at = {});
BoundPtr make_cast(BoundPtr value, Type type,
                   bool safe = false);  // the value itself when nothing changes
// Structural equality, positions ignored: GROUP BY matching.
bool same_expression(const Bound& a, const Bound& b);

}  // namespace aichemy::sql
