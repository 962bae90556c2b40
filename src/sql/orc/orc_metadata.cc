#include "sql/orc/orc_metadata.h"

#include <fmt/format.h>

#include "base/bytes.h"

namespace aichemy::orc {
namespace {

constexpr const char* kKinds[] = {
    "BOOLEAN",          "BYTE",   "SHORT",   "INT",       "LONG",    "FLOAT",
    "DOUBLE",           "STRING", "BINARY",  "TIMESTAMP", "LIST",    "MAP",
    "STRUCT",           "UNION",  "DECIMAL", "DATE",      "VARCHAR", "CHAR",
    "TIMESTAMP_INSTANT"};
constexpr size_t kTypesMax = 100'000;
constexpr int kDepthMax = 64;
constexpr uint64_t kBlockMax = 1 << 23;  // what the header of a chunk can say
constexpr uint64_t kStripeRowsMax = uint64_t{1} << 40;

// Fields of a protobuf message. The first error sticks: there are no further fields.
class Message {
 public:
  explicit Message(std::string_view bytes) : rest_(bytes) {}

  bool next() {
    if (rest_.empty() || failed_) return false;
    uint64_t key = varint();
    number_ = static_cast<uint32_t>(key >> 3);
    bytes_ = {};
    value_ = 0;
    kind_ = key & 7;
    switch (kind_) {
      case 0: value_ = varint(); break;
      case 1: bytes_ = take(8); break;
      case 2: bytes_ = take(varint()); break;
      case 5: bytes_ = take(4); break;
      default: failed_ = true;
    }
    return !failed_;
  }
  uint32_t number() const { return number_; }
  uint64_t value() const { return value_; }
  int64_t zigzag() const {
    return static_cast<int64_t>(value_ >> 1) ^ -static_cast<int64_t>(value_ & 1);
  }
  std::string_view bytes() const { return bytes_; }
  bool failed() const { return failed_; }

  // A repeated number: packed or one of many.
  void append_to(std::vector<uint32_t>& out) {
    if (kind_ == 0) return out.push_back(static_cast<uint32_t>(value_));
    Message packed(bytes_);
    while (!packed.rest_.empty() && !packed.failed_)
      out.push_back(static_cast<uint32_t>(packed.varint()));
    failed_ = failed_ || packed.failed_;
  }

 private:
  std::string_view rest_;
  bool failed_ = false;
  uint32_t number_ = 0;
  uint64_t kind_ = 0, value_ = 0;
  std::string_view bytes_;

  uint64_t varint() {
    uint64_t value = 0;
    for (int shift = 0; shift < 64 && !rest_.empty(); shift += 7) {
      auto byte = static_cast<uint8_t>(rest_[0]);
      rest_.remove_prefix(1);
      value |= static_cast<uint64_t>(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    failed_ = true;
    return 0;
  }
  std::string_view take(uint64_t count) {
    if (failed_ || count > rest_.size()) {
      failed_ = true;
      return {};
    }
    std::string_view out = rest_.substr(0, count);
    rest_.remove_prefix(count);
    return out;
  }
};

std::unexpected<Error> broken(const std::string& what, uint64_t offset) {
  return std::unexpected(malformed(what, offset));
}

std::optional<TypeNode> type_of(std::string_view bytes) {
  TypeNode type;
  std::optional<int32_t> precision, scale;
  Message message(bytes);
  while (message.next()) {
    switch (message.number()) {
      case 1:
        if (message.value() >= std::size(kKinds)) return std::nullopt;
        type.kind = static_cast<Kind>(message.value());
        break;
      case 2: message.append_to(type.children); break;
      case 3: type.names.emplace_back(message.bytes()); break;
      case 5: precision = static_cast<int32_t>(message.value()); break;
      case 6: scale = static_cast<int32_t>(message.value()); break;
      default: break;
    }
  }
  if (message.failed()) return std::nullopt;
  if (precision.value_or(0) != 0) {
    type.precision = *precision;
    type.scale = scale.value_or(0);
  }
  if (type.precision < 1 || type.precision > 38 || type.scale < 0 || type.scale > type.precision)
    return std::nullopt;
  return type;
}

Stripe stripe_of(Message message) {
  Stripe stripe;
  while (message.next()) {
    switch (message.number()) {
      case 1: stripe.offset = message.value(); break;
      case 2: stripe.index_bytes = message.value(); break;
      case 3: stripe.data_bytes = message.value(); break;
      case 4: stripe.footer_bytes = message.value(); break;
      case 5: stripe.rows = message.value(); break;
      default: break;
    }
  }
  return stripe;
}

bool fits(const Stripe& stripe, uint64_t file_bytes) {
  uint64_t left = file_bytes;
  for (uint64_t part :
       {stripe.offset, stripe.index_bytes, stripe.data_bytes, stripe.footer_bytes}) {
    if (part > left) return false;
    left -= part;
  }
  return stripe.rows <= kStripeRowsMax;
}

// Children come after their parents and have one each; names and counts fit the kind.
bool is_tree(const std::vector<TypeNode>& types) {
  std::vector<int> depth(types.size(), -1);
  if (types.empty()) return false;
  depth[0] = 0;
  for (size_t i = 0; i < types.size(); ++i) {
    const TypeNode& type = types[i];
    if (depth[i] < 0 || depth[i] > kDepthMax) return false;
    for (uint32_t child : type.children) {
      if (child <= i || child >= types.size() || depth[child] >= 0) return false;
      depth[child] = depth[i] + 1;
    }
    size_t count = type.children.size();
    switch (type.kind) {
      case Kind::list:
        if (count != 1) return false;
        break;
      case Kind::map:
        if (count != 2) return false;
        break;
      case Kind::struct_:
        if (type.names.size() != count) return false;
        break;
      case Kind::union_: break;
      default:
        if (count != 0) return false;
    }
  }
  return true;
}

void text_bounds(Message message, ColumnStatistics& out) {
  while (message.next()) {
    // Bounds that were cut (4, 5) bound as well.
    if (message.number() == 1 || message.number() == 4) out.first = message.bytes();
    if (message.number() == 2 || message.number() == 5) out.last = message.bytes();
  }
}

ColumnStatistics statistics_of(std::string_view bytes) {
  ColumnStatistics out;
  Message message(bytes);
  while (message.next()) {
    switch (message.number()) {
      case 1: out.values = message.value(); break;
      case 2:
      case 7: {  // integers, dates
        Message range(message.bytes());
        while (range.next()) {
          if (range.number() == 1) out.low = range.zigzag();
          if (range.number() == 2) out.high = range.zigzag();
        }
        break;
      }
      case 4: text_bounds(Message(message.bytes()), out); break;
      case 10: out.has_null = message.value() != 0; break;
      default: break;
    }
  }
  return out;
}

}  // namespace

const char* kind_name(Kind kind) { return kKinds[static_cast<size_t>(kind)]; }

Result<PostScript> read_postscript(std::string_view bytes, uint64_t offset) {
  PostScript out;
  bool magic = false;
  Message message(bytes);
  while (message.next()) {
    switch (message.number()) {
      case 1: out.footer_bytes = message.value(); break;
      case 2:
        if (message.value() > static_cast<uint64_t>(Compression::brotli))
          return broken("an unknown compression", offset);
        out.compression = static_cast<Compression>(message.value());
        break;
      case 3: out.block_bytes = message.value(); break;
      case 5: out.metadata_bytes = message.value(); break;
      case 8000: magic = message.bytes() == "ORC"; break;
      default: break;
    }
  }
  if (message.failed() || !magic) return broken("no valid postscript", offset);
  if (out.compression == Compression::lzo || out.compression == Compression::brotli) {
    return fail(Code::unsupported, "orc",
                fmt::format("ORC files compressed with {} are not supported",
                            out.compression == Compression::lzo ? "LZO" : "BROTLI"));
  }
  if (out.block_bytes == 0 || out.block_bytes > kBlockMax)
    return broken(fmt::format("a compression block of {} bytes", out.block_bytes), offset);
  return out;
}

Status read_footer(std::string_view bytes, uint64_t offset, uint64_t file_bytes, Tail& tail) {
  uint64_t rows = 0, counted = 0;
  Message message(bytes);
  while (message.next()) {
    switch (message.number()) {
      case 3:
        tail.stripes.push_back(stripe_of(Message(message.bytes())));
        if (!fits(tail.stripes.back(), file_bytes))
          return broken("a stripe lies outside the file", offset);
        counted += tail.stripes.back().rows;
        break;
      case 4: {
        auto type = type_of(message.bytes());
        if (!type || tail.types.size() >= kTypesMax) return broken("an invalid type", offset);
        tail.types.push_back(std::move(*type));
        break;
      }
      case 6: rows = message.value(); break;
      case 10: return fail(Code::unsupported, "orc", "Encrypted ORC files are not supported");
      default: break;
    }
  }
  if (message.failed()) return broken("the footer is not valid", offset);
  if (rows != counted) return broken("the stripes have not as many rows as the file", offset);
  if (!is_tree(tail.types)) return broken("the types are no tree", offset);
  return {};
}

Status read_statistics(std::string_view bytes, uint64_t offset, Tail& tail) {
  Message message(bytes);
  while (message.next()) {
    if (message.number() != 1) continue;
    auto& columns = tail.statistics.emplace_back();
    Message stripe(message.bytes());
    while (stripe.next()) {
      if (stripe.number() == 1) columns.push_back(statistics_of(stripe.bytes()));
    }
    if (stripe.failed()) return broken("statistics of a stripe are not valid", offset);
  }
  if (message.failed()) return broken("the metadata is not valid", offset);
  return {};
}

Result<StripeFooter> read_stripe_footer(std::string_view bytes, const Stripe& stripe,
                                        size_t columns) {
  StripeFooter out;
  uint64_t end = stripe.offset + stripe.index_bytes + stripe.data_bytes;
  uint64_t at = stripe.offset;
  Message message(bytes);
  while (message.next()) {
    if (message.number() == 1) {
      StreamPlace place;
      Message stream(message.bytes());
      while (stream.next()) {
        if (stream.number() == 1) place.kind = stream.value();
        if (stream.number() == 2) place.column = stream.value();
        if (stream.number() == 3) place.bytes = stream.value();
      }
      place.offset = at;
      if (stream.failed() || place.bytes > end - at || place.column >= columns)
        return broken("a stream lies outside its stripe", end);
      at += place.bytes;
      out.streams.push_back(place);
    } else if (message.number() == 2) {
      ColumnEncoding encoding;
      Message column(message.bytes());
      while (column.next()) {
        if (column.number() == 1 && column.value() > 3)
          return broken("an unknown encoding of a column", end);
        if (column.number() == 1) encoding.encoding = static_cast<Encoding>(column.value());
        if (column.number() == 2) encoding.dictionary_size = column.value();
      }
      out.encodings.push_back(encoding);
    } else if (message.number() == 3) {
      out.time_zone = message.bytes();
    }
  }
  if (message.failed() || out.encodings.size() != columns)
    return broken("the footer of a stripe is not valid", end);
  return out;
}

}  // namespace aichemy::orc
