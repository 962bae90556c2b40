// How files of Hive tables are written, told in an InsertTarget. The target of an Iceberg table has
// field ids and a codec; that of a Hive table has this in the codec's place, so that whoever passes
// targets on need not know of it.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "sql/connectors/connector.h"

namespace aichemy::sql {

struct HiveLayout {
  std::vector<size_t> keys;          // in InsertTarget::columns, the last ones: not in the files
  std::optional<std::string> serde;  // lines of text: of aichemy_hive_line(); none: Parquet
  std::string name_end;              // of the files: ".parquet"
  std::string codec = "snappy";      // of Parquet
};

// Then WrittenFile::partition has the keys' texts, and the rows are all told with the first file.
void set_hive_layout(InsertTarget& target, const HiveLayout& layout);
// None: the target is not of a Hive table.
std::optional<HiveLayout> hive_layout(const InsertTarget& target);

}  // namespace aichemy::sql
