#include "wire/compression.h"

#include <lz4frame.h>
#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include <algorithm>
#include <memory>

#include "base/bytes.h"

namespace aichemy::wire {
namespace {

constexpr size_t kChunkBytes = 64 << 10;
// Framing of snappy-java: magic, version, lowest compatible version, then blocks with their i32
// length.
constexpr std::string_view kSnappyMagic("\x82SNAPPY\0", 8);
constexpr size_t kSnappyHeaderBytes = 16;
constexpr size_t kSnappyBlockBytes = 32 << 10;

std::unexpected<Error> broken(const char* codec) {
  return fail(Code::corrupt, "compressed", std::string("the records are not valid ") + codec);
}
std::unexpected<Error> too_large(size_t bytes_max) {
  return fail(Code::exhausted, "decompressed_size",
              "the records decompress to more than " + std::to_string(bytes_max) + " bytes");
}

// Grows `out` by a chunk, within the bound plus one byte: that byte tells "exactly the bound" from
// "more".
size_t grow(std::string& out, size_t used, size_t bytes_max) {
  size_t wanted = std::max(kChunkBytes, used * 2);
  out.resize(std::min(wanted, bytes_max + 1));
  return out.size() - used;
}

Result<std::string> gzip_compress(std::string_view bytes) {
  z_stream stream{};
  if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) !=
      Z_OK) {
    return fail(Code::internal, "deflate", "deflateInit2 failed");
  }
  std::string out(deflateBound(&stream, bytes.size()) + 32, '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  int status = deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  if (status != Z_STREAM_END) return fail(Code::internal, "deflate", "deflate did not finish");
  return out;
}

Result<std::string> gzip_decompress(std::string_view bytes, size_t bytes_max) {
  z_stream stream{};
  if (inflateInit2(&stream, 15 + 32) != Z_OK)
    return fail(Code::internal, "inflate", "inflateInit2 failed");
  std::unique_ptr<z_stream, int (*)(z_stream*)> closer(&stream, inflateEnd);
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
  stream.avail_in = static_cast<uInt>(bytes.size());
  std::string out;
  size_t used = 0;
  for (;;) {
    size_t room = grow(out, used, bytes_max);
    if (room == 0) return too_large(bytes_max);
    stream.next_out = reinterpret_cast<Bytef*>(out.data() + used);
    stream.avail_out = static_cast<uInt>(room);
    int status = inflate(&stream, Z_NO_FLUSH);
    used = out.size() - stream.avail_out;
    if (used > bytes_max) return too_large(bytes_max);
    if (status == Z_STREAM_END) {
      if (stream.avail_in == 0) break;
      if (inflateReset(&stream) != Z_OK) return broken("gzip");  // a further member follows
      continue;
    }
    if (status != Z_OK || (stream.avail_out > 0 && stream.avail_in == 0)) return broken("gzip");
  }
  out.resize(used);
  return out;
}

Result<std::string> snappy_compress(std::string_view bytes) {
  std::string out(kSnappyMagic);
  append_big<int32_t>(out, 1);
  append_big<int32_t>(out, 1);
  std::string block;
  while (!bytes.empty()) {
    std::string_view part = bytes.substr(0, kSnappyBlockBytes);
    bytes.remove_prefix(part.size());
    snappy::Compress(part.data(), part.size(), &block);
    append_big(out, static_cast<int32_t>(block.size()));
    out += block;
  }
  return out;
}

Status snappy_block(std::string_view block, size_t bytes_max, std::string& out) {
  size_t size = 0;
  if (!snappy::GetUncompressedLength(block.data(), block.size(), &size)) return broken("snappy");
  if (size > bytes_max - out.size()) return too_large(bytes_max);
  // A block cannot shrink below 1/22 or so of its text; a header that claims more lies about the
  // size.
  if (size / 64 > block.size()) return broken("snappy");
  size_t at = out.size();
  out.resize(at + size);
  if (!snappy::RawUncompress(block.data(), block.size(), out.data() + at)) return broken("snappy");
  return {};
}

Result<std::string> snappy_decompress(std::string_view bytes, size_t bytes_max) {
  std::string out;
  if (!bytes.starts_with(kSnappyMagic)) {
    RETURN_IF_ERROR(snappy_block(bytes, bytes_max, out));
    return out;
  }
  if (bytes.size() < kSnappyHeaderBytes) return broken("snappy");
  bytes.remove_prefix(kSnappyHeaderBytes);
  while (!bytes.empty()) {
    if (bytes.size() < 4) return broken("snappy");
    auto size = load_big<uint32_t>(bytes.data());
    bytes.remove_prefix(4);
    if (size > bytes.size()) return broken("snappy");
    RETURN_IF_ERROR(snappy_block(bytes.substr(0, size), bytes_max, out));
    bytes.remove_prefix(size);
  }
  return out;
}

Result<std::string> lz4_compress(std::string_view bytes) {
  LZ4F_preferences_t preferences{};
  preferences.frameInfo.blockSizeID = LZ4F_max64KB;
  preferences.frameInfo.blockMode = LZ4F_blockIndependent;
  std::string out(LZ4F_compressFrameBound(bytes.size(), &preferences), '\0');
  size_t size =
      LZ4F_compressFrame(out.data(), out.size(), bytes.data(), bytes.size(), &preferences);
  if (LZ4F_isError(size)) return fail(Code::internal, "lz4", LZ4F_getErrorName(size));
  out.resize(size);
  return out;
}

Result<std::string> lz4_decompress(std::string_view bytes, size_t bytes_max) {
  LZ4F_dctx* raw = nullptr;
  if (LZ4F_isError(LZ4F_createDecompressionContext(&raw, LZ4F_VERSION))) {
    return fail(Code::exhausted, "lz4", "no memory to decompress");
  }
  std::unique_ptr<LZ4F_dctx, LZ4F_errorCode_t (*)(LZ4F_dctx*)> context(
      raw, LZ4F_freeDecompressionContext);
  std::string out;
  size_t used = 0;
  size_t hint = 1;
  while (hint != 0) {
    size_t room = grow(out, used, bytes_max);
    if (room == 0) return too_large(bytes_max);
    size_t consumed = bytes.size();
    hint = LZ4F_decompress(raw, out.data() + used, &room, bytes.data(), &consumed, nullptr);
    if (LZ4F_isError(hint)) return broken("lz4");
    used += room;
    bytes.remove_prefix(consumed);
    if (used > bytes_max) return too_large(bytes_max);
    if (hint != 0 && consumed == 0 && room == 0) return broken("lz4");  // cut short
  }
  out.resize(used);
  return out;
}

Result<std::string> zstd_compress(std::string_view bytes) {
  std::string out(ZSTD_compressBound(bytes.size()), '\0');
  size_t size = ZSTD_compress(out.data(), out.size(), bytes.data(), bytes.size(), 3);
  if (ZSTD_isError(size)) return fail(Code::internal, "zstd", ZSTD_getErrorName(size));
  out.resize(size);
  return out;
}

Result<std::string> zstd_decompress(std::string_view bytes, size_t bytes_max) {
  std::unique_ptr<ZSTD_DCtx, size_t (*)(ZSTD_DCtx*)> context(ZSTD_createDCtx(), ZSTD_freeDCtx);
  if (!context) return fail(Code::exhausted, "zstd", "no memory to decompress");
  ZSTD_DCtx_setParameter(context.get(), ZSTD_d_windowLogMax, 27);
  ZSTD_inBuffer in{bytes.data(), bytes.size(), 0};
  std::string out;
  size_t used = 0;
  size_t hint = 1;
  while (hint != 0 || in.pos < in.size) {
    size_t room = grow(out, used, bytes_max);
    if (room == 0) return too_large(bytes_max);
    ZSTD_outBuffer to{out.data() + used, room, 0};
    size_t before = in.pos;
    hint = ZSTD_decompressStream(context.get(), &to, &in);
    if (ZSTD_isError(hint)) return broken("zstd");
    used += to.pos;
    if (used > bytes_max) return too_large(bytes_max);
    if (hint != 0 && to.pos == 0 && in.pos == before) return broken("zstd");  // cut short
  }
  out.resize(used);
  return out;
}

}  // namespace

Result<std::string> compress(Codec codec, std::string_view bytes) {
  switch (codec) {
    case Codec::none: return std::string(bytes);
    case Codec::gzip: return gzip_compress(bytes);
    case Codec::snappy: return snappy_compress(bytes);
    case Codec::lz4: return lz4_compress(bytes);
    case Codec::zstd: return zstd_compress(bytes);
  }
  return fail(Code::invalid, "codec", "unknown compression codec");
}

Result<std::string> decompress(Codec codec, std::string_view bytes, size_t bytes_max) {
  switch (codec) {
    case Codec::none:
      if (bytes.size() > bytes_max) return too_large(bytes_max);
      return std::string(bytes);
    case Codec::gzip: return gzip_decompress(bytes, bytes_max);
    case Codec::snappy: return snappy_decompress(bytes, bytes_max);
    case Codec::lz4: return lz4_decompress(bytes, bytes_max);
    case Codec::zstd: return zstd_decompress(bytes, bytes_max);
  }
  return fail(Code::corrupt, "compressed", "unknown compression codec");
}

}  // namespace aichemy::wire
