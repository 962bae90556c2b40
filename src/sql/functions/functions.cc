#include "sql/functions/functions.h"

#include <fmt/format.h>

#include <cctype>
#include <map>
#include <string>

#include "base/check.h"

namespace aichemy::sql {
namespace {

class SignatureParser {
 public:
  explicit SignatureParser(std::string_view text) : text_(text) {}

  Result<Signature> run() {
    Signature made;
    blank();
    while (!at("->")) {
      ASSIGN_OR_RETURN(Pattern parameter, pattern());
      made.parameters.push_back(std::move(parameter));
      if (at("...")) {
        made.variadic = true;
        next_ += 3;
      }
      blank();
      if (at(",")) ++next_;
      blank();
      if (next_ >= text_.size()) return broken();
    }
    next_ += 2;
    ASSIGN_OR_RETURN(made.result, pattern());
    blank();
    if (next_ != text_.size()) return broken();
    return made;
  }

 private:
  std::string_view text_;
  size_t next_ = 0;

  std::unexpected<Error> broken() const {
    return fail(Code::internal, "signature", fmt::format("bad signature '{}' at {}", text_, next_));
  }
  bool at(std::string_view what) const { return text_.substr(next_, what.size()) == what; }
  void blank() {
    while (next_ < text_.size() && text_[next_] == ' ') ++next_;
  }

  // varchar, decimal, timestamp: of any length or precision.
  bool any_length(const std::string& word, Pattern& made) const {
    struct Row {
      std::string_view word;
      Type type;
    };
    static const Row kRows[] = {{"varchar", Type::varchar()},
                                {"char", Type(TypeKind::char_, 1)},
                                {"decimal", Type::decimal(38, 0)},
                                {"time", Type(TypeKind::time, 3)},
                                {"time_tz", Type(TypeKind::time_tz, 3)},
                                {"timestamp", Type(TypeKind::timestamp, 3)},
                                {"timestamp6", Type(TypeKind::timestamp, 6)},
                                {"timestamp_tz", Type(TypeKind::timestamp_tz, 3)}};
    for (const auto& row : kRows) {
      if (row.word != word || at("(")) continue;
      made.kind = Pattern::Kind::any_length;
      made.type = row.type;
      if (word == "timestamp6") made.precision_max = 6;
      return true;
    }
    return false;
  }

  Result<Pattern> pattern() {
    blank();
    Pattern made;
    if (at("$")) {
      made.kind = Pattern::Kind::same_as;
      made.argument = static_cast<size_t>(text_[next_ + 1] - '0');
      next_ += 2;
      return made;
    }
    if (next_ < text_.size() && std::isupper(static_cast<unsigned char>(text_[next_])) &&
        (next_ + 1 >= text_.size() ||
         !std::isalpha(static_cast<unsigned char>(text_[next_ + 1])))) {
      made.kind = Pattern::Kind::variable;
      made.variable = text_[next_++];
      return made;
    }
    size_t begin = next_;
    while (next_ < text_.size() &&
           (std::isalnum(static_cast<unsigned char>(text_[next_])) || text_[next_] == '_'))
      ++next_;
    std::string word(text_.substr(begin, next_ - begin));
    static const std::map<std::string, TypeKind> kNested = {{"array", TypeKind::array},
                                                            {"map", TypeKind::map},
                                                            {"row", TypeKind::row},
                                                            {"function", TypeKind::function}};
    if (auto nested = kNested.find(word); nested != kNested.end() && at("(")) {
      made.kind = Pattern::Kind::nested;
      made.nested = nested->second;
      ++next_;
      while (!at(")")) {
        ASSIGN_OR_RETURN(Pattern child, pattern());
        made.children.push_back(std::move(child));
        blank();
        if (at(",")) ++next_;
        blank();
        if (next_ >= text_.size()) return broken();
      }
      ++next_;
      return made;
    }
    if (any_length(word, made)) return made;
    // A fixed type, possibly of several words: up to a comma, "->" or the closing parenthesis.
    int depth = 0;
    while (next_ < text_.size() && !(depth == 0 && (at(",") || at(")") || at("->") || at("...")))) {
      if (at("(")) ++depth;
      if (at(")")) --depth;
      ++next_;
    }
    std::string name(text_.substr(begin, next_ - begin));
    while (!name.empty() && name.back() == ' ') name.pop_back();
    auto type = parse_type(name);
    if (!type) return broken();
    made.type = std::move(*type);
    return made;
  }
};

const std::multimap<std::string, const FunctionRow*, std::less<>>& index() {
  static const auto* made = [] {
    auto* rows = new std::multimap<std::string, const FunctionRow*, std::less<>>();
    for (auto* table :
         {&scalar_functions_text(), &scalar_functions_number(), &scalar_functions_time(),
          &scalar_functions_bytes(), &scalar_functions_nested(), &scalar_functions_statistics(),
          &functions_geo(), &aggregate_functions()}) {
      for (const auto& row : *table) rows->emplace(row.name, &row);
    }
    return rows;
  }();
  return *made;
}

}  // namespace

Result<Signature> parse_signature(std::string_view text) { return SignatureParser(text).run(); }

std::vector<const FunctionRow*> functions_named(std::string_view name) {
  std::vector<const FunctionRow*> found;
  auto [begin, end] = index().equal_range(name);
  for (auto it = begin; it != end; ++it) found.push_back(it->second);
  return found;
}

std::vector<const FunctionRow*> all_functions() {
  std::vector<const FunctionRow*> found;
  for (const auto& [name, row] : index()) found.push_back(row);
  return found;
}

}  // namespace aichemy::sql
