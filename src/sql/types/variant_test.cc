#include "sql/types/variant.h"

#include <gtest/gtest.h>

namespace aichemy::sql {
namespace {

using Kind = VariantNode::Kind;

std::string json_text(const VariantNode& value) {
  std::string out;
  write_json(variant_to_json(value), out);
  return out;
}

VariantNode of_json(std::string_view text) {
  auto parsed = parse_json(text, false);
  EXPECT_TRUE(parsed) << text;
  auto made = variant_of_json(*parsed);
  EXPECT_TRUE(made) << text;
  return made ? std::move(*made) : VariantNode();
}

VariantNode number(Kind kind, __int128 whole, int scale = 0) {
  VariantNode made;
  made.kind = kind;
  made.whole = whole;
  made.scale = scale;
  return made;
}

TEST(VariantTest, BytesAreThoseOfTheFormat) {
  // Metadata: version 1, sorted, one byte an offset; no names.
  EXPECT_EQ(encode_variant(of_json("1")), std::string("\x11\0\0\x14\1\0\0\0", 8));
  EXPECT_EQ(encode_variant(of_json("\"hi\"")), std::string("\x11\0\0\x09hi", 6));
  EXPECT_EQ(encode_variant(of_json("[true,null]")), std::string("\x11\0\0\x03\2\0\1\2\x04\0", 10));
  // Names sorted, and with them the members.
  EXPECT_EQ(encode_variant(of_json("{\"b\":false,\"a\":true}")),
            std::string("\x11\2\0\1\2"
                        "ab\x02\2\0\1\0\1\2\x04\x08",
                        16));
}

TEST(VariantTest, ValuesComeBack) {
  std::string many = "[", wide = "{";
  for (int i = 0; i < 300; ++i) {
    many += (i ? "," : "") + std::to_string(i);
    wide += (i ? ",\"" : "\"") + std::string(90, 'k') + std::to_string(1000 + i) + "\":[]";
  }
  many += "]";
  wide += "}";
  std::string text(70'000, 'x');
  for (const std::string& json :
       {std::string("null"), std::string("-5000000000"), std::string("{}"), std::string("[]"),
        std::string("[[1],{\"a\":{\"a\":[\"ä\"]}},1.5]"), many, wide, "\"" + text + "\"",
        std::string("12345678901234567890123456789012345678")}) {
    auto back = decode_variant(encode_variant(of_json(json)));
    ASSERT_TRUE(back) << json.substr(0, 50);
    EXPECT_EQ(json_text(*back), json);
  }
  for (Kind kind : {Kind::int8, Kind::int16, Kind::int64, Kind::decimal4, Kind::decimal16,
                    Kind::date, Kind::time, Kind::timestamp, Kind::timestamp_tz_nanos}) {
    auto back = decode_variant(encode_variant(number(kind, -3, 0)));
    ASSERT_TRUE(back);
    EXPECT_EQ(back->kind, kind);
    EXPECT_TRUE(back->whole == -3);
  }
}

TEST(VariantTest, Texts) {
  EXPECT_EQ(variant_decimal_text(number(Kind::decimal8, 150, 2)), "1.50");
  EXPECT_EQ(variant_decimal_text(number(Kind::decimal8, -5, 2)), "-0.05");
  EXPECT_EQ(variant_decimal_text(number(Kind::decimal8, 12, 8)), "1.2E-7");
  EXPECT_EQ(variant_decimal_text(number(Kind::decimal8, 0, 2)), "0.00");
  EXPECT_EQ(variant_moment_text(number(Kind::date, -1)), "1969-12-31");
  EXPECT_EQ(variant_moment_text(number(Kind::timestamp, -1)), "1969-12-31 23:59:59.999999");
  EXPECT_EQ(variant_moment_text(number(Kind::timestamp_tz_nanos, 1)),
            "1970-01-01 00:00:00.000000001 UTC");
  EXPECT_EQ(variant_moment_text(number(Kind::time, 3'723'000'000)), "01:02:03.000000");
}

TEST(VariantTest, JsonThatIsNoVariant) {
  EXPECT_FALSE(variant_of_json(JsonNode::of_number(std::string(39, '1'))));
}

// Any cut and any changed byte is a value or an error, and small.
TEST(VariantTest, BrokenBytes) {
  std::string bytes = encode_variant(of_json("{\"a\":[1,\"x\",{\"b\":2.5}],\"c\":null}"));
  for (size_t i = 0; i < bytes.size(); ++i) {
    EXPECT_FALSE(decode_variant(std::string_view(bytes).substr(0, i))) << i;
    for (int change = 1; change < 256; ++change) {
      std::string other = bytes;
      other[i] = static_cast<char>(other[i] ^ change);
      (void)decode_variant(other);
    }
  }
  // Arrays whose items are all the array that follows: 2 to the power of 60 values.
  std::string nested("\x11\0\0", 3);
  for (int i = 0; i < 60; ++i) nested += std::string("\x03\2\0\0\0", 5);
  EXPECT_FALSE(decode_variant(nested));
}

}  // namespace
}  // namespace aichemy::sql
