// Distribution functions, score intervals, vectors.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <limits>
#include <string>
#include <unordered_map>

#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::UnifiedVectorFormat;
using duckdb::Vector;

void require(bool holds, const char* message) {
  if (!holds) raise("INVALID_FUNCTION_ARGUMENT", message);
}

// ---- the normal distribution ----

// Acklam's rational start, then two steps of Halley's method on erfc.
double inverse_normal(double p) {
  static constexpr double kA[] = {-3.969683028665376e+01, 2.209460984245205e+02,
                                  -2.759285104469687e+02, 1.383577518672690e+02,
                                  -3.066479806614716e+01, 2.506628277459239e+00};
  static constexpr double kB[] = {-5.447609879822406e+01, 1.615858368580409e+02,
                                  -1.556989798598866e+02, 6.680131188771972e+01,
                                  -1.328068155288572e+01, 1};
  static constexpr double kC[] = {-7.784894002430293e-03, -3.223964580411365e-01,
                                  -2.400758277161838e+00, -2.549732539343734e+00,
                                  4.374664141464968e+00,  2.938163982698783e+00};
  static constexpr double kD[] = {7.784695709041462e-03, 3.224671290700398e-01,
                                  2.445134137142996e+00, 3.754408661907416e+00, 1};
  auto poly = [](const auto& coefficients, double x) {
    double sum = 0;
    for (double c : coefficients) sum = sum * x + c;
    return sum;
  };
  constexpr double kTail = 0.02425;
  double x = 0;
  if (p < kTail || p > 1 - kTail) {
    double q = std::sqrt(-2 * std::log(p < kTail ? p : 1 - p));
    x = poly(kC, q) / poly(kD, q);
    if (p > 1 - kTail) x = -x;
  } else {
    double q = p - 0.5, r = q * q;
    x = poly(kA, r) * q / poly(kB, r);
  }
  for (int i = 0; i < 2; ++i) {
    double error = 0.5 * std::erfc(-x / M_SQRT2) - p;
    double step = error * std::sqrt(2 * M_PI) * std::exp(x * x / 2);
    x -= step / (1 + x * step / 2);
  }
  return x;
}

double normal_cdf(double mean, double deviation, double value) {
  require(deviation > 0, "standardDeviation must be > 0");
  return 0.5 * std::erfc(-(value - mean) / (deviation * M_SQRT2));
}

double inverse_normal_cdf(double mean, double deviation, double p) {
  require(p > 0 && p < 1, "p must be 0 > p > 1");
  require(deviation > 0, "sd must be > 0");
  return mean + deviation * inverse_normal(p);
}

// ---- the beta distribution, Student's t ----

// Lentz's continued fraction, which converges fast for x < (a + 1) / (a + b + 2).
long double beta_fraction(long double a, long double b, long double x) {
  constexpr long double kTiny = 1e-300L, kEnough = 1e-19L;
  auto nonzero = [](long double v) { return std::fabs(v) < kTiny ? kTiny : v; };
  long double c = 1, d = 1 / nonzero(1 - (a + b) * x / (a + 1)), h = d;
  for (int m = 1; m < 100000; ++m) {
    long double even = m * (b - m) * x / ((a - 1 + 2 * m) * (a + 2 * m));
    d = 1 / nonzero(1 + even * d);
    c = nonzero(1 + even / c);
    h *= d * c;
    long double odd = -(a + m) * (a + b + m) * x / ((a + 2 * m) * (a + 1 + 2 * m));
    d = 1 / nonzero(1 + odd * d);
    c = nonzero(1 + odd / c);
    h *= d * c;
    if (std::fabs(d * c - 1) < kEnough) break;
  }
  return h;
}

// I_x(a, b)
long double incomplete_beta(long double a, long double b, long double x) {
  if (x <= 0) return 0;
  if (x >= 1) return 1;
  long double front = std::exp(std::lgamma(a + b) - std::lgamma(a) - std::lgamma(b) +
                               a * std::log(x) + b * std::log1p(-x));
  if (x < (a + 1) / (a + b + 2)) return front * beta_fraction(a, b, x) / a;
  return 1 - front * beta_fraction(b, a, 1 - x) / b;
}

double beta_cdf(double a, double b, double value) {
  require(value >= 0 && value <= 1, "value must be 0 >= v >= 1");
  require(a > 0 && b > 0, "a, b must be > 0");
  return static_cast<double>(incomplete_beta(a, b, value));
}

double inverse_beta_cdf(double a, double b, double p) {
  require(p >= 0 && p <= 1, "p must be 0 >= p >= 1");
  require(a > 0 && b > 0, "a, b must be > 0");
  if (p == 0 || p == 1) return p;
  long double low = 0, high = 1;
  for (int i = 0; i < 200 && high - low > 1e-20L * high; ++i) {
    long double middle = (low + high) / 2;
    (incomplete_beta(a, b, middle) < p ? low : high) = middle;
  }
  return static_cast<double>((low + high) / 2);
}

void require_freedom(double degrees) {
  require(degrees >= 1, "degrees of freedom must be greater than or equal to 1");
}

double t_pdf(double x, double degrees) {
  require_freedom(degrees);
  long double n = degrees, value = x;
  long double log = std::lgamma((n + 1) / 2) - std::lgamma(n / 2) -
                    std::log(n * static_cast<long double>(M_PIl)) / 2 -
                    (n + 1) / 2 * std::log1p(value * value / n);
  return static_cast<double>(std::exp(log));
}

double t_cdf(double x, double degrees) {
  require_freedom(degrees);
  if (std::isnan(x)) return x;
  if (std::isinf(x)) return x > 0 ? 1 : 0;
  long double value = x;
  long double tail = incomplete_beta(degrees / 2, 0.5L, degrees / (degrees + value * value)) / 2;
  return static_cast<double>(x > 0 ? 1 - tail : tail);
}

template <double (*function)(double, double, double)>
void of_three(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    return function(arguments.value<double>(0, row), arguments.value<double>(1, row),
                    arguments.value<double>(2, row));
  });
}

template <double (*function)(double, double)>
void of_two(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    return function(arguments.value<double>(0, row), arguments.value<double>(1, row));
  });
}

// Wilson's score interval: (successes, trials, z).
template <int sign>
void wilson(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(result, [&](idx_t row) {
    int64_t successes = arguments.value<int64_t>(0, row), trials = arguments.value<int64_t>(1, row);
    double z = arguments.value<double>(2, row);
    require(successes >= 0, "number of successes must not be negative");
    require(trials > 0, "number of trials must be positive");
    require(successes <= trials, "number of successes must not be larger than number of trials");
    require(z >= 0, "z-score must not be negative");
    auto n = static_cast<double>(trials);
    double p = static_cast<double>(successes) / n, square = z * z;
    double spread = z * std::sqrt(p * (1 - p) / n + square / (4 * n * n));
    return (p + square / (2 * n) + sign * spread) / (1 + square / n);
  });
}

// ---- vectors ----

struct DoubleList {
  const double* data = nullptr;
  UnifiedVectorFormat format;

  explicit DoubleList(Vector& list) {
    auto& entries = ListVector::GetEntry(list);
    entries.ToUnifiedFormat(ListVector::GetListSize(list), format);
    data = UnifiedVectorFormat::GetData<double>(format);
  }
  bool null(idx_t i) const { return !format.validity.RowIsValid(format.sel->get_index(i)); }
  double at(idx_t i) const { return data[format.sel->get_index(i)]; }
};

struct Products {
  double dot = 0, left = 0, right = 0, distance = 0;  // sums of x*y, x*x, y*y, (x-y)^2
};

// A NULL inside makes the result NULL.
template <double (*finish)(const Products&)>
void vectors(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  DoubleList left(chunk.data[0]), right(chunk.data[1]);
  arguments.each(result, [&](idx_t row) {
    auto a = arguments.value<duckdb::list_entry_t>(0, row);
    auto b = arguments.value<duckdb::list_entry_t>(1, row);
    require(a.length == b.length, "The arguments must have the same length");
    Products sums;
    bool null = false;
    for (idx_t i = 0; i < a.length && !null; ++i) {
      null = left.null(a.offset + i) || right.null(b.offset + i);
      double x = left.at(a.offset + i), y = right.at(b.offset + i);
      sums.dot += x * y;
      sums.left += x * x;
      sums.right += y * y;
      sums.distance += (x - y) * (x - y);
    }
    if (null)
      duckdb::FlatVector::SetNull(result, row, true);
    else
      duckdb::FlatVector::GetData<double>(result)[row] = finish(sums);
  });
}

double dot_product(const Products& sums) { return sums.dot; }
double euclidean_distance(const Products& sums) { return std::sqrt(sums.distance); }
double cosine_similarity(const Products& sums) {
  require(sums.left != 0 && sums.right != 0, "Vector magnitude cannot be zero");
  return sums.dot / (std::sqrt(sums.left) * std::sqrt(sums.right));
}
double cosine_distance(const Products& sums) { return 1 - cosine_similarity(sums); }

// Over maps from names to weights: names that only one has count with zero.
template <bool kDistance>
void map_cosine(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  struct Entries {
    UnifiedVectorFormat keys, values;
    explicit Entries(Vector& map) {
      idx_t count = ListVector::GetListSize(map);
      duckdb::MapVector::GetKeys(map).ToUnifiedFormat(count, keys);
      duckdb::MapVector::GetValues(map).ToUnifiedFormat(count, values);
    }
    std::string key(idx_t i) const {
      return UnifiedVectorFormat::GetData<duckdb::string_t>(keys)[keys.sel->get_index(i)]
          .GetString();
    }
    bool null(idx_t i) const { return !values.validity.RowIsValid(values.sel->get_index(i)); }
    double value(idx_t i) const {
      return UnifiedVectorFormat::GetData<double>(values)[values.sel->get_index(i)];
    }
  };
  Entries left(chunk.data[0]), right(chunk.data[1]);
  arguments.each(result, [&](idx_t row) {
    auto a = arguments.value<duckdb::list_entry_t>(0, row);
    auto b = arguments.value<duckdb::list_entry_t>(1, row);
    std::unordered_map<std::string, double> weights;
    Products sums;
    bool null = false;
    for (idx_t i = a.offset; i < a.offset + a.length && !null; ++i) {
      null = left.null(i);
      if (null) break;
      weights[left.key(i)] = left.value(i);
      sums.left += left.value(i) * left.value(i);
    }
    for (idx_t i = b.offset; i < b.offset + b.length && !null; ++i) {
      null = right.null(i);
      if (null) break;
      auto found = weights.find(right.key(i));
      if (found != weights.end()) sums.dot += found->second * right.value(i);
      sums.right += right.value(i) * right.value(i);
    }
    if (null) {
      duckdb::FlatVector::SetNull(result, row, true);
      return;
    }
    double similarity = sums.dot / (std::sqrt(sums.left) * std::sqrt(sums.right));
    duckdb::FlatVector::GetData<double>(result)[row] = kDistance ? 1 - similarity : similarity;
  });
}

}  // namespace

std::vector<NativeFunction> native_statistics_functions() {
  return {
      {"aichemy_normal_cdf", "DOUBLE, DOUBLE, DOUBLE -> DOUBLE", of_three<normal_cdf>},
      {"aichemy_inverse_normal_cdf", "DOUBLE, DOUBLE, DOUBLE -> DOUBLE",
       of_three<inverse_normal_cdf>},
      {"aichemy_beta_cdf", "DOUBLE, DOUBLE, DOUBLE -> DOUBLE", of_three<beta_cdf>},
      {"aichemy_inverse_beta_cdf", "DOUBLE, DOUBLE, DOUBLE -> DOUBLE", of_three<inverse_beta_cdf>},
      {"aichemy_t_pdf", "DOUBLE, DOUBLE -> DOUBLE", of_two<t_pdf>},
      {"aichemy_t_cdf", "DOUBLE, DOUBLE -> DOUBLE", of_two<t_cdf>},
      {"aichemy_wilson_lower", "BIGINT, BIGINT, DOUBLE -> DOUBLE", wilson<-1>},
      {"aichemy_wilson_upper", "BIGINT, BIGINT, DOUBLE -> DOUBLE", wilson<1>},
      {"aichemy_dot_product", "DOUBLE[], DOUBLE[] -> DOUBLE", vectors<dot_product>},
      {"aichemy_euclidean_distance", "DOUBLE[], DOUBLE[] -> DOUBLE", vectors<euclidean_distance>},
      {"aichemy_cosine_similarity", "DOUBLE[], DOUBLE[] -> DOUBLE", vectors<cosine_similarity>},
      {"aichemy_cosine_distance", "DOUBLE[], DOUBLE[] -> DOUBLE", vectors<cosine_distance>},
      {"aichemy_cosine_similarity", "MAP(VARCHAR, DOUBLE), MAP(VARCHAR, DOUBLE) -> DOUBLE",
       map_cosine<false>},
      {"aichemy_cosine_distance", "MAP(VARCHAR, DOUBLE), MAP(VARCHAR, DOUBLE) -> DOUBLE",
       map_cosine<true>},
  };
}

}  // namespace aichemy::sql
