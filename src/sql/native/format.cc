// format(): Java's Formatter. Arguments come as text with a letter for their kind in front: i an
// integer, d a decimal, f a double, b a boolean, s anything else; NULL is printed as null.
#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <optional>

#include "sql/native/functions.h"
#include "sql/native/moment.h"
#include "sql/types/number.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::Vector;

struct Specifier {
  std::string flags;
  int width = -1, precision = -1;
  char conversion = 's';
  bool upper = false;
  std::string text;  // as written
  bool has(char flag) const { return flags.find(flag) != std::string::npos; }
};

[[noreturn]] void bad_format(const std::string& pattern, const std::string& why) {
  raise("INVALID_FUNCTION_ARGUMENT", fmt::format("Invalid format string: {} ({})", pattern, why));
}

size_t code_points_of(std::string_view text) {
  return static_cast<size_t>(std::ranges::count_if(
      text, [](char c) { return (static_cast<unsigned char>(c) & 0xc0) != 0x80; }));
}

std::string justified(std::string text, const Specifier& spec) {
  auto width = static_cast<size_t>(std::max(spec.width, 0));
  size_t length = code_points_of(text);
  if (length >= width) return text;
  std::string blanks(width - length, ' ');
  return spec.has('-') ? text + blanks : blanks + text;
}

// Sign, grouping, zeros in front.
std::string decorated(bool negative, std::string digits, const Specifier& spec) {
  if (spec.has(',')) {
    size_t end = std::min(digits.find('.'), digits.size());
    for (size_t i = end; i > 3; i -= 3) digits.insert(i - 3, ",");
  }
  std::string sign = negative        ? (spec.has('(') ? "(" : "-")
                     : spec.has('+') ? "+"
                     : spec.has(' ') ? " "
                                     : "";
  std::string close = negative && spec.has('(') ? ")" : "";
  size_t length = sign.size() + digits.size() + close.size();
  auto width = static_cast<size_t>(std::max(spec.width, 0));
  if (spec.has('0') && length < width) digits.insert(0, width - length, '0');
  return sign + digits + close;
}

std::string fixed(const Number& value, int precision) {
  std::string text = value.rounded(precision).text();
  if (text.starts_with('-')) text.erase(0, 1);
  size_t point = text.find('.');
  size_t have = point == std::string::npos ? 0 : text.size() - point - 1;
  if (precision > 0 && point == std::string::npos) text += '.';
  text.append(static_cast<size_t>(precision) - std::min<size_t>(have, precision), '0');
  return text;
}

std::string integer_text(const std::string& value, const Specifier& spec) {
  if (spec.conversion == 'd') {
    bool negative = value.starts_with('-');
    return decorated(negative, value.substr(negative ? 1 : 0), spec);
  }
  auto raw = static_cast<uint64_t>(std::strtoll(value.c_str(), nullptr, 10));
  std::string digits = spec.conversion == 'x' ? fmt::format("{:x}", raw) : fmt::format("{:o}", raw);
  if (spec.has('#')) digits.insert(0, spec.conversion == 'x' ? "0x" : "0");
  return decorated(false, digits, spec);
}

std::string real_text(const std::string& value, const Specifier& spec) {
  auto number = Number::parse(value == "inf"                      ? "Infinity"
                              : value == "-inf"                   ? "-Infinity"
                              : value == "nan" || value == "-nan" ? "NaN"
                                                                  : value);
  if (!number) return value;
  if (number->kind == Number::Kind::nan) return "NaN";
  if (number->kind != Number::Kind::finite) {
    bool negative = number->sign() < 0;
    return (negative ? "-" : spec.has('+') ? "+" : "") + std::string("Infinity");
  }
  bool negative = value.starts_with('-');
  int precision = spec.precision < 0 ? 6 : spec.precision;
  if (spec.conversion == 'f') return decorated(negative, fixed(*number, precision), spec);
  double size = std::abs(number->to_double());
  if (spec.conversion == 'e')
    return decorated(negative, fmt::format("{:.{}e}", size, precision), spec);
  // g: scientific outside of 10^-4 .. 10^precision
  if (precision == 0) precision = 1;
  if (size != 0 && (size < 1e-4 || size >= std::pow(10, precision)))
    return decorated(negative, fmt::format("{:.{}e}", size, precision - 1), spec);
  int whole = size == 0 ? 1 : static_cast<int>(std::floor(std::log10(size))) + 1;
  return decorated(negative, fixed(*number, std::max(0, precision - whole)), spec);
}

// Double.toString of a double's text, others as they are.
std::string general_text(char kind, std::string value) {
  if (kind != 'f') return value;
  if (value == "inf") return "Infinity";
  if (value == "-inf") return "-Infinity";
  if (value == "nan" || value == "-nan") return "NaN";
  double number = std::strtod(value.c_str(), nullptr);
  double size = std::abs(number);
  if (size != 0 && (size < 1e-3 || size >= 1e7)) {
    std::string text = fmt::format("{:e}", number);
    for (int digits = 0; digits < 18; ++digits) {  // the fewest that read back the same
      text = fmt::format("{:.{}e}", number, digits);
      if (std::strtod(text.c_str(), nullptr) == number) break;
    }
    size_t e = text.find('e');
    std::string digits = text.substr(0, e);
    if (digits.find('.') == std::string::npos) digits += ".0";
    return digits + "E" + std::to_string(std::atoi(text.c_str() + e + 1));
  }
  return value;
}

std::string converted(const std::string& pattern, const Specifier& spec,
                      const std::optional<std::string>& argument) {
  std::string value = argument ? argument->substr(1) : "null";
  char kind = argument ? (*argument)[0] : 'n';
  std::string out;
  switch (spec.conversion) {
    case 'b': out = kind == 'b' ? value : kind == 'n' ? "false" : "true"; break;
    case 's': out = general_text(kind, value); break;
    case 'd':
    case 'x':
    case 'o':
      if (kind != 'i' && kind != 'n')
        bad_format(pattern, fmt::format("{} != {}", spec.conversion,
                                        kind == 's' ? "java.lang.String" : "java.lang.Double"));
      out = kind == 'n' ? value : integer_text(value, spec);
      break;
    case 'f':
    case 'e':
    case 'g':
      if (kind != 'f' && kind != 'd' && kind != 'n')
        bad_format(pattern, fmt::format("{} != {}", spec.conversion,
                                        kind == 'i' ? "java.lang.Long" : "java.lang.String"));
      out = kind == 'n' ? value : real_text(value, spec);
      break;
    case 'c': out = value; break;
    default: bad_format(pattern, fmt::format("Conversion = '{}'", spec.conversion));
  }
  bool text = spec.conversion == 's' || spec.conversion == 'b';
  if (text && spec.precision >= 0 && code_points_of(out) > static_cast<size_t>(spec.precision)) {
    size_t end = 0, left = static_cast<size_t>(spec.precision);
    while (end < out.size() &&
           (left > 0 || (static_cast<unsigned char>(out[end]) & 0xc0) == 0x80)) {
      if ((static_cast<unsigned char>(out[end]) & 0xc0) != 0x80) --left;
      ++end;
    }
    out.resize(end);
  }
  if (spec.upper) {
    for (char& c : out) c = static_cast<char>(c >= 'a' && c <= 'z' ? c - 'a' + 'A' : c);
  }
  return justified(std::move(out), spec);
}

std::string formatted(const std::string& pattern,
                      const std::vector<std::optional<std::string>>& arguments) {
  std::string out;
  size_t next = 0, last = 0;
  for (size_t i = 0; i < pattern.size(); ++i) {
    if (pattern[i] != '%') {
      out += pattern[i];
      continue;
    }
    size_t begin = i++;
    Specifier spec;
    size_t index = 0;
    size_t digits = i;
    while (digits < pattern.size() && pattern[digits] >= '0' && pattern[digits] <= '9') ++digits;
    if (digits > i && digits < pattern.size() && pattern[digits] == '$') {
      index = static_cast<size_t>(std::atoi(pattern.c_str() + i));
      i = digits + 1;
    }
    while (i < pattern.size() && std::string_view("-#+ 0,(<").find(pattern[i]) != std::string::npos)
      spec.flags += pattern[i++];
    auto number = [&](int& value) {
      value = 0;
      while (i < pattern.size() && pattern[i] >= '0' && pattern[i] <= '9' && value < 100'000)
        value = value * 10 + (pattern[i++] - '0');
    };
    if (i < pattern.size() && pattern[i] >= '1' && pattern[i] <= '9') number(spec.width);
    if (i < pattern.size() && pattern[i] == '.') {
      ++i;
      number(spec.precision);
    }
    if (i >= pattern.size())
      bad_format(pattern, fmt::format("Conversion = '{}'", pattern.substr(begin, 1)));
    char conversion = pattern[i];
    if (conversion == 'n' || conversion == '%') {
      out += conversion == 'n' ? std::string("\n") : justified("%", spec);
      continue;
    }
    spec.upper = conversion >= 'A' && conversion <= 'Z';
    spec.conversion = static_cast<char>(spec.upper ? conversion - 'A' + 'a' : conversion);
    size_t at = index > 0 ? index - 1 : spec.has('<') ? last : next++;
    if (at >= arguments.size())
      bad_format(pattern,
                 fmt::format("Format specifier '{}'", pattern.substr(begin, i - begin + 1)));
    last = at;
    out += converted(pattern, spec, arguments[at]);
  }
  return out;
}

// (pattern, arguments...)
void format(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t row = 0; row < chunk.size(); ++row) {
    if (arguments.is_null(0, row)) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    std::vector<std::optional<std::string>> values;
    for (size_t i = 1; i < chunk.ColumnCount(); ++i) {
      values.emplace_back();
      if (!arguments.is_null(i, row)) values.back() = std::string(arguments.text(i, row));
    }
    std::string text = formatted(std::string(arguments.text(0, row)), values);
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddStringOrBlob(result, text);
  }
}

// toString() of java.time: nanoseconds in groups of three digits, no seconds when there are none.
std::string java_moment(TypeKind kind, const Moment& moment, int precision) {
  if (kind == TypeKind::date || kind == TypeKind::time_tz)
    return moment_text(kind, moment, precision);
  Moment value = rounded(kind, moment, 9);
  int64_t local = local_seconds(kind, value);
  std::string out;
  if (kind != TypeKind::time) {
    append_day(out, floor_div(local, kSecondsPerDay));
    out += 'T';
  }
  int64_t clock = floor_mod(local, kSecondsPerDay), nanos = value.picos / 1000;
  out += fmt::format("{:02}:{:02}", clock / 3600, clock / 60 % 60);
  if (clock % 60 != 0 || nanos != 0) out += fmt::format(":{:02}", clock % 60);
  if (nanos != 0) {
    std::string fraction = fmt::format("{:09}", nanos);
    while (fraction.ends_with("000")) fraction.resize(fraction.size() - 3);
    out += "." + fraction;
  }
  if (kind != TypeKind::timestamp_tz) return out;
  int32_t offset = offset_at(value.zone, value.seconds), size = std::abs(offset);
  if (value.zone == kUtc) return out + "Z[UTC]";
  out += offset == 0
             ? "Z"
             : fmt::format("{}{:02}:{:02}", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
  if (size % 60 != 0) out += fmt::format(":{:02}", size % 60);
  const std::string& name = zone_name(value.zone);
  return name[0] == '+' || name[0] == '-' ? out : out + "[" + name + "]";
}

template <Form kForm>
void java_text_of_form(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  MomentReader reader(chunk.data[0], chunk.size(), kForm);
  arguments.each_text(result, [&](idx_t row) {
    return java_moment(row_of(kForm).kind, reader.at(row), arguments.value<int32_t>(1, row));
  });
}

template <Form kForm>
NativeFunction java_row() {
  return {std::string("aichemy_java_") + row_of(kForm).name,
          std::string(row_of(kForm).physical) + ", INTEGER -> VARCHAR", java_text_of_form<kForm>};
}

}  // namespace

std::vector<NativeFunction> native_format_functions() {
  return {
      {"aichemy_format", "VARCHAR, VARCHAR... -> VARCHAR", format, true},
      java_row<Form::date>(),
      java_row<Form::time6>(),
      java_row<Form::time12>(),
      java_row<Form::timetz>(),
      java_row<Form::ts6>(),
      java_row<Form::ts12>(),
      java_row<Form::tz6>(),
      java_row<Form::tz12>(),
  };
}

}  // namespace aichemy::sql
