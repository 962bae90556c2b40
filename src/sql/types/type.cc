#include "sql/types/type.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>

#include "base/check.h"
#include "sql/language/ast.h"
#include "sql/language/lexer.h"

namespace aichemy::sql {
namespace {

enum class Shape : uint8_t { plain, length, datetime, datetime_tz, decimal, digest, nested };

struct TypeRow {
  TypeKind kind;
  const char* name;     // SQL and raw type name, without parameters
  const char* display;  // when it differs
  Shape shape;
  const char* physical;  // empty: made by code
  bool comparable, orderable;
};

constexpr TypeRow kTypes[] = {
    {TypeKind::unknown, "unknown", "unknown", Shape::plain, "INTEGER", true, true},
    {TypeKind::boolean, "boolean", "boolean", Shape::plain, "BOOLEAN", true, true},
    {TypeKind::tinyint, "tinyint", "tinyint", Shape::plain, "TINYINT", true, true},
    {TypeKind::smallint, "smallint", "smallint", Shape::plain, "SMALLINT", true, true},
    {TypeKind::integer, "integer", "integer", Shape::plain, "INTEGER", true, true},
    {TypeKind::bigint, "bigint", "bigint", Shape::plain, "BIGINT", true, true},
    {TypeKind::real, "real", "real", Shape::plain, "FLOAT", true, true},
    {TypeKind::double_, "double", "double", Shape::plain, "DOUBLE", true, true},
    {TypeKind::decimal, "decimal", "decimal", Shape::decimal, "", true, true},
    {TypeKind::number, "number", "number", Shape::plain, "BLOB", true, true},
    {TypeKind::varchar, "varchar", "varchar", Shape::length, "VARCHAR", true, true},
    {TypeKind::char_, "char", "char", Shape::length, "VARCHAR", true, true},
    {TypeKind::varbinary, "varbinary", "varbinary", Shape::plain, "BLOB", true, true},
    {TypeKind::json, "json", "json", Shape::plain, "VARCHAR", true, false},
    {TypeKind::date, "date", "date", Shape::plain, "DATE", true, true},
    {TypeKind::time, "time", "time", Shape::datetime, "", true, true},
    {TypeKind::time_tz, "time with time zone", "time", Shape::datetime_tz, "INTERVAL", true, true},
    {TypeKind::timestamp, "timestamp", "timestamp", Shape::datetime, "", true, true},
    {TypeKind::timestamp_tz, "timestamp with time zone", "timestamp", Shape::datetime_tz, "", true,
     true},
    {TypeKind::interval_year_month, "interval year to month", "interval year to month",
     Shape::plain, "INTEGER", true, true},
    {TypeKind::interval_day_time, "interval day to second", "interval day to second", Shape::plain,
     "BIGINT", true, true},
    {TypeKind::array, "array", "array", Shape::nested, "", true, true},
    {TypeKind::map, "map", "map", Shape::nested, "", true, false},
    {TypeKind::row, "row", "row", Shape::nested, "", true, true},
    {TypeKind::uuid, "uuid", "uuid", Shape::plain, "UUID", true, true},
    {TypeKind::ipaddress, "ipaddress", "ipaddress", Shape::plain, "BLOB", true, true},
    {TypeKind::geometry, "Geometry", "Geometry", Shape::plain, "BLOB", true, false},
    {TypeKind::spherical_geography, "SphericalGeography", "SphericalGeography", Shape::plain,
     "BLOB", true, false},
    {TypeKind::bing_tile, "BingTile", "BingTile", Shape::plain, "BIGINT", true, false},
    {TypeKind::variant, "variant", "variant", Shape::plain, "BLOB", false, false},
    {TypeKind::hyperloglog, "HyperLogLog", "HyperLogLog", Shape::plain, "BLOB", false, false},
    {TypeKind::tdigest, "tdigest", "tdigest", Shape::plain, "BLOB", false, false},
    {TypeKind::qdigest, "qdigest", "qdigest", Shape::digest, "BLOB", false, false},
    {TypeKind::set_digest, "SetDigest", "SetDigest", Shape::plain, "BLOB", false, false},
    {TypeKind::color, "color", "color", Shape::plain, "INTEGER", true, false},
    {TypeKind::function, "function", "function", Shape::nested, "", false, false},
};

const TypeRow& row_of(TypeKind kind) {
  for (const auto& row : kTypes) {
    if (row.kind == kind) return row;
  }
  CHECK(false);
  return kTypes[0];
}

bool is_plain_name(const std::string& name) {
  if (name.empty() || std::isdigit(static_cast<unsigned char>(name[0]))) return false;
  bool letters = std::ranges::all_of(name, [](char c) {
    return std::islower(static_cast<unsigned char>(c)) ||
           std::isdigit(static_cast<unsigned char>(c)) || c == '_';
  });
  std::string upper = name;
  for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
  return letters && !is_reserved_word(upper);
}

std::string quote(const std::string& name) {
  std::string out = "\"";
  for (char c : name) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + "\"";
}

// A qdigest's.
Type numbers_of(const Type& type) { return Type(static_cast<TypeKind>(type.precision)); }

}  // namespace

Type Type::array(Type element) {
  Type made(TypeKind::array);
  made.fields.push_back({std::nullopt, std::move(element)});
  return made;
}

Type Type::map(Type key, Type value) {
  Type made(TypeKind::map);
  made.fields.push_back({std::nullopt, std::move(key)});
  made.fields.push_back({std::nullopt, std::move(value)});
  return made;
}

Type Type::row(std::vector<Field> fields) {
  Type made(TypeKind::row);
  made.fields = std::move(fields);
  return made;
}

bool Type::operator==(const Type& other) const {
  return kind == other.kind && precision == other.precision && scale == other.scale &&
         fields == other.fields;
}

const Type& Type::element() const {
  CHECK(kind == TypeKind::array && fields.size() == 1);
  return fields[0].type;
}
const Type& Type::key() const {
  CHECK(kind == TypeKind::map && fields.size() == 2);
  return fields[0].type;
}
const Type& Type::value() const {
  CHECK(kind == TypeKind::map && fields.size() == 2);
  return fields[1].type;
}

std::string Type::display() const {
  const TypeRow& row = row_of(kind);
  switch (row.shape) {
    case Shape::plain: return row.display;
    case Shape::length:
      return precision == kUnbounded ? std::string(row.display)
                                     : fmt::format("{}({})", row.display, precision);
    case Shape::datetime: return fmt::format("{}({})", row.display, precision);
    case Shape::datetime_tz: return fmt::format("{}({}) with time zone", row.display, precision);
    case Shape::decimal: return fmt::format("decimal({}, {})", precision, scale);
    case Shape::digest: return fmt::format("qdigest({})", numbers_of(*this).display());
    case Shape::nested: break;
  }
  std::string out = std::string(row.display) + "(";
  for (size_t i = 0; i < fields.size(); ++i) {
    if (i > 0) out += ", ";
    if (fields[i].name)
      out += (is_plain_name(*fields[i].name) ? *fields[i].name : quote(*fields[i].name)) + " ";
    out += fields[i].type.display();
  }
  return out + ")";
}

Json Type::signature() const {
  const TypeRow& row = row_of(kind);
  Json arguments = Json::array();
  auto number = [&](int64_t value) {
    Json argument = Json::object();
    argument.set("kind", "LONG").set("value", value);
    arguments.push(std::move(argument));
  };
  if (row.shape == Shape::length || row.shape == Shape::datetime ||
      row.shape == Shape::datetime_tz || row.shape == Shape::decimal) {
    number(precision);
  }
  if (row.shape == Shape::decimal) number(scale);
  if (row.shape == Shape::digest) {
    Json argument = Json::object();
    argument.set("kind", "TYPE").set("value", numbers_of(*this).signature());
    arguments.push(std::move(argument));
  }
  for (const auto& field : fields) {
    Json argument = Json::object();
    if (kind != TypeKind::row) {
      argument.set("kind", "TYPE").set("value", field.type.signature());
    } else {
      Json value = Json::object();
      if (field.name) value.set("fieldName", Json(Json::Object{{"name", Json(*field.name)}}));
      value.set("typeSignature", field.type.signature());
      argument.set("kind", "NAMED_TYPE").set("value", std::move(value));
    }
    arguments.push(std::move(argument));
  }
  Json out = Json::object();
  out.set("rawType", std::string(row.name)).set("arguments", std::move(arguments));
  return out;
}

Type Type::without_datetime_precision() const {
  Type made = *this;
  Shape shape = row_of(kind).shape;
  if (shape == Shape::datetime || shape == Shape::datetime_tz) made.precision = 3;
  for (auto& field : made.fields) field.type = field.type.without_datetime_precision();
  return made;
}

std::string physical_type(const Type& type) {
  const TypeRow& row = row_of(type.kind);
  if (row.physical[0] != '\0') return row.physical;
  switch (type.kind) {
    case TypeKind::decimal: return fmt::format("DECIMAL({},{})", type.precision, type.scale);
    case TypeKind::time: return type.precision <= 6 ? "TIME" : "BIGINT";
    case TypeKind::timestamp: return type.precision <= 6 ? "TIMESTAMP" : "HUGEINT";
    case TypeKind::timestamp_tz:
      return type.precision <= 6 ? "INTERVAL" : "STRUCT(t INTERVAL, p INTEGER)";
    case TypeKind::array: return physical_type(type.element()) + "[]";
    case TypeKind::map:
      return fmt::format("MAP({},{})", physical_type(type.key()), physical_type(type.value()));
    case TypeKind::row: {
      std::string out = "STRUCT(";
      for (size_t i = 0; i < type.fields.size(); ++i) {
        out += fmt::format("{}f{} {}", i ? "," : "", i, physical_type(type.fields[i].type));
      }
      return out + ")";
    }
    default: return "INTEGER";
  }
}

std::string stored_type(const Type& type) {
  switch (type.kind) {
    case TypeKind::time: return "TIME";
    case TypeKind::timestamp: return type.precision <= 6 ? "TIMESTAMP" : "TIMESTAMP_NS";
    case TypeKind::timestamp_tz: return "TIMESTAMPTZ";
    case TypeKind::array: return stored_type(type.element()) + "[]";
    case TypeKind::map:
      return fmt::format("MAP({},{})", stored_type(type.key()), stored_type(type.value()));
    case TypeKind::row: {
      std::string out = "STRUCT(";
      for (size_t i = 0; i < type.fields.size(); ++i)
        out += fmt::format("{}f{} {}", i ? "," : "", i, stored_type(type.fields[i].type));
      return out + ")";
    }
    default: return physical_type(type);
  }
}

bool is_comparable(const Type& type) {
  if (type.is(TypeKind::map)) return is_comparable(type.key()) && is_comparable(type.value());
  for (const auto& field : type.fields) {
    if (!is_comparable(field.type)) return false;
  }
  return row_of(type.kind).comparable;
}

bool is_orderable(const Type& type) {
  for (const auto& field : type.fields) {
    if (!is_orderable(field.type)) return false;
  }
  return row_of(type.kind).orderable;
}

// ---- parsing a type's text ----

namespace {

class TypeParser {
 public:
  explicit TypeParser(std::vector<Token> tokens) : tokens_(std::move(tokens)) {}

  Result<Type> run() {
    ASSIGN_OR_RETURN(Type type, parse(0));
    if (peek().kind != TokenKind::end) return broken();
    return type;
  }

 private:
  std::vector<Token> tokens_;
  size_t next_ = 0;

  const Token& peek(size_t ahead = 0) const {
    return tokens_[std::min(next_ + ahead, tokens_.size() - 1)];
  }
  bool symbol(std::string_view text) {
    if (peek().kind != TokenKind::symbol || peek().text != text) return false;
    ++next_;
    return true;
  }
  bool word(std::string_view upper) {
    if (peek().kind != TokenKind::word || peek().upper != upper) return false;
    ++next_;
    return true;
  }
  std::unexpected<Error> broken() const {
    return fail(Code::invalid, "TYPE_NOT_FOUND", "Unknown type");
  }

  Result<int32_t> integer() {
    if (peek().kind != TokenKind::integer || peek().text.size() > 10) return broken();
    int64_t value = std::atoll(tokens_[next_++].text.c_str());
    if (value > Type::kUnbounded) return broken();
    return static_cast<int32_t>(value);
  }

  Result<Type> parse(int depth) {
    if (depth > 100) return fail(Code::invalid, "NOT_SUPPORTED", "type is nested too deeply");
    if (peek().kind != TokenKind::word && peek().kind != TokenKind::quoted_word) return broken();
    std::string name = lower_case(tokens_[next_++].text);
    if (name == "int") name = "integer";
    if (name == "dec" || name == "numeric") name = "decimal";
    if (name == "double") word("PRECISION");
    if (name == "array" || name == "map" || name == "row") return nested(name, depth);
    if (name == "interval") return interval();
    if (name == "qdigest") return digest(depth);
    for (const auto& row : kTypes) {
      if (row.shape == Shape::nested || row.shape == Shape::datetime_tz ||
          lower_case(row.name) != name)
        continue;
      return with_parameters(row);
    }
    return broken();
  }

  Result<Type> interval() {
    if (word("YEAR") && word("TO") && word("MONTH")) return Type(TypeKind::interval_year_month);
    if (word("DAY") && word("TO") && word("SECOND")) return Type(TypeKind::interval_day_time);
    return broken();
  }

  Result<Type> digest(int depth) {
    if (!symbol("(")) return broken();
    ASSIGN_OR_RETURN(Type numbers, parse(depth + 1));
    bool known = numbers.is(TypeKind::bigint) || numbers.is(TypeKind::real) ||
                 numbers.is(TypeKind::double_);
    if (!known || !symbol(")")) return broken();
    return Type(TypeKind::qdigest, static_cast<int32_t>(numbers.kind));
  }

  Result<Type> with_parameters(const TypeRow& row) {
    std::vector<int32_t> numbers;
    if (row.shape != Shape::plain && symbol("(")) {
      do {
        ASSIGN_OR_RETURN(int32_t number, integer());
        numbers.push_back(number);
      } while (symbol(","));
      if (!symbol(")")) return broken();
    }
    Type type(row.kind);
    switch (row.shape) {
      case Shape::length:
        type.precision = !numbers.empty()              ? numbers[0]
                         : row.kind == TypeKind::char_ ? 1
                                                       : Type::kUnbounded;
        if (row.kind == TypeKind::char_ && type.precision > 65536) {
          return fail(
              Code::invalid, "INVALID_FUNCTION_ARGUMENT",
              fmt::format("CHAR length must be in range [0, 65536], got {}", type.precision));
        }
        break;
      case Shape::datetime:
        type.precision = numbers.empty() ? 3 : numbers[0];
        if (type.precision > 12) {
          return fail(
              Code::invalid, "NUMERIC_VALUE_OUT_OF_RANGE",
              fmt::format("{} precision must be in range [0, 12]: {}",
                          row.kind == TypeKind::time ? "TIME" : "TIMESTAMP", type.precision));
        }
        if (peek().kind == TokenKind::word &&
            (peek().upper == "WITH" || peek().upper == "WITHOUT")) {
          bool with = tokens_[next_++].upper == "WITH";
          if (!word("TIME") || !word("ZONE")) return broken();
          if (with)
            type.kind = row.kind == TypeKind::time ? TypeKind::time_tz : TypeKind::timestamp_tz;
        }
        break;
      case Shape::decimal:
        type.precision = numbers.empty() ? 38 : numbers[0];
        type.scale = numbers.size() > 1 ? numbers[1] : 0;
        if (type.precision < 1 || type.precision > 38) {
          return fail(
              Code::invalid, "INVALID_FUNCTION_ARGUMENT",
              fmt::format("DECIMAL precision must be in range [1, 38]: {}", type.precision));
        }
        if (type.scale > type.precision) {
          return fail(Code::invalid, "INVALID_FUNCTION_ARGUMENT",
                      fmt::format("DECIMAL scale must be in range [0, precision ({})]: {}",
                                  type.precision, type.scale));
        }
        break;
      default: break;
    }
    return type;
  }

  Result<Type> nested(const std::string& name, int depth) {
    bool angle = symbol("<");
    if (!angle && !symbol("(")) return broken();
    Type type(name == "array" ? TypeKind::array : name == "map" ? TypeKind::map : TypeKind::row);
    do {
      Field field;
      if (type.is(TypeKind::row)) {
        ASSIGN_OR_RETURN(field, row_field(depth));
      } else {
        ASSIGN_OR_RETURN(field.type, parse(depth + 1));
      }
      type.fields.push_back(std::move(field));
    } while (symbol(","));
    if (!symbol(angle ? ">" : ")")) return broken();
    size_t wanted = type.is(TypeKind::array) ? 1 : type.is(TypeKind::map) ? 2 : type.fields.size();
    if (type.fields.size() != wanted) return broken();
    return type;
  }

  // "name type" or just a type: a name is followed by another word.
  Result<Field> row_field(int depth) {
    Field field;
    bool quoted = peek().kind == TokenKind::quoted_word;
    bool second = peek(1).kind == TokenKind::word || peek(1).kind == TokenKind::quoted_word;
    static constexpr std::string_view kTwoWords[] = {
        "DOUBLE PRECISION", "INTERVAL YEAR", "INTERVAL DAY",     "TIME WITH",
        "TIMESTAMP WITH",   "TIME WITHOUT",  "TIMESTAMP WITHOUT"};
    bool two_words = false;
    for (auto pair : kTwoWords) two_words = two_words || pair == peek().upper + " " + peek(1).upper;
    if (second && (quoted || !two_words)) {
      field.name = quoted ? tokens_[next_].text : lower_case(tokens_[next_].text);
      ++next_;
    }
    ASSIGN_OR_RETURN(field.type, parse(depth + 1));
    return field;
  }
};

}  // namespace

Result<Type> parse_type(std::string_view text) {
  auto tokens = tokenize(text);
  if (!tokens) return fail(Code::invalid, "TYPE_NOT_FOUND", fmt::format("Unknown type: {}", text));
  auto type = TypeParser(std::move(*tokens)).run();
  if (!type && type.error().is("TYPE_NOT_FOUND")) {
    return fail(Code::invalid, "TYPE_NOT_FOUND", fmt::format("Unknown type: {}", text));
  }
  return type;
}

}  // namespace aichemy::sql
