// Distributions, score intervals, vectors, what reads sketches.
#include "sql/functions/functions.h"

namespace aichemy::sql {

// lint: table
const std::vector<FunctionRow>& scalar_functions_statistics() {
  constexpr auto kScalar = FunctionKind::scalar;
  static const std::vector<FunctionRow> kRows = {
      {"normal_cdf", kScalar, "double, double, double -> double",
       "aichemy_normal_cdf({0}, {1}, {2})", "normal_cdf(0, 1, 0)", "0.5"},
      {"inverse_normal_cdf", kScalar, "double, double, double -> double",
       "aichemy_inverse_normal_cdf({0}, {1}, {2})", "inverse_normal_cdf(5, 1, 0.5)", "5.0"},
      {"beta_cdf", kScalar, "double, double, double -> double", "aichemy_beta_cdf({0}, {1}, {2})",
       "beta_cdf(1, 1, 0.25)", "0.25"},
      {"inverse_beta_cdf", kScalar, "double, double, double -> double",
       "aichemy_inverse_beta_cdf({0}, {1}, {2})", "inverse_beta_cdf(1, 1, 0.25)", "0.25"},
      {"t_pdf", kScalar, "double, double -> double", "aichemy_t_pdf({0}, {1})",
       "round(t_pdf(0, 1), 6)", "0.31831"},
      {"t_cdf", kScalar, "double, double -> double", "aichemy_t_cdf({0}, {1})", "t_cdf(0, 3)",
       "0.5"},
      {"wilson_interval_lower", kScalar, "bigint, bigint, double -> double",
       "aichemy_wilson_lower({0}, {1}, {2})", "wilson_interval_lower(5, 10, 0)", "0.5"},
      {"wilson_interval_upper", kScalar, "bigint, bigint, double -> double",
       "aichemy_wilson_upper({0}, {1}, {2})", "wilson_interval_upper(5, 10, 0)", "0.5"},
      {"cosine_similarity", kScalar, "array(double), array(double) -> double",
       "aichemy_cosine_similarity({0}, {1})", "cosine_similarity(ARRAY[1e0], ARRAY[1e0])", "1.0"},
      {"cosine_distance", kScalar, "array(double), array(double) -> double",
       "aichemy_cosine_distance({0}, {1})", "cosine_distance(ARRAY[1e0], ARRAY[1e0])", "0.0"},
      {"cosine_similarity", kScalar, "map(varchar, double), map(varchar, double) -> double",
       "aichemy_cosine_similarity({0}, {1})",
       "cosine_similarity(MAP(ARRAY['a'], ARRAY[2e0]), MAP(ARRAY['a'], ARRAY[3e0]))", "1.0"},
      {"cosine_distance", kScalar, "map(varchar, double), map(varchar, double) -> double",
       "aichemy_cosine_distance({0}, {1})",
       "cosine_distance(MAP(ARRAY['a'], ARRAY[2e0]), MAP(ARRAY['b'], ARRAY[3e0]))", "1.0"},
      {"dot_product", kScalar, "array(double), array(double) -> double",
       "aichemy_dot_product({0}, {1})", "dot_product(ARRAY[1e0, 2e0], ARRAY[3e0, 4e0])", "11.0"},
      {"euclidean_distance", kScalar, "array(double), array(double) -> double",
       "aichemy_euclidean_distance({0}, {1})",
       "euclidean_distance(ARRAY[0e0, 0e0], ARRAY[3e0, 4e0])", "5.0"},
      {"cardinality", kScalar, "HyperLogLog -> bigint", "aichemy_hll_cardinality({0})",
       "cardinality((SELECT approx_set(x) FROM (VALUES 1, 2, 2) t(x)))", "2"},
      {"empty_approx_set", kScalar, "-> HyperLogLog", "aichemy_empty_set()",
       "cardinality(empty_approx_set())", "0"},
      {"value_at_quantile", kScalar, "tdigest, double -> double",
       "aichemy_value_at_quantile({0}, {1})",
       "value_at_quantile((SELECT tdigest_agg(x) FROM (VALUES 1, 2, 3) t(x)), 0.5)", "2.0"},
      {"values_at_quantiles", kScalar, "tdigest, array(double) -> array(double)",
       "aichemy_values_at_quantiles({0}, {1})",
       "values_at_quantiles((SELECT tdigest_agg(x) FROM (VALUES 1, 2, 3) t(x)), ARRAY[0, 1])",
       "[1.0,3.0]"},
      {"great_circle_distance", kScalar, "double, double, double, double -> double",
       "(6371.01 * atan2(sqrt(pow(cos(radians({2})) * sin(radians({1}) - radians({3})), 2) + "
       "pow(cos(radians({0})) * sin(radians({2})) - sin(radians({0})) * cos(radians({2})) * "
       "cos(radians({1}) - radians({3})), 2)), sin(radians({0})) * sin(radians({2})) + "
       "cos(radians({0})) * cos(radians({2})) * cos(radians({1}) - radians({3}))))",
       "round(great_circle_distance(36.12, -86.67, 33.94, -118.40), 3)", "2886.449"},
  };
  return kRows;
}

}  // namespace aichemy::sql
