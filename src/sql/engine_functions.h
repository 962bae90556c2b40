// What the engine must know besides DuckDB's own functions.
//
// 1. engine_prelude(): SQL macros (names trino_*), run once per database at start.
// 2. Native functions, worth having for speed or exactness; until they exist, the prelude has a macro of that name
//    where DuckDB can express it, and dropping the macro is how a native one takes over:
//      trino_double_to_varchar(DOUBLE) -> VARCHAR     1.0E10, 1.0E0, Infinity, NaN
//      trino_real_to_varchar(FLOAT) -> VARCHAR        the same for real
//      trino_divide_decimal(DECIMAL, DECIMAL, p, s)   Trino's decimal quotient, half up
// 3. An error raised in SQL: error('TRINO[<ERROR_NAME>] message'); engine_errors.h finds it in DuckDB's text.
#pragma once

#include <string_view>

namespace aichemy::sql {

std::string_view engine_prelude();

}  // namespace aichemy::sql
