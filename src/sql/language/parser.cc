#include "sql/language/parser.h"

#include <fmt/format.h>

#include <algorithm>

#include "sql/language/parse_state.h"

namespace aichemy::sql {
Parser::Parser(std::string_view sql, std::vector<Token> tokens)
    : sql_(sql), tokens_(std::move(tokens)), closing_(tokens_.size(), 0) {
  std::vector<size_t> open;
  for (size_t i = 0; i < tokens_.size(); ++i) {
    if (tokens_[i].kind != TokenKind::symbol) continue;
    if (tokens_[i].text == "(") open.push_back(i);
    if (tokens_[i].text == ")" && !open.empty()) {
      closing_[open.back()] = i;
      open.pop_back();
    }
  }
}

const Token& Parser::peek(size_t ahead) const {
  size_t index = next_ + ahead;
  return index < tokens_.size() ? tokens_[index] : tokens_.back();
}

bool Parser::at_word(std::string_view upper, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::word && token.upper == upper;
}

bool Parser::at_symbol(std::string_view symbol, size_t ahead) const {
  const Token& token = peek(ahead);
  return token.kind == TokenKind::symbol && token.text == symbol;
}

bool Parser::at_words(std::initializer_list<std::string_view> words) const {
  size_t ahead = 0;
  for (auto word : words) {
    if (!at_word(word, ahead++)) return false;
  }
  return true;
}

bool Parser::take_word(std::string_view upper) {
  if (!at_word(upper)) return false;
  ++next_;
  return true;
}

bool Parser::take_words(std::initializer_list<std::string_view> words) {
  if (!at_words(words)) return false;
  next_ += words.size();
  return true;
}

bool Parser::take_symbol(std::string_view symbol) {
  if (!at_symbol(symbol)) return false;
  ++next_;
  return true;
}

Status Parser::need_word(std::string_view upper) {
  if (take_word(upper)) return {};
  return unexpected_token(fmt::format("'{}'", upper));
}

Status Parser::need_symbol(std::string_view symbol) {
  if (take_symbol(symbol)) return {};
  return unexpected_token(fmt::format("'{}'", symbol));
}

Status Parser::check_nesting() const {
  if (nesting_ <= kNestingMax) return {};
  return too_deep(peek().at);
}

std::unexpected<Error> too_many_items(Position at) {
  return fail(Code::invalid, "NOT_SUPPORTED",
              fmt::format("line {}:{}: more than {} columns or arguments", at.line, at.column,
                          kItemsMax));
}

std::unexpected<Error> Parser::unexpected_token(const std::string& expecting) const {
  const Token& token = peek();
  std::string shown = token.kind == TokenKind::end
                          ? "<EOF>"
                          : std::string(sql_.substr(token.begin, token.end - token.begin));
  return syntax_error(token.at,
                      fmt::format("mismatched input '{}'. Expecting: {}", shown, expecting));
}

bool Parser::at_identifier(size_t ahead) const {
  const Token& token = peek(ahead);
  if (token.kind == TokenKind::quoted_word) return true;
  return token.kind == TokenKind::word && !is_reserved_word(token.upper);
}

Result<Identifier> Parser::identifier() {
  if (!at_identifier()) return unexpected_token("<identifier>");
  const Token& token = peek();
  ++next_;
  return Identifier{token.text, token.kind == TokenKind::quoted_word, token.at};
}

Result<QualifiedName> Parser::qualified_name() {
  QualifiedName name;
  do {
    ASSIGN_OR_RETURN(Identifier part, identifier());
    name.push_back(std::move(part));
  } while (at_symbol(".") && at_identifier(1) && take_symbol("."));
  return name;
}

Result<std::vector<Identifier>> Parser::identifier_list() {
  std::vector<Identifier> names;
  RETURN_IF_ERROR(need_symbol("("));
  while (!at_symbol(")")) {
    ASSIGN_OR_RETURN(Identifier name, identifier());
    names.push_back(std::move(name));
    if (!take_symbol(",")) break;
  }
  RETURN_IF_ERROR(need_symbol(")"));
  return names;
}

Result<std::string> Parser::string_text() {
  if (peek().kind != TokenKind::string) return unexpected_token("<string>");
  return tokens_[next_++].text;
}

// A type runs to the comma or parenthesis that cannot belong to it: words, quoted names, nested
// parentheses.
Result<std::string> Parser::type_text() {
  size_t begin = peek().begin, end = begin;
  int depth = 0;
  while (peek().kind != TokenKind::end) {
    const Token& token = peek();
    if (at_symbol("(") || at_symbol("<")) ++depth;
    if (at_symbol(")") || at_symbol(">")) {
      if (depth == 0) break;
      --depth;
    }
    bool word = token.kind == TokenKind::word || token.kind == TokenKind::quoted_word;
    if (depth == 0 && !word && !at_symbol(")") && !at_symbol(">")) break;
    if (depth == 0 && end > begin) {  // of a type of several words
      bool zone = (at_word("WITH") || at_word("WITHOUT")) && at_word("TIME", 1);
      static constexpr std::string_view kMore[] = {"PRECISION", "TIME",   "ZONE", "YEAR",
                                                   "MONTH",     "TO",     "DAY",  "HOUR",
                                                   "MINUTE",    "SECOND", "ARRAY"};
      bool more = zone || std::ranges::find(kMore, token.upper) != std::end(kMore);
      if (word && !more) break;
    }
    end = token.end;
    ++next_;
  }
  if (end == begin) return unexpected_token("<type>");
  return std::string(sql_.substr(begin, end - begin));
}

Status Parser::expect_end() {
  take_symbol(";");
  if (peek().kind == TokenKind::end) return {};
  return unexpected_token("<EOF>");
}

std::unique_ptr<Statement> Parser::make(StatementKind kind, Position at) {
  auto made = std::make_unique<Statement>();
  made->kind = kind;
  made->at = at;
  return made;
}

Status Parser::query_text(Statement& made) {
  made.query_begin = peek().begin;
  ASSIGN_OR_RETURN(made.query, query());
  made.query_end = next_ > 0 ? tokens_[next_ - 1].end : made.query_begin;
  return {};
}

Result<std::unique_ptr<Statement>> Parser::statement() {
  Position at = peek().at;
  if (at_query_start(0)) {
    auto made = make(StatementKind::query, at);
    RETURN_IF_ERROR(query_text(*made));
    return made;
  }
  if (at_symbol("(")) {
    auto made = make(StatementKind::query, at);
    RETURN_IF_ERROR(query_text(*made));
    return made;
  }
  if (at_word("CREATE")) return create();
  if (at_word("DROP")) return drop();
  if (at_word("INSERT")) return insert();
  if (at_word("DELETE") || at_word("UPDATE") || at_word("MERGE")) return row_change();
  if (at_word("TRUNCATE")) return truncate();
  if (take_words({"REFRESH", "MATERIALIZED", "VIEW"}))
    return named_materialized(StatementKind::refresh_materialized_view);
  if (at_words({"ALTER", "MATERIALIZED"})) return alter_materialized();
  if (at_word("SHOW")) return show();
  if (at_word("DESCRIBE") || at_word("DESC")) return describe();
  if (at_word("EXPLAIN")) return explain();
  if (at_word("SET") || at_word("RESET")) return set_or_reset();
  if (at_word("PREPARE") || at_word("EXECUTE") || at_word("DEALLOCATE")) return prepared();
  if (at_word("START") || at_word("COMMIT") || at_word("ROLLBACK")) return transaction();
  if (at_word("CALL")) return call();
  if (at_word("ALTER")) return alter();
  if (at_words({"COMMENT", "ON"})) return comment_on();
  if (at_word("ANALYZE")) return analyze_table();
  if (at_word("GRANT") || at_word("REVOKE") || at_word("DENY")) return grant();
  if (take_word("USE")) {
    auto made = make(StatementKind::use, at);
    ASSIGN_OR_RETURN(made->name, qualified_name());
    return made;
  }
  return unexpected_token(
      "'ALTER', 'ANALYZE', 'CALL', 'COMMENT', 'COMMIT', 'CREATE', 'DEALLOCATE', 'DELETE', 'DENY', "
      "'DESC', "
      "'DESCRIBE', 'DROP', 'EXECUTE', 'EXPLAIN', 'GRANT', 'INSERT', 'MERGE', 'PREPARE', 'REFRESH', "
      "'RESET', "
      "'REVOKE', 'ROLLBACK', 'SET', 'SHOW', 'START', 'TRUNCATE', 'UPDATE', 'USE', <query>");
}

Result<std::unique_ptr<Statement>> parse_statement(std::string_view sql) {
  if (sql.size() > kStatementBytesMax) {
    return fail(Code::invalid, "QUERY_TEXT_TOO_LARGE",
                fmt::format("Query text length ({}) exceeds the maximum length ({})", sql.size(),
                            kStatementBytesMax));
  }
  ASSIGN_OR_RETURN(auto tokens, tokenize(sql));
  Parser parser(sql, std::move(tokens));
  ASSIGN_OR_RETURN(auto made, parser.statement());
  RETURN_IF_ERROR(parser.expect_end());
  made->parameters = parser.parameters();
  return made;
}

}  // namespace aichemy::sql
