#include "sql/orc/orc_encode.h"

#include <lz4.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <bit>

namespace aichemy::orc {
namespace {

// Low levels: a stripe is compressed by one thread, while the query waits.
constexpr int kZstdLevel = 3, kDeflateLevel = 2, kRawDeflate = -15, kDeflateMemory = 8;

std::unexpected<Error> broken(const char* what) { return fail(Code::internal, "orc", what); }

Result<std::string> deflated(std::string_view chunk) {
  z_stream stream{};
  if (deflateInit2(&stream, kDeflateLevel, Z_DEFLATED, kRawDeflate, kDeflateMemory,
                   Z_DEFAULT_STRATEGY) != Z_OK)
    return broken("deflateInit2 failed");
  std::string out(deflateBound(&stream, chunk.size()), '\0');
  // zlib does not write to its input.
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(chunk.data()));
  stream.avail_in = static_cast<uInt>(chunk.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int done = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (done != Z_STREAM_END) return broken("deflate failed");
  return out;
}

Result<std::string> compressed(Compression compression, std::string_view chunk) {
  std::string out;
  switch (compression) {
    case Compression::zlib: return deflated(chunk);
    case Compression::snappy: snappy::Compress(chunk.data(), chunk.size(), &out); return out;
    case Compression::lz4: {
      out.resize(static_cast<size_t>(LZ4_compressBound(static_cast<int>(chunk.size()))));
      int size = LZ4_compress_default(chunk.data(), out.data(), static_cast<int>(chunk.size()),
                                      static_cast<int>(out.size()));
      if (size <= 0) return broken("lz4 failed");
      out.resize(static_cast<size_t>(size));
      return out;
    }
    case Compression::zstd: {
      out.resize(ZSTD_compressBound(chunk.size()));
      size_t size = ZSTD_compress(out.data(), out.size(), chunk.data(), chunk.size(), kZstdLevel);
      if (ZSTD_isError(size)) return broken("zstd failed");
      out.resize(size);
      return out;
    }
    default: return broken("a compression that is not written");
  }
}

// Widths of packed integers: all up to 24 bits, then some.
struct Width {
  int bits;
  uint8_t code;
};
Width width_for(uint64_t widest) {
  int bits = std::max(1, static_cast<int>(std::bit_width(widest)));
  if (bits <= 24) return {bits, static_cast<uint8_t>(bits - 1)};
  constexpr Width kWide[] = {{26, 24}, {28, 25}, {30, 26}, {32, 27},
                             {40, 28}, {48, 29}, {56, 30}, {64, 31}};
  return *std::ranges::find_if(kWide, [&](const Width& width) { return width.bits >= bits; });
}

}  // namespace

bool is_written(Compression compression) {
  return compression != Compression::lzo && compression != Compression::brotli;
}

void StreamWriter::bytes(std::string_view value) {
  while (!value.empty()) {
    size_t count = std::min(value.size(), kBlockBytes - chunk_.size());
    chunk_ += value.substr(0, count);
    value.remove_prefix(count);
    if (chunk_.size() >= kBlockBytes) flush();
  }
}

void StreamWriter::varint(uint64_t value) {
  for (; value >= 0x80; value >>= 7) byte(static_cast<uint8_t>(value | 0x80));
  byte(static_cast<uint8_t>(value));
}

void StreamWriter::signed_varint(Int128 value) {
  auto bits = static_cast<Uint128>(value) << 1 ^ static_cast<Uint128>(value >> 127);
  for (; bits >= 0x80; bits >>= 7) byte(static_cast<uint8_t>(bits) | 0x80);
  byte(static_cast<uint8_t>(bits));
}

void StreamWriter::flush() {
  if (chunk_.empty()) return;
  if (compression_ == Compression::none) {
    packed_ += chunk_;
    return chunk_.clear();
  }
  auto smaller = compressed(compression_, chunk_);
  if (!smaller && status_) status_ = std::unexpected(smaller.error());
  bool original = !smaller || smaller->size() >= chunk_.size();
  const std::string& kept = original ? chunk_ : *smaller;
  size_t header = kept.size() << 1 | (original ? 1 : 0);
  for (int shift = 0; shift < 24; shift += 8) packed_.push_back(static_cast<char>(header >> shift));
  packed_ += kept;
  chunk_.clear();
}

Result<std::string> StreamWriter::take() {
  flush();
  RETURN_IF_ERROR(status_);
  return std::exchange(packed_, {});
}

// ---- bytes ----

void ByteRunWriter::put(uint8_t value) {
  values_[count_++] = value;
  if (count_ == kMax) flush();
}

void ByteRunWriter::flush() {
  constexpr size_t kRunMin = 3;
  auto literals = [&](size_t begin, size_t end) {
    if (begin == end) return;
    to_.byte(static_cast<uint8_t>(-static_cast<int>(end - begin)));
    for (size_t i = begin; i < end; ++i) to_.byte(values_[i]);
  };
  size_t begin = 0, at = 0;
  while (at < count_) {
    size_t end = at + 1;
    while (end < count_ && values_[end] == values_[at]) ++end;
    if (end - at < kRunMin) {
      at = end;
      continue;
    }
    literals(begin, at);
    to_.byte(static_cast<uint8_t>(end - at - kRunMin));
    to_.byte(values_[at]);
    begin = at = end;
  }
  literals(begin, count_);
  count_ = 0;
}

// ---- bits ----

void BitRunWriter::emit() {
  bytes_.put(byte_);
  byte_ = 0;
  filled_ = 0;
}

void BitRunWriter::flush() {
  if (filled_ > 0) {
    byte_ = static_cast<uint8_t>(byte_ << (8 - filled_));
    emit();
  }
  bytes_.flush();
}

// ---- integers ----

uint64_t IntRunWriter::bits_of(int64_t value) const {
  auto bits = static_cast<uint64_t>(value);
  return signed_ ? bits << 1 ^ static_cast<uint64_t>(value >> 63) : bits;
}

size_t IntRunWriter::steady(size_t begin) const {
  if (begin + 1 >= count_) return count_ - begin;
  int64_t difference = 0, next = 0;
  if (__builtin_sub_overflow(values_[begin + 1], values_[begin], &difference)) return 1;
  size_t end = begin + 2;
  while (end < count_ && !__builtin_sub_overflow(values_[end], values_[end - 1], &next) &&
         next == difference)
    ++end;
  return end - begin;
}

void IntRunWriter::direct(size_t begin, size_t end) {
  if (begin == end) return;
  uint64_t widest = 0;
  for (size_t i = begin; i < end; ++i) widest |= bits_of(values_[i]);
  Width width = width_for(widest);
  size_t last = end - begin - 1;
  to_.byte(static_cast<uint8_t>(0x40 | width.code << 1 | last >> 8));
  to_.byte(static_cast<uint8_t>(last));
  Uint128 kept = 0;
  int filled = 0;
  for (size_t i = begin; i < end; ++i) {
    kept = kept << width.bits | bits_of(values_[i]);
    filled += width.bits;
    for (; filled >= 8; filled -= 8) to_.byte(static_cast<uint8_t>(kept >> (filled - 8)));
  }
  if (filled > 0) to_.byte(static_cast<uint8_t>(kept << (8 - filled)));
}

void IntRunWriter::short_repeat(int64_t value, size_t count) {
  uint64_t bits = bits_of(value);
  int bytes = std::max(1, (static_cast<int>(std::bit_width(bits)) + 7) / 8);
  to_.byte(static_cast<uint8_t>((bytes - 1) << 3 | static_cast<int>(count - kShortMin)));
  for (int i = bytes; i-- > 0;) to_.byte(static_cast<uint8_t>(bits >> (8 * i)));
}

// With a fixed difference: no further bits.
void IntRunWriter::delta(size_t begin, size_t count) {
  size_t last = count - 1;
  to_.byte(static_cast<uint8_t>(0xc0 | last >> 8));
  to_.byte(static_cast<uint8_t>(last));
  to_.varint(bits_of(values_[begin]));
  to_.signed_varint(values_[begin + 1] - values_[begin]);
}

void IntRunWriter::flush() {
  constexpr size_t kDeltaMin = 6;
  size_t begin = 0, at = 0;
  while (at < count_) {
    size_t run = steady(at);
    bool repeats = run > 1 && values_[at + 1] == values_[at];
    if (run < (repeats ? kShortMin : kDeltaMin)) {
      at += std::max<size_t>(1, run - 1);  // the last may begin the next run
      continue;
    }
    direct(begin, at);
    if (repeats && run <= kShortMax)
      short_repeat(values_[at], run);
    else
      delta(at, run);
    begin = at += run;
  }
  direct(begin, count_);
  count_ = 0;
}

}  // namespace aichemy::orc
