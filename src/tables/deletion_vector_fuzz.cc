// Any bytes as a deletion vector, its frame made right: an error, or positions that come back.
#include "base/bytes.h"
#include "base/checksum.h"
#include "tables/deletion_vector.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string content = "\xd1\xd3\x39\x64" + std::string(reinterpret_cast<const char*>(data), size);
  std::string blob;
  aichemy::append_big(blob, static_cast<uint32_t>(content.size()));
  blob += content;
  aichemy::append_big(blob, aichemy::crc32(0, content));
  auto positions = aichemy::tables::decode_deletion_vector(blob);
  if (!positions) return 0;
  auto again =
      aichemy::tables::decode_deletion_vector(aichemy::tables::encode_deletion_vector(*positions));
  if (!again || *again != *positions) __builtin_trap();
  return 0;
}
