// What the engine must know besides DuckDB's own functions.
//
// 1. engine_prelude(): SQL macros (names trino_*), run once per database at start. Each has a twin
// trino_try_* in
//    which raising an error gives NULL: DuckDB's TRY refuses expressions that may call error(), and
//    what TRY would answer is NULL anyway. The renderer picks the twins inside TRY and TRY_CAST.
// 2. Native functions worth having for speed: until they exist the prelude has a macro of that
// name; a native one
//    takes over when its macro is dropped from the table:
//      trino_double_to_varchar(DOUBLE) -> VARCHAR     1.0E10, 1.0E0, Infinity, NaN
//      trino_real_to_varchar(FLOAT) -> VARCHAR        the same for real
// 3. An error raised in SQL: error('TRINO[<ERROR_NAME>] message'); engine_errors.h finds it in
// DuckDB's text.
#pragma once

#include <string>
#include <string_view>

namespace aichemy::sql {

// Statements separated by ";\n".
const std::string& engine_prelude();

}  // namespace aichemy::sql
