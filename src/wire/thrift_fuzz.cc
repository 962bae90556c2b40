// Any bytes as a Thrift message: the scanner, the skipping reader and a deep struct agree on an end
// or refuse; what is read is written and read again alike.
#include "wire/hive_metastore.h"

namespace thrift = aichemy::wire::thrift;
namespace hive = aichemy::wire::hive;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  thrift::MessageScanner scanner(1 << 20);
  auto scanned = scanner.scan(bytes);
  thrift::Reader reader(bytes);
  reader.header();
  if (reader.ok()) {
    reader.skip(thrift::Type::structure);
    if (reader.ok() && scanned && *scanned > 0 && *scanned != size - reader.left().size())
      __builtin_trap();
  }
  auto table = thrift::decode<hive::Table>(bytes);
  if (table) {
    std::string once = thrift::encode(*table);
    auto again = thrift::decode<hive::Table>(once);
    if (!again || thrift::encode(*again) != once) __builtin_trap();
  }
  (void)thrift::decode<hive::ColumnStatistics>(bytes);
  (void)thrift::decode<hive::LockRequest>(bytes);
  return 0;
}
