// What keeps the engine's planning of joins and of named queries (WITH) short. Internal.
#pragma once

#include <cstddef>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "base/result.h"
#include "sql/analysis/plan.h"

namespace aichemy::sql {

// An identifier as the standard keeps it: upper case unless it was quoted.
std::string canonical_name(const Identifier& name);

// analyze_query.cc: whether a named query of WITH RECURSIVE refers to itself; an error when it
// does so where it may not.
Result<bool> recursive_shape(const CommonTable& table);

// analyze_json.cc: names of columns and paths are unique, and PLAN has every path once, on its
// level. `input`: where JSON_TABLE's input stands.
Status check_json_table(const JsonTable& table, Position input);

// Whether the plan is one row of aggregates over all that it reads, whatever that is.
bool is_global_aggregate(const Plan& plan);

// From so many joined relations on, the keys of joins are told apart: what the engine concludes
// from equal ones (a = b and b = c, so a = c) grows with the fourth power of their number, and
// cannot be interrupted.
inline constexpr size_t kLinkedRelationsMax = 24;
// Conditions of the joins in `from` and of `where`; nothing changes for fewer relations.
void tell_join_keys_apart(PlanPtr& from, BoundPtr& where);

// The text of one that is written where it is read.
struct InPlaceQuery {
  std::string text;
  size_t depth = 0;  // of such texts in one another
};
inline constexpr size_t kInPlaceDepthMax = 16;

// The plan said in fewer words: the same rows, columns and order. A select that only passes columns
// on is one with the select it reads; a named UNION ALL whose readers each take the arms with one
// constant becomes those arms.
PlanPtr simplified(const Plan& plan);

// WITH and what comes after it. The engine copies all queries of one WITH for each of them, so that
// there are few in one; the next are inside.
class NamedQueries {
 public:
  void add(const std::string& name, const PlanCte& query, const std::string& text);
  // begins_with_queries: `text` is WITH itself.
  std::string before(std::string text, bool begins_with_queries) const;

 private:
  static constexpr size_t kTogetherMax = 8;
  std::vector<std::string> queries_;
};

// How often a plan reads its named queries, by handle. What a recursive query reads is read many
// times: it counts twice.
std::map<std::string, size_t> count_named_queries(const Plan& plan);

// The columns that a plan names, by relation: what a scan of it must have.
using ColumnsRead = std::map<size_t, std::set<size_t>>;
ColumnsRead columns_read(const Plan& plan);
// What the engine's table function is given: the scan's handle, and of a scan of files the columns
// that it is to have, "scan-7:0,3". The engine carries each through all of its planning otherwise.
std::string scan_argument(const Plan& scan, const ColumnsRead& read);

// A recursive named query: base and step with the number of the step beside each row, which tells
// when it has gone on for too long. Duplicates go at the end: the step sees them.
struct RecursiveText {
  const std::string& name;
  std::string columns, base, step;
  uint64_t depth = 0;
  bool distinct = false;
};
std::string render_recursive(const RecursiveText& text);

}  // namespace aichemy::sql
