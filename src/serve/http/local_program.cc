#include "serve/http/local_program.h"

namespace aichemy::serve::http {

bool is_local_program(const Request& request) {
  std::string_view host = request.headers.get("Host");
  bool local_host =
      host.starts_with("127.") || host.starts_with("localhost") || host.starts_with("[::1]");
  return request.peer_is_loopback && local_host && !request.headers.has("Origin");
}

}  // namespace aichemy::serve::http
