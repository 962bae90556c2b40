// `aichemy metastore import|export`: between the catalog in a data directory and the database of a
// Hive Metastore (catalog/hive_transfer.h). Holds the directory meanwhile, so the platform on it
// must be stopped.
#pragma once

#include <string>
#include <vector>

#include "catalog/hive_transfer.h"

namespace aichemy::app {

struct MetastoreOptions {
  std::string data, config_file;
  std::vector<std::string> settings;  // key=value
  std::string uri;                    // postgresql://...
  bool is_export = false;
  catalog::TransferOptions transfer;
};

// The process' exit code: 0 also when differences were reported, 3 when something was refused.
int run_metastore(const MetastoreOptions& options);

}  // namespace aichemy::app
