#include "tables/value.h"

#include <gtest/gtest.h>

#include <cmath>
#include <limits>

#include "base/bytes.h"
#include "tables/calendar.h"

namespace aichemy::tables {
namespace {

TEST(ValueTest, OrderIsTotalWithNullFirstAndNanLast) {
  double nan = std::numeric_limits<double>::quiet_NaN();
  EXPECT_LT(Value().compare(Value(1)), 0);
  EXPECT_LT(Value(-0.0).compare(Value(0.0)), 0);
  EXPECT_LT(Value(1e308).compare(Value(nan)), 0);
  EXPECT_EQ(Value(nan).compare(Value(nan)), 0);
  EXPECT_LT(Value("a\x7f").compare(Value("a\x80")), 0);  // unsigned bytes
  EXPECT_LT(Value(Int128{-5}).compare(Value(Int128{3})), 0);
}

struct BinaryCase {
  Type type;
  Value value;
  std::string hex;
};

TEST(ValueTest, BinaryFormsAreThoseOfTheSpecification) {
  const BinaryCase cases[] = {
      {primitive(TypeKind::boolean), Value(true), "01"},
      {primitive(TypeKind::int32), Value(1234), "d2040000"},
      {primitive(TypeKind::int64), Value(-2), "feffffffffffffff"},
      {primitive(TypeKind::date), Value(17486), "4e440000"},
      {primitive(TypeKind::float32), Value(-4.5), "000090c0"},
      {primitive(TypeKind::float64), Value(6.0), "0000000000001840"},
      {decimal_type(9, 2), Value(Int128{1420}), "058c"},
      {decimal_type(9, 2), Value(Int128{-1}), "ff"},
      {decimal_type(9, 2), Value(Int128{128}), "0080"},
      {primitive(TypeKind::string), Value("é"), "c3a9"},
      {fixed_type(2), Value("\x01\x02"), "0102"},
  };
  for (const BinaryCase& row : cases) {
    EXPECT_EQ(to_hex(value_to_binary(row.value, row.type)), row.hex) << type_text(row.type);
    auto back = value_from_binary(*from_hex(row.hex), row.type);
    ASSERT_TRUE(back) << type_text(row.type);
    EXPECT_EQ(*back, row.value) << type_text(row.type);
  }
}

TEST(ValueTest, PromotedColumnsKeepTheirOldBounds) {
  EXPECT_EQ(value_from_binary(*from_hex("d2040000"), primitive(TypeKind::int64))->as_int(), 1234);
  EXPECT_EQ(value_from_binary(*from_hex("000090c0"), primitive(TypeKind::float64))->as_double(),
            -4.5);
}

TEST(ValueTest, BrokenBinaryIsCorrupt) {
  for (const Type& type :
       {primitive(TypeKind::int64), primitive(TypeKind::boolean), decimal_type(9, 2),
        primitive(TypeKind::uuid), primitive(TypeKind::float32)}) {
    auto value = value_from_binary(std::string(17, 'x'), type);
    ASSERT_FALSE(value) << type_text(type);
    EXPECT_EQ(value.error().code, Code::corrupt);
  }
}

struct TextCase {
  Type type;
  std::string json;
};

TEST(ValueTest, JsonFormsRoundTrip) {
  const TextCase cases[] = {
      {primitive(TypeKind::boolean), "true"},
      {primitive(TypeKind::int64), "-9223372036854775808"},
      {primitive(TypeKind::float64), "0.5"},
      {decimal_type(9, 2), "\"14.20\""},
      {decimal_type(38, 0), "\"-99999999999999999999999999999999999999\""},
      {primitive(TypeKind::date), "\"1969-12-31\""},
      {primitive(TypeKind::time), "\"22:31:08.123456\""},
      {primitive(TypeKind::timestamp), "\"2017-11-16T22:31:08\""},
      {primitive(TypeKind::timestamptz), "\"1969-12-31T23:59:59.999999+00:00\""},
      {primitive(TypeKind::string), "\"iceberg\""},
      {primitive(TypeKind::uuid), "\"f79c3e09-677c-4bbd-a479-3f349cb785e7\""},
      {primitive(TypeKind::binary), "\"000102ff\""},
  };
  for (const TextCase& row : cases) {
    auto value = value_from_json(*Json::parse(row.json), row.type);
    ASSERT_TRUE(value) << row.json << ": " << value.error().message;
    EXPECT_TRUE(fits(*value, row.type)) << row.json;
    EXPECT_EQ(value_to_json(*value, row.type).dump(), row.json);
  }
}

TEST(ValueTest, DecimalTextIsStrict) {
  EXPECT_EQ(static_cast<int64_t>(*decimal_from_text("-1.5", 2)), -150);
  EXPECT_EQ(decimal_text(-5, 3), "-0.005");
  for (const char* broken :
       {"", "-", "1.2.3", "1.234", "1e5", " 1", "999999999999999999999999999999999999999"}) {
    EXPECT_FALSE(decimal_from_text(broken, 2)) << broken;
  }
}

TEST(CalendarTest, ReadsZonesAndRefusesNonsense) {
  EXPECT_EQ(timestamp_from_text("1970-01-01T01:00:00+01:00", true), 0);
  EXPECT_EQ(timestamp_from_text("1970-01-01T00:00:00Z", true), 0);
  for (const char* broken : {"1970-13-01", "1970-02-30", "70-01-01", "1970-01-01x", ""}) {
    EXPECT_FALSE(date_from_text(broken)) << broken;
  }
  EXPECT_FALSE(timestamp_from_text("1970-01-01T25:00:00", false));
}

}  // namespace
}  // namespace aichemy::tables
