// Trino's lexical rules: words, quoted names, numbers with underscores, strings, U&'' and X''
// literals, comments. Errors are "line L:C: ..." with what = SYNTAX_ERROR.
#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "sql/language/ast.h"

namespace aichemy::sql {

enum class TokenKind : uint8_t {
  word,
  quoted_word,
  string,
  binary,
  integer,
  decimal,
  double_,
  parameter,
  symbol,
  end,
};

struct Token {
  TokenKind kind = TokenKind::end;
  std::string text;   // value: unquoted name, string contents, digits, the symbol
  std::string upper;  // of a word
  Position at;
  size_t begin = 0, end = 0;  // byte offsets in the statement
};

// A token and what is made of it take up to a kilobyte. Trino's default query.max-length, a million
// characters, never has as many.
inline constexpr size_t kTokensMax = 2'000'000;

// Ends with one `end` token. More than kTokensMax: QUERY_TEXT_TOO_LARGE.
Result<std::vector<Token>> tokenize(std::string_view sql);

std::unexpected<Error> syntax_error(Position at, const std::string& message);
std::unexpected<Error> too_deep(Position at);  // STACK_OVERFLOW, as Trino says it
bool is_reserved_word(std::string_view upper);

}  // namespace aichemy::sql
