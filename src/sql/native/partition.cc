// Over the bytes of Iceberg's values: its bucket transform, for writes into partitioned tables, and
// the hashes of distinct values that ANALYZE keeps.
#include <bit>
#include <duckdb/common/types/uuid.hpp>
#include <duckdb/common/vector_operations/binary_executor.hpp>

#include "base/bytes.h"
#include "sql/native/functions.h"
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

// Hashes as Apache DataSketches' theta sketches have them (MurmurHash3 x64 128, seed 9001, the
// first 64 bits halved), over the bytes of Iceberg's single-value form: distinct counts that
// ANALYZE keeps can then be merged with those of other engines.
constexpr uint64_t kSeed = 9001;
constexpr uint64_t kC1 = 0x87c37b91114253d5ull, kC2 = 0x4cf5ad432745937full;

uint64_t mixed(uint64_t k) {
  k ^= k >> 33;
  k *= 0xff51afd7ed558ccdull;
  k ^= k >> 33;
  k *= 0xc4ceb9fe1a85ec53ull;
  return k ^ (k >> 33);
}

uint64_t murmur3_128_first(std::string_view bytes) {
  uint64_t h1 = kSeed, h2 = kSeed;
  size_t blocks = bytes.size() / 16;
  for (size_t i = 0; i < blocks; ++i) {
    auto k1 = load_little<uint64_t>(bytes.data() + i * 16);
    auto k2 = load_little<uint64_t>(bytes.data() + i * 16 + 8);
    h1 ^= std::rotl(k1 * kC1, 31) * kC2;
    h1 = (std::rotl(h1, 27) + h2) * 5 + 0x52dce729;
    h2 ^= std::rotl(k2 * kC2, 33) * kC1;
    h2 = (std::rotl(h2, 31) + h1) * 5 + 0x38495ab5;
  }
  char tail[16] = {};
  std::string_view rest = bytes.substr(blocks * 16);
  rest.copy(tail, rest.size());
  if (rest.size() > 8) h2 ^= std::rotl(load_little<uint64_t>(tail + 8) * kC2, 33) * kC1;
  if (!rest.empty()) h1 ^= std::rotl(load_little<uint64_t>(tail) * kC1, 31) * kC2;
  h1 ^= bytes.size();
  h2 ^= bytes.size();
  h1 += h2;
  h2 += h1;
  return mixed(h1) + mixed(h2);
}

// NULL for what a sketch does not take: nothing at all, and the hash 0.
template <class Bytes>
void hash_each(duckdb::DataChunk& chunk, duckdb::Vector& result, Bytes bytes_of) {
  NativeArguments arguments(chunk);
  arguments.each(result, [&](duckdb::idx_t row) {
    char room[16];
    std::string_view bytes = bytes_of(arguments, row, room);
    uint64_t hash = bytes.empty() ? 0 : murmur3_128_first(bytes) >> 1;
    if (hash == 0)
      duckdb::FlatVector::SetNull(result, row, true);
    else
      duckdb::FlatVector::GetData<int64_t>(result)[row] = static_cast<int64_t>(hash);
  });
}

template <class T>
void hash_number(duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
  hash_each(chunk, result, [](const NativeArguments& arguments, duckdb::idx_t row, char* room) {
    const T& value = arguments.value<T>(0, row);
    if constexpr (std::is_same_v<T, bool>) {
      room[0] = value ? 1 : 0;
      return std::string_view(room, 1);
    } else if constexpr (std::is_same_v<T, float>) {
      store_little(room, std::bit_cast<uint32_t>(value));
    } else if constexpr (std::is_same_v<T, double>) {
      store_little(room, std::bit_cast<uint64_t>(value));
    } else if constexpr (std::is_integral_v<T>) {
      store_little(room, value);
    } else if constexpr (std::is_same_v<T, duckdb::date_t>) {
      store_little(room, value.days);
    } else if constexpr (std::is_same_v<T, duckdb::dtime_t>) {
      store_little(room, value.micros);
    } else {
      store_little(room, value.value);
    }
    return std::string_view(room, sizeof(T));
  });
}

void hash_bytes(duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
  hash_each(chunk, result, [](const NativeArguments& arguments, duckdb::idx_t row, char*) {
    return arguments.text(0, row);
  });
}

void hash_uuid(duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
  hash_each(chunk, result, [](const NativeArguments& arguments, duckdb::idx_t row, char* room) {
    const auto& value = arguments.value<duckdb::hugeint_t>(0, row);
    store_big(room, static_cast<uint64_t>(value.upper) ^ (uint64_t{1} << 63));
    store_big(room + 8, value.lower);
    return std::string_view(room, 16);
  });
}

// A decimal's text: its unscaled value in as few bytes as hold it, the highest first.
void hash_decimal(duckdb::DataChunk& chunk, duckdb::ExpressionState&, duckdb::Vector& result) {
  hash_each(chunk, result, [](const NativeArguments& arguments, duckdb::idx_t row, char* room) {
    __int128 value = 0;
    std::string_view text = arguments.text(0, row);
    for (char c : text) {
      if (c >= '0' && c <= '9') value = value * 10 + (c - '0');
    }
    if (text.starts_with('-')) value = -value;
    auto bits = static_cast<unsigned __int128>(value);
    for (int i = 15; i >= 0; --i, bits >>= 8) room[i] = static_cast<char>(bits);
    size_t first = 0;
    char sign = value < 0 ? '\xff' : '\0';
    while (first < 15 && room[first] == sign && ((room[first + 1] ^ sign) & 0x80) == 0) ++first;
    return std::string_view(room + first, 16 - first);
  });
}

}  // namespace

std::vector<NativeFunction> native_partition_functions() {
  constexpr const char* kName = "aichemy_bucket";
  constexpr const char* kTheta = "aichemy_theta";
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
      {kTheta, "BOOLEAN -> BIGINT", hash_number<bool>},
      {kTheta, "INTEGER -> BIGINT", hash_number<int32_t>},
      {kTheta, "BIGINT -> BIGINT", hash_number<int64_t>},
      {kTheta, "FLOAT -> BIGINT", hash_number<float>},
      {kTheta, "DOUBLE -> BIGINT", hash_number<double>},
      {kTheta, "DATE -> BIGINT", hash_number<duckdb::date_t>},
      {kTheta, "TIME -> BIGINT", hash_number<duckdb::dtime_t>},
      {kTheta, "TIMESTAMP -> BIGINT", hash_number<duckdb::timestamp_t>},
      {kTheta, "TIMESTAMPTZ -> BIGINT", hash_number<duckdb::timestamp_tz_t>},
      {kTheta, "VARCHAR -> BIGINT", hash_bytes},
      {kTheta, "BLOB -> BIGINT", hash_bytes},
      {kTheta, "UUID -> BIGINT", hash_uuid},
      {"aichemy_theta_decimal", "VARCHAR -> BIGINT", hash_decimal},
  };
}

}  // namespace aichemy::sql
