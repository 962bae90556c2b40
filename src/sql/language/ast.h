// The syntax tree, as written: names unresolved, positions kept. One struct per family with a kind,
// because the analyzer switches on kinds and most kinds share their parts; which parts a kind uses
// is said at the kind.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace aichemy::sql {

struct Position {
  int line = 1;
  int column = 1;  // both from 1, in code points
};

struct Identifier {
  std::string text;  // as written, quotes removed
  bool quoted = false;
  Position at;
  std::string lower() const;
};
using QualifiedName = std::vector<Identifier>;

struct Expression;
struct Query;
using ExpressionPtr = std::unique_ptr<Expression>;
using QueryPtr = std::unique_ptr<Query>;

struct SortItem {
  ExpressionPtr key;
  bool descending = false;
  std::optional<bool> nulls_first;
};

enum class BoundKind : uint8_t {
  unbounded_preceding,
  preceding,
  current_row,
  following,
  unbounded_following
};
struct FrameBound {
  BoundKind kind = BoundKind::unbounded_preceding;
  ExpressionPtr value;
};
struct WindowSpec {
  Position at;
  std::optional<Identifier> base;  // OVER w, or WINDOW w AS (base ...)
  bool bare_reference = false;     // OVER w
  std::vector<ExpressionPtr> partition_by;
  std::vector<SortItem> order_by;
  std::string unit;  // ROWS, RANGE, GROUPS; empty: no frame
  FrameBound start;
  std::optional<FrameBound> end;
};

enum class ExpressionKind : uint8_t {
  null_literal,
  boolean_literal,   // text: true / false
  integer_literal,   // text: decimal digits
  decimal_literal,   // text
  double_literal,    // text
  string_literal,    // text
  binary_literal,    // text: the bytes
  typed_literal,     // type_text, text
  interval_literal,  // text, negated: sign, from_unit, to_unit
  parameter,         // index
  identifier,        // name
  dereference,       // args[0] . name
  star,              // inside count(*)
  unary,             // op, args[0]
  binary,            // op (+ - * / %), args
  concat,            // args
  comparison,        // op (= <> < <= > >=), args
  quantified,        // op, quantifier (ALL ANY), args[0], query
  logical,           // op (AND OR), args (n)
  not_,              // args[0]
  is_null,           // negated
  is_truth,          // text: TRUE FALSE UNKNOWN, negated
  is_distinct,       // negated: IS NOT DISTINCT FROM
  between,           // args: value, low, high; negated; op: SYMMETRIC or empty
  in_list,           // args: value, items...; negated
  in_query,          // args[0], query; negated
  exists,            // query
  scalar_query,      // query
  like,              // args: value, pattern, [escape]; negated
  cast,              // args[0], type_text
  try_cast,          // args[0], type_text
  case_,  // simple: operand present; args: when, then, when, then..., [else]; has_operand, has_else
  if_,    // args: condition, then, [else]
  function,      // qualified, args, distinct, filter, order_by, window, null_treatment
  lambda,        // names, args[0]
  subscript,     // args: base, index
  row,           // args
  array,         // args
  extract,       // text: the field, args[0]
  at_time_zone,  // args: value, zone
  special,       // text: CURRENT_DATE, CURRENT_TIMESTAMP, CURRENT_USER, ...; index: precision or -1
  grouping,      // args
  unique,        // query
  match,         // args[0], query; op: SIMPLE PARTIAL FULL; distinct: UNIQUE
  json_function,  // text: JSON_EXISTS, JSON_VALUE, JSON_QUERY, JSON_OBJECT, JSON_ARRAY; json, args
};

struct Expression;

// The clauses of a JSON function or a JSON_TABLE column. args of the expression: the input, or the
// keys and values of an object in turns, or the items of an array.
struct JsonClauses {
  std::string path;
  Position path_at;
  std::vector<std::pair<Identifier, std::unique_ptr<Expression>>> passing;
  std::vector<bool> passing_json;  // FORMAT JSON
  std::vector<bool> value_json;    // of an object's or array's value
  std::string returning;           // type, empty: the default
  Position returning_at;
  std::string on_empty, on_error;  // NULL ERROR DEFAULT TRUE FALSE UNKNOWN ARRAY OBJECT, or empty
  std::unique_ptr<Expression> default_empty, default_error;
  int wrapper = 0;  // 0 without, 1 conditional, 2 unconditional
  bool omit_quotes = false;
  bool absent = false;  // ABSENT ON NULL
  bool unique = false;  // WITH UNIQUE KEYS
};

struct Expression {
  ExpressionKind kind;
  Position at;
  int height = 1;  // of the tree, so that no walk recurses too deep
  std::string text;
  std::string op;
  std::string type_text;
  Position type_at;
  Identifier name;
  QualifiedName qualified;
  std::vector<Identifier> names;
  std::vector<std::optional<Identifier>> field_names;  // row(1 AS a)
  std::vector<ExpressionPtr> args;
  QueryPtr query;
  bool negated = false;
  bool distinct = false;
  bool has_operand = false;
  bool has_else = false;
  bool bare = false;  // a WHEN predicate without its left side
  std::string quantifier;
  std::string null_treatment;  // RESPECT or IGNORE
  std::string from_unit, to_unit;
  int index = -1;
  ExpressionPtr filter;
  std::vector<SortItem> order_by;
  std::unique_ptr<WindowSpec> window;
  std::unique_ptr<JsonClauses> json;
};

// A COLUMNS entry of JSON_TABLE.
struct JsonTableColumn {
  enum class Kind : uint8_t { ordinality, value, query, nested } kind = Kind::value;
  Identifier name;  // nested: of the path, may be empty
  Position at;
  JsonClauses clauses;  // returning: the type; an empty path: the column's name
  std::vector<JsonTableColumn> columns;
};

// PLAN: a path by name with what is below it.
struct JsonTablePlan {
  std::string op;  // empty: a path; UNION, CROSS
  Identifier path;
  bool outer = true;
  std::vector<JsonTablePlan> below;  // a path: none or one; UNION, CROSS: two
};

struct JsonTable {
  Identifier path_name;
  JsonClauses clauses;  // input's path, PASSING, ON ERROR
  std::vector<JsonTableColumn> columns;
  bool default_outer = true, default_union = true;
  std::optional<JsonTablePlan> plan;
};

struct Relation;
using RelationPtr = std::unique_ptr<Relation>;

struct SelectItem {
  Position at;
  bool all = false;          // * or prefix.*
  ExpressionPtr expression;  // with all: the prefix, may be null
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;  // prefix.* AS (a, b)
};

struct GroupingElement {
  enum class Kind : uint8_t { simple, rollup, cube, sets } kind = Kind::simple;
  Position at;
  std::vector<std::vector<ExpressionPtr>> sets;  // simple: one
};

struct SelectBlock {
  bool distinct = false;
  std::vector<SelectItem> items;
  std::vector<RelationPtr> from;
  ExpressionPtr where;
  bool grouped = false;
  bool group_auto = false;
  bool group_distinct = false;
  std::vector<GroupingElement> group_by;
  ExpressionPtr having;
  std::vector<std::pair<Identifier, std::unique_ptr<WindowSpec>>> windows;
};

struct QueryTerm;
using QueryTermPtr = std::unique_ptr<QueryTerm>;
struct QueryTerm {
  enum class Kind : uint8_t { select, set_operation, values, table, query } kind;
  Position at;
  SelectBlock select;
  std::string op;  // UNION INTERSECT EXCEPT
  bool all = false;
  bool corresponding = false;
  std::vector<Identifier> corresponding_columns;
  QueryTermPtr left, right;
  std::vector<ExpressionPtr> rows;  // VALUES
  QualifiedName table;
  QueryPtr query;
};

struct CommonTable {
  Identifier name;
  std::vector<Identifier> columns;
  QueryPtr query;
};

// WITH FUNCTION: an SQL routine that is one RETURN.
struct InlineFunction {
  Identifier name;
  std::vector<std::pair<Identifier, std::string>> parameters;  // with their types
  std::string returns;
  Position at, returns_at;
  ExpressionPtr body;   // none: refused
  std::string refused;  // what is not supported
};

struct Query {
  std::vector<InlineFunction> functions;
  Position at;
  bool recursive = false;
  std::vector<CommonTable> with;
  std::vector<std::pair<QualifiedName, ExpressionPtr>> session;  // WITH SESSION
  QueryTermPtr body;
  std::vector<SortItem> order_by;
  ExpressionPtr offset;
  ExpressionPtr limit;  // none: no limit or LIMIT ALL
  bool with_ties = false;
};

struct Relation {
  enum class Kind : uint8_t {
    table,
    query,
    join,
    unnest,
    lateral,
    table_function,
    sample,
    json_table
  } kind;
  Position at;
  QualifiedName name;       // table, table_function
  QueryPtr query;           // query, lateral
  RelationPtr left, right;  // join; sample: left
  std::string join;         // CROSS INNER LEFT RIGHT FULL
  bool natural = false;
  ExpressionPtr on;
  bool has_using = false;
  std::vector<Identifier> using_columns;
  std::vector<ExpressionPtr> args;  // unnest, table_function, sample: percentage
  bool ordinality = false;
  std::string sample_kind;
  std::unique_ptr<JsonTable> json_table;  // args: the input
  ExpressionPtr version, timestamp;       // FOR VERSION|TIMESTAMP AS OF
  std::optional<Identifier> alias;
  std::vector<Identifier> column_aliases;
};

struct ColumnDefinition {
  Identifier name;
  std::string type_text;
  Position type_at;
  bool nullable = true;
  std::string comment;
  std::vector<std::pair<Identifier, ExpressionPtr>> properties;
  std::optional<QualifiedName> like;  // LIKE table [INCLUDING PROPERTIES]
  bool including_properties = false;
};

enum class StatementKind : uint8_t {
  query,
  create_schema,
  drop_schema,
  create_table,
  create_table_as,
  drop_table,
  insert,
  create_view,
  drop_view,
  show_catalogs,
  show_schemas,
  show_tables,
  show_columns,
  show_functions,
  show_session,
  show_create,
  use,
  explain,
  set_session,
  reset_session,
  set_time_zone,
  set_path,
  set_role,
  set_authorization,
  reset_authorization,
  prepare,
  execute,
  execute_immediate,
  deallocate,
  describe_input,
  describe_output,
  start_transaction,
  commit,
  rollback,
  call,
  refused,
};

struct Statement {
  StatementKind kind;
  Position at;
  std::string sql;  // refused: what it is ("MERGE"); show_create: TABLE VIEW SCHEMA
  QualifiedName name;
  bool if_exists = false;  // IF [NOT] EXISTS
  bool replace = false;
  bool cascade = false;
  bool with_data = true;
  bool analyze = false;  // EXPLAIN ANALYZE
  std::string mode;      // EXPLAIN: type; view: security
  std::string format;    // EXPLAIN: format
  std::string comment;
  std::vector<ColumnDefinition> columns;
  std::vector<Identifier> column_names;
  std::vector<std::pair<Identifier, ExpressionPtr>> properties;
  QueryPtr query;
  size_t query_begin = 0, query_end = 0;  // offsets of the inner text (views, PREPARE, EXPLAIN)
  ExpressionPtr value;                    // SET SESSION, SET TIME ZONE, EXECUTE IMMEDIATE's text
  std::vector<ExpressionPtr> args;        // EXECUTE ... USING, CALL
  std::optional<std::string> pattern, escape;  // LIKE of SHOW
  std::unique_ptr<Statement> inner;            // EXPLAIN, PREPARE
  int parameters = 0;                          // question marks in it
};

std::string lower_case(const std::string& text);  // Unicode-free: ASCII letters only

}  // namespace aichemy::sql
