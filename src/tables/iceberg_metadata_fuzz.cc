#include <cstddef>
#include <cstdint>
#include <string_view>

#include "base/check.h"
#include "tables/iceberg_metadata.h"
#include "tables/iceberg_update.h"

// What is read can be written, and reads the same again.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace aichemy::tables::iceberg;
  std::string_view bytes(reinterpret_cast<const char*>(data), size);
  auto metadata = metadata_from_bytes(bytes);
  if (metadata) {
    auto again = metadata_from_json(metadata_to_json(*metadata));
    CHECK(again.has_value());
    CHECK(metadata_to_json(*again) == metadata_to_json(*metadata));
    (void)metadata->find_by_summary("a", "b");
  }
  if (auto json = aichemy::Json::parse(bytes)) {
    (void)requirement_from_json(*json);
    auto update = update_from_json(*json);
    if (update && metadata) (void)apply_updates(&*metadata, {*update}, {1, ""});
  }
  return 0;
}
