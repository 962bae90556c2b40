// VARIANT in the engine (sql/types/variant.h): casts from and to every type that Trino casts, whole
// values at once, and what looks into a variant.
//
//   aichemy_variant_of(value, 'type')       the value, of that Trino type, as a variant
//   aichemy_variant_decode(variant, 'type') the variant as a value of that type
//   aichemy_variant_json(variant)           its JSON text, as clients see it
//   aichemy_variant_item(variant, index)    element of an array, from 1 on
//   aichemy_variant_member(variant, name)   member of an object, NULL when it has none
//   aichemy_variant_is_null(variant)
#pragma once

#include <duckdb/main/database.hpp>
#include <vector>

#include "sql/native/functions.h"

namespace aichemy::sql {

std::vector<NativeFunction> native_variant_functions();
// Those whose types depend on an argument.
void register_variant_casts(duckdb::DatabaseInstance& database);

}  // namespace aichemy::sql
