// Evaluates SQL/JSON paths over JSON values.
#pragma once

#include <string>
#include <vector>

#include "base/result.h"
#include "sql/types/json_path.h"

namespace aichemy::sql {

using JsonSequence = std::vector<JsonNode>;

// `parameters`: an object of the PASSING values. invalid ("PATH_EVALUATION_ERROR").
Result<JsonSequence> evaluate_json_path(const JsonPath& path, const JsonNode& input,
                                        const JsonNode& parameters);

}  // namespace aichemy::sql
