#include "sql/connectors/tpch_generator.h"

#include <gtest/gtest.h>

namespace aichemy::sql {
namespace {

std::string text_at(const TpchValues& values, size_t row) {
  uint32_t begin = row == 0 ? 0 : values.ends[row - 1];
  return values.bytes.substr(begin, values.ends[row] - begin);
}

std::vector<TpchValues> all_columns(const TpchTable& table, double scale, uint64_t first,
                                    uint64_t count, uint64_t* rows = nullptr) {
  std::vector<size_t> columns;
  for (size_t i = 0; i < table.columns.size(); ++i) columns.push_back(i);
  std::vector<TpchValues> values(columns.size());
  uint64_t made = TpchGenerator(table, scale).generate(first, count, columns, values);
  if (rows) *rows = made;
  return values;
}

// First rows of `tpchgen-cli -s 1`, an independent generator.
TEST(TpchGenerator, FirstRowsAreTheTpcs) {
  auto line = all_columns(*find_tpch_table("lineitem"), 1, 0, 2);
  EXPECT_EQ(line[1].whole[0], 155190);
  EXPECT_EQ(line[2].whole[0], 7706);
  EXPECT_EQ(line[4].real[0], 17);
  EXPECT_EQ(line[5].real[0], 21168.23);
  EXPECT_EQ(text_at(line[15], 0), "egular courts above the");
  EXPECT_EQ(line[0].whole[6], 2);
  auto order = all_columns(*find_tpch_table("orders"), 1, 0, 1);
  EXPECT_EQ(order[3].real[0], 173665.47);
  EXPECT_EQ(text_at(order[2], 0), "O");
  EXPECT_EQ(text_at(order[8], 0), "nstructions sleep furiously among ");
  auto part = all_columns(*find_tpch_table("part"), 1, 0, 1);
  EXPECT_EQ(text_at(part[1], 0), "goldenrod lavender spring chocolate lace");
  auto region = all_columns(*find_tpch_table("region"), 1, 0, 5);
  EXPECT_EQ(text_at(region[2], 2), "ges. thinly even pinto beans ca");
}

// Streams start anywhere: ranges put together are the whole.
TEST(TpchGenerator, RangesJoin) {
  for (const auto& table : tpch_tables()) {
    uint64_t units = std::min<uint64_t>(tpch_units(table, 0.01), 100), rows = 0, upper = 0,
             lower = 0;
    auto whole = all_columns(table, 0.01, 0, units, &rows);
    auto left = all_columns(table, 0.01, 0, units / 3, &lower);
    auto right = all_columns(table, 0.01, units / 3, units - units / 3, &upper);
    EXPECT_EQ(rows, lower + upper) << table.name;
    for (size_t i = 0; i < whole.size(); ++i) {
      left[i].whole.insert(left[i].whole.end(), right[i].whole.begin(), right[i].whole.end());
      left[i].real.insert(left[i].real.end(), right[i].real.begin(), right[i].real.end());
      EXPECT_EQ(whole[i].whole, left[i].whole) << table.name << " " << i;
      EXPECT_EQ(whole[i].real, left[i].real) << table.name << " " << i;
      EXPECT_EQ(whole[i].bytes, left[i].bytes + right[i].bytes) << table.name << " " << i;
    }
  }
}

TEST(TpchGenerator, EveryColumnHasAValueARow) {
  for (const auto& table : tpch_tables()) {
    uint64_t rows = 0;
    auto values = all_columns(table, 1, 0, 5, &rows);
    for (const auto& column : values)
      EXPECT_EQ(column.whole.size() + column.real.size() + column.ends.size(), rows) << table.name;
  }
}

}  // namespace
}  // namespace aichemy::sql
