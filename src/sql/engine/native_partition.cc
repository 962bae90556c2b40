// Iceberg's bucket transform, for writes into partitioned tables.
#include <duckdb/common/types/uuid.hpp>
#include <duckdb/common/vector_operations/binary_executor.hpp>

#include "base/bytes.h"
#include "sql/engine/native_functions.h"
#include "tables/transform.h"

namespace aichemy::sql {
namespace {

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

std::vector<NativeFunction> native_partition_functions() {
  constexpr const char* kName = "aichemy_bucket";
  return {
      {kName, "INTEGER, INTEGER -> INTEGER", bucket_whole<int32_t>},
      {kName, "BIGINT, INTEGER -> INTEGER", bucket_whole<int64_t>},
      {kName, "DATE, INTEGER -> INTEGER", bucket_whole<duckdb::date_t>},
      {kName, "TIME, INTEGER -> INTEGER", bucket_whole<duckdb::dtime_t>},
      {kName, "TIMESTAMP, INTEGER -> INTEGER", bucket_whole<duckdb::timestamp_t>},
      {kName, "TIMESTAMPTZ, INTEGER -> INTEGER", bucket_whole<duckdb::timestamp_tz_t>},
      {kName, "VARCHAR, INTEGER -> INTEGER", bucket_bytes},
      {kName, "BLOB, INTEGER -> INTEGER", bucket_bytes},
      {kName, "UUID, INTEGER -> INTEGER", bucket_uuid},
  };
}

}  // namespace aichemy::sql
