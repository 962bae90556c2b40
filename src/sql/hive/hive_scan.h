// Scans of Hive tables for the engine. Parquet files alone are a LakeScan; files of lines are a
// HiveTextScan, ORC and Avro files a HiveFileScan; a HiveScan puts several together, or makes of
// what a file holds what its table declares (varchar(n) cut, timestamps rounded).
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "sql/connectors/lake_scan.h"
#include "sql/connectors/scan_registry.h"
#include "sql/hive/hive_serde.h"

namespace aichemy::sql {

struct HiveTextFile {
  tables::DataFile data;  // path, size, constants by field id, partition
  FileVersion version;
  size_t serde = 0;  // index in HiveTextScan::serdes
};

// Columns from data are cells by their place among such columns (text, CSV) or members of their
// name (JSON).
struct HiveTextScan {
  std::vector<LakeColumn> columns;  // c0, c1, ...
  std::vector<std::string> names;   // one a column
  std::vector<HiveSerde> serdes;
  std::vector<HiveTextFile> files;
};

class HiveTextScans : public ScanRegistry<HiveTextScan> {
 public:
  HiveTextScans() : ScanRegistry("hive_text_scan", "text-") {}
};

// Files of ORC and Avro: columns from data are found by name, without case. An ORC file whose
// columns all are named _col0, _col1, ... (old writers) has them by place.
struct HiveFileScan : HiveTextScan {
  std::vector<Conjunct> conjuncts;  // stripes that cannot match may be passed over
};

class HiveFileScans : public ScanRegistry<HiveFileScan> {
 public:
  HiveFileScans() : ScanRegistry("hive_file_scan", "file-") {}
};

struct HiveScan {
  std::vector<EngineScan> parts;  // all their rows, same columns
  std::vector<Type> types;        // of the columns
  std::vector<bool> declared;     // columns that are made to fit their type
};

class HiveScans : public ScanRegistry<HiveScan> {
 public:
  HiveScans() : ScanRegistry("hive_scan", "hive-") {}
};

}  // namespace aichemy::sql
