// NUMBER (sql/types/number.h) in the engine, and the casts between numbers that need Trino's
// rounding, texts or messages.
#include <fmt/format.h>

#include <charconv>
#include <cmath>

#include "sql/native/functions.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

std::string_view trimmed(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || (text.front() >= '\t' && text.front() <= '\r')))
    text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || (text.back() >= '\t' && text.back() <= '\r')))
    text.remove_suffix(1);
  return text;
}

// ---- texts of doubles ----

// Shortest digits and decimal exponent of a finite value: 0.d1d2... x 10^exponent.
void shortest(double value, std::string& digits, int& exponent) {
  char raw[40];
  auto [end, error] =
      std::to_chars(raw, raw + sizeof raw, std::abs(value), std::chars_format::scientific);
  std::string_view text(raw, static_cast<size_t>(end - raw));
  size_t e = text.find('e');
  std::string_view shift = text.substr(e + 1);
  if (shift.starts_with('+')) shift.remove_prefix(1);
  exponent = 0;
  std::from_chars(shift.data(), shift.data() + shift.size(), exponent);
  digits.clear();
  for (char c : text.substr(0, e)) {
    if (c != '.') digits += c;
  }
  digits.erase(digits.find_last_not_of('0') + 1);
  if (digits.empty()) exponent = -1;
  ++exponent;
}

const char* special_text(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "Infinity" : "-Infinity";
  return nullptr;
}

std::string scientific(bool negative, std::string digits, int exponent) {
  std::string out = negative ? "-" : "";
  if (digits.empty()) return out + "0E0";
  std::string rest = digits.size() > 1 ? digits.substr(1) : "0";
  return out + digits[0] + "." + rest + "E" + std::to_string(exponent - 1);
}

// Trino's text of a double: 1.5E1.
std::string double_text(double value) {
  if (const char* text = special_text(value)) return text;
  std::string digits;
  int exponent = 0;
  shortest(value, digits, exponent);
  return scientific(std::signbit(value), digits, exponent);
}

// Of a real: seven digits at most.
std::string real_text(float value) {
  if (const char* text = special_text(value)) return text;
  std::string text = fmt::format("{:.6e}", std::abs(static_cast<double>(value)));
  size_t e = text.find('e');
  std::string digits = text.substr(0, 1) + text.substr(2, e - 2);
  digits.erase(digits.find_last_not_of('0') + 1);
  return scientific(std::signbit(value), digits, std::atoi(text.c_str() + e + 1) + 1);
}

// Java's own, in messages: plain between 10^-3 and 10^7, else scientific.
template <class Real>
std::string java_text(Real value) {
  if (const char* text = special_text(value)) return text;
  char raw[40];
  auto [end, error] =
      std::to_chars(raw, raw + sizeof raw, std::abs(value), std::chars_format::scientific);
  std::string digits;
  int exponent = 0;
  double read = 0;
  std::from_chars(raw, end, read);
  shortest(read, digits, exponent);
  std::string out = std::signbit(value) ? "-" : "";
  double size = std::abs(static_cast<double>(value));
  if (size == 0) return out + "0.0";
  if (size < 1e-3 || size >= 1e7) return out + scientific(false, digits, exponent);
  if (exponent <= 0) return out + "0." + std::string(static_cast<size_t>(-exponent), '0') + digits;
  if (digits.size() <= static_cast<size_t>(exponent))
    return out + digits + std::string(static_cast<size_t>(exponent) - digits.size(), '0') + ".0";
  return out + digits.substr(0, static_cast<size_t>(exponent)) + "." +
         digits.substr(static_cast<size_t>(exponent));
}

template <class Real>
std::string trino_text(Real value) {
  if constexpr (std::is_same_v<Real, double>) return double_text(value);
  return real_text(static_cast<float>(value));
}

template <class Real>
void real_to_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) { return trino_text(arguments.value<Real>(0, row)); });
}

// (value, length)
template <class Real>
void real_to_short_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    Real value = arguments.value<Real>(0, row);
    std::string text = trino_text(value);
    int32_t length = arguments.value<int32_t>(1, row);
    if (text.size() > static_cast<size_t>(length)) {
      raise("INVALID_CAST_ARGUMENT",
            fmt::format("Value {} ({}) cannot be represented as varchar({})", java_text(value),
                        text, length));
    }
    return text;
  });
}

// ---- to decimals ----

// "12.30" with `scale` digits, or the error that `shown` of type `source` does not fit.
std::string decimal_text(const Number& value, const char* source, const std::string& shown,
                         int precision, int scale, const char* end = "",
                         const char* error = "NUMERIC_VALUE_OUT_OF_RANGE") {
  auto message = [&] {
    return fmt::format("Cannot cast {} '{}' to DECIMAL({}, {}){}", source, shown, precision, scale,
                       end);
  };
  if (value.kind == Number::Kind::nan) raise("INVALID_CAST_ARGUMENT", message());
  Number made = value.rounded(scale);
  if (made.kind != Number::Kind::finite || made.exponent > precision - scale)
    raise(error, message());
  return made.plain_text();
}

// (value, precision, scale)
template <class Real>
void real_to_decimal(DataChunk& chunk, ExpressionState&, Vector& result) {
  constexpr bool kDouble = std::is_same_v<Real, double>;
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    Real value = arguments.value<Real>(0, row);
    Number number = *Number::parse(java_text(value));  // what its shortest text shows
    return decimal_text(number, kDouble ? "DOUBLE" : "REAL", java_text(value),
                        arguments.value<int32_t>(1, row), arguments.value<int32_t>(2, row));
  });
}

void text_to_decimal(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string_view text = arguments.text(0, row);
    int32_t precision = arguments.value<int32_t>(1, row), scale = arguments.value<int32_t>(2, row);
    auto number = Number::parse(trimmed(text));
    if (!number || number->kind != Number::Kind::finite) {
      raise("INVALID_CAST_ARGUMENT",
            fmt::format("Cannot cast VARCHAR '{}' to DECIMAL({}, {}). Value is not a number.", text,
                        precision, scale));
    }
    return decimal_text(*number, "VARCHAR", std::string(text), precision, scale,
                        ". Value too large.", "INVALID_CAST_ARGUMENT");
  });
}

void number_to_decimal(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    Number value = Number::decode(arguments.text(0, row));
    return decimal_text(value, "NUMBER", value.text(), arguments.value<int32_t>(1, row),
                        arguments.value<int32_t>(2, row));
  });
}

// (value, source's name, precision, scale): the value, when it has few enough digits.
void integer_for_decimal(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    int64_t value = arguments.value<int64_t>(0, row);
    int32_t precision = arguments.value<int32_t>(2, row), scale = arguments.value<int32_t>(3, row);
    __int128 limit = 1;
    for (int i = scale; i < precision; ++i) limit *= 10;
    if (value >= limit || value <= -limit) {
      raise("NUMERIC_VALUE_OUT_OF_RANGE",
            fmt::format("Cannot cast {} '{}' to DECIMAL({}, {})", arguments.text(1, row),
                        arguments.text(1, row) != "BOOLEAN" ? std::to_string(value)
                        : value != 0                        ? "true"
                                                            : "false",
                        precision, scale));
    }
    return value;
  });
}

// ---- NUMBER ----

void number_of_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    auto number = Number::parse(trimmed(arguments.text(0, row)));
    if (!number) {
      std::string_view text = arguments.text(0, row);
      bool special = trimmed(text).ends_with("NaN") || trimmed(text).ends_with("Infinity");
      raise("INVALID_CAST_ARGUMENT",
            special
                ? fmt::format("Cannot cast '{}' to NUMBER", text)
                : fmt::format("Cannot cast VARCHAR '{}' to NUMBER. Value is not a number.", text));
    }
    return number->encode();
  });
}

template <class Real>
void number_of_real(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    return Number::parse(java_text(arguments.value<Real>(0, row)))->encode();
  });
}

void text_of_number(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    Number value = Number::decode(arguments.text(0, row));
    return value.text();
  });
}

void double_of_number(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<double>(
      result, [&](idx_t row) { return Number::decode(arguments.text(0, row)).to_double(); });
}

// (value, type's name, bits)
void integer_of_number(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) {
    Number value = Number::decode(arguments.text(0, row));
    std::string message =
        fmt::format("Cannot cast NUMBER '{}' to {}", value.text(), arguments.text(1, row));
    if (value.kind == Number::Kind::nan) raise("INVALID_CAST_ARGUMENT", message);
    Number whole = value.rounded(0);
    __int128 made = 0;
    if (whole.kind != Number::Kind::finite || whole.exponent > 19)
      raise("NUMERIC_VALUE_OUT_OF_RANGE", message);
    for (char c : whole.plain_text()) {
      if (c != '-') made = made * 10 + (c - '0');
    }
    if (whole.negative) made = -made;
    __int128 limit = static_cast<__int128>(1) << (arguments.value<int32_t>(2, row) - 1);
    if (made >= limit || made < -limit) raise("NUMERIC_VALUE_OUT_OF_RANGE", message);
    return static_cast<int64_t>(made);
  });
}

Number checked(Result<Number> made) {
  if (!made) raise(made.error().what, made.error().message);
  return std::move(*made);
}

struct Add {
  static Number of(const Number& a, const Number& b) { return add(a, b); }
};
struct Subtract {
  static Number of(const Number& a, const Number& b) { return subtract(a, b); }
};
struct Multiply {
  static Number of(const Number& a, const Number& b) { return multiply(a, b); }
};
struct Divide {
  static Number of(const Number& a, const Number& b) { return checked(divide(a, b)); }
};
struct Modulo {
  static Number of(const Number& a, const Number& b) { return checked(modulo(a, b)); }
};
struct Negate {
  static Number of(const Number& a) { return a.negated(); }
};
struct Absolute {
  static Number of(const Number& a) { return a.sign() < 0 ? a.negated() : a; }
};
struct Sign {
  static Number of(const Number& a) {
    return a.kind == Number::Kind::nan ? a : Number::of_integer(a.sign());
  }
};
struct Floor {
  static Number of(const Number& a) { return a.floor(); }
};
struct Ceiling {
  static Number of(const Number& a) { return a.ceiling(); }
};

template <class Op>
void binary(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    return Op::of(Number::decode(arguments.text(0, row)), Number::decode(arguments.text(1, row)))
        .encode();
  });
}

template <class Op>
void unary(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(
      result, [&](idx_t row) { return Op::of(Number::decode(arguments.text(0, row))).encode(); });
}

// (value, digits after the point)
template <bool kRound>
void cut(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    Number value = Number::decode(arguments.text(0, row));
    int32_t scale = arguments.value<int32_t>(1, row);
    return (kRound ? value.rounded(scale) : value.truncated(scale)).encode();
  });
}

template <bool kNan>
void is_special(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<bool>(result, [&](idx_t row) {
    std::string_view bytes = arguments.text(0, row);
    char first = bytes.empty() ? '\2' : bytes[0];
    return kNan ? first == 5 : first == 0 || first == 4;
  });
}

// ---- rounding integers ----

// (value, digits, bits): half away from zero; NUMERIC_VALUE_OUT_OF_RANGE beyond the type.
void round_integer(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<int64_t>(result, [&](idx_t row) -> int64_t {
    __int128 value = arguments.value<int64_t>(0, row);
    int64_t digits = -int64_t{arguments.value<int32_t>(1, row)};
    if (digits <= 0) return static_cast<int64_t>(value);
    __int128 unit = 1;
    for (int64_t i = 0; i < digits && i < 19; ++i) unit *= 10;
    __int128 half = value < 0 ? -unit / 2 : unit / 2;
    __int128 made = (value + half) / unit * unit;
    if (digits >= 19 || made > INT64_MAX || made < INT64_MIN) {
      raise("NUMERIC_VALUE_OUT_OF_RANGE",
            fmt::format("numerical overflow: {}", static_cast<int64_t>(value)));
    }
    int bits = arguments.value<int32_t>(2, row);
    __int128 limit = static_cast<__int128>(1) << (bits - 1);
    if (made >= limit || made < -limit) {
      raise("NUMERIC_VALUE_OUT_OF_RANGE", fmt::format("Out of range for {}: {}",
                                                      bits == 8    ? "tinyint"
                                                      : bits == 16 ? "smallint"
                                                                   : "integer",
                                                      static_cast<int64_t>(made)));
    }
    return static_cast<int64_t>(made);
  });
}

}  // namespace

// lint: table
std::vector<NativeFunction> native_number_functions() {
  return {
      {"aichemy_double_text", "DOUBLE -> VARCHAR", real_to_text<double>},
      {"aichemy_double_text", "FLOAT -> VARCHAR", real_to_text<float>},
      {"aichemy_double_text", "DOUBLE, INTEGER -> VARCHAR", real_to_short_text<double>},
      {"aichemy_double_text", "FLOAT, INTEGER -> VARCHAR", real_to_short_text<float>},
      {"aichemy_to_decimal", "DOUBLE, INTEGER, INTEGER -> VARCHAR", real_to_decimal<double>},
      {"aichemy_to_decimal", "FLOAT, INTEGER, INTEGER -> VARCHAR", real_to_decimal<float>},
      {"aichemy_to_decimal", "VARCHAR, INTEGER, INTEGER -> VARCHAR", text_to_decimal},
      {"aichemy_number_to_decimal", "BLOB, INTEGER, INTEGER -> VARCHAR", number_to_decimal},
      {"aichemy_for_decimal", "BIGINT, VARCHAR, INTEGER, INTEGER -> BIGINT", integer_for_decimal},
      {"aichemy_number", "VARCHAR -> BLOB", number_of_text},
      {"aichemy_number", "DOUBLE -> BLOB", number_of_real<double>},
      {"aichemy_number", "FLOAT -> BLOB", number_of_real<float>},
      {"aichemy_number_text", "BLOB -> VARCHAR", text_of_number},
      {"aichemy_number_double", "BLOB -> DOUBLE", double_of_number},
      {"aichemy_number_integer", "BLOB, VARCHAR, INTEGER -> BIGINT", integer_of_number},
      {"aichemy_number_add", "BLOB, BLOB -> BLOB", binary<Add>},
      {"aichemy_number_subtract", "BLOB, BLOB -> BLOB", binary<Subtract>},
      {"aichemy_number_multiply", "BLOB, BLOB -> BLOB", binary<Multiply>},
      {"aichemy_number_divide", "BLOB, BLOB -> BLOB", binary<Divide>},
      {"aichemy_number_modulo", "BLOB, BLOB -> BLOB", binary<Modulo>},
      {"aichemy_number_negate", "BLOB -> BLOB", unary<Negate>},
      {"aichemy_number_abs", "BLOB -> BLOB", unary<Absolute>},
      {"aichemy_number_sign", "BLOB -> BLOB", unary<Sign>},
      {"aichemy_number_floor", "BLOB -> BLOB", unary<Floor>},
      {"aichemy_number_ceiling", "BLOB -> BLOB", unary<Ceiling>},
      {"aichemy_number_round", "BLOB, INTEGER -> BLOB", cut<true>},
      {"aichemy_number_truncate", "BLOB, INTEGER -> BLOB", cut<false>},
      {"aichemy_number_is_nan", "BLOB -> BOOLEAN", is_special<true>},
      {"aichemy_number_is_infinite", "BLOB -> BOOLEAN", is_special<false>},
      {"aichemy_round_integer", "BIGINT, INTEGER, INTEGER -> BIGINT", round_integer},
  };
}

}  // namespace aichemy::sql
