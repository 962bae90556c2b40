// From syntax to a typed plan: names, types, coercions, functions, aggregation rules, with Trino's
// error names and "line L:C: " messages. One Analyzer per statement, one thread. Blocking: it asks
// connectors for tables.
#pragma once

#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "runtime/call.h"
#include "sql/analysis/access.h"
#include "sql/analysis/plan.h"
#include "sql/analysis/routines.h"
#include "sql/analysis/session.h"
#include "sql/connectors/connector.h"
#include "sql/functions/functions.h"
#include "sql/language/ast.h"

namespace aichemy::sql {

std::unexpected<Error> semantic_error(const char* what, Position at, const std::string& message);

// catalog.schema.table with the session's defaults filled in.
struct ResolvedName {
  std::string catalog, schema, table;
  Connector* connector = nullptr;
  TableName name() const { return {schema, table}; }
};

// What DELETE, UPDATE or MERGE does, as a query: what happens (below), the file and the position in
// it of the row that goes, then the new row, in the order of the table's columns that are not
// hidden.
struct ChangePlan {
  static constexpr int kRemoved = 1, kUpdated = 2, kInserted = 3;
  ResolvedName name;
  TableRef table;
  size_t path_column = 0;  // of the table
  size_t target = 0;       // its relation in `plan`
  PlanPtr plan;
  // Of the columns that are written: null in `plan` for rows that are updated, which keep what they
  // have. Read once it is known which rows those are.
  std::vector<size_t> later;
  bool exact = false, reads_all = false;  // see Change
};

class Analyzer {
 public:
  Analyzer(const Call& call, const Session& session, const Catalogs& catalogs)
      : call_(call), session_(session), catalogs_(catalogs) {}

  // Asked for every table, view and column that is read; none: everything may be read.
  void set_access(const AccessControl* access) { access_ = access; }
  // What functions of schemas are looked up in; none: there are none.
  void set_routines(const Routines* routines) { routines_ = routines; }
  struct RoutineTypes {
    std::vector<Type> parameters;
    Type returns;                   // unknown for DROP FUNCTION
    std::string signature() const;  // "(bigint,varchar)"
  };
  Result<RoutineTypes> routine_types(const InlineFunction& routine);
  // Whether a routine may be stored.
  Status check_routine(const InlineFunction& routine);
  // Values for the statement's question marks; without them a parameter is an error, or with
  // `describe` a value of unknown type.
  void set_parameters(const std::vector<ExpressionPtr>* parameters, bool describe) {
    parameters_ = parameters;
    describe_ = describe;
  }
  // Of a described statement, after its analysis: what a parameter is coerced to, or unknown.
  Type parameter_type(size_t index) const {
    return index < described_.size() && described_[index] ? *described_[index] : Type();
  }

  // The tables that the plan reads, by catalog; after query(), before plan_scans().
  std::vector<std::pair<std::string, TableRef>> tables_read() const;
  // A materialized view's query as the view shows it: its defaults, its columns' names and types.
  Result<PlanPtr> view_query(const Relation& relation, const ResolvedName& name, const View& view);

  // How the value of an expression without columns is had, as the client protocol shows it.
  using Evaluate = std::function<Result<Json>(const BoundPtr&)>;
  void set_evaluator(Evaluate evaluate) { evaluate_ = std::move(evaluate); }

  // nullptr when there is none. One version of a table in a statement.
  Result<TableRef> find_table(const ResolvedName& name);
  // A branch of it, to write to; empty: the table itself.
  Result<TableRef> find_target(const ResolvedName& name, const std::string& branch, Position at);

  Result<PlanPtr> query(const Query& query);
  Result<ChangePlan> change(const Statement& statement);
  // Rows for these columns of a table, each of which its row filters must let pass.
  Result<PlanPtr> filtered_rows(PlanPtr plan, const ResolvedName& name,
                                const std::vector<const ColumnInfo*>& columns, Position at);
  // Casts the plan's columns to these types (INSERT, CTAS).
  PlanPtr cast_columns(PlanPtr plan, const std::vector<Type>& types);
  // Column i of the result is query column sources[i], or value_of(i).
  PlanPtr arrange_columns(PlanPtr plan, const std::vector<std::optional<size_t>>& sources,
                          const std::function<BoundPtr(size_t)>& value_of);
  // After the last query(): asks the connectors for scans. The handles live as long as `keep`. The
  // scan of `target` is the change's.
  Status plan_scans(std::vector<std::shared_ptr<void>>& keep, size_t target = 0,
                    Change* change = nullptr);
  // What plan_scans() planned, for EXPLAIN: the engine shows a scan by its handle.
  struct PlannedScan {
    std::string handle;  // "" for rows made on the spot
    std::string catalog, schema, table;
  };
  const std::vector<PlannedScan>& planned_scans() const { return planned_scans_; }
  // A condition on one table's rows: the columns it names and what may be told the connector. For
  // an analyzer that analyses nothing else.
  Status table_condition(const QualifiedName& table, const Expression& condition,
                         std::vector<size_t>* columns, std::vector<Conjunct>* conjuncts);

  // For plans put together by hand around one of query().
  size_t new_relation() { return next_relation_++; }

  // An expression without columns, for SET SESSION, properties, EXECUTE, CALL.
  Result<BoundPtr> constant(const Expression& expression);

  // Catalog and table name with the session's defaults; MISSING_CATALOG_NAME, CATALOG_NOT_FOUND,
  // ...
  Result<ResolvedName> resolve_table(const QualifiedName& name, Position at);
  Result<ResolvedName> resolve_schema(const QualifiedName& name, Position at);

 private:
  struct ScopeField {
    std::optional<std::string> name;
    std::vector<std::string> qualifier;  // lower case: catalog, schema, table; or an alias
    BoundPtr value;
    bool hidden = false;
  };
  struct NamedQuery {
    size_t id = 0;
    std::vector<OutputField> fields;
  };
  struct PatternScope;
  struct Scope {
    PatternScope* pattern = nullptr;  // MEASURES or DEFINE of a row pattern
    const Scope* parent = nullptr;
    std::vector<ScopeField> fields;
    std::map<std::string, BoundPtr> variables;  // lambda parameters
    std::map<std::string, NamedQuery> named_queries;
    const std::vector<InlineFunction>* functions = nullptr;
    size_t functions_count = 0;          // a routine sees those before it
    const SelectBlock* block = nullptr;  // for WINDOW names
    bool barrier = false;                // views do not see around themselves
    bool neighbours = false;             // earlier FROM items: for LATERAL and UNNEST only
    bool subquery = false;               // below it a subquery begins
    bool uncorrelated = false;           // its columns are not for subqueries
    bool aggregates = false;             // aggregate functions may stand here
    bool windows = false;
    bool outputs = false;  // its fields are the select list's, for ORDER BY
    const char* clause = "";
  };
  // The clause of an aggregate's arguments, and those of a window function.
  static constexpr const char* kInAggregate = "aggregation";
  static constexpr const char* kInWindowCall = "window function arguments";
  static constexpr const char* kInWindow = "window specification";
  // What a select block's FROM gave.
  struct From {
    PlanPtr plan;
    std::vector<ScopeField> fields;
    std::set<size_t> relations;
  };

  const Call& call_;
  Session session_;
  const Catalogs& catalogs_;
  const Routines* routines_ = nullptr;
  std::map<std::string, std::unique_ptr<InlineFunction>> parsed_routines_;  // by name and types
  std::set<std::string> open_routines_;                                     // being analysed
  const std::vector<ExpressionPtr>* parameters_ = nullptr;
  bool describe_ = false;
  std::vector<std::shared_ptr<Type>> described_;
  Evaluate evaluate_;
  size_t next_relation_ = 0;
  size_t next_cte_ = 0;
  size_t next_variable_ = 0;
  int view_depth_ = 0;
  bool outer_join_ = false;  // in the block being analysed
  struct ScanNode {
    std::shared_ptr<Plan> plan;
    std::set<size_t> columns;
    std::vector<Conjunct> conjuncts;
    PlannedScan name;
  };
  std::map<size_t, ScanNode> scans_;                             // by relation
  std::map<std::pair<Connector*, TableName>, TableRef> tables_;  // one version in a statement
  std::vector<PlannedScan> planned_scans_;
  // What the query reads of a table or view, for the access control.
  struct ReadNode {
    AccessObject object;
    std::vector<std::string> names;
    std::set<size_t> columns;
    std::optional<std::string> owner;  // of the view around it, when that runs as its owner
  };
  std::map<size_t, ReadNode> reads_;  // by relation
  const AccessControl* access_ = nullptr;
  std::optional<std::string> view_owner_;
  int row_rules_depth_ = 0;

  // analyze_access.cc
  Identity identity() const { return {session_.user, session_.roles}; }
  void note_read(const ResolvedName& name, const From& from);
  void mark_read(const Bound& column);
  Status check_reads();
  Status check_change(const Statement& statement, const ResolvedName& name);
  Result<BoundPtr> row_filter(const From& from, const ResolvedName& name);
  Result<From> with_row_rules(From from, const ResolvedName& name, Position at);
  Result<BoundPtr> row_expression(const RowExpression& expression, const From& from,
                                  const ResolvedName& name, const Type& type, bool filter);

  // analyze_query.cc
  Result<PlanPtr> analyze_query(const Query& query, const Scope* outer);
  Status analyze_with(const Query& query, Scope& scope, std::vector<PlanCte>& ctes);
  Result<PlanPtr> recursive_query(const CommonTable& table, Scope& scope, size_t id);
  Result<PlanPtr> analyze_term(const QueryTerm& term, const Query* tail, const Scope* outer);
  Result<PlanPtr> analyze_set(const QueryTerm& term, const Scope* outer);
  Result<PlanPtr> unify_sets(const QueryTerm& term, PlanPtr left, PlanPtr right);
  Result<PlanPtr> analyze_values(const QueryTerm& term, const Scope* outer);
  Result<PlanPtr> wrap_with_order(PlanPtr plan, const Query& query, const Scope* outer);
  Result<std::optional<uint64_t>> row_count(const Expression* expression, const char* clause);
  // analyze_select.cc
  Result<PlanPtr> analyze_select(const QueryTerm& term, const Query* tail, const Scope* outer);
  Result<std::vector<std::pair<OutputField, BoundPtr>>> select_items(const SelectBlock& block,
                                                                     const From& from,
                                                                     Scope& scope);
  Status expand_star(const SelectItem& item, const From& from, Scope& scope,
                     std::vector<std::pair<OutputField, BoundPtr>>& items);
  Status group_keys(const SelectBlock& block,
                    const std::vector<std::pair<OutputField, BoundPtr>>& items, Scope& scope,
                    Plan& grouped);
  Status aggregate_block(const SelectBlock& block, const From& from, Plan& select,
                         std::vector<std::pair<OutputField, BoundPtr>>& items, BoundPtr having,
                         std::shared_ptr<Plan> grouped);
  Status order_keys(const Query& tail, const std::vector<std::pair<OutputField, BoundPtr>>& items,
                    Scope& scope, Plan& select);
  // What a condition says of columns of these relations, for their scans; whether that is all it
  // says.
  bool note_conjuncts(const Bound& condition, const std::set<size_t>& relations);
  bool note_comparison(const Bound& condition, const std::set<size_t>& relations);
  // analyze_relation.cc
  Result<From> analyze_from(const std::vector<RelationPtr>& relations, const Scope* outer);
  Result<From> analyze_relation(const Relation& relation, const Scope* outer);
  Result<From> analyze_table(const Relation& relation, const Scope* outer);
  Result<TableVersion> version_of(const Relation& relation);
  From scan_of(const ResolvedName& name, const TableRef& table);
  // analyze_table_function.cc
  Result<From> analyze_table_function(const Relation& relation, const Scope* outer);
  Result<From> exclude_columns(const Relation& relation, const Scope* outer);
  Result<From> sequence(const Relation& relation);
  Result<From> analyze_materialized(const Relation& relation, const ResolvedName& name,
                                    const MaterializedView& view);
  Result<From> analyze_view(const Relation& relation, const ResolvedName& name, const View& view);
  Result<From> analyze_join(const Relation& relation, const Scope* outer);
  Result<From> join_using(const Relation& relation, From left, From right,
                          std::vector<Identifier> columns);
  Result<From> analyze_unnest(const Relation& relation, const Scope* outer);
  Result<From> aliased(From from, const Relation& relation);
  From from_plan(std::shared_ptr<Plan> plan, std::vector<std::string> qualifier);
  PlanPtr join_plans(PlanPtr left, PlanPtr right, std::string kind, BoundPtr condition);
  Status hoist_subqueries(From& left, From& right, BoundPtr& condition);

  // analyze_change.cc
  struct Changing;
  Status change_target(Changing& changing);
  Result<std::vector<size_t>> change_columns(const Changing& changing, const ChangeCase& row);
  Result<std::vector<BoundPtr>> change_values(const Changing& changing, size_t number,
                                              Scope& scope);
  struct MergeCase;
  Result<std::vector<MergeCase>> merge_cases(const Changing& changing, Scope& scope);
  static std::vector<size_t> untouched_columns(const Changing& changing, const BoundPtr& on,
                                               const std::vector<MergeCase>& cases);
  static BoundPtr case_condition(const Changing& changing, bool insert, bool outer_join,
                                 BoundPtr condition);
  PlanPtr still_visible(const Changing& changing, std::shared_ptr<Plan> plan,
                        const BoundPtr& visible);
  Status merge_plan(Changing& changing);

  // analyze_expression.cc
  Result<BoundPtr> analyze(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_condition(const Expression& expression, Scope& scope,
                                     const char* clause);
  Result<std::vector<BoundPtr>> analyze_all(const std::vector<ExpressionPtr>& list, Scope& scope);
  Result<BoundPtr> analyze_unary(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_predicate(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_at_time_zone(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_grouping(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_literal(const Expression& expression);
  Result<BoundPtr> analyze_typed_literal(const Expression& expression);
  Result<BoundPtr> analyze_interval(const Expression& expression);
  Result<BoundPtr> analyze_name(const Expression& expression, Scope& scope);
  Result<BoundPtr> resolve_chain(const std::vector<Identifier>& names, Position at, Scope& scope);
  Result<BoundPtr> find_column(const std::vector<std::string>& names, const std::string& shown,
                               Position at, const Scope& scope);
  Result<BoundPtr> field_of(BoundPtr base, const Identifier& name, Position at);
  Result<BoundPtr> analyze_binary(const Expression& expression, Scope& scope);
  Result<BoundPtr> arithmetic(const std::string& op, BoundPtr left, BoundPtr right, Position at);
  Result<BoundPtr> analyze_format(const Expression& expression, Scope& scope);
  Result<BoundPtr> equal_items(const BoundPtr& left, const BoundPtr& right, Position at);
  Result<BoundPtr> compare_rows(const std::string& op, const BoundPtr& left, const BoundPtr& right,
                                Position at);
  Result<BoundPtr> compare(const std::string& op, BoundPtr left, BoundPtr right, Position at);
  Result<BoundPtr> analyze_case(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_if(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_in(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_subquery(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_unique(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_match(const Expression& expression, Scope& scope);
  PlanPtr grouped_count(PlanPtr plan, std::vector<BoundPtr> keys, BoundPtr where);
  Result<BoundPtr> analyze_like(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_cast(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_concat(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_subscript(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_constructor(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_special(const Expression& expression);
  Result<BoundPtr> analyze_extract(const Expression& expression, Scope& scope);
  Result<BoundPtr> analyze_parameter(const Expression& expression);
  Result<Type> type_at(const std::string& text, Position at);

  // analyze_json.cc
  Result<BoundPtr> analyze_json_function(const Expression& expression, Scope& scope);
  Result<BoundPtr> json_constructor(const Expression& expression, Scope& scope);
  Result<BoundPtr> json_text(const Expression& expression, bool formatted, Scope& scope);
  Result<BoundPtr> json_input(const Expression& expression, Scope& scope);
  Result<BoundPtr> json_passing(const JsonClauses& clauses, Scope& scope);
  Result<BoundPtr> json_result(const std::string& function, const JsonClauses& clauses,
                               BoundPtr input, BoundPtr parameters, Scope& scope, Position at);
  Result<BoundPtr> json_default(const std::string& what, const Expression* value, const Type& type,
                                const std::string& function, Scope& scope);
  Status check_json_path(const JsonClauses& clauses);
  Result<From> analyze_json_table(const Relation& relation, const Scope* outer);
  struct JsonTableMaking;
  Status json_table_columns(JsonTableMaking& making, const std::vector<JsonTableColumn>& columns,
                            size_t node);

  // analyze_compound.cc
  class RoutineCompiler;
  Result<std::shared_ptr<const BoundRoutine>> compile_routine(const InlineFunction& function,
                                                              const Type& returns, Scope& scope);

  // analyze_stored.cc
  struct RoutineCandidate {
    const InlineFunction* routine = nullptr;
    std::optional<StoredRoutine> stored;                     // none: of WITH FUNCTION, where it
    const std::vector<InlineFunction>* functions = nullptr;  // sees these
    size_t functions_count = 0;
  };
  struct RoutineMatch {
    RoutineCandidate candidate;
    RoutineTypes types;
    std::vector<BoundPtr> values;  // of the parameters, with their types
  };
  Result<RoutineMatch> match_routine(const std::string& name, const Expression& expression,
                                     const std::vector<BoundPtr>& arguments,
                                     const std::vector<RoutineCandidate>& candidates);
  Result<BoundPtr> call_routine(const RoutineMatch& match, Scope& body, Position at);
  Result<BoundPtr> call_stored(const std::string& name, const Expression& expression, Scope& scope,
                               const std::vector<RoutineCandidate>& candidates);
  Result<BoundPtr> stored_call(const Expression& expression, Scope& scope, bool& handled);
  Result<BoundPtr> path_call(const Expression& expression, Scope& scope, bool& handled);
  Result<std::vector<RoutineCandidate>> stored_candidates(const std::string& catalog,
                                                          const std::string& schema,
                                                          const std::string& name);

  // analyze_routine.cc
  Result<BoundPtr> inline_call(const Expression& expression, Scope& scope, bool& handled);
  Result<PlanPtr> corresponding(const QueryTerm& term, PlanPtr left, PlanPtr right);

  // analyze_pattern.cc
  struct PatternParts;
  Result<From> analyze_match_recognize(const Relation& relation, const Scope* outer);
  Result<std::shared_ptr<PatternSpec>> pattern_spec(const RowPattern& pattern, PatternParts& parts);
  Status pattern_conditions(const RowPattern& pattern, PatternParts& parts, const Scope* outer);
  Result<BoundPtr> pattern_measure(const Expression& expression, PatternParts& parts,
                                   const Scope* outer);
  static PatternScope* pattern_of(const Scope& scope);
  Result<BoundPtr> pattern_column(PatternScope& pattern, const std::vector<std::string>& names,
                                  Position at, bool& handled);
  Result<BoundPtr> pattern_call(const std::string& name, const Expression& expression, Scope& scope,
                                bool& handled);
  Result<BoundPtr> pattern_navigation(const std::string& name, const Expression& expression,
                                      Scope& scope, PatternScope& pattern);
  void begin_listing(PatternScope& pattern);
  Result<BoundPtr> list_form(const FunctionRow& row, const Expression& expression,
                             std::shared_ptr<Bound> made, BoundPtr list, size_t variable);

  // analyze_window_pattern.cc
  struct WindowMatch {
    const RowPattern* pattern = nullptr;
    std::shared_ptr<PatternSpec> spec;
    std::shared_ptr<PatternParts> parts;
    std::vector<BoundPtr> partition_by;
    std::vector<BoundSort> order_by;
  };
  std::vector<std::unique_ptr<WindowMatch>>* window_matches_ = nullptr;  // of the select block
  const RowPattern* window_pattern(const WindowSpec& spec, const Scope& scope) const;
  Result<WindowMatch*> window_match(const WindowSpec& spec, const RowPattern& pattern,
                                    Scope& scope);
  Result<BoundPtr> window_pattern_call(const FunctionRow& row, const Expression& expression,
                                       std::shared_ptr<Bound> made, Scope& scope, bool& handled);
  Status apply_window_matches(const From& from, Plan& select,
                              std::vector<std::pair<OutputField, BoundPtr>>& items);
  Result<BoundPtr> analyze_measure(const Expression& expression, Scope& scope);
  Result<BoundPtr> pattern_aggregate(const FunctionRow& row, const Expression& expression,
                                     std::shared_ptr<Bound> made, PatternScope& pattern);

  // analyze_operator.cc, by the operator's own name
  static constexpr std::string_view kOperatorPrefix = "$operator$";
  Result<BoundPtr> operator_call(const std::string& name, const Expression& expression,
                                 Scope& scope, bool& handled);
  Result<BoundPtr> negation(const BoundPtr& value, Position at);
  Result<BoundPtr> identical(BoundPtr left, BoundPtr right, bool distinct, Position at);

  // analyze_call.cc
  Result<BoundPtr> analyze_call(const Expression& expression, Scope& scope);
  Result<BoundPtr> builtin_call(const Expression& expression, Scope& scope);
  Result<BoundPtr> special_call(const std::string& name, const Expression& expression, Scope& scope,
                                bool& handled);
  Result<BoundPtr> call_function(const std::string& name, const Expression& expression,
                                 Scope& scope);
  Result<BoundPtr> call_with(const std::string& name, std::vector<BoundPtr> args, Position at);
  Result<BoundPtr> finish_call(const FunctionRow& row, std::vector<BoundPtr> args, Type result,
                               const Expression& expression, Scope& scope);
  Result<BoundPtr> lambda(const Expression& expression, const std::vector<Type>& parameters,
                          Scope& scope);
  Result<std::shared_ptr<const BoundWindow>> window(const WindowSpec& spec, Scope& scope);
  // analyze_window.cc
  Status check_windows(const SelectBlock& block, Scope& scope);
  Status window_base(const WindowSpec& spec, Scope& scope, BoundWindow& window, int depth);
  Status window_frame(const WindowSpec& spec, Scope& scope, BoundWindow& window);
  Status merge_window(const WindowSpec& spec, Scope& scope, BoundWindow& window, int depth);
  // What a call over a window may not be.
  Status check_window_call(const FunctionRow& row, const Expression& expression,
                           const Bound& call) const;
  static Status check_place(const FunctionRow& row, const Expression& expression,
                            const Scope& scope);
  static Status check_distinct(const Expression& expression, const Bound& call);
  Result<std::vector<BoundSort>> sort_items(const std::vector<SortItem>& items, Scope& scope);
};

// Casts all to their least common type; TYPE_MISMATCH with `message` otherwise.
Result<Type> unify(std::vector<BoundPtr*> values, const char* message, Position at);
// Every expression below, subqueries included, replaced where `replace` returns one.
using Replace = std::function<BoundPtr(const BoundPtr&)>;
BoundPtr rewrite(const BoundPtr& value, const Replace& replace);
PlanPtr rewrite(const PlanPtr& plan, const Replace& replace);

}  // namespace aichemy::sql
