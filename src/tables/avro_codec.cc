#include "tables/avro_codec.h"

#include <snappy.h>
#include <zlib.h>
#include <zstd.h>

#include "base/bytes.h"
#include "base/checksum.h"

namespace aichemy::tables {

namespace {

constexpr size_t kChunk = 256 << 10;
constexpr int kRawDeflate = -15;
constexpr int kGzip = 15 + 16;

struct CodecName {
  std::string_view name;
  AvroCodec codec;
};
constexpr CodecName kCodecs[] = {
    {"null", AvroCodec::null},
    {"deflate", AvroCodec::deflate},
    {"zstandard", AvroCodec::zstandard},
    {"snappy", AvroCodec::snappy},
};

std::unexpected<Error> broken(const char* codec) {
  return fail(Code::corrupt, "avro", std::string("a block does not decompress as ") + codec);
}

std::unexpected<Error> too_large() {
  return fail(Code::corrupt, "avro", "the decompressed file is too large");
}

Status inflate_to(std::string_view block, int window_bits, uint64_t bytes_max, std::string* out) {
  z_stream stream{};
  if (inflateInit2(&stream, window_bits) != Z_OK) return broken("deflate");
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  int code = Z_OK;
  Status done;
  while (code == Z_OK) {
    size_t used = out->size();
    if (used >= bytes_max) {
      done = too_large();
      break;
    }
    size_t room = std::min<uint64_t>(std::max(kChunk, block.size() * 2), bytes_max - used);
    out->resize(used + room);
    stream.next_out = reinterpret_cast<Bytef*>(out->data() + used);
    stream.avail_out = static_cast<uInt>(room);
    code = inflate(&stream, Z_NO_FLUSH);
    out->resize(used + room - stream.avail_out);
    if (code == Z_OK && stream.avail_in == 0 && stream.avail_out != 0) break;  // cut short
  }
  inflateEnd(&stream);
  if (!done) return done;
  if (code != Z_STREAM_END) return broken("deflate");
  return {};
}

Status unzstd(std::string_view block, uint64_t bytes_max, std::string* out) {
  ZSTD_DCtx* context = ZSTD_createDCtx();
  ZSTD_inBuffer in{block.data(), block.size(), 0};
  Status done;
  while (true) {
    size_t used = out->size();
    if (used >= bytes_max) {
      done = too_large();
      break;
    }
    size_t room = std::min<uint64_t>(kChunk, bytes_max - used);
    out->resize(used + room);
    ZSTD_outBuffer to{out->data() + used, room, 0};
    size_t rest = ZSTD_decompressStream(context, &to, &in);
    out->resize(used + to.pos);
    if (ZSTD_isError(rest) || (rest != 0 && in.pos == in.size && to.pos < room)) {
      done = broken("zstandard");
      break;
    }
    if (rest == 0 && in.pos == in.size) break;
  }
  ZSTD_freeDCtx(context);
  return done;
}

// Snappy blocks end with the big-endian CRC-32 of the plain bytes.
Status unsnappy(std::string_view block, uint64_t bytes_max, std::string* out) {
  size_t length = 0;
  if (block.size() < 4) return broken("snappy");
  std::string_view packed = block.substr(0, block.size() - 4);
  if (!snappy::GetUncompressedLength(packed.data(), packed.size(), &length))
    return broken("snappy");
  size_t used = out->size();
  if (length > bytes_max - std::min<uint64_t>(used, bytes_max)) return too_large();
  if (!snappy::IsValidCompressedBuffer(packed.data(), packed.size())) return broken("snappy");
  out->resize(used + length);
  if (!snappy::RawUncompress(packed.data(), packed.size(), out->data() + used))
    return broken("snappy");
  uint32_t expected = load_big<uint32_t>(block.data() + packed.size());
  if (crc32(0, std::string_view(*out).substr(used)) != expected) return broken("snappy (checksum)");
  return {};
}

std::string deflate_block(std::string_view block) {
  z_stream stream{};
  deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, kRawDeflate, 8, Z_DEFAULT_STRATEGY);
  std::string out(deflateBound(&stream, block.size()), '\0');
  stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(block.data()));
  stream.avail_in = static_cast<uInt>(block.size());
  stream.next_out = reinterpret_cast<Bytef*>(out.data());
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace

std::string_view avro_codec_name(AvroCodec codec) {
  return kCodecs[static_cast<size_t>(codec)].name;
}

Result<AvroCodec> avro_codec_from_name(std::string_view name) {
  for (const CodecName& row : kCodecs) {
    if (row.name == name) return row.codec;
  }
  return fail(Code::unsupported, "avro_codec",
              "Avro codec \"" + std::string(name) + "\" is not offered");
}

Status avro_decompress(AvroCodec codec, std::string_view block, uint64_t bytes_max,
                       std::string* out) {
  switch (codec) {
    case AvroCodec::deflate: return inflate_to(block, kRawDeflate, bytes_max, out);
    case AvroCodec::zstandard: return unzstd(block, bytes_max, out);
    case AvroCodec::snappy: return unsnappy(block, bytes_max, out);
    case AvroCodec::null: break;
  }
  if (block.size() > bytes_max - std::min<uint64_t>(out->size(), bytes_max)) return too_large();
  *out += block;
  return {};
}

Result<std::string> avro_compress(AvroCodec codec, std::string_view block) {
  std::string out;
  switch (codec) {
    case AvroCodec::deflate: return deflate_block(block);
    case AvroCodec::zstandard: {
      out.resize(ZSTD_compressBound(block.size()));
      size_t size = ZSTD_compress(out.data(), out.size(), block.data(), block.size(), 3);
      if (ZSTD_isError(size)) return fail(Code::internal, "avro", ZSTD_getErrorName(size));
      out.resize(size);
      return out;
    }
    case AvroCodec::snappy:
      snappy::Compress(block.data(), block.size(), &out);
      append_big(out, crc32(0, block));
      return out;
    case AvroCodec::null: break;
  }
  return std::string(block);
}

Result<std::string> gunzip(std::string_view bytes, uint64_t bytes_max) {
  std::string out;
  RETURN_IF_ERROR(inflate_to(bytes, kGzip, bytes_max, &out));
  return out;
}

}  // namespace aichemy::tables
