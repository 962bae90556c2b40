// How files of Hive tables are written, told in an InsertTarget.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace aichemy::sql {

// Columns by their index in InsertTarget::columns.
struct HiveSortColumn {
  size_t column = 0;
  bool descending = false;
};
// Rows go to the bucket that Hive's hash of the columns says; see sql/hive/hive_bucketing.h.
struct HiveBuckets {
  int version = 1;
  int count = 0;
  std::vector<size_t> columns;
  std::vector<HiveSortColumn> sorted_by;  // the rows of each file
};

struct HiveLayout {
  std::vector<size_t> keys;          // in InsertTarget::columns, the last ones: not in the files
  std::optional<std::string> serde;  // lines of text: of aichemy_hive_line()
  std::string format;                // of COPY: "parquet", "aichemy_orc", "aichemy_avro"
  std::string description;           // what such a format of ours takes: JSON; "" for parquet
  std::string name_end;              // of the files: ".parquet"
  std::string codec = "snappy";      // of Parquet
  std::optional<HiveBuckets> buckets;

  // Files lie in folders that name keys and bucket; the bucket's number is then the last text of
  // WrittenFile::partition.
  bool is_divided() const { return !keys.empty() || buckets; }
};

}  // namespace aichemy::sql
