// Block compression of Avro files.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "base/result.h"
#include "tables/avro_file.h"

namespace aichemy::tables {

std::string_view avro_codec_name(AvroCodec codec);
Result<AvroCodec> avro_codec_from_name(std::string_view name);  // unsupported ("avro_codec")

// Appends to `out`, which never grows beyond bytes_max. corrupt ("avro").
Status avro_decompress(AvroCodec codec, std::string_view block, uint64_t bytes_max,
                       std::string* out);
Result<std::string> avro_compress(AvroCodec codec, std::string_view block);

// The gzip form of metadata files.
Result<std::string> gunzip(std::string_view bytes, uint64_t bytes_max);

}  // namespace aichemy::tables
