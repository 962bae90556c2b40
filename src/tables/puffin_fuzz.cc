// Any bytes as a Puffin file, and its blobs as theta sketches: an error, or blobs within the file.
#include "tables/puffin.h"
#include "tables/statistics_file.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view file(reinterpret_cast<const char*>(data), size);
  auto puffin = aichemy::tables::decode_puffin(file);
  if (!puffin) return 0;
  for (const auto& blob : puffin->blobs) {
    if (blob.offset + blob.length > size) __builtin_trap();
    auto bytes = aichemy::tables::puffin_blob(file, blob);
    if (bytes) (void)aichemy::tables::theta_estimate(*bytes);
  }
  return 0;
}
