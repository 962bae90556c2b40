// From the platform's errors to S3's words (docs.aws.amazon.com, "Error responses").
#pragma once

#include <span>
#include <string_view>

#include "base/result.h"

namespace aichemy::serve::s3 {

struct ErrorRow {
  Code code;
  const char* what;  // "" is the row for everything else of this Code
  const char* s3_code;
  int status;
  const char* message;  // "" to send the error's own
};

std::span<const ErrorRow> error_table();
const ErrorRow& error_row(const Error& error);

}  // namespace aichemy::serve::s3
