// Decimal arithmetic with Trino's result types: exact in 256 bits inside, rounded half up, one
// pass.
//
// aichemy_decimal_{add,subtract,multiply,divide,modulo}(a, b, type): a and b are decimals, `type`
// is a constant whose decimal type is the result's (10 digits or more; its value does not matter).
// Raises NUMERIC_VALUE_OUT_OF_RANGE when the result has more than 38 digits, DIVISION_BY_ZERO.
//
// Where the bounds of the columns (scan statistics) prove that no row overflows, loops without
// checks run.
//
// DuckDB's own operators multiply in 128 bits by four 32-bit products with a check after each, and
// need both sides cast to the wide type first: three times the time of TPC-H Q1.
#pragma once

#include <duckdb/main/extension/extension_loader.hpp>

namespace aichemy::sql {

void register_native_decimal(duckdb::ExtensionLoader& loader);

}  // namespace aichemy::sql
