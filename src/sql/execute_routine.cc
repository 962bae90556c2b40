// CREATE FUNCTION, DROP FUNCTION, SHOW CREATE FUNCTION, SET PATH.
#include <fmt/format.h>

#include <algorithm>

#include "sql/language/lexer.h"
#include "sql/statement.h"

namespace aichemy::sql {
namespace {

// A name that reads as one again.
std::string shown_name(const std::string& name) {
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return is_reserved_word(upper) ? quote_name(name) : quoted_if_needed(name);
}

std::string joined(const QualifiedName& name, bool lower) {
  std::string made;
  for (const auto& part : name) {
    made += made.empty() ? "" : ".";
    made += lower ? shown_name(part.lower()) : part.quoted ? shown_name(part.text) : part.text;
  }
  return made;
}

// The head is written anew, the body stays as its author wrote it.
std::string routine_text(const InlineFunction& routine, const ResolvedName& name,
                         const Analyzer::RoutineTypes& types, std::string_view body) {
  std::string parameters;
  for (size_t i = 0; i < types.parameters.size(); ++i) {
    const Identifier& parameter = routine.parameters[i].first;
    parameters += fmt::format("{}{} {}", i ? ", " : "", joined({parameter}, false),
                              types.parameters[i].display());
  }
  std::string made = fmt::format("FUNCTION {}.{}.{}({})\nRETURNS {}\n", shown_name(name.catalog),
                                 shown_name(name.schema), shown_name(name.table), parameters,
                                 types.returns.display());
  if (!routine.language.empty()) made += "LANGUAGE " + routine.language + "\n";
  if (routine.says_deterministic)
    made += routine.deterministic ? "DETERMINISTIC\n" : "NOT DETERMINISTIC\n";
  if (routine.says_null_input) {
    made +=
        routine.returns_null_on_null ? "RETURNS NULL ON NULL INPUT\n" : "CALLED ON NULL INPUT\n";
  }
  if (!routine.security.empty()) made += "SECURITY " + routine.security + "\n";
  if (routine.comment) made += "COMMENT " + quote_text(*routine.comment) + "\n";
  return made.append(body);
}

}  // namespace

// catalog.schema.name, or a name in the schema that is configured for such.
Result<ResolvedName> StatementRun::function_name(const Statement& s) {
  QualifiedName name = s.name;
  if (name.size() == 1) {
    ASSIGN_OR_RETURN(auto schema, parse_path(options_.function_schema));
    if (schema.empty()) {
      return semantic_error(
          "NOT_SUPPORTED", s.at,
          "Catalog and schema must be specified when function schema is not configured");
    }
    name.insert(name.begin(), schema[0].begin(), schema[0].end());
  }
  if (name.size() == 2) {
    return semantic_error(
        "NOT_SUPPORTED", s.at,
        "Function name must be unqualified or fully qualified with catalog and schema");
  }
  if (name.size() > 3) {
    return semantic_error("SYNTAX_ERROR", s.at,
                          "Too many dots in function name: " + joined(name, true));
  }
  return analyzer_.resolve_table(name, s.at);
}

Result<StatementResult> StatementRun::routine_statement(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, function_name(s));
  RETURN_IF_ERROR(writable(name));
  return s.kind == StatementKind::create_function ? create_function(s, name)
                                                  : drop_function(s, name);
}

// Who made a routine, and who owns its schema, may drop it.
Status StatementRun::may_drop_function(const StoredRoutine& routine) {
  if (routine.owner == session_.user) return {};
  return check_access(options_.access, {session_.user, session_.roles}, Action::drop_function,
                      {routine.catalog, routine.schema, ""}, routine.full_name());
}

Result<StatementResult> StatementRun::create_function(const Statement& s,
                                                      const ResolvedName& name) {
  RETURN_IF_ERROR(allowed(Action::create_function, name));
  const InlineFunction& routine = *s.routine;
  RETURN_IF_ERROR(analyzer_.check_routine(routine));
  ASSIGN_OR_RETURN(auto types, analyzer_.routine_types(routine));
  RoutineStorage storage = name.connector->routine_storage();
  if (!options_.routines || storage == RoutineStorage::none) {
    return semantic_error("NOT_SUPPORTED", s.at,
                          "This connector does not support creating functions");
  }
  ASSIGN_OR_RETURN(bool exists, name.connector->schema_exists(call_, name.schema));
  if (!exists) {
    return semantic_error("SCHEMA_NOT_FOUND", s.at,
                          fmt::format("Schema '{}' does not exist", name.schema));
  }
  StoredRoutine made;
  made.catalog = name.catalog;
  made.schema = name.schema;
  made.name = name.table;
  made.signature = types.signature();
  made.sql = routine_text(routine, name, types,
                          sql_.substr(routine.body_begin, routine.body_end - routine.body_begin));
  ASSIGN_OR_RETURN(auto path, parse_path(session_.path));
  for (auto& element : path) {
    if (element.size() == 1)
      element.insert(element.begin(), {session_.catalog.value_or(""), true, s.at});
    if (element[0].lower() == "system") continue;
    made.path += (made.path.empty() ? "" : ", ") + joined(element, true);
  }
  if (routine.security != "INVOKER") made.owner = session_.user;
  for (const auto& other : options_.routines->find(name.catalog, name.schema, name.table)) {
    if (other.signature != made.signature) continue;
    if (!s.replace) return semantic_error("ALREADY_EXISTS", s.at, "Function already exists");
    RETURN_IF_ERROR(may_drop_function(other));
  }
  RETURN_IF_ERROR(options_.routines->put(made, storage == RoutineStorage::durable));
  return update_result("CREATE FUNCTION");
}

Result<StatementResult> StatementRun::drop_function(const Statement& s, const ResolvedName& name) {
  ASSIGN_OR_RETURN(auto types, analyzer_.routine_types(*s.routine));
  std::vector<StoredRoutine> found;
  if (options_.routines) found = options_.routines->find(name.catalog, name.schema, name.table);
  for (const auto& routine : found) {
    if (routine.signature != types.signature()) continue;
    RETURN_IF_ERROR(may_drop_function(routine));
    RETURN_IF_ERROR(options_.routines->remove(routine));
    return update_result("DROP FUNCTION");
  }
  RETURN_IF_ERROR(allowed_schema(Action::drop_function, name,
                                 name.catalog + "." + name.schema + "." + name.table));
  if (!s.if_exists) return semantic_error("NOT_FOUND", s.at, "Function not found");
  return update_result("DROP FUNCTION");
}

// A row an overload.
Result<StatementResult> StatementRun::show_create_function(const Statement& s) {
  ASSIGN_OR_RETURN(ResolvedName name, function_name(s));
  std::vector<StoredRoutine> found;
  if (options_.routines) found = options_.routines->find(name.catalog, name.schema, name.table);
  bool own = std::ranges::all_of(
      found, [&](const auto& routine) { return routine.owner == session_.user; });
  if (!own || found.empty()) {
    RETURN_IF_ERROR(allowed_schema(Action::show_create_function, name,
                                   name.catalog + "." + name.schema + "." + name.table));
  }
  if (found.empty()) return semantic_error("NOT_FOUND", s.at, "Function not found");
  TextTable table{{{"Create Function", Type::varchar()}}, {}};
  for (const auto& routine : found) table.rows.push_back({Json("CREATE " + routine.sql)});
  return table_result(std::move(table), "SELECT");
}

Status StatementRun::list_routines(const Statement& s, const std::string& catalog,
                                   const std::string& schema, TextTable& table) {
  if (!options_.routines) return {};
  for (const auto& routine : options_.routines->find(catalog, schema, "")) {
    ASSIGN_OR_RETURN(bool fits, like(s, routine.name));
    if (!fits) continue;
    ASSIGN_OR_RETURN(InlineFunction parsed, parse_routine(routine.sql));
    ASSIGN_OR_RETURN(auto types, analyzer_.routine_types(parsed));
    std::string arguments;
    for (const auto& type : types.parameters)
      arguments += (arguments.empty() ? "" : ", ") + type.display();
    table.rows.push_back({Json(routine.name), Json(types.returns.display()), Json(arguments),
                          Json("scalar"), Json(parsed.deterministic),
                          Json(parsed.comment.value_or(""))});
  }
  return {};
}

Result<StatementResult> StatementRun::set_path(const Statement& s) {
  if (!session_.client_path)
    return fail(Code::unsupported, "NOT_SUPPORTED", "SET PATH not supported by client");
  ASSIGN_OR_RETURN(auto path, parse_path(s.sql));
  StatementResult result = update_result("SET PATH");
  std::string text;
  for (const auto& element : path) {
    if (element.size() == 1 && !session_.catalog) {
      return semantic_error(
          "MISSING_CATALOG_NAME", s.at,
          "Catalog must be specified for each path element when session catalog is not set");
    }
    if (element.size() == 2 && !catalogs_.contains(element[0].lower())) {
      return semantic_error("CATALOG_NOT_FOUND", s.at,
                            fmt::format("Catalog '{}' not found", element[0].lower()));
    }
    text += (text.empty() ? "" : ", ") + joined(element, false);
  }
  result.changes.set_path = text;
  return result;
}

}  // namespace aichemy::sql
