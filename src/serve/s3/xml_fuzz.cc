#include "serve/s3/xml.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)aichemy::serve::s3::parse_xml({reinterpret_cast<const char*>(data), size});
  return 0;
}
