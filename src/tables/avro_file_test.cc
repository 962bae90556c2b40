#include "tables/avro_file.h"

#include <gtest/gtest.h>

#include "tables/avro_codec.h"
#include "tables/iceberg_manifest.h"

namespace aichemy::tables {
namespace {

constexpr std::string_view kSync = "0123456789abcdef";

std::string file_of(const char* schema, AvroCodec codec, int records, std::string_view record) {
  AvroWriter writer({{"key", "value"}}, *Json::parse(schema), codec, kSync);
  for (int i = 0; i < records; ++i) {
    writer.record().put_raw(record);
    EXPECT_TRUE(writer.end_record());
  }
  return *writer.finish();
}

constexpr const char* kSchema =
    R"({"type":"record","name":"r","fields":[{"name":"a","type":"string","field-id":1}]})";

TEST(AvroFileTest, EveryCodecRoundTripsOverManyBlocks) {
  AvroBuffer record;
  record.put_bytes(std::string(1000, 'x') + "end");
  for (AvroCodec codec :
       {AvroCodec::null, AvroCodec::deflate, AvroCodec::zstandard, AvroCodec::snappy}) {
    std::string bytes = file_of(kSchema, codec, 500, record.view());
    auto file = read_avro(bytes);
    ASSERT_TRUE(file) << avro_codec_name(codec) << ": " << file.error().message;
    EXPECT_EQ(file->record_count, 500u);
    EXPECT_EQ(file->meta("key"), "value");
    AvroCursor cursor(file->records);
    for (int i = 0; i < 500; ++i) EXPECT_TRUE(cursor.read_bytes().ends_with("end"));
    EXPECT_TRUE(cursor.at_end());
    // Cut short or too large: an error, never a crash.
    EXPECT_FALSE(read_avro(std::string_view(bytes).substr(0, bytes.size() - 1)));
    EXPECT_FALSE(read_avro(bytes, 10'000));
  }
  EXPECT_EQ(avro_codec_from_name("lzma").error().code, Code::unsupported);
}

TEST(AvroFileTest, LongsAreZigZag) {
  AvroBuffer buffer;
  const int64_t values[] = {0, -1, 1, 63, 64, -65, INT64_MAX, INT64_MIN};
  for (int64_t value : values) buffer.put_long(value);
  AvroCursor cursor(buffer.view());
  for (int64_t value : values) EXPECT_EQ(cursor.read_long(), value);
  EXPECT_FALSE(cursor.failed());
  cursor.read_long();
  EXPECT_TRUE(cursor.failed());
}

TEST(AvroFileTest, ItemsWithoutBytesDoNotKeepUsForEver) {
  std::string empty =
      file_of(R"({"type":"record","name":"r","fields":[]})", AvroCodec::null, 3, "z");
  EXPECT_EQ(iceberg::decode_manifest(empty).error().code, Code::corrupt);
  EXPECT_EQ(iceberg::decode_manifest_list(empty).error().code, Code::corrupt);
  AvroBuffer record;
  record.put_long(INT64_MAX);  // items of an array of nulls
  const char* schema = R"({"type":"record","name":"r","fields":[
      {"name":"a","type":{"type":"array","items":"null"},"field-id":9}]})";
  std::string nulls = file_of(schema, AvroCodec::null, 1, record.view());
  EXPECT_EQ(iceberg::decode_manifest(nulls).error().code, Code::corrupt);
}

TEST(AvroSchemaTest, RecursionAndNonsenseAreRefused) {
  for (const char* text :
       {R"({"type":"record","name":"r","fields":[{"name":"a","type":"r"}]})",
        R"({"type":"record","name":"r","fields":[{"name":"a"}]})", R"({"type":"array"})", R"([])",
        R"("nothing")", R"(7)", R"({"type":"fixed","name":"f","size":-1})"}) {
    auto schema = avro_schema_from_json(*Json::parse(text));
    ASSERT_FALSE(schema) << text;
    EXPECT_EQ(schema.error().code, Code::corrupt);
  }
}

}  // namespace
}  // namespace aichemy::tables
