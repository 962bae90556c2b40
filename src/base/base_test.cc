#include <gtest/gtest.h>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/metrics.h"
#include "base/random.h"

namespace aichemy {
namespace {

TEST(Checksum, KnownValues) {
  // The check values of the CRC catalogue for "123456789".
  EXPECT_EQ(crc32(0, "123456789"), 0xCBF43926u);
  EXPECT_EQ(crc32c(0, "123456789"), 0xE3069283u);
  EXPECT_EQ(crc64nvme(0, "123456789"), 0xAE8B14860A799888u);
  EXPECT_EQ(to_hex(digest(DigestKind::md5, "")), "d41d8cd98f00b204e9800998ecf8427e");
  // RFC 4231 test case 2
  EXPECT_EQ(to_hex(hmac_sha256("Jefe", "what do ya want for nothing?")),
            "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
}

TEST(Checksum, Chains) {
  std::string text(1000, 'x');
  for (size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>(i * 7);
  for (size_t cut : {0, 1, 7, 8, 9, 500, 999, 1000}) {
    std::string_view head = std::string_view(text).substr(0, cut);
    std::string_view tail = std::string_view(text).substr(cut);
    EXPECT_EQ(crc32(crc32(0, head), tail), crc32(0, text));
    EXPECT_EQ(crc32c(crc32c(0, head), tail), crc32c(0, text));
    EXPECT_EQ(crc64nvme(crc64nvme(0, head), tail), crc64nvme(0, text));
  }
}

TEST(Bytes, Encodings) {
  struct Row {
    const char* plain;
    const char* base64;
  };
  // RFC 4648 section 10
  for (Row row :
       {Row{"", ""}, {"f", "Zg=="}, {"fo", "Zm8="}, {"foo", "Zm9v"}, {"foobar", "Zm9vYmFy"}}) {
    EXPECT_EQ(to_base64(row.plain), row.base64);
    EXPECT_EQ(from_base64(row.base64).value(), row.plain);
  }
  EXPECT_FALSE(from_base64("a*bc"));
  EXPECT_FALSE(from_base64("abcde"));
  EXPECT_EQ(from_hex("00ff").value(), std::string("\0\xff", 2));
  EXPECT_FALSE(from_hex("0"));
  EXPECT_FALSE(from_hex("zz"));
  EXPECT_EQ(percent_encode("a b/ü", "/"), "a%20b/%C3%BC");
  EXPECT_EQ(percent_decode("a%20b+%C3%BC").value(), "a b+ü");
  EXPECT_EQ(percent_decode("a+b", true).value(), "a b");
  for (const char* broken : {"%", "%1", "abc%", "%zz", "%4"})
    EXPECT_FALSE(percent_decode(broken)) << broken;
  EXPECT_EQ(percent_decode("%41").value(), "A");
}

TEST(Bytes, Utf8) {
  for (const char* good : {"", "abc", "ü", "€", "😀"}) EXPECT_TRUE(is_valid_utf8(good)) << good;
  for (const char* bad :
       {"\x80", "\xc3", "\xc0\x80", "\xed\xa0\x80", "\xf5\x80\x80\x80", "\xe2\x82"}) {
    EXPECT_FALSE(is_valid_utf8(bad));
  }
}

TEST(Bytes, BigEndianRoundTrip) {
  std::string out;
  append_big<int16_t>(out, -2);
  append_big<int32_t>(out, 0x01020304);
  append_big<int64_t>(out, -1);
  EXPECT_EQ(to_hex(out), "fffe01020304ffffffffffffffff");
  EXPECT_EQ(load_big<int16_t>(out.data()), -2);
  EXPECT_EQ(load_big<int32_t>(out.data() + 2), 0x01020304);
}

TEST(Json, RoundTrip) {
  for (const char* text : {"null", "true", "-1", "18446744073709551615", "1.5", "\"a\\n\\u0001\"",
                           "[]", "{}", R"({"b":[1,2.0,{"c":null}],"a":"ü"})"}) {
    auto json = Json::parse(text);
    ASSERT_TRUE(json) << text;
    EXPECT_EQ(json->dump(), text);
    EXPECT_EQ(Json::parse(json->dump_pretty()).value(), *json);
  }
}

TEST(Json, Broken) {
  for (const char* text : {"", "{", "[1,]", "{\"a\":}", "nul", "\"\xff\"", "1 2"}) {
    auto json = Json::parse(text);
    ASSERT_FALSE(json) << text;
    EXPECT_EQ(json.error().code, Code::invalid);
  }
  EXPECT_FALSE(Json::parse(std::string(100'000, '[')));
}

TEST(Json, Access) {
  Json json;
  json.set("a", 1).set("b", Json::array().push("x"));
  json.set("a", 2);
  EXPECT_EQ(json.dump(), R"({"a":2,"b":["x"]})");
  EXPECT_EQ(json["a"].as_int(), 2);
  EXPECT_EQ(json["missing"]["deeper"].as_int(7), 7);
  EXPECT_EQ(json.int_at("b").error().code, Code::corrupt);
  EXPECT_TRUE(json.erase("a"));
  EXPECT_FALSE(json.erase("a"));
}

TEST(Clock, Formats) {
  WallTime time{std::chrono::microseconds(1'700'000'000'123'456)};
  EXPECT_EQ(format_iso8601(time), "2023-11-14T22:13:20.123Z");
  EXPECT_EQ(format_http_date(time), "Tue, 14 Nov 2023 22:13:20 GMT");
}

TEST(Random, UuidShape) {
  SeededRandom random(1);
  std::string id = random.uuid();
  EXPECT_EQ(id.size(), 36u);
  EXPECT_EQ(id[14], '4');
  EXPECT_NE(id, random.uuid());
}

TEST(Metrics, Text) {
  Metrics metrics;
  metrics.counter("aichemy_x_total", "Things", "kind=\"a\"").add(3);
  metrics.histogram("aichemy_t_seconds", "Time").observe_micros(5);
  std::string text = metrics.expose();
  EXPECT_NE(text.find("# TYPE aichemy_x_total counter\naichemy_x_total{kind=\"a\"} 3\n"),
            std::string::npos);
  EXPECT_NE(text.find("aichemy_t_seconds_bucket{le=\"7e-06\"} 1\n"), std::string::npos);
  EXPECT_NE(text.find("aichemy_t_seconds_count 1\n"), std::string::npos);
}

}  // namespace
}  // namespace aichemy
