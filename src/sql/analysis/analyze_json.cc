// The SQL/JSON functions and JSON_TABLE, over the engine's path evaluator.
#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <functional>
#include <set>

#include "sql/analysis/analyzer.h"
#include "sql/analysis/relations.h"
#include "sql/types/json_path.h"

namespace aichemy::sql {
namespace {

BoundPtr text_literal(std::string text) { return make_literal(Type::varchar(), std::move(text)); }

BoundPtr text_list(std::vector<BoundPtr> items) {
  return make_call(Type::array(Type::varchar()), "CAST([{*}] AS VARCHAR[])", std::move(items));
}

// The first subquery in an expression.
const Expression* subquery_in(const Expression& e) {
  if (e.query) return &e;
  for (const auto& argument : e.args) {
    if (const auto* found = subquery_in(*argument)) return found;
  }
  return nullptr;
}

bool makes_json(const Expression& e) {
  return e.kind == ExpressionKind::json_function && e.text != "JSON_VALUE" &&
         e.text != "JSON_EXISTS";
}

// The JSON text of a value of type json.
BoundPtr as_text(BoundPtr value) { return make_call(Type::varchar(), "{0}", {std::move(value)}); }

}  // namespace

Status Analyzer::check_json_path(const JsonClauses& clauses) {
  auto parsed = parse_json_path(clauses.path);
  if (!parsed) return semantic_error(parsed.error().what, clauses.path_at, parsed.error().message);
  return {};
}

Result<BoundPtr> Analyzer::analyze_json_function(const Expression& e, Scope& scope) {
  if (e.text == "JSON_OBJECT" || e.text == "JSON_ARRAY") return json_constructor(e, scope);
  RETURN_IF_ERROR(check_json_path(*e.json));
  ASSIGN_OR_RETURN(BoundPtr input, json_input(*e.args[0], scope));
  ASSIGN_OR_RETURN(BoundPtr parameters, json_passing(*e.json, scope));
  if (e.text == "JSON_EXISTS") {
    const std::string& on_error = e.json->on_error;
    const char* mode = on_error == "TRUE"      ? "1"
                       : on_error == "UNKNOWN" ? "2"
                       : on_error == "ERROR"   ? "3"
                                               : "0";
    return make_call(Type(TypeKind::boolean),
                     fmt::format("aichemy_json_exists({{0}}, {{1}}, {{2}}, {})", mode),
                     {input, text_literal(e.json->path), parameters}, e.at);
  }
  return json_result(e.text, *e.json, std::move(input), std::move(parameters), scope, e.at);
}

// Text that holds JSON already.
Result<BoundPtr> Analyzer::json_input(const Expression& expression, Scope& scope) {
  ASSIGN_OR_RETURN(BoundPtr value, analyze(expression, scope));
  if (value->type.is(TypeKind::varbinary))
    return make_call(Type::varchar(), "aichemy_from_utf8({0}, chr(65533))", {value}, expression.at);
  if (value->type.is(TypeKind::json)) return as_text(value);
  if (!value->type.is_text() && !value->type.is(TypeKind::unknown)) {
    return semantic_error("TYPE_MISMATCH", expression.at,
                          fmt::format("Cannot read input of type {} as JSON using formatting JSON",
                                      value->type.display()));
  }
  return make_cast(value, Type::varchar());
}

// A value as JSON text; `formatted`: it is text that holds JSON.
Result<BoundPtr> Analyzer::json_text(const Expression& expression, bool formatted, Scope& scope) {
  if (formatted || makes_json(expression)) {
    ASSIGN_OR_RETURN(BoundPtr text, json_input(expression, scope));
    return make_call(Type::varchar(), "aichemy_json_input({0})", {text}, expression.at);
  }
  ASSIGN_OR_RETURN(BoundPtr value, analyze(expression, scope));
  const Type& type = value->type;
  bool nested = !type.fields.empty();
  bool opaque = type.kind >= TypeKind::hyperloglog;  // sketches and the like
  if (nested || opaque || type.is(TypeKind::varbinary)) {
    return semantic_error(
        "NOT_SUPPORTED", expression.at,
        fmt::format("Unsupported type of value passed to JSON function: {}", type.display()));
  }
  if (type.is(TypeKind::unknown)) return make_null(Type::varchar(), expression.at);
  return as_text(make_cast(value, Type(TypeKind::json)));
}

Result<BoundPtr> Analyzer::json_passing(const JsonClauses& clauses, Scope& scope) {
  if (clauses.passing.empty()) return text_literal("{}");
  std::vector<BoundPtr> names, values;
  for (size_t i = 0; i < clauses.passing.size(); ++i) {
    const auto& [name, value] = clauses.passing[i];
    names.push_back(text_literal(name.text));
    ASSIGN_OR_RETURN(BoundPtr text, json_text(*value, clauses.passing_json[i], scope));
    values.push_back(std::move(text));
  }
  return make_call(Type::varchar(), "aichemy_json_object({0}, {1}, 0)",
                   {text_list(std::move(names)), text_list(std::move(values))});
}

Result<BoundPtr> Analyzer::json_constructor(const Expression& e, Scope& scope) {
  bool object = e.text == "JSON_OBJECT";
  std::vector<BoundPtr> keys, values;
  std::vector<std::string> literal_keys;
  for (size_t i = 0; i < e.args.size(); ++i) {
    size_t number = object ? i / 2 : i;
    if (object && i % 2 == 0) {
      ASSIGN_OR_RETURN(BoundPtr key, analyze(*e.args[i], scope));
      if (!key->type.is_text()) {
        return semantic_error(
            "INVALID_FUNCTION_ARGUMENT", e.args[i]->at,
            fmt::format("Invalid type of JSON object key: {}", key->type.display()));
      }
      keys.push_back(make_cast(key, Type::varchar()));
      continue;
    }
    ASSIGN_OR_RETURN(BoundPtr value, json_text(*e.args[i], e.json->value_json[number], scope));
    values.push_back(std::move(value));
  }
  Type type = Type::varchar();
  if (!e.json->returning.empty()) {
    ASSIGN_OR_RETURN(type, type_at(e.json->returning, e.json->returning_at));
  }
  BoundPtr made;
  if (object) {
    made = make_call(Type::varchar(),
                     fmt::format("aichemy_json_object({{0}}, {{1}}, {})",
                                 (e.json->absent ? 2 : 0) | (e.json->unique ? 4 : 8)),
                     {text_list(std::move(keys)), text_list(std::move(values))}, e.at);
  } else {
    made =
        make_call(Type::varchar(),
                  fmt::format("aichemy_json_array({{0}}, {})", e.json->absent ? "TRUE" : "FALSE"),
                  {text_list(std::move(values))}, e.at);
  }
  if (type.is(TypeKind::varbinary)) return make_call(type, "encode({0})", {made}, e.at);
  return make_cast(made, type);
}

// What stands for no value or an error; nullptr: raise it.
Result<BoundPtr> Analyzer::json_default(const std::string& what, const Expression* value,
                                        const Type& type, const std::string& function,
                                        Scope& scope) {
  if (what == "ERROR") return BoundPtr();
  if (what == "ARRAY" || what == "OBJECT")
    return make_cast(text_literal(what == "ARRAY" ? "[]" : "{}"), type);
  if (!value) return make_null(type);
  if (const auto* query = subquery_in(*value)) {
    return semantic_error(
        "UNSUPPORTED_SUBQUERY", query->at,
        fmt::format("Subqueries are not supported in {} default expressions", function));
  }
  ASSIGN_OR_RETURN(BoundPtr made, analyze(*value, scope));
  if (!can_coerce(made->type, type) && !can_cast(made->type, type)) {
    return semantic_error("TYPE_MISMATCH", value->at,
                          fmt::format("Function {} default ON EMPTY result must evaluate to a {} "
                                      "(actual: {})",
                                      function, type.display(), made->type.display()));
  }
  return make_cast(made, type);
}

Result<BoundPtr> Analyzer::json_result(const std::string& function, const JsonClauses& clauses,
                                       BoundPtr input, BoundPtr parameters, Scope& scope,
                                       Position at) {
  Type type = Type::varchar();
  if (!clauses.returning.empty()) {
    ASSIGN_OR_RETURN(type, type_at(clauses.returning, clauses.returning_at));
  }
  bool query = function == "JSON_QUERY";
  std::string call = query ? fmt::format("aichemy_json_query({{0}}, {{1}}, {{2}}, {}, {})",
                                         clauses.wrapper, clauses.omit_quotes ? "TRUE" : "FALSE")
                           : "aichemy_json_value({0}, {1}, {2})";
  BoundPtr outcome = make_call(
      Type(), call, {std::move(input), text_literal(clauses.path), std::move(parameters)}, at);
  BoundPtr item =
      make_call(query ? Type::varchar() : Type(TypeKind::json), "({0}).item", {outcome});
  BoundPtr value;
  if (query)
    value = type.is(TypeKind::varbinary) ? make_call(type, "encode({0})", {item})
                                         : make_cast(item, type);
  else
    value = make_cast(item, type);
  ASSIGN_OR_RETURN(BoundPtr on_empty, json_default(clauses.on_empty, clauses.default_empty.get(),
                                                   type, function, scope));
  ASSIGN_OR_RETURN(BoundPtr on_error, json_default(clauses.on_error, clauses.default_error.get(),
                                                   type, function, scope));
  if (on_error && value->kind == Bound::Kind::cast) {
    // A value that does not fit the type is an error too.
    auto tried = std::make_shared<Bound>();
    tried->kind = Bound::Kind::try_;
    tried->type = type;
    tried->args.push_back(value);
    value = make_call(type, "CASE WHEN {0} IS NULL AND {1} IS NOT NULL THEN {2} ELSE {0} END",
                      {BoundPtr(tried), item, on_error});
  }
  BoundPtr no_rows =
      on_empty ? on_empty
               : make_call(type,
                           query ? "trino_fail('JSON_VALUE_RESULT_ERROR', 'cannot extract value "
                                   "from JSON: JSON path found no items')"
                                 : "trino_fail('JSON_VALUE_RESULT_ERROR', 'cannot extract SQL "
                                   "scalar from JSON: JSON path found no items')",
                           {});
  BoundPtr problem = on_error ? on_error : make_call(type, "trino_raise(({0}).problem)", {outcome});
  return make_call(type, "CASE ({0}).status WHEN 0 THEN {1} WHEN 1 THEN {2} WHEN 2 THEN {3} END",
                   {outcome, value, no_rows, problem}, at);
}

// ---- JSON_TABLE ----

// Nodes are numbered as they stand; the engine gives each row an item and an ordinal a node.
struct Analyzer::JsonTableMaking {
  const JsonTable& table;
  Scope& scope;
  BoundPtr items, ordinals;
  BoundPtr parameters;
  struct Node {
    const JsonClauses* clauses;
    std::string name;
    std::vector<size_t> below;
  };
  std::vector<Node> nodes;
  std::vector<std::pair<OutputField, BoundPtr>> columns;

  // The tree of paths as the engine reads it.
  Json node(size_t number, const JsonTablePlan* plan) const {
    Json made = Json::object();
    made.set("number", static_cast<int64_t>(number));
    made.set("path", nodes[number].clauses->path);
    made.set("error", table.clauses.on_error == "ERROR");
    made.set("outer", plan ? plan->outer : table.default_outer);
    Json children;
    if (plan && !plan->below.empty()) {
      children = tree(plan->below[0]);
    } else {
      for (size_t below : nodes[number].below) {
        Json one = node(below, nullptr);
        children = children.is_null() ? one
                                      : pair(table.default_union ? "UNION" : "CROSS",
                                             std::move(children), std::move(one));
      }
    }
    made.set("children", std::move(children));
    return made;
  }
  Json tree(const JsonTablePlan& plan) const {
    if (!plan.op.empty()) return pair(plan.op, tree(plan.below[0]), tree(plan.below[1]));
    for (size_t i = 0; i < nodes.size(); ++i) {
      if (nodes[i].name == canonical_name(plan.path)) return node(i, &plan);
    }
    return Json();
  }
  static Json pair(const std::string& op, Json left, Json right) {
    Json made = Json::object();
    made.set("op", op);
    made.set("left", std::move(left));
    made.set("right", std::move(right));
    return made;
  }
};

Status Analyzer::json_table_columns(JsonTableMaking& making,
                                    const std::vector<JsonTableColumn>& columns, size_t node) {
  for (const auto& column : columns) {
    using Kind = JsonTableColumn::Kind;
    if (column.kind == Kind::nested) {
      RETURN_IF_ERROR(check_json_path(column.clauses));
      size_t below = making.nodes.size();
      making.nodes[node].below.push_back(below);
      making.nodes.push_back({&column.clauses, canonical_name(column.name), {}});
      RETURN_IF_ERROR(json_table_columns(making, column.columns, below));
      continue;
    }
    if (column.kind == Kind::ordinality) {
      making.columns.emplace_back(
          OutputField{canonical_name(column.name), Type(TypeKind::bigint)},
          make_call(Type(TypeKind::bigint),
                    fmt::format("CASE WHEN {{0}}[{0}] IS NOT NULL THEN {{1}}[{0}] END", node + 1),
                    {making.items, making.ordinals}, column.at));
      continue;
    }
    const JsonClauses* clauses = &column.clauses;
    JsonClauses named;
    if (clauses->path.empty()) {
      named.path = "lax $." + Json(canonical_name(column.name)).dump();
      named.returning = clauses->returning;
      named.returning_at = clauses->returning_at;
      named.on_empty = clauses->on_empty;
      named.on_error = clauses->on_error;
      named.wrapper = clauses->wrapper;
      named.omit_quotes = clauses->omit_quotes;
    } else {
      RETURN_IF_ERROR(check_json_path(*clauses));
    }
    for (const auto* value : {clauses->default_empty.get(), clauses->default_error.get()}) {
      if (!value) continue;
      if (const auto* query = subquery_in(*value)) {
        return semantic_error("UNSUPPORTED_SUBQUERY", query->at,
                              "Subqueries are not supported in JSON_TABLE default expressions");
      }
    }
    BoundPtr item =
        make_call(Type::varchar(), fmt::format("{{0}}[{}]", node + 1), {making.items}, column.at);
    const JsonClauses& used = clauses->path.empty() ? named : *clauses;
    JsonClauses* plain = nullptr;
    // A column without ON ERROR follows the table.
    JsonClauses copy;
    if (used.on_error.empty() && making.table.clauses.on_error == "ERROR") {
      copy.path = used.path;
      copy.returning = used.returning;
      copy.returning_at = used.returning_at;
      copy.on_empty = used.on_empty;
      copy.on_error = "ERROR";
      copy.wrapper = used.wrapper;
      copy.omit_quotes = used.omit_quotes;
      if (!used.default_empty) plain = &copy;
    }
    ASSIGN_OR_RETURN(
        BoundPtr value,
        json_result(column.kind == Kind::query ? "JSON_QUERY" : "JSON_VALUE", plain ? *plain : used,
                    item, making.parameters, making.scope, column.at));
    making.columns.emplace_back(OutputField{canonical_name(column.name), value->type}, value);
  }
  return {};
}

Result<Analyzer::From> Analyzer::analyze_json_table(const Relation& relation, const Scope* outer) {
  const JsonTable& table = *relation.json_table;
  Scope scope;
  scope.parent = outer;
  RETURN_IF_ERROR(check_json_path(table.clauses));
  RETURN_IF_ERROR(check_json_table(table, relation.args[0]->at));
  ASSIGN_OR_RETURN(BoundPtr input, json_input(*relation.args[0], scope));
  ASSIGN_OR_RETURN(BoundPtr parameters, json_passing(table.clauses, scope));
  auto plan = std::make_shared<Plan>();
  plan->kind = Plan::Kind::unnest;
  Type items = Type::array(Type::varchar()), ordinals = Type::array(Type(TypeKind::bigint));
  plan->fields = {{std::nullopt, items}, {std::nullopt, ordinals}};
  From from = from_plan(plan, {});
  JsonTableMaking making{table,
                         scope,
                         from.fields[0].value,
                         from.fields[1].value,
                         parameters,
                         {{&table.clauses, canonical_name(table.path_name), {}}},
                         {}};
  RETURN_IF_ERROR(json_table_columns(making, table.columns, 0));
  Json tree = table.plan ? making.tree(*table.plan) : making.node(0, nullptr);
  plan->arguments.push_back(
      make_call(Type::array(Type::row({{std::nullopt, items}, {std::nullopt, ordinals}})),
                fmt::format("aichemy_json_table({{0}}, {{1}}, {{2}}, {})", making.nodes.size()),
                {input, text_literal(tree.dump()), parameters}, relation.at));
  from.fields.clear();
  for (auto& [field, value] : making.columns) from.fields.push_back({field.name, {}, value, false});
  return from;
}

// ---- PLAN of JSON_TABLE ----

namespace {

using Columns = std::vector<JsonTableColumn>;
constexpr auto kNested = JsonTableColumn::Kind::nested;

Status check_names(const Columns& columns, std::set<std::string>& names) {
  for (const auto& column : columns) {
    bool named = !column.name.text.empty();
    if (named && !names.insert(canonical_name(column.name)).second) {
      return semantic_error("DUPLICATE_COLUMN_OR_PATH_NAME",
                            column.kind == kNested ? column.name.at : column.at,
                            "All column and path names in JSON_TABLE invocation must be unique");
    }
    RETURN_IF_ERROR(check_names(column.columns, names));
  }
  return {};
}

Status check_named(const Columns& columns, const char* message) {
  for (const auto& column : columns) {
    if (column.kind != kNested) continue;
    if (column.name.text.empty())
      return semantic_error("MISSING_PATH_NAME", column.clauses.path_at, message);
    RETURN_IF_ERROR(check_named(column.columns, message));
  }
  return {};
}

Position begin_of(const JsonTablePlan& plan) {
  return plan.op.empty() ? plan.path.at : begin_of(plan.below[0]);
}

// The paths beside one another, each once.
Status siblings(const JsonTablePlan& plan, std::vector<const JsonTablePlan*>& out) {
  if (!plan.op.empty()) {
    RETURN_IF_ERROR(siblings(plan.below[0], out));
    return siblings(plan.below[1], out);
  }
  std::string name = canonical_name(plan.path);
  bool again = std::ranges::any_of(
      out, [&](const JsonTablePlan* other) { return canonical_name(other->path) == name; });
  if (again) {
    return semantic_error("INVALID_PLAN", plan.path.at,
                          "Duplicate reference to JSON path name in sibling plan: " + name);
  }
  out.push_back(&plan);
  return {};
}

struct Path {
  std::string name;
  const Columns* columns;
};

// `plan`: nullptr when nothing is planned for these paths.
Status check_level(const std::vector<Path>& paths, const JsonTablePlan* plan, Position at) {
  std::vector<const JsonTablePlan*> planned;
  if (plan) RETURN_IF_ERROR(siblings(*plan, planned));
  std::vector<std::string> absent, unknown;
  for (const auto& path : paths) {
    bool found = std::ranges::any_of(
        planned, [&](const JsonTablePlan* one) { return canonical_name(one->path) == path.name; });
    if (!found) absent.push_back(path.name);
  }
  if (!absent.empty()) {
    return semantic_error("INVALID_PLAN", at,
                          fmt::format("JSON_TABLE plan should contain all JSON paths available at "
                                      "each level of nesting. Paths not included: {}",
                                      fmt::join(absent, ", ")));
  }
  for (const auto* one : planned) {
    std::string name = canonical_name(one->path);
    if (std::ranges::none_of(paths, [&](const Path& path) { return path.name == name; }))
      unknown.push_back(name);
  }
  if (!unknown.empty()) {
    return semantic_error("INVALID_PLAN", at,
                          fmt::format("JSON_TABLE plan includes unavailable JSON path names: {}",
                                      fmt::join(unknown, ", ")));
  }
  for (const auto* one : planned) {
    auto path = std::ranges::find(paths, canonical_name(one->path), &Path::name);
    std::vector<Path> below;
    for (const auto& column : *path->columns) {
      if (column.kind == kNested) below.push_back({canonical_name(column.name), &column.columns});
    }
    RETURN_IF_ERROR(check_level(below, one->below.empty() ? nullptr : &one->below[0], at));
  }
  return {};
}

}  // namespace

Status check_json_table(const JsonTable& table, Position input) {
  std::set<std::string> names;
  if (!table.path_name.text.empty()) names.insert(canonical_name(table.path_name));
  RETURN_IF_ERROR(check_names(table.columns, names));
  if (table.default_plan) {
    return check_named(table.columns,
                       "All nested JSON paths must be named when default plan is given");
  }
  if (!table.plan) return {};
  const char* unnamed = "All JSON paths must be named when specific plan is given";
  if (table.path_name.text.empty()) return semantic_error("MISSING_PATH_NAME", input, unnamed);
  RETURN_IF_ERROR(check_named(table.columns, unnamed));
  Position at = begin_of(*table.plan);
  if (!table.plan->op.empty()) {
    return semantic_error("INVALID_PLAN", at,
                          "JSON_TABLE plan must either be a single path name or it must be rooted "
                          "in parent-child relationship (OUTER or INNER)");
  }
  return check_level({{canonical_name(table.path_name), &table.columns}}, &*table.plan, at);
}

}  // namespace aichemy::sql
