// X-Trino-* headers: a session from a request, session changes into a response.
#pragma once

#include "base/result.h"
#include "serve/http/http.h"
#include "sql/analysis/session.h"

namespace aichemy::serve::trino {

// invalid ("header") with the text Trino answers with status 400.
Result<sql::Session> session_from(const http::Headers& headers);
void write_changes(const sql::SessionChanges& changes, http::Headers& headers);

}  // namespace aichemy::serve::trino
