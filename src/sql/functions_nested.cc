// Arrays, maps, lambdas.
#include "sql/functions.h"

namespace aichemy::sql {

const std::vector<FunctionRow>& scalar_functions_nested() {
  constexpr auto kScalar = FunctionKind::scalar;
  static const std::vector<FunctionRow> kRows = {
      {"cardinality", kScalar, "array(T) -> bigint", "len({0})", "cardinality(ARRAY[1, 2])", "2"},
      {"cardinality", kScalar, "map(K, V) -> bigint", "cardinality({0})", "cardinality(MAP(ARRAY[1], ARRAY[2]))", "1"},
      {"element_at", kScalar, "array(T), bigint -> T", "trino_element_at({0}, {1})", "element_at(ARRAY[1, 2], -1)", "2"},
      {"element_at", kScalar, "map(K, V), K -> V", "{0}[{1}]", "element_at(MAP(ARRAY['a'], ARRAY[1]), 'b')", "null"},
      {"contains", kScalar, "array(T), T -> boolean", "trino_contains({0}, {1})", "contains(ARRAY[1, 2], 2)", "true"},
      {"array_position", kScalar, "array(T), T -> bigint", "COALESCE(list_position({0}, {1}), 0)", "array_position(ARRAY[5, 6], 6)", "2"},
      {"array_distinct", kScalar, "array(T) -> array(T)", "trino_distinct({0})", "array_distinct(ARRAY[1, 2, 1])", "[1,2]"},
      {"array_sort", kScalar, "array(T) -> array(T)", "list_sort({0}, 'ASC', 'NULLS LAST')", "array_sort(ARRAY[3, 1, 2])", "[1,2,3]"},
      {"array_max", kScalar, "array(T) -> T", "CASE WHEN len({0}) = list_count({0}) THEN list_max({0}) END", "array_max(ARRAY[1, 3, 2])", "3"},
      {"array_min", kScalar, "array(T) -> T", "CASE WHEN len({0}) = list_count({0}) THEN list_min({0}) END", "array_min(ARRAY[2, 1])", "1"},
      {"array_join", kScalar, "array(T), varchar -> varchar", "array_to_string(list_filter(CAST({0} AS VARCHAR[]), lambda x: x IS NOT NULL), {1})", "array_join(ARRAY[1, NULL, 2], ',')", "\"1,2\""},
      {"array_join", kScalar, "array(T), varchar, varchar -> varchar", "array_to_string(list_transform(CAST({0} AS VARCHAR[]), lambda x: COALESCE(x, {2})), {1})", "array_join(ARRAY[1, NULL], ',', 'x')", "\"1,x\""},
      {"array_union", kScalar, "array(T), array(T) -> array(T)", "trino_distinct(list_concat({0}, {1}))", "array_union(ARRAY[1, 2], ARRAY[2, 3])", "[1,2,3]"},
      {"array_intersect", kScalar, "array(T), array(T) -> array(T)", "trino_distinct(list_filter({0}, lambda x: list_contains({1}, x)))", "array_intersect(ARRAY[1, 2], ARRAY[2, 3])", "[2]"},
      {"array_except", kScalar, "array(T), array(T) -> array(T)", "trino_distinct(list_filter({0}, lambda x: NOT list_contains({1}, x)))", "array_except(ARRAY[1, 2], ARRAY[2, 3])", "[1]"},
      {"array_remove", kScalar, "array(T), T -> array(T)", "list_filter({0}, lambda x: x IS DISTINCT FROM {1})", "array_remove(ARRAY[1, 2, 1], 1)", "[2]"},
      {"arrays_overlap", kScalar, "array(T), array(T) -> boolean", "list_has_any({0}, {1})", "arrays_overlap(ARRAY[1, 2], ARRAY[2, 3])", "true"},
      {"array_first", kScalar, "array(T) -> T", "{0}[1]", "array_first(ARRAY[7, 8])", "7"},
      {"array_last", kScalar, "array(T) -> T", "{0}[-1]", "array_last(ARRAY[7, 8])", "8"},
      {"array_sum", kScalar, "array(double) -> double", "COALESCE(list_sum({0}), 0)"},
      {"slice", kScalar, "array(T), bigint, bigint -> array(T)", "trino_slice({0}, {1}, {2})", "slice(ARRAY[1, 2, 3], 2, 2)", "[2,3]"},
      {"trim_array", kScalar, "array(T), bigint -> array(T)", "trino_slice({0}, 1, len({0}) - {1})", "trim_array(ARRAY[1, 2, 3], 1)", "[1,2]"},
      {"flatten", kScalar, "array(array(T)) -> array(T)", "flatten({0})", "flatten(ARRAY[ARRAY[1], ARRAY[2, 3]])", "[1,2,3]"},
      {"shuffle", kScalar, "array(T) -> array(T)", "list_sort({0})"},
      {"sequence", kScalar, "bigint, bigint -> array(bigint)", "generate_series({0}, {1}, CASE WHEN {0} <= {1} THEN CAST(1 AS BIGINT) ELSE CAST(-1 AS BIGINT) END)", "sequence(1, 3)", "[1,2,3]"},
      {"sequence", kScalar, "bigint, bigint, bigint -> array(bigint)", "trino_sequence({0}, {1}, {2})", "sequence(1, 5, 2)", "[1,3,5]"},
      {"sequence", kScalar, "date, date -> array(date)", "CAST(generate_series({0}, {1}, CASE WHEN {0} <= {1} THEN to_days(1) ELSE to_days(-1) END) AS DATE[])", "sequence(DATE '2020-01-01', DATE '2020-01-02')", "[\"2020-01-01\",\"2020-01-02\"]"},
      {"sequence", kScalar, "date, date, interval day to second -> array(date)", "CAST(generate_series({0}, {1}, to_milliseconds({2})) AS DATE[])"},
      {"sequence", kScalar, "date, date, interval year to month -> array(date)", "CAST(generate_series({0}, {1}, to_months({2})) AS DATE[])"},
      {"sequence", kScalar, "timestamp, timestamp, interval day to second -> array(timestamp(3))", "generate_series({0}, {1}, to_milliseconds({2}))"},
      {"transform", kScalar, "array(T), function(T, U) -> array(U)", "list_transform({0}, {1})", "transform(ARRAY[1, 2], x -> x + 1)", "[2,3]"},
      {"filter", kScalar, "array(T), function(T, boolean) -> array(T)", "list_filter({0}, {1})", "filter(ARRAY[1, 2, 3], x -> x > 1)", "[2,3]"},
      {"reduce", kScalar, "array(T), S, function(S, T, S), function(S, R) -> R", "{reduce}", "reduce(ARRAY[1, 2, 3], 0, (s, x) -> s + x, s -> s * 10)", "60"},
      {"any_match", kScalar, "array(T), function(T, boolean) -> boolean", "trino_any_match(list_transform({0}, {1}))", "any_match(ARRAY[1, 2], x -> x > 1)", "true"},
      {"all_match", kScalar, "array(T), function(T, boolean) -> boolean", "trino_all_match(list_transform({0}, {1}))", "all_match(ARRAY[1, 2], x -> x > 1)", "false"},
      {"none_match", kScalar, "array(T), function(T, boolean) -> boolean", "(NOT trino_any_match(list_transform({0}, {1})))", "none_match(ARRAY[1, 2], x -> x > 2)", "true"},
      {"zip", kScalar, "array(T), array(U) -> array(row(T, U))", "list_transform(range(1, greatest(len({0}), len({1})) + 1), lambda i: struct_pack(f0 := {0}[i], f1 := {1}[i]))", "zip(ARRAY[1], ARRAY['a'])", "[[1,\"a\"]]"},
      {"zip_with", kScalar, "array(T), array(U), function(T, U, R) -> array(R)", "{zip_with}", "zip_with(ARRAY[1, 2], ARRAY[3, 4], (x, y) -> x * y)", "[3,8]"},
      {"map", kScalar, "array(K), array(V) -> map(K, V)", "trino_map({0}, {1})", "map(ARRAY['a'], ARRAY[1])", "{\"a\":1}"},
      {"map", kScalar, "-> map(unknown, unknown)", "map()"},
      {"map_keys", kScalar, "map(K, V) -> array(K)", "map_keys({0})", "map_keys(MAP(ARRAY[1], ARRAY[2]))", "[1]"},
      {"map_values", kScalar, "map(K, V) -> array(V)", "map_values({0})", "map_values(MAP(ARRAY[1], ARRAY[2]))", "[2]"},
      {"map_entries", kScalar, "map(K, V) -> array(row(K, V))", "list_transform(map_entries({0}), lambda e: struct_pack(f0 := e.key, f1 := e.value))", "map_entries(MAP(ARRAY[1], ARRAY[2]))", "[[1,2]]"},
      {"map_from_entries", kScalar, "array(row(K, V)) -> map(K, V)", "map_from_entries(list_transform({0}, lambda e: struct_pack(k := e.f0, v := e.f1)))", "map_from_entries(ARRAY[ROW(1, 2)])", "{\"1\":2}"},
      {"map_concat", kScalar, "map(K, V), map(K, V)... -> map(K, V)", "map_concat({*})", "map_concat(MAP(ARRAY[1], ARRAY[2]), MAP(ARRAY[3], ARRAY[4]))", "{\"1\":2,\"3\":4}"},
      {"map_filter", kScalar, "map(K, V), function(K, V, boolean) -> map(K, V)", "{map_filter}", "map_filter(MAP(ARRAY[1, 2], ARRAY[3, 4]), (k, v) -> v > 3)", "{\"2\":4}"},
      {"transform_keys", kScalar, "map(K, V), function(K, V, R) -> map(R, V)", "{transform_keys}", "transform_keys(MAP(ARRAY[1], ARRAY[2]), (k, v) -> k + 1)", "{\"2\":2}"},
      {"transform_values", kScalar, "map(K, V), function(K, V, R) -> map(K, R)", "{transform_values}", "transform_values(MAP(ARRAY[1], ARRAY[2]), (k, v) -> v + 1)", "{\"1\":3}"},
      {"cosine_similarity", kScalar, "array(double), array(double) -> double", "CASE WHEN trino_cosine_check({0}, {1}) THEN list_cosine_similarity({0}, {1}) END", "cosine_similarity(ARRAY[1e0], ARRAY[1e0])", "1.0"},
      {"cosine_distance", kScalar, "array(double), array(double) -> double", "CASE WHEN trino_cosine_check({0}, {1}) THEN list_cosine_distance({0}, {1}) END", "cosine_distance(ARRAY[1e0], ARRAY[1e0])", "0.0"},
      {"dot_product", kScalar, "array(double), array(double) -> double", "CASE WHEN trino_cosine_check({0}, {1}) THEN list_inner_product({0}, {1}) END", "dot_product(ARRAY[1e0, 2e0], ARRAY[3e0, 4e0])", "11.0"},
      {"euclidean_distance", kScalar, "array(double), array(double) -> double", "CASE WHEN trino_cosine_check({0}, {1}) THEN list_distance({0}, {1}) END", "euclidean_distance(ARRAY[0e0, 0e0], ARRAY[3e0, 4e0])", "5.0"},
  };
  return kRows;
}

}  // namespace aichemy::sql
