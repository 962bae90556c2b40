// Scans of table files that the engine can run (tables::ScanPlan), read by duckdb_scan.cc.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "base/result.h"
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

// Of a file that may be replaced under its name (Hive).
struct FileVersion {
  std::string etag;
  int64_t modified_micros = 0;
};

// The relation's columns are c0, c1, ... in this order.
struct LakeScan {
  tables::ScanPlan plan;
  std::vector<LakeColumn> columns;
  // Columns are found by their names without case, through the plan's name_mapping, whatever ids a
  // file has; a file's types must fit the columns' (Hive).
  bool by_name = false;
  // One a file of the plan, ascending; none: every row that is not deleted. What the plan says of
  // deletes does not count then: these rows are known to be there.
  std::vector<std::vector<uint64_t>> rows;
  bool counts_known = true;           // false: the plan's record counts are guesses
  std::vector<FileVersion> versions;  // one a file of the plan; none: files never change
  // What this is a scan of, for whoever keeps rows of it: no two scans with the same `name` differ
  // in what a column number means or in what rows there are, but for files that a predicate leaves
  // out. None where that cannot be told, and for what is not a table's current state.
  struct State {
    std::string table;
    std::string name;
    bool whole = false;  // as far as is known no file is left out
    // The scan of all rows. As long as the connector lives.
    std::function<Result<std::shared_ptr<const LakeScan>>()> all;
  };
  std::optional<State> state;
};

class LakeScans : public ScanRegistry<LakeScan> {
 public:
  LakeScans() : ScanRegistry("lake_scan", "scan-") {}
};

}  // namespace aichemy::sql
