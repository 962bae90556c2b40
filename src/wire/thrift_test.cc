#include "wire/thrift.h"

#include <gtest/gtest.h>
#include <zlib.h>

#include "base/json.h"
#include "wire/hive_metastore.h"

namespace aichemy::wire::thrift {
namespace {

// One line a recorded call of a real client to a real Hive Metastore 3.1.3.
std::vector<Json> golden_calls() {
  std::string path = std::string(AICHEMY_GOLDEN_DIR) + "/hms/hms_wire.jsonl.gz";
  gzFile file = gzopen(path.c_str(), "rb");
  if (file == nullptr) return {};
  std::string text;
  std::string chunk(1 << 16, '\0');
  for (int got; (got = gzread(file, chunk.data(), static_cast<unsigned>(chunk.size()))) > 0;) {
    text.append(chunk, 0, static_cast<size_t>(got));
  }
  gzclose(file);
  std::vector<Json> lines;
  for (size_t at = 0; at < text.size();) {
    size_t end = text.find('\n', at);
    auto line = Json::parse(std::string_view(text).substr(at, end - at));
    if (line) lines.push_back(std::move(*line));
    at = end == std::string::npos ? text.size() : end + 1;
  }
  return lines;
}

std::vector<std::string> golden_messages() {
  std::vector<std::string> messages;
  for (const Json& call : golden_calls()) {
    for (const char* key : {"request", "response"}) {
      auto bytes = from_hex(call[key].as_string());
      if (bytes && !bytes->empty()) messages.push_back(std::move(*bytes));
    }
  }
  return messages;
}

struct Everything {
  bool flag = false;
  int8_t tiny = 0;
  int16_t small = 0;
  int32_t number = 0;
  int64_t large = 0;
  double real = 0;
  std::string text;
  std::vector<std::string> list;
  Set<int32_t> set;
  std::map<std::string, std::vector<int64_t>> map;
  std::optional<std::string> absent, present;

  static constexpr auto kFields =
      std::tuple{field(1, &Everything::flag),    field(2, &Everything::tiny),
                 field(3, &Everything::small),   field(4, &Everything::number),
                 field(5, &Everything::large),   field(6, &Everything::real),
                 field(7, &Everything::text),    field(8, &Everything::list),
                 field(9, &Everything::set),     field(10, &Everything::map),
                 field(11, &Everything::absent), field(300, &Everything::present)};
};

TEST(ThriftTest, EveryTypeComesBack) {
  Everything value{true, -7,     -300,      1 << 20, -(int64_t{1} << 40),
                   -2.5, "text", {"a", ""}, {3, 4},  {{"k", {1, 2}}, {"", {}}},
                   {},   "here"};
  std::string bytes = encode(value);
  auto back = decode<Everything>(bytes);
  ASSERT_TRUE(back) << back.error().message;
  EXPECT_EQ(encode(*back), bytes);
  EXPECT_EQ(back->map, value.map);
  EXPECT_FALSE(back->absent);
  EXPECT_EQ(back->present, "here");
}

TEST(ThriftTest, EveryCutAndEveryBrokenByteIsAnErrorOrAValue) {
  std::string bytes = encode(Everything{.list = {"a"}, .set = {1}, .map = {{"k", {1}}}});
  for (size_t size = 0; size < bytes.size(); ++size) {
    EXPECT_FALSE(decode<Everything>(bytes.substr(0, size))) << size;
  }
  for (size_t at = 0; at < bytes.size(); ++at) {
    for (int bit = 0; bit < 8; ++bit) {
      std::string damaged = bytes;
      damaged[at] = static_cast<char>(damaged[at] ^ (1 << bit));
      (void)decode<Everything>(damaged);
    }
  }
}

TEST(ThriftTest, UnknownFieldsAndOtherTypesAreSkipped) {
  std::string bytes;
  Writer out(bytes);
  out.member(77, std::vector<std::map<std::string, std::string>>{{{"a", "b"}}});
  out.member(4, std::string("not a number"));
  out.member(7, std::string("text"));
  out.stop();
  auto value = decode<Everything>(bytes);
  ASSERT_TRUE(value) << value.error().message;
  EXPECT_EQ(value->number, 0);
  EXPECT_EQ(value->text, "text");
}

TEST(ThriftTest, HostileLengthsCostNothing) {
  std::string list("\x0f\x00\x08\x0b\x7f\xff\xff\xff", 8);  // field 8, a list of 2^31 - 1 texts
  EXPECT_FALSE(decode<Everything>(list));
  std::string negative("\x0b\x00\x07\xff\xff\xff\xff", 7);
  EXPECT_FALSE(decode<Everything>(negative));
  std::string deep;
  for (int i = 0; i < 100'000; ++i) deep += std::string("\x0c\x00\x63", 3);
  EXPECT_FALSE(decode<Everything>(deep));
  MessageScanner scanner(size_t{1} << 20);
  std::string message;
  Writer(message).header({MessageKind::call, "m", 1});
  EXPECT_FALSE(scanner.scan(message + deep));
}

TEST(ThriftTest, ScansRecordedMessagesInAnyPieces) {
  auto messages = golden_messages();
  ASSERT_EQ(messages.size(), 1959u);
  for (const std::string& message : messages) {
    std::string stream = message + "next";
    MessageScanner whole(size_t{100} << 20);
    auto size = whole.scan(stream);
    ASSERT_TRUE(size);
    EXPECT_EQ(*size, message.size());
    if (message.size() > 3000) continue;
    MessageScanner pieces(size_t{100} << 20);
    for (size_t got = 0; got < message.size(); ++got) {
      auto none = pieces.scan(std::string_view(stream).substr(0, got));
      ASSERT_TRUE(none);
      ASSERT_EQ(*none, 0u) << got;
    }
    auto last = pieces.scan(message);
    ASSERT_TRUE(last);
    EXPECT_EQ(*last, message.size());
  }
}

// What our field tables know of recorded tables and partitions is what they hold, in whatever
// order.
TEST(ThriftTest, RecordedTablesLoseNothing) {
  size_t seen = 0;
  for (const Json& call : golden_calls()) {
    std::string_view method = call["method"].as_string();
    if (call["outcome"].as_string() != "ok" || method != "get_table") continue;
    auto bytes = from_hex(call["response"].as_string());
    Reader in(*bytes);
    EXPECT_EQ(in.header().name, method);
    int16_t id = 0;
    ASSERT_EQ(in.field(&id), Type::structure);
    hive::Table table;
    size_t before = in.left().size();
    in.value(table);
    ASSERT_TRUE(in.ok());
    EXPECT_EQ(encode(table).size(), before - in.left().size());
    EXPECT_EQ(in.field(&id), Type::stop);
    EXPECT_EQ(table.catalog_name, "hive");
    ++seen;
  }
  EXPECT_GT(seen, 300u);
}

}  // namespace
}  // namespace aichemy::wire::thrift
