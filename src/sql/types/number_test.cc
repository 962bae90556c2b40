#include "sql/types/number.h"

#include <gtest/gtest.h>

#include "sql/types/ip_address.h"

namespace aichemy::sql {
namespace {

Number number(const char* text) { return Number::parse(text).value_or(Number()); }

TEST(NumberTest, BytesOrderAsNumbers) {
  const char* ascending[] = {"-Infinity", "-1e20", "-123.4",   "-123", "-12", "-0.5",
                             "-0.05",     "0",     "0.05",     "0.5",  "12",  "12.1",
                             "123",       "1e20",  "Infinity", "NaN"};
  for (size_t i = 0; i + 1 < std::size(ascending); ++i) {
    EXPECT_LT(number(ascending[i]).encode(), number(ascending[i + 1]).encode()) << ascending[i];
    EXPECT_EQ(Number::decode(number(ascending[i]).encode()).text(), number(ascending[i]).text());
  }
  EXPECT_EQ(number("1.0").encode(), number("001").encode());
  EXPECT_EQ(number("-0").encode(), number("0.00").encode());
}

TEST(NumberTest, Arithmetic) {
  EXPECT_EQ(add(number("1.5"), number("-2.75")).text(), "-1.25");
  EXPECT_EQ(subtract(number("10"), number("10")).text(), "0");
  EXPECT_EQ(multiply(number("12.5"), number("8")).text(), "1E+2");
  EXPECT_EQ(divide(number("22.5"), number("0.015"))->text(), "1.5E+3");
  EXPECT_EQ(divide(number("1"), number("3"))->text(), "0.333333");
  EXPECT_EQ(divide(number("0.1"), number("777"))->text(), "0.000129");
  EXPECT_EQ(divide(number("2"), number("0.03"))->text(), "66.666667");
  EXPECT_EQ(divide(number("-Infinity"), number("0"))->text(), "-Infinity");
  EXPECT_EQ(modulo(number("1e300"), number("7"))->text(), "1");
  EXPECT_EQ(modulo(number("-7.5"), number("2"))->text(), "-1.5");
  EXPECT_FALSE(divide(number("1"), number("0")));
  EXPECT_EQ(add(number("Infinity"), number("-Infinity")).text(), "NaN");
}

TEST(NumberTest, Rounding) {
  EXPECT_EQ(number("-2.5").rounded(0).text(), "-3");
  EXPECT_EQ(number("2.4999").rounded(0).text(), "2");
  EXPECT_EQ(number("1250").rounded(-2).text(), "1.3E+3");
  EXPECT_EQ(number("-2.1").floor().text(), "-3");
  EXPECT_EQ(number("-2.1").ceiling().text(), "-2");
  EXPECT_EQ(number("1234.5678").truncated(2).text(), "1234.56");
}

TEST(NumberTest, Addresses) {
  EXPECT_EQ(ip_address_text(*parse_ip_address("::ffff:1.2.3.4")), "1.2.3.4");
  EXPECT_EQ(ip_address_text(*parse_ip_address("2001:db8:0:0:1::1")), "2001:db8::1:0:0:1");
  EXPECT_FALSE(parse_ip_address("localhost"));
}

}  // namespace
}  // namespace aichemy::sql
