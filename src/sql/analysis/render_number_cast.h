// Casts among numbers, and of addresses and UUIDs, where DuckDB's own differ from Trino's. Internal
// to the renderer.
#pragma once

#include <optional>
#include <string>

#include "sql/types/type.h"

namespace aichemy::sql {

// None: no special form.
std::optional<std::string> render_number_cast(const std::string& value, const Type& from,
                                              const Type& to);

}  // namespace aichemy::sql
