#include <cstddef>
#include <cstdint>
#include <string_view>

#include "jobs/script.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  (void)aichemy::jobs::parse_script({reinterpret_cast<const char*>(data), size});
  return 0;
}
