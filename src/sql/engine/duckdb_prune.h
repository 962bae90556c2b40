// Which files of a scan can hold rows that pass the engine's filters: those that planning did not
// know, such as what the other side of a join turned out to hold.
#pragma once

#include <duckdb/planner/table_filter.hpp>
#include <duckdb/storage/statistics/base_statistics.hpp>
#include <vector>

#include "sql/connectors/lake_scan.h"

namespace aichemy::sql {

// Indexes of the files to read. Filters are by position in `columns`, which are indexes in `of`,
// the relation's.
std::vector<size_t> files_that_may_pass(const LakeScan& scan, const std::vector<LakeColumn>& of,
                                        const std::vector<duckdb::column_t>& columns,
                                        const duckdb::TableFilterSet& filters);

// The smallest and the largest value that all files together may have in a column, nulls thought
// possible, for the engine's join order. nullptr: not known, or not worth finding out.
duckdb::unique_ptr<duckdb::BaseStatistics> range_statistics(const tables::ScanPlan& plan,
                                                            const LakeColumn& column);

}  // namespace aichemy::sql
