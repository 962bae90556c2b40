// The codecs of record batches. Decompression is bounded: it stops with exhausted
// ("decompressed_size") as soon as the output would pass `bytes_max`, whatever the input claims.
#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"

namespace aichemy::wire {

enum class Codec : uint8_t { none = 0, gzip = 1, snappy = 2, lz4 = 3, zstd = 4 };

Result<std::string> compress(Codec codec, std::string_view bytes);
// corrupt ("compressed") when the bytes are not of that codec. Snappy is accepted with and without
// the framing of the Java library; gzip also takes zlib streams.
Result<std::string> decompress(Codec codec, std::string_view bytes, size_t bytes_max);

}  // namespace aichemy::wire
