#include "sql/analysis/render_moment.h"

#include <fmt/format.h>

#include <algorithm>

#include "base/json.h"
#include "sql/analysis/renderer.h"
#include "sql/types/moment.h"

namespace aichemy::sql {
namespace {

std::string session(const RenderOptions& options) {
  return fmt::format("CAST({} AS INTEGER), CAST({} AS BIGINT)",
                     find_zone(options.time_zone).value_or(kUtc), options.start_seconds);
}

bool is_plain_year(const Moment& moment) {
  constexpr int64_t kFirst = -62135596800, kLast = 253402300800;  // years 1 to 9999
  return moment.seconds >= kFirst && moment.seconds < kLast;
}

std::string picos_text(const Moment& moment) {
  __int128 picos = static_cast<__int128>(moment.seconds) * kPicosPerSecond + moment.picos;
  return fmt::format("{}", picos);
}

int64_t micros_of(const Moment& moment) {
  return moment.seconds * 1'000'000 + moment.picos / 1'000'000;
}

}  // namespace

bool is_moment(const Type& type) {
  return type.is(TypeKind::date) || type.is(TypeKind::time) || type.is(TypeKind::time_tz) ||
         type.is(TypeKind::timestamp) || type.is(TypeKind::timestamp_tz);
}

std::string_view form_name(const Type& type) {
  bool brief = type.precision <= 6;
  switch (type.kind) {
    case TypeKind::time: return brief ? "time6" : "time12";
    case TypeKind::time_tz: return "timetz";
    case TypeKind::timestamp: return brief ? "ts6" : "ts12";
    case TypeKind::timestamp_tz: return brief ? "tz6" : "tz12";
    default: return "date";
  }
}

std::string render_moment(const Type& type, std::string_view code) {
  Moment moment = moment_of_code(code);
  bool brief = type.precision <= 6;
  switch (type.kind) {
    case TypeKind::date:
      if (!is_plain_year(moment))
        return fmt::format("aichemy_date(CAST({} AS INTEGER))",
                           floor_div(moment.seconds, kSecondsPerDay));
      return fmt::format("CAST('{}' AS DATE)", moment_text(type.kind, moment, 0));
    case TypeKind::time:
      return brief ? fmt::format("CAST('{}' AS TIME)", moment_text(type.kind, moment, 6))
                   : fmt::format("CAST({} AS BIGINT)", picos_text(moment));
    case TypeKind::time_tz: {
      moment.seconds = floor_mod(moment.seconds - offset_at(moment.zone, 0), kSecondsPerDay);
      return fmt::format("aichemy_make_timetz(CAST({} AS BIGINT), CAST({} AS INTEGER))",
                         picos_text(moment), moment.zone);
    }
    case TypeKind::timestamp:
      if (!brief) return fmt::format("CAST('{}' AS HUGEINT)", picos_text(moment));
      if (!is_plain_year(moment))
        return fmt::format("make_timestamp(CAST('{}' AS BIGINT))", micros_of(moment));
      return fmt::format("CAST('{}' AS TIMESTAMP)", moment_text(type.kind, moment, 6));
    default: break;
  }
  std::string instant = fmt::format("aichemy_make_tz6(CAST('{}' AS BIGINT), CAST({} AS INTEGER))",
                                    micros_of(moment), moment.zone);
  if (brief) return instant;
  return fmt::format("struct_pack(t := {}, p := CAST({} AS INTEGER))", instant,
                     moment.picos % 1'000'000);
}

std::string render_instant_literal(std::string_view code) {
  return fmt::format("aichemy_instant(CAST('{}' AS BIGINT))", micros_of(moment_of_code(code)));
}

std::string render_moment_cast(const std::string& value, const Type& from, const Type& to,
                               const RenderOptions& options) {
  if (from.kind == to.kind && form_name(from) == form_name(to) && from.precision <= to.precision)
    return value;
  if (from.is(TypeKind::timestamp) && to.is(TypeKind::date) && from.precision <= 6)
    return fmt::format("CAST({} AS DATE)", value);
  return fmt::format("aichemy_cast_{}_{}({}, CAST({} AS INTEGER), {})", form_name(from),
                     form_name(to), value, to.precision, session(options));
}

std::string render_moment_parse(const std::string& text, const Type& to,
                                const RenderOptions& options) {
  return fmt::format("aichemy_parse_{}({}, CAST({} AS INTEGER), {})", form_name(to), text,
                     to.precision, session(options));
}

std::string render_moment_text(const std::string& value, const Type& from) {
  return fmt::format("aichemy_text_{}({}, CAST({} AS INTEGER))", form_name(from), value,
                     from.precision);
}

bool is_stored_otherwise(const Type& type) {
  if (type.is(TypeKind::timestamp_tz) || type.is(TypeKind::time_tz)) return true;
  if (type.is(TypeKind::timestamp) || type.is(TypeKind::time)) return type.precision > 6;
  for (const auto& field : type.fields) {
    if (is_stored_otherwise(field.type)) return true;
  }
  return false;
}

namespace {

using Scalar = std::string (*)(const std::string&, const Type&);

// `scalar` over every value inside that is stored otherwise.
std::string converted(const std::string& value, const Type& type, int depth, Scalar scalar) {
  if (!is_stored_otherwise(type)) return value;
  std::string item = fmt::format("s{}", depth);
  if (type.is(TypeKind::array)) {
    return fmt::format("list_transform({}, lambda {}: {})", value, item,
                       converted(item, type.element(), depth + 1, scalar));
  }
  if (type.is(TypeKind::map)) {
    return fmt::format(
        "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(k := {}, v := "
        "{})))",
        value, item, converted(item + ".key", type.key(), depth + 1, scalar),
        converted(item + ".value", type.value(), depth + 1, scalar));
  }
  if (type.is(TypeKind::row)) {
    std::string fields;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      fields += fmt::format(
          "{}f{} := {}", i ? ", " : "", i,
          converted(fmt::format("({}).f{}", value, i), type.fields[i].type, depth + 1, scalar));
    }
    return fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value, fields);
  }
  return scalar(value, type);
}

}  // namespace

std::string render_from_stored(const std::string& value, const Type& type, int depth) {
  return converted(value, type, depth, [](const std::string& at, const Type& of) -> std::string {
    if (of.is(TypeKind::time)) {
      return fmt::format(
          "aichemy_cast_time6_time12({}, CAST(6 AS INTEGER), CAST(0 AS INTEGER), "
          "CAST(0 AS BIGINT))",
          at);
    }
    return fmt::format("aichemy_stored_{}({})", form_name(of), at);
  });
}

std::string render_to_stored(const std::string& value, const Type& type, int depth) {
  return converted(value, type, depth, [](const std::string& at, const Type& of) -> std::string {
    if (of.is(TypeKind::time)) {
      return fmt::format(
          "aichemy_cast_time12_time6({}, CAST(6 AS INTEGER), CAST(0 AS INTEGER), "
          "CAST(0 AS BIGINT))",
          at);
    }
    return fmt::format("aichemy_store_{}({})", form_name(of), at);
  });
}

std::optional<std::string> render_word(const std::string& name, const Bound& call,
                                       const RenderOptions& options) {
  if (name == "zone")
    return fmt::format("CAST({} AS INTEGER)", find_zone(options.time_zone).value_or(kUtc));
  if (name == "now") return fmt::format("CAST({} AS BIGINT)", options.start_seconds);
  if (name == "typer") return physical_type(call.type);
  if (name == "sr") return fmt::format("CAST({} AS INTEGER)", call.type.scale);
  if (name == "language") return quote_text(options.language);
  if (name.size() != 2 || (name[0] != 'f' && name[0] != 'p')) return std::nullopt;
  const Type& type =
      name[1] == 'r' ? call.type : call.args.at(static_cast<size_t>(name[1] - '0'))->type;
  if (name[0] == 'f') return std::string(form_name(type));
  return fmt::format("CAST({} AS INTEGER)", type.precision);
}

bool compares_instants(const Bound& call) {
  static constexpr std::string_view kTexts[] = {
      "({0} = {1})", "({0} <> {1})", "({0} < {1})",     "({0} <= {1})",
      "({0} > {1})", "({0} >= {1})", "({0} IN ({1+}))", "({0} BETWEEN {1} AND {2})"};
  return std::ranges::find(kTexts, call.text) != std::end(kTexts) &&
         std::ranges::all_of(call.args, [](const BoundPtr& argument) {
           return argument->type.is(TypeKind::timestamp_tz) && argument->type.precision <= 6;
         });
}

namespace {

bool is_nested(const Type& type) {
  return type.is(TypeKind::array) || type.is(TypeKind::map) || type.is(TypeKind::row);
}

// Lists and maps of whole numbers as one literal: much less for the engine to parse.
std::optional<std::string> number_cell(const Json& value, const Type& type) {
  bool map = type.is(TypeKind::map);
  bool numbers = map ? type.key().is_integer() && type.value().is_integer()
                     : type.is(TypeKind::array) && type.element().is_integer();
  if (!numbers) return std::nullopt;
  std::string out;
  for (const Json& item : value.as_array()) {
    if (!out.empty()) out += ", ";
    if (map)
      out += fmt::format("{}={}", item.as_array().at(0).as_string("NULL"),
                         item.as_array().at(1).as_string("NULL"));
    else
      out += item.as_string("NULL");
  }
  return fmt::format("CAST({} AS {})", quote_text(map ? "{" + out + "}" : "[" + out + "]"),
                     physical_type(type));
}

// A cell of a nested type is JSON: arrays, rows as arrays of their fields, maps as arrays of pairs;
// texts of scalars within.
std::string nested_cell(const Json& value, const Type& type) {
  if (value.is_null()) return fmt::format("CAST(NULL AS {})", physical_type(type));
  if (auto numbers = number_cell(value, type)) return *numbers;
  auto items = [&](const Type& of, size_t column, bool pairs) {
    std::string out;
    for (const Json& item : value.as_array()) {
      const Json& at = pairs ? item.as_array().at(column) : item;
      out += (out.empty() ? "" : ", ") + nested_cell(at, of);
    }
    return fmt::format("CAST([{}] AS {}[])", out, physical_type(of));
  };
  if (type.is(TypeKind::array)) return items(type.element(), 0, false);
  if (type.is(TypeKind::map))
    return fmt::format("map({}, {})", items(type.key(), 0, true), items(type.value(), 1, true));
  if (type.is(TypeKind::row)) {
    std::string out;
    for (size_t i = 0; i < type.fields.size(); ++i) {
      out += fmt::format("{}f{} := {}", i ? ", " : "", i,
                         nested_cell(value.as_array().at(i), type.fields[i].type));
    }
    return fmt::format("struct_pack({})", out);
  }
  std::string text = quote_text(value.is_string() ? std::string(value.as_string()) : value.dump());
  if (is_moment(type))
    return render_moment_parse(fmt::format("CAST({} AS VARCHAR)", text), type, {});
  if (type.is(TypeKind::varbinary)) return fmt::format("unhex({})", text);
  return fmt::format("CAST({} AS {})", text, physical_type(type));
}

std::string cell_text(const std::string& cell, const Type& type) {
  if (!is_nested(type)) return quote_text(cell);
  auto json = Json::parse(cell);
  return json ? nested_cell(*json, type) : quote_text(cell);  // or the engine's own text
}

}  // namespace

std::string render_rows(const Plan& plan) {
  std::string columns, rows, names;
  for (size_t i = 0; i < plan.fields.size(); ++i) names += fmt::format("{}c{}", i ? ", " : "", i);
  for (size_t i = 0; i < plan.fields.size(); ++i) {
    const Type& type = plan.fields[i].type;
    std::string cell = fmt::format("c{}", i);
    std::string value =
        is_moment(type) ? render_moment_parse(fmt::format("CAST({} AS VARCHAR)", cell), type, {})
                        : fmt::format("CAST({} AS {})", cell, physical_type(type));
    columns += fmt::format("{}{} AS {}", i ? ", " : "", value, cell);
  }
  for (const auto& row : plan.cells) {
    rows += rows.empty() ? "(" : ", (";
    for (size_t i = 0; i < row.size(); ++i) {
      if (i > 0) rows += ", ";
      rows += row[i] ? cell_text(*row[i], plan.fields[i].type) : "NULL";
    }
    rows += ")";
  }
  std::string empty;
  if (rows.empty()) {
    rows = "(";
    for (size_t i = 0; i < plan.fields.size(); ++i) rows += i ? ", NULL" : "NULL";
    rows += ")";
    empty = " WHERE FALSE";
  }
  return fmt::format("(SELECT {} FROM (VALUES {}) AS v({}){}) AS r{}", columns, rows, names, empty,
                     plan.relation);
}

}  // namespace aichemy::sql
