// Brings a store's schema up to this program, whatever database it is.
#pragma once

#include <functional>
#include <string>

#include "metadb/metadb.h"

namespace aichemy::metadb {

// A connection that migrations run on.
struct MigrationTarget {
  // Several statements at once, without parameters.
  std::function<Status(const std::string& sql)> execute;
  // Runs fn in a write transaction.
  std::function<Status(const std::function<Status(Transaction&)>& fn)> transaction;
};

// Applies the missing migrations in order; unsupported ("metadb_newer") when the store has one that
// this program does not know.
Status migrate(const MigrationTarget& target);

}  // namespace aichemy::metadb
