// The eight tables of TPC-H at any scale, made on the fly: the same rows as the TPC's own
// generator.
//
// Every column is a function of its own random streams, and a stream can start at any row, so only
// the columns asked for are made, in any order of ranges, by any number of threads. A range is
// counted in units: an order with its lines for lineitem, a part with its four suppliers for
// partsupp, a row elsewhere. Comments are windows of one text of 300 MB (TpchText), built once a
// process when the first comment is read and kept as 50 MB of word numbers.
// Source: TPC-H specification 3.0.1, 4.2 (grammar, distributions), and the seeds of its dbgen.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace aichemy::sql {

struct TpchColumn {
  const char* name;  // as Trino shows it; "row_number" last, hidden
  const char* type;
};

struct TpchTable {
  const char* name;
  uint64_t units;     // at scale 1; nation and region do not scale
  uint32_t rows_max;  // of a unit
  std::vector<TpchColumn> columns;
  bool scales = true;
};

const std::vector<TpchTable>& tpch_tables();
const TpchTable* find_tpch_table(std::string_view name);
uint64_t tpch_units(const TpchTable& table, double scale);

// One column of a range of units: whole numbers and dates (days) in `whole`, doubles in `real`,
// text as pieces of `bytes` (piece i ends at ends[i]).
struct TpchValues {
  std::vector<int64_t> whole;
  std::vector<double> real;
  std::string bytes;
  std::vector<uint32_t> ends;
};

class TpchGenerator {
 public:
  TpchGenerator(const TpchTable& table, double scale) : table_(table), scale_(scale) {}
  // Rows of units [first, first + count); `values` has one entry per column asked for.
  uint64_t generate(uint64_t first, uint64_t count, const std::vector<size_t>& columns,
                    std::vector<TpchValues>& values) const;

 private:
  const TpchTable& table_;
  double scale_;
};

}  // namespace aichemy::sql
