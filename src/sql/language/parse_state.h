// The parser's cursor and its productions, shared by parse_expression.cc, parse_query.cc and
// parser.cc. Internal.
#pragma once

#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "sql/language/ast.h"
#include "sql/language/lexer.h"

namespace aichemy::sql {

class Parser {
 public:
  Parser(std::string_view sql, std::vector<Token> tokens);

  // parser.cc
  Result<std::unique_ptr<Statement>> statement();
  Status expect_end();
  int parameters() const { return parameters_; }

  // parse_query.cc
  Result<QueryPtr> query();

  // parse_routine.cc
  Result<InlineFunction> stored_routine();
  Result<std::vector<QualifiedName>> path();

  // parse_expression.cc
  Result<ExpressionPtr> expression();

 private:
  std::string_view sql_;
  std::vector<Token> tokens_;
  std::vector<size_t> closing_;  // per "(": the index of its ")", 0 when there is none
  size_t next_ = 0;
  int nesting_ = 0;
  int parameters_ = 0;
  bool in_nearest_ = false;  // MATCH is no alias

  struct Nest {
    int& depth;
    explicit Nest(int& d) : depth(d) { ++depth; }
    ~Nest() { --depth; }
    Nest(const Nest&) = delete;
    Nest& operator=(const Nest&) = delete;
  };
  Status check_nesting() const;

  // Cursor.
  const Token& peek(size_t ahead = 0) const;
  bool at_word(std::string_view upper, size_t ahead = 0) const;
  bool at_symbol(std::string_view symbol, size_t ahead = 0) const;
  bool at_words(std::initializer_list<std::string_view> words) const;
  bool take_word(std::string_view upper);
  bool take_words(std::initializer_list<std::string_view> words);
  bool take_symbol(std::string_view symbol);
  Status need_word(std::string_view upper);
  Status need_symbol(std::string_view symbol);
  bool at_identifier(size_t ahead = 0) const;
  Result<Identifier> identifier();
  Result<QualifiedName> qualified_name();
  Result<std::vector<Identifier>> identifier_list();  // with parentheses
  Result<std::string> string_text();
  std::unexpected<Error> unexpected_token(const std::string& expecting) const;
  // Consumes a type and returns its text.
  Result<std::string> type_text();

  // Expressions, loosest first.
  Result<ExpressionPtr> or_expression();
  Result<ExpressionPtr> and_expression();
  Result<ExpressionPtr> not_expression();
  Result<ExpressionPtr> predicate();
  bool at_match() const;
  Result<ExpressionPtr> match_tail(ExpressionPtr value);
  Result<ExpressionPtr> predicate_tail(ExpressionPtr value);
  Result<ExpressionPtr> comparison_tail(ExpressionPtr value, std::string op, Position at);
  Result<ExpressionPtr> concatenation();
  Result<ExpressionPtr> additive();
  Result<ExpressionPtr> multiplicative();
  Result<ExpressionPtr> unary();
  Result<ExpressionPtr> postfix();
  Result<ExpressionPtr> primary();
  Result<ExpressionPtr> parenthesised();
  Result<ExpressionPtr> word_expression();
  Result<ExpressionPtr> keyword_expression(bool& handled);
  Result<ExpressionPtr> case_expression();
  Result<ExpressionPtr> cast_expression(ExpressionKind kind);
  Result<ExpressionPtr> extract_expression();
  Result<ExpressionPtr> trim_expression();
  Result<ExpressionPtr> interval_literal();
  Result<ExpressionPtr> row_expression();
  Result<ExpressionPtr> listagg();

  // parse_json.cc
  bool at_json_function() const;
  Result<ExpressionPtr> json_function();
  Status json_members(Expression& call);
  Status json_input(Expression& call);
  Status json_format();
  Status json_path(JsonClauses& clauses);
  Status json_returning(JsonClauses& clauses);
  Status json_behaviours(JsonClauses& clauses);
  Status json_wrapper(JsonClauses& clauses);
  Result<RelationPtr> json_table();
  Result<std::vector<JsonTableColumn>> json_columns();
  Result<JsonTableColumn> json_column();
  Result<JsonTablePlan> json_plan();
  Result<JsonTablePlan> json_plan_part();
  Result<ExpressionPtr> function_call(QualifiedName name, Position at);
  Status function_suffix(Expression& call);
  Result<std::unique_ptr<WindowSpec>> over_clause();
  Result<ExpressionPtr> lambda(std::vector<Identifier> names, Position at);
  bool at_lambda() const;
  bool at_typed_literal() const;

  // Queries.
  Result<QueryPtr> query_no_with();
  Result<QueryPtr> query_with_session();
  Result<QueryPtr> query_with_functions();
  Result<InlineFunction> inline_function();
  Status routine_after_name(InlineFunction& made);
  Status routine_characteristics(InlineFunction& made);
  Result<std::unique_ptr<Statement>> routine(std::unique_ptr<Statement> made, bool drop);
  Result<RoutineStatement> routine_statement();
  Result<std::vector<RoutineStatement>> routine_body();  // up to END, ELSE, ELSEIF, WHEN, UNTIL
  Status routine_compound(RoutineStatement& made);
  Status routine_branches(RoutineStatement& made);
  Result<RelationPtr> nearest();
  ExpressionPtr case_operand();
  Result<QueryTermPtr> query_term();
  Result<QueryTermPtr> intersect_term();
  Result<QueryTermPtr> query_primary();
  Result<QueryTermPtr> set_tail(QueryTermPtr left, bool intersect);
  Result<QueryTermPtr> select();
  Result<SelectItem> select_item();
  Status group_by(SelectBlock& block);
  Result<GroupingElement> grouping_element();
  Result<std::vector<ExpressionPtr>> grouping_set();
  Status order_by(std::vector<SortItem>& items);  // after ORDER BY
  Status order_limit(Query& query);
  Result<std::unique_ptr<WindowSpec>> window_body();  // inside the parentheses
  Result<FrameBound> frame_bound();

  // parse_pattern.cc
  bool at_row_pattern() const;
  Result<RelationPtr> match_recognize(RelationPtr input);
  Status measures(RowPattern& made);
  Status rows_per_match(RowPattern& made);
  Status skip_clause(RowPattern& made);
  Status pattern_clauses(RowPattern& made);  // from AFTER MATCH on
  Status pattern_definitions(RowPattern& made);
  Result<PatternNode> pattern_choice();
  Result<PatternNode> pattern_sequence();
  Result<PatternNode> pattern_repeated();
  Result<PatternNode> pattern_primary();
  Status pattern_quantifier(PatternNode& node);
  bool at_question() const;
  Result<RelationPtr> relation();
  Result<RelationPtr> join_tail(RelationPtr left, bool& joined);
  Result<RelationPtr> sampled_relation();
  bool at_clause() const;
  Result<RelationPtr> aliased_relation();
  Result<RelationPtr> named_relation(RelationPtr base);
  Result<RelationPtr> relation_primary();
  Result<RelationPtr> table_function();
  Result<TableArgument> table_argument();
  Status table_argument_rows(TableArgument& made);
  bool at_query_start(size_t ahead) const;

  // Statements.
  Result<std::unique_ptr<Statement>> create();
  Result<std::unique_ptr<Statement>> create_table(std::unique_ptr<Statement> made);
  Result<std::unique_ptr<Statement>> create_view(std::unique_ptr<Statement> made);
  Result<std::unique_ptr<Statement>> drop();
  Result<std::unique_ptr<Statement>> insert();
  // parse_materialized.cc
  Result<std::unique_ptr<Statement>> create_materialized(std::unique_ptr<Statement> made);
  Result<std::unique_ptr<Statement>> alter_materialized();
  Result<std::unique_ptr<Statement>> named_materialized(StatementKind kind);
  // parse_change.cc
  Result<std::unique_ptr<Statement>> truncate();
  Result<std::string> target_branch();
  Result<std::unique_ptr<Statement>> row_change();
  Status delete_rows(Statement& made);
  Status update_rows(Statement& made);
  Status merge_rows(Statement& made);
  Result<ChangeCase> merge_case();
  Status assignments(ChangeCase& to);
  Result<std::unique_ptr<Statement>> show();
  Result<std::unique_ptr<Statement>> describe();
  Result<std::unique_ptr<Statement>> explain();
  Result<std::unique_ptr<Statement>> set_or_reset();
  Result<std::unique_ptr<Statement>> prepared();
  Result<std::unique_ptr<Statement>> transaction();
  Result<std::unique_ptr<Statement>> call();
  Status call_arguments(Statement& made);
  Status column_definition(ColumnDefinition& column);

  // parse_alter.cc
  Result<std::unique_ptr<Statement>> alter();
  Status alter_table(Statement& made);
  Status alter_column(Statement& made);
  Status alter_table_set(Statement& made);
  Status alter_schema(Statement& made);
  Status alter_view(Statement& made);
  Status alter_branch(Statement& made);
  Result<std::unique_ptr<Statement>> create_branch(std::unique_ptr<Statement> made);
  Result<std::unique_ptr<Statement>> drop_branch(std::unique_ptr<Statement> made);
  Result<std::unique_ptr<Statement>> comment_on();
  Result<std::unique_ptr<Statement>> analyze_table();
  Result<std::unique_ptr<Statement>> show_stats(std::unique_ptr<Statement> made);
  Result<Principal> principal();

  // parse_access.cc
  Result<std::unique_ptr<Statement>> role(std::unique_ptr<Statement> made, bool drop);
  Result<std::unique_ptr<Statement>> grant();
  Result<std::unique_ptr<Statement>> show_access(std::unique_ptr<Statement> made);
  Status access_names(AccessClause& access);
  Status access_object(Statement& made);
  Status access_roles(Statement& made, bool revoke);
  Result<Principal> grantor();
  Status in_catalog(AccessClause& access);
  Status column_definitions(Statement& made);
  Status property_list(std::vector<std::pair<Identifier, ExpressionPtr>>& properties);
  Status like_pattern(Statement& made);
  Status query_text(Statement& made);

  static std::unique_ptr<Statement> make(StatementKind kind, Position at);
};

// Columns of a SELECT, arguments of a call: the engine takes about 5 kB for each.
inline constexpr size_t kItemsMax = 20'000;
std::unexpected<Error> too_many_items(Position at);

ExpressionPtr make_expression(ExpressionKind kind, Position at);
// Appends and keeps `height`.
void add_argument(Expression& to, ExpressionPtr argument);

}  // namespace aichemy::sql
