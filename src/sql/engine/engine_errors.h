// DuckDB's run-time errors in Trino's words: Error{what = Trino's error name, message without
// engine jargon}.
#pragma once

#include "base/result.h"

namespace aichemy::sql {

// Errors that already carry a Trino name, and those of connectors, pass through trino_error().
Error engine_error_to_trino(const Error& error);
// A connector's or the platform's error ("table_exists", Code::exhausted, ...) as a Trino error.
Error to_trino_error(const Error& error);

}  // namespace aichemy::sql
