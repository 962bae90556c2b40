// Scans of table files that the engine can run. A connector plans one (tables::ScanPlan), adds it
// here, and gets a handle; the renderer writes lake_scan('<handle>'); the engine's reader
// (duckdb_scan.cc) looks it up. Thread safe.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"
#include "sql/types/type.h"
#include "tables/scan_plan.h"

namespace aichemy::sql {

// Where the values of a column come from: the data files by field id, or one constant a file.
enum class LakeColumnSource : uint8_t { data, path, partition, file_size, modified };

struct LakeColumn {
  Type type;
  FieldId field_id;  // data: ids in the shape of the type
  LakeColumnSource source = LakeColumnSource::data;
};

// The relation's columns are c0, c1, ... in this order.
struct LakeScan {
  tables::ScanPlan plan;
  std::vector<LakeColumn> columns;
};

class LakeScans {
 public:
  // The scan stays registered until `keep` and every running statement let go of it.
  EngineScan add(std::shared_ptr<const LakeScan> scan);
  std::shared_ptr<const LakeScan> find(const std::string& handle) const;

 private:
  struct Registry {
    std::mutex mutex;
    uint64_t next = 1;
    std::map<std::string, std::weak_ptr<const LakeScan>> by_handle;
  };
  std::shared_ptr<Registry> registry_ = std::make_shared<Registry>();
};

}  // namespace aichemy::sql
