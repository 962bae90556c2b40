#include "jobs/script.h"

#include <fmt/core.h>
#include <algorithm>

namespace aichemy::jobs {
namespace {

struct Token {
  enum Kind : uint8_t { word, name, string, number, symbol, end } kind = end;
  std::string text;   // unquoted
  std::string upper;  // of a word
  size_t begin = 0, end_at = 0;
};

bool is_word_character(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '$' || (static_cast<unsigned char>(c) & 0x80) != 0;
}

std::string upper_case(std::string_view text) {
  std::string out(text);
  for (char& c : out) c = c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c;
  return out;
}

std::unexpected<Error> error_at(std::string_view script, size_t at, Code code, const char* what,
                                const std::string& message) {
  size_t line = 1, column = 1;
  for (size_t i = 0; i < at && i < script.size(); ++i) {
    column = script[i] == '\n' ? 1 : column + 1;
    line += script[i] == '\n';
  }
  return fail(code, what, fmt::format("line {}:{}: {}", line, column, message));
}

// Skips blanks and comments; npos when a comment is not closed.
size_t skip_blanks(std::string_view script, size_t at) {
  while (at < script.size()) {
    if (script[at] == ' ' || script[at] == '\n' || script[at] == '\t' || script[at] == '\r') {
      ++at;
    } else if (script.substr(at, 2) == "--") {
      at = std::min(script.find('\n', at), script.size());
    } else if (script.substr(at, 2) == "/*") {
      size_t close = script.find("*/", at + 2);
      if (close == std::string_view::npos) return std::string_view::npos;
      at = close + 2;
    } else {
      break;
    }
  }
  return at;
}

Result<std::vector<Token>> tokenize(std::string_view script) {
  std::vector<Token> tokens;
  for (size_t at = 0;;) {
    size_t begin = skip_blanks(script, at);
    if (begin == std::string_view::npos)
      return error_at(script, at, Code::invalid, "syntax", "comment is not closed");
    if (begin >= script.size()) break;
    Token token;
    token.begin = begin;
    char first = script[begin];
    size_t end = begin + 1;
    if (first == '\'' || first == '`' || first == '"') {
      token.kind = first == '\'' ? Token::string : Token::name;
      for (;; ++end) {
        if (end >= script.size()) {
          return error_at(script, begin, Code::invalid, "syntax",
                          fmt::format("{} is not closed", first));
        }
        if (script[end] == first) {
          if (end + 1 >= script.size() || script[end + 1] != first) break;
          ++end;  // doubled
        }
        token.text += script[end];
      }
      ++end;
    } else if (is_word_character(first)) {
      while (end < script.size() && is_word_character(script[end])) ++end;
      token.text = script.substr(begin, end - begin);
      token.kind = first >= '0' && first <= '9' ? Token::number : Token::word;
      token.upper = upper_case(token.text);
    } else {
      token.kind = Token::symbol;
      token.text = script.substr(begin, 1);
    }
    token.end_at = at = end;
    tokens.push_back(std::move(token));
  }
  Token last;
  last.begin = last.end_at = script.size();
  tokens.push_back(last);
  return tokens;
}

class Parser {
 public:
  Parser(std::string_view script, std::vector<Token> tokens)
      : script_(script), tokens_(std::move(tokens)) {}

  Result<std::vector<Statement>> parse() {
    std::vector<Statement> out;
    while (now().kind != Token::end) {
      if (accept_symbol(";")) continue;
      ASSIGN_OR_RETURN(Statement statement, statement_here());
      out.push_back(std::move(statement));
      if (now().kind != Token::end && !accept_symbol(";")) return expected("';'");
    }
    return out;
  }

 private:
  std::string_view script_;
  std::vector<Token> tokens_;
  size_t at_ = 0;

  const Token& now() const { return tokens_[at_]; }
  bool is_word(std::string_view upper) const {
    return now().kind == Token::word && now().upper == upper;
  }
  bool is_symbol(std::string_view text) const {
    return now().kind == Token::symbol && now().text == text;
  }
  bool accept_word(std::string_view upper) {
    bool found = is_word(upper);
    at_ += found;
    return found;
  }
  bool accept_symbol(std::string_view text) {
    bool found = is_symbol(text);
    at_ += found;
    return found;
  }
  std::unexpected<Error> expected(const std::string& what) const {
    std::string found = now().kind == Token::end ? "the end" : fmt::format("'{}'", now().text);
    return error_at(script_, now().begin, Code::invalid, "syntax",
                    fmt::format("expected {}, found {}", what, found));
  }
  std::unexpected<Error> unsupported(size_t at, const std::string& what) const {
    return error_at(script_, at, Code::unsupported, "statement", what + " is not supported");
  }
  Status need_word(std::string_view upper) {
    if (accept_word(upper)) return {};
    return expected(std::string(upper));
  }
  Status need_symbol(std::string_view text) {
    if (accept_symbol(text)) return {};
    return expected(fmt::format("'{}'", text));
  }
  Result<std::string> need_name() {
    if (now().kind != Token::word && now().kind != Token::name) return expected("a name");
    return tokens_[at_++].text;
  }
  Result<std::string> need_string() {
    if (now().kind != Token::string) return expected("a string");
    return tokens_[at_++].text;
  }

  Result<Statement> statement_here() {
    if (is_word("CREATE")) return create();
    if (is_word("INSERT")) return insert();
    if (accept_word("SHOW")) {
      RETURN_IF_ERROR(need_word("JOBS"));
      return JobCommand{JobAction::show, ""};
    }
    static constexpr std::pair<const char*, JobAction> kActions[] = {
        {"PAUSE", JobAction::pause}, {"RESUME", JobAction::resume}, {"STOP", JobAction::stop}};
    for (auto [word, action] : kActions) {
      if (!accept_word(word)) continue;
      RETURN_IF_ERROR(need_word("JOB"));
      ASSIGN_OR_RETURN(std::string job, need_string());
      return JobCommand{action, std::move(job)};
    }
    return unsupported(now().begin, now().upper.empty() ? "this statement" : now().upper);
  }

  Result<Statement> create() {
    CreateSource out;
    size_t begin = now().begin;
    ++at_;
    accept_word("TEMPORARY");
    if (!is_word("TABLE")) return unsupported(now().begin, "CREATE " + now().upper);
    ++at_;
    if (accept_word("IF")) {
      RETURN_IF_ERROR(need_word("NOT"));
      RETURN_IF_ERROR(need_word("EXISTS"));
    }
    ASSIGN_OR_RETURN(out.name, need_name());
    if (is_symbol(".")) return unsupported(now().begin, "a qualified name for a source table");
    RETURN_IF_ERROR(need_symbol("("));
    do {
      RETURN_IF_ERROR(column(out));
    } while (accept_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    if (!is_word("WITH"))
      return is_symbol(";") ? expected("WITH (...)") : unsupported(now().begin, now().upper);
    ++at_;
    RETURN_IF_ERROR(options(out.options));
    out.text = script_.substr(begin, tokens_[at_ - 1].end_at - begin);
    return out;
  }

  Status column(CreateSource& out) {
    for (const char* word : {"WATERMARK", "PRIMARY", "CONSTRAINT"}) {
      if (is_word(word)) return unsupported(now().begin, std::string(word) + " in a source table");
    }
    SourceColumn column;
    ASSIGN_OR_RETURN(column.name, need_name());
    if (is_word("AS")) return unsupported(now().begin, "a computed column");
    ASSIGN_OR_RETURN(column.type, type(0));
    for (;;) {
      if (accept_word("METADATA")) {
        column.metadata = column.name;
        if (accept_word("FROM")) {
          ASSIGN_OR_RETURN(*column.metadata, need_string());
        }
      } else if (accept_word("NOT")) {
        RETURN_IF_ERROR(need_word("NULL"));
        column.required = true;
      } else if (accept_word("COMMENT")) {
        RETURN_IF_ERROR(need_string());
      } else if (!accept_word("VIRTUAL") && !accept_word("NULL")) {
        break;
      }
    }
    auto same = [&](const SourceColumn& other) { return other.name == column.name; };
    if (std::ranges::any_of(out.columns, same)) {
      return error_at(script_, now().begin, Code::invalid, "syntax",
                      "column '" + column.name + "' stands twice");
    }
    out.columns.push_back(std::move(column));
    return {};
  }

  Status options(std::map<std::string, std::string>& out) {
    RETURN_IF_ERROR(need_symbol("("));
    do {
      ASSIGN_OR_RETURN(std::string key, need_string());
      RETURN_IF_ERROR(need_symbol("="));
      ASSIGN_OR_RETURN(out[key], need_string());
    } while (accept_symbol(","));
    return need_symbol(")");
  }

  // Optional (p) or (p, s).
  Result<std::vector<int32_t>> parameters() {
    std::vector<int32_t> out;
    if (!accept_symbol("(")) return out;
    do {
      if (now().kind != Token::number || now().text.size() > 9) return expected("a number");
      out.push_back(std::stoi(tokens_[at_++].text));
    } while (accept_symbol(","));
    RETURN_IF_ERROR(need_symbol(")"));
    return out;
  }

  // Flink's type names. https://nightlies.apache.org/flink/flink-docs-stable/docs/dev/table/types/
  Result<sql::Type> type(int depth) {
    using sql::Type;
    using sql::TypeKind;
    if (depth > 16) return unsupported(now().begin, "a type nested this deep");
    size_t begin = now().begin;
    if (now().kind != Token::word) return expected("a type");
    std::string word = tokens_[at_++].upper;
    if (word == "ARRAY" || word == "MAP" || word == "ROW") return nested_type(word, depth);
    ASSIGN_OR_RETURN(std::vector<int32_t> given, parameters());
    auto parameter = [&](size_t i, int32_t fallback) {
      return i < given.size() ? given[i] : fallback;
    };
    static const std::map<std::string, TypeKind, std::less<>> kPlain = {
        {"BOOLEAN", TypeKind::boolean},   {"TINYINT", TypeKind::tinyint},
        {"SMALLINT", TypeKind::smallint}, {"INT", TypeKind::integer},
        {"INTEGER", TypeKind::integer},   {"BIGINT", TypeKind::bigint},
        {"FLOAT", TypeKind::real},        {"DATE", TypeKind::date},
        {"BYTES", TypeKind::varbinary}};
    if (auto found = kPlain.find(word); found != kPlain.end()) return Type(found->second);
    if (word == "DOUBLE") {
      accept_word("PRECISION");
      return Type(TypeKind::double_);
    }
    if (word == "STRING") return Type::varchar();
    if (word == "VARCHAR") return Type::varchar(parameter(0, 1));
    if (word == "CHAR") return Type(TypeKind::char_, parameter(0, 1));
    if (word == "DECIMAL" || word == "DEC" || word == "NUMERIC") {
      int32_t p = parameter(0, 10), s = parameter(1, 0);
      if (p < 1 || p > 38 || s > p)
        return error_at(script_, begin, Code::invalid, "syntax", "decimal out of range");
      return Type::decimal(p, s);
    }
    if (word == "TIME") return Type(TypeKind::time, std::min(parameter(0, 0), 6));
    bool local = word == "TIMESTAMP_LTZ";
    if (word == "TIMESTAMP" || local) {
      int32_t p = parameter(0, 6);
      if (p > 6) return unsupported(begin, "timestamps finer than microseconds");
      if (accept_word("WITH")) {
        local = accept_word("LOCAL");
        if (!local) return unsupported(begin, "TIMESTAMP WITH TIME ZONE");
        RETURN_IF_ERROR(need_word("TIME"));
        RETURN_IF_ERROR(need_word("ZONE"));
      } else if (accept_word("WITHOUT")) {
        RETURN_IF_ERROR(need_word("TIME"));
        RETURN_IF_ERROR(need_word("ZONE"));
      }
      return Type(local ? TypeKind::timestamp_tz : TypeKind::timestamp, p);
    }
    return unsupported(begin, "type " + word);
  }

  Result<sql::Type> nested_type(const std::string& word, int depth) {
    bool angle = is_symbol("<");
    if (!angle && !(word == "ROW" && is_symbol("("))) return expected("'<'");
    ++at_;
    sql::Type out;
    if (word == "ROW") {
      std::vector<sql::Field> fields;
      do {
        ASSIGN_OR_RETURN(std::string name, need_name());
        ASSIGN_OR_RETURN(sql::Type field, type(depth + 1));
        fields.push_back({std::move(name), std::move(field)});
      } while (accept_symbol(","));
      out = sql::Type::row(std::move(fields));
    } else {
      ASSIGN_OR_RETURN(sql::Type first, type(depth + 1));
      if (word == "MAP") {
        RETURN_IF_ERROR(need_symbol(","));
        ASSIGN_OR_RETURN(sql::Type second, type(depth + 1));
        out = sql::Type::map(std::move(first), std::move(second));
      } else {
        out = sql::Type::array(std::move(first));
      }
    }
    RETURN_IF_ERROR(need_symbol(angle ? ">" : ")"));
    return out;
  }

  Result<Statement> insert() {
    InsertInto out;
    size_t begin = now().begin;
    ++at_;
    if (!is_word("INTO")) return unsupported(now().begin, "INSERT " + now().upper);
    ++at_;
    do {
      ASSIGN_OR_RETURN(std::string part, need_name());
      out.target.push_back(std::move(part));
    } while (accept_symbol("."));
    if (out.target.size() != 3) {
      return error_at(script_, begin, Code::invalid, "syntax",
                      "the target of INSERT INTO is catalog.schema.table");
    }
    if (accept_symbol("(")) {
      do {
        ASSIGN_OR_RETURN(std::string column, need_name());
        out.columns.push_back(std::move(column));
      } while (accept_symbol(","));
      RETURN_IF_ERROR(need_symbol(")"));
    }
    if (!is_word("SELECT") && !is_word("WITH")) return expected("SELECT");
    // The query keeps its text; only the quotes of names differ between the two dialects.
    size_t copied = now().begin;
    while (now().kind != Token::end && !is_symbol(";")) {
      const Token& token = tokens_[at_++];
      if (token.kind != Token::name || script_[token.begin] != '`') continue;
      out.query += script_.substr(copied, token.begin - copied);
      out.query += '"';
      for (char c : token.text) out.query += c == '"' ? std::string("\"\"") : std::string(1, c);
      out.query += '"';
      copied = token.end_at;
    }
    out.query += script_.substr(copied, tokens_[at_ - 1].end_at - copied);
    out.text = script_.substr(begin, tokens_[at_ - 1].end_at - begin);
    return out;
  }
};

}  // namespace

Result<std::vector<Statement>> parse_script(std::string_view script) {
  ASSIGN_OR_RETURN(std::vector<Token> tokens, tokenize(script));
  return Parser(script, std::move(tokens)).parse();
}

}  // namespace aichemy::jobs
