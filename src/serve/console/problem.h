// Errors as problem documents (RFC 9457): one row a Code.
#pragma once

#include <string>

#include "base/json.h"
#include "base/result.h"

namespace aichemy::serve::console {

struct ProblemRow {
  Code code;
  int status;
  const char* title;
};
const ProblemRow& problem_row(Code code);
Json problem_document(const Error& error, const std::string& request);

}  // namespace aichemy::serve::console
