// Literals, names, the macros of TRY. Internal to the renderer.
#pragma once

#include <optional>
#include <string>

#include "sql/analysis/plan.h"

namespace aichemy::sql {

std::string render_literal(const Bound& value);
// A constant compared with what has its type without being told: as plain text or digits. Nothing
// for others. Each cast is a look-up of its type, a binding and an evaluation of the engine's.
std::optional<std::string> render_operand(const Bound& call, const Bound& value);
// A whole number that is cast to another type which holds it, as one constant. Nothing for others.
std::optional<std::string> render_number_constant(const Bound& cast);
// Whether the engine gives an item of a select the form of its type without a cast.
bool has_form_of_type(const Bound& item);
// "c0, c1": the names of a plan's columns.
std::string column_names(size_t count);
// Inside TRY the macros that would raise give NULL instead: see sql/native/prelude.h.
std::string with_try_macros(const std::string& text);

}  // namespace aichemy::sql
