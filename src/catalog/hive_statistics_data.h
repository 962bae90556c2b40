// Column statistics between Thrift's union and the columns of TAB_COL_STATS and PART_COL_STATS.
// Private to the module.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::catalog {

// The columns, whichever kind it is.
struct StatisticsColumns {
  std::optional<int64_t> long_low, long_high;
  std::optional<double> double_low, double_high;
  std::optional<std::string> decimal_low, decimal_high;
  int64_t nulls = 0;
  std::optional<int64_t> distincts;
  std::optional<std::string> bit_vector;
  std::optional<double> average_length;
  std::optional<int64_t> length_max, trues, falses;
};

// `type` is a Hive type; timestamps are numbers before schema 4. unsupported for types that have no
// statistics.
Result<std::string> statistics_data(const StatisticsColumns& columns, std::string_view type,
                                    bool is_four);
Result<StatisticsColumns> statistics_columns(const std::string& data);

}  // namespace aichemy::catalog
