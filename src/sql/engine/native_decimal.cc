#include "sql/engine/native_decimal.h"

#include <duckdb/common/types/decimal.hpp>
#include <duckdb/common/vector_operations/binary_executor.hpp>
#include <duckdb/execution/expression_executor_state.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "base/check.h"
#include "sql/engine/native_functions.h"

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

struct Add {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    if (shape.fits) return a * shape.left_factor + b * shape.right_factor;
    if (__builtin_mul_overflow(a, shape.left_factor, &a)) overflow();
    if (__builtin_mul_overflow(b, shape.right_factor, &b)) overflow();
    Wide sum = 0;
    if (__builtin_add_overflow(a, b, &sum)) overflow();
    if (shape.divisor != 1) return rounded({0, magnitude(sum)}, magnitude(shape.divisor), sum < 0);
    return checked(sum);
  }
};

struct Subtract {
  static Wide run(Wide a, Wide b, const Shape& shape) { return Add::run(a, -b, shape); }
};

struct Multiply {
  static Wide run(Wide a, Wide b, const Shape& shape) {
    if (shape.fits) return a * b;
    Wide product = 0;
    if (shape.divisor == 1) {
      if (__builtin_mul_overflow(a, b, &product)) overflow();
      return checked(product);
    }
    return rounded(Product::of(magnitude(a), magnitude(b)), magnitude(shape.divisor),
                   (a < 0) != (b < 0));
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

template <class Op, class A, class B, class R>
void execute(duckdb::DataChunk& arguments, duckdb::ExpressionState& state, duckdb::Vector& result) {
  const Shape shape = state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<Shape>();
  duckdb::BinaryExecutor::Execute<A, B, R>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [&](A a, B b) { return narrow<R>(Op::run(wide(a), wide(b), shape)); });
}

template <class Op, class A, class B>
duckdb::scalar_function_t for_result(bool is_long) {
  using Huge = duckdb::hugeint_t;
  return is_long ? execute<Op, A, B, int64_t> : execute<Op, A, B, Huge>;
}

template <class Op>
duckdb::scalar_function_t function_for(bool a_long, bool b_long, bool result_long) {
  using Huge = duckdb::hugeint_t;
  if (a_long && b_long) return for_result<Op, int64_t, int64_t>(result_long);
  if (a_long) return for_result<Op, int64_t, Huge>(result_long);
  if (b_long) return for_result<Op, Huge, int64_t>(result_long);
  return for_result<Op, Huge, Huge>(result_long);
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
      shape.fits = std::max(p1 - s1, p2 - s2) + common < std::min(precision + 1, kDigitsMax) &&
                   common == scale;
      break;
    case Family::product:
      shape.divisor = power_of_ten(std::max(0, s1 + s2 - scale));
      shape.fits = p1 + p2 <= precision && s1 + s2 == scale;
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
LogicalType stored_as(const LogicalType& type, bool& is_long) {
  uint8_t width = duckdb::DecimalType::GetWidth(type), scale = duckdb::DecimalType::GetScale(type);
  is_long = width <= kDigitsOfLong;
  bool is_smaller = type.InternalType() == duckdb::PhysicalType::INT16 ||
                    type.InternalType() == duckdb::PhysicalType::INT32;
  return is_smaller ? LogicalType::DECIMAL(kDigitsOfLong, scale) : type;
}

template <class Op, Family family>
duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext&, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  const LogicalType a = arguments[0]->return_type, b = arguments[1]->return_type,
                    r = arguments[2]->return_type;
  for (const auto& type : {a, b, r}) CHECK(type.id() == duckdb::LogicalTypeId::DECIMAL);
  bool a_long = false, b_long = false, r_long = false;
  function.arguments[0] = stored_as(a, a_long);
  function.arguments[1] = stored_as(b, b_long);
  function.return_type = stored_as(r, r_long);
  function.function = function_for<Op>(a_long, b_long, r_long);
  duckdb::Function::EraseArgument(function, arguments, 2);
  return duckdb::make_uniq<Shape>(shape_of(family, a, b, r));
}

template <class Op, Family family>
void add(duckdb::ExtensionLoader& loader, const char* name) {
  duckdb::ScalarFunction function(name, {LogicalType::ANY, LogicalType::ANY, LogicalType::ANY},
                                  LogicalType::ANY, nullptr, bind<Op, family>);
  function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
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
