#include "sql/orc/orc_writer.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <cstring>
#include <deque>
#include <fstream>
#include <random>

#include "sql/orc/orc_encode.h"
#include "sql/orc/orc_file.h"

namespace aichemy::orc {
namespace {

class Memory final : public Bytes {
 public:
  explicit Memory(std::string bytes) : bytes_(std::move(bytes)) {}
  uint64_t size() const override { return bytes_.size(); }
  Status read(uint64_t offset, char* to, size_t count) override {
    std::memcpy(to, bytes_.data() + offset, count);
    return {};
  }

 private:
  std::string bytes_;
};

constexpr Compression kAll[] = {Compression::none, Compression::zlib, Compression::snappy,
                                Compression::lz4, Compression::zstd};

// struct<i:bigint,s:string,d:decimal(38,4),t:timestamp,b:boolean,n:tinyint,f:double,
//        l:list<int>,r:struct<x:varchar(9)>,y:date>
std::vector<TypeNode> types() {
  std::vector<TypeNode> out(13);
  out[0] = {Kind::struct_,
            {1, 2, 3, 4, 5, 6, 7, 8, 10, 12},
            {"i", "s", "d", "t", "b", "n", "f", "l", "r", "y"}};
  constexpr Kind kKinds[] = {Kind::long_,   Kind::string,  Kind::decimal, Kind::timestamp,
                             Kind::boolean, Kind::byte,    Kind::double_, Kind::list,
                             Kind::int_,    Kind::struct_, Kind::varchar, Kind::date};
  for (size_t i = 0; i < std::size(kKinds); ++i) out[i + 1].kind = kKinds[i];
  out[3].scale = 4;
  out[8].children = {9};
  out[10].children = {11};
  out[10].names = {"x"};
  return out;
}

// Rows made of noise, runs and steps.
class Rows {
 public:
  explicit Rows(uint64_t seed) : random_(seed) {}

  Batch batch(size_t rows) {
    Batch root;
    root.rows = rows;
    root.children.resize(10);
    for (Batch& column : root.children) nulls(column, rows);
    for (size_t row = 0; row < rows; ++row, ++at_) {
      integers(root.children[0], at_ % 700 < 300 ? static_cast<int64_t>(at_ * 3) : any());
      text(root.children[1], std::string(random_() % 40, 'a' + at_ % 26));
      root.children[2].decimals.push_back((Int128{any()} << 60) + any());
      integers(root.children[3], static_cast<int64_t>(random_() % 4'000'000'000) - 1'000'000'000);
      root.children[3].nanos.push_back(static_cast<int64_t>(random_() % 1000) * 1'000'000);
      if (root.children[3].ints.back() == -1) root.children[3].ints.back() = -2;
      integers(root.children[4], at_ / 9 % 2);
      integers(root.children[5], static_cast<int8_t>(at_ % 50 < 20 ? 7 : random_()));
      root.children[6].doubles.push_back(static_cast<double>(any()) / 8);
      bool none = root.children[7].is_null(row);
      integers(root.children[7], none ? 0 : static_cast<int64_t>(random_() % 4));
      integers(root.children[9], static_cast<int64_t>(random_() % 30'000) - 9'000);
    }
    entries(root.children[7]);
    root.children[8].children.resize(1);
    nulls(root.children[8].children[0], rows);
    for (size_t row = 0; row < rows; ++row)
      text(root.children[8].children[0], "x" + std::to_string(row));
    return root;
  }

 private:
  std::mt19937_64 random_;
  size_t at_ = 0;
  std::deque<std::string> kept_;

  int64_t any() { return static_cast<int64_t>(random_() >> (random_() % 64)); }
  void integers(Batch& column, int64_t value) { column.ints.push_back(value); }
  void text(Batch& column, std::string value) {
    kept_.push_back(std::move(value));
    column.texts.push_back(kept_.back());
  }
  void nulls(Batch& column, size_t rows) {
    column.rows = rows;
    if (random_() % 2 == 0) return;
    for (size_t i = 0; i < rows; ++i) column.nulls.push_back(random_() % 5 == 0);
  }
  void entries(Batch& column) {
    int64_t total = 0;
    for (int64_t length : column.ints) total += length;
    column.children.resize(1);
    nulls(column.children[0], static_cast<size_t>(total));
    for (int64_t i = 0; i < total; ++i) integers(column.children[0], i / 3);
  }
};

void expect_same(const Batch& wrote, const Batch& read, size_t row, size_t at, Kind kind) {
  ASSERT_EQ(wrote.is_null(row), read.is_null(at)) << row;
  if (wrote.is_null(row) || kind == Kind::struct_) return;
  if (kind == Kind::decimal) {
    EXPECT_TRUE(wrote.decimals[row] == read.decimals[at]) << row;
  } else if (kind == Kind::double_) {
    EXPECT_EQ(wrote.doubles[row], read.doubles[at]) << row;
  } else if (kind == Kind::string || kind == Kind::varchar) {
    EXPECT_EQ(wrote.texts[row], read.texts[at]) << row;
  } else if (kind == Kind::timestamp) {
    int64_t seconds = read.ints[at] + 1'420'070'400;
    if (seconds < 0 && read.nanos[at] >= 1'000'000) --seconds;  // as readers do
    EXPECT_EQ(wrote.ints[row], seconds) << row;
    EXPECT_EQ(wrote.nanos[row], read.nanos[at]) << row;
  } else {
    EXPECT_EQ(wrote.ints[row], read.ints[at]) << row;
  }
}

Selection everything(const std::vector<TypeNode>& all, uint32_t type) {
  Selection out{type, {}};
  for (uint32_t child : all[type].children) out.children.push_back(everything(all, child));
  return out;
}

TEST(OrcWriterTest, WhatIsWrittenIsRead) {
  for (Compression compression : kAll) {
    ASSERT_TRUE(is_written(compression));
    std::string bytes;
    Writer writer(types(), std::vector<uint32_t>(13, 9), {compression, 200'000},
                  [&](std::string_view more) -> Status {
                    bytes += more;
                    return {};
                  });
    Rows rows(static_cast<uint64_t>(compression));
    std::vector<Batch> wrote;
    for (int i = 0; i < 12; ++i) {
      wrote.push_back(rows.batch(1000));
      ASSERT_TRUE(writer.write(wrote.back()).has_value());
    }
    ASSERT_TRUE(writer.finish().has_value());
    if (const char* folder = std::getenv("AICHEMY_ORC_OUT")) {
      std::ofstream(std::string(folder) + "/" + std::to_string(static_cast<int>(compression)),
                    std::ios::binary)
          << bytes;
    }
    Memory memory(bytes);
    auto file = File::open(memory);
    ASSERT_TRUE(file.has_value()) << file.error().message;
    EXPECT_GT(file->tail().stripes.size(), 1U);
    EXPECT_EQ(file->tail().statistics.size(), file->tail().stripes.size());
    size_t row = 0;
    for (size_t stripe = 0; stripe < file->tail().stripes.size(); ++stripe) {
      auto all = everything(file->tail().types, 0);
      auto reader = StripeReader::open(*file, stripe, all.children, memory);
      ASSERT_TRUE(reader.has_value()) << reader.error().message;
      std::vector<Batch> read;
      while (true) {
        auto count = (*reader)->read(1000 - row % 1000, read);
        ASSERT_TRUE(count.has_value()) << count.error().message;
        if (*count == 0) break;
        const Batch& from = wrote[row / 1000];
        for (size_t i = 0; i < *count; ++i) {
          for (size_t column = 0; column < 10; ++column) {
            Kind kind = file->tail().types[file->root().children[column]].kind;
            expect_same(from.children[column], read[column], (row + i) % 1000, i, kind);
          }
          if (!from.children[8].is_null((row + i) % 1000))
            expect_same(from.children[8].children[0], read[8].children[0], (row + i) % 1000, i,
                        Kind::varchar);
        }
        row += *count;
      }
    }
    EXPECT_EQ(row, 12'000U);
  }
}

// What the statistics of a stripe say is what is in it.
TEST(OrcWriterTest, Statistics) {
  std::string bytes;
  std::vector<TypeNode> all(3);
  all[0] = {Kind::struct_, {1, 2}, {"i", "s"}};
  all[1].kind = Kind::int_;
  all[2].kind = Kind::string;
  Writer writer(all, {}, {}, [&](std::string_view more) -> Status {
    bytes += more;
    return {};
  });
  Batch root;
  root.rows = 3;
  root.children.resize(2);
  root.children[0].rows = root.children[1].rows = 3;
  root.children[0].ints = {5, -7, 100};
  root.children[0].nulls = {0, 0, 1};
  root.children[1].texts = {"m", "b", "z"};
  ASSERT_TRUE(writer.write(root).has_value());
  ASSERT_TRUE(writer.finish().has_value());
  Memory memory(bytes);
  auto file = File::open(memory);
  ASSERT_TRUE(file.has_value()) << file.error().message;
  const auto& statistics = file->tail().statistics.at(0);
  EXPECT_EQ(statistics[1].values, 2U);
  EXPECT_TRUE(statistics[1].has_null);
  EXPECT_EQ(statistics[1].low, -7);
  EXPECT_EQ(statistics[1].high, 5);
  EXPECT_FALSE(statistics[2].has_null);
  EXPECT_EQ(statistics[2].first, "b");
  EXPECT_EQ(statistics[2].last, "z");
}

TEST(OrcWriterTest, TheSecondBefore1970) {
  std::vector<TypeNode> all(2);
  all[0] = {Kind::struct_, {1}, {"t"}};
  all[1].kind = Kind::timestamp;
  Writer writer(all, {}, {}, [](std::string_view) -> Status { return {}; });
  Batch root;
  root.rows = 1;
  root.children.resize(1);
  root.children[0].rows = 1;
  root.children[0].ints = {-1};
  root.children[0].nanos = {500'000'000};
  Status wrote = writer.write(root);
  ASSERT_FALSE(wrote.has_value());
  EXPECT_EQ(wrote.error().code, Code::unsupported);
}

}  // namespace
}  // namespace aichemy::orc
