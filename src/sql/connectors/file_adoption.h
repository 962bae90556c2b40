// What taking over files that others wrote (add_files, migrate) needs from outside the Iceberg
// connector: the Hive table they belong to, and what their footers say.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/random.h"
#include "base/result.h"
#include "runtime/call.h"
#include "sql/connectors/connector.h"
#include "tables/value.h"

namespace aichemy::sql {

// A column of a Parquet file, or a level of one.
struct ParquetField {
  std::string name;
  std::string type;       // the engine's ("DECIMAL(10,2)"); "" with fields
  std::string converted;  // "LIST", "MAP", ""
  std::optional<int> field_id;
  std::vector<ParquetField> fields;
  size_t leaf = 0;  // without fields: index in ParquetFooter::leaves
};

struct ParquetLeaf {
  uint64_t bytes = 0;
  uint64_t values = 0;
  std::optional<uint64_t> nulls;
  // Smallest and largest of each row group, as the engine prints them; none: not known.
  std::vector<std::pair<std::optional<std::string>, std::optional<std::string>>> bounds;
};

struct ParquetFooter {
  uint64_t rows = 0;
  std::vector<ParquetField> fields;
  std::vector<ParquetLeaf> leaves;
  std::vector<int64_t> split_offsets;  // where row groups begin
};

// A relation of the Metastore that is no Iceberg table yet, or why it is none to take over.
struct ForeignTable {
  enum class Kind : uint8_t { hive, iceberg, delta, hudi } kind = Kind::hive;
  std::string table_type;  // "MANAGED_TABLE"
  bool transactional = false;
  struct Folder {  // of the whole table, or of a partition
    std::string location;
    std::string format;                 // "PARQUET"
    std::string partition;              // "ds=2024-01-01"
    std::vector<tables::Value> values;  // one a key
  };
  std::string location, comment;
  std::vector<ColumnInfo> columns;  // the keys come last
  size_t keys = 0;
  std::vector<Folder> folders;
  std::map<std::string, std::string> parameters;
};

struct FileAdoption {
  Random* random = nullptr;
  // not_found ("table_not_found").
  std::function<Result<ForeignTable>(const Call&, const TableName&)> foreign_table;
  // The Metastore's table becomes the Iceberg table of this metadata.
  std::function<Status(const Call&, const TableName&, const std::string& metadata_location)>
      becomes_iceberg;
  // invalid ("not_parquet") of a file that is none.
  std::function<Result<ParquetFooter>(const Call&, const std::string& location)> footer;
};

}  // namespace aichemy::sql
