#include "base/check.h"
#include "sql/types/type.h"

// What parses prints as something that parses to the same type.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  auto type = aichemy::sql::parse_type(std::string_view(reinterpret_cast<const char*>(data), size));
  if (!type) return 0;
  auto again = aichemy::sql::parse_type(type->display());
  CHECK(again && *again == *type);
  return 0;
}
