#include "sql/types/json_path.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

namespace aichemy::sql {
namespace {

using Kind = JsonPathStep::Kind;
constexpr int kDepthMax = 200;
constexpr std::string_view kMethods[] = {"type",  "size", "double",   "ceiling",
                                         "floor", "abs",  "keyvalue", "datetime"};

JsonPathPtr make(Kind kind, std::string text = {}) {
  auto made = std::make_unique<JsonPathStep>();
  made->kind = kind;
  made->text = std::move(text);
  return made;
}
JsonPathPtr make(Kind kind, JsonPathPtr first, std::string text = {}) {
  auto made = make(kind, std::move(text));
  made->args.push_back(std::move(first));
  return made;
}

class PathParser {
 public:
  explicit PathParser(std::string_view text) : text_(text) {}

  Result<JsonPath> run() {
    JsonPath made;
    if (word("strict"))
      made.strict = true;
    else if (!word("lax"))
      return broken("expecting 'lax' or 'strict'");
    ASSIGN_OR_RETURN(made.root, expression());
    blank();
    if (at_ < text_.size()) return broken("unexpected text");
    return made;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
  int depth_ = 0;

  std::unexpected<Error> broken(std::string_view why) const {
    return fail(Code::invalid, "SYNTAX_ERROR",
                fmt::format("Invalid JSON path at {}: {}", at_ + 1, why));
  }
  void blank() {
    while (at_ < text_.size() && std::isspace(static_cast<unsigned char>(text_[at_]))) ++at_;
  }
  bool symbol(std::string_view what) {
    blank();
    if (text_.substr(at_, what.size()) != what) return false;
    at_ += what.size();
    return true;
  }
  static bool name_char(char c) {
    return std::isalnum(static_cast<unsigned char>(c)) || c == '_' ||
           static_cast<unsigned char>(c) >= 0x80;
  }
  std::string_view peek_name() {
    blank();
    size_t end = at_;
    while (end < text_.size() && name_char(text_[end])) ++end;
    return text_.substr(at_, end - at_);
  }
  bool word(std::string_view what) {
    std::string_view name = peek_name();
    if (name != what) return false;
    at_ += name.size();
    return true;
  }
  Result<std::string> quoted() {
    blank();
    size_t begin = at_++;
    while (at_ < text_.size() && text_[at_] != '"') at_ += text_[at_] == '\\' ? 2 : 1;
    if (at_ >= text_.size()) return broken("unterminated string");
    ++at_;
    std::string_view raw = text_.substr(begin, at_ - begin);
    auto parsed = parse_json(raw, false);
    if (parsed) return parsed->text;
    // Only the quote need be escaped for us: "\x{41}" is a regular expression.
    std::string made;
    for (size_t i = 1; i + 1 < raw.size(); ++i) {
      if (raw[i] == '\\' && raw[i + 1] == '"') ++i;
      made += raw[i];
    }
    return made;
  }

  Result<JsonPathPtr> expression() {
    ASSIGN_OR_RETURN(JsonPathPtr left, product());
    while (true) {
      std::string op = symbol("+") ? "+" : symbol("-") ? "-" : "";
      if (op.empty()) return left;
      ASSIGN_OR_RETURN(JsonPathPtr right, product());
      left = make(Kind::arithmetic, std::move(left), op);
      left->args.push_back(std::move(right));
    }
  }
  Result<JsonPathPtr> product() {
    ASSIGN_OR_RETURN(JsonPathPtr left, signed_value());
    while (true) {
      std::string op = symbol("*") ? "*" : symbol("/") ? "/" : symbol("%") ? "%" : "";
      if (op.empty()) return left;
      ASSIGN_OR_RETURN(JsonPathPtr right, signed_value());
      left = make(Kind::arithmetic, std::move(left), op);
      left->args.push_back(std::move(right));
    }
  }
  Result<JsonPathPtr> signed_value() {
    if (++depth_ > kDepthMax) return broken("nested too deeply");
    std::string op = symbol("-") ? "-" : symbol("+") ? "+" : "";
    auto made = op.empty() ? accessors() : signed_value();
    --depth_;
    if (!made || op.empty()) return made;
    return make(Kind::arithmetic, std::move(*made), op);
  }

  Result<JsonPathPtr> accessors() {
    ASSIGN_OR_RETURN(JsonPathPtr value, primary());
    while (true) {
      if (symbol("..")) {
        ASSIGN_OR_RETURN(std::string name, key());
        value = make(Kind::descendant, std::move(value), name);
      } else if (symbol(".")) {
        if (symbol("*")) {
          value = make(Kind::members, std::move(value));
          continue;
        }
        ASSIGN_OR_RETURN(std::string name, key());
        if (symbol("(")) {
          if (!symbol(")")) return broken("expecting ')'");
          if (std::ranges::find(kMethods, name) == std::end(kMethods))
            return broken(fmt::format("unknown method {}", name));
          value = make(Kind::method, std::move(value), name);
        } else {
          value = make(Kind::member, std::move(value), name);
        }
      } else if (symbol("[")) {
        ASSIGN_OR_RETURN(value, subscripts(std::move(value)));
      } else if (symbol("?")) {
        if (!symbol("(")) return broken("expecting '('");
        ASSIGN_OR_RETURN(JsonPathPtr test, predicate());
        if (!symbol(")")) return broken("expecting ')'");
        value = make(Kind::filter, std::move(value));
        value->args.push_back(std::move(test));
      } else {
        return value;
      }
    }
  }
  Result<std::string> key() {
    blank();
    if (at_ < text_.size() && text_[at_] == '"') return quoted();
    std::string_view name = peek_name();
    if (name.empty()) return broken("expecting a name");
    at_ += name.size();
    return std::string(name);
  }
  Result<JsonPathPtr> subscripts(JsonPathPtr value) {
    if (symbol("*")) {
      if (!symbol("]")) return broken("expecting ']'");
      return make(Kind::items, std::move(value));
    }
    auto made = make(Kind::subscript, std::move(value));
    do {
      ASSIGN_OR_RETURN(JsonPathPtr from, expression());
      JsonPathPtr to;
      if (word("to")) {
        ASSIGN_OR_RETURN(to, expression());
      }
      made->args.push_back(std::move(from));
      made->args.push_back(std::move(to));
    } while (symbol(","));
    if (!symbol("]")) return broken("expecting ']'");
    return made;
  }
  Result<JsonPathPtr> primary() {
    blank();
    if (at_ >= text_.size()) return broken("unexpected end");
    char c = text_[at_];
    if (c == '$') {
      ++at_;
      size_t end = at_;
      while (end < text_.size() && name_char(text_[end])) ++end;
      std::string name(text_.substr(at_, end - at_));
      at_ = end;
      return name.empty() ? make(Kind::context) : make(Kind::variable, std::move(name));
    }
    if (symbol("@")) return make(Kind::current);
    if (symbol("(")) {
      ASSIGN_OR_RETURN(JsonPathPtr inner, expression());
      if (!symbol(")")) return broken("expecting ')'");
      return inner;
    }
    auto literal = make(Kind::literal);
    if (c == '"') {
      ASSIGN_OR_RETURN(std::string value, quoted());
      literal->value = JsonNode::of_text(std::move(value));
      return literal;
    }
    if (std::isdigit(static_cast<unsigned char>(c)) || c == '.') {
      size_t end = at_;
      while (end < text_.size() &&
             (std::isdigit(static_cast<unsigned char>(text_[end])) ||
              (text_[end] == '.' && end + 1 < text_.size() && text_[end + 1] != '.' &&
               std::isdigit(static_cast<unsigned char>(text_[end + 1]))) ||
              text_[end] == 'e' || text_[end] == 'E' ||
              ((text_[end] == '-' || text_[end] == '+') &&
               (text_[end - 1] == 'e' || text_[end - 1] == 'E'))))
        ++end;
      literal->value = JsonNode::of_number(std::string(text_.substr(at_, end - at_)));
      at_ = end;
      return literal;
    }
    if (word("last")) return make(Kind::last);
    if (word("true") || word("false")) {
      literal->value = JsonNode::of_bool(text_[at_ - 1] == 'e' && text_[at_ - 2] == 'u');
      return literal;
    }
    if (word("null")) return literal;
    return broken("unexpected text");
  }

  Result<JsonPathPtr> predicate() {
    ASSIGN_OR_RETURN(JsonPathPtr left, conjunction());
    while (symbol("||")) {
      ASSIGN_OR_RETURN(JsonPathPtr right, conjunction());
      left = make(Kind::or_, std::move(left));
      left->args.push_back(std::move(right));
    }
    return left;
  }
  Result<JsonPathPtr> conjunction() {
    ASSIGN_OR_RETURN(JsonPathPtr left, test());
    while (symbol("&&")) {
      ASSIGN_OR_RETURN(JsonPathPtr right, test());
      left = make(Kind::and_, std::move(left));
      left->args.push_back(std::move(right));
    }
    return left;
  }
  Result<JsonPathPtr> test() {
    if (++depth_ > kDepthMax) return broken("nested too deeply");
    auto made = test_here();
    --depth_;
    return made;
  }
  Result<JsonPathPtr> test_here() {
    blank();
    if (text_.substr(at_, 1) == "!" && text_.substr(at_, 2) != "!=") {
      ++at_;
      ASSIGN_OR_RETURN(JsonPathPtr inner, test());
      return make(Kind::not_, std::move(inner));
    }
    if (word("exists")) {
      if (!symbol("(")) return broken("expecting '('");
      ASSIGN_OR_RETURN(JsonPathPtr inner, expression());
      if (!symbol(")")) return broken("expecting ')'");
      return make(Kind::exists, std::move(inner));
    }
    // "(" opens a predicate or a value: whichever reads.
    if (text_.substr(at_, 1) == "(") {
      size_t saved = at_++;
      auto inner = predicate();
      if (inner && symbol(")")) {
        if (!word("is")) return inner;
        if (!word("unknown")) return broken("expecting 'unknown'");
        return make(Kind::is_unknown, std::move(*inner));
      }
      at_ = saved;
    }
    return comparison();
  }
  Result<JsonPathPtr> comparison() {
    ASSIGN_OR_RETURN(JsonPathPtr left, expression());
    if (word("starts")) {
      if (!word("with")) return broken("expecting 'with'");
      ASSIGN_OR_RETURN(JsonPathPtr prefix, primary());
      left = make(Kind::starts_with, std::move(left));
      left->args.push_back(std::move(prefix));
      return left;
    }
    if (word("like_regex")) {
      blank();
      if (text_.substr(at_, 1) != "\"") return broken("expecting a string");
      ASSIGN_OR_RETURN(std::string pattern, quoted());
      // XQuery's regular expressions have no such groups.
      for (size_t i = pattern.find("(?"); i != std::string::npos; i = pattern.find("(?", i + 1)) {
        if (pattern.substr(i, 3) != "(?:")
          return fail(Code::invalid, "INVALID_PATH", "unsupported regular expression");
      }
      left = make(Kind::like_regex, std::move(left), std::move(pattern));
      if (word("flag")) {
        ASSIGN_OR_RETURN(left->flags, quoted());
      }
      return left;
    }
    for (std::string_view op : {"==", "!=", "<>", "<=", ">=", "=", "<", ">"}) {
      if (!symbol(op)) continue;
      ASSIGN_OR_RETURN(JsonPathPtr right, expression());
      std::string name(op == "=" ? "==" : op == "<>" ? "!=" : op);
      left = make(Kind::compare, std::move(left), std::move(name));
      left->args.push_back(std::move(right));
      return left;
    }
    return broken("expecting a comparison");
  }
};

}  // namespace

Result<JsonPath> parse_json_path(std::string_view text) { return PathParser(text).run(); }

}  // namespace aichemy::sql
