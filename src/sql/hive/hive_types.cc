#include "sql/hive/hive_types.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>

namespace aichemy::sql {
namespace {

struct TypeRow {
  const char* hive;
  TypeKind kind;
};
// The first row of a kind is how it is written.
constexpr TypeRow kTypes[] = {
    {"boolean", TypeKind::boolean},   {"tinyint", TypeKind::tinyint},
    {"smallint", TypeKind::smallint}, {"int", TypeKind::integer},
    {"integer", TypeKind::integer},   {"bigint", TypeKind::bigint},
    {"float", TypeKind::real},        {"double", TypeKind::double_},
    {"string", TypeKind::varchar},    {"binary", TypeKind::varbinary},
    {"date", TypeKind::date},
};
constexpr int kDepthMax = 64;
// What a Hive timestamp is read as: hive.timestamp-precision of Trino, as it comes.
constexpr int kTimestampPrecision = 3;
constexpr int kVarcharMax = 65535, kCharMax = 255;

bool is_word(char c) {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '_';
}

class Parser {
 public:
  explicit Parser(std::string_view text) : whole_(text), rest_(text) {}

  Result<Type> whole() {
    ASSIGN_OR_RETURN(Type type, parse(0));
    skip();
    if (!rest_.empty()) return broken();
    return type;
  }

 private:
  std::string_view whole_, rest_;

  void skip() {
    while (rest_.starts_with(' ')) rest_.remove_prefix(1);
  }
  bool take(char c) {
    skip();
    if (!rest_.starts_with(c)) return false;
    rest_.remove_prefix(1);
    return true;
  }
  std::string word() {
    skip();
    size_t end = 0;
    while (end < rest_.size() && is_word(rest_[end])) ++end;
    std::string out(rest_.substr(0, end));
    std::ranges::transform(out, out.begin(), [](unsigned char c) { return std::tolower(c); });
    rest_.remove_prefix(end);
    return out;
  }
  std::unexpected<Error> broken() const {
    return fail(Code::invalid, "HIVE_INVALID_METADATA",
                fmt::format("Invalid Hive type: {}", whole_));
  }
  std::unexpected<Error> unsupported() const {
    return fail(Code::unsupported, "NOT_SUPPORTED",
                fmt::format("Unsupported Hive type: {}", whole_));
  }

  // The numbers in parentheses, if there are any.
  Result<std::vector<int>> numbers() {
    std::vector<int> out;
    if (!take('(')) return out;
    do {
      std::string text = word();
      int value = 0;
      auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
      if (error != std::errc() || end != text.data() + text.size()) return broken();
      out.push_back(value);
    } while (take(','));
    if (!take(')')) return broken();
    return out;
  }

  Result<Type> parse(int depth) {
    if (depth > kDepthMax) return broken();
    std::string name = word();
    if (name == "array" || name == "map") return collection(name == "map", depth);
    if (name == "struct") return row(depth);
    ASSIGN_OR_RETURN(auto given, numbers());
    if (name == "decimal" || name == "numeric") {
      int precision = given.empty() ? 10 : given[0], scale = given.size() > 1 ? given[1] : 0;
      if (precision < 1 || precision > 38 || scale < 0 || scale > precision) return broken();
      return Type::decimal(precision, scale);
    }
    if ((name == "varchar" || name == "char") && given.size() == 1) {
      if (given[0] < 1) return broken();
      return name == "char" ? Type(TypeKind::char_, given[0]) : Type::varchar(given[0]);
    }
    if (!given.empty()) return broken();
    if (name == "timestamp") {
      skip();
      if (rest_.starts_with("with")) return unsupported();
      return Type(TypeKind::timestamp, kTimestampPrecision);
    }
    for (const TypeRow& known : kTypes) {
      if (name != known.hive) continue;
      return known.kind == TypeKind::varchar ? Type::varchar() : Type(known.kind);
    }
    if (name.empty()) return broken();
    return unsupported();
  }

  Result<Type> collection(bool map, int depth) {
    if (!take('<')) return broken();
    ASSIGN_OR_RETURN(Type first, parse(depth + 1));
    if (!map) {
      if (!take('>')) return broken();
      return Type::array(std::move(first));
    }
    if (!take(',')) return broken();
    ASSIGN_OR_RETURN(Type second, parse(depth + 1));
    if (!take('>')) return broken();
    return Type::map(std::move(first), std::move(second));
  }

  Result<Type> row(int depth) {
    if (!take('<')) return broken();
    std::vector<Field> fields;
    do {
      skip();
      size_t colon = rest_.find(':');
      if (colon == std::string_view::npos) return broken();
      std::string name(rest_.substr(0, colon));
      std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
      rest_.remove_prefix(colon + 1);
      ASSIGN_OR_RETURN(Type type, parse(depth + 1));
      fields.push_back({std::move(name), std::move(type)});
    } while (take(','));
    if (!take('>')) return broken();
    return Type::row(std::move(fields));
  }
};

std::unexpected<Error> unsupported_type(const Type& type) {
  return fail(Code::unsupported, "NOT_SUPPORTED",
              fmt::format("Unsupported Hive type: {}", type.display()));
}

Result<std::string> row_type(const Type& type, std::string_view column) {
  std::string text;
  for (const Field& field : type.fields) {
    if (!field.name || field.name->empty()) {
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("Anonymous row type is not supported in Hive. Please give each field "
                              "a name: {}",
                              type.display()));
    }
    ASSIGN_OR_RETURN(std::string inner, hive_type(field.type, column));
    std::string name = *field.name;
    std::ranges::transform(name, name.begin(), [](unsigned char c) { return std::tolower(c); });
    text += fmt::format("{}{}:{}", text.empty() ? "" : ",", name, inner);
  }
  return fmt::format("struct<{}>", text);
}

}  // namespace

Result<Type> type_of_hive(std::string_view text) { return Parser(text).whole(); }

Result<std::string> hive_type(const Type& type, std::string_view column) {
  switch (type.kind) {
    case TypeKind::decimal: return fmt::format("decimal({},{})", type.precision, type.scale);
    case TypeKind::varchar:
      if (type.precision == Type::kUnbounded) return std::string("string");
      if (type.precision > kVarcharMax || type.precision < 1) {
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    fmt::format("Unsupported Hive type: {}. Supported VARCHAR types: "
                                "VARCHAR(<={}), VARCHAR.",
                                type.display(), kVarcharMax));
      }
      return fmt::format("varchar({})", type.precision);
    case TypeKind::char_:
      if (type.precision > kCharMax) {
        return fail(Code::unsupported, "NOT_SUPPORTED",
                    fmt::format("Unsupported Hive type: {}. Supported CHAR types: CHAR(<={}).",
                                type.display(), kCharMax));
      }
      return fmt::format("char({})", type.precision);
    case TypeKind::timestamp:
      if (type.precision == kTimestampPrecision) return std::string("timestamp");
      return fail(Code::unsupported, "NOT_SUPPORTED",
                  fmt::format("Incorrect timestamp precision for {}; the configured precision is "
                              "MILLISECONDS; column name: {}",
                              type.display(), column));
    case TypeKind::array: {
      ASSIGN_OR_RETURN(std::string element, hive_type(type.element(), column));
      return fmt::format("array<{}>", element);
    }
    case TypeKind::map: {
      ASSIGN_OR_RETURN(std::string key, hive_type(type.key(), column));
      ASSIGN_OR_RETURN(std::string value, hive_type(type.value(), column));
      return fmt::format("map<{},{}>", key, value);
    }
    case TypeKind::row: return row_type(type, column);
    default: break;
  }
  for (const TypeRow& known : kTypes) {
    if (known.kind == type.kind) return std::string(known.hive);
  }
  return unsupported_type(type);
}

}  // namespace aichemy::sql
