// The specification's expressions (schemas Predicate and ValueExpression, in their older forms
// too). Negations are carried down to the leaves. There "not equal" and its like hold for nulls, as
// they do for some of Iceberg's readers and not for others: a null is never a reason to leave a
// file out.
#include <optional>

#include "serve/iceberg/rest.h"

namespace aichemy::serve::iceberg {

namespace {

using tables::CompareOp;
using tables::Predicate;
using tables::TypeKind;

constexpr int kDepthMax = 200;

std::unexpected<Error> bad_filter(const std::string& message) {
  return fail(Code::invalid, "request", "filter: " + message);
}

struct Comparison {
  std::string_view type;
  CompareOp op;
  CompareOp negated;
};
constexpr Comparison kComparisons[] = {
    {"eq", CompareOp::eq, CompareOp::ne}, {"not-eq", CompareOp::ne, CompareOp::eq},
    {"lt", CompareOp::lt, CompareOp::ge}, {"lt-eq", CompareOp::le, CompareOp::gt},
    {"gt", CompareOp::gt, CompareOp::le}, {"gt-eq", CompareOp::ge, CompareOp::lt},
};

class Reader {
 public:
  Reader(const tables::Schema& schema, bool case_sensitive)
      : schema_(schema), case_sensitive_(case_sensitive) {}

  Result<Predicate> read(const Json& json, bool negated, int depth) {
    if (depth > kDepthMax) return bad_filter("it has too many levels");
    if (json.is_bool()) return constant(json.as_bool() != negated);
    std::string type(json["type"].as_string());
    if (type == "true" || type == "false") return constant((type == "true") != negated);
    if (type == "not") return read(json["child"], !negated, depth + 1);
    if (type == "and" || type == "or") {
      ASSIGN_OR_RETURN(Predicate left, read(json["left"], negated, depth + 1));
      ASSIGN_OR_RETURN(Predicate right, read(json["right"], negated, depth + 1));
      bool both = (type == "and") != negated;
      return both ? Predicate::all({std::move(left), std::move(right)})
                  : Predicate::any({std::move(left), std::move(right)});
    }
    for (const Comparison& row : kComparisons) {
      if (row.type == type) return compare(json, negated ? row.negated : row.op);
    }
    if (type == "in" || type == "not-in") return in(json, (type == "not-in") != negated);
    if (type == "starts-with" || type == "not-starts-with")
      return starts_with(json, (type == "not-starts-with") != negated);
    return unary(json, type, negated);
  }

 private:
  const tables::Schema& schema_;
  bool case_sensitive_;

  static Predicate constant(bool value) {
    return value ? Predicate::always_true() : Predicate::always_false();
  }

  static const Json& first_of(const Json& json, const char* name, const char* older) {
    const Json* found = json.find(name);
    return found ? *found : json[older];
  }

  // The column an operand names; none: it is something else, of a column that exists.
  Result<std::optional<tables::Field>> column(const Json& term) {
    if (term["type"].as_string() == "transform") {
      RETURN_IF_ERROR(named(std::string(term["term"].as_string())));
      return std::nullopt;
    }
    bool reference = term.is_string() || term["type"].as_string() == "reference";
    if (!reference && (term.is_object() || term.is_null())) {
      if (term["type"].as_string() == "apply" || term["type"].as_string() == "literal")
        return std::nullopt;
      return bad_filter("an expression without a term");
    }
    if (!reference) return std::nullopt;  // a literal
    if (const Json* id = term.find("id")) {
      const tables::Field* field = schema_.find(static_cast<int>(id->as_int(-1)));
      if (!field) return bad_filter("Cannot find field with id " + id->dump());
      return *field;
    }
    auto field = named(std::string(term.is_string() ? term.as_string() : term["name"].as_string()));
    if (!field) return std::unexpected(field.error());
    return *field;
  }

  Result<tables::Field> named(const std::string& name) {
    const tables::Field* field = schema_.find(name, !case_sensitive_);
    if (!field) return bad_filter("Cannot find field '" + name + "'");
    return *field;
  }

  static Result<tables::Value> literal(const Json& given, const tables::Field& field) {
    const Json& json = given["type"].as_string() == "literal" ? given["value"] : given;
    TypeKind kind = field.type.kind;
    // Some clients give points in time as the numbers they are stored as.
    bool temporal = kind == TypeKind::date || kind == TypeKind::time ||
                    kind == TypeKind::timestamp || kind == TypeKind::timestamptz ||
                    kind == TypeKind::timestamp_ns || kind == TypeKind::timestamptz_ns;
    if (temporal && json.is_integer()) return tables::Value(json.as_int());
    auto value = kind == TypeKind::decimal && json.is_number()
                     ? tables::value_from_json(Json(json.dump()), field.type)
                     : tables::value_from_json(json, field.type);
    if (value && !value->is_null()) return value;
    return bad_filter("the value " + json.dump().substr(0, 100) + " is none of column '" +
                      field.name + "', which is " + tables::type_text(field.type));
  }

  static Predicate or_null(Predicate predicate, const tables::Field& field) {
    return Predicate::any({std::move(predicate), Predicate::is_null(field.id)});
  }

  Result<Predicate> compare(const Json& json, CompareOp op) {
    ASSIGN_OR_RETURN(auto field, column(first_of(json, "left", "term")));
    if (!field || field->type.is_nested()) return Predicate::always_true();
    const Json& right = first_of(json, "right", "value");
    bool computed =
        right["type"].as_string() == "reference" || right["type"].as_string() == "apply";
    if (computed) return Predicate::always_true();
    ASSIGN_OR_RETURN(tables::Value value, literal(right, *field));
    Predicate predicate = Predicate::compare(field->id, op, std::move(value));
    return op == CompareOp::ne ? or_null(std::move(predicate), *field) : predicate;
  }

  Result<Predicate> in(const Json& json, bool negated) {
    ASSIGN_OR_RETURN(auto field, column(first_of(json, "child", "term")));
    if (!field || field->type.is_nested()) return Predicate::always_true();
    const Json& values = json["values"].is_object() ? json["values"]["values"] : json["values"];
    if (!values.is_array()) return bad_filter("\"values\" is missing");
    std::vector<tables::Value> list;
    for (const Json& item : values.as_array()) {
      ASSIGN_OR_RETURN(tables::Value value, literal(item, *field));
      list.push_back(std::move(value));
    }
    Predicate predicate = Predicate::in(field->id, std::move(list));
    return negated ? or_null(Predicate::negate(std::move(predicate)), *field) : predicate;
  }

  Result<Predicate> starts_with(const Json& json, bool negated) {
    ASSIGN_OR_RETURN(auto field, column(first_of(json, "left", "term")));
    if (!field || field->type.kind != TypeKind::string) return Predicate::always_true();
    ASSIGN_OR_RETURN(tables::Value prefix, literal(first_of(json, "right", "value"), *field));
    Predicate predicate = Predicate::starts_with(field->id, prefix.as_bytes());
    return negated ? or_null(Predicate::negate(std::move(predicate)), *field) : predicate;
  }

  Result<Predicate> unary(const Json& json, const std::string& type, bool negated) {
    using Make = Predicate (*)(int);
    struct Row {
      std::string_view type;
      Make make;
      Make negated;
    };
    static constexpr Row kRows[] = {{"is-null", Predicate::is_null, Predicate::not_null},
                                    {"not-null", Predicate::not_null, Predicate::is_null},
                                    {"is-nan", Predicate::is_nan, Predicate::not_nan},
                                    {"not-nan", Predicate::not_nan, Predicate::is_nan}};
    for (const Row& row : kRows) {
      if (row.type != type) continue;
      ASSIGN_OR_RETURN(auto field, column(first_of(json, "child", "term")));
      if (!field || field->type.is_nested()) return Predicate::always_true();
      Predicate predicate = (negated ? row.negated : row.make)(field->id);
      bool holds_for_null = predicate.kind == Predicate::Kind::not_nan;
      return holds_for_null ? or_null(std::move(predicate), *field) : predicate;
    }
    return bad_filter("the expression type '" + type + "' is unknown");
  }
};

}  // namespace

Result<Predicate> predicate_from_json(const Json& json, const tables::Schema& schema,
                                      bool case_sensitive) {
  if (json.is_null()) return Predicate::always_true();
  return Reader(schema, case_sensitive).read(json, false, 0);
}

}  // namespace aichemy::serve::iceberg
