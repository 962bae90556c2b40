// Any bytes as any codec: an error, or output within the bound.
#include "wire/compression.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size < 1) return 0;
  auto codec = static_cast<aichemy::wire::Codec>(data[0] % 5);
  std::string_view body(reinterpret_cast<const char*>(data + 1), size - 1);
  auto out = aichemy::wire::decompress(codec, body, 1 << 20);
  if (out && out->size() > (1 << 20)) __builtin_trap();
  return 0;
}
