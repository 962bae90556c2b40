// ALTER TABLE on columns: paths into rows and arrays, types, defaults.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>

#include "sql/connectors/table_change.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

using Kind = AlterClause::Kind;

std::string shown(const QualifiedName& path) {
  std::string text;
  for (const auto& part : path) text += (text.empty() ? "" : ".") + part.lower();
  return text;
}

const ColumnInfo* find_column(const Table& table, const std::string& name) {
  for (const auto& column : table.columns) {
    if (column.name == name) return &column;
  }
  return nullptr;
}

// The fields of a row with this name; arrays are stepped into where the path says "element", and
// where `silent`, without being named.
Result<std::vector<const Field*>> candidates(const Type& type, const std::string& name,
                                             bool silent) {
  std::vector<const Field*> found;
  const Type* at = &type;
  if (at->is(TypeKind::array) && name != "element" && silent) at = &at->element();
  if (at->is(TypeKind::array)) {
    if (name != "element") {
      return fail(
          Code::unsupported, "NOT_SUPPORTED",
          fmt::format("ARRAY type should be denoted by 'element' in the path; found '{}'", name));
    }
    found.push_back(at->fields.data());
    return found;
  }
  if (!at->is(TypeKind::row))
    return fail(Code::unsupported, "NOT_SUPPORTED", "Unsupported type: " + at->display());
  for (const auto& field : at->fields) {
    if (field.name && lower_case(*field.name) == name) found.push_back(&field);
  }
  return found;
}

// The type that holds the last part of a path of a column's fields.
Result<const Type*> parent_type(const Statement& s, const Type& column, bool silent) {
  const QualifiedName& path = s.alter->path;
  const Type* at = &column;
  for (size_t i = 1; i + 1 < path.size(); ++i) {
    ASSIGN_OR_RETURN(auto found, candidates(*at, path[i].lower(), silent));
    if (found.empty()) {
      return semantic_error(
          "COLUMN_NOT_FOUND", s.at,
          fmt::format("Field '{}' does not exist within {}", path[i].lower(), at->display()));
    }
    if (found.size() > 1) {
      return semantic_error(
          "AMBIGUOUS_NAME", s.at,
          fmt::format("Field path [{}] within {} is ambiguous", shown(path), column.display()));
    }
    at = &found[0]->type;
  }
  return at;
}

Result<Type> written_type(const ColumnDefinition& definition, const QualifiedName& path) {
  auto type = parse_type(definition.type_text);
  std::string message =
      fmt::format("Unknown type '{}' for column '{}'", definition.type_text, shown(path));
  if (!type) return semantic_error("TYPE_NOT_FOUND", definition.type_at, message);
  if (type->is(TypeKind::unknown))
    return semantic_error("COLUMN_TYPE_UNKNOWN", definition.type_at, message);
  return std::move(*type);
}

// The column that a change begins at; nullptr when there is none and the statement says IF EXISTS.
Result<const ColumnInfo*> changed_column(const Statement& s, const Table& table,
                                         const std::string& name, const char* verb) {
  const ColumnInfo* known = find_column(table, name);
  if (!known && !s.alter->if_part) {
    return semantic_error("COLUMN_NOT_FOUND", s.at,
                          fmt::format("Column '{}' does not exist", name));
  }
  if (known && known->hidden)
    return semantic_error("NOT_SUPPORTED", s.at, fmt::format("Cannot {} hidden column", verb));
  return known;
}

// The element of an array is no field: it has no name, and goes with the array only.
std::unexpected<Error> no_row_field(const Statement& s, const std::string& path) {
  return semantic_error("COLUMN_NOT_FOUND", s.at,
                        fmt::format("Field path [{}] does not point to row field", path));
}

}  // namespace

// True: there is nothing to do (IF NOT EXISTS).
Result<bool> StatementRun::add_column(const Statement& s, const Table& table, TableChange& change) {
  const AlterClause& clause = *s.alter;
  const ColumnDefinition& definition = clause.definition;
  change.kind = TableChange::Kind::add_column;
  change.column.name = clause.path.size() == 1 ? clause.path[0].lower() : clause.path.back().text;
  ASSIGN_OR_RETURN(change.column.type, written_type(definition, clause.path));
  change.column.nullable = definition.nullable;
  change.column.comment = definition.comment;
  const std::string& column = change.path[0];
  const ColumnInfo* known = find_column(table, column);
  if (clause.path.size() == 1) {
    if (known && clause.if_part) return true;
    if (known) {
      return semantic_error("COLUMN_ALREADY_EXISTS", s.at,
                            fmt::format("Column '{}' already exists", column));
    }
    change.first = clause.position == "FIRST";
    if (clause.position == "AFTER") {
      change.after = clause.after.lower();
      if (!find_column(table, *change.after)) {
        return semantic_error("COLUMN_NOT_FOUND", s.at,
                              fmt::format("Column '{}' does not exist", *change.after));
      }
    }
    if (definition.default_value) {
      ASSIGN_OR_RETURN(change.text, default_value(*definition.default_value, change.column.type));
    }
    return false;
  }
  if (!known) {
    return semantic_error("COLUMN_NOT_FOUND", s.at,
                          fmt::format("Column '{}' does not exist", column));
  }
  if (!clause.position.empty() && clause.position != "LAST") {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "Specifying column position is not supported for nested columns");
  }
  if (definition.default_value) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "Default values are not supported for nested columns");
  }
  ASSIGN_OR_RETURN(const Type* parent, parent_type(s, known->type, false));
  if (!parent->is(TypeKind::row))
    return fail(Code::unsupported, "NOT_SUPPORTED", "Unsupported type: " + parent->display());
  ASSIGN_OR_RETURN(auto found, candidates(*parent, change.path.back(), false));
  if (found.empty()) return false;
  if (clause.if_part) return true;
  return semantic_error("COLUMN_ALREADY_EXISTS", s.at,
                        fmt::format("Field '{}' already exists", change.path.back()));
}

Result<bool> StatementRun::drop_column(const Statement& s, const Table& table,
                                       TableChange& change) {
  const AlterClause& clause = *s.alter;
  change.kind = TableChange::Kind::drop_column;
  ASSIGN_OR_RETURN(const ColumnInfo* known, changed_column(s, table, change.path[0], "drop"));
  if (!known) return true;
  if (clause.path.size() == 1) {
    auto visible = std::ranges::count_if(table.columns, [](auto& c) { return !c.hidden; });
    if (visible <= 1)
      return semantic_error("NOT_SUPPORTED", s.at, "Cannot drop the only column in a table");
    return false;
  }
  ASSIGN_OR_RETURN(const Type* parent, parent_type(s, known->type, false));
  ASSIGN_OR_RETURN(auto found, candidates(*parent, change.path.back(), false));
  std::string below =
      fmt::format("{}", fmt::join(change.path.begin() + 1, change.path.end(), ", "));
  if (parent->is(TypeKind::array)) return no_row_field(s, below);
  if (found.empty()) {
    if (clause.if_part) return true;
    return semantic_error(
        "NOT_SUPPORTED", s.at,
        fmt::format("Cannot resolve field '{}' within {} type when dropping [{}] "
                    "in {}",
                    change.path.back(), parent->display(), below, known->type.display()));
  }
  if (parent->fields.size() == 1)
    return semantic_error("NOT_SUPPORTED", s.at, "Cannot drop the only field in a row type");
  return false;
}

Result<bool> StatementRun::rename_column(const Statement& s, const Table& table,
                                         TableChange& change) {
  const AlterClause& clause = *s.alter;
  change.kind = TableChange::Kind::rename_column;
  std::string target = clause.new_name.lower();
  change.text = target;
  ASSIGN_OR_RETURN(const ColumnInfo* known, changed_column(s, table, change.path[0], "rename"));
  if (!known) return true;
  if (clause.path.size() == 1) {
    if (find_column(table, target)) {
      return semantic_error("COLUMN_ALREADY_EXISTS", s.at,
                            fmt::format("Column '{}' already exists", target));
    }
    return false;
  }
  ASSIGN_OR_RETURN(const Type* parent, parent_type(s, known->type, true));
  if (parent->is(TypeKind::array) && change.path.back() == "element")
    return no_row_field(s, fmt::format("{}", fmt::join(change.path, ", ")));
  ASSIGN_OR_RETURN(auto found, candidates(*parent, change.path.back(), true));
  if (found.empty()) {
    if (clause.if_part) return true;
    return semantic_error("COLUMN_NOT_FOUND", s.at,
                          fmt::format("Field '{}' does not exist", change.path.back()));
  }
  ASSIGN_OR_RETURN(auto taken, candidates(*parent, target, true));
  if (!taken.empty()) {
    return semantic_error("COLUMN_ALREADY_EXISTS", s.at,
                          fmt::format("Field '{}' already exists", target));
  }
  return false;
}

Status StatementRun::change_column(const Statement& s, const Table& table, TableChange& change) {
  const AlterClause& clause = *s.alter;
  const ColumnInfo* known = find_column(table, change.path[0]);
  if (!known) {
    return semantic_error("COLUMN_NOT_FOUND", s.at,
                          fmt::format("Column '{}' does not exist", shown(clause.path)));
  }
  if (known->hidden) return semantic_error("NOT_SUPPORTED", s.at, "Cannot modify hidden column");
  if (clause.kind == Kind::set_column_type) {
    change.kind = TableChange::Kind::set_type;
    ASSIGN_OR_RETURN(change.column.type, written_type(clause.definition, clause.path));
    if (clause.path.size() == 1) return {};
    ASSIGN_OR_RETURN(const Type* parent, parent_type(s, known->type, true));
    ASSIGN_OR_RETURN(auto found, candidates(*parent, change.path.back(), true));
    if (!found.empty()) return {};
    return semantic_error(
        "COLUMN_NOT_FOUND", s.at,
        fmt::format("Field '{}' does not exist within {}", change.path.back(), parent->display()));
  }
  if (clause.path.size() > 1)
    return semantic_error("NOT_SUPPORTED", s.at, "Cannot modify nested fields");
  if (clause.kind == Kind::drop_not_null) {
    change.kind = TableChange::Kind::drop_not_null;
    if (known->nullable) return semantic_error("NOT_SUPPORTED", s.at, "Column is already nullable");
    return {};
  }
  change.kind = TableChange::Kind::set_default;
  if (clause.kind == Kind::set_default) {
    ASSIGN_OR_RETURN(change.text, default_value(*clause.definition.default_value, known->type));
  }
  return {};
}

// The value as the protocol has it in JSON.
Result<std::string> StatementRun::default_value(const Expression& expression, const Type& type) {
  ASSIGN_OR_RETURN(BoundPtr value, analyzer_.constant(expression));
  if (!can_coerce(value->type, type) && !can_cast(value->type, type)) {
    return semantic_error(
        "TYPE_MISMATCH", expression.at,
        fmt::format("Cannot cast type {} to {}", value->type.display(), type.display()));
  }
  auto select = std::make_shared<Plan>();
  select->kind = Plan::Kind::select;
  select->inputs.push_back(std::make_shared<Plan>());
  select->items.push_back(make_cast(std::move(value), type));
  select->fields.push_back({"value", type});
  ASSIGN_OR_RETURN(auto rows, options_.engine.execute(call_, render(*select, render_options()),
                                                      {{"value", type}}, {}));
  ASSIGN_OR_RETURN(Page page, rows->next_page(1 << 20));
  ASSIGN_OR_RETURN(Json json, Json::parse(page.rows_json));
  if (json.as_array().empty() || json.as_array()[0].as_array().empty())
    return fail(Code::internal, "GENERIC_INTERNAL_ERROR", "a constant gave no row");
  return json.as_array()[0].as_array()[0].dump();
}

}  // namespace aichemy::sql
