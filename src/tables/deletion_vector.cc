#include "tables/deletion_vector.h"

#include <algorithm>

#include "base/bytes.h"
#include "base/checksum.h"
#include "base/json.h"

namespace aichemy::tables {

namespace {

constexpr std::string_view kMagic = "\xd1\xd3\x39\x64";
constexpr std::string_view kPuffinMagic = "PFA1";
constexpr uint32_t kCookieWithoutRuns = 12346;
constexpr uint32_t kCookieWithRuns = 12347;
constexpr size_t kArrayMax = 4096;
constexpr size_t kBitmapBytes = 8192;
constexpr size_t kOffsetsFrom = 4;  // containers, when there are runs
constexpr size_t kPositionsMax = size_t{1} << 28;
constexpr uint32_t kKeyMax = 0x7fffffff;  // positions are 63 bits (Puffin specification)
constexpr int kPositionFieldId = 2147483645;

std::unexpected<Error> broken(const char* why) {
  return fail(Code::corrupt, "deletion_vector", std::string("a deletion vector is broken: ") + why);
}

// The 32-bit Roaring format (github.com/RoaringBitmap/RoaringFormatSpec), bounds checked.
class RoaringReader {
 public:
  explicit RoaringReader(std::string_view bytes) : left_(bytes) {}

  template <class T>
  T number() {
    if (left_.size() < sizeof(T)) {
      failed_ = true;
      left_ = {};
      return 0;
    }
    T value = load_little<T>(left_.data());
    left_.remove_prefix(sizeof(T));
    return value;
  }
  bool failed() const { return failed_; }
  bool at_end() const { return left_.empty(); }

  Status bitmap(uint64_t high, Positions* to) {
    auto cookie = number<uint32_t>();
    bool runs = (cookie & 0xffff) == kCookieWithRuns;
    if (!runs && cookie != kCookieWithoutRuns) return broken("its cookie is unknown");
    size_t containers = runs ? (cookie >> 16) + 1 : number<uint32_t>();
    if (containers > 65536) return broken("it has too many containers");
    std::string_view flags = runs ? take((containers + 7) / 8) : std::string_view();
    std::vector<std::pair<uint16_t, size_t>> heads;
    for (size_t i = 0; i < containers && !failed_; ++i) {
      auto key = number<uint16_t>();
      if (!heads.empty() && key <= heads.back().first) return broken("its keys are not in order");
      heads.emplace_back(key, size_t{number<uint16_t>()} + 1);
    }
    if (!runs || containers >= kOffsetsFrom) take(containers * 4);  // offsets: we read in order
    if (failed_) return broken("it ends too early");
    for (size_t i = 0; i < heads.size(); ++i) {
      bool run = runs && (static_cast<uint8_t>(flags[i / 8]) >> (i % 8) & 1) != 0;
      uint64_t base = high << 32 | uint64_t{heads[i].first} << 16;
      RETURN_IF_ERROR(container(base, heads[i].second, run, to));
    }
    return {};
  }

 private:
  std::string_view left_;
  bool failed_ = false;

  std::string_view take(size_t size) {
    if (left_.size() < size) {
      failed_ = true;
      left_ = {};
      return {};
    }
    std::string_view taken = left_.substr(0, size);
    left_.remove_prefix(size);
    return taken;
  }

  Status container(uint64_t base, size_t cardinality, bool run, Positions* to) {
    size_t before = to->size();
    if (before + cardinality > kPositionsMax) return broken("it has too many positions");
    if (run) {
      auto count = number<uint16_t>();
      for (size_t i = 0; i < count && !failed_; ++i) {
        uint64_t first = number<uint16_t>();
        uint64_t more = number<uint16_t>();
        if (first + more > 0xffff) return broken("a run leaves its container");
        for (uint64_t low = first; low <= first + more; ++low) to->push_back(base | low);
      }
    } else if (cardinality <= kArrayMax) {
      for (size_t i = 0; i < cardinality && !failed_; ++i) to->push_back(base | number<uint16_t>());
    } else {
      std::string_view bits = take(kBitmapBytes);
      for (size_t byte = 0; byte < bits.size(); ++byte) {
        for (unsigned bit = 0; bit < 8; ++bit) {
          if ((static_cast<uint8_t>(bits[byte]) >> bit & 1) != 0)
            to->push_back(base | (byte * 8 + bit));
        }
      }
    }
    if (failed_) return broken("it ends too early");
    if (to->size() - before != cardinality) return broken("a container's count is wrong");
    bool ordered = std::is_sorted(to->begin() + static_cast<std::ptrdiff_t>(before), to->end());
    return ordered ? Status() : broken("its positions are not in order");
  }
};

void put_bitmap(const Positions& positions, size_t from, size_t to, std::string* out) {
  struct Container {
    uint16_t key;
    size_t from, to;
  };
  std::vector<Container> containers;
  for (size_t i = from; i < to; ++i) {
    auto key = static_cast<uint16_t>(positions[i] >> 16);
    if (containers.empty() || containers.back().key != key) containers.push_back({key, i, i});
    containers.back().to = i + 1;
  }
  size_t begin = out->size();
  append_little(*out, kCookieWithoutRuns);
  append_little(*out, static_cast<uint32_t>(containers.size()));
  for (const Container& container : containers) {
    append_little(*out, container.key);
    append_little(*out, static_cast<uint16_t>(container.to - container.from - 1));
  }
  size_t offset = out->size() - begin + containers.size() * 4;
  for (const Container& container : containers) {
    append_little(*out, static_cast<uint32_t>(offset));
    size_t count = container.to - container.from;
    offset += count <= kArrayMax ? count * 2 : kBitmapBytes;
  }
  for (const Container& container : containers) {
    if (container.to - container.from <= kArrayMax) {
      for (size_t i = container.from; i < container.to; ++i)
        append_little(*out, static_cast<uint16_t>(positions[i]));
      continue;
    }
    std::string bits(kBitmapBytes, '\0');
    for (size_t i = container.from; i < container.to; ++i) {
      auto low = static_cast<uint16_t>(positions[i]);
      bits[low / 8] = static_cast<char>(bits[low / 8] | 1 << low % 8);
    }
    *out += bits;
  }
}

}  // namespace

Result<Positions> decode_deletion_vector(std::string_view blob) {
  if (blob.size() < 4 + 4 + 8 + 4) return broken("it is too short");
  auto length = load_big<uint32_t>(blob.data());
  if (length != blob.size() - 8) return broken("its length is wrong");
  std::string_view content = blob.substr(4, length);
  if (!content.starts_with(kMagic)) return broken("its magic number is missing");
  if (crc32(0, content) != load_big<uint32_t>(blob.data() + 4 + length))
    return broken("its checksum does not match");
  RoaringReader reader(content.substr(4));
  auto bitmaps = reader.number<uint64_t>();
  Positions positions;
  uint64_t next_key = 0;
  for (uint64_t i = 0; i < bitmaps; ++i) {
    auto key = reader.number<uint32_t>();
    if (reader.failed()) return broken("it ends too early");
    if (key < next_key) return broken("its bitmaps are not in order");
    if (key > kKeyMax) return broken("a position has its highest bit set");
    next_key = uint64_t{key} + 1;
    RETURN_IF_ERROR(reader.bitmap(key, &positions));
  }
  if (!reader.at_end()) return broken("bytes follow its bitmaps");
  return positions;
}

std::string encode_deletion_vector(const Positions& positions) {
  std::string content(kMagic);
  size_t bitmaps_at = content.size();
  append_little(content, uint64_t{0});
  uint64_t bitmaps = 0;
  for (size_t from = 0; from < positions.size(); ++bitmaps) {
    uint64_t key = positions[from] >> 32;
    size_t to = from;
    while (to < positions.size() && positions[to] >> 32 == key) ++to;
    append_little(content, static_cast<uint32_t>(key));
    put_bitmap(positions, from, to, &content);
    from = to;
  }
  store_little(content.data() + bitmaps_at, bitmaps);
  std::string blob;
  append_big(blob, static_cast<uint32_t>(content.size()));
  blob += content;
  append_big(blob, crc32(0, content));
  return blob;
}

Result<Positions> read_deletion_vector(const Call& call, FileIo& files, const DeleteFile& vector) {
  ASSIGN_OR_RETURN(std::string file, files.read(call, vector.path));
  return deletion_vector_in(file, vector);
}

Result<Positions> deletion_vector_in(std::string_view file, const DeleteFile& vector) {
  if (vector.content_offset > file.size() ||
      vector.content_size > file.size() - vector.content_offset) {
    return fail(Code::corrupt, "deletion_vector", vector.path + " ends before its blob does");
  }
  auto positions = decode_deletion_vector(file.substr(vector.content_offset, vector.content_size));
  if (!positions) {
    positions.error().message = vector.path + ": " + positions.error().message;
    return positions;
  }
  if (positions->size() != vector.record_count) {
    return fail(Code::corrupt, "deletion_vector",
                vector.path + " has " + std::to_string(positions->size()) +
                    " positions, its manifest says " + std::to_string(vector.record_count));
  }
  return positions;
}

std::string encode_puffin(std::vector<VectorBlob>* vectors) {
  std::string file(kPuffinMagic);
  Json blobs = Json::array();
  for (VectorBlob& vector : *vectors) {
    std::string blob = encode_deletion_vector(vector.positions);
    vector.offset = file.size();
    vector.size = blob.size();
    file += blob;
    Json fields = Json::array();
    fields.push(kPositionFieldId);
    Json properties = Json::object();
    properties.set("referenced-data-file", vector.data_file);
    properties.set("cardinality", std::to_string(vector.positions.size()));
    Json item = Json::object();
    item.set("type", "deletion-vector-v1").set("fields", std::move(fields));
    item.set("snapshot-id", -1).set("sequence-number", -1);
    item.set("offset", static_cast<int64_t>(vector.offset));
    item.set("length", static_cast<int64_t>(vector.size));
    item.set("properties", std::move(properties));
    blobs.push(std::move(item));
  }
  Json properties = Json::object();
  properties.set("created-by", "AIchemy");
  Json footer = Json::object();
  footer.set("blobs", std::move(blobs)).set("properties", std::move(properties));
  std::string text = footer.dump();
  file += kPuffinMagic;
  file += text;
  append_little(file, static_cast<uint32_t>(text.size()));
  append_little(file, uint32_t{0});  // flags: the footer is not compressed
  file += kPuffinMagic;
  return file;
}

}  // namespace aichemy::tables
