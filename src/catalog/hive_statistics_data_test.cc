#include "catalog/hive_statistics_data.h"

#include <gtest/gtest.h>

namespace aichemy::catalog {
namespace {

std::string there_and_back(const std::string& decimal) {
  StatisticsColumns columns;
  columns.decimal_low = decimal;
  auto data = statistics_data(columns, "decimal(38,2)", false);
  if (!data) return data.error().message;
  auto back = statistics_columns(*data);
  return back ? back->decimal_low.value_or("none") : back.error().message;
}

TEST(HiveStatisticsDataTest, DecimalsKeepTheirDigits) {
  for (const char* text :
       {"0", "7", "-1", "12.34", "-0.05", "127", "128", "-128", "-129", "0.00",
        "-12345678901234567890123456789012345.678", "99999999999999999999999999999999999999"})
    EXPECT_EQ(there_and_back(text), text);
  EXPECT_EQ(there_and_back("+5"), "5");
  EXPECT_EQ(there_and_back("1E-7"), "0.0000001");
  EXPECT_EQ(there_and_back("0E-10"), "0.0000000000");
  EXPECT_EQ(there_and_back("-1.5e+3"), "-1500");
  std::string smallest = "0." + std::string(37, '0') + "1";
  EXPECT_EQ(there_and_back(smallest), smallest);
  for (const char* text : {"", "-", ".", "1.2.3", "e5", "1e", "1e5x", "1e99", "1e-5000",
                           "999999999999999999999999999999999999999"})
    EXPECT_NE(there_and_back(text).find("is no decimal"), std::string::npos) << text;
}

TEST(HiveStatisticsDataTest, TheTypeChoosesTheKind) {
  StatisticsColumns columns;
  columns.long_low = -3;
  columns.length_max = 9;
  columns.average_length = 2.5;
  columns.trues = 4;
  columns.falses = 5;
  columns.nulls = 1;
  for (const char* type :
       {"int", "bigint", "date", "timestamp", "timestamp with local time zone"}) {
    for (bool is_four : {false, true}) {
      auto data = statistics_data(columns, type, is_four);
      ASSERT_TRUE(data) << type;
      EXPECT_EQ(statistics_columns(*data)->long_low, -3) << type;
    }
  }
  EXPECT_NE(*statistics_data(columns, "timestamp", false),
            *statistics_data(columns, "timestamp", true));
  EXPECT_EQ(statistics_columns(*statistics_data(columns, "varchar(9)", false))->length_max, 9);
  EXPECT_EQ(statistics_columns(*statistics_data(columns, "binary", false))->average_length, 2.5);
  EXPECT_EQ(statistics_columns(*statistics_data(columns, "boolean", false))->falses, 5);
  EXPECT_FALSE(statistics_data(columns, "array<int>", false));
}

}  // namespace
}  // namespace aichemy::catalog
