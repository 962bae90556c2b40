// The store of a unit test: SQLite in the test's folder or, where AICHEMY_TEST_POSTGRESQL holds a
// server's address, a schema of its own on that server, whose name the folder keeps. `./dev test`
// runs the tests of every module that keeps something here with both.
#pragma once

#include <unistd.h>

#include <atomic>
#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <memory>
#include <string>

#include "metadb/metadb.h"

namespace aichemy::metadb {

inline const char* test_server() { return std::getenv("AICHEMY_TEST_POSTGRESQL"); }

// Sessions of this program, among those of others on the same server.
inline std::string test_application() { return "aichemy-test-" + std::to_string(getpid()); }

inline Result<std::unique_ptr<Database>> open_test_database(const std::filesystem::path& folder) {
  const char* server = test_server();
  if (!server) return Database::open_sqlite({.path = (folder / "meta.db").string()});
  static std::atomic<int> made = 0;
  std::filesystem::path kept = folder / "schema";
  std::string schema;
  std::ifstream(kept) >> schema;
  if (schema.empty()) {
    auto now = std::chrono::steady_clock::now().time_since_epoch().count();
    schema = "test_" + std::to_string(now) + "_" + std::to_string(++made);
    std::ofstream(kept) << schema;
  }
  std::string uri = std::string(server) + "&application_name=" + test_application();
  return Database::open_postgresql({.uri = uri, .schema = schema, .wait_millis = 1000});
}

}  // namespace aichemy::metadb
