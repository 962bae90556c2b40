// The one table from errors to the Metastore's exceptions. Private to the module.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string_view>

#include "serve/hms/methods.h"

namespace aichemy::serve::hms {

struct ErrorRow {
  Code code;
  std::string_view what;  // "": any other
  std::array<std::optional<Thrown>, 3> thrown;
};
std::span<const ErrorRow> error_rows();

}  // namespace aichemy::serve::hms
