// Forms with lambdas that are no single template: reduce, zip_with, transform_keys, ... Internal.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "sql/analysis/plan.h"
#include "sql/analysis/renderer.h"

namespace aichemy::sql {

// What the renderer lends: its expressions, a lambda's body with its parameters written as given
// texts, and names that nothing else uses.
struct NestedForms {
  std::function<std::string(const Bound&)> expression;
  std::function<std::string(const Bound&, const std::vector<std::string>&)> body;
  std::function<std::string()> fresh;
  const RenderOptions* options = nullptr;
};

// The form of this name ("reduce", from the template "{reduce}") for a call.
std::string render_nested(const NestedForms& forms, const std::string& name, const Bound& call);

// UNNEST as a FROM item. `source`: what its arguments read beside outer columns, may be empty.
std::string render_unnest(const Plan& plan,
                          const std::function<std::string(const Bound&)>& expression,
                          const std::string& source);

}  // namespace aichemy::sql
