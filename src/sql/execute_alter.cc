// ALTER, COMMENT and the statements on branches: what must be there is checked here with Trino's
// words; the change itself is the connector's.
#include <fmt/format.h>

#include <algorithm>

#include "sql/connectors/table_change.h"
#include "sql/engine/engine_errors.h"
#include "sql/grant_store.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

using Kind = AlterClause::Kind;

struct UpdateTypeRow {
  Kind kind;
  const char* name;
};
constexpr UpdateTypeRow kUpdateTypes[] = {
    {Kind::rename_table, "RENAME TABLE"},
    {Kind::add_column, "ADD COLUMN"},
    {Kind::drop_column, "DROP COLUMN"},
    {Kind::rename_column, "RENAME COLUMN"},
    {Kind::set_column_type, "SET COLUMN TYPE"},
    {Kind::set_default, "SET DEFAULT"},
    {Kind::drop_default, "DROP DEFAULT"},
    {Kind::drop_not_null, "DROP NOT NULL"},
    {Kind::set_properties, "SET PROPERTIES"},
    {Kind::set_authorization, "SET AUTHORIZATION"},
    {Kind::rename_schema, "RENAME SCHEMA"},
    {Kind::schema_authorization, "SET AUTHORIZATION"},
    {Kind::rename_view, "RENAME VIEW"},
    {Kind::view_authorization, "SET AUTHORIZATION"},
    {Kind::refresh_view, "REFRESH VIEW"},
    {Kind::comment_table, "COMMENT"},
    {Kind::comment_view, "COMMENT"},
    {Kind::comment_column, "COMMENT"},
    {Kind::create_branch, "CREATE BRANCH"},
    {Kind::drop_branch, "DROP BRANCH"},
    {Kind::fast_forward, "FAST FORWARD BRANCH"},
};

std::string full_name(const ResolvedName& name) {
  return fmt::format("{}.{}.{}", name.catalog, name.schema, name.table);
}

StatementResult altered(const AlterClause& clause) {
  for (const auto& row : kUpdateTypes) {
    if (row.kind == clause.kind) return update_result(row.name);
  }
  return update_result("ALTER");
}

std::vector<std::string> path_of(const QualifiedName& names) {
  std::vector<std::string> path;
  for (const auto& name : names) path.push_back(name.lower());
  return path;
}

// "USER bob" as the rules on authorization read it.
std::string principal_text(const Principal& principal) {
  return (principal.kind == Principal::Kind::role ? "ROLE " : "USER ") + principal.name.text;
}

Action action_of(const AlterClause& clause) {
  switch (clause.kind) {
    case Kind::add_column:
      return clause.path.size() > 1 ? Action::alter_column : Action::add_column;
    case Kind::drop_column:
      return clause.path.size() > 1 ? Action::alter_column : Action::drop_column;
    case Kind::rename_column:
      return clause.path.size() > 1 ? Action::alter_column : Action::rename_column;
    case Kind::set_properties: return Action::set_properties;
    case Kind::set_authorization: return Action::table_authorization;
    case Kind::comment_table: return Action::comment_table;
    default: return Action::alter_column;
  }
}

}  // namespace

Result<StatementResult> StatementRun::alter(const Statement& s) {
  switch (s.alter->kind) {
    case Kind::rename_schema:
    case Kind::schema_authorization: return alter_schema(s);
    case Kind::rename_table: return rename_table(s);
    case Kind::rename_view:
    case Kind::view_authorization:
    case Kind::refresh_view:
    case Kind::comment_view: return alter_view(s);
    case Kind::comment_column: return comment_column(s);
    case Kind::create_branch:
    case Kind::drop_branch:
    case Kind::fast_forward:
    case Kind::show_branches: return branch_statement(s);
    case Kind::execute: return table_execute(s);
    default: return alter_table(s);
  }
}

Result<StatementResult> StatementRun::alter_schema(const Statement& s) {
  const AlterClause& clause = *s.alter;
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
  if (!exists) {
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema));
  }
  Status done;
  std::string target = clause.new_name.lower();
  if (clause.kind == Kind::rename_schema)
    RETURN_IF_ERROR(allowed_schema(Action::rename_schema, name, name.catalog + "." + target));
  else
    RETURN_IF_ERROR(
        allowed_schema(Action::schema_authorization, name, principal_text(clause.principal)));
  if (clause.kind == Kind::rename_schema) {
    ASSIGN_OR_RETURN(bool taken, name.connector->schema_exists(call_, target));
    if (taken) {
      return semantic_error(
          "SCHEMA_ALREADY_EXISTS", s.at,
          fmt::format("Target schema '{}.{}' already exists", name.catalog, target));
    }
    done = name.connector->rename_schema(call_, name.schema, target);
    if (done && options_.grants) {
      done = options_.grants->rename({name.catalog, name.schema, ""}, {name.catalog, target, ""});
    }
    if (done && options_.routines)
      done = options_.routines->rename(name.catalog, name.schema, target);
  } else {
    done = name.connector->set_schema_owner(call_, name.schema, clause.principal.name.text,
                                            clause.principal.kind == Principal::Kind::role);
  }
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(clause);
}

// TABLE_NOT_FOUND, telling of a view in its place.
std::unexpected<Error> StatementRun::no_such_table(const Statement& s, const ResolvedName& name,
                                                   const std::string& hint) {
  std::string message = fmt::format("Table '{}' does not exist", full_name(name));
  auto view = name.connector->get_view(call_, name.name());
  if (view && *view) message += ", but a view with that name exists." + hint;
  return semantic_error("TABLE_NOT_FOUND", s.at, message);
}

Result<ResolvedName> StatementRun::rename_target(const Statement& s, const ResolvedName& from) {
  const QualifiedName& target = s.alter->target;
  ResolvedName to = from;
  to.table = target.back().lower();
  if (target.size() > 1) to.schema = target[target.size() - 2].lower();
  if (target.size() > 2) to.catalog = target[0].lower();
  if (target.size() > 3) return semantic_error("SYNTAX_ERROR", s.at, "Too many dots in table name");
  auto found = catalogs_.find(to.catalog);
  if (found == catalogs_.end()) {
    return semantic_error("CATALOG_NOT_FOUND", s.at,
                          fmt::format("Target catalog '{}' not found", to.catalog));
  }
  to.connector = found->second;
  const char* kind = s.alter->kind == Kind::rename_view ? "View" : "Table";
  if (to.catalog != from.catalog) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          fmt::format("{} rename across catalogs is not supported", kind));
  }
  ASSIGN_OR_RETURN(TableRef table, to.connector->get_table(call_, to.name()));
  ASSIGN_OR_RETURN(auto view, to.connector->get_view(call_, to.name()));
  if (table || view) {
    return semantic_error(
        "TABLE_ALREADY_EXISTS", s.at,
        fmt::format("Target {} '{}' already exists", table ? "table" : "view", full_name(to)));
  }
  ASSIGN_OR_RETURN(bool schema, to.connector->schema_exists(call_, to.schema));
  if (!schema) {
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema '{}.{}' does not exist", to.catalog, to.schema));
  }
  return to;
}

// What was granted goes along.
Status StatementRun::renamed(const ResolvedName& from, const ResolvedName& to) {
  if (!options_.grants) return {};
  return options_.grants->rename({from.catalog, from.schema, from.table},
                                 {to.catalog, to.schema, to.table});
}

Result<StatementResult> StatementRun::rename_table(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table && s.if_exists) return altered(*s.alter);
  if (!table) {
    return no_such_table(
        s, name, fmt::format(" Did you mean ALTER VIEW {} RENAME TO ...?", full_name(name)));
  }
  ASSIGN_OR_RETURN(ResolvedName to, rename_target(s, name));
  RETURN_IF_ERROR(allowed(Action::rename_table, name, full_name(to)));
  auto done = name.connector->rename_table(call_, name.name(), to.name());
  if (!done) return std::unexpected(to_trino_error(done.error()));
  RETURN_IF_ERROR(renamed(name, to));
  return altered(*s.alter);
}

Result<StatementResult> StatementRun::alter_view(const Statement& s) {
  const AlterClause& clause = *s.alter;
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
  if (!view) {
    ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
    std::string message = fmt::format("View '{}' does not exist", full_name(name));
    if (table && clause.kind == Kind::rename_view) {
      message += fmt::format(
          ", but a table with that name exists. Did you mean ALTER TABLE {} RENAME TO ...?",
          full_name(name));
    }
    return semantic_error("TABLE_NOT_FOUND", s.at, message);
  }
  Status done;
  if (clause.kind == Kind::rename_view) {
    ASSIGN_OR_RETURN(ResolvedName to, rename_target(s, name));
    RETURN_IF_ERROR(allowed(Action::rename_view, name, full_name(to)));
    done = name.connector->rename_view(call_, name.name(), to.name());
    if (done) done = renamed(name, to);
  } else if (clause.kind == Kind::refresh_view) {
    RETURN_IF_ERROR(allowed(Action::refresh_view, name));
    return refresh_view(s, name, std::move(*view));
  } else {
    TableChange change;
    bool owner = clause.kind == Kind::view_authorization;
    change.kind = owner ? TableChange::Kind::set_owner : TableChange::Kind::comment;
    if (owner && view->run_as_invoker)
      return semantic_error("NOT_SUPPORTED", s.at, "A view that runs as its invoker has no owner");
    RETURN_IF_ERROR(allowed(owner ? Action::view_authorization : Action::comment_view, name,
                            principal_text(clause.principal)));
    change.text = owner ? std::optional(clause.principal.name.text) : clause.comment;
    done = name.connector->change_view(call_, name.name(), change);
  }
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(clause);
}

// The view's query analysed again: its columns take the names and types they have now.
Result<StatementResult> StatementRun::refresh_view(const Statement& s, const ResolvedName& name,
                                                   View view) {
  ASSIGN_OR_RETURN(auto parsed, parse_statement(view.sql));
  if (parsed->kind != StatementKind::query)
    return semantic_error("INVALID_VIEW", s.at, "the view is not a query");
  Session session = session_;
  session.catalog = view.catalog;
  session.schema = view.schema;
  Analyzer analyzer(call_, session, catalogs_);
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer.query(*parsed->query));
  std::vector<ColumnInfo> before = std::exchange(view.columns, {});
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    const auto& field = plan->fields[i];
    if (!field.name) {
      return semantic_error("MISSING_COLUMN_NAME", s.at,
                            fmt::format("Column name not specified at position {}", i + 1));
    }
    ColumnInfo column;
    column.name = lower_case(*field.name);
    column.type = field.type;
    for (const auto& old : before) {
      if (old.name == column.name) column.comment = old.comment;
    }
    view.columns.push_back(std::move(column));
  }
  auto done = name.connector->create_view(call_, name.name(), view, true);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(*s.alter);
}

Result<StatementResult> StatementRun::comment_column(const Statement& s) {
  if (s.name.empty()) return semantic_error("MISSING_TABLE", s.at, "Table must be specified");
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  TableChange change;
  change.kind = TableChange::Kind::column_comment;
  change.path = path_of(s.alter->path);
  change.text = s.alter->comment;
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
  if (!table && !view) {
    return semantic_error("TABLE_NOT_FOUND", s.at,
                          fmt::format("Table does not exist: {}", full_name(name)));
  }
  const auto& columns = table ? table->columns : view->columns;
  RETURN_IF_ERROR(allowed(Action::comment_column, name));
  bool found = std::ranges::any_of(
      columns, [&](const auto& column) { return column.name == change.path[0]; });
  if (!found) {
    return semantic_error("COLUMN_NOT_FOUND", s.at,
                          fmt::format("Column does not exist: {}", change.path[0]));
  }
  auto done = table ? name.connector->change_table(call_, name.name(), change)
                    : name.connector->change_view(call_, name.name(), change);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(*s.alter);
}

Result<StatementResult> StatementRun::alter_table(const Statement& s) {
  const AlterClause& clause = *s.alter;
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) {
    if (s.if_exists) return altered(clause);
    if (clause.kind != Kind::set_properties) return no_such_table(s, name, "");
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (view) {
      return semantic_error("NOT_SUPPORTED", s.at,
                            "Cannot set properties to a view in ALTER TABLE");
    }
    return no_such_table(s, name, "");
  }
  RETURN_IF_ERROR(allowed(action_of(clause), name, principal_text(clause.principal)));
  TableChange change;
  change.path = path_of(clause.path);
  bool nothing = false;
  switch (clause.kind) {
    case Kind::add_column: {
      ASSIGN_OR_RETURN(change.column.properties, column_properties(clause.definition, name));
      ASSIGN_OR_RETURN(nothing, add_column(s, *table, change));
      break;
    }
    case Kind::drop_column: {
      ASSIGN_OR_RETURN(nothing, drop_column(s, *table, change));
      break;
    }
    case Kind::rename_column: {
      ASSIGN_OR_RETURN(nothing, rename_column(s, *table, change));
      break;
    }
    case Kind::set_column_type:
    case Kind::set_default:
    case Kind::drop_default:
    case Kind::drop_not_null: RETURN_IF_ERROR(change_column(s, *table, change)); break;
    case Kind::set_properties: RETURN_IF_ERROR(change_properties(s, change)); break;
    case Kind::set_authorization:
      change.kind = TableChange::Kind::set_owner;
      change.text = clause.principal.name.text;
      change.role = clause.principal.kind == Principal::Kind::role;
      break;
    default:
      change.kind = TableChange::Kind::comment;
      change.text = clause.comment;
      break;
  }
  if (nothing) return altered(clause);
  auto done = name.connector->change_table(call_, name.name(), change);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(clause);
}

Status StatementRun::change_properties(const Statement& s, TableChange& change) {
  change.kind = TableChange::Kind::set_properties;
  ASSIGN_OR_RETURN(change.properties, properties(s.properties));
  for (const auto& [name, value] : s.properties) {
    if (!value) change.reset.push_back(name.lower());
  }
  return {};
}

Result<StatementResult> StatementRun::branch_statement(const Statement& s) {
  const AlterClause& clause = *s.alter;
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  if (clause.kind != Kind::show_branches) RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  if (!table) return no_such_table(s, name, "");
  RETURN_IF_ERROR(allowed(
      clause.kind == Kind::show_branches ? Action::show_columns : Action::alter_column, name));
  ASSIGN_OR_RETURN(auto branches, name.connector->list_branches(call_, name.name()));
  auto has = [&](const std::string& branch) {
    return std::ranges::any_of(branches, [&](const auto& known) { return known.name == branch; });
  };
  if (clause.kind == Kind::show_branches) {
    TextTable rows{{{"Branch", Type::varchar()}}, {}};
    for (const auto& branch : branches) rows.rows.push_back({Json(branch.name)});
    return table_result(std::move(rows), "SELECT");
  }
  BranchChange change;
  change.name = clause.new_name.text;
  change.source = clause.source ? clause.source->text : "main";
  change.replace = s.replace;
  auto missing = [&](const std::string& branch) {
    return semantic_error("BRANCH_NOT_FOUND", s.at,
                          fmt::format("Branch '{}' does not exist", branch));
  };
  if (clause.kind == Kind::create_branch) {
    if (!s.properties.empty()) {
      return semantic_error("INVALID_BRANCH_PROPERTY", s.at,
                            fmt::format("Catalog '{}' branch property '{}' does not exist",
                                        name.catalog, s.properties[0].first.lower()));
    }
    if (has(change.name) && !s.replace) {
      if (clause.if_part) return altered(clause);
      return semantic_error("BRANCH_ALREADY_EXISTS", s.at,
                            fmt::format("Branch '{}' already exists", change.name));
    }
    if (clause.source && !has(change.source)) return missing(change.source);
  } else if (clause.kind == Kind::drop_branch) {
    change.kind = BranchChange::Kind::drop;
    if (!has(change.name)) {
      if (clause.if_part) return altered(clause);
      return missing(change.name);
    }
  } else {
    change.kind = BranchChange::Kind::fast_forward;
    if (change.name == change.source) {
      return semantic_error("GENERIC_USER_ERROR", s.at,
                            "Fast forwarding branch between same branches is not supported");
    }
    if (!has(change.name)) return missing(change.name);
    if (!has(change.source)) return missing(change.source);
  }
  auto done = name.connector->change_branch(call_, name.name(), change);
  if (!done) return std::unexpected(to_trino_error(done.error()));
  return altered(clause);
}

}  // namespace aichemy::sql
