// What the server's listener and its connections share, whatever the stream under them.
#pragma once

#include <boost/beast/core/error.hpp>
#include <boost/beast/core/tcp_stream.hpp>
#include <stop_token>
#include <string>

#include "base/metrics.h"
#include "base/result.h"

namespace aichemy::serve::http {

// What the listener needs of a connection whatever its stream.
class AnyConnection {
 public:
  virtual ~AnyConnection() = default;
  virtual void close() = 0;
  bool idle = true;  // between requests
  std::stop_source cancel;
};

struct Instruments {
  Counter& requests;
  Counter& errors;
  Gauge& connections;
  Histogram& seconds;
};

inline Instruments make_instruments(Metrics& metrics, const std::string& server) {
  std::string label = "server=\"" + server + "\"";
  return {metrics.counter("aichemy_http_requests_total", "HTTP requests answered", label),
          metrics.counter("aichemy_http_errors_total", "Answers with status 500 and above", label),
          metrics.gauge("aichemy_http_connections", "Open HTTP connections", label),
          metrics.histogram("aichemy_http_request_seconds", "From request header to end of answer",
                            label)};
}

inline std::unexpected<Error> client_gone(const boost::beast::error_code& error) {
  if (error == boost::beast::error::timeout)
    return fail(Code::timeout, "stalled", "the client stopped reading or writing");
  return fail(Code::unavailable, "client_gone",
              "the client closed the connection: " + error.message());
}

}  // namespace aichemy::serve::http
