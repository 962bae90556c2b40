// A JSON value as SQL sees it: numbers keep their digits (they may be longer than any machine
// type), objects their order. Base/json.h is for protocols; it would round numbers.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aichemy::sql {

struct JsonNode {
  enum class Kind : uint8_t { null, boolean, number, string, array, object };
  Kind kind = Kind::null;
  bool truth = false;
  std::string text;  // number: as written; string: its characters
  std::vector<JsonNode> items;
  std::vector<std::string> keys;  // object: parallel to items

  bool is(Kind k) const { return kind == k; }
  static JsonNode of_text(std::string value);
  static JsonNode of_number(std::string digits);
  static JsonNode of_bool(bool value);
  const JsonNode* member(std::string_view key) const;
  // Integers have neither fraction nor exponent.
  bool is_integer() const;
};

// Whole text. `sorted`: members by key, as the type json keeps them; of equal keys the last wins.
// On failure `trailing` (when given) tells the token after a complete value, if that is why.
std::optional<JsonNode> parse_json(std::string_view text, bool sorted,
                                   std::string* trailing = nullptr);
void write_json(const JsonNode& node, std::string& out);
// The place of a member or item on a way of keys ("a", "0"), without building the rest: the
// value's text within `text`; nothing when the way leads nowhere or the text is broken before.
std::optional<std::string_view> find_json(std::string_view text,
                                          const std::vector<std::string>& way);

// Java's texts, which Trino's are: 1.0, 3.14, 1.0E10.
std::string java_double(double value);
std::string java_float(float value);
// CAST(double AS varchar): 1.0E0, 3.14E0, 0E0.
std::string trino_double(double value);

}  // namespace aichemy::sql
