// Call travels by value with every request through all layers: who asks, until when, under which
// id, and how to stop. Blocking code checks `interrupted()` where it loops or waits.
#pragma once

#include <optional>
#include <stop_token>
#include <string>

#include "base/clock.h"
#include "base/result.h"

namespace aichemy {

struct Call {
  std::string principal;               // authenticated user name; empty: the platform itself
  std::optional<SteadyTime> deadline;  // none: no limit
  std::string trace;                   // request id, returned to the client and written to the log
  std::stop_token cancel;

  // cancelled or timeout once the caller is gone or the deadline has passed.
  Status interrupted(Clock& clock) const {
    if (cancel.stop_requested())
      return fail(Code::cancelled, "cancelled", "the request was cancelled");
    if (deadline && clock.steady_now() >= *deadline) {
      return fail(Code::timeout, "deadline", "the request ran out of time");
    }
    return {};
  }
};

}  // namespace aichemy
