#include "base/bytes.h"
#include "base/check.h"
#include "base/checksum.h"
#include "objectstore/record.h"

using namespace aichemy;
using namespace aichemy::objectstore;

// Any bytes decode or are refused; what decodes encodes to something that decodes to the same. The
// checksum is put right first: else nothing would get past it.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string bytes(reinterpret_cast<const char*>(data), size);
  (void)decode_record(bytes);
  (void)decode_journal(bytes);
  append_little(bytes, xxh3(bytes, kRecordSeed));
  if (auto record = decode_record(bytes)) {
    std::string again = encode_record(*record);
    auto twice = decode_record(again);
    CHECK(twice && encode_record(*twice) == again);
  }
  if (auto slots = decode_journal(bytes)) CHECK(decode_journal(encode_journal(*slots)).has_value());
  return 0;
}
