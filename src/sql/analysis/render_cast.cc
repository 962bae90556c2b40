#include "sql/analysis/render_cast.h"

#include <fmt/format.h>

#include "sql/analysis/render_moment.h"
#include "sql/analysis/render_number_cast.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {
namespace {

std::string plain_cast(const std::string& value, const Type& to) {
  return fmt::format("CAST({} AS {})", value, physical_type(to));
}

// DuckDB's own cast of the physical forms means what Trino means.
bool is_plain(const Type& from, const Type& to) {
  if (from.is(TypeKind::unknown) || from == to) return true;
  if (from.kind == to.kind && from.fields.empty()) {
    bool shortens = to.precision < from.precision;
    if (is_moment(from)) return !shortens && form_name(from) == form_name(to);
    return !shortens || !to.is_text();
  }
  if (from.kind == to.kind && from.fields.size() == to.fields.size()) {
    for (size_t i = 0; i < from.fields.size(); ++i) {
      if (!is_plain(from.fields[i].type, to.fields[i].type)) return false;
    }
    return true;
  }
  if (from.is(TypeKind::number) || to.is(TypeKind::number)) return false;
  bool floating = from.is(TypeKind::double_) || from.is(TypeKind::real);
  if (from.is_numeric() && to.is_numeric())
    return !(floating && (to.is_integer() || to.is(TypeKind::decimal)));
  if (from.is(TypeKind::boolean) && to.is_numeric()) return true;
  if (from.is_numeric() && to.is(TypeKind::boolean)) return true;
  return false;
}

std::string bounded(const std::string& text, const Type& from, const Type& to) {
  if (to.is(TypeKind::char_))
    return fmt::format("rtrim(substr({}, 1, {}), ' ')", text, to.precision);
  if (to.precision == Type::kUnbounded) return text;
  if (from.is_text())
    return from.precision <= to.precision ? text
                                          : fmt::format("substr({}, 1, {})", text, to.precision);
  bool quoted = from.is(TypeKind::boolean) || from.is(TypeKind::interval_day_time) ||
                from.is(TypeKind::interval_year_month);
  return fmt::format("trino_{}({}, {}, {})", quoted ? "fit_quoted" : "fit", text, to.precision,
                     quote_text(to.display()));
}

std::string to_text(const std::string& value, const Type& from) {
  switch (from.kind) {
    case TypeKind::double_:
    case TypeKind::real: return fmt::format("aichemy_double_text({})", value);
    case TypeKind::number: return fmt::format("aichemy_number_text({})", value);
    case TypeKind::ipaddress: return fmt::format("aichemy_ip_text({})", value);
    case TypeKind::decimal:
      // The engine leaves out the zero before the point.
      if (from.precision > from.scale) return fmt::format("CAST({} AS VARCHAR)", value);
      return fmt::format("regexp_replace(CAST({} AS VARCHAR), '^(-?)[.]', '\\1' || '0.')", value);
    case TypeKind::date:
    case TypeKind::time:
    case TypeKind::time_tz:
    case TypeKind::timestamp:
    case TypeKind::timestamp_tz: return render_moment_text(value, from);
    case TypeKind::interval_day_time: return fmt::format("trino_day_time_to_varchar({})", value);
    case TypeKind::interval_year_month:
      return fmt::format("trino_year_month_to_varchar({})", value);
    case TypeKind::json: return fmt::format("aichemy_json_decode({}, 'varchar')", value);
    case TypeKind::varchar:
    case TypeKind::char_: return value;
    default: return fmt::format("CAST({} AS VARCHAR)", value);
  }
}

const char* upper_name(TypeKind kind) {
  switch (kind) {
    case TypeKind::tinyint: return "TINYINT";
    case TypeKind::smallint: return "SMALLINT";
    case TypeKind::integer: return "INT";
    case TypeKind::bigint: return "BIGINT";
    case TypeKind::real: return "REAL";
    case TypeKind::double_: return "DOUBLE";
    default: return "BOOLEAN";
  }
}

std::string from_text(const std::string& value, const Type& to, const RenderOptions& options) {
  if (is_moment(to)) return render_moment_parse(value, to, options);
  switch (to.kind) {
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
      return fmt::format("CAST(trino_integer_text({}, '{}') AS {})", value, upper_name(to.kind),
                         physical_type(to));
    case TypeKind::real:
    case TypeKind::double_:
      return fmt::format("CAST(trino_float_text({}, '{}') AS {})", value, upper_name(to.kind),
                         physical_type(to));
    case TypeKind::boolean: return fmt::format("trino_boolean_of({})", value);
    case TypeKind::varbinary: return fmt::format("encode({})", value);
    default: return fmt::format("CAST(trim({}) AS {})", value, physical_type(to));
  }
}

// Java's text of floating numbers, which JSON has; empty for other types.
const char* java_text(const Type& type) {
  return type.is(TypeKind::double_) ? "aichemy_double_json"
         : type.is(TypeKind::real)  ? "aichemy_float_json"
                                    : "";
}

// The native decoder knows the type whole.
bool decodes(const Type& type) {
  switch (type.kind) {
    case TypeKind::boolean:
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::real:
    case TypeKind::double_:
    case TypeKind::decimal:
    case TypeKind::varchar:
    case TypeKind::json: return true;
    case TypeKind::array:
    case TypeKind::map:
    case TypeKind::row:
      for (const auto& field : type.fields) {
        if (!decodes(field.type)) return false;
      }
      return true;
    default: return false;
  }
}

// The JSON text of a value.
std::string json_of(const std::string& value, const Type& from, int depth) {
  switch (from.kind) {
    case TypeKind::json: return value;
    case TypeKind::boolean:
    case TypeKind::tinyint:
    case TypeKind::smallint:
    case TypeKind::integer:
    case TypeKind::bigint:
    case TypeKind::decimal:
    case TypeKind::unknown: return fmt::format("CAST({} AS VARCHAR)", value);
    case TypeKind::double_:
    case TypeKind::real: {
      std::string text = fmt::format("{}({})", java_text(from), value);
      return fmt::format("CASE WHEN isfinite({0}) THEN {1} ELSE '\"' || {1} || '\"' END", value,
                         text);
    }
    case TypeKind::varchar: return fmt::format("aichemy_text_json({})", value);
    case TypeKind::number:
      return fmt::format(
          "CASE aichemy_number_text({0}) WHEN 'NaN' THEN '\"NaN\"' WHEN '+Infinity' THEN "
          "'\"+Infinity\"' WHEN '-Infinity' THEN '\"-Infinity\"' ELSE aichemy_number_text({0}) END",
          value);
    case TypeKind::array: {
      std::string item = fmt::format("j{}", depth);
      return fmt::format("aichemy_json_array(list_transform({}, lambda {}: {}), FALSE)", value,
                         item, json_of(item, from.element(), depth + 1));
    }
    case TypeKind::map: {
      std::string item = fmt::format("j{}", depth);
      return fmt::format(
          "aichemy_json_object(list_transform(map_entries({0}), lambda {1}: {2}), "
          "list_transform(map_entries({0}), lambda {1}: {3}), 1)",
          value, item,
          java_text(from.key())[0] ? fmt::format("{}({})", java_text(from.key()), item + ".key")
                                   : to_text(item + ".key", from.key()),
          json_of(item + ".value", from.value(), depth + 1));
    }
    case TypeKind::row: {
      std::string names, values;
      for (size_t i = 0; i < from.fields.size(); ++i) {
        names += (i ? ", " : "") + quote_text(from.fields[i].name.value_or(""));
        values += (i ? ", " : "") +
                  json_of(fmt::format("({}).f{}", value, i), from.fields[i].type, depth + 1);
      }
      return fmt::format("CASE WHEN {} IS NOT NULL THEN aichemy_json_object([{}], [{}], 0) END",
                         value, names, values);
    }
    default: return fmt::format("aichemy_text_json({})", to_text(value, from));
  }
}

// A JSON text as a nested type: DuckDB's json_transform to the same shape, scalars by their own
// casts.
std::string of_json(const std::string& value, const Type& to, const RenderOptions& options,
                    int depth) {
  if (decodes(to))
    return fmt::format("aichemy_json_decode({}, {})", value, quote_text(to.display()));
  std::string item = fmt::format("j{}", depth);
  switch (to.kind) {
    case TypeKind::array:
      return fmt::format("list_transform(trino_json_items({}, {}), lambda {}: {})", value,
                         quote_text(to.display()), item,
                         of_json(item, to.element(), options, depth + 1));
    case TypeKind::map:
      return fmt::format(
          "map_from_entries(list_transform(trino_json_entries({}, {}), lambda {}: struct_pack(k := "
          "{}, v := {})))",
          value, quote_text(to.display()), item,
          render_cast(item + ".k", Type::varchar(), to.key(), options, depth + 1),
          of_json(item + ".v", to.value(), options, depth + 1));
    case TypeKind::row: {
      std::string fields;
      for (size_t i = 0; i < to.fields.size(); ++i) {
        std::string part = fmt::format("trino_json_field({}, {}, {})", value, i,
                                       quote_text(to.fields[i].name.value_or("")));
        fields += fmt::format("{}f{} := {}", i ? ", " : "", i,
                              of_json(part, to.fields[i].type, options, depth + 1));
      }
      return fmt::format("CASE WHEN trino_json_is_value({}) THEN struct_pack({}) END", value,
                         fields);
    }
    case TypeKind::json: return value;
    case TypeKind::varchar:
    case TypeKind::char_:
      return bounded(fmt::format("trino_json_to_varchar({})", value), Type(TypeKind::json), to);
    default: {
      std::string text = fmt::format("trino_json_to_varchar({})", value);
      if (to.is(TypeKind::number))
        text = fmt::format("CASE {0} WHEN 'true' THEN '1' WHEN 'false' THEN '0' ELSE {1} END",
                           value, text);
      return render_cast(text, Type::varchar(), to, options, depth + 1);
    }
  }
}

std::string nested_cast(const std::string& value, const Type& from, const Type& to,
                        const RenderOptions& options, int depth) {
  std::string item = fmt::format("k{}", depth);
  if (to.is(TypeKind::array)) {
    return fmt::format("list_transform({}, lambda {}: {})", value, item,
                       render_cast(item, from.element(), to.element(), options, depth + 1));
  }
  if (to.is(TypeKind::map)) {
    std::string key = render_cast(item + ".key", from.key(), to.key(), options, depth + 1);
    if (from.key().is(TypeKind::json))  // JSON's null is a key, and NULL as another type
      key =
          fmt::format("COALESCE({}, trino_fail('INVALID_CAST_ARGUMENT', 'map key is null'))", key);
    return fmt::format(
        "map_from_entries(list_transform(map_entries({}), lambda {}: struct_pack(k := {}, v := "
        "{})))",
        value, item, key,
        render_cast(item + ".value", from.value(), to.value(), options, depth + 1));
  }
  std::string fields;
  for (size_t i = 0; i < to.fields.size(); ++i) {
    fields += fmt::format("{}f{} := {}", i ? ", " : "", i,
                          render_cast(fmt::format("({}).f{}", value, i), from.fields[i].type,
                                      to.fields[i].type, options, depth + 1));
  }
  return fmt::format("CASE WHEN {} IS NOT NULL THEN struct_pack({}) END", value, fields);
}

}  // namespace

std::string render_cast(const std::string& value, const Type& from, const Type& to,
                        const RenderOptions& options, int depth) {
  if (from == to) return value;
  if (is_moment(from) && is_moment(to)) return render_moment_cast(value, from, to, options);
  if (from.fields.empty() && to.fields.empty() && !(from == to)) {
    if (auto special = render_number_cast(value, from, to)) return *special;
  }
  if (is_plain(from, to))
    return physical_type(from) == physical_type(to) ? value : plain_cast(value, to);
  if (to.is(TypeKind::variant))
    return fmt::format("aichemy_variant_of({}, {})", value, quote_text(from.display()));
  if (from.is(TypeKind::variant))
    return fmt::format("aichemy_variant_decode({}, {})", value, quote_text(to.display()));
  if (to.is(TypeKind::json)) return json_of(value, from, depth);
  if (from.is(TypeKind::json)) return of_json(value, to, options, depth);
  if (!to.fields.empty() && from.kind != to.kind) return plain_cast(value, to);
  if (!to.fields.empty()) return nested_cast(value, from, to, options, depth);
  bool real = from.is(TypeKind::double_) || from.is(TypeKind::real);
  if (real && to.is(TypeKind::varchar) && to.precision != Type::kUnbounded)
    return fmt::format("aichemy_double_text({}, CAST({} AS INTEGER))", value, to.precision);
  if (to.is_text()) return bounded(to_text(value, from), from, to);
  if (from.is_text()) return from_text(value, to, options);

  bool floating = from.is(TypeKind::double_) || from.is(TypeKind::real);
  if (floating && to.is_integer()) {
    return fmt::format("CAST(round(trino_finite({}, '{}')) AS {})", value, upper_name(to.kind),
                       physical_type(to));
  }
  return plain_cast(value, to);
}

}  // namespace aichemy::sql
