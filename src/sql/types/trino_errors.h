// Trino's errors by name: code and type as clients see them.
#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "base/result.h"

namespace aichemy::sql {

struct TrinoError {
  const char* name;
  int32_t code;
  const char* type;  // USER_ERROR, INTERNAL_ERROR, INSUFFICIENT_RESOURCES, EXTERNAL
};

// nullptr when there is no such name.
const TrinoError* find_trino_error(std::string_view name);

// From the "line L:C: " a message may start with.
struct ErrorLocation {
  int line, column;
};
std::optional<ErrorLocation> error_location(std::string_view message);

}  // namespace aichemy::sql
