#include "sql/orc/orc_stream.h"

#include <lz4.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <cstring>

namespace aichemy::orc {
namespace {

constexpr size_t kHeaderBytes = 3;
constexpr int kRawDeflate = -15;
constexpr uint64_t kStepBytes = 1 << 20;

// The size of the text, none when the bytes are not of the codec or hold more than `room`.
std::optional<size_t> inflate_to(std::string_view packed, char* to, size_t room) {
  z_stream stream{};
  if (inflateInit2(&stream, kRawDeflate) != Z_OK) return std::nullopt;
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(packed.data()));
  stream.avail_in = static_cast<uInt>(packed.size());
  stream.next_out = reinterpret_cast<Bytef*>(to);
  stream.avail_out = static_cast<uInt>(room);
  int code = inflate(&stream, Z_FINISH);
  size_t size = room - stream.avail_out;
  inflateEnd(&stream);
  return code == Z_STREAM_END ? std::optional(size) : std::nullopt;
}

std::optional<size_t> unpack(Compression compression, std::string_view packed, char* to,
                             size_t room) {
  switch (compression) {
    case Compression::zlib: return inflate_to(packed, to, room);
    case Compression::snappy: {
      size_t size = 0;
      if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &size) || size > room ||
          !snappy::RawUncompress(packed.data(), packed.size(), to))
        return std::nullopt;
      return size;
    }
    case Compression::lz4: {
      int size = LZ4_decompress_safe(packed.data(), to, static_cast<int>(packed.size()),
                                     static_cast<int>(room));
      return size < 0 ? std::nullopt : std::optional(static_cast<size_t>(size));
    }
    case Compression::zstd: {
      size_t size = ZSTD_decompress(to, room, packed.data(), packed.size());
      return ZSTD_isError(size) ? std::nullopt : std::optional(size);
    }
    default: return std::nullopt;  // refused when the file was opened
  }
}

}  // namespace

Error malformed(const std::string& what, uint64_t offset) {
  return {Code::corrupt, "orc",
          "Malformed ORC file: " + what + " at byte " + std::to_string(offset)};
}

void Stream::fail(const std::string& what) {
  fault_.set(malformed(what, offset_ + std::min(next_, raw_.size())));
  at_ = end_ = nullptr;
  next_ = raw_.size();
}

uint8_t Stream::stop() {
  fail("a stream ends too early");
  return 0;
}

bool Stream::refill() {
  if (next_ >= raw_.size() || fault_) return false;
  if (compression_ == Compression::none) {
    at_ = raw_.data();
    end_ = at_ + raw_.size();
    next_ = raw_.size();
    return true;
  }
  do {
    std::string_view rest = raw_.substr(next_);
    if (rest.size() < kHeaderBytes) {
      fail("a chunk is cut short");
      return false;
    }
    auto part = [&](size_t i) { return uint32_t{static_cast<uint8_t>(rest[i])} << (8 * i); };
    uint32_t header = part(0) | part(1) | part(2);
    size_t length = header >> 1;
    bool original = header & 1;
    if (length > rest.size() - kHeaderBytes || length > block_bytes_) {
      fail("a chunk is longer than its stream or than a block");
      return false;
    }
    std::string_view packed = rest.substr(kHeaderBytes, length);
    if (original) {
      at_ = packed.data();
      end_ = at_ + packed.size();
    } else {
      chunk_.resize(block_bytes_);
      auto size = unpack(compression_, packed, chunk_.data(), chunk_.size());
      if (!size) {
        fail("a chunk does not decompress");
        return false;
      }
      at_ = chunk_.data();
      end_ = at_ + *size;
    }
    next_ += kHeaderBytes + length;
  } while (at_ == end_ && next_ < raw_.size());
  return at_ != end_;
}

void Stream::read(char* to, uint64_t count) {
  while (count > 0) {
    if (at_ == end_ && !refill()) {
      stop();
      std::memset(to, 0, count);
      return;
    }
    size_t take = std::min<uint64_t>(count, static_cast<uint64_t>(end_ - at_));
    std::memcpy(to, at_, take);
    at_ += take;
    to += take;
    count -= take;
  }
}

void Stream::append(std::string& to, uint64_t count) {
  while (count > 0 && !failed()) {
    size_t used = to.size(), step = std::min(count, std::max<uint64_t>(kStepBytes, used));
    to.resize(used + step);
    read(to.data() + used, step);
    count -= step;
  }
}

void Stream::append_rest(std::string& to, uint64_t bytes_max) {
  while (!failed() && (at_ != end_ || refill())) {
    auto left = static_cast<uint64_t>(end_ - at_);
    if (left > bytes_max) return fail("a part is too large");
    to.append(at_, left);
    bytes_max -= left;
    at_ = end_;
  }
}

uint64_t Stream::varint() {
  uint64_t value = 0;
  for (int shift = 0; shift < 64; shift += 7) {
    uint8_t next = byte();
    value |= static_cast<uint64_t>(next & 0x7f) << shift;
    if (next < 0x80) return value;
  }
  fail("a number is too long");
  return 0;
}

Int128 Stream::signed_varint() {
  Uint128 value = 0;
  for (int shift = 0; shift < 128; shift += 7) {
    uint8_t next = byte();
    value |= static_cast<Uint128>(next & 0x7f) << shift;
    if (next < 0x80) return static_cast<Int128>(value >> 1) ^ -static_cast<Int128>(value & 1);
  }
  fail("a decimal is too long");
  return 0;
}

}  // namespace aichemy::orc
