#include "sql/orc/orc_file.h"

#include <gtest/gtest.h>

#include <cstring>
#include <fstream>
#include <iterator>

#include "base/bytes.h"

namespace aichemy::orc {
namespace {

class Memory final : public Bytes {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, char* to, size_t count) override {
    EXPECT_LE(offset + count, bytes_.size());
    std::memcpy(to, bytes_.data() + offset, count);
    read_bytes += count;
    return {};
  }
  uint64_t read_bytes = 0;

 private:
  std::string bytes_;
};

std::string golden(const std::string& name) {
  std::ifstream in(std::string(AICHEMY_GOLDEN_DIR) + "/fuzz/orc_fuzz/" + name, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

std::vector<int64_t> decoded(std::string_view hex, bool is_signed, bool version_2, size_t count,
                             bool* failed = nullptr) {
  Fault fault;
  std::string bytes = *from_hex(hex);
  IntRuns runs(std::make_unique<Stream>(bytes, Compression::none, 1024, 0, fault), is_signed,
               version_2);
  std::vector<int64_t> out(count);
  runs.read(out.data(), count);
  if (failed)
    *failed = static_cast<bool>(fault);
  else
    EXPECT_FALSE(fault) << hex;
  return out;
}

using Ints = std::vector<int64_t>;

// The examples of the specification, "Run Length Encoding".
TEST(OrcRunsTest, IntegersOfVersion1) {
  EXPECT_EQ(decoded("610007", false, false, 100), Ints(100, 7));
  Ints down;
  for (int64_t i = 100; i > 0; --i) down.push_back(i);
  EXPECT_EQ(decoded("61ff64", false, false, 100), down);
  EXPECT_EQ(decoded("fb020306070b", false, false, 5), (Ints{2, 3, 6, 7, 11}));
}

TEST(OrcRunsTest, IntegersOfVersion2) {
  EXPECT_EQ(decoded("0a2710", false, true, 5), Ints(5, 10000));
  EXPECT_EQ(decoded("5e035ca1ab1edeadbeef", false, true, 4), (Ints{23713, 43806, 57005, 48879}));
  EXPECT_EQ(decoded("8e132b2107d01e00147028323c465a646e78828c96a0aab4bec8d2dcf0fa040e18222c363fc0"
                    "00000000",
                    false, true, 1),
            Ints{2030});
  EXPECT_EQ(decoded("c609020222424246", false, true, 10),
            (Ints{2, 3, 5, 7, 11, 13, 17, 19, 23, 29}));
  bool failed = false;
  decoded("5e035ca1", false, true, 4, &failed);
  EXPECT_TRUE(failed);
  decoded("", true, true, 1, &failed);
  EXPECT_TRUE(failed);
}

TEST(OrcFileTest, ReadsWhatTheReferenceWriterWrote) {
  for (const char* name : {"plain.orc", "zlib.orc", "snappy.orc", "lz4.orc", "zstd.orc"}) {
    Memory memory(golden(name));
    auto file = File::open(memory);
    ASSERT_TRUE(file) << name << ": " << file.error().message;
    const TypeNode& root = file->root();
    ASSERT_EQ(root.names, (std::vector<std::string>{"n", "x", "l"}));
    ASSERT_EQ(file->tail().stripes.size(), 1u);
    EXPECT_EQ(file->tail().statistics[0][root.children[0]].high, 499);
    uint32_t list = root.children[2];
    auto stripe = StripeReader::open(*file, 0,
                                     {{root.children[0], {}},
                                      {root.children[1], {}},
                                      {list, {{file->tail().types[list].children[0], {}}}}},
                                     memory);
    ASSERT_TRUE(stripe) << stripe.error().message;
    std::vector<Batch> batches;
    size_t row = 0;
    while (size_t rows = *(*stripe)->read(64, batches)) {
      size_t at = 0;
      for (size_t i = 0; i < rows; ++i, ++row) {
        ASSERT_EQ(batches[0].is_null(i), row % 5 == 2) << name << row;
        if (row % 5 != 2) {
          ASSERT_EQ(batches[0].ints[i], static_cast<int64_t>(row));
        }
        ASSERT_EQ(batches[1].texts[i], "word " + std::to_string(row % 7));
        ASSERT_EQ(batches[2].ints[i], static_cast<int64_t>(row % 3));
        for (int64_t k = 0; k < batches[2].ints[i]; ++k, ++at)
          ASSERT_EQ(batches[2].children[0].ints[at], static_cast<int64_t>(row) + k);
      }
    }
    EXPECT_EQ(row, 500u);
  }
}

TEST(OrcFileTest, ReadsOnlyTheStreamsItNeeds) {
  Memory memory(golden("wide.orc"));
  auto file = File::open(memory);
  ASSERT_TRUE(file);
  memory.read_bytes = 0;
  auto stripe = StripeReader::open(*file, 0, {{file->root().children[0], {}}}, memory);
  ASSERT_TRUE(stripe);
  EXPECT_LT(memory.read_bytes, 2000u);
  EXPECT_GT(memory.size(), 50'000u);
}

TEST(OrcFileTest, DamagedFilesAreErrors) {
  std::string body = golden("zlib.orc");
  for (size_t size = 0; size < body.size(); ++size) {
    Memory memory(body.substr(0, size));
    auto file = File::open(memory);
    ASSERT_FALSE(file) << size;
    EXPECT_EQ(file.error().code, Code::corrupt);
  }
}

}  // namespace
}  // namespace aichemy::orc
