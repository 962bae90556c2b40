// DELETE, UPDATE and MERGE: a query whose rows say what happens to which row of the target.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/analysis/analyzer.h"
#include "sql/types/coercion.h"

namespace aichemy::sql {
namespace {

const Type kBoolean(TypeKind::boolean);
const Type kInteger(TypeKind::integer);

std::string no_views(StatementKind kind, const char* materialized) {
  const char* what = kind == StatementKind::delete_rows   ? "Deleting from"
                     : kind == StatementKind::update_rows ? "Updating"
                                                          : "Merging into";
  return fmt::format("{} {}views is not supported", what, materialized);
}

BoundPtr number(int value) { return make_literal(kInteger, std::to_string(value)); }

BoundPtr both(BoundPtr a, BoundPtr b) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::chain;
  made->type = kBoolean;
  made->text = "AND";
  made->args = {std::move(a), std::move(b)};
  return made;
}

BoundPtr case_of(Type type, std::vector<BoundPtr> args) {
  auto made = std::make_shared<Bound>();
  made->kind = Bound::Kind::case_;
  made->type = std::move(type);
  made->args = std::move(args);
  return made;
}

std::string displayed(const std::vector<Type>& types) {
  std::string out;
  for (const Type& type : types) out += (out.empty() ? "" : ", ") + type.display();
  return out;
}

int what_happens(ChangeCase::Kind kind) {
  switch (kind) {
    case ChangeCase::Kind::remove: return ChangePlan::kRemoved;
    case ChangeCase::Kind::update: return ChangePlan::kUpdated;
    case ChangeCase::Kind::insert: return ChangePlan::kInserted;
  }
  return 0;
}

}  // namespace

// What a statement is about while it is analysed.
struct Analyzer::Changing {
  const Statement& statement;
  ChangePlan& plan;
  From target;
  BoundPtr path, position;
  std::vector<size_t> columns;  // of the table that are written, by index
  std::vector<Type> types;      // of those
};

Result<ChangePlan> Analyzer::change(const Statement& statement) {
  ChangePlan made;
  Changing changing{statement, made, {}, {}, {}, {}, {}};
  RETURN_IF_ERROR(change_target(changing));
  const ChangeSyntax& syntax = *statement.change;
  if (statement.kind == StatementKind::merge_rows) {
    RETURN_IF_ERROR(merge_plan(changing));
  } else {
    Scope scope;
    scope.fields = changing.target.fields;
    scope.clause = "WHERE clause";
    auto plan = std::make_shared<Plan>();
    plan->kind = Plan::Kind::select;
    bool exact = true;
    ASSIGN_OR_RETURN(BoundPtr visible, row_filter(changing.target, made.name));
    if (visible) exact = note_conjuncts(*visible, changing.target.relations);
    plan->where = visible;
    if (const auto& where = syntax.cases[0].condition) {
      ASSIGN_OR_RETURN(BoundPtr asked, analyze_condition(*where, scope, "WHERE clause"));
      exact = note_conjuncts(*asked, changing.target.relations) && exact;
      plan->where = visible ? both(visible, asked) : asked;
    }
    made.exact = exact && statement.kind == StatementKind::delete_rows;
    ASSIGN_OR_RETURN(auto values, change_values(changing, 0, scope));
    plan->inputs = {changing.target.plan};
    plan->items = {number(what_happens(syntax.cases[0].kind)), changing.path, changing.position};
    plan->items.insert(plan->items.end(), values.begin(), values.end());
    bool updates = statement.kind == StatementKind::update_rows;
    made.plan = visible && updates ? still_visible(changing, std::move(plan), visible)
                                   : PlanPtr(std::move(plan));
  }
  for (const auto& [relation, node] : scans_) {
    bool other = relation != made.target && node.plan->table->name == made.table->name &&
                 node.plan->connector == made.name.connector;
    made.reads_all = made.reads_all || other;
  }
  // Of its target a statement may read nothing at all.
  auto target = reads_.find(made.target);
  if (target != reads_.end() && target->second.columns.empty()) reads_.erase(target);
  RETURN_IF_ERROR(check_reads());
  return made;
}

// An updated row must pass the filter too. It is asked of the values once they are there, because
// asking for them twice may give others.
PlanPtr Analyzer::still_visible(const Changing& changing, std::shared_ptr<Plan> plan,
                                const BoundPtr& visible) {
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  plan->relation = next_relation_++;
  for (size_t i = 0; i < plan->items.size(); ++i) {
    const Type& type = plan->items[i]->type;
    plan->fields.push_back({std::nullopt, type});
    made->items.push_back(make_column(plan->relation, i, type));
  }
  constexpr size_t kFirst = 3;  // values come after what happens, path and position
  Replace changed = [&](const BoundPtr& value) -> BoundPtr {
    if (value->kind != Bound::Kind::column || value->relation != changing.plan.target)
      return nullptr;
    auto at = std::ranges::find(changing.columns, value->index);
    if (at == changing.columns.end()) return nullptr;
    return made->items[kFirst + static_cast<size_t>(at - changing.columns.begin())];
  };
  made->items[0] = only_when(rewrite(visible, changed), made->items[0], "update");
  made->inputs = {std::move(plan)};
  return made;
}

Status Analyzer::change_target(Changing& changing) {
  const Statement& s = changing.statement;
  ChangePlan& made = changing.plan;
  ASSIGN_OR_RETURN(made.name, resolve_table(s.name, s.change->target.at));
  ASSIGN_OR_RETURN(made.table, find_target(made.name, s.branch, s.at));
  if (!made.table) {
    ASSIGN_OR_RETURN(auto view, made.name.connector->get_view(call_, made.name.name()));
    if (view) return semantic_error("NOT_SUPPORTED", s.at, no_views(s.kind, ""));
    if (MaterializedViews* views = made.name.connector->materialized_views()) {
      ASSIGN_OR_RETURN(auto materialized, views->get(call_, made.name.name()));
      if (materialized)
        return semantic_error("NOT_SUPPORTED", s.at, no_views(s.kind, "materialized "));
    }
  }
  if (made.table) RETURN_IF_ERROR(check_change(s, made.name));
  if (s.branch.empty() || !made.table) {
    ++row_rules_depth_;  // the statement itself sees to the row filters
    auto target = analyze_relation(s.change->target, nullptr);
    --row_rules_depth_;
    if (!target) return std::unexpected(target.error());
    changing.target = std::move(*target);
  } else {
    ASSIGN_OR_RETURN(changing.target, aliased(scan_of(made.name, made.table), s.change->target));
  }
  made.target = *changing.target.relations.begin();
  auto path = std::ranges::find(made.table->columns, "$path", &ColumnInfo::name);
  if (!made.name.connector->row_changer() || path == made.table->columns.end()) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "This connector does not support modifying table rows");
  }
  made.path_column = static_cast<size_t>(path - made.table->columns.begin());
  scans_.at(made.target).plan->ordinality = true;  // the row's position is the last column
  changing.path = make_column(made.target, made.path_column, path->type);
  changing.position = make_column(made.target, made.table->columns.size(), Type(TypeKind::bigint));
  for (size_t i = 0; i < made.table->columns.size(); ++i) {
    if (made.table->columns[i].hidden) continue;
    changing.columns.push_back(i);
    changing.types.push_back(made.table->columns[i].type);
  }
  return {};
}

// The columns that a case writes, as indexes in Changing::columns.
Result<std::vector<size_t>> Analyzer::change_columns(const Changing& changing,
                                                     const ChangeCase& row) {
  std::vector<size_t> made;
  bool update = changing.statement.kind == StatementKind::update_rows;
  if (row.columns.empty()) {
    for (size_t i = 0; i < changing.columns.size(); ++i) made.push_back(i);
  }
  for (const Identifier& column : row.columns) {
    size_t at = 0;
    while (at < changing.columns.size() &&
           changing.plan.table->columns[changing.columns[at]].name != column.lower())
      ++at;
    if (at == changing.columns.size() && update) {
      return semantic_error(
          "COLUMN_NOT_FOUND", column.at,
          fmt::format("The UPDATE SET target column {} doesn't exist", column.lower()));
    }
    if (at == changing.columns.size()) {
      return semantic_error(
          "COLUMN_NOT_FOUND", changing.statement.at,
          fmt::format("Merge column name does not exist in target table: {}", column.lower()));
    }
    if (std::ranges::find(made, at) != made.end()) {
      return semantic_error("DUPLICATE_COLUMN_NAME", changing.statement.at,
                            fmt::format("{} column name is specified more than once: {}",
                                        update ? "Update" : "Merge", column.lower()));
    }
    made.push_back(at);
  }
  if (made.size() != row.values.size()) {
    return semantic_error(
        "TYPE_MISMATCH", row.at,
        fmt::format("Number of merge columns ({}) isn't equal to number of expressions ({})",
                    made.size(), row.values.size()));
  }
  return made;
}

// The row as a case leaves it, for each column that is written.
Result<std::vector<BoundPtr>> Analyzer::change_values(const Changing& changing, size_t number,
                                                      Scope& scope) {
  const Statement& s = changing.statement;
  const ChangeCase& row = s.change->cases[number];
  std::vector<BoundPtr> values;
  for (size_t i = 0; i < changing.columns.size(); ++i) {
    bool stays = row.kind == ChangeCase::Kind::update;
    values.push_back(stays
                         ? make_column(changing.plan.target, changing.columns[i], changing.types[i])
                         : make_null(changing.types[i]));
  }
  if (row.kind == ChangeCase::Kind::remove) return values;
  ASSIGN_OR_RETURN(auto columns, change_columns(changing, row));
  std::vector<Type> wanted, given;
  bool fits = true;
  for (size_t i = 0; i < columns.size(); ++i) {
    ASSIGN_OR_RETURN(BoundPtr value, analyze(*row.values[i], scope));
    wanted.push_back(changing.types[columns[i]]);
    given.push_back(value->type);
    fits = fits && can_store(given.back(), wanted.back());
    if (fits) values[columns[i]] = make_cast(std::move(value), wanted.back());
  }
  if (fits) return values;
  std::string types = fmt::format("SET expressions: Table: [{}], Expressions: [{}]",
                                  displayed(wanted), displayed(given));
  if (s.kind == StatementKind::update_rows)
    return semantic_error("TYPE_MISMATCH", s.at, "UPDATE table column types don't match " + types);
  return semantic_error(
      "TYPE_MISMATCH", row.at,
      fmt::format("MERGE table column types don't match for MERGE case {}, {}", number, types));
}

// A MERGE's case, with what becomes of each column that is written.
struct Analyzer::MergeCase {
  BoundPtr condition;  // none: of every row of its kind
  std::vector<BoundPtr> values;
};

Result<std::vector<Analyzer::MergeCase>> Analyzer::merge_cases(const Changing& changing,
                                                               Scope& scope) {
  const ChangeSyntax& syntax = *changing.statement.change;
  std::vector<MergeCase> made;
  for (size_t i = 0; i < syntax.cases.size(); ++i) {
    MergeCase& one = made.emplace_back();
    if (const auto& condition = syntax.cases[i].condition) {
      ASSIGN_OR_RETURN(one.condition,
                       analyze_condition(*condition, scope, "WHERE clause predicate"));
    }
    ASSIGN_OR_RETURN(one.values, change_values(changing, i, scope));
  }
  return made;
}

// Columns, as indexes in Changing::columns, that no case changes and nothing in the statement asks
// for: they are read later, of the rows that are written.
std::vector<size_t> Analyzer::untouched_columns(const Changing& changing, const BoundPtr& on,
                                                const std::vector<MergeCase>& cases) {
  const auto& kinds = changing.statement.change->cases;
  std::set<size_t> asked;  // of the table
  Replace note = [&](const BoundPtr& value) -> BoundPtr {
    if (value->kind == Bound::Kind::column && value->relation == changing.plan.target)
      asked.insert(value->index);
    return nullptr;
  };
  rewrite(on, note);
  bool updates = false;
  for (size_t i = 0; i < cases.size(); ++i) {
    if (cases[i].condition) rewrite(cases[i].condition, note);
    if (kinds[i].kind != ChangeCase::Kind::update) continue;
    updates = true;
    for (size_t c = 0; c < changing.columns.size(); ++c) {
      const Bound& value = *cases[i].values[c];
      bool stays = value.kind == Bound::Kind::column && value.relation == changing.plan.target &&
                   value.index == changing.columns[c];
      if (stays) continue;
      rewrite(cases[i].values[c], note);
      asked.insert(changing.columns[c]);
    }
  }
  std::vector<size_t> untouched;
  for (size_t c = 0; c < changing.columns.size() && updates; ++c) {
    if (!asked.contains(changing.columns[c])) untouched.push_back(c);
  }
  return untouched;
}

// Source rows, each with the target row it meets. The inner query decides which case applies, once;
// the outer one computes the rows, from columns of the inner one.
Status Analyzer::merge_plan(Changing& changing) {
  const ChangeSyntax& syntax = *changing.statement.change;
  ASSIGN_OR_RETURN(From source, analyze_relation(*syntax.source, nullptr));
  Scope scope;
  scope.fields = changing.target.fields;
  scope.fields.insert(scope.fields.end(), source.fields.begin(), source.fields.end());
  scope.clause = "MERGE";
  ASSIGN_OR_RETURN(BoundPtr on, analyze_condition(*syntax.on, scope, "The MERGE predicate"));
  note_conjuncts(*on, changing.target.relations);
  ASSIGN_OR_RETURN(auto cases, merge_cases(changing, scope));
  changing.plan.later = untouched_columns(changing, on, cases);
  std::set<size_t> later(changing.plan.later.begin(), changing.plan.later.end());
  bool inserts = std::ranges::any_of(
      syntax.cases, [](const auto& row) { return row.kind == ChangeCase::Kind::insert; });
  auto inner = std::make_shared<Plan>();
  inner->kind = Plan::Kind::select;
  inner->relation = next_relation_++;
  inner->inputs = {join_plans(source.plan, changing.target.plan, inserts ? "LEFT" : "INNER", on)};
  auto shown = [&](BoundPtr value) {
    inner->fields.push_back({std::nullopt, value->type});
    inner->items.push_back(std::move(value));
    return make_column(inner->relation, inner->items.size() - 1, inner->fields.back().type);
  };
  std::vector<BoundPtr> choice, happens;
  std::vector<std::vector<BoundPtr>> columns(changing.columns.size());
  shown(number(0));  // which case, known below
  BoundPtr chosen = make_column(inner->relation, 0, kInteger);
  std::vector<BoundPtr> outer = {shown(changing.path), shown(changing.position)};
  Replace to_inner = [&](const BoundPtr& value) -> BoundPtr {
    bool ours = value->kind == Bound::Kind::column && (source.relations.contains(value->relation) ||
                                                       value->relation == changing.plan.target);
    if (!ours) return nullptr;
    for (size_t i = 1; i < inner->items.size(); ++i) {
      if (same_expression(*inner->items[i], *value))
        return make_column(inner->relation, i, value->type, value->at);
    }
    return shown(value);
  };
  bool all_matched = false, all_unmatched = !inserts;
  for (size_t i = 0; i < cases.size(); ++i) {
    ChangeCase::Kind kind = syntax.cases[i].kind;
    bool insert = kind == ChangeCase::Kind::insert;
    if (!cases[i].condition) (insert ? all_unmatched : all_matched) = true;
    choice.push_back(case_condition(changing, insert, inserts, cases[i].condition));
    choice.push_back(number(static_cast<int>(i)));
    BoundPtr applies = make_call(kBoolean, "({0} = {1})", {chosen, number(static_cast<int>(i))});
    happens.insert(happens.end(), {applies, number(what_happens(kind))});
    for (size_t c = 0; c < columns.size() && kind != ChangeCase::Kind::remove; ++c) {
      if (!insert && later.contains(c)) continue;
      columns[c].insert(columns[c].end(), {applies, rewrite(cases[i].values[c], to_inner)});
    }
  }
  inner->items[0] = case_of(kInteger, std::move(choice));
  auto plan = std::make_shared<Plan>();
  plan->kind = Plan::Kind::select;
  plan->items = {case_of(kInteger, std::move(happens)), outer[0], outer[1]};
  for (size_t c = 0; c < columns.size(); ++c) {
    plan->items.push_back(columns[c].empty() ? make_null(changing.types[c])
                                             : case_of(changing.types[c], std::move(columns[c])));
  }
  // Not asked in vain: the engine takes it that most rows fail such a condition, and joins the
  // wrong way round.
  if (!all_matched || !all_unmatched)
    plan->where = make_call(kBoolean, "({0} IS NOT NULL)", {chosen});
  plan->inputs = {std::move(inner)};
  changing.plan.plan = std::move(plan);
  return {};
}

// Whether a joined row is one of the case's. Without an outer join every row has met one.
BoundPtr Analyzer::case_condition(const Changing& changing, bool insert, bool outer_join,
                                  BoundPtr condition) {
  if (!outer_join) return condition ? condition : make_literal(kBoolean, "true");
  BoundPtr kind =
      make_call(kBoolean, insert ? "({0} IS NULL)" : "({0} IS NOT NULL)", {changing.position});
  return condition ? both(std::move(kind), std::move(condition)) : kind;
}

}  // namespace aichemy::sql
