#include "sql/native/prelude.h"

#include <fmt/format.h>

namespace aichemy::sql {
namespace {

struct Macro {
  const char* name;  // without trino_
  const char* parameters;
  const char* body;  // `let(value, name, body)` is list_transform([value], lambda name: body)[1]
};

constexpr Macro kMacros[] = {
    // arithmetic
    {"divide", "a, b",
     "CASE WHEN b = 0 THEN trino_fail('DIVISION_BY_ZERO', 'Division by zero') ELSE a // b END"},
    {"modulo", "a, b",
     "CASE WHEN b = 0 THEN trino_fail('DIVISION_BY_ZERO', 'Division by zero') ELSE a % b END"},
    {"finite", "x, t",
     "CASE WHEN isnan(x) OR isinf(x) THEN trino_fail(CASE WHEN isnan(x) THEN "
     "'INVALID_CAST_ARGUMENT' ELSE 'NUMERIC_VALUE_OUT_OF_RANGE' END, 'Cannot cast ' || "
     "(CASE WHEN isnan(x) THEN 'NaN' WHEN x > 0 THEN 'Infinity' ELSE '-Infinity' END) || ' to ' || "
     "lower(t)) ELSE x END"},
    {"round_to", "x, n", "CASE WHEN isnan(x) OR isinf(x) THEN x ELSE round(x, n) END"},
    // text
    {"fit", "t, n, type",
     "CASE WHEN length(t) > n THEN trino_fail('INVALID_CAST_ARGUMENT', 'Value ' || t || ' cannot "
     "be represented as ' || type) ELSE t END"},
    {"fit_quoted", "t, n, type",
     "CASE WHEN length(t) > n THEN trino_fail('INVALID_CAST_ARGUMENT', 'Cannot cast ''' || t || "
     "''' to ' || type) ELSE t END"},
    {"unhex", "t",
     "CASE WHEN length(t) % 2 = 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'expected an even "
     "number of characters, but was ' || length(t)) ELSE unhex(t) END"},
    {"repeat_check", "n, bytes",
     "CASE WHEN n > 10000 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'count argument of repeat "
     "function must be less than or equal to 10000') WHEN n < 0 THEN "
     "trino_fail('INVALID_FUNCTION_ARGUMENT', 'count argument of repeat function must be greater "
     "than or equal to 0') WHEN bytes * n > 1000000 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'result of repeat function must not take more than 1000000 bytes') ELSE n END"},
    {"integer_text", "t, type",
     "CASE WHEN t IS NULL THEN NULL WHEN regexp_full_match(trim(t), '[+-]?[0-9]+') THEN trim(t) "
     "ELSE trino_fail('INVALID_CAST_ARGUMENT', 'Cannot cast ''' || t || ''' to ' || type) END"},
    {"float_text", "t, type",
     "CASE WHEN t IS NULL THEN NULL WHEN regexp_full_match(trim(t), "
     "'[+-]?(([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?[fFdD]?|Infinity|NaN)') THEN "
     "rtrim(trim(t), 'fFdD') "
     "ELSE trino_fail('INVALID_CAST_ARGUMENT', 'Cannot cast ''' || t || ''' to ' || type) END"},
    {"date_text", "t",
     "CASE WHEN t IS NULL THEN NULL WHEN regexp_full_match(trim(t), "
     "'[+-]?[0-9]{4,}-[0-9]{1,2}-[0-9]{1,2}') THEN trim(t) "
     "ELSE trino_fail('INVALID_CAST_ARGUMENT', 'Value cannot be cast to date: ' || t) END"},
    {"boolean_of", "t",
     "CASE WHEN lower(t) IN ('t', 'true', '1') THEN TRUE WHEN lower(t) IN ('f', 'false', '0') THEN "
     "FALSE WHEN t IS NULL THEN NULL "
     "ELSE trino_fail('INVALID_CAST_ARGUMENT', 'Cannot cast ''' || t || ''' to BOOLEAN') END"},
    {"like", "t, p, e",
     "CASE WHEN e IS NOT NULL AND length(e) <> 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'Escape string must be a single character') WHEN contains(replace(replace(replace(p, e || e, "
     "''), e || '%', ''), e || '_', ''), e) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Escape "
     "character must be followed by ''%'', ''_'' or the escape character itself') ELSE t LIKE p "
     "ESCAPE e END"},
    {"substr2", "t, s",
     "CASE WHEN s = 0 OR s > length(t) OR s < -length(t) THEN CASE WHEN t IS NULL THEN NULL ELSE "
     "'' END ELSE "
     "substr(t, s) END"},
    {"substr3", "t, s, n",
     "CASE WHEN s = 0 OR n <= 0 OR s > length(t) OR s < -length(t) THEN CASE WHEN t IS NULL OR s "
     "IS NULL OR n IS NULL THEN NULL ELSE '' END ELSE substr(t, s, least(n, 2147483647)) END"},
    {"split_part", "t, d, n",
     "CASE WHEN n <= 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Index must be greater than "
     "zero') "
     "WHEN (t = '' AND d = '') OR n > len(string_split(t, d)) THEN NULL ELSE string_split(t, d)[n] "
     "END"},
    {"split", "t, d",
     "CASE WHEN d = '' THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'The delimiter may not be the "
     "empty string') ELSE string_split(t, d) END"},
    {"pad", "side, t, n, p",
     "CASE WHEN p = '' THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Padding string must not be "
     "empty') "
     "WHEN n < 0 OR n > 2147483647 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Target length "
     "must be in the range [0..2147483647]') "
     "WHEN side = 'l' THEN lpad(t, CAST(n AS INTEGER), p) ELSE rpad(t, CAST(n AS INTEGER), p) END"},
    {"codepoint", "t",
     "CASE WHEN length(t) <> 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Input string must be "
     "a single character string') ELSE unicode(t) END"},
    {"overlay", "t, r, s, n",
     "CASE WHEN s < 1 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Start position must be "
     "positive: ' || s) "
     "WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Length must not be negative: ' || "
     "n) "
     "ELSE substr(t, 1, s - 1) || r || substr(t, s + n) END"},
    {"gather", "pairs", "map_from_entries(aichemy_gather_pairs(pairs))"},
    {"all_joined", "l", "CASE WHEN len(l) = list_count(l) THEN array_to_string(l, '') END"},
    {"finite_or_null", "x", "CASE WHEN isfinite(x) THEN x END"},
    {"first_keys", "l",
     "let(aichemy_first_pairs(list_filter(l, lambda e: e.k IS NOT NULL)), e, CASE WHEN len(e) > 0 "
     "THEN map_from_entries(e) END)"},
    {"number_sum", "l",
     "let(list_filter(l, lambda x: x IS NOT NULL), e, CASE WHEN len(e) > 0 THEN list_reduce(e, "
     "lambda a, b: aichemy_number_add(a, b)) END)"},
    {"join_arrays", "a, b", "CASE WHEN a IS NOT NULL AND b IS NOT NULL THEN list_concat(a, b) END"},
    {"append", "a, x", "CASE WHEN x IS NOT NULL THEN list_append(a, x) END"},
    {"prepend", "x, a", "CASE WHEN x IS NOT NULL THEN list_prepend(x, a) END"},
    // the digits and the exponent of the shortest text of a double
    {"scientific", "t",
     "let(split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 1), i, "
     "let(split_part(split_part(ltrim(t, '-'), 'e', 1), '.', 2), f, "
     "let(COALESCE(TRY_CAST(split_part(t, 'e', 2) AS INTEGER), 0), e, let(rtrim(ltrim(i || f, "
     "'0'), '0'), d, "
     "(CASE WHEN t LIKE '-%' THEN '-' ELSE '' END) || CASE WHEN d = '' THEN '0E0' ELSE d[1] || '.' "
     "|| COALESCE(NULLIF(d[2:], ''), '0') || 'E' || "
     "CAST((CASE WHEN ltrim(i, '0') <> '' THEN length(ltrim(i, '0')) - 1 ELSE -(length(f) - "
     "length(ltrim(f, '0'))) - 1 END) + e AS VARCHAR) END))))"},
    {"double_to_varchar", "x",
     "CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE "
     "'-Infinity' END ELSE trino_scientific(CAST(x AS VARCHAR)) END"},
    {"real_to_varchar", "x",
     "CASE WHEN isnan(x) THEN 'NaN' WHEN isinf(x) THEN CASE WHEN x > 0 THEN 'Infinity' ELSE "
     "'-Infinity' END ELSE trino_scientific(CAST(x AS VARCHAR)) END"},
    // time
    {"fraction", "micros, p",
     "CASE WHEN p = 0 THEN '' ELSE '.' || substr(rpad(lpad(CAST(micros AS VARCHAR), 6, '0'), 12, "
     "'0'), 1, p) END"},
    {"date_plus_millis", "d, ms",
     "CASE WHEN ms % 86400000 <> 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Cannot add hour, "
     "minutes or seconds to a date') ELSE d + CAST(ms // 86400000 AS INTEGER) END"},
    {"day_time_to_varchar", "ms",
     "((CASE WHEN ms < 0 THEN '-' ELSE '' END) || CAST(abs(ms) // 86400000 AS VARCHAR) || ' ' || "
     "lpad(CAST(abs(ms) // 3600000 % 24 AS VARCHAR), 2, '0') || ':' || "
     "lpad(CAST(abs(ms) // 60000 % 60 AS VARCHAR), 2, '0') || ':' || lpad(CAST(abs(ms) // 1000 % "
     "60 AS VARCHAR), 2, '0') || '.' || lpad(CAST(abs(ms) % 1000 AS VARCHAR), 3, '0'))"},
    {"year_month_to_varchar", "m",
     "((CASE WHEN m < 0 THEN '-' ELSE '' END) || CAST(abs(m) // 12 AS VARCHAR) || '-' || "
     "CAST(abs(m) % 12 AS VARCHAR))"},
    // arrays and maps
    {"subscript", "a, i",
     "CASE WHEN i BETWEEN 1 AND len(a) THEN a[i] WHEN a IS NULL OR i IS NULL THEN NULL "
     "WHEN i = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1') "
     "WHEN i < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Array subscript is negative: ' || "
     "i) "
     "ELSE trino_fail('INVALID_FUNCTION_ARGUMENT', 'Array subscript must be less than or equal to "
     "array length: ' || i || ' > ' || len(a)) END"},
    {"element_at", "a, i",
     "CASE WHEN i = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1') "
     "ELSE a[i] END"},
    {"map_subscript", "m, k",
     "CASE WHEN map_contains(m, k) THEN m[k] WHEN m IS NULL OR k IS NULL THEN NULL "
     "ELSE trino_fail('INVALID_FUNCTION_ARGUMENT', 'Key not present in map: ' || CAST(k AS "
     "VARCHAR)) END"},
    {"map", "k, v, t",
     "CASE WHEN len(k) <> len(v) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Key and value "
     "arrays must be the same length') "
     "WHEN len(k) <> list_count(k) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'map key cannot be "
     "null') "
     "WHEN len(list_distinct(k)) <> len(k) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'Duplicate "
     "map keys (' || t || ') are not allowed') ELSE map(k, v) END"},
    // a list of {k, v} as a map; t tells the first key that comes twice
    {"entries", "e, t",
     "CASE WHEN len(list_distinct(list_transform(e, lambda x: x.k))) <> "
     "list_count(list_transform(e, lambda x: x.k)) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'Duplicate map keys (' || t || ') are not allowed') ELSE map_from_entries(e) END"},
    {"first_entries", "e", "map_from_entries(aichemy_first_pairs(e))"},
    {"listagg", "t",
     "CASE WHEN octet_length(encode(t)) > 1048576 THEN "
     "trino_fail('EXCEEDED_FUNCTION_MEMORY_LIMIT', 'Concatenated string has the length in bytes "
     "larger than the maximum output length 1048576') ELSE t END"},
    {"join", "l, d",  // the engine joins with constants only
     "CASE WHEN l IS NULL OR d IS NULL THEN NULL ELSE COALESCE(array_to_string(list_transform(l, "
     "lambda x, i: CASE WHEN i = 1 THEN x ELSE d || x END), ''), '') END"},
    {"overlap", "a, b",
     "CASE WHEN a IS NULL OR b IS NULL THEN NULL WHEN list_has_any(a, b) THEN TRUE WHEN len(a) = 0 "
     "OR len(b) = 0 THEN FALSE WHEN len(a) <> list_count(a) OR len(b) <> list_count(b) THEN NULL "
     "ELSE FALSE END"},
    {"ngrams", "a, n",
     "CASE WHEN n <= 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'N must be positive') WHEN "
     "len(a) <= n THEN [a] ELSE list_transform(range(1, len(a) - n + 2), lambda i: a[i:i + n - 1]) "
     "END"},
    {"trim_array", "a, n",
     "CASE WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'size must not be negative: ' "
     "|| "
     "n) WHEN n > len(a) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'size must not exceed array "
     "cardinality ' || len(a) || ': ' || n) ELSE a[1:len(a) - n] END"},
    // k elements of a: those that end with a[i] are the shorter ones before it, with a[i]
    {"choose1", "a", "list_transform(a, lambda c1: [c1])"},
    {"choose2", "a",
     "flatten(list_transform(range(2, len(a) + 1), lambda i2: list_transform(trino_choose1(a[1:i2 "
     "- "
     "1]), lambda c2: list_append(c2, a[i2]))))"},
    {"choose3", "a",
     "flatten(list_transform(range(3, len(a) + 1), lambda i3: list_transform(trino_choose2(a[1:i3 "
     "- "
     "1]), lambda c3: list_append(c3, a[i3]))))"},
    {"choose4", "a",
     "flatten(list_transform(range(4, len(a) + 1), lambda i4: list_transform(trino_choose3(a[1:i4 "
     "- "
     "1]), lambda c4: list_append(c4, a[i4]))))"},
    {"choose5", "a",
     "flatten(list_transform(range(5, len(a) + 1), lambda i5: list_transform(trino_choose4(a[1:i5 "
     "- "
     "1]), lambda c5: list_append(c5, a[i5]))))"},
    {"combinations", "a, n",
     "CASE WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'combination size must not be "
     "negative: ' || n) WHEN n > 5 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'combination size "
     "must not exceed 5: ' || n) WHEN a IS NULL OR n IS NULL THEN NULL WHEN n = 0 THEN [a[1:0]] "
     "WHEN n > len(a) THEN [a][1:0] WHEN n = 1 THEN trino_choose1(a) WHEN n = 2 THEN "
     "trino_choose2(a) WHEN n = 3 THEN trino_choose3(a) WHEN n = 4 THEN trino_choose4(a) ELSE "
     "trino_choose5(a) END"},
    {"frame", "x",
     "CASE WHEN x IS NULL OR x < 0 THEN trino_fail('INVALID_WINDOW_FRAME', 'Window frame offset "
     "value must not be negative or null') ELSE x END"},
    {"distinct", "a",
     "list_filter(a, lambda x, i: list_position(a, x) = i OR (x IS NULL AND "
     "len(list_filter(a[1:i], lambda y: y IS NULL)) = 1))"},
    {"intersect_of", "a, b",
     "trino_distinct(list_filter(a, lambda x: CASE WHEN x IS NULL THEN len(b) <> list_count(b) "
     "ELSE list_contains(b, x) END))"},
    {"intersect", "a, b",  // in the order of the longer one
     "CASE WHEN len(a) < len(b) THEN trino_intersect_of(b, a) ELSE trino_intersect_of(a, b) END"},
    {"contains", "a, x",
     "CASE WHEN x IS NULL OR a IS NULL THEN NULL WHEN list_contains(a, x) THEN TRUE WHEN len(a) <> "
     "list_count(a) THEN NULL ELSE FALSE END"},
    {"any_match", "l",
     "CASE WHEN list_contains(l, TRUE) THEN TRUE WHEN len(l) <> list_count(l) THEN NULL WHEN l IS "
     "NULL THEN NULL ELSE FALSE END"},
    {"all_match", "l",
     "CASE WHEN list_contains(l, FALSE) THEN FALSE WHEN len(l) <> list_count(l) THEN NULL WHEN l "
     "IS NULL THEN NULL ELSE TRUE END"},
    {"sequence", "a, b, s",
     "CASE WHEN s = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'sequence step must not be "
     "zero') "
     "WHEN (s > 0 AND b < a) OR (s < 0 AND b > a) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'sequence stop value should be greater than or equal to start value if step is greater than "
     "zero otherwise stop should be less than or equal to start') "
     "WHEN (CAST(b AS HUGEINT) - a) // s >= 10000 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'result of sequence function must not have more than 10000 entries') ELSE "
     "generate_series(a, b, s) END"},
    {"picos_sequence", "a, b, s",
     "CASE WHEN s = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'sequence step must not be "
     "zero') "
     "WHEN (s > 0 AND b < a) OR (s < 0 AND b > a) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'sequence stop value should be greater than or equal to start value if step is greater than "
     "zero otherwise stop should be less than or equal to start') "
     "WHEN (b - a) // s >= 10000 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'result of sequence "
     "function must not have more than 10000 entries') ELSE list_transform(range(CAST((b - a) // s "
     "AS BIGINT) + 1), lambda i: a + i * s) END"},
    {"months_check", "a, b, m",
     "CASE WHEN m = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'sequence step must not be "
     "zero') "
     "WHEN (m > 0 AND b < a) OR (m < 0 AND b > a) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'sequence stop value should be greater than or equal to start value if step is greater than "
     "zero otherwise stop should be less than or equal to start') WHEN a IS NULL OR b IS NULL OR "
     "m IS NULL THEN FALSE ELSE TRUE END"},
    {"date_sequence", "a, b, ms",
     "CASE WHEN ms % 86400000 <> 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'sequence step "
     "must "
     "be a day interval if start and end values are dates') ELSE list_transform(trino_sequence("
     "date_diff('day', DATE '1970-01-01', a), date_diff('day', DATE '1970-01-01', b), ms // "
     "86400000), lambda d: DATE '1970-01-01' + CAST(d AS INTEGER)) END"},
    {"month_sequence", "a, b, m",
     "CASE WHEN m = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'sequence step must not be "
     "zero') "
     "WHEN (m > 0 AND b < a) OR (m < 0 AND b > a) THEN trino_fail('INVALID_FUNCTION_ARGUMENT', "
     "'sequence stop value should be greater than or equal to start value if step is greater than "
     "zero otherwise stop should be less than or equal to start') ELSE generate_series(CAST(a AS "
     "TIMESTAMP), CAST(b AS TIMESTAMP), to_months(m)) END"},
    {"slice", "a, s, n",
     "CASE WHEN n < 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'length must be greater than or "
     "equal to 0') "
     "WHEN s = 0 THEN trino_fail('INVALID_FUNCTION_ARGUMENT', 'SQL array indices start at 1') WHEN "
     "n = 0 OR s > len(a) OR -s > len(a) THEN a[1:0] "
     "WHEN s > 0 THEN a[s:s + n - 1] ELSE a[len(a) + s + 1:len(a) + s + n] END"},
    // JSON
    {"json_to_varchar", "j",
     "CASE WHEN json_type(j) = 'NULL' THEN NULL ELSE json_extract_string(j, '$') END"},
    {"json_is_value", "j", "(json_type(j) <> 'NULL')"},
    {"json_items", "j, type",
     "CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_extract(j, '$[*]') AS VARCHAR[]) WHEN j IS "
     "NULL OR json_type(j) = 'NULL' THEN NULL "
     "ELSE trino_fail('INVALID_CAST_ARGUMENT', 'Cannot cast to ' || type || '. Expected a json "
     "array, but got ' || j) END"},
    {"json_entries", "j, type",
     "CASE WHEN json_type(j) = 'OBJECT' THEN list_transform(json_keys(j), lambda x: struct_pack(k "
     ":= x, v := CAST(json_extract(j, '$.\"' || x || '\"') AS VARCHAR))) "
     "WHEN j IS NULL OR json_type(j) = 'NULL' THEN NULL ELSE trino_fail('INVALID_CAST_ARGUMENT', "
     "'Cannot cast to ' || type || '. Expected a json object, but got ' || j) END"},
    {"json_field", "j, i, name",
     "CASE WHEN json_type(j) = 'ARRAY' THEN CAST(json_extract(j, '$[' || i || ']') AS VARCHAR) "
     "ELSE CAST(json_extract(j, '$.\"' || name || '\"') AS VARCHAR) END"},
};

// let(value, name, body) written out, innermost last.
std::string expand_let(std::string text) {
  while (true) {
    size_t at = text.rfind("let(");
    if (at == std::string::npos) return text;
    size_t begin = at + 4, i = begin, part = 0;
    std::string parts[3];
    int depth = 0;
    bool quoted = false;
    for (; i < text.size(); ++i) {
      char c = text[i];
      if (c == '\'') quoted = !quoted;
      if (!quoted && (c == '(' || c == '[')) ++depth;
      if (!quoted && (c == ')' || c == ']')) {
        if (depth == 0) break;
        --depth;
      }
      if (!quoted && c == ',' && depth == 0 && part < 2) {
        parts[part++] = text.substr(begin, i - begin);
        begin = i + 1;
      }
    }
    parts[2] = text.substr(begin, i - begin);
    text = text.substr(0, at) +
           fmt::format("(list_transform([{}], lambda{}:{})[1])", parts[0], parts[1], parts[2]) +
           text.substr(i + 1);
  }
}

std::string replaced(std::string text, std::string_view from, std::string_view to) {
  for (size_t at = text.find(from); at != std::string::npos; at = text.find(from, at + to.size()))
    text.replace(at, from.size(), to);
  return text;
}

std::string build() {
  std::string out =
      "CREATE OR REPLACE MACRO trino_fail(name, message) AS error('TRINO[' || name || '] ' || "
      "message);\n"
      "CREATE OR REPLACE MACRO trino_try_fail(name, message) AS NULL;\n"
      "CREATE OR REPLACE MACRO trino_raise(problem) AS error(problem);\n"
      "CREATE OR REPLACE MACRO trino_try_raise(problem) AS NULL;\n"
      // The table function sequence: start, stop and step with commas.
      "CREATE OR REPLACE MACRO trino_sequence_rows(handle) AS TABLE SELECT generate_series AS c0 "
      "FROM generate_series(CAST(split_part(handle, ',', 1) AS BIGINT), CAST(split_part(handle, "
      "',', 2) AS BIGINT), CAST(split_part(handle, ',', 3) AS BIGINT));\n";
  for (const auto& macro : kMacros) {
    std::string body = expand_let(macro.body);
    out += fmt::format("CREATE OR REPLACE MACRO trino_{}({}) AS ({});\n", macro.name,
                       macro.parameters, body);
    out += fmt::format("CREATE OR REPLACE MACRO trino_try_{}({}) AS ({});\n", macro.name,
                       macro.parameters, replaced(body, "trino_", "trino_try_"));
  }
  return out;
}

}  // namespace

const std::string& engine_prelude() {
  static const std::string made = build();
  return made;
}

}  // namespace aichemy::sql
