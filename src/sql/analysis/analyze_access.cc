// What a query reads, asked of the access control; row filters and column masks.
#include <fmt/format.h>

#include "sql/analysis/analyzer.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

// The error stands among the values: a condition might be asked of rows that are not written.
BoundPtr only_when(BoundPtr visible, BoundPtr value, const char* what) {
  Type type = value->type;
  std::string text = fmt::format(
      "CASE WHEN {{0}} THEN {{1}} ELSE trino_fail('PERMISSION_DENIED', 'Access Denied: Cannot {} "
      "row that does not match a row filter') END",
      what);
  return make_call(std::move(type), std::move(text), {std::move(visible), std::move(value)});
}

void Analyzer::note_read(const ResolvedName& name, const From& from) {
  if (!access_ || from.fields.empty()) return;
  ReadNode node;
  node.object = {name.catalog, name.schema, name.table};
  for (const auto& field : from.fields) node.names.push_back(field.name.value_or(""));
  node.owner = view_owner_;
  reads_[from.fields[0].value->relation] = std::move(node);
}

void Analyzer::mark_read(const Bound& column) {
  if (column.kind != Bound::Kind::column || reads_.empty()) return;
  auto read = reads_.find(column.relation);
  if (read != reads_.end()) read->second.columns.insert(column.index);
}

// A table of which no column is read (count(*)) must be readable all the same.
Status Analyzer::check_reads() {
  for (const auto& [relation, node] : reads_) {
    std::set<std::string> columns;
    for (size_t index : node.columns) columns.insert(lower_case(node.names[index]));
    RETURN_IF_ERROR(check_columns(access_, identity(), node.object, columns,
                                  node.owner ? &*node.owner : nullptr));
  }
  reads_.clear();
  return {};
}

// Whether rows of the table may change as the statement says.
Status Analyzer::check_change(const Statement& statement, const ResolvedName& name) {
  if (!access_) return {};
  AccessObject table{name.catalog, name.schema, name.table};
  for (const ChangeCase& row : statement.change->cases) {
    Action action = row.kind == ChangeCase::Kind::remove   ? Action::remove
                    : row.kind == ChangeCase::Kind::insert ? Action::insert
                                                           : Action::update;
    std::string columns;
    for (const auto& column : row.columns)
      columns += (columns.empty() ? "" : ", ") + column.lower();
    RETURN_IF_ERROR(check_access(access_, identity(), action, table, columns));
  }
  RowRules rules = access_->row_rules(identity(), table);
  bool merges = statement.kind == StatementKind::merge_rows;
  if (merges && !rules.filters.empty())
    return semantic_error("NOT_SUPPORTED", statement.at,
                          "Cannot merge into a table with row filters");
  if (rules.masks.empty()) return {};
  bool removes = statement.kind == StatementKind::delete_rows;
  return semantic_error("NOT_SUPPORTED", statement.at,
                        merges    ? "Cannot merge into a table with column masks"
                        : removes ? "Delete from table with column mask"
                                  : "Updating a table with column masks is not supported");
}

// Which rows of the table the user sees; none: all of them.
Result<BoundPtr> Analyzer::row_filter(const From& from, const ResolvedName& name) {
  if (!access_) return BoundPtr();
  RowRules rules = access_->row_rules(identity(), {name.catalog, name.schema, name.table});
  // What the rules read is not what the user asked for.
  auto read = reads_.extract(from.fields[0].value->relation);
  BoundPtr made;
  for (const auto& filter : rules.filters) {
    ASSIGN_OR_RETURN(BoundPtr condition, row_expression(filter, from, name, {}, true));
    made = made ? make_call(Type(TypeKind::boolean), "({0} AND {1})", {made, condition})
                : std::move(condition);
  }
  if (!read.empty()) reads_.insert(std::move(read));
  return made;
}

Result<PlanPtr> Analyzer::filtered_rows(PlanPtr plan, const ResolvedName& name,
                                        const std::vector<const ColumnInfo*>& columns,
                                        Position at) {
  if (!access_) return plan;
  RowRules rules = access_->row_rules(identity(), {name.catalog, name.schema, name.table});
  if (!rules.masks.empty())
    return semantic_error("NOT_SUPPORTED", at,
                          "Insert into table with column masks is not supported");
  if (rules.filters.empty()) return plan;
  std::vector<Type> types;
  for (const auto* column : columns) types.push_back(column->type);
  auto named = std::make_shared<Plan>(*cast_columns(std::move(plan), types));
  for (size_t i = 0; i < columns.size(); ++i) named->fields[i].name = columns[i]->name;
  From from = from_plan(std::move(named), {});
  ASSIGN_OR_RETURN(BoundPtr visible, row_filter(from, name));
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  for (const auto& field : from.fields) {
    made->items.push_back(field.value);
    made->fields.push_back({field.name, field.value->type});
  }
  made->items[0] = only_when(std::move(visible), made->items[0], "insert");
  made->inputs.push_back(std::move(from.plan));
  return PlanPtr(made);
}

// The expression sees the table's own columns and runs with the user's rights, or those of whom
// its environment names.
Result<BoundPtr> Analyzer::row_expression(const RowExpression& expression, const From& from,
                                          const ResolvedName& name, const Type& type, bool filter) {
  const char* kind = filter ? "INVALID_ROW_FILTER" : "INVALID_COLUMN_MASK";
  auto broken = [&](const std::string& why) {
    return fail(Code::invalid, kind,
                fmt::format("Invalid {} for '{}.{}.{}': {}", filter ? "row filter" : "column mask",
                            name.catalog, name.schema, name.table, why));
  };
  auto parsed = parse_expression(expression.sql);
  if (!parsed) return broken(parsed.error().message);
  Session saved = session_;
  std::optional<std::string> saved_owner = std::exchange(view_owner_, expression.user);
  if (expression.user) session_.user = *expression.user;
  session_.catalog = name.catalog;
  session_.schema = name.schema;
  Scope scope;
  scope.fields = from.fields;
  ++row_rules_depth_;
  auto bound = filter ? analyze_condition(**parsed, scope, "row filter") : analyze(**parsed, scope);
  --row_rules_depth_;
  session_ = std::move(saved);
  view_owner_ = std::move(saved_owner);
  if (!bound) return broken(bound.error().message);
  if (filter || (*bound)->type == type) return bound;
  if (!can_coerce((*bound)->type, type)) {
    return broken(fmt::format("Expected column mask to be of type {}, but was {}", type.display(),
                              (*bound)->type.display()));
  }
  return make_cast(std::move(*bound), type);
}

// The table as its reader may see it: filters first, on the true values.
Result<Analyzer::From> Analyzer::with_row_rules(From from, const ResolvedName& name, Position at) {
  if (!access_ || row_rules_depth_ > 0) return from;
  Identity reader = identity();
  if (view_owner_) reader.user = *view_owner_;
  RowRules rules = access_->row_rules(reader, {name.catalog, name.schema, name.table});
  if (rules.filters.empty() && rules.masks.empty()) return from;
  size_t source = from.fields[0].value->relation;
  auto made = std::make_shared<Plan>();
  made->kind = Plan::Kind::select;
  // What the rules read is not what the user asked for.
  auto read = reads_.extract(source);
  for (const auto& filter : rules.filters) {
    ASSIGN_OR_RETURN(BoundPtr condition, row_expression(filter, from, name, {}, true));
    note_conjuncts(*condition, from.relations);
    made->where = made->where ? make_call(Type(TypeKind::boolean), "({0} AND {1})",
                                          {made->where, condition}, at)
                              : condition;
  }
  std::vector<std::string> qualifier = from.fields[0].qualifier;
  std::vector<bool> hidden;
  for (const auto& field : from.fields) {
    auto mask = rules.masks.find(lower_case(field.name.value_or("")));
    BoundPtr value = field.value;
    if (mask != rules.masks.end()) {
      ASSIGN_OR_RETURN(value, row_expression(mask->second, from, name, field.value->type, false));
    }
    auto scan = scans_.find(source);
    if (scan != scans_.end()) scan->second.columns.insert(field.value->index);
    made->items.push_back(std::move(value));
    made->fields.push_back({field.name, field.value->type});
    hidden.push_back(field.hidden);
  }
  made->inputs.push_back(from.plan);
  From masked = from_plan(std::move(made), std::move(qualifier));
  for (size_t i = 0; i < hidden.size(); ++i) masked.fields[i].hidden = hidden[i];
  if (!read.empty()) reads_[masked.fields[0].value->relation] = std::move(read.mapped());
  return masked;
}

}  // namespace aichemy::sql
