#include "tables/predicate.h"

#include <algorithm>

namespace aichemy::tables {

namespace {

Predicate leaf(Predicate::Kind kind, int field_id, std::vector<Value> values = {}) {
  Predicate predicate;
  predicate.kind = kind;
  predicate.field_id = field_id;
  predicate.values = std::move(values);
  return predicate;
}

CompareOp opposite(CompareOp op) {
  switch (op) {
    case CompareOp::eq: return CompareOp::ne;
    case CompareOp::ne: return CompareOp::eq;
    case CompareOp::lt: return CompareOp::ge;
    case CompareOp::le: return CompareOp::gt;
    case CompareOp::gt: return CompareOp::le;
    case CompareOp::ge: return CompareOp::lt;
  }
  return op;
}

// Pushes a negation down. SQL's three values: not(x < 1) is x >= 1, both unknown for null.
Predicate push_not(const Predicate& predicate) {
  using Kind = Predicate::Kind;
  switch (predicate.kind) {
    case Kind::always_true: return Predicate::always_false();
    case Kind::always_false: return Predicate::always_true();
    case Kind::none: return predicate.children[0];
    case Kind::all:
    case Kind::any: {
      std::vector<Predicate> children;
      for (const Predicate& child : predicate.children) children.push_back(push_not(child));
      return predicate.kind == Kind::all ? Predicate::any(std::move(children))
                                         : Predicate::all(std::move(children));
    }
    case Kind::compare: {
      bool equality = predicate.op == CompareOp::eq || predicate.op == CompareOp::ne;
      // NaN < 1 is false and so is NaN >= 1: of floating values only equality has an opposite.
      if (predicate.values[0].holds_double() && !equality)
        return Predicate::not_null(predicate.field_id);
      return Predicate::compare(predicate.field_id, opposite(predicate.op), predicate.values[0]);
    }
    case Kind::is_null: return Predicate::not_null(predicate.field_id);
    case Kind::not_null: return Predicate::is_null(predicate.field_id);
    case Kind::is_nan: return Predicate::not_nan(predicate.field_id);
    case Kind::not_nan: return Predicate::is_nan(predicate.field_id);
    case Kind::in: {
      std::vector<Predicate> parts;
      for (const Value& value : predicate.values) {
        parts.push_back(Predicate::compare(predicate.field_id, CompareOp::ne, value));
      }
      return Predicate::all(std::move(parts));
    }
    // Values that do not start with a prefix: bounds hardly ever decide that.
    case Kind::starts_with: return Predicate::not_null(predicate.field_id);
  }
  return Predicate::always_true();
}

bool overlaps_prefix(const ColumnRange& range, const std::string& prefix) {
  auto head = [&](const std::string& bytes) { return bytes.substr(0, prefix.size()); };
  return head(range.lower.as_bytes()) <= prefix && head(range.upper.as_bytes()) >= prefix;
}

bool compare_may_match(CompareOp op, const Value& value, const ColumnRange& range) {
  switch (op) {
    case CompareOp::eq: return range.lower.compare(value) <= 0 && value.compare(range.upper) <= 0;
    case CompareOp::ne:
      return !(range.lower_is_exact && !range.may_be_nan && range.lower == value &&
               range.upper == value);
    case CompareOp::lt: return range.lower.compare(value) < 0;
    case CompareOp::le: return range.lower.compare(value) <= 0;
    case CompareOp::gt: return range.upper.compare(value) > 0;
    case CompareOp::ge: return range.upper.compare(value) >= 0;
  }
  return true;
}

}  // namespace

Predicate Predicate::always_false() { return leaf(Kind::always_false, 0); }

Predicate Predicate::all(std::vector<Predicate> children) {
  Predicate predicate = leaf(Kind::all, 0);
  predicate.children = std::move(children);
  return predicate;
}

Predicate Predicate::any(std::vector<Predicate> children) {
  Predicate predicate = leaf(Kind::any, 0);
  predicate.children = std::move(children);
  return predicate;
}

Predicate Predicate::negate(Predicate child) {
  Predicate predicate = leaf(Kind::none, 0);
  predicate.children.push_back(std::move(child));
  return predicate;
}

Predicate Predicate::compare(int field_id, CompareOp op, Value value) {
  Predicate predicate = leaf(Kind::compare, field_id, {std::move(value)});
  predicate.op = op;
  return predicate;
}

Predicate Predicate::in(int field_id, std::vector<Value> values) {
  return leaf(Kind::in, field_id, std::move(values));
}
Predicate Predicate::is_null(int field_id) { return leaf(Kind::is_null, field_id); }
Predicate Predicate::not_null(int field_id) { return leaf(Kind::not_null, field_id); }
Predicate Predicate::is_nan(int field_id) { return leaf(Kind::is_nan, field_id); }
Predicate Predicate::not_nan(int field_id) { return leaf(Kind::not_nan, field_id); }
Predicate Predicate::starts_with(int field_id, std::string prefix) {
  return leaf(Kind::starts_with, field_id, {Value(std::move(prefix))});
}

Predicate Predicate::normalized() const {
  if (kind == Kind::none) return push_not(children[0]).normalized();
  if (kind == Kind::compare && values[0].is_null()) return always_false();
  if (kind == Kind::in) {
    std::vector<Value> present;
    for (const Value& value : values) {
      if (!value.is_null()) present.push_back(value);
    }
    if (present.empty()) return always_false();
    return in(field_id, std::move(present));
  }
  if (kind != Kind::all && kind != Kind::any) return *this;
  Kind neutral = kind == Kind::all ? Kind::always_true : Kind::always_false;
  Kind decisive = kind == Kind::all ? Kind::always_false : Kind::always_true;
  Predicate flat = leaf(kind, 0);
  for (const Predicate& child : children) {
    Predicate part = child.normalized();
    if (part.kind == decisive) return part;
    if (part.kind == neutral) continue;
    if (part.kind == kind) {
      for (Predicate& grandchild : part.children) flat.children.push_back(std::move(grandchild));
    } else {
      flat.children.push_back(std::move(part));
    }
  }
  if (flat.children.empty()) return leaf(neutral, 0);
  if (flat.children.size() == 1) return std::move(flat.children[0]);
  return flat;
}

std::string Predicate::text(const Schema& schema) const {
  const Field* field = schema.find(field_id);
  std::string name = field ? schema.path_of(field_id) : "#" + std::to_string(field_id);
  Type type = field ? field->type : primitive(TypeKind::unknown);
  auto joined = [&](const char* between) {
    std::string out = "(";
    for (const Predicate& child : children) {
      if (out.size() > 1) out += between;
      out += child.text(schema);
    }
    return out + ")";
  };
  static constexpr const char* kOps[] = {" = ", " <> ", " < ", " <= ", " > ", " >= "};
  switch (kind) {
    case Kind::always_true: return "true";
    case Kind::always_false: return "false";
    case Kind::all: return joined(" and ");
    case Kind::any: return joined(" or ");
    case Kind::none: return "not " + children[0].text(schema);
    case Kind::compare: return name + kOps[static_cast<int>(op)] + value_text(values[0], type);
    case Kind::is_null: return name + " is null";
    case Kind::not_null: return name + " is not null";
    case Kind::is_nan: return "is_nan(" + name + ")";
    case Kind::not_nan: return "not is_nan(" + name + ")";
    case Kind::starts_with: return "starts_with(" + name + ", " + values[0].as_bytes() + ")";
    case Kind::in: {
      std::string out = name + " in (";
      for (size_t i = 0; i < values.size(); ++i)
        out += (i ? ", " : "") + value_text(values[i], type);
      return out + ")";
    }
  }
  return {};
}

bool may_match_range(const Predicate& leaf_predicate, const ColumnRange& range) {
  using Kind = Predicate::Kind;
  if (!range.known) return true;
  switch (leaf_predicate.kind) {
    case Kind::is_null: return range.may_be_null;
    case Kind::not_null: return range.may_be_value;
    case Kind::is_nan: return range.may_be_value && range.may_be_nan;
    case Kind::not_nan: return range.may_be_value && !range.all_nan;
    default: break;
  }
  if (!range.may_be_value) return false;
  if (!range.has_bounds) return true;
  if (leaf_predicate.kind == Kind::starts_with) {
    return overlaps_prefix(range, leaf_predicate.values[0].as_bytes());
  }
  if (leaf_predicate.kind == Kind::compare) {
    return compare_may_match(leaf_predicate.op, leaf_predicate.values[0], range);
  }
  return std::any_of(
      leaf_predicate.values.begin(), leaf_predicate.values.end(),
      [&](const Value& value) { return compare_may_match(CompareOp::eq, value, range); });
}

}  // namespace aichemy::tables
