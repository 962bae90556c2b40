#include "sql/language/parser.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  (void)aichemy::sql::parse_statement(text);
  (void)aichemy::sql::parse_expression(text);
  return 0;
}
