// How files of Hive tables are written, told in an InsertTarget.
#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

namespace aichemy::sql {

struct HiveLayout {
  std::vector<size_t> keys;          // in InsertTarget::columns, the last ones: not in the files
  std::optional<std::string> serde;  // lines of text: of aichemy_hive_line(); none: Parquet
  std::string name_end;              // of the files: ".parquet"
  std::string codec = "snappy";      // of Parquet
};

}  // namespace aichemy::sql
