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
struct RowPattern;
struct WindowSpec {
  WindowSpec();
  ~WindowSpec();
  Position at;
  std::optional<Identifier> base;  // OVER w, or WINDOW w AS (base ...)
  bool bare_reference = false;     // OVER w
  std::vector<ExpressionPtr> partition_by;
  std::vector<SortItem> order_by;
  std::string unit;             // ROWS, RANGE, GROUPS; empty: no frame
  Position order_at, frame_at;  // of ORDER BY, of the frame
  FrameBound start;
  std::optional<FrameBound> end;
  std::unique_ptr<RowPattern> pattern;
};

// PATTERN (...): what may stand where a row pattern variable does.
struct PatternNode {
  enum class Kind : uint8_t {
    label,        // name
    empty,        // ()
    start,        // ^
    end,          // $
    sequence,     // parts
    choice,       // parts, the first preferred
    permutation,  // parts, in any order
    excluded,     // parts[0], left out of the rows shown
    repeated,     // parts[0], low to high times (none: no limit)
  };
  Kind kind = Kind::empty;
  Position at;
  Identifier name;
  std::vector<PatternNode> parts;
  int64_t low = 0;
  std::optional<int64_t> high;
  bool reluctant = false;
};

// MATCH_RECOGNIZE, or the row pattern clauses of a window.
struct RowPattern {
  enum class Rows : uint8_t { one, all, all_omit_empty, all_with_unmatched } rows = Rows::one;
  enum class Skip : uint8_t { past_last, to_next, to_first, to_last } skip = Skip::past_last;
  Position at;
  std::vector<ExpressionPtr> partition_by;
  std::vector<SortItem> order_by;
  std::vector<std::pair<Identifier, ExpressionPtr>> measures;
  Identifier skip_to;
  bool seek = false;  // of a window: the match may begin later than the row
  PatternNode pattern;
  std::vector<std::pair<Identifier, std::vector<Identifier>>> subsets;
  std::vector<std::pair<Identifier, ExpressionPtr>> define;
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
  function,      // qualified, args, distinct, filter, order_by, window, null_treatment; op: RUNNING
                 // or FINAL
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
  measure,       // name OVER window
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
  bool default_plan = false;  // PLAN DEFAULT is given
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

// A statement of an SQL routine.
struct RoutineStatement {
  enum class Kind : uint8_t {
    compound,  // declarations, body
    set,       // target, value
    return_,   // value
    if_,       // branches (condition), otherwise
    case_,     // value, or none; branches, otherwise
    loop,      // body
    while_,    // value, body
    repeat,    // body, value: until
    iterate,   // label
    leave,     // label
  };
  struct Declaration {
    std::vector<Identifier> names;
    std::string type_text;
    Position type_at;
    ExpressionPtr value;  // none: NULL
  };
  struct Branch {
    ExpressionPtr condition;
    std::vector<RoutineStatement> body;
  };
  Kind kind = Kind::compound;
  Position at;
  std::optional<Identifier> label;
  Identifier target;
  ExpressionPtr value;
  std::vector<Declaration> declarations;
  std::vector<RoutineStatement> body, otherwise;
  std::vector<Branch> branches;
};

// An SQL routine, mostly one RETURN: of WITH FUNCTION, of CREATE FUNCTION, or of DROP FUNCTION,
// which tells the parameters' types only.
struct InlineFunction {
  Identifier name;
  std::vector<std::pair<Identifier, std::string>> parameters;  // with their types
  std::string returns;
  Position at, returns_at;
  ExpressionPtr body;                           // of one RETURN
  std::unique_ptr<RoutineStatement> statement;  // of BEGIN ... END and the like
  bool returns_null_on_null = false;
  bool deterministic = true;
  bool says_deterministic = false, says_null_input = false;  // or not, or called on it
  std::string language;                                      // as written; empty: not said
  std::string security;                                      // DEFINER or INVOKER; empty: not said
  std::optional<std::string> comment;
  size_t body_begin = 0, body_end = 0;  // RETURN or BEGIN ... END, offsets in the text
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
  Position order_at, offset_at, limit_at;  // of the clauses; LIMIT or FETCH
};

// An argument of a table function: one of value, table and descriptor.
struct TableArgument {
  Position at;
  std::optional<Identifier> name;  // name => ...
  ExpressionPtr value;
  std::unique_ptr<Relation> table;
  std::optional<std::vector<Identifier>> descriptor;
  std::optional<std::vector<ExpressionPtr>> partition_by;
  std::vector<SortItem> order_by;
  std::string when_empty;  // PRUNE, KEEP or empty
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
    json_table,
    match_recognize,  // left, pattern
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
  std::vector<ExpressionPtr> args;        // unnest, sample: percentage
  std::vector<TableArgument> table_args;  // table_function
  bool ordinality = false;
  std::string sample_kind;
  std::unique_ptr<JsonTable> json_table;  // args: the input
  std::unique_ptr<RowPattern> pattern;
  ExpressionPtr version, timestamp;  // FOR VERSION|TIMESTAMP AS OF
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
  ExpressionPtr default_value;
  std::string default_text;  // as written
};

// A user or a role.
struct Principal {
  enum class Kind : uint8_t { unspecified, user, role } kind = Kind::unspecified;
  Identifier name;
};

// What ALTER, COMMENT and the statements on branches change.
struct AlterClause {
  enum class Kind : uint8_t {
    rename_table,       // target
    add_column,         // path, definition, position
    drop_column,        // path
    rename_column,      // path, new_name
    set_column_type,    // path, definition's type
    set_default,        // path, definition's default
    drop_default,       // path
    drop_not_null,      // path
    set_properties,     // Statement::properties
    set_authorization,  // principal
    execute,            // new_name: the procedure; Statement::args, column_names, value: WHERE
    rename_schema,      // new_name
    schema_authorization,
    rename_view,  // target
    view_authorization,
    refresh_view,
    comment_table,   // comment
    comment_view,    // comment
    comment_column,  // path: the column alone; comment
    create_branch,   // new_name, source
    drop_branch,     // new_name
    fast_forward,    // new_name to source
    show_branches,
  };
  Kind kind = Kind::rename_table;
  bool if_part = false;  // IF [NOT] EXISTS of the column or branch
  QualifiedName path, target;
  Identifier new_name;
  std::optional<Identifier> source;
  ColumnDefinition definition;
  std::string position;  // FIRST, LAST, AFTER or empty
  Identifier after;
  Principal principal;
  std::optional<std::string> comment;  // none: NULL
};

// Roles, grants and denials.
struct AccessClause {
  enum class Kind : uint8_t {
    create_role,
    drop_role,
    grant_roles,
    revoke_roles,
    grant,
    revoke,
    deny,
    show_grants,
    show_roles,
    show_current_roles,
    show_role_grants,
  };
  Kind kind = Kind::show_grants;
  std::vector<Identifier> names;  // roles, or privileges in upper case
  bool all = false;               // ALL PRIVILEGES
  std::string entity;             // SCHEMA, TABLE; empty: nothing was said
  std::vector<Principal> principals;
  std::optional<Principal> grantor;  // none of the kinds: name is CURRENT_USER or CURRENT_ROLE
  bool option = false;               // WITH GRANT|ADMIN OPTION, GRANT|ADMIN OPTION FOR
  std::optional<Identifier> catalog;
};

// UPDATE, DELETE, MERGE: what happens to a row of the target, or to a source row without one.
struct ChangeCase {
  enum class Kind : uint8_t { update, remove, insert } kind = Kind::remove;
  Position at;
  ExpressionPtr condition;          // WHEN ... AND, or WHERE
  std::vector<Identifier> columns;  // insert: none are all
  std::vector<ExpressionPtr> values;
};
struct ChangeSyntax {
  Relation target;     // a table
  RelationPtr source;  // MERGE's USING, with `on`
  ExpressionPtr on;
  std::vector<ChangeCase> cases;  // one, but for MERGE
};

enum class StatementKind : uint8_t {
  query,
  create_schema,
  drop_schema,
  create_table,
  create_table_as,
  drop_table,
  truncate_table,
  insert,
  delete_rows,  // change, as the next two
  update_rows,
  merge_rows,
  create_view,
  drop_view,
  create_materialized_view,  // as create_view; value: GRACE PERIOD, mode: of WHEN STALE
  drop_materialized_view,
  refresh_materialized_view,
  alter_materialized_view,  // target: RENAME TO; or properties
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
  alter,            // alter
  access,           // access
  analyze,          // name, properties
  show_stats,       // name or query
  create_function,  // name, routine
  drop_function,    // name, routine
  refused,
};

struct Statement {
  StatementKind kind;
  Position at;
  std::string sql;  // refused: what it is ("MERGE"); show_create: TABLE VIEW SCHEMA ...
  QualifiedName name;
  QualifiedName target;
  std::string branch;      // INSERT INTO name @ branch; of the target of change
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
  std::vector<std::pair<Identifier, ExpressionPtr>> properties;  // null: DEFAULT
  QueryPtr query;
  size_t query_begin = 0, query_end = 0;  // offsets of the inner text (views, PREPARE, EXPLAIN)
  ExpressionPtr value;                    // SET SESSION, SET TIME ZONE, EXECUTE IMMEDIATE's text
  std::vector<ExpressionPtr> args;        // EXECUTE ... USING, CALL
  std::optional<std::string> pattern, escape;  // LIKE of SHOW
  std::unique_ptr<Statement> inner;            // EXPLAIN, PREPARE
  std::unique_ptr<AlterClause> alter;
  std::unique_ptr<AccessClause> access;
  std::unique_ptr<ChangeSyntax> change;
  std::unique_ptr<InlineFunction> routine;
  int parameters = 0;  // question marks in it
};

std::string lower_case(const std::string& text);  // Unicode-free: ASCII letters only

}  // namespace aichemy::sql
