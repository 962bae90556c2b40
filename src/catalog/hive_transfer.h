// Between our catalog and a Hive Metastore's own database (PostgreSQL, schema 3.x and 4.x): import
// reads theirs into ours, export writes ours into theirs. What is the same on both sides is left
// alone, what differs is reported and overwritten only on request, what one side cannot hold is
// refused by name. One transaction: all of it, or nothing.
//
// Names, descriptions, partitions, column statistics and functions go over; data files stay where
// they are. Privileges, roles, constraints, transactions and notifications do not go.
#pragma once

#include <string>
#include <vector>

#include "catalog/hive_catalog.h"

namespace aichemy::catalog {

struct TransferOptions {
  std::vector<std::string> databases;  // all when empty
  bool replace = false;                // overwrite what differs
  bool dry_run = false;                // only say what would be done
};

struct TransferCount {
  int64_t added = 0, replaced = 0, same = 0;
};

struct TransferReport {
  TransferCount databases, tables, partitions, functions;
  std::vector<std::string> differences;  // not overwritten
  std::vector<std::string> refusals;
};

struct TransferStores {
  Catalog& catalog;
  HiveCatalog& hive;
  metadb::Database& ours;
  metadb::Database& theirs;
  Clock& clock;
  Random& random;
};

// invalid ("metastore_schema") when theirs is no Hive Metastore, unsupported for its other
// versions; not_found ("no_such_namespace") for a database that the source does not have.
Result<TransferReport> import_metastore(const TransferStores& stores,
                                        const TransferOptions& options);
Result<TransferReport> export_metastore(const TransferStores& stores,
                                        const TransferOptions& options);

}  // namespace aichemy::catalog
