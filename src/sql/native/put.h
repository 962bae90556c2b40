// Values into a flat vector of the engine. Private to the module.
#pragma once

#include <duckdb/common/types/hugeint.hpp>
#include <duckdb/common/types/vector.hpp>
#include <string_view>

namespace aichemy::sql {

inline void put_bytes(duckdb::Vector& result, duckdb::idx_t at, std::string_view bytes) {
  duckdb::FlatVector::GetData<duckdb::string_t>(result)[at] =
      duckdb::StringVector::AddStringOrBlob(result, bytes.data(), bytes.size());
}

// In the width that the vector's decimal type has.
inline void put_decimal(duckdb::hugeint_t value, duckdb::Vector& out, duckdb::idx_t row) {
  switch (out.GetType().InternalType()) {
    case duckdb::PhysicalType::INT16:
      duckdb::FlatVector::GetData<int16_t>(out)[row] = duckdb::Hugeint::Cast<int16_t>(value);
      return;
    case duckdb::PhysicalType::INT32:
      duckdb::FlatVector::GetData<int32_t>(out)[row] = duckdb::Hugeint::Cast<int32_t>(value);
      return;
    case duckdb::PhysicalType::INT64:
      duckdb::FlatVector::GetData<int64_t>(out)[row] = duckdb::Hugeint::Cast<int64_t>(value);
      return;
    default: duckdb::FlatVector::GetData<duckdb::hugeint_t>(out)[row] = value;
  }
}

}  // namespace aichemy::sql
