// Columns that are one value a file: hidden ones and partition keys.
#pragma once

#include <duckdb/common/types/value.hpp>
#include <optional>

#include "sql/hive/hive_scan.h"

namespace aichemy::sql {

std::optional<duckdb::Value> file_constant(const LakeColumn& column, const HiveTextFile& file);

}  // namespace aichemy::sql
