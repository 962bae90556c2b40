// Which handler answers: the first row that fits.
#pragma once

#include <span>

#include "serve/s3/exchange.h"

namespace aichemy::serve::s3 {

enum class Level : uint8_t { service, bucket, object };

struct Route {
  Level level;
  const char* method;
  const char* parameter;  // the query must have it; "" for none
  const char* header;     // the request must have it; "" for none
  Handler handler;
};

// Subresources that are not offered. A GET answers what a bucket without that configuration answers
// (`absent`), or NotImplemented when that is ""; everything else answers NotImplemented.
struct Subresource {
  Level level;
  const char* parameter;
  const char* absent;  // a `what` of the error table
};

std::span<const Route> routes();
std::span<const Subresource> subresources();
// The handler; or the error to answer.
Result<Handler> find_route(const Exchange& exchange);

}  // namespace aichemy::serve::s3
