#include "sql/engine/duckdb_prune.h"

#include <algorithm>
#include <duckdb/storage/statistics/base_statistics.hpp>
#include <duckdb/storage/statistics/numeric_stats.hpp>
#include <duckdb/storage/statistics/string_stats.hpp>
#include <optional>

#include "sql/engine/duckdb_value.h"
#include "sql/native/duckdb_type.h"

namespace aichemy::sql {
namespace {

bool is_number(const Type& type) {
  return type.is_integer() || type.is(TypeKind::date) || type.is(TypeKind::decimal) ||
         type.is(TypeKind::timestamp_tz) || type.is(TypeKind::timestamp);
}

struct Range {
  tables::Value lower, upper;
  bool may_be_null = true;
};

std::optional<Range> range_of(const tables::DataFile& file, int field_id) {
  for (const tables::ColumnConstant& constant : file.constants) {
    if (constant.field_id != field_id) continue;
    if (constant.value.is_null()) return std::nullopt;
    return Range{constant.value, constant.value, false};
  }
  auto bounds = std::ranges::find(file.bounds, field_id, &tables::ColumnBounds::field_id);
  if (bounds == file.bounds.end() || bounds->lower.is_null() || bounds->upper.is_null())
    return std::nullopt;
  return Range{bounds->lower, bounds->upper, bounds->null_count != 0};
}

std::optional<duckdb::BaseStatistics> statistics_of(const tables::DataFile& file,
                                                    const LakeColumn& column) {
  auto range = range_of(file, column.field_id.id);
  if (!range) return std::nullopt;
  duckdb::LogicalType type = duckdb_type(column.type);
  if (is_number(column.type)) {
    auto statistics = duckdb::NumericStats::CreateEmpty(type);
    duckdb::NumericStats::SetMin(statistics, duckdb_value(range->lower, column.type));
    duckdb::NumericStats::SetMax(statistics, duckdb_value(range->upper, column.type));
    statistics.SetHasNoNull();
    if (range->may_be_null) statistics.SetHasNull();
    return statistics;
  }
  if (!column.type.is(TypeKind::varchar)) return std::nullopt;
  auto statistics = duckdb::StringStats::CreateEmpty(type);
  for (const tables::Value* value : {&range->lower, &range->upper}) {
    const std::string& text = value->as_bytes();
    duckdb::StringStats::Update(statistics,
                                duckdb::string_t(text.data(), static_cast<uint32_t>(text.size())));
  }
  duckdb::StringStats::ResetMaxStringLength(statistics);
  duckdb::StringStats::SetContainsUnicode(statistics);
  statistics.SetHasNoNull();
  if (range->may_be_null) statistics.SetHasNull();
  return statistics;
}

// Beyond this many files the planning would cost more than a better plan gains.
constexpr size_t kFilesWithStatisticsMax = 10'000;

bool has_ordered_bounds(const Type& type) {
  return type.is_integer() || type.is(TypeKind::date) || type.is(TypeKind::decimal) ||
         (type.is(TypeKind::timestamp) && type.precision <= 6);
}

// The smallest lower and the largest upper bound of a column. None when a file does not say.
std::optional<std::pair<duckdb::Value, duckdb::Value>> bounds_of(const tables::ScanPlan& plan,
                                                                 const LakeColumn& column) {
  std::optional<std::pair<duckdb::Value, duckdb::Value>> out;
  for (const tables::DataFile& file : plan.files) {
    auto bounds =
        std::ranges::find(file.bounds, column.field_id.id, &tables::ColumnBounds::field_id);
    if (bounds == file.bounds.end() || bounds->lower.is_null() || bounds->upper.is_null())
      return {};
    duckdb::Value lower = duckdb_value(bounds->lower, column.type),
                  upper = duckdb_value(bounds->upper, column.type);
    if (!out) {
      out = {lower, upper};
      continue;
    }
    if (lower < out->first) out->first = lower;
    if (out->second < upper) out->second = upper;
  }
  return out;
}

}  // namespace

std::vector<size_t> files_that_may_pass(const LakeScan& scan, const std::vector<LakeColumn>& of,
                                        const std::vector<duckdb::column_t>& columns,
                                        const duckdb::TableFilterSet& filters) {
  std::vector<size_t> kept;
  for (size_t i = 0; i < scan.plan.files.size(); ++i) {
    bool may_pass = true;
    for (const auto& [position, filter] : filters.filters) {
      if (position >= columns.size() || columns[position] >= of.size()) continue;
      const LakeColumn& column = of[columns[position]];
      if (column.source != LakeColumnSource::data) continue;
      auto statistics = statistics_of(scan.plan.files[i], column);
      if (!statistics) continue;
      auto answer = filter->CheckStatistics(*statistics);
      may_pass = may_pass && answer != duckdb::FilterPropagateResult::FILTER_ALWAYS_FALSE;
    }
    if (may_pass) kept.push_back(i);
  }
  return kept;
}

duckdb::unique_ptr<duckdb::BaseStatistics> range_statistics(const tables::ScanPlan& plan,
                                                            const LakeColumn& column) {
  if (plan.files.size() > kFilesWithStatisticsMax) return nullptr;
  if (column.source != LakeColumnSource::data || !has_ordered_bounds(column.type)) return nullptr;
  auto bounds = bounds_of(plan, column);
  if (!bounds) return nullptr;
  auto statistics = duckdb::NumericStats::CreateUnknown(duckdb_type(column.type));
  duckdb::NumericStats::SetMin(statistics, bounds->first);
  duckdb::NumericStats::SetMax(statistics, bounds->second);
  return statistics.ToUnique();
}

}  // namespace aichemy::sql
