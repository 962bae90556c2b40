// SHOW, DESCRIBE: rows about catalogs, tables, functions, the session.
#include <fmt/format.h>

#include <algorithm>
#include <set>

#include "sql/functions/functions.h"
#include "sql/session_properties.h"
#include "sql/statement.h"
#include "sql/system_catalog.h"

namespace aichemy::sql {
namespace {

std::vector<OutputColumn> text_columns(std::initializer_list<const char*> names) {
  std::vector<OutputColumn> made;
  for (const char* name : names) made.push_back({name, Type::varchar()});
  return made;
}

bool like_from(std::string_view text, std::string_view pattern, std::optional<char> escape,
               bool& broken) {
  size_t i = 0;
  for (size_t p = 0; p < pattern.size(); ++p) {
    char c = pattern[p];
    if (escape && c == *escape) {
      if (p + 1 >= pattern.size() ||
          (pattern[p + 1] != '%' && pattern[p + 1] != '_' && pattern[p + 1] != *escape)) {
        broken = true;
        return false;
      }
      c = pattern[++p];
    } else if (c == '%') {
      while (p + 1 < pattern.size() && pattern[p + 1] == '%') ++p;
      if (p + 1 == pattern.size()) return true;
      for (size_t k = i; k <= text.size(); ++k) {
        if (like_from(text.substr(k), pattern.substr(p + 1), escape, broken)) return true;
        if (broken) return false;
      }
      return false;
    } else if (c == '_') {
      if (i >= text.size()) return false;
      ++i;
      continue;
    }
    if (i >= text.size() || text[i] != c) return false;
    ++i;
  }
  return i == text.size();
}

}  // namespace

std::string quoted_if_needed(const std::string& name) {
  bool plain = !name.empty() && !std::isdigit(static_cast<unsigned char>(name[0])) &&
               std::ranges::all_of(name, [](char c) {
                 return std::islower(static_cast<unsigned char>(c)) ||
                        std::isdigit(static_cast<unsigned char>(c)) || c == '_';
               });
  return plain ? name : quote_name(name);
}

// A property's text as SQL: JSON arrays become ARRAY[...], numbers and booleans stay, the rest is
// quoted.
std::string property_sql(const std::string& text) {
  auto parsed = Json::parse(text);
  if (parsed && parsed->is_array()) {
    std::string out = "ARRAY[";
    for (const auto& item : parsed->as_array())
      out += (out.size() > 6 ? "," : "") + quote_text(item.as_string());
    return out + "]";
  }
  if (parsed && (parsed->is_integer() || parsed->is_bool())) return text;
  return quote_text(text);
}

// Of a column, on its line.
std::string properties_sql(const Properties& properties) {
  std::string out;
  for (const auto& [key, value] : properties) {
    out += fmt::format("{} {} = {}", out.empty() ? " WITH (" : ",", quoted_if_needed(key),
                       property_sql(value));
  }
  return out.empty() ? out : out + " )";
}

Result<bool> like_match(std::string_view text, std::string_view pattern,
                        std::optional<char> escape) {
  bool broken = false;
  bool matched = like_from(text, pattern, escape, broken);
  if (broken) {
    return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT",
                "Escape character must be followed by '%', '_' or the escape character itself");
  }
  return matched;
}

Result<bool> StatementRun::like(const Statement& s, const std::string& text) {
  if (!s.pattern) return true;
  std::optional<char> escape;
  if (s.escape) {
    if (s.escape->size() != 1)
      return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT",
                  "Escape string must be a single character");
    escape = (*s.escape)[0];
  }
  return like_match(text, *s.pattern, escape);
}

Result<StatementResult> StatementRun::show(const Statement& s) {
  switch (s.kind) {
    case StatementKind::show_catalogs: {
      TextTable table{text_columns({"Catalog"}), {}};
      for (const auto& [name, connector] : catalogs_) {
        ASSIGN_OR_RETURN(bool fits, like(s, name));
        if (fits && sees({name, "", ""})) table.rows.push_back({Json(name)});
      }
      return table_result(std::move(table), "SELECT");
    }
    case StatementKind::show_schemas: return show_schemas(s);
    case StatementKind::show_tables: return show_tables(s);
    case StatementKind::show_columns: return show_columns(s);
    case StatementKind::show_functions: return show_functions(s);
    case StatementKind::show_session: return show_session(s);
    default: return show_create(s);
  }
}

Result<StatementResult> StatementRun::show_schemas(const Statement& s) {
  if (s.name.empty() && !session_.catalog) {
    return semantic_error("MISSING_CATALOG_NAME", s.at,
                          "Catalog must be specified when session catalog is not set");
  }
  std::string catalog = s.name.empty() ? *session_.catalog : s.name[0].lower();
  auto found = catalogs_.find(catalog);
  if (found == catalogs_.end())
    return semantic_error("CATALOG_NOT_FOUND", s.at,
                          fmt::format("Catalog '{}' not found", catalog));
  ASSIGN_OR_RETURN(auto schemas, found->second->list_schemas(call_));
  TextTable table{text_columns({"Schema"}), {}};
  for (const auto& schema : schemas) {
    ASSIGN_OR_RETURN(bool fits, like(s, schema));
    if (fits && sees({catalog, schema, ""})) table.rows.push_back({Json(schema)});
  }
  return table_result(std::move(table), "SELECT");
}

Result<StatementResult> StatementRun::show_tables(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(s.name, s.at));
  ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
  if (!exists)
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema '{}' does not exist", name.schema));
  RETURN_IF_ERROR(allowed_schema(Action::show_tables, name));
  ASSIGN_OR_RETURN(auto tables, name.connector->list_tables(call_, name.schema));
  TextTable table{text_columns({"Table"}), {}};
  for (const auto& one : tables) {
    ASSIGN_OR_RETURN(bool fits, like(s, one));
    if (fits && sees({name.catalog, name.schema, one})) table.rows.push_back({Json(one)});
  }
  return table_result(std::move(table), "SELECT");
}

Result<StatementResult> StatementRun::show_columns(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  ASSIGN_OR_RETURN(TableRef found, name.connector->get_table(call_, name.name()));
  std::vector<ColumnInfo> columns;
  if (found) {
    columns = found->columns;
  } else {
    ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
    if (MaterializedViews* views = name.connector->materialized_views(); !view && views) {
      ASSIGN_OR_RETURN(auto materialized, views->get(call_, name.name()));
      if (materialized) view = std::move(materialized->view);
    }
    if (!view) {
      ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
      if (!exists)
        return semantic_error("SCHEMA_NOT_FOUND", s.at,
                              fmt::format("Schema '{}' does not exist", name.schema));
      return semantic_error(
          "TABLE_NOT_FOUND", s.at,
          fmt::format("Table '{}.{}.{}' does not exist", name.catalog, name.schema, name.table));
    }
    columns = view->columns;
  }
  RETURN_IF_ERROR(allowed(Action::show_columns, name));
  TextTable table{text_columns({"Column", "Type", "Extra", "Comment"}), {}};
  std::set<std::string> denied = hidden_columns(options_, {session_.user, session_.roles},
                                                {name.catalog, name.schema, name.table});
  for (const auto& column : columns) {
    if (column.hidden || denied.contains(column.name)) continue;
    ASSIGN_OR_RETURN(bool fits, like(s, column.name));
    if (fits)
      table.rows.push_back(
          {Json(column.name), Json(column.type.display()), Json(""), Json(column.comment)});
  }
  return table_result(std::move(table), "DESCRIBE");
}

Result<StatementResult> StatementRun::show_functions(const Statement& s) {
  TextTable table;
  table.columns = text_columns({"Function", "Return Type", "Argument Types", "Function Type"});
  table.columns.push_back({"Deterministic", Type(TypeKind::boolean)});
  table.columns.push_back({"Description", Type::varchar()});
  static constexpr const char* kKinds[] = {"scalar", "aggregate", "window"};
  // Of one schema, or of all that unqualified names are looked for in.
  bool builtin = s.name.empty();
  ASSIGN_OR_RETURN(auto path, parse_path(builtin ? session_.path : ""));
  if (!builtin) path.push_back(s.name);
  for (const auto& element : path) {
    bool system =
        element.size() == 2 && element[0].lower() == "system" && element[1].lower() == "builtin";
    builtin = builtin || system;
    if (system) continue;
    ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(element, s.at));
    ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
    if (!exists && !s.name.empty()) {
      return semantic_error("SCHEMA_NOT_FOUND", s.at,
                            fmt::format("Schema '{}' does not exist", name.schema));
    }
    RETURN_IF_ERROR(list_routines(s, name.catalog, name.schema, table));
  }
  for (const auto* row : all_functions()) {
    if (!builtin || std::string_view(row->text) == "!") continue;
    ASSIGN_OR_RETURN(bool fits, like(s, row->name));
    if (!fits) continue;
    std::string_view signature = row->signature;
    size_t arrow = signature.find("-> ");
    std::string arguments(signature.substr(0, arrow));
    while (!arguments.empty() && arguments.back() == ' ') arguments.pop_back();
    std::string_view name = row->name;
    bool deterministic = name != "random" && name != "rand" && name != "uuid" && name != "shuffle";
    table.rows.push_back({Json(row->name), Json(signature.substr(arrow + 3)), Json(arguments),
                          Json(kKinds[static_cast<int>(row->kind)]), Json(deterministic),
                          Json("")});
  }
  return table_result(std::move(table), "SELECT");
}

Result<StatementResult> StatementRun::show_session(const Statement& s) {
  TextTable table{text_columns({"Name", "Value", "Default", "Type", "Description"}), {}};
  for (const auto& row : session_properties()) {
    ASSIGN_OR_RETURN(bool fits, like(s, row.name));
    if (!fits) continue;
    auto set = session_.properties.find(row.name);
    table.rows.push_back(
        {Json(row.name),
         Json(set == session_.properties.end() ? std::string(row.value) : set->second),
         Json(row.value), Json(row.type), Json(row.description)});
  }
  return table_result(std::move(table), "SELECT");
}

Result<StatementResult> StatementRun::show_create(const Statement& s) {
  auto one = [](const char* column, std::string text) {
    TextTable table{text_columns({column}), {}};
    table.rows.push_back({Json(std::move(text))});
    return table_result(std::move(table), "SELECT");
  };
  if (s.sql == "FUNCTION") return show_create_function(s);
  if (s.sql == "SCHEMA") {
    ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_schema(s.name, s.at));
    ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
    if (!exists)
      return semantic_error(
          "SCHEMA_NOT_FOUND", s.at,
          fmt::format("Schema '{}.{}' does not exist", name.catalog, name.schema));
    RETURN_IF_ERROR(allowed_schema(Action::show_create_schema, name));
    return one("Create Schema", fmt::format("CREATE SCHEMA {}.{}", quoted_if_needed(name.catalog),
                                            quoted_if_needed(name.schema)));
  }
  ASSIGN_OR_RETURN(ResolvedName name, analyzer_.resolve_table(s.name, s.at));
  std::string full = fmt::format("{}.{}.{}", quoted_if_needed(name.catalog),
                                 quoted_if_needed(name.schema), quoted_if_needed(name.table));
  std::string plain = fmt::format("{}.{}.{}", name.catalog, name.schema, name.table);
  if (s.sql == "MATERIALIZED VIEW") {
    ASSIGN_OR_RETURN(std::string text, show_materialized(s, name));
    return one("Create Materialized View", std::move(text));
  }
  ASSIGN_OR_RETURN(auto view, name.connector->get_view(call_, name.name()));
  ASSIGN_OR_RETURN(TableRef found, name.connector->get_table(call_, name.name()));
  if (s.sql == "VIEW") {
    if (!view && found)
      return semantic_error("NOT_SUPPORTED", s.at,
                            fmt::format("Relation '{}' is a table, not a view", plain));
    if (!view)
      return semantic_error("TABLE_NOT_FOUND", s.at,
                            fmt::format("View '{}' does not exist", plain));
    RETURN_IF_ERROR(allowed(Action::show_create_table, name));
    return one("Create View", fmt::format("CREATE VIEW {} SECURITY {} AS\n{}", full,
                                          view->run_as_invoker ? "INVOKER" : "DEFINER", view->sql));
  }
  if (view)
    return semantic_error("NOT_SUPPORTED", s.at,
                          fmt::format("Relation '{}' is a view, not a table", plain));
  if (!found)
    return semantic_error("TABLE_NOT_FOUND", s.at, fmt::format("Table '{}' does not exist", plain));
  RETURN_IF_ERROR(allowed(Action::show_create_table, name));
  std::string text = fmt::format("CREATE TABLE {} (\n", full), columns, with;
  for (const auto& column : found->columns) {
    if (column.hidden) continue;
    columns +=
        fmt::format("{}   {} {}{}", columns.empty() ? "" : ",\n", quoted_if_needed(column.name),
                    column.type.display(), column.nullable ? "" : " NOT NULL");
    if (!column.comment.empty()) columns += " COMMENT " + quote_text(column.comment);
    columns += properties_sql(column.properties);
  }
  text += columns + "\n)";
  if (!found->comment.empty()) text += "\nCOMMENT " + quote_text(found->comment);
  for (const auto& [key, value] : found->properties)
    with += fmt::format("{}   {} = {}", with.empty() ? "" : ",\n", quoted_if_needed(key),
                        property_sql(value));
  if (!with.empty()) text += "\nWITH (\n" + with + "\n)";
  return one("Create Table", text);
}

Result<StatementResult> StatementRun::describe_prepared(const Statement& s) {
  ASSIGN_OR_RETURN(std::string text, prepared_text(s));
  ASSIGN_OR_RETURN(auto parsed, parse_statement(text));
  TextTable table;
  if (s.kind == StatementKind::describe_input) {
    table.columns = {{"Position", Type(TypeKind::integer)}, {"Type", Type::varchar()}};
    analyzer_.set_parameters(nullptr, true);
    if (parsed->change)
      RETURN_IF_ERROR(analyzer_.change(*parsed));
    else if (parsed->query)
      RETURN_IF_ERROR(analyzer_.query(*parsed->query));
    for (int i = 0; i < parsed->parameters; ++i) {
      Type type = analyzer_.parameter_type(static_cast<size_t>(i));
      table.rows.push_back({Json(i), Json(type.display())});
    }
    return table_result(std::move(table), "DESCRIBE");
  }
  table.columns = text_columns({"Column Name", "Catalog", "Schema", "Table", "Type"});
  table.columns.push_back({"Type Size", Type(TypeKind::integer)});
  table.columns.push_back({"Aliased", Type(TypeKind::boolean)});
  analyzer_.set_parameters(nullptr, true);
  if (parsed->kind == StatementKind::query) {
    ASSIGN_OR_RETURN(PlanPtr plan, analyzer_.query(*parsed->query));
    for (size_t i = 0; i < plan->fields.size(); ++i) {
      const auto& field = plan->fields[i];
      static constexpr int kSizes[] = {1, 1, 1, 2,
                                       4, 8, 4, 8};  // unknown, boolean, tinyint .. double
      auto kind = static_cast<size_t>(field.type.kind);
      table.rows.push_back({Json(field.name.value_or(fmt::format("_col{}", i))), Json(""), Json(""),
                            Json(""), Json(field.type.display()), Json(kind < 8 ? kSizes[kind] : 0),
                            Json(field.name.has_value())});
    }
  } else if (parsed->kind == StatementKind::insert ||
             parsed->kind == StatementKind::create_table_as || parsed->change) {
    table.rows.push_back(
        {Json("rows"), Json(""), Json(""), Json(""), Json("bigint"), Json(8), Json(false)});
  }
  return table_result(std::move(table), "DESCRIBE");
}

}  // namespace aichemy::sql
