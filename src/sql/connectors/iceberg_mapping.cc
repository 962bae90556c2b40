#include "sql/connectors/iceberg_mapping.h"

#include <charconv>
#include <cmath>
#include <set>

#include "base/bytes.h"
#include "sql/language/ast.h"
#include "tables/calendar.h"

namespace aichemy::sql {

namespace {

using Kind = tables::TypeKind;

constexpr int kMicrosPrecision = 6;
constexpr int kNanosPrecision = 9;

struct TypeRow {
  Kind iceberg;
  TypeKind trino;
  int precision;
};
// Both ways; of several rows for one Trino type the first is used.
constexpr TypeRow kTypes[] = {
    {Kind::boolean, TypeKind::boolean, 0},
    {Kind::int32, TypeKind::integer, 0},
    {Kind::int32, TypeKind::tinyint, 0},
    {Kind::int32, TypeKind::smallint, 0},
    {Kind::int64, TypeKind::bigint, 0},
    {Kind::float32, TypeKind::real, 0},
    {Kind::float64, TypeKind::double_, 0},
    {Kind::date, TypeKind::date, 0},
    {Kind::time, TypeKind::time, kMicrosPrecision},
    {Kind::timestamp, TypeKind::timestamp, kMicrosPrecision},
    {Kind::timestamptz, TypeKind::timestamp_tz, kMicrosPrecision},
    {Kind::timestamp_ns, TypeKind::timestamp, kNanosPrecision},
    {Kind::timestamptz_ns, TypeKind::timestamp_tz, kNanosPrecision},
    {Kind::string, TypeKind::varchar, Type::kUnbounded},
    {Kind::string, TypeKind::char_, Type::kUnbounded},
    {Kind::uuid, TypeKind::uuid, 0},
    {Kind::binary, TypeKind::varbinary, 0},
    {Kind::fixed, TypeKind::varbinary, 0},
    {Kind::unknown, TypeKind::unknown, 0},
};

template <class Number>
std::optional<Number> parse_number(std::string_view text) {
  Number number{};
  auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return number;
}

std::optional<tables::Value> parse_uuid(std::string_view text) {
  std::string hex;
  for (char c : text) {
    if (c != '-') hex.push_back(c);
  }
  auto bytes = from_hex(hex);
  if (!bytes || bytes->size() != 16) return std::nullopt;
  return tables::Value(std::move(*bytes));
}

// 2024-01-01 00:00:00.5+00, whose blank Iceberg's text has as T.
std::optional<tables::Value> parse_timestamp(std::string text, bool zoned) {
  if (size_t blank = text.find(' '); blank != std::string::npos) text[blank] = 'T';
  if (zoned) {
    if (!text.ends_with("+00")) return std::nullopt;
    text += ":00";
  }
  auto micros = tables::timestamp_from_text(text, zoned);
  if (!micros) return std::nullopt;
  return tables::Value(*micros);
}

// Bytes print as themselves or as \xAB.
std::optional<tables::Value> parse_blob(std::string_view text) {
  std::string bytes;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] != '\\') {
      bytes.push_back(text[i]);
      continue;
    }
    auto byte = i + 3 < text.size() && text[i + 1] == 'x' ? from_hex(text.substr(i + 2, 2))
                                                          : fail(Code::invalid, "hex", "");
    if (!byte) return std::nullopt;
    bytes += *byte;
    i += 3;
  }
  return tables::Value(std::move(bytes));
}

template <class T>
std::optional<tables::Value> as_value(std::optional<T> value) {
  if (!value) return std::nullopt;
  return tables::Value(*value);
}

std::optional<tables::Predicate> predicate_of(const Conjunct& conjunct,
                                              const tables::Field& field) {
  using tables::CompareOp;
  using tables::Predicate;
  if (conjunct.op == Compare::is_null) return Predicate::is_null(field.id);
  if (conjunct.op == Compare::is_not_null) return Predicate::not_null(field.id);
  std::vector<tables::Value> values;
  for (const Value& value : conjunct.values) {
    auto converted = iceberg_value(value, field.type);
    if (!converted) return std::nullopt;
    values.push_back(std::move(*converted));
  }
  if (values.empty()) return std::nullopt;
  if (conjunct.op == Compare::in) return Predicate::in(field.id, std::move(values));
  static constexpr CompareOp kOps[] = {CompareOp::eq, CompareOp::ne, CompareOp::lt,
                                       CompareOp::le, CompareOp::gt, CompareOp::ge};
  return Predicate::compare(field.id, kOps[static_cast<size_t>(conjunct.op)], std::move(values[0]));
}

}  // namespace

Type trino_type(const tables::Type& type) {
  switch (type.kind) {
    case Kind::decimal: return Type::decimal(type.precision, type.scale);
    case Kind::list: return Type::array(trino_type(type.fields[0].type));
    case Kind::map:
      return Type::map(trino_type(type.fields[0].type), trino_type(type.fields[1].type));
    case Kind::struct_: {
      std::vector<Field> fields;
      for (const tables::Field& field : type.fields)
        fields.push_back({field.name, trino_type(field.type)});
      return Type::row(std::move(fields));
    }
    default: break;
  }
  for (const TypeRow& row : kTypes) {
    if (row.iceberg == type.kind) return Type(row.trino, row.precision);
  }
  return Type(TypeKind::unknown);
}

Result<tables::Type> iceberg_type(const Type& type, int* last_id) {
  switch (type.kind) {
    case TypeKind::decimal: return tables::decimal_type(type.precision, type.scale);
    case TypeKind::array: {
      int id = ++*last_id;
      ASSIGN_OR_RETURN(tables::Type element, iceberg_type(type.fields[0].type, last_id));
      return tables::list_type(id, std::move(element), false);
    }
    case TypeKind::map: {
      int key_id = ++*last_id;
      int value_id = ++*last_id;
      ASSIGN_OR_RETURN(tables::Type key, iceberg_type(type.fields[0].type, last_id));
      ASSIGN_OR_RETURN(tables::Type value, iceberg_type(type.fields[1].type, last_id));
      return tables::map_type(key_id, std::move(key), value_id, std::move(value), false);
    }
    case TypeKind::row: {
      std::vector<tables::Field> fields;
      std::set<std::string> names;
      for (const Field& field : type.fields) {
        if (!field.name) {
          return fail(Code::unsupported, "NOT_SUPPORTED",
                      "Row type field does not have a name: " + type.display());
        }
        std::string name = lower_case(*field.name);
        if (!names.insert(name).second) {
          return fail(Code::invalid, "DUPLICATE_COLUMN_NAME",
                      "Field name '" + name + "' specified more than once");
        }
        tables::Field made{.id = ++*last_id, .name = *field.name};
        ASSIGN_OR_RETURN(made.type, iceberg_type(field.type, last_id));
        fields.push_back(std::move(made));
      }
      return tables::struct_type(std::move(fields));
    }
    default: break;
  }
  for (const TypeRow& row : kTypes) {
    bool fits = row.trino == type.kind && row.iceberg != Kind::unknown;
    if (fits) return tables::primitive(row.iceberg);
  }
  return fail(Code::unsupported, "NOT_SUPPORTED",
              "Type not supported for Iceberg: " + type.display());
}

FieldId field_id_of(const tables::Field& field) {
  FieldId id{field.id, {}};
  for (const tables::Field& child : field.type.fields) id.children.push_back(field_id_of(child));
  return id;
}

std::optional<tables::Value> iceberg_value(const Value& value, const tables::Type& type) {
  std::optional<tables::Value> converted;
  if (const bool* flag = std::get_if<bool>(&value)) {
    converted = tables::Value(*flag);
  } else if (const int64_t* number = std::get_if<int64_t>(&value)) {
    bool nanos = type.kind == Kind::timestamp_ns || type.kind == Kind::timestamptz_ns;
    if (nanos && (*number > INT64_MAX / 1000 || *number < INT64_MIN / 1000)) return std::nullopt;
    converted = tables::Value(nanos ? *number * 1000 : *number);
  } else if (const double* real = std::get_if<double>(&value)) {
    converted = tables::Value(*real);
  } else if (const std::string* text = std::get_if<std::string>(&value)) {
    if (type.kind == Kind::uuid) {
      converted = parse_uuid(*text);
    } else if (type.kind == Kind::decimal) {
      if (auto unscaled = tables::decimal_from_text(*text, type.scale))
        converted = tables::Value(*unscaled);
    } else {
      converted = tables::Value(*text);
    }
  }
  if (!converted || !tables::fits(*converted, type)) return std::nullopt;
  return converted;
}

std::optional<tables::Value> value_from_engine_text(const std::string& text,
                                                    const tables::Type& type) {
  switch (type.kind) {
    case Kind::boolean:
      if (text != "true" && text != "false") return std::nullopt;
      return tables::Value(text == "true");
    case Kind::int32:
    case Kind::int64: return as_value(parse_number<int64_t>(text));
    case Kind::float32:
    case Kind::float64: {
      auto number = parse_number<double>(text);
      if (!number || std::isnan(*number)) return std::nullopt;
      return tables::Value(*number);
    }
    case Kind::decimal: {
      auto unscaled = tables::decimal_from_text(text, type.scale);
      if (!unscaled) return std::nullopt;
      return tables::Value(*unscaled);
    }
    case Kind::date: return as_value(tables::date_from_text(text));
    case Kind::time: return as_value(tables::time_from_text(text));
    case Kind::timestamp: return parse_timestamp(text, false);
    case Kind::timestamptz: return parse_timestamp(text, true);
    case Kind::string: return tables::Value(text);
    case Kind::uuid: return parse_uuid(text);
    case Kind::fixed:
    case Kind::binary: return parse_blob(text);
    default: return std::nullopt;
  }
}

tables::Predicate predicate_of(const std::vector<Conjunct>& conjuncts,
                               const tables::Schema& schema) {
  std::vector<tables::Predicate> parts;
  for (const Conjunct& conjunct : conjuncts) {
    if (conjunct.column >= schema.fields.size()) continue;  // a hidden column
    const tables::Field& field = schema.fields[conjunct.column];
    if (field.type.is_nested()) continue;
    if (auto part = predicate_of(conjunct, field)) parts.push_back(std::move(*part));
  }
  return tables::Predicate::all(std::move(parts));
}

bool says_all(const std::vector<Conjunct>& conjuncts, const tables::Schema& schema) {
  return predicate_of(conjuncts, schema).children.size() == conjuncts.size();
}

}  // namespace aichemy::sql
