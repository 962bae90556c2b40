#include "sql/serde/file_lines.h"

#include <gtest/gtest.h>

#include <unistd.h>

#include <cstdio>
#include <duckdb/common/local_file_system.hpp>
#include <fstream>

namespace aichemy::sql {
namespace {

// The engine's local files, with a tag as our store's have it.
class TaggedFiles final : public duckdb::LocalFileSystem {
 public:
  std::string GetVersionTag(duckdb::FileHandle&) override { return tag; }
  std::string tag = "first";
};

class FileLinesTest : public testing::Test {
 protected:
  void SetUp() override { std::ofstream(path_) << "one\ntwo\r\nthree"; }
  void TearDown() override { std::remove(path_.c_str()); }

  std::vector<std::string> lines(FileLines::Range range) {
    FileLines reader(files_, nullptr, path_, {"s3://b/k", "first"}, range);
    std::vector<std::string> all;
    for (std::string_view line; reader.next(line);) all.emplace_back(line);
    return all;
  }

  std::string path_ = testing::TempDir() + "/file_lines_" + std::to_string(getpid());
  TaggedFiles files_;
};

TEST_F(FileLinesTest, RangesTogetherHaveEachLineOnce) {
  std::vector<std::string> whole = lines({});
  ASSERT_EQ(whole.size(), 3u);
  for (uint64_t cut = 1; cut <= 14; ++cut) {
    std::vector<std::string> parts = lines({0, cut});
    for (const auto& line : lines({cut, UINT64_MAX})) parts.push_back(line);
    EXPECT_EQ(parts, whole) << cut;
  }
}

TEST_F(FileLinesTest, AReplacedFileIsAnError) {
  files_.tag = "second";
  try {
    lines({});
    FAIL() << "lines of another file";
  } catch (const std::exception& thrown) {
    EXPECT_NE(std::string(thrown.what()).find("HIVE_BAD_DATA"), std::string::npos) << thrown.what();
  }
}

}  // namespace
}  // namespace aichemy::sql
