#include "sql/native/variant.h"

#include <fmt/format.h>

#include <algorithm>
#include <duckdb/execution/expression_executor.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <duckdb/planner/expression/bound_function_expression.hpp>

#include "sql/native/variant_read.h"
#include "sql/native/variant_write.h"

namespace aichemy::sql {
namespace {

using duckdb::DataChunk;
using duckdb::ExpressionState;
using duckdb::idx_t;
using duckdb::LogicalType;
using duckdb::Vector;
using Kind = VariantNode::Kind;

struct CastBind final : duckdb::FunctionData {
  Type type;
  explicit CastBind(Type t) : type(std::move(t)) {}
  duckdb::unique_ptr<FunctionData> Copy() const override {
    return duckdb::make_uniq<CastBind>(type);
  }
  bool Equals(const FunctionData& other) const override {
    return type == other.Cast<CastBind>().type;
  }
};

const Type& type_of(const ExpressionState& state) {
  return state.expr.Cast<duckdb::BoundFunctionExpression>().bind_info->Cast<CastBind>().type;
}

VariantNode decoded(std::string_view bytes) {
  auto value = decode_variant(bytes);
  if (!value) raise("INVALID_FUNCTION_ARGUMENT", value.error().message);
  return std::move(*value);
}

void write(DataChunk& chunk, ExpressionState& state, Vector& result) {
  bool constant = chunk.data[0].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  idx_t count = constant ? 1 : chunk.size();
  VariantSource source(chunk.data[0], count, type_of(state));
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t row = 0; row < count; ++row) {
    if (source.is_null(row)) {
      duckdb::FlatVector::SetNull(result, row, true);
      continue;
    }
    std::string bytes = encode_variant(source.at(row));
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddStringOrBlob(result, bytes.data(), bytes.size());
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

void read(DataChunk& chunk, ExpressionState& state, Vector& result) {
  const Type& type = type_of(state);
  NativeArguments arguments(chunk);
  bool constant = chunk.data[0].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
  idx_t count = constant ? 1 : arguments.size();
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  for (idx_t row = 0; row < count; ++row) {
    if (arguments.is_null(0, row))
      put_variant_null(type, result, row);
    else
      put_variant(decoded(arguments.text(0, row)), type, result, row);
  }
  if (constant) result.SetVectorType(duckdb::VectorType::CONSTANT_VECTOR);
}

duckdb::unique_ptr<CastBind> bound_type(
    duckdb::ClientContext& context, duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& given) {
  if (!given[1]->IsFoldable()) throw duckdb::InvalidInputException("casts of variants need a type");
  std::string name = duckdb::ExpressionExecutor::EvaluateScalar(context, *given[1]).ToString();
  auto type = parse_type(name);
  if (!type) throw duckdb::InvalidInputException("no type '%s'", name);
  return duckdb::make_uniq<CastBind>(std::move(*type));
}

LogicalType physical_of(const Type& type) {
  return duckdb::TransformStringToLogicalType(physical_type(type));
}

duckdb::unique_ptr<duckdb::FunctionData> bind_write(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& given) {
  auto bound = bound_type(context, given);
  function.arguments[0] = physical_of(bound->type);
  return bound;
}

duckdb::unique_ptr<duckdb::FunctionData> bind_read(
    duckdb::ClientContext& context, duckdb::ScalarFunction& function,
    duckdb::vector<duckdb::unique_ptr<duckdb::Expression>>& given) {
  auto bound = bound_type(context, given);
  function.return_type = physical_of(bound->type);
  return bound;
}

void json_text(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    std::string out;
    write_json(variant_to_json(decoded(arguments.text(0, row))), out);
    return out;
  });
}

// As Trino's messages call it: int32, string, object.
std::string shown_kind(const VariantNode& value) {
  if (value.is(Kind::array)) return "array";
  if (value.is(Kind::object)) return "object";
  std::string name = variant_primitive_name(value);
  for (char& c : name) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  return name;
}

void item(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_text(result, [&](idx_t row) {
    VariantNode value = decoded(arguments.text(0, row));
    if (!value.is(Kind::array)) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("VARIANT value is {}, not an array", shown_kind(value)));
    }
    auto index = arguments.value<int64_t>(1, row);
    auto length = static_cast<int64_t>(value.items.size());
    if (index == 0) raise("INVALID_FUNCTION_ARGUMENT", "VARIANT array indices start at 1");
    if (index < 0) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("VARIANT array subscript is negative: {}", index));
    }
    if (index > length) {
      raise(
          "INVALID_FUNCTION_ARGUMENT",
          fmt::format("VARIANT array subscript must be less than or equal to array length: {} > {}",
                      index, length));
    }
    return encode_variant(value.items[static_cast<size_t>(index - 1)]);
  });
}

void member(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](idx_t row) {
    VariantNode value = decoded(arguments.text(0, row));
    if (!value.is(Kind::object)) {
      raise("INVALID_FUNCTION_ARGUMENT",
            fmt::format("VARIANT value is {}, not an object", shown_kind(value)));
    }
    auto found = std::ranges::find(value.keys, arguments.text(1, row));
    if (found == value.keys.end()) return duckdb::FlatVector::SetNull(result, row, true);
    auto at = static_cast<size_t>(found - value.keys.begin());
    std::string bytes = encode_variant(value.items[at]);
    duckdb::FlatVector::GetData<duckdb::string_t>(result)[row] =
        duckdb::StringVector::AddStringOrBlob(result, bytes.data(), bytes.size());
  });
}

void is_null(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<bool>(
      result, [&](idx_t row) { return decoded(arguments.text(0, row)).is(Kind::null); });
}

void equal(DataChunk& chunk, ExpressionState&, Vector& result) {
  NativeArguments arguments(chunk);
  arguments.each_value<bool>(result, [&](idx_t row) {
    return variants_equal(decoded(arguments.text(0, row)), decoded(arguments.text(1, row)));
  });
}

}  // namespace

std::vector<NativeFunction> native_variant_functions() {
  return {
      {"aichemy_variant_json", "BLOB -> VARCHAR", json_text},
      {"aichemy_variant_item", "BLOB, BIGINT -> BLOB", item},
      {"aichemy_variant_member", "BLOB, VARCHAR -> BLOB", member},
      {"aichemy_variant_equal", "BLOB, BLOB -> BOOLEAN", equal},
      {"aichemy_variant_is_null", "BLOB -> BOOLEAN", is_null},
  };
}

void register_variant_casts(duckdb::DatabaseInstance& database) {
  duckdb::ScalarFunction from("aichemy_variant_of", {LogicalType::ANY, LogicalType::VARCHAR},
                              LogicalType::BLOB, write, bind_write);
  duckdb::ScalarFunction to("aichemy_variant_decode", {LogicalType::BLOB, LogicalType::VARCHAR},
                            LogicalType::ANY, read, bind_read);
  duckdb::ExtensionLoader loader(database, "aichemy");
  for (auto* function : {&from, &to}) {
    function->errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
    function->null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
    loader.RegisterFunction(*function);
  }
}

}  // namespace aichemy::sql
