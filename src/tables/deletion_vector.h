// Deletion vectors (Iceberg spec, "Deletion Vectors"; Puffin spec, deletion-vector-v1): the row
// positions of one data file that are gone, as 64-bit Roaring bitmaps in a blob of a Puffin file.
// Delta Lake's vectors have the same bytes.
//
// Errors of reading: corrupt ("deletion_vector") with what is wrong.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/result.h"
#include "runtime/call.h"
#include "tables/file_io.h"
#include "tables/scan_plan.h"

namespace aichemy::tables {

// Ascending, without repetition.
using Positions = std::vector<uint64_t>;

// The blob: length, magic, bitmaps, CRC-32.
Result<Positions> decode_deletion_vector(std::string_view blob);
std::string encode_deletion_vector(const Positions& positions);

// What a plan's deletion vector takes away; corrupt also when its cardinality is not the one that
// the manifest says.
Result<Positions> deletion_vector_in(std::string_view file, const DeleteFile& vector);
Result<Positions> read_deletion_vector(const Call& call, FileIo& files, const DeleteFile& vector);

// A Puffin file of deletion vectors, one for each data file.
struct VectorBlob {
  std::string data_file;
  Positions positions;
  // Set by encode_puffin.
  uint64_t offset = 0;
  uint64_t size = 0;
};
std::string encode_puffin(std::vector<VectorBlob>* vectors);

}  // namespace aichemy::tables
