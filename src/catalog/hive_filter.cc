#include "catalog/hive_filter.h"

#include <charconv>

#include "catalog/hive_rows.h"

namespace aichemy::catalog {

namespace {

using Node = HiveFilter::Node;
using Literal = HiveFilter::Literal;
using Operator = HiveFilter::Operator;

constexpr size_t kTextBytesMax = 64 << 10;
constexpr int kLevelsMax = 64;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_' ||
         c == '.' || c == '-' || static_cast<uint8_t>(c) >= 0x80;
}

struct Token {
  enum class Kind : uint8_t { end, word, number, text, symbol };
  Kind kind = Kind::end;
  std::string text;
};

class Parser {
 public:
  Parser(std::string_view text, std::vector<std::string>& keys) : text_(text), keys_(keys) {}

  Result<Node> run() {
    RETURN_IF_ERROR(next());
    ASSIGN_OR_RETURN(Node node, any_of(0));
    if (token_.kind != Token::Kind::end) return broken("an operator");
    return node;
  }

 private:
  std::string_view text_;
  size_t position_ = 0;
  size_t token_at_ = 0;
  Token token_;
  std::vector<std::string>& keys_;

  std::unexpected<Error> broken(const char* wanted) const {
    return fail(Code::invalid, "invalid_filter",
                "Error parsing partition filter: " + std::string(wanted) +
                    " is expected at position " + std::to_string(token_at_) +
                    " of: " + std::string(text_.substr(0, 500)));
  }

  Status next() {
    while (position_ < text_.size() && (text_[position_] == ' ' || text_[position_] == '\t' ||
                                        text_[position_] == '\n' || text_[position_] == '\r')) {
      ++position_;
    }
    token_at_ = position_;
    token_ = {};
    if (position_ == text_.size()) return {};
    char c = text_[position_];
    if (c == '"' || c == '\'') return quoted(c);
    if (is_word(c)) {
      size_t begin = position_;
      while (position_ < text_.size() && is_word(text_[position_])) ++position_;
      token_.text = text_.substr(begin, position_ - begin);
      bool digits = token_.text.find_first_not_of("0123456789.-") == std::string::npos &&
                    token_.text.find('-', 1) == std::string::npos;
      token_.kind = digits ? Token::Kind::number : Token::Kind::word;
      return {};
    }
    static constexpr std::string_view kSymbols[] = {"<=", ">=", "!=", "<>", "=",
                                                    "<",  ">",  "(",  ")",  ","};
    for (std::string_view symbol : kSymbols) {
      if (!text_.substr(position_).starts_with(symbol)) continue;
      position_ += symbol.size();
      token_ = {Token::Kind::symbol, std::string(symbol)};
      return {};
    }
    return broken("a key, a literal or an operator");
  }

  Status quoted(char quote) {
    token_.kind = Token::Kind::text;
    for (++position_; position_ < text_.size(); ++position_) {
      char c = text_[position_];
      if (c == quote) {
        ++position_;
        return {};
      }
      if (c == '\\' && position_ + 1 < text_.size()) c = text_[++position_];
      token_.text.push_back(c);
    }
    return broken("a closing quote");
  }

  bool is_keyword(std::string_view word) const {
    return token_.kind == Token::Kind::word && lower(token_.text) == word;
  }
  bool is_symbol(std::string_view symbol) const {
    return token_.kind == Token::Kind::symbol && token_.text == symbol;
  }

  Result<Node> any_of(int level) { return chain(level, "or", Operator::any_of); }

  Result<Node> chain(int level, std::string_view word, Operator op) {
    if (level > kLevelsMax) return broken("fewer levels of nesting");
    auto part = [&] {
      return op == Operator::any_of ? chain(level + 1, "and", Operator::all_of) : term(level + 1);
    };
    ASSIGN_OR_RETURN(Node first, part());
    if (!is_keyword(word)) return first;
    Node node{op, "", {}, {}};
    node.children.push_back(std::move(first));
    while (is_keyword(word)) {
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Node child, part());
      node.children.push_back(std::move(child));
    }
    return node;
  }

  Result<Node> term(int level) {
    if (level > kLevelsMax) return broken("fewer levels of nesting");
    if (is_keyword("not")) {
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Node inner, term(level + 1));
      return negated(std::move(inner));
    }
    if (is_symbol("(")) {
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Node inner, any_of(level + 1));
      if (!is_symbol(")")) return broken(")");
      RETURN_IF_ERROR(next());
      return inner;
    }
    return comparison();
  }

  static Node negated(Node inner) {
    Node node{Operator::negation, "", {}, {}};
    node.children.push_back(std::move(inner));
    return node;
  }

  Result<Literal> literal() {
    if (token_.kind != Token::Kind::text && token_.kind != Token::Kind::number)
      return broken("a literal");
    Literal literal{token_.text, token_.kind == Token::Kind::number};
    RETURN_IF_ERROR(next());
    return literal;
  }

  Result<Operator> comparison_operator() {
    static constexpr std::pair<std::string_view, Operator> kOperators[] = {
        {"=", Operator::equal},         {"!=", Operator::not_equal},  {"<>", Operator::not_equal},
        {"<", Operator::less},          {"<=", Operator::less_equal}, {">", Operator::greater},
        {">=", Operator::greater_equal}};
    for (const auto& [symbol, op] : kOperators) {
      if (is_symbol(symbol)) {
        RETURN_IF_ERROR(next());
        return op;
      }
    }
    return broken("a comparison");
  }

  // key op literal, literal op key, key [not] like/in/between.
  Result<Node> comparison() {
    Node node;
    if (token_.kind != Token::Kind::word) {
      ASSIGN_OR_RETURN(Literal left, literal());
      ASSIGN_OR_RETURN(Operator op, comparison_operator());
      static constexpr Operator kMirrored[] = {Operator::equal,   Operator::not_equal,
                                               Operator::greater, Operator::greater_equal,
                                               Operator::less,    Operator::less_equal};
      node.op = kMirrored[static_cast<size_t>(op)];
      node.literals = {std::move(left)};
      if (token_.kind != Token::Kind::word) return broken("a key");
      take_key(&node);
      RETURN_IF_ERROR(next());
      return node;
    }
    take_key(&node);
    RETURN_IF_ERROR(next());
    bool negate = is_keyword("not");
    if (negate) RETURN_IF_ERROR(next());
    if (is_keyword("like")) {
      node.op = Operator::like;
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Literal pattern, literal());
      node.literals = {std::move(pattern)};
    } else if (is_keyword("in")) {
      RETURN_IF_ERROR(in_list(&node));
    } else if (is_keyword("between")) {
      node.op = Operator::between;
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Literal low, literal());
      if (!is_keyword("and")) return broken("AND");
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Literal high, literal());
      node.literals = {std::move(low), std::move(high)};
    } else if (negate) {
      return broken("LIKE, IN or BETWEEN");
    } else {
      ASSIGN_OR_RETURN(node.op, comparison_operator());
      ASSIGN_OR_RETURN(Literal right, literal());
      node.literals = {std::move(right)};
    }
    return negate ? negated(std::move(node)) : node;
  }

  void take_key(Node* node) {
    node->key = token_.text;
    keys_.push_back(token_.text);
  }

  Status in_list(Node* node) {
    node->op = Operator::in;
    RETURN_IF_ERROR(next());
    if (!is_symbol("(")) return broken("(");
    do {
      RETURN_IF_ERROR(next());
      ASSIGN_OR_RETURN(Literal item, literal());
      node->literals.push_back(std::move(item));
    } while (is_symbol(","));
    if (!is_symbol(")")) return broken(")");
    return next();
  }
};

std::optional<double> number_of(std::string_view text) {
  double value = 0;
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Below, at or above zero; nothing when the two cannot be compared.
std::optional<int> compare(const std::string& value, const Literal& literal) {
  if (literal.is_number) {
    auto left = number_of(value);
    auto right = number_of(literal.text);
    if (!left || !right) return std::nullopt;
    return *left < *right ? -1 : *left > *right ? 1 : 0;
  }
  int order = value.compare(literal.text);
  return order;
}

bool like(std::string_view text, std::string_view pattern) {
  while (!pattern.empty()) {
    if (pattern[0] == '%') {
      pattern.remove_prefix(1);
      if (pattern.empty()) return true;
      for (size_t skipped = 0; skipped <= text.size(); ++skipped) {
        if (like(text.substr(skipped), pattern)) return true;
      }
      return false;
    }
    if (text.empty() || (pattern[0] != '_' && pattern[0] != text[0])) return false;
    text.remove_prefix(1);
    pattern.remove_prefix(1);
  }
  return text.empty();
}

bool accepts_value(const Node& node, const std::string& value) {
  if (node.op == Operator::like) return like(value, node.literals[0].text);
  if (node.op == Operator::in) {
    for (const Literal& item : node.literals) {
      if (compare(value, item) == 0) return true;
    }
    return false;
  }
  auto order = compare(value, node.literals[0]);
  if (!order) return false;
  switch (node.op) {
    case Operator::equal: return *order == 0;
    case Operator::not_equal: return *order != 0;
    case Operator::less: return *order < 0;
    case Operator::less_equal: return *order <= 0;
    case Operator::greater: return *order > 0;
    case Operator::greater_equal: return *order >= 0;
    case Operator::between: {
      auto high = compare(value, node.literals[1]);
      return *order >= 0 && high && *high <= 0;
    }
    default: return false;
  }
}

bool accepts_node(const Node& node, const HiveFilter::ValueOf& value_of) {
  switch (node.op) {
    case Operator::all_of:
      for (const Node& child : node.children) {
        if (!accepts_node(child, value_of)) return false;
      }
      return true;
    case Operator::any_of:
      for (const Node& child : node.children) {
        if (accepts_node(child, value_of)) return true;
      }
      return false;
    case Operator::negation: return !accepts_node(node.children[0], value_of);
    default: {
      auto value = value_of(node.key);
      return value && accepts_value(node, *value);
    }
  }
}

}  // namespace

Result<HiveFilter> HiveFilter::parse(std::string_view text) {
  if (text.size() > kTextBytesMax)
    return fail(Code::invalid, "invalid_filter", "a filter has 64 KiB at most");
  HiveFilter filter;
  ASSIGN_OR_RETURN(filter.root_, Parser(text, filter.keys_).run());
  return filter;
}

bool HiveFilter::accepts(const ValueOf& value_of) const { return accepts_node(root_, value_of); }

}  // namespace aichemy::catalog
