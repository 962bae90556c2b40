// Puffin files (Puffin specification, version 1): blobs of statistics and indexes, and a footer
// that says where each is. Deletion vectors are read by what their manifests say, without it.
//
// Errors: corrupt ("puffin") with what is wrong; unsupported ("puffin") for flags and compressions
// that we do not know, LZ4 among them.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"

namespace aichemy::tables {

struct PuffinBlob {
  std::string type;
  std::vector<int> fields;
  int64_t snapshot_id = 0;
  int64_t sequence_number = 0;
  uint64_t offset = 0;
  uint64_t length = 0;
  std::string compression;  // "", "zstd", "lz4"
  std::map<std::string, std::string> properties;
};

struct PuffinFile {
  std::vector<PuffinBlob> blobs;  // all of them lie between the file's magic numbers
  std::map<std::string, std::string> properties;
};

Result<PuffinFile> decode_puffin(std::string_view file);
// A blob's bytes, decompressed, of the file it was found in.
Result<std::string> puffin_blob(std::string_view file, const PuffinBlob& blob);

}  // namespace aichemy::tables
