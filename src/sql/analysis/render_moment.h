// Dates, times and timestamps in the engine's SQL: names of the native functions for a type's
// physical form (decision 0070), literals, and what files hold. Internal to the renderer.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "sql/types/type.h"

namespace aichemy::sql {

struct RenderOptions;
struct Bound;
struct Plan;

bool is_moment(const Type& type);
// date time6 time12 timetz ts6 ts12 tz6 tz12.
std::string_view form_name(const Type& type);
// The text of a literal, which is its moment_code.
std::string render_moment(const Type& type, std::string_view code);
// The same as TIMESTAMPTZ, which the engine compares and prunes by; timestamp(p <= 6) with zone.
std::string render_instant_literal(std::string_view code);

std::string render_moment_cast(const std::string& value, const Type& from, const Type& to,
                               const RenderOptions& options);
std::string render_moment_parse(const std::string& text, const Type& to,
                                const RenderOptions& options);
std::string render_moment_text(const std::string& value, const Type& from);

// Whether the files' form of a type differs from the engine's anywhere inside.
bool is_stored_otherwise(const Type& type);
std::string render_from_stored(const std::string& value, const Type& type, int depth = 0);
std::string render_to_stored(const std::string& value, const Type& type, int depth = 0);

// Words of templates: {f1} the form of argument 1, {fr} of the result, {p1} and {pr} their
// precisions, {sr} its scale, {typer} its physical type; {zone} {now} {language} of the session.
std::optional<std::string> render_word(const std::string& name, const Bound& call,
                                       const RenderOptions& options);
// Comparisons of timestamps with time zone are those of their instants, in the form that scans
// prune by.
bool compares_instants(const Bound& call);
// A FROM item of constant cells: texts, read as their columns' types.
std::string render_rows(const Plan& plan);

}  // namespace aichemy::sql
