#include <fmt/format.h>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {
namespace {

constexpr std::string_view kComparisons[] = {"=", "<>", "<", "<=", ">", ">="};

ExpressionPtr call_of(std::string name, Position at) {
  auto call = make_expression(ExpressionKind::function, at);
  call->qualified.push_back({std::move(name), false, at});
  return call;
}

}  // namespace

ExpressionPtr make_expression(ExpressionKind kind, Position at) {
  auto made = std::make_unique<Expression>();
  made->kind = kind;
  made->at = at;
  return made;
}

void add_argument(Expression& to, ExpressionPtr argument) {
  to.height = std::max(to.height, argument->height + 1);
  to.args.push_back(std::move(argument));
}

Result<ExpressionPtr> Parser::expression() {
  Nest nest(nesting_);
  RETURN_IF_ERROR(check_nesting());
  ASSIGN_OR_RETURN(ExpressionPtr parsed, or_expression());
  if (parsed->height > kHeightMax) {
    return too_deep(parsed->at);
  }
  return parsed;
}

Result<ExpressionPtr> Parser::or_expression() {
  ASSIGN_OR_RETURN(ExpressionPtr first, and_expression());
  if (!at_word("OR")) return first;
  auto made = make_expression(ExpressionKind::logical, first->at);
  made->op = "OR";
  add_argument(*made, std::move(first));
  while (take_word("OR")) {
    ASSIGN_OR_RETURN(ExpressionPtr more, and_expression());
    add_argument(*made, std::move(more));
  }
  return made;
}

Result<ExpressionPtr> Parser::and_expression() {
  ASSIGN_OR_RETURN(ExpressionPtr first, not_expression());
  if (!at_word("AND")) return first;
  auto made = make_expression(ExpressionKind::logical, first->at);
  made->op = "AND";
  add_argument(*made, std::move(first));
  while (take_word("AND")) {
    ASSIGN_OR_RETURN(ExpressionPtr more, not_expression());
    add_argument(*made, std::move(more));
  }
  return made;
}

Result<ExpressionPtr> Parser::not_expression() {
  if (!at_word("NOT")) return predicate();
  Position at = peek().at;
  int count = 0;
  while (take_word("NOT")) ++count;
  ASSIGN_OR_RETURN(ExpressionPtr value, predicate());
  for (int i = 0; i < count; ++i) {
    auto made = make_expression(ExpressionKind::not_, at);
    add_argument(*made, std::move(value));
    value = std::move(made);
    if (value->height > kHeightMax)
      return too_deep(at);
  }
  return value;
}

Result<ExpressionPtr> Parser::predicate() {
  ASSIGN_OR_RETURN(ExpressionPtr value, concatenation());
  while (true) {
    const Token& token = peek();
    bool tail =
        token.kind == TokenKind::word &&
        (at_word("IS") || at_match() || at_word("BETWEEN") || at_word("IN") || at_word("LIKE") ||
         (at_word("NOT") && (at_word("BETWEEN", 1) || at_word("IN", 1) || at_word("LIKE", 1))));
    if (token.kind == TokenKind::symbol) {
      for (auto op : kComparisons) tail = tail || token.text == op;
    }
    if (!tail) return value;
    if (value->height > kHeightMax)
      return too_deep(value->at);
    ASSIGN_OR_RETURN(value, predicate_tail(std::move(value)));
  }
}

bool Parser::at_match() const {
  if (!at_word("MATCH")) return false;
  if (at_symbol("(", 1)) return at_query_start(2);
  return at_word("UNIQUE", 1) || at_word("SIMPLE", 1) || at_word("PARTIAL", 1) ||
         at_word("FULL", 1);
}

Result<ExpressionPtr> Parser::match_tail(ExpressionPtr value) {
  auto made = make_expression(ExpressionKind::match, value->at);
  ++next_;
  made->distinct = take_word("UNIQUE");
  made->op = take_word("PARTIAL") ? "PARTIAL" : take_word("FULL") ? "FULL" : "SIMPLE";
  take_word("SIMPLE");
  add_argument(*made, std::move(value));
  RETURN_IF_ERROR(need_symbol("("));
  ASSIGN_OR_RETURN(made->query, query());
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

// lint: table, one case a predicate
Result<ExpressionPtr> Parser::predicate_tail(ExpressionPtr value) {
  Position at = value->at;
  if (peek().kind == TokenKind::symbol) {
    std::string op = peek().text;
    at = peek().at;  // operators are found where they stand
    ++next_;
    return comparison_tail(std::move(value), std::move(op), at);
  }
  if (at_match()) return match_tail(std::move(value));
  if (take_word("IS")) {
    bool negated = take_word("NOT");
    if (take_word("NULL")) {
      auto made = make_expression(ExpressionKind::is_null, at);
      made->negated = negated;
      add_argument(*made, std::move(value));
      return made;
    }
    if (take_words({"DISTINCT", "FROM"})) {
      auto made = make_expression(ExpressionKind::is_distinct, at);
      made->negated = negated;
      add_argument(*made, std::move(value));
      ASSIGN_OR_RETURN(ExpressionPtr other, concatenation());
      add_argument(*made, std::move(other));
      return made;
    }
    if (at_word("TRUE") || at_word("FALSE") || at_word("UNKNOWN")) {
      auto made = make_expression(ExpressionKind::is_truth, at);
      made->text = peek().upper;
      made->negated = negated;
      ++next_;
      add_argument(*made, std::move(value));
      return made;
    }
    return unexpected_token("'DISTINCT', 'NULL', 'TRUE', 'FALSE', 'UNKNOWN'");
  }
  bool negated = take_word("NOT");
  if (take_word("BETWEEN")) {
    auto made = make_expression(ExpressionKind::between, at);
    made->negated = negated;
    if (take_word("SYMMETRIC"))
      made->op = "SYMMETRIC";
    else
      take_word("ASYMMETRIC");
    add_argument(*made, std::move(value));
    ASSIGN_OR_RETURN(ExpressionPtr low, concatenation());
    add_argument(*made, std::move(low));
    RETURN_IF_ERROR(need_word("AND"));
    ASSIGN_OR_RETURN(ExpressionPtr high, concatenation());
    add_argument(*made, std::move(high));
    return made;
  }
  if (take_word("LIKE")) {
    auto made = make_expression(ExpressionKind::like, at);
    made->negated = negated;
    add_argument(*made, std::move(value));
    ASSIGN_OR_RETURN(ExpressionPtr pattern, concatenation());
    add_argument(*made, std::move(pattern));
    if (take_word("ESCAPE")) {
      ASSIGN_OR_RETURN(ExpressionPtr escape, concatenation());
      add_argument(*made, std::move(escape));
    }
    return made;
  }
  RETURN_IF_ERROR(need_word("IN"));
  RETURN_IF_ERROR(need_symbol("("));
  if (at_query_start(0)) {
    auto made = make_expression(ExpressionKind::in_query, at);
    made->negated = negated;
    add_argument(*made, std::move(value));
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  auto made = make_expression(ExpressionKind::in_list, at);
  made->negated = negated;
  add_argument(*made, std::move(value));
  do {
    ASSIGN_OR_RETURN(ExpressionPtr item, expression());
    add_argument(*made, std::move(item));
  } while (take_symbol(","));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<ExpressionPtr> Parser::comparison_tail(ExpressionPtr value, std::string op, Position at) {
  for (auto word : {"ALL", "SOME", "ANY"}) {
    if (at_word(word) && at_symbol("(", 1) && at_query_start(2)) {
      next_ += 2;
      auto made = make_expression(ExpressionKind::quantified, at);
      made->op = std::move(op);
      made->quantifier = std::string_view(word) == "ALL" ? "ALL" : "ANY";
      add_argument(*made, std::move(value));
      ASSIGN_OR_RETURN(made->query, query());
      RETURN_IF_ERROR(need_symbol(")"));
      return made;
    }
  }
  auto made = make_expression(ExpressionKind::comparison, at);
  made->op = std::move(op);
  add_argument(*made, std::move(value));
  ASSIGN_OR_RETURN(ExpressionPtr right, concatenation());
  add_argument(*made, std::move(right));
  return made;
}

Result<ExpressionPtr> Parser::concatenation() {
  ASSIGN_OR_RETURN(ExpressionPtr left, additive());
  if (!at_symbol("||")) return left;
  auto made = make_expression(ExpressionKind::concat, peek().at);
  add_argument(*made, std::move(left));
  while (take_symbol("||")) {
    ASSIGN_OR_RETURN(ExpressionPtr right, additive());
    add_argument(*made, std::move(right));
  }
  return made;
}

Result<ExpressionPtr> Parser::additive() {
  ASSIGN_OR_RETURN(ExpressionPtr left, multiplicative());
  while (at_symbol("+") || at_symbol("-")) {
    auto made = make_expression(ExpressionKind::binary, peek().at);
    made->op = peek().text;
    ++next_;
    add_argument(*made, std::move(left));
    ASSIGN_OR_RETURN(ExpressionPtr right, multiplicative());
    add_argument(*made, std::move(right));
    left = std::move(made);
    if (left->height > kHeightMax)
      return too_deep(left->at);
  }
  return left;
}

Result<ExpressionPtr> Parser::multiplicative() {
  ASSIGN_OR_RETURN(ExpressionPtr left, unary());
  while (at_symbol("*") || at_symbol("/") || at_symbol("%")) {
    auto made = make_expression(ExpressionKind::binary, peek().at);
    made->op = peek().text;
    ++next_;
    add_argument(*made, std::move(left));
    ASSIGN_OR_RETURN(ExpressionPtr right, unary());
    add_argument(*made, std::move(right));
    left = std::move(made);
    if (left->height > kHeightMax)
      return too_deep(left->at);
  }
  return left;
}

Result<ExpressionPtr> Parser::unary() {
  Position at = peek().at;
  std::vector<std::string> signs;
  while (at_symbol("-") || at_symbol("+")) {
    signs.push_back(peek().text);
    ++next_;
    if (signs.size() > static_cast<size_t>(kNestingMax)) {
      return too_deep(at);
    }
  }
  ASSIGN_OR_RETURN(ExpressionPtr value, postfix());
  while (!signs.empty()) {
    auto made = make_expression(ExpressionKind::unary, at);
    made->op = signs.back();
    signs.pop_back();
    add_argument(*made, std::move(value));
    value = std::move(made);
  }
  return value;
}

Result<ExpressionPtr> Parser::postfix() {
  ASSIGN_OR_RETURN(ExpressionPtr value, primary());
  while (true) {
    if (value->height > kHeightMax)
      return too_deep(value->at);
    if (take_symbol("[")) {
      auto made = make_expression(ExpressionKind::subscript, value->at);
      add_argument(*made, std::move(value));
      ASSIGN_OR_RETURN(ExpressionPtr index, concatenation());
      add_argument(*made, std::move(index));
      RETURN_IF_ERROR(need_symbol("]"));
      value = std::move(made);
    } else if (at_symbol(".") && (at_identifier(1) || peek(1).kind == TokenKind::word) &&
               !at_symbol("*", 1)) {
      ++next_;
      auto made = make_expression(ExpressionKind::dereference, value->at);
      if (!at_identifier() && at_symbol("(", 1)) {  // a reserved word names a method too
        made->name = {peek().text, false, peek().at};
        ++next_;
      } else {
        ASSIGN_OR_RETURN(made->name, identifier());
      }
      if (take_symbol("(")) {  // method call: value.function(args)
        auto called = call_of(made->name.text, value->at);
        called->has_operand = true;
        add_argument(*called, std::move(value));
        while (!at_symbol(")")) {
          called->names.resize(called->args.size());
          if (at_identifier() && at_symbol("=>", 1)) {
            ASSIGN_OR_RETURN(Identifier label, identifier());
            called->names.push_back(std::move(label));
            ++next_;
          }
          ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
          add_argument(*called, std::move(argument));
          if (!take_symbol(",")) break;
        }
        called->names.resize(called->args.size());
        RETURN_IF_ERROR(need_symbol(")"));
        value = std::move(called);
        continue;
      }
      add_argument(*made, std::move(value));
      value = std::move(made);
    } else if (at_words({"AT", "TIME", "ZONE"})) {
      next_ += 3;
      auto made = make_expression(ExpressionKind::at_time_zone, value->at);
      add_argument(*made, std::move(value));
      ASSIGN_OR_RETURN(ExpressionPtr zone, primary());
      add_argument(*made, std::move(zone));
      value = std::move(made);
    } else if (at_words({"AT", "LOCAL"})) {
      next_ += 2;
      auto made = make_expression(ExpressionKind::at_time_zone, value->at);
      add_argument(*made, std::move(value));
      value = std::move(made);
    } else {
      return value;
    }
  }
}

Result<ExpressionPtr> Parser::primary() {
  const Token& token = peek();
  Position at = token.at;
  auto literal = [&](ExpressionKind kind) -> ExpressionPtr {
    auto made = make_expression(kind, at);
    made->text = token.text;
    ++next_;
    return made;
  };
  switch (token.kind) {
    case TokenKind::string: return literal(ExpressionKind::string_literal);
    case TokenKind::binary: return literal(ExpressionKind::binary_literal);
    case TokenKind::integer: return literal(ExpressionKind::integer_literal);
    case TokenKind::decimal: return literal(ExpressionKind::decimal_literal);
    case TokenKind::double_: return literal(ExpressionKind::double_literal);
    case TokenKind::parameter: {
      auto made = literal(ExpressionKind::parameter);
      made->index = parameters_++;
      return made;
    }
    case TokenKind::symbol:
      if (token.text == "(") return parenthesised();
      if (token.text == "[") {
        auto made = make_expression(ExpressionKind::array, at);
        ++next_;
        while (!at_symbol("]")) {
          ASSIGN_OR_RETURN(ExpressionPtr item, expression());
          add_argument(*made, std::move(item));
          if (!take_symbol(",")) break;
        }
        RETURN_IF_ERROR(need_symbol("]"));
        return made;
      }
      return unexpected_token("<expression>");
    case TokenKind::word:
    case TokenKind::quoted_word: return word_expression();
    case TokenKind::end: break;
  }
  return unexpected_token("<expression>");
}

bool Parser::at_lambda() const {
  // (a, b) -> ...   or   () -> ...
  size_t i = 1;
  if (at_symbol(")", i)) return at_symbol("->", i + 1);
  while (true) {
    if (!at_identifier(i)) return false;
    ++i;
    if (at_symbol(",", i)) {
      ++i;
      continue;
    }
    return at_symbol(")", i) && at_symbol("->", i + 1);
  }
}

Result<ExpressionPtr> Parser::lambda(std::vector<Identifier> names, Position at) {
  RETURN_IF_ERROR(need_symbol("->"));
  auto made = make_expression(ExpressionKind::lambda, at);
  made->names = std::move(names);
  ASSIGN_OR_RETURN(ExpressionPtr body, expression());
  add_argument(*made, std::move(body));
  return made;
}

Result<ExpressionPtr> Parser::parenthesised() {
  Position at = peek().at;
  if (at_lambda()) {
    ASSIGN_OR_RETURN(auto names, identifier_list());
    return lambda(std::move(names), at);
  }
  ++next_;
  if (at_query_start(0)) {
    auto made = make_expression(ExpressionKind::scalar_query, at);
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  ASSIGN_OR_RETURN(ExpressionPtr first, expression());
  if (at_symbol(")")) {
    ++next_;
    return first;
  }
  auto made = make_expression(ExpressionKind::row, at);
  made->field_names.emplace_back();
  add_argument(*made, std::move(first));
  while (take_symbol(",")) {
    ASSIGN_OR_RETURN(ExpressionPtr more, expression());
    made->field_names.emplace_back();
    add_argument(*made, std::move(more));
    if (made->args.size() > kItemsMax) return too_many_items(at);
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

bool Parser::at_typed_literal() const {
  // DATE '...', DECIMAL '...', TIMESTAMP WITH TIME ZONE '...' and so on: a type name, then a
  // string.
  if (peek().kind != TokenKind::word && peek().kind != TokenKind::quoted_word) return false;
  if (peek(1).kind == TokenKind::string)
    return peek().kind == TokenKind::quoted_word || !is_reserved_word(peek().upper);
  if (at_words({"DOUBLE", "PRECISION"}) && peek(2).kind == TokenKind::string) return true;
  return false;
}

Result<ExpressionPtr> Parser::word_expression() {
  Position at = peek().at;
  if (peek().kind == TokenKind::word) {
    bool handled = true;
    auto made = keyword_expression(handled);
    if (handled) return made;
  }
  if (at_typed_literal()) {
    auto made = make_expression(ExpressionKind::typed_literal, at);
    made->type_at = at;
    made->type_text = peek().text;
    ++next_;
    if (peek().kind != TokenKind::string) ++next_;  // DOUBLE PRECISION
    made->text = peek().text;
    ++next_;
    return made;
  }
  if (!at_identifier()) return unexpected_token("<expression>");
  if (at_symbol("->", 1)) {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    return lambda({std::move(name)}, at);
  }
  if ((at_word("RUNNING") || at_word("FINAL")) && at_identifier(1) && at_symbol("(", 2)) {
    std::string mode = peek().upper;
    ++next_;
    ASSIGN_OR_RETURN(ExpressionPtr call, word_expression());
    if (call->kind != ExpressionKind::function) return unexpected_token("<function>");
    call->op = mode;
    return call;
  }
  // A qualified name directly before "(" is a function call.
  size_t i = 0;
  while (at_identifier(i) && at_symbol(".", i + 1) && (at_identifier(i + 2))) i += 2;
  if (at_symbol("(", i + 1) && i == 0) {
    ASSIGN_OR_RETURN(QualifiedName name, qualified_name());
    return function_call(std::move(name), at);
  }
  auto made = make_expression(ExpressionKind::identifier, at);
  ASSIGN_OR_RETURN(made->name, identifier());
  if (at_symbol("::") && at_symbol("(", 2)) {  // a static method of a type: varchar::from_utf8(x)
    ++next_;
    ASSIGN_OR_RETURN(QualifiedName method, qualified_name());
    return function_call(std::move(method), at);
  }
  if (at_word("OVER") && (at_symbol("(", 1) || at_identifier(1))) {
    made->kind = ExpressionKind::measure;
    ASSIGN_OR_RETURN(made->window, over_clause());
  }
  return made;
}

Result<ExpressionPtr> parse_expression(std::string_view sql) {
  ASSIGN_OR_RETURN(auto tokens, tokenize(sql));
  Parser parser(sql, std::move(tokens));
  ASSIGN_OR_RETURN(ExpressionPtr made, parser.expression());
  RETURN_IF_ERROR(parser.expect_end());
  return made;
}

}  // namespace aichemy::sql
