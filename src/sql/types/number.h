// Trino's NUMBER: a decimal floating-point value of up to 200 digits, NaN and the infinities.
//
// Its engine form is a BLOB whose byte order is the numbers' order, NaN last, and which is equal
// for equal numbers (1.0 and 1): comparison, sorting, grouping and joins need nothing else.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::sql {

class Number {
 public:
  enum class Kind : uint8_t { minus_infinity, finite, infinity, nan };
  static constexpr int kDigitsMax = 200;
  static constexpr int64_t kExponentMax = 100'000;

  Kind kind = Kind::finite;
  bool negative = false;
  std::string digits;    // first and last not '0'; empty: zero
  int64_t exponent = 0;  // value = 0.digits x 10^exponent

  bool is_zero() const { return kind == Kind::finite && digits.empty(); }
  int sign() const;  // NaN: 0

  // "12.50", "-1e10", "NaN", "+Infinity". None: no number.
  static std::optional<Number> parse(std::string_view text);
  static Number of_integer(int64_t value);
  // As Java's BigDecimal without trailing zeros shows it: 1E+2, 0.001, 1E-7.
  std::string text() const;
  std::string plain_text() const;  // no exponent
  double to_double() const;

  std::string encode() const;
  static Number decode(std::string_view bytes);

  Number negated() const;
  // Rounded half up (away from zero) or cut to `scale` digits after the point (may be negative).
  Number rounded(int64_t scale) const;
  Number truncated(int64_t scale) const;
  Number floor() const;
  Number ceiling() const;
};

Number add(const Number& a, const Number& b);
Number subtract(const Number& a, const Number& b);
Number multiply(const Number& a, const Number& b);
// invalid ("DIVISION_BY_ZERO").
Result<Number> divide(const Number& a, const Number& b);
Result<Number> modulo(const Number& a, const Number& b);

}  // namespace aichemy::sql
