#include "sql/native/json_evaluator.h"

#include <fmt/format.h>
#include <oniguruma.h>

#include <charconv>
#include <cmath>
#include <optional>

namespace aichemy::sql {
namespace {

using Step = JsonPathStep;
using Kind = JsonPathStep::Kind;
using NodeKind = JsonNode::Kind;

std::unexpected<Error> failed(const std::string& why) {
  return fail(Code::invalid, "PATH_EVALUATION_ERROR", "path evaluation failed: " + why);
}
std::unexpected<Error> structural(const std::string& why) {
  return failed("structural error: " + why);
}

double real_of(const JsonNode& node) { return std::strtod(node.text.c_str(), nullptr); }
std::optional<int64_t> whole_of(const JsonNode& node) {
  if (!node.is_integer()) return std::nullopt;
  int64_t value = 0;
  auto [end, error] = std::from_chars(node.text.data(), node.text.data() + node.text.size(), value);
  if (error != std::errc() || end != node.text.data() + node.text.size()) return std::nullopt;
  return value;
}
JsonNode whole(int64_t value) { return JsonNode::of_number(std::to_string(value)); }
JsonNode real(double value) { return JsonNode::of_number(java_double(value)); }

const char* type_name(const JsonNode& node) {
  static constexpr const char* kNames[] = {"null",   "boolean", "number",
                                           "string", "array",   "object"};
  return kNames[static_cast<size_t>(node.kind)];
}

enum class Truth : uint8_t { no, yes, unknown };

class Evaluator {
 public:
  Evaluator(bool strict, const JsonNode& input, const JsonNode& parameters)
      : strict_(strict), input_(input), parameters_(parameters) {}

  Result<JsonSequence> value(const Step& step) {
    switch (step.kind) {
      case Kind::context: return JsonSequence{input_};
      case Kind::current: return JsonSequence{*current_};
      case Kind::last: return JsonSequence{whole(last_)};
      case Kind::literal: return JsonSequence{step.value};
      case Kind::variable: {
        const JsonNode* found = parameters_.member(step.text);
        if (!found) return failed(fmt::format("no value passed for parameter {}", step.text));
        return JsonSequence{*found};
      }
      case Kind::arithmetic: return arithmetic(step);
      default: break;
    }
    ASSIGN_OR_RETURN(JsonSequence base, value(*step.args[0]));
    switch (step.kind) {
      case Kind::member:
      case Kind::members: return members(step, std::move(base));
      case Kind::descendant: {
        JsonSequence made;
        for (const auto& node : base) descend(node, step.text, made);
        return made;
      }
      case Kind::items:
      case Kind::subscript: return subscript(step, base);
      case Kind::filter: return filter(step, unwrapped(std::move(base)));
      case Kind::method: return method(step, std::move(base));
      default: return failed("a predicate where a value is expected");
    }
  }

 private:
  bool strict_;
  const JsonNode& input_;
  const JsonNode& parameters_;
  const JsonNode* current_ = nullptr;
  int64_t last_ = -1;

  JsonSequence unwrapped(JsonSequence from) const {
    if (strict_) return from;
    JsonSequence made;
    for (auto& node : from) {
      if (!node.is(NodeKind::array)) {
        made.push_back(std::move(node));
        continue;
      }
      for (auto& item : node.items) made.push_back(std::move(item));
    }
    return made;
  }

  Result<JsonSequence> members(const Step& step, JsonSequence base) {
    JsonSequence made;
    for (auto& node : unwrapped(std::move(base))) {
      if (!node.is(NodeKind::object)) {
        if (strict_)
          return structural(
              fmt::format("invalid item type. Expected: OBJECT, actual: {}", type_name(node)));
        continue;
      }
      if (step.kind == Kind::members) {
        for (auto& item : node.items) made.push_back(std::move(item));
        continue;
      }
      if (const JsonNode* found = node.member(step.text))
        made.push_back(*found);
      else if (strict_)
        return structural(fmt::format("missing member '{}' in JSON object", step.text));
    }
    return made;
  }

  static void descend(const JsonNode& node, const std::string& name, JsonSequence& made) {
    if (node.is(NodeKind::object)) {
      if (const JsonNode* found = node.member(name)) made.push_back(*found);
    }
    for (const auto& item : node.items) descend(item, name, made);
  }

  Result<int64_t> index(const Step& step) {
    ASSIGN_OR_RETURN(JsonSequence found, value(step));
    if (found.size() != 1 || !found[0].is(NodeKind::number))
      return failed("array subscript 'from' value must be singleton numeric");
    if (auto exact = whole_of(found[0])) return *exact;
    return static_cast<int64_t>(std::trunc(real_of(found[0])));
  }

  Result<JsonSequence> subscript(const Step& step, const JsonSequence& base) {
    JsonSequence made;
    for (const auto& node : base) {
      bool array = node.is(NodeKind::array);
      if (!array && strict_)
        return structural(
            fmt::format("invalid item type. Expected: ARRAY, actual: {}", type_name(node)));
      JsonSequence one;
      if (!array) one.push_back(node);
      const auto& items = array ? node.items : one;
      if (step.kind == Kind::items) {
        made.insert(made.end(), items.begin(), items.end());
        continue;
      }
      auto size = static_cast<int64_t>(items.size());
      int64_t saved = std::exchange(last_, size - 1);
      for (size_t i = 1; i < step.args.size(); i += 2) {
        if (size == 0 && strict_) return structural("invalid array subscript for empty array");
        ASSIGN_OR_RETURN(int64_t from, index(*step.args[i]));
        int64_t to = from;
        if (step.args[i + 1]) {
          ASSIGN_OR_RETURN(to, index(*step.args[i + 1]));
        }
        if (strict_ && (from < 0 || to >= size || from > to))
          return structural(fmt::format("invalid array subscript: [{}, {}] for array of size {}",
                                        from, to, size));
        for (int64_t n = std::max<int64_t>(from, 0); n <= std::min(to, size - 1); ++n)
          made.push_back(items[static_cast<size_t>(n)]);
      }
      last_ = saved;
    }
    return made;
  }

  Result<JsonSequence> filter(const Step& step, JsonSequence base) {
    JsonSequence made;
    for (auto& node : base) {
      const JsonNode* saved = std::exchange(current_, &node);
      Truth truth = test(*step.args[1]);
      current_ = saved;
      if (truth == Truth::yes) made.push_back(std::move(node));
    }
    return made;
  }

  Result<JsonSequence> arithmetic(const Step& step) {
    JsonSequence sides[2];
    for (size_t i = 0; i < step.args.size(); ++i) {
      ASSIGN_OR_RETURN(sides[i], value(*step.args[i]));
      sides[i] = unwrapped(std::move(sides[i]));
      for (const auto& node : sides[i]) {
        if (!node.is(NodeKind::number))
          return failed(fmt::format("invalid operand type for arithmetic: {}", type_name(node)));
      }
    }
    if (step.args.size() == 1) {
      if (step.text == "-") {
        for (auto& node : sides[0])
          node.text = node.text[0] == '-' ? node.text.substr(1) : "-" + node.text;
      }
      return sides[0];
    }
    if (sides[0].size() != 1 || sides[1].size() != 1)
      return failed("arithmetic binary expression requires singleton operands");
    auto a = whole_of(sides[0][0]), b = whole_of(sides[1][0]);
    char op = step.text[0];
    if (a && b) return whole_arithmetic(op, *a, *b);
    double x = real_of(sides[0][0]), y = real_of(sides[1][0]);
    if ((op == '/' || op == '%') && y == 0) return failed("division by zero");
    double result = op == '+'   ? x + y
                    : op == '-' ? x - y
                    : op == '*' ? x * y
                    : op == '/' ? x / y
                                : std::fmod(x, y);
    return JsonSequence{real(result)};
  }
  static Result<JsonSequence> whole_arithmetic(char op, int64_t a, int64_t b) {
    int64_t result = 0;
    bool overflow = op == '+'   ? __builtin_add_overflow(a, b, &result)
                    : op == '-' ? __builtin_sub_overflow(a, b, &result)
                    : op == '*' ? __builtin_mul_overflow(a, b, &result)
                                : a == INT64_MIN && b == -1;
    if (overflow) return failed("numeric value out of range");
    if (op == '/' || op == '%') {
      if (b == 0) return failed("division by zero");
      result = op == '/' ? a / b : a % b;
    }
    return JsonSequence{whole(result)};
  }

  Result<JsonSequence> method(const Step& step, JsonSequence base) {
    const std::string& name = step.text;
    if (name != "type" && name != "size") base = unwrapped(std::move(base));
    JsonSequence made;
    for (const auto& node : base) {
      if (name == "type") {
        made.push_back(JsonNode::of_text(type_name(node)));
      } else if (name == "size") {
        if (!node.is(NodeKind::array) && strict_)
          return structural(
              fmt::format("invalid item type. Expected: ARRAY, actual: {}", type_name(node)));
        made.push_back(whole(node.is(NodeKind::array) ? std::ssize(node.items) : 1));
      } else if (name == "keyvalue") {
        if (!node.is(NodeKind::object))
          return structural(
              fmt::format("invalid item type. Expected: OBJECT, actual: {}", type_name(node)));
        for (size_t i = 0; i < node.items.size(); ++i) {
          JsonNode pair;
          pair.kind = NodeKind::object;
          pair.keys = {"name", "value", "id"};
          pair.items = {JsonNode::of_text(node.keys[i]), node.items[i], whole(0)};
          made.push_back(std::move(pair));
        }
      } else {
        ASSIGN_OR_RETURN(JsonNode number, numeric_method(name, node));
        made.push_back(std::move(number));
      }
    }
    return made;
  }
  static Result<JsonNode> numeric_method(const std::string& name, const JsonNode& node) {
    if (name == "datetime") return failed("datetime method is not yet supported");
    bool text = name == "double" && node.is(NodeKind::string);
    if (!node.is(NodeKind::number) && !text)
      return structural(
          fmt::format("invalid item type. Expected: NUMBER, actual: {}", type_name(node)));
    if (text) {
      char* end = nullptr;
      double value = std::strtod(node.text.c_str(), &end);
      if (node.text.empty() || *end) return failed("cannot cast text to double");
      return real(value);
    }
    if (name == "double") return real(real_of(node));
    if (node.is_integer()) {
      if (name != "abs") return node;
      return JsonNode::of_number(node.text[0] == '-' ? node.text.substr(1) : node.text);
    }
    double value = real_of(node);
    return real(name == "abs"     ? std::abs(value)
                : name == "floor" ? std::floor(value)
                                  : std::ceil(value));
  }

  // ---- predicates: errors inside are unknown ----

  Truth test(const Step& step) {
    switch (step.kind) {
      case Kind::and_: {
        Truth a = test(*step.args[0]), b = test(*step.args[1]);
        if (a == Truth::no || b == Truth::no) return Truth::no;
        return a == Truth::yes && b == Truth::yes ? Truth::yes : Truth::unknown;
      }
      case Kind::or_: {
        Truth a = test(*step.args[0]), b = test(*step.args[1]);
        if (a == Truth::yes || b == Truth::yes) return Truth::yes;
        return a == Truth::no && b == Truth::no ? Truth::no : Truth::unknown;
      }
      case Kind::not_: {
        Truth a = test(*step.args[0]);
        return a == Truth::unknown ? a : a == Truth::yes ? Truth::no : Truth::yes;
      }
      case Kind::is_unknown: return test(*step.args[0]) == Truth::unknown ? Truth::yes : Truth::no;
      case Kind::exists: {
        auto found = value(*step.args[0]);
        return !found ? Truth::unknown : found->empty() ? Truth::no : Truth::yes;
      }
      default: break;
    }
    auto left = value(*step.args[0]);
    if (!left) return Truth::unknown;
    JsonSequence rights;
    if (step.args.size() > 1) {
      auto right = value(*step.args[1]);
      if (!right) return Truth::unknown;
      rights = unwrapped(std::move(*right));
    } else {
      rights.emplace_back();
    }
    bool unknown = false, found = false;
    for (const auto& a : unwrapped(std::move(*left))) {
      for (const auto& b : rights) {
        Truth truth = step.kind == Kind::compare ? compare(step.text, a, b) : text_test(step, a, b);
        unknown = unknown || truth == Truth::unknown;
        found = found || truth == Truth::yes;
        // lax stops at the first that holds, strict looks at all
        if (found && !strict_) return Truth::yes;
      }
    }
    return unknown ? Truth::unknown : found ? Truth::yes : Truth::no;
  }

  static Truth compare(const std::string& op, const JsonNode& a, const JsonNode& b) {
    auto truth = [&](int order) {
      bool holds = op == "=="   ? order == 0
                   : op == "!=" ? order != 0
                   : op == "<"  ? order < 0
                   : op == "<=" ? order <= 0
                   : op == ">"  ? order > 0
                                : order >= 0;
      return holds ? Truth::yes : Truth::no;
    };
    bool null = a.is(NodeKind::null) || b.is(NodeKind::null);
    if (null && a.kind != b.kind) return op == "!=" ? Truth::yes : Truth::no;
    if (a.kind != b.kind || a.is(NodeKind::array) || a.is(NodeKind::object)) return Truth::unknown;
    switch (a.kind) {
      case NodeKind::null: return op == "==" ? Truth::yes : Truth::no;
      case NodeKind::boolean: return truth(int(a.truth) - int(b.truth));
      case NodeKind::string: return truth(a.text.compare(b.text));
      default: break;
    }
    auto x = whole_of(a), y = whole_of(b);
    if (x && y) return truth(*x < *y ? -1 : *x > *y);
    double u = real_of(a), v = real_of(b);
    return truth(u < v ? -1 : u > v);
  }

  static Truth text_test(const Step& step, const JsonNode& a, const JsonNode& b) {
    if (!a.is(NodeKind::string)) return Truth::unknown;
    if (step.kind == Kind::starts_with) {
      if (!b.is(NodeKind::string)) return Truth::unknown;
      return a.text.starts_with(b.text) ? Truth::yes : Truth::no;
    }
    return matches(step, a.text);
  }

  static Truth matches(const Step& step, const std::string& text) {
    OnigOptionType options = ONIG_OPTION_NONE;
    for (char flag : step.flags) {
      if (flag == 'i') options |= ONIG_OPTION_IGNORECASE;
      if (flag == 's') options |= ONIG_OPTION_MULTILINE;
      if (flag == 'x') options |= ONIG_OPTION_EXTEND;
    }
    auto bytes = [](const char* at) { return reinterpret_cast<const OnigUChar*>(at); };
    regex_t* regex = nullptr;
    OnigErrorInfo info;
    const auto* pattern = bytes(step.text.data());
    int code = onig_new(&regex, pattern, pattern + step.text.size(), options, ONIG_ENCODING_UTF8,
                        ONIG_SYNTAX_PERL_NG, &info);
    if (code != ONIG_NORMAL) return Truth::unknown;
    const auto* begin = bytes(text.data());
    const auto* end = begin + text.size();
    auto found = onig_search(regex, begin, end, begin, end, nullptr, ONIG_OPTION_NONE);
    onig_free(regex);
    return found >= 0 ? Truth::yes : Truth::no;
  }
};

}  // namespace

Result<JsonSequence> evaluate_json_path(const JsonPath& path, const JsonNode& input,
                                        const JsonNode& parameters) {
  return Evaluator(path.strict, input, parameters).value(*path.root);
}

}  // namespace aichemy::sql
