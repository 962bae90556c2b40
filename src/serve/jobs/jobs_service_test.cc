#include "serve/jobs/jobs_service.h"

#include <gtest/gtest.h>

namespace aichemy::serve::jobs {
namespace {

TEST(JobsService, EveryCodeHasAnHttpStatus) {
  for (int code = 0; code < kCodeCount; ++code) {
    int status = http_status(static_cast<Code>(code));
    EXPECT_GE(status, 400) << code_name(static_cast<Code>(code));
    EXPECT_LT(status, 600);
  }
}

}  // namespace
}  // namespace aichemy::serve::jobs
