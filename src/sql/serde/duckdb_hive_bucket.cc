// aichemy_hive_bucket(version, count, texts, column, ...): the bucket that Hive's hash of the
// columns gives a row. `texts`: a letter each varchar within the columns, b for varchar(n), s for
// others.
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include "sql/engine/duckdb_file_system.h"
#include "sql/hive/hive_hash.h"
#include "sql/serde/registration.h"

namespace aichemy::sql {
namespace {

using duckdb::FlatVector;
using duckdb::idx_t;
using duckdb::LogicalTypeId;

// How columns are hashed: `texts` is walked along with their types.
struct Hashing {
  int version;
  std::string_view texts;
  size_t at = 0;

  bool next_is_bounded() { return at < texts.size() && texts[at++] == 'b'; }
};

size_t texts_in(const duckdb::LogicalType& type) {
  switch (type.id()) {
    case LogicalTypeId::VARCHAR: return 1;
    case LogicalTypeId::LIST: return texts_in(duckdb::ListType::GetChildType(type));
    case LogicalTypeId::MAP:
      return texts_in(duckdb::MapType::KeyType(type)) + texts_in(duckdb::MapType::ValueType(type));
    default: return 0;
  }
}

int32_t hash_value(const duckdb::Value& value, Hashing hashing);

int32_t hash_nested(const duckdb::Value& value, Hashing hashing) {
  int32_t hash = 0;
  if (value.type().id() == LogicalTypeId::LIST) {
    for (const auto& item : duckdb::ListValue::GetChildren(value))
      hash = hive_hash_next(hash, hash_value(item, hashing));
    return hash;
  }
  Hashing of_values = hashing;
  of_values.at += texts_in(duckdb::MapType::KeyType(value.type()));
  of_values.version = 1;
  for (const auto& entry : duckdb::MapValue::GetChildren(value)) {
    const auto& pair = duckdb::StructValue::GetChildren(entry);
    hash = hive_hash_entry(hash, hash_value(pair[0], hashing), hash_value(pair[1], of_values));
  }
  return hash;
}

int32_t hash_value(const duckdb::Value& value, Hashing hashing) {
  if (value.IsNull()) return 0;
  int version = hashing.version;
  switch (value.type().id()) {
    case LogicalTypeId::BOOLEAN: return hive_hash_integer(version, value.GetValue<bool>(), 1);
    case LogicalTypeId::TINYINT: return hive_hash_integer(version, value.GetValue<int8_t>(), 1);
    case LogicalTypeId::SMALLINT: return hive_hash_integer(version, value.GetValue<int16_t>(), 2);
    case LogicalTypeId::INTEGER: return hive_hash_integer(version, value.GetValue<int32_t>(), 4);
    case LogicalTypeId::DATE:
      return hive_hash_integer(version, value.GetValueUnsafe<duckdb::date_t>().days, 4);
    case LogicalTypeId::BIGINT: return hive_hash_integer(version, value.GetValue<int64_t>(), 8);
    case LogicalTypeId::FLOAT: return hive_hash_float(version, value.GetValue<float>());
    case LogicalTypeId::DOUBLE: return hive_hash_double(version, value.GetValue<double>());
    case LogicalTypeId::VARCHAR:
      return hive_hash_text(version, duckdb::StringValue::Get(value), hashing.next_is_bounded());
    case LogicalTypeId::LIST:
    case LogicalTypeId::MAP: return hash_nested(value, hashing);
    default:
      throw_error({Code::unsupported, "NOT_SUPPORTED",
                   "Computation of Hive bucket hashCode is not supported for type " +
                       value.type().ToString()});
  }
}

// The columns that are most often hashed, without a value of their own each row.
int32_t hash_row(duckdb::Vector& column, idx_t row, const Hashing& hashing) {
  if (FlatVector::IsNull(column, row)) return 0;
  switch (column.GetType().id()) {
    case LogicalTypeId::BIGINT:
      return hive_hash_integer(hashing.version, FlatVector::GetData<int64_t>(column)[row], 8);
    case LogicalTypeId::INTEGER:
      return hive_hash_integer(hashing.version, FlatVector::GetData<int32_t>(column)[row], 4);
    case LogicalTypeId::VARCHAR: {
      const auto& text = FlatVector::GetData<duckdb::string_t>(column)[row];
      Hashing of_text = hashing;
      return hive_hash_text(hashing.version, {text.GetData(), text.GetSize()},
                            of_text.next_is_bounded());
    }
    default: return hash_value(column.GetValue(row), hashing);
  }
}

void run(duckdb::DataChunk& input, duckdb::ExpressionState&, duckdb::Vector& result) {
  if (input.size() == 0) return;
  constexpr idx_t kFirst = 3;
  int version = input.data[0].GetValue(0).GetValue<int32_t>();
  int count = input.data[1].GetValue(0).GetValue<int32_t>();
  std::string texts = input.data[2].GetValue(0).ToString();
  for (idx_t i = kFirst; i < input.ColumnCount(); ++i) input.data[i].Flatten(input.size());
  result.SetVectorType(duckdb::VectorType::FLAT_VECTOR);
  auto* buckets = FlatVector::GetData<int32_t>(result);
  for (idx_t row = 0; row < input.size(); ++row) {
    int32_t hash = 0;
    Hashing hashing{version, texts};
    for (idx_t i = kFirst; i < input.ColumnCount(); ++i) {
      hash = hive_hash_next(hash, hash_row(input.data[i], row, hashing));
      hashing.at += texts_in(input.data[i].GetType());
    }
    buckets[row] = hive_bucket(hash, count);
  }
}

}  // namespace

void register_hive_bucket(duckdb::DatabaseInstance& database) {
  using duckdb::LogicalType;
  duckdb::ScalarFunction function(
      "aichemy_hive_bucket", {LogicalType::INTEGER, LogicalType::INTEGER, LogicalType::VARCHAR},
      LogicalType::INTEGER, run);
  function.varargs = LogicalType::ANY;
  function.null_handling = duckdb::FunctionNullHandling::SPECIAL_HANDLING;
  duckdb::ExtensionLoader loader(database, "aichemy");
  loader.RegisterFunction(function);
}

}  // namespace aichemy::sql
