// WITH SESSION, WITH FUNCTION, and the relation NEAREST.
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
  static constexpr std::string_view kStatements[] = {"RETURN", "BEGIN", "IF",     "CASE",
                                                     "LOOP",   "WHILE", "REPEAT", "SET"};
  auto at_statement = [&] {
    for (auto word : kStatements) {
      if (at_word(word)) return true;
    }
    return at_symbol(":", 1);
  };
  while (!at_statement()) {
    if (take_word("LANGUAGE")) {
      if (!at_word("SQL"))
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    fmt::format("line {}:{}: Unsupported function language: {}", peek().at.line,
                                peek().at.column, peek().text));
      ++next_;
    } else if (take_words({"RETURNS", "NULL", "ON", "NULL", "INPUT"})) {
      made.returns_null_on_null = true;
    } else if (take_words({"NOT", "DETERMINISTIC"}) || take_word("DETERMINISTIC") ||
               take_words({"CALLED", "ON", "NULL", "INPUT"}) ||
               take_words({"SECURITY", "DEFINER"}) || take_words({"SECURITY", "INVOKER"})) {
      continue;
    } else if (take_word("COMMENT")) {
      ASSIGN_OR_RETURN(std::string comment, string_text());
    } else {
      return unexpected_token("'BEGIN', 'RETURN'");
    }
  }
  if (take_word("RETURN")) {
    ASSIGN_OR_RETURN(made.body, expression());
    return made;
  }
  ASSIGN_OR_RETURN(RoutineStatement statement, routine_statement());
  made.statement = std::make_unique<RoutineStatement>(std::move(statement));
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
