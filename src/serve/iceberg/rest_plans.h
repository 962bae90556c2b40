// Scans that were planned for clients and are fetched in pieces. In memory: after a restart, or
// when a plan is too old or too many came after it, its tasks are gone and the client plans anew.
//
// Limits: kLifetime since the plan was made; kFilesMax files over all plans, a plan counting for at
// least kFilesLeast of them; the oldest go first (the newest is kept whatever its size).
#pragma once

#include <chrono>
#include <cstddef>
#include <list>
#include <memory>
#include <mutex>
#include <string>

#include "base/clock.h"
#include "catalog/catalog.h"

namespace aichemy::serve::iceberg {

struct PlannedScan {
  std::string id;
  std::string principal;  // who asked, and only they may have it
  catalog::LoadedTable table;
  tables::ScanPlan plan;
  bool with_credentials = false;
};
using PlannedScanRef = std::shared_ptr<const PlannedScan>;

class Plans {
 public:
  static constexpr std::chrono::minutes kLifetime{10};
  static constexpr size_t kFilesMax = 500'000;
  static constexpr size_t kFilesLeast = 500;

  void keep(PlannedScanRef scan, SteadyTime now);
  // nullptr: there is none, or none of this principal and table.
  PlannedScanRef find(const std::string& id, const std::string& principal,
                      const catalog::TableName& table, SteadyTime now);
  void drop(const std::string& id);

 private:
  struct Kept {
    PlannedScanRef scan;
    SteadyTime until;
  };
  void drop_late(SteadyTime now);

  std::mutex mutex_;
  std::list<Kept> kept_;  // oldest first
  size_t files_ = 0;
};

// The predicate of a request's "filter", as files are chosen by: it may hold for more rows than the
// filter, never for fewer. Terms that are no plain columns choose nothing. invalid ("request") for
// unknown columns and types of expressions, literals that are none of the column's type, and more
// than 200 levels.
Result<tables::Predicate> predicate_from_json(const Json& json, const tables::Schema& schema,
                                              bool case_sensitive);

}  // namespace aichemy::serve::iceberg
