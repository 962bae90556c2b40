#include <cstddef>
#include <cstdint>
#include <string_view>

#include "tables/iceberg_manifest.h"

// Manifests and manifest lists are what Avro files are read for; both readers take every input.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size > (1u << 20)) return 0;
  auto manifest = aichemy::tables::iceberg::decode_manifest(bytes);
  if (manifest) {
    for (size_t i = 0; i < manifest->size() && i < 100; ++i) (void)manifest->entry(i);
  }
  (void)aichemy::tables::iceberg::decode_manifest_list(bytes);
  return 0;
}
