#include "sql/native/decimal.h"

#include <duckdb/common/serializer/deserializer.hpp>
#include <duckdb/common/serializer/serializer.hpp>
#include <duckdb/common/types/decimal.hpp>
#include <duckdb/common/vector_operations/binary_executor.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <duckdb/storage/statistics/numeric_stats.hpp>
#include <optional>

#include "base/check.h"
#include "sql/native/functions.h"

namespace aichemy::sql {
namespace {

using Wide = __int128;
using Unsigned = unsigned __int128;
using duckdb::LogicalType;

constexpr int kDigitsMax = 38;
constexpr int kDigitsOfLong = 18;

constexpr Wide power_of_ten(int exponent) {
  Wide power = 1;
  for (int i = 0; i < exponent; ++i) power *= 10;
  return power;
}
constexpr Wide kBound = power_of_ten(kDigitsMax);  // a decimal's unscaled value is below it

[[noreturn]] void overflow() { raise("NUMERIC_VALUE_OUT_OF_RANGE", "Decimal overflow"); }
[[noreturn]] void division_by_zero() { raise("DIVISION_BY_ZERO", "Division by zero"); }

Wide checked(Wide value) {
  if (value >= kBound || value <= -kBound) overflow();
  return value;
}

Unsigned magnitude(Wide value) { return value < 0 ? -static_cast<Unsigned>(value) : value; }
Wide with_sign(Unsigned value, bool negative) {
  if (value >= static_cast<Unsigned>(kBound)) overflow();
  return negative ? -static_cast<Wide>(value) : static_cast<Wide>(value);
}

// A product of two 128-bit magnitudes.
struct Product {
  Unsigned high = 0, low = 0;

  static Product of(Unsigned a, Unsigned b) {
    Unsigned a0 = static_cast<uint64_t>(a), a1 = a >> 64, b0 = static_cast<uint64_t>(b),
             b1 = b >> 64;
    Unsigned low = a0 * b0, cross = a1 * b0 + (low >> 64);  // neither sum can pass 128 bits
    Unsigned middle = a0 * b1 + static_cast<uint64_t>(cross);
    return {a1 * b1 + (cross >> 64) + (middle >> 64), (middle << 64) | static_cast<uint64_t>(low)};
  }

  void add(Unsigned value) {
    low += value;
    if (low < value) ++high;
  }

  // Quotient and remainder by long division; a quotient of more than 128 bits raises.
  Unsigned divide(Unsigned by, Unsigned& remainder) const {
    if (high >= by) overflow();
    if (high == 0) {
      remainder = low % by;
      return low / by;
    }
    return steps(by, remainder);
  }

  Unsigned modulo(Unsigned by) const {
    Unsigned remainder = 0;
    Product{high % by, low}.steps(by, remainder);
    return remainder;
  }

 private:
  Unsigned steps(Unsigned by, Unsigned& remainder) const {
    Unsigned rest = high, quotient = 0;
    for (int bit = 127; bit >= 0; --bit) {
      bool carry = rest >> 127;
      rest = (rest << 1) | ((low >> bit) & 1);
      quotient <<= 1;
      if (carry || rest >= by) {
        rest -= by;
        quotient |= 1;
      }
    }
    remainder = rest;
    return quotient;
  }
};

// What of an operation does not change from row to row.
struct Shape : duckdb::FunctionData {
  Wide left_factor = 1, right_factor = 1;  // powers of ten that the operands are multiplied with
  Wide divisor = 1;                        // power of ten that a sum or product is divided by
  bool fits = false;                       // neither the operation nor its result can overflow
  bool scaled = false;  // the result has the operation's own scale: nothing is rounded

  duckdb::unique_ptr<FunctionData> Copy() const override { return duckdb::make_uniq<Shape>(*this); }
  bool Equals(const FunctionData& other) const override {
    const auto& shape = other.Cast<Shape>();
    return left_factor == shape.left_factor && right_factor == shape.right_factor &&
           divisor == shape.divisor;
  }
};

Wide rounded(Product product, Unsigned divisor, bool negative) {
  product.add(divisor / 2);
  Unsigned remainder = 0;
  return with_sign(product.divide(divisor, remainder), negative);
}

// fitting() is the operation where `fits` was proved, by the types or by the columns' bounds: in
// the result's own width, without a check, so that a loop of it is vectorised.
struct Add {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    if (__builtin_mul_overflow(a, shape.left_factor, &a)) overflow();
    if (__builtin_mul_overflow(b, shape.right_factor, &b)) overflow();
    Wide sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) overflow();
    if (shape.divisor != 1) return rounded({0, magnitude(sum)}, magnitude(shape.divisor), sum < 0);
    return checked(sum);
  }
  template <class T>
  static T fitting(T a, T b, T left_factor, T right_factor) {
    return a * left_factor + b * right_factor;
  }
};

struct Subtract {
  static Wide run(Wide a, Wide b, const Shape& shape) { return Add::run(a, -b, shape); }
  template <class T>
  static T fitting(T a, T b, T left_factor, T right_factor) {
    return a * left_factor - b * right_factor;
  }
};

struct Multiply {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    Wide product = 0;
    if (shape.divisor == 1) {
      if (__builtin_mul_overflow(a, b, &product)) overflow();
      return checked(product);
    }
    return rounded(Product::of(magnitude(a), magnitude(b)), magnitude(shape.divisor),
                   (a < 0) != (b < 0));
  }
  template <class T>
  static T fitting(T a, T b, T, T) {
    return a * b;
  }
};

struct Divide {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    if (b == 0) division_by_zero();
    bool negative = (a < 0) != (b < 0);
    if (__builtin_mul_overflow(b, shape.right_factor, &b))
      return 0;  // below half of the last digit
    Unsigned by = magnitude(b), remainder = 0;
    Product scaled = Product::of(magnitude(a), magnitude(shape.left_factor));
    Unsigned quotient = scaled.divide(by, remainder);
    if (remainder >= by - remainder) ++quotient;
    return with_sign(quotient, negative);
  }
};

struct Modulo {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    if (b == 0) division_by_zero();
    Wide by = 0;
    if (__builtin_mul_overflow(b, shape.right_factor, &by)) return checked(a);  // |b| > |a|
    Unsigned rest = Product::of(magnitude(a), magnitude(shape.left_factor)).modulo(magnitude(by));
    return with_sign(rest, a < 0);
  }
};

Wide wide(int64_t value) { return value; }
Wide wide(const duckdb::hugeint_t& value) {
  return static_cast<Wide>((static_cast<Unsigned>(static_cast<uint64_t>(value.upper)) << 64) |
                           value.lower);
}
template <class T>
T narrow(Wide value) {
  if constexpr (std::is_same_v<T, int64_t>) {
    return static_cast<int64_t>(value);
  } else {
    duckdb::hugeint_t huge;
    huge.lower = static_cast<uint64_t>(value);
    huge.upper = static_cast<int64_t>(value >> 64);
    return huge;
  }
}

const Shape& shape_in(duckdb::ExpressionState& state) {
  return state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<Shape>();
}

template <class Op, class A, class B, class R>
void execute(duckdb::DataChunk& arguments, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const Shape shape = shape_in(state);
  duckdb::BinaryExecutor::Execute<A, B, R>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [&](A a, B b) { return narrow<R>(Op::run(wide(a), wide(b), shape)); });
}

template <class Op, class A, class B, class R>
void execute_fitting(duckdb::DataChunk& arguments, duckdb::ExpressionState& state,
                     duckdb::Vector& result) {
  using T = std::conditional_t<std::is_same_v<R, int64_t>, int64_t, Wide>;
  const Shape& shape = shape_in(state);
  const T left = static_cast<T>(shape.left_factor), right = static_cast<T>(shape.right_factor);
  duckdb::BinaryExecutor::Execute<A, B, R>(
      arguments.data[0], arguments.data[1], result, arguments.size(), [=](A a, B b) {
        return narrow<R>(
            Op::template fitting<T>(static_cast<T>(wide(a)), static_cast<T>(wide(b)), left, right));
      });
}

template <class Op>
concept CanFit = requires { Op::template fitting<Wide>(0, 0, 0, 0); };

template <class Op, class A, class B>
duckdb::scalar_function_t for_result(bool is_long, bool fits) {
  using Huge = duckdb::hugeint_t;
  if constexpr (CanFit<Op>) {
    if (fits) return is_long ? execute_fitting<Op, A, B, int64_t> : execute_fitting<Op, A, B, Huge>;
  }
  return is_long ? execute<Op, A, B, int64_t> : execute<Op, A, B, Huge>;
}

bool is_long(const LogicalType& stored) {
  return stored.InternalType() == duckdb::PhysicalType::INT64;
}

// The loop over operands and a result that are stored so.
template <class Op>
duckdb::scalar_function_t function_for(const LogicalType& a, const LogicalType& b,
                                       const LogicalType& result, bool fits) {
  using Huge = duckdb::hugeint_t;
  bool long_result = is_long(result);
  if (is_long(a) && is_long(b)) return for_result<Op, int64_t, int64_t>(long_result, fits);
  if (is_long(a)) return for_result<Op, int64_t, Huge>(long_result, fits);
  if (is_long(b)) return for_result<Op, Huge, int64_t>(long_result, fits);
  return for_result<Op, Huge, Huge>(long_result, fits);
}

enum class Family { sum, product, quotient, remainder };

// The powers of ten between the operands' scales and the result's.
Shape shape_of(Family family, const LogicalType& a, const LogicalType& b, const LogicalType& r) {
  using duckdb::DecimalType;
  int p1 = DecimalType::GetWidth(a), s1 = DecimalType::GetScale(a);
  int p2 = DecimalType::GetWidth(b), s2 = DecimalType::GetScale(b);
  int precision = DecimalType::GetWidth(r), scale = DecimalType::GetScale(r);
  int common = std::max(s1, s2);
  Shape shape;
  switch (family) {
    case Family::sum:
      shape.left_factor = power_of_ten(common - s1);
      shape.right_factor = power_of_ten(common - s2);
      shape.divisor = power_of_ten(common - scale);
      shape.scaled = common == scale;
      shape.fits =
          std::max(p1 - s1, p2 - s2) + common < std::min(precision + 1, kDigitsMax) && shape.scaled;
      break;
    case Family::product:
      shape.divisor = power_of_ten(std::max(0, s1 + s2 - scale));
      shape.scaled = s1 + s2 == scale;
      shape.fits = p1 + p2 <= precision && shape.scaled;
      break;
    case Family::quotient: {
      int shift = scale - s1 + s2;
      shape.left_factor = power_of_ten(std::max(0, shift));
      shape.right_factor = power_of_ten(std::max(0, -shift));
      break;
    }
    case Family::remainder:
      shape.left_factor = power_of_ten(common - s1);
      shape.right_factor = power_of_ten(common - s2);
      break;
  }
  return shape;
}

// Operands of at most 18 digits are taken as DuckDB's 64-bit decimals, others as 128-bit ones.
LogicalType stored_as(const LogicalType& type) {
  uint8_t scale = duckdb::DecimalType::GetScale(type);
  bool is_smaller = type.InternalType() == duckdb::PhysicalType::INT16 ||
                    type.InternalType() == duckdb::PhysicalType::INT32;
  return is_smaller ? LogicalType::DECIMAL(kDigitsOfLong, scale) : type;
}

// The least and the greatest unscaled value.
struct Bounds {
  Wide low, high;

  static std::optional<Bounds> of(const duckdb::BaseStatistics& statistics) {
    if (!duckdb::NumericStats::HasMinMax(statistics)) return std::nullopt;
    if (is_long(statistics.GetType())) {
      return Bounds{wide(duckdb::NumericStats::GetMin<int64_t>(statistics)),
                    wide(duckdb::NumericStats::GetMax<int64_t>(statistics))};
    }
    return Bounds{wide(duckdb::NumericStats::GetMin<duckdb::hugeint_t>(statistics)),
                  wide(duckdb::NumericStats::GetMax<duckdb::hugeint_t>(statistics))};
  }

  // Nothing when a bound has more than 38 digits.
  static std::optional<Bounds> of_products(const Bounds& a, const Bounds& b) {
    Bounds bounds{kBound, -kBound};
    for (Wide x : {a.low, a.high}) {
      for (Wide y : {b.low, b.high}) {
        Wide product = 0;
        if (__builtin_mul_overflow(x, y, &product)) return std::nullopt;
        bounds.low = std::min(bounds.low, product);
        bounds.high = std::max(bounds.high, product);
      }
    }
    return bounds.low > -kBound && bounds.high < kBound ? std::optional(bounds) : std::nullopt;
  }

  static std::optional<Bounds> of_sums(const Bounds& a, const Bounds& b) {
    Bounds bounds{0, 0};
    if (__builtin_add_overflow(a.low, b.low, &bounds.low)) return std::nullopt;
    if (__builtin_add_overflow(a.high, b.high, &bounds.high)) return std::nullopt;
    return bounds.low > -kBound && bounds.high < kBound ? std::optional(bounds) : std::nullopt;
  }
};

std::optional<Bounds> bounds_of_result(Family family, bool is_subtraction, const Shape& shape,
                                       const Bounds& a, const Bounds& b) {
  if (!shape.scaled) return std::nullopt;
  if (family == Family::product) return Bounds::of_products(a, b);
  auto left = Bounds::of_products(a, {shape.left_factor, shape.left_factor});
  auto right = Bounds::of_products(b, {shape.right_factor, shape.right_factor});
  if (!left || !right) return std::nullopt;
  if (is_subtraction) right = Bounds{-right->high, -right->low};
  return Bounds::of_sums(*left, *right);
}

duckdb::unique_ptr<duckdb::BaseStatistics> statistics_of(const LogicalType& type,
                                                         const Bounds& bounds) {
  auto statistics = duckdb::NumericStats::CreateEmpty(type);
  if (is_long(type)) {
    duckdb::NumericStats::SetMin(statistics, narrow<int64_t>(bounds.low));
    duckdb::NumericStats::SetMax(statistics, narrow<int64_t>(bounds.high));
  } else {
    duckdb::NumericStats::SetMin(statistics, narrow<duckdb::hugeint_t>(bounds.low));
    duckdb::NumericStats::SetMax(statistics, narrow<duckdb::hugeint_t>(bounds.high));
  }
  return statistics.ToUnique();
}

// Called while the statement is optimised, after bind: bounds of the columns that prove that no
// row overflows choose the loop without checks, and are passed on to the expression around it.
template <class Op, Family family>
duckdb::unique_ptr<duckdb::BaseStatistics> propagate(duckdb::ClientContext&,
                                                     duckdb::FunctionStatisticsInput& input) {
  auto a = Bounds::of(input.child_stats[0]), b = Bounds::of(input.child_stats[1]);
  if (!a || !b) return nullptr;
  auto& shape = input.bind_data->Cast<Shape>();
  auto bounds = bounds_of_result(family, std::is_same_v<Op, Subtract>, shape, *a, *b);
  if (!bounds) return nullptr;
  auto& function = input.expr.function;
  shape.fits = true;
  function.function =
      function_for<Op>(function.arguments[0], function.arguments[1], input.expr.return_type, true);
  auto statistics = statistics_of(input.expr.return_type, *bounds);
  statistics->CombineValidity(input.child_stats[0], input.child_stats[1]);
  return statistics;
}

template <class Op, Family family>
duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const LogicalType a = arguments[0]->return_type, b = arguments[1]->return_type,
                    r = arguments[2]->return_type;
  for (const auto& type : {a, b, r}) CHECK(type.id() == duckdb::LogicalTypeId::DECIMAL);
  Shape shape = shape_of(family, a, b, r);
  function.arguments[0] = stored_as(a);
  function.arguments[1] = stored_as(b);
  function.return_type = stored_as(r);
  function.function = function_for<Op>(function.arguments[0], function.arguments[1],
                                       function.return_type, shape.fits);
  duckdb::Function::EraseArgument(function, arguments, 2);
  return duckdb::make_uniq<Shape>(shape);
}

// The engine copies plans (of CTEs it inlines) by writing and reading them. The argument that gave
// the result's type is gone by then, so that a copy cannot be bound again.
void serialize(duckdb::Serializer& serializer,
               const duckdb::optional_ptr<duckdb::FunctionData> data,
               const duckdb::ScalarFunction&) {
  const auto& shape = data->Cast<Shape>();
  serializer.WriteProperty(100, "left_factor", narrow<duckdb::hugeint_t>(shape.left_factor));
  serializer.WriteProperty(101, "right_factor", narrow<duckdb::hugeint_t>(shape.right_factor));
  serializer.WriteProperty(102, "divisor", narrow<duckdb::hugeint_t>(shape.divisor));
  serializer.WriteProperty(103, "fits", shape.fits);
  serializer.WriteProperty(104, "scaled", shape.scaled);
}

template <class Op>
duckdb::unique_ptr<duckdb::FunctionData> deserialize(duckdb::Deserializer& deserializer,
                                                     duckdb::ScalarFunction& function) {
  using duckdb::hugeint_t;
  auto shape = duckdb::make_uniq<Shape>();
  shape->left_factor = wide(deserializer.ReadProperty<hugeint_t>(100, "left_factor"));
  shape->right_factor = wide(deserializer.ReadProperty<hugeint_t>(101, "right_factor"));
  shape->divisor = wide(deserializer.ReadProperty<hugeint_t>(102, "divisor"));
  shape->fits = deserializer.ReadProperty<bool>(103, "fits");
  shape->scaled = deserializer.ReadProperty<bool>(104, "scaled");
  function.return_type = deserializer.Get<const LogicalType&>();
  function.function = function_for<Op>(function.arguments[0], function.arguments[1],
                                       function.return_type, shape->fits);
  return shape;
}

template <class Op, Family family>
void add(duckdb::ExtensionLoader& loader, const char* name) {
  duckdb::ScalarFunction function(name, {LogicalType::ANY, LogicalType::ANY, LogicalType::ANY},
                                  LogicalType::ANY, nullptr, bind<Op, family>);
  function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  function.serialize = serialize;
  function.deserialize = deserialize<Op>;
  if constexpr (CanFit<Op>) function.statistics = propagate<Op, family>;
  loader.RegisterFunction(function);
}

}  // namespace

void register_native_decimal(duckdb::ExtensionLoader& loader) {
  add<Add, Family::sum>(loader, "aichemy_decimal_add");
  add<Subtract, Family::sum>(loader, "aichemy_decimal_subtract");
  add<Multiply, Family::product>(loader, "aichemy_decimal_multiply");
  add<Divide, Family::quotient>(loader, "aichemy_decimal_divide");
  add<Modulo, Family::remainder>(loader, "aichemy_decimal_modulo");
}

}  // namespace aichemy::sql
