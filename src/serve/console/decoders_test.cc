#include "serve/console/decoders.h"

#include <gtest/gtest.h>

#include <filesystem>

namespace aichemy::serve::console {
namespace {

struct DecodersTest : ::testing::Test {
  std::string path = testing::TempDir() + "/decoders.db";
  FakeClock clock;
  SeededRandom random{3};
  std::unique_ptr<metadb::Database> database;

  void SetUp() override {
    for (const char* end : {"", "-wal", "-shm"}) std::filesystem::remove(path + end);
    database = *metadb::Database::open_sqlite({.path = path});
  }
  Decoders decoders() { return {*database, clock, random}; }
};

Decoder avro(std::optional<int32_t> schema_id = {}, const char* topic = "orders") {
  Decoder out;
  out.topic = topic;
  out.format = "avro";
  out.schema_id = schema_id;
  out.definition = R"("string")";
  return out;
}

Decoder protobuf(const char* type) {
  Decoder out = avro();
  out.format = "protobuf";
  out.message_type = type;
  out.definition = "CgA=";
  return out;
}

TEST_F(DecodersTest, AreKeptByTopic) {
  auto first = *decoders().add("ann", avro(7));
  ASSERT_TRUE(decoders().add("ann", protobuf("shop.Order")));
  ASSERT_TRUE(decoders().add("ben", avro(7, "other")));
  auto list = *decoders().list("orders");
  ASSERT_EQ(list.size(), 2u);
  EXPECT_EQ(list[0].message_type, "shop.Order");  // without a frame: first
  EXPECT_FALSE(list[0].schema_id);
  EXPECT_EQ(list[1].schema_id, 7);
  EXPECT_EQ(list[1].definition, R"("string")");
  EXPECT_EQ(list[1].changed_by, "ann");
  EXPECT_STREQ(decoders().remove("other", first.id).error().what, "no_such_decoder");
  ASSERT_TRUE(decoders().remove("orders", first.id));
  EXPECT_STREQ(decoders().remove("orders", first.id).error().what, "no_such_decoder");
  ASSERT_TRUE(decoders().forget_topic("orders"));
  EXPECT_TRUE(decoders().list("orders")->empty());
  EXPECT_EQ(decoders().list("other")->size(), 1u);
}

TEST_F(DecodersTest, OfANumberThereIsOne) {  // D1
  ASSERT_TRUE(decoders().add("ann", avro(7)));
  EXPECT_STREQ(decoders().add("ann", avro(7)).error().what, "schema_id_taken");
  EXPECT_TRUE(decoders().add("ann", avro(8)));
  EXPECT_TRUE(decoders().add("ann", avro()));
  EXPECT_TRUE(decoders().add("ann", avro()));
}

TEST_F(DecodersTest, WhatDoesNotFitIsRefused) {
  struct Row {
    const char* what;
    Decoder decoder;
  };
  Decoder thrift = avro();
  thrift.format = "thrift";
  Decoder empty = avro(), nul = avro(), text = avro(), typed = avro();
  empty.definition = "";
  nul.definition = std::string("\"a\0\"", 4);
  text.definition = "message Order {}";
  typed.message_type = "Order";
  Decoder large = avro();
  large.definition = "\"" + std::string(Decoders::kDefinitionBytesMax, 'x') + "\"";
  Decoder bytes = protobuf("Order");
  bytes.definition = "no base64!";
  for (const Row& row : {Row{"format", thrift}, Row{"schema_id", avro(-1)},
                         Row{"definition", empty}, Row{"definition", nul}, Row{"definition", text},
                         Row{"definition", large}, Row{"definition", bytes},
                         Row{"message_type", typed}, Row{"message_type", protobuf("")},
                         Row{"message_type", protobuf("a b")}}) {
    auto added = decoders().add("ann", row.decoder);
    ASSERT_FALSE(added) << row.what;
    EXPECT_STREQ(added.error().what, row.what);
  }
}

TEST_F(DecodersTest, ATopicHasSoMany) {  // D2
  for (size_t i = 0; i < Decoders::kTopicDecodersMax; ++i)
    ASSERT_TRUE(decoders().add("ann", avro()));
  EXPECT_STREQ(decoders().add("ann", avro()).error().what, "too_many_decoders");
  Decoder large = avro({}, "large");
  large.definition = "\"" + std::string(Decoders::kDefinitionBytesMax - 2, 'x') + "\"";
  for (int i = 0; i < 4; ++i) ASSERT_TRUE(decoders().add("ann", large));
  EXPECT_STREQ(decoders().add("ann", large).error().what, "too_many_decoders");
}

}  // namespace
}  // namespace aichemy::serve::console
