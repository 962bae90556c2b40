// Casts between physical forms with Trino's meaning. Internal to the renderer.
#pragma once

#include <string>

#include "sql/types/type.h"

namespace aichemy::sql {

struct RenderOptions;

// `value` is SQL of type `from`; `lambda` makes fresh lambda parameter names.
std::string render_cast(const std::string& value, const Type& from, const Type& to,
                        const RenderOptions& options, int depth = 0);

}  // namespace aichemy::sql
