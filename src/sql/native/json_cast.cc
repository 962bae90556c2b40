// CAST(json AS type): aichemy_json_decode(text, 'type') for every type made of booleans, numbers,
// text, json, arrays, maps and rows. One walk over the value fills DuckDB's vectors.
#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <duckdb/common/types/decimal.hpp>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>
#include <set>

#include "sql/native/duckdb_type.h"
#include "sql/native/functions.h"
#include "sql/native/put.h"
#include "sql/types/json_node.h"
#include "sql/types/type.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::ListVector;
using duckdb::StringVector;
using duckdb::StructVector;
using duckdb::Vector;
using NodeKind = JsonNode::Kind;

struct DecodeBind : duckdb::FunctionData {
  Type type;
  explicit DecodeBind(Type t) : type(std::move(t)) {}
  duckdb::unique_ptr<FunctionData> Copy() const override {
    return duckdb::make_uniq<DecodeBind>(type);
  }
  bool Equals(const FunctionData& other) const override {
    return type == other.Cast<DecodeBind>().type;
  }
};

// Why a value does not fit; range: NUMERIC_VALUE_OUT_OF_RANGE when not nested.
struct Misfit {
  std::string message;
  bool range = false;
};

std::string token(const JsonNode& node) {
  switch (node.kind) {
    case NodeKind::null: return "null";
    case NodeKind::boolean: return node.truth ? "true" : "false";
    case NodeKind::array: return "[";
    case NodeKind::object: return "{";
    default: return node.text;
  }
}

[[noreturn]] void unexpected(const JsonNode& node, const Type& type) {
  throw Misfit{fmt::format("Unexpected token when cast to {}: {}", type.display(), token(node))};
}

double real_of(std::string_view text, const JsonNode& node, const Type& type) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
  while (!text.empty() && text.back() == ' ') text.remove_suffix(1);
  if (text == "NaN") return std::nan("");
  if (text == "Infinity" || text == "+Infinity") return HUGE_VAL;
  if (text == "-Infinity") return -HUGE_VAL;
  std::string copy(text);
  char* end = nullptr;
  double value = std::strtod(copy.c_str(), &end);
  bool digits = copy.find_first_of("0123456789") != std::string::npos &&
                copy.find_first_not_of("0123456789+-.eE") == std::string::npos;
  if (!digits || *end) unexpected(node, type);
  return value;
}

int64_t whole_of(const JsonNode& node, const Type& type, int64_t low, int64_t high) {
  auto out_of_range = [&]() {
    std::string shown =
        node.is_integer() ? node.text : trino_double(std::strtod(node.text.c_str(), nullptr));
    return Misfit{fmt::format("Out of range for {}: {}", type.display(), shown), true};
  };
  if (node.is(NodeKind::boolean)) return node.truth;
  bool text = node.is(NodeKind::string);
  if (!text && !node.is(NodeKind::number)) unexpected(node, type);
  if (text || node.is_integer()) {
    std::string_view digits = node.text;
    if (digits.starts_with('+')) digits.remove_prefix(1);
    int64_t value = 0;
    auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
    bool whole = end == digits.data() + digits.size();
    if (text && (!whole || error != std::errc())) unexpected(node, type);
    if (error != std::errc() || value < low || value > high) {
      Misfit misfit = out_of_range();
      misfit.range = false;  // only fractions that are too large are out of range
      throw misfit;
    }
    return value;
  }
  double value = std::floor(std::strtod(node.text.c_str(), nullptr) + 0.5);
  // The largest double below 2^63 is the last that fits.
  if (!(value >= static_cast<double>(low)) || !(value <= static_cast<double>(high)) ||
      value >= 9.3e18 || value >= 9223372036854775808.0)
    throw out_of_range();
  return static_cast<int64_t>(value);
}

// The unscaled value of a decimal text, rounded half up.
duckdb::hugeint_t decimal_of(const JsonNode& node, const Type& type) {
  if (node.is(NodeKind::boolean))
    return duckdb::hugeint_t(node.truth ? 1 : 0) *
           duckdb::Hugeint::POWERS_OF_TEN[static_cast<size_t>(type.scale)];
  if (!node.is(NodeKind::number) && !node.is(NodeKind::string)) unexpected(node, type);
  std::string digits;
  int64_t places = 0, exponent = 0;
  bool negative = false, fraction = false;
  for (size_t i = 0; i < node.text.size(); ++i) {
    char c = node.text[i];
    if (c == '-' || c == '+') {
      if (i > 0) unexpected(node, type);
      negative = c == '-';
    } else if (c == '.') {
      fraction = true;
    } else if (c == 'e' || c == 'E') {
      exponent = std::clamp<int64_t>(std::strtoll(node.text.c_str() + i + 1, nullptr, 10), -100000,
                                     100000);
      break;
    } else if (c >= '0' && c <= '9') {
      digits += c;
      places += fraction;
    } else {
      unexpected(node, type);
    }
  }
  if (digits.empty()) unexpected(node, type);
  digits.erase(0, std::min(digits.find_first_not_of('0'), digits.size() - 1));
  int64_t shift = type.scale - places + exponent;  // digits times ten to this is the result
  bool up = false;
  if (shift < 0) {
    int64_t keep = static_cast<int64_t>(digits.size()) + shift;
    up = keep >= 0 && digits[static_cast<size_t>(keep)] >= '5';
    digits = keep > 0 ? digits.substr(0, static_cast<size_t>(keep)) : "0";
  } else if (digits != "0") {
    digits.append(static_cast<size_t>(std::min<int64_t>(shift, 80)), '0');
  }
  auto too_large = [&] {
    return Misfit{
        fmt::format("Cannot cast input json to DECIMAL({},{})", type.precision, type.scale), true};
  };
  if (digits.size() > 38) throw too_large();
  duckdb::hugeint_t value(0);
  for (char c : digits) value = value * duckdb::hugeint_t(10) + duckdb::hugeint_t(c - '0');
  if (up) value += duckdb::hugeint_t(1);
  if (value >= duckdb::Hugeint::POWERS_OF_TEN[static_cast<size_t>(type.precision)])
    throw too_large();
  return negative ? -value : value;
}

bool boolean_of(const JsonNode& node, const Type& type) {
  switch (node.kind) {
    case NodeKind::boolean: return node.truth;
    case NodeKind::number: {
      int64_t whole = 0;
      const char* end = node.text.data() + node.text.size();
      if (node.is_integer() && std::from_chars(node.text.data(), end, whole).ec != std::errc())
        unexpected(node, type);
      // 1e309 is not zero though no double holds it; 1e-324 is, as a double
      return std::strtod(node.text.c_str(), nullptr) != 0;
    }
    case NodeKind::string: {
      std::string lower = node.text;
      std::ranges::transform(lower, lower.begin(), [](char c) {
        return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      });
      if (lower == "t" || lower == "true" || lower == "1") return true;
      if (lower == "f" || lower == "false" || lower == "0") return false;
      unexpected(node, type);
    }
    default: unexpected(node, type);
  }
}

std::string text_of(const JsonNode& node, const Type& type) {
  std::string made;
  if (type.is(TypeKind::json)) {
    write_json(node, made);
    return made;
  }
  switch (node.kind) {
    case NodeKind::boolean: made = node.truth ? "true" : "false"; break;
    case NodeKind::string: made = node.text; break;
    case NodeKind::number:
      made = node.is_integer() ? node.text : trino_double(std::strtod(node.text.c_str(), nullptr));
      break;
    default: unexpected(node, type);
  }
  if (type.precision != Type::kUnbounded) {
    int64_t length = std::ranges::count_if(
        made, [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; });
    if (length > type.precision)
      throw Misfit{fmt::format("Cannot cast '{}' to varchar({})", made, type.precision)};
  }
  return made;
}

class Decoder {
 public:
  void put(const JsonNode& node, const Type& type, Vector& out, idx_t row) {
    if (node.is(NodeKind::null) && !type.is(TypeKind::json)) return null(type, out, row);
    switch (type.kind) {
      case TypeKind::boolean: FlatVector::GetData<bool>(out)[row] = boolean_of(node, type); return;
      case TypeKind::tinyint: return whole<int8_t>(node, type, out, row);
      case TypeKind::smallint: return whole<int16_t>(node, type, out, row);
      case TypeKind::integer: return whole<int32_t>(node, type, out, row);
      case TypeKind::bigint: return whole<int64_t>(node, type, out, row);
      case TypeKind::real:
        FlatVector::GetData<float>(out)[row] = static_cast<float>(real(node, type));
        return;
      case TypeKind::double_: FlatVector::GetData<double>(out)[row] = real(node, type); return;
      case TypeKind::decimal: return put_decimal(decimal_of(node, type), out, row);
      case TypeKind::json:
      case TypeKind::varchar: {
        std::string text = text_of(node, type);
        FlatVector::GetData<duckdb::string_t>(out)[row] =
            StringVector::AddString(out, text.data(), text.size());
        return;
      }
      case TypeKind::array: return array(node, type, out, row);
      case TypeKind::map: return map(node, type, out, row);
      default: return fields(node, type, out, row);
    }
  }

  static void null(const Type& type, Vector& out, idx_t row) {
    FlatVector::SetNull(out, row, true);
    if (type.is(TypeKind::array) || type.is(TypeKind::map))
      ListVector::GetData(out)[row] = {ListVector::GetListSize(out), 0};
  }

 private:
  template <class T>
  static void whole(const JsonNode& node, const Type& type, Vector& out, idx_t row) {
    FlatVector::GetData<T>(out)[row] = static_cast<T>(
        whole_of(node, type, std::numeric_limits<T>::min(), std::numeric_limits<T>::max()));
  }
  static double real(const JsonNode& node, const Type& type) {
    if (node.is(NodeKind::boolean)) return node.truth ? 1 : 0;
    if (!node.is(NodeKind::number) && !node.is(NodeKind::string)) unexpected(node, type);
    return real_of(node.text, node, type);
  }
  void array(const JsonNode& node, const Type& type, Vector& out, idx_t row) {
    if (!node.is(NodeKind::array))
      throw Misfit{fmt::format("Expected a json array, but got {}", token(node))};
    idx_t from = ListVector::GetListSize(out), count = node.items.size();
    ListVector::Reserve(out, from + count);
    ListVector::SetListSize(out, from + count);
    ListVector::GetData(out)[row] = {from, count};
    for (idx_t i = 0; i < count; ++i)
      put(node.items[i], type.element(), ListVector::GetEntry(out), from + i);
  }
  void map(const JsonNode& node, const Type& type, Vector& out, idx_t row) {
    if (!node.is(NodeKind::object))
      throw Misfit{fmt::format("Expected a json object, but got {}", token(node))};
    idx_t from = ListVector::GetListSize(out), count = node.items.size();
    ListVector::Reserve(out, from + count);
    ListVector::SetListSize(out, from + count);
    ListVector::GetData(out)[row] = {from, count};
    auto& parts = StructVector::GetEntries(ListVector::GetEntry(out));
    std::set<std::string> seen;
    for (idx_t i = 0; i < count; ++i) {
      put(JsonNode::of_text(node.keys[i]), type.key(), *parts[0], from + i);
      // Different texts may be one key: "1" and "01".
      if (!seen.insert(parts[0]->GetValue(from + i).ToString()).second)
        throw Misfit{"Duplicate map keys are not allowed"};
      put(node.items[i], type.value(), *parts[1], from + i);
    }
  }
  void fields(const JsonNode& node, const Type& type, Vector& out, idx_t row) {
    auto& parts = StructVector::GetEntries(out);
    if (node.is(NodeKind::array)) {
      if (node.items.size() != type.fields.size())
        throw Misfit{fmt::format("Expected a json array with {} elements, but got {}",
                                 type.fields.size(), node.items.size())};
      for (size_t i = 0; i < type.fields.size(); ++i)
        put(node.items[i], type.fields[i].type, *parts[i], row);
      return;
    }
    if (!node.is(NodeKind::object))
      throw Misfit{fmt::format("Expected a json array or object, but got {}", token(node))};
    for (size_t i = 0; i < type.fields.size(); ++i) {
      const JsonNode* found = nullptr;
      for (size_t k = 0; k < node.keys.size() && type.fields[i].name; ++k) {
        bool same = std::ranges::equal(node.keys[k], *type.fields[i].name, [](char a, char b) {
          return std::tolower(static_cast<unsigned char>(a)) ==
                 std::tolower(static_cast<unsigned char>(b));
        });
        if (!same) continue;
        if (found) throw Misfit{"Duplicate field: " + *type.fields[i].name};
        found = &node.items[k];
      }
      if (found)
        put(*found, type.fields[i].type, *parts[i], row);
      else
        null(type.fields[i].type, *parts[i], row);
    }
  }
};

[[noreturn]] void raise_misfit(const Misfit& misfit, std::string_view text, const Type& type) {
  bool nested = type.is(TypeKind::array) || type.is(TypeKind::map) || type.is(TypeKind::row);
  if (nested)
    raise("INVALID_CAST_ARGUMENT",
          fmt::format("Cannot cast to {}. {}\n{}", type.display(), misfit.message, text));
  const char* name = misfit.range ? "NUMERIC_VALUE_OUT_OF_RANGE" : "INVALID_CAST_ARGUMENT";
  if (type.is(TypeKind::decimal) && misfit.range) raise(name, misfit.message);
  raise(name, fmt::format("Cannot cast '{}' to {}", text, type.display()));
}

void decode(duckdb::DataChunk& chunk, duckdb::ExpressionState& state, Vector& result) {
  const auto& bound =
      state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<DecodeBind>();
  NativeArguments args(chunk);
  Decoder decoder;
  bool constant = chunk.data[0].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  idx_t count = constant ? 1 : args.size();
  for (idx_t row = 0; row < count; ++row) {
    if (args.is_null(0, row)) {
      Decoder::null(bound.type, result, row);
      continue;
    }
    std::string_view text = args.text(0, row);
    std::string trailing;
    auto parsed = parse_json(text, false, &trailing);
    try {
      if (!parsed && !trailing.empty())
        throw Misfit{fmt::format("Unexpected trailing token: {}", trailing)};
      if (!parsed) throw Misfit{"Invalid JSON"};
      if (parsed->is(NodeKind::null) && !bound.type.is(TypeKind::json))
        Decoder::null(bound.type, result, row);
      else
        decoder.put(*parsed, bound.type, result, row);
    } catch (const Misfit& misfit) {
      raise_misfit(misfit, text, bound.type);
    }
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

duckdb::unique_ptr<duckdb::FunctionData> bind(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& arguments) {
  if (!arguments[1]->IsFoldable())
    throw duckdb::InvalidInputException("aichemy_json_decode needs a type");
  std::string name = duckdb::ExpressionExecutor::EvaluateScalar(context, *arguments[1]).ToString();
  auto type = parse_type(name);
  if (!type) throw duckdb::InvalidInputException("no type '%s'", name);
  function.return_type = duckdb_type(*type);
  return duckdb::make_uniq<DecodeBind>(std::move(*type));
}

}  // namespace

void register_json_decode(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction function("aichemy_json_decode",
                                  {duckdb::LogicalType::VARCHAR, duckdb::LogicalType::VARCHAR},
                                  duckdb::LogicalType::ANY, decode, bind);
  function.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
