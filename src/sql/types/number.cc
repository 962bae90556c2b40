#include "sql/types/number.h"

#include <algorithm>
#include <charconv>
#include <cmath>
#include <cstdlib>
#include <limits>
#include <vector>

namespace aichemy::sql {
namespace {

using Kind = Number::Kind;

Number special(Kind kind) {
  Number made;
  made.kind = kind;
  return made;
}

Number infinity(bool negative) { return special(negative ? Kind::minus_infinity : Kind::infinity); }

// Zeros at both ends are the exponent's; beyond 200 digits the value is rounded half up.
Number normal(bool negative, std::string digits, int64_t exponent) {
  size_t first = std::min(digits.find_first_not_of('0'), digits.size());
  digits.erase(0, first);
  exponent -= static_cast<int64_t>(first);
  if (digits.size() > static_cast<size_t>(Number::kDigitsMax)) {
    bool up = digits[Number::kDigitsMax] >= '5';
    digits.resize(Number::kDigitsMax);
    size_t i = digits.size();
    while (up && i > 0) {
      --i;
      up = digits[i] == '9';
      digits[i] = up ? '0' : static_cast<char>(digits[i] + 1);
    }
    if (up) {
      digits.insert(digits.begin(), '1');
      ++exponent;
    }
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  Number made;
  made.negative = negative && !digits.empty();
  made.exponent = digits.empty() ? 0 : exponent;
  made.digits = std::move(digits);
  if (made.exponent > Number::kExponentMax) return infinity(negative);
  if (made.exponent < -Number::kExponentMax) return Number();
  return made;
}

// Of integers written with equally many digits.
std::string sum_of(const std::string& a, const std::string& b) {
  std::string out(a.size() + 1, '0');
  int carry = 0;
  for (size_t i = a.size(); i-- > 0;) {
    int digit = a[i] - '0' + b[i] - '0' + carry;
    carry = digit / 10;
    out[i + 1] = static_cast<char>('0' + digit % 10);
  }
  out[0] = static_cast<char>('0' + carry);
  return out;
}

std::string difference_of(const std::string& a, const std::string& b) {  // a >= b
  std::string out(a.size(), '0');
  int borrow = 0;
  for (size_t i = a.size(); i-- > 0;) {
    int digit = a[i] - b[i] - borrow;
    borrow = digit < 0 ? 1 : 0;
    out[i] = static_cast<char>('0' + digit + borrow * 10);
  }
  return out;
}

// Digits from 10^(top - 1) down to 10^bottom.
std::string aligned(const Number& value, int64_t top, int64_t bottom) {
  std::string out(static_cast<size_t>(top - value.exponent), '0');
  out += value.digits;
  out.resize(static_cast<size_t>(top - bottom), '0');
  return out;
}

int64_t last_place(const Number& value) {
  return value.exponent - static_cast<int64_t>(value.digits.size());
}

int compare_size(const Number& a, const Number& b) {
  if (a.exponent != b.exponent) return a.exponent < b.exponent ? -1 : 1;
  return a.digits.compare(b.digits);
}

}  // namespace

int Number::sign() const {
  if (kind == Kind::nan || is_zero()) return 0;
  return kind == Kind::minus_infinity || negative ? -1 : 1;
}

std::optional<Number> Number::parse(std::string_view text) {
  if (text == "NaN") return special(Kind::nan);
  if (text == "Infinity" || text == "+Infinity") return infinity(false);
  if (text == "-Infinity") return infinity(true);
  bool minus = text.starts_with('-');
  if (minus || text.starts_with('+')) text.remove_prefix(1);
  std::string all;
  int64_t point = 0;
  bool fraction = false, some = false;
  size_t i = 0;
  for (; i < text.size(); ++i) {
    if (text[i] == '.' && !fraction) {
      fraction = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      some = true;
      all += text[i];
      if (!fraction) ++point;
    } else {
      break;
    }
  }
  if (!some) return std::nullopt;
  if (i < text.size()) {
    if (text[i] != 'e' && text[i] != 'E') return std::nullopt;
    std::string_view rest = text.substr(i + 1);
    if (rest.starts_with('+')) rest.remove_prefix(1);
    int64_t shift = 0;
    auto [end, error] = std::from_chars(rest.data(), rest.data() + rest.size(), shift);
    if (error != std::errc() || end != rest.data() + rest.size()) return std::nullopt;
    if (std::abs(shift) > 10 * kExponentMax) return std::nullopt;
    point += shift;
  }
  return normal(minus, std::move(all), point);
}

Number Number::of_integer(int64_t value) { return *parse(std::to_string(value)); }

std::string Number::text() const {
  if (kind != Kind::finite || digits.empty()) return plain_text();
  if (exponent <= static_cast<int64_t>(digits.size()) && exponent > -6) return plain_text();
  std::string out = negative ? "-" : "";
  out += digits[0];
  if (digits.size() > 1) out += "." + digits.substr(1);
  return out + (exponent > 0 ? "E+" : "E") + std::to_string(exponent - 1);
}

std::string Number::plain_text() const {
  switch (kind) {
    case Kind::nan: return "NaN";
    case Kind::infinity: return "+Infinity";
    case Kind::minus_infinity: return "-Infinity";
    case Kind::finite: break;
  }
  if (digits.empty()) return "0";
  std::string out = negative ? "-" : "";
  auto count = static_cast<int64_t>(digits.size());
  if (exponent <= 0) return out + "0." + std::string(static_cast<size_t>(-exponent), '0') + digits;
  if (exponent >= count)
    return out + digits + std::string(static_cast<size_t>(exponent - count), '0');
  auto whole = static_cast<size_t>(exponent);
  return out + digits.substr(0, whole) + "." + digits.substr(whole);
}

double Number::to_double() const {
  if (kind == Kind::nan) return std::numeric_limits<double>::quiet_NaN();
  if (kind != Kind::finite)
    return (kind == Kind::infinity ? 1 : -1) * std::numeric_limits<double>::infinity();
  std::string shown = (negative ? "-0." : "0.") + digits + "0e" + std::to_string(exponent);
  return std::strtod(shown.c_str(), nullptr);
}

// First byte: -Infinity 0, negative 1, zero 2, positive 3, Infinity 4, NaN 5. Then the exponent in
// four bytes with its sign turned, then pairs of digits as 1..100. Of a negative number all these
// are turned over, and 0xFF follows: of two with a common start the shorter is the greater.
std::string Number::encode() const {
  if (kind == Kind::nan) return "\5";
  if (kind == Kind::infinity) return "\4";
  if (kind == Kind::minus_infinity) return std::string(1, '\0');
  if (digits.empty()) return "\2";
  std::string out;
  auto biased = static_cast<uint32_t>(exponent + (int64_t{1} << 31));
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(biased >> shift);
  for (size_t i = 0; i < digits.size(); i += 2) {
    int second = i + 1 < digits.size() ? digits[i + 1] - '0' : 0;
    out += static_cast<char>((digits[i] - '0') * 10 + second + 1);
  }
  if (!negative) return "\3" + out;
  for (char& c : out) c = static_cast<char>(~c);
  return "\1" + out + "\xff";
}

Number Number::decode(std::string_view bytes) {
  if (bytes.empty()) return Number();
  switch (bytes[0]) {
    case 0: return infinity(true);
    case 4: return infinity(false);
    case 5: return special(Kind::nan);
    case 1:
    case 3: break;
    default: return Number();
  }
  Number made;
  made.negative = bytes[0] == 1;
  bytes.remove_prefix(1);
  if (made.negative && !bytes.empty()) bytes.remove_suffix(1);
  if (bytes.size() < 5) return Number();
  auto byte = [&](size_t i) {
    return static_cast<unsigned char>(made.negative ? ~bytes[i] : bytes[i]);
  };
  uint32_t biased = 0;
  for (size_t i = 0; i < 4; ++i) biased = biased << 8 | byte(i);
  made.exponent = static_cast<int64_t>(biased) - (int64_t{1} << 31);
  for (size_t i = 4; i < bytes.size(); ++i) {
    int pair = std::clamp(byte(i) - 1, 0, 99);
    made.digits += static_cast<char>('0' + pair / 10);
    made.digits += static_cast<char>('0' + pair % 10);
  }
  made.digits.erase(made.digits.find_last_not_of('0') + 1);
  return made;
}

Number Number::negated() const {
  Number made = *this;
  if (kind == Kind::infinity) made.kind = Kind::minus_infinity;
  if (kind == Kind::minus_infinity) made.kind = Kind::infinity;
  made.negative = kind == Kind::finite && !negative && !digits.empty();
  return made;
}

Number Number::truncated(int64_t scale) const {
  if (kind != Kind::finite || digits.empty()) return *this;
  int64_t kept = exponent + scale;
  if (kept <= 0) return Number();
  if (kept >= static_cast<int64_t>(digits.size())) return *this;
  return normal(negative, digits.substr(0, static_cast<size_t>(kept)), exponent);
}

Number Number::rounded(int64_t scale) const {
  if (kind != Kind::finite || digits.empty()) return *this;
  int64_t kept = exponent + scale;
  if (kept < 0) return Number();
  if (kept >= static_cast<int64_t>(digits.size())) return *this;
  bool up = digits[static_cast<size_t>(kept)] >= '5';
  Number cut = truncated(scale);
  if (!up) return cut;
  Number unit = normal(negative, "1", 1 - scale);
  return add(cut, unit);
}

Number Number::floor() const {
  Number cut = truncated(0);
  bool whole = kind != Kind::finite || last_place(*this) >= 0 || digits.empty();
  return negative && !whole ? add(cut, of_integer(-1)) : cut;
}

Number Number::ceiling() const { return negated().floor().negated(); }

Number add(const Number& a, const Number& b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind != Kind::finite)
    return b.kind != Kind::finite && b.kind != a.kind ? special(Kind::nan) : a;
  if (b.kind != Kind::finite || a.digits.empty()) return b;
  if (b.digits.empty()) return a;
  const Number& big = compare_size(a, b) >= 0 ? a : b;
  const Number& small = &big == &a ? b : a;
  // What is far below the last digit kept changes nothing.
  if (big.exponent - small.exponent > 2 * Number::kDigitsMax) return big;
  int64_t top = big.exponent, bottom = std::min(last_place(a), last_place(b));
  std::string x = aligned(big, top, bottom), y = aligned(small, top, bottom);
  if (a.negative == b.negative) return normal(big.negative, sum_of(x, y), top + 1);
  return normal(big.negative, difference_of(x, y), top);
}

Number subtract(const Number& a, const Number& b) { return add(a, b.negated()); }

Number multiply(const Number& a, const Number& b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind != Kind::finite || b.kind != Kind::finite) {
    int sign = a.sign() * b.sign();
    return sign == 0 ? special(Kind::nan) : infinity(sign < 0);
  }
  if (a.digits.empty() || b.digits.empty()) return Number();
  std::vector<int> sums(a.digits.size() + b.digits.size(), 0);
  for (size_t i = a.digits.size(); i-- > 0;) {
    for (size_t k = b.digits.size(); k-- > 0;)
      sums[i + k + 1] += (a.digits[i] - '0') * (b.digits[k] - '0');
  }
  std::string out(sums.size(), '0');
  int carry = 0;
  for (size_t i = sums.size(); i-- > 0;) {
    int digit = sums[i] + carry;
    carry = digit / 10;
    out[i] = static_cast<char>('0' + digit % 10);
  }
  return normal(a.negative != b.negative, std::move(out), a.exponent + b.exponent);
}

namespace {

std::unexpected<Error> division_by_zero() {
  return fail(Code::invalid, "DIVISION_BY_ZERO", "Division by zero");
}

// 0.digits x 10^exponent rounded half up to `scale` places; the last digit may be one too many.
Number rounded_digits(bool negative, std::string digits, int64_t exponent, int64_t scale) {
  int64_t kept = exponent + scale;
  if (kept < 0) return Number();
  bool up = kept < static_cast<int64_t>(digits.size()) && digits[static_cast<size_t>(kept)] >= '5';
  if (kept < static_cast<int64_t>(digits.size())) digits.resize(static_cast<size_t>(kept));
  if (up) {
    digits.insert(digits.begin(), '0');
    ++exponent;
    size_t i = digits.size() - 1;
    for (; digits[i] == '9'; --i) digits[i] = '0';
    ++digits[i];
  }
  return normal(negative, std::move(digits), exponent);
}

// Digits of 0.a / 0.b, `count` of them; what is left is in `rest`, written as b is.
std::string quotient_digits(const std::string& a, const std::string& b, size_t count,
                            std::string& rest) {
  rest.assign(b.size() + 1, '0');
  std::string divisor = "0" + b, out;
  for (size_t i = 0; i < count; ++i) {
    rest.erase(0, 1);
    rest += i < a.size() ? a[i] : '0';
    char digit = '0';
    while (rest >= divisor) {
      rest = difference_of(rest, divisor);
      ++digit;
    }
    out += digit;
  }
  return out;
}

// What is left of a when b was taken from it as often as it fits: exact.
Number remainder_of(const Number& a, const Number& b) {
  if (a.exponent < b.exponent) return a;
  int64_t bottom = std::min(last_place(a), last_place(b));
  std::string whole = aligned(a, a.exponent, bottom), divisor = aligned(b, b.exponent, bottom);
  std::string rest;
  quotient_digits(whole, divisor, whole.size(), rest);
  auto size = static_cast<int64_t>(rest.size());
  return normal(a.negative, std::move(rest), bottom + size);
}

}  // namespace

Result<Number> divide(const Number& a, const Number& b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (a.kind != Kind::finite)
    return b.kind != Kind::finite ? special(Kind::nan) : infinity((a.sign() < 0) != (b.sign() < 0));
  if (b.is_zero()) return division_by_zero();
  if (b.kind != Kind::finite || a.digits.empty()) return Number();
  // The quotient's places after the point, as for decimals of that many digits and places.
  int64_t scale = std::max<int64_t>(-last_place(a) + static_cast<int64_t>(b.digits.size()) + 1, 6);
  std::string rest;
  // The first digit stands for a whole number of b's: 10^(b's length) above the point.
  auto exponent = a.exponent - b.exponent + static_cast<int64_t>(b.digits.size());
  auto count = std::clamp<int64_t>(exponent + scale + 1, 0, 3 * Number::kDigitsMax);
  std::string digits = quotient_digits(a.digits, b.digits, static_cast<size_t>(count), rest);
  return rounded_digits(a.negative != b.negative, std::move(digits), exponent, scale);
}

Result<Number> modulo(const Number& a, const Number& b) {
  if (a.kind == Kind::nan || b.kind == Kind::nan) return special(Kind::nan);
  if (b.is_zero()) return division_by_zero();
  if (a.kind != Kind::finite) return special(Kind::nan);
  if (b.kind != Kind::finite || a.digits.empty()) return a;
  return remainder_of(a, b);
}

}  // namespace aichemy::sql
