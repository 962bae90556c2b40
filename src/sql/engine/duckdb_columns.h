// Which columns of a data file are which of a table's.
#pragma once

#include <cstdint>
#include <duckdb/common/multi_file/multi_file_data.hpp>
#include <string>
#include <vector>

#include "tables/scan_plan.h"

namespace aichemy::sql {

// The column mapper stops at the first local column without an identifier: give those ids nobody
// asks for.
inline constexpr int32_t kNoSuchFieldId = -1'000'000;

// What lake_scan is asked for: "scan-7:0,3" are columns 0 and 3 of the scan, "scan-7" all.
struct ScanArgument {
  std::string handle;
  std::vector<size_t> columns;
};
// invalid_argument, as of std::stoul: no numbers.
ScanArgument scan_argument(const std::string& text);

// Gives the columns of a file without field ids those of the name mapping; others get an id nobody
// asks for.
void identify_by_id(duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
                    const std::vector<tables::NameMapping>& mapping, int32_t& unused);

// Gives all columns of a file the ids of those columns of the mapping that have their names,
// without case. Elements, keys and values are found by where they are: writers name them as they
// like.
void identify_by_name(duckdb::vector<duckdb::MultiFileColumnDefinition>& columns,
                      const std::vector<tables::NameMapping>& mapping, int32_t& unused);

// Whether a file's values may stand where the column's are asked for, as Trino has it: numbers for
// wider ones, anything of the same sort; never text for a number.
bool file_type_fits(const duckdb::LogicalType& file, const duckdb::LogicalType& column);

}  // namespace aichemy::sql
