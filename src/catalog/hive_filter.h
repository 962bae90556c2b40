// The filter language of the Metastore: comparisons of a key with a literal, AND, OR, NOT,
// parentheses, LIKE, IN and BETWEEN. Quoted literals compare as text, bare numbers as numbers.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::catalog {

class HiveFilter {
 public:
  // invalid ("invalid_filter"), naming where. Limits: 64 levels, 64 KiB.
  static Result<HiveFilter> parse(std::string_view text);

  // In the order of appearance, with repetitions.
  const std::vector<std::string>& keys() const { return keys_; }
  // `value_of` answers nothing for a null, which no comparison accepts.
  using ValueOf = std::function<std::optional<std::string>(const std::string& key)>;
  bool accepts(const ValueOf& value_of) const;

  struct Literal {
    std::string text;
    bool is_number = false;
  };
  enum class Operator : uint8_t {
    equal,
    not_equal,
    less,
    less_equal,
    greater,
    greater_equal,
    like,
    in,
    between,
    all_of,
    any_of,
    negation
  };
  struct Node {
    Operator op = Operator::equal;
    std::string key;
    std::vector<Literal> literals;
    std::vector<Node> children;
  };

 private:
  Node root_;
  std::vector<std::string> keys_;
};

}  // namespace aichemy::catalog
