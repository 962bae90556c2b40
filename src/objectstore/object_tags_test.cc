#include "objectstore/object_tags.h"

#include <gtest/gtest.h>

namespace aichemy::objectstore {
namespace {

TEST(ObjectTags, AreSpelledAsTheHeaderDoes) {
  Tags tags = {{"project", "a b&c"}, {"ü", "=+/"}, {"empty", ""}};
  EXPECT_EQ(check_tags(tags).error().what, std::string("tag_value"));  // the &
  tags["project"] = "a b";
  ASSERT_TRUE(check_tags(tags));
  EXPECT_EQ(*decode_tags(encode_tags(tags)), tags);
  EXPECT_EQ(*decode_tags("a=1+2&b&&c="), (Tags{{"a", "1 2"}, {"b", ""}, {"c", ""}}));
  EXPECT_EQ(*decode_tags(""), Tags{});
}

TEST(ObjectTags, OnesThatS3RefusesAreRefused) {
  auto what = [](const char* text) { return std::string(decode_tags(text).error().what); };
  EXPECT_EQ(what("a=1&a=2"), "tag_twice");
  EXPECT_EQ(what("=1"), "tag_key");
  EXPECT_EQ(what("aws:x=1"), "tag_key");
  EXPECT_EQ(what("a%00=1"), "tag_key");
  EXPECT_EQ(what("a=%ff"), "tag_value");
  EXPECT_EQ(what("a=%zz"), "tag_text");
  EXPECT_EQ(what("1&2&3&4&5&6&7&8&9&10&11"), "too_many_tags");
  std::string longest;
  for (size_t i = 0; i < kTagKeyMax; ++i) longest += "ü";
  EXPECT_TRUE(check_tags({{longest, std::string(kTagValueMax, 'v')}}));
  EXPECT_FALSE(check_tags({{longest + "x", ""}}));
  EXPECT_FALSE(check_tags({{"k", std::string(kTagValueMax + 1, 'v')}}));
}

TEST(ObjectTags, LiveAmongMetadata) {
  Metadata metadata = {{"x-amz-meta-a", "b"}};
  EXPECT_EQ(tags_of(metadata), Tags{});
  put_tags(metadata, {{"k", "v"}});
  EXPECT_EQ(tags_of(metadata), (Tags{{"k", "v"}}));
  put_tags(metadata, {});
  EXPECT_EQ(metadata, (Metadata{{"x-amz-meta-a", "b"}}));
}

}  // namespace
}  // namespace aichemy::objectstore
