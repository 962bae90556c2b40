#include "serve/console/parquet_bounds.h"

#include <gtest/gtest.h>

#include <cstring>

namespace aichemy::serve::console {
namespace {

// Thrift's compact protocol, written.
std::string varint(uint64_t value) {
  std::string out;
  for (; value >= 0x80; value >>= 7) out += static_cast<char>(value | 0x80);
  return out + static_cast<char>(value);
}
std::string number(int64_t value) {
  return varint(static_cast<uint64_t>(value) << 1 ^ static_cast<uint64_t>(value >> 63));
}
std::string field(int id, int kind, const std::string& value) {
  return static_cast<char>(kind) + number(id) + value;
}
std::string end(const std::string& fields) { return fields + '\0'; }
std::string list(uint64_t count, const std::string& items) { return "\xfc" + varint(count) + items; }

std::string page(int64_t plain, int64_t packed, const std::string& more = "") {
  return end(field(1, 5, number(0)) + field(2, 5, number(plain)) + field(3, 5, number(packed)) +
             more);
}
std::string chunk(int64_t at, int64_t bytes) {
  return end(field(3, 12, end(field(7, 6, number(bytes)) + field(9, 6, number(at)))));
}
std::string group(const std::string& chunk) {
  return end(field(1, 9, list(1, chunk)) + field(3, 6, number(7)));
}
std::string column(int64_t children) { return end(field(5, 5, number(children))); }

std::string file(const std::string& body, const std::string& footer, uint64_t claimed = 0) {
  uint64_t length = claimed ? claimed : footer.size();
  std::string out = "PAR1" + body + footer;
  for (int i = 0; i < 4; ++i) out += static_cast<char>(length >> (8 * i));
  return out + "PAR1";
}

// A file of one page, and what may be wrong with it.
std::string with_page(const std::string& page) {
  auto size = static_cast<int64_t>(page.size());
  return file(page, end(field(4, 9, list(1, group(chunk(4, size))))));
}

class Bytes final : public objectstore::ObjectReader {
 public:
  explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) { info_.size = bytes_.size(); }
  const objectstore::ObjectInfo& info() const override { return info_; }
  Result<size_t> read_at(uint64_t offset, char* to, size_t count) override {
    if (offset >= bytes_.size()) return size_t{0};
    size_t got = std::min(count, bytes_.size() - static_cast<size_t>(offset));
    std::memcpy(to, bytes_.data() + offset, got);
    return got;
  }

 private:
  std::string bytes_;
  objectstore::ObjectInfo info_;
};

std::string refused(const std::string& bytes) {
  Bytes reader(bytes);
  Status checked = check_parquet_bounds(reader);
  return checked ? "" : checked.error().message.substr(checked.error().message.find(": ") + 2);
}

TEST(ParquetBounds, WhatIsInOrderIsLetThrough) {
  EXPECT_EQ(refused(with_page(page(10, 3) + "abc" + page(10, 0))), "");
  EXPECT_EQ(refused(file("", end(field(2, 9, list(3, column(2) + column(0) + column(0)))))), "");
  EXPECT_EQ(refused(file("", end(field(4, 9, list(1, end(field(1, 9, list(1, chunk(0, 15))) +
                                                         field(3, 6, number(0)))))))),
            "");
  // Statistics longer than what is read of a header at first.
  std::string text(100'000, 'x');
  EXPECT_EQ(refused(with_page(page(1, 1, field(5, 12, end(field(5, 8, varint(100'000) + text)))) +
                              "a")),
            "");
}

TEST(ParquetBounds, WhatClaimsTooMuchIsRefused) {
  std::string deep;
  for (int i = 0; i < 101; ++i) deep += column(1);
  struct Row {
    const char* why;
    std::string bytes;
  };
  for (const Row& row : {
           Row{"it is too short", "PAR1"},
           Row{"it does not end like one", "PAR1 and so on"},
           Row{"its footer is larger than the file", file("", end(""), 1000)},
           Row{"its footer has 16777217 bytes", file(std::string(17 << 20, 'x'), "", (16 << 20) + 1)},
           Row{"it ends too early", file("", "\x15")},
           Row{"its footer lists too much", file("", end(field(4, 9, list(1u << 31, ""))))},
           Row{"its footer lists too much", file("", end(field(9, 9, list(500'001, ""))))},
           Row{"its columns are nested too deeply", file("", end(field(2, 9, list(101, deep))))},
           Row{"it is nested too deeply", file("", std::string(100, '\x1c'))},
           Row{"a column lies outside of the file",
               file("", end(field(4, 9, list(1, group(chunk(4, 1 << 20))))))},
           Row{"a column lies outside of the file",
               file("", end(field(4, 9, list(1, group(chunk(-1, 1))))))},
           Row{"a page has 2147483647 bytes", with_page(page(INT32_MAX, 1) + "a")},
           Row{"a page has no size", with_page(end(field(1, 5, number(0))))},
           Row{"a page lies outside of its column", with_page(page(10, 10))},
           Row{"a dictionary has more values than bytes",
               with_page(page(10, 1, field(7, 12, end(field(1, 5, number(11))))) + "a")},
           Row{"a number has more than ten bytes", file("", "\x15" + std::string(11, '\xff'))},
       })
    EXPECT_EQ(refused(row.bytes), row.why);
}

TEST(ParquetBounds, PagesOfAGroupAreAddedUp) {
  std::string pages;
  for (int i = 0; i < 17; ++i) pages += page(32 << 20, 0);
  EXPECT_EQ(refused(with_page(pages)), "a row group is too large");
}

}  // namespace
}  // namespace aichemy::serve::console
