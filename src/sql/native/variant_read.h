// Variants as values of other types. Internal to the family.
#pragma once

#include <duckdb/common/types/vector.hpp>

#include "sql/types/type.h"
#include "sql/types/variant.h"

namespace aichemy::sql {

// Writes the value into the row of a flat vector of the type's physical form; the variant null
// becomes NULL. Raises what Trino raises where the value does not fit the type.
void put_variant(const VariantNode& value, const Type& type, duckdb::Vector& out,
                 duckdb::idx_t row);
void put_variant_null(const Type& type, duckdb::Vector& out, duckdb::idx_t row);

}  // namespace aichemy::sql
