// DDL and INSERT.
#include <fmt/format.h>

#include <algorithm>

#include "base/bytes.h"
#include "sql/engine/engine_errors.h"
#include "sql/grant_store.h"
#include "sql/language/lexer.h"
#include "sql/query_registry.h"
#include "sql/statement.h"
#include "sql/types/coercion.h"

namespace aichemy::sql {
namespace {

// A property's constant as text; arrays as JSON text.
Result<Json> constant_json(const Expression& e) {
  switch (e.kind) {
    case ExpressionKind::string_literal: return Json(e.text);
    case ExpressionKind::integer_literal:
      return Json(static_cast<int64_t>(std::strtoll(e.text.c_str(), nullptr, 10)));
    case ExpressionKind::decimal_literal:
    case ExpressionKind::double_literal: return Json(std::strtod(e.text.c_str(), nullptr));
    case ExpressionKind::boolean_literal: return Json(e.text == "true");
    case ExpressionKind::null_literal: return Json();
    case ExpressionKind::unary: {
      ASSIGN_OR_RETURN(Json value, constant_json(*e.args[0]));
      if (e.op == "-" && value.is_integer()) return Json(-value.as_int());
      return semantic_error("INVALID_TABLE_PROPERTY", e.at, "property values must be constants");
    }
    case ExpressionKind::array: {
      Json list = Json::array();
      for (const auto& item : e.args) {
        ASSIGN_OR_RETURN(Json value, constant_json(*item));
        list.push(std::move(value));
      }
      return list;
    }
    case ExpressionKind::function: {  // MAP(ARRAY['key'], ARRAY['value'])
      bool map = e.qualified.size() == 1 && e.qualified[0].lower() == "map";
      bool pairs = map && e.args.size() == 2 && e.args[0]->kind == ExpressionKind::array &&
                   e.args[1]->kind == ExpressionKind::array &&
                   e.args[0]->args.size() == e.args[1]->args.size();
      if (!pairs && !(map && e.args.empty()))
        return semantic_error("INVALID_TABLE_PROPERTY", e.at, "property values must be constants");
      Json object = Json::object();
      for (size_t i = 0; pairs && i < e.args[0]->args.size(); ++i) {
        ASSIGN_OR_RETURN(Json key, constant_json(*e.args[0]->args[i]));
        ASSIGN_OR_RETURN(Json value, constant_json(*e.args[1]->args[i]));
        object.set(std::string(key.as_string()), std::move(value));
      }
      return object;
    }
    default:
      return semantic_error("INVALID_TABLE_PROPERTY", e.at, "property values must be constants");
  }
}

}  // namespace

Result<Properties> StatementRun::properties(
    const std::vector<std::pair<Identifier, ExpressionPtr>>& list) {
  Properties made;
  for (const auto& [name, expression] : list) {
    if (!expression) continue;  // DEFAULT
    ASSIGN_OR_RETURN(Json value, constant_json(*expression));
    if (!made.emplace(name.lower(),
                      value.is_string() ? std::string(value.as_string()) : value.dump())
             .second) {
      return semantic_error("DUPLICATE_PROPERTY", name.at,
                            fmt::format("Duplicate property: {}", name.lower()));
    }
  }
  return made;
}

Result<Properties> StatementRun::column_properties(const ColumnDefinition& column,
                                                   const ResolvedName& table) {
  ASSIGN_OR_RETURN(Properties made, properties(column.properties));
  if (made.empty()) return made;
  auto known = table.connector->list_properties(PropertyOf::column);
  for (const auto& [name, value] : column.properties) {
    if (std::ranges::find(known, name.lower(), &PropertyInfo::name) != known.end()) continue;
    return semantic_error("INVALID_COLUMN_PROPERTY", name.at,
                          fmt::format("Catalog '{}' column property '{}' does not exist",
                                      table.catalog, name.lower()));
  }
  return made;
}

Status StatementRun::writable(const ResolvedName& name) const {
  if (!session_.transaction) return {};
  return fail(Code::invalid, "AUTOCOMMIT_WRITE_CONFLICT",
              "Catalog only supports writes using autocommit: " + name.catalog);
}

Result<StatementResult> StatementRun::schema_statement(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  bool create = s.kind == StatementKind::create_schema;
  ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
  if (create && exists) {
    if (s.if_exists) return update_result("CREATE SCHEMA");
    return semantic_error("SCHEMA_ALREADY_EXISTS", s.at,
                          fmt::format("Schema '{}.{}' already exists", name.catalog, name.schema));
  }
  if (!create && !exists) {
    if (s.if_exists) return update_result("DROP SCHEMA");
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema));
  }
  RETURN_IF_ERROR(allowed_schema(create ? Action::create_schema : Action::drop_schema, name));
  if (create) {
    ASSIGN_OR_RETURN(Properties made, properties(s.properties));
    auto status = name.connector->create_schema(call_, name.schema, made);
    if (!status) return std::unexpected(positioned(status.error(), s.at));
    if (s.alter) {  // AUTHORIZATION
      const Principal& owner = s.alter->principal;
      auto owned = name.connector->set_schema_owner(call_, name.schema, owner.name.text,
                                                    owner.kind == Principal::Kind::role);
      if (!owned) return std::unexpected(positioned(owned.error(), s.at));
    }
    return update_result("CREATE SCHEMA");
  }
  bool routines =
      options_.routines && !options_.routines->find(name.catalog, name.schema, "").empty();
  if (routines && !s.cascade) {
    return semantic_error("SCHEMA_NOT_EMPTY", s.at,
                          fmt::format("Cannot drop non-empty schema '{}'", name.schema));
  }
  auto status = name.connector->drop_schema(call_, name.schema, s.cascade);
  if (!status && status.error().is("schema_not_empty")) {
    return semantic_error("SCHEMA_NOT_EMPTY", s.at,
                          fmt::format("Cannot drop non-empty schema '{}'", name.schema));
  }
  if (!status) return std::unexpected(positioned(status.error(), s.at));
  if (options_.grants) RETURN_IF_ERROR(options_.grants->forget({name.catalog, name.schema, ""}));
  if (routines) RETURN_IF_ERROR(options_.routines->forget(name.catalog, name.schema));
  return update_result("DROP SCHEMA");
}

Status StatementRun::like_columns(const ColumnDefinition& definition, const Table& table,
                                  NewTable& made) {
  for (const auto& field : table.columns) {
    if (field.hidden) continue;
    for (const auto& other : made.columns) {
      if (other.name == field.name) {
        return semantic_error("DUPLICATE_COLUMN_NAME", definition.like->front().at,
                              fmt::format("Column name '{}' specified more than once", field.name));
      }
    }
    made.columns.push_back(field);
    if (!definition.including_properties) made.columns.back().properties.clear();
  }
  return {};
}

Result<NewTable> StatementRun::new_table(const Statement& s, const ResolvedName& name) {
  NewTable made;
  made.name = name.name();
  made.comment = s.comment;
  made.replace = s.replace;
  made.owner = session_.user;
  ASSIGN_OR_RETURN(made.properties, properties(s.properties));
  bool including = false;
  for (const auto& column : s.columns) {
    if (column.like) {
      ASSIGN_OR_RETURN(ResolvedName like, analyzer_.resolve_table(*column.like, s.at));
      ASSIGN_OR_RETURN(TableRef table, like.connector->get_table(call_, like.name()));
      if (!table) {
        return semantic_error("TABLE_NOT_FOUND", s.at,
                              fmt::format("LIKE table '{}.{}.{}' does not exist", like.catalog,
                                          like.schema, like.table));
      }
      RETURN_IF_ERROR(like_columns(column, *table, made));
      if (!column.including_properties) continue;
      if (like.catalog != name.catalog) {
        return semantic_error(
            "NOT_SUPPORTED", s.at,
            "CREATE TABLE LIKE table INCLUDING PROPERTIES across catalogs is not supported");
      }
      if (std::exchange(including, true)) {
        return semantic_error("NOT_SUPPORTED", s.at,
                              "Only one LIKE clause can specify INCLUDING PROPERTIES");
      }
      for (const auto& [key, value] : table->properties) {
        // The files of one table are not those of another.
        if (key != "location" && key != "data_location") made.properties.emplace(key, value);
      }
      continue;
    }
    ColumnInfo info;
    info.name = column.name.lower();
    auto type = parse_type(column.type_text);
    if (!type) {
      return semantic_error(
          "TYPE_NOT_FOUND", column.name.at,
          fmt::format("Unknown type '{}' for column '{}'", column.type_text, column.name.text));
    }
    info.type = std::move(*type);
    info.nullable = column.nullable;
    info.comment = column.comment;
    ASSIGN_OR_RETURN(info.properties, column_properties(column, name));
    if (column.default_value) {
      ASSIGN_OR_RETURN(info.default_value, default_value(*column.default_value, info.type));
    }
    for (const auto& other : made.columns) {
      if (other.name == info.name) {
        return semantic_error(
            "DUPLICATE_COLUMN_NAME", column.name.at,
            fmt::format("Column name '{}' specified more than once", column.name.text));
      }
    }
    made.columns.push_back(std::move(info));
  }
  return made;
}

Result<StatementResult> StatementRun::create_table(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef existing, name.connector->get_table(call_, name.name()));
  if (s.replace && s.if_exists) {
    return syntax_error(s.at, "'OR REPLACE' and 'IF NOT EXISTS' clauses can not be used together");
  }
  if (existing && !s.replace) {
    if (s.if_exists) return update_result("CREATE TABLE");
    return semantic_error(
        "TABLE_ALREADY_EXISTS", s.at,
        fmt::format("Table '{}.{}.{}' already exists", name.catalog, name.schema, name.table));
  }
  ASSIGN_OR_RETURN(bool schema, name.connector->schema_exists(call_, name.schema));
  if (!schema)
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema {} not found", name.schema));
  RETURN_IF_ERROR(allowed(Action::create_table, name));
  if (existing) RETURN_IF_ERROR(allowed(Action::drop_table, name));
  ASSIGN_OR_RETURN(NewTable made, new_table(s, name));
  auto status = name.connector->create_table(call_, made);
  if (!status) return std::unexpected(positioned(status.error(), s.at));
  return update_result("CREATE TABLE");
}

Result<StatementResult> StatementRun::write_rows(Insert& insert, const ResolvedName& name,
                                                 PlanPtr plan, const char* update_type) {
  std::vector<Type> types;
  for (const auto& column : insert.target.columns) types.push_back(column.type);
  plan = analyzer_.cast_columns(std::move(plan), types);
  std::vector<std::shared_ptr<void>> scans;
  RETURN_IF_ERROR(analyzer_.plan_scans(scans));
  std::string select = render_for_write(*plan, insert.target.columns, render_options());
  ASSIGN_OR_RETURN(uint64_t rows, write_into(insert, name, select, std::move(scans)));
  return count_result(update_type, rows);
}

void StatementRun::follow_session(const ResolvedName& name, InsertTarget& target) const {
  auto set = catalog_session(name.catalog);
  auto sorted = set.find("sorted_writing_enabled");
  if (sorted != set.end() && lower_case(sorted->second) == "false") target.sort.clear();
}

// Rows written.
Result<uint64_t> StatementRun::write_into(Insert& insert, const ResolvedName& name,
                                          const std::string& select,
                                          std::vector<std::shared_ptr<void>> scans) {
  insert.target.holds_small_files = insert.takes_held_files;
  follow_session(name, insert.target);
  if (options_.queries) options_.queries->executing(session_.query_id);
  ASSIGN_OR_RETURN(Engine * by, engine());
  ASSIGN_OR_RETURN(auto files, by->write(call_, select, insert.target, std::move(scans)));
  uint64_t rows = 0;
  for (const auto& file : files) rows += file.rows;
  RETURN_IF_ERROR(name.connector->finish_insert(call_, insert, std::move(files)));
  return rows;
}

Result<StatementResult> StatementRun::create_table_as(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef existing, name.connector->get_table(call_, name.name()));
  if (s.replace && s.if_exists) {
    return syntax_error(s.at, "'OR REPLACE' and 'IF NOT EXISTS' clauses can not be used together");
  }
  if (existing && !s.replace) {
    if (s.if_exists) return count_result("CREATE TABLE", 0);
    return semantic_error("TABLE_ALREADY_EXISTS", s.at,
                          fmt::format("Destination table '{}.{}.{}' already exists", name.catalog,
                                      name.schema, name.table));
  }
  RETURN_IF_ERROR(allowed(Action::create_table, name));
  if (existing) RETURN_IF_ERROR(allowed(Action::drop_table, name));
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*s.query));
  NewTable made;
  made.name = name.name();
  made.comment = s.comment;
  made.replace = s.replace;
  made.owner = session_.user;
  ASSIGN_OR_RETURN(made.properties, properties(s.properties));
  if (!s.column_names.empty() && s.column_names.size() != plan->fields.size()) {
    return semantic_error(
        "MISMATCHED_COLUMN_ALIASES", s.at,
        fmt::format("Column alias list has {} entries but relation has {} columns",
                    s.column_names.size(), plan->fields.size()));
  }
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    ColumnInfo column;
    const auto& field = plan->fields[i];
    if (s.column_names.empty() && !field.name) {
      return semantic_error("MISSING_COLUMN_NAME", s.query->at,
                            fmt::format("Column name not specified at position {}", i + 1));
    }
    column.name = s.column_names.empty() ? lower_case(*field.name) : s.column_names[i].lower();
    column.type = field.type;
    if (column.type.is(TypeKind::unknown)) {
      return semantic_error("COLUMN_TYPE_UNKNOWN", s.query->at,
                            fmt::format("Column type is unknown at position {}", i + 1));
    }
    for (const auto& other : made.columns) {
      if (other.name == column.name) {
        return semantic_error(
            "DUPLICATE_COLUMN_NAME", s.query->at,
            fmt::format("Column name '{}' specified more than once", column.name));
      }
    }
    made.columns.push_back(std::move(column));
  }
  if (!s.with_data) {
    auto status = name.connector->create_table(call_, made);
    if (!status) return std::unexpected(positioned(status.error(), s.at));
    return count_result("CREATE TABLE", 0);
  }
  auto insert = name.connector->begin_create_table_as(call_, made);
  if (!insert) return std::unexpected(positioned(insert.error(), s.at));
  return write_rows(**insert, name, std::move(plan), "CREATE TABLE");
}

Result<StatementResult> StatementRun::drop_relation(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  bool table = s.kind == StatementKind::drop_table;
  const char* kind = table ? "Table" : "View";
  const char* update = table ? "DROP TABLE" : "DROP VIEW";
  bool found = false;
  if (table) {
    ASSIGN_OR_RETURN(TableRef existing, name.connector->get_table(call_, name.name()));
    found = existing != nullptr;
  } else {
    ASSIGN_OR_RETURN(auto existing, name.connector->get_view(call_, name.name()));
    found = existing.has_value();
  }
  if (!found) {
    if (s.if_exists) return update_result(update);
    return semantic_error(
        "TABLE_NOT_FOUND", s.at,
        fmt::format("{} '{}.{}.{}' does not exist", kind, name.catalog, name.schema, name.table));
  }
  RETURN_IF_ERROR(allowed(table ? Action::drop_table : Action::drop_view, name));
  auto status = table ? name.connector->drop_table(call_, name.name())
                      : name.connector->drop_view(call_, name.name());
  if (!status) return std::unexpected(positioned(status.error(), s.at));
  if (options_.grants)
    RETURN_IF_ERROR(options_.grants->forget({name.catalog, name.schema, name.table}));
  return update_result(update);
}

// A column's default, told as JSON, as a value of its type.
Result<BoundPtr> StatementRun::stored_default(const ColumnInfo& column) {
  ASSIGN_OR_RETURN(Json json, Json::parse(*column.default_value));
  Expression literal;
  literal.kind = ExpressionKind::string_literal;
  literal.text = json.is_string() ? std::string(json.as_string()) : json.dump();
  if (column.type.is(TypeKind::varbinary)) {
    literal.kind = ExpressionKind::binary_literal;
    ASSIGN_OR_RETURN(literal.text, from_base64(literal.text));
  }
  ASSIGN_OR_RETURN(BoundPtr value, analyzer_.constant(literal));
  return make_cast(std::move(value), column.type);
}

// For columns that no query column feeds: null where there is no default.
Result<std::vector<BoundPtr>> StatementRun::defaults_of(
    const std::vector<const ColumnInfo*>& columns,
    const std::vector<std::optional<size_t>>& sources) {
  std::vector<BoundPtr> defaults(columns.size());
  for (size_t i = 0; i < columns.size(); ++i) {
    if (sources[i] || !columns[i]->default_value) continue;
    ASSIGN_OR_RETURN(defaults[i], stored_default(*columns[i]));
  }
  return defaults;
}

// What stands where an INSERT looks for its table.
Status StatementRun::no_rows_go_into(const Statement& s, const ResolvedName& name) {
  ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
  if (view) return semantic_error("NOT_SUPPORTED", s.at, "Inserting into views is not supported");
  MaterializedViews* views = name.connector->materialized_views();
  std::optional<MaterializedView> materialized;
  if (views) {
    ASSIGN_OR_RETURN(materialized, views->get(call_, name.name()));
  }
  if (materialized) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "Inserting into materialized views is not supported");
  }
  return semantic_error(
      "TABLE_NOT_FOUND", s.at,
      fmt::format("Table '{}.{}.{}' does not exist", name.catalog, name.schema, name.table));
}

Result<StatementResult> StatementRun::insert(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  ASSIGN_OR_RETURN(TableRef table, analyzer_.find_target(name, s.branch, s.at));
  if (!table) RETURN_IF_ERROR(no_rows_go_into(s, name));
  RETURN_IF_ERROR(allowed(Action::insert, name));
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*s.query));
  std::vector<const ColumnInfo*> all;
  for (const auto& column : table->columns) {
    if (!column.hidden) all.push_back(&column);
  }
  // Which query column feeds which table column.
  std::vector<std::optional<size_t>> sources(all.size());
  for (size_t i = 0; s.column_names.empty() && i < all.size(); ++i) sources[i] = i;
  for (size_t i = 0; i < s.column_names.size(); ++i) {
    size_t at = 0;
    while (at < all.size() && all[at]->name != s.column_names[i].lower()) ++at;
    if (at == all.size()) {
      return semantic_error("COLUMN_NOT_FOUND", s.at,
                            fmt::format("Insert column name does not exist in target table: {}",
                                        s.column_names[i].lower()));
    }
    if (sources[at]) {
      return semantic_error("DUPLICATE_COLUMN_NAME", s.at,
                            fmt::format("Insert column name is specified more than once: {}",
                                        s.column_names[i].lower()));
    }
    sources[at] = i;
  }
  size_t wanted = s.column_names.empty() ? all.size() : s.column_names.size();
  std::string table_types, query_types;
  bool fits = wanted == plan->fields.size();
  for (size_t i = 0; i < all.size(); ++i) {
    if (!sources[i]) continue;
    table_types += (table_types.empty() ? "" : ", ") + all[i]->type.display();
    if (*sources[i] >= plan->fields.size()) continue;
    const Type& from = plan->fields[*sources[i]].type;
    fits = fits && can_store(from, all[i]->type);
  }
  for (const auto& field : plan->fields)
    query_types += (query_types.empty() ? "" : ", ") + field.type.display();
  if (!fits) {
    return semantic_error(
        "TYPE_MISMATCH", s.at,
        fmt::format("Insert query has mismatched column types: Table: [{}], Query: [{}]",
                    table_types, query_types));
  }
  auto begun = name.connector->begin_insert(call_, table);
  if (!begun) return std::unexpected(positioned(begun.error(), s.at));
  auto insert = std::move(*begun);
  ASSIGN_OR_RETURN(auto defaults, defaults_of(all, sources));
  plan = analyzer_.arrange_columns(std::move(plan), sources, [&](size_t i) {
    return defaults[i] ? defaults[i] : make_null(all[i]->type);
  });
  ASSIGN_OR_RETURN(plan, analyzer_.filtered_rows(std::move(plan), name, all, s.at));
  return write_rows(*insert, name, std::move(plan), "INSERT");
}

Result<StatementResult> StatementRun::create_view(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  RETURN_IF_ERROR(writable(name));
  RETURN_IF_ERROR(allowed(Action::create_view, name));
  ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*s.query));
  View view;
  view.sql = std::string(sql_.substr(s.query_begin, s.query_end - s.query_begin));
  view.catalog = session_.catalog.value_or(name.catalog);
  view.schema = session_.schema.value_or(name.schema);
  view.comment = s.comment;
  view.owner = session_.user;
  view.run_as_invoker = s.mode == "INVOKER";
  if (!session_.path.empty()) view.kept[kViewPath] = session_.path;
  for (size_t i = 0; i < plan->fields.size(); ++i) {
    const auto& field = plan->fields[i];
    if (!field.name)
      return semantic_error("MISSING_COLUMN_NAME", s.query->at,
                            fmt::format("Column name not specified at position {}", i + 1));
    if (field.type.is(TypeKind::unknown))
      return semantic_error("COLUMN_TYPE_UNKNOWN", s.query->at,
                            fmt::format("Column type is unknown at position {}", i + 1));
    ColumnInfo column;
    column.name = lower_case(*field.name);
    column.type = field.type;
    view.columns.push_back(std::move(column));
  }
  ASSIGN_OR_RETURN(TableRef table, name.connector->get_table(call_, name.name()));
  ASSIGN_OR_RETURN(auto existing, name.connector->get_view(call_, name.name()));
  if (table || (existing && !s.replace)) {
    return semantic_error("TABLE_ALREADY_EXISTS", s.at,
                          fmt::format("{} already exists: '{}.{}.{}'", table ? "Table" : "View",
                                      name.catalog, name.schema, name.table));
  }
  auto status = name.connector->create_view(call_, name.name(), view, s.replace);
  if (!status) return std::unexpected(positioned(status.error(), s.at));
  return update_result("CREATE VIEW");
}

}  // namespace aichemy::sql
