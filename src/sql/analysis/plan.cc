#include "sql/analysis/plan.h"

namespace aichemy::sql {

BoundPtr make_literal(Type type, std::string text, Position at) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::literal;
  made->type = std::move(type);
  made->text = std::move(text);
  made->at = at;
  return made;
}

BoundPtr make_null(Type type, Position at) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::literal;
  made->type = std::move(type);
  made->null = true;
  made->at = at;
  return made;
}

BoundPtr make_column(size_t relation, size_t index, Type type, Position at) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::column;
  made->type = std::move(type);
  made->relation = relation;
  made->index = index;
  made->at = at;
  return made;
}

BoundPtr make_call(Type type, std::string text, std::vector<BoundPtr> args, Position at) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::call;
  made->type = std::move(type);
  made->text = std::move(text);
  made->args = std::move(args);
  made->at = at;
  return made;
}

BoundPtr make_cast(BoundPtr value, Type type, bool safe) {
  if (value->type == type) return value;
  if (value->wanted && !type.is(TypeKind::unknown)) *value->wanted = type;
  if (value->kind == Bound::Kind::literal && value->null)
    return make_null(std::move(type), value->at);
  bool same_form =
      physical_type(value->type) == physical_type(type) && value->type.kind == type.kind;
  bool text = value->type.is(TypeKind::varchar) && type.is(TypeKind::varchar);
  bool rows = type.is(TypeKind::row) || type.is(TypeKind::array) || type.is(TypeKind::map);
  bool widens = can_coerce(value->type, type);
  bool narrowed = value->kind == Bound::Kind::cast || value->kind == Bound::Kind::call;
  if (same_form && widens && (text || (rows && !narrowed))) {  // only the declared type changes
    auto copy = std::make_shared<Bound>(*value);
    copy->type = std::move(type);
    // A cast keeps its own target: it may shorten.
    if (copy->kind != Bound::Kind::lambda && copy->kind != Bound::Kind::cast) return copy;
  }
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::cast;
  made->type = std::move(type);
  made->safe = safe;
  made->at = value->at;
  made->args.push_back(std::move(value));
  return made;
}

namespace {

bool same_sorts(const std::vector<BoundSort>& a, const std::vector<BoundSort>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (a[i].descending != b[i].descending || a[i].nulls_first != b[i].nulls_first) return false;
    if (!same_expression(*a[i].key, *b[i].key)) return false;
  }
  return true;
}

bool same_pointer(const BoundPtr& a, const BoundPtr& b) {
  if (!a || !b) return !a && !b;
  return same_expression(*a, *b);
}

bool same_list(const std::vector<BoundPtr>& a, const std::vector<BoundPtr>& b) {
  if (a.size() != b.size()) return false;
  for (size_t i = 0; i < a.size(); ++i) {
    if (!same_expression(*a[i], *b[i])) return false;
  }
  return true;
}

bool same_window(const BoundWindow& a, const BoundWindow& b) {
  return same_list(a.partition_by, b.partition_by) && same_sorts(a.order_by, b.order_by) &&
         a.unit == b.unit && a.start == b.start && a.end == b.end &&
         same_pointer(a.start_value, b.start_value) && same_pointer(a.end_value, b.end_value);
}

}  // namespace

// Parameters of the lambdas around, those of one side with those of the other.
thread_local std::vector<std::pair<size_t, size_t>> same_variables;

bool same_expression(const Bound& a, const Bound& b) {
  if (&a == &b) return true;
  if (a.kind == Bound::Kind::variable && b.kind == Bound::Kind::variable) {
    for (const auto& [left, right] : same_variables) {
      if (left == a.index || right == b.index) return left == a.index && right == b.index;
    }
    return a.index == b.index;
  }
  // Wherever the analysis has widened its type, it is the same column.
  if (a.kind == Bound::Kind::column && b.kind == Bound::Kind::column)
    return a.relation == b.relation && a.index == b.index;
  if (a.kind == Bound::Kind::lambda && b.kind == Bound::Kind::lambda) {
    if (a.variables.size() != b.variables.size() || !(a.type == b.type)) return false;
    size_t before = same_variables.size();
    for (size_t i = 0; i < a.variables.size(); ++i)
      same_variables.emplace_back(a.variables[i], b.variables[i]);
    bool same = same_list(a.args, b.args);
    same_variables.resize(before);
    return same;
  }
  bool plain = a.kind == b.kind && a.type == b.type && a.null == b.null && a.safe == b.safe &&
               a.negated == b.negated && a.distinct == b.distinct &&
               a.ignore_nulls == b.ignore_nulls && a.relation == b.relation && a.index == b.index &&
               a.variables == b.variables && a.plan == b.plan;
  if (!plain) return false;
  if (a.kind != Bound::Kind::column && a.text != b.text) return false;
  if (!same_list(a.args, b.args) || !same_sorts(a.order_by, b.order_by) ||
      !same_pointer(a.filter, b.filter))
    return false;
  if (!a.over || !b.over) return !a.over && !b.over;
  return same_window(*a.over, *b.over);
}

}  // namespace aichemy::sql
