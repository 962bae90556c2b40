#include "serve/console/parquet_bounds.h"

#include <algorithm>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "base/bytes.h"

namespace aichemy::serve::console {
namespace {

constexpr uint64_t kTailBytes = 8;         // length of the footer, magic
constexpr uint64_t kHeaderBytes = 4 << 10;  // of most pages; with long statistics they have more
constexpr uint64_t kHeaderBytesMax = 1 << 20;
constexpr int kDepthMax = 32;
constexpr size_t kColumnDepthMax = 100;

std::unexpected<Error> not_parquet(const std::string& why) {
  return fail(Code::invalid, "not_parquet", "this Parquet file is not looked into: " + why);
}

// Thrift's compact protocol, as far as walking through it goes.
class Compact {
 public:
  enum Kind : uint8_t { kI8 = 3, kI32 = 5, kI64 = 6, kDouble, kBinary, kList, kSet, kMap, kStruct };
  using Each = std::function<Status(int field, uint8_t kind)>;

  Compact(std::string_view bytes, uint64_t elements) : bytes_(bytes), elements_(elements) {}
  size_t at() const { return at_; }

  Result<uint64_t> varint() {
    uint64_t out = 0;
    for (int shift = 0; shift < 64; shift += 7) {
      ASSIGN_OR_RETURN(uint8_t byte, next());
      out |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return out;
    }
    return not_parquet("a number has more than ten bytes");
  }

  Result<int64_t> number() {
    ASSIGN_OR_RETURN(uint64_t raw, varint());
    return static_cast<int64_t>(raw >> 1) ^ -static_cast<int64_t>(raw & 1);
  }

  Status fields(const Each& each) {
    if (++depth_ > kDepthMax) return not_parquet("it is nested too deeply");
    for (int64_t field = 0;;) {
      ASSIGN_OR_RETURN(uint8_t head, next());
      if (head == 0) break;
      if (head >> 4) {
        field += head >> 4;
      } else {
        ASSIGN_OR_RETURN(field, number());
      }
      if (field < INT16_MIN || field > INT16_MAX) return not_parquet("a field has no number");
      RETURN_IF_ERROR(each(static_cast<int>(field), head & 0x0f));
    }
    --depth_;
    return {};
  }

  Status list(const std::function<Status(uint64_t index, uint8_t kind)>& each) {
    ASSIGN_OR_RETURN(uint8_t head, next());
    uint64_t count = head >> 4;
    if (count == 15) {
      ASSIGN_OR_RETURN(count, varint());
    }
    RETURN_IF_ERROR(spend(count));
    for (uint64_t i = 0; i < count; ++i) RETURN_IF_ERROR(each(i, head & 0x0f));
    return {};
  }

  Status skip(uint8_t kind) { return skip(kind, false); }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  uint64_t elements_;
  int depth_ = 0;

  Result<uint8_t> next() {
    if (at_ >= bytes_.size()) return not_parquet("it ends too early");
    return static_cast<uint8_t>(bytes_[at_++]);
  }

  // Before anything is made of that many.
  Status spend(uint64_t count) {
    if (count > elements_) return not_parquet("its footer lists too much");
    elements_ -= count;
    return {};
  }

  Status pass(uint64_t count) {
    if (count > bytes_.size() - at_) return not_parquet("it ends too early");
    at_ += count;
    return {};
  }

  Status skip_map() {
    ASSIGN_OR_RETURN(uint64_t count, varint());
    if (count == 0) return {};
    RETURN_IF_ERROR(spend(count));
    ASSIGN_OR_RETURN(uint8_t kinds, next());
    for (uint64_t i = 0; i < count; ++i) {
      RETURN_IF_ERROR(skip(kinds >> 4, true));
      RETURN_IF_ERROR(skip(kinds & 0x0f, true));
    }
    return {};
  }

  Status skip(uint8_t kind, bool in_list) {
    switch (kind) {
      case 1:
      case 2: return pass(in_list ? 1 : 0);  // a field's head holds its boolean
      case kI8: return pass(1);
      case 4:
      case kI32:
      case kI64: {
        ASSIGN_OR_RETURN(uint64_t ignored, varint());
        (void)ignored;
        return {};
      }
      case kDouble: return pass(8);
      case kBinary: {
        ASSIGN_OR_RETURN(uint64_t count, varint());
        return pass(count);
      }
      case kList:
      case kSet:
        if (++depth_ > kDepthMax) return not_parquet("it is nested too deeply");
        RETURN_IF_ERROR(list([&](uint64_t, uint8_t inner) { return skip(inner, true); }));
        --depth_;
        return {};
      case kMap: return skip_map();
      case kStruct: return fields([&](int, uint8_t inner) { return skip(inner); });
      default: return not_parquet("a value has no kind");
    }
  }
};

struct Chunk {
  int64_t data = 0, dictionary = 0, bytes = 0;
};
using Groups = std::vector<std::vector<Chunk>>;

// ColumnMetaData: 7 total_compressed_size, 9 data_page_offset, 11 dictionary_page_offset.
Status read_chunk(Compact& in, Chunk& out) {
  return in.fields([&](int field, uint8_t kind) -> Status {
    if (field != 3 || kind != Compact::kStruct) return in.skip(kind);
    return in.fields([&](int inner, uint8_t of) -> Status {
      int64_t* place = inner == 7    ? &out.bytes
                       : inner == 9  ? &out.data
                       : inner == 11 ? &out.dictionary
                                     : nullptr;
      if (!place || of != Compact::kI64) return in.skip(of);
      ASSIGN_OR_RETURN(*place, in.number());
      return {};
    });
  });
}

// SchemaElement: 5 num_children. The tree is told in depth first, and the engine follows it down.
Status read_schema(Compact& in) {
  std::vector<int64_t> open;  // children that are still to come, of each level
  return in.list([&](uint64_t, uint8_t kind) -> Status {
    if (kind != Compact::kStruct) return not_parquet("a column is none");
    int64_t children = 0;
    RETURN_IF_ERROR(in.fields([&](int field, uint8_t of) -> Status {
      if (field != 5 || of != Compact::kI32) return in.skip(of);
      ASSIGN_OR_RETURN(children, in.number());
      return {};
    }));
    if (!open.empty()) --open.back();
    if (children > 0) open.push_back(children);
    if (children < 0 || open.size() > kColumnDepthMax)
      return not_parquet("its columns are nested too deeply");
    while (!open.empty() && open.back() == 0) open.pop_back();
    return {};
  });
}

// FileMetaData: 2 schema, 4 row_groups; RowGroup: 1 columns, 3 num_rows. Of a group without rows
// nothing is read, and writers leave its places out.
Result<Groups> read_footer(std::string_view footer, const ParquetBounds& bounds) {
  Compact in(footer, bounds.elements);
  Groups groups;
  auto group = [&](uint64_t, uint8_t kind) -> Status {
    if (kind != Compact::kStruct) return not_parquet("a row group is none");
    groups.emplace_back();
    int64_t rows = -1;
    Status read = in.fields([&](int field, uint8_t of) -> Status {
      if (field == 3 && of == Compact::kI64) {
        ASSIGN_OR_RETURN(rows, in.number());
        return {};
      }
      if (field != 1 || of != Compact::kList) return in.skip(of);
      return in.list([&](uint64_t, uint8_t inner) -> Status {
        if (inner != Compact::kStruct) return not_parquet("a column is none");
        return read_chunk(in, groups.back().emplace_back());
      });
    });
    if (rows == 0) groups.pop_back();
    return read;
  };
  RETURN_IF_ERROR(in.fields([&](int field, uint8_t kind) -> Status {
    if (field == 2 && kind == Compact::kList) return read_schema(in);
    return field == 4 && kind == Compact::kList ? in.list(group) : in.skip(kind);
  }));
  return groups;
}

struct PageSizes {
  uint64_t header = 0, packed = 0, plain = 0;
};

// PageHeader: 2 uncompressed_page_size, 3 compressed_page_size, 7 dictionary_page_header, whose 1
// is the number of values: the engine makes room for as many.
Result<PageSizes> read_page(std::string_view bytes, const ParquetBounds& bounds) {
  Compact in(bytes, bounds.elements);
  int64_t plain = -1, packed = -1, values = 0;
  RETURN_IF_ERROR(in.fields([&](int field, uint8_t kind) -> Status {
    if ((field == 2 || field == 3) && kind == Compact::kI32) {
      ASSIGN_OR_RETURN((field == 2 ? plain : packed), in.number());
      return {};
    }
    if (field != 7 || kind != Compact::kStruct) return in.skip(kind);
    return in.fields([&](int inner, uint8_t of) -> Status {
      if (inner != 1 || of != Compact::kI32) return in.skip(of);
      ASSIGN_OR_RETURN(values, in.number());
      return {};
    });
  }));
  if (plain < 0 || packed < 0) return not_parquet("a page has no size");
  if (static_cast<uint64_t>(plain) > bounds.page_bytes)
    return not_parquet("a page has " + std::to_string(plain) + " bytes");
  // Each value of a dictionary has a byte at least.
  if (values < 0 || values > plain) return not_parquet("a dictionary has more values than bytes");
  return PageSizes{in.at(), static_cast<uint64_t>(packed), static_cast<uint64_t>(plain)};
}

Result<std::string> read_part(objectstore::ObjectReader& file, uint64_t at, uint64_t count) {
  std::string out(static_cast<size_t>(count), '\0');
  for (size_t have = 0; have < out.size();) {
    ASSIGN_OR_RETURN(size_t got,
                     file.read_at(at + have, out.data() + have, out.size() - have));
    if (got == 0) return not_parquet("it ends too early");
    have += got;
  }
  return out;
}

Result<PageSizes> page_at(objectstore::ObjectReader& file, uint64_t at, uint64_t end,
                          const ParquetBounds& bounds) {
  ASSIGN_OR_RETURN(std::string head, read_part(file, at, std::min(kHeaderBytes, end - at)));
  auto page = read_page(head, bounds);
  if (page || head.size() == end - at) return page;
  ASSIGN_OR_RETURN(head, read_part(file, at, std::min(kHeaderBytesMax, end - at)));
  return read_page(head, bounds);
}

Status check_chunk(objectstore::ObjectReader& file, const Chunk& chunk,
                   const ParquetBounds& bounds, size_t& pages, uint64_t& plain) {
  int64_t first = chunk.dictionary > 0 ? std::min(chunk.dictionary, chunk.data) : chunk.data;
  auto size = static_cast<int64_t>(file.info().size);
  if (first < 0 || chunk.bytes < 0 || first > size || chunk.bytes > size - first)
    return not_parquet("a column lies outside of the file");
  auto at = static_cast<uint64_t>(first), end = at + static_cast<uint64_t>(chunk.bytes);
  while (at < end && pages > 0) {
    --pages;
    ASSIGN_OR_RETURN(PageSizes page, page_at(file, at, end, bounds));
    plain += page.plain;
    if (plain > bounds.group_bytes) return not_parquet("a row group is too large");
    at += page.header;
    if (page.packed > end - at) return not_parquet("a page lies outside of its column");
    at += page.packed;
  }
  return {};
}

}  // namespace

Status check_parquet_bounds(objectstore::ObjectReader& file, const ParquetBounds& bounds) {
  uint64_t size = file.info().size;
  if (size < kTailBytes + 4) return not_parquet("it is too short");
  ASSIGN_OR_RETURN(std::string tail, read_part(file, size - kTailBytes, kTailBytes));
  if (tail.substr(4) != "PAR1") return not_parquet("it does not end like one");
  uint64_t length = 0;
  for (size_t i = 4; i-- > 0;) length = length << 8 | static_cast<unsigned char>(tail[i]);
  if (length > size - kTailBytes - 4) return not_parquet("its footer is larger than the file");
  if (length > bounds.footer_bytes)
    return not_parquet("its footer has " + std::to_string(length) + " bytes");
  ASSIGN_OR_RETURN(std::string footer, read_part(file, size - kTailBytes - length, length));
  ASSIGN_OR_RETURN(Groups groups, read_footer(footer, bounds));
  size_t pages = bounds.pages;
  for (const auto& group : groups) {
    uint64_t plain = 0;
    for (const Chunk& chunk : group)
      RETURN_IF_ERROR(check_chunk(file, chunk, bounds, pages, plain));
    if (pages == 0) break;
  }
  return {};
}

}  // namespace aichemy::serve::console
