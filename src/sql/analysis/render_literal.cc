#include "sql/analysis/render_literal.h"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <string_view>

#include "base/bytes.h"
#include "sql/analysis/render_moment.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {

std::string render_literal(const Bound& value) {
  std::string type = physical_type(value.type);
  if (value.null)
    return value.type.is(TypeKind::unknown) ? "NULL" : fmt::format("CAST(NULL AS {})", type);
  switch (value.type.kind) {
    case TypeKind::boolean: return value.text == "true" ? "TRUE" : "FALSE";
    case TypeKind::number:
    case TypeKind::ipaddress:
    case TypeKind::varbinary: return fmt::format("unhex('{}')", to_hex(value.text));
    case TypeKind::varchar:
    case TypeKind::char_: return fmt::format("CAST({} AS VARCHAR)", quote_text(value.text));
    case TypeKind::json: return fmt::format("CAST({} AS VARCHAR)", quote_text(value.text));
    default:
      if (is_moment(value.type)) return render_moment(value.type, value.text);
      return fmt::format("CAST({} AS {})", quote_text(value.text), type);
  }
}

namespace {

bool is_constant(const Bound& value) {
  const Bound* at = &value;
  while (at->kind == Bound::Kind::cast) at = at->args[0].get();
  return at->kind == Bound::Kind::literal;
}

// The literal of a whole number below casts between integers, null when it is none.
const Bound* whole_number(const Bound& value) {
  const Bound* at = &value;
  while (at->kind == Bound::Kind::cast && at->type.is_integer() && at->args[0]->type.is_integer() &&
         at->type.kind >= at->args[0]->type.kind)
    at = at->args[0].get();
  return at->kind == Bound::Kind::literal && !at->null && at->type.is_integer() ? at : nullptr;
}

bool compares(const std::string& call) {
  static constexpr std::string_view kForms[] = {"({0} = {1})",    "({0} <> {1})", "({0} < {1})",
                                                "({0} <= {1})",   "({0} > {1})",  "({0} >= {1})",
                                                "({0} IN ({1+}))"};
  return std::ranges::find(kForms, call) != std::end(kForms);
}

// A decimal whose digits after the point are those of its type.
bool has_scale(const Bound& value) {
  using Kind = Bound::Kind;
  if (!value.type.is(TypeKind::decimal)) return false;
  if (value.kind == Kind::column || is_constant(value)) return true;
  if (value.kind == Kind::call)
    return value.text.starts_with("aichemy_decimal_") ||
           value.text.starts_with("CAST(aichemy_decimal_");
  if (value.kind != Kind::case_) return false;
  for (size_t i = 0; i < value.args.size(); ++i) {
    bool result = i % 2 == 1 || i + 1 == value.args.size();
    if (result && !has_scale(*value.args[i])) return false;
  }
  return true;
}

}  // namespace

std::optional<std::string> render_operand(const Bound& call, const Bound& value) {
  if (!is_constant(value) || !compares(call.text)) return std::nullopt;
  // The first of IN, the other side of a comparison; not a search through all that IN lists.
  auto gives_type = [&](const Bound& other) {
    return !is_constant(other) && other.type.kind == value.type.kind;
  };
  bool typed = gives_type(*call.args[0]) || (call.args.size() == 2 && gives_type(*call.args[1]));
  if (!typed) return std::nullopt;
  if (value.kind == Bound::Kind::literal && value.type.is(TypeKind::varchar) && !value.null)
    return quote_text(value.text);
  constexpr size_t kDigitsMax = 18;
  const Bound* number = whole_number(value);
  bool plain = number && number->text.size() <= kDigitsMax &&
               number->text.find_first_not_of("0123456789") == std::string::npos;
  return plain ? std::optional(number->text) : std::nullopt;
}

std::optional<std::string> render_number_constant(const Bound& cast) {
  bool decimal = cast.type.is(TypeKind::decimal) && cast.args[0]->type.is_integer();
  const Bound* number = whole_number(decimal ? *cast.args[0] : cast);
  if (!number || number == &cast) return std::nullopt;
  size_t digits = number->text.size() - (number->text.starts_with('-') ? 1 : 0);
  bool fits = !decimal || static_cast<int>(digits) <= cast.type.precision - cast.type.scale;
  if (!fits) return std::nullopt;
  return fmt::format("CAST('{}' AS {})", number->text, physical_type(cast.type));
}

bool has_form_of_type(const Bound& item) {
  using Kind = Bound::Kind;
  if (item.kind == Kind::column || item.kind == Kind::literal || item.kind == Kind::scalar ||
      item.type.is(TypeKind::unknown))
    return true;
  if (item.kind != Kind::aggregate && item.kind != Kind::window) return false;
  if (item.text == "count@(*)@" || item.text == "count@({0})@") return true;
  if (item.text == "min@({0})@" || item.text == "max@({0})@")
    return item.args[0]->kind == Kind::column;
  return item.text == "sum@({0})@" && item.type.is(TypeKind::decimal) &&
         item.type.precision == 38 && item.type.scale == item.args[0]->type.scale &&
         has_scale(*item.args[0]);
}

std::string column_names(size_t count) {
  std::string out;
  for (size_t i = 0; i < count; ++i) out += fmt::format("{}c{}", i ? ", " : "", i);
  return out;
}

std::string with_try_macros(const std::string& text) {
  std::string out;
  size_t from = 0;
  while (true) {
    size_t at = text.find("trino_", from);
    if (at == std::string::npos) return out + text.substr(from);
    bool starts = at == 0 || !(std::isalnum(static_cast<unsigned char>(text[at - 1])) ||
                               text[at - 1] == '_' || text[at - 1] == '\'');
    out += text.substr(from, at - from) +
           (starts && text.compare(at, 10, "trino_try_") != 0 ? "trino_try_" : "trino_");
    from = at + 6;
  }
}

}  // namespace aichemy::sql
