// Files of Hive tables as they lie in folders.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <mutex>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "objectstore/object_store.h"
#include "runtime/call.h"
#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

// Inserts that put several files in place: a scan sees all of one or none. It passes over the files
// of those that were under way when it began, and of those that began since.
class PendingInserts {
 public:
  struct Mark {
    uint64_t begun = 0;
    std::set<std::string> open;
  };

  void begin(const std::string& id);
  void end(const std::string& id);
  Mark mark();                                     // before the first folder is looked into
  std::set<std::string> hidden(const Mark& mark);  // after the last one

 private:
  std::mutex mutex_;
  uint64_t begun_ = 0;
  std::map<std::string, uint64_t> open_;
  std::deque<std::pair<std::string, uint64_t>> ended_;  // the last ones
};
inline constexpr size_t kEndedInsertsMax = 10'000;

// Whether a file's name is of one of the inserts.
bool is_of(const std::set<std::string>& inserts, std::string_view path);

struct HiveFile {
  tables::DataFile data;
  FileVersion version;
  std::optional<int> bucket;  // when it was asked for
};

// The files directly in a folder, by name, but not those that are hidden (. or _ in front) or
// empty. Subfolders are not looked into, as Trino does not unless told to.
Result<std::vector<HiveFile>> list_files(const Call& call, objectstore::ObjectStore& store,
                                         const std::string& location);

// The names of the folders directly in a folder, hidden ones left out.
Result<std::vector<std::string>> list_folders(const Call& call, objectstore::ObjectStore& store,
                                              const std::string& location);

}  // namespace aichemy::sql
