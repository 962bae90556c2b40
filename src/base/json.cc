#include "base/json.h"

#include <simdjson.h>

#include <charconv>
#include <cmath>
#include <limits>

#include <fmt/core.h>

namespace aichemy {
namespace {

std::unexpected<Error> missing(std::string_view key, const char* kind) {
  return fail(Code::corrupt, "json_member",
              fmt::format("member '{}' is missing or not {}", key, kind));
}

Json convert(const simdjson::dom::element& element) {
  switch (element.type()) {
    case simdjson::dom::element_type::ARRAY: {
      simdjson::dom::array array = element.get_array().value_unsafe();
      Json::Array out;
      out.reserve(array.size());
      for (auto child : array) out.push_back(convert(child));
      return Json(std::move(out));
    }
    case simdjson::dom::element_type::OBJECT: {
      simdjson::dom::object object = element.get_object().value_unsafe();
      Json::Object out;
      out.reserve(object.size());
      for (auto [key, child] : object) out.emplace_back(std::string(key), convert(child));
      return Json(std::move(out));
    }
    case simdjson::dom::element_type::INT64: return Json(element.get_int64().value_unsafe());
    case simdjson::dom::element_type::UINT64: return Json(element.get_uint64().value_unsafe());
    case simdjson::dom::element_type::DOUBLE: return Json(element.get_double().value_unsafe());
    case simdjson::dom::element_type::STRING:
      return Json(std::string_view(element.get_string().value_unsafe()));
    case simdjson::dom::element_type::BOOL: return Json(element.get_bool().value_unsafe());
    case simdjson::dom::element_type::NULL_VALUE: return Json();
  }
  return Json();
}

void newline(std::string& out, int level) {
  out += '\n';
  out.append(static_cast<size_t>(level) * 2, ' ');
}

}  // namespace

bool Json::as_bool(bool fallback) const {
  auto* value = std::get_if<bool>(&value_);
  return value ? *value : fallback;
}

int64_t Json::as_int(int64_t fallback) const {
  if (auto* value = std::get_if<int64_t>(&value_)) return *value;
  if (auto* value = std::get_if<uint64_t>(&value_)) {
    constexpr auto kMax = static_cast<uint64_t>(std::numeric_limits<int64_t>::max());
    return *value <= kMax ? static_cast<int64_t>(*value) : fallback;
  }
  return fallback;
}

double Json::as_double(double fallback) const {
  if (auto* value = std::get_if<double>(&value_)) return *value;
  if (auto* value = std::get_if<int64_t>(&value_)) return static_cast<double>(*value);
  if (auto* value = std::get_if<uint64_t>(&value_)) return static_cast<double>(*value);
  return fallback;
}

std::string_view Json::as_string(std::string_view fallback) const {
  auto* value = std::get_if<std::string>(&value_);
  return value ? std::string_view(*value) : fallback;
}

const Json::Array& Json::as_array() const {
  static const Array kEmpty;
  auto* value = std::get_if<Array>(&value_);
  return value ? *value : kEmpty;
}

const Json::Object& Json::as_object() const {
  static const Object kEmpty;
  auto* value = std::get_if<Object>(&value_);
  return value ? *value : kEmpty;
}

Result<int64_t> Json::int_at(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_integer()) return missing(key, "an integer");
  return member->as_int();
}

Result<std::string> Json::string_at(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_string()) return missing(key, "a string");
  return std::string(member->as_string());
}

Result<const Json*> Json::array_at(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_array()) return missing(key, "an array");
  return member;
}

Result<const Json*> Json::object_at(std::string_view key) const {
  const Json* member = find(key);
  if (!member || !member->is_object()) return missing(key, "an object");
  return member;
}

const Json* Json::find(std::string_view key) const {
  if (auto* object = std::get_if<Object>(&value_)) {
    for (const Member& member : *object) {
      if (member.first == key) return &member.second;
    }
  }
  return nullptr;
}

Json* Json::find(std::string_view key) { return const_cast<Json*>(std::as_const(*this).find(key)); }

const Json& Json::operator[](std::string_view key) const {
  static const Json kNull;
  const Json* member = find(key);
  return member ? *member : kNull;
}

Json& Json::set(std::string_view key, Json value) {
  if (!is_object()) value_ = Object{};
  if (Json* member = find(key)) {
    *member = std::move(value);
  } else {
    std::get<Object>(value_).emplace_back(std::string(key), std::move(value));
  }
  return *this;
}

bool Json::erase(std::string_view key) {
  auto* object = std::get_if<Object>(&value_);
  return object && std::erase_if(*object, [&](const Member& m) { return m.first == key; }) > 0;
}

Json& Json::push(Json value) {
  if (!is_array()) value_ = Array{};
  std::get<Array>(value_).push_back(std::move(value));
  return *this;
}

void append_json_string(std::string& out, std::string_view text) {
  out += '"';
  size_t start = 0;
  for (size_t i = 0; i < text.size(); ++i) {
    auto c = static_cast<unsigned char>(text[i]);
    if (c >= 0x20 && c != '"' && c != '\\') continue;
    out.append(text.substr(start, i - start));
    start = i + 1;
    switch (c) {
      case '"': out += "\\\""; break;
      case '\\': out += "\\\\"; break;
      case '\n': out += "\\n"; break;
      case '\r': out += "\\r"; break;
      case '\t': out += "\\t"; break;
      default: out += fmt::format("\\u{:04x}", c);
    }
  }
  out.append(text.substr(start));
  out += '"';
}

void append_json_double(std::string& out, double value) {
  if (!std::isfinite(value)) {  // JSON has no such numbers
    out += "null";
    return;
  }
  char raw[32];
  auto [end, error] = std::to_chars(raw, raw + sizeof raw, value);
  std::string_view text(raw, static_cast<size_t>(end - raw));
  out += text;
  if (text.find_first_of(".e") == std::string_view::npos) out += ".0";
}

std::string Json::dump() const {
  std::string out;
  dump_to(out);
  return out;
}

std::string Json::dump_pretty() const {
  std::string out;
  dump_indented(out, 0);
  return out;
}

void Json::dump_to(std::string& out) const { dump_indented(out, -1); }

// level < 0: compact.
void Json::dump_indented(std::string& out, int level) const {
  int inner = level < 0 ? -1 : level + 1;
  auto separate = [&](bool first) {
    if (!first) out += ',';
    if (level >= 0) newline(out, inner);
  };
  if (auto* flag = std::get_if<bool>(&value_)) {
    out += *flag ? "true" : "false";
  } else if (auto* integer = std::get_if<int64_t>(&value_)) {
    out += std::to_string(*integer);
  } else if (auto* natural = std::get_if<uint64_t>(&value_)) {
    out += std::to_string(*natural);
  } else if (auto* real = std::get_if<double>(&value_)) {
    append_json_double(out, *real);
  } else if (auto* text = std::get_if<std::string>(&value_)) {
    append_json_string(out, *text);
  } else if (auto* array = std::get_if<Array>(&value_)) {
    out += '[';
    for (size_t i = 0; i < array->size(); ++i) {
      separate(i == 0);
      (*array)[i].dump_indented(out, inner);
    }
    if (level >= 0 && !array->empty()) newline(out, level);
    out += ']';
  } else if (auto* object = std::get_if<Object>(&value_)) {
    out += '{';
    for (size_t i = 0; i < object->size(); ++i) {
      separate(i == 0);
      append_json_string(out, (*object)[i].first);
      out += level >= 0 ? ": " : ":";
      (*object)[i].second.dump_indented(out, inner);
    }
    if (level >= 0 && !object->empty()) newline(out, level);
    out += '}';
  } else {
    out += "null";
  }
}

Result<Json> Json::parse(std::string_view text) {
  if (text.empty()) return fail(Code::invalid, "json", "not valid JSON: there is no text");
  // The parser's buffers are reused by the thread; a large document gives its memory back.
  static thread_local simdjson::dom::parser parser;
  constexpr size_t kKeepBytesMax = 1 << 20;
  simdjson::dom::element root;
  if (auto error = parser.parse(text.data(), text.size()).get(root)) {
    return fail(Code::invalid, "json",
                fmt::format("not valid JSON: {}", simdjson::error_message(error)));
  }
  Json out = convert(root);
  if (text.size() > kKeepBytesMax) parser = simdjson::dom::parser();
  return out;
}

}  // namespace aichemy
