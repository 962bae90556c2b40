// Literals, names, the macros of TRY. Internal to the renderer.
#pragma once

#include <string>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

std::string render_literal(const Bound& value);
// "c0, c1": the names of a plan's columns.
std::string column_names(size_t count);
// Inside TRY the macros that would raise give NULL instead: see sql/native/prelude.h.
std::string with_try_macros(const std::string& text);

}  // namespace aichemy::sql
