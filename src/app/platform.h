// The whole platform in one process: owns every service, starts them in dependency order, stops
// them in reverse. One thread (main) starts and stops it.
#pragma once

#include <chrono>
#include <memory>
#include <string>

#include "app/config.h"
#include "app/data_directory.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/result.h"
#include "metadb/metadb.h"
#include "runtime/disk.h"

namespace aichemy::app {

struct PlatformOptions {
  Config config;
  DataDirectory data;
  Disk& disk;
  Clock& clock;
  Random& random;
  bool allow_default_passwords = false;
};

class Platform {
 public:
  static Result<std::unique_ptr<Platform>> start(PlatformOptions options);
  virtual ~Platform() = default;

  // The ready file: addresses and first credentials (architecture: contract). Not before start()
  // returned.
  virtual Json ready() = 0;
  virtual void stop(std::chrono::milliseconds drain) = 0;
};

// The store of names, where the configuration says.
Result<std::unique_ptr<metadb::Database>> open_metadata(const Config& config,
                                                        const DataDirectory& data);

}  // namespace aichemy::app
