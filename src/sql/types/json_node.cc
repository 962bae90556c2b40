#include "sql/types/json_node.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdio>
#include <cstdlib>

#include "base/json.h"

namespace aichemy::sql {
namespace {

constexpr int kDepthMax = 1000;

bool is_digit(char c) { return c >= '0' && c <= '9'; }

void append_utf8(uint32_t c, std::string& out) {
  if (c < 0x80) {
    out += static_cast<char>(c);
  } else if (c < 0x800) {
    out += static_cast<char>(0xC0 | c >> 6);
    out += static_cast<char>(0x80 | (c & 63));
  } else if (c < 0x10000) {
    out += static_cast<char>(0xE0 | c >> 12);
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  } else {
    out += static_cast<char>(0xF0 | c >> 18);
    out += static_cast<char>(0x80 | (c >> 12 & 63));
    out += static_cast<char>(0x80 | (c >> 6 & 63));
    out += static_cast<char>(0x80 | (c & 63));
  }
}

// Reads values from a text; each function leaves the place after what it read.
class Reader {
 public:
  explicit Reader(std::string_view text) : text_(text) {}

  size_t place() const { return at_; }
  bool at_end() {
    blank();
    return at_ >= text_.size();
  }
  void blank() {
    while (at_ < text_.size() &&
           (text_[at_] == ' ' || text_[at_] == '\t' || text_[at_] == '\n' || text_[at_] == '\r'))
      ++at_;
  }
  bool take(char c) {
    blank();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  char peek() {
    blank();
    return at_ < text_.size() ? text_[at_] : '\0';
  }

  bool value(JsonNode* out, bool sorted, int depth) {
    if (depth > kDepthMax) return false;
    switch (peek()) {
      case '{': return object(out, sorted, depth);
      case '[': return array(out, sorted, depth);
      case '"':
        if (out) out->kind = JsonNode::Kind::string;
        return string(out ? &out->text : nullptr);
      case 't': return word("true", out, JsonNode::Kind::boolean, true);
      case 'f': return word("false", out, JsonNode::Kind::boolean, false);
      case 'n': return word("null", out, JsonNode::Kind::null, false);
      default: return number(out);
    }
  }

  bool string(std::string* out) {
    if (!take('"')) return false;
    while (at_ < text_.size()) {
      char c = text_[at_++];
      if (c == '"') return true;
      if (static_cast<unsigned char>(c) < 0x20) return false;
      if (c != '\\') {
        if (out) *out += c;
        continue;
      }
      if (!escape(out)) return false;
    }
    return false;
  }

 private:
  std::string_view text_;
  size_t at_ = 0;

  bool word(std::string_view expected, JsonNode* out, JsonNode::Kind kind, bool truth) {
    if (text_.substr(at_, expected.size()) != expected) return false;
    at_ += expected.size();
    if (out) {
      out->kind = kind;
      out->truth = truth;
    }
    return true;
  }
  bool hex4(uint32_t& value) {
    if (at_ + 4 > text_.size()) return false;
    auto [end, error] = std::from_chars(text_.data() + at_, text_.data() + at_ + 4, value, 16);
    if (error != std::errc() || end != text_.data() + at_ + 4) return false;
    at_ += 4;
    return true;
  }
  bool escape(std::string* out) {
    static constexpr std::string_view kFrom = "\"\\/bfnrt", kTo = "\"\\/\b\f\n\r\t";
    if (at_ >= text_.size()) return false;
    char c = text_[at_++];
    if (size_t which = kFrom.find(c); which != std::string_view::npos) {
      if (out) *out += kTo[which];
      return true;
    }
    uint32_t point = 0, low = 0;
    if (c != 'u' || !hex4(point)) return false;
    if (point >= 0xD800 && point < 0xDC00 && text_.substr(at_, 2) == "\\u") {
      at_ += 2;
      if (!hex4(low) || low < 0xDC00 || low > 0xDFFF) return false;
      point = 0x10000 + ((point - 0xD800) << 10) + (low - 0xDC00);
    }
    if (out) append_utf8(point, *out);
    return true;
  }
  bool digits() {
    size_t begin = at_;
    while (at_ < text_.size() && is_digit(text_[at_])) ++at_;
    return at_ > begin;
  }
  bool number(JsonNode* out) {
    size_t begin = at_;
    if (at_ < text_.size() && text_[at_] == '-') ++at_;
    size_t first = at_;
    if (!digits()) return false;
    if (text_[first] == '0' && at_ > first + 1) return false;
    if (at_ < text_.size() && text_[at_] == '.') {
      ++at_;
      if (!digits()) return false;
    }
    if (at_ < text_.size() && (text_[at_] == 'e' || text_[at_] == 'E')) {
      ++at_;
      if (at_ < text_.size() && (text_[at_] == '-' || text_[at_] == '+')) ++at_;
      if (!digits()) return false;
    }
    if (out) {
      out->kind = JsonNode::Kind::number;
      out->text = text_.substr(begin, at_ - begin);
    }
    return true;
  }
  bool array(JsonNode* out, bool sorted, int depth) {
    ++at_;
    if (out) out->kind = JsonNode::Kind::array;
    if (take(']')) return true;
    do {
      if (out) out->items.emplace_back();
      if (!value(out ? &out->items.back() : nullptr, sorted, depth + 1)) return false;
    } while (take(','));
    return take(']');
  }
  bool object(JsonNode* out, bool sorted, int depth) {
    ++at_;
    if (out) out->kind = JsonNode::Kind::object;
    if (take('}')) return true;
    do {
      blank();
      std::string key;
      if (!string(out ? &key : nullptr) || !take(':')) return false;
      JsonNode item;
      if (!value(out ? &item : nullptr, sorted, depth + 1)) return false;
      if (out) put(*out, std::move(key), std::move(item), sorted);
    } while (take(','));
    return take('}');
  }
  static void put(JsonNode& out, std::string key, JsonNode item, bool sorted) {
    auto place =
        sorted ? std::ranges::lower_bound(out.keys, key) : std::ranges::find(out.keys, key);
    auto n = place - out.keys.begin();
    if (place != out.keys.end() && *place == key) {
      out.items[static_cast<size_t>(n)] = std::move(item);
      return;
    }
    out.items.insert(out.items.begin() + n, std::move(item));
    out.keys.insert(place, std::move(key));
  }
};

// A number's digits and scale, as Java's BigDecimal prints them.
void write_number(const std::string& text, std::string& out) {
  if (text.find_first_of(".eE") == std::string::npos) {
    out += text == "-0" ? "0" : text;
    return;
  }
  bool negative = text[0] == '-';
  std::string digits;
  int64_t scale = 0, exponent = 0;
  bool fraction = false;
  for (size_t i = negative; i < text.size(); ++i) {
    char c = text[i];
    if (c == '.') {
      fraction = true;
    } else if (c == 'e' || c == 'E') {
      exponent = std::clamp<int64_t>(std::strtoll(text.c_str() + i + 1, nullptr, 10), -1000000000,
                                     1000000000);
      break;
    } else {
      digits += c;
      scale += fraction;
    }
  }
  scale -= exponent;
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  bool zero = digits == "0";
  if (negative && !zero) out += '-';
  int64_t adjusted = static_cast<int64_t>(digits.size()) - 1 - scale;
  if (scale >= 0 && adjusted >= -6) {
    auto places = static_cast<size_t>(scale);
    if (digits.size() <= places) digits.insert(0, places - digits.size() + 1, '0');
    out += digits.substr(0, digits.size() - places);
    if (places > 0) out += '.' + digits.substr(digits.size() - places);
    return;
  }
  out += digits[0];
  if (digits.size() > 1) out += '.' + digits.substr(1);
  if (adjusted != 0) {
    out += adjusted > 0 ? "E+" : "E";
    out += std::to_string(adjusted);
  }
}

// Significant digits and exponent of the shortest text that reads back, at least two digits.
template <class T>
void shortest(T value, std::string& digits, int& exponent) {
  char buffer[64];
  auto [end, error] =
      std::to_chars(buffer, buffer + sizeof buffer, value, std::chars_format::scientific);
  std::string text(buffer, end);
  size_t e = text.find('e');
  // Of two-digit texts Java takes the nearest, not the shortest.
  if (e == 1) {
    std::snprintf(buffer, sizeof buffer, "%.1e", static_cast<double>(value));
    if (static_cast<T>(std::strtod(buffer, nullptr)) == value) text = buffer;
    e = text.find('e');
  }
  exponent = std::atoi(text.c_str() + e + 1);
  digits = text.substr(0, 1) + (e > 2 ? text.substr(2, e - 2) : "");
  while (digits.size() > 1 && digits.back() == '0') digits.pop_back();
}

template <class T>
std::string java_text(T value) {
  if (std::isnan(value)) return "NaN";
  std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "Infinity";
  if (value == 0) return sign + "0.0";
  std::string digits;
  int exponent = 0;
  shortest(std::abs(value), digits, exponent);
  if (exponent < -3 || exponent >= 7)
    return sign + digits.substr(0, 1) + "." + (digits.size() > 1 ? digits.substr(1) : "0") + "E" +
           std::to_string(exponent);
  if (exponent < 0)
    return sign + "0." + std::string(static_cast<size_t>(-exponent - 1), '0') + digits;
  auto whole = static_cast<size_t>(exponent) + 1;
  if (digits.size() < whole) digits.append(whole - digits.size(), '0');
  return sign + digits.substr(0, whole) + "." +
         (digits.size() > whole ? digits.substr(whole) : "0");
}

}  // namespace

JsonNode JsonNode::of_text(std::string value) {
  JsonNode made;
  made.kind = Kind::string;
  made.text = std::move(value);
  return made;
}
JsonNode JsonNode::of_number(std::string digits) {
  JsonNode made;
  made.kind = Kind::number;
  made.text = std::move(digits);
  return made;
}
JsonNode JsonNode::of_bool(bool value) {
  JsonNode made;
  made.kind = Kind::boolean;
  made.truth = value;
  return made;
}
const JsonNode* JsonNode::member(std::string_view key) const {
  auto found = std::ranges::find(keys, key);
  return found == keys.end() ? nullptr : &items[static_cast<size_t>(found - keys.begin())];
}
bool JsonNode::is_integer() const {
  return kind == Kind::number && text.find_first_of(".eE") == std::string::npos;
}

std::optional<JsonNode> parse_json(std::string_view text, bool sorted, std::string* trailing) {
  Reader reader(text);
  JsonNode made;
  if (!reader.value(&made, sorted, 0)) return std::nullopt;
  if (reader.at_end()) return made;
  if (trailing) {
    std::string_view rest = text.substr(reader.place());
    *trailing = rest.substr(0, rest.find_first_of(" \t\n\r,]}"));
  }
  return std::nullopt;
}

void write_json(const JsonNode& node, std::string& out) {
  using Kind = JsonNode::Kind;
  switch (node.kind) {
    case Kind::null: out += "null"; return;
    case Kind::boolean: out += node.truth ? "true" : "false"; return;
    case Kind::number: write_number(node.text, out); return;
    case Kind::string: append_json_string(out, node.text); return;
    case Kind::array:
    case Kind::object: break;
  }
  bool object = node.is(Kind::object);
  out += object ? '{' : '[';
  for (size_t i = 0; i < node.items.size(); ++i) {
    if (i > 0) out += ',';
    if (object) {
      append_json_string(out, node.keys[i]);
      out += ':';
    }
    write_json(node.items[i], out);
  }
  out += object ? '}' : ']';
}

std::optional<std::string_view> find_json(std::string_view text,
                                          const std::vector<std::string>& way) {
  Reader reader(text);
  for (const auto& step : way) {
    if (reader.take('{')) {
      bool found = false;
      if (reader.peek() == '}') return std::nullopt;
      do {
        reader.blank();
        std::string key;
        if (!reader.string(&key) || !reader.take(':')) return std::nullopt;
        found = key == step;
        if (!found && !reader.value(nullptr, false, 0)) return std::nullopt;
      } while (!found && reader.take(','));
      if (!found) return std::nullopt;
    } else if (reader.take('[')) {
      uint64_t index = 0;
      auto [end, error] = std::from_chars(step.data(), step.data() + step.size(), index);
      if (error != std::errc() || end != step.data() + step.size() || reader.peek() == ']')
        return std::nullopt;
      for (; index > 0; --index) {
        if (!reader.value(nullptr, false, 0) || !reader.take(',')) return std::nullopt;
      }
    } else {
      return std::nullopt;
    }
  }
  reader.blank();
  size_t begin = reader.place();
  if (!reader.value(nullptr, false, 0)) return std::nullopt;
  return text.substr(begin, reader.place() - begin);
}

std::string java_double(double value) { return java_text(value); }
std::string java_float(float value) { return java_text(value); }

std::string trino_double(double value) {
  if (std::isnan(value)) return "NaN";
  std::string sign = std::signbit(value) ? "-" : "";
  if (std::isinf(value)) return sign + "Infinity";
  if (value == 0) return sign + "0E0";
  std::string digits;
  int exponent = 0;
  shortest(std::abs(value), digits, exponent);
  return sign + digits.substr(0, 1) + "." + (digits.size() > 1 ? digits.substr(1) : "0") + "E" +
         std::to_string(exponent);
}

}  // namespace aichemy::sql
