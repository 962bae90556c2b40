#include "sql/language/lexer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/bytes.h"

namespace aichemy::sql {
namespace {

// Sorted: is_reserved_word searches by bisection.
constexpr std::string_view kReserved[] = {
    "ALTER",        "AND",
    "AS",           "BETWEEN",
    "BY",           "CASE",
    "CAST",         "CONSTRAINT",
    "CREATE",       "CROSS",
    "CUBE",         "CURRENT_CATALOG",
    "CURRENT_DATE", "CURRENT_PATH",
    "CURRENT_ROLE", "CURRENT_SCHEMA",
    "CURRENT_TIME", "CURRENT_TIMESTAMP",
    "CURRENT_USER", "DEALLOCATE",
    "DELETE",       "DESCRIBE",
    "DISTINCT",     "DROP",
    "ELSE",         "END",
    "ESCAPE",       "EXCEPT",
    "EXECUTE",      "EXISTS",
    "EXTRACT",      "FALSE",
    "FOR",          "FROM",
    "FULL",         "GROUP",
    "GROUPING",     "HAVING",
    "IN",           "INNER",
    "INSERT",       "INTERSECT",
    "INTO",         "IS",
    "JOIN",         "JSON_ARRAY",
    "JSON_EXISTS",  "JSON_OBJECT",
    "JSON_QUERY",   "JSON_TABLE",
    "JSON_VALUE",   "LEFT",
    "LIKE",         "LISTAGG",
    "LOCALTIME",    "LOCALTIMESTAMP",
    "NATURAL",      "NORMALIZE",
    "NOT",          "NULL",
    "ON",           "OR",
    "ORDER",        "OUTER",
    "PREPARE",      "RECURSIVE",
    "RIGHT",        "ROLLUP",
    "SELECT",       "SKIP",
    "TABLE",        "THEN",
    "TRIM",         "TRUE",
    "UESCAPE",      "UNION",
    "UNNEST",       "USING",
    "VALUES",       "WHEN",
    "WHERE",        "WITH",
};

constexpr std::string_view kSymbols2[] = {"<>", "!=", "<=", ">=", "||", "->", "=>", "::"};
constexpr std::string_view kSymbols1 = "()[]{},.;=<>+-*/%?|$^:@";

bool is_letter(char c) { return std::isalpha(static_cast<unsigned char>(c)) || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

class Lexer {
 public:
  explicit Lexer(std::string_view sql) : sql_(sql) {}

  Result<std::vector<Token>> run() {
    std::vector<Token> tokens;
    while (true) {
      RETURN_IF_ERROR(skip_blank());
      Token token;
      token.at = at_;
      token.begin = pos_;
      if (pos_ >= sql_.size()) {
        token.end = pos_;
        tokens.push_back(std::move(token));
        return tokens;
      }
      if (tokens.size() == kTokensMax) {
        return fail(Code::invalid, "QUERY_TEXT_TOO_LARGE",
                    fmt::format("line {}:{}: the statement has more than {} words and symbols",
                                at_.line, at_.column, kTokensMax));
      }
      RETURN_IF_ERROR(next(token));
      token.end = pos_;
      tokens.push_back(std::move(token));
    }
  }

 private:
  std::string_view sql_;
  size_t pos_ = 0;
  Position at_;

  char peek(size_t ahead = 0) const {
    return pos_ + ahead < sql_.size() ? sql_[pos_ + ahead] : '\0';
  }

  void step() {
    char c = sql_[pos_++];
    if (c == '\n') {
      ++at_.line;
      at_.column = 1;
    } else if ((static_cast<unsigned char>(c) & 0xc0) != 0x80) {
      ++at_.column;  // continuation bytes do not count
    }
  }
  void step(size_t count) {
    for (size_t i = 0; i < count; ++i) step();
  }

  Status skip_blank() {
    while (pos_ < sql_.size()) {
      char c = peek();
      if (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        step();
      } else if (c == '-' && peek(1) == '-') {
        while (pos_ < sql_.size() && peek() != '\n') step();
      } else if (c == '/' && peek(1) == '*') {
        Position begin = at_;
        step(2);
        while (pos_ < sql_.size() && !(peek() == '*' && peek(1) == '/')) step();
        if (pos_ >= sql_.size()) return syntax_error(begin, "unterminated comment");
        step(2);
      } else {
        break;
      }
    }
    return {};
  }

  Status next(Token& token) {
    char c = peek();
    if (c == '\'') return quoted(token, '\'', TokenKind::string);
    if (c == '"') {
      RETURN_IF_ERROR(quoted(token, '"', TokenKind::quoted_word));
      if (token.text.empty())
        return syntax_error(token.at, "Zero-length delimited identifier not allowed");
      return {};
    }
    if (c == '`') {
      return syntax_error(
          token.at,
          "backquoted identifiers are not supported; use double quotes to quote identifiers");
    }
    if ((c == 'U' || c == 'u') && peek(1) == '&' && peek(2) == '\'') return unicode_string(token);
    if ((c == 'X' || c == 'x') && peek(1) == '\'') return binary(token);
    if (is_letter(c)) return word(token);
    if (is_digit(c) || (c == '.' && is_digit(peek(1)))) return number(token);
    if (c == '?') {
      token.kind = TokenKind::parameter;
      token.text = "?";
      step();
      return {};
    }
    token.kind = TokenKind::symbol;
    for (auto symbol : kSymbols2) {
      if (sql_.substr(pos_, 2) == symbol) {
        token.text = symbol == "!=" ? "<>" : std::string(symbol);
        step(2);
        return {};
      }
    }
    if (kSymbols1.find(c) != std::string_view::npos && c != '\0') {
      token.text = std::string(1, c);
      step();
      return {};
    }
    size_t size = 1;  // show a whole code point
    while (pos_ + size < sql_.size() &&
           (static_cast<unsigned char>(sql_[pos_ + size]) & 0xc0) == 0x80)
      ++size;
    return syntax_error(token.at, fmt::format("mismatched input '{}'", sql_.substr(pos_, size)));
  }

  Status quoted(Token& token, char quote, TokenKind kind) {
    token.kind = kind;
    step();
    while (true) {
      if (pos_ >= sql_.size()) {
        return syntax_error(token.at, fmt::format("mismatched input '{}'", quote));
      }
      if (peek() == quote) {
        if (peek(1) != quote) break;
        step();
      }
      token.text += peek();
      step();
    }
    step();
    return {};
  }

  Status word(Token& token) {
    token.kind = TokenKind::word;
    while (is_letter(peek()) || is_digit(peek())) {
      token.text += peek();
      step();
    }
    token.upper = token.text;
    for (char& c : token.upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return {};
  }

  Status binary(Token& token) {
    step();
    RETURN_IF_ERROR(quoted(token, '\'', TokenKind::binary));
    std::string digits;
    for (char c : token.text) {
      if (!std::isspace(static_cast<unsigned char>(c))) digits += c;
    }
    bool hex = std::ranges::all_of(
        digits, [](char c) { return std::isxdigit(static_cast<unsigned char>(c)); });
    if (!hex) return syntax_error(token.at, "Binary literal can only contain hexadecimal digits");
    if (digits.size() % 2 != 0)
      return syntax_error(token.at, "Binary literal must contain an even number of digits");
    ASSIGN_OR_RETURN(token.text, from_hex(digits));
    return {};
  }

  Status unicode_string(Token& token) {
    step(2);
    RETURN_IF_ERROR(quoted(token, '\'', TokenKind::string));
    char escape = '\\';
    size_t saved = pos_;
    Position saved_at = at_;
    RETURN_IF_ERROR(skip_blank());
    std::string upper(sql_.substr(pos_, 7));
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    if (upper == "UESCAPE" && !is_letter(peek(7)) && !is_digit(peek(7))) {
      step(7);
      RETURN_IF_ERROR(skip_blank());
      if (peek() != '\'') return syntax_error(at_, "Expecting a string after UESCAPE");
      Token letter;
      letter.at = at_;
      RETURN_IF_ERROR(quoted(letter, '\'', TokenKind::string));
      if (letter.text.size() != 1)
        return syntax_error(letter.at, "Invalid Unicode escape character");
      escape = letter.text[0];
    } else {
      pos_ = saved;
      at_ = saved_at;
    }
    return unescape(token, escape);
  }

  static Status unescape(Token& token, char escape) {
    std::string out;
    const std::string& in = token.text;
    for (size_t i = 0; i < in.size(); ++i) {
      if (in[i] != escape) {
        out += in[i];
        continue;
      }
      if (i + 1 < in.size() && in[i + 1] == escape) {
        out += escape;
        ++i;
        continue;
      }
      size_t begin = i + 1, count = 4;
      if (begin < in.size() && in[begin] == '+') {
        ++begin;
        count = 6;
      }
      if (begin + count > in.size()) return syntax_error(token.at, "Incomplete escape sequence");
      uint32_t code = 0;
      for (size_t k = begin; k < begin + count; ++k) {
        if (!std::isxdigit(static_cast<unsigned char>(in[k]))) {
          return syntax_error(token.at, "Invalid hexadecimal digit in escape sequence");
        }
        code = code * 16 + static_cast<uint32_t>(std::stoi(std::string(1, in[k]), nullptr, 16));
      }
      if (code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) {
        return syntax_error(token.at, "Invalid escaped character");
      }
      append_utf8(out, code);
      i = begin + count - 1;
    }
    token.text = std::move(out);
    return {};
  }

  static void append_utf8(std::string& out, uint32_t code) {
    auto byte = [&](uint32_t value) { out += static_cast<char>(value); };
    if (code < 0x80) {
      byte(code);
    } else if (code < 0x800) {
      byte(0xc0 | code >> 6), byte(0x80 | (code & 63));
    } else if (code < 0x10000) {
      byte(0xe0 | code >> 12), byte(0x80 | (code >> 6 & 63)), byte(0x80 | (code & 63));
    } else {
      byte(0xf0 | code >> 18), byte(0x80 | (code >> 12 & 63)), byte(0x80 | (code >> 6 & 63)),
          byte(0x80 | (code & 63));
    }
  }

  void digits(Token& token) {
    while (is_digit(peek()) || (peek() == '_' && is_digit(peek(1)))) {
      if (peek() != '_') token.text += peek();
      step();
    }
  }

  Status number(Token& token) {
    token.kind = TokenKind::integer;
    char mark = static_cast<char>(std::tolower(static_cast<unsigned char>(peek(1))));
    if (peek() == '0' && (mark == 'x' || mark == 'o' || mark == 'b'))
      return based_number(token, mark);
    digits(token);
    if (peek() == '.' && !(is_letter(peek(1)) && peek(1) != 'e' && peek(1) != 'E')) {
      token.kind = TokenKind::decimal;
      token.text += '.';
      step();
      digits(token);
    }
    if (peek() == 'e' || peek() == 'E') {
      size_t sign = peek(1) == '+' || peek(1) == '-' ? 1 : 0;
      if (is_digit(peek(1 + sign))) {
        token.kind = TokenKind::double_;
        for (size_t i = 0; i < 1 + sign; ++i) {
          token.text += peek();
          step();
        }
        digits(token);
      }
    }
    if (is_letter(peek())) {
      return syntax_error(
          token.at,
          "identifiers must not start with a digit; surround the identifier with double quotes");
    }
    return {};
  }

  Status based_number(Token& token, char mark) {
    unsigned base = mark == 'x' ? 16 : mark == 'o' ? 8 : 2;
    step(2);
    unsigned __int128 value = 0;
    bool any = false;
    while (std::isxdigit(static_cast<unsigned char>(peek())) || peek() == '_') {
      if (peek() != '_') {
        unsigned digit = static_cast<unsigned>(std::stoi(std::string(1, peek()), nullptr, 16));
        if (digit >= base) break;
        value = value * base + digit;
        any = true;
        if (value > (static_cast<unsigned __int128>(1) << 64))
          return syntax_error(token.at, "Invalid numeric literal");
      }
      step();
    }
    if (!any || is_letter(peek()) || is_digit(peek()))
      return syntax_error(token.at, "Invalid numeric literal");
    while (value > 0) {
      token.text.insert(token.text.begin(), static_cast<char>('0' + static_cast<int>(value % 10)));
      value /= 10;
    }
    if (token.text.empty()) token.text = "0";
    return {};
  }
};

}  // namespace

std::string lower_case(const std::string& text) {
  std::string lower = text;
  for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return lower;
}

std::string Identifier::lower() const { return lower_case(text); }

bool is_reserved_word(std::string_view upper) {
  return std::binary_search(std::begin(kReserved), std::end(kReserved), upper);
}

std::unexpected<Error> syntax_error(Position at, const std::string& message) {
  return fail(Code::invalid, "SYNTAX_ERROR",
              fmt::format("line {}:{}: {}", at.line, at.column, message));
}

std::unexpected<Error> too_deep(Position at) {
  return fail(Code::invalid, "STACK_OVERFLOW",
              fmt::format("line {}:{}: statement is too large (nested too deeply)", at.line,
                          at.column));
}

Result<std::vector<Token>> tokenize(std::string_view sql) {
  if (!is_valid_utf8(sql)) return syntax_error({}, "the statement is not UTF-8 text");
  return Lexer(sql).run();
}

}  // namespace aichemy::sql
