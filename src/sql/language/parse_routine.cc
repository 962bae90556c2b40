// WITH SESSION, SQL routines, and the relation NEAREST.
#include <fmt/format.h>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {

Result<QueryPtr> Parser::query_with_session() {
  Position at = peek().at;
  next_ += 2;
  std::vector<std::pair<QualifiedName, ExpressionPtr>> session;
  do {
    ASSIGN_OR_RETURN(QualifiedName name, qualified_name());
    RETURN_IF_ERROR(need_symbol("="));
    ASSIGN_OR_RETURN(ExpressionPtr value, concatenation());
    session.emplace_back(std::move(name), std::move(value));
  } while (take_symbol(","));
  ASSIGN_OR_RETURN(QueryPtr made, query());
  made->at = at;
  made->session = std::move(session);
  return made;
}

Result<QueryPtr> Parser::query_with_functions() {
  Position at = peek().at;
  ++next_;
  std::vector<InlineFunction> functions;
  do {
    RETURN_IF_ERROR(need_word("FUNCTION"));
    ASSIGN_OR_RETURN(InlineFunction one, inline_function());
    functions.push_back(std::move(one));
  } while (take_symbol(","));
  ASSIGN_OR_RETURN(QueryPtr made, query());
  made->at = at;
  made->functions = std::move(functions);
  return made;
}

Result<InlineFunction> Parser::inline_function() {
  InlineFunction made;
  made.at = peek().at;
  ASSIGN_OR_RETURN(made.name, identifier());
  if (at_symbol(".")) {
    return fail(Code::invalid, "SYNTAX_ERROR",
                fmt::format("line {}:{}: Inline function names cannot be qualified: {}",
                            made.at.line, made.at.column, made.name.text));
  }
  RETURN_IF_ERROR(routine_after_name(made));
  if (!made.security.empty()) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("line {}:{}: Security mode not supported for inline functions",
                            made.at.line, made.at.column));
  }
  return made;
}

Result<InlineFunction> Parser::stored_routine() {
  RETURN_IF_ERROR(need_word("FUNCTION"));
  InlineFunction made;
  made.at = peek().at;
  ASSIGN_OR_RETURN(QualifiedName name, qualified_name());
  made.name = std::move(name.back());
  RETURN_IF_ERROR(routine_after_name(made));
  return made;
}

// CREATE FUNCTION, or DROP FUNCTION with types whose parameters need no names.
Result<std::unique_ptr<Statement>> Parser::routine(std::unique_ptr<Statement> made, bool drop) {
  RETURN_IF_ERROR(need_word("FUNCTION"));
  made->kind = drop ? StatementKind::drop_function : StatementKind::create_function;
  if (drop) made->if_exists = take_words({"IF", "EXISTS"});
  made->routine = std::make_unique<InlineFunction>();
  InlineFunction& routine = *made->routine;
  routine.at = peek().at;
  ASSIGN_OR_RETURN(made->name, qualified_name());
  routine.name = made->name.back();
  if (!drop) {
    RETURN_IF_ERROR(routine_after_name(routine));
    return made;
  }
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    // A name stands before its type: what reads as a type and then goes on was a name.
    size_t begin = next_;
    Identifier name;
    ASSIGN_OR_RETURN(std::string type, type_text());
    if (!at_symbol(",") && !at_symbol(")")) {
      next_ = begin;
      ASSIGN_OR_RETURN(name, identifier());
      ASSIGN_OR_RETURN(type, type_text());
    }
    routine.parameters.emplace_back(std::move(name), std::move(type));
    if (!take_symbol(",")) break;
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Status Parser::routine_after_name(InlineFunction& made) {
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    ASSIGN_OR_RETURN(std::string type, type_text());
    made.parameters.emplace_back(std::move(name), std::move(type));
    if (!take_symbol(",")) break;
  }
  RETURN_IF_ERROR(need_symbol(")"));
  RETURN_IF_ERROR(need_word("RETURNS"));
  made.returns_at = peek().at;
  ASSIGN_OR_RETURN(made.returns, type_text());
  RETURN_IF_ERROR(routine_characteristics(made));
  made.body_begin = peek().begin;
  if (take_word("RETURN")) {
    ASSIGN_OR_RETURN(made.body, expression());
  } else {
    ASSIGN_OR_RETURN(RoutineStatement statement, routine_statement());
    made.statement = std::make_unique<RoutineStatement>(std::move(statement));
  }
  made.body_end = tokens_[next_ - 1].end;
  return {};
}

// Each at most once, in any order.
Status Parser::routine_characteristics(InlineFunction& made) {
  static constexpr std::string_view kStatements[] = {"RETURN", "BEGIN", "IF",     "CASE",
                                                     "LOOP",   "WHILE", "REPEAT", "SET"};
  auto twice = [&](Position at, const char* what) {
    return syntax_error(at, fmt::format("Multiple {} clauses specified", what));
  };
  while (true) {
    Position at = peek().at;
    bool statement = at_symbol(":", 1);
    for (auto word : kStatements) statement = statement || at_word(word);
    if (statement) return {};
    if (take_word("LANGUAGE")) {
      if (!made.language.empty()) return twice(at, "language");
      if (!at_word("SQL"))
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    fmt::format("line {}:{}: Unsupported function language: {}", peek().at.line,
                                peek().at.column, peek().text));
      made.language = peek().text;
      ++next_;
    } else if (at_words({"RETURNS", "NULL", "ON"}) || at_words({"CALLED", "ON", "NULL"})) {
      if (made.says_null_input) return twice(at, "null-call");
      made.says_null_input = true;
      made.returns_null_on_null = take_words({"RETURNS", "NULL", "ON", "NULL", "INPUT"});
      if (!made.returns_null_on_null && !take_words({"CALLED", "ON", "NULL", "INPUT"}))
        return unexpected_token("'INPUT'");
    } else if (at_word("DETERMINISTIC") || at_words({"NOT", "DETERMINISTIC"})) {
      if (made.says_deterministic) return twice(at, "deterministic");
      made.says_deterministic = true;
      made.deterministic = !take_word("NOT");
      ++next_;
    } else if (at_words({"SECURITY", "DEFINER"}) || at_words({"SECURITY", "INVOKER"})) {
      if (!made.security.empty()) return twice(at, "security");
      made.security = peek(1).upper;
      next_ += 2;
    } else if (take_word("COMMENT")) {
      if (made.comment) return twice(at, "comment");
      ASSIGN_OR_RETURN(made.comment, string_text());
    } else {
      return unexpected_token("'BEGIN', 'RETURN'");
    }
  }
}

// catalog.schema, schema, ...
Result<std::vector<QualifiedName>> Parser::path() {
  std::vector<QualifiedName> made;
  do {
    Position at = peek().at;
    ASSIGN_OR_RETURN(QualifiedName name, qualified_name());
    if (name.size() > 2) return syntax_error(at, "a path element is a catalog and a schema");
    made.push_back(std::move(name));
  } while (take_symbol(","));
  return made;
}

Result<InlineFunction> parse_routine(std::string_view sql) {
  ASSIGN_OR_RETURN(auto tokens, tokenize(sql));
  Parser parser(sql, std::move(tokens));
  ASSIGN_OR_RETURN(InlineFunction made, parser.stored_routine());
  RETURN_IF_ERROR(parser.expect_end());
  return made;
}

Result<std::vector<QualifiedName>> parse_path(std::string_view text) {
  if (text.empty()) return std::vector<QualifiedName>();
  ASSIGN_OR_RETURN(auto tokens, tokenize(text));
  Parser parser(text, std::move(tokens));
  ASSIGN_OR_RETURN(auto made, parser.path());
  RETURN_IF_ERROR(parser.expect_end());
  return made;
}

Result<std::vector<RoutineStatement>> Parser::routine_body() {
  static constexpr std::string_view kEnds[] = {"END", "ELSE", "ELSEIF", "WHEN", "UNTIL"};
  std::vector<RoutineStatement> made;
  while (peek().kind != TokenKind::end) {
    for (auto word : kEnds) {
      if (at_word(word)) return made;
    }
    ASSIGN_OR_RETURN(RoutineStatement one, routine_statement());
    RETURN_IF_ERROR(need_symbol(";"));
    made.push_back(std::move(one));
  }
  return unexpected_token("'END'");
}

Status Parser::routine_compound(RoutineStatement& made) {
  made.kind = RoutineStatement::Kind::compound;
  while (take_word("DECLARE")) {
    RoutineStatement::Declaration one;
    do {
      ASSIGN_OR_RETURN(Identifier name, identifier());
      one.names.push_back(std::move(name));
    } while (take_symbol(","));
    one.type_at = peek().at;
    ASSIGN_OR_RETURN(one.type_text, type_text());
    if (take_word("DEFAULT")) {
      ASSIGN_OR_RETURN(one.value, expression());
    }
    RETURN_IF_ERROR(need_symbol(";"));
    made.declarations.push_back(std::move(one));
  }
  ASSIGN_OR_RETURN(made.body, routine_body());
  return need_word("END");
}

// IF and CASE: conditions with their statements, and what else.
Status Parser::routine_branches(RoutineStatement& made) {
  bool is_if = made.kind == RoutineStatement::Kind::if_;
  if (!is_if && !at_word("WHEN")) {
    ASSIGN_OR_RETURN(made.value, expression());
  }
  do {
    if (!is_if) RETURN_IF_ERROR(need_word("WHEN"));
    RoutineStatement::Branch branch;
    ASSIGN_OR_RETURN(branch.condition, expression());
    RETURN_IF_ERROR(need_word("THEN"));
    ASSIGN_OR_RETURN(branch.body, routine_body());
    made.branches.push_back(std::move(branch));
  } while (is_if ? take_word("ELSEIF") : at_word("WHEN"));
  if (take_word("ELSE")) {
    ASSIGN_OR_RETURN(made.otherwise, routine_body());
  }
  RETURN_IF_ERROR(need_word("END"));
  return need_word(is_if ? "IF" : "CASE");
}

Result<RoutineStatement> Parser::routine_statement() {
  using Kind = RoutineStatement::Kind;
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  RoutineStatement made;
  made.at = peek().at;
  if (at_identifier() && at_symbol(":", 1)) {
    ASSIGN_OR_RETURN(made.label, identifier());
    ++next_;
  }
  if (take_word("BEGIN")) {
    RETURN_IF_ERROR(routine_compound(made));
  } else if (take_word("SET")) {
    made.kind = Kind::set;
    ASSIGN_OR_RETURN(made.target, identifier());
    RETURN_IF_ERROR(need_symbol("="));
    ASSIGN_OR_RETURN(made.value, expression());
  } else if (take_word("RETURN")) {
    made.kind = Kind::return_;
    ASSIGN_OR_RETURN(made.value, expression());
  } else if (at_word("IF") || at_word("CASE")) {
    made.kind = at_word("IF") ? Kind::if_ : Kind::case_;
    ++next_;
    RETURN_IF_ERROR(routine_branches(made));
  } else if (take_word("LOOP")) {
    made.kind = Kind::loop;
    ASSIGN_OR_RETURN(made.body, routine_body());
    if (!take_words({"END", "LOOP"})) return unexpected_token("'END'");
  } else if (take_word("WHILE")) {
    made.kind = Kind::while_;
    ASSIGN_OR_RETURN(made.value, expression());
    RETURN_IF_ERROR(need_word("DO"));
    ASSIGN_OR_RETURN(made.body, routine_body());
    if (!take_words({"END", "WHILE"})) return unexpected_token("'END'");
  } else if (take_word("REPEAT")) {
    made.kind = Kind::repeat;
    ASSIGN_OR_RETURN(made.body, routine_body());
    RETURN_IF_ERROR(need_word("UNTIL"));
    ASSIGN_OR_RETURN(made.value, expression());
    if (!take_words({"END", "REPEAT"})) return unexpected_token("'END'");
  } else if (at_word("ITERATE") || at_word("LEAVE")) {
    made.kind = at_word("ITERATE") ? Kind::iterate : Kind::leave;
    ++next_;
    ASSIGN_OR_RETURN(made.label, identifier());
  } else {
    return unexpected_token(
        "'BEGIN', 'CASE', 'IF', 'ITERATE', 'LEAVE', 'LOOP', 'REPEAT', 'RETURN', 'SET', 'WHILE'");
  }
  return made;
}

// NEAREST (FROM relation WHERE condition MATCH a <= b): the one row nearest on its side of the
// comparison, as a lateral query that sorts by that side.
Result<RelationPtr> Parser::nearest() {
  auto made = std::make_unique<Relation>();
  made->at = peek().at;
  made->kind = Relation::Kind::lateral;
  next_ += 3;
  bool saved = std::exchange(in_nearest_, true);
  auto read = relation();
  in_nearest_ = saved;
  ASSIGN_OR_RETURN(RelationPtr from, std::move(read));
  if (from->alias)
    made->alias = from->alias;
  else if (from->kind == Relation::Kind::table)
    made->alias = from->name.back();
  auto query = std::make_unique<Query>();
  query->at = made->at;
  query->body = std::make_unique<QueryTerm>();
  query->body->kind = QueryTerm::Kind::select;
  query->body->at = made->at;
  SelectBlock& block = query->body->select;
  SelectItem all;
  all.at = made->at;
  all.all = true;
  block.items.push_back(std::move(all));
  ExpressionPtr where;
  if (take_word("WHERE")) {
    ASSIGN_OR_RETURN(where, expression());
  }
  RETURN_IF_ERROR(need_word("MATCH"));
  size_t begin = next_;
  ASSIGN_OR_RETURN(ExpressionPtr match, expression());
  size_t end = next_;
  if (match->kind != ExpressionKind::comparison || match->op == "=" || match->op == "<>")
    return syntax_error(match->at, "MATCH of NEAREST must be one of <, <=, >, >=");
  RETURN_IF_ERROR(need_symbol(")"));
  // The sort key is read a second time from the same tokens: the side that names the relation.
  next_ = begin;
  ASSIGN_OR_RETURN(ExpressionPtr left, concatenation());
  ++next_;
  ASSIGN_OR_RETURN(ExpressionPtr right, concatenation());
  next_ = end + 1;
  auto names = [&](const Expression& side) {
    return side.kind == ExpressionKind::dereference && made->alias &&
           side.args[0]->kind == ExpressionKind::identifier &&
           side.args[0]->name.lower() == made->alias->lower();
  };
  bool swapped = !names(*left) && (names(*right) || right->kind == ExpressionKind::identifier);
  bool below = (match->op[0] == '<') != swapped;  // the relation's side is the smaller
  SortItem sort;
  sort.key = swapped ? std::move(right) : std::move(left);
  sort.descending = below;
  query->order_by.push_back(std::move(sort));
  query->limit = make_expression(ExpressionKind::integer_literal, made->at);
  query->limit->text = "1";
  if (where) {
    auto both = make_expression(ExpressionKind::logical, where->at);
    both->op = "AND";
    add_argument(*both, std::move(where));
    add_argument(*both, std::move(match));
    where = std::move(both);
  } else {
    where = std::move(match);
  }
  block.where = std::move(where);
  block.from.push_back(std::move(from));
  made->query = std::move(query);
  return made;
}

}  // namespace aichemy::sql
