// Scans of table files that the engine can run (tables::ScanPlan), read by duckdb_scan.cc.
#pragma once

#include <cstdint>
#include <vector>

#include "sql/connectors/connector.h"
#include "sql/connectors/scan_registry.h"
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

class LakeScans : public ScanRegistry<LakeScan> {
 public:
  LakeScans() : ScanRegistry("lake_scan", "scan-") {}
};

}  // namespace aichemy::sql
