// Another program's PostgreSQL database behind the same face: no schema of ours, no migrations, no
// lock. Its names are found as the address says (search_path, usually public).
#pragma once

#include <memory>
#include <string>

#include "metadb/metadb.h"

namespace aichemy::metadb {

// One session for everything: a transaction waits for the one before. Errors as with ours.
Result<std::unique_ptr<Database>> open_foreign_postgresql(const std::string& uri);

}  // namespace aichemy::metadb
