// Who speaks on a loopback port: a program on this machine, or a web page that a browser on this
// machine shows. Pages say where they come from (Origin), or reach us under a host name that is not
// this machine's (DNS rebinding). Fronts that ask local programs for no password refuse pages.
#pragma once

#include "serve/http/http.h"

namespace aichemy::serve::http {

bool is_local_program(const Request& request);

}  // namespace aichemy::serve::http
