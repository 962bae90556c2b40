#include "sql/engine/duckdb_functions.h"

#include <duckdb/common/exception.hpp>
#include <duckdb/common/types/uuid.hpp>
#include <duckdb/common/vector_operations/binary_executor.hpp>
#include <duckdb/function/scalar_function.hpp>
#include <duckdb/main/extension/extension_loader.hpp>

#include "base/bytes.h"
#include "tables/transform.h"

namespace aichemy::sql {
namespace {

using duckdb::LogicalType;

// Iceberg's bucket number of a hash: positive whatever the hash's sign.
int32_t bucket_of(uint32_t hash, int32_t count) {
  return count > 0 ? static_cast<int32_t>(hash & 0x7FFFFFFFu) % count : 0;
}

int32_t bucket_of_long(int64_t value, int32_t count) {
  char raw[8];
  store_little(raw, value);
  return bucket_of(tables::murmur3({raw, 8}), count);
}

template <class T>
int64_t whole(T value) {
  if constexpr (std::is_integral_v<T>) return value;
  if constexpr (std::is_same_v<T, duckdb::date_t>) return value.days;
  if constexpr (std::is_same_v<T, duckdb::dtime_t>) return value.micros;
  if constexpr (std::is_same_v<T, duckdb::timestamp_t> || std::is_same_v<T, duckdb::timestamp_tz_t>)
    return value.value;
}

template <class T>
void bucket_whole(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<T, int32_t, int32_t>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [](T value, int32_t count) { return bucket_of_long(whole(value), count); });
}

void bucket_bytes(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<duckdb::string_t, int32_t, int32_t>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [](duckdb::string_t value, int32_t count) {
        return bucket_of(tables::murmur3({value.GetData(), value.GetSize()}), count);
      });
}

void bucket_uuid(duckdb::DataChunk& arguments, duckdb::ExpressionState&, duckdb::Vector& result) {
  duckdb::BinaryExecutor::Execute<duckdb::hugeint_t, int32_t, int32_t>(
      arguments.data[0], arguments.data[1], result, arguments.size(),
      [](duckdb::hugeint_t value, int32_t count) {
        char raw[16];
        store_big(raw, static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63));
        store_big(raw + 8, value.lower);
        return bucket_of(tables::murmur3({raw, 16}), count);
      });
}

}  // namespace

void register_native_functions(duckdb::DatabaseInstance& database) {
  duckdb::ExtensionLoader loader(database, "aichemy");
  duckdb::ScalarFunctionSet bucket("aichemy_bucket");
  auto add = [&](const LogicalType& type, duckdb::scalar_function_t function) {
    bucket.AddFunction(duckdb::ScalarFunction({type, LogicalType::INTEGER}, LogicalType::INTEGER,
                                              std::move(function)));
  };
  add(LogicalType::INTEGER, bucket_whole<int32_t>);
  add(LogicalType::BIGINT, bucket_whole<int64_t>);
  add(LogicalType::DATE, bucket_whole<duckdb::date_t>);
  add(LogicalType::TIME, bucket_whole<duckdb::dtime_t>);
  add(LogicalType::TIMESTAMP, bucket_whole<duckdb::timestamp_t>);
  add(LogicalType::TIMESTAMP_TZ, bucket_whole<duckdb::timestamp_tz_t>);
  add(LogicalType::VARCHAR, bucket_bytes);
  add(LogicalType::BLOB, bucket_bytes);
  add(LogicalType::UUID, bucket_uuid);
  loader.RegisterFunction(bucket);
}

}  // namespace aichemy::sql
