// A small JSON value: what protocols and metadata files need, cheap to compile and to move. Numbers
// keep their kind (integers stay exact over 64 bits); objects keep their order. Parsing is
// simdjson's, with a depth limit.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "base/result.h"

namespace aichemy {

class Json {
 public:
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() = default;  // null
  Json(std::nullptr_t) {}
  Json(bool value) : value_(value) {}
  Json(int value) : value_(int64_t{value}) {}
  Json(int64_t value) : value_(value) {}
  Json(uint64_t value) : value_(value) {}
  Json(double value) : value_(value) {}
  Json(const char* value) : value_(std::string(value)) {}
  Json(std::string_view value) : value_(std::string(value)) {}
  Json(std::string value) : value_(std::move(value)) {}
  Json(Array value) : value_(std::move(value)) {}
  Json(Object value) : value_(std::move(value)) {}

  static Json array() { return Json(Array{}); }
  static Json object() { return Json(Object{}); }

  bool is_null() const { return std::holds_alternative<std::monostate>(value_); }
  bool is_bool() const { return std::holds_alternative<bool>(value_); }
  bool is_string() const { return std::holds_alternative<std::string>(value_); }
  bool is_array() const { return std::holds_alternative<Array>(value_); }
  bool is_object() const { return std::holds_alternative<Object>(value_); }
  bool is_integer() const {
    return std::holds_alternative<int64_t>(value_) || std::holds_alternative<uint64_t>(value_);
  }
  bool is_number() const { return is_integer() || std::holds_alternative<double>(value_); }

  // Lenient access: the fallback when the value is of another kind or out of range.
  bool as_bool(bool fallback = false) const;
  int64_t as_int(int64_t fallback = 0) const;
  double as_double(double fallback = 0) const;
  std::string_view as_string(std::string_view fallback = {}) const;
  const Array& as_array() const;    // empty when of another kind
  const Object& as_object() const;  // empty when of another kind

  // Strict access for metadata: corrupt, naming the key, when it is missing or of another kind.
  Result<int64_t> int_at(std::string_view key) const;
  Result<std::string> string_at(std::string_view key) const;
  Result<const Json*> array_at(std::string_view key) const;
  Result<const Json*> object_at(std::string_view key) const;

  // Member by key (the first), nullptr when absent or not an object.
  const Json* find(std::string_view key) const;
  Json* find(std::string_view key);
  // Member by key, a null value when absent: json["a"]["b"].as_int().
  const Json& operator[](std::string_view key) const;

  // Replaces or appends; makes a null value an object.
  Json& set(std::string_view key, Json value);
  bool erase(std::string_view key);
  // Appends; makes a null value an array.
  Json& push(Json value);

  bool operator==(const Json&) const = default;

  std::string dump() const;         // compact
  std::string dump_pretty() const;  // two spaces a level
  void dump_to(std::string& out) const;

  // Whole-text parse. invalid ("json") when broken, deeper than simdjson's 1,024 levels, or not
  // UTF-8.
  static Result<Json> parse(std::string_view text);

 private:
  std::variant<std::monostate, bool, int64_t, uint64_t, double, std::string, Array, Object> value_;
  void dump_indented(std::string& out, int level) const;
};

void append_json_string(std::string& out, std::string_view text);  // quoted and escaped
void append_json_double(std::string& out, double value);  // shortest text that reads back the same

}  // namespace aichemy
