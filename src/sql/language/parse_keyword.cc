// Expressions that begin with a keyword: CASE, CAST, EXTRACT, function calls with their suffixes.
#include <fmt/format.h>

#include "sql/language/parse_state.h"
#include "sql/language/parser.h"

namespace aichemy::sql {
namespace {

// Words that are expressions by themselves, without parentheses.
constexpr std::string_view kSpecials[] = {
    "CURRENT_DATE", "CURRENT_TIME",    "CURRENT_TIMESTAMP", "LOCALTIME",    "LOCALTIMESTAMP",
    "CURRENT_USER", "CURRENT_CATALOG", "CURRENT_SCHEMA",    "CURRENT_PATH", "CURRENT_ROLE",
};

bool is_special(std::string_view upper) {
  for (auto word : kSpecials) {
    if (word == upper) return true;
  }
  return false;
}

ExpressionPtr call_of(std::string name, Position at) {
  auto call = make_expression(ExpressionKind::function, at);
  call->qualified.push_back({std::move(name), false, at});
  return call;
}

}  // namespace

// lint: table, one case a keyword
Result<ExpressionPtr> Parser::keyword_expression(bool& handled) {
  Position at = peek().at;
  const std::string& word = peek().upper;
  if (word == "NULL" || word == "TRUE" || word == "FALSE") {
    auto made = make_expression(
        word == "NULL" ? ExpressionKind::null_literal : ExpressionKind::boolean_literal, at);
    made->text = word == "TRUE" ? "true" : "false";
    ++next_;
    return made;
  }
  if (is_special(word)) {
    auto made = make_expression(ExpressionKind::special, at);
    made->text = word;
    ++next_;
    if (take_symbol("(")) {
      if (peek().kind != TokenKind::integer) return unexpected_token("<integer>");
      made->index = std::atoi(peek().text.c_str());
      ++next_;
      RETURN_IF_ERROR(need_symbol(")"));
    }
    return made;
  }
  if (word == "CASE") return case_expression();
  if (word == "CAST" && at_symbol("(", 1)) return cast_expression(ExpressionKind::cast);
  if (word == "TRY_CAST" && at_symbol("(", 1)) return cast_expression(ExpressionKind::try_cast);
  if (word == "EXTRACT" && at_symbol("(", 1)) return extract_expression();
  if (word == "TRIM" && at_symbol("(", 1)) return trim_expression();
  if (word == "LISTAGG" && at_symbol("(", 1)) return listagg();
  if (word == "ROW" && at_symbol("(", 1)) return row_expression();
  if (word == "INTERVAL" &&
      (peek(1).kind == TokenKind::string || at_symbol("-", 1) || at_symbol("+", 1))) {
    return interval_literal();
  }
  if (word == "EXISTS" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = make_expression(ExpressionKind::exists, at);
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "UNIQUE" && at_symbol("(", 1) && at_query_start(2)) {
    next_ += 2;
    auto made = make_expression(ExpressionKind::unique, at);
    ASSIGN_OR_RETURN(made->query, query());
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "ARRAY" && at_symbol("[", 1)) {
    ++next_;
    return primary();
  }
  if (word == "IF" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = make_expression(ExpressionKind::if_, at);
    do {
      ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
      add_argument(*made, std::move(argument));
    } while (take_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "POSITION" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = call_of("strpos", at);
    ASSIGN_OR_RETURN(ExpressionPtr needle, concatenation());
    RETURN_IF_ERROR(need_word("IN"));
    ASSIGN_OR_RETURN(ExpressionPtr text, concatenation());
    add_argument(*made, std::move(text));
    add_argument(*made, std::move(needle));
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "OVERLAY" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = call_of("overlay", at);
    for (const char* between : {"PLACING", "FROM", "FOR"}) {
      ASSIGN_OR_RETURN(ExpressionPtr argument, concatenation());
      add_argument(*made, std::move(argument));
      if (between == std::string_view("FOR") || at_symbol(")")) break;
      if (between == std::string_view("FROM")) RETURN_IF_ERROR(need_word("FROM"));
      if (between == std::string_view("PLACING")) RETURN_IF_ERROR(need_word("PLACING"));
    }
    if (take_word("FOR")) {
      ASSIGN_OR_RETURN(ExpressionPtr argument, concatenation());
      add_argument(*made, std::move(argument));
    }
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "SUBSTRING" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = call_of("substring", at);
    ASSIGN_OR_RETURN(ExpressionPtr text, concatenation());
    if (at_word("FROM")) made = call_of("substr", at);  // which takes bytes, too
    add_argument(*made, std::move(text));
    while (take_word("FROM") || take_word("FOR") || take_symbol(",")) {
      ASSIGN_OR_RETURN(ExpressionPtr argument, concatenation());
      add_argument(*made, std::move(argument));
    }
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "GROUPING" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = make_expression(ExpressionKind::grouping, at);
    while (!at_symbol(")")) {
      ASSIGN_OR_RETURN(ExpressionPtr argument, expression());
      add_argument(*made, std::move(argument));
      if (!take_symbol(",")) break;
    }
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (word == "NORMALIZE" && at_symbol("(", 1)) {
    next_ += 2;
    auto made = call_of("normalize", at);
    ASSIGN_OR_RETURN(ExpressionPtr text, concatenation());
    add_argument(*made, std::move(text));
    if (take_symbol(",")) {
      auto form = make_expression(ExpressionKind::string_literal, peek().at);
      form->text = peek().upper;
      ++next_;
      add_argument(*made, std::move(form));
    }
    RETURN_IF_ERROR(need_symbol(")"));
    return made;
  }
  if (at_json_function()) return json_function();
  handled = false;
  return nullptr;
}

Result<ExpressionPtr> Parser::case_expression() {
  auto made = make_expression(ExpressionKind::case_, peek().at);
  ++next_;
  if (!at_word("WHEN")) {
    made->has_operand = true;
    ASSIGN_OR_RETURN(ExpressionPtr operand, expression());
    add_argument(*made, std::move(operand));
  }
  if (!at_word("WHEN")) return unexpected_token("'WHEN'");
  while (take_word("WHEN")) {
    ExpressionPtr when = made->has_operand ? case_operand() : nullptr;
    if (when) {
      ASSIGN_OR_RETURN(when, predicate_tail(std::move(when)));
      when->bare = true;
    } else {
      ASSIGN_OR_RETURN(when, expression());
    }
    add_argument(*made, std::move(when));
    RETURN_IF_ERROR(need_word("THEN"));
    ASSIGN_OR_RETURN(ExpressionPtr then, expression());
    add_argument(*made, std::move(then));
  }
  if (take_word("ELSE")) {
    made->has_else = true;
    ASSIGN_OR_RETURN(ExpressionPtr otherwise, expression());
    add_argument(*made, std::move(otherwise));
  }
  RETURN_IF_ERROR(need_word("END"));
  return made;
}

// CASE x WHEN > 3: a name for x where a predicate begins without its left side.
ExpressionPtr Parser::case_operand() {
  bool starts =
      at_word("IS") || at_word("IN") || at_word("LIKE") || at_word("BETWEEN") || at_match() ||
      (at_word("NOT") && (at_word("IN", 1) || at_word("LIKE", 1) || at_word("BETWEEN", 1)));
  for (auto op : {"=", "<>", "<", "<=", ">", ">="}) starts = starts || at_symbol(op);
  if (!starts || (at_word("IN") && !at_symbol("(", 1))) return nullptr;
  auto made = make_expression(ExpressionKind::identifier, peek().at);
  made->name.text = "#case";
  return made;
}

Result<ExpressionPtr> Parser::cast_expression(ExpressionKind kind) {
  auto made = make_expression(kind, peek().at);
  next_ += 2;
  ASSIGN_OR_RETURN(ExpressionPtr value, expression());
  add_argument(*made, std::move(value));
  RETURN_IF_ERROR(need_word("AS"));
  made->type_at = peek().at;
  ASSIGN_OR_RETURN(made->type_text, type_text());
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<ExpressionPtr> Parser::extract_expression() {
  auto made = make_expression(ExpressionKind::extract, peek().at);
  next_ += 2;
  if (peek().kind != TokenKind::word) return unexpected_token("<identifier>");
  made->text = peek().upper;
  ++next_;
  RETURN_IF_ERROR(need_word("FROM"));
  ASSIGN_OR_RETURN(ExpressionPtr value, concatenation());
  add_argument(*made, std::move(value));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<ExpressionPtr> Parser::trim_expression() {
  Position at = peek().at;
  next_ += 2;
  std::string name = "trim";
  bool side = true;
  if (take_word("LEADING"))
    name = "ltrim";
  else if (take_word("TRAILING"))
    name = "rtrim";
  else if (!take_word("BOTH"))
    side = false;
  auto made = call_of(name, at);
  if (side && take_word("FROM")) {
    ASSIGN_OR_RETURN(ExpressionPtr text, concatenation());
    add_argument(*made, std::move(text));
  } else {
    ASSIGN_OR_RETURN(ExpressionPtr first, concatenation());
    if (take_word("FROM")) {
      ASSIGN_OR_RETURN(ExpressionPtr text, concatenation());
      add_argument(*made, std::move(text));
      add_argument(*made, std::move(first));
    } else {
      add_argument(*made, std::move(first));
      if (take_symbol(",")) {
        ASSIGN_OR_RETURN(ExpressionPtr letters, concatenation());
        add_argument(*made, std::move(letters));
      }
    }
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<ExpressionPtr> Parser::interval_literal() {
  auto made = make_expression(ExpressionKind::interval_literal, peek().at);
  ++next_;
  if (take_symbol("-"))
    made->negated = true;
  else
    take_symbol("+");
  ASSIGN_OR_RETURN(made->text, string_text());
  auto unit = [&](std::string& to) -> Status {
    for (auto word : {"YEAR", "MONTH", "DAY", "HOUR", "MINUTE", "SECOND"}) {
      if (take_word(word)) {
        to = word;
        return {};
      }
    }
    return unexpected_token("'DAY', 'HOUR', 'MINUTE', 'MONTH', 'SECOND', 'YEAR'");
  };
  Position at = peek().at;
  RETURN_IF_ERROR(unit(made->from_unit));
  bool precision = at_symbol("(");
  if (!precision && take_word("TO")) RETURN_IF_ERROR(unit(made->to_unit));
  if (precision || at_symbol("(")) {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                "line " + std::to_string(at.line) + ":" + std::to_string(at.column) +
                    ": Only INTERVAL literals with default precision are supported");
  }
  return made;
}

Result<ExpressionPtr> Parser::row_expression() {
  auto made = make_expression(ExpressionKind::row, peek().at);
  next_ += 2;
  do {
    ASSIGN_OR_RETURN(ExpressionPtr value, expression());
    made->field_names.emplace_back();
    if (take_word("AS") || at_identifier()) {
      ASSIGN_OR_RETURN(Identifier name, identifier());
      made->field_names.back() = std::move(name);
    }
    add_argument(*made, std::move(value));
    if (made->args.size() > kItemsMax) return too_many_items(made->at);
  } while (take_symbol(","));
  RETURN_IF_ERROR(need_symbol(")"));
  return made;
}

Result<ExpressionPtr> Parser::listagg() {
  auto made = call_of("listagg", peek().at);
  next_ += 2;
  made->distinct = take_word("DISTINCT");
  ASSIGN_OR_RETURN(ExpressionPtr value, expression());
  add_argument(*made, std::move(value));
  auto text = [&]() -> Result<ExpressionPtr> {
    auto literal = make_expression(ExpressionKind::string_literal, peek().at);
    ASSIGN_OR_RETURN(literal->text, string_text());
    return literal;
  };
  if (take_symbol(",")) {
    if (peek().kind != TokenKind::string) return unexpected_token("<string>");
    ASSIGN_OR_RETURN(ExpressionPtr separator, text());
    add_argument(*made, std::move(separator));
  }
  if (take_words({"ON", "OVERFLOW"})) {
    if (take_word("TRUNCATE")) {
      if (peek().kind == TokenKind::string) ++next_;
      if (!take_word("WITH") && !take_word("WITHOUT"))
        return unexpected_token("'WITH', 'WITHOUT', <string>");
      RETURN_IF_ERROR(need_word("COUNT"));
    } else if (!take_word("ERROR")) {
      return unexpected_token("'ERROR', 'TRUNCATE'");
    }
  } else if (!at_symbol(")")) {
    return unexpected_token("')', 'ON'");
  }
  RETURN_IF_ERROR(need_symbol(")"));
  if (take_words({"WITHIN", "GROUP"})) {
    RETURN_IF_ERROR(need_symbol("("));
    if (!take_words({"ORDER", "BY"})) return unexpected_token("'ORDER'");
    RETURN_IF_ERROR(order_by(made->order_by));
    RETURN_IF_ERROR(need_symbol(")"));
  }
  RETURN_IF_ERROR(function_suffix(*made));
  return made;
}

Result<ExpressionPtr> Parser::function_call(QualifiedName name, Position at) {
  auto made = make_expression(ExpressionKind::function, at);
  made->qualified = std::move(name);
  RETURN_IF_ERROR(need_symbol("("));
  if (at_symbol("*") && at_symbol(")", 1)) {
    add_argument(*made, make_expression(ExpressionKind::star, peek().at));
    next_ += 2;
    RETURN_IF_ERROR(function_suffix(*made));
    return made;
  }
  made->distinct = take_word("DISTINCT");
  if (!made->distinct) take_word("ALL");
  while (!at_symbol(")") && !at_word("ORDER")) {
    Identifier label;
    if (at_identifier() && at_symbol("=>", 1)) {
      ASSIGN_OR_RETURN(label, identifier());
      ++next_;
    }
    ExpressionPtr argument;
    if (at_identifier() && at_symbol(".", 1) && at_symbol("*", 2)) {
      argument = make_expression(ExpressionKind::star, peek().at);
      ASSIGN_OR_RETURN(argument->name, identifier());
      next_ += 2;
    } else {
      ASSIGN_OR_RETURN(argument, expression());
    }
    add_argument(*made, std::move(argument));
    if (made->args.size() > kItemsMax) return too_many_items(at);
    made->names.push_back(std::move(label));
    if (!take_symbol(",")) break;
  }
  if (take_words({"ORDER", "BY"})) RETURN_IF_ERROR(order_by(made->order_by));
  RETURN_IF_ERROR(need_symbol(")"));
  RETURN_IF_ERROR(function_suffix(*made));
  return made;
}

Status Parser::function_suffix(Expression& call) {
  if (at_word("FILTER") && at_symbol("(", 1)) {
    next_ += 2;
    RETURN_IF_ERROR(need_word("WHERE"));
    ASSIGN_OR_RETURN(call.filter, expression());
    RETURN_IF_ERROR(need_symbol(")"));
  }
  if (at_words({"IGNORE", "NULLS"}) || at_words({"RESPECT", "NULLS"})) {
    call.null_treatment = peek().upper;
    next_ += 2;
  }
  if (at_word("OVER")) {
    ASSIGN_OR_RETURN(call.window, over_clause());
  }
  return {};
}

Result<std::unique_ptr<WindowSpec>> Parser::over_clause() {
  Position at = peek().at;
  ++next_;
  if (take_symbol("(")) {
    ASSIGN_OR_RETURN(auto window, window_body());
    window->at = at;
    RETURN_IF_ERROR(need_symbol(")"));
    return window;
  }
  auto window = std::make_unique<WindowSpec>();
  window->at = at;
  window->bare_reference = true;
  ASSIGN_OR_RETURN(window->base, identifier());
  return window;
}

}  // namespace aichemy::sql
