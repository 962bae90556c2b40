// What INSERT, UPDATE and MERGE may store in a column; implicit coercion is can_coerce of type.h.
#pragma once

#include "sql/types/type.h"

namespace aichemy::sql {

// May a value of `from` be stored in a column of `to`? Wider than can_coerce: whatever has a common
// type with the column is cast to it, as 1.0 to integer.
bool can_store(const Type& from, const Type& to);

}  // namespace aichemy::sql
