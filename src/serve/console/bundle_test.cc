#include "serve/console/bundle.h"

#include <gtest/gtest.h>

namespace aichemy::serve::console {
namespace {

TEST(Bundle, FindsFilesByPathAndEncoding) {
  std::string text =
      "AICHEMY CONSOLE 1\n3\n/index.html\ttext/html\tidentity\t0\t4\taa\n"
      "/a.js\ttext/javascript\tgzip\t4\t2\tbb\n/a.js\ttext/javascript\tbr\t6\t1\tbb\n\nhomezzb";
  auto bundle = Bundle::parse(text);
  ASSERT_TRUE(bundle) << bundle.error().message;
  EXPECT_EQ(bundle->find("/index.html")->plain, "home");
  EXPECT_EQ(bundle->find("/a.js")->gzip, "zz");
  EXPECT_EQ(bundle->find("/a.js")->brotli, "b");
  EXPECT_EQ(bundle->find("/b.js"), nullptr);
}

TEST(Bundle, NoBytesIsNoConsole) { EXPECT_TRUE(Bundle::parse("")->empty()); }

TEST(Bundle, BrokenOnesAreRefused) {
  for (const char* text :
       {"x", "AICHEMY CONSOLE 1\n", "AICHEMY CONSOLE 1\nx\n\n", "AICHEMY CONSOLE 1\n1\na\tb\n\n",
        "AICHEMY CONSOLE 1\n1\n/a\tt\tgzip\t0\t9\te\n\nabc",
        "AICHEMY CONSOLE 1\n1\n/a\tt\tgzip\t9\t1\te\n\nabc",
        "AICHEMY CONSOLE 1\n1\n/a\tt\tgzip\t0\t1\te\nabc"}) {
    auto bundle = Bundle::parse(text);
    ASSERT_FALSE(bundle) << text;
    EXPECT_EQ(bundle.error().code, Code::corrupt);
  }
}

TEST(Bundle, TheEmbeddedOneIsGoodOrAbsent) {
  auto bundle = Bundle::parse(embedded_bundle());
  ASSERT_TRUE(bundle) << bundle.error().message;
  if (!bundle->empty()) EXPECT_NE(bundle->find("/index.html"), nullptr);
}

}  // namespace
}  // namespace aichemy::serve::console
