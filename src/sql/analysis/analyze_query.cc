// Queries around select blocks: WITH, set operations, VALUES, ORDER BY and LIMIT on top of them.
#include <fmt/format.h>

#include <charconv>
#include <set>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/relations.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

std::unexpected<Error> semantic_error(const char* what, Position at, const std::string& message) {
  return fail(Code::invalid, what, fmt::format("line {}:{}: {}", at.line, at.column, message));
}

namespace {

std::string shown_row(const std::vector<Type>& types) {
  std::vector<Field> fields;
  for (const auto& type : types) fields.push_back({std::nullopt, type});
  return Type::row(std::move(fields)).display();
}

Status check_aliases(const std::vector<Identifier>& columns) {
  std::set<std::string> names;
  for (const auto& column : columns) {
    if (names.insert(column.lower()).second) continue;
    return semantic_error("DUPLICATE_COLUMN_NAME", column.at,
                          fmt::format("Column name '{}' specified more than once", column.lower()));
  }
  return {};
}

}  // namespace

Result<PlanPtr> Analyzer::query(const Query& query) {
  ASSIGN_OR_RETURN(PlanPtr plan, analyze_query(query, nullptr));
  RETURN_IF_ERROR(check_reads());
  return plan;
}

Result<PlanPtr> Analyzer::analyze_query(const Query& query, const Scope* outer) {
  if (!query.session.empty() && outer)  // the executor has applied the outermost
    return semantic_error("NOT_SUPPORTED", query.at, "WITH SESSION is not supported");
  Scope scope;
  scope.parent = outer;
  scope.functions = &query.functions;
  scope.functions_count = query.functions.size();
  std::vector<PlanCte> ctes;
  RETURN_IF_ERROR(analyze_with(query, scope, ctes));
  const Scope* inner = query.with.empty() && query.functions.empty() ? outer : &scope;
  bool tail = !query.order_by.empty() || query.limit || query.offset;
  bool own_tail = query.body->kind == QueryTerm::Kind::select;
  ASSIGN_OR_RETURN(PlanPtr plan,
                   analyze_term(*query.body, tail && own_tail ? &query : nullptr, inner));
  if (tail && !own_tail) {
    ASSIGN_OR_RETURN(plan, wrap_with_order(std::move(plan), query, inner));
  }
  if (ctes.empty()) return plan;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::wrapped;
  made->relation = next_relation_++;
  made->fields = plan->fields;
  made->inputs.push_back(std::move(plan));
  made->ctes = std::move(ctes);
  return made;
}

Status Analyzer::analyze_with(const Query& query, Scope& scope, std::vector<PlanCte>& ctes) {
  for (const auto& table : query.with) {
    std::string name = table.name.lower();
    if (scope.named_queries.contains(name)) {
      return semantic_error("DUPLICATE_NAMED_QUERY", table.name.at,
                            fmt::format("WITH query name '{}' specified more than once", name));
    }
    size_t id = next_cte_++;
    RETURN_IF_ERROR(check_aliases(table.columns));
    bool recursive = false;
    if (query.recursive) {
      ASSIGN_OR_RETURN(recursive, recursive_shape(table));
    }
    PlanPtr plan;
    if (recursive) {
      ASSIGN_OR_RETURN(plan, recursive_query(table, scope, id));
    } else {
      ASSIGN_OR_RETURN(plan, analyze_query(*table.query, &scope));
    }
    NamedQuery named{id, plan->fields};
    if (!table.columns.empty()) {
      if (table.columns.size() != named.fields.size()) {
        return semantic_error(
            "MISMATCHED_COLUMN_ALIASES", table.columns[0].at,
            fmt::format("Column alias list has {} entries but relation has {} columns",
                        table.columns.size(), named.fields.size()));
      }
      for (size_t i = 0; i < table.columns.size(); ++i)
        named.fields[i].name = table.columns[i].text;
    }
    scope.named_queries[name] = std::move(named);
    ctes.push_back({id, recursive, std::move(plan)});
  }
  return {};
}

Result<PlanPtr> Analyzer::analyze_term(const QueryTerm& term, const Query* tail,
                                       const Scope* outer) {
  switch (term.kind) {
    case QueryTerm::Kind::select: return analyze_select(term, tail, outer);
    case QueryTerm::Kind::set_operation: return analyze_set(term, outer);
    case QueryTerm::Kind::values: return analyze_values(term, outer);
    case QueryTerm::Kind::query: return analyze_query(*term.query, outer);
    case QueryTerm::Kind::table: break;
  }
  Relation relation{};
  relation.kind = Relation::Kind::table;
  relation.at = term.at;
  relation.name = term.table;
  ASSIGN_OR_RETURN(From from, analyze_relation(relation, outer));
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  made->inputs.push_back(from.plan);
  for (const auto& field : from.fields) {
    if (field.hidden) continue;
    mark_read(*field.value);
    made->fields.push_back({field.name, field.value->type});
    made->items.push_back(field.value);
  }
  return made;
}

Result<PlanPtr> Analyzer::analyze_set(const QueryTerm& term, const Scope* outer) {
  ASSIGN_OR_RETURN(PlanPtr left, analyze_term(*term.left, nullptr, outer));
  ASSIGN_OR_RETURN(PlanPtr right, analyze_term(*term.right, nullptr, outer));
  if (term.corresponding) return corresponding(term, std::move(left), std::move(right));
  return unify_sets(term, std::move(left), std::move(right));
}

Result<PlanPtr> Analyzer::unify_sets(const QueryTerm& term, PlanPtr left, PlanPtr right) {
  if (left->fields.size() != right->fields.size()) {
    return semantic_error("TYPE_MISMATCH", term.at,
                          fmt::format("{} query has different number of fields: {}, {}", term.op,
                                      left->fields.size(), right->fields.size()));
  }
  std::vector<Type> types;
  for (size_t i = 0; i < left->fields.size(); ++i) {
    auto type = common_type(left->fields[i].type, right->fields[i].type);
    if (!type) {
      return semantic_error(
          "TYPE_MISMATCH", term.at,
          fmt::format("column {} in {} query has incompatible types: {}, {}", i + 1, term.op,
                      left->fields[i].type.display(), right->fields[i].type.display()));
    }
    types.push_back(std::move(*type));
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::set;
  made->text = term.op + (term.all ? " ALL" : "");
  for (size_t i = 0; i < types.size(); ++i)
    made->fields.push_back({left->fields[i].name, types[i]});
  made->inputs = {cast_columns(std::move(left), types), cast_columns(std::move(right), types)};
  return made;
}

PlanPtr Analyzer::cast_columns(PlanPtr plan, const std::vector<Type>& types) {
  bool same = true;
  for (size_t i = 0; i < types.size(); ++i) same = same && plan->fields[i].type == types[i];
  if (same) return plan;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  auto inner = std::make_shared<Plan>(*plan);  // a copy with a name of its own in FROM
  inner->relation = next_relation_++;
  for (size_t i = 0; i < types.size(); ++i) {
    made->fields.push_back({plan->fields[i].name, types[i]});
    made->items.push_back(
        make_cast(make_column(inner->relation, i, plan->fields[i].type), types[i]));
  }
  made->inputs.push_back(std::move(inner));
  return made;
}

PlanPtr Analyzer::arrange_columns(PlanPtr plan, const std::vector<std::optional<size_t>>& sources,
                                  const std::function<BoundPtr(size_t)>& value_of) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  auto inner = std::make_shared<Plan>(*plan);
  inner->relation = next_relation_++;
  for (size_t i = 0; i < sources.size(); ++i) {
    made->items.push_back(
        sources[i] ? make_column(inner->relation, *sources[i], plan->fields[*sources[i]].type)
                   : value_of(i));
    made->fields.push_back({std::nullopt, made->items.back()->type});
  }
  made->inputs.push_back(std::move(inner));
  return made;
}

Result<PlanPtr> Analyzer::analyze_values(const QueryTerm& term, const Scope* outer) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::values;
  Scope scope;
  scope.parent = outer;
  std::vector<Type> types;
  for (const auto& row : term.rows) {
    std::vector<BoundPtr> cells;
    if (row->kind == ExpressionKind::row) {
      ASSIGN_OR_RETURN(cells, analyze_all(row->args, scope));
    } else {
      ASSIGN_OR_RETURN(BoundPtr cell, analyze(*row, scope));
      if (cell->type.is(
              TypeKind::row)) {  // VALUES CAST(... AS ROW(...)): its fields are the columns
        for (size_t i = 0; i < cell->type.fields.size(); ++i) {
          auto field = std::make_shared<Bound>();
          field->kind = Bound::Kind::field;
          field->type = cell->type.fields[i].type;
          field->index = i;
          field->args.push_back(cell);
          cells.push_back(std::move(field));
        }
      } else {
        cells.push_back(std::move(cell));
      }
    }
    if (made->rows.empty()) {
      for (const auto& cell : cells) types.push_back(cell->type);
    } else if (cells.size() != types.size()) {
      return semantic_error(
          "TYPE_MISMATCH", term.at,
          fmt::format("Values rows have mismatched sizes: {} vs {}", types.size(), cells.size()));
    }
    for (size_t i = 0; i < cells.size(); ++i) {
      auto type = common_type(types[i], cells[i]->type);
      if (!type) {
        std::vector<Type> row_types;
        for (const auto& cell : cells) row_types.push_back(cell->type);
        return semantic_error("TYPE_MISMATCH", term.at,
                              fmt::format("Values rows have mismatched types: {} vs {}",
                                          shown_row(types), shown_row(row_types)));
      }
      types[i] = std::move(*type);
    }
    made->rows.push_back(std::move(cells));
  }
  for (auto& row : made->rows) {
    for (size_t i = 0; i < row.size(); ++i) row[i] = make_cast(row[i], types[i]);
  }
  for (const auto& type : types) made->fields.push_back({std::nullopt, type});
  return made;
}

Result<std::optional<uint64_t>> Analyzer::row_count(const Expression* expression,
                                                    const char* clause) {
  if (!expression) return std::optional<uint64_t>();
  Scope scope;
  ASSIGN_OR_RETURN(BoundPtr value, analyze(*expression, scope));
  while (value->kind == Bound::Kind::cast) value = value->args[0];
  if (value->wanted) {  // a parameter that is described
    *value->wanted = Type(TypeKind::bigint);
    return std::optional<uint64_t>();
  }
  uint64_t count = 0;
  bool number = value->kind == Bound::Kind::literal && !value->null && value->type.is_integer();
  if (number) {
    auto [end, error] =
        std::from_chars(value->text.data(), value->text.data() + value->text.size(), count);
    number = error == std::errc() && end == value->text.data() + value->text.size();
  }
  if (!number) {
    return semantic_error("INVALID_LIMIT_CLAUSE", expression->at,
                          fmt::format("{} must be a non-negative integer", clause));
  }
  return std::optional<uint64_t>(count);
}

Result<PlanPtr> Analyzer::wrap_with_order(PlanPtr plan, const Query& query, const Scope* outer) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  auto inner = std::make_shared<Plan>(*plan);
  inner->relation = next_relation_++;
  Scope scope;
  scope.parent = outer;
  std::vector<std::pair<OutputField, BoundPtr>> items;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    BoundPtr column = make_column(inner->relation, i, plan->fields[i].type);
    scope.fields.push_back({plan->fields[i].name, {}, column, false});
    items.emplace_back(plan->fields[i], column);
    made->fields.push_back(plan->fields[i]);
    made->items.push_back(column);
  }
  made->inputs.push_back(std::move(inner));
  scope.windows = true;
  RETURN_IF_ERROR(order_keys(query, items, scope, *made));
  return made;
}

// ---- WITH RECURSIVE ----

namespace {

// Where a query refers to a named query, and what may not stand around such a reference. A WITH
// that defines the name again hides it.
class References {
 public:
  explicit References(std::string name) : name_(std::move(name)) {}

  const std::vector<Position>& found() const { return found_; }
  const std::optional<Position>& nested() const { return nested_; }
  // The first reference in a join or set operation that recursion cannot go through.
  const std::optional<std::pair<Position, std::string>>& illegal() const { return illegal_; }

  void query(const Query& query) {
    if (query.recursive && !nested_) nested_ = query.at;
    for (const auto& table : query.with) {
      if (table.name.lower() == name_) return;
    }
    for (const auto& table : query.with) this->query(*table.query);
    term(*query.body);
    sorts(query.order_by);
  }

  void term(const QueryTerm& at) {
    switch (at.kind) {
      case QueryTerm::Kind::select: return select(at.select);
      case QueryTerm::Kind::set_operation: return set_operation(at);
      case QueryTerm::Kind::values: return expressions(at.rows);
      case QueryTerm::Kind::query: return query(*at.query);
      case QueryTerm::Kind::table:
        if (at.table.size() == 1 && at.table[0].lower() == name_) found_.push_back(at.at);
    }
  }

  void relation(const Relation& at) {
    if (at.kind == Relation::Kind::table && at.name.size() == 1 && at.name[0].lower() == name_)
      found_.push_back(at.at);
    if (at.query) query(*at.query);
    if (at.left) {
      side(at, *at.left, at.join == "RIGHT" || at.join == "FULL", "left");
    }
    if (at.right) side(at, *at.right, at.join == "LEFT" || at.join == "FULL", "right");
    expression(at.on);
    expressions(at.args);
    for (const auto& argument : at.table_args) {
      expression(argument.value);
      if (argument.table) relation(*argument.table);
    }
  }

 private:
  void select(const SelectBlock& block) {
    for (const auto& item : block.items) expression(item.expression);
    for (const auto& from : block.from) relation(*from);
    expression(block.where);
    for (const auto& element : block.group_by) {
      for (const auto& set : element.sets) expressions(set);
    }
    expression(block.having);
  }

  void set_operation(const QueryTerm& at) {
    size_t before = found_.size();
    term(*at.left);
    size_t middle = found_.size();
    term(*at.right);
    bool left = middle > before, right = found_.size() > middle;
    const char* distinct = at.all ? "ALL" : "DISTINCT";
    if (at.op == "INTERSECT" && at.all && (left || right))
      forbid(before, "recursive reference in INTERSECT ALL");
    if (at.op != "EXCEPT") return;
    if (right)
      forbid(middle, fmt::format("recursive reference in right relation of EXCEPT {}", distinct));
    if (left && at.all) forbid(before, "recursive reference in left relation of EXCEPT ALL");
  }

  void side(const Relation& join, const Relation& source, bool inner, const char* which) {
    size_t before = found_.size();
    relation(source);
    if (inner && found_.size() > before)
      forbid(before, fmt::format("recursive reference in {} source of {} join", which, join.join));
  }

  void forbid(size_t reference, std::string what) {
    if (!illegal_) illegal_ = {found_[reference], std::move(what)};
  }

  void sorts(const std::vector<SortItem>& items) {
    for (const auto& item : items) expression(item.key);
  }
  void expressions(const std::vector<ExpressionPtr>& list) {
    for (const auto& one : list) expression(one);
  }
  void expression(const ExpressionPtr& at) {
    if (!at) return;
    if (at->query) query(*at->query);
    expressions(at->args);
    expression(at->filter);
    sorts(at->order_by);
  }

  const std::string name_;
  std::vector<Position> found_;
  std::optional<Position> nested_;
  std::optional<std::pair<Position, std::string>> illegal_;
};

std::unexpected<Error> bad_reference(Position at, const std::string& message) {
  return semantic_error("INVALID_RECURSIVE_REFERENCE", at, message);
}

// The block in whose FROM the only reference stands; it is behind parentheses perhaps.
Result<const SelectBlock*> step_block(const QueryTerm& step, Position reference) {
  const QueryTerm* term = &step;
  while (term->kind == QueryTerm::Kind::query) {
    const Query& query = *term->query;
    if (query.limit) {
      return semantic_error("INVALID_LIMIT_CLAUSE", query.limit_at,
                            "FETCH FIRST / LIMIT clause in the step relation of recursion");
    }
    term = query.body.get();
  }
  if (term->kind == QueryTerm::Kind::select && !term->select.from.empty()) return &term->select;
  return bad_reference(
      reference, "recursive reference outside of FROM clause of the step relation of recursion");
}

Status check_tail(const Query& query) {
  auto none = [](Position at, const char* what) {
    return semantic_error("NOT_SUPPORTED", at,
                          fmt::format("immediate {} clause in recursive query", what));
  };
  if (!query.with.empty()) return none(query.at, "WITH");
  if (!query.order_by.empty()) return none(query.order_at, "ORDER BY");
  if (query.offset) return none(query.offset_at, "OFFSET");
  if (query.limit) {
    return semantic_error("INVALID_LIMIT_CLAUSE", query.limit_at,
                          "immediate FETCH FIRST / LIMIT clause in recursive query");
  }
  return {};
}

}  // namespace

Result<bool> recursive_shape(const CommonTable& table) {
  if (table.columns.empty()) {
    return semantic_error("MISSING_COLUMN_ALIASES", table.name.at,
                          "missing column aliases in recursive WITH query");
  }
  const Query& query = *table.query;
  std::string name = table.name.lower();
  References all(name);
  all.query(query);
  if (all.nested())
    return semantic_error("NESTED_RECURSIVE", *all.nested(), "nested recursive WITH query");
  const QueryTerm& body = *query.body;
  bool of_two = body.kind == QueryTerm::Kind::set_operation && body.op == "UNION";
  if (!of_two) {
    if (all.found().empty()) return false;
    return bad_reference(all.found()[0], "recursive reference not allowed in this context");
  }
  References base(name), step(name), from(name);
  base.term(*body.left);
  if (!base.found().empty()) {
    return bad_reference(base.found()[0],
                         "WITH table name is referenced in the base relation of recursion");
  }
  step.term(*body.right);
  if (step.found().empty()) return false;
  if (step.found().size() > 1) {
    return bad_reference(step.found()[1],
                         "multiple recursive references in the step relation of recursion");
  }
  ASSIGN_OR_RETURN(const SelectBlock* block, step_block(*body.right, step.found()[0]));
  for (const auto& relation : block->from) from.relation(*relation);
  if (from.found().empty()) {
    return bad_reference(
        step.found()[0],
        "recursive reference outside of FROM clause of the step relation of recursion");
  }
  RETURN_IF_ERROR(check_tail(query));
  if (from.illegal()) return bad_reference(from.illegal()->first, from.illegal()->second);
  return true;
}

Result<PlanPtr> Analyzer::recursive_query(const CommonTable& table, Scope& scope, size_t id) {
  const QueryTerm& body = *table.query->body;
  ASSIGN_OR_RETURN(PlanPtr anchor, analyze_term(*body.left, nullptr, &scope));
  NamedQuery named{id, anchor->fields};
  if (table.columns.size() != named.fields.size()) {
    return semantic_error(
        "MISMATCHED_COLUMN_ALIASES", table.columns[0].at,
        fmt::format("Column alias list has {} entries but relation has {} columns",
                    table.columns.size(), named.fields.size()));
  }
  for (size_t i = 0; i < table.columns.size(); ++i) named.fields[i].name = table.columns[i].text;
  Scope inner;
  inner.parent = &scope;
  inner.named_queries[table.name.lower()] = std::move(named);
  ASSIGN_OR_RETURN(PlanPtr step, analyze_term(*body.right, nullptr, &inner));
  if (step->fields.size() != anchor->fields.size()) {
    return semantic_error(
        "TYPE_MISMATCH", body.right->at,
        fmt::format("base and step relations of recursion have different number of fields: {}, {}",
                    anchor->fields.size(), step->fields.size()));
  }
  std::vector<Type> types;
  for (size_t i = 0; i < anchor->fields.size(); ++i) {
    if (!can_coerce(step->fields[i].type, anchor->fields[i].type)) {
      return semantic_error(
          "TYPE_MISMATCH", body.right->at,
          fmt::format("recursion step relation output type ({}) is not coercible to recursion base "
                      "relation output type ({}) at column {}",
                      step->fields[i].type.display(), anchor->fields[i].type.display(), i + 1));
    }
    types.push_back(anchor->fields[i].type);
  }
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::set;
  made->text = "UNION ALL";
  made->distinct = !body.all;
  auto depth = session_.properties.find("max_recursion_depth");
  made->limit =
      depth == session_.properties.end() ? 10 : std::strtoull(depth->second.c_str(), nullptr, 10);
  made->fields = anchor->fields;
  made->inputs = {anchor, cast_columns(std::move(step), types)};
  return made;
}

}  // namespace aichemy::sql
