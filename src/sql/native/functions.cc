#include "sql/native/functions.h"

#include <duckdb/common/exception.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>
#include <map>

#include "sql/native/aggregate.h"
#include "sql/native/decimal.h"
#include "sql/native/hash.h"
#include "sql/native/same.h"
#include "sql/native/variant.h"

namespace aichemy::sql {
namespace {

using Family = std::vector<NativeFunction> (*)();

constexpr Family kFamilies[] = {
    native_partition_functions,   native_json_functions,       native_regexp_functions,
    native_text_functions,        native_bytes_functions,      native_format_functions,
    native_math_functions,        native_number_functions,     native_time_functions,
    native_time_format_functions, native_statistics_functions, native_hash_functions,
    native_sketch_functions,      native_digest_functions,     native_color_functions,
    native_variant_functions,     native_url_functions,
};

duckdb::LogicalType type_of(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return duckdb::TransformStringToLogicalType(std::string(text));
}

duckdb::ScalarFunction made_of(const NativeFunction& row) {
  std::string_view text = row.signature;
  size_t arrow = text.rfind("->");
  std::string_view parameters = text.substr(0, arrow);
  duckdb::vector<duckdb::LogicalType> arguments;
  duckdb::LogicalType repeated = duckdb::LogicalType::INVALID;
  int depth = 0;
  size_t begin = 0;
  for (size_t i = 0; i <= parameters.size(); ++i) {
    char c = i < parameters.size() ? parameters[i] : ',';
    if (c == '(') ++depth;
    if (c == ')') --depth;
    if (c != ',' || depth > 0) continue;
    std::string_view one = parameters.substr(begin, i - begin);
    begin = i + 1;
    if (one.find_first_not_of(' ') == std::string_view::npos) continue;
    size_t dots = one.find("...");
    if (dots == std::string_view::npos) {
      arguments.push_back(type_of(one));
    } else {
      repeated = type_of(one.substr(0, dots));
    }
  }
  duckdb::ScalarFunction made(row.name, std::move(arguments), type_of(text.substr(arrow + 2)),
                              row.function);
  made.varargs = repeated;
  made.errors = duckdb::FunctionErrors::CAN_THROW_RUNTIME_ERROR;
  if (row.sees_nulls) made.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  return made;
}

}  // namespace

void register_native_rows(duckdb::DatabaseInstance& database,
                          const std::vector<NativeFunction>& rows) {
  std::map<std::string, duckdb::ScalarFunctionSet> sets;
  for (const auto& row : rows)
    sets.try_emplace(row.name, row.name).first->second.AddFunction(made_of(row));
  duckdb::ExtensionLoader loader(database, "aichemy");
  for (auto& [name, set] : sets) loader.RegisterFunction(set);
}

void register_native_functions(duckdb::DatabaseInstance& database) {
  std::vector<NativeFunction> rows;
  for (Family family : kFamilies) {
    for (auto& row : family()) rows.push_back(std::move(row));
  }
  register_native_rows(database, rows);
  register_variant_casts(database);
  register_same(database);
  register_pairs(database);
  duckdb::ExtensionLoader loader(database, "aichemy");
  register_native_decimal(loader);  // typed by their arguments, which no signature can say
}

void raise(std::string_view name, const std::string& message) {
  throw duckdb::InvalidInputException("TRINO[" + std::string(name) + "] " + message);
}

NativeArguments::NativeArguments(duckdb::DataChunk& chunk)
    : formats_(chunk.ColumnCount()), count_(chunk.size()) {
  for (size_t i = 0; i < formats_.size(); ++i) {
    constant_ = constant_ && chunk.data[i].GetVectorType() == duckdb::VectorType::CONSTANT_VECTOR;
    chunk.data[i].ToUnifiedFormat(count_, formats_[i]);
  }
}

}  // namespace aichemy::sql
